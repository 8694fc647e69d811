//! The ranges of a bucket that is being listed, in the order of their keys. They can be cut while they are listed; what
//! they bring comes out in order.
//!
//! That nothing is missed where two ranges meet does not hang on how a store takes `start-after`: the range in front goes
//! on until it has itself seen the first key of the one behind, or a later one, and whatever it saw before that is its own.

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
/// A range of more pages than this is cut as soon as there are requests to spare, the frontmost first.
const LONG: f64 = 16.0;
/// A range of fewer pages than this is never cut.
const SHORT: f64 = 3.0;

/// Of so many whole pages one answer more may be in vain: a round trip costs a user more than a request.
const WASTE: usize = 2;
/// Pages that count as filled before any was.
const SPARE: usize = 24;

/// The store's answers contradict each other.
const MORE: &str = "the store said that the listing had ended, but there is more";

/// All ranges that are not done and told.
#[derive(Debug)]
pub(super) struct Ranges {
    list: Vec<Range>,
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

    /// The next request to send while `under_way` others are, and the range that it is for: the frontmost that is due and has
    /// room for what it brings, else the first of a range that is cut off another one.
    pub(super) fn next_request(&mut self, under_way: usize) -> Option<(u64, Ask)> {
        let held: usize = self.list.iter().map(|range| range.ready.len()).sum();
        let room = held + under_way < PAGES_HELD;
        let may_ask = |at: usize, range: &Range| {
            range.phase == Phase::Due && (at == 0 || range.ended || (room && range.ready.len() < PAGES_AHEAD))
        };
        let due = self.list.iter().enumerate().position(|(at, range)| may_ask(at, range));
        let at = match due {
            Some(at) => at,
            None if room => self.cut()?,
            None => return None,
        };
        let range = &mut self.list[at];
        Some((range.id, range.ask()))
    }

    /// Whether another guess is worth its request: no more are open than whole pages were filled, and of the answers so far
    /// not too many brought less than a page, because a cut met nothing or a range ended within a page.
    fn may_guess(&self) -> bool {
        let guesses = self.list.iter().filter(|range| range.first.is_none()).count();
        let pages = self.keys / self.longest;
        self.list.len() < RANGES
            && guesses < pages.max(1)
            && (self.answers - pages.min(self.answers)) * WASTE <= pages + SPARE
    }

    /// Cuts a range in two; where the new one is.
    fn cut(&mut self) -> Option<usize> {
        if !self.may_guess() {
            return None;
        }
        let (at, after, depth) = self.candidates().into_iter().find_map(|at| {
            let range = &self.list[at];
            let found = range.outlook.cut(range.seen.as_ref()?.as_bytes(), self.upper(at));
            if found.is_none() {
                self.list[at].outlook.give_up();
            }
            found.map(|(cut, depth)| (at, Key::new(cut), depth))
        })?;
        let family = self.list[at].seen.clone().map(|last| (last, depth)).filter(|_| depth > 0);
        let outlook = self.list[at].outlook.halve();
        let mut new = Range::new(self.next_id, Some(after));
        (new.outlook, new.family) = (outlook, family);
        self.next_id += 1;
        self.list.insert(at + 1, new);
        Some(at + 1)
    }

    /// Ranges that are worth a cut: the long ones from the front on, since what they bring is needed first, then the others,
    /// the longest first.
    fn candidates(&self) -> Vec<usize> {
        let open =
            |range: &Range| range.first.is_some() && !range.ended && matches!(range.phase, Phase::Due | Phase::Asked);
        let pages = |at: &usize| self.list[*at].outlook.pages();
        let mut worth: Vec<usize> =
            (0..self.list.len()).filter(|at| open(&self.list[*at]) && pages(at) >= SHORT).collect();
        worth.sort_by(|one, other| {
            let rank = |at: &usize| (pages(at) < LONG, if pages(at) < LONG { -pages(at) } else { 0.0 });
            let (one, other) = (rank(one), rank(other));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
        worth
    }

    /// What no key of a range reaches, as far as that is known.
    fn upper(&self, at: usize) -> Option<&[u8]> {
        match self.list.get(at + 1) {
            Some(next) => next.after.as_ref().map(Key::as_bytes),
            None => self.limit.as_deref(),
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
        if let (Some(cut), Some(seen)) = (&missed.after, self.list[at - 1].seen.clone()) {
            self.list[at - 1].outlook.nothing_after(cut.as_bytes(), seen.as_bytes(), upper);
        }
        self.settle(at - 1);
    }

    fn take(&mut self, at: usize, page: ListPage) -> Result<(), String> {
        let is_first = self.list[at].first.is_none();
        if !page.objects.is_empty() {
            let upper = self.upper(at).map(<[u8]>::to_vec);
            let Range { outlook, family, .. } = &mut self.list[at];
            if let (true, Some((family, depth)), Some(first)) = (is_first, family, page.objects.first()) {
                outlook.follows(family.as_bytes(), *depth, first.key.as_bytes());
            }
            outlook.learn(page.objects.iter().map(|object| object.key.as_bytes()), upper.as_deref());
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
