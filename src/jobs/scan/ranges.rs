//! The ranges of a bucket that is being listed, in the order of their keys. They can be cut while they are listed; what
//! they bring comes out in order.
//!
//! That nothing is missed where two ranges meet does not hang on how a store takes `start-after`: the range in front goes
//! on until it has itself seen the first key of the one behind, or a later one, and whatever it saw before that is its own.

use super::folders::Folders;
use super::outlook::Outlook;
use super::range::{Ask, Phase, Range};
use crate::domain::key::successor;
use crate::domain::{Key, Object};
use crate::store::ListPage;

/// Ranges at once.
const RANGES: usize = 128;
/// Pages that a range may have ready before it is its turn.
const PAGES_AHEAD: usize = 8;
/// Pages that all ranges together may have ready.
const PAGES_HELD: usize = 256;
/// Pages from the front on in which all requests are made that can be: what lies further back would only have to wait.
const WINDOW: f64 = 192.0;
/// A range of fewer pages than this is never cut.
const SHORT: f64 = 2.5;
/// Pages of a piece at least.
const PIECE: f64 = 1.5;

/// Guesses that may be open before any page was filled.
const GUESSES: usize = 16;
/// Answers that may be in vain beyond one for every page that was filled: a round trip costs a user more than a request.
const SPARE: usize = 40;

/// The store's answers contradict each other.
const MORE: &str = "the store said that the listing had ended, but there is more";

/// What is to be sent next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// A page of the range with this number.
    Page(u64, Ask),
    /// The folders right under this one: where the listing can be cut without a guess.
    Folders(Vec<u8>),
}

/// All ranges that are not done and told.
#[derive(Debug)]
pub(super) struct Ranges {
    list: Vec<Range>,
    folders: Folders,
    next_id: u64,
    /// What no key of the listing reaches.
    limit: Option<Vec<u8>>,
    /// Answers so far.
    answers: usize,
    /// Keys so far.
    keys: usize,
    /// Keys of the longest page.
    longest: usize,
}

impl Ranges {
    /// One range: everything that begins with `prefix`.
    pub(super) fn new(prefix: &[u8]) -> Self {
        Self {
            list: vec![Range::new(0, None)],
            folders: Folders::new(prefix),
            next_id: 1,
            limit: successor(prefix).filter(|_| !prefix.is_empty()),
            answers: 0,
            keys: 0,
            longest: 1,
        }
    }

    /// Whether every range is done and all pages were taken.
    pub(super) fn is_finished(&self) -> bool {
        self.list.iter().all(|range| range.phase == Phase::Done && range.ready.is_empty())
    }

    /// Whether there is a page whose turn it is.
    pub(super) fn has_page(&self) -> bool {
        self.list.first().is_some_and(|range| !range.ready.is_empty())
    }

    /// The next page in the order of keys, if it is there already.
    pub(super) fn next_page(&mut self) -> Option<Vec<Object>> {
        let page = self.list.first_mut()?.ready.pop_front();
        self.drop_done();
        page
    }

    fn drop_done(&mut self) {
        let is_over = |range: &Range| range.phase == Phase::Done && range.ready.is_empty();
        let over = self.list.iter().take_while(|range| is_over(range)).count().min(self.list.len() - 1);
        self.list.drain(..over);
    }

    /// The next request to send while `under_way` of at `most` so many others are. Folders are asked for first, since they save
    /// guesses; then comes a page for the frontmost range that is due and has room for what it brings, then a range that is
    /// cut off another one.
    pub(super) fn next_request(&mut self, under_way: usize, most: usize) -> Option<Request> {
        if let Some(folder) = self.folders.next_question() {
            return Some(Request::Folders(folder));
        }
        let held = self.list.iter().map(|range| range.ready.len()).sum::<usize>() + under_way;
        let at = match self.due(WINDOW, held, PAGES_HELD) {
            Some(at) => at,
            None if held >= PAGES_HELD => return None,
            None => match self.cut(most.saturating_sub(under_way)) {
                Some(at) => at,
                None => self.due(f64::INFINITY, held, PAGES_HELD / 2)?,
            },
        };
        let range = &mut self.list[at];
        Some(Request::Page(range.id, range.ask()))
    }

