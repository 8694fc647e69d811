//! Where to cut a stretch of a bucket of which only the beginning is known. A wrong guess costs a request and never a key.
//!
//! Keys that an app writes vary in some places and are alike in others: `users/61cf…` and `users/6227…` differ from the
//! eighth byte on. Halving the space of all strings would spend its requests on names that no app makes. So what is written
//! at the places of the last page says how a name between two others is spelled, and how many pages come before it. Where
//! the keys end that are like that page, and what comes then, one round trip tells: a ladder of guesses asks at many
//! distances at once. Folders whose names the store told are better than guesses.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::folders::Folders;
use super::places::{Bytes, Places};

/// Digits of a cut behind what the two ends have in common.
const DIGITS: usize = 8;
/// Pages that may lie where nothing is known.
const UNKNOWN: f64 = 64.0;
/// How far the neighbours are that are asked for, at the digit that changes fastest and at the next ones.
const STEPS: [&[u32]; 4] = [&[2, 6], &[1, 2, 4, 8], &[1, 4], &[1]];
/// The same at all others.
const FAR: &[u32] = &[1];
/// Guesses of one ladder, and cuts in a row that may meet nothing before less is expected.
const RUNGS: usize = 16;
/// Places at which the keys of a page may be alike and still vary, if they are digits.
const ALIKE: usize = 2;

/// What is known of the keys that are still to come in a range.
#[derive(Clone, Default, Debug)]
pub(super) struct Outlook {
    places: Places,
    /// How many bytes the keys of the last half page have in common.
    reach: usize,
    /// The key in the middle of the last page.
    middle: Vec<u8>,
    /// The last key of it.
    last: Vec<u8>,
    /// What no key to come reaches, as far as that is known.
    end: Option<Vec<u8>>,
    /// Guesses that are still to be made, the nearest first.
    ladder: Vec<Vec<u8>>,
    /// A cut after which nothing was found that belongs to the range.
    nothing_after: Option<Vec<u8>>,
    /// Pages still to come, as far as can be told.
    pages: f64,
    /// Cuts in a row that met nothing.
    misses: usize,
}

impl Outlook {
    /// What is expected of a stretch of about so many pages.
    pub(super) fn of(pages: f64) -> Self {
        Self { pages, ..Self::default() }
    }

