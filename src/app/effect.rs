//! Requests to the outside world: plain data, compared in tests, carried out by the loop.

use std::sync::Arc;

use crate::domain::Key;
use crate::domain::plan::Plan;

use super::confirm::Confirmed;
use super::filter::Filter;
use super::order::Order;

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
    /// Mark or unmark every object whose key matches a glob.
    MatchGlob {
        /// For the answer.
        ticket: Ticket,
        /// The pattern, matched against whole keys.
        pattern: String,
        /// Whether to mark or to unmark.
        mark: bool,
    },
    /// Freeze the marked objects into a plan.
    BuildPlan {
        /// For the answer.
        ticket: Ticket,
    },
    /// Carry out a plan that a person confirmed.
    Execute(Confirmed),
    /// End the run after the batches in flight.
    StopRun,
    /// Write the plan to a file.
    Export(Arc<Plan>),
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
