//! Carrying out a plan. Before each request the registry and the objects are asked again; the intent is on the disk
//! before the request and the outcome after it; what is not proved is looked up, and what cannot be is `unknown`.

mod appeared;
mod batch_run;
mod hold;
mod moving;
mod prove;
mod recheck;
mod recorder;
mod recording;
mod resume;
mod rows;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::executor::Executor;
use super::{Clock, Stop, place};
use crate::domain::capabilities::Locking;
use crate::domain::guards::{self, Here, Past, Place};
use crate::domain::layout::Layouts;
use crate::domain::plan::Plan;
use crate::domain::progress::{Failure, LogLevel, RunProgress, RunReport};
use crate::domain::{IdRules, Timestamp};
use crate::journal::lock::{self, LockError, Owner, RunLock};
use crate::journal::record::{Record, SCHEMA};
use crate::journal::{Journal, plan_file, runs};
use crate::registry::SharedRegistry;
use crate::store::ObjectStore as _;
use crate::store::counted::CountedStore;
use hold::Hold;
use recheck::Recheck;
use recorder::Recorder;
pub use resume::{Ending, resume};
use work::Work;

/// Everything that a run needs.
pub struct Execution {
    /// The plan, sealed and confirmed.
    pub plan: Arc<Plan>,
    /// The store, which counts what this run asks of it. Its deletes must not be repeated by any wrapper.
    pub store: Arc<CountedStore>,
    /// The registry that gave the verdicts; `None` only for plans of objects without a verdict.
    pub registry: Option<SharedRegistry>,
    /// The layouts that gave the verdicts.
    pub layouts: Arc<Layouts>,
    /// How ids are compared.
    pub ids: IdRules,
    /// The folder that holds one folder per run.
    pub runs: PathBuf,
    /// Whether the store was proved to honour conditions, so that each deletion names the object that was planned.
    pub conditional_deletes: bool,
    /// Whether the store was proved to keep writes apart, so that the run can hold a lock in the bucket.
    pub locking: Locking,
    /// The run whose lock in the bucket a person wants taken over, if its owner is silent.
    pub take_over: Option<String>,
    /// Requests in flight at most.
    pub concurrency: usize,
    /// Keys per request at most.
    pub batch_keys: usize,
    /// How long to wait before a request is repeated for the first time; doubles with each further time.
    pub backoff: Duration,
    /// Whether the registry's rows stay, whatever becomes of their objects.
    pub keep_rows: bool,
    /// How deletions reach the store.
    pub executor: Arc<dyn Executor>,
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
        self.check_place()?;
        self.check_ground(now)?;
        self.check_history()
    }

    /// Whether the plan is for this bucket.
    fn check_place(&self) -> Result<(), Refusal> {
        let at = self.store.identity();
        let place = Place { endpoint: &at.endpoint, bucket: &at.bucket, account: at.account.as_deref() };
        guards::check_place(&self.plan, &place).map_err(|guard| Refusal(guard.message))
    }

    /// Whether what the plan was made from still holds.
    fn check_ground(&self, now: Timestamp) -> Result<(), Refusal> {
        let here = Here {
            layouts: &self.layouts.hash(),
            registry: self.registry.as_ref().map(|registry| registry.name()),
            tool: env!("CARGO_PKG_VERSION"),
            now,
        };
        guards::check_ground(&self.plan, &here).map_err(|guard| Refusal(guard.message))
    }

    /// Whether the plan was used, and whether an earlier run on the bucket has to be brought to its end first.
    fn check_history(&self) -> Result<(), Refusal> {
        let header = &self.plan.header;
        let history = runs::history(&self.runs, &header.id, &header.endpoint, &header.bucket);
        let past = history.map_err(|error| error.to_string()).map(|history| Past {
            under_way: lock::holder(&self.runs, &header.endpoint, &header.bucket)
                .filter(|owner| history.unfinished.contains(&owner.run))
                .map(|owner| LockError::Held(Some(owner)).to_string()),
            unfinished: history.unfinished.into_iter().next(),
            used_by: history.used_by,
        });
        guards::check_history(&past).map_err(|guard| Refusal(guard.message))
    }

    /// Makes sure that no other run on the bucket is under way, nor begins.
    async fn lock(&self, run: &str) -> Result<RunLock, ExecuteError> {
        let owner = Owner::this(run, self.clock.now().to_string());
        let (runs, here) = (self.runs.clone(), self.store.identity().clone());
        let taking = move || lock::take(&runs, &here.endpoint, &here.bucket, &owner);
        match tokio::task::spawn_blocking(taking).await {
            Ok(Ok(lock)) => Ok(lock),
            Ok(Err(held @ LockError::Held(_))) => Err(Refusal(held.to_string()).into()),
            Ok(Err(LockError::Journal(error))) => Err(self.no_journal(error.to_string())),
            Err(error) => Err(self.no_journal(error.to_string())),
        }
    }

    fn no_journal(&self, why: String) -> ExecuteError {
        ExecuteError::Failed(Failure {
            what: format!("open a journal in {}", self.runs.display()),
            why,
            hint: "make the state folder writable and give it room; nothing was deleted".into(),
        })
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
    let run = Uuid::now_v7().to_string();
    let machine = execution.lock(&run).await?;
    execution.check_history()?; // nobody else can begin a run from here on
    let hold = Hold::take(&execution, &run, machine, server_now).await?;
    let ended = begin(&execution, &hold, run, started, &stop, sender).await;
    hold.release().await;
    ended
}

async fn begin(
    execution: &Execution,
    hold: &Hold,
    run: String,
    started: Instant,
    stop: &Stop,
    sender: mpsc::Sender<RunProgress>,
) -> Result<RunReport, ExecuteError> {
    let recorder = open(execution, run, stop, sender).await?;
    let work = Work::whole(execution);
    recorder.tell(RunProgress::Started { run: recorder.run().into(), planned: work.planned }).await;
    let (run, planned) = (recorder.run(), work.planned);
    let text = format!("run {run} begins: {planned} objects of {}", place(execution.store.identity()));
    recorder.log(LogLevel::Info, text).await;
    Ok(work.carry_out(execution, hold, &recorder, stop, started).await)
}

async fn open(
    execution: &Execution,
    run: String,
    stop: &Stop,
    sender: mpsc::Sender<RunProgress>,
) -> Result<Recorder, ExecuteError> {
    let (runs_folder, plan, id) = (execution.runs.clone(), Arc::clone(&execution.plan), run.clone());
    let journal = tokio::task::spawn_blocking(move || Journal::create(&runs_folder, &id, &plan_file::write(&plan)))
        .await
        .map_err(|error| execution.no_journal(error.to_string()))?
        .map_err(|error| execution.no_journal(error.to_string()))?;
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
        operator: lock::operator(),
        tool: env!("CARGO_PKG_VERSION").into(),
        keep_rows: execution.keep_rows,
    };
    recorder.write(record).await.map_err(ExecuteError::Failed)?;
    Ok(recorder)
}
