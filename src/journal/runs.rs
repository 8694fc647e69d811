//! Past runs, read back from their folders.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use super::chain::{self, BrokenLine, Chain};
use super::record::{self, Record, RowOutcome};
use super::{JournalError, disk, plan_file};
use crate::domain::Timestamp;
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::progress::Verification;
use crate::domain::requests::Requests;

/// Name of the plan in a run's folder.
pub const PLAN: &str = "plan.jsonl";
/// Name of the journal in a run's folder.
pub const JOURNAL: &str = "journal.jsonl";
/// Name of the file in a run's folder that keeps room for outcomes.
pub const RESERVE: &str = "journal.reserve";
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
    /// The damage is that of a write that was cut short: nothing that was ever announced is lost.
    pub torn: bool,
    /// The damage without its place.
    pub(super) reason: String,
    /// Bytes of the whole records.
    pub(super) whole: u64,
    /// The chain behind them.
    pub(super) chain: Chain,
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
    /// What it asked of the store, in those of its parts that came to an end.
    pub requests: Requests,
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
    Ok(parse(run, folder, &path.display().to_string(), &bytes))
}

/// Reads the bytes of a journal, which messages call `name`, as far as they are whole.
pub(super) fn parse(run: &str, folder: PathBuf, name: &str, bytes: &[u8]) -> PastRun {
    let mut past = PastRun {
        run: run.into(),
        folder,
        records: Vec::new(),
        damage: None,
        torn: false,
        reason: String::new(),
        whole: 0,
        chain: Chain::start(run),
    };
    while (past.whole as usize) < bytes.len() {
        let rest = &bytes[past.whole as usize..];
        match past.chain.open(&String::from_utf8_lossy(line_of(rest)), Record::from_json) {
            Ok(record) => past.records.push(record),
            Err(broken) => {
                let is_record = matches!(broken, BrokenLine::Unreadable(_));
                past.torn = !is_record && !rest.split_inclusive(|byte| *byte == b'\n').any(is_sealed);
                past.reason = broken.to_string();
                past.damage = Some(format!("{name}, line {}: {broken}", past.records.len() + 1));
                break;
            }
        }
        past.whole += line_of(rest).len() as u64;
    }
    past
}

/// The first line, with its newline if it has one.
fn line_of(bytes: &[u8]) -> &[u8] {
    bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn is_sealed(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(chain::looks_sealed)
}

/// What earlier runs mean for a plan that is about to be carried out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The run that used the plan.
    pub used_by: Option<String>,
    /// Runs on the bucket that did not come to their end, oldest first.
    pub unfinished: Vec<String>,
}

/// Looks through every run for those of this plan and those that are unfinished on its bucket.
///
/// # Errors
/// As [`list`] and [`open`]; [`JournalError::Damaged`] if a journal does not even tell of which plan and bucket it is,
/// since then nothing can be excluded.
pub fn history(runs: &Path, plan_id: &str, endpoint: &str, bucket: &str) -> Result<History, JournalError> {
    let mut history = History::default();
    for run in list(runs)? {
        let past = open(runs, &run)?;
        let Some(Record::Started { plan, endpoint: of_endpoint, bucket: of_bucket, .. }) = past.records.first() else {
            past.check_chain()?;
            continue; // it died while it wrote its first record: nothing was sent
        };
        if plan == plan_id {
            history.used_by = Some(run.clone());
        }
        if (of_endpoint.as_str(), of_bucket.as_str()) == (endpoint, bucket) && !past.is_finished() {
            history.unfinished.push(run);
        }
    }
    Ok(history)
}

/// How many rows of the registry of this name runs have removed after `since`, by this machine's clock, and not put back.
/// Runs that cannot be read count for nothing.
pub fn rows_removed_since(runs: &Path, registry: &str, since: Timestamp) -> u64 {
    let (mut removed, mut put) = (0u64, 0u64);
    let is_later = |at: &str| Timestamp::parse(at).is_some_and(|at| at > since);
    for past in list(runs).unwrap_or_default().iter().filter_map(|run| open(runs, run).ok()) {
        let mut of_registry = false;
        for record in &past.records {
            match record {
                Record::RemovingRows { registry: name, .. } => of_registry = name == registry,
                Record::RowsRemoved { at, removed: count, .. } if of_registry && is_later(at) => removed += count,
                Record::RowsPut { at, put: count, .. } if is_later(at) => put += count,
                _ => {}
            }
        }
    }
    removed.saturating_sub(put)
}

impl PastRun {
    /// The plan as it was confirmed.
    ///
    /// # Errors
    /// [`JournalError::Disk`], [`JournalError::Damaged`].
    pub fn plan(&self) -> Result<Plan, JournalError> {
        plan_file::read(&self.folder.join(PLAN))
    }

    /// What the plan was to do; `None` if that cannot be read. The rows are not looked at.
    pub fn kind(&self) -> Option<PlanKind> {
        let mut first = String::new();
        let file = std::fs::File::open(self.folder.join(PLAN)).ok()?;
        std::io::BufReader::new(file).read_line(&mut first).ok()?;
        plan_file::kind(&first)
    }

    /// That nothing is wrong with the journal but, at most, a last line that was not written to its end.
    ///
    /// # Errors
    /// [`JournalError::Damaged`].
    pub fn check_chain(&self) -> Result<(), JournalError> {
        match self.damage.is_none() || self.torn {
            true => Ok(()),
            false => {
                let (path, line) = (self.folder.join(JOURNAL), self.records.len() + 1);
                Err(JournalError::Damaged { path, line, why: self.reason.clone() })
            }
        }
    }

    /// The outcome of each plan row that has one, with its reason. A row that was sent again has none until it ends again.
    pub fn outcomes(&self) -> BTreeMap<u32, (Outcome, Option<String>)> {
        let known = |(row, end): (u32, &RowOutcome)| Some((row, (end.outcome.parse().ok()?, end.why.clone())));
        self.ends().into_iter().filter_map(known).collect()
    }

    /// How each plan row that has an end ended, with the evidence.
    pub(super) fn ends(&self) -> BTreeMap<u32, &RowOutcome> {
        let mut ends = BTreeMap::new();
        for record in &self.records {
            match record {
                Record::Intent { rows, .. } => {
                    for row in rows {
                        ends.remove(row);
                    }
                }
                Record::Outcomes { rows, .. } => ends.extend(rows.iter().map(|end| (end.row, end))),
                _ => {}
            }
        }
        ends
    }

    /// Whether the run came to its end. One that was taken up again has not, until it ends again.
    pub fn is_finished(&self) -> bool {
        matches!(self.records.last(), Some(Record::Finished { .. }))
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
            requests: Requests::default(),
        };
        self.outcomes().values().for_each(|(outcome, _)| summary.outcomes.add(*outcome));
        for record in &self.records {
            match record {
                Record::Verified { result, still_there, why, .. } => {
                    summary.verification = Some(record::verification(result, *still_there, why.as_deref()));
                }
                Record::Resumed { .. } => {
                    (summary.finished, summary.cancelled) = (false, false);
                    (summary.stopped, summary.verification) = (None, None);
                }
                Record::Finished { cancelled, stopped, requests, .. } => {
                    requests.iter().for_each(|(kind, count)| summary.requests.add_named(kind, *count));
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
