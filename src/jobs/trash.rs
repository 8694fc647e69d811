//! What lies in the trash, and the plans that take it out again: back to where it was, or for good. Both are carried out
//! like every other plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Clock, draft};
use crate::domain::capabilities::Atomicity;
use crate::domain::guards::trash_guards;
use crate::domain::inventory::{Inventory, ObjectIndex, OutOfOrder};
use crate::domain::plan::{Caps, GuardReport, LIFETIME_SECONDS, Plan, PlanHeader, PlanKind, PlanRow};
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::trash::{self, trashed};
use crate::domain::verdict::{Flags, Verdict};
use crate::domain::{Key, Object, Tally, Timestamp};
use crate::journal::{JournalError, plan_file, runs};
use crate::store::StoreIdentity;

/// The listing of the trash, and where it is.
pub struct Trash<'a> {
    /// Where the bucket is.
    pub identity: &'a StoreIdentity,
    /// The listing; it may hold more than the trash.
    pub inventory: &'a Inventory,
    /// How the listing ended.
    pub scan: &'a ScanReport,
    /// Hash of the layouts in force, which every plan names.
    pub layouts: String,
    /// The folder that holds one folder per run.
    pub runs: PathBuf,
    /// This machine's clock.
    pub clock: &'a Clock,
    /// Whether a deletion can hit another object than the one that was looked at.
    pub deletes: Atomicity,
}

/// What of a run lies in the trash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrashedRun {
    /// UUIDv7.
    pub run: String,
    /// Objects and bytes.
    pub total: Tally,
    /// When the last of it came there, by the store's clock.
    pub newest: Option<Timestamp>,
}

/// Which objects of a run to restore; all if nothing is named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Only {
    /// These keys.
    pub keys: Vec<Key>,
    /// What begins with one of these.
    pub prefixes: Vec<Vec<u8>>,
}

