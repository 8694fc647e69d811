//! What can be typed: verbs and flags. What they mean is decided in `verbs` and [`super::session`].

pub mod registry;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use self::registry::{LifecycleArgs, RegistryVerb};
pub use super::scan_args::{AbortArgs, DiffArgs, ScanArgs, UploadsVerb, UsageArgs};
use crate::config::{parse_age, parse_share};
use crate::domain::via::Via;
use crate::domain::{Flag, Verdict};

/// See a bucket as a tree; sweep out what no project owns; never lose what one does.
#[derive(Parser, Debug)]
#[command(name = "bucketree", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "With no verb, the bucket opens in the terminal.")]
pub struct Cli {
    /// Flags of every verb.
    #[command(flatten)]
    pub global: GlobalFlags,
    /// The verb; none opens the TUI.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Flags that every verb takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct GlobalFlags {
    /// Profile of the configuration file
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// File of NAME=VALUE lines that count as environment variables; the environment itself wins
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Endpoint URL of the store
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Bucket
    #[arg(long, global = true, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Region that requests are signed for
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// Registry of live projects and tracked keys
    #[arg(long, global = true, value_name = "URL|FILE")]
    pub registry: Option<String>,
    /// Layouts of keys (TOML); without it the Auto Shorts layouts
    #[arg(long, global = true, value_name = "FILE")]
    pub layouts: Option<PathBuf>,
    /// Look into a scan in a file instead of the bucket: ls, du, audit, usage and the console
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["endpoint", "bucket", "region"])]
    pub from: Option<PathBuf>,
    /// Print JSON; its shapes are in `bucketree man`
    #[arg(long, global = true)]
    pub json: bool,
    /// Print without colors
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Log to stderr what is done; twice for more (not while the console has the terminal)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Open an embedded bucket and registry, filled with sample data
    Demo(DemoArgs),
    /// Check settings, store, permissions, clocks, registry and state folder, and say how to mend each
    Doctor(DoctorArgs),
    /// List keys: one a line, exact bytes on a pipe, escaped on a terminal
    Ls(LsArgs),
    /// Show sizes by folder
    Du(PrefixArgs),
    /// Say whose each object is, and why
    Audit(AuditArgs),
    /// List the bucket and keep the listing: in the state folder, in a Parquet file, or as an object
    Scan(ScanArgs),
    /// Show who uses how much, and what it costs
    Usage(UsageArgs),
    /// List multipart uploads that nobody finished, or end them
    #[command(subcommand)]
    Uploads(UploadsVerb),
    /// List the kept scans
    Scans,
    /// Compare two scans: what came, what went, what changed
    Diff(DiffArgs),
    /// Freeze a plan
    #[command(subcommand)]
    Plan(PlanVerb),
    /// Carry out a plan
    Apply(ApplyArgs),
    /// Bring a run that ended early to its end
    Resume(ResumeArgs),
    /// Bring back what a run moved to the trash; never onto an object
    Restore(RestoreArgs),
    /// Look into the trash, or empty it
    #[command(subcommand)]
    Trash(TrashVerb),
    /// Compare bucket and registry, and plan to mend where they differ
    #[command(subcommand)]
    Registry(RegistryVerb),
    /// Prove again that what a run deleted is gone
    Verify(RunArgs),
    /// List past runs
    Runs(RunsArgs),
    /// Try layouts on keys
    #[command(subcommand)]
    Layouts(LayoutsVerb),
    /// Show or begin a configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page (roff; read it with `bucketree man | man -l -`)
    Man,
}

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Objects in the bucket, about
    #[arg(long, value_name = "N")]
    pub objects: Option<u64>,
    /// Seed of the sample data; the same seed gives the same bucket
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only serve the bucket: print how to reach it, and stay up until interrupted
    #[arg(long)]
    pub serve: bool,
}

/// Arguments of `doctor`.
#[derive(Args, Clone, Copy, Debug)]
pub struct DoctorArgs {
    /// Also measure what the store does, on objects under .bucketree/canary/ that are removed afterwards
    #[arg(long)]
    pub probe: bool,
}

