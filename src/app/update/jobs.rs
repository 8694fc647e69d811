//! What the jobs say: listing, judging, filtering, sorting. Answers with an old ticket are dropped; facts never are.

use super::{Effects, browse, bulk, forget_orders, kept, planning, prompt, registry, running, runs};
use crate::app::effect::Effect;
use crate::app::event::{Assessed, CarriedMarks, Event, Gathered};
use crate::app::forest::Node;
use crate::app::number;
use crate::app::order::FolderOrder;
use crate::app::state::{Audit, Level, Scan, State, View};
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, Failure, LogLevel, ScanProgress, ScanReport};
use crate::domain::{Key, Object};

pub(super) fn job(state: &mut State, event: Event) -> Effects {
    match event {
        Event::Scan(ticket, progress) if ticket == state.bucket.scan_ticket => match progress {
            ScanProgress::Page(objects) => page(state, objects),
            ScanProgress::Finished(report) => listed(state, report),
        },
        Event::Asked(ticket, made) if ticket == state.bucket.scan_ticket => {
            if let Scan::Running { requests, .. } = &mut state.bucket.scan {
                *requests = made;
            }
            Effects::new()
        }
        Event::TrashListed(ticket, inventory) if ticket == state.bucket.trash_ticket => trash_listed(state, *inventory),
        Event::Kept(ticket, listing) if ticket == state.bucket.scan_ticket => kept::opened(state, *listing),
        Event::Carried(ticket, marks) if ticket == state.bucket.scan_ticket => carried(state, *marks),
        Event::Compared(ticket, compared) if ticket == state.compare_ticket => kept::compared(state, compared),
        Event::Assessed(ticket, assessed) if ticket == state.bucket.audit_ticket => judged(state, *assessed),
        Event::Filtered(ticket, matches) if ticket == state.filter.ticket => prompt::filtered(state, matches),
        Event::Gathered(ticket, gathered) if ticket == state.browse.gather_ticket => regrouped(state, *gathered),
        Event::SortedFolder(ticket, folder, order) if ticket == state.browse.sort_ticket => {
            sorted(state, folder, order)
        }
        Event::SortedFlat(ticket, order) if ticket == state.browse.sort_ticket => {
            state.browse.sorting_flat = false;
            state.browse.sorted_flat = Some(order);
            Effects::new()
        }
        Event::GlobMatched { pattern, mark, objects, ticket } if ticket == state.marks.glob_ticket => {
            state.marks.glob = None;
            bulk::by_glob(state, &pattern, mark, objects)
        }
        Event::PlanReady(ticket, plan) if ticket == state.planning.ticket => planning::ready(state, *plan),
        Event::NoPlan(ticket, why) if ticket == state.planning.ticket => planning::none(state, why),
        Event::Exported { what, file } => {
            running::note(state, LogLevel::Info, format!("{what} written to {file}"));
            Effects::new()
        }
        Event::Runs { ticket, runs, read } if ticket == state.runs.ticket => runs::listed(state, runs, read),
        Event::RunOpened(ticket, open) if ticket == state.runs.open_ticket => runs::opened(state, *open),
        Event::Drifted(ticket, report) if ticket == state.registry_view.ticket => registry::compared(state, *report),
        Event::Checking(ticket, done, all) if ticket == state.registry_view.ticket => {
            state.registry_view.checking = Some((done, all));
            Effects::new()
        }
        Event::Proving(ticket, progress) => runs::proving(state, ticket, progress),
        Event::Run(progress) => running::progress(state, progress),
        Event::RunFailed(failure) => running::failed(state, failure),
        Event::Log(line) => {
            state.log.push(line);
            Effects::new()
        }
        Event::Unfinished(unfinished) => running::unfinished(state, *unfinished),
        Event::Failed(failure) => failed(state, failure),
        // Answers to a question that has been replaced, and events that are not of a job.
        _ => Effects::new(),
    }
}

/// Lists the bucket.
pub(super) fn list(state: &mut State) -> Effects {
    let ticket = state.ticket();
    state.bucket.scan_ticket = ticket;
    // What is listed from now on has what came to the trash before.
    state.bucket.trash_ticket = ticket;
    state.bucket.trash_moved = false;
    state.bucket.arrived = None;
    state.bucket.accepts_shrink = false;
    state.bucket.scan = Scan::Running { since: state.now, objects: 0, requests: 0 };
    vec![Effect::Scan { ticket }]
}

