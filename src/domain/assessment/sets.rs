//! Which objects have a verdict or a flag, as sets: what is done to all of a kind takes one step for 64 objects.

use crate::domain::bits::BitSet;
use crate::domain::block_sums::BLOCK;
use crate::domain::inventory::ObjectIndex;
use crate::domain::verdict::{Flag, Flags, Verdict};

/// A set of objects, and what those of each block weigh together.
#[derive(Clone, Default, Debug)]
pub struct Weighed {
    objects: BitSet,
    /// By block; the largest number stands for a sum that does not fit.
    bytes: Vec<u64>,
}

impl Weighed {
    /// The objects.
    pub fn objects(&self) -> &BitSet {
        &self.objects
    }

    /// Bytes of its objects in a block; `None` if nothing is known of that block, or the sum does not fit.
    pub fn bytes_in(&self, block: u32) -> Option<u64> {
        self.bytes.get(block as usize).copied().filter(|bytes| *bytes < u64::MAX)
    }

    /// Puts an object in.
    pub fn insert(&mut self, index: ObjectIndex, size: u64) {
        let block = (index / BLOCK) as usize;
        if block >= self.bytes.len() {
            self.bytes.resize(block + 1, 0);
        }
        if self.objects.insert(index) {
            self.bytes[block] = self.bytes[block].saturating_add(size);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.objects.memory_bytes() + self.bytes.capacity() * 8
    }
}

/// The objects of each verdict and flag as they were judged; those that went since are still in their sets.
#[derive(Clone, Default, Debug)]
pub(super) struct Sets {
    pub(super) verdicts: [BitSet; Verdict::ALL.len()],
    pub(super) flags: [BitSet; Flag::ALL.len()],
    pub(super) bulk: Weighed,
}

impl Sets {
    pub(super) fn insert(&mut self, index: ObjectIndex, verdict: Verdict, flags: Flags, size: u64) {
        self.verdicts[verdict as usize].insert(index);
        flags.iter().for_each(|flag| {
            self.flags[flag as usize].insert(index);
        });
        if verdict.is_bulk_selectable() && !Flag::KEPT_FROM_BULK.into_iter().any(|flag| flags.has(flag)) {
            self.bulk.insert(index, size);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let sets = self.verdicts.iter().chain(&self.flags);
        sets.map(BitSet::memory_bytes).sum::<usize>() + self.bulk.memory_bytes()
    }
}
