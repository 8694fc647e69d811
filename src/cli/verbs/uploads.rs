//! `bucketree uploads list` and `bucketree uploads abort`: multipart uploads that nobody finished.

use serde::Serialize;

use crate::app::number;
use crate::cli::args::{AbortArgs, PrefixArgs};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::SCHEMA;
use crate::cli::output::{Output, Table, tell};
use crate::cli::session::Session;
use crate::config::{age_text, parse_age};
use crate::domain::Timestamp;
use crate::domain::key::Escaped;
use crate::jobs::uploads::{Uploads, list as list_uploads, older_than};
use crate::journal::keys::KeyFields;
use crate::journal::uploads::UploadLog;
use crate::store::{AbortAnswer, Upload};

/// What was attempted, for messages.
const WHAT: &str = "end the uploads";

/// One upload.
#[derive(Serialize)]
struct UploadLine<'u> {
    schema: u32,
    #[serde(flatten)]
    key: KeyFields,
    upload: &'u str,
    begun: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

/// Prints every upload.
///
/// # Errors
/// If the store has no such list, or not all of it can be had.
pub async fn list(session: &Session, args: &PrefixArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let found = list_uploads(&*session.store, super::prefix(&args.prefix)).await?;
    print(&found.list.iter().collect::<Vec<_>>(), output)?;
    Ok(ExitCode::Done)
}

fn print(uploads: &[&Upload], output: &mut Output) -> Result<(), Stop> {
    let mut table = Table::new(&["begun", "upload", "key"]);
    for upload in uploads {
        if output.is_json() {
            output.json_line(&line(upload, None))?;
            continue;
        }
        let begun = upload.begun.map_or_else(|| "-".into(), |begun| begun.to_string());
        table.row_of_key([begun, Escaped(upload.id.as_bytes()).to_string()], upload.key.as_bytes());
    }
    if output.is_json() {
        return Ok(());
    }
    if table.is_empty() {
        tell("bucketree: no upload is unfinished");
    }
    Ok(output.table(&table)?)
}

fn line<'u>(upload: &'u Upload, outcome: Option<&'static str>) -> UploadLine<'u> {
    UploadLine {
        schema: SCHEMA,
        key: KeyFields::from(&upload.key),
        upload: &upload.id,
        begun: upload.begun.map(|begun| begun.to_string()),
        outcome,
    }
}

/// Ends the old uploads, or, without `--confirm`, says which they are.
///
/// # Errors
/// [`Stop`] with exit code 4 if what is confirmed is not what is there, or the age is under the guard; then nothing has ended.
pub async fn abort(session: &Session, args: &AbortArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let seconds = age(session, args.older_than.as_deref())?;
    let found = list_uploads(&*session.store, super::prefix(&args.prefix)).await?;
    let now = found.server_time.unwrap_or_else(|| session.clock.now());
    let old = older_than(&found, seconds, now);
    let expected = format!("{} {}", session.store.identity().bucket, old.len());
    let Some(confirm) = &args.confirm else {
        print(&old, output)?;
        output.flush()?;
        say(&found, old.len(), seconds, &expected);
        return Ok(ExitCode::Done);
    };
    if *confirm != expected || old.is_empty() {
        let why = format!("--confirm is {confirm:?}, and {expected:?} is what would end now");
        return Err(Stop::refused(WHAT, why, "look at them without --confirm first; nothing has ended"));
    }
    end(session, &old, now, output).await
}

fn say(found: &Uploads, old: usize, seconds: i64, expected: &str) {
    let young = found.list.len() - old;
    let age = age_text(seconds);
    tell(format!("bucketree: {old} uploads are older than {age}, {young} are younger and stay; nothing has ended"));
    if old > 0 {
        tell(format!("bucketree: to end them for good: --confirm '{expected}'"));
    }
}

/// The age guard: as for objects, and never lower.
fn age(session: &Session, typed: Option<&str>) -> Result<i64, Stop> {
    let least = session.policy.min_age_seconds;
    match typed.and_then(parse_age) {
        Some(seconds) if seconds < least => {
            let why =
                format!("guard \"nothing young\": an upload may still be going on; {} is the least", age_text(least));
            Err(Stop::refused(WHAT, why, "min_age in the configuration sets another age"))
        }
        Some(seconds) => Ok(seconds),
        None => Ok(least),
    }
}

async fn end(session: &Session, old: &[&Upload], now: Timestamp, output: &mut Output) -> Result<ExitCode, Stop> {
    let failed =
        |error: crate::journal::JournalError| Stop::failed(WHAT, error, "see that the state folder can be written");
    let mut log = UploadLog::open(&session.state, &session.store.identity().name()).map_err(failed)?;
    let (mut ended, mut code) = (0_u64, ExitCode::Done);
    for upload in old {
        log.write(now, &upload.key, &upload.id, "intent", None).map_err(failed)?;
        let (outcome, why) = match session.store.abort_upload(upload).await {
            Ok(AbortAnswer::Aborted) => ("aborted", None),
            Ok(AbortAnswer::Absent) => ("absent", None),
            Err(error) => ("unknown", Some(error.to_string())),
        };
        log.write(session.clock.now(), &upload.key, &upload.id, outcome, why.as_deref()).map_err(failed)?;
        if output.is_json() {
            output.json_line(&line(upload, Some(outcome)))?;
        }
        if let Some(why) = why {
            tell(format!("bucketree: {}: {why}", upload.key.escaped()));
            code = ExitCode::Partly;
        } else {
            ended += 1;
        }
    }
    if !output.is_json() {
        output.line(format!("{} of {} uploads have ended", number::count(ended), number::count(old.len() as u64)))?;
    }
    Ok(code)
}
