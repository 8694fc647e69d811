//! Carrying out a plan. Before each request the registry and the objects are asked again; the intent is on the disk
//! before the request and the outcome after it; what is not proved is looked up, and what cannot be is `unknown`.

mod batch_run;
mod prove;
mod recheck;
mod recorder;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Clock, Stop, place};
use crate::domain::guards::{Here, may_apply};
use crate::domain::layout::Layouts;
use crate::domain::outcome::Outcome;
use crate::domain::plan::{Plan, PlanRow};
use crate::domain::progress::{Failure, LogLevel, RunProgress, RunReport};
use crate::domain::{IdRules, Timestamp};
use crate::journal::record::{self, Record, SCHEMA};
use crate::journal::{Journal, plan_file, runs};
use crate::registry::SharedRegistry;
use crate::store::limit::Aimd;
use crate::store::{DeleteTarget, SharedStore, batch};
use batch_run::BatchRun;
use recheck::Recheck;
use recorder::Recorder;

/// Requests in a row that may fail before the run stops.
const BREAKER: u32 = 5;

/// Everything that a run needs.
pub struct Execution {
    /// The plan, sealed and confirmed.
    pub plan: Arc<Plan>,
    /// The store. Its deletes must not be repeated by any wrapper.
    pub store: SharedStore,
    /// The registry that gave the verdicts; `None` only for plans of objects without a verdict.
    pub registry: Option<SharedRegistry>,
    /// The layouts that gave the verdicts.
    pub layouts: Arc<Layouts>,
    /// How ids are compared.
    pub ids: IdRules,
    /// The folder that holds one folder per run.
    pub runs: PathBuf,
    /// Requests in flight at most.
    pub concurrency: usize,
    /// Keys per request at most.
    pub batch_keys: usize,
    /// How long to wait before a request is repeated for the first time; doubles with each further time.
    pub backoff: Duration,
    /// This machine's clock.
    pub clock: Clock,
}

/// Why a plan is refused before anything was sent: the exact reason.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the plan is refused: {0}")]
pub struct Refusal(pub String);

/// How a run can end before it has a report.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A guard refuses; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The run could not begin; nothing was sent.
    #[error("{0}")]
    Failed(Failure),
}

impl Execution {
    /// Asks whether the plan may be carried out here and now.
    ///
    /// # Errors
    /// [`Refusal`] with the exact reason.
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let at = self.store.identity();
        let used_by = runs::run_of_plan(&self.runs, &self.plan.header.id).map_err(|error| error.to_string());
        let here = Here {
            plan: &self.plan,
            endpoint: &at.endpoint,
            bucket: &at.bucket,
            account: at.account.as_deref(),
            layouts: &self.layouts.hash(),
            registry: self.registry.as_ref().map(|registry| registry.name()),
            tool: env!("CARGO_PKG_VERSION"),
            now,
            used_by,
        };
        may_apply(&here).map_err(|guard| Refusal(guard.message))
    }
}

/// Carries out the plan and reports as it goes. Stopping takes effect between requests; every key has an outcome at the end.
///
/// # Errors
/// [`ExecuteError`] if nothing was sent; whatever happens later is in the report.
pub async fn execute(
    execution: Execution,
    server_now: Timestamp,
    stop: Stop,
    sender: mpsc::Sender<RunProgress>,
) -> Result<RunReport, ExecuteError> {
    execution.check(server_now)?;
    let started = Instant::now();
    let recorder = open(&execution, &stop, sender).await?;
    let planned = execution.plan.rows.len() as u64;
    recorder.tell(RunProgress::Started { run: recorder.run().into(), planned }).await;
    let text = format!("run {} begins: {planned} objects of {}", recorder.run(), place(execution.store.identity()));
    recorder.log(LogLevel::Info, text).await;

    let recheck = Recheck::new(&execution);
    run_batches(&execution, &recheck, &recorder, &stop).await;
    let cancelled = stop.is_requested() && recorder.stopped().is_none();
    close_open_rows(&recorder, cancelled).await;

    let verification = prove::verify(&execution, &recorder).await;
    let rows = prove::remove_rows(&execution, &recheck, &recorder, &verification).await;
    let (outcomes, bytes_gone) = recorder.counts();
    let finished = Record::Finished {
        at: recorder.at(),
        cancelled,
        stopped: recorder.stopped().map(|failure| failure.to_string()),
        outcomes: record::counts(&outcomes),
    };
    let _ = recorder.write(finished).await; // a failure is kept by the recorder and stands in the report
    let report = RunReport {
        run: recorder.run().into(),
        planned,
        outcomes,
        bytes_gone,
        verification: verification.verification,
        rows,
        cancelled,
        stopped: recorder.stopped(),
        elapsed: started.elapsed(),
    };
    recorder.tell(RunProgress::Finished(Box::new(report.clone()))).await;
    Ok(report)
}

