//! One stretch of the bucket: it begins after a key, and ends where the stretch behind it begins.

use std::collections::{HashSet, VecDeque};

use super::outlook::Outlook;
use crate::domain::{Key, Object};

/// Pages in a row that may hold no object before the listing is given up.
const EMPTY_PAGES: u32 = 100;

/// What is to happen with a range next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// A request is due.
    Due,
    /// A request is under way.
    Asked,
    /// It has seen all that it needs, and the range behind it has not said yet with which key it begins.
    Waiting,
    /// All its keys are known, and so is that nothing lies between them and the next range's.
    Done,
}

/// What is to be asked for a range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ask {
    /// Where the page before ended, as the store said.
    pub(super) token: Option<String>,
    /// The last key seen, or where the range begins.
    pub(super) after: Option<Key>,
}

/// One stretch.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) id: u64,
    /// It begins after this key; the first one at the beginning of the bucket.
    pub(super) after: Option<Key>,
    /// Its first key, as soon as it is known.
    pub(super) first: Option<Key>,
    /// The last key seen, be it this range's or not.
    pub(super) seen: Option<Key>,
    /// The store said that nothing comes any more.
    pub(super) ended: bool,
    pub(super) phase: Phase,
    pub(super) outlook: Outlook,
    /// Its pages, until it is their turn.
    pub(super) ready: VecDeque<Vec<Object>>,
    /// What it saw that may be the next range's.
    pub(super) loose: Vec<Object>,
    token: Option<String>,
    tokens: HashSet<String>,
    empty_pages: u32,
}

impl Range {
    /// A range of which nothing is known but its beginning.
    pub(super) fn new(id: u64, after: Option<Key>) -> Self {
        Self {
            id,
            seen: after.clone(),
            after,
            first: None,
            ended: false,
            phase: Phase::Due,
            outlook: Outlook::default(),
            ready: VecDeque::new(),
            loose: Vec::new(),
            token: None,
            tokens: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// Pages that it has ready and those that it may still bring.
    pub(super) fn outstanding(&self) -> f64 {
        self.ready.len() as f64 + if self.ended { 0.0 } else { self.outlook.pages() }
    }

    /// What has to be asked next: the next page, or, where the store said that there is none, whether that is so.
    pub(super) fn ask(&mut self) -> Ask {
        self.phase = Phase::Asked;
        Ask { token: self.token.take(), after: self.seen.clone() }
    }

    /// Takes a page over if it continues what was seen before.
    ///
    /// # Errors
    /// Why the listing cannot be believed.
    pub(super) fn take(&mut self, objects: Vec<Object>, next: Option<String>) -> Result<(), String> {
        self.phase = Phase::Due;
        self.empty_pages = if objects.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > EMPTY_PAGES {
            return Err("the store keeps sending empty pages".into());
        }
        if let (Some(first), Some(last)) = (objects.first(), objects.last()) {
            self.first.get_or_insert_with(|| first.key.clone());
            self.seen = Some(last.key.clone());
        }
        if self.loose.is_empty() {
            self.loose = objects;
        } else {
            self.loose.extend(objects);
        }
        match next {
            None => self.ended = true,
            Some(next) if !self.tokens.insert(next.clone()) => {
                return Err("the store sent the same continuation token twice".into());
            }
            Some(next) => self.token = Some(next),
        }
        Ok(())
    }

    /// That a page begins after all that was seen before.
    ///
    /// # Errors
    /// Why the listing cannot be believed.
    pub(super) fn check_order(&self, objects: &[Object]) -> Result<(), String> {
        match (objects.first(), &self.seen) {
            (Some(first), Some(before)) if first.key <= *before => {
                Err(format!("keys are out of order: {:?} came after {before:?}", first.key))
            }
            _ => Ok(()),
        }
    }

    /// Takes the keys for its own for which `own` holds, which are the first ones of what is loose.
    pub(super) fn keep(&mut self, own: impl Fn(&Key) -> bool) {
        let count = self.loose.partition_point(|object| own(&object.key));
        let rest = if count < self.loose.len() { self.loose.split_off(count) } else { Vec::new() };
        let page = std::mem::replace(&mut self.loose, rest);
        if !page.is_empty() {
            self.ready.push_back(page);
        }
    }
}
