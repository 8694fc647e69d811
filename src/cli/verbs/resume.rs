//! `bucketree resume RUN`: bring a run that ended early to its end.

use std::sync::Arc;

use super::runs::unreadable;
use super::watch::{Watched, finish, server_now, watch};
use crate::cli::args::{GlobalFlags, ResumeArgs};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::domain::Plan;
use crate::jobs::execute::{Ending, ExecuteError, Execution, resume};
use crate::journal::runs;

/// Finds out what became of what was sent; goes on with the rest, unless it is only to be closed.
///
/// # Errors
/// [`Stop`] with exit code 4 if anything refuses, before the first request that changes something.
pub async fn run(args: &ResumeArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let mut inputs = session::inputs(flags);
    inputs.flags.extend(args.concurrency.map(|requests| ("concurrency", requests.to_string())));
    let past = |session: &Session| -> Result<(String, Plan), Stop> {
        let past = runs::open(&session.runs(), &args.run).map_err(|error| unreadable(&args.run, &error))?;
        let plan = past.plan().map_err(|error| unreadable(&args.run, &error))?;
        Ok((past.run, plan))
    };
    let opening = async {
        let session = Session::open(&inputs).await?;
        let (run, plan) = past(&session)?;
        let now = server_now(&session).await?;
        let take_over = args.lock.take_over_lock.clone();
        Ok::<_, Stop>((run, Execution { take_over, ..session.execution(Arc::new(plan)) }, now))
    };
    let mut interrupts = Interrupts::listen();
    let (run, execution, now) = tokio::select! {
        opened = opening => opened?,
        () = interrupts.next() => return Ok(ExitCode::Interrupted),
    };
    let what = format!("resume run {run}");
    let planned = execution.plan.rows.len() as u64;
    let ending = if args.close { Ending::Close } else { Ending::GoOn };
    let job = |stop, sender| async move { resume(execution, &run, ending, now, stop, sender).await };
    match watch(job, planned, &mut interrupts).await {
        Watched::Ended(ended) => match *ended {
            Ok(report) => finish(&report, output),
            Err(ExecuteError::Refused(refusal)) => Err(Stop::refused(what, refusal.0, "nothing was deleted")),
            Err(ExecuteError::Failed(failure)) => Err(failure.into()),
        },
        Watched::Left(told) => Err(Stop::Failed(ExitCode::Interrupted, told.left_at_once(what))),
    }
}
