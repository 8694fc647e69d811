//! Everything that the screen shows and the keys change. Owned by one task; there is no lock around it.

use std::any::Any;
use std::time::Duration;

use crate::domain::facts::RegistryState;
use crate::domain::folders::KeySpace;
use crate::domain::guards::GuardReport;
use crate::domain::inventory::ObjectIndex;
use crate::domain::progress::{Failure, RegistryReport};
use crate::domain::{Evidence, Key, Timestamp};

use super::effect::Ticket;
use super::event::Gathered;
use super::folders::{FlatForest, FolderForest};
use super::forest::{Forest, Node, Window, first_row, visible, window};
use super::group_forest::GroupForest;
use super::groups::{GroupTree, OpenGroups};
use super::keymap::{Context, Keymap};
use super::layout::{Areas, areas, inside};
use super::log::Log;
use super::marks::Marks;
pub use super::model::{
    Ask, Audit, Browse, Bucket, Columns, Filtering, Level, Mode, Notice, Place, Planning, Quitting, ROOMY, Retry, Scan,
    Session, View,
};
use super::registry::RegistryView;
use super::registry::forest::RegistryForest;
use super::run::{Run, Unfinished};
use super::runs::Runs;
use super::runs::forest::RunForest;

/// Something that is only there to be let go.
pub type Discarded = Box<dyn Any + Send>;

/// The guard that refuses a listing with too few objects.
const SHRUNKEN: &str = "listing not shrunken";

/// The whole state.
pub struct State {
    /// What does not change.
    pub session: Session,
    /// Which key does what.
    pub keymap: Keymap,
    /// Columns and lines of the screen.
    pub size: (u16, u16),
    /// Time since the start, as of the last event that told it.
    pub now: Duration,
    /// This machine's clock, as of the last tick.
    pub clock: Option<Timestamp>,
    /// The bucket.
    pub bucket: Bucket,
    /// The look at it.
    pub browse: Browse,
    /// The filter.
    pub filter: Filtering,
    /// The marks.
    pub marks: Marks,
    /// The plan.
    pub planning: Planning,
    /// The run, also after its end.
    pub run: Option<Run>,
    /// The past runs.
    pub runs: Runs,
    /// The registry, compared with the bucket.
    pub registry_view: RegistryView,
    /// The log.
    pub log: Log,
    /// What the keys go to.
    pub mode: Mode,
    /// The oldest run on the bucket that did not come to its end, as far as it can be gone on with from here.
    pub unfinished: Option<Unfinished>,
    /// The message in the status line.
    pub notice: Option<Notice>,
    /// A failure that is shown until it is dismissed.
    pub failure: Option<Failure>,
    /// Whether quitting was asked for and awaits a second key, or the end of the run.
    pub quitting: Quitting,
    pub(super) tickets: u64,
    discarded: Vec<Discarded>,
    /// Which comparison is wanted.
    pub(super) compare_ticket: Ticket,
    /// The row that was clicked last, and when.
    pub(super) last_click: Option<(Node, Duration)>,
}

impl State {
    /// The state at the start.
    pub fn new(session: Session, keymap: Keymap, size: (u16, u16)) -> Self {
        Self {
            session,
            keymap,
            size,
            now: Duration::ZERO,
            clock: None,
            bucket: Bucket::default(),
            browse: Browse::default(),
            filter: Filtering::default(),
            marks: Marks::default(),
            planning: Planning::default(),
            run: None,
            runs: Runs::default(),
            registry_view: RegistryView::default(),
            log: Log::default(),
            mode: Mode::Browse,
            unfinished: None,
            notice: None,
            failure: None,
            quitting: Quitting::No,
            tickets: 0,
            discarded: Vec::new(),
            compare_ticket: Ticket::default(),
            last_click: None,
        }
    }

    /// Where a key that is pressed now would be looked up.
    pub fn context(&self) -> Context {
        match (&self.mode, self.browse.view) {
            (Mode::Prompt { .. }, _) => Context::Prompt,
            (Mode::SortMenu(_) | Mode::Changes(_), _) => Context::Menu,
            (Mode::Confirm(_), _) => Context::Confirm,
            (Mode::Help(_), _) => Context::Help,
            (Mode::Browse, _) => self.browse_context(),
        }
    }

