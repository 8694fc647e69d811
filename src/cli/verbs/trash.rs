//! `bucketree restore`, `bucketree trash list` and `bucketree trash empty`: what lies in the trash, back to where it was, and
//! out of it for good.

use std::sync::Arc;

use super::watch::{Watched, finish, server_now, watch};
use crate::app::number;
use crate::cli::args::{EmptyArgs, GlobalFlags, LockArgs, RestoreArgs};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt::Interrupts;
use crate::cli::output::json::TrashLine;
use crate::cli::output::{Output, Table, tell};
use crate::cli::session::{self, Session};
use crate::config::parse_age;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::trash::TRASH;
use crate::domain::{Key, Plan};
use crate::jobs::execute::{ExecuteError, Execution, execute};
use crate::jobs::trash::Only;

/// Prints what lies in the trash, by run.
///
/// # Errors
/// If the listing is not complete, after what is known was printed.
pub async fn list(session: &Session, output: &mut Output) -> Result<ExitCode, Stop> {
    let (inventory, scan) = session.list(TRASH.as_bytes()).await;
    let mut table = Table::new(&["run", "newest", ">objects", ">bytes"]);
    for run in session.trash(&inventory, &scan).by_run() {
        if output.is_json() {
            output.json_line(&TrashLine::from(&run))?;
            continue;
        }
        let newest = run.newest.map_or_else(|| "-".into(), |at| at.to_string());
        let name = if run.run.is_empty() { "(not of a run)".into() } else { run.run };
        table.row([name, newest, number::count(run.total.objects), number::bytes(run.total.bytes)]);
    }
    if table.is_empty() && !output.is_json() {
        tell("bucketree: the trash is empty");
    } else {
        output.table(&table)?;
    }
    complete(&scan)?;
    Ok(ExitCode::Done)
}

/// Brings back what a run moved to the trash; nothing is written over.
///
/// # Errors
/// [`Stop`] if there is nothing to restore, or before anything was changed.
pub async fn restore(args: &RestoreArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let what = format!("restore run {}", args.run);
    let only = Only {
        keys: args.key.iter().map(|key| Key::new(key.as_encoded_bytes())).collect(),
        prefixes: args.prefix.iter().map(|prefix| prefix.as_encoded_bytes().to_vec()).collect(),
    };
    let hint = "`bucketree trash list` says what there is";
    let plan = |session: &Session, inventory: &Inventory, scan: &ScanReport| {
        let trash = session.trash(inventory, scan);
        let refuse = |error| Stop::usage(format!("restore run {}", args.run), error, hint);
        let run = trash.run(&args.run).map_err(refuse)?;
        let plan = trash.restore(&run, &only).map_err(refuse)?;
        match plan.rows.is_empty() {
            true => Err(Stop::usage(format!("restore run {run}"), "none of what is named is in the trash", hint)),
            false => Ok(Some(plan)),
        }
    };
    carry_out(what, flags, &args.lock, plan, output).await
}

/// Deletes for good what has been in the trash long enough. Without a confirmation it only says what that would be.
///
/// # Errors
/// [`Stop`] with exit code 4 if the confirmation is not the right one; nothing is deleted then.
pub async fn empty(args: &EmptyArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let older_than = args.older_than.as_deref().and_then(parse_age).unwrap_or(0);
    let mut planned = None;
    let plan = |session: &Session, inventory: &Inventory, scan: &ScanReport| {
        let plan = session.trash(inventory, scan).empty(older_than, &[]);
        let expected = plan.confirmation();
        match &args.confirm {
            _ if plan.rows.is_empty() => {
                tell("bucketree: there is nothing to delete in the trash");
                Ok(None)
            }
            Some(typed) if *typed == expected => Ok(Some(plan)),
            Some(typed) => Err(Stop::refused(
                "empty the trash",
                format!("--confirm is {typed:?}, and this needs {expected:?}"),
                "nothing was deleted",
            )),
            None => {
                planned = Some((plan.total(), expected));
                Ok(None)
            }
        }
    };
    let code = carry_out("empty the trash".into(), flags, &args.lock, plan, output).await?;
    if let Some((total, confirm)) = planned {
        let (objects, bytes) = (number::objects(total.objects), number::bytes(total.bytes));
        tell(format!("bucketree: {objects}, {bytes}, would be deleted for good; nothing was deleted"));
        output.line(format!("to delete them: --confirm '{confirm}'"))?;
    }
    Ok(code)
}

fn complete(scan: &ScanReport) -> Result<(), Stop> {
    match &scan.completeness {
        Completeness::Complete => Ok(()),
        Completeness::Kept(at) => {
            let why = format!("the listing was kept at {at}, and is not of now");
            Err(Stop::refused("look into the trash", why, "list the bucket again"))
        }
        Completeness::Incomplete(failure) => Err(failure.clone().into()),
    }
}

/// Lists the trash, makes a plan of it, and carries that out; without a plan there is nothing to do.
async fn carry_out(
    what: String,
    flags: &GlobalFlags,
    lock: &LockArgs,
    plan: impl FnOnce(&Session, &Inventory, &ScanReport) -> Result<Option<Plan>, Stop>,
    output: &mut Output,
) -> Result<ExitCode, Stop> {
    let opening = async {
        let session = Session::open(&session::inputs(flags)).await?;
        let (inventory, scan) = session.list(TRASH.as_bytes()).await;
        complete(&scan)?;
        let Some(plan) = plan(&session, &inventory, &scan)? else { return Ok(None) };
        let now = server_now(&session).await?;
        let take_over = lock.take_over_lock.clone();
        Ok::<_, Stop>(Some((Execution { take_over, ..session.execution(Arc::new(plan)) }, now)))
    };
    let mut interrupts = Interrupts::listen();
    let (execution, now) = tokio::select! {
        opened = opening => match opened? {
            Some(opened) => opened,
            None => return Ok(ExitCode::Done),
        },
        () = interrupts.next() => return Ok(ExitCode::Interrupted),
    };
    let planned = execution.plan.rows.len() as u64;
    let job = |stop, sender| execute(execution, now, stop, sender);
    match watch(job, planned, &mut interrupts).await {
        Watched::Ended(ended) => match *ended {
            Ok(report) => finish(&report, output),
            Err(ExecuteError::Refused(refusal)) => Err(Stop::refused(what, refusal.0, "nothing was changed")),
            Err(ExecuteError::Failed(failure)) => Err(failure.into()),
        },
        Watched::Left(told) => Err(Stop::Failed(ExitCode::Interrupted, told.left_at_once(what))),
    }
}
