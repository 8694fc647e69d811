//! The plans that mend drift: to record untracked objects of live projects, and to remove rows whose objects are proved
//! missing. Both are confirmed and carried out like every other plan.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Drifting;
use crate::domain::capabilities::Atomicity;
use crate::domain::drift::{Absence, DriftReport, MissingKey};
use crate::domain::facts::{ClaimKind, Owner};
use crate::domain::inventory::ObjectIndex;
use crate::domain::plan::{Caps, GuardReport, LIFETIME_SECONDS, Plan, PlanHeader, PlanKind, PlanRow};
use crate::domain::verdict::{Flag, Flags, Verdict};
use crate::domain::{ETag, Key, Object, ProjectId, StorageClass};
use crate::jobs::{Clock, draft};
use crate::journal::plan_file;

/// So many rows may be removed even if they are most of what is tracked.
const FEW_ROWS: u64 = 50;

/// Whose rows are removed beside those of projects that the registry does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Also {
    /// Rows of live projects, whose objects are missing all the same.
    pub live: bool,
    /// Rows that do not say whose they are.
    pub unknown: bool,
}

/// What bounds such a plan.
pub struct Bounds<'a> {
    /// The limits in force.
    pub caps: &'a Caps,
    /// This machine's clock.
    pub clock: &'a Clock,
}

/// A plan to remove the rows whose objects are proved missing.
pub fn prune(input: &Drifting<'_>, report: &DriftReport, also: Also, bounds: &Bounds<'_>) -> Plan {
    let is_meant = |missing: &&MissingKey| {
        missing.claim.kind == ClaimKind::Row
            && missing.proof == Absence::Proved
            && match missing.claim.owner {
                Owner::Dead(_) => true,
                Owner::Live(_) => also.live,
                Owner::Unknown => also.unknown,
            }
    };
    let mut rows: BTreeMap<&Key, PlanRow> = BTreeMap::new();
    for missing in report.missing.iter().filter(is_meant) {
        let row = rows.entry(&missing.key).or_insert_with(|| row_of_missing(&missing.key));
        row.project = row.project.take().or_else(|| owner(&missing.claim.owner).cloned());
        row.claims.push(missing.claim.clone());
    }
    plan(input, report, PlanKind::Prune, rows.into_values().collect(), bounds)
}

fn owner(owner: &Owner) -> Option<&ProjectId> {
    match owner {
        Owner::Live(project) | Owner::Dead(project) => Some(project),
        Owner::Unknown => None,
    }
}

fn row_of_missing(key: &Key) -> PlanRow {
    PlanRow {
        object: Object {
            key: key.clone(),
            size: 0,
            etag: ETag::new(""),
            last_modified: None,
            storage_class: StorageClass::default(),
        },
        verdict: Verdict::Undetermined,
        flags: Flags::default(),
        project: None,
        because: "the registry tracks the key, and the store says that there is no such object".into(),
        readings: Vec::new(),
        claims: Vec::new(),
        destination: None,
    }
}

/// A plan to record the untracked objects of live projects. Young ones are left to the app, which may be about to record
/// them itself.
pub fn backfill(input: &Drifting<'_>, report: &DriftReport, bounds: &Bounds<'_>) -> Plan {
    let rows = report.untracked.iter().filter_map(|untracked| {
        let index = input.inventory.find(untracked.key.as_bytes())?;
        (!input.audit.assessment.flags(index).has(Flag::Young))
            .then(|| row_of_untracked(input, index, &untracked.project))
    });
    plan(input, report, PlanKind::Backfill, rows.collect(), bounds)
}

fn row_of_untracked(input: &Drifting<'_>, index: ObjectIndex, project: &ProjectId) -> PlanRow {
    let (object, judge) = (input.inventory.object(index), &input.audit.judge);
    let (_, evidence) = judge.evidence(&object, &judge.facts().claims_of(index));
    PlanRow {
        object,
        verdict: Verdict::Untracked,
        flags: input.audit.assessment.flags(index),
        project: Some(project.clone()),
        because: evidence.because,
        readings: evidence.readings.into_iter().map(|(reading, _)| (reading.layout, reading.project)).collect(),
        claims: evidence.claims,
        destination: None,
    }
}

fn plan(input: &Drifting<'_>, report: &DriftReport, kind: PlanKind, rows: Vec<PlanRow>, bounds: &Bounds<'_>) -> Plan {
    let created_at = draft::now(input.scan, bounds.clock);
    let identity = input.store.identity();
    let header = PlanHeader {
        id: Uuid::now_v7().to_string(),
        kind,
        endpoint: identity.endpoint.clone(),
        account: identity.account.clone(),
        bucket: identity.bucket.clone(),
        layouts: input.audit.judge.layouts().hash(),
        sources: report.sources.clone(),
        bucket_objects: input.inventory.alive(),
        whole: false,
        scanned_at: input.scan.server_time,
        created_at,
        expires_at: created_at.plus_seconds(LIFETIME_SECONDS),
        min_age_seconds: input.audit.judge.policy().min_age_seconds,
        caps: bounds.caps.clone(),
        // Nothing of the bucket is deleted.
        deletes: Atomicity::Unmeasured,
        guards: guards(kind, report, &rows, bounds.caps),
        tool: env!("CARGO_PKG_VERSION").into(),
        digest: String::new(),
    };
    plan_file::seal(Plan { header, rows })
}

fn guards(kind: PlanKind, report: &DriftReport, rows: &[PlanRow], caps: &Caps) -> Vec<GuardReport> {
    let guard = |name: &str, passed: bool, message: String| GuardReport { name: name.into(), passed, message };
    let count = rows.len() as u64;
    let compared = match &report.problem {
        None => "bucket and registry were compared to the end".into(),
        Some(problem) => problem.clone(),
    };
    let within = match caps.objects {
        limit if count > limit => format!("{count} keys, and at most {limit} are allowed"),
        limit => format!("{count} keys of at most {limit}"),
    };
    let mut guards = vec![
        guard("something to do", count > 0, format!("{count} keys")),
        guard("registry trusted", report.problem.is_none(), compared),
        guard("object cap", count <= caps.objects, within),
    ];
    if kind == PlanKind::Prune {
        let tracked: u64 = report.sources.iter().filter_map(|source| source.tracked).sum();
        let belongs = count <= FEW_ROWS || count.saturating_mul(2) <= tracked;
        let message = match belongs {
            true => format!("{count} of {tracked} tracked keys are to go"),
            false => format!(
                "{count} of {tracked} tracked keys are not in the bucket: bucket and registry hardly belong together"
            ),
        };
        guards.push(guard("tracked keys present", belongs, message));
    }
    guards
}
