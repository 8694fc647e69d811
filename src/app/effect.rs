//! Requests to the outside world: plain data, compared in tests, carried out by the loop.

use std::sync::Arc;

use crate::domain::Key;
use crate::domain::plan::Plan;

use super::confirm::Confirmed;
use super::filter::Filter;
use super::order::Order;
use super::runs::RunId;

/// Which request an answer belongs to. A newer ticket of the same kind makes older answers stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ticket(pub u64);

/// A request. The loop reads what else it needs (the listing, the marks) from the state at the moment of the request.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// List the bucket.
    Scan {
        /// For its pages.
        ticket: Ticket,
    },
    /// Open the last kept scan of the bucket, if there is one.
    OpenKept {
        /// For the answer.
        ticket: Ticket,
    },
    /// Compare what is listed with the last kept scan before it.
    Compare {
        /// For the answer.
        ticket: Ticket,
    },
    /// End the listing between two pages.
    StopScan,
    /// Read the registry and judge every object.
    Audit {
        /// For its answers.
        ticket: Ticket,
    },
    /// Find what matches.
    Filter {
        /// For the answer.
        ticket: Ticket,
        /// What to match.
        filter: Filter,
    },
    /// End the looking for what matches the filter.
    StopFilter,
    /// Gather the objects under projects and findings.
    Gather {
        /// For the answer.
        ticket: Ticket,
        /// How to order them.
        order: Order,
    },
    /// Order the children of a folder, or all objects for the flat list (`None`).
    Sort {
        /// For the answer.
        ticket: Ticket,
        /// The folder's prefix.
        folder: Option<Key>,
        /// How.
        order: Order,
    },
    /// End the ordering of rows.
    StopSort,
    /// Mark or unmark every object whose key matches a glob.
    MatchGlob {
        /// For the answer.
        ticket: Ticket,
        /// The pattern, matched against whole keys.
        pattern: String,
        /// Whether to mark or to unmark.
        mark: bool,
    },
    /// End the looking for what matches a glob.
    StopGlob,
    /// Find the marked objects in the new listing, before it takes the place of the old one.
    CarryMarks {
        /// For the answer.
        ticket: Ticket,
    },
    /// Compare the registry with the listing.
    CompareRegistry {
        /// For the answer.
        ticket: Ticket,
    },
    /// Compare them, ask the store for every missing key, and look into the rows of the others.
    CheckRegistry {
        /// For the answers.
        ticket: Ticket,
    },
    /// End that.
    StopChecking,
    /// Freeze the marked objects into a plan.
    BuildPlan {
        /// For the answer.
        ticket: Ticket,
    },
    /// List the trash alone, to show what came there.
    ListTrash {
        /// For the answer.
        ticket: Ticket,
    },
    /// List the trash and plan to bring back what a run moved there.
    PlanRestore {
        /// For the answer.
        ticket: Ticket,
        /// The run; `None` for the last one that moved something there.
        run: Option<RunId>,
        /// Only these keys; all if there are none.
        keys: Vec<Key>,
    },
    /// List the trash and plan to delete for good what lies there.
    PlanEmptyTrash {
        /// For the answer.
        ticket: Ticket,
        /// What has been there for at least so many seconds.
        older_than_seconds: i64,
        /// Only what lies at these places; all if there are none.
        keys: Vec<Key>,
    },
    /// End the listing of the trash.
    StopLooking,
    /// Carry out a plan that a person confirmed.
    Execute(Confirmed),
    /// End the run after the batches in flight.
    StopRun,
    /// Write the plan to a file.
    Export(Arc<Plan>),
    /// Read the journals of all runs on the bucket.
    ReadRuns {
        /// For the answers.
        ticket: Ticket,
    },
    /// Read all of a run.
    OpenRun {
        /// For the answer.
        ticket: Ticket,
        /// Which.
        run: RunId,
    },
    /// Write all of a run to a file that can be checked anywhere.
    ExportRun(RunId),
    /// Look again for everything that a run said is gone.
    Prove {
        /// For the answers.
        ticket: Ticket,
        /// Which.
        run: RunId,
    },
    /// End the second look.
    StopProving,
    /// Put a text on the clipboard of the terminal.
    Copy(String),
    /// Suspend to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program.
    Quit(ExitReason),
}

/// Why the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitReason {
    /// The user left.
    Quit,
    /// The user interrupted it, or the system asked it to end.
    Interrupted,
}