    /// A page arrived, which was not empty; `upper` is where the range ends, if that is known.
    pub(super) fn learn<'a>(
        &mut self,
        keys: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        upper: Option<&[u8]>,
        folders: &Folders,
    ) {
        let mut from_middle = keys.clone().skip(keys.len() / 2);
        self.middle = from_middle.next().unwrap_or_default().to_vec();
        self.last = from_middle.last().map_or_else(|| self.middle.clone(), <[u8]>::to_vec);
        self.reach = common(&self.middle, &self.last);
        self.places.learn(keys);
        self.misses = 0;
        self.ladder.clear();
        self.expect(upper, folders);
        if self.is_open() {
            self.ladder = self.rungs();
        }
    }

    /// A cut at `after` met nothing that belongs to the range.
    pub(super) fn nothing_after(&mut self, after: &[u8], upper: Option<&[u8]>, folders: &Folders) {
        self.nothing_after = Some(after.to_vec());
        self.misses += 1;
        self.expect(upper, folders);
    }

    /// Tells anew how many pages are to come, up to `upper` at most.
    pub(super) fn expect(&mut self, upper: Option<&[u8]>, folders: &Folders) {
        let end = [self.nothing_after.as_deref(), upper].into_iter().flatten().min();
        let names = folders.between(&self.last, end);
        let bound = names.first().cloned().or_else(|| folders.end_of_known(&self.last));
        self.end = [bound.as_deref(), end].into_iter().flatten().min().map(<[u8]>::to_vec);
        self.pages = match names.first() {
            Some(name) => {
                self.ladder.clear();
                names.len() as f64 / (2 * folders.passed(name, &self.middle, &self.last)).max(1) as f64
            }
            None => self.pages_left(),
        };
    }

    /// No cut was found: none is looked for until another page has come.
    pub(super) fn give_up(&mut self) {
        self.pages = 0.0;
        self.ladder.clear();
    }

    /// Whether it is not known yet how far the keys reach.
    pub(super) fn is_wide(&self) -> bool {
        !self.ladder.is_empty()
    }

    /// How many pages are still to come, as far as can be told; less is believed after misses.
    pub(super) fn pages(&self) -> f64 {
        self.pages / f64::from(1 << self.misses.saturating_sub(RUNGS).min(16))
    }

    /// The last key, and the lengths of its beginnings in which other keys may still come that are not like it.
    pub(super) fn unknown(&self) -> (&[u8], RangeInclusive<usize>) {
        (&self.last, self.known()..=self.reach)
    }

    /// How many bytes all keys to come have in common with the last one.
    fn known(&self) -> usize {
        self.end.as_ref().map_or(0, |end| common(&self.last, end) + 1)
    }

    /// Whether the keys to come may vary in places in which the last page did not: then that page does not say how many they
    /// are.
    fn is_open(&self) -> bool {
        let alike = self.known()..self.reach;
        alike.len() > ALIKE || alike.into_iter().any(|at| self.places.digits(at).len() < 2)
    }

    /// Where to cut what is to come, so that about `share` of it comes before the cut. `upper` is where the range ends.
    pub(super) fn cut(&mut self, share: f64, upper: Option<&[u8]>, folders: &Folders) -> Option<Vec<u8>> {
        let names = folders.between(&self.last, upper);
        if let Some(name) = names.get((names.len() as f64 * share) as usize).or(names.last()) {
            return Some(name.clone());
        }
        while let Some(rung) = self.ladder.pop() {
            if is_between(&rung, &self.last, self.end.as_deref()) {
                return Some(rung);
            }
        }
        self.part(share, |at| self.places.digits(at)).or_else(|| self.part(share, |_| Bytes::PLAIN))
    }

    /// Names at growing distances after the last key: the neighbours of its last common places, near ones and far ones, and
    /// the first name after every word that it begins with.
    fn rungs(&self) -> Vec<Vec<u8>> {
        let last = &self.last;
        let is_sign = |at: usize| last.get(at).is_some_and(|byte| !byte.is_ascii_alphanumeric());
        let (mut rungs, mut levels) = (Vec::new(), STEPS.iter());
        for depth in (1..=self.reach).rev() {
            let begins = depth == 1 || is_sign(depth - 2);
            let digits = self.places.digits(depth - 1);
            let digits = Bytes::letters(last[depth - 1]).filter(|_| begins).unwrap_or(digits);
            if digits.len() > 1 {
                let steps = levels.next().copied().unwrap_or(FAR);
                rungs.extend(steps.iter().filter_map(|step| neighbour(last, depth, *step, &digits)));
            } else if begins || is_sign(depth) || is_sign(depth - 1) {
                rungs.extend(next_family(last, depth));
            }
        }
        rungs.retain(|rung| is_between(rung, last, self.end.as_deref()));
        rungs.sort_unstable();
        rungs.dedup();
        // The nearest and the farthest say most.
        while rungs.len() > RUNGS {
            rungs.remove(rungs.len() / 2);
        }
        rungs
    }

    fn pages_left(&self) -> f64 {
        if self.middle.is_empty() || self.is_open() {
            return UNKNOWN;
        }
        let end = self.end.as_deref();
        let from = end.map_or(0, |end| common(&self.last, end)).min(self.reach);
        let digits = |at: usize| self.places.digits(at);
        let place = |key: &[u8]| position(key, from, &self.last, end, &digits);
        let (middle, here, end) = (place(&self.middle), place(&self.last), end.map_or(1.0, place));
        if here > middle { ((end - here) / (here - middle) / 2.0).clamp(0.0, 1e6) } else { UNKNOWN }
    }

    /// A name strictly between the last key and the end that any store takes, so that about `share` of what lies there comes
    /// before it; `None` if these digits make none.
    fn part(&self, share: f64, digits: impl Fn(usize) -> Bytes) -> Option<Vec<u8>> {
        let (last, end) = (self.last.as_slice(), self.end.as_deref());
        let from = end.map_or(0, |end| common(last, end));
        let low = position(last, from, last, end, &digits);
        let high = end.map_or(1.0, |end| position(end, from, last, end.into(), &digits));
        let mut rest = low + (high - low) * share;
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
}

/// How many bytes two keys have in common at their beginnings.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The name whose place `depth - 1` holds the digit so many `steps` behind that of `key`.
fn neighbour(key: &[u8], depth: usize, steps: u32, digits: &Bytes) -> Option<Vec<u8>> {
    let mut name = key[..depth].to_vec();
    name[depth - 1] = digits.nth(digits.rank(key[depth - 1]) + steps)?;
    Some(name)
}

