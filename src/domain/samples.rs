//! Made-up objects for the tests of this layer.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;

use super::{ETag, Inventory, Key, Object, StorageClass, Timestamp};

/// An object whose other properties follow from its size; about half changed before 1970, one in eleven has no
/// time.
pub(crate) fn object(key: &[u8], size: u64) -> Object {
    let time = (size.wrapping_mul(2_654_435_761) % 1_000_003) as i64 - 500_000;
    Object {
        key: Key::new(key),
        size,
        etag: ETag::new(&format!("{size:032x}")),
        last_modified: (time % 11 != 0).then_some(Timestamp(time)),
        storage_class: StorageClass::default(),
    }
}

/// An inventory of objects in key order.
pub(crate) fn inventory_of(objects: impl IntoIterator<Item = Object>) -> Inventory {
    let mut inventory = Inventory::new();
    objects.into_iter().for_each(|object| inventory.push(object).expect("in order"));
    inventory
}

/// Distinct keys of few, awkward pieces, so that folders, empty segments and near misses really occur.
pub(crate) fn hostile_keys(count: Range<usize>) -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    let piece = prop::sample::select(vec![
        b"a".as_slice(),
        b"/",
        b"/",
        b"b",
        b"\xff",
        b" ",
        b"\n",
        "\u{e9}".as_bytes(),
        b"aaaaaaaaaaaaaaaaaaaaaaaa",
    ]);
    let key = prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat());
    prop::collection::btree_set(key, count)
}