/// Lists again; what is on the screen stays until the new listing is there.
pub(super) fn refresh(state: &mut State) -> Effects {
    if state.session.offline {
        state.say(Level::Info, "this is a scan in a file; without --from the bucket is listed");
        return Effects::new();
    }
    if state.is_scanning() {
        state.say(Level::Info, "the bucket is being listed already");
        return Effects::new();
    }
    if state.is_running() {
        state.say(Level::Warning, "a run is going on; list again when it has ended");
        return Effects::new();
    }
    state.failure = None;
    list_again(state)
}

/// Lists again, whatever else is going on.
pub(super) fn list_again(state: &mut State) -> Effects {
    if !state.bucket.inventory.is_empty() {
        state.bucket.incoming = Some(Inventory::new());
    }
    list(state)
}

fn page(state: &mut State, objects: Vec<Object>) -> Effects {
    let count = objects.len() as u64;
    let list = state.bucket.incoming.as_mut().unwrap_or(&mut state.bucket.inventory);
    let mut broken = None;
    for object in objects {
        if let Err(error) = list.push(object) {
            broken = Some(error.to_string());
            break;
        }
    }
    if let Scan::Running { objects, .. } = &mut state.bucket.scan {
        *objects += count;
    }
    match broken {
        None => Effects::new(),
        Some(why) => {
            // The listing job checks the order too; what comes here in disorder is not worth a guess.
            state.bucket.scan_ticket = state.ticket();
            let what = format!("list bucket {:?}", state.session.bucket);
            let hint = "list the bucket again (r)".to_owned();
            state.bucket.scan = Scan::Incomplete(Failure { what, why, hint });
            vec![Effect::StopScan]
        }
    }
}

/// Marks that are looked for in a new listing at once; of more than this a job is asked, and until it answers the old
/// listing stays on the screen.
const FEW_MARKS: u64 = 1000;

fn listed(state: &mut State, report: ScanReport) -> Effects {
    let replaces = state.bucket.incoming.is_some() && report.completeness == Completeness::Complete;
    if replaces && state.marks.selection.totals().objects > FEW_MARKS {
        state.bucket.arrived = Some(report);
        return vec![Effect::CarryMarks { ticket: state.bucket.scan_ticket }];
    }
    arrived(state, report, None)
}

/// The marks were found in the new listing. If others were made meanwhile, they are looked for once more.
fn carried(state: &mut State, marks: CarriedMarks) -> Effects {
    let Some(report) = state.bucket.arrived.take() else { return Effects::new() };
    match marks.before == state.marks.selection {
        true => arrived(state, report, Some(marks)),
        false => listed(state, report),
    }
}

fn arrived(state: &mut State, report: ScanReport, marks: Option<CarriedMarks>) -> Effects {
    state.bucket.clocks = report.server_time.map(|server| (server, report.local_time));
    let complete = report.completeness == Completeness::Complete;
    state.bucket.scan = match &report.completeness {
        Completeness::Complete => Scan::Complete(report.clone()),
        Completeness::Kept(at) => Scan::Incomplete(Failure {
            what: format!("list bucket {:?}", state.session.bucket),
            why: format!("the listing is one that was kept at {at}"),
            hint: "list the bucket again (r)".into(),
        }),
        Completeness::Incomplete(failure) => Scan::Incomplete(failure.clone()),
    };
    let mut effects = Effects::new();
    if let Some(incoming) = state.bucket.incoming.take() {
        // A new listing that is cut short says less than the old one that was whole.
        if complete {
            replace(state, incoming, marks);
            state.bucket.kept = None;
            effects.extend(prompt::refilter(state));
        }
    } else if state.filter.wanted.is_some() {
        effects.extend(prompt::refilter(state));
    }
    if let Scan::Incomplete(failure) = &state.bucket.scan {
        state.failure = Some(failure.clone());
    }
    forget_orders(state);
    effects.extend(audit(state));
    effects
}

/// What a run moved to the trash is listed there; the rest of the bucket is as it was.
fn trash_listed(state: &mut State, inventory: Inventory) -> Effects {
    state.bucket.trash_moved = false;
    replace(state, inventory, None);
    let mut effects = prompt::refilter(state);
    forget_orders(state);
    effects.extend(audit(state));
    effects
}

/// Reads the registry and judges every object.
pub(super) fn audit(state: &mut State) -> Effects {
    let ticket = state.ticket();
    state.bucket.audit_ticket = ticket;
    state.bucket.audit = Audit::Running;
    vec![Effect::Audit { ticket }]
}

