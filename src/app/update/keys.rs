//! Keys: first what they mean here, then what that does.

use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{
    Effects, browse, bulk, forget_orders, jobs, jump, kept, leave, planning, prompt, registry, running, runs, show,
};
use crate::app::action::Action;
use crate::app::effect::{Effect, ExitReason};
use crate::app::help::Help;
use crate::app::layout::Pane;
use crate::app::order::Order;
use crate::app::state::{Level, Mode, Quitting, State, View};
use crate::app::stroke::Stroke;

pub(super) fn key(state: &mut State, key: KeyEvent, at: Duration) -> Effects {
    state.now = at;
    if key.kind == KeyEventKind::Release {
        return Effects::new();
    }
    let stroke = Stroke::of(&key);
    let action = state.keymap.action(state.context(), stroke);
    if state.quitting == Quitting::Asked && !matches!(action, Some(Action::Quit | Action::Interrupt)) {
        state.quitting = Quitting::No;
    }
    match (action, &state.mode) {
        (Some(Action::Suspend), _) => vec![Effect::Suspend],
        (Some(Action::Redraw), _) => vec![Effect::Redraw],
        (action, Mode::Confirm(_)) => planning::confirm_key(state, action, stroke, key.kind, at),
        (Some(Action::Interrupt), _) => interrupt(state),
        (action, Mode::Prompt { .. }) => prompt::prompt_key(state, action, stroke),
        (action, Mode::SortMenu(_)) => prompt::menu_key(state, action),
        (action, Mode::Help(_)) => prompt::help_key(state, action, stroke),
        (action, Mode::Changes(_)) => kept::key(state, action),
        (Some(action), Mode::Browse) => {
            state.notice = None;
            perform(state, action)
        }
        (None, Mode::Browse) => Effects::new(),
    }
}

/// Ctrl-c: ends what is going on; when nothing is, the second one quits.
fn interrupt(state: &mut State) -> Effects {
    if state.mode != Mode::Browse {
        return prompt::dismiss(state);
    }
    if state.is_running() && !state.run.as_ref().is_some_and(|run| run.stopping) {
        return running::stop(state);
    }
    if state.planning.looking {
        return vec![Effect::StopLooking];
    }
    if let Some(stopped) = stop_waiting(state) {
        return stopped;
    }
    if state.is_scanning() && state.quitting == Quitting::No {
        state.say(Level::Warning, "listing stopped; press Ctrl-c again to quit");
        state.quitting = Quitting::Asked;
        return vec![Effect::StopScan];
    }
    match state.quitting {
        Quitting::No => {
            state.quitting = Quitting::Asked;
            state.say(Level::Warning, "press Ctrl-c again to quit");
            Effects::new()
        }
        _ => leave(state, ExitReason::Interrupted),
    }
}

fn quit(state: &mut State) -> Effects {
    let marked = state.marks.selection.totals().objects;
    if state.quitting == Quitting::No && state.is_running() {
        state.quitting = Quitting::Asked;
        state.say(Level::Warning, "a run is going on; q again stops it after the batches in flight and quits");
        return Effects::new();
    }
    if state.quitting == Quitting::No && marked > 0 {
        state.quitting = Quitting::Asked;
        let marks = crate::app::number::objects(marked);
        state.say(Level::Warning, format!("{marks} marked; q again quits and forgets the marks"));
        return Effects::new();
    }
    leave(state, ExitReason::Quit)
}

