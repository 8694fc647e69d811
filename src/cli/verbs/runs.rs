//! `bucketree runs`: what was done, from the journals.

use std::path::Path;

use crate::app::number;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::{RunKey, RunLine};
use crate::cli::output::{Output, Table, Tone, tell};
use crate::domain::outcome::OutcomeCounts;
use crate::domain::progress::Verification;
use crate::domain::requests::Requests;
use crate::journal::JournalError;
use crate::journal::lock::{self, Owner};
use crate::journal::runs::{self, PastRun, RunSummary};

/// A run or the folder of runs cannot be read.
pub fn unreadable(run: &str, error: &JournalError) -> Stop {
    match error {
        JournalError::NoSuchRun(_) => Stop::usage(format!("find run {run:?}"), error, ""),
        _ => Stop::failed(format!("read run {run:?}"), error, "check the state folder"),
    }
}

/// Prints every run, oldest first.
///
/// # Errors
/// If the journals cannot be read.
pub fn list(folder: &Path, output: &mut Output) -> Result<ExitCode, Stop> {
    let ids = runs::list(folder).map_err(|error| unreadable("", &error))?;
    let mut table = Table::new(&["run", "started", "bucket", ">planned", ">gone", "state"]);
    let mut code = ExitCode::Done;
    for id in ids {
        let past = runs::open(folder, &id).map_err(|error| unreadable(&id, &error))?;
        if let Some(damage) = &past.damage {
            tell(format!("bucketree: {damage}"));
            code = ExitCode::Partly;
        }
        let Some(summary) = past.summary() else { continue };
        let owner = under_way(folder, &summary);
        if output.is_json() {
            output.json_line(&RunLine::new(&summary, past.damage.as_deref(), owner.as_ref()))?;
            continue;
        }
        table.row([
            summary.run.clone(),
            summary.started_at.clone(),
            summary.bucket.clone(),
            number::count(summary.planned),
            number::count(summary.outcomes.sum(crate::domain::Outcome::is_gone)),
            owner.map_or_else(|| state(&summary), |owner| format!("under way: {owner}")),
        ]);
    }
    if table.is_empty() && !output.is_json() {
        tell(format!("bucketree: there is no run in {}", folder.display()));
    } else {
        output.table(&table)?;
    }
    Ok(code)
}

/// Who carries the run out at this moment, if anybody on this machine does.
fn under_way(folder: &Path, summary: &RunSummary) -> Option<Owner> {
    match summary.finished {
        true => None,
        false => lock::holder(folder, &summary.endpoint, &summary.bucket).filter(|owner| owner.run == summary.run),
    }
}

/// How a run stands, in few words.
pub fn state(summary: &RunSummary) -> String {
    let end = match (&summary.stopped, summary.finished, summary.cancelled) {
        (Some(why), ..) => format!("stopped: {why}"),
        (None, false, _) => format!("unfinished (bucketree resume {})", summary.run),
        (None, true, true) => "cancelled".into(),
        (None, true, false) => "finished".into(),
    };
    format!("{end}, {}", verification(summary.verification.as_ref()))
}

/// What a verification found, in few words.
pub fn verification(verification: Option<&Verification>) -> String {
    match verification {
        None => "not verified".into(),
        Some(Verification::Passed) => "verified".into(),
        Some(Verification::StillThere(count)) => format!("NOT verified: {} still there", number::objects(*count)),
        Some(Verification::Inconclusive(why)) => format!("NOT verified: {why}"),
    }
}

/// The outcomes that occurred, in a line.
pub fn outcomes(counts: &OutcomeCounts) -> String {
    let parts: Vec<String> =
        counts.iter().map(|(outcome, count)| format!("{} {outcome}", number::count(count))).collect();
    if parts.is_empty() { "no outcome".into() } else { parts.join(", ") }
}

/// The requests that were made, in a line.
pub fn asked(requests: &Requests) -> String {
    let parts: Vec<String> =
        requests.iter().map(|(request, count)| format!("{} {request}", number::count(count))).collect();
    match parts.is_empty() {
        true => "requests to the store: none recorded".into(),
        false => format!("{} to the store: {}", number::requests(requests.total()), parts.join(", ")),
    }
}

/// Prints one run, then each key with its outcome.
///
/// # Errors
/// If the run is not there or cannot be read.
pub fn show(folder: &Path, id: &str, output: &mut Output) -> Result<ExitCode, Stop> {
    let past = runs::open(folder, id).map_err(|error| unreadable(id, &error))?;
    if let Some(damage) = &past.damage {
        tell(format!("bucketree: {damage}"));
    }
    let Some(summary) = past.summary() else {
        return Err(Stop::failed(format!("read run {id:?}"), "its journal has no whole record", "look at its folder"));
    };
    match output.is_json() {
        true => {
            let owner = under_way(folder, &summary);
            output.json_line(&RunLine::new(&summary, past.damage.as_deref(), owner.as_ref()))?;
        }
        false => head(&past, &summary, output)?,
    }
    let plan = past.plan().map_err(|error| unreadable(id, &error))?;
    let ends = past.outcomes();
    for (number, row) in (0u32..).zip(&plan.rows) {
        let end = ends.get(&number);
        let key = &row.object.key;
        if output.is_json() {
            output.json_line(&RunKey::new(key, row.object.size, end))?;
            continue;
        }
        let word = end.map_or("none", |(outcome, _)| outcome.name());
        let why = end.and_then(|(_, why)| why.as_deref()).unwrap_or("-");
        let tone = end.map_or(Tone::Bad, |(outcome, _)| Tone::of_outcome(*outcome));
        let word = output.paint().tone(tone, word).to_string();
        output.bytes(format!("{word}\t{why}\t").as_bytes())?;
        output.key(key.as_bytes())?;
        output.bytes(b"\n")?;
    }
    Ok(if past.damage.is_some() { ExitCode::Partly } else { ExitCode::Done })
}

fn head(past: &PastRun, summary: &RunSummary, output: &mut Output) -> Result<(), Stop> {
    output.line(output.paint().tone(Tone::Strong, format!("run {}", summary.run)).to_string())?;
    output.line(format!("bucket {:?} at {}", summary.bucket, summary.endpoint))?;
    output.line(format!("started {}, {}", summary.started_at, state(summary)))?;
    output.line(format!("{} planned: {}", number::objects(summary.planned), outcomes(&summary.outcomes)))?;
    output.line(asked(&summary.requests))?;
    Ok(output.line(format!("journal in {}\n", past.folder.display()))?)
}
