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

    /// All positions of a range.
    pub fn of_range(range: Range<u32>) -> Self {
        if range.is_empty() {
            return Self::default();
        }
        let mut words = vec![u64::MAX; range.end.div_ceil(64) as usize];
        words[..(range.start / 64) as usize].fill(0);
        words[(range.start / 64) as usize] &= u64::MAX << (range.start % 64);
        if !range.end.is_multiple_of(64) {
            words[(range.end / 64) as usize] &= (1 << (range.end % 64)) - 1;
        }
        Self { words, count: u64::from(range.end - range.start) }
    }

    /// The positions of a range that are in the set whose words `word` gives.
    pub fn of_words(range: Range<u32>, word: impl Fn(u32) -> u64) -> Self {
        let mut set = Self { words: vec![0; range.end.div_ceil(64) as usize], count: 0 };
        masked(range, word).for_each(|(at, word)| set.words[at as usize] = word);
        set.recount();
        set
    }

    /// The positions of a list that increases; where it has no gaps it costs next to nothing.
    pub fn of_increasing(positions: &[u32]) -> Self {
        let mut words = vec![0; positions.last().map_or(0, |last| *last as usize / 64 + 1)];
        words_of(positions).for_each(|(at, word)| words[at as usize] |= word);
        Self { words, count: positions.len() as u64 }
    }

    /// Keeps only what is in the other set too.
    pub fn keep(&mut self, other: &BitSet) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self.recount();
    }

    /// Takes everything out that is in the other set.
    pub fn take_out(&mut self, other: &BitSet) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
        self.recount();
    }

    /// Puts everything in that is in the other set.
    pub fn put_in(&mut self, other: &BitSet) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self.recount();
    }

    fn recount(&mut self) {
        self.count = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
    }

    /// How many positions of the range are in the set.
    pub fn count_in(&self, range: Range<u32>) -> u64 {
        self.masked_words(range).map(|(_, word)| u64::from(word.count_ones())).sum()
    }

    /// How many positions are in both sets.
    pub fn count_shared(&self, other: &BitSet) -> u64 {
        self.words.iter().zip(&other.words).map(|(one, other)| u64::from((one & other).count_ones())).sum()
    }

    /// The positions in the set, in increasing order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).flat_map(|(at, &word)| bits_of(word).map(move |bit| at * 64 + bit))
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

    /// The first position of the range that is in the set.
    pub fn first_present_in(&self, range: Range<u32>) -> Option<u32> {
        first_in(range.start..range.end.min(self.end()), |at| self.word(at))
    }

    /// The last position of the range that is in the set.
    pub fn last_present_in(&self, range: Range<u32>) -> Option<u32> {
        last_in(range.start..range.end.min(self.end()), |at| self.word(at))
    }

    /// One more than the greatest position that there is room for.
    fn end(&self) -> u32 {
        u32::try_from(self.words.len() * 64).unwrap_or(u32::MAX)
    }

    /// The 64 positions from `64 * at` on, as bits; what lies beyond the end is not in the set.
    pub fn word(&self, at: u32) -> u64 {
        self.words.get(at as usize).copied().unwrap_or(0)
    }

    fn masked_words(&self, range: Range<u32>) -> impl Iterator<Item = (u32, u64)> + '_ {
        masked(range.start..range.end.min(self.end()), |at| self.word(at))
    }
}

/// The numbers of the bits that are set in a word, in increasing order.
pub fn bits_of(word: u64) -> impl Iterator<Item = u32> {
    let rest = std::iter::successors(Some(word), |left| Some(left & left.wrapping_sub(1)));
    rest.take_while(|left| *left != 0).map(u64::trailing_zeros)
}

/// The first position of a range that is in the set whose words `word` gives.
pub fn first_in(range: Range<u32>, word: impl Fn(u32) -> u64) -> Option<u32> {
    let mut masked = masked(range, word);
    masked.find(|(_, word)| *word != 0).map(|(at, word)| at * 64 + word.trailing_zeros())
}

/// The last position of a range that is in the set whose words `word` gives.
pub fn last_in(range: Range<u32>, word: impl Fn(u32) -> u64) -> Option<u32> {
    let mut masked = masked(range, word).rev();
    masked.find(|(_, word)| *word != 0).map(|(at, word)| at * 64 + 63 - word.leading_zeros())
}

