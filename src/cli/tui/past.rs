//! Past runs as the screen shows them: from journals and plans to plain facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::number;
use crate::app::runs::{Fact, OpenRun, PastRun as Shown, Standing};
use crate::domain::Timestamp;
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::progress::{LogLevel, Verification};
use crate::journal::JournalError;
use crate::journal::lock::Owner;
use crate::journal::record::{self, Record, RowOutcome};
use crate::journal::runs::{PastRun, RunSummary};

/// Requests that are told one by one; the journal has them all.
const REQUESTS: usize = 200;

/// A run in a few words; `None` if its journal has no whole record: nothing was ever sent then.
pub fn shown(past: &PastRun, owner: Option<&Owner>) -> Option<Shown> {
    let summary = past.summary()?;
    Some(Shown {
        run: summary.run.as_str().into(),
        started: Timestamp::parse(&summary.started_at),
        kind: past.kind(),
        planned: summary.planned,
        outcomes: summary.outcomes,
        standing: standing(&summary, owner),
        verification: summary.verification,
        damage: past.damage.clone(),
    })
}

fn standing(summary: &RunSummary, owner: Option<&Owner>) -> Standing {
    match (owner.filter(|owner| owner.run == summary.run), &summary.stopped) {
        (Some(owner), _) if !summary.finished => Standing::UnderWay(owner.to_string()),
        (_, Some(why)) => Standing::Stopped(why.clone()),
        _ if !summary.finished => Standing::Unfinished,
        _ if summary.cancelled => Standing::Cancelled,
        _ => Standing::Finished,
    }
}

/// All of a run.
///
/// # Errors
/// If its plan cannot be read.
pub fn opened(past: &PastRun, owner: Option<&Owner>) -> Result<OpenRun, JournalError> {
    let shown = shown(past, owner).ok_or_else(|| JournalError::NoSuchRun(past.run.clone()))?;
    let plan = Arc::new(past.plan()?);
    let folder = past.folder.display().to_string();
    Ok(OpenRun::new(shown, plan, past.outcomes(), facts(past), folder))
}

/// What the journal tells, one fact for each request.
fn facts(past: &PastRun) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut requests = 0;
    let mut sent: BTreeMap<u64, usize> = BTreeMap::new();
    for record in &past.records {
        let (level, text) = match record {
            Record::Intent { batch, rows, .. } => {
                sent.insert(*batch, rows.len());
                continue;
            }
            Record::Outcomes { batch, rows, .. } => {
                requests += 1;
                if requests > REQUESTS {
                    continue;
                }
                outcomes(*batch, rows)
            }
            other => match event(other) {
                Some(told) => told,
                None => continue,
            },
        };
        facts.push(Fact { at: at(record), level, text });
    }
    if requests > REQUESTS {
        let text =
            format!("and {} more requests; the journal has them all", number::count((requests - REQUESTS) as u64));
        facts.push(Fact { at: String::new(), level: LogLevel::Info, text });
    }
    let answered = past.records.iter().filter_map(|record| match record {
        Record::Outcomes { batch, .. } => Some(*batch),
        _ => None,
    });
    answered.for_each(|batch| {
        sent.remove(&batch);
    });
    for (batch, keys) in sent {
        let text = format!("request {batch}: {} sent, and no answer was written down", number::objects(keys as u64));
        facts.push(Fact { at: String::new(), level: LogLevel::Error, text });
    }
    facts
}

/// What one request came to.
fn outcomes(batch: u64, rows: &[RowOutcome]) -> (LogLevel, String) {
    let mut counts = OutcomeCounts::default();
    rows.iter().filter_map(|row| row.outcome.parse::<Outcome>().ok()).for_each(|outcome| counts.add(outcome));
    let level = if counts.sum(Outcome::is_failure) > 0 { LogLevel::Error } else { LogLevel::Info };
    let parts: Vec<String> =
        counts.iter().map(|(outcome, count)| format!("{} {outcome}", number::count(count))).collect();
    let of = if batch == 0 { "without a request".into() } else { format!("request {batch}") };
    (level, format!("{of}: {}", parts.join(", ")))
}

/// What a record that is not of one request tells; `None` for those that only announce.
fn event(record: &Record) -> Option<(LogLevel, String)> {
    let told = match record {
        Record::Started { operator, tool, planned, .. } => {
            (LogLevel::Info, format!("started by {operator} with version {tool}: {}", number::objects(*planned)))
        }
        Record::Resumed { operator, closing, .. } => {
            let what = if *closing { "closed by" } else { "taken up again by" };
            (LogLevel::Warning, format!("{what} {operator}"))
        }
        Record::Copied { batch, rows, without_etag, .. } => {
            let copies = number::count(rows.len() as u64);
            let weak = match without_etag.len() as u64 {
                0 => String::new(),
                some => format!(", {} without comparable ETags", number::count(some)),
            };
            (LogLevel::Info, format!("request {batch}: {copies} copies verified{weak}"))
        }
        Record::Verified { result, still_there, why, .. } => {
            match record::verification(result, *still_there, why.as_deref()) {
                Verification::Passed => (LogLevel::Info, "verified: every key is proved gone".into()),
                Verification::StillThere(count) => {
                    (LogLevel::Error, format!("NOT verified: {} still there", number::objects(count)))
                }
                Verification::Inconclusive(why) => (LogLevel::Error, format!("NOT verified: {why}")),
            }
        }
        Record::RowsRemoved { removed, listed_in, problem, .. } => match (listed_in, problem) {
            (_, Some(problem)) => (LogLevel::Warning, format!("tracking rows were left: {problem}")),
            (Some(file), None) => (LogLevel::Info, format!("tracking rows to remove are listed in {file}")),
            (None, None) => (LogLevel::Info, format!("{} tracking rows removed", number::count(*removed))),
        },
        Record::RowsPut { run, put, problem, .. } => match problem {
            Some(problem) => (LogLevel::Warning, format!("not every row of run {run} was put back: {problem}")),
            None => (LogLevel::Info, format!("{} tracking rows of run {run} put back", number::count(*put))),
        },
        Record::KeptRowsDropped { run, rows, .. } => {
            let text = format!("{} tracking rows that were kept of run {run} dropped", number::count(*rows));
            (LogLevel::Info, text)
        }
        Record::Finished { cancelled, stopped, requests, .. } => match (stopped, cancelled) {
            (Some(why), _) => (LogLevel::Error, format!("stopped: {why}")),
            (None, true) => (LogLevel::Warning, "stopped by the user".into()),
            (None, false) if requests.is_empty() => (LogLevel::Info, "finished".into()),
            (None, false) => {
                let parts: Vec<String> =
                    requests.iter().map(|(kind, count)| format!("{} {kind}", number::count(*count))).collect();
                (LogLevel::Info, format!("finished; requests to the store: {}", parts.join(", ")))
            }
        },
        _ => return None,
    };
    Some(told)
}

/// When a record was written.
fn at(record: &Record) -> String {
    match record {
        Record::Started { at, .. }
        | Record::Resumed { at, .. }
        | Record::Copying { at, .. }
        | Record::Copied { at, .. }
        | Record::Intent { at, .. }
        | Record::Outcomes { at, .. }
        | Record::Verified { at, .. }
        | Record::RemovingRows { at, .. }
        | Record::RowsRemoved { at, .. }
        | Record::PuttingRows { at, .. }
        | Record::RowsPut { at, .. }
        | Record::KeptRowsDropped { at, .. }
        | Record::Finished { at, .. } => at.clone(),
    }
}
