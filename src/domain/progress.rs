//! What jobs report while they work: plain facts, made by `jobs`, read by `app` and by the headless verbs.

use std::time::Duration;

use super::facts::{RegistryState, SourceReport};
use super::object::{Object, Timestamp};
use super::outcome::{Outcome, OutcomeCounts};
use super::requests::Requests;

/// A failure as a person needs it: what was attempted, on what, why it failed, what to try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What was attempted, and on what: `list bucket "media" at localhost:9000`.
    pub what: String,
    /// Why it failed.
    pub why: String,
    /// What to try next; empty if there is nothing to say.
    pub hint: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.why)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// Whether a listing can be trusted to be all of the bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// Every page arrived and passed its checks.
    Complete,
    /// Every page arrived then; it was read from where it was kept, and says nothing of now: deletions refuse.
    Kept(Timestamp),
    /// Something is missing or inconsistent; deletions refuse.
    Incomplete(Failure),
}

/// How a listing ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScanReport {
    /// Whether everything was seen.
    pub completeness: Completeness,
    /// The server's clock at the first page, by its `Date` header.
    pub server_time: Option<Timestamp>,
    /// This machine's clock at the first page.
    pub local_time: Timestamp,
    /// List requests made.
    pub requests: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What the listing job says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScanProgress {
    /// Some more objects, in key order, after all that came before.
    Page(Vec<Object>),
    /// The end.
    Finished(ScanReport),
}

/// What reading the registry came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryReport {
    /// Whether verdicts can be given.
    pub state: RegistryState,
    /// Each source that was read.
    pub sources: Vec<SourceReport>,
}

/// One line of a run's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// How loud.
    pub level: LogLevel,
    /// The run that it belongs to (UUIDv7), or empty.
    pub run: String,
    /// The text, already safe for a terminal.
    pub text: String,
}

/// How loud a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// What happened.
    Info,
    /// What a person should know.
    Warning,
    /// What went wrong.
    Error,
}

/// What the executing job says. Outcomes are written to the journal before they are said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunProgress {
    /// The journal is open; from here on the run has an id.
    Started {
        /// UUIDv7.
        run: String,
        /// Keys in the plan.
        planned: u64,
    },
    /// Some keys have ended. The number is the row in the plan; the text is the reason for an end that is not plain success.
    Outcomes(Vec<(u32, Outcome, Option<String>)>),
    /// How many requests may be in flight now.
    Concurrency(usize),
    /// A line for the log.
    Log(LogLine),
    /// Keys proved gone so far by the verification, and keys to prove.
    Verifying {
        /// Keys checked.
        done: u64,
        /// Keys to check.
        total: u64,
    },
    /// The end.
    Finished(Box<RunReport>),
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunReport {
    /// UUIDv7.
    pub run: String,
    /// Keys in the plan.
    pub planned: u64,
    /// How they ended; sums to `planned`.
    pub outcomes: OutcomeCounts,
    /// Bytes that are gone.
    pub bytes_gone: u64,
    /// Whether every key that should be gone was proved gone.
    pub verification: Verification,
    /// What became of the registry's rows.
    pub rows: RowsReport,
    /// Whether the user stopped it.
    pub cancelled: bool,
    /// Why it stopped early, if it did.
    pub stopped: Option<Failure>,
    /// What it asked of the store, up to its last record.
    pub requests: Requests,
    /// How long it took.
    pub elapsed: Duration,
}

impl RunReport {
    /// Whether the word "success" may be used: nothing failed, nothing is unknown, the proof holds, and no row waits to be
    /// removed or put back.
    pub fn is_success(&self) -> bool {
        self.stopped.is_none()
            && !self.cancelled
            && self.outcomes.total() == self.planned
            && self.outcomes.sum(Outcome::is_failure) == 0
            && self.verification == Verification::Passed
            && self.rows.problem.is_none()
    }
}

/// What the verification found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verification {
    /// Every key that should be gone is proved gone.
    Passed,
    /// These many keys that should be gone are still there.
    StillThere(u64),
    /// It could not be proved; the reason.
    Inconclusive(String),
}

/// What became of the registry's rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowsReport {
    /// Rows removed.
    pub removed: u64,
    /// Rows added, of objects that were not tracked.
    pub added: u64,
    /// Rows put back, of restored objects.
    pub put_back: u64,
    /// Rows that were kept and are dropped, of objects that can no longer be restored.
    pub dropped: u64,
    /// Where a list of the rows to remove was written, for a registry that cannot be changed from here.
    pub listed_in: Option<String>,
    /// Rows stay beside objects in the trash, because the registry cannot be changed from here.
    pub left_read_only: bool,
    /// Why rows were left, if any were.
    pub problem: Option<String>,
}