    /// The frontmost range that is due: within so many pages, and with room for what it brings while at `most` so many pages
    /// are `held`. The first that still lists anything always may: all others wait for it.
    fn due(&self, window: f64, held: usize, most: usize) -> Option<usize> {
        let (mut ahead, mut is_first) = (0.0, true);
        for (at, range) in self.list.iter().enumerate() {
            let room = held < most && range.ready.len() < PAGES_AHEAD && ahead < window;
            if range.phase == Phase::Due && (is_first || range.ended || room) {
                return Some(at);
            }
            is_first &= !matches!(range.phase, Phase::Due | Phase::Asked);
            ahead += range.outstanding();
        }
        None
    }

    /// Whether another guess is worth its request: no more are open than whole pages were filled, and of the answers so far
    /// not too many brought less than a page, because a cut met nothing or a range ended within a page.
    fn may_guess(&self) -> bool {
        let guesses = self.list.iter().filter(|range| range.first.is_none()).count();
        let pages = self.keys / self.longest;
        self.list.len() < RANGES
            && guesses < pages.max(GUESSES)
            && self.answers - pages.min(self.answers) <= pages + SPARE
    }

    /// Cuts a range in two; where the new one is. So many requests could be sent.
    fn cut(&mut self, spare: usize) -> Option<usize> {
        if !self.may_guess() {
            return None;
        }
        while let Some((at, share)) = self.worth_a_cut(spare) {
            let upper = self.upper(at).map(<[u8]>::to_vec);
            let outlook = &mut self.list[at].outlook;
            let before = outlook.pages();
            let Some(cut) = outlook.cut(share, upper.as_deref(), &self.folders) else {
                outlook.give_up();
                continue;
            };
            outlook.expect(Some(&cut), &self.folders);
            let mut new = Range::new(self.next_id, Some(Key::new(&cut)));
            new.outlook = Outlook::of((before - outlook.pages()).max(1.0));
            self.next_id += 1;
            self.list.insert(at + 1, new);
            return Some(at + 1);
        }
        None
    }

    /// The range that is most worth a cut, and the share of it that is to come before the cut: one of which it is not known
    /// how far it reaches, else the longest. All requests that can be sent are shared out by length.
    fn worth_a_cut(&self, spare: usize) -> Option<(usize, f64)> {
        let (mut ahead, mut all) = (0.0, 0.0);
        let mut worth: Option<(usize, f64)> = None;
        let rank = |at: usize, near: f64| (self.list[at].outlook.is_wide(), near);
        for (at, range) in self.list.iter().enumerate() {
            let near = range.outlook.pages().min(WINDOW - ahead);
            if near <= 0.0 && ahead >= WINDOW {
                break;
            }
            ahead += range.outstanding();
            let is_open = range.first.is_some() && !range.ended && matches!(range.phase, Phase::Due | Phase::Asked);
            if is_open && (near >= SHORT || range.outlook.is_wide()) {
                all += near;
                worth = worth.filter(|&(best, pages)| rank(best, pages) >= rank(at, near)).or(Some((at, near)));
            }
        }
        let (at, near) = worth?;
        let pages = self.list[at].outlook.pages();
        let parts = (1.0 + spare as f64 * near / all).round().min(near / PIECE).max(2.0);
        Some((at, if near < pages { near / pages } else { 1.0 - 1.0 / parts }))
    }

    /// What no key of a range reaches, as far as that is known.
    fn upper(&self, at: usize) -> Option<&[u8]> {
        match self.list.get(at + 1) {
            Some(next) => next.after.as_ref().map(Key::as_bytes),
            None => self.limit.as_deref(),
        }
    }

    /// Takes the names of the folders right under `folder`, perhaps all of them; none if they could not be told.
    pub(super) fn found_folders(&mut self, folder: &[u8], names: Vec<Vec<u8>>, all: bool) {
        self.answers += 1;
        self.folders.found(folder, names, all);
        for at in 0..self.list.len() {
            if self.list[at].first.is_some() {
                let upper = self.upper(at).map(<[u8]>::to_vec);
                self.list[at].outlook.expect(upper.as_deref(), &self.folders);
            }
        }
    }

