//! The last two lines: marks, filter, messages or the line that is typed; and the keys that matter here.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::runs;
use super::text::{fit_end, justify, safe, width, wrap};
use super::theme::Look;
use crate::app::action::Action;
use crate::app::confirm::Taking;
use crate::app::filter::Filter;
use crate::app::keymap::Context;
use crate::app::number;
use crate::app::state::{Ask, Level, Mode, State, View};
use crate::domain::plan::PlanKind;

pub(super) fn draw_status(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let cells = usize::from(area.width);
    let line = match &state.mode {
        Mode::Prompt { ask, input } => {
            let (before, after) = input.split();
            let under: String = after.chars().next().map_or(" ".into(), |c| safe(&c.to_string()));
            let rest: String = after.chars().skip(1).collect();
            let left = vec![
                Span::styled(question(*ask), look.theme.key),
                Span::raw(safe(before)),
                Span::styled(under, Style::new().add_modifier(Modifier::REVERSED)),
                Span::raw(safe(&rest)),
            ];
            justify(left, scope(state, look), cells, look.glyphs.cut)
        }
        _ => {
            let mut left = marks(state, look);
            if let Some(notice) = long_notice(state, cells, look) {
                frame.render_widget(Paragraph::new(notice), Rect { height: 2, ..area });
                return;
            }
            if let Some(notice) = &state.notice {
                left.push(Span::styled(safe(&notice.text), level(notice.level, look)));
                justify(left, Vec::new(), cells, look.glyphs.cut)
            } else {
                left.extend(run(state, look));
                justify(left, scope(state, look), cells, look.glyphs.cut)
            }
        }
    };
    frame.render_widget(line, area);
}

/// A message that is too long for its line, on two lines: the hints wait until it is read.
fn long_notice<'a>(state: &State, cells: usize, look: &Look) -> Option<Vec<Line<'a>>> {
    let notice = state.notice.as_ref().filter(|_| state.mode == Mode::Browse)?;
    let beside: usize = marks(state, look).iter().map(|span| width(&span.content)).sum();
    let text = safe(&notice.text);
    if beside + width(&text) <= cells {
        return None;
    }
    let mut parts = wrap(&text, cells.saturating_sub(2)).into_iter();
    let first = parts.next().unwrap_or_default();
    let second = fit_end(&parts.collect::<Vec<_>>().join(" "), cells.saturating_sub(2), look.glyphs.cut);
    let line = |part: String| Line::from(Span::styled(format!(" {part}"), level(notice.level, look)));
    Some(vec![line(first), line(second)])
}

fn level(level: Level, look: &Look) -> Style {
    match level {
        Level::Info => look.theme.info,
        Level::Warning => look.theme.warning,
        Level::Error => look.theme.error,
    }
}

fn question(ask: Ask) -> &'static str {
    match ask {
        Ask::Filter => " filter /",
        Ask::GoTo => " go to: ",
        Ask::MarkPattern => " mark glob: ",
        Ask::UnmarkPattern => " unmark glob: ",
        Ask::LogFilter => " log lines with: ",
        Ask::AcceptShrink => " fewer than last time; type accept if that is right: ",
        Ask::EmptyTrash => " plan to empty the trash of what has been there for: ",
    }
}

fn marks<'a>(state: &State, look: &Look) -> Vec<Span<'a>> {
    let totals = state.marks.selection.totals();
    let text = match totals.objects {
        0 => " nothing marked  ".to_owned(),
        count => format!(" {} {} marked, {}  ", look.glyphs.marked, number::count(count), number::bytes(totals.bytes)),
    };
    let style = if totals.objects == 0 { look.theme.dim } else { look.theme.mark };
    let mut spans = vec![Span::styled(text, style)];
    let stale = state.marks.stale.vanished.len() + state.marks.stale.changed.len();
    if stale > 0 {
        spans.push(Span::styled(format!("! {stale} marks dropped  "), look.theme.warning));
    }
    spans
}

/// How much of how much the filter lets through.
fn scope<'a>(state: &State, look: &Look) -> Vec<Span<'a>> {
    let is_filtering = matches!(state.mode, Mode::Prompt { ask: Ask::Filter, .. });
    if let (true, Some(error)) = (is_filtering, &state.filter.error) {
        return vec![Span::styled(format!("! {} ", safe(error)), look.theme.error)];
    }
    let busy = look.glyphs.busy[(state.now.as_millis() / 200) as usize % look.glyphs.busy.len()];
    if let Some(pattern) = &state.marks.glob {
        let text = format!("{busy} looking for {}, Esc stops ", safe(pattern));
        return vec![Span::styled(text, look.theme.info)];
    }
    let loaded = state.bucket.inventory.alive();
    let Some(matches) = &state.filter.matches else {
        let text = match state.filter.pending {
            true => format!("{busy} filtering, Esc stops"),
            false => format!("all of {} loaded", number::count(loaded)),
        };
        let is_told = is_filtering || state.filter.pending;
        return if is_told { vec![Span::styled(format!("{text} "), look.theme.dim)] } else { Vec::new() };
    };
    let found = crate::domain::folders::KeySpace::totals(&matches.subset, 0..u32::MAX).objects;
    let busy = if state.filter.pending { busy } else { "" };
    let text = state.filter.wanted.as_ref().map_or("", Filter::text);
    let shown = if is_filtering { String::new() } else { format!("/{} ", safe(text)) };
    let text = format!("{shown}{} of {} loaded {busy}", number::count(found), number::count(loaded));
    vec![Span::styled(text, look.theme.key)]
}

