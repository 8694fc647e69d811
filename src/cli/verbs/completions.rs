//! `bucketree completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::Output;

/// Prints the completions.
///
/// # Errors
/// If the output cannot be written.
pub fn run(shell: Shell, output: &mut Output) -> Result<ExitCode, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bucketree", &mut script);
    output.bytes(&script)?;
    Ok(ExitCode::Done)
}
