//! Past runs: one line each, the open one with its keys, and all that is known of what is under the cursor.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::details::Lines;
use super::text::{fit_end, fit_middle, pad_left, pad_right, safe, wrap};
use super::theme::Look;
use super::{block, tree};
use crate::app::action::Action;
use crate::app::forest::Node;
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::runs::{OpenRun, PastRun, Standing, needs_a_look};
use crate::app::state::State;
use crate::domain::plan::PlanKind;
use crate::domain::progress::{LogLevel, Verification};
use crate::domain::{Outcome, PlanRow, Timestamp};

/// From this many cells on, a run has room for its whole time, the end of its id, and what the verification found.
const WIDE: usize = 80;

/// Cells that the widget takes before each row.
const SYMBOL: usize = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let block = block(title(state), state.browse.pane == Pane::Rows, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if state.runs.list.is_empty() {
        draw_empty(frame, inside, state, look);
        return;
    }
    let cells = usize::from(inside.width).saturating_sub(SYMBOL);
    let head = format!("{}{}", " ".repeat(SYMBOL), columns(["", "began", "run", "what", "ended", "keys"], cells));
    frame
        .render_widget(Line::from(Span::styled(head, look.theme.dim)), Rect { height: 1.min(inside.height), ..inside });
    let rows = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
    tree::draw_rows(frame, rows, state, &state.window(), look);
}

fn title(state: &State) -> String {
    let only = if state.runs.only_failures { "(only what needs a look) " } else { "" };
    match state.runs.reading {
        Some((_, 0)) => format!(" Runs {only}reading "),
        Some((read, all)) => {
            format!(" Runs {only}reading {} of {} ", number::count(read as u64), number::count(all as u64))
        }
        None if state.runs.list.is_empty() => " Runs ".into(),
        None => format!(" Runs {} {only}", number::count(state.runs.list.len() as u64)),
    }
}

fn draw_empty(frame: &mut Frame<'_>, inside: Rect, state: &State, look: &Look) {
    let texts: &[&str] = match state.runs.reading {
        Some(_) => &["the journals are read"],
        None => &[
            "nothing was done to this bucket yet",
            "",
            "mark objects, press d for a plan and D to confirm it; each run of a plan is then kept here with the outcome of \
             every key, to be verified, exported, restored, gone on with or retried",
        ],
    };
    let cells = usize::from(inside.width.saturating_sub(2));
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let style = if at == 0 { Style::new() } else { look.theme.dim };
        lines.extend(wrap(text, cells).into_iter().map(|part| Line::from(Span::styled(part, style))));
    }
    let down = inside.height.saturating_sub(lines.len() as u16) / 3;
    let place = Rect { y: inside.y + down, height: inside.height - down, ..inside };
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), place);
}

/// Sign, time, id, kind, end and count in their columns.
fn columns(texts: [&str; 6], cells: usize) -> String {
    let [sign, began, run, kind, end, keys] = texts;
    let wide = cells >= WIDE;
    let began = pad_right(began, if wide { 19 } else { 11 });
    let run = if wide { format!("{} ", pad_right(run, 8)) } else { String::new() };
    let keys = pad_left(keys, if wide { 9 } else { 7 });
    let head = format!("{} {began} {run}{} ", pad_right(sign, 1), pad_right(kind, 11));
    let room = cells.saturating_sub(super::text::width(&head) + super::text::width(&keys));
    format!("{head}{}{keys}", pad_right(&fit_end(end, room, ""), room))
}

/// The text of a row in `cells` cells.
pub(super) fn line<'a>(state: &State, node: &Node, cells: usize, look: &Look) -> Line<'a> {
    match node {
        Node::Run(run) => state.runs.get(run).map(|past| run_line(past, cells, look)).unwrap_or_default(),
        Node::Ends(run, outcome) => {
            let keys = state.runs.opened(run).map_or(0, |open| open.members(*outcome).len());
            let (word, style) = ending(*outcome, look);
            let sign = if needs_a_look(*outcome) { look.glyphs.failed } else { " " };
            let text = format!("{sign} {word}");
            let count = number::count(keys as u64);
            let room = cells.saturating_sub(super::text::width(&count));
            Line::from(vec![Span::styled(pad_right(&text, room), style), Span::raw(count)])
        }
        Node::RunKey(run, row) => match state.runs.opened(run).and_then(|open| open.row(*row)) {
            Some(row) => {
                let size = pad_left(&number::bytes(row.object.size), 9);
                let room = cells.saturating_sub(super::text::width(&size));
                let key = fit_middle(&named(row), room, look.glyphs.cut);
                Line::from(vec![Span::styled(pad_right(&key, room), look.theme.object), Span::raw(size)])
            }
            None => Line::default(),
        },
        _ => Line::default(),
    }
}

/// The key that a person knows the object by: of what was restored, not its place in the trash.
fn named(row: &PlanRow) -> String {
    row.destination.as_ref().unwrap_or(&row.object.key).escaped().to_string()
}

