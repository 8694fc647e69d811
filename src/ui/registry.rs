//! The registry: its sources with what each delivered, and every way in which it and the bucket disagree.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::details::Lines;
use super::text::{fit_middle, pad_left, pad_right, safe, wrap};
use super::theme::Look;
use super::{block, header, tree};
use crate::app::action::Action;
use crate::app::forest::Node;
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::registry::{DriftKind, claim_word};
use crate::app::state::{Audit, State};
use crate::domain::drift::{Absence, DriftReport};
use crate::domain::facts::{Owner, RegistryState, SourceReport};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let block = block(" Registry ".into(), state.browse.pane == Pane::Rows, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let cells = usize::from(inside.width);
    if state.registry().is_none() {
        draw_empty(frame, inside, &[waiting(state)], look);
        return;
    }
    let head: Vec<Line<'_>> = head(state, look)
        .into_iter()
        .map(|(text, style)| Line::from(Span::styled(super::text::fit_end(&text, cells, look.glyphs.cut), style)))
        .collect();
    let used = (head.len() as u16).min(inside.height);
    frame.render_widget(Paragraph::new(head), Rect { height: used, ..inside });
    let rows = Rect { y: inside.y + used, height: inside.height - used, ..inside };
    let window = state.window();
    match window.rows.is_empty() {
        true => draw_empty(frame, rows, &advice(state), look),
        false => tree::draw_rows(frame, rows, state, &window, look),
    }
}

fn waiting(state: &State) -> String {
    match &state.bucket.audit {
        Audit::Failed(failure) => safe(&failure.to_string()),
        Audit::Running => "the registry is read".into(),
        _ => "the registry is read when the whole bucket is listed".into(),
    }
}

/// What to do where there is no source to show.
fn advice(state: &State) -> Vec<String> {
    let mut texts = header::registry_problems(state);
    if matches!(state.registry().map(|report| &report.state), Some(RegistryState::Absent)) {
        texts.push("name one with --registry, BUCKETREE_REGISTRY or registry.source in the configuration".into());
    } else {
        texts.push("`bucketree doctor` checks it and says how to mend it".into());
    }
    texts
}

fn draw_empty(frame: &mut Frame<'_>, area: Rect, texts: &[String], look: &Look) {
    let cells = usize::from(area.width.saturating_sub(2));
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let style = if at == 0 { Style::new() } else { look.theme.dim };
        lines.extend(wrap(text, cells).into_iter().map(|part| Line::from(Span::styled(part, style))));
    }
    let down = area.height.saturating_sub(lines.len() as u16) / 3;
    let place = Rect { y: area.y + down, height: area.height - down, ..area };
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), place);
}

fn head(state: &State, look: &Look) -> Vec<(String, Style)> {
    let trusted = match state.registry().map(|report| &report.state) {
        Some(RegistryState::Usable) => (format!("{} every source can be trusted", look.glyphs.yes), look.theme.info),
        Some(RegistryState::Absent) => ("! no registry is configured".into(), look.theme.warning),
        Some(RegistryState::Unusable(reasons)) => {
            let why = reasons.first().map(|reason| safe(reason)).unwrap_or_default();
            (format!("! not trusted: {why}"), look.theme.error)
        }
        None => (String::new(), Style::new()),
    };
    vec![trusted, compared(state, look)]
}

fn compared(state: &State, look: &Look) -> (String, Style) {
    if let Some((done, all)) = state.registry_view.checking {
        let text = format!("asking the store: {} of {} keys; x stops", number::count(done), number::count(all));
        return (text, look.theme.info);
    }
    let Some(report) = &state.registry_view.report else {
        let text = if state.registry_view.comparing { "comparing registry and listing" } else { "not compared" };
        return (text.into(), look.theme.dim);
    };
    let kinds = DriftKind::ALL.into_iter().filter(|kind| kind.count(report) > 0);
    let part = |kind: DriftKind| {
        let count = kind.count(report);
        format!("{} {}", number::count(count as u64), kind.noun(count))
    };
    let parts: Vec<String> = kinds.map(part).collect();
    if let Some(why) = nothing_to_compare(state) {
        return (why.into(), look.theme.dim);
    }
    let both = number::objects(report.in_both);
    match parts.is_empty() {
        true => (format!("{} {both} tracked, and nothing disagrees", look.glyphs.yes), look.theme.info),
        false => (format!("! {both} tracked; {}", parts.join(", ")), look.theme.warning),
    }
}

