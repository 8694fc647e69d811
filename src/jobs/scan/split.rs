//! Where to cut a stretch of a bucket of which only the beginning is known. A wrong guess costs a request and never a key.
//!
//! Keys that an app writes vary in some places and are alike in others: `users/61cf…` and `users/6227…` differ from the
//! eighth byte on. Halving the space of all strings would spend its requests on names that no app makes. So the bytes seen
//! at each place of the last page say which digits are used there, and the depth at which that page began to vary says
//! where its family of keys ends.

use std::cmp::Ordering;

/// Places of a key that are looked at.
const PLACES: usize = 160;
/// Digits of a cut behind what the two ends have in common.
const DIGITS: usize = 8;
/// Every so many keys of a page one is looked at.
const STRIDE: usize = 16;
/// Pages that may lie where nothing is known.
const UNKNOWN: f64 = 64.0;

/// A set of bytes.
#[derive(Clone, Copy, Default, Debug)]
struct Bytes([u64; 4]);

impl Bytes {
    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & 1 << (byte & 63) != 0
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|part| part.count_ones()).sum()
    }

    /// How many are smaller than this one.
    fn rank(&self, byte: u8) -> u32 {
        let part = usize::from(byte >> 6);
        let below: u32 = self.0[..part].iter().map(|part| part.count_ones()).sum();
        below + (self.0[part] & ((1 << (byte & 63)) - 1)).count_ones()
    }

    /// The one to which so many are smaller.
    fn nth(&self, rank: u32) -> Option<u8> {
        (0..=u8::MAX).filter(|byte| self.contains(*byte)).nth(rank as usize)
    }

    fn any(&self, bytes: impl IntoIterator<Item = u8>) -> bool {
        bytes.into_iter().any(|byte| self.contains(byte))
    }

    /// The set, and what probably belongs to it: who writes one digit writes all ten, who writes `a` to `f` beside digits
    /// writes hexadecimal.
    fn widened(&self) -> Self {
        let mut wide = *self;
        let digits = self.any(b'0'..=b'9');
        let mut fill = |class: std::ops::RangeInclusive<u8>| class.for_each(|byte| wide.insert(byte));
        if digits {
            fill(b'0'..=b'9');
        }
        for (hex, rest, all) in [(b'a'..=b'f', b'g'..=b'z', b'a'..=b'z'), (b'A'..=b'F', b'G'..=b'Z', b'A'..=b'Z')] {
            let seen = all.clone().filter(|&byte| self.contains(byte)).count();
            match (self.any(hex.clone()), self.any(rest)) {
                (true, false) if digits => fill(hex),
                (_, true) if seen > 1 || digits => fill(all),
                _ => {}
            }
        }
        wide
    }

    /// Printable ASCII that no store and no XML reader has a reason to write in another way.
    fn plain() -> Self {
        let mut plain = Self::default();
        for byte in (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').chain(*b"-./_~") {
            plain.insert(byte);
        }
        plain
    }
}

/// What is known of the keys that are still to come in a range.
#[derive(Clone, Default, Debug)]
pub(super) struct Outlook {
    /// The bytes seen at each place of the last page.
    places: Vec<Bytes>,
    /// How many bytes the last page's keys have in common, or fewer if keys further on are known to be of the same family.
    reach: usize,
    /// The family goes on at this depth: a cut there met it again.
    gallop: Option<usize>,
    /// The first key of the last page.
    page_first: Vec<u8>,
    /// A cut after which nothing was found that belongs to the range.
    nothing_after: Option<Vec<u8>>,
    /// Pages still to come, as far as can be told.
    pages: f64,
    /// Cuts in a row that met nothing.
    misses: u32,
}

