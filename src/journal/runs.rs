//! Past runs, read back from their folders.

use std::path::{Path, PathBuf};

use super::chain::{BrokenLine, Chain};
use super::record::{self, Record};
use super::{JournalError, disk, plan_file};
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::plan::Plan;
use crate::domain::progress::Verification;

/// Name of the plan in a run's folder.
pub const PLAN: &str = "plan.jsonl";
/// Name of the journal in a run's folder.
pub const JOURNAL: &str = "journal.jsonl";
/// Name of the list of tracking rows to remove in a run's folder.
pub const ROWS_TO_REMOVE: &str = "rows-to-remove.jsonl";

/// A run as its journal tells it.
#[derive(Debug)]
pub struct PastRun {
    /// UUIDv7.
    pub run: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The records that are whole.
    pub records: Vec<Record>,
    /// What is wrong with the tail of the journal, if anything: what follows is not used.
    pub damage: Option<String>,
}

/// A run in a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSummary {
    /// UUIDv7.
    pub run: String,
    /// When it began (RFC 3339).
    pub started_at: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Bucket.
    pub bucket: String,
    /// Keys in the plan.
    pub planned: u64,
    /// How they ended; keys without an outcome are not in it.
    pub outcomes: OutcomeCounts,
    /// What the last verification found; `None` if there was none.
    pub verification: Option<Verification>,
    /// Whether the run came to its end.
    pub finished: bool,
    /// Whether the user stopped it.
    pub cancelled: bool,
    /// Why it stopped early.
    pub stopped: Option<String>,
}

/// The ids of all runs, oldest first: UUIDv7 sorts by time.
///
/// # Errors
/// [`JournalError::Disk`]; a state folder that does not exist yet holds no runs.
pub fn list(runs: &Path) -> Result<Vec<String>, JournalError> {
    let entries = match std::fs::read_dir(runs) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(disk("cannot read the folder", runs))?,
    };
    let mut ids: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join(JOURNAL).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    ids.sort();
    Ok(ids)
}

/// Reads one run. `id` may be the beginning of the id, if only one run begins with it.
///
/// # Errors
/// [`JournalError::NoSuchRun`], [`JournalError::Disk`].
pub fn open(runs: &Path, id: &str) -> Result<PastRun, JournalError> {
    let matching: Vec<String> = list(runs)?.into_iter().filter(|run| !id.is_empty() && run.starts_with(id)).collect();
    let [run] = matching.as_slice() else {
        return Err(JournalError::NoSuchRun(id.into()));
    };
    let folder = runs.join(run);
    let path = folder.join(JOURNAL);
    let bytes = std::fs::read(&path).map_err(disk("cannot read the journal", &path))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut chain = Chain::start(run);
    let mut past = PastRun { run: run.clone(), folder, records: Vec::new(), damage: None };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match chain.open(line) {
            Ok(record) => past.records.push(record),
            Err(broken) => {
                let why = match broken {
                    BrokenLine::Torn => "the line was not written to its end".into(),
                    BrokenLine::Mismatch => "the checksum does not match: the file was changed or damaged".into(),
                    BrokenLine::Unreadable(why) => why,
                };
                past.damage = Some(format!("{}, line {}: {why}", path.display(), number + 1));
                break;
            }
        }
    }
    Ok(past)
}

/// Whether a run of this plan was ever started: plans are single-use.
///
/// # Errors
/// As [`list`] and [`open`].
pub fn run_of_plan(runs: &Path, plan_id: &str) -> Result<Option<String>, JournalError> {
    for run in list(runs)?.into_iter().rev() {
        let past = open(runs, &run)?;
        if past.records.iter().any(|record| matches!(record, Record::Started { plan, .. } if plan == plan_id)) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

impl PastRun {
    /// The plan as it was confirmed.
    ///
    /// # Errors
    /// [`JournalError::Disk`], [`JournalError::Damaged`].
    pub fn plan(&self) -> Result<Plan, JournalError> {
        plan_file::read(&self.folder.join(PLAN))
    }

    /// The last outcome of each plan row that has one, with its reason.
    pub fn outcomes(&self) -> std::collections::BTreeMap<u32, (Outcome, Option<String>)> {
        let mut ends = std::collections::BTreeMap::new();
        for record in &self.records {
            let Record::Outcomes { rows, .. } = record else { continue };
            for row in rows {
                if let Ok(outcome) = row.outcome.parse() {
                    ends.insert(row.row, (outcome, row.why.clone()));
                }
            }
        }
        ends
    }

    /// The run in a few words; `None` if not even its first record is whole.
    pub fn summary(&self) -> Option<RunSummary> {
        let Some(Record::Started { at, endpoint, bucket, planned, .. }) = self.records.first() else {
            return None;
        };
        let mut summary = RunSummary {
            run: self.run.clone(),
            started_at: at.clone(),
            endpoint: endpoint.clone(),
            bucket: bucket.clone(),
            planned: *planned,
            outcomes: OutcomeCounts::default(),
            verification: None,
            finished: false,
            cancelled: false,
            stopped: None,
        };
        self.outcomes().values().for_each(|(outcome, _)| summary.outcomes.add(*outcome));
        for record in &self.records {
            match record {
                Record::Verified { result, still_there, why, .. } => {
                    summary.verification = Some(record::verification(result, *still_there, why.as_deref()));
                }
                Record::Finished { cancelled, stopped, .. } => {
                    summary.finished = true;
                    summary.cancelled = *cancelled;
                    summary.stopped = stopped.clone();
                }
                _ => {}
            }
        }
        Some(summary)
    }
}
