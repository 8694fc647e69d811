//! What `apply`, `verify` and `runs` print with `--json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::SCHEMA;
use crate::domain::Key;
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::progress::{RunReport, Verification};
use crate::domain::requests::Requests;
use crate::jobs::verify::Proof;
use crate::journal::bundle::Bundle;
use crate::journal::keys::KeyFields;
use crate::journal::lock::Owner;
use crate::journal::runs::RunSummary;

/// How a run ended.
#[derive(Serialize)]
pub struct RunResult {
    schema: u32,
    run: String,
    planned: u64,
    outcomes: BTreeMap<&'static str, u64>,
    verified: bool,
    verification: VerificationFields,
    bytes_gone: u64,
    rows: RowsFields,
    cancelled: bool,
    stopped: Option<String>,
    success: bool,
    requests: BTreeMap<&'static str, u64>,
    seconds: f64,
}

#[derive(Serialize)]
struct RowsFields {
    removed: u64,
    added: u64,
    put_back: u64,
    dropped: u64,
    left_read_only: bool,
    listed_in: Option<String>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct VerificationFields {
    result: &'static str,
    still_there: u64,
    why: Option<String>,
}

impl From<&Verification> for VerificationFields {
    fn from(verification: &Verification) -> Self {
        let (result, still_there, why) = match verification {
            Verification::Passed => ("passed", 0, None),
            Verification::StillThere(count) => ("still-there", *count, None),
            Verification::Inconclusive(why) => ("inconclusive", 0, Some(why.clone())),
        };
        Self { result, still_there, why }
    }
}

fn outcome_counts(outcomes: &OutcomeCounts) -> BTreeMap<&'static str, u64> {
    Outcome::ALL.into_iter().map(|outcome| (outcome.name(), outcomes.of(outcome))).collect()
}

fn request_counts(requests: &Requests) -> BTreeMap<&'static str, u64> {
    requests.iter().map(|(request, count)| (request.name(), count)).collect()
}

impl From<&RunReport> for RunResult {
    fn from(report: &RunReport) -> Self {
        Self {
            schema: SCHEMA,
            run: report.run.clone(),
            planned: report.planned,
            outcomes: outcome_counts(&report.outcomes),
            verified: report.verification == Verification::Passed,
            verification: (&report.verification).into(),
            bytes_gone: report.bytes_gone,
            rows: RowsFields {
                removed: report.rows.removed,
                added: report.rows.added,
                put_back: report.rows.put_back,
                dropped: report.rows.dropped,
                left_read_only: report.rows.left_read_only,
                listed_in: report.rows.listed_in.clone(),
                problem: report.rows.problem.clone(),
            },
            cancelled: report.cancelled,
            stopped: report.stopped.as_ref().map(ToString::to_string),
            success: report.is_success(),
            requests: request_counts(&report.requests),
            seconds: report.elapsed.as_secs_f64(),
        }
    }
}

/// What `verify` found.
#[derive(Serialize)]
pub struct VerifyResult {
    schema: u32,
    run: String,
    verified: bool,
    verification: VerificationFields,
    gone: u64,
    recreated: Vec<KeyFields>,
    still_there: Vec<KeyFields>,
}

impl VerifyResult {
    /// The proof of a run.
    pub fn new(run: &str, proof: &Proof) -> Self {
        let fields = |keys: &[Key]| keys.iter().map(KeyFields::from).collect();
        Self {
            schema: SCHEMA,
            run: run.into(),
            verified: proof.verification == Verification::Passed,
            verification: (&proof.verification).into(),
            gone: proof.gone.len() as u64,
            recreated: fields(&proof.recreated),
            still_there: fields(&proof.still_there),
        }
    }
}

/// A past run in a line.
#[derive(Serialize)]
pub struct RunLine {
    schema: u32,
    run: String,
    started_at: String,
    endpoint: String,
    bucket: String,
    planned: u64,
    outcomes: BTreeMap<&'static str, u64>,
    verification: Option<VerificationFields>,
    finished: bool,
    under_way: Option<String>,
    cancelled: bool,
    stopped: Option<String>,
    requests: BTreeMap<&'static str, u64>,
    damage: Option<String>,
}

impl RunLine {
    /// The run in a few words; `damage` is what is wrong with its journal, `owner` who carries it out now.
    pub fn new(summary: &RunSummary, damage: Option<&str>, owner: Option<&Owner>) -> Self {
        Self {
            schema: SCHEMA,
            run: summary.run.clone(),
            started_at: summary.started_at.clone(),
            endpoint: summary.endpoint.clone(),
            bucket: summary.bucket.clone(),
            planned: summary.planned,
            outcomes: outcome_counts(&summary.outcomes),
            verification: summary.verification.as_ref().map(VerificationFields::from),
            finished: summary.finished,
            under_way: owner.map(ToString::to_string),
            cancelled: summary.cancelled,
            stopped: summary.stopped.clone(),
            requests: request_counts(&summary.requests),
            damage: damage.map(str::to_owned),
        }
    }
}

/// A bundle of a run.
#[derive(Serialize)]
pub struct BundleLine {
    #[serde(flatten)]
    run: RunLine,
    file: String,
    seal: String,
}

impl BundleLine {
    /// A bundle that was written or found intact.
    pub fn new(bundle: &Bundle, file: &Path) -> Self {
        let run = RunLine::new(&bundle.summary, None, None);
        Self { run, file: file.display().to_string(), seal: bundle.seal.clone() }
    }
}

/// How one key of a run ended.
#[derive(Serialize)]
pub struct RunKey {
    schema: u32,
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    outcome: Option<&'static str>,
    why: Option<String>,
}

impl RunKey {
    /// The key, and its outcome if it has one.
    pub fn new(key: &Key, size: u64, end: Option<&(Outcome, Option<String>)>) -> Self {
        Self {
            schema: SCHEMA,
            key: KeyFields::from(key),
            size,
            outcome: end.map(|(outcome, _)| outcome.name()),
            why: end.and_then(|(_, why)| why.clone()),
        }
    }
}