fn run<'a>(state: &State, look: &Look) -> Vec<Span<'a>> {
    let Some(run) = state.run.as_ref().filter(|_| state.is_running() && state.browse.view != View::Log) else {
        return Vec::new();
    };
    let percent = (run.counts.total() * 100).checked_div(run.planned()).unwrap_or(100);
    let left = run.seconds_left(state.now).map(|left| format!(", {} left", number::seconds(left))).unwrap_or_default();
    vec![Span::styled(format!("run {percent} %{left} "), look.theme.info)]
}

/// The actions that are worth a hint, the most useful first.
fn hints(context: Context, view: View, run_has_problems: bool, is_running: bool) -> &'static [Action] {
    match context {
        Context::Tree if view == View::Folders => &[
            Action::Help,
            Action::Mark,
            Action::MarkFinding,
            Action::Plan,
            Action::Filter,
            Action::NextFinding,
            Action::ViewFindings,
            Action::Open,
            Action::SortMenu,
            Action::NextPane,
            Action::Quit,
        ],
        Context::Tree => &[
            Action::Help,
            Action::Open,
            Action::MarkFinding,
            Action::Mark,
            Action::Plan,
            Action::Filter,
            Action::NextFinding,
            Action::SortMenu,
            Action::NextPane,
            Action::Quit,
        ],
        Context::Plan => &[
            Action::Help,
            Action::Confirm,
            Action::SwitchKind,
            Action::Export,
            Action::Unmark,
            Action::NextPane,
            Action::ViewLog,
            Action::Quit,
        ],
        Context::Runs => &[
            Action::Help,
            Action::Open,
            Action::OnlyFailures,
            Action::Verify,
            Action::Export,
            Action::Restore,
            Action::RetryFailed,
            Action::Resume,
            Action::CloseRun,
            Action::EmptyTrash,
            Action::NextPane,
            Action::Quit,
        ],
        Context::Registry => &[
            Action::Help,
            Action::Open,
            Action::ShowProject,
            Action::Verify,
            Action::AcceptShrink,
            Action::CopyKey,
            Action::NextPane,
            Action::ViewFolders,
            Action::Quit,
        ],
        Context::Log if run_has_problems => {
            &[Action::Help, Action::RetryFailed, Action::FilterLog, Action::CopyLine, Action::Follow, Action::Quit]
        }
        Context::Log if !is_running => {
            &[Action::Help, Action::ViewFolders, Action::FilterLog, Action::CopyLine, Action::Follow, Action::Quit]
        }
        Context::Log => {
            &[Action::Help, Action::Stop, Action::FilterLog, Action::CopyLine, Action::Follow, Action::Quit]
        }
        _ => &[],
    }
}

/// Words for keys of modes that have no hint of their own.
fn mode_hints(context: Context, kind: PlanKind) -> &'static [(Action, &'static str)] {
    match context {
        Context::Prompt => &[(Action::Submit, "accept"), (Action::Dismiss, "leave"), (Action::EraseAll, "erase")],
        Context::Confirm => match kind {
            PlanKind::Trash => {
                &[(Action::Dismiss, "leave"), (Action::Submit, "move to the trash, once the text is right")]
            }
            PlanKind::Restore => &[(Action::Dismiss, "leave"), (Action::Submit, "restore, once the text is right")],
            PlanKind::Delete | PlanKind::EmptyTrash => {
                &[(Action::Dismiss, "leave"), (Action::Submit, "delete for good, once the text is right")]
            }
            PlanKind::Backfill => &[(Action::Dismiss, "leave"), (Action::Submit, "record, once the text is right")],
            PlanKind::Prune => {
                &[(Action::Dismiss, "leave"), (Action::Submit, "remove the rows, once the text is right")]
            }
        },
        Context::Help => &[(Action::Dismiss, "leave"), (Action::Down, "down"), (Action::EraseAll, "erase the search")],
        Context::Menu => &[(Action::Submit, "choose"), (Action::Down, "down"), (Action::Dismiss, "leave")],
        _ => &[],
    }
}

/// Whether a hint is worth its room now.
fn applies(state: &State, action: Action) -> bool {
    match (state.browse.view, action) {
        (View::Plan, Action::SwitchKind | Action::Unmark) => !state.plan_is_from_trash(),
        (View::Runs, action) => runs::offers(state, action),
        (_, Action::AcceptShrink) => state.may_be_shrunken(),
        _ => true,
    }
}

pub(super) fn draw_footer(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    if long_notice(state, usize::from(area.width), look).is_some() {
        return;
    }
    let context = state.context();
    let run_ended_badly = state.run.as_ref().is_some_and(|run| run.has_ended() && !run.problems.is_empty());
    let kind = match &state.mode {
        Mode::Confirm(confirmation) => confirmation.plan().header.kind,
        _ => PlanKind::default(),
    };
    let closes = matches!(&state.mode, Mode::Confirm(one) if matches!(one.taking(), Taking::Close(_)));
    let words: Vec<(Action, &str)> = match mode_hints(context, kind) {
        _ if matches!(state.mode, Mode::Changes(_)) => {
            vec![(Action::Down, "down"), (Action::PageDown, "further down"), (Action::Dismiss, "leave")]
        }
        _ if closes => vec![(Action::Dismiss, "leave"), (Action::Submit, "close the run, once the text is right")],
        [] => hints(context, state.browse.view, run_ended_badly, state.is_running())
            .iter()
            .filter(|action| applies(state, **action))
            .map(|action| (*action, action.hint()))
            .collect(),
        words => words.to_vec(),
    };
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (action, word) in words {
        let Some(key) = state.keymap.key(context, action) else { continue };
        let key = key.to_string();
        let cells = width(&key) + width(word) + 3;
        if used + cells > usize::from(area.width) {
            continue;
        }
        used += cells;
        spans.push(Span::styled(key, look.theme.key));
        spans.push(Span::styled(format!(" {word}  "), look.theme.dim));
    }
    frame.render_widget(Line::from(spans), area);
}
