//! Parse, run, exit code.

use std::process::ExitCode;

use bucketree::cli::{self, args::Cli, logging};
use clap::Parser;

fn main() -> ExitCode {
    let typed = Cli::parse();
    logging::start(&typed);
    cli::run(typed).into()
}
