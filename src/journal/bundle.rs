//! One file that holds all of a run, to be kept or handed over, and checked anywhere without the bucket. Version 1.
//!
//! Every line is sealed as a journal's is ([`super::chain`]), with a chain of its own that begins at [`START`]; the digest
//! of the last line is the seal of the whole. The JSON of each line says in `line` what it is, in this order:
//!
//! - `bundle`: version, run, and who exported it when, where and with what;
//! - `plan`: in `text` one line of the plan's file, exactly;
//! - `journal`: in `text` one line of the journal, exactly;
//! - `key`: how one key ended, with the columns of the reports of S3 Batch Operations (`Bucket`, `Key`, `VersionId`,
//!   `TaskStatus`, `ErrorCode`, `HTTPStatusCode`, `ResultMessage`; AmazonS3 batch-ops-examples-reports) and beside them the
//!   outcome, the object that was planned, and the evidence. `Key` is percent-encoded. `ErrorCode` and `HTTPStatusCode`
//!   are those of the store's last answer to a request that was to change the object. Without an error code the outcome
//!   stands in its place; where nothing was asked, or one key of many was refused, there is no status. A bucket without
//!   versions has no version ids;
//! - `verification`: what the last verification found;
//! - `end`: how many lines of each kind there are.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::keys::KeyFields;
use super::record::{Record, RowOutcome};
use super::runs::{self, PastRun, RunSummary};
use super::{JournalError, disk, lock, plan_file};
use crate::domain::outcome::Outcome;
use crate::domain::plan::{Plan, PlanRow};

/// The version that this program writes and reads.
pub const SCHEMA: u32 = 1;
/// What the chain begins at.
pub const START: &str = "bucketree bundle";

/// A line of a bundle.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    Bundle { schema: u32, run: String, exported_at: String, operator: String, host: String, tool: String },
    Plan { text: String },
    Journal { text: String },
    Key(Box<KeyLine>),
    Verification { result: Option<String>, still_there: u64, why: Option<String> },
    End { plan: u64, journal: u64, keys: u64 },
}

/// How one key ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct KeyLine {
    #[serde(rename = "Bucket")]
    bucket: String,
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "VersionId")]
    version_id: String,
    #[serde(rename = "TaskStatus")]
    task_status: String,
    #[serde(rename = "ErrorCode")]
    error_code: String,
    #[serde(rename = "HTTPStatusCode")]
    http_status_code: String,
    #[serde(rename = "ResultMessage")]
    result_message: String,
    outcome: Option<String>,
    object: ObjectFields,
    verdict: String,
    because: String,
}

/// The object that was planned.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct ObjectFields {
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    etag: String,
    last_modified: Option<String>,
}

impl KeyLine {
    fn new(bucket: &str, row: &PlanRow, end: Option<&RowOutcome>) -> Self {
        let outcome: Option<Outcome> = end.and_then(|end| end.outcome.parse().ok());
        let gone = outcome.is_some_and(Outcome::is_gone);
        let name = outcome.map_or("none", Outcome::name);
        Self {
            bucket: bucket.into(),
            key: percent_encode(row.object.key.as_bytes(), NON_ALPHANUMERIC).to_string(),
            version_id: String::new(),
            task_status: if gone { "succeeded" } else { "failed" }.into(),
            error_code: match end.and_then(|end| end.code.clone()) {
                _ if gone => String::new(),
                code => code.unwrap_or_else(|| name.into()),
            },
            http_status_code: end.and_then(|end| end.status).map(|status| status.to_string()).unwrap_or_default(),
            result_message: end.and_then(|end| end.why.clone()).unwrap_or_else(|| name.into()),
            outcome: outcome.map(|outcome| outcome.name().into()),
            object: ObjectFields {
                key: KeyFields::from(&row.object.key),
                size: row.object.size,
                etag: row.object.etag.as_str().into(),
                last_modified: row.object.last_modified.map(|at| at.to_string()),
            },
            verdict: row.verdict.name().into(),
            because: row.because.clone(),
        }
    }
}

/// What follows from plan and journal, and is written beside them so that a reader needs neither.
fn derived(plan: &Plan, past: &PastRun) -> Vec<Line> {
    let ends = past.ends();
    let key = |(number, row)| Line::Key(Box::new(KeyLine::new(&plan.header.bucket, row, ends.get(&number).copied())));
    let mut lines: Vec<Line> = (0u32..).zip(&plan.rows).map(key).collect();
    let none = Line::Verification { result: None, still_there: 0, why: None };
    let verified = past.records.iter().rev().find_map(|record| match record {
        Record::Verified { result, still_there, why, .. } => {
            Some(Line::Verification { result: Some(result.clone()), still_there: *still_there, why: why.clone() })
        }
        _ => None,
    });
    lines.push(verified.unwrap_or(none));
    lines
}

/// A bundle that was written or checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// The run in a few words.
    pub summary: RunSummary,
    /// The digest over all of it; kept elsewhere, it proves that the bundle is the one that was written.
    pub seal: String,
}

