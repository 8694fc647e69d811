//! The verbs of the command line, the terminal loop, exit codes.
//!
//! ```text
//! args       what can be typed
//! session    settings become a store, a registry, layouts and guards; shared with the TUI
//! guarding   what guards stand on: limits, protection, what is remembered between plans
//! connecting the store that the settings name
//! registering the registry that the settings name
//! verbs      one file per verb, each over the jobs
//! selectors  which objects of an audited bucket are meant
//! listing    listings that are taken whole
//! kept       scans in files: opened in place of a bucket, kept for the next start
//! keys_from  files of exact keys
//! output     escaped on a terminal, exact on a pipe, JSON
//! interrupt  Ctrl-C
//! logging    what -v shows
//! error      what stops a verb
//! exit_code  how the program ends
//! ```

pub mod args;
mod connecting;
pub mod error;
pub mod exit_code;
mod guarding;
mod interrupt;
mod kept;
mod keys_from;
mod listing;
pub mod logging;
pub mod output;
mod registering;
mod scan_args;
mod selectors;
pub mod session;
pub mod tui;
mod verbs;

use crate::domain::plan::PlanKind;
use args::registry::RegistryVerb;
use args::{Cli, ConfigVerb, GlobalFlags, LayoutsVerb, PlanVerb, RunsVerb, TrashVerb, UploadsVerb, Verb};
use error::Stop;
use exit_code::ExitCode;
use output::Output;
use session::Session;

/// Does what was typed and says how it ended. Why it ended early is told on stderr.
pub fn run(cli: Cli) -> ExitCode {
    let mut output = Output::stdout(&cli.global);
    let result = dispatch(cli, &mut output).and_then(|code| {
        output.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(Stop::ReaderGone) => ExitCode::Done,
        Err(Stop::Failed(code, failure)) => {
            let _ = output.flush(); // the failure is what has to be said now
            output::tell(format!("bucketree: {failure}"));
            code
        }
    }
}

fn dispatch(cli: Cli, output: &mut Output) -> Result<ExitCode, Stop> {
    let flags = &cli.global;
    check_from(&cli.verb, flags)?;
    match cli.verb {
        Some(Verb::Completions { shell }) => verbs::completions::run(shell, output),
        Some(Verb::Man) => verbs::man::run(output),
        Some(Verb::Config(verb)) => configure(verb, flags, output),
        Some(Verb::Layouts(LayoutsVerb::Test { keys })) => {
            let settings = session::settings(&session::inputs(flags))?;
            let layouts = session::layouts(&settings)?;
            verbs::layouts::test(&keys, &layouts, &session::id_rules(&layouts, &settings), output)
        }
        Some(Verb::Runs(args)) => {
            let runs = session::runs_folder(&session::state_folder(&session::inputs(flags))?);
            match args.verb {
                None => verbs::runs::list(&runs, output),
                Some(RunsVerb::Show(run)) => verbs::runs::show(&runs, &run.run, output),
                Some(RunsVerb::Export(export)) => verbs::bundle::export(&runs, &export, output),
                Some(RunsVerb::Check { file }) => verbs::bundle::check(&file, output),
            }
        }
        verb => on_bucket(verb, flags, output),
    }
}

/// A kept scan is looked at, never acted on: what it says of the bucket was true then.
fn check_from(verb: &Option<Verb>, flags: &GlobalFlags) -> Result<(), Stop> {
    let looks = matches!(verb, None | Some(Verb::Ls(_) | Verb::Du(_) | Verb::Audit(_) | Verb::Usage(_)));
    match &flags.from {
        Some(file) if !looks => {
            let why = format!("guard \"listing complete\": {} is a scan that was kept, not the bucket", file.display());
            let hint = "without --from the bucket is listed; ls, du, audit, usage and the console look into a scan";
            Err(Stop::refused("use --from with this verb", why, hint))
        }
        _ => Ok(()),
    }
}

fn configure(verb: ConfigVerb, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let inputs = session::inputs(flags);
    match verb {
        ConfigVerb::Path => verbs::config::path(&inputs, output),
        ConfigVerb::Show => verbs::config::show(&inputs, output),
        ConfigVerb::Init => verbs::config::init(&inputs, output),
    }
}

/// The verbs that talk to a store.
fn on_bucket(verb: Option<Verb>, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Stop::failed("start", error, "the system has no threads or files to spare"))?;
    let result = runtime.block_on(async {
        match verb {
            None => verbs::tui(flags).await,
            Some(Verb::Demo(args)) => verbs::demo::run(&args, flags, output).await,
            Some(Verb::Apply(args)) => verbs::apply::run(&args, flags, output).await,
            Some(Verb::Doctor(args)) if args.probe => {
                // Not to be interrupted: a canary is removed again.
                verbs::doctor::run(&session::inputs(flags), &args, output).await
            }
            Some(Verb::Resume(args)) => verbs::resume::run(&args, flags, output).await,
            Some(Verb::Restore(args)) => verbs::trash::restore(&args, flags, output).await,
            Some(Verb::Trash(TrashVerb::Lifecycle(args))) => {
                let session = Session::open(&session::inputs(flags)).await?;
                verbs::lifecycle::run(&session, &args, output).await
            }
            Some(Verb::Trash(TrashVerb::Empty(args))) => verbs::trash::empty(&args, flags, output).await,
            Some(verb) => interrupt::or(read(verb, flags, output)).await,
        }
    });
    // A thread that waits for a slow disk or name server has nothing left to say.
    runtime.shutdown_background();
    result
}

