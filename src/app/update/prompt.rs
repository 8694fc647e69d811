//! Lines of text, menus and the help.

use super::{Effects, jump, keys, planning, registry};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::filter::{Filter, Matches};
use crate::app::help;
use crate::app::input::Input;
use crate::app::order::By;
use crate::app::state::{Ask, Audit, Level, Mode, State};
use crate::app::stroke::Stroke;

/// How long objects have lain in the trash that is emptied, unless somebody says otherwise.
const LAIN: &str = "30d";

pub(super) fn open(state: &mut State, action: Action) -> Effects {
    state.mode = match action {
        Action::SortMenu => Mode::SortMenu(state.browse.order.by),
        Action::Filter => {
            let text = state.filter.wanted.as_ref().map_or("", Filter::text);
            Mode::Prompt { ask: Ask::Filter, input: Input::new(text) }
        }
        Action::FilterLog => Mode::Prompt { ask: Ask::LogFilter, input: Input::new(state.log.filter()) },
        Action::EmptyTrash => Mode::Prompt { ask: Ask::EmptyTrash, input: Input::new(LAIN) },
        Action::MarkPattern => Mode::Prompt { ask: Ask::MarkPattern, input: Input::default() },
        Action::UnmarkPattern => Mode::Prompt { ask: Ask::UnmarkPattern, input: Input::default() },
        _ => Mode::Prompt { ask: Ask::GoTo, input: Input::default() },
    };
    Effects::new()
}

/// Leaves whatever is open.
pub(super) fn dismiss(state: &mut State) -> Effects {
    let mode = std::mem::take(&mut state.mode);
    match mode {
        Mode::Prompt { ask: Ask::Filter, .. } => return clear_filter(state),
        Mode::Prompt { ask: Ask::LogFilter, .. } => state.log.set_filter(""),
        Mode::Confirm(_) => state.say(Level::Info, "not confirmed; nothing was deleted"),
        _ => {}
    }
    Effects::new()
}

pub(super) fn prompt_key(state: &mut State, action: Option<Action>, stroke: Stroke) -> Effects {
    let Mode::Prompt { ask, input } = &mut state.mode else { return Effects::new() };
    let ask = *ask;
    match action {
        Some(Action::Dismiss) => return dismiss(state),
        Some(Action::Submit) => return submit(state),
        // Matches can be walked over while the filter is typed.
        Some(move_action @ (Action::Down | Action::Up)) if ask == Ask::Filter => {
            return super::browse::perform(state, move_action);
        }
        Some(action) => {
            input.edit(action);
        }
        None => {
            if let Some(c) = stroke.typed() {
                input.insert(c);
            }
        }
    }
    changed(state)
}

pub(super) fn paste(state: &mut State, text: &str) -> Effects {
    match &mut state.mode {
        Mode::Prompt { input, .. } => {
            input.paste(text);
            changed(state)
        }
        Mode::Help(help) => {
            help.search.paste(text);
            help.scroll = 0;
            Effects::new()
        }
        Mode::Confirm(confirmation) => {
            confirmation.refuse_paste();
            Effects::new()
        }
        // A pasted text is not a series of commands.
        Mode::Browse | Mode::SortMenu(_) | Mode::Changes(_) => {
            state.say(Level::Info, "nothing to paste into; : goes to a key");
            Effects::new()
        }
    }
}

fn changed(state: &mut State) -> Effects {
    let Mode::Prompt { ask, input } = &state.mode else { return Effects::new() };
    let text = input.text().to_owned();
    match ask {
        Ask::Filter => set_filter(state, &text),
        Ask::LogFilter => {
            state.log.set_filter(&text);
            Effects::new()
        }
        _ => Effects::new(),
    }
}

fn submit(state: &mut State) -> Effects {
    let Mode::Prompt { ask, input } = std::mem::take(&mut state.mode) else { return Effects::new() };
    let text = input.text();
    match ask {
        Ask::Filter => {
            if let Some(error) = state.filter.error.take() {
                state.say(Level::Error, error);
            }
            Effects::new()
        }
        Ask::LogFilter => Effects::new(),
        Ask::GoTo => {
            if !text.trim().is_empty() {
                jump::go_to(state, text);
            }
            Effects::new()
        }
        Ask::EmptyTrash => planning::empty_trash(state, text),
        Ask::AcceptShrink => registry::accept(state, text.trim()),
        Ask::MarkPattern | Ask::UnmarkPattern if text.is_empty() => Effects::new(),
        Ask::MarkPattern | Ask::UnmarkPattern => {
            let ticket = state.ticket();
            state.marks.glob_ticket = ticket;
            state.marks.glob = Some(text.to_owned());
            vec![Effect::MatchGlob { ticket, pattern: text.to_owned(), mark: ask == Ask::MarkPattern }]
        }
    }
}