/// Puts a new listing in the place of the old one. Cursors and marks belong to keys, so they are carried over by key.
pub(super) fn replace(state: &mut State, incoming: Inventory, marks: Option<CarriedMarks>) {
    let old = std::mem::replace(&mut state.bucket.inventory, incoming);
    let marks = marks.unwrap_or_else(|| {
        CarriedMarks::find(std::mem::take(&mut state.marks.selection), &old, &state.bucket.inventory)
    });
    let CarriedMarks { selection, stale, before } = marks;
    state.marks.selection = selection;
    state.marks.extents.clear();
    state.marks.cleared = None;
    state.marks.anchor = None;
    if !stale.is_empty() {
        let text = format!(
            "{} marks dropped: {} vanished, {} changed since they were marked",
            number::count((stale.vanished.len() + stale.changed.len()) as u64),
            number::count(stale.vanished.len() as u64),
            number::count(stale.changed.len() as u64),
        );
        state.say(Level::Warning, text);
        state.planning.outdated = true;
    }
    state.marks.stale = stale;
    // Answers that are still on their way count objects of the old listing.
    state.marks.glob_ticket = state.ticket();
    state.marks.glob = None;
    state.browse.gather_ticket = state.ticket();
    // A plan of what lies in the trash is made from a listing of its own.
    if !state.planning.looking {
        state.planning.ticket = state.ticket();
        state.planning.pending = false;
    }
    state.planning.outdated = true;
    carry_cursors(state, &old);
    let bucket = &mut state.bucket;
    let judged = (bucket.assessment.take(), bucket.judge.take(), std::mem::take(&mut state.browse.gathered));
    let matches = state.filter.matches.take();
    state.discard((old, before, judged, matches));
}

fn carry_cursors(state: &mut State, old: &Inventory) {
    let new = &state.bucket.inventory;
    let carry = |node: &Node| match node {
        Node::Object(object) if *object < old.len() => {
            let at = new.lower_bound(old.key(*object).as_bytes());
            (!new.is_empty()).then(|| Node::Object(at.min(new.len() - 1)))
        }
        Node::Object(_) => None,
        // The groups are not there until everything is judged again.
        Node::Member(id, _) => Some(Node::Group(id.clone())),
        other => Some(other.clone()),
    };
    for (view, place) in &mut state.browse.places {
        if *view != View::Plan {
            place.cursor = place.cursor.as_ref().and_then(carry);
        }
    }
    let history: Vec<_> =
        state.browse.history.iter().filter_map(|(view, node)| carry(node).map(|node| (*view, node))).collect();
    state.browse.history = history;
}

fn judged(state: &mut State, assessed: Assessed) -> Effects {
    state.bucket.audit = Audit::Done;
    let before = (
        state.bucket.assessment.replace(assessed.assessment),
        state.bucket.judge.replace(assessed.judge),
        std::mem::replace(&mut state.browse.gathered, assessed.gathered),
    );
    state.discard(before);
    state.marks.extents.clear();
    let mut effects = Effects::new();
    if !state.browse.order.is_natural() {
        effects.extend(gather(state));
    }
    // Verdicts may be what the filter asks for, and the groups of the matches are made of them.
    if state.filter.wanted.is_some() {
        effects.extend(prompt::refilter(state));
    }
    if state.browse.order.by == crate::app::order::By::Status {
        forget_orders(state);
    }
    effects.extend(registry::judged(state));
    effects.extend(registry::plan_again(state));
    effects.extend(runs::listed_for_retry(state));
    effects
}

/// Gathers projects and findings anew.
pub(super) fn gather(state: &mut State) -> Effects {
    if state.bucket.assessment.is_none() {
        return Effects::new();
    }
    let ticket = state.ticket();
    state.browse.gather_ticket = ticket;
    let order = state.browse.order;
    let mut effects = vec![Effect::Gather { ticket, order }];
    if state.filter.wanted.is_some() {
        effects.extend(prompt::refilter(state));
    }
    effects
}

fn regrouped(state: &mut State, gathered: Gathered) -> Effects {
    let before = std::mem::replace(&mut state.browse.gathered, gathered);
    state.discard(before);
    state.marks.extents.clear();
    Effects::new()
}

fn sorted(state: &mut State, folder: Key, order: FolderOrder) -> Effects {
    state.browse.sorting.remove(&folder);
    let window = state.window();
    state.browse.sorted.insert(folder, order);
    // The row under the cursor stays on its line; what is around it changes.
    if let Some(row) = window.rows.get(window.cursor) {
        browse::put(state, Some(row.node.clone()), window.cursor);
    }
    Effects::new()
}

fn failed(state: &mut State, failure: Failure) -> Effects {
    state.planning.pending = false;
    state.planning.looking = false;
    state.registry_view.comparing = false;
    state.registry_view.checking = None;
    state.filter.pending = false;
    state.marks.glob = None;
    runs::failed(state);
    state.say(Level::Error, failure.to_string());
    state.failure = Some(failure);
    Effects::new()
}