/// Why a comparison would say nothing.
fn nothing_to_compare(state: &State) -> Option<&'static str> {
    match state.registry() {
        Some(report) if report.state != RegistryState::Usable => Some("what cannot be trusted is not compared"),
        Some(report) if report.sources.iter().all(|source| source.tracked.is_none()) => {
            Some("keys are not tracked, so there is nothing to compare")
        }
        _ => None,
    }
}

/// The text of a row in `cells` cells.
pub(super) fn line<'a>(state: &State, node: &Node, cells: usize, look: &Look) -> Line<'a> {
    let (left, right, style) = match node {
        Node::Source(at) => match state.registry().and_then(|report| report.sources.get(*at)) {
            Some(source) => {
                let tracked =
                    source.tracked.map_or("not tracked".into(), |count| format!("{} keys", number::count(count)));
                let noun = if source.projects == 1 { "project" } else { "projects" };
                let right = format!(" {} {noun}, {tracked}", number::count(source.projects));
                (safe(&source.name), right, look.theme.folder)
            }
            None => return Line::default(),
        },
        Node::Drift(kind) => {
            let count = state.registry_view.count(*kind);
            (format!("! {}", kind.noun(count)), number::count(count as u64), look.theme.warning)
        }
        Node::DriftKey(kind, at) => {
            let key = state.registry_view.key(*kind, *at).map(|key| key.escaped().to_string()).unwrap_or_default();
            let report = state.registry_view.report.as_deref();
            (key, report.map(|report| beside(report, *kind, *at as usize)).unwrap_or_default(), look.theme.object)
        }
        _ => return Line::default(),
    };
    let right = pad_left(&right, super::text::width(&right) + 1);
    let room = cells.saturating_sub(super::text::width(&right));
    let left = fit_middle(&left, room, look.glyphs.cut);
    Line::from(vec![Span::styled(pad_right(&left, room), style), Span::raw(right)])
}

/// What is worth knowing of a key at a glance.
fn beside(report: &DriftReport, kind: DriftKind, at: usize) -> String {
    let text = match kind {
        DriftKind::Untracked => report.untracked.get(at).map(|one| number::bytes(one.size)),
        DriftKind::Missing => report.missing.get(at).map(|one| proof(&one.proof).0.to_owned()),
        DriftKind::WrongSize => report
            .wrong_sizes
            .get(at)
            .map(|one| format!("{} not {}", number::bytes(one.actual), number::bytes(one.recorded))),
        DriftKind::Repeated => report.repeated.get(at).map(|one| format!("{} rows", number::count(one.rows))),
        DriftKind::DeadRow => report.dead_rows.get(at).map(|one| number::bytes(one.size)),
    };
    text.unwrap_or_default()
}

/// What is known of a missing key: in a word, and in a sentence.
fn proof(absence: &Absence) -> (&'static str, String) {
    match absence {
        Absence::NotAsked => {
            ("not proved", "the store was not asked for it: only a HEAD proves that it is missing".into())
        }
        Absence::Proved => ("proved", "the store was asked: there is no object".into()),
        Absence::ThereAfterAll => ("there", "the store was asked: there is an object after all".into()),
        Absence::Unproven(why) => ("not proved", format!("the store was asked and could not say: {}", safe(why))),
    }
}