fn run_line<'a>(past: &PastRun, cells: usize, look: &Look) -> Line<'a> {
    let wide = cells >= WIDE;
    let began = past.started.map(|at| if wide { whole(at) } else { short(at) });
    let failures = match (past.failures(), wide) {
        (0, _) => String::new(),
        (count, true) => format!(", {} {}", look.glyphs.failed, number::count(count)),
        (count, false) => format!(" {}{}", look.glyphs.failed, number::count(count)),
    };
    let proof = if wide { format!(", {}", verification(past.verification.as_ref())) } else { String::new() };
    let text = columns(
        [
            sign(past, look),
            &began.unwrap_or_else(|| "unknown".into()),
            past.run.get(past.run.len().saturating_sub(8)..).unwrap_or_default(),
            past.kind.map_or("unknown", PlanKind::name),
            &format!("{}{failures}{proof}", past.standing.word()),
            &number::count(past.planned),
        ],
        cells,
    );
    Line::from(Span::styled(text, style(past, look)))
}

fn whole(at: Timestamp) -> String {
    format!("{} {}", number::day(at), number::time_of_day(at))
}

/// Month, day, hour and minute.
fn short(at: Timestamp) -> String {
    whole(at).get(5..16).unwrap_or_default().to_owned()
}

fn sign(past: &PastRun, look: &Look) -> &'static str {
    match past.standing {
        Standing::UnderWay(_) => look.glyphs.busy[0],
        _ if past.is_success() => look.glyphs.yes,
        _ => "!",
    }
}

fn style(past: &PastRun, look: &Look) -> Style {
    match past.standing {
        Standing::UnderWay(_) => look.theme.info,
        _ if past.is_success() => Style::new(),
        Standing::Unfinished => look.theme.error,
        _ => look.theme.warning,
    }
}

fn ending(outcome: Option<Outcome>, look: &Look) -> (&'static str, Style) {
    match outcome {
        None => ("no outcome", look.theme.error),
        Some(outcome) if outcome.is_failure() => (outcome.name(), look.theme.error),
        Some(outcome) if outcome.is_kept() => (outcome.name(), look.theme.warning),
        Some(outcome) => (outcome.name(), Style::new()),
    }
}

fn verification(verification: Option<&Verification>) -> String {
    match verification {
        None => "not verified".into(),
        Some(Verification::Passed) => "verified".into(),
        Some(Verification::StillThere(count)) => format!("NOT verified: {} still there", number::objects(*count)),
        Some(Verification::Inconclusive(why)) => format!("NOT verified: {}", safe(why)),
    }
}

/// All that is known of the row under the cursor.
pub(super) fn describe(lines: &mut Lines, state: &State, node: &Node, look: &Look) {
    match node {
        Node::RunKey(run, row) => {
            if let Some(open) = state.runs.opened(run) {
                describe_key(lines, open, *row, look);
            }
        }
        Node::Run(run) | Node::Ends(run, _) => {
            if let Some(past) = state.runs.get(run) {
                describe_run(lines, state, past, look);
            }
        }
        _ => {}
    }
}

fn describe_run(lines: &mut Lines, state: &State, past: &PastRun, look: &Look) {
    let plain = Style::new();
    lines.text(&format!("Run {}", past.run), look.theme.title);
    let what = past.kind.map_or("its plan cannot be read", PlanKind::action);
    lines.pair("what", &format!("{what}: {}", number::objects(past.planned)), plain, look);
    lines.pair("began", &past.started.map_or_else(|| "unknown".into(), |at| at.to_string()), plain, look);
    let why = match &past.standing {
        Standing::Stopped(why) | Standing::UnderWay(why) => format!(": {}", safe(why)),
        _ => String::new(),
    };
    lines.pair("ended", &format!("{}{why}", past.standing.word()), style(past, look), look);
    for (outcome, count) in past.outcomes.iter() {
        let (word, style) = ending(Some(outcome), look);
        lines.pair(
            if outcome == first(past) { "outcomes" } else { "" },
            &format!("{} {word}", number::count(count)),
            style,
            look,
        );
    }
    let open = past.planned.saturating_sub(past.outcomes.total());
    if open > 0 {
        lines.pair("", &format!("{} without an outcome", number::count(open)), look.theme.error, look);
    }
    let passed = past.verification == Some(Verification::Passed);
    let style = if passed { look.theme.info } else { look.theme.warning };
    lines.pair("proof", &verification(past.verification.as_ref()), style, look);
    if let Some(damage) = &past.damage {
        lines.pair("journal", &format!("! {}", safe(damage)), look.theme.error, look);
    }
    second_look(lines, state, past, look);
    possible(lines, state, past, look);
    match state.runs.opened(&past.run) {
        Some(open) => journal(lines, open, look),
        None if state.runs.opening.as_ref().is_some_and(|(run, _)| *run == past.run) => {
            lines.heading("its keys and its journal are read", look);
        }
        None => {}
    }
}

fn first(past: &PastRun) -> Outcome {
    past.outcomes.iter().next().map_or(Outcome::Unknown, |(outcome, _)| outcome)
}