/// Arguments of `ls`.
#[derive(Args, Debug)]
pub struct LsArgs {
    /// Only keys that begin with this
    pub prefix: Option<OsString>,
    /// End each key with a NUL byte instead of a newline
    #[arg(short = '0', long, conflicts_with = "json")]
    pub null: bool,
}

/// Arguments of verbs that only take a prefix.
#[derive(Args, Debug)]
pub struct PrefixArgs {
    /// Only keys that begin with this
    pub prefix: Option<OsString>,
}

/// Arguments of `audit`.
#[derive(Args, Debug)]
pub struct AuditArgs {
    /// Only objects with this verdict (may be repeated)
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Vec<Verdict>,
    /// Only objects that any reading gives to this project (may be repeated)
    #[arg(long, value_name = "ID")]
    pub project: Vec<String>,
    /// Only objects with this flag (may be repeated: all of them)
    #[arg(long, value_name = "FLAG")]
    pub flag: Vec<Flag>,
    /// Print totals instead of objects
    #[arg(long)]
    pub summary: bool,
    /// Say of one project how each object is found: by tracked keys, by layouts, or by both
    #[arg(long, requires = "project", conflicts_with_all = ["summary", "verdict", "flag", "prefix"])]
    pub explain: bool,
    /// Only keys that begin with this
    pub prefix: Option<OsString>,
}

/// What can be planned.
#[derive(Subcommand, Debug)]
pub enum PlanVerb {
    /// Freeze a plan to move objects to the trash, from where `restore` brings them back; without --verdict, orphaned ones
    Trash(Box<PlanArgs>),
    /// Freeze a plan to delete objects for good; without --verdict, orphaned ones
    Delete(Box<PlanArgs>),
}

/// Arguments of `plan trash` and `plan delete`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// What to select.
    #[command(flatten)]
    pub selectors: SelectorArgs,
    /// Leave out objects younger than this, for example 7d or 36h
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub min_age: Option<String>,
    /// Clear the whole bucket: every object of the named verdicts; to be confirmed with EMPTY
    #[arg(long, conflicts_with_all = ["flag", "project", "scene", "user", "layout", "prefix", "glob", "keys_from"])]
    pub all: bool,
    /// Let the plan have so many objects
    #[arg(long, value_name = "N", value_parser = objects)]
    pub max_objects: Option<String>,
    /// Let the plan have so much of the bucket, for example 80%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_share: Option<String>,
    /// Only objects that were the same, with the same ETag, in every complete scan of so many days; 0 asks for none
    #[arg(long, value_name = "N", value_parser = objects)]
    pub observe_days: Option<String>,
    /// Accept that bucket or registry have more than 20 % less than last time; the plan says so
    #[arg(long)]
    pub accept_shrink: bool,
    /// File to write the plan to; it must not exist
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Selectors; different ones are combined by and, values of the same one by or (flags by and).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Selectors (an object must match each kind that is given)")]
pub struct SelectorArgs {
    /// Verdict: orphaned, untracked (alone); any other needs a place (--all, --prefix, --scene, --user) or --keys-from
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Vec<Verdict>,
    /// Flag that the object must have
    #[arg(long, value_name = "FLAG")]
    pub flag: Vec<Flag>,
    /// Project that a reading names, compared as a whole id
    #[arg(long, value_name = "ID")]
    pub project: Vec<String>,
    /// Scene that a reading names
    #[arg(long, value_name = "ID")]
    pub scene: Vec<String>,
    /// User that a reading names
    #[arg(long, value_name = "ID")]
    pub user: Vec<String>,
    /// Layout that reads the key
    #[arg(long, value_name = "NAME")]
    pub layout: Vec<String>,
    /// Beginning of the key
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Vec<OsString>,
    /// Pattern of the whole key: * and ? stop at a slash, ** does not
    #[arg(long, value_name = "PATTERN")]
    pub glob: Vec<String>,
    /// File of exact keys, one a line (or NUL-terminated, or JSON lines with key or key_base64); - is stdin
    #[arg(long, value_name = "FILE")]
    pub keys_from: Option<PathBuf>,
}