/// The bytes of a run's bundle, and what is in it.
///
/// # Errors
/// [`JournalError`] if the run cannot be read, or its journal was changed.
pub fn export(runs_folder: &Path, id: &str, exported_at: String) -> Result<(Vec<u8>, Bundle), JournalError> {
    let past = runs::open(runs_folder, id)?;
    let (plan_path, path) = (past.folder.join(runs::PLAN), past.folder.join(runs::JOURNAL));
    past.check_chain()?;
    let none = || JournalError::Damaged { path: path.clone(), line: 1, why: "it has no whole record".into() };
    let summary = past.summary().ok_or_else(none)?;
    let plan = past.plan()?;
    let plan_bytes = std::fs::read(&plan_path).map_err(disk("cannot read the plan", &plan_path))?;
    let mut journal = std::fs::read(&path).map_err(disk("cannot read the journal", &path))?;
    journal.truncate(past.whole as usize);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = vec![Line::Bundle {
        schema: SCHEMA,
        run: past.run.clone(),
        exported_at,
        operator: lock::operator(),
        host: lock::host(),
        tool: env!("CARGO_PKG_VERSION").into(),
    }];
    let (plan_lines, journal_lines) = (text(&plan_bytes), text(&journal));
    let end =
        Line::End { plan: plan_lines.len() as u64, journal: journal_lines.len() as u64, keys: plan.rows.len() as u64 };
    lines.extend(plan_lines.into_iter().map(|text| Line::Plan { text }));
    lines.extend(journal_lines.into_iter().map(|text| Line::Journal { text }));
    lines.extend(derived(&plan, &past));
    lines.push(end);
    let mut chain = Chain::start(START);
    // Strings and numbers always serialize.
    let sealed = lines.iter().map(|line| chain.seal(&serde_json::to_string(line).unwrap_or_default()));
    let bytes = sealed.collect::<String>().into_bytes();
    Ok((bytes, Bundle { summary, seal: chain.seal_of_all() }))
}

/// Checks a bundle: the chain, the plan's own seal, the journal's own chain, that both belong together, and that
/// everything that is said beside them follows from them.
///
/// # Errors
/// The line, from 1, and what is wrong with it.
pub fn check(bytes: &[u8]) -> Result<Bundle, (usize, String)> {
    let text = std::str::from_utf8(bytes).map_err(|_| (1, "the file is not UTF-8".to_string()))?;
    let mut chain = Chain::start(START);
    let read =
        |json: &str| serde_json::from_str::<Line>(json).map_err(|error| format!("not a line of a bundle: {error}"));
    let mut lines = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        lines.push(chain.open(line, read).map_err(|broken| (number + 1, broken.to_string()))?);
    }
    let Some(Line::Bundle { schema, run, .. }) = lines.first() else {
        return Err((1, "it does not begin like the bundle of a run".into()));
    };
    if *schema != SCHEMA {
        return Err((1, format!("the bundle is of version {schema}, this program reads version {SCHEMA}")));
    }
    let parts = Parts::of(&lines)?;
    let plan = plan_file::parse(parts.plan.as_bytes())
        .map_err(|(line, why)| (parts.plan_at + line, format!("line {line} of the plan: {why}")))?;
    let past = runs::parse(run, PathBuf::new(), "the journal", parts.journal.as_bytes());
    if let Some(damage) = &past.damage {
        return Err((parts.journal_at + past.records.len() + 1, damage.clone()));
    }
    match past.records.first() {
        Some(Record::Started { plan: id, digest, .. }) if (id, digest) == (&plan.header.id, &plan.header.digest) => {}
        _ => return Err((parts.journal_at + 1, "the journal is not that of a run of this plan".into())),
    }
    let expected = derived(&plan, &past);
    let said = &lines[parts.derived_at..lines.len() - 1];
    if let Some(at) = (0..expected.len().max(said.len())).find(|&at| expected.get(at) != said.get(at)) {
        return Err((parts.derived_at + at + 1, "it does not follow from the plan and the journal".into()));
    }
    let summary = past.summary().ok_or((parts.journal_at + 1, "the journal has no whole record".to_string()))?;
    Ok(Bundle { summary, seal: chain.seal_of_all() })
}

/// The parts of a bundle, and how many lines come before each.
struct Parts {
    plan: String,
    plan_at: usize,
    journal: String,
    journal_at: usize,
    derived_at: usize,
}

impl Parts {
    fn of(lines: &[Line]) -> Result<Self, (usize, String)> {
        let (mut plan, mut journal) = (String::new(), String::new());
        let mut at = 1;
        let mut take = |into: &mut String, text: &dyn Fn(&Line) -> Option<String>| {
            while let Some(text) = lines.get(at).and_then(text) {
                into.push_str(&text);
                into.push('\n');
                at += 1;
            }
            at
        };
        let journal_at =
            take(&mut plan, &|line| if let Line::Plan { text } = line { Some(text.clone()) } else { None });
        let derived_at =
            take(&mut journal, &|line| if let Line::Journal { text } = line { Some(text.clone()) } else { None });
        let keys = lines.iter().filter(|line| matches!(line, Line::Key(_))).count();
        let counted =
            Line::End { plan: (journal_at - 1) as u64, journal: (derived_at - journal_at) as u64, keys: keys as u64 };
        if lines.last() != Some(&counted) {
            return Err((lines.len(), "the bundle does not end as it should: something is missing".into()));
        }
        Ok(Self { plan, plan_at: 1, journal, journal_at, derived_at })
    }
}

#[cfg(test)]
mod tests;