/// The verbs that change nothing in the bucket, so that they may end at any moment.
async fn read(verb: Verb, flags: &GlobalFlags, output: &mut Output) -> Result<ExitCode, Stop> {
    let mut inputs = session::inputs(flags);
    match verb {
        Verb::Doctor(args) => verbs::doctor::run(&inputs, &args, output).await,
        Verb::Ls(args) => verbs::ls::run(&kept::open(flags).await?, &args, output).await,
        Verb::Du(args) => verbs::du::run(&kept::open(flags).await?, &args, output).await,
        Verb::Audit(args) => verbs::audit::run(&kept::open(flags).await?, &args, output).await,
        Verb::Scan(args) => verbs::scan::run(&Session::open(&inputs).await?, &args, output).await,
        Verb::Uploads(UploadsVerb::List(args)) => {
            verbs::uploads::list(&Session::open(&inputs).await?, &args, output).await
        }
        Verb::Uploads(UploadsVerb::Abort(args)) => {
            verbs::uploads::abort(&Session::open(&inputs).await?, &args, output).await
        }
        Verb::Usage(args) => verbs::usage::run(&kept::open(flags).await?, &args, output).await,
        Verb::Scans => verbs::scan::list(&Session::open(&inputs).await?, output),
        Verb::Diff(args) => verbs::diff::run(&args, flags, output).await,
        Verb::Plan(PlanVerb::Trash(args)) => verbs::plan::run(&mut inputs, PlanKind::Trash, &args, output).await,
        Verb::Plan(PlanVerb::Delete(args)) => verbs::plan::run(&mut inputs, PlanKind::Delete, &args, output).await,
        Verb::Registry(RegistryVerb::Check(args)) => {
            verbs::registry::check(&Session::open(&inputs).await?, &args, output).await
        }
        Verb::Registry(RegistryVerb::Backfill(args)) => {
            verbs::registry::plan_backfill(&Session::open(&inputs).await?, &args, output).await
        }
        Verb::Registry(RegistryVerb::Prune(args)) => {
            verbs::registry::plan_prune(&Session::open(&inputs).await?, &args, output).await
        }
        Verb::Trash(TrashVerb::List) => verbs::trash::list(&Session::open(&inputs).await?, output).await,
        Verb::Verify(args) => verbs::verify::run(&Session::open(&inputs).await?, &args.run, output).await,
        _ => Err(Stop::usage("run this verb", "it does not read a bucket", "")),
    }
}
