//! What stops a verb, and with which exit code.

use std::io;

use super::exit_code::ExitCode;
use crate::domain::progress::Failure;

/// Why a verb ended early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Something could not be done, or was refused.
    Failed(ExitCode, Failure),
    /// Whoever read the output has read enough: `bucketree ls | head` is no failure.
    ReaderGone,
}

impl Stop {
    /// It could not be done.
    pub fn failed(what: impl Into<String>, why: impl ToString, hint: impl Into<String>) -> Self {
        Self::Failed(ExitCode::Failed, failure(what, why, hint))
    }

    /// The command line or the configuration cannot be understood.
    pub fn usage(what: impl Into<String>, why: impl ToString, hint: impl Into<String>) -> Self {
        Self::Failed(ExitCode::Usage, failure(what, why, hint))
    }

    /// A guard refuses.
    pub fn refused(what: impl Into<String>, why: impl ToString, hint: impl Into<String>) -> Self {
        Self::Failed(ExitCode::Refused, failure(what, why, hint))
    }
}

fn failure(what: impl Into<String>, why: impl ToString, hint: impl Into<String>) -> Failure {
    Failure { what: what.into(), why: why.to_string(), hint: hint.into() }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(ExitCode::Failed, failure)
    }
}

impl From<io::Error> for Stop {
    /// Only the output of a verb is written with `?`; files name themselves in their own errors.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::failed("write the output", error, "check where it is redirected to"),
        }
    }
}
