//! `bucketree man`.
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::Output;
/// x
pub fn run(_o: &mut Output) -> Result<ExitCode, Stop> {
    Ok(ExitCode::Done)
}