impl Outlook {
    /// A page arrived, from key `first` to key `last`; `upper` is where the range ends, if that is known.
    pub(super) fn learn<'a>(&mut self, keys: impl ExactSizeIterator<Item = &'a [u8]>, upper: Option<&[u8]>) {
        self.places.clear();
        let count = keys.len();
        let (mut first, mut last): (&[u8], &[u8]) = (&[], &[]);
        for (at, key) in keys.enumerate() {
            if at == 0 {
                first = key;
            }
            last = key;
            if at % STRIDE != 0 && at + 1 != count {
                continue;
            }
            let depth = key.len().min(PLACES);
            if self.places.len() < depth {
                self.places.resize(depth, Bytes::default());
            }
            self.places.iter_mut().zip(key).for_each(|(place, byte)| place.insert(*byte));
        }
        let varies = common(first, last);
        self.reach = self.gallop.map_or(varies, |depth| depth.min(varies));
        self.page_first = first.to_vec();
        self.misses = 0;
        self.pages = self.pages_left(last, upper);
    }

    /// A cut at `after` met nothing that belongs to the range.
    pub(super) fn nothing_after(&mut self, after: &[u8], last: &[u8], upper: Option<&[u8]>) {
        self.nothing_after = Some(after.to_vec());
        self.misses += 1;
        self.pages = self.pages_left(last, upper);
    }

    /// No cut was found: none is looked for until another page has come.
    pub(super) fn give_up(&mut self) {
        self.pages = 0.0;
    }

    /// The range is cut: what this half expects now, and what the other one does.
    pub(super) fn halve(&mut self) -> Self {
        self.pages /= 2.0;
        Self { pages: self.pages, ..Self::default() }
    }

    /// The first page of a range that was cut off a family of keys: if it begins with the same bytes as `family`, keys vary at
    /// a lesser depth than any page shows.
    pub(super) fn follows(&mut self, family: &[u8], depth: usize, first: &[u8]) {
        if let Some(shorter) = depth.checked_sub(1)
            && common(family, first) >= shorter
        {
            self.gallop = Some(shorter);
        }
    }

    /// How many pages are still to come, as far as can be told; nothing is believed after many misses.
    pub(super) fn pages(&self) -> f64 {
        self.pages / f64::from(1 << self.misses.min(16))
    }

    fn end<'a>(&'a self, upper: Option<&'a [u8]>) -> Option<&'a [u8]> {
        match (self.nothing_after.as_deref(), upper) {
            (Some(seen), Some(upper)) => Some(seen.min(upper)),
            (seen, upper) => seen.or(upper),
        }
    }

    /// Where to cut what lies after `last`: the cut, and the depth of the family that it leaves (0 where it cuts through one).
    pub(super) fn cut(&self, last: &[u8], upper: Option<&[u8]>) -> Option<(Vec<u8>, usize)> {
        let end = self.end(upper);
        let shared = end.map(|end| common(last, end));
        if shared.map_or(0, |shared| shared + 1) < self.reach
            && let Some(found) = next_family(last, self.reach, end)
        {
            return Some(found);
        }
        let by = |widen: fn(&Bytes) -> Bytes| middle(last, end, |at| widen(self.place(at)));
        by(Bytes::widened).or_else(|| by(|_| Bytes::plain())).map(|cut| (cut, 0))
    }

    fn place(&self, at: usize) -> &Bytes {
        const NONE: &Bytes = &Bytes([0; 4]);
        self.places.get(at).unwrap_or(NONE)
    }

    fn pages_left(&self, last: &[u8], upper: Option<&[u8]>) -> f64 {
        let end = self.end(upper);
        let shared = end.map_or(0, |end| common(last, end));
        if end.map_or(0, |_| shared + 1) < self.reach {
            return UNKNOWN;
        }
        let from = shared.min(common(&self.page_first, last));
        let digits = |at: usize| self.place(at).widened();
        let at = |key: &[u8]| position(key, from, last, end, &digits);
        let (first, here, end) = (at(&self.page_first), at(last), end.map_or(1.0, at));
        if here > first { ((end - here) / (here - first)).clamp(0.0, 1e6) } else { UNKNOWN }
    }
}

/// How many bytes two keys have in common at their beginnings.
pub(super) fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// A name just after all keys that begin with the first `depth` bytes of `key`, or fewer if there is none at that depth.
fn next_family(key: &[u8], depth: usize, end: Option<&[u8]>) -> Option<(Vec<u8>, usize)> {
    (1..=depth.min(key.len())).rev().find_map(|depth| {
        let text = std::str::from_utf8(&key[..depth]).ok()?;
        let last = text.chars().next_back()?;
        let next = (u32::from(last) + 1..).take(64).filter_map(char::from_u32).find(|&c| is_plain(c))?;
        let mut name = text[..text.len() - last.len_utf8()].to_owned();
        name.push(next);
        let name = name.into_bytes();
        (name.as_slice() > key && end.is_none_or(|end| name.as_slice() < end)).then_some((name, depth))
    })
}

/// Whether a store will write the character back as it was sent, in whatever way it writes keys.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '%' | '&' | '+' | '<' | '>' | '"' | '\'' | '\u{7f}'..='\u{a0}')
}

/// The digits of a place, with those of the two ends so that both can be written.
fn alphabet(digits: Bytes, at: usize, last: &[u8], end: Option<&[u8]>) -> Bytes {
    let mut all = digits;
    [last.get(at), end.and_then(|end| end.get(at))].into_iter().flatten().for_each(|&byte| all.insert(byte));
    all
}

