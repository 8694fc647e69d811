//! The parts of the state: what is known, what is looked at, what is asked for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::assessment::Assessment;
use crate::domain::capabilities::Atomicity;
use crate::domain::inventory::Inventory;
use crate::domain::judge::Judge;
use crate::domain::plan::{Plan, PlanKind, PlanSums};
use crate::domain::prices::Prices;
use crate::domain::progress::{Failure, ScanReport};
use crate::domain::{Key, Timestamp};

use super::confirm::Confirmation;
use super::effect::{ExitReason, Ticket};
use super::event::Gathered;
use super::expansion::Expansion;
use super::filter::{Filter, Matches};
use super::forest::Node;
use super::groups::{GroupTree, OpenGroups};
use super::help::Help;
use super::input::Input;
use super::kept::Compared;
use super::layout::Pane;
use super::order::{By, FlatOrder, FolderOrder, Order};
use super::runs::RunId;
use crate::domain::via::Via;

/// What does not change while the program runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Session {
    /// Name of the profile.
    pub profile: String,
    /// Host (and port) of the endpoint.
    pub host: String,
    /// Bucket.
    pub bucket: String,
    /// The registry sources that are configured, without secrets; empty if there are none.
    pub registries: Vec<String>,
    /// The least age, in seconds, below which an object counts as young.
    pub min_age_seconds: i64,
    /// Whether deletions can hit another object than the one that was looked at.
    pub deletes: Atomicity,
    /// Whether a scan in a file is looked at, and no bucket is asked.
    pub offline: bool,
    /// Whether complete listings are kept, to be compared with later.
    pub keeps_scans: bool,
    /// How deletions reach the store, unless the dialog says otherwise.
    pub via: Via,
    /// What the store charges.
    pub prices: Prices,
}

/// From this many columns on there is room to set tabs apart, and to say more beside them.
pub const ROOMY: u16 = 100;

/// What is on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum View {
    /// The bucket as folders, or as a flat list.
    #[default]
    Folders,
    /// Projects with their objects.
    Projects,
    /// Findings, then projects, then objects.
    Findings,
    /// The plan.
    Plan,
    /// The log.
    Log,
    /// Past runs.
    Runs,
    /// The registry, and how it and the bucket disagree.
    Registry,
}

impl View {
    /// Every view, in the order of its number key.
    pub const ALL: [View; 7] =
        [View::Folders, View::Projects, View::Findings, View::Plan, View::Log, View::Runs, View::Registry];

    /// The line of tabs of a screen of this width: each view with what stands there for it, in ASCII.
    pub fn tabs(width: u16) -> impl Iterator<Item = (View, String)> {
        let gap = if width < ROOMY { "" } else { " " };
        (1..).zip(View::ALL).map(move |(number, view)| (view, format!(" {number} {}{gap}", view.name())))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            View::Folders => "Folders",
            View::Projects => "Projects",
            View::Findings => "Findings",
            View::Plan => "Plan",
            View::Log => "Log",
            View::Runs => "Runs",
            View::Registry => "Registry",
        }
    }
}

/// How far the listing is.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Scan {
    /// Not begun.
    #[default]
    Waiting,
    /// Going on.
    Running {
        /// When it began, since the start of the program.
        since: Duration,
        /// Objects listed so far.
        objects: u64,
        /// List requests made so far.
        requests: u64,
    },
    /// Every page arrived.
    Complete(ScanReport),
    /// Something is missing.
    Incomplete(Failure),
}

/// How far the judging is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Audit {
    /// Not begun.
    #[default]
    Waiting,
    /// The registry is read and every object judged.
    Running,
    /// Done.
    Done,
    /// It broke down.
    Failed(Failure),
}

/// What is known of the bucket.
#[derive(Default)]
pub struct Bucket {
    /// Every object listed so far.
    pub inventory: Inventory,
    /// A newer listing that is not complete yet; `inventory` stays on the screen until then.
    pub incoming: Option<Inventory>,
    /// How the newer listing ended, while the marks are looked for in it; then it takes the place of `inventory`.
    pub arrived: Option<ScanReport>,
    /// How the listing ended that is shown, if it is a kept one; `None` once the bucket was listed.
    pub kept: Option<ScanReport>,
    /// How far the listing is.
    pub scan: Scan,
    /// Which listing is wanted.
    pub scan_ticket: Ticket,
    /// Whether something came to the trash that is not on the screen yet.
    pub trash_moved: bool,
    /// Which listing of the trash is wanted.
    pub trash_ticket: Ticket,
    /// How far the judging is.
    pub audit: Audit,
    /// Which judging is wanted.
    pub audit_ticket: Ticket,
    /// Verdicts.
    pub assessment: Option<Assessment>,
    /// Why: it can be asked for the evidence of each object.
    pub judge: Option<Judge>,
    /// Whether a person said that smaller counts than last time are right, for this listing.
    pub accepts_shrink: bool,
    /// The server's clock at the listing, and this machine's.
    pub clocks: Option<(Timestamp, Timestamp)>,
}

