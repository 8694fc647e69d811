//! The mouse: a click goes to a row, a second one opens it, the wheel moves the view.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{Effects, browse, registry, running, runs, show};
use crate::app::action::Action;
use crate::app::forest::{next_row, previous_row};
use crate::app::layout::{Pane, inside};
use crate::app::state::{Mode, State, View};

/// Two clicks on one row within this time open it.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Lines that one notch of the wheel moves.
const NOTCH: usize = 3;

pub(super) fn mouse(state: &mut State, mouse: MouseEvent, at: Duration) -> Effects {
    let passed = at.saturating_sub(state.last_click.as_ref().map_or(Duration::ZERO, |(_, when)| *when));
    state.now = at;
    if state.mode != Mode::Browse {
        return Effects::new();
    }
    let place = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => click(state, place, passed < DOUBLE_CLICK, at),
        MouseEventKind::ScrollDown => wheel(state, place, true),
        MouseEventKind::ScrollUp => wheel(state, place, false),
        _ => Effects::new(),
    }
}

fn click(state: &mut State, place: Position, soon: bool, at: Duration) -> Effects {
    let areas = state.areas();
    if areas.tabs.contains(place) {
        if let Some(view) = tab_at(state.size.0, place.x) {
            match view {
                View::Runs => return runs::show(state),
                View::Registry => return registry::show(state),
                _ => show(state, view),
            }
        }
        return Effects::new();
    }
    if areas.details.contains(place) {
        state.browse.pane = Pane::Details;
        return Effects::new();
    }
    let rows = inside(areas.rows);
    if !rows.contains(place) || state.browse.view == View::Log {
        return Effects::new();
    }
    state.browse.pane = Pane::Rows;
    let Some(line) = usize::from(place.y - rows.y).checked_sub(state.rows_head()) else { return Effects::new() };
    let window = state.window();
    let Some(node) = window.at_line(line).cloned() else { return Effects::new() };
    let again = soon && state.last_click.as_ref().is_some_and(|(last, _)| *last == node);
    state.last_click = Some((node.clone(), at));
    browse::put_in_view(state, node);
    if again {
        state.last_click = None;
        match state.browse.view {
            View::Runs => return runs::toggle(state),
            View::Registry => return registry::toggle(state),
            _ => browse::toggle(state),
        }
    }
    Effects::new()
}

/// The view whose name stands in this column of the line of tabs.
fn tab_at(width: u16, column: u16) -> Option<View> {
    let mut start = 0;
    for (view, text) in View::tabs(width) {
        let end = start + text.len() as u16;
        if (start..end).contains(&column) {
            return Some(view);
        }
        start = end;
    }
    None
}

fn wheel(state: &mut State, place: Position, down: bool) -> Effects {
    let areas = state.areas();
    let over = |area: Rect| area.contains(place);
    if over(areas.details) {
        let scroll = &mut state.browse.details_scroll;
        *scroll = if down { (*scroll + NOTCH).min(400) } else { scroll.saturating_sub(NOTCH) };
    } else if state.browse.view == View::Log {
        for _ in 0..NOTCH {
            running::move_in_log(state, if down { Action::Down } else { Action::Up });
        }
    } else if over(areas.rows) {
        (0..NOTCH).for_each(|_| scroll(state, down));
    }
    Effects::new()
}

/// Moves the rows by one line; the cursor stays on its row as long as that is on the screen.
fn scroll(state: &mut State, down: bool) {
    let window = state.window();
    let Some(cursor) = window.rows.get(window.cursor).map(|row| row.node.clone()) else { return };
    let (first, last) = (window.rows.first(), window.rows.last());
    let beyond = state.with_forest(|forest| match down {
        true => last.and_then(|row| next_row(forest, &row.node)),
        false => first.and_then(|row| previous_row(forest, &row.node)),
    });
    if beyond.is_none() {
        return;
    }
    let height = state.rows_height().saturating_sub(window.sticky.len());
    match (down, window.cursor) {
        (true, 0) => {
            let next = state.with_forest(|forest| next_row(forest, &cursor));
            browse::put(state, next, 0);
        }
        (true, line) => browse::put(state, Some(cursor), line - 1),
        (false, line) if line + 1 < height => browse::put(state, Some(cursor), line + 1),
        (false, line) => {
            let previous = state.with_forest(|forest| previous_row(forest, &cursor));
            browse::put(state, previous, line);
        }
    }
}
