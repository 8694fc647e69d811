//! A plan: a frozen list of what will be deleted, of which exact objects, and why; with the guards that were asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::{Claim, SourceReport};
use super::verdict::{Flags, Verdict};
use super::{Key, Object, Outcome, ProjectId, Tally, Timestamp, trash};

/// How long a plan may be applied, in seconds from its making.
pub const LIFETIME_SECONDS: i64 = 3600;

/// What is to be done to the objects of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanKind {
    /// Permanent deletion.
    Delete,
    /// A move to the trash: a verified copy, then the deletion.
    Trash,
    /// A move from the trash back to where the object was.
    Restore,
    /// Permanent deletion of what lies in the trash.
    EmptyTrash,
}

impl PlanKind {
    /// The word for it in plan files.
    pub fn name(self) -> &'static str {
        match self {
            PlanKind::Delete => "delete",
            PlanKind::Trash => "trash",
            PlanKind::Restore => "restore",
            PlanKind::EmptyTrash => "empty-trash",
        }
    }

    /// The kind that a plan file names.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delete, Self::Trash, Self::Restore, Self::EmptyTrash].into_iter().find(|kind| kind.name() == name)
    }

    /// What is done, for a sentence that goes on with "12 objects".
    pub fn action(self) -> &'static str {
        match self {
            PlanKind::Delete => "delete for good",
            PlanKind::Trash => "move to the trash",
            PlanKind::Restore => "restore from the trash",
            PlanKind::EmptyTrash => "delete for good from the trash",
        }
    }

    /// Whether each object is copied elsewhere, and the copy verified, before it is deleted.
    pub fn moves(self) -> bool {
        matches!(self, PlanKind::Trash | PlanKind::Restore)
    }

    /// How a key ends with which everything went as planned.
    pub fn done(self) -> Outcome {
        match self {
            PlanKind::Delete | PlanKind::EmptyTrash => Outcome::Deleted,
            PlanKind::Trash => Outcome::Trashed,
            PlanKind::Restore => Outcome::Restored,
        }
    }
}

/// Limits that are checked before the first request; exceeding one by one object deletes nothing.
#[derive(Clone, PartialEq, Debug)]
pub struct Caps {
    /// Objects in one plan.
    pub objects: u64,
    /// Bytes in one plan.
    pub bytes: u64,
    /// Share of the bucket's objects, 0 to 1.
    pub bucket_share: f64,
    /// Share of the objects of any one live project, 0 to 1.
    pub live_project_share: f64,
}

impl Default for Caps {
    fn default() -> Self {
        Self { objects: 100_000, bytes: 10 << 40, bucket_share: 0.5, live_project_share: 0.5 }
    }
}

/// What a guard said of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardReport {
    /// Its name.
    pub name: String,
    /// Whether it lets the plan pass.
    pub passed: bool,
    /// What it compared, or why it refuses and what would change its mind.
    pub message: String,
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
            PlanKind::Delete | PlanKind::EmptyTrash => None,
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

    /// What a person has to type before this plan is carried out: the bucket and the number of objects.
    pub fn confirmation(&self) -> String {
        format!("{} {}", self.header.bucket, self.rows.len())
    }

    /// Why the plan may not be carried out; empty if it may.
    pub fn refusals(&self) -> Vec<&GuardReport> {
        self.header.guards.iter().filter(|guard| !guard.passed).collect()
    }
}

/// What the guards look at beside the rows.
#[derive(Clone, Debug, Default)]
pub struct GuardFacts {
    /// Why the listing is not all of the bucket, if it is not.
    pub listing_problem: Option<String>,
    /// Why the registry cannot be trusted, if it cannot.
    pub registry_problems: Vec<String>,
    /// Objects in the bucket.
    pub bucket_objects: u64,
    /// Objects of each live project that the plan touches.
    pub live_projects: BTreeMap<ProjectId, u64>,
}

/// Asks every guard. The order is the order in which they are shown.
pub fn guards(rows: &[PlanRow], caps: &Caps, facts: &GuardFacts) -> Vec<GuardReport> {
    vec![
        not_empty(rows),
        listing_complete(facts),
        registry_trusted(rows, facts),
        nothing_protected(rows),
        nothing_young(rows),
        object_cap(rows, caps),
        byte_cap(rows, caps),
        bucket_share(rows, caps, facts),
        live_project_share(rows, caps, facts),
    ]
}

fn report(name: &str, passed: bool, passes: impl FnOnce() -> String, refuses: impl FnOnce() -> String) -> GuardReport {
    GuardReport { name: name.into(), passed, message: if passed { passes() } else { refuses() } }
}

