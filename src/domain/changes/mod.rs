//! Two listings of one bucket held against each other: what came, what went, what is no longer the same.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::assessment::Assessment;
use super::inventory::{Inventory, ObjectIndex};
use super::judge::by_keys_alone;
use super::layout::Layouts;
use super::project::{IdRules, ProjectId};
use super::totals::Tally;

/// Keys that are looked at at once.
const BLOCK: u32 = 1024;

/// What happened to a key between two listings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is there and has more bytes than before.
    Grown,
    /// It is there with another tag, time, class or with fewer bytes: somebody wrote it anew.
    Changed,
}

impl Change {
    /// Every change, in the order in which they are shown.
    pub const ALL: [Change; 4] = [Change::Added, Change::Removed, Change::Grown, Change::Changed];

    /// Its name, in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Grown => "grown",
            Change::Changed => "changed",
        }
    }
}

/// One key that is not the same in both listings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Difference<'a> {
    /// What happened.
    pub change: Change,
    /// The key.
    pub key: &'a [u8],
    /// The object in the earlier listing; `None` if it was added.
    pub before: Option<ObjectIndex>,
    /// The object in the later listing; `None` if it was removed.
    pub after: Option<ObjectIndex>,
    /// Its bytes in the earlier listing, 0 if it was not there.
    pub bytes_before: u64,
    /// Its bytes in the later listing, 0 if it is not there.
    pub bytes_after: u64,
}

/// Visits every key that differs, in key order. Objects that are known to be gone count as not listed.
pub fn compare(before: &Inventory, after: &Inventory, mut visit: impl FnMut(&Difference<'_>)) {
    let (mut old, mut new) = (Rows::of(before), Rows::of(after));
    loop {
        let (ours, theirs) = (old.first(), new.first());
        let order = match (&ours, &theirs) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((_, ours)), Some((_, theirs))) => ours.cmp(theirs),
        };
        let key = if order == Ordering::Greater { theirs } else { ours };
        if let Some((_, key)) = key {
            let pair = (
                ours.filter(|_| order != Ordering::Greater).map(|(at, _)| at),
                theirs.filter(|_| order != Ordering::Less).map(|(at, _)| at),
            );
            if let Some(difference) = difference(before, after, key, pair) {
                visit(&difference);
            }
        }
        if order != Ordering::Greater {
            old.skip();
        }
        if order != Ordering::Less {
            new.skip();
        }
    }
}

fn difference<'k>(
    earlier: &Inventory,
    later: &Inventory,
    key: &'k [u8],
    (before, after): (Option<ObjectIndex>, Option<ObjectIndex>),
) -> Option<Difference<'k>> {
    let bytes_before = before.map_or(0, |at| earlier.size(at));
    let bytes_after = after.map_or(0, |at| later.size(at));
    let change = match (before, after) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        (Some(_), Some(_)) if bytes_after > bytes_before => Change::Grown,
        (Some(one), Some(other)) => {
            let is_same = bytes_after == bytes_before
                && earlier.compact_etag(one) == later.compact_etag(other)
                && earlier.last_modified(one) == later.last_modified(other)
                && earlier.storage_class(one) == later.storage_class(other);
            if is_same {
                return None;
            }
            Change::Changed
        }
    };
    Some(Difference { change, key, before, after, bytes_before, bytes_after })
}

/// The objects of a listing one after the other, read a block at a time.
struct Rows<'a> {
    inventory: &'a Inventory,
    next: ObjectIndex,
    keys: Vec<u8>,
    /// Index of each object of the block, and where its key ends.
    rows: Vec<(ObjectIndex, usize)>,
    at: usize,
}

