//! Everything that can wake the program. Closed: read this list to know what drives it.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::domain::assessment::Assessment;
use crate::domain::bits::BitSet;
use crate::domain::drift::DriftReport;
use crate::domain::inventory::Inventory;
use crate::domain::judge::Judge;
use crate::domain::plan::{Plan, PlanSums};
use crate::domain::progress::{Failure, LogLine, RunProgress, ScanProgress, ScanReport};
use crate::domain::selection::{Selection, StaleMarks};
use crate::domain::{Key, Timestamp};

use super::effect::Ticket;
use super::filter::Matches;
use super::gather::gather_plan;
use super::groups::GroupTree;
use super::kept::Compared;
use super::order::{FlatOrder, FolderOrder};
use super::run::Unfinished;
use super::runs::{OpenRun, PastRun, ProofProgress};

/// What happened.
pub enum Event {
    /// A key was pressed; `at` is the time since the start.
    Key {
        /// The key.
        key: KeyEvent,
        /// When.
        at: Duration,
    },
    /// The mouse.
    Mouse {
        /// What it did.
        mouse: MouseEvent,
        /// When.
        at: Duration,
    },
    /// A text was pasted.
    Paste(String),
    /// The terminal has a new size: columns, lines.
    Resize(u16, u16),
    /// Time passed; sent only while something on the screen depends on it.
    Tick {
        /// Since the start.
        at: Duration,
        /// This machine's clock.
        clock: Timestamp,
    },
    /// The system asks the program to end.
    Terminate,
    /// The listing went on.
    Scan(Ticket, ScanProgress),
    /// So many list requests were made for the listing so far.
    Asked(Ticket, u64),
    /// The bucket on the screen, with what its trash holds now.
    TrashListed(Ticket, Box<Inventory>),
    /// A kept scan was read.
    Kept(Ticket, Box<KeptListing>),
    /// The marked objects were looked for in the new listing.
    Carried(Ticket, Box<CarriedMarks>),
    /// The listing was compared with an earlier scan; `None` if there is none.
    Compared(Ticket, Option<Compared>),
    /// Every object is judged.
    Assessed(Ticket, Box<Assessed>),
    /// The filter found this.
    Filtered(Ticket, Box<Matches>),
    /// Projects and findings are gathered.
    Gathered(Ticket, Box<Gathered>),
    /// A folder is ordered.
    SortedFolder(Ticket, Key, FolderOrder),
    /// The flat list is ordered.
    SortedFlat(Ticket, FlatOrder),
    /// These objects match a glob.
    GlobMatched {
        /// Which request.
        ticket: Ticket,
        /// The pattern.
        pattern: String,
        /// Whether to mark or to unmark.
        mark: bool,
        /// The objects.
        objects: BitSet,
    },
    /// The plan is ready.
    PlanReady(Ticket, Box<PlanMade>),
    /// There is nothing to plan; why.
    NoPlan(Ticket, String),
    /// Something was written to a file.
    Exported {
        /// What.
        what: &'static str,
        /// The file.
        file: String,
    },
    /// Runs on the bucket, with how many journals are read, and how many there are. The last answer has read them all.
    Runs {
        /// Which request.
        ticket: Ticket,
        /// Some of them.
        runs: Vec<PastRun>,
        /// Journals read so far, journals there are.
        read: (usize, usize),
    },
    /// A run is read.
    RunOpened(Ticket, Box<OpenRun>),
    /// Registry and listing are compared.
    Drifted(Ticket, Box<DriftReport>),
    /// Keys of the registry that were looked into, and that there are.
    Checking(Ticket, u64, u64),
    /// A second look went on.
    Proving(Ticket, ProofProgress),
    /// The run went on.
    Run(RunProgress),
    /// The run could not start or broke down.
    RunFailed(Failure),
    /// An earlier run on the bucket did not come to its end.
    Unfinished(Box<Unfinished>),
    /// A line for the log that belongs to no run.
    Log(LogLine),
    /// Something could not be done.
    Failed(Failure),
}

/// A scan that was kept.
pub struct KeptListing {
    /// What was listed.
    pub inventory: Inventory,
    /// How that ended.
    pub report: ScanReport,
}

/// Marks, found again in a new listing.
pub struct CarriedMarks {
    /// What was marked when the search began.
    pub before: Selection,
    /// The same objects in the new listing.
    pub selection: Selection,
    /// Those that are not there, or not the same.
    pub stale: StaleMarks,
}

impl CarriedMarks {
    /// Looks for marked objects in a new listing. Takes time in proportion to the marks: of many, for a blocking thread.
    pub fn find(before: Selection, old: &Inventory, new: &Inventory) -> Self {
        let (selection, stale) = Selection::restore(&before.freeze(old), new);
        Self { before, selection, stale }
    }
}

/// A plan, made ready to be shown.
pub struct PlanMade {
    /// The plan.
    pub plan: Arc<Plan>,
    /// What it comes to.
    pub sums: Arc<PlanSums>,
    /// Its rows under verdicts and projects.
    pub tree: GroupTree,
}

impl From<Plan> for PlanMade {
    /// Takes time in proportion to the rows: for a blocking thread.
    fn from(plan: Plan) -> Self {
        Self { tree: gather_plan(&plan), sums: Arc::new(PlanSums::of(&plan)), plan: Arc::new(plan) }
    }
}

/// What judging came to.
pub struct Assessed {
    /// Verdicts, flags and projects of all objects.
    pub assessment: Assessment,
    /// Why: it can be asked for the evidence of each object.
    pub judge: Judge,
    /// Objects of the whole bucket under projects and findings.
    pub gathered: Gathered,
}

/// Objects under projects and under findings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gathered {
    /// By project.
    pub projects: GroupTree,
    /// By finding, then by project.
    pub findings: GroupTree,
}