/// Where the cursor is in a view.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The row; `None` if there is none.
    pub cursor: Option<Node>,
    /// The line of the pane that it stands on, as far as the ends of the list allow.
    pub line: usize,
}

/// What is shown of a row beside its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// Counts of objects.
    pub counts: bool,
    /// Bars of relative size.
    pub bars: bool,
    /// Last changes.
    pub modified: bool,
    /// Sizes in bytes instead of rounded.
    pub exact: bool,
}

/// How the bucket is looked at.
#[derive(Default)]
pub struct Browse {
    /// What is on the screen.
    pub view: View,
    /// Which pane has the keys.
    pub pane: Pane,
    /// The cursor of each view with rows.
    pub places: HashMap<View, Place>,
    /// Whether plain keys are shown instead of folders.
    pub flat: bool,
    /// Open folders.
    pub folders: Expansion,
    /// Open groups of each view that has groups.
    pub groups: HashMap<View, OpenGroups>,
    /// How rows are ordered.
    pub order: Order,
    /// Folders that are sorted.
    pub sorted: HashMap<Key, FolderOrder>,
    /// Folders that are being sorted.
    pub sorting: HashSet<Key>,
    /// The flat list, sorted.
    pub sorted_flat: Option<FlatOrder>,
    /// Whether the flat list is being sorted.
    pub sorting_flat: bool,
    /// Which sorting is wanted.
    pub sort_ticket: Ticket,
    /// Objects of the whole bucket under projects and findings.
    pub gathered: Gathered,
    /// Which gathering is wanted.
    pub gather_ticket: Ticket,
    /// Columns.
    pub columns: Columns,
    /// Where the cursor was before each jump.
    pub history: Vec<(View, Node)>,
    /// First line of the details.
    pub details_scroll: usize,
}

/// The filter.
#[derive(Default)]
pub struct Filtering {
    /// What is wanted.
    pub wanted: Option<Filter>,
    /// What was found by the last filter that has been answered.
    pub matches: Option<Box<Matches>>,
    /// Which answer is wanted.
    pub ticket: Ticket,
    /// Whether an answer is awaited.
    pub pending: bool,
    /// Why what is typed cannot be understood.
    pub error: Option<String>,
}

/// The plan on the screen.
#[derive(Default)]
pub struct Planning {
    /// What plans are made for: the trash, or deletion for good.
    pub kind: PlanKind,
    /// The plan.
    pub plan: Option<Arc<Plan>>,
    /// What it comes to.
    pub sums: Arc<PlanSums>,
    /// Its rows under verdicts and projects.
    pub tree: GroupTree,
    /// Whether it has been carried out, or tried.
    pub used: bool,
    /// Which plan is wanted.
    pub ticket: Ticket,
    /// Whether one is awaited.
    pub pending: bool,
    /// Whether marks or objects have changed since.
    pub outdated: bool,
    /// Whether the trash is being listed for a plan.
    pub looking: bool,
    /// Whether the plan is made anew as soon as everything is judged.
    pub again: bool,
    /// Keys to plan again as soon as the bucket is listed and judged anew.
    pub retry: Option<Retry>,
}

/// Keys of a past run that failed and are to be planned again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// The run.
    pub run: RunId,
    /// The keys.
    pub keys: Vec<Key>,
    /// What was to be done to them.
    pub kind: PlanKind,
}

/// What a prompt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// The filter, applied while it is typed.
    Filter,
    /// A key or prefix to go to.
    GoTo,
    /// A glob to mark by.
    MarkPattern,
    /// A glob to unmark by.
    UnmarkPattern,
    /// The filter of the log.
    LogFilter,
    /// How long objects must have lain in the trash to be planned out of it.
    EmptyTrash,
    /// The word that accepts smaller counts than last time.
    AcceptShrink,
}

/// What the keys go to.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Mode {
    /// The rows.
    #[default]
    Browse,
    /// A line of text.
    Prompt {
        /// What for.
        ask: Ask,
        /// The line.
        input: Input,
    },
    /// The menu of orders.
    SortMenu(By),
    /// The text that confirms a plan.
    Confirm(Confirmation),
    /// The help.
    Help(Help),
    /// What changed since an earlier scan.
    Changes(Compared),
}

/// A message in the status line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// How loud.
    pub level: Level,
}

/// How loud a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Something was done.
    Info,
    /// Something to know.
    Warning,
    /// Something went wrong.
    Error,
}

/// How far the wish to leave is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Quitting {
    /// Nobody asked.
    #[default]
    No,
    /// Asked once; the next key decides.
    Asked,
    /// When the run has ended.
    AfterRun(ExitReason),
}

impl Default for Columns {
    fn default() -> Self {
        Self { counts: true, bars: false, modified: false, exact: false }
    }
}
