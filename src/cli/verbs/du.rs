//! `bucketree du [PREFIX]`: sizes by folder.

use crate::app::number;
use crate::cli::args::PrefixArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::{Asked, FolderSize};
use crate::cli::output::{Output, Table, tell_person};
use crate::cli::session::Session;
use crate::domain::folders::{self, Child};
use crate::domain::inventory::Inventory;
use crate::domain::progress::Completeness;
use crate::domain::totals::Totals;

/// Prints what lies in a folder: each folder and object in it, then the total.
///
/// # Errors
/// If the listing is not complete, after what is known was printed.
pub async fn run(session: &Session, args: &PrefixArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let prefix = super::prefix(&args.prefix);
    let (inventory, report) = session.list(prefix).await;
    if let (Some(_), Completeness::Incomplete(failure)) = (&session.kept, &report.completeness) {
        return Err(failure.clone().into());
    }
    let asked = Asked::new(report.requests, &session.settings.prices());
    print(&inventory, prefix, asked, output)?;
    tell_person(format_args!("bucketree: listed with {}", session.price_of(report.requests)));
    match report.completeness {
        Completeness::Complete | Completeness::Kept(_) => Ok(ExitCode::Done),
        Completeness::Incomplete(failure) => Err(failure.into()),
    }
}

fn print(inventory: &Inventory, prefix: &[u8], asked: Asked, output: &mut Output) -> Result<(), Stop> {
    let mut table = Table::new(&[">bytes", ">objects", "newest", "key"]);
    let for_a_person = output.is_terminal();
    let mut add = |kind: &'static str, key: &[u8], totals: &Totals| -> Result<(), Stop> {
        if output.is_json() {
            output.json_line(&FolderSize::new(kind, key, totals, (kind == "total").then_some(asked)))?;
        } else {
            let shown = if kind == "total" && for_a_person { b"(total)" } else { key };
            table.row_of_key(cells(totals, for_a_person), shown);
        }
        Ok(())
    };
    let mut child = folders::first_child(inventory, prefix);
    while let Some(row) = child {
        let totals = inventory.totals(row.range());
        match &row {
            Child::Folder { prefix, .. } => add("folder", prefix, &totals)?,
            Child::Object { at } => add("object", inventory.key(*at).as_bytes(), &totals)?,
        }
        child = folders::next_child(inventory, prefix, &row);
    }
    add("total", prefix, &inventory.totals(inventory.range(prefix)))?;
    if !output.is_json() {
        output.table(&table)?;
    }
    Ok(())
}

fn cells(totals: &Totals, for_a_person: bool) -> [String; 3] {
    if for_a_person {
        let newest = totals.newest.map_or_else(|| "-".into(), number::day);
        return [number::bytes(totals.bytes), number::count(totals.objects), newest];
    }
    let newest = totals.newest.map_or_else(|| "-".into(), |at| at.to_string());
    [totals.bytes.to_string(), totals.objects.to_string(), newest]
}