    /// Takes the answer to a request.
    ///
    /// # Errors
    /// Why the listing cannot be believed.
    pub(super) fn arrived(&mut self, id: u64, page: ListPage) -> Result<(), String> {
        let Some(at) = self.list.iter().position(|range| range.id == id) else { return Ok(()) };
        self.list[at].check_order(&page.objects)?;
        self.answers += 1;
        self.longest = self.longest.max(page.objects.len());
        if self.list[at].ended {
            self.proved(at, &page)?;
        } else if self.list[at].first.is_none() && at > 0 && self.is_foreign(at, &page) {
            self.forget(at);
        } else {
            self.take(at, page)?;
        }
        self.drop_done();
        Ok(())
    }

    /// Whether the first page of a range that was cut off holds nothing of it.
    fn is_foreign(&self, at: usize, page: &ListPage) -> bool {
        match page.objects.first() {
            None => page.next.is_none(),
            Some(first) => self.list.get(at + 1).is_some_and(|next| next.after.as_ref() < Some(&first.key)),
        }
    }

    /// A cut met nothing: the range in front goes on as if it had never been made.
    fn forget(&mut self, at: usize) {
        let missed = self.list.remove(at);
        let limit = self.limit.clone();
        let next = self.list.get(at).and_then(|next| next.after.clone());
        let upper = next.as_ref().map(Key::as_bytes).or(limit.as_deref());
        if let Some(cut) = &missed.after {
            self.list[at - 1].outlook.nothing_after(cut.as_bytes(), upper, &self.folders);
        }
        self.settle(at - 1);
    }

    fn take(&mut self, at: usize, page: ListPage) -> Result<(), String> {
        let is_first = self.list[at].first.is_none();
        if !page.objects.is_empty() {
            let upper = self.upper(at).map(<[u8]>::to_vec);
            let keys = page.objects.iter().map(|object| object.key.as_bytes());
            let outlook = &mut self.list[at].outlook;
            outlook.learn(keys, upper.as_deref(), &self.folders);
            if outlook.is_wide() && page.next.is_some() {
                let (key, lengths) = outlook.unknown();
                if self.folders.ask_around(key, lengths, self.keys / self.longest) {
                    outlook.give_up();
                }
            }
        }
        self.list[at].take(page.objects, page.next)?;
        self.settle(at);
        if is_first && at > 0 {
            self.settle(at - 1);
        }
        Ok(())
    }

    /// The store said that nothing comes after a range, and was asked once more.
    fn proved(&mut self, at: usize, page: &ListPage) -> Result<(), String> {
        let next = self.list.get(at + 1).and_then(|next| next.first.as_ref());
        let holds = match (page.objects.first(), next) {
            (None, None) => page.next.is_none(),
            (Some(found), Some(next)) => found.key >= *next,
            _ => false,
        };
        if !holds {
            return Err(MORE.into());
        }
        self.list[at].phase = Phase::Done;
        Ok(())
    }

    /// Decides what of the keys that a range saw is its own, and what is to happen with it.
    fn settle(&mut self, at: usize) {
        let next = self.list.get(at + 1).map(|next| (next.after.clone(), next.first.clone()));
        let range = &mut self.list[at];
        if matches!(range.phase, Phase::Asked | Phase::Done) {
            return;
        }
        let (nothing_seen, before) = (range.first.is_none(), range.loose.len());
        range.phase = match next {
            Some((_, Some(first))) => {
                range.keep(|key| *key < first);
                if range.loose.is_empty() { Phase::Due } else { Phase::Done }
            }
            Some((after, None)) => {
                range.keep(|key| after.as_ref() >= Some(key));
                if range.loose.is_empty() && !range.ended { Phase::Due } else { Phase::Waiting }
            }
            None => {
                range.keep(|_| true);
                // An empty bucket has no last key after which one could ask.
                if range.ended && nothing_seen { Phase::Done } else { Phase::Due }
            }
        };
        self.keys += before - range.loose.len();
        if range.phase == Phase::Done {
            range.loose = Vec::new();
        }
    }
}
