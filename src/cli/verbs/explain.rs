//! `bucketree audit --project P --explain`: how the objects of a project are found, so that one sees what an app that goes by
//! its tracked keys alone would miss.

use crate::app::number;
use crate::cli::error::Stop;
use crate::cli::output::json::FoundLine;
use crate::cli::output::{Output, Table};
use crate::cli::verbs::audit::Audited;
use crate::domain::drift::{FoundBy, found_by};
use crate::domain::key::Escaped;
use crate::domain::{Key, ProjectId, Tally};

/// Prints each object of the project with what finds it, and the totals.
///
/// # Errors
/// If the output cannot be written.
pub fn print(audited: &Audited, project: &ProjectId, output: &mut Output) -> Result<(), Stop> {
    let (inventory, audit) = (&audited.inventory, &audited.audit);
    let mut totals = [Tally::default(); FoundBy::ALL.len()];
    let mut found = Vec::new();
    inventory.scan(0..inventory.len(), |index, key, fields| {
        let claims = audit.judge.facts().claims_of(index);
        if let Some(by) = found_by(&audit.judge, key, &claims, project) {
            totals[by as usize].count(fields.size);
            found.push((by, Key::new(key), fields.size, audit.assessment.verdict(index)));
        }
    });
    for (by, key, size, verdict) in &found {
        if output.is_json() {
            output.json_line(&FoundLine::new(*by, key, *size, *verdict))?;
            continue;
        }
        output.bytes(format!("{:<8}\t{verdict}\t{size}\t", by.name()).as_bytes())?;
        output.key(key.as_bytes())?;
        output.bytes(b"\n")?;
    }
    if output.is_json() {
        return Ok(());
    }
    let mut table = Table::new(&["found by", ">objects", ">bytes"]);
    for (by, what) in [
        (FoundBy::Registry, "tracked keys only: their keys do not name the project"),
        (FoundBy::Layout, "layouts only: what goes by tracked keys alone misses them"),
        (FoundBy::Both, "both"),
    ] {
        let tally = totals[by as usize];
        table.row([what.into(), number::count(tally.objects), number::bytes(tally.bytes)]);
    }
    output.line(format!("\nproject {}", Escaped(project.as_bytes())))?;
    Ok(output.report(&table)?)
}
