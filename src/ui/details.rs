//! The pane on the right: what is under the cursor, each reading of it, and why it has its verdict.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{safe, wrap};
use super::theme::Look;
use super::{block, folder_details, header, plan, registry, row, runs};
use crate::app::forest::Node;
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::state::{State, View};
use crate::domain::facts::{Claim, ClaimKind, Owner};
use crate::domain::inventory::ObjectIndex;
use crate::domain::key::Escaped;
use crate::domain::trash::{Trashed, trashed};
use crate::domain::{Evidence, Flag, Object, Verdict};

/// Lines that are wrapped to a width.
pub(super) struct Lines {
    cells: usize,
    lines: Vec<Line<'static>>,
}

impl Lines {
    /// Nothing yet.
    pub(super) fn new(cells: usize) -> Self {
        Self { cells, lines: Vec::new() }
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str, look: &Look) {
        if !self.lines.is_empty() {
            self.lines.push(Line::from(""));
        }
        self.text(text, look.theme.title);
    }

    /// A text over as many lines as it takes.
    pub(super) fn text(&mut self, text: &str, style: Style) {
        for line in wrap(text, self.cells) {
            self.lines.push(Line::from(Span::styled(line, style)));
        }
    }

    /// A name and what it has, the second indented where it goes on.
    pub(super) fn pair(&mut self, name: &str, value: &str, style: Style, look: &Look) {
        let indent = 10;
        let room = self.cells.saturating_sub(indent).max(8);
        for (at, part) in wrap(value, room).into_iter().enumerate() {
            let label = if at == 0 { super::text::pad_right(name, indent - 1) + " " } else { " ".repeat(indent) };
            self.lines.push(Line::from(vec![Span::styled(label, look.theme.dim), Span::styled(part, style)]));
        }
    }

