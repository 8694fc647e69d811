//! `bucketree demo`: the embedded bucket.

use serde::Serialize;

use crate::cli::args::{DemoArgs, GlobalFlags};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt;
use crate::cli::output::Output;
use crate::cli::output::json::SCHEMA;
use crate::cli::session::Session;
use crate::demo::{self, Demo, DemoOptions};

/// How to reach the embedded bucket.
#[derive(Serialize)]
struct Served<'d> {
    schema: u32,
    endpoint: &'d str,
    bucket: &'d str,
    region: &'d str,
    access_key_id: &'d str,
    secret_access_key: &'d str,
    registry: String,
}

/// Serves the embedded bucket until interrupted, or opens it in the terminal.
///
/// # Errors
/// If it cannot be started.
pub async fn run(args: &DemoArgs, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    if !args.serve {
        super::check_terminal()?;
    }
    let usual = DemoOptions::default();
    let options =
        DemoOptions { objects: args.objects.unwrap_or(usual.objects), seed: args.seed.unwrap_or(usual.seed), ..usual };
    let demo = demo::start(options).await.map_err(|error| {
        Stop::failed("start the embedded bucket", error, "see that the folder for temporary files has room")
    })?;
    if args.serve {
        return serve(&demo, output).await;
    }
    super::open_tui(Session::of_demo(&demo, flags).await?, flags).await
}

async fn serve(demo: &Demo, output: &mut Output) -> Result<ExitCode, Stop> {
    // Listening for the signal begins before anybody can know that the demo is up.
    let interrupted = interrupt::requested();
    tokio::pin!(interrupted);
    let served = Served {
        schema: SCHEMA,
        endpoint: &demo.endpoint,
        bucket: &demo.bucket,
        region: &demo.region,
        access_key_id: &demo.access_key_id,
        secret_access_key: &demo.secret_access_key,
        registry: demo.registry.display().to_string(),
    };
    if output.is_json() {
        output.json_line(&served)?;
    } else {
        describe(&served, output)?;
    }
    output.flush()?;
    interrupted.await;
    Ok(ExitCode::Done)
}

/// Lines that a shell can take in.
fn describe(served: &Served<'_>, output: &mut Output) -> Result<(), Stop> {
    for (name, value) in [
        ("AWS_ENDPOINT_URL", served.endpoint),
        ("R2_BUCKET_NAME", served.bucket),
        ("AWS_REGION", served.region),
        ("AWS_ACCESS_KEY_ID", served.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", served.secret_access_key),
        ("BUCKETREE_REGISTRY", &served.registry),
    ] {
        output.line(format!("{name}={value}"))?;
    }
    Ok(output.line("# the embedded bucket stays up until Ctrl-C; its data and registry go with it")?)
}
