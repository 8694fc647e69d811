//! `bucketree apply FILE --confirm TEXT`: carry out a plan.

use std::path::Path;
use std::sync::Arc;

use super::watch::{Watched, finish, server_now, watch};
use crate::cli::args::{ApplyArgs, GlobalFlags};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::domain::Plan;
use crate::jobs::execute::{ExecuteError, Execution, execute};
use crate::journal::{JournalError, plan_file};

/// Checks plan, confirmation and guards, then runs the plan to its end.
///
/// # Errors
/// [`Stop`] with exit code 4 if anything refuses, before the first request that changes something.
pub async fn run(args: &ApplyArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let plan = read(&args.plan)?;
    check_confirmation(&plan, args)?;
    let mut inputs = session::inputs(flags);
    inputs.flags.extend(args.concurrency.map(|requests| ("concurrency", requests.to_string())));
    inputs.flags.extend(args.via.map(|via| ("executor", via.to_string())));
    let planned = plan.rows.len() as u64;
    let opening = async {
        let session = Session::open(&inputs).await?;
        let take_over = args.lock.take_over_lock.clone();
        let execution = Execution { keep_rows: args.keep_rows, take_over, ..session.execution(Arc::new(plan)) };
        // All but its age, which only the server's clock can tell: a used plan needs no request to be refused.
        let fresh = execution.plan.header.created_at;
        execution.check(fresh).map_err(|refusal| refused(&args.plan, &refusal.0))?;
        let now = server_now(&session).await?;
        Ok::<_, Stop>((execution, now))
    };
    let mut interrupts = Interrupts::listen();
    let (execution, now) = tokio::select! {
        opened = opening => opened?,
        () = interrupts.next() => return Ok(ExitCode::Interrupted),
    };
    let what = format!("apply {}", args.plan.display());
    let job = |stop, sender| execute(execution, now, stop, sender);
    match watch(job, planned, &mut interrupts).await {
        Watched::Ended(ended) => match *ended {
            Ok(report) => finish(&report, output),
            Err(ExecuteError::Refused(refusal)) => Err(refused(&args.plan, &refusal.0)),
            Err(ExecuteError::Failed(failure)) => Err(failure.into()),
        },
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
