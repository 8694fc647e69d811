//! `bucketree runs export` and `runs check`: all of a run in one file.

use std::path::Path;

use super::runs::{outcomes, state, unreadable};
use crate::app::number;
use crate::cli::args::ExportArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::BundleLine;
use crate::cli::output::{Output, tell};
use crate::jobs::Clock;
use crate::journal::bundle::{self, Bundle};
use crate::journal::{JournalError, write_synced};

/// Writes the bundle of a run.
///
/// # Errors
/// If the run cannot be read, its journal was changed, or the file exists.
pub fn export(runs: &Path, args: &ExportArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let now = Clock::system().now().to_string();
    let (bytes, bundle) = bundle::export(runs, &args.run, now).map_err(|error| match error {
        JournalError::Damaged { .. } => {
            Stop::failed(format!("export run {:?}", args.run), error, "its folder is evidence; leave it as it is")
        }
        _ => unreadable(&args.run, &error),
    })?;
    write_synced(&args.output, &bytes)
        .map_err(|error| Stop::failed("write the bundle", error, "name a new file in a folder that can be written"))?;
    if !bundle.summary.finished {
        tell(format!(
            "bucketree: the run is unfinished; `bucketree resume {}` brings it to its end",
            bundle.summary.run
        ));
    }
    print(&args.output, &bundle, output)
}

/// Checks a bundle.
///
/// # Errors
/// [`Stop`] with exit code 1 if it is not what was written, with the line.
pub fn check(file: &Path, output: &mut Output) -> Result<ExitCode, Stop> {
    let what = format!("check {}", file.display());
    let bytes = std::fs::read(file).map_err(|error| Stop::failed(&what, error, "name a file that can be read"))?;
    let bundle = bundle::check(&bytes).map_err(|(line, why)| {
        let hint = "it is not what `bucketree runs export` wrote; export the run again, or ask for another copy";
        Stop::failed(&what, format!("line {line}: {why}"), hint)
    })?;
    print(file, &bundle, output)
}

fn print(file: &Path, bundle: &Bundle, output: &mut Output) -> Result<ExitCode, Stop> {
    let summary = &bundle.summary;
    if output.is_json() {
        output.json_line(&BundleLine::new(bundle, file))?;
        return Ok(ExitCode::Done);
    }
    output.line(format!("{}: intact", file.display()))?;
    output.line(format!("run {} on bucket {:?} at {}", summary.run, summary.bucket, summary.endpoint))?;
    output.line(format!("started {}, {}", summary.started_at, state(summary)))?;
    output.line(format!("{} planned: {}", number::objects(summary.planned), outcomes(&summary.outcomes)))?;
    output.line(format!("seal {}", bundle.seal))?;
    Ok(ExitCode::Done)
}
