//! Objects of the same content, as far as size and ETag can tell.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::domain::bits::BitSet;
use crate::domain::inventory::{Inventory, ObjectIndex};

/// Every object for which another has the same size, not zero, and the same ETag, not empty. Takes eight bytes an object
/// while it works and a bit an object afterwards.
pub(super) fn duplicates(inventory: &Inventory) -> BitSet {
    let mut hashed = Vec::with_capacity(usize::try_from(inventory.alive()).unwrap_or(0));
    inventory.scan(0..inventory.len(), |index, _, fields| {
        if fields.size > 0 && !fields.etag.is_empty() {
            let mut hasher = FxHasher::default();
            (fields.size, fields.etag).hash(&mut hasher);
            // The upper half of the hash sorts, the lower half remembers whose it is.
            hashed.push(hasher.finish() & !u64::from(u32::MAX) | u64::from(index));
        }
    });
    hashed.sort_unstable();
    let mut found = BitSet::default();
    let mut classes = Vec::new();
    for group in hashed.chunk_by(|a, b| a >> 32 == b >> 32).filter(|group| group.len() > 1) {
        classes.clear();
        for &packed in group {
            mark_equals(inventory, packed as u32, &mut classes, &mut found);
        }
    }
    found
}

/// Compares with one object of each content met so far: objects of one hash mostly have one content.
fn mark_equals(inventory: &Inventory, index: ObjectIndex, classes: &mut Vec<ObjectIndex>, found: &mut BitSet) {
    let content = |index| (inventory.size(index), inventory.compact_etag(index));
    match classes.iter().find(|&&other| content(other) == content(index)) {
        Some(&other) => {
            found.insert(other);
            found.insert(index);
        }
        None => classes.push(index),
    }
}
