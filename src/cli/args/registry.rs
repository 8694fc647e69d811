//! Arguments of the verbs on the registry and of the trash's lifecycle.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Verbs on the registry.
#[derive(Subcommand, Debug)]
pub enum RegistryVerb {
    /// Compare bucket and registry in both directions; what is missing is asked for one by one
    Check(CheckArgs),
    /// Plan to record untracked objects of live projects
    Backfill(BackfillArgs),
    /// Plan to remove rows of dead projects whose objects are proved missing; nothing of the bucket is changed
    Prune(PruneArgs),
}

/// Arguments of `registry check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Only this project, with its two sides: only in the registry, only in the bucket, in both
    #[arg(long, value_name = "ID")]
    pub project: Option<String>,
}

/// Arguments of `registry backfill`.
#[derive(Args, Debug)]
pub struct BackfillArgs {
    /// Only this project
    #[arg(long, value_name = "ID")]
    pub project: Option<String>,
    /// File to write the plan to; it must not exist. Without it, only say what would be planned
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `registry prune`.
#[derive(Args, Debug)]
pub struct PruneArgs {
    /// Only this project
    #[arg(long, value_name = "ID")]
    pub project: Option<String>,
    /// Also rows whose owner is live or unknown (may be repeated)
    #[arg(long, value_name = "OWNER")]
    pub also: Vec<AlsoOwner>,
    /// File to write the plan to; it must not exist. Without it, only say what would be planned
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Whose rows are meant beside those of dead projects.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlsoOwner {
    /// A live project.
    Live,
    /// The row does not say.
    Unknown,
}

/// Arguments of `trash lifecycle`.
#[derive(Args, Debug)]
pub struct LifecycleArgs {
    /// Days after which the store deletes what lies in the trash
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// Write the rule; without this, only show what would be written
    #[arg(long)]
    pub set: bool,
}
