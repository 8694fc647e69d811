//! Every object of a bucket, sorted by key and packed: a folder is a contiguous range of it.

mod chunk;
mod etags;
mod front_coding;
#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use thiserror::Error;

pub use self::chunk::ObjectFields;
pub use self::etags::CompactETag;
pub use super::totals::Totals;

use self::chunk::Chunk;
use self::front_coding::partition;
use super::bits::BitSet;
use super::block_sums::{BLOCK, BlockSums, Sum};
use super::key::successor;
use super::{ETag, Key, Object, StorageClass, Timestamp};

/// The place of an object in the order of keys. It does not change while more objects are appended or some forgotten.
pub type ObjectIndex = u32;

/// A key did not come after the one before it, so the listing cannot be trusted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("key \"{}\" does not come after \"{}\"", key.escaped(), previous.escaped())]
pub struct OutOfOrder {
    /// The key before.
    pub previous: Key,
    /// The key that should have been greater.
    pub key: Key,
}

/// The list of all objects. Cheap to clone: a clone is a snapshot that stays as it is while the original grows.
#[derive(Clone, Default, Debug)]
pub struct Inventory {
    full: Arc<FullChunks>,
    tail: Arc<Chunk>,
    last_key: Vec<u8>,
    gone: Arc<BitSet>,
}

/// Chunks of exactly [`BLOCK`] objects, and their totals without what is gone.
#[derive(Clone, Default, Debug)]
struct FullChunks {
    chunks: Vec<Arc<Chunk>>,
    sums: BlockSums<Totals>,
}

impl Inventory {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an object.
    ///
    /// # Errors
    /// If its key is not greater than the last one; the list stays as it was.
    pub fn push(&mut self, object: Object) -> Result<(), OutOfOrder> {
        let key = object.key.as_bytes();
        if !self.is_empty() && key <= self.last_key.as_slice() {
            return Err(OutOfOrder { previous: Key::new(&self.last_key), key: object.key });
        }
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(&object, &self.last_key);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        if self.tail.len() == BLOCK as usize {
            self.close_tail();
        }
        Ok(())
    }

    fn close_tail(&mut self) {
        let block = self.full.sums.blocks();
        let totals = self.sum_part(block * BLOCK..(block + 1) * BLOCK);
        let mut chunk = std::mem::take(&mut self.tail);
        Arc::make_mut(&mut chunk).shrink();
        let full = Arc::make_mut(&mut self.full);
        full.chunks.push(chunk);
        full.sums.push(totals);
    }

    /// Objects ever appended, those that are gone included: one more than the greatest index.
    pub fn len(&self) -> u32 {
        self.full.chunks.len() as u32 * BLOCK + self.tail.len() as u32
    }

    /// Whether nothing was ever appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Objects that are not gone.
    pub fn alive(&self) -> u64 {
        u64::from(self.len()) - self.gone.count()
    }

    /// The key of an object.
    pub fn key(&self, index: ObjectIndex) -> Key {
        let mut buffer = Vec::new();
        self.key_into(index, &mut buffer);
        Key::new(buffer)
    }

    /// Writes the key of an object into the buffer, in place of what was there.
    pub fn key_into(&self, index: ObjectIndex, buffer: &mut Vec<u8>) {
        let (chunk, at) = self.place(index);
        chunk.keys.key_into(at, buffer);
    }

    /// An object, whole.
    pub fn object(&self, index: ObjectIndex) -> Object {
        Object {
            key: self.key(index),
            size: self.size(index),
            etag: self.etag(index),
            last_modified: self.last_modified(index),
            storage_class: self.storage_class(index),
        }
    }

    /// Bytes of an object.
    pub fn size(&self, index: ObjectIndex) -> u64 {
        let (chunk, at) = self.place(index);
        chunk.sizes[at]
    }

    /// Last change of an object, exact to the millisecond; `None` if the store gave none.
    pub fn last_modified(&self, index: ObjectIndex) -> Option<Timestamp> {
        let (chunk, at) = self.place(index);
        chunk.last_modified(at)
    }

