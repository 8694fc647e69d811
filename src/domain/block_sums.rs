//! Sums over ranges of a growing list: one sum per block of [`BLOCK`] items, and sums of those sums above them, so that
//! any range costs O(log n) and at most two partial blocks.

use std::mem::size_of;
use std::ops::Range;

/// Items in a block. Objects, verdicts and filters share it, so that their blocks line up.
pub const BLOCK: u32 = 1024;

const FAN_OUT: usize = 16;

/// What can be summed up. `add` is associative and commutative and `default` is its zero; it need not be reversible,
/// so a maximum is a sum too.
pub trait Sum: Clone + Default {
    /// Adds the other sum to this one.
    fn add(&mut self, other: &Self);
}

/// Sums of blocks, in levels: level 0 has one sum for each block, each higher level one for sixteen of the level below.
#[derive(Clone, Debug)]
pub struct BlockSums<T> {
    levels: Vec<Vec<T>>,
}

impl<T> Default for BlockSums<T> {
    fn default() -> Self {
        Self { levels: vec![Vec::new()] }
    }
}

impl<T: Sum> BlockSums<T> {
    /// Blocks summed so far.
    pub fn blocks(&self) -> u32 {
        self.levels[0].len() as u32
    }

    /// Appends the sum of the next block.
    pub fn push(&mut self, sum: T) {
        self.levels[0].push(sum);
        self.refresh_above(self.levels[0].len() - 1);
    }

    /// Replaces the sum of a block that is there.
    pub fn set(&mut self, block: u32, sum: T) {
        self.levels[0][block as usize] = sum;
        self.refresh_above(block as usize);
    }

    /// The sum of a block that is there.
    pub fn of(&self, block: u32) -> &T {
        &self.levels[0][block as usize]
    }

    /// Changes the sum of a block that is there, and every sum that it is a part of, in the same way. `false` if `change`
    /// said so of any: then the sum of the block has to be [`BlockSums::set`] anew.
    pub fn change(&mut self, block: u32, change: impl Fn(&mut T) -> bool) -> bool {
        let mut at = block as usize;
        let mut sound = true;
        for level in &mut self.levels {
            sound &= change(&mut level[at]);
            at /= FAN_OUT;
        }
        sound
    }

    /// The sum over a range of items. `part` sums up items that fill no block of their own, or whose block is not here yet.
    pub fn over(&self, items: Range<u32>, part: impl Fn(Range<u32>) -> T) -> T {
        if items.is_empty() {
            return T::default();
        }
        let first = items.start.div_ceil(BLOCK);
        let end = (items.end / BLOCK).min(self.blocks());
        if first >= end {
            return part(items);
        }
        let mut sum = part(items.start..first * BLOCK);
        self.add_blocks(first as usize..end as usize, &mut sum);
        sum.add(&part(end * BLOCK..items.end));
        sum
    }

    /// Increasing items by the block that they lie in, as far as that has a sum here.
    pub fn by_block<'i>(&self, items: &'i [u32]) -> impl Iterator<Item = (u32, &'i [u32])> + use<'i, T> {
        let blocks = self.blocks();
        let parts = items.chunk_by(|one, other| one / BLOCK == other / BLOCK);
        parts.map(|part| (part[0] / BLOCK, part)).take_while(move |(block, _)| *block < blocks)
    }

    /// Bytes held on the heap.
    pub fn memory_bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<T>()).sum()
    }

    fn add_blocks(&self, blocks: Range<usize>, sum: &mut T) {
        let Range { mut start, mut end } = blocks;
        for level in &self.levels {
            while start < end && start % FAN_OUT != 0 {
                sum.add(&level[start]);
                start += 1;
            }
            while start < end && end % FAN_OUT != 0 {
                end -= 1;
                sum.add(&level[end]);
            }
            start /= FAN_OUT;
            end /= FAN_OUT;
        }
    }

    fn refresh_above(&mut self, block: usize) {
        let mut at = block;
        let mut level = 0;
        while self.levels[level].len() > 1 {
            at /= FAN_OUT;
            let mut sum = T::default();
            self.levels[level].iter().skip(at * FAN_OUT).take(FAN_OUT).for_each(|part| sum.add(part));
            level += 1;
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            match self.levels[level].get_mut(at) {
                Some(slot) => *slot = sum,
                None => self.levels[level].push(sum),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default, PartialEq, Debug)]
    struct Both {
        total: u64,
        most: u64,
    }

    impl Sum for Both {
        fn add(&mut self, other: &Self) {
            self.total += other.total;
            self.most = self.most.max(other.most);
        }
    }

    fn value(item: u32) -> u64 {
        u64::from(item.wrapping_mul(2_654_435_761) >> 12)
    }

    fn naive(items: Range<u32>) -> Both {
        let mut sum = Both::default();
        items.for_each(|item| sum.add(&Both { total: value(item), most: value(item) }));
        sum
    }

    #[test]
    fn every_range_sums_to_what_its_items_do() {
        let items = 300 * BLOCK + 77;
        let mut sums = BlockSums::default();
        for block in 0..300 {
            assert_eq!(sums.over(0..block * BLOCK, naive), naive(0..block * BLOCK));
            sums.push(naive(block * BLOCK..(block + 1) * BLOCK));
        }
        let edges = [0, 1, 1023, 1024, 1025, 16 * BLOCK, 17 * BLOCK + 3, 256 * BLOCK, 299 * BLOCK, 300 * BLOCK, items];
        for &start in &edges {
            for &end in edges.iter().filter(|end| **end >= start) {
                assert_eq!(sums.over(start..end, naive), naive(start..end), "{start}..{end}");
            }
        }
    }

    #[test]
    fn a_replaced_block_counts_as_it_is_now() {
        let mut sums = BlockSums::default();
        (0..40).for_each(|_| sums.push(Both { total: 1, most: 9 }));
        (0..40).for_each(|block| sums.set(block, Both { total: 2, most: 3 }));
        assert_eq!(sums.over(0..40 * BLOCK, |_| Both::default()), Both { total: 80, most: 3 });
        let less = |sum: &mut Both| {
            sum.total -= 1;
            true
        };
        assert!((0..20).all(|block| sums.change(block, less)));
        assert_eq!((sums.of(19).total, sums.of(20).total), (1, 2));
        assert_eq!(sums.over(0..40 * BLOCK, |_| Both::default()).total, 60);
        assert!(!sums.change(39, |sum| sum.total < 60), "one sum above it cannot be changed");
    }
}
