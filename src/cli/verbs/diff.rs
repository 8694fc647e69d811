//! `bucketree diff A B`: what came, went and changed between two scans.

use std::path::Path;

use crate::app::number;
use crate::cli::args::{DiffArgs, GlobalFlags};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::kept::{Kept, unusable};
use crate::cli::output::json::{ChangeLine, ChangeSummary};
use crate::cli::output::{Output, Table, tell};
use crate::cli::session::{self, Session};
use crate::domain::IdRules;
use crate::domain::changes::{Change, ChangeTotals, Difference, Summary, compare};
use crate::domain::layout::Layouts;
use crate::scans::read;

/// What was attempted, for messages.
const WHAT: &str = "compare the scans";

/// Prints each key that differs, or the totals.
///
/// # Errors
/// If one of the scans cannot be found or read, or if they are of different prefixes.
pub async fn run(args: &DiffArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let inputs = session::inputs(flags);
    let settings = session::settings(&inputs)?;
    let layouts = session::layouts(&settings)?;
    let (before, after) = (open(&args.before, flags).await?, open(&args.after, flags).await?);
    if before.header.prefix != after.header.prefix {
        let why = "one of them has only the keys under a prefix that the other has not";
        return Err(Stop::usage(WHAT, why, "compare scans of the same prefix"));
    }
    if before.header.at.name() != after.header.at.name() {
        tell(format!("bucketree: two buckets: {} and {}", before.header.at.name(), after.header.at.name()));
    }
    let ids = IdRules { prefix: layouts.id_prefix().into(), fold_nfc: after.header.at.folds_nfc };
    match args.summary {
        true => summarize(&before, &after, args.levels, &layouts, &ids, output)?,
        false => list(&before, &after, output)?,
    }
    Ok(ExitCode::Done)
}

/// A scan by its file, or a kept one by its id.
async fn open(meant: &str, flags: &GlobalFlags) -> Result<Kept, Stop> {
    let path = Path::new(meant);
    let path = match path.is_file() || meant.contains(['/', '\\', '.']) {
        true => path.to_path_buf(),
        false => {
            let session = Session::open(&session::inputs(flags)).await?;
            session.shelf().find(meant).map_err(|error| unusable(WHAT, &error))?.path
        }
    };
    let (header, inventory) = read(&path).map_err(|error| unusable(WHAT, &error))?;
    Ok(Kept { header, inventory })
}

fn list(before: &Kept, after: &Kept, output: &mut Output) -> Result<(), Stop> {
    let mut printed = Ok(());
    compare(&before.inventory, &after.inventory, |difference| {
        if printed.is_ok() {
            printed = print(difference, before, after, output);
        }
    });
    printed
}

/// `grown  1.2 MiB  3.4 MiB  KEY` on a terminal, the same with tabs and exact on a pipe.
fn print(difference: &Difference<'_>, before: &Kept, after: &Kept, output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        return Ok(output.json_line(&ChangeLine::new(difference, &before.inventory, &after.inventory))?);
    }
    let size = |is_there: bool, bytes: u64| match (is_there, output.is_terminal()) {
        (false, _) => "-".to_owned(),
        (true, true) => number::bytes(bytes),
        (true, false) => bytes.to_string(),
    };
    let was = size(difference.before.is_some(), difference.bytes_before);
    let is = size(difference.after.is_some(), difference.bytes_after);
    let name = difference.change.name();
    let line = match output.is_terminal() {
        true => format!("{name:<7}  {was:>8}  {is:>8}  "),
        false => format!("{name}\t{was}\t{is}\t"),
    };
    output.bytes(line.as_bytes())?;
    output.key(difference.key)?;
    Ok(output.bytes(b"\n")?)
}

fn summarize(
    before: &Kept,
    after: &Kept,
    levels: usize,
    layouts: &Layouts,
    ids: &IdRules,
    output: &mut Output,
) -> Result<(), Stop> {
    let summary = Summary::of(&before.inventory, &after.inventory, levels, layouts, ids);
    if output.is_json() {
        return Ok(output.json_line(&ChangeSummary::new(&summary, &before.header, &after.header))?);
    }
    for (word, kept) in [("from", before), ("to", after)] {
        let header = &kept.header;
        output.line(format!(
            "{word:<4}  scan {} of {}, {}",
            header.id,
            header.ended,
            number::objects(header.objects)
        ))?;
    }
    output.line("")?;
    let mut all = table("change");
    row(&mut all, &summary.all, b"(all)");
    output.report(&all)?;
    output.line("")?;
    let mut folders = table("folder");
    summary.folders.iter().for_each(|(prefix, totals)| row(&mut folders, totals, or_none(prefix)));
    output.report(&folders)?;
    output.line("")?;
    let mut projects = table("project");
    for (project, totals) in &summary.projects {
        row(&mut projects, totals, project.as_ref().map_or(b"(none)", |project| project.as_bytes()));
    }
    Ok(output.report(&projects)?)
}

fn or_none(prefix: &[u8]) -> &[u8] {
    if prefix.is_empty() { b"(none)" } else { prefix }
}

fn table(name: &'static str) -> Table {
    Table::new(&[">added", ">removed", ">grown", ">changed", ">bytes", name])
}

fn row(table: &mut Table, totals: &ChangeTotals, name: &[u8]) {
    let [added, removed, grown, changed] = Change::ALL.map(|change| number::count(totals.of(change).objects));
    table.row_of_key([added, removed, grown, changed, number::signed_bytes(totals.net_bytes())], name);
}
