//! Names of folders that the store told: places to cut at that are no guesses. They say where to cut and never what there is.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::RangeInclusive;

use super::outlook::is_plain;
use crate::domain::key::successor;

/// Folders that may be asked for at first.
const FIRST: usize = 8;
/// So many whole pages are worth the question for one more.
const PAGES: usize = 8;

/// What is known of folders.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// What all keys begin with.
    prefix: Vec<u8>,
    /// By depth, in order.
    names: BTreeMap<usize, Vec<Vec<u8>>>,
    asked: HashSet<Vec<u8>>,
    waiting: VecDeque<Vec<u8>>,
    /// Those of which all folders are known.
    told: HashSet<Vec<u8>>,
}

impl Folders {
    /// Nothing is known of what begins with `prefix`.
    pub(super) fn new(prefix: &[u8]) -> Self {
        Self { prefix: prefix.to_vec(), ..Self::default() }
    }

    /// A folder whose folders are to be asked for.
    pub(super) fn next_question(&mut self) -> Option<Vec<u8>> {
        self.waiting.pop_front()
    }

    /// Wants to know what lies beside `key`, in those of its folders whose names are so long; after this many `pages` only
    /// so many questions are worth it. Whether an answer is to be expected that is better than a guess.
    pub(super) fn ask_around(&mut self, key: &[u8], lengths: RangeInclusive<usize>, pages: usize) -> bool {
        let before = self.asked.len();
        for length in lengths {
            let (folder, rest) = key.split_at(length.min(key.len()));
            let is_folder = folder.is_empty() || folder.ends_with(b"/");
            let wanted = is_folder && rest.contains(&b'/') && folder.len() >= self.prefix.len();
            if wanted && self.asked.len() < FIRST + pages / PAGES && self.asked.insert(folder.to_vec()) {
                self.waiting.push_back(folder.to_vec());
            }
        }
        self.asked.len() > before && !self.told.is_empty()
    }

    /// The store told folders right under `folder`, perhaps all of them.
    pub(super) fn found(&mut self, folder: &[u8], names: Vec<Vec<u8>>, all: bool) {
        let depth = folder.iter().filter(|byte| **byte == b'/').count();
        let is_safe = |name: &Vec<u8>| std::str::from_utf8(name).is_ok_and(|name| name.chars().all(is_plain));
        if all {
            self.told.insert(folder.to_vec());
        }
        let known = self.names.entry(depth).or_default();
        known.extend(names.into_iter().filter(is_safe));
        known.sort_unstable();
        known.dedup();
    }

    /// The folders strictly between two keys, of the least depth that has any.
    pub(super) fn between(&self, last: &[u8], end: Option<&[u8]>) -> &[Vec<u8>] {
        self.names.values().map(|names| within(names, last, end)).find(|names| !names.is_empty()).unwrap_or(&[])
    }

    /// The end of the deepest folder of `key` beside which all others are known.
    pub(super) fn end_of_known(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (mut parent, mut home) = (0, None);
        for end in key.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1) {
            home = if self.told.contains(&key[..parent]) { Some(end) } else { home };
            parent = end;
        }
        home.and_then(|end| successor(&key[..end]))
    }

    /// How many folders as deep as `folder` lie between two keys.
    pub(super) fn passed(&self, folder: &[u8], first: &[u8], last: &[u8]) -> usize {
        let depth = folder.iter().filter(|byte| **byte == b'/').count().saturating_sub(1);
        self.names.get(&depth).map_or(0, |names| within(names, first, Some(last)).len())
    }
}

fn within<'a>(names: &'a [Vec<u8>], last: &[u8], end: Option<&[u8]>) -> &'a [Vec<u8>] {
    let from = names.partition_point(|name| name.as_slice() <= last);
    let to = end.map_or(names.len(), |end| names.partition_point(|name| name.as_slice() < end));
    &names[from..to.max(from)]
}