/// A name just after all keys that begin with the first `depth` bytes of `key`.
fn next_family(key: &[u8], depth: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(&key[..depth]).ok()?;
    let last = text.chars().next_back()?;
    let next = (u32::from(last) + 1..).take(64).filter_map(char::from_u32).find(|&c| is_plain(c))?;
    let mut name = text[..text.len() - last.len_utf8()].to_owned();
    name.push(next);
    Some(name.into_bytes())
}

/// Whether a store will write the character back as it was sent, in whatever way it writes keys.
pub(super) fn is_plain(c: char) -> bool {
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
        outlook.learn(page.iter().map(|key| key.as_bytes()), upper.map(str::as_bytes), &Folders::default());
        outlook
    }

    /// Where a range is cut, one cut after the other, after one page of keys, from far to near; each cut ends the range.
    fn check(page: &[&str], upper: Option<&str>, expected: &[&str]) {
        let mut outlook = outlook(page, upper);
        let mut upper = upper.map(str::to_owned);
        for expected in expected {
            let end = upper.as_deref().map(str::as_bytes);
            let cut = outlook.cut(0.5, end, &Folders::default()).map(|cut| String::from_utf8(cut).expect("text"));
            assert_eq!(cut.as_deref(), Some(*expected), "{page:?} {upper:?}");
            outlook.expect(cut.as_deref().map(str::as_bytes), &Folders::default());
            upper = cut;
        }
    }

    #[test]
    fn a_ladder_asks_at_many_distances_and_then_the_middle_is_cut() {
        check(&["p_61cf", "p_61d0", "p_6227"], None, &["x", "t", "r", "q", "p`", "p_c", "p_8", "p_7", "p_69"]);
        check(&["img_00000", "img_00500", "img_00999"], Some("img_1"), &["img_05", "img_02"]);
        check(&["users/61a", "users/6f3"], Some("users/7"), &["users/6f9"]);
        check(&["caf\u{e9}/1", "caf\u{e9}/2"], Some("caf\u{eb}"), &["caf\u{ea}", "caf\u{e9}0"]);
        check(&["\u{1f3ac}1", "\u{1f3ac}2"], Some("\u{1f3ad}"), &["\u{1f3ac}5"]);
    }

    #[test]
    fn a_cut_lies_strictly_between_the_ends_or_there_is_none() {
        let cut = |page: &[&str], upper: &str| {
            outlook(page, Some(upper)).cut(0.5, Some(upper.as_bytes()), &Folders::default())
        };
        assert_eq!(cut(&["a", "b"], "b"), None);
        assert_eq!(cut(&["a", "b"], "b\0"), None);
        assert_eq!(cut(&["a0", "a1"], "a2"), Some(b"a1T".to_vec()));
    }

    #[test]
    fn folders_that_the_store_told_are_cut_at_first() {
        let mut folders = Folders::new(b"");
        folders.found(b"", ["audio/", "media/", "video/"].map(|name| name.as_bytes().to_vec()).into(), true);
        let mut outlook = Outlook::default();
        outlook.learn([&b"audio/a"[..], b"audio/b"].into_iter(), None, &folders);
        assert_eq!(outlook.cut(0.5, None, &folders), Some(b"video/".to_vec()));
        assert_eq!(outlook.cut(0.1, Some(b"video/"), &folders), Some(b"media/".to_vec()));
        outlook.expect(Some(b"media/"), &folders);
        let within = outlook.cut(0.5, Some(b"media/"), &folders).expect("a cut");
        assert!(
            within.starts_with(b"audio/"),
            "nothing lies between two folders: {}",
            String::from_utf8_lossy(&within)
        );
    }

    #[test]
    fn pages_to_come_are_told_from_how_far_half_a_page_went() {
        let pages = |page: &[&str], upper| outlook(page, upper).pages();
        let eight = pages(&["x/00", "x/05", "x/10"], Some("x/90"));
        assert!((7.0..9.0).contains(&eight), "{eight}");
        assert!(pages(&["x/00", "x/05", "x/10"], Some("x/11")) < 1.0);
        assert_eq!(pages(&["proj_1", "proj_1"], None), UNKNOWN);
    }
}
