//! What is written at the places of keys: places of hexadecimal digits, of decimal ones, of letters, of signs.

use std::ops::RangeInclusive;

/// Places of a key that are looked at.
const PLACES: usize = 160;
/// Every so many keys of a page one is looked at.
const STRIDE: usize = 16;
/// Places around one that show what kind of name it is in.
const AROUND: usize = 12;

const DIGITS: RangeInclusive<u8> = b'0'..=b'9';
const LOWER: RangeInclusive<u8> = b'a'..=b'z';
const UPPER: RangeInclusive<u8> = b'A'..=b'Z';

const LOWER_LETTERS: Bytes = Bytes::of(b"abcdefghijklmnopqrstuvwxyz");
const UPPER_LETTERS: Bytes = Bytes::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ");
const ALPHANUMERIC: Bytes = Bytes::of(b"0123456789").with(&LOWER_LETTERS).with(&UPPER_LETTERS);
const LOWER_HEXADECIMAL: Bytes = Bytes::of(b"0123456789abcdef");
const UPPER_HEXADECIMAL: Bytes = Bytes::of(b"0123456789ABCDEF");

/// A set of bytes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    /// Printable ASCII that no store and no XML reader has a reason to write in another way.
    pub(super) const PLAIN: Self = Self::of(b"-./_~").with(&ALPHANUMERIC);

    const fn of(bytes: &[u8]) -> Self {
        let (mut set, mut at) = (Self([0; 4]), 0);
        while at < bytes.len() {
            set.insert(bytes[at]);
            at += 1;
        }
        set
    }

    /// The letters of an alphabet, if this is one of them.
    pub(super) fn letters(letter: u8) -> Option<Self> {
        [LOWER_LETTERS, UPPER_LETTERS].into_iter().find(|letters| letters.contains(letter))
    }

    pub(super) const fn insert(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & 1 << (byte & 63) != 0
    }

    const fn with(self, other: &Self) -> Self {
        let (one, other) = (self.0, other.0);
        Self([one[0] | other[0], one[1] | other[1], one[2] | other[2], one[3] | other[3]])
    }

    pub(super) fn len(&self) -> u32 {
        self.0.iter().map(|part| part.count_ones()).sum()
    }

    /// How many are smaller than this one.
    pub(super) fn rank(&self, byte: u8) -> u32 {
        let part = usize::from(byte >> 6);
        let below: u32 = self.0[..part].iter().map(|part| part.count_ones()).sum();
        below + (self.0[part] & ((1 << (byte & 63)) - 1)).count_ones()
    }

    /// The one to which so many are smaller.
    pub(super) fn nth(&self, rank: u32) -> Option<u8> {
        (0..=u8::MAX).filter(|byte| self.contains(*byte)).nth(rank as usize)
    }

    fn any(&self, bytes: impl IntoIterator<Item = u8>) -> bool {
        bytes.into_iter().any(|byte| self.contains(byte))
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(own, other)| own & !other == 0)
    }

    /// Digits and letters, all of them hexadecimal and in one case.
    fn is_hexadecimal(&self) -> bool {
        let lower = self.any(b'a'..=b'f') && self.is_within(&LOWER_HEXADECIMAL);
        let upper = self.any(b'A'..=b'F') && self.is_within(&UPPER_HEXADECIMAL);
        self.any(DIGITS) && (lower || upper)
    }

    /// The set, and what probably belongs to it: who writes one digit writes all ten, who writes `a` to `f` beside digits
    /// writes hexadecimal.
    fn widened(&self) -> Self {
        let mut wide = *self;
        let digits = self.any(DIGITS);
        let mut fill = |class: RangeInclusive<u8>| class.for_each(|byte| wide.insert(byte));
        if digits {
            fill(DIGITS);
        }
        for (hex, rest, all) in [(b'a'..=b'f', b'g'..=b'z', LOWER), (b'A'..=b'F', b'G'..=b'Z', UPPER)] {
            let seen = all.clone().filter(|&byte| self.contains(byte)).count();
            match (self.any(hex.clone()), self.any(rest)) {
                (true, false) if digits => fill(hex),
                (_, true) if seen > 1 || digits => fill(all),
                _ => {}
            }
        }
        wide
    }
}

/// The bytes seen at each place of the keys of a page.
#[derive(Clone, Default, Debug)]
pub(super) struct Places(Vec<Bytes>);

impl Places {
    /// Looks at some of the keys of a page.
    pub(super) fn learn<'a>(&mut self, keys: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.0.clear();
        let count = keys.len();
        for (_, key) in keys.enumerate().filter(|(at, _)| at % STRIDE == 0 || at + 1 == count) {
            let depth = key.len().min(PLACES);
            if self.0.len() < depth {
                self.0.resize(depth, Bytes::default());
            }
            self.0.iter_mut().zip(key).for_each(|(place, byte)| place.insert(*byte));
        }
    }

    /// What is probably written at a place: what was seen there, and its kind. A name of hexadecimal digits is one even
    /// where a page shows only a single digit.
    pub(super) fn digits(&self, at: usize) -> Bytes {
        let place = self.0.get(at).copied().unwrap_or_default();
        let is_name = |place: &&Bytes| place.len() > 0 && place.is_within(&ALPHANUMERIC);
        if !is_name(&&place) {
            return place.widened();
        }
        let before = self.0[..at].iter().rev().take(AROUND).take_while(is_name);
        let behind = self.0[at + 1..].iter().take(AROUND).take_while(is_name);
        let name = before.chain(behind).fold(place, |all, place| all.with(place));
        if name.is_hexadecimal() { name.widened() } else { place.widened() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is thought to be written at a place of keys like these.
    fn check(keys: &[&str], at: usize, expected: &str) {
        let mut places = Places::default();
        // Every key but the last stands where one is looked at.
        let page: Vec<&[u8]> = keys.iter().flat_map(|key| [key.as_bytes(); STRIDE]).collect();
        places.learn(page.into_iter());
        let digits = places.digits(at);
        let found: Vec<u8> = (0..digits.len()).filter_map(|rank| digits.nth(rank)).collect();
        assert_eq!(String::from_utf8_lossy(&found), expected, "place {at} of {keys:?}");
    }

    #[test]
    fn a_place_is_of_the_kind_of_the_name_around_it() {
        check(&["img_0001", "img_0002"], 4, "0123456789");
        check(&["proj_61cf", "proj_61d0"], 5, "0123456789abcdef");
        check(&["proj_61cf", "proj_61d0"], 0, "p");
        check(&["A1/x", "BF/x"], 0, "0123456789ABCDEF");
        check(&["audio/1", "video/1"], 0, "abcdefghijklmnopqrstuvwxyz");
        check(&["a/1", "b/1"], 1, "/");
        check(&["a"], 7, "");
    }
}
