//! One file per verb.

pub mod apply;
pub mod audit;
pub mod bundle;
pub mod completions;
pub mod config;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod du;
pub mod explain;
pub mod layouts;
pub mod lifecycle;
pub mod ls;
pub mod man;
pub mod plan;
pub mod registry;
pub mod resume;
pub mod runs;
pub mod scan;
pub mod trash;
pub mod uploads;
pub mod usage;
pub mod verify;
mod watch;

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use super::args::GlobalFlags;
use super::error::Stop;
use super::exit_code::ExitCode;
use super::kept;
use super::session::Session;

/// The exact bytes of a prefix that was typed; none is the whole bucket.
fn prefix(typed: &Option<OsString>) -> &[u8] {
    typed.as_ref().map_or(&[], |prefix| prefix.as_encoded_bytes())
}

/// Opens the bucket of the settings in the terminal.
///
/// # Errors
/// Without a terminal, or if the session cannot be opened.
pub async fn tui(flags: &GlobalFlags) -> Result<ExitCode, Stop> {
    check_terminal()?;
    open_tui(kept::open(flags).await?, flags).await
}

/// The TUI needs a terminal on both sides.
fn check_terminal() -> Result<(), Stop> {
    let missing = match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (true, true) => return Ok(()),
        (false, _) => "stdin is not a terminal",
        (true, false) => "stdout is not a terminal",
    };
    let hint = "without one, use `bucketree ls`, `bucketree audit` and `bucketree plan`";
    Err(Stop::usage("open the terminal view", missing, hint))
}

/// Opens the session in the terminal.
async fn open_tui(session: Session, flags: &GlobalFlags) -> Result<ExitCode, Stop> {
    crate::cli::tui::run(session, flags.no_color).await
}
