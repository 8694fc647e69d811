//! `bucketree scan`: list, and keep what was listed; `bucketree scans`: what is kept.

use std::path::Path;

use crate::app::number;
use crate::cli::args::ScanArgs;
use crate::cli::connecting;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::kept::unusable;
use crate::cli::output::json::ScanLine;
use crate::cli::output::{Output, Table, tell};
use crate::cli::session::Session;
use crate::config::{Origin, Setting};
use crate::domain::Key;
use crate::domain::inventory::Inventory;
use crate::domain::key::Escaped;
use crate::domain::progress::Completeness;
use crate::jobs::{failure, place};
use crate::scans::{ScanHeader, read_header, write_bytes, write_new};
use crate::store::{LARGEST_PUT, PutAnswer, PutRequest};

/// What was attempted, for messages.
const WHAT: &str = "keep the scan";

/// As Parquet is registered with IANA.
const CONTENT_TYPE: &str = "application/vnd.apache.parquet";

/// Lists, and keeps the listing in the state folder, in a file, or as an object.
///
/// # Errors
/// If the listing is not complete, and if the scan cannot be kept; nothing half is kept.
pub async fn run(session: &Session, args: &ScanArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let prefix = super::prefix(&args.prefix);
    if !prefix.is_empty() && args.out.is_none() {
        let hint = "name a file with --out, or scan the whole bucket";
        return Err(Stop::usage(WHAT, "only scans of a whole bucket are kept for the console", hint));
    }
    if args.out.is_none() && session.settings.kept_scans.value == 0 {
        return Err(Stop::usage(WHAT, "kept_scans is 0", "name a file with --out, or raise kept_scans"));
    }
    let (inventory, report) = session.list(prefix).await;
    if let Completeness::Incomplete(failure) = report.completeness {
        return Err(failure.into());
    }
    if prefix.is_empty() {
        // What comes of the comparison matters to plans only; here the listing is just remembered for them.
        let _ = session.memory().compare(session.store.identity(), &inventory, &report, false).await;
    }
    let header = ScanHeader::new(session.store.identity(), prefix, &report, &inventory);
    let (place, bytes) = match args.out.as_deref() {
        None => keep(session, &inventory, &header)?,
        Some(out) => match out.strip_prefix("s3://") {
            Some(target) => put(session, target, &inventory, &header).await?,
            None => write(Path::new(out), &inventory, &header)?,
        },
    };
    if output.is_json() {
        output.json_line(&ScanLine::new(&header, &session.settings.prices(), Some(&place), bytes))?;
    } else {
        let (objects, size) = (number::objects(header.objects), number::bytes(bytes));
        let asked = session.price_of(header.requests);
        output.line(format!("scan {}: {objects}, {size} in {place}; {asked}", header.id))?;
    }
    Ok(ExitCode::Done)
}

/// Where a scan was put, for a person, and how many bytes it has.
type Placed = (String, u64);

fn keep(session: &Session, inventory: &Inventory, header: &ScanHeader) -> Result<Placed, Stop> {
    let most = session.settings.kept_scans.value;
    let kept = session.shelf().keep(inventory, header, most).map_err(|error| unusable(WHAT, &error))?;
    Ok((kept.path.display().to_string(), length(&kept.path)))
}

fn write(path: &Path, inventory: &Inventory, header: &ScanHeader) -> Result<Placed, Stop> {
    write_new(path, inventory, header).map_err(|error| unusable(WHAT, &error))?;
    Ok((path.display().to_string(), length(path)))
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// Writes the scan to `bucket/key` at the endpoint that was listed, if there is no such object, and looks at what came of it.
async fn put(session: &Session, target: &str, inventory: &Inventory, header: &ScanHeader) -> Result<Placed, Stop> {
    let hint = "write it like s3://bucket/scans/today.parquet";
    let (bucket, key) = match target.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => (bucket, Key::from(key)),
        _ => return Err(Stop::usage(WHAT, format!("s3://{target} names no object"), hint)),
    };
    let store = match bucket == session.store.identity().bucket {
        true => session.store.clone(),
        false => {
            let mut settings = session.settings.clone();
            settings.bucket = Some(Setting { value: bucket.to_owned(), origin: Origin::Derived("--out".into()) });
            connecting::store(&settings, &session.state, session.clock.now()).await?.0
        }
    };
    let name = format!("s3://{bucket}/{}", key.escaped());
    let failed = |error| Stop::from(failure(format!("write {name} in {}", place(store.identity())), &error));
    let taken = || Stop::failed(WHAT, format!("{name} is there already"), "name a new key: a scan never replaces one");
    // Not every store heeds the condition that goes with the request.
    if store.head(&key).await.map_err(failed)?.is_some() {
        return Err(taken());
    }
    let body = write_bytes(inventory, header, LARGEST_PUT).map_err(|error| unusable(WHAT, &error))?;
    let bytes = body.len() as u64;
    let request = PutRequest { key: key.clone(), body, content_type: CONTENT_TYPE.into() };
    if store.put(&request).await.map_err(failed)? == PutAnswer::Exists {
        return Err(taken());
    }
    match store.head(&key).await.map_err(failed)? {
        Some(found) if found.object.size == bytes => Ok((name, bytes)),
        _ => Err(Stop::failed(WHAT, format!("{name} is not what was written"), "look at it, and try again")),
    }
}

/// Prints every kept scan of the bucket, the newest first.
///
/// # Errors
/// If the folder cannot be read.
pub fn list(session: &Session, output: &mut Output) -> Result<ExitCode, Stop> {
    let scans = session.shelf().list().map_err(|error| unusable("list the kept scans", &error))?;
    let mut table = Table::new(&["scan", "ended", ">objects", ">file", "prefix"]);
    let mut code = ExitCode::Done;
    for scan in scans {
        let header = match read_header(&scan.path) {
            Ok(header) => header,
            Err(error) => {
                tell(format!("bucketree: {error}"));
                code = ExitCode::Partly;
                continue;
            }
        };
        let (bytes, prices) = (length(&scan.path), session.settings.prices());
        if output.is_json() {
            output.json_line(&ScanLine::new(&header, &prices, Some(&scan.path.display().to_string()), bytes))?;
            continue;
        }
        table.row([
            header.id.clone(),
            header.ended.to_string(),
            number::count(header.objects),
            number::bytes(bytes),
            Escaped(&header.prefix).to_string(),
        ]);
    }
    if table.is_empty() && !output.is_json() && code == ExitCode::Done {
        tell("bucketree: no scan of this bucket is kept; `bucketree scan` keeps one");
    } else {
        output.table(&table)?;
    }
    Ok(code)
}
