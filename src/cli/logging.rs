//! What `-v` shows: logs on stderr, never on stdout.

use tracing_subscriber::EnvFilter;

/// Starts logging: warnings, with `-v` what this program does, with `-vv` every request. `BUCKETREE_LOG` wins, in the
/// language of tracing's filters.
pub fn start(verbose: u8) {
    let usual = match verbose {
        0 => "bucketree=warn",
        1 => "bucketree=info",
        _ => "bucketree=debug",
    };
    let filter = EnvFilter::try_from_env("BUCKETREE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // A second start, as in a test, keeps the first subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
