//! Moving over rows, opening and closing them.

use super::{Effects, forget_orders};
use crate::app::action::Action;
use crate::app::forest::{Node, first_row, last_row, next_row, previous_row};
use crate::app::layout::Pane;
use crate::app::state::{Level, State, View};
use crate::domain::{Key, key};

pub(super) fn perform(state: &mut State, action: Action) -> Effects {
    if state.browse.pane == Pane::Details && scroll_details(state, action) {
        return Effects::new();
    }
    let page = page(state);
    match action {
        Action::Down => step(state, 1),
        Action::Up => step(state, -1),
        Action::HalfDown => step(state, page / 2),
        Action::HalfUp => step(state, -(page / 2)),
        Action::PageDown => step(state, page),
        Action::PageUp => step(state, -page),
        Action::Top => {
            let first = state.with_forest(first_row);
            put(state, first, 0);
        }
        Action::Bottom => {
            let last = state.with_forest(last_row);
            put(state, last, usize::MAX);
        }
        Action::NextSibling => sibling(state, true),
        Action::PreviousSibling => sibling(state, false),
        Action::Open => open(state),
        Action::Close => close(state),
        Action::Toggle => toggle(state),
        Action::ExpandAll => expand_all(state),
        Action::CollapseAll => collapse_all(state),
        Action::Flat => return flat(state),
        _ => {}
    }
    Effects::new()
}

/// Rows in a page, less one so that the eye keeps its place.
fn page(state: &State) -> isize {
    let sticky = state.window().sticky.len();
    isize::try_from(state.rows_height().saturating_sub(sticky + 1).max(1)).unwrap_or(1)
}

fn scroll_details(state: &mut State, action: Action) -> bool {
    let page = usize::from(state.size.1 / 2);
    let scroll = &mut state.browse.details_scroll;
    *scroll = match action {
        Action::Down => *scroll + 1,
        Action::Up => scroll.saturating_sub(1),
        Action::HalfDown | Action::PageDown => *scroll + page,
        Action::HalfUp | Action::PageUp => scroll.saturating_sub(page),
        Action::Top => 0,
        Action::Close => {
            state.browse.pane = Pane::Rows;
            return true;
        }
        _ => return false,
    };
    // What is longer than this is not in any details; the view stops at its own end.
    *scroll = (*scroll).min(400);
    true
}

/// Moves the cursor so many rows; the window follows only where it has to.
pub(super) fn step(state: &mut State, rows: isize) {
    let Some(mut node) = state.cursor() else { return };
    let mut line = state.place().line;
    let last = state.rows_height().saturating_sub(1);
    state.with_forest(|forest| {
        for _ in 0..rows.unsigned_abs() {
            let next = if rows > 0 { next_row(forest, &node) } else { previous_row(forest, &node) };
            let Some(next) = next else { break };
            node = next;
            line = if rows > 0 { (line + 1).min(last) } else { line.saturating_sub(1) };
        }
    });
    put(state, Some(node), line);
}

/// Puts the cursor on a row, on that line of the pane.
pub(super) fn put(state: &mut State, node: Option<Node>, line: usize) {
    let Some(node) = node else { return };
    let line = line.min(state.rows_height().saturating_sub(1));
    let place = state.browse.places.entry(state.browse.view).or_default();
    place.cursor = Some(node);
    place.line = line;
}

/// Puts the cursor on a row: where it stands if it is on the screen, else into the middle.
pub(super) fn put_in_view(state: &mut State, node: Node) {
    let shown = state.window().rows.iter().position(|row| row.node == node);
    let line = shown.unwrap_or(state.rows_height() / 2);
    put(state, Some(node), line);
}

fn sibling(state: &mut State, forwards: bool) {
    let Some(node) = state.cursor() else { return };
    let sibling = state.with_forest(|forest| if forwards { forest.next(&node) } else { forest.previous(&node) });
    if let Some(sibling) = sibling {
        put_in_view(state, sibling);
    }
}

