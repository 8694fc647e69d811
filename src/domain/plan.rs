//! A plan: a frozen list of what will be deleted, of which exact objects, and why; with the guards that were asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capabilities::Atomicity;
use super::facts::{Claim, SourceReport};
pub use super::guards::{Caps, GuardReport};
use super::verdict::{Flags, Verdict};
use super::{Key, Object, Outcome, ProjectId, Tally, Timestamp, trash};

/// How long a plan may be applied, in seconds from its making.
pub const LIFETIME_SECONDS: i64 = 3600;

/// What is to be done to the objects of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlanKind {
    /// Permanent deletion.
    Delete,
    /// A move to the trash: a verified copy, then the deletion.
    #[default]
    Trash,
    /// A move from the trash back to where the object was.
    Restore,
    /// Permanent deletion of what lies in the trash.
    EmptyTrash,
    /// A row in the registry for each object that has none; nothing of the bucket is changed.
    Backfill,
    /// The removal of rows whose objects are proved missing; nothing of the bucket is changed.
    Prune,
}

impl PlanKind {
    /// Every kind.
    pub const ALL: [PlanKind; 6] =
        [Self::Delete, Self::Trash, Self::Restore, Self::EmptyTrash, Self::Backfill, Self::Prune];

    /// The word for it in plan files.
    pub fn name(self) -> &'static str {
        match self {
            PlanKind::Delete => "delete",
            PlanKind::Trash => "trash",
            PlanKind::Restore => "restore",
            PlanKind::EmptyTrash => "empty-trash",
            PlanKind::Backfill => "backfill",
            PlanKind::Prune => "prune",
        }
    }

    /// The kind that a plan file names.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What is done, for a sentence that goes on with "12 objects".
    pub fn action(self) -> &'static str {
        match self {
            PlanKind::Delete => "delete for good",
            PlanKind::Trash => "move to the trash",
            PlanKind::Restore => "restore from the trash",
            PlanKind::EmptyTrash => "delete for good from the trash",
            PlanKind::Backfill => "record in the registry",
            PlanKind::Prune => "remove the registry's rows of",
        }
    }

    /// Whether only the registry is changed.
    pub fn is_of_rows(self) -> bool {
        matches!(self, PlanKind::Backfill | PlanKind::Prune)
    }

    /// Whether each object is copied elsewhere, and the copy verified, before it is deleted.
    pub fn moves(self) -> bool {
        matches!(self, PlanKind::Trash | PlanKind::Restore)
    }

    /// Whether the objects lie in the trash.
    pub fn is_from_trash(self) -> bool {
        matches!(self, PlanKind::Restore | PlanKind::EmptyTrash)
    }

    /// How a key ends with which everything went as planned.
    pub fn done(self) -> Outcome {
        match self {
            PlanKind::Delete | PlanKind::EmptyTrash => Outcome::Deleted,
            PlanKind::Trash => Outcome::Trashed,
            PlanKind::Restore => Outcome::Restored,
            PlanKind::Backfill => Outcome::Recorded,
            PlanKind::Prune => Outcome::AbsentBefore,
        }
    }
}

/// Everything of a plan but its rows.
#[derive(Clone, PartialEq, Debug)]
pub struct PlanHeader {
    /// UUIDv7.
    pub id: String,
    /// What is to be done.
    pub kind: PlanKind,
    /// Endpoint URL.
    pub endpoint: String,
    /// Cloudflare account id, if known.
    pub account: Option<String>,
    /// Bucket.
    pub bucket: String,
    /// Hash of the layouts that gave the verdicts.
    pub layouts: String,
    /// The registry sources that gave the verdicts.
    pub sources: Vec<SourceReport>,
    /// Objects in the bucket when it was listed.
    pub bucket_objects: u64,
    /// Whether the whole bucket was selected, whatever of it the plan leaves.
    pub whole: bool,
    /// When the listing began, by the server's clock.
    pub scanned_at: Option<Timestamp>,
    /// When the plan was made, by the server's clock where it is known.
    pub created_at: Timestamp,
    /// When it can no longer be applied.
    pub expires_at: Timestamp,
    /// The age guard in force, in seconds.
    pub min_age_seconds: i64,
    /// The limits in force.
    pub caps: Caps,
    /// Whether a deletion could hit another object than the one that was looked at, as far as it was known when the plan
    /// was made.
    pub deletes: Atomicity,
    /// What every guard said.
    pub guards: Vec<GuardReport>,
    /// The version of the program that made it.
    pub tool: String,
    /// SHA-256 (hex) over the rows as they stand in the plan file.
    pub digest: String,
}

