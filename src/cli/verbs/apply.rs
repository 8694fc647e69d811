//! `bucketree apply FILE --confirm TEXT`: carry out a plan.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::number;
use crate::cli::args::{ApplyArgs, GlobalFlags};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt;
use crate::cli::output::json::RunResult;
use crate::cli::output::{Output, Progress, Tone};
use crate::cli::session::{self, Session};
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::progress::{LogLevel, RunProgress, RunReport};
use crate::domain::{Plan, Timestamp};
use crate::jobs::execute::{ExecuteError, Execution, execute};
use crate::jobs::{self, failure, place};
use crate::journal::{JournalError, plan_file};
use crate::store::ListRequest;

/// Messages of the run that may wait to be shown.
const MESSAGES: usize = 256;

/// Checks plan, confirmation and guards, then runs the plan to its end.
///
/// # Errors
/// [`Stop`] with exit code 4 if anything refuses, before the first request that changes something.
pub async fn run(args: &ApplyArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let plan = read(&args.plan)?;
    check_confirmation(&plan, args)?;
    let mut inputs = session::inputs(flags);
    inputs.flags.extend(args.concurrency.map(|requests| ("concurrency", requests.to_string())));
    let planned = plan.rows.len() as u64;
    let opening = async {
        let session = Session::open(&inputs).await?;
        let execution = session.execution(Arc::new(plan));
        execution.check(session.clock.now()).map_err(|refusal| refused(&args.plan, &refusal.0))?;
        let now = server_now(&session).await?;
        Ok::<_, Stop>((execution, now))
    };
    let (execution, now) = tokio::select! {
        opened = opening => opened?,
        () = interrupt::requested() => return Ok(ExitCode::Interrupted),
    };
    let what = format!("apply {}", args.plan.display());
    match watch(execution, now, planned).await {
        Watched::Ended(Ok(report)) => finish(&report, output),
        Watched::Ended(Err(ExecuteError::Refused(refusal))) => Err(refused(&args.plan, &refusal.0)),
        Watched::Ended(Err(ExecuteError::Failed(failure))) => Err(failure.into()),
        Watched::Left(told) => Err(Stop::Failed(ExitCode::Interrupted, told.left_at_once(what))),
    }
}

/// Reads the plan; one that was edited is refused.
fn read(path: &Path) -> Result<Plan, Stop> {
    plan_file::read(path).map_err(|error| match error {
        JournalError::Damaged { .. } => refused(path, &error.to_string()),
        _ => Stop::failed("apply the plan", error, "name a file that `bucketree plan` wrote"),
    })
}

fn refused(path: &Path, why: &str) -> Stop {
    Stop::refused(format!("apply {}", path.display()), format!("the plan is refused: {why}"), "nothing was deleted")
}

fn check_confirmation(plan: &Plan, args: &ApplyArgs) -> Result<(), Stop> {
    let expected = plan.confirmation();
    if args.confirm == expected {
        return Ok(());
    }
    let why = format!("--confirm is {:?}, and this plan needs {expected:?}", args.confirm);
    Err(refused(&args.plan, &why))
}

/// The server's time, by the `Date` of an answer; this also proves that the bucket can be reached.
async fn server_now(session: &Session) -> Result<Timestamp, Stop> {
    let request = ListRequest { max_keys: Some(1), ..ListRequest::default() };
    let page = session.store.list(&request).await;
    let page = page.map_err(|error| failure(format!("list {}", place(session.store.identity())), &error))?;
    Ok(page.server_time.unwrap_or_else(|| session.clock.now()))
}

/// How the watching of a run ended.
enum Watched {
    Ended(Result<RunReport, ExecuteError>),
    Left(Told),
}

/// Runs the plan and shows how it goes. Ctrl-C stops it after the requests in flight, a second one leaves at once.
async fn watch(execution: Execution, now: Timestamp, planned: u64) -> Watched {
    let stop = jobs::Stop::new();
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let mut run = tokio::spawn(execute(execution, now, stop.clone(), sender));
    let mut told = Told { planned, ..Told::default() };
    let mut progress = Progress::stderr();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => told.take(message, &mut progress),
                None => break,
            },
            () = interrupt::requested() => {
                if stop.is_requested() {
                    return Watched::Left(told);
                }
                stop.request();
                progress.tell("bucketree: stopping after the requests in flight; Ctrl-C again leaves at once");
            }
        }
    }
    tokio::select! {
        ended = &mut run => match ended {
            Ok(result) => Watched::Ended(result),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        () = interrupt::requested() => Watched::Left(told),
    }
}