async fn open(execution: &Execution, stop: &Stop, sender: mpsc::Sender<RunProgress>) -> Result<Recorder, ExecuteError> {
    let run = Uuid::now_v7().to_string();
    let (runs_folder, plan, id) = (execution.runs.clone(), Arc::clone(&execution.plan), run.clone());
    let failed = |why: String| {
        ExecuteError::Failed(Failure {
            what: format!("open a journal in {}", execution.runs.display()),
            why,
            hint: "make the state folder writable and give it room; nothing was deleted".into(),
        })
    };
    let journal = tokio::task::spawn_blocking(move || Journal::create(&runs_folder, &id, &plan_file::write(&plan)))
        .await
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))?;
    let header = &execution.plan.header;
    let recorder =
        Recorder::new(run.clone(), Arc::clone(&execution.plan), journal, execution.clock.clone(), stop.clone(), sender);
    let record = Record::Started {
        schema: SCHEMA,
        at: recorder.at(),
        run,
        plan: header.id.clone(),
        digest: header.digest.clone(),
        endpoint: header.endpoint.clone(),
        bucket: header.bucket.clone(),
        planned: execution.plan.rows.len() as u64,
        operator: operator(),
        tool: env!("CARGO_PKG_VERSION").into(),
    };
    recorder.write(record).await.map_err(ExecuteError::Failed)?;
    Ok(recorder)
}

/// The account that runs the program, as its environment names it.
fn operator() -> String {
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "unknown".into())
}

/// Sends batches, as many at a time as the store takes, until all are done or the run is stopped.
async fn run_batches(execution: &Execution, recheck: &Recheck, recorder: &Recorder, stop: &Stop) {
    let mut waiting = batches(execution).into_iter().zip(1u64..);
    let mut flight = FuturesUnordered::new();
    let mut aimd = Aimd::new(execution.concurrency, execution.concurrency);
    let mut failures_in_a_row = 0;
    loop {
        while flight.len() < aimd.limit() && !stop.is_requested() {
            let Some((rows, number)) = waiting.next() else { break };
            flight.push(BatchRun { execution, recheck, recorder, stop, number }.run(rows));
        }
        let Some(end) = flight.next().await else { return };
        let before = aimd.limit();
        if end.throttled {
            aimd.on_throttle()
        } else {
            aimd.on_success()
        }
        if aimd.limit() != before {
            recorder.tell(RunProgress::Concurrency(aimd.limit())).await;
        }
        failures_in_a_row = if end.failed.is_some() { failures_in_a_row + 1 } else { 0 };
        if let Some(failure) = end.failed.filter(|_| failures_in_a_row >= BREAKER || end.fatal) {
            recorder.log(LogLevel::Error, format!("the run stops: {failure}")).await;
            recorder.halt(failure);
        }
    }
}

/// The rows of each request.
fn batches(execution: &Execution) -> Vec<Vec<u32>> {
    let target = |row: &PlanRow| DeleteTarget { key: row.object.key.clone(), etag: None };
    let targets: Vec<DeleteTarget> = execution.plan.rows.iter().map(target).collect();
    let rows: Vec<u32> = (0u32..).take(targets.len()).collect();
    batch::split(&targets, execution.batch_keys).into_iter().map(|range| rows[range].to_vec()).collect()
}

/// Rows that were never asked for end as failed, with the reason: their objects are still there.
async fn close_open_rows(recorder: &Recorder, cancelled: bool) {
    let why = match recorder.stopped() {
        Some(failure) => format!("not attempted: {}", failure.why),
        None if cancelled => "not attempted: the run was stopped".into(),
        None => "not attempted".into(),
    };
    let ends = recorder.open_rows().into_iter().map(|row| (row, Outcome::Failed, Some(why.clone()))).collect();
    recorder.end(0, ends).await;
}