impl<'a> Rows<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut rows = Self { inventory, next: 0, keys: Vec::new(), rows: Vec::new(), at: 0 };
        rows.fill();
        rows
    }

    fn fill(&mut self) {
        self.at = 0;
        self.rows.clear();
        self.keys.clear();
        while self.rows.is_empty() && self.next < self.inventory.len() {
            let end = self.next.saturating_add(BLOCK).min(self.inventory.len());
            self.inventory.scan(self.next..end, |index, key, _| {
                self.keys.extend_from_slice(key);
                self.rows.push((index, self.keys.len()));
            });
            self.next = end;
        }
    }

    fn first(&self) -> Option<(ObjectIndex, &[u8])> {
        let (index, end) = *self.rows.get(self.at)?;
        let start = self.at.checked_sub(1).map_or(0, |before| self.rows[before].1);
        Some((index, &self.keys[start..end]))
    }

    fn skip(&mut self) {
        self.at += 1;
        if self.at >= self.rows.len() {
            self.fill();
        }
    }
}

/// How much changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChangeTotals {
    added: Tally,
    removed: Tally,
    grown: Tally,
    changed: Tally,
    bytes_before: u128,
    bytes_after: u128,
}

impl ChangeTotals {
    /// Counts one more difference.
    pub fn count(&mut self, difference: &Difference<'_>) {
        let (before, after) = (difference.bytes_before, difference.bytes_after);
        match difference.change {
            Change::Added => self.added.count(after),
            Change::Removed => self.removed.count(before),
            Change::Grown => self.grown.count(after - before),
            Change::Changed => self.changed.count(after),
        }
        self.bytes_before += u128::from(before);
        self.bytes_after += u128::from(after);
    }

    /// Objects of a change and their bytes: of those that grew, the bytes that they have more.
    pub fn of(&self, change: Change) -> Tally {
        match change {
            Change::Added => self.added,
            Change::Removed => self.removed,
            Change::Grown => self.grown,
            Change::Changed => self.changed,
        }
    }

    /// Bytes that there are more than before; negative if there are fewer.
    pub fn net_bytes(&self) -> i128 {
        let signed = |bytes: u128| i128::try_from(bytes).unwrap_or(i128::MAX);
        signed(self.bytes_after) - signed(self.bytes_before)
    }

    /// Objects that are not the same in both listings.
    pub fn objects(&self) -> u64 {
        Change::ALL.into_iter().map(|change| self.of(change).objects).sum()
    }
}

/// All that changed, by folder and by project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Everything.
    pub all: ChangeTotals,
    /// By folder, in key order; the empty prefix holds what lies in no folder.
    pub folders: BTreeMap<Vec<u8>, ChangeTotals>,
    /// By the project that the keys name; what no layout reads stands under `None`. No registry is asked.
    pub projects: BTreeMap<Option<ProjectId>, ChangeTotals>,
}

impl Summary {
    /// Compares two listings. Folders are those of so many levels at most.
    pub fn of(before: &Inventory, after: &Inventory, levels: usize, layouts: &Layouts, ids: &IdRules) -> Self {
        let earlier = by_keys_alone(before, layouts, ids);
        let later = by_keys_alone(after, layouts, ids);
        let project = |assessment: &Assessment, at| assessment.project(at).map(|at| assessment.project_id(at).clone());
        let mut summary = Self::default();
        compare(before, after, |difference| {
            let project = match (difference.before, difference.after) {
                (_, Some(at)) => project(&later, at),
                (Some(at), None) => project(&earlier, at),
                (None, None) => None,
            };
            summary.count(difference, levels, project);
        });
        summary
    }

    fn count(&mut self, difference: &Difference<'_>, levels: usize, project: Option<ProjectId>) {
        self.all.count(difference);
        let folder = folder(difference.key, levels);
        match self.folders.get_mut(folder) {
            Some(totals) => totals.count(difference),
            None => self.folders.entry(folder.to_vec()).or_default().count(difference),
        }
        self.projects.entry(project).or_default().count(difference);
    }
}

/// The folder of a key that lies so many levels deep, or the deepest one that the key has.
fn folder(key: &[u8], levels: usize) -> &[u8] {
    let mut ends = memchr::memchr_iter(b'/', key).take(levels);
    let end = ends.by_ref().last().map_or(0, |slash| slash + 1);
    &key[..end]
}
