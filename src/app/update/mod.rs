//! From an event to a new state and to requests.

mod browse;
mod bulk;
mod jobs;
mod jump;
mod kept;
#[cfg(test)]
mod kept_tests;
mod keys;
#[cfg(test)]
mod marks_law;
mod mouse;
mod planning;
mod prompt;
mod registry;
#[cfg(test)]
mod registry_tests;
mod running;
mod runs;
#[cfg(test)]
mod runs_tests;
#[cfg(test)]
mod scale_tests;
#[cfg(test)]
mod tests;

use crate::domain::Key;

use super::effect::{Effect, ExitReason};
use super::event::Event;
use super::forest::Node;
use super::state::{Level, Mode, Quitting, Scan, State, View};

/// Requests.
pub(super) type Effects = Vec<Effect>;

/// What is asked for before anything has happened.
pub fn start(state: &mut State) -> Effects {
    let mut effects = match state.session.offline {
        true => Effects::new(),
        false => jobs::list(state),
    };
    effects.push(Effect::OpenKept { ticket: state.bucket.scan_ticket });
    effects
}

/// Takes one event in.
pub fn update(state: &mut State, event: Event) -> Effects {
    let before = state.cursor();
    let mut effects = match event {
        Event::Key { key, at } => keys::key(state, key, at),
        Event::Mouse { mouse, at } => mouse::mouse(state, mouse, at),
        Event::Paste(text) => prompt::paste(state, &text),
        Event::Resize(width, height) => {
            state.size = (width, height);
            Effects::new()
        }
        Event::Tick { at, clock } => {
            state.now = at;
            state.clock = Some(clock);
            prompt::refilter_growing(state)
        }
        Event::Terminate => leave(state, ExitReason::Interrupted),
        other => jobs::job(state, other),
    };
    settle(state, before.as_ref(), &mut effects);
    effects
}

/// Brings the cursor back to a row that exists, and asks for what the rows on the screen need.
fn settle(state: &mut State, before: Option<&Node>, effects: &mut Effects) {
    let window = state.window();
    let cursor = window.rows.get(window.cursor).map(|row| row.node.clone());
    if cursor.as_ref() != before {
        state.browse.details_scroll = 0;
    }
    let view = state.browse.view;
    let place = state.browse.places.entry(view).or_default();
    place.cursor = cursor;
    place.line = window.cursor;
    let shown: Vec<Node> = window.sticky.into_iter().chain(window.rows).map(|row| row.node).collect();
    state.count_group_marks(shown.iter());
    if view == View::Folders {
        effects.extend(wanted_orders(state, &shown));
    }
}

/// Sorting is asked for only for folders on the screen. While objects still arrive, rows stand by name: a row that moves
/// under the cursor is worse than an order that comes later.
fn wanted_orders(state: &mut State, shown: &[Node]) -> Effects {
    let order = state.browse.order;
    let grows = matches!(state.bucket.scan, Scan::Running { .. }) && state.bucket.incoming.is_none();
    if order.is_natural() || grows || state.space().is_empty() {
        return Effects::new();
    }
    let ticket = state.browse.sort_ticket;
    if state.browse.flat {
        let wanted = state.browse.sorted_flat.is_none() && !state.browse.sorting_flat;
        state.browse.sorting_flat |= wanted;
        return if wanted { vec![Effect::Sort { ticket, folder: None, order }] } else { Effects::new() };
    }
    let open = shown.iter().filter_map(|node| match node {
        Node::Folder(prefix) if state.browse.folders.is_open(prefix.as_bytes()) => Some(prefix.clone()),
        _ => None,
    });
    let wanted: Vec<Key> = open
        .chain([Key::from("")])
        .filter(|prefix| !state.browse.sorted.contains_key(prefix) && !state.browse.sorting.contains(prefix))
        .collect();
    state.browse.sorting.extend(wanted.iter().cloned());
    wanted.into_iter().map(|prefix| Effect::Sort { ticket, folder: Some(prefix), order }).collect()
}

/// Leaves at once, or when the run has come to its end.
fn leave(state: &mut State, reason: ExitReason) -> Effects {
    if state.is_running() {
        state.quitting = Quitting::AfterRun(reason);
        state.say(Level::Warning, "the run stops after the batches in flight, then bucketree quits");
        let stop = running::stop(state);
        return stop;
    }
    vec![Effect::StopScan, Effect::Quit(reason)]
}

/// Goes to another view.
fn show(state: &mut State, view: View) {
    state.browse.view = view;
    state.browse.details_scroll = 0;
    state.marks.anchor = None;
    state.mode = Mode::Browse;
}

/// Forgets every order, because the rows or the wish have changed.
fn forget_orders(state: &mut State) {
    state.browse.sort_ticket = state.ticket();
    let orders = (std::mem::take(&mut state.browse.sorted), state.browse.sorted_flat.take());
    state.discard(orders);
    state.browse.sorting.clear();
    state.browse.sorting_flat = false;
}
