//! The objects that a filter let through, as a list of their own.

use std::ops::{ControlFlow, Range};

use super::{KeySpace, Position};
use crate::domain::bits::BitSet;
use crate::domain::block_sums::{BLOCK, BlockSums, Sum};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::totals::Totals;

/// Some objects of an inventory, in key order, with folders and totals of their own. It holds a snapshot of the inventory.
#[derive(Clone, Default, Debug)]
pub struct Subset {
    inventory: Inventory,
    /// Increasing.
    members: Vec<ObjectIndex>,
    /// The same, by index.
    inside: BitSet,
    /// By place.
    gone: BitSet,
    sums: BlockSums<Totals>,
}

impl Subset {
    /// The objects with these indices, in any order; what is gone or not in the inventory is left out.
    pub fn new(inventory: &Inventory, members: impl IntoIterator<Item = ObjectIndex>) -> Self {
        let mut members: Vec<ObjectIndex> = members.into_iter().collect();
        if !members.is_sorted() {
            members.sort_unstable();
        }
        let mut subset = Self::default();
        subset.extend(inventory, members);
        subset
    }

    /// Appends objects of an inventory that has grown since. Indices must increase and follow those that are here; others
    /// are left out, as is what is gone.
    pub fn extend(&mut self, inventory: &Inventory, members: impl IntoIterator<Item = ObjectIndex>) {
        self.inventory = inventory.clone();
        for index in members {
            let follows = self.members.last().is_none_or(|last| *last < index);
            if !follows || index >= inventory.len() || inventory.is_gone(index) {
                continue;
            }
            self.members.push(index);
            self.inside.insert(index);
            if self.len().is_multiple_of(BLOCK) {
                let totals = self.sum_part(self.len() - BLOCK..self.len());
                self.sums.push(totals);
            }
        }
    }

    /// Marks objects as proved gone, as [`Inventory::forget`] does; those that are not here are skipped.
    pub fn forget(&mut self, indices: &[ObjectIndex]) {
        let here = |at: &Position| !self.gone.contains(*at);
        let mut places: Vec<Position> =
            indices.iter().filter_map(|index| self.position_of(*index)).filter(here).collect();
        places.sort_unstable();
        places.dedup();
        for &at in &places {
            self.gone.insert(at);
            self.inside.remove(self.members[at as usize]);
        }
        let mut sums = std::mem::take(&mut self.sums);
        for (block, went) in sums.by_block(&places).collect::<Vec<_>>() {
            let mut lost = Totals::default();
            went.iter().for_each(|at| lost.add(&self.totals_at(*at)));
            let places = block * BLOCK..(block + 1) * BLOCK;
            let newest = |before| {
                let mut alive = self.gone.gaps_in(places.clone()).flatten();
                if alive.any(|at| self.totals_at(at).newest == before) { before } else { None }
            };
            sums.take_out(block, &lost, newest, || self.sum_part(places.clone()));
        }
        self.sums = sums;
    }

    /// The indices of the objects, increasing; those that went since are among them.
    pub fn members(&self) -> &[ObjectIndex] {
        &self.members
    }

    /// Whether the object is here and not gone.
    pub fn contains(&self, object: ObjectIndex) -> bool {
        self.inside.contains(object)
    }

    /// The objects that are here and not gone, as a set of indices.
    pub fn as_set(&self) -> &BitSet {
        &self.inside
    }

    /// Bytes held on the heap, without the inventory.
    pub fn memory_bytes(&self) -> usize {
        self.members.capacity() * 4 + self.inside.memory_bytes() + self.gone.memory_bytes() + self.sums.memory_bytes()
    }

    fn sum_part(&self, range: Range<Position>) -> Totals {
        let mut sum = Totals::default();
        range.filter(|at| !self.gone.contains(*at)).for_each(|at| sum.add(&self.totals_at(at)));
        sum
    }

    fn totals_at(&self, at: Position) -> Totals {
        let index = self.members[at as usize];
        Totals::of(self.inventory.size(index), self.inventory.last_modified(index))
    }
}

impl KeySpace for Subset {
    fn len(&self) -> Position {
        self.members.len() as Position
    }

    fn object_at(&self, at: Position) -> ObjectIndex {
        self.members[at as usize]
    }

    fn position_of(&self, object: ObjectIndex) -> Option<Position> {
        self.members.binary_search(&object).ok().map(|at| at as Position)
    }

    fn key_into(&self, at: Position, buffer: &mut Vec<u8>) {
        self.inventory.key_into(self.members[at as usize], buffer);
    }

    fn lower_bound(&self, key: &[u8]) -> Position {
        let index = self.inventory.lower_bound(key);
        self.members.partition_point(|member| *member < index) as Position
    }

    fn totals(&self, range: Range<Position>) -> Totals {
        let range = range.start..range.end.min(self.len());
        self.sums.over(range, |part| self.sum_part(part))
    }

    fn span(&self, range: Range<Position>) -> Range<ObjectIndex> {
        let members =
            self.members.get(range.start as usize..self.members.len().min(range.end as usize)).unwrap_or_default();
        match (members.first(), members.last()) {
            (Some(first), Some(last)) => *first..*last + 1,
            _ => 0..0,
        }
    }

    fn objects_of_word(&self, at: u32) -> u64 {
        self.inside.word(at)
    }

    fn next_alive(&self, at: Position) -> Option<Position> {
        self.gone.first_absent_in(at..self.len())
    }

    fn previous_alive(&self, at: Position) -> Option<Position> {
        self.gone.last_absent_in(0..at.min(self.len()))
    }

    fn walk(&self, range: Range<Position>, visit: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>) {
        let mut key = Vec::new();
        for at in range.start..range.end.min(self.len()) {
            if self.gone.contains(at) {
                continue;
            }
            self.key_into(at, &mut key);
            if visit(at, &key).is_break() {
                return;
            }
        }
    }
}