/// The place of a key among all that agree with `last` up to `from`, between 0 and 1.
fn position(key: &[u8], from: usize, last: &[u8], end: Option<&[u8]>, digits: &impl Fn(usize) -> Bytes) -> f64 {
    let (mut sum, mut weight) = (0.0, 1.0);
    for at in from..from + DIGITS {
        let Some(byte) = key.get(at) else { break };
        let alphabet = alphabet(digits(at), at, last, end);
        weight /= f64::from(alphabet.len() + 1);
        sum += weight * f64::from(1 + alphabet.rank(*byte));
    }
    sum
}

/// A name about in the middle between `last` and `end`, strictly between them, that any store takes; `None` if these
/// digits make none.
fn middle(last: &[u8], end: Option<&[u8]>, digits: impl Fn(usize) -> Bytes) -> Option<Vec<u8>> {
    let from = end.map_or(0, |end| common(last, end));
    let low = position(last, from, last, end, &digits);
    let high = end.map_or(1.0, |end| position(end, from, last, end.into(), &digits));
    let mut rest = (low + high) / 2.0;
    let mut name = last[..from].to_vec();
    for at in from..from + DIGITS {
        let alphabet = alphabet(digits(at), at, last, end);
        rest *= f64::from(alphabet.len() + 1);
        let digit = (rest.floor().max(0.0) as u32).min(alphabet.len());
        rest -= f64::from(digit);
        let Some(byte) = digit.checked_sub(1).and_then(|digit| alphabet.nth(digit)) else { break };
        name.push(byte);
        let safe = whole_text(&name);
        if is_between(safe, last, end) {
            return Some(safe.to_vec());
        }
    }
    None
}

/// The longest beginning that is UTF-8: a request cannot carry anything else.
fn whole_text(name: &[u8]) -> &[u8] {
    match std::str::from_utf8(name) {
        Ok(_) => name,
        Err(error) => &name[..error.valid_up_to()],
    }
}

fn is_between(name: &[u8], last: &[u8], end: Option<&[u8]>) -> bool {
    name.cmp(last) == Ordering::Greater
        && end.is_none_or(|end| name < end)
        && std::str::from_utf8(name).is_ok_and(|text| text.chars().all(|c| !c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(page: &[&str], upper: Option<&str>) -> Outlook {
        let mut outlook = Outlook::default();
        outlook.learn(page.iter().map(|key| key.as_bytes()), upper.map(str::as_bytes));
        outlook
    }

    /// Where a range is cut after one page of keys.
    fn check(page: &[&str], upper: Option<&str>, expected: Option<&str>) {
        let last = page[page.len() - 1].as_bytes();
        let cut = outlook(page, upper).cut(last, upper.map(str::as_bytes));
        let cut = cut.map(|(cut, _)| String::from_utf8(cut).expect("text"));
        assert_eq!(cut.as_deref(), expected, "{page:?} {upper:?}");
    }

    #[test]
    fn a_family_of_keys_is_left_first_and_then_cut_in_the_middle() {
        check(&["proj_proj_61cf", "proj_proj_6227"], None, Some("proj_proj_7"));
        check(&["proj_proj_61cf", "proj_proj_6227"], Some("proj_proj_7"), Some("proj_proj_66"));
        check(&["users/61a", "users/6f3"], Some("users/7"), Some("users/6f9"));
        check(&["img_00000", "img_00999"], None, Some("img_01"));
        check(&["a", "m"], None, Some("t"));
        check(&["caf\u{e9}/1", "caf\u{e9}/2"], None, Some("caf\u{e9}0"));
        check(&["\u{1f3ac}1", "\u{1f3ac}2"], Some("\u{1f3ad}"), Some("\u{1f3ac}5"));
    }

    #[test]
    fn a_cut_lies_strictly_between_the_ends_or_there_is_none() {
        check(&["a", "b"], Some("b"), None);
        check(&["a", "b"], Some("b\0"), None);
        check(&["a0", "a1"], Some("a2"), Some("a1T"));
    }

    #[test]
    fn pages_to_come_are_told_from_how_far_one_page_went() {
        let pages = |page: &[&str], upper| outlook(page, upper).pages();
        assert!(
            (7.0..9.0).contains(&pages(&["x/00", "x/10"], Some("x/90"))),
            "{}",
            pages(&["x/00", "x/10"], Some("x/90"))
        );
        assert!(pages(&["x/00", "x/10"], Some("x/11")) < 1.0);
        assert_eq!(pages(&["proj_1", "proj_2"], None), UNKNOWN);
    }
}
