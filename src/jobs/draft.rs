//! Drafting a plan: freezing what was selected, with evidence and guards.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::audit::{Audit, server_now};
use super::ground::{Ground, drift};
use super::{Clock, place};
use crate::domain::facts::RegistryState;
use crate::domain::guards::{Caps, GuardFacts, guards};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::plan::{LIFETIME_SECONDS, Plan, PlanHeader, PlanKind, PlanRow};
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::verdict::{Flag, Verdict};
use crate::domain::{ProjectId, Timestamp};
use crate::journal::plan_file;
use crate::store::StoreIdentity;

/// What a plan is drafted from.
pub struct Draft<'a> {
    /// Where the bucket is.
    pub identity: &'a StoreIdentity,
    /// The listing.
    pub inventory: &'a Inventory,
    /// How the listing ended.
    pub scan: &'a ScanReport,
    /// The verdicts.
    pub audit: &'a Audit,
    /// What is to be done.
    pub kind: PlanKind,
    /// What was remembered and asked for the guards.
    pub ground: &'a Ground,
    /// The limits in force.
    pub caps: &'a Caps,
    /// This machine's clock.
    pub clock: &'a Clock,
}

/// The server's time where it is known, else this machine's.
pub fn now(scan: &ScanReport, clock: &Clock) -> Timestamp {
    server_now(scan, clock).unwrap_or_else(|| clock.now())
}

/// Freezes the objects with these indices into a sealed plan. Whether it may be carried out is in its guards.
pub fn draft(input: &Draft<'_>, selected: impl IntoIterator<Item = ObjectIndex>) -> Plan {
    let mut indices: Vec<ObjectIndex> = selected.into_iter().filter(|&index| !input.inventory.is_gone(index)).collect();
    indices.sort_unstable();
    indices.dedup();
    let rows: Vec<PlanRow> = indices.into_iter().map(|index| row(input, index)).collect();
    let guards = guards(&rows, input.caps, &guard_facts(input, &rows));
    let created_at = now(input.scan, input.clock);
    let facts = input.audit.judge.facts();
    let header = PlanHeader {
        id: Uuid::now_v7().to_string(),
        kind: input.kind,
        endpoint: input.identity.endpoint.clone(),
        account: input.identity.account.clone(),
        bucket: input.identity.bucket.clone(),
        layouts: input.audit.judge.layouts().hash(),
        sources: facts.report().sources.clone(),
        bucket_objects: input.inventory.alive(),
        whole: false,
        scanned_at: input.scan.server_time,
        created_at,
        expires_at: created_at.plus_seconds(LIFETIME_SECONDS),
        min_age_seconds: input.audit.judge.policy().min_age_seconds,
        caps: input.caps.clone(),
        deletes: input.ground.deletes,
        guards,
        tool: env!("CARGO_PKG_VERSION").into(),
        digest: String::new(),
    };
    plan_file::seal(Plan { header, rows })
}

fn row(input: &Draft<'_>, index: ObjectIndex) -> PlanRow {
    let object = input.inventory.object(index);
    let judge = &input.audit.judge;
    let claims = judge.facts().claims_of(index);
    let (_, evidence) = judge.evidence(&object, &claims);
    let assessment = &input.audit.assessment;
    PlanRow {
        object,
        verdict: assessment.verdict(index),
        flags: assessment.flags(index),
        project: assessment.project(index).map(|project| assessment.project_id(project).clone()),
        because: evidence.because,
        readings: evidence.readings.into_iter().map(|(reading, _)| (reading.layout, reading.project)).collect(),
        claims: evidence.claims,
        destination: None,
    }
}

fn guard_facts(input: &Draft<'_>, rows: &[PlanRow]) -> GuardFacts {
    let facts = input.audit.judge.facts();
    let registry_problems = match &facts.report().state {
        RegistryState::Usable if facts.is_usable() => Vec::new(),
        RegistryState::Usable => vec!["the registry has no live project".into()],
        RegistryState::Absent => vec!["no registry is configured".into()],
        RegistryState::Unusable(reasons) => reasons.clone(),
    };
    let listing_problem = match &input.scan.completeness {
        Completeness::Complete => None,
        Completeness::Kept(at) => Some(format!("it was kept at {at}, and is not of now")),
        Completeness::Incomplete(failure) => Some(format!("{}: {}", place(input.identity), failure.why)),
    };
    let mut live_projects: BTreeMap<ProjectId, u64> = BTreeMap::new();
    for project in rows.iter().filter_map(|row| row.project.as_ref()).filter(|project| facts.is_live(project)) {
        live_projects.entry(project.clone()).or_insert(0);
    }
    count_objects(input, &mut live_projects);
    let facts_of_audit = GuardFacts {
        listing_problem,
        registry_problems,
        bucket_objects: input.inventory.alive(),
        listed: u64::from(input.inventory.len()),
        live_projects,
        canaries: input.audit.judge.policy().canary.look(facts, input.inventory),
        observed: input.audit.judge.policy().observed.clone(),
        ..GuardFacts::default()
    };
    input.ground.clone().into_facts(facts_of_audit, drift(facts))
}

fn count_objects(input: &Draft<'_>, projects: &mut BTreeMap<ProjectId, u64>) {
    let assessment = &input.audit.assessment;
    for project in 0..assessment.projects() {
        if let Some(count) = projects.get_mut(assessment.project_id(project)) {
            *count = assessment.project_totals(project).all().objects;
        }
    }
}

/// Why an object may not be marked or selected many at a time; `None` if it may.
pub fn left_out(audit: &Audit, index: ObjectIndex) -> Option<&'static str> {
    let (verdict, flags) = (audit.assessment.verdict(index), audit.assessment.flags(index));
    match verdict {
        _ if flags.has(Flag::Protected) => Some("protected"),
        _ if flags.has(Flag::Young) => Some("young"),
        _ if flags.has(Flag::Unconfirmed) => Some("unconfirmed"),
        Verdict::Orphaned => None,
        other => Some(other.name()),
    }
}
