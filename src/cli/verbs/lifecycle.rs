//! `bucketree trash lifecycle`: a rule of the bucket by which the store itself empties the trash.

use serde::Serialize;

use crate::cli::args::registry::LifecycleArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::Output;
use crate::cli::output::json::SCHEMA;
use crate::cli::session::Session;
use crate::domain::key::Escaped;
use crate::jobs::lifecycle::{Change, plan, set};
use crate::jobs::{failure, place};
use crate::store::StoreError;
use crate::store::lifecycle::{LifecycleRule, write};

/// What is printed with `--json`.
#[derive(Serialize)]
struct Said<'a> {
    schema: u32,
    rules: Vec<&'a str>,
    own: Option<&'a str>,
    document: String,
    differs: bool,
    written: bool,
}

/// Shows the rules and exactly what would be written; writes it if that was asked for.
///
/// # Errors
/// [`Stop`] if the store has no rules, a rule is in the way, or what was written is not what is found afterwards.
pub async fn run(session: &Session, args: &LifecycleArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let what = |error: &StoreError| {
        Stop::from(failure(format!("set a lifecycle rule in {}", place(session.store.identity())), error))
    };
    let change = plan(&*session.store, args.days).await.map_err(|error| what(&error))?;
    let writes = args.set && !change.is_done();
    if !output.is_json() {
        print(&change, args, output)?;
        output.flush()?;
    }
    if writes {
        set(&*session.store, &change).await.map_err(|error| what(&error))?;
    }
    if output.is_json() {
        output.json_line(&Said {
            schema: SCHEMA,
            rules: change.now.iter().map(LifecycleRule::element).collect(),
            own: change.own().map(LifecycleRule::element),
            document: write(&change.then),
            differs: !change.is_done(),
            written: writes,
        })?;
    } else if writes {
        output.line("\nwritten, read again, and found as written")?;
    }
    Ok(ExitCode::Done)
}

fn print(change: &Change, args: &LifecycleArgs, output: &mut Output) -> Result<(), Stop> {
    let others = change.now.iter().filter(|rule| Some(*rule) != change.own());
    output.line(match change.own() {
        None => "the trash has no rule: it is kept until `bucketree trash empty`".to_owned(),
        Some(rule) => format!("the rule of the trash:\n{}", readable(rule.element())),
    })?;
    for rule in others {
        output.line(format!("a rule that stays as it is:\n{}", readable(rule.element())))?;
    }
    if change.is_done() {
        return Ok(output.line("there is nothing to write")?);
    }
    let verb = if args.set { "to be written" } else { "would be written with --set" };
    Ok(output.line(format!("{verb}:\n{}", readable(&write(&change.then))))?)
}

/// A document as a person reads it: its own lines, indented, with nothing in them that a terminal would act upon.
fn readable(document: &str) -> String {
    let lines = document.lines().map(|line| {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        format!("  {:indent$}{}", "", Escaped(text.as_bytes()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_as_the_store_wrote_them_and_cannot_steer_the_terminal() {
        let check = |document: &str, expected: &str| assert_eq!(readable(document), expected);
        check("<R xmlns=\"http://s3\"><ID>it's</ID></R>", "  <R xmlns=\"http://s3\"><ID>it's</ID></R>");
        check("<Rule>\r\n  <ID>a</ID>\n</Rule>", "  <Rule>\n    <ID>a</ID>\n  </Rule>");
        check("<ID>\u{1b}[31m\u{202e}</ID>", "  <ID>\\x1b[31m\\u{202e}</ID>");
    }
}
