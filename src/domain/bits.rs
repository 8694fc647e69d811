//! A growable set of positions, one bit each.

use std::ops::Range;

/// A set of `u32` positions. It grows when something is inserted; what lies beyond its end is not in it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct BitSet {
    words: Vec<u64>,
    count: u64,
}

impl BitSet {
    /// How many positions are in the set.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the position is in the set.
    pub fn contains(&self, at: u32) -> bool {
        self.word(at / 64) >> (at % 64) & 1 == 1
    }

    /// Puts the position in the set; `false` if it was there already.
    pub fn insert(&mut self, at: u32) -> bool {
        let word = (at / 64) as usize;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let added = self.words[word] >> (at % 64) & 1 == 0;
        self.words[word] |= 1 << (at % 64);
        self.count += u64::from(added);
        added
    }

    /// Takes the position out of the set; `false` if it was not there.
    pub fn remove(&mut self, at: u32) -> bool {
        let found = self.contains(at);
        if found {
            self.words[(at / 64) as usize] &= !(1 << (at % 64));
            self.count -= 1;
        }
        found
    }

    /// How many positions of the range are in the set.
    pub fn count_in(&self, range: Range<u32>) -> u64 {
        self.masked_words(range).map(|(_, word)| u64::from(word.count_ones())).sum()
    }

    /// How many positions of the range are in both sets.
    pub fn count_shared_in(&self, other: &BitSet, range: Range<u32>) -> u64 {
        self.masked_words(range).map(|(at, word)| u64::from((word & other.word(at)).count_ones())).sum()
    }

    /// The positions in the set, in increasing order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).flat_map(|(at, &word)| {
            let rest = std::iter::successors(Some(word), |left| Some(left & left.wrapping_sub(1)));
            rest.take_while(|left| *left != 0).map(move |left| at * 64 + left.trailing_zeros())
        })
    }

    /// The first position of the range that is not in the set.
    pub fn first_absent_in(&self, range: Range<u32>) -> Option<u32> {
        let mut at = range.start;
        while at < range.end {
            let absent = !self.word(at / 64) >> (at % 64);
            if absent != 0 {
                return Some(at + absent.trailing_zeros()).filter(|found| *found < range.end);
            }
            at = (at / 64).checked_add(1)?.checked_mul(64)?;
        }
        None
    }

    /// The parts of the range that are not in the set, each as long as it can be, in increasing order.
    pub fn gaps_in(&self, range: Range<u32>) -> impl Iterator<Item = Range<u32>> + '_ {
        let mut from = range.start;
        std::iter::from_fn(move || {
            let start = self.first_absent_in(from..range.end)?;
            from = self.first_present_in(start..range.end).unwrap_or(range.end);
            Some(start..from)
        })
    }

    /// The last position of the range that is not in the set.
    pub fn last_absent_in(&self, range: Range<u32>) -> Option<u32> {
        let mut end = range.end;
        while end > range.start {
            let last = end - 1;
            let absent = !self.word(last / 64) << (63 - last % 64);
            if absent != 0 {
                return Some(last - absent.leading_zeros()).filter(|found| *found >= range.start);
            }
            end = last / 64 * 64;
        }
        None
    }

    /// Bytes held on the heap.
    pub fn memory_bytes(&self) -> usize {
        self.words.capacity() * 8
    }

    fn first_present_in(&self, range: Range<u32>) -> Option<u32> {
        self.masked_words(range).find(|(_, word)| *word != 0).map(|(at, word)| at * 64 + word.trailing_zeros())
    }

    fn word(&self, at: u32) -> u64 {
        self.words.get(at as usize).copied().unwrap_or(0)
    }

    fn masked_words(&self, range: Range<u32>) -> impl Iterator<Item = (u32, u64)> + '_ {
        let Range { start, end } = range;
        let words = if start < end { start / 64..(end.div_ceil(64)).min(self.words.len() as u32) } else { 0..0 };
        words.map(move |at| {
            let mut word = self.word(at);
            if at == start / 64 {
                word &= u64::MAX << (start % 64);
            }
            if at == end / 64 {
                word &= (1 << (end % 64)) - 1;
            }
            (at, word)
        })
    }
}

impl FromIterator<u32> for BitSet {
    fn from_iter<I: IntoIterator<Item = u32>>(positions: I) -> Self {
        let mut set = BitSet::default();
        positions.into_iter().for_each(|at| {
            set.insert(at);
        });
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_answers_as_a_set_of_numbers_does(
            added in prop::collection::vec(0u32..400, 0..300),
            removed in prop::collection::vec(0u32..500, 0..60),
            start in 0u32..450,
            length in 0u32..450,
        ) {
            let mut bits: BitSet = added.iter().copied().collect();
            let mut oracle: BTreeSet<u32> = added.iter().copied().collect();
            for at in removed {
                prop_assert_eq!(bits.remove(at), oracle.remove(&at));
            }
            let range = start..start + length;
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), oracle.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.count(), oracle.len() as u64);
            prop_assert_eq!(bits.count_in(range.clone()), oracle.range(range.clone()).count() as u64);
            let even: BitSet = (0..300).step_by(2).collect();
            let both = oracle.range(range.clone()).filter(|at| **at % 2 == 0 && **at < 300).count();
            prop_assert_eq!(bits.count_shared_in(&even, range.clone()), both as u64);
            prop_assert_eq!(bits.first_absent_in(range.clone()), range.clone().find(|at| !oracle.contains(at)));
            let gaps: Vec<_> = bits.gaps_in(range.clone()).collect();
            prop_assert!(gaps.windows(2).all(|pair| pair[0].end < pair[1].start));
            let absent: Vec<u32> = range.clone().filter(|at| !oracle.contains(at)).collect();
            prop_assert_eq!(gaps.into_iter().flatten().collect::<Vec<_>>(), absent);
            prop_assert_eq!(bits.last_absent_in(range.clone()), range.clone().rev().find(|at| !oracle.contains(at)));
        }
    }
}
