//! `bucketree usage --by ...`: who uses how much, and what it costs.

use serde::Serialize;

use crate::app::number;
use crate::cli::args::UsageArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::{Asked, SCHEMA};
use crate::cli::output::{Output, Table};
use crate::cli::session::Session;
use crate::domain::prices::Prices;
use crate::domain::progress::Completeness;
use crate::domain::usage::{By, Use, usage};
use crate::jobs::audit::server_now;

/// One group, or all of them.
#[derive(Serialize)]
struct UsageLine<'g> {
    schema: u32,
    kind: &'static str,
    by: &'static str,
    name: Option<&'g str>,
    objects: u64,
    bytes: u64,
    dollars_a_month: f64,
    #[serde(flatten)]
    asked: Option<Asked>,
}

/// Prints each group, then the total.
///
/// # Errors
/// If the listing is not complete: shares of a part would mislead.
pub async fn run(session: &Session, args: &UsageArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let prefix = super::prefix(&args.prefix);
    let (inventory, report) = session.list(prefix).await;
    if let Completeness::Incomplete(failure) = report.completeness {
        return Err(failure.into());
    }
    let now = server_now(&report, &session.clock).unwrap_or_else(|| session.clock.now());
    let prices = session.settings.prices();
    let asked = Asked::new(report.requests, &prices);
    let (groups, total) = usage(&inventory, prefix, args.by, &session.layouts, &session.ids, now);
    match output.is_json() {
        true => lines(&groups, &total, args.by, &prices, asked, output)?,
        false => {
            table(&groups, &total, args.by, &prices, output)?;
            output.line(format!("listed with {}", session.price_of(report.requests)))?;
        }
    }
    Ok(ExitCode::Done)
}

fn lines(
    groups: &[(Option<String>, Use)],
    total: &Use,
    by: By,
    prices: &Prices,
    asked: Asked,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut line = |kind, name, used: &Use, asked| {
        output.json_line(&UsageLine {
            schema: SCHEMA,
            kind,
            by: by.name(),
            name,
            objects: used.all.objects,
            bytes: used.all.bytes,
            dollars_a_month: used.dollars_a_month(prices),
            asked,
        })
    };
    groups.iter().try_for_each(|(name, used)| line("group", name.as_deref(), used, None))?;
    Ok(line("total", None, total, Some(asked))?)
}

fn table(
    groups: &[(Option<String>, Use)],
    total: &Use,
    by: By,
    prices: &Prices,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut table = Table::new(&[">bytes", ">share", ">objects", ">a month", by.name()]);
    let mut row = |name: &str, used: &Use| {
        let share = used.all.bytes as f64 / (total.all.bytes as f64).max(1.0) * 100.0;
        table.row([
            number::bytes(used.all.bytes),
            format!("{share:.1} %"),
            number::count(used.all.objects),
            number::dollars(used.dollars_a_month(prices)),
            name.to_owned(),
        ]);
    };
    let unread = if by == By::Age { "(no time)" } else { "(read by no layout)" };
    groups.iter().for_each(|(name, used)| row(name.as_deref().unwrap_or(unread), used));
    row("(total)", total);
    output.report(&table)?;
    let Prices { standard, infrequent, .. } = prices;
    Ok(output.line(format!(
        "\nstorage at ${standard} a GB and month, ${infrequent} for infrequent access; free allowances are not taken off"
    ))?)
}
