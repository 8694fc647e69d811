//! The jobs that go through all objects: the filter, the order of rows, groups, globs, and marks in a new listing. Each is
//! told to end when its answer is not wanted any more.

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::worker::renew;
use crate::app::event::CarriedMarks;
use crate::app::filter::{Filter, Matches};
use crate::app::gather::gather;
use crate::app::order::{Order, sort_flat, sort_folder};
use crate::app::{Event, State, Ticket};
use crate::domain::assessment::Assessment;
use crate::domain::bits::BitSet;
use crate::domain::folders::{KeySpace, Subset};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::progress::Failure;
use crate::domain::{Key, Timestamp};
use crate::jobs::Stop;

/// Starts them, and remembers how to stop them.
pub struct Searcher {
    events: mpsc::Sender<Event>,
    filtering: Stop,
    sorting: Stop,
    /// Which order is sorted for now.
    sorted: Ticket,
    gathering: Stop,
    matching: Stop,
}

impl Searcher {
    /// Nothing is looked for yet.
    pub fn new(events: mpsc::Sender<Event>) -> Self {
        Self {
            events,
            filtering: Stop::new(),
            sorting: Stop::new(),
            sorted: Ticket::default(),
            gathering: Stop::new(),
            matching: Stop::new(),
        }
    }

    /// Ends everything.
    pub fn stop(&self) {
        [&self.filtering, &self.sorting, &self.gathering, &self.matching].into_iter().for_each(Stop::request);
    }

    /// Ends the looking for what matches the filter.
    pub fn stop_filter(&self) {
        self.filtering.request();
    }

    /// Ends the ordering of rows.
    pub fn stop_sort(&self) {
        self.sorting.request();
    }

    /// Ends the looking for what matches a glob.
    pub fn stop_glob(&self) {
        self.matching.request();
    }

    /// Finds what matches.
    pub fn filter(&mut self, ticket: Ticket, filter: Filter, state: &State) {
        let stop = renew(&mut self.filtering);
        let events = self.events.clone();
        let (inventory, assessment) = (state.bucket.inventory.clone(), state.bucket.assessment.clone());
        let (now, order) = (state.server_now(), state.browse.order);
        spawn_blocking(move || {
            let cancelled = || stop.is_requested();
            let found = filtered(&filter, &inventory, assessment.as_ref(), now, order, &cancelled);
            if let Some(matches) = found {
                let _ = events.blocking_send(Event::Filtered(ticket, Box::new(matches))); // nobody is left to tell
            }
        });
    }

    /// Gathers the objects under projects and findings.
    pub fn gather(&mut self, ticket: Ticket, order: Order, state: &State) {
        let Some(assessment) = state.bucket.assessment.clone() else { return };
        let stop = renew(&mut self.gathering);
        let (events, inventory) = (self.events.clone(), state.bucket.inventory.clone());
        spawn_blocking(move || {
            if let Some(gathered) = gather(&inventory, &assessment, None, order, &|| stop.is_requested()) {
                let _ = events.blocking_send(Event::Gathered(ticket, Box::new(gathered))); // nobody is left to tell
            }
        });
    }

    /// Finds the marked objects in the new listing.
    pub fn carry_marks(&self, ticket: Ticket, state: &State) {
        let Some(new) = state.bucket.incoming.clone() else { return };
        let (events, marked) = (self.events.clone(), state.marks.selection.clone());
        let old = state.bucket.inventory.clone();
        spawn_blocking(move || {
            let carried = CarriedMarks::find(marked, &old, &new);
            let _ = events.blocking_send(Event::Carried(ticket, Box::new(carried))); // nobody is left to tell
        });
    }

    /// Orders the rows of a folder, or all objects.
    pub fn sort(&mut self, ticket: Ticket, folder: Option<Key>, order: Order, state: &State) {
        // Folders of one order are sorted beside each other; with a new one nobody waits for the old.
        if ticket != self.sorted {
            renew(&mut self.sorting);
            self.sorted = ticket;
        }
        let (events, stop) = (self.events.clone(), self.sorting.clone());
        let (inventory, assessment) = (state.bucket.inventory.clone(), state.bucket.assessment.clone());
        let subset: Option<Subset> = state.filter.matches.as_ref().map(|matches| matches.subset.clone());
        spawn_blocking(move || {
            let space: &dyn KeySpace = subset.as_ref().map_or(&inventory as &dyn KeySpace, |subset| subset);
            let cancelled = || stop.is_requested();
            let event = match folder {
                None => sort_flat(space, &inventory, assessment.as_ref(), order, &cancelled)
                    .map(|order| Event::SortedFlat(ticket, order)),
                Some(prefix) => {
                    sort_folder(space, subset.is_none(), assessment.as_ref(), prefix.as_bytes(), order, &cancelled)
                        .map(|order| Event::SortedFolder(ticket, prefix, order))
                }
            };
            if let Some(event) = event {
                let _ = events.blocking_send(event); // nobody is left to tell
            }
        });
    }

    /// Finds what matches a glob.
    pub fn match_glob(&mut self, ticket: Ticket, pattern: String, mark: bool, state: &State) {
        let stop = renew(&mut self.matching);
        let (events, inventory) = (self.events.clone(), state.bucket.inventory.clone());
        spawn_blocking(move || {
            let event = match glob_matches(&inventory, &pattern, &|| stop.is_requested()) {
                Ok(Some(objects)) => Event::GlobMatched { ticket, pattern, mark, objects },
                Ok(None) => return,
                Err(failure) => Event::Failed(failure),
            };
            let _ = events.blocking_send(event); // nobody is left to tell
        });
    }
}

fn filtered(
    filter: &Filter,
    inventory: &Inventory,
    assessment: Option<&Assessment>,
    now: Option<Timestamp>,
    order: Order,
    cancelled: &dyn Fn() -> bool,
) -> Option<Matches> {
    let found = filter.run(inventory, assessment, now, cancelled)?;
    let gathered = match assessment {
        Some(assessment) if assessment.len() == inventory.len() => {
            gather(inventory, assessment, Some(&found), order, cancelled)?
        }
        _ => Default::default(),
    };
    Some(Matches { subset: Subset::new(inventory, found), gathered, of: inventory.alive() })
}

/// Objects between two looks at whether the answer is still wanted.
const STEP: ObjectIndex = 65_536;

/// `None` if `cancelled` said so.
fn glob_matches(inventory: &Inventory, pattern: &str, cancelled: &dyn Fn() -> bool) -> Result<Option<BitSet>, Failure> {
    let glob = globset::Glob::new(pattern).map_err(|error| Failure {
        what: format!("mark by the pattern {pattern:?}"),
        why: error.to_string(),
        hint: "for example projects/proj_1/**".into(),
    })?;
    let matcher = glob.compile_matcher();
    let mut found = BitSet::default();
    for start in (0..inventory.len()).step_by(STEP as usize) {
        if cancelled() {
            return Ok(None);
        }
        inventory.scan(start..start.saturating_add(STEP), |index, key, _| {
            // Keys are bytes; on systems whose paths are not, a key that is no text matches no pattern.
            if std::str::from_utf8(key).is_ok_and(|key| matcher.is_match(key)) {
                found.insert(index);
            }
        });
    }
    Ok(Some(found))
}