fn perform(state: &mut State, action: Action) -> Effects {
    match action {
        Action::Help => {
            state.mode = Mode::Help(Help::default());
            Effects::new()
        }
        Action::Quit => quit(state),
        Action::Dismiss => dismiss(state),
        Action::ViewFolders => go_to_view(state, View::Folders),
        Action::ViewProjects => go_to_view(state, View::Projects),
        Action::ViewFindings => go_to_view(state, View::Findings),
        Action::ViewPlan => go_to_view(state, View::Plan),
        Action::ViewLog => go_to_view(state, View::Log),
        Action::ViewRuns => runs::show(state),
        Action::ViewRegistry => registry::show(state),
        Action::ShowProject => registry::show_project(state),
        Action::AcceptShrink => registry::ask_to_accept(state),
        Action::NextPane | Action::PreviousPane => {
            state.browse.pane = match state.browse.pane {
                Pane::Rows => Pane::Details,
                Pane::Details => Pane::Rows,
            };
            Effects::new()
        }
        Action::Refresh if state.browse.view == View::Runs => runs::read(state),
        Action::Refresh => jobs::refresh(state),
        Action::Compare => kept::compare(state),
        Action::Reverse => {
            state.browse.order.reverse = !state.browse.order.reverse;
            order_changed(state)
        }
        Action::Counts => toggle(&mut state.browse.columns.counts),
        Action::Bars => toggle(&mut state.browse.columns.bars),
        Action::Modified => toggle(&mut state.browse.columns.modified),
        Action::Units => toggle(&mut state.browse.columns.exact),
        Action::CopyKey | Action::CopyUri => copy(state, action == Action::CopyUri),
        Action::SortMenu | Action::GoTo | Action::Filter | Action::MarkPattern | Action::UnmarkPattern => {
            prompt::open(state, action)
        }
        Action::FilterLog | Action::EmptyTrash => prompt::open(state, action),
        Action::Mark
        | Action::Range
        | Action::MarkFolder
        | Action::MarkFinding
        | Action::Invert
        | Action::Unmark
        | Action::ClearMarks => bulk::mark(state, action),
        Action::OnlyFailures
        | Action::Export
        | Action::Verify
        | Action::Resume
        | Action::CloseRun
        | Action::RetryFailed
            if state.browse.view == View::Runs =>
        {
            runs::command(state, action)
        }
        Action::Stop if state.browse.view == View::Runs => runs::stop(state),
        Action::Stop if state.browse.view == View::Registry => registry::stop(state),
        Action::Verify => registry::check(state),
        Action::Restore => planning::restore_here(state),
        Action::Plan | Action::Confirm | Action::SwitchKind | Action::Export | Action::RetryFailed | Action::Resume => {
            planning::perform(state, action)
        }
        Action::Stop => running::stop(state),
        Action::Follow | Action::CopyLine => running::log_action(state, action),
        Action::NextFinding
        | Action::PreviousFinding
        | Action::NextProject
        | Action::PreviousProject
        | Action::NextMatch
        | Action::PreviousMatch
        | Action::Back => jump::perform(state, action),
        _ if state.browse.view == View::Log => running::move_in_log(state, action),
        _ if state.browse.view == View::Runs => runs::perform(state, action),
        _ if state.browse.view == View::Registry => registry::perform(state, action),
        _ => browse::perform(state, action),
    }
}

fn toggle(flag: &mut bool) -> Effects {
    *flag = !*flag;
    Effects::new()
}

fn go_to_view(state: &mut State, view: View) -> Effects {
    show(state, view);
    state.browse.pane = Pane::Rows;
    Effects::new()
}

/// Esc: the innermost thing that can be left; never the program.
fn dismiss(state: &mut State) -> Effects {
    if state.failure.take().is_some() {
        return Effects::new();
    }
    if state.marks.anchor.take().is_some() {
        state.say(Level::Info, "range left");
        return Effects::new();
    }
    if let Some(stopped) = stop_waiting(state) {
        return stopped;
    }
    if state.browse.pane == Pane::Details {
        state.browse.pane = Pane::Rows;
        return Effects::new();
    }
    match state.browse.view {
        View::Plan => show(state, View::Findings),
        View::Log if !state.log.filter().is_empty() => state.log.set_filter(""),
        View::Log | View::Runs | View::Registry => show(state, View::Folders),
        _ if state.filter.wanted.is_some() => return prompt::clear_filter(state),
        _ => {}
    }
    Effects::new()
}

/// Leaves what is worked at and not there yet: a search by a glob, or an order of rows.
fn stop_waiting(state: &mut State) -> Option<Effects> {
    if let Some(pattern) = state.marks.glob.take() {
        state.marks.glob_ticket = state.ticket();
        state.say(Level::Info, format!("stopped looking for {pattern}; no mark was changed"));
        return Some(vec![Effect::StopGlob]);
    }
    if !state.is_sorting() {
        return None;
    }
    state.browse.order = Order::default();
    let effects = order_changed(state);
    state.say(Level::Info, "stopped sorting; rows stand by name");
    Some(effects)
}

/// Orders everything anew after a change of the order.
pub(super) fn order_changed(state: &mut State) -> Effects {
    let mut effects = if state.is_sorting() { vec![Effect::StopSort] } else { Effects::new() };
    forget_orders(state);
    state.marks.anchor = None;
    let order = state.browse.order;
    state.say(Level::Info, format!("by {}, {}", order.by.name(), order.by.first(order.reverse)));
    effects.extend(jobs::gather(state));
    effects
}

fn copy(state: &mut State, uri: bool) -> Effects {
    let Some(key) = state.cursor().and_then(|node| state.key_of(&node)) else {
        state.say(Level::Info, "there is no key here to copy");
        return Effects::new();
    };
    let text = match uri {
        true => format!("s3://{}/{}", state.session.bucket, key.escaped()),
        false => key.escaped().to_string(),
    };
    state.say(Level::Info, format!("copied {text}"));
    vec![Effect::Copy(text)]
}