/// One object of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanRow {
    /// The exact object; whatever has changed by the time of the run is kept.
    pub object: Object,
    /// The verdict.
    pub verdict: Verdict,
    /// Its flags.
    pub flags: Flags,
    /// The project that it is counted under.
    pub project: Option<ProjectId>,
    /// The rule that decided.
    pub because: String,
    /// Each reading of the key: the layout and the project that it names.
    pub readings: Vec<(Arc<str>, ProjectId)>,
    /// The registry's rows and references that have the key.
    pub claims: Vec<Claim>,
    /// Where the object is moved to, where the plan says it. The place in the trash is known only when the run has its id.
    pub destination: Option<Key>,
}

impl PlanRow {
    /// Where the object is moved to by this run of this kind of plan; `None` if it is not moved.
    pub fn destination(&self, kind: PlanKind, run: &str) -> Option<Key> {
        match kind {
            PlanKind::Delete | PlanKind::EmptyTrash | PlanKind::Backfill | PlanKind::Prune => None,
            PlanKind::Trash => Some(trash::place(run, &self.object.key)),
            PlanKind::Restore => self.destination.clone(),
        }
    }
}

/// A plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// Everything but the rows.
    pub header: PlanHeader,
    /// The objects, in key order, no key twice.
    pub rows: Vec<PlanRow>,
}

/// What a plan comes to, counted once for whoever shows it again and again.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PlanSums {
    /// Everything.
    pub total: Tally,
    /// By verdict.
    pub by_verdict: BTreeMap<Verdict, Tally>,
    /// By project.
    pub by_project: BTreeMap<Option<ProjectId>, Tally>,
}

impl PlanSums {
    /// Counts the rows.
    pub fn of(plan: &Plan) -> Self {
        Self { total: plan.total(), by_verdict: plan.by_verdict(), by_project: plan.by_project() }
    }
}

impl Plan {
    /// Objects and bytes of the whole plan.
    pub fn total(&self) -> Tally {
        self.sum_by(|_| ()).remove(&()).unwrap_or_default()
    }

    /// Objects and bytes by project.
    pub fn by_project(&self) -> BTreeMap<Option<ProjectId>, Tally> {
        self.sum_by(|row| row.project.clone())
    }

    /// Objects and bytes by verdict.
    pub fn by_verdict(&self) -> BTreeMap<Verdict, Tally> {
        self.sum_by(|row| row.verdict)
    }

    fn sum_by<K: Ord>(&self, group: impl Fn(&PlanRow) -> K) -> BTreeMap<K, Tally> {
        let mut sums = BTreeMap::new();
        for row in &self.rows {
            sums.entry(group(row)).or_insert_with(Tally::default).count(row.object.size);
        }
        sums
    }

    /// What a person has to type before this plan is carried out: the bucket and the number of objects, and before a plan
    /// that clears the bucket also `EMPTY`.
    pub fn confirmation(&self) -> String {
        let empty = if self.empties() { "EMPTY " } else { "" };
        format!("{empty}{} {}", self.header.bucket, self.rows.len())
    }

    /// Whether it is meant to clear the bucket, or would, meant or not.
    pub fn empties(&self) -> bool {
        let clears = matches!(self.header.kind, PlanKind::Delete | PlanKind::Trash);
        let is_all = !self.rows.is_empty() && self.rows.len() as u64 >= self.header.bucket_objects;
        self.header.whole || (clears && is_all)
    }

    /// Why the plan may not be carried out; empty if it may.
    pub fn refusals(&self) -> Vec<&GuardReport> {
        self.header.guards.iter().filter(|guard| !guard.passed).collect()
    }
}
