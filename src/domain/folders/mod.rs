//! Folders without nodes: the sorted list is the tree.
//!
//! The folder `P` (empty for the root, else ending in `/`) holds every key that begins with `P`. Where such a key has a
//! further `/`, the part up to and including it is a child folder; else the key is an object of its own. So `a`, `a/` and
//! `a/b` are an object `a` and a folder `a/` that holds the marker `a/` itself and `a/b`; `a//b` lies in the folder `a//`
//! of the folder `a/`; `/a` lies in the folder `/`. No key is hidden, merged or renamed, whatever its bytes.

mod sorted;
mod subset;
#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};

use memchr::memchr;

pub use self::sorted::{SortKey, SortedChildren, sorted_children};
pub use self::subset::Subset;

use super::bits::BitSet;
use super::inventory::{Inventory, ObjectIndex};
use super::key::successor;
use super::totals::Totals;

/// A place in a [`KeySpace`].
pub type Position = u32;

/// A sorted list of keys that folders can be read from: all objects, or those that a filter let through.
pub trait KeySpace {
    /// Places, those of objects that are gone included.
    fn len(&self) -> Position;

    /// Whether there is no place at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object at a place.
    fn object_at(&self, at: Position) -> ObjectIndex;

    /// The place of an object, if it has one here.
    fn position_of(&self, object: ObjectIndex) -> Option<Position>;

    /// Writes the key at a place into the buffer, in place of what was there.
    fn key_into(&self, at: Position, buffer: &mut Vec<u8>);

    /// The first place whose key is not smaller than `key`; `len()` if there is none.
    fn lower_bound(&self, key: &[u8]) -> Position;

    /// Objects, bytes and newest change of a range, without what is gone.
    fn totals(&self, range: Range<Position>) -> Totals;

    /// The span of objects that a range of places covers; of a filtered space others lie in between.
    fn span(&self, range: Range<Position>) -> Range<ObjectIndex>;

    /// Which of the 64 objects from `64 * at` on have a place here and are not gone, as bits.
    fn objects_of_word(&self, at: u32) -> u64;

    /// The objects of a range, without what is gone.
    fn objects(&self, range: Range<Position>) -> BitSet {
        BitSet::of_words(self.span(range), |at| self.objects_of_word(at))
    }

    /// The first place at or after `at` whose object is not gone.
    fn next_alive(&self, at: Position) -> Option<Position>;

    /// The last place before `at` whose object is not gone.
    fn previous_alive(&self, at: Position) -> Option<Position>;

    /// Visits the keys of a range that are not gone, in order, until the visitor breaks.
    fn walk(&self, range: Range<Position>, visit: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>);

    /// The places whose keys begin with `prefix`.
    fn range(&self, prefix: &[u8]) -> Range<Position> {
        let end = successor(prefix).map_or(self.len(), |next| self.lower_bound(&next));
        self.lower_bound(prefix)..end
    }
}

impl KeySpace for Inventory {
    fn len(&self) -> Position {
        self.len()
    }

    fn object_at(&self, at: Position) -> ObjectIndex {
        at
    }

    fn position_of(&self, object: ObjectIndex) -> Option<Position> {
        (object < self.len()).then_some(object)
    }

    fn key_into(&self, at: Position, buffer: &mut Vec<u8>) {
        self.key_into(at, buffer);
    }

    fn lower_bound(&self, key: &[u8]) -> Position {
        self.lower_bound(key)
    }

    fn totals(&self, range: Range<Position>) -> Totals {
        self.totals(range)
    }

    fn span(&self, range: Range<Position>) -> Range<ObjectIndex> {
        range.start..range.end.min(self.len())
    }

    fn objects_of_word(&self, at: u32) -> u64 {
        !self.gone().word(at)
    }

    fn next_alive(&self, at: Position) -> Option<Position> {
        self.next_alive(at)
    }

    fn previous_alive(&self, at: Position) -> Option<Position> {
        self.previous_alive(at)
    }

    fn walk(&self, range: Range<Position>, visit: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>) {
        let _ = self.try_scan(range, |at, key, _| visit(at, key));
    }
}

/// A row of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Child {
    /// A folder; it holds at least one object that is not gone.
    Folder {
        /// The exact prefix, with its last `/`.
        prefix: Vec<u8>,
        /// Everything that begins with it.
        range: Range<Position>,
    },
    /// An object.
    Object {
        /// Its place.
        at: Position,
    },
}

impl Child {
    /// The places that the row stands for.
    pub fn range(&self) -> Range<Position> {
        match self {
            Child::Folder { range, .. } => range.clone(),
            Child::Object { at } => *at..*at + 1,
        }
    }
}

/// The row of the folder `prefix` that the place `at` lies in; `None` if it lies elsewhere, or all of the row is gone.
pub fn child_at(space: &(impl KeySpace + ?Sized), prefix: &[u8], at: Position) -> Option<Child> {
    let child = child_containing(space, prefix, at, None)?;
    let range = child.range();
    space.next_alive(range.start).filter(|alive| *alive < range.end).map(|_| child)
}

/// The first row of a folder.
pub fn first_child(space: &(impl KeySpace + ?Sized), prefix: &[u8]) -> Option<Child> {
    child_from(space, prefix, space.lower_bound(prefix))
}

/// The last row of a folder.
pub fn last_child(space: &(impl KeySpace + ?Sized), prefix: &[u8]) -> Option<Child> {
    child_containing(space, prefix, space.previous_alive(space.range(prefix).end)?, None)
}

/// The row after `child` in the folder `prefix`.
pub fn next_child(space: &(impl KeySpace + ?Sized), prefix: &[u8], child: &Child) -> Option<Child> {
    child_from(space, prefix, child.range().end)
}

/// The row before `child` in the folder `prefix`.
pub fn previous_child(space: &(impl KeySpace + ?Sized), prefix: &[u8], child: &Child) -> Option<Child> {
    child_containing(space, prefix, space.previous_alive(child.range().start)?, None)
}

/// The first row of the folder at or after `start`, where a row is known to begin.
fn child_from(space: &(impl KeySpace + ?Sized), prefix: &[u8], start: Position) -> Option<Child> {
    let at = space.next_alive(start)?;
    child_containing(space, prefix, at, (at == start).then_some(start))
}

/// The row that `at` lies in, gone or not. `start` is where the row begins, if that is known.
fn child_containing(
    space: &(impl KeySpace + ?Sized),
    prefix: &[u8],
    at: Position,
    start: Option<Position>,
) -> Option<Child> {
    if at >= space.len() {
        return None;
    }
    let mut key = Vec::new();
    space.key_into(at, &mut key);
    let rest = key.strip_prefix(prefix)?;
    let Some(slash) = memchr(b'/', rest) else { return Some(Child::Object { at }) };
    key.truncate(prefix.len() + slash + 1);
    let end = successor(&key).map_or(space.len(), |next| space.lower_bound(&next));
    let start = start.unwrap_or_else(|| space.lower_bound(&key));
    Some(Child::Folder { prefix: key, range: start..end })
}
