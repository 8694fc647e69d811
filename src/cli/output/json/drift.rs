//! What `registry check` and `audit --explain` print with `--json`.

use serde::Serialize;

use super::{Asked, SCHEMA};
use crate::domain::drift::{Absence, DriftReport, FoundBy};
use crate::domain::facts::{Claim, ClaimKind, Owner};
use crate::domain::{Key, ProjectId, Verdict};
use crate::journal::keys::KeyFields;

/// One difference between bucket and registry, or one key of a side.
#[derive(Serialize)]
pub struct DriftLine {
    schema: u32,
    kind: &'static str,
    #[serde(flatten)]
    key: KeyFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

/// The word for what is known of a missing key.
pub fn proof_name(proof: &Absence) -> &'static str {
    match proof {
        Absence::NotAsked => "not-asked",
        Absence::Proved => "proved",
        Absence::ThereAfterAll => "there-after-all",
        Absence::Unproven(_) => "unproven",
    }
}

/// The word for an owner, and the project if it is known.
pub fn owner_fields(claim: &Claim) -> (&'static str, Option<&ProjectId>) {
    match &claim.owner {
        Owner::Live(project) => ("live", Some(project)),
        Owner::Dead(project) => ("dead", Some(project)),
        Owner::Unknown => ("unknown", None),
    }
}

impl DriftLine {
    fn new(kind: &'static str, key: &Key) -> Self {
        Self {
            schema: SCHEMA,
            kind,
            key: KeyFields::from(key),
            size: None,
            project: None,
            owner: None,
            claim: None,
            proof: None,
            recorded: None,
            rows: None,
        }
    }

    /// Every line of a report, one kind after the other.
    pub fn of(report: &DriftReport) -> Vec<Self> {
        let untracked = report.untracked.iter().map(|it| Self {
            size: Some(it.size),
            project: Some(it.project.to_string()),
            ..Self::new("untracked", &it.key)
        });
        let missing = report.missing.iter().map(|it| {
            let (owner, project) = owner_fields(&it.claim);
            let claim = if it.claim.kind == ClaimKind::Row { "row" } else { "reference" };
            Self {
                project: project.map(ToString::to_string),
                owner: Some(owner),
                claim: Some(claim),
                proof: Some(proof_name(&it.proof)),
                ..Self::new("missing", &it.key)
            }
        });
        let sizes = report.wrong_sizes.iter().map(|it| Self {
            size: Some(it.actual),
            recorded: Some(it.recorded),
            ..Self::new("wrong-size", &it.key)
        });
        let repeated = report.repeated.iter().map(|it| Self { rows: Some(it.rows), ..Self::new("repeated", &it.key) });
        let dead = report.dead_rows.iter().map(|it| Self {
            size: Some(it.size),
            project: Some(it.project.to_string()),
            ..Self::new("dead-row", &it.key)
        });
        let sides = report.sides.iter().flat_map(|sides| {
            let side = |kind, keys: &[Key]| keys.iter().map(|key| Self::new(kind, key)).collect::<Vec<_>>();
            let keys =
                [("only-registry", &sides.only_registry), ("only-bucket", &sides.only_bucket), ("both", &sides.both)];
            keys.into_iter().flat_map(|(kind, keys)| side(kind, keys)).collect::<Vec<_>>()
        });
        untracked.chain(missing).chain(sizes).chain(repeated).chain(dead).chain(sides).collect()
    }
}

/// The last line of `registry check`.
#[derive(Serialize)]
pub struct DriftSummary {
    schema: u32,
    kind: &'static str,
    project: Option<String>,
    agrees: bool,
    problem: Option<String>,
    in_both: u64,
    untracked: u64,
    missing: u64,
    missing_proved: u64,
    wrong_sizes: u64,
    repeated: u64,
    dead_rows: u64,
    #[serde(flatten)]
    asked: Asked,
}

impl DriftSummary {
    /// The counts of a report, and what its listing took.
    pub fn new(report: &DriftReport, asked: Asked) -> Self {
        Self {
            schema: SCHEMA,
            kind: "summary",
            project: report.project.as_ref().map(ToString::to_string),
            agrees: report.agrees(),
            problem: report.problem.clone(),
            in_both: report.in_both,
            untracked: report.untracked.len() as u64,
            missing: report.missing.len() as u64,
            missing_proved: report.missing_with(|proof| *proof == Absence::Proved),
            wrong_sizes: report.wrong_sizes.len() as u64,
            repeated: report.repeated.len() as u64,
            dead_rows: report.dead_rows.len() as u64,
            asked,
        }
    }
}

/// One object of `audit --explain`.
#[derive(Serialize)]
pub struct FoundLine {
    schema: u32,
    found_by: &'static str,
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    verdict: &'static str,
}

impl FoundLine {
    /// An object of the project.
    pub fn new(found: FoundBy, key: &Key, size: u64, verdict: Verdict) -> Self {
        Self { schema: SCHEMA, found_by: found.name(), key: KeyFields::from(key), size, verdict: verdict.name() }
    }
}
