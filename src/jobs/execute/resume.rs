//! Taking up a run that ended early: killed, out of disk, cut off from the store. What the journal says stays said. A
//! row that was sent and has no outcome is looked at: gone means that the lost request deleted it, unchanged means that
//! it is due again, changed means that somebody wrote it since and it is kept. A row that was never sent is simply due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::{ExecuteError, Execution, Hold, Recorder, Refusal, Work};
use crate::domain::Timestamp;
use crate::domain::outcome::Outcome;
use crate::domain::progress::{LogLevel, RunProgress, RunReport};
use crate::jobs::{Stop, place};
use crate::journal::kept_rows::Covered;
use crate::journal::record::Record;
use crate::journal::runs::PastRun;
use crate::journal::{Journal, lock};
use crate::store::ObjectStore as _;

/// How a run that ended early is brought to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Go on: what is open is sent, after the same checks as in the first place.
    GoOn,
    /// Only find out what became of what was sent; nothing more is sent.
    Close,
}

/// Brings a run to its end. `execution` is of the plan that lies beside the run's journal. Told and reported as by
/// [`super::execute`], for all of the run and not only for what was left of it.
///
/// # Errors
/// [`ExecuteError`] if nothing was sent: the run is under way, ended in full, damaged, of another bucket, or may only be
/// closed because its plan has expired or no longer holds.
pub async fn resume(
    mut execution: Execution,
    run: &str,
    ending: Ending,
    server_now: Timestamp,
    stop: Stop,
    sender: mpsc::Sender<RunProgress>,
) -> Result<RunReport, ExecuteError> {
    let started = Instant::now();
    execution.check_place()?;
    let may_go_on = execution.check_ground(server_now);
    let machine = execution.lock(run).await?;
    let (journal, past) = reopen(&execution, run).await?;
    check_plan(&execution, &past)?;
    execution.keep_rows = matches!(past.records.first(), Some(Record::Started { keep_rows: true, .. }));
    let closing = ending == Ending::Close;
    let rest = Rest::of(&past, closing);
    if past.is_finished() && rest.rows.is_empty() && !rest.unsettled {
        return Err(Refusal(format!("run {run} came to its end, and nothing of it is open")).into());
    }
    if let (Err(refusal), false) = (may_go_on, closing || rest.rows.is_empty()) {
        let why = format!("{}; `bucketree resume {run} --close` finds out what was done and closes it", refusal.0);
        return Err(Refusal(why).into());
    }
    let hold = Hold::take(&execution, run, machine, server_now).await?;
    let recorder =
        Recorder::new(run.into(), Arc::clone(&execution.plan), journal, execution.clock.clone(), stop.clone(), sender);
    let ended = go_on(&execution, &hold, &recorder, rest, closing, &stop, started).await;
    hold.release().await;
    ended
}

async fn go_on(
    execution: &Execution,
    hold: &Hold,
    recorder: &Recorder,
    rest: Rest,
    closing: bool,
    stop: &Stop,
    started: Instant,
) -> Result<RunReport, ExecuteError> {
    let run = recorder.run();
    let tool = env!("CARGO_PKG_VERSION").into();
    let record = Record::Resumed { at: recorder.at(), closing, operator: lock::operator(), tool };
    recorder.write(record).await.map_err(ExecuteError::Failed)?;
    let planned = execution.plan.rows.len() as u64;
    recorder.tell(RunProgress::Started { run: run.into(), planned }).await;
    let text = format!(
        "run {run} is taken up again: {} of {planned} objects of {} are open, {} of them sent",
        planned - rest.ends.len() as u64,
        place(execution.store.identity()),
        rest.sent.len()
    );
    recorder.log(LogLevel::Info, text).await;
    recorder.restore(rest.ends.into_iter().map(|(row, (outcome, why))| (row, outcome, why)).collect()).await;
    let work = Work {
        planned,
        rows: rest.rows,
        sent_before: rest.sent,
        first_batch: rest.last_batch + 1,
        closing,
        rows_kept: rest.rows_kept,
    };
    Ok(work.carry_out(execution, hold, recorder, stop, started).await)
}

async fn reopen(execution: &Execution, run: &str) -> Result<(Journal, PastRun), ExecuteError> {
    let (runs, id) = (execution.runs.clone(), run.to_owned());
    tokio::task::spawn_blocking(move || Journal::reopen(&runs, &id))
        .await
        .map_err(|error| execution.no_journal(error.to_string()))?
        .map_err(|error| {
            let folder = execution.runs.join(run);
            let way_out = format!("keep {} elsewhere, as evidence, before anything else is done", folder.display());
            Refusal(format!("{error}; {way_out}")).into()
        })
}

/// Whether the plan is the one that the run began with.
fn check_plan(execution: &Execution, past: &PastRun) -> Result<(), Refusal> {
    let header = &execution.plan.header;
    match past.records.first() {
        Some(Record::Started { plan, digest, .. }) if (plan, digest) == (&header.id, &header.digest) => Ok(()),
        Some(Record::Started { plan, .. }) => {
            Err(Refusal(format!("run {} began with plan {plan}, and another one lies beside its journal", past.run)))
        }
        _ => Err(Refusal(format!("run {} has no whole record: nothing was ever sent", past.run))),
    }
}

/// What a journal leaves open.
struct Rest {
    /// Rows that have an end, and keep it.
    ends: BTreeMap<u32, (Outcome, Option<String>)>,
    /// Rows to look at.
    rows: Vec<u32>,
    /// Those of them that were sent.
    sent: BTreeSet<u32>,
    /// The number of the last request.
    last_batch: u64,
    /// Nothing was proved at the end, or the registry's rows of what is gone may still be there.
    unsettled: bool,
    /// The registry's rows that were taken out already.
    rows_kept: Covered,
}

impl Rest {
    /// Open is what has no end, what is unknown, and, unless the run is closed, what was never attempted.
    fn of(past: &PastRun, closing: bool) -> Self {
        let mut ends = past.outcomes();
        let mut sent = BTreeSet::new();
        let mut not_attempted = BTreeSet::new();
        let (mut last_batch, mut unsettled, mut planned) = (0, false, 0);
        for record in &past.records {
            match record {
                Record::Started { planned: keys, .. } => planned = *keys,
                Record::Intent { batch, rows, .. } => {
                    last_batch = last_batch.max(*batch);
                    sent.extend(rows.iter().copied());
                    not_attempted.retain(|row| !rows.contains(row));
                }
                Record::Outcomes { batch: 0, rows, .. } => not_attempted.extend(rows.iter().map(|row| row.row)),
                Record::Verified { result, .. } => unsettled = result == "inconclusive",
                Record::RemovingRows { .. } | Record::PuttingRows { .. } => unsettled = true,
                Record::RowsRemoved { problem, .. } | Record::RowsPut { problem, .. } => unsettled = problem.is_some(),
                _ => {}
            }
        }
        ends.retain(|row, (outcome, _)| match outcome {
            Outcome::Unknown => false,
            Outcome::Failed => closing || !not_attempted.contains(row),
            _ => true,
        });
        let is_open = |row: &u32| !ends.contains_key(row);
        sent.retain(is_open);
        let rows = match closing {
            true => sent.iter().copied().collect(),
            false => (0u32..).take_while(|row| u64::from(*row) < planned).filter(is_open).collect(),
        };
        Self { ends, rows, sent, last_batch, unsettled, rows_kept: Covered::by(&past.records) }
    }
}