/// What a second look found, or how far it is.
fn second_look(lines: &mut Lines, state: &State, past: &PastRun, look: &Look) {
    if let Some(proving) = state.runs.proving.as_ref().filter(|proving| proving.run == past.run) {
        let (done, all) = proving.done;
        let text = format!("looking again: {} of {}; x stops", number::count(done), number::objects(all));
        lines.pair("again", &text, look.theme.info, look);
    }
    let Some(proof) = state.runs.proofs.get(&past.run) else { return };
    let style = if proof.verification == Verification::Passed { look.theme.info } else { look.theme.error };
    let text = format!(
        "{} at {}: {} proved gone",
        verification(Some(&proof.verification)),
        proof.at,
        number::objects(proof.gone)
    );
    lines.pair("again", &text, style, look);
    for (keys, word) in [(&proof.still_there, "still there"), (&proof.recreated, "written since")] {
        for key in keys.iter().take(20) {
            lines.text(&format!("! {word}: {}", key.escaped()), look.theme.warning);
        }
        if keys.len() > 20 {
            lines.text(&format!("and {} more {word}", number::count((keys.len() - 20) as u64)), look.theme.warning);
        }
    }
}

/// What can be done about a run, in the order of its use, and what to say of it.
const OFFERS: [(Action, &str); 6] = [
    (Action::Resume, "goes on with it"),
    (Action::CloseRun, "closes it"),
    (Action::RetryFailed, "plans what failed again"),
    (Action::Restore, "plans to bring it back from the trash"),
    (Action::Verify, "proves again that what is gone is gone"),
    (Action::Export, "writes all of it to a sealed file"),
];

/// Whether it makes sense to do that to a run.
fn is_offered(past: &PastRun, action: Action) -> bool {
    let ended = !matches!(past.standing, Standing::Unfinished | Standing::UnderWay(_));
    match action {
        Action::Resume => past.can_go_on(),
        Action::CloseRun => past.standing == Standing::Unfinished,
        Action::RetryFailed => ended && past.failures() > 0,
        Action::Restore => past.outcomes.of(Outcome::Trashed) > 0,
        Action::Verify => past.outcomes.sum(Outcome::is_gone) > 0,
        _ => true,
    }
}

/// Whether it makes sense to do that in this view now.
pub(super) fn offers(state: &State, action: Action) -> bool {
    let past = match state.cursor() {
        Some(Node::Run(run) | Node::Ends(run, _) | Node::RunKey(run, _)) => state.runs.get(&run),
        _ => None,
    };
    match (action, past) {
        (Action::Help | Action::Quit | Action::EmptyTrash | Action::NextPane, _) => true,
        (_, None) => false,
        (action, Some(past)) => is_offered(past, action),
    }
}

fn possible(lines: &mut Lines, state: &State, past: &PastRun, look: &Look) {
    lines.push(Line::from(""));
    for (action, does) in OFFERS.into_iter().filter(|(action, _)| is_offered(past, *action)) {
        if let Some(key) = state.keymap.key(state.browse_context(), action) {
            lines.pair(&key.to_string(), does, look.theme.dim, look);
        }
    }
}

fn journal(lines: &mut Lines, open: &OpenRun, look: &Look) {
    lines.heading("Journal", look);
    for fact in &open.facts {
        let style = match fact.level {
            LogLevel::Info => Style::new(),
            LogLevel::Warning => look.theme.warning,
            LogLevel::Error => look.theme.error,
        };
        lines.pair(fact.at.get(11..19).unwrap_or_default(), &safe(&fact.text), style, look);
    }
    lines.push(Line::from(""));
    lines.pair("plan", &open.plan.header.id, look.theme.dim, look);
    lines.pair("digest", &open.plan.header.digest, look.theme.dim, look);
    lines.pair("kept in", &safe(&open.folder), look.theme.dim, look);
}

fn describe_key(lines: &mut Lines, open: &OpenRun, number: u32, look: &Look) {
    let Some(row) = open.row(number) else { return };
    let plain = Style::new();
    lines.text(&named(row), look.theme.title);
    let end = open.end(number);
    let (word, style) = ending(end.map(|(outcome, _)| *outcome), look);
    lines.pair("outcome", word, style, look);
    if let Some((_, Some(why))) = end {
        lines.pair("why", &safe(why), style, look);
    }
    let kind = open.plan.header.kind;
    if kind == PlanKind::Restore {
        lines.pair("was at", &row.object.key.escaped().to_string(), plain, look);
    } else if let Some(to) = row.destination(kind, &open.past.run) {
        lines.pair("moved to", &to.escaped().to_string(), plain, look);
    }
    lines.heading("As it was planned", look);
    if !kind.is_from_trash() {
        lines.pair("verdict", row.verdict.name(), look.theme.verdict(row.verdict), look);
    }
    let size = format!("{} ({} bytes)", number::bytes(row.object.size), number::count(row.object.size));
    lines.pair("size", &size, plain, look);
    if let Some(at) = row.object.last_modified {
        lines.pair("modified", &at.to_string(), plain, look);
    }
    lines.pair("etag", &safe(row.object.etag.as_str()), plain, look);
    lines.pair("because", &safe(&row.because), plain, look);
}
