//! A run as the command line shows it, from its first message to its report.

use tokio::sync::mpsc;

use crate::app::number;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::json::RunResult;
use crate::cli::output::{Output, Progress, Tone};
use crate::cli::session::Session;
use crate::domain::Timestamp;
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::progress::{Failure, LogLevel, RunProgress, RunReport};
use crate::jobs::execute::ExecuteError;
use crate::jobs::{self, failure, place};
use crate::store::ListRequest;

/// Messages of the run that may wait to be shown.
const MESSAGES: usize = 256;

/// The server's time, by the `Date` of an answer; this also proves that the bucket can be reached.
///
/// # Errors
/// If it cannot.
pub async fn server_now(session: &Session) -> Result<Timestamp, Stop> {
    let request = ListRequest { max_keys: Some(1), ..ListRequest::default() };
    let page = session.store.list(&request).await;
    let page = page.map_err(|error| failure(format!("list {}", place(session.store.identity())), &error))?;
    Ok(page.server_time.unwrap_or_else(|| session.clock.now()))
}

/// How the watching of a run ended.
pub enum Watched {
    /// The run ended.
    Ended(Box<Result<RunReport, ExecuteError>>),
    /// The user left without waiting for it.
    Left(Told),
}

/// Starts a run and shows how it goes. Ctrl-C stops it after the requests in flight, a second one leaves at once.
pub async fn watch<R>(
    job: impl FnOnce(jobs::Stop, mpsc::Sender<RunProgress>) -> R,
    planned: u64,
    interrupts: &mut Interrupts,
) -> Watched
where
    R: Future<Output = Result<RunReport, ExecuteError>> + Send + 'static,
{
    let stop = jobs::Stop::new();
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let mut run = tokio::spawn(job(stop.clone(), sender));
    let mut told = Told { planned, ..Told::default() };
    let mut progress = Progress::stderr();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => told.take(message, &mut progress),
                None => break,
            },
            () = interrupts.next() => {
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
            Ok(result) => Watched::Ended(Box::new(result)),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        () = interrupts.next() => Watched::Left(told),
    }
}

/// What the run has said so far.
#[derive(Default)]
pub struct Told {
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
            progress.show(|| format!("done: {done} of {planned}, {} failed or unknown", number::count(failed)));
        }
    }

    /// What is not known when the program leaves without waiting for answers.
    pub fn left_at_once(&self, what: String) -> Failure {
        let open = self.planned.saturating_sub(self.outcomes.total());
        Failure {
            what: format!("finish: {what}"),
            why: format!("left at once; of {} no outcome is known: they may be deleted or not", number::objects(open)),
            hint: match self.run.as_str() {
                "" => "the run had not begun".into(),
                run => format!("`bucketree resume {run}` finds out and brings the run to its end"),
            },
        }
    }
}

/// Prints how a run ended.
///
/// # Errors
/// If the output cannot be written.
pub fn finish(report: &RunReport, output: &mut Output) -> Result<ExitCode, Stop> {
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
    let (planned, bytes) = (number::objects(report.planned), number::bytes(report.bytes_gone));
    let came_to = match (report.outcomes.of(Outcome::Trashed), report.outcomes.of(Outcome::Restored)) {
        (0, 0) => format!("{bytes} gone"),
        (0, _) => format!("{bytes} restored"),
        (..) => format!("{bytes} in the trash"),
    };
    output.line(format!("{planned} planned: {outcomes}; {came_to}"))?;
    if report.outcomes.of(Outcome::Trashed) > 0 {
        output.line(format!("to bring them back: bucketree restore {}", report.run))?;
    }
    output.line(super::runs::verification(Some(&report.verification)))?;
    let rows = &report.rows;
    for (count, what) in [
        (rows.removed, "tracking rows of proved-gone keys removed from the registry"),
        (rows.added, "objects recorded in the registry"),
        (rows.put_back, "tracking rows of restored keys put back into the registry"),
        (rows.dropped, "kept tracking rows of keys that can no longer be restored dropped"),
    ] {
        if count > 0 {
            output.line(format!("{} {what}", number::count(count)))?;
        }
    }
    if rows.left_read_only {
        output.line("the registry cannot be changed from here; its rows stay")?;
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
    output.line(super::runs::asked(&report.requests))?;
    Ok(output.line(format!("took {:.1} s", report.elapsed.as_secs_f64()))?)
}