impl Only {
    fn takes(&self, key: &Key) -> bool {
        let nothing_named = self.keys.is_empty() && self.prefixes.is_empty();
        nothing_named
            || self.keys.contains(key)
            || self.prefixes.iter().any(|prefix| key.as_bytes().starts_with(prefix))
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum TrashError {
    /// Nothing of the run is in the trash, or several runs begin alike.
    #[error("{0}")]
    NoSuchRun(String),
    /// A long key is known only from the plan of the run that moved it, which cannot be read.
    #[error("a key is too long to stand in its place in the trash, and the plan that has it cannot be read: {0}")]
    NoPlan(#[from] JournalError),
}

impl Trash<'_> {
    fn objects(&self) -> impl Iterator<Item = Object> + '_ {
        let range: std::ops::Range<ObjectIndex> = self.inventory.range(trash::TRASH.as_bytes());
        range.filter(|&index| !self.inventory.is_gone(index)).map(|index| self.inventory.object(index))
    }

    /// What lies in the trash, by run, oldest first. What this program did not put there is under an empty id.
    pub fn by_run(&self) -> Vec<TrashedRun> {
        let mut by_run: BTreeMap<String, (Tally, Option<Timestamp>)> = BTreeMap::new();
        for object in self.objects() {
            let run = trashed(object.key.as_bytes()).map(|trashed| trashed.run).unwrap_or_default();
            let (total, newest) = by_run.entry(run).or_default();
            total.count(object.size);
            *newest = (*newest).max(object.last_modified);
        }
        by_run.into_iter().map(|(run, (total, newest))| TrashedRun { run, total, newest }).collect()
    }

    /// The run whose id begins so and that has something in the trash.
    ///
    /// # Errors
    /// [`TrashError::NoSuchRun`].
    pub fn run(&self, beginning: &str) -> Result<String, TrashError> {
        let runs: Vec<String> = self.by_run().into_iter().map(|run| run.run).collect();
        let matching: Vec<&String> = runs.iter().filter(|run| !run.is_empty() && run.starts_with(beginning)).collect();
        match matching.as_slice() {
            [run] => Ok((*run).clone()),
            [] => Err(TrashError::NoSuchRun(format!("nothing of a run {beginning:?} is in the trash"))),
            _ => Err(TrashError::NoSuchRun(format!("several runs in the trash begin with {beginning:?}"))),
        }
    }

    /// A plan to bring back what the run moved to the trash.
    ///
    /// # Errors
    /// [`TrashError`].
    pub fn restore(&self, run: &str, only: &Only) -> Result<Plan, TrashError> {
        let mut long: Option<HashMap<Key, Key>> = None;
        let mut rows = Vec::new();
        for object in self.objects() {
            let Some(said) = trashed(object.key.as_bytes()).filter(|said| said.run == run) else { continue };
            let key = match said.key {
                Some(key) => key,
                None => {
                    let keys = match &mut long {
                        Some(keys) => keys,
                        unread => unread.insert(places(&self.runs, run)?),
                    };
                    let Some(key) = keys.get(&object.key) else { continue };
                    key.clone()
                }
            };
            if only.takes(&key) {
                rows.push(row(object, Some(key), format!("run {run} moved it to the trash")));
            }
        }
        Ok(self.plan(PlanKind::Restore, rows))
    }

    /// A plan to delete for good what has been in the trash for at least so many seconds; of that, if places in it are
    /// named, only what is there. What this program did not put there is left.
    pub fn empty(&self, older_than_seconds: i64, only: &[Key]) -> Plan {
        let now = draft::now(self.scan, self.clock);
        let is_old =
            |object: &Object| object.last_modified.is_some_and(|moved| now.seconds_since(moved) >= older_than_seconds);
        let only: HashSet<&Key> = only.iter().collect();
        let is_meant = |object: &Object| only.is_empty() || only.contains(&object.key);
        let rows = self.objects().filter(is_old).filter(is_meant).filter_map(|object| {
            let run = trashed(object.key.as_bytes())?.run;
            Some(row(object, None, format!("run {run} moved it to the trash")))
        });
        self.plan(PlanKind::EmptyTrash, rows.collect())
    }

    fn plan(&self, kind: PlanKind, rows: Vec<PlanRow>) -> Plan {
        let created_at = draft::now(self.scan, self.clock);
        let header = PlanHeader {
            id: Uuid::now_v7().to_string(),
            kind,
            endpoint: self.identity.endpoint.clone(),
            account: self.identity.account.clone(),
            bucket: self.identity.bucket.clone(),
            layouts: self.layouts.clone(),
            sources: Vec::new(),
            bucket_objects: self.inventory.alive(),
            whole: false,
            scanned_at: self.scan.server_time,
            created_at,
            expires_at: created_at.plus_seconds(LIFETIME_SECONDS),
            min_age_seconds: 0,
            caps: Caps::default(),
            deletes: self.deletes,
            guards: self.guards(&rows),
            tool: env!("CARGO_PKG_VERSION").into(),
            digest: String::new(),
        };
        plan_file::seal(Plan { header, rows })
    }

    fn guards(&self, rows: &[PlanRow]) -> Vec<GuardReport> {
        let report = |name: &str, passed: bool, message: String| GuardReport { name: name.into(), passed, message };
        let listing = match &self.scan.completeness {
            Completeness::Complete => report("listing complete", true, "all of the trash was listed".into()),
            Completeness::Kept(at) => {
                report("listing complete", false, format!("the listing was kept at {at}; list again"))
            }
            Completeness::Incomplete(failure) => {
                report("listing complete", false, format!("the listing is incomplete: {}; try again", failure.why))
            }
        };
        let mut reports =
            vec![report("something to do", !rows.is_empty(), format!("{} objects of the trash", rows.len())), listing];
        reports.extend(trash_guards(rows));
        reports
    }
}

fn row(object: Object, destination: Option<Key>, because: String) -> PlanRow {
    PlanRow {
        object,
        verdict: Verdict::Undetermined,
        flags: Flags::default(),
        project: None,
        because,
        readings: Vec::new(),
        claims: Vec::new(),
        destination,
    }
}

/// The bucket with what its trash holds now. What is known to be gone is left out; all else stays as it was listed.
///
/// # Errors
/// [`OutOfOrder`] if `fresh` has keys of elsewhere.
pub fn with_trash(bucket: &Inventory, fresh: &Inventory) -> Result<Inventory, OutOfOrder> {
    let before = bucket.range(trash::TRASH.as_bytes());
    let mut merged = Inventory::new();
    for (part, range) in [(bucket, 0..before.start), (fresh, 0..fresh.len()), (bucket, before.end..bucket.len())] {
        let alive = range.filter(|index| !part.is_gone(*index));
        alive.into_iter().try_for_each(|index| merged.push(part.object(index)))?;
    }
    Ok(merged)
}

/// The key of every place of a run, from its plan.
fn places(runs_folder: &Path, run: &str) -> Result<HashMap<Key, Key>, JournalError> {
    let plan = runs::open(runs_folder, run)?.plan()?;
    let place = |row: PlanRow| (trash::place(run, &row.object.key), row.object.key);
    Ok(plan.rows.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::samples::inventory_of;
    use crate::domain::{ETag, StorageClass};

    fn object(key: &str, size: u64) -> Object {
        let (etag, storage_class) = (ETag::new("e"), StorageClass::new(""));
        Object { key: Key::from(key), size, etag, last_modified: None, storage_class }
    }

    fn all(inventory: &Inventory) -> Vec<(Key, u64)> {
        let alive = (0..inventory.len()).filter(|index| !inventory.is_gone(*index));
        alive.map(|index| (inventory.key(index), inventory.size(index))).collect()
    }

    fn key(name: &str, in_trash: bool) -> String {
        if in_trash { format!("{}{name}", trash::TRASH) } else { name.to_owned() }
    }

    proptest! {
        #[test]
        fn only_the_trash_is_replaced_and_what_is_gone_stays_gone(
            kept in prop::collection::btree_set("[!a-c.~/]{1,3}", 0..12),
            before in prop::collection::btree_set("[a-c]{1,2}", 0..6),
            after in prop::collection::btree_set("[a-c]{1,2}", 0..6),
            gone in prop::collection::vec(any::<bool>(), 12),
        ) {
            let in_trash = |names: &std::collections::BTreeSet<String>| names.iter().map(|name| key(name, true)).collect();
            let (before, after): (Vec<String>, Vec<String>) = (in_trash(&before), in_trash(&after));
            let mut keys: Vec<&String> = kept.iter().chain(&before).collect();
            keys.sort();
            let mut bucket = inventory_of(keys.iter().map(|key| object(key, 1)));
            let gone_at: Vec<ObjectIndex> = (0..).zip(&keys).zip(gone).filter(|((_, _), gone)| *gone).map(|((at, _), _)| at).collect();
            bucket.forget(&gone_at);
            let fresh = inventory_of(after.iter().map(|key| object(key, 2)));
            let merged = with_trash(&bucket, &fresh).expect("an order");
            let mut expected: Vec<(Key, u64)> = all(&bucket)
                .into_iter()
                .filter(|(key, _)| !trash::is_in_trash(key.as_bytes()))
                .chain(all(&fresh))
                .collect();
            expected.sort();
            prop_assert_eq!(all(&merged), expected);
            prop_assert_eq!(merged.alive(), u64::from(merged.len()), "no place is kept for what is gone");
        }
    }
}
