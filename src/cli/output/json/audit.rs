//! What `audit --json` prints.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Amount, Asked, SCHEMA, time_text};
use crate::domain::assessment::{Assessment, VerdictTotals};
use crate::domain::facts::{Claim, ClaimKind, Facts, Owner, RegistryState};
use crate::domain::judge::Judge;
use crate::domain::key::Escaped;
use crate::domain::verdict::{Evidence, Flag, Reading, Verdict};
use crate::domain::{Flags, Object, ProjectId};
use crate::journal::keys::KeyFields;

/// One object, its verdict and why.
#[derive(Serialize)]
pub struct AuditedObject {
    schema: u32,
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    last_modified: Option<String>,
    etag: String,
    storage_class: String,
    verdict: &'static str,
    flags: Vec<&'static str>,
    project: Option<String>,
    readings: Vec<ReadingFields>,
    evidence: EvidenceFields,
}

/// One reading of a key.
#[derive(Serialize)]
pub struct ReadingFields {
    layout: String,
    health: &'static str,
    project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<bool>,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct EvidenceFields {
    because: String,
    claims: Vec<ClaimFields>,
    sources: Vec<String>,
    age_seconds: Option<i64>,
    judged_at: Option<String>,
}

#[derive(Serialize)]
struct ClaimFields {
    kind: &'static str,
    owner: &'static str,
    project: Option<String>,
}

impl AuditedObject {
    /// The object with its evidence. Flags and project come from the assessment of the whole bucket.
    pub fn new(object: &Object, verdict: Verdict, flags: Flags, project: Option<String>, evidence: Evidence) -> Self {
        Self {
            schema: SCHEMA,
            key: KeyFields::from(&object.key),
            size: object.size,
            last_modified: time_text(object.last_modified),
            etag: object.etag.as_str().into(),
            storage_class: object.storage_class.as_str().into(),
            verdict: verdict.name(),
            flags: flags.iter().map(Flag::name).collect(),
            project,
            readings: evidence
                .readings
                .iter()
                .map(|(reading, live)| ReadingFields::new(reading, Some(*live)))
                .collect(),
            evidence: EvidenceFields {
                because: evidence.because,
                claims: evidence.claims.iter().map(ClaimFields::from).collect(),
                sources: evidence.sources,
                age_seconds: evidence.age_seconds,
                judged_at: time_text(evidence.judged_at),
            },
        }
    }
}

impl ReadingFields {
    /// The reading, and whether its project is live where a registry was asked. Keys that are not UTF-8 have no reading.
    pub fn new(reading: &Reading, live: Option<bool>) -> Self {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).map_or_else(|_| Escaped(bytes).to_string(), str::to_owned);
        Self {
            layout: reading.layout.to_string(),
            health: reading.health.name(),
            project: text(reading.project.as_bytes()),
            live,
            fields: reading.fields.iter().map(|(field, value)| (field.name(), text(value))).collect(),
        }
    }
}

impl From<&Claim> for ClaimFields {
    fn from(claim: &Claim) -> Self {
        let (owner, project) = match &claim.owner {
            Owner::Live(id) => ("live", Some(id.to_string())),
            Owner::Dead(id) => ("dead", Some(id.to_string())),
            Owner::Unknown => ("unknown", None),
        };
        let kind = match claim.kind {
            ClaimKind::Row => "row",
            ClaimKind::Reference => "reference",
        };
        Self { kind, owner, project }
    }
}

/// The totals of an audit.
#[derive(Serialize)]
pub struct AuditSummary {
    schema: u32,
    objects: u64,
    bytes: u64,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete_because: Option<String>,
    registry: RegistrySummary,
    by_verdict: BTreeMap<&'static str, Amount>,
    by_flag: BTreeMap<&'static str, Amount>,
    by_project: Vec<ProjectSummary>,
    missing: u64,
    #[serde(flatten)]
    asked: Asked,
}

#[derive(Serialize)]
struct RegistrySummary {
    state: &'static str,
    reasons: Vec<String>,
    projects: u64,
    tracked: Option<u64>,
    sources: Vec<String>,
}

#[derive(Serialize)]
struct ProjectSummary {
    project: Option<String>,
    live: bool,
    objects: u64,
    bytes: u64,
    by_verdict: BTreeMap<&'static str, Amount>,
}

/// The word for a registry's state, and why it is not usable.
pub fn registry_state(facts: &Facts) -> (&'static str, Vec<String>) {
    match &facts.report().state {
        RegistryState::Usable if facts.is_usable() => ("usable", Vec::new()),
        RegistryState::Usable => ("unusable", vec!["the registry has no live project".into()]),
        RegistryState::Absent => ("absent", vec!["no registry is configured".into()]),
        RegistryState::Unusable(reasons) => ("unusable", reasons.clone()),
    }
}

impl AuditSummary {
    /// The totals of all objects that were looked at: `groups` by project, `None` for objects of no project.
    pub fn new(
        judge: &Judge,
        incomplete_because: Option<String>,
        totals: &VerdictTotals,
        groups: &[(Option<u32>, VerdictTotals)],
        assessment: &Assessment,
        asked: Asked,
    ) -> Self {
        let facts = judge.facts();
        let (state, reasons) = registry_state(facts);
        let sources = &facts.report().sources;
        let all = totals.all();
        Self {
            schema: SCHEMA,
            objects: all.objects,
            bytes: all.bytes,
            complete: incomplete_because.is_none(),
            incomplete_because,
            registry: RegistrySummary {
                state,
                reasons,
                projects: sources.iter().map(|source| source.projects).sum(),
                tracked: sources.iter().filter_map(|source| source.tracked).reduce(|sum, more| sum + more),
                sources: sources.iter().map(|source| source.line()).collect(),
            },
            by_verdict: by_verdict(totals),
            by_flag: Flag::ALL.into_iter().map(|flag| (flag.name(), totals.flagged(flag).into())).collect(),
            by_project: groups
                .iter()
                .map(|(project, totals)| project_summary(project.map(|at| assessment.project_id(at)), totals, facts))
                .collect(),
            missing: facts.missing().len() as u64,
            asked,
        }
    }
}

fn project_summary(project: Option<&ProjectId>, totals: &VerdictTotals, facts: &Facts) -> ProjectSummary {
    let all = totals.all();
    ProjectSummary {
        project: project.map(ToString::to_string),
        live: project.is_some_and(|id| facts.is_live(id)),
        objects: all.objects,
        bytes: all.bytes,
        by_verdict: by_verdict(totals).into_iter().filter(|(_, amount)| amount.objects > 0).collect(),
    }
}

fn by_verdict(totals: &VerdictTotals) -> BTreeMap<&'static str, Amount> {
    Verdict::ALL.into_iter().map(|verdict| (verdict.name(), totals.of(verdict).into())).collect()
}