    /// Puts a finished line.
    pub(super) fn push(&mut self, line: Line<'static>) {
        self.lines.push(line);
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let active = state.browse.pane == Pane::Details;
    let title = if state.browse.view == View::Plan { " Plan " } else { " Details " };
    let block = block(title.into(), active, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let mut lines = Lines::new(usize::from(inside.width));
    describe(&mut lines, state, look);
    let height = usize::from(inside.height);
    let most = lines.lines.len().saturating_sub(height);
    let scroll = state.browse.details_scroll.min(most);
    let shown: Vec<Line<'_>> = lines.lines.iter().skip(scroll).take(height).cloned().collect();
    frame.render_widget(Paragraph::new(shown), inside);
    if most > scroll && inside.width > 4 {
        let more = format!(" {} more ", most - scroll);
        let width = super::text::width(&more) as u16;
        let place = Rect { x: area.right().saturating_sub(width + 1), y: area.bottom() - 1, width, height: 1 };
        frame.render_widget(Span::styled(more, look.theme.dim), place);
    }
}

fn describe(lines: &mut Lines, state: &State, look: &Look) {
    if state.browse.view == View::Plan {
        plan::refusals(lines, state, look);
    }
    match state.cursor() {
        Some(node @ (Node::Object(_) | Node::Member(..))) => object(lines, state, &node, look),
        Some(Node::Folder(prefix)) => folder_details::folder(lines, state, prefix.as_bytes(), look),
        Some(node @ (Node::Run(_) | Node::Ends(..) | Node::RunKey(..))) => runs::describe(lines, state, &node, look),
        Some(node @ (Node::Source(_) | Node::Drift(_) | Node::DriftKey(..))) => {
            registry::describe(lines, state, &node, look);
        }
        Some(Node::Group(id)) => folder_details::group(lines, state, &id, look),
        None => {}
    }
    match state.browse.view {
        View::Plan => return plan::summary(lines, state, look),
        View::Runs | View::Registry => return,
        _ => {}
    }
    let problems = header::registry_problems(state);
    if !problems.is_empty() {
        lines.heading("Registry", look);
        problems.iter().for_each(|problem| lines.text(problem, look.theme.warning));
        registry::accepting(lines, state, look);
    }
    if !state.marks.stale.is_empty() {
        stale(lines, state, look);
    }
}

fn stale(lines: &mut Lines, state: &State, look: &Look) {
    let stale = &state.marks.stale;
    lines.heading("Marks that were dropped", look);
    for (keys, why) in [(&stale.vanished, "vanished"), (&stale.changed, "changed")] {
        for key in keys.iter().take(20) {
            lines.text(&format!("! {why}: {}", key.escaped()), look.theme.warning);
        }
        if keys.len() > 20 {
            lines.text(&format!("and {} more {why}", keys.len() - 20), look.theme.warning);
        }
    }
}

fn object(lines: &mut Lines, state: &State, node: &Node, look: &Look) {
    let Some(key) = state.key_of(node) else { return };
    lines.text(&key.escaped().to_string(), look.theme.title);
    let object = state.object_of(node);
    let said = trashed(key.as_bytes()).filter(|_| state.browse.view != View::Plan);
    match &said {
        Some(said) => in_trash(lines, said, look),
        None => verdict(lines, state, node, look),
    }
    if let Some(problem) = state.run.as_ref().and_then(|run| run.problems.get(&key)) {
        let why = problem.why.as_deref().map_or(String::new(), |why| format!(": {}", safe(why)));
        let text = format!("{} {}{why}", look.glyphs.failed, problem.outcome);
        lines.pair("last run", &text, look.theme.error, look);
    }
    match (row::planned(state, node), object) {
        (Some(planned), _) => metadata(lines, state, &planned.object, look),
        (None, Some(object)) => metadata(lines, state, &state.bucket.inventory.object(object), look),
        (None, None) => {}
    }
    let marked = object.is_some_and(|object| state.marks.selection.is_marked(object));
    if marked {
        lines.pair("marked", &format!("{} yes", look.glyphs.marked), look.theme.mark, look);
    }
    if let Some(planned) = row::planned(state, node) {
        lines.heading("Why", look);
        lines.text(&safe(&planned.because), Style::new());
        return;
    }
    if said.is_some() {
        return;
    }
    match object.and_then(|object| state.evidence(object)) {
        Some(evidence) => why(lines, state, &evidence, look),
        None => lines.text("not judged yet: that needs the whole listing and the registry", look.theme.dim),
    }
    if let Some(object) = object {
        not_bulk(lines, state, object, look);
    }
}

/// What lies in the trash was judged when it went there; now it is only known where it came from.
fn in_trash(lines: &mut Lines, said: &Trashed, look: &Look) {
    let from = match &said.key {
        Some(key) => key.escaped().to_string(),
        None => "a key that is too long to stand here; the run's plan has it".into(),
    };
    lines.text("in the trash", look.theme.flag);
    lines.pair("was at", &from, Style::new(), look);
    lines.pair("moved by", &format!("run {}", said.run), Style::new(), look);
    lines.pair("z", "plans to bring back what that run moved", look.theme.dim, look);
}

fn verdict(lines: &mut Lines, state: &State, node: &Node, look: &Look) {
    let (verdict, flags) = row::judgement(state, node);
    let Some(verdict) = verdict else { return };
    let text = format!("{} {verdict}", look.glyphs.verdict(verdict));
    lines.pair("verdict", text.trim_start(), look.theme.verdict(verdict), look);
    let names: Vec<String> = flags
        .iter()
        .map(|flag| {
            let sign = match flag {
                Flag::DoublePrefixed => look.glyphs.double,
                Flag::Young => look.glyphs.young,
                Flag::Protected => look.glyphs.protected,
                _ => "",
            };
            format!("{sign} {flag}").trim_start().to_owned()
        })
        .collect();
    if !names.is_empty() {
        lines.pair("flags", &names.join(", "), look.theme.flag, look);
    }
}

fn metadata(lines: &mut Lines, state: &State, object: &Object, look: &Look) {
    let plain = Style::new();
    lines.pair("size", &format!("{} ({} bytes)", number::bytes(object.size), number::count(object.size)), plain, look);
    match object.last_modified {
        Some(at) => {
            let age = state.server_now().map(|now| format!(", {} ago", number::seconds(now.seconds_since(at))));
            lines.pair("modified", &format!("{at}{}", age.unwrap_or_default()), plain, look);
        }
        None => lines.pair("modified", "unknown", look.theme.warning, look),
    }
    let etag = if object.etag.is_empty() { "none".to_owned() } else { safe(object.etag.as_str()) };
    lines.pair("etag", &etag, plain, look);
    lines.pair("class", &safe(object.storage_class.as_str()), plain, look);
}

fn why(lines: &mut Lines, state: &State, evidence: &Evidence, look: &Look) {
    lines.heading("Why", look);
    lines.text(&safe(&evidence.because), Style::new());
    if let Some(age) = evidence.age_seconds {
        let least = number::seconds(state.session.min_age_seconds);
        lines.pair("age", &format!("{} (young below {least})", number::seconds(age)), Style::new(), look);
    }
    lines.heading(if evidence.readings.len() == 1 { "Reading" } else { "Readings" }, look);
    if evidence.readings.is_empty() {
        lines.text("no layout reads this key", look.theme.dim);
    }
    for (reading, live) in &evidence.readings {
        let (sign, word, style) = match live {
            true => (look.glyphs.yes, "live", look.theme.live),
            false => (look.glyphs.no, "not in the registry", look.theme.orphaned),
        };
        lines.text(&format!("{} ({})", reading.layout, reading.health.name()), look.theme.key);
        lines.pair("  project", &format!("{} {sign} {word}", reading.project), style, look);
        for (field, bytes) in &reading.fields {
            lines.pair(&format!("  {}", field.name()), &Escaped(bytes).to_string(), Style::new(), look);
        }
        if reading.prefixes > 1 {
            let text = format!("{} the id prefix stands {} times", look.glyphs.double, reading.prefixes);
            lines.pair("", &text, look.theme.flag, look);
        }
    }
    if !evidence.claims.is_empty() {
        lines.heading("In the registry", look);
        evidence.claims.iter().for_each(|one| claim(lines, one, look));
    }
    lines.heading("Asked", look);
    for source in &evidence.sources {
        lines.text(&safe(source), look.theme.dim);
    }
    if let Some(at) = evidence.judged_at {
        lines.text(&format!("age by the server's clock at {at}"), look.theme.dim);
    }
}

fn claim(lines: &mut Lines, claim: &Claim, look: &Look) {
    let kind = match claim.kind {
        ClaimKind::Row => "tracking row",
        ClaimKind::Reference => "reference",
    };
    let (owner, style) = match &claim.owner {
        Owner::Live(project) => (format!("of live project {project}"), look.theme.live),
        Owner::Dead(project) => {
            (format!("of project {project}, which the registry does not have"), look.theme.orphaned)
        }
        Owner::Unknown => ("of an unknown owner".to_owned(), look.theme.warning),
    };
    lines.text(&format!("{kind} {owner}"), style);
}

/// Why it is not marked in bulk, where that is not plain from its verdict.
fn not_bulk(lines: &mut Lines, state: &State, object: ObjectIndex, look: &Look) {
    use crate::app::marks::Reason;
    let text = match state.left_out(object) {
        Some(Reason::Young) => "too young to be marked together with others",
        Some(Reason::Protected) => "protected: it cannot be marked",
        Some(Reason::Unconfirmed) => "not seen like this for observe_days: not marked together with others",
        Some(Reason::Verdict(Verdict::Undetermined)) => "nothing can be said of it, so it is kept",
        _ => return,
    };
    lines.push(Line::from(""));
    lines.text(text, look.theme.warning);
}
