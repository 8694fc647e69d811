//! What can be typed after the verbs on scans, usage and uploads.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::args::{PrefixArgs, age};
use crate::domain::usage::By;

/// Arguments of `scan`.
#[derive(Args, Debug)]
pub struct ScanArgs {
    /// Where to write the scan instead of the state folder: a new file, or s3://BUCKET/KEY at the same endpoint
    #[arg(long, value_name = "FILE|s3://BUCKET/KEY")]
    pub out: Option<String>,
    /// Only keys that begin with this; needs --out
    pub prefix: Option<OsString>,
}

/// Verbs on multipart uploads.
#[derive(Subcommand, Debug)]
pub enum UploadsVerb {
    /// List multipart uploads that were begun and not finished
    List(PrefixArgs),
    /// End the old ones for good; without --confirm, only say which they are
    Abort(AbortArgs),
}

/// Arguments of `uploads abort`.
#[derive(Args, Debug)]
pub struct AbortArgs {
    /// Only uploads that were begun so long ago, for example 30d; never less than min_age
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<String>,
    /// The bucket's name and the number of uploads, as it is said without this
    #[arg(long, value_name = "TEXT")]
    pub confirm: Option<String>,
    /// Only keys that begin with this
    pub prefix: Option<OsString>,
}

/// Arguments of `usage`.
#[derive(Args, Debug)]
pub struct UsageArgs {
    /// By what to group: project, user, layout, type or age
    #[arg(long, value_name = "WHAT", default_value = "project")]
    pub by: By,
    /// Only keys that begin with this
    pub prefix: Option<OsString>,
}

/// Arguments of `diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The earlier scan: a file, the id of a kept one or a beginning of it, last, or previous (the one before the last)
    pub before: String,
    /// The later scan, named alike
    pub after: String,
    /// Print totals by folder and project instead of keys
    #[arg(long)]
    pub summary: bool,
    /// Folders of so many levels in the totals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub levels: usize,
}