/// Opens or closes one folder or group; objects have nothing to open.
pub(super) fn set_open(state: &mut State, node: &Node, open: bool) {
    match node {
        Node::Folder(prefix) => state.browse.folders.set(prefix.as_bytes(), open),
        Node::Group(id) => state.browse.groups.entry(state.browse.view).or_default().set(id, open),
        Node::Ends(_, outcome) => {
            if open {
                state.runs.open_groups.insert(*outcome);
            } else {
                state.runs.open_groups.remove(outcome);
            }
        }
        Node::Drift(kind) => {
            if open {
                state.registry_view.open.insert(*kind);
            } else {
                state.registry_view.open.remove(kind);
            }
        }
        Node::Object(_) | Node::Member(..) | Node::Run(_) | Node::RunKey(..) | Node::Source(_) | Node::DriftKey(..) => {
        }
    }
}

fn open(state: &mut State) {
    let Some(node) = state.cursor() else { return };
    if state.with_forest(|forest| forest.is_open(&node)) {
        step(state, 1);
    } else {
        set_open(state, &node, true);
    }
}

fn close(state: &mut State) {
    let Some(node) = state.cursor() else { return };
    if state.with_forest(|forest| forest.is_open(&node)) {
        set_open(state, &node, false);
    } else if let Some(parent) = state.with_forest(|forest| forest.parent(&node)) {
        put_in_view(state, parent);
    }
}

pub(super) fn toggle(state: &mut State) {
    let Some(node) = state.cursor() else { return };
    match node {
        Node::Object(_) | Node::Member(..) | Node::RunKey(..) | Node::Source(_) => {
            state.browse.pane = Pane::Details;
        }
        _ => {
            let open = state.with_forest(|forest| forest.is_open(&node));
            set_open(state, &node, !open);
        }
    }
}

fn expand_all(state: &mut State) {
    match state.cursor() {
        Some(Node::Folder(prefix)) => state.browse.folders.set_deep(prefix.as_bytes(), true),
        Some(Node::Object(object)) => {
            let key = state.bucket.inventory.key(object);
            state.browse.folders.set_deep(crate::app::folders::folder_of(key.as_bytes()), true);
        }
        Some(Node::Group(_) | Node::Member(..)) => {
            state.browse.groups.entry(state.browse.view).or_default().set_all(true);
        }
        _ => {}
    }
}

fn collapse_all(state: &mut State) {
    match state.browse.view {
        View::Folders => {
            if let Some(node) = state.cursor() {
                let root = topmost(state, node);
                state.browse.folders.set_deep(b"", false);
                put(state, Some(root), 0);
            }
        }
        view => state.browse.groups.entry(view).or_default().set_all(false),
    }
}

fn topmost(state: &State, mut node: Node) -> Node {
    state.with_forest(|forest| {
        while let Some(parent) = forest.parent(&node) {
            node = parent;
        }
        node
    })
}

fn flat(state: &mut State) -> Effects {
    if state.browse.view != View::Folders {
        state.say(Level::Info, "plain keys are a way to show folders; press 1 first");
        return Effects::new();
    }
    let cursor = state.cursor();
    state.browse.flat = !state.browse.flat;
    forget_orders(state);
    if let Some(Node::Object(object)) = cursor {
        reveal(state, object);
    }
    // Groups keep their order; only the folders are asked for anew.
    let text = if state.browse.flat { "plain keys" } else { "folders" };
    state.say(Level::Info, text);
    Effects::new()
}

/// Opens what hides an object, and puts the cursor on it.
pub(super) fn reveal(state: &mut State, object: u32) {
    if !state.browse.flat {
        let key = state.bucket.inventory.key(object);
        state.browse.folders.reveal(key.as_bytes());
    }
    put_in_view(state, Node::Object(object));
}

/// Opens what hides a folder, and puts the cursor on it.
pub(super) fn reveal_folder(state: &mut State, prefix: &[u8]) {
    state.browse.folders.reveal(key::parent(prefix));
    put_in_view(state, Node::Folder(Key::new(prefix)));
}