fn set_filter(state: &mut State, text: &str) -> Effects {
    match Filter::parse(text) {
        Err(error) => {
            state.filter.error = Some(error);
            Effects::new()
        }
        Ok(filter) if filter.is_empty() => clear_filter(state),
        Ok(filter) => {
            state.filter.error = None;
            if filter.needs_verdicts() && state.bucket.audit != Audit::Done {
                state.filter.error = Some("nothing is judged yet, so nothing matches".into());
            }
            state.filter.wanted = Some(filter);
            refilter(state)
        }
    }
}

/// Asks for the matches of the filter that is set. The old ones stay on the screen until the new ones are there.
pub(super) fn refilter(state: &mut State) -> Effects {
    let Some(filter) = state.filter.wanted.clone() else { return Effects::new() };
    let ticket = state.ticket();
    state.filter.ticket = ticket;
    state.filter.pending = true;
    vec![Effect::Filter { ticket, filter }]
}

/// While the listing grows, so do the matches.
pub(super) fn refilter_growing(state: &mut State) -> Effects {
    let looked_at = state.filter.matches.as_ref().map_or(0, |matches| matches.of);
    let grown = state.bucket.incoming.is_none() && state.bucket.inventory.alive() > looked_at;
    match state.is_scanning() && grown && !state.filter.pending {
        true => refilter(state),
        false => Effects::new(),
    }
}

pub(super) fn filtered(state: &mut State, matches: Box<Matches>) -> Effects {
    state.filter.pending = false;
    let before = state.filter.matches.replace(matches);
    state.discard(before);
    forget_gone(state);
    state.marks.extents.clear();
    super::forget_orders(state);
    Effects::new()
}

/// What went while the matches were looked for is none of them any more.
fn forget_gone(state: &mut State) {
    let Some(matches) = state.filter.matches.as_mut().filter(|_| state.run.is_some()) else { return };
    let inventory = &state.bucket.inventory;
    let gone: Vec<_> = matches.subset.members().iter().copied().filter(|object| inventory.is_gone(*object)).collect();
    matches.subset.forget(&gone);
}

/// Shows everything again. The cursor stays on its key.
pub(super) fn clear_filter(state: &mut State) -> Effects {
    state.filter.wanted = None;
    let matches = state.filter.matches.take();
    state.discard(matches);
    state.filter.error = None;
    state.filter.ticket = state.ticket();
    state.marks.extents.clear();
    super::forget_orders(state);
    match std::mem::take(&mut state.filter.pending) {
        true => vec![Effect::StopFilter],
        false => Effects::new(),
    }
}

pub(super) fn menu_key(state: &mut State, action: Option<Action>) -> Effects {
    let Mode::SortMenu(by) = &mut state.mode else { return Effects::new() };
    let at = By::ALL.iter().position(|known| known == by).unwrap_or(0);
    match action {
        Some(Action::Down) => *by = By::ALL[(at + 1) % By::ALL.len()],
        Some(Action::Up) => *by = By::ALL[(at + By::ALL.len() - 1) % By::ALL.len()],
        Some(Action::Submit) => {
            state.browse.order.by = *by;
            state.browse.order.reverse = false;
            state.mode = Mode::Browse;
            return keys::order_changed(state);
        }
        Some(Action::Dismiss) => state.mode = Mode::Browse,
        _ => {}
    }
    Effects::new()
}

pub(super) fn help_key(state: &mut State, action: Option<Action>, stroke: Stroke) -> Effects {
    let context = state.browse_context();
    let Mode::Help(help) = &mut state.mode else { return Effects::new() };
    let last = help::lines(&state.keymap, context, help.search.text()).len().saturating_sub(1);
    let page = usize::from(state.size.1 / 2);
    match action {
        Some(Action::Dismiss) => state.mode = Mode::Browse,
        Some(Action::Down) => help.scroll = (help.scroll + 1).min(last),
        Some(Action::Up) => help.scroll = help.scroll.saturating_sub(1),
        Some(Action::PageDown) => help.scroll = (help.scroll + page).min(last),
        Some(Action::PageUp) => help.scroll = help.scroll.saturating_sub(page),
        Some(action) => {
            help.search.edit(action);
            help.scroll = 0;
        }
        None => match stroke.typed() {
            // The key that opens the help closes it as long as nothing is searched for.
            Some('?' | 'q') if help.search.text().is_empty() => state.mode = Mode::Browse,
            Some(c) => {
                help.search.insert(c);
                help.scroll = 0;
            }
            None => {}
        },
    }
    Effects::new()
}