    /// Entity tag of an object.
    pub fn etag(&self, index: ObjectIndex) -> ETag {
        self.compact_etag(index).to_etag()
    }

    /// Entity tag of an object, without an allocation.
    pub fn compact_etag(&self, index: ObjectIndex) -> CompactETag<'_> {
        let (chunk, at) = self.place(index);
        chunk.etag(at)
    }

    /// Storage class of an object.
    pub fn storage_class(&self, index: ObjectIndex) -> StorageClass {
        let (chunk, at) = self.place(index);
        chunk.storage_class(at)
    }

    /// The object with exactly this key, unless it is gone.
    pub fn find(&self, key: &[u8]) -> Option<ObjectIndex> {
        let index = self.lower_bound(key);
        if index == self.len() || self.is_gone(index) {
            return None;
        }
        let mut found = Vec::with_capacity(key.len());
        self.key_into(index, &mut found);
        (found == key).then_some(index)
    }

    /// The first index whose key is not smaller than `key`, gone or not; `len()` if there is none.
    pub fn lower_bound(&self, key: &[u8]) -> ObjectIndex {
        let full = self.full.chunks.len();
        let chunks = full + usize::from(self.tail.len() > 0);
        let after = partition(chunks, |chunk| self.chunk(chunk).keys.first() < key);
        let Some(chunk) = after.checked_sub(1) else { return 0 };
        chunk as u32 * BLOCK + self.chunk(chunk).keys.lower_bound(key) as u32
    }

    /// The objects whose keys begin with `prefix`, gone or not: always contiguous.
    pub fn range(&self, prefix: &[u8]) -> Range<ObjectIndex> {
        let end = successor(prefix).map_or(self.len(), |next| self.lower_bound(&next));
        self.lower_bound(prefix)..end
    }

    /// Objects, bytes and newest change of a range, without what is gone. O(log n) and at most two partial chunks.
    pub fn totals(&self, range: Range<ObjectIndex>) -> Totals {
        let range = range.start..range.end.min(self.len());
        self.full.sums.over(range, |part| self.sum_part(part))
    }

    /// Marks objects as proved gone: they are counted, found and visited no more. No index moves. It takes time for what
    /// goes, not for what stays beside it.
    pub fn forget(&mut self, indices: &[ObjectIndex]) {
        let went = self.newly_gone(indices);
        if went.is_empty() {
            return;
        }
        let gone = Arc::make_mut(&mut self.gone);
        went.iter().for_each(|index| {
            gone.insert(*index);
        });
        let mut full = std::mem::take(&mut self.full);
        let FullChunks { chunks, sums } = Arc::make_mut(&mut full);
        let alive = |block: u32| self.gone.gaps_in(block * BLOCK..(block + 1) * BLOCK);
        for (block, went) in sums.by_block(&went).collect::<Vec<_>>() {
            let chunk = &chunks[block as usize];
            let within = |index: u32| (index % BLOCK) as usize;
            let places = |part: Range<u32>| within(part.start)..within(part.start) + part.len();
            let mut lost = Totals::default();
            went.iter().for_each(|index| lost.add(&chunk.totals(places(*index..*index + 1))));
            let newest = |before| {
                if alive(block).any(|part| chunk.has_change_at(places(part), before)) { before } else { None }
            };
            let whole = || {
                let mut sum = Totals::default();
                alive(block).for_each(|part| sum.add(&chunk.totals(places(part))));
                sum
            };
            sums.take_out(block, &lost, newest, whole);
        }
        self.full = full;
    }

    /// Those of the objects that are here and not gone yet, increasing, each once.
    fn newly_gone(&self, indices: &[ObjectIndex]) -> Vec<ObjectIndex> {
        let here = |index: &ObjectIndex| *index < self.len() && !self.is_gone(*index);
        let mut went: Vec<ObjectIndex> = indices.iter().copied().filter(here).collect();
        went.sort_unstable();
        went.dedup();
        went
    }

    /// Whether the object is proved gone.
    pub fn is_gone(&self, index: ObjectIndex) -> bool {
        self.gone.contains(index)
    }

    /// The first object at or after `index` that is not gone.
    pub fn next_alive(&self, index: ObjectIndex) -> Option<ObjectIndex> {
        self.gone.first_absent_in(index..self.len())
    }

    /// The last object before `index` that is not gone.
    pub fn previous_alive(&self, index: ObjectIndex) -> Option<ObjectIndex> {
        self.gone.last_absent_in(0..index.min(self.len()))
    }

    /// Visits the objects of a range that are not gone, in key order, without an allocation for each.
    pub fn scan(&self, range: Range<ObjectIndex>, mut visit: impl FnMut(ObjectIndex, &[u8], &ObjectFields<'_>)) {
        let _ = self.try_scan::<()>(range, |index, key, fields| {
            visit(index, key, fields);
            ControlFlow::Continue(())
        });
    }

    /// As [`Inventory::scan`], until the visitor breaks.
    pub fn try_scan<B>(
        &self,
        range: Range<ObjectIndex>,
        mut visit: impl FnMut(ObjectIndex, &[u8], &ObjectFields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut buffer = Vec::new();
        for (chunk, base, part) in self.pieces(range) {
            chunk.walk(part, &mut buffer, |at, key| {
                let index = base + at as u32;
                if self.is_gone(index) {
                    return ControlFlow::Continue(());
                }
                visit(index, key, &chunk.fields(at))
            })?;
        }
        ControlFlow::Continue(())
    }

    /// The bytes that this list takes, keys and sums included.
    pub fn memory_bytes(&self) -> usize {
        let chunks: usize = self.full.chunks.iter().map(|chunk| chunk.memory_bytes() + size_of::<Arc<Chunk>>()).sum();
        size_of::<Self>()
            + chunks
            + self.tail.memory_bytes()
            + self.full.sums.memory_bytes()
            + self.gone.memory_bytes()
            + self.last_key.capacity()
    }

    /// The objects that are gone.
    pub fn gone(&self) -> &BitSet {
        &self.gone
    }

    fn chunk(&self, at: usize) -> &Chunk {
        self.full.chunks.get(at).unwrap_or(&self.tail)
    }

    fn place(&self, index: ObjectIndex) -> (&Chunk, usize) {
        (self.chunk((index / BLOCK) as usize), (index % BLOCK) as usize)
    }

    /// The chunks of a range: each with the index of its first object and the part of it that is in the range.
    fn pieces(&self, range: Range<ObjectIndex>) -> impl Iterator<Item = (&Chunk, ObjectIndex, Range<usize>)> {
        let Range { start, end } = range.start..range.end.min(self.len());
        let blocks = if start < end { start / BLOCK..end.div_ceil(BLOCK) } else { 0..0 };
        blocks.map(move |block| {
            let base = block * BLOCK;
            let part = (start.max(base) - base) as usize..((end - base).min(BLOCK)) as usize;
            (self.chunk(block as usize), base, part)
        })
    }

    /// The sizes of the objects of a block, gone or not, in order.
    pub(super) fn sizes_of_block(&self, block: u32) -> &[u64] {
        &self.chunk(block as usize).sizes
    }

    /// Bytes of a block that is full and of which nothing is gone; `None` of any other, and if the sum does not fit.
    pub(super) fn whole_block(&self, block: u32) -> Option<u64> {
        let totals = (block < self.full.sums.blocks()).then(|| self.full.sums.of(block))?;
        (totals.objects == u64::from(BLOCK) && totals.bytes < u64::MAX).then_some(totals.bytes)
    }

    /// The sizes of a range, gone or not, in order.
    pub(super) fn sizes(&self, range: Range<ObjectIndex>) -> impl Iterator<Item = u64> {
        self.pieces(range).flat_map(|(chunk, _, part)| chunk.sizes[part].iter().copied())
    }

    fn sum_part(&self, range: Range<ObjectIndex>) -> Totals {
        let mut sum = Totals::default();
        for alive in self.gone.gaps_in(range) {
            self.pieces(alive).for_each(|(chunk, _, part)| sum.add(&chunk.totals(part)));
        }
        sum
    }
}