    /// Where a key would be looked up if nothing were open over the view.
    pub fn browse_context(&self) -> Context {
        match self.browse.view {
            View::Plan => Context::Plan,
            View::Log => Context::Log,
            View::Runs => Context::Runs,
            View::Registry => Context::Registry,
            _ => Context::Tree,
        }
    }

    /// The areas of the screen.
    pub fn areas(&self) -> Areas {
        areas(self.size, self.browse.pane, self.browse.view == View::Log)
    }

    /// Lines that rows have.
    pub fn rows_height(&self) -> usize {
        let areas = self.areas();
        let frame = if areas.rows.height > 0 { areas.rows } else { areas.details };
        usize::from(inside(frame).height).saturating_sub(self.rows_head())
    }

    /// Lines above the rows inside of their frame.
    pub fn rows_head(&self) -> usize {
        match self.browse.view {
            View::Plan if self.planning.plan.is_some() => 2,
            View::Runs if !self.runs.list.is_empty() => 1,
            View::Registry if self.registry().is_some() => 2,
            _ => 0,
        }
    }

    /// All objects, or those that the filter let through.
    pub fn space(&self) -> &dyn KeySpace {
        match &self.filter.matches {
            Some(matches) => &matches.subset,
            None => &self.bucket.inventory,
        }
    }

    /// Projects and findings of what the filter let through.
    pub fn gathered(&self) -> &Gathered {
        self.filter.matches.as_ref().map_or(&self.browse.gathered, |matches| &matches.gathered)
    }

    /// The groups of a view that has groups.
    pub fn group_tree(&self, view: View) -> Option<&GroupTree> {
        match view {
            View::Projects => Some(&self.gathered().projects),
            View::Findings => Some(&self.gathered().findings),
            View::Plan => Some(&self.planning.tree),
            View::Folders | View::Log | View::Runs | View::Registry => None,
        }
    }

    /// Hands the rows of the current view to `read`.
    pub fn with_forest<T>(&self, read: impl FnOnce(&dyn Forest) -> T) -> T {
        let view = self.browse.view;
        if view == View::Runs {
            return read(&RunForest { runs: &self.runs });
        }
        if view == View::Registry {
            let sources = self.registry().map_or(0, |report| report.sources.len());
            return read(&RegistryForest { sources, view: &self.registry_view });
        }
        let Some(tree) = self.group_tree(view) else {
            let space = self.space();
            return match self.browse.flat {
                true => read(&FlatForest { space, order: self.browse.sorted_flat.as_ref() }),
                false => read(&self.folder_forest()),
            };
        };
        let none = OpenGroups::default();
        let open = self.browse.groups.get(&view).unwrap_or(&none);
        let in_plan = view == View::Plan;
        let is_gone = |member: u32| match in_plan {
            true => self.plan_object(member).is_none(),
            false => self.bucket.inventory.is_gone(member),
        };
        read(&GroupForest { tree, open, is_gone: &is_gone })
    }