/// Arguments of `apply`.
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// The plan
    pub plan: PathBuf,
    /// The bucket's name and the number of objects, as `bucketree plan` printed them
    #[arg(long, value_name = "TEXT")]
    pub confirm: String,
    /// Delete requests in flight at once, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: Option<u16>,
    /// How keys are deleted: batch (many in a request), single (one each) or sequential (one after the other)
    #[arg(long, value_name = "EXECUTOR")]
    pub via: Option<Via>,
    /// Leave the registry's rows, whatever becomes of their objects
    #[arg(long)]
    pub keep_rows: bool,
    /// Of the lock.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// The flag of verbs that begin a run or go on with one.
#[derive(Args, Clone, Debug, Default)]
pub struct LockArgs {
    /// Take the lock in the bucket from this run, which is surely dead: it was silent for 10 minutes
    #[arg(long, value_name = "RUN")]
    pub take_over_lock: Option<String>,
}

/// Arguments of `restore`.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// Id of the run that moved objects to the trash, or a beginning of it that only one run has
    pub run: String,
    /// Only this key (may be repeated)
    #[arg(long, value_name = "KEY")]
    pub key: Vec<OsString>,
    /// Only keys that begin with this (may be repeated)
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Vec<OsString>,
    /// Of the lock.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// Verbs on the trash.
#[derive(Subcommand, Debug)]
pub enum TrashVerb {
    /// List what lies in the trash, by run
    List,
    /// Delete for good what lies in the trash; without --confirm, only say what that would be
    Empty(EmptyArgs),
    /// Let the store delete what has been in the trash for so many days: a rule of the bucket, beside its others
    Lifecycle(LifecycleArgs),
}

/// Arguments of `trash empty`.
#[derive(Args, Debug)]
pub struct EmptyArgs {
    /// Only what has been there for so long, for example 30d
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<String>,
    /// The bucket's name and the number of objects, as it is said without this
    #[arg(long, value_name = "TEXT")]
    pub confirm: Option<String>,
    /// Of the lock.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// Arguments of `resume`.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// Id of the run, or a beginning of it that only one run has
    pub run: String,
    /// Only find out what became of what was sent, and close the run; nothing more is deleted
    #[arg(long)]
    pub close: bool,
    /// Delete requests in flight at once, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: Option<u16>,
    /// Of the lock.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// Arguments of verbs on one run.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Id of the run, or a beginning of it that only one run has
    pub run: String,
}

/// Arguments of `runs`.
#[derive(Args, Debug)]
pub struct RunsArgs {
    /// None lists them all.
    #[command(subcommand)]
    pub verb: Option<RunsVerb>,
}

/// Verbs on past runs.
#[derive(Subcommand, Debug)]
pub enum RunsVerb {
    /// Show one run and how each key ended
    Show(RunArgs),
    /// Write all of a run into one file: plan, journal, a report per key, verification
    Export(ExportArgs),
    /// Check such a file, without the bucket
    Check {
        /// The file
        file: PathBuf,
    },
}

/// Arguments of `runs export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Id of the run, or a beginning of it that only one run has
    pub run: String,
    /// File to write; it must not exist
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Verbs on layouts.
#[derive(Subcommand, Debug)]
pub enum LayoutsVerb {
    /// Say how each layout reads each key, and why not
    Test {
        /// Keys; - reads them from stdin, one a line
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<OsString>,
    },
}

/// Verbs on the configuration.
#[derive(Subcommand, Clone, Copy, Debug)]
pub enum ConfigVerb {
    /// Print where the configuration file is
    Path,
    /// Print every setting and where it came from
    Show,
    /// Write a commented configuration file; an existing one is left alone
    Init,
}

fn objects(text: &str) -> Result<String, String> {
    match text.parse::<u64>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write a whole number".into()),
    }
}

fn share(text: &str) -> Result<String, String> {
    match parse_share(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write a share like 80% or 0.8".into()),
    }
}

pub(super) fn age(text: &str) -> Result<String, String> {
    match parse_age(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write an age like 7d or 36h".into()),
    }
}