/// What the run has said so far.
#[derive(Default)]
struct Told {
    run: String,
    planned: u64,
    outcomes: OutcomeCounts,
}

impl Told {
    fn take(&mut self, message: RunProgress, progress: &mut Progress) {
        match message {
            RunProgress::Started { run, .. } => {
                progress.tell(format!("run {run}"));
                self.run = run;
            }
            RunProgress::Outcomes(ends) => ends.iter().for_each(|(_, outcome, _)| self.outcomes.add(*outcome)),
            RunProgress::Log(line) if line.level > LogLevel::Info => progress.tell(format!("bucketree: {}", line.text)),
            RunProgress::Log(line) => tracing::info!(run = line.run, "{}", line.text),
            RunProgress::Concurrency(limit) => tracing::debug!(limit, "requests in flight at most"),
            RunProgress::Verifying { done, total } => {
                progress.show(|| format!("verifying: {} of {}", number::count(done), number::objects(total)))
            }
            RunProgress::Finished(_) => {}
        }
        if self.outcomes.total() < self.planned {
            let (done, planned) = (number::count(self.outcomes.total()), number::objects(self.planned));
            let failed = self.outcomes.sum(Outcome::is_failure);
            progress.show(|| format!("deleting: {done} of {planned}, {} failed or unknown", number::count(failed)));
        }
    }

    /// What is not known when the program leaves without waiting for answers.
    fn left_at_once(&self, what: String) -> crate::domain::progress::Failure {
        let open = self.planned.saturating_sub(self.outcomes.total());
        crate::domain::progress::Failure {
            what: format!("finish: {what}"),
            why: format!("left at once; of {} no outcome is known: they may be deleted or not", number::objects(open)),
            hint: match self.run.as_str() {
                "" => "the run had not begun".into(),
                run => format!("`bucketree runs show {run}` lists what is known"),
            },
        }
    }
}

fn finish(report: &RunReport, output: &mut Output) -> Result<ExitCode, Stop> {
    match output.is_json() {
        true => output.json_line(&RunResult::from(report))?,
        false => print(report, output)?,
    }
    Ok(match report {
        _ if report.is_success() => ExitCode::Done,
        _ if report.cancelled => ExitCode::Interrupted,
        _ => ExitCode::Partly,
    })
}

fn print(report: &RunReport, output: &mut Output) -> Result<(), Stop> {
    let (tone, word) = match report.is_success() {
        true => (Tone::Good, "success"),
        false => (Tone::Bad, "NOT a success"),
    };
    let word = output.paint().tone(tone, word).to_string();
    output.line(format!("run {}: {word}", report.run))?;
    let outcomes = super::runs::outcomes(&report.outcomes);
    output.line(format!(
        "{} planned: {outcomes}; {} gone",
        number::objects(report.planned),
        number::bytes(report.bytes_gone)
    ))?;
    output.line(super::runs::verification(Some(&report.verification)))?;
    let rows = &report.rows;
    if rows.removed > 0 {
        output.line(format!(
            "{} tracking rows of proved-gone keys removed from the registry",
            number::count(rows.removed)
        ))?;
    }
    if let Some(file) = &rows.listed_in {
        output.line(format!("the registry cannot be changed from here; the rows to remove are in {file}"))?;
    }
    if let Some(problem) = &rows.problem {
        output.line(format!("rows were left in the registry: {problem}"))?;
    }
    if report.cancelled {
        output.line("stopped by the user; what was not asked for is still there")?;
    }
    if let Some(failure) = &report.stopped {
        output.line(format!("stopped: {failure}"))?;
    }
    if report.outcomes.sum(Outcome::is_failure) > 0 {
        output.line(format!("which keys, and why: bucketree runs show {}", report.run))?;
    }
    Ok(output.line(format!("took {:.1} s", report.elapsed.as_secs_f64()))?)
}