/// The words of a set that `word` gives, without what lies outside of a range, each with its number.
pub fn masked(range: Range<u32>, word: impl Fn(u32) -> u64) -> impl DoubleEndedIterator<Item = (u32, u64)> {
    let Range { start, end } = range;
    let words = if start < end { start / 64..end.div_ceil(64) } else { 0..0 };
    words.map(move |at| {
        let mut word = word(at);
        if at == start / 64 {
            word &= u64::MAX << (start % 64);
        }
        if at == end / 64 {
            word &= (1 << (end % 64)) - 1;
        }
        (at, word)
    })
}

/// The words that a list of increasing positions fills, in order; a word may come in several parts.
pub fn words_of(positions: &[u32]) -> impl Iterator<Item = (u32, u64)> + '_ {
    let mut rest = positions;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let at = first / 64;
        // A word that is full needs no look at each of its positions.
        if first.is_multiple_of(64) && rest.get(63) == Some(&(first + 63)) {
            rest = &rest[64..];
            return Some((at, u64::MAX));
        }
        let mut word = 0;
        let mut read = 0;
        while let Some(position) = rest.get(read).filter(|position| **position / 64 == at) {
            word |= 1 << (position % 64);
            read += 1;
        }
        rest = &rest[read..];
        Some((at, word))
    })
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
            let both = oracle.iter().filter(|at| **at % 2 == 0 && **at < 300).count();
            prop_assert_eq!(bits.count_shared(&even), both as u64);
            let inside = oracle.range(range.clone()).copied().collect::<Vec<_>>();
            prop_assert_eq!(positions(&BitSet::of_words(range.clone(), |at| bits.word(at))), (inside.len() as u64, inside));
            prop_assert_eq!(bits.first_absent_in(range.clone()), range.clone().find(|at| !oracle.contains(at)));
            let gaps: Vec<_> = bits.gaps_in(range.clone()).collect();
            prop_assert!(gaps.windows(2).all(|pair| pair[0].end < pair[1].start));
            let absent: Vec<u32> = range.clone().filter(|at| !oracle.contains(at)).collect();
            prop_assert_eq!(gaps.into_iter().flatten().collect::<Vec<_>>(), absent);
            prop_assert_eq!(bits.last_absent_in(range.clone()), range.clone().rev().find(|at| !oracle.contains(at)));
            prop_assert_eq!(bits.first_present_in(range.clone()), oracle.range(range.clone()).next().copied());
            prop_assert_eq!(bits.last_present_in(range.clone()), oracle.range(range.clone()).next_back().copied());
        }
    }

    /// Sets are the same whatever room they have.
    fn positions(bits: &BitSet) -> (u64, Vec<u32>) {
        (bits.count(), bits.iter().collect())
    }

    fn oracle(numbers: impl IntoIterator<Item = u32>) -> (u64, Vec<u32>) {
        let numbers: BTreeSet<u32> = numbers.into_iter().collect();
        (numbers.len() as u64, numbers.into_iter().collect())
    }

    proptest! {
        #[test]
        fn sets_are_put_together_as_sets_of_numbers_are(
            ones in prop::collection::btree_set(0u32..400, 0..300),
            others in prop::collection::btree_set(0u32..600, 0..300),
            (start, length) in (0u32..450, 0u32..450),
        ) {
            let (one, other): (BitSet, BitSet) = (ones.iter().copied().collect(), others.iter().copied().collect());
            let with = |change: fn(&mut BitSet, &BitSet)| {
                let mut set = one.clone();
                change(&mut set, &other);
                positions(&set)
            };
            prop_assert_eq!(with(BitSet::keep), oracle(ones.intersection(&others).copied()));
            prop_assert_eq!(with(BitSet::take_out), oracle(ones.difference(&others).copied()));
            prop_assert_eq!(with(BitSet::put_in), oracle(ones.union(&others).copied()));
            let listed: Vec<u32> = ones.iter().copied().collect();
            prop_assert_eq!(positions(&BitSet::of_increasing(&listed)), oracle(ones));
            let range = start..start + length;
            prop_assert_eq!(positions(&BitSet::of_range(range.clone())), oracle(range.clone()));
            prop_assert_eq!(positions(&BitSet::of_increasing(&range.clone().collect::<Vec<_>>())), oracle(range));
        }
    }
}