/// All that is known of the row under the cursor.
pub(super) fn describe(lines: &mut Lines, state: &State, node: &Node, look: &Look) {
    match node {
        Node::Source(at) => {
            if let Some(source) = state.registry().and_then(|report| report.sources.get(*at)) {
                describe_source(lines, state, source, look);
            }
        }
        Node::Drift(kind) => {
            lines.text(kind.name(), look.theme.title);
            lines.text(kind.meaning(), look.theme.dim);
            lines.pair("keys", &number::count(state.registry_view.count(*kind) as u64), Style::new(), look);
            lines.push(Line::from(""));
            lines.text(kind.remedy(), Style::new());
            let key = state.keymap.key(state.browse_context(), Action::Verify);
            if let Some(key) = key.filter(|_| *kind == DriftKind::Missing) {
                lines.pair(&key.to_string(), "asks the store for each of them", look.theme.dim, look);
            }
        }
        Node::DriftKey(kind, at) => describe_key(lines, state, *kind, *at, look),
        _ => {}
    }
}

fn describe_source(lines: &mut Lines, state: &State, source: &SourceReport, look: &Look) {
    let plain = Style::new();
    lines.text(&safe(&source.name), look.theme.title);
    match state.registry().map(|report| &report.state) {
        Some(RegistryState::Unusable(reasons)) => {
            reasons
                .iter()
                .for_each(|reason| lines.pair("state", &format!("! {}", safe(reason)), look.theme.error, look));
            accepting(lines, state, look);
        }
        _ => lines.pair("state", &format!("{} read to its end, and trusted", look.glyphs.yes), look.theme.info, look),
    }
    lines.pair("projects", &format!("{} live", number::count(source.projects)), plain, look);
    let tracked = source.tracked.map_or("not tracked here".into(), number::count);
    lines.pair("keys", &tracked, plain, look);
    lines.pair("refers", &format!("{} references", number::count(source.references)), plain, look);
    let age = state.clock.map(|now| format!(", {} ago", number::seconds(now.seconds_since(source.read_at))));
    lines.pair("read", &format!("{}{}", source.read_at, age.unwrap_or_default()), plain, look);
    lines.pair("digest", &source.fingerprint, look.theme.dim, look);
}

/// The way out where smaller counts are why nothing is trusted.
pub(super) fn accepting(lines: &mut Lines, state: &State, look: &Look) {
    if state.bucket.accepts_shrink {
        lines.text("! smaller counts than last time are accepted by hand, for this listing", look.theme.warning);
        return;
    }
    if let Some(key) = state.keymap.key(state.browse_context(), Action::AcceptShrink) {
        let text = format!("{key} accepts counts that are smaller than last time, if that is why and it is right");
        lines.text(&text, look.theme.dim);
    }
}

fn describe_key(lines: &mut Lines, state: &State, kind: DriftKind, at: u32, look: &Look) {
    let plain = Style::new();
    let Some(report) = state.registry_view.report.as_deref() else { return };
    let Some(key) = kind.key(report, at as usize) else { return };
    lines.text(&key.escaped().to_string(), look.theme.title);
    lines.text(kind.meaning(), look.theme.dim);
    if let Some(project) = kind.project(report, at as usize) {
        lines.pair("project", &project.to_string(), plain, look);
    }
    match kind {
        DriftKind::Missing => {
            if let Some(missing) = report.missing.get(at as usize) {
                let owner = match &missing.claim.owner {
                    Owner::Live(project) => format!("of live project {project}"),
                    Owner::Dead(project) => format!("of project {project}, which the registry does not have"),
                    Owner::Unknown => "of an unknown owner".into(),
                };
                lines.pair("claimed", &format!("by a {} {owner}", claim_word(missing.claim.kind)), plain, look);
                lines.pair("proof", &proof(&missing.proof).1, plain, look);
            }
        }
        _ => lines.pair("", &beside(report, kind, at as usize), plain, look),
    }
    let enter = state.keymap.key(state.browse_context(), Action::Toggle);
    let project = state.keymap.key(state.browse_context(), Action::ShowProject);
    lines.push(Line::from(""));
    if let Some(enter) = enter.filter(|_| state.object_of(&Node::DriftKey(kind, at)).is_some()) {
        lines.pair(&enter.to_string(), "goes to the object", look.theme.dim, look);
    }
    if let Some(key) = project {
        lines.pair(&key.to_string(), "goes to its project", look.theme.dim, look);
    }
}
