//! `bucketree ls [PREFIX]`: every key, as the pages arrive.

use tokio::sync::mpsc;

use crate::app::number;
use crate::cli::args::LsArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::kept::Kept;
use crate::cli::output::Output;
use crate::cli::output::json::ListedObject;
use crate::cli::session::{PAGES_IN_FLIGHT, Session};
use crate::domain::Object;
use crate::domain::progress::{Completeness, ScanProgress};
use crate::jobs;

/// Prints one object a line.
///
/// # Errors
/// If the listing is not complete, after all that it did bring was printed.
pub async fn run(session: &Session, args: &LsArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let prefix = super::prefix(&args.prefix);
    if let Some(kept) = &session.kept {
        return print_kept(kept, prefix, args.null, output);
    }
    let (sender, mut pages) = mpsc::channel(PAGES_IN_FLIGHT);
    let stop = jobs::Stop::new();
    let listing = async {
        let sender = sender;
        jobs::scan::scan(&*session.store, prefix, &session.clock, &stop, &sender).await
    };
    let printing = async {
        while let Some(progress) = pages.recv().await {
            if let ScanProgress::Page(objects) = progress
                && let Err(error) = print_page(&objects, args.null, output)
            {
                stop.request();
                return Err(error);
            }
        }
        Ok(())
    };
    let (report, printed) = tokio::join!(listing, printing);
    printed?;
    match report.completeness {
        Completeness::Complete | Completeness::Kept(_) => Ok(ExitCode::Done),
        Completeness::Incomplete(failure) => Err(failure.into()),
    }
}

fn print_kept(kept: &Kept, prefix: &[u8], null: bool, output: &mut Output) -> Result<ExitCode, Stop> {
    let (inventory, report) = kept.list(prefix);
    if let Completeness::Incomplete(failure) = report.completeness {
        return Err(failure.into());
    }
    inventory.range(prefix).try_for_each(|index| print(&inventory.object(index), null, output))?;
    Ok(ExitCode::Done)
}

fn print_page(objects: &[Object], null: bool, output: &mut Output) -> Result<(), Stop> {
    objects.iter().try_for_each(|object| print(object, null, output))?;
    Ok(output.flush()?)
}

fn print(object: &Object, null: bool, output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        output.json_line(&ListedObject::from(object))?;
    } else if null {
        output.bytes(object.key.as_bytes())?;
        output.bytes(b"\0")?;
    } else {
        if output.is_terminal() {
            let day = object.last_modified.map_or_else(|| "-".into(), number::day);
            output.bytes(format!("{:>9}  {day:<10}  ", number::bytes(object.size)).as_bytes())?;
        }
        output.key(object.key.as_bytes())?;
        output.bytes(b"\n")?;
    }
    Ok(())
}
