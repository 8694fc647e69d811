//! How many objects there are in a range, and how big.

use super::Timestamp;
use super::block_sums::Sum;

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

    /// Counts one object less.
    pub fn discount(&mut self, size: u64) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
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
