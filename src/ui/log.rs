//! The log, and the run above it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::block;
use super::text::{fit_end, justify, safe};
use super::theme::Look;
use crate::app::number;
use crate::app::run::Run;
use crate::app::state::State;
use crate::domain::plan::PlanKind;
use crate::domain::progress::{LogLevel, LogLine};

/// Lines that the run takes above the log.
const RUN_LINES: u16 = 4;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let (all, shown) = state.log.counts();
    let filter = match state.log.filter() {
        "" => String::new(),
        text => format!("\"{}\" {} of {} ", safe(text), number::count(shown as u64), number::count(all as u64)),
    };
    let follow = if state.log.follows() { "following " } else { "" };
    let block = block(format!(" Log {filter}{follow}"), true, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let mut rest = inside;
    if let Some(run) = &state.run {
        let height = RUN_LINES.min(inside.height);
        draw_run(frame, Rect { height, ..inside }, state, run, look);
        rest = Rect { y: inside.y + height, height: inside.height - height, ..inside };
    }
    draw_lines(frame, rest, state, look, true);
}

/// The last lines, below other views.
pub(super) fn draw_tail(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let block = block(" Log ".into(), false, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    draw_lines(frame, inside, state, look, false);
}

fn draw_lines(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look, with_cursor: bool) {
    let (first, lines) = state.log.window(usize::from(area.height));
    if lines.is_empty() {
        let text = if state.log.counts().0 > 0 { "no line holds that text" } else { "nothing has happened yet" };
        frame.render_widget(Span::styled(text, look.theme.dim), area);
        return;
    }
    let cells = usize::from(area.width);
    let shown: Vec<Line<'_>> = (first..)
        .zip(lines)
        .map(|(at, line)| {
            let text = log_line(line, cells, look);
            if with_cursor && at == state.log.cursor() { text.patch_style(look.theme.cursor) } else { text }
        })
        .collect();
    frame.render_widget(Paragraph::new(shown), area);
}

fn log_line<'a>(line: &LogLine, cells: usize, look: &Look) -> Line<'a> {
    let (sign, style) = match line.level {
        LogLevel::Info => (" ", Style::new()),
        LogLevel::Warning => ("!", look.theme.warning),
        LogLevel::Error => (look.glyphs.failed, look.theme.error),
    };
    // The end of a UUIDv7 is what tells two runs apart; its beginning is the time, which the line has already.
    let run = line.run.get(line.run.len().saturating_sub(8)..).unwrap_or_default();
    let head = format!("{} {sign} {run} ", number::time_of_day(line.at));
    let room = cells.saturating_sub(super::text::width(&head));
    let text = fit_end(&safe(&line.text), room, look.glyphs.cut);
    Line::from(vec![Span::styled(head, look.theme.dim), Span::styled(text, style)])
}

fn draw_run(frame: &mut Frame<'_>, area: Rect, state: &State, run: &Run, look: &Look) {
    let cells = usize::from(area.width);
    let id = if run.id.is_empty() { "opening the journal" } else { run.id.as_str() };
    let what = match (run.has_ended(), run.stopping) {
        (true, _) => "ended",
        (false, true) => "stopping after the batches in flight",
        (false, false) => "running; x stops it",
    };
    let title = justify(
        vec![Span::styled(format!("run {id} "), look.theme.title)],
        vec![Span::styled(what, look.theme.dim)],
        cells,
        look.glyphs.cut,
    );
    let lines = vec![title, gauge(state, run, cells, look), counts(run, cells, look), ending(run, cells, look)];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Bar, share, rate, time left, requests in flight.
fn gauge<'a>(state: &State, run: &Run, cells: usize, look: &Look) -> Line<'a> {
    let (done, planned) = (run.counts.total(), run.planned());
    let mut right = format!(" {}/{}", number::count(done), number::count(planned));
    let rate = run.rate(state.now);
    right.push_str(&format!(" {}/s", number::count(rate.round() as u64)));
    if let Some(left) = run.seconds_left(state.now) {
        right.push_str(&format!(" {} left", number::seconds(left)));
    }
    if run.concurrency > 0 && !run.has_ended() {
        right.push_str(&format!(" x{}", run.concurrency));
    }
    let room = cells.saturating_sub(super::text::width(&right));
    let full = (room as u64 * done.min(planned)).checked_div(planned).map_or(room, |full| full as usize);
    Line::from(vec![
        Span::styled(look.glyphs.full.repeat(full), look.theme.gauge),
        Span::styled(look.glyphs.empty.repeat(room - full), look.theme.dim),
        Span::raw(right),
    ])
}

fn counts<'a>(run: &Run, cells: usize, look: &Look) -> Line<'a> {
    let mut spans = Vec::new();
    for (outcome, count) in run.counts.iter() {
        let style = if outcome.is_failure() { look.theme.error } else { Style::new() };
        spans.push(Span::styled(format!("{} {outcome}  ", number::count(count)), style));
    }
    let right = match run.verifying {
        Some((done, total)) if !run.has_ended() => {
            vec![Span::raw(format!("verifying {}/{}", number::count(done), number::count(total)))]
        }
        _ => vec![Span::raw(format!("{} {}", number::bytes(run.bytes_gone), what_became(run)))],
    };
    justify(spans, right, cells, look.glyphs.cut)
}

/// What became of the bytes that are no longer where they were.
fn what_became(run: &Run) -> &'static str {
    match run.plan.header.kind {
        PlanKind::Trash => "in the trash",
        PlanKind::Restore => "restored",
        PlanKind::Delete | PlanKind::EmptyTrash | PlanKind::Backfill | PlanKind::Prune => "gone",
    }
}

fn ending<'a>(run: &Run, cells: usize, look: &Look) -> Line<'a> {
    let Some(text) = run.verdict() else { return Line::from("") };
    let success = run.report.as_ref().is_some_and(|report| report.is_success());
    let (sign, style) = if success { (look.glyphs.yes, look.theme.info) } else { ("!", look.theme.error) };
    let retry = if run.problems.is_empty() { "" } else { "; f plans the failed ones again" };
    Line::from(Span::styled(fit_end(&format!("{sign} {}{retry}", safe(&text)), cells, look.glyphs.cut), style))
}