fn not_empty(rows: &[PlanRow]) -> GuardReport {
    report(
        "something to do",
        !rows.is_empty(),
        || format!("{} objects", rows.len()),
        || "no object is in the plan; mark or select some".into(),
    )
}

fn listing_complete(facts: &GuardFacts) -> GuardReport {
    report(
        "listing complete",
        facts.listing_problem.is_none(),
        || format!("all {} objects of the bucket were listed", facts.bucket_objects),
        || {
            format!(
                "the listing is incomplete ({}); list the bucket again",
                facts.listing_problem.as_deref().unwrap_or("")
            )
        },
    )
}

fn registry_trusted(rows: &[PlanRow], facts: &GuardFacts) -> GuardReport {
    let needs_registry = rows.iter().any(|row| row.verdict != Verdict::Undetermined);
    let undetermined = rows.len() - rows.iter().filter(|row| row.verdict != Verdict::Undetermined).count();
    report(
        "registry trusted",
        facts.registry_problems.is_empty() || !needs_registry,
        || match undetermined {
            0 => "every source was read to its end".into(),
            count => format!("{count} objects were named one by one without a verdict"),
        },
        || format!("{}; mend the registry and audit again", facts.registry_problems.join("; ")),
    )
}

fn nothing_protected(rows: &[PlanRow]) -> GuardReport {
    let count = rows.iter().filter(|row| row.flags.has(super::Flag::Protected)).count();
    report(
        "nothing protected",
        count == 0,
        || "no object lies under a protected prefix or project".into(),
        || format!("{count} objects are protected by the configuration; leave them out"),
    )
}

fn nothing_young(rows: &[PlanRow]) -> GuardReport {
    let count = rows.iter().filter(|row| row.flags.has(super::Flag::Young)).count();
    report(
        "nothing young",
        count == 0,
        || "every object is older than the age guard".into(),
        || format!("{count} objects are younger than the age guard or of unknown age; wait, or lower --min-age"),
    )
}

fn object_cap(rows: &[PlanRow], caps: &Caps) -> GuardReport {
    let count = rows.len() as u64;
    report(
        "object cap",
        count <= caps.objects,
        || format!("{count} of at most {} objects", caps.objects),
        || {
            format!(
                "{count} objects are more than the cap of {}; narrow the selection or raise caps.objects",
                caps.objects
            )
        },
    )
}

fn byte_cap(rows: &[PlanRow], caps: &Caps) -> GuardReport {
    let bytes = rows.iter().fold(0u64, |sum, row| sum.saturating_add(row.object.size));
    report(
        "byte cap",
        bytes <= caps.bytes,
        || format!("{bytes} of at most {} bytes", caps.bytes),
        || format!("{bytes} bytes are more than the cap of {}; narrow the selection or raise caps.bytes", caps.bytes),
    )
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn bucket_share(rows: &[PlanRow], caps: &Caps, facts: &GuardFacts) -> GuardReport {
    let share = share(rows.len() as u64, facts.bucket_objects);
    report(
        "bucket share",
        rows.is_empty() || share <= caps.bucket_share,
        || format!("{:.1} % of the bucket, at most {:.1} %", share * 100.0, caps.bucket_share * 100.0),
        || {
            format!(
                "{:.1} % of the bucket's objects are more than the cap of {:.1} %; narrow the selection or raise caps.bucket_share",
                share * 100.0,
                caps.bucket_share * 100.0
            )
        },
    )
}

fn live_project_share(rows: &[PlanRow], caps: &Caps, facts: &GuardFacts) -> GuardReport {
    let mut planned: BTreeMap<&ProjectId, u64> = BTreeMap::new();
    for project in rows.iter().filter_map(|row| row.project.as_ref()) {
        *planned.entry(project).or_default() += 1;
    }
    let worst = facts
        .live_projects
        .iter()
        .map(|(project, objects)| (share(planned.get(project).copied().unwrap_or(0), *objects), project))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let (share, project) = worst.map_or((0.0, None), |(share, project)| (share, Some(project)));
    report(
        "live project share",
        share <= caps.live_project_share,
        || match project {
            None => "no live project loses an object".into(),
            Some(project) => format!("live project {project} loses {:.1} % of its objects", share * 100.0),
        },
        || {
            format!(
                "live project {} would lose {:.1} % of its objects, more than the cap of {:.1} %; leave it out or raise caps.live_project_share",
                project.map(ToString::to_string).unwrap_or_default(),
                share * 100.0,
                caps.live_project_share * 100.0
            )
        },
    )
}