    /// The folders as rows.
    pub fn folder_forest(&self) -> FolderForest<'_> {
        FolderForest { space: self.space(), open: &self.browse.folders, orders: &self.browse.sorted }
    }

    /// The object that a row of the plan stands for; `None` if the row does not exist.
    fn plan_object(&self, row: u32) -> Option<&Key> {
        self.planning.plan.as_ref()?.rows.get(row as usize).map(|row| &row.object.key)
    }

    /// Whether the plan takes objects out of the trash.
    pub fn plan_is_from_trash(&self) -> bool {
        self.planning.plan.as_ref().is_some_and(|plan| plan.header.kind.is_from_trash())
    }

    /// Whether anything is refused that a person could accept: smaller counts than last time may be why.
    pub fn may_be_shrunken(&self) -> bool {
        let registry = self.registry().is_some_and(|report| matches!(report.state, RegistryState::Unusable(_)));
        let refuses = |guard: &&GuardReport| guard.name == SHRUNKEN;
        let listing = self.planning.plan.as_ref().is_some_and(|plan| plan.refusals().iter().any(refuses));
        (registry || listing) && !self.bucket.accepts_shrink
    }

    /// Where the cursor of the current view is.
    pub fn place(&self) -> Place {
        self.browse.places.get(&self.browse.view).cloned().unwrap_or_default()
    }

    /// The row under the cursor.
    pub fn cursor(&self) -> Option<Node> {
        let place = self.place();
        self.with_forest(|forest| match &place.cursor {
            Some(node) => forest.nearest(node).map(|node| visible(forest, &node)),
            None => first_row(forest),
        })
    }

    /// The rows on the screen.
    pub fn window(&self) -> Window {
        let Some(cursor) = self.cursor() else { return Window::default() };
        let line = self.place().line;
        self.with_forest(|forest| window(forest, &cursor, line, self.rows_height()))
    }

    /// The object that a row stands for, if it is one that is still listed.
    pub fn object_of(&self, node: &Node) -> Option<ObjectIndex> {
        match (self.browse.view, node) {
            (View::Plan, Node::Member(_, row)) => self.bucket.inventory.find(self.plan_object(*row)?.as_bytes()),
            (_, Node::Object(object) | Node::Member(_, object)) => Some(*object),
            (_, Node::DriftKey(kind, at)) => {
                let found = self.bucket.inventory.find(self.registry_view.key(*kind, *at)?.as_bytes())?;
                (!self.bucket.inventory.is_gone(found)).then_some(found)
            }
            _ => None,
        }
    }

    /// The exact key or prefix that a row stands for.
    pub fn key_of(&self, node: &Node) -> Option<Key> {
        match (self.browse.view, node) {
            (_, Node::Folder(prefix)) => Some(prefix.clone()),
            (View::Plan, Node::Member(_, row)) => self.plan_object(*row).cloned(),
            (_, Node::Object(object) | Node::Member(_, object)) => Some(self.bucket.inventory.key(*object)),
            (_, Node::RunKey(run, row)) => self.runs.opened(run)?.row(*row).map(|row| row.object.key.clone()),
            (_, Node::DriftKey(kind, at)) => self.registry_view.key(*kind, *at).cloned(),
            (_, Node::Group(_) | Node::Run(_) | Node::Ends(..) | Node::Source(_) | Node::Drift(_)) => None,
        }
    }

    /// Why an object has its verdict.
    pub fn evidence(&self, object: ObjectIndex) -> Option<Evidence> {
        let judge = self.bucket.judge.as_ref()?;
        let claims = judge.facts().claims_of(object);
        Some(judge.evidence(&self.bucket.inventory.object(object), &claims).1)
    }

    /// What the registry said.
    pub fn registry(&self) -> Option<&RegistryReport> {
        self.bucket.judge.as_ref().map(|judge| judge.facts().report())
    }

    /// The server's clock now, as well as it is known.
    pub fn server_now(&self) -> Option<Timestamp> {
        let (server, local) = self.bucket.clocks?;
        let passed = self.clock.map_or(0, |clock| clock.0 - local.0);
        Some(Timestamp(server.0 + passed.max(0)))
    }

    /// Whether a listing is going on.
    pub fn is_scanning(&self) -> bool {
        matches!(self.bucket.scan, Scan::Running { .. })
    }

    /// Whether a run is going on.
    pub fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.has_ended())
    }

    /// Whether rows are being sorted that are not shown in that order yet.
    pub fn is_sorting(&self) -> bool {
        self.browse.sorting_flat || !self.browse.sorting.is_empty()
    }

    /// Whether something on the screen changes with time alone.
    pub fn needs_ticks(&self) -> bool {
        let awaits = self.filter.pending || self.is_sorting() || self.marks.glob.is_some();
        awaits || self.is_scanning() || self.is_running() || self.bucket.audit == Audit::Running
    }

    /// Puts away what is not needed any more. To give back the memory of many objects takes longer than a frame, so it is
    /// not done here: whoever drives the state takes it and lets it go.
    pub(super) fn discard<T: Send + 'static>(&mut self, what: T) {
        self.discarded.push(Box::new(what));
    }

    /// What was put away since it was last asked for.
    pub fn take_discarded(&mut self) -> Vec<Discarded> {
        std::mem::take(&mut self.discarded)
    }

    /// A ticket that was never used.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Says something in the status line.
    pub(super) fn say(&mut self, level: Level, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), level });
    }
}
