//! How many objects there are in a range, and how big.

use super::Timestamp;
use super::block_sums::{BlockSums, Sum};

/// Objects and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Objects.
    pub objects: u64,
    /// Bytes; a sum that does not fit stays at the largest number.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more object.
    pub fn count(&mut self, size: u64) {
        self.add(&Tally { objects: 1, bytes: size });
    }

    /// Takes out what was added before; `false` if the sum did not fit, so that what is left of it is not known.
    pub fn subtract(&mut self, other: &Tally) -> bool {
        let fitted = self.bytes < u64::MAX || other.bytes == 0;
        self.objects = self.objects.saturating_sub(other.objects);
        self.bytes = self.bytes.saturating_sub(other.bytes);
        fitted
    }
}

impl Sum for Tally {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What is known of a folder without looking into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Objects.
    pub objects: u64,
    /// Bytes; a sum that does not fit stays at the largest number.
    pub bytes: u64,
    /// The newest change of any of the objects; `None` if the store gave none.
    pub newest: Option<Timestamp>,
}

impl Totals {
    /// The totals of one object.
    pub fn of(size: u64, last_modified: Option<Timestamp>) -> Self {
        Self { objects: 1, bytes: size, newest: last_modified }
    }
}

impl Sum for Totals {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.newest = self.newest.max(other.newest);
    }
}

impl BlockSums<Totals> {
    /// Takes objects out of a block without a look at those that stay. `newest` is the newest change among these, and
    /// `whole` their totals: each is asked only if what went leaves it open.
    pub(super) fn take_out(
        &mut self,
        block: u32,
        went: &Totals,
        newest: impl FnOnce(Option<Timestamp>) -> Option<Timestamp>,
        whole: impl FnOnce() -> Totals,
    ) {
        let before = self.of(block).newest;
        // The newest is a maximum: it says nothing of what is left once it goes.
        if went.newest == before && newest(before) != before {
            self.set(block, whole());
            return;
        }
        let tally = Tally { objects: went.objects, bytes: went.bytes };
        let fitted = self.change(block, |sum| {
            let mut left = Tally { objects: sum.objects, bytes: sum.bytes };
            let fitted = left.subtract(&tally);
            (sum.objects, sum.bytes) = (left.objects, left.bytes);
            fitted
        });
        if !fitted {
            self.set(block, whole());
        }
    }
}
