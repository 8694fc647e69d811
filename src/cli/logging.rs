//! What `-v` shows: logs on stderr, never on stdout.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::args::{Cli, Verb};

/// Starts logging: warnings, with `-v` what this program does, with `-vv` what is tried again. `BUCKETREE_LOG` wins, in the
/// language of tracing's filters. Where the console has the terminal, lines on it would only spoil the picture.
pub fn start(typed: &Cli) {
    if opens_console(typed) && io::stderr().is_terminal() {
        return;
    }
    let usual = match typed.global.verbose {
        0 => "bucketree=warn",
        1 => "bucketree=info",
        _ => "bucketree=debug",
    };
    let filter = EnvFilter::try_from_env("BUCKETREE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // A second start, as in a test, keeps the first subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).try_init();
}

fn opens_console(typed: &Cli) -> bool {
    match &typed.verb {
        None => true,
        Some(Verb::Demo(demo)) => !demo.serve,
        Some(_) => false,
    }
}
