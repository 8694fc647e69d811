//! The first two lines: where we are, how far the listing is, which view, what the registry said.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{justify, safe};
use super::theme::Look;
use crate::app::number;
use crate::app::state::{Audit, ROOMY, Scan, State, View};
use crate::domain::capabilities::Atomicity;
use crate::domain::facts::RegistryState;
use crate::domain::folders::KeySpace;

/// Profile, endpoint, bucket; listing.
pub(super) fn draw_header(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let session = &state.session;
    let dot = Span::styled(format!(" {} ", look.glyphs.dot), look.theme.dim);
    let mut left = vec![
        Span::styled(" bucketree ", look.theme.title),
        Span::raw(safe(&session.profile)),
        dot.clone(),
        Span::raw(safe(&session.host)),
        dot.clone(),
        Span::styled(safe(&session.bucket), look.theme.title),
    ];
    // What was not measured is said where it matters: in the plan and its confirmation.
    match session.deletes {
        Atomicity::Unmeasured => {}
        Atomicity::Proved { .. } => left.extend([dot.clone(), Span::styled("atomic", look.theme.info)]),
        _ => left.extend([dot.clone(), Span::styled("not atomic", look.theme.warning)]),
    }
    let cells = usize::from(area.width);
    frame.render_widget(justify(left, scan(state, area.width >= ROOMY, look), cells, look.glyphs.cut), area);
}

fn scan<'a>(state: &State, roomy: bool, look: &Look) -> Vec<Span<'a>> {
    let (theme, glyphs) = (&look.theme, &look.glyphs);
    let inventory = &state.bucket.inventory;
    let totals = KeySpace::totals(inventory, 0..inventory.len());
    let size = format!("{} {}", number::objects(totals.objects), number::bytes(totals.bytes));
    let asked = |requests: u64| format!(", {}", number::requests(requests));
    let kept = state.kept_age();
    match (&state.bucket.scan, &kept) {
        (Scan::Waiting | Scan::Complete(_), Some(age)) => {
            vec![Span::styled(format!("{age}: {size} "), theme.warning)]
        }
        (Scan::Incomplete(_), Some(age)) => {
            vec![Span::styled(format!("! not listed anew: {age}, {size} "), theme.error)]
        }
        (Scan::Waiting, None) => vec![Span::styled("not listed yet ", theme.dim)],
        (Scan::Running { since, objects, requests }, _) => {
            let elapsed = state.now.saturating_sub(*since);
            let rate = if elapsed.as_millis() < 200 { 0.0 } else { *objects as f64 / elapsed.as_secs_f64() };
            let busy = glyphs.busy[(state.now.as_millis() / 200) as usize % glyphs.busy.len()];
            let again = if state.bucket.incoming.is_some() { "listing again" } else { "listing" };
            let again = kept.as_ref().map_or(again.to_owned(), |age| format!("{age}, {again}"));
            // Where there is no room for both, what is done and what it takes says more than how fast that is.
            let rate = if roomy { format!(", {}/s", number::count(rate as u64)) } else { String::new() };
            let text = format!("{busy} {again}: {}{}{rate} ", number::objects(*objects), asked(*requests));
            vec![Span::styled(text, theme.info)]
        }
        (Scan::Complete(report), None) => {
            let asked = if roomy { asked(report.requests) } else { String::new() };
            vec![Span::styled(format!("{} {size}{asked} ", glyphs.yes), theme.info)]
        }
        (Scan::Incomplete(_), None) => vec![Span::styled(format!("! incomplete: {size} "), theme.error)],
    }
}

/// The views, and the state of the registry.
pub(super) fn draw_tabs(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let mut left = Vec::new();
    for (view, text) in View::tabs(area.width) {
        let style = if view == state.browse.view { look.theme.tab } else { look.theme.dim };
        left.push(Span::styled(text, style));
    }
    let cells = usize::from(area.width);
    frame.render_widget(justify(left, registry(state, area.width >= ROOMY, look), cells, look.glyphs.cut), area);
}

fn registry<'a>(state: &State, roomy: bool, look: &Look) -> Vec<Span<'a>> {
    let (text, style): (String, _) = match (&state.bucket.audit, state.registry()) {
        (Audit::Waiting, _) if state.session.registries.is_empty() => ("! no registry".into(), look.theme.warning),
        (Audit::Waiting, _) if roomy => ("registry not read yet".into(), look.theme.dim),
        (Audit::Waiting, _) => ("not read yet".into(), look.theme.dim),
        (Audit::Running, _) => ("judging".into(), look.theme.info),
        (Audit::Failed(_), _) => ("! judging failed".into(), look.theme.error),
        (Audit::Done, Some(report)) => match &report.state {
            RegistryState::Absent => ("! no registry".into(), look.theme.warning),
            RegistryState::Unusable(_) if roomy => ("! registry unusable".into(), look.theme.error),
            RegistryState::Unusable(_) => ("! unusable".into(), look.theme.error),
            RegistryState::Usable => {
                let projects: u64 = report.sources.iter().map(|source| source.projects).sum();
                let noun = match (roomy, projects) {
                    (false, _) => "",
                    (true, 1) => " project",
                    (true, _) => " projects",
                };
                (format!("{} {}{noun} live", look.glyphs.yes, number::count(projects)), look.theme.info)
            }
        },
        (Audit::Done, None) => (String::new(), look.theme.dim),
    };
    vec![Span::styled(format!("{text} "), style)]
}

/// Why verdicts cannot be given, line by line; empty if they can.
pub(super) fn registry_problems(state: &State) -> Vec<String> {
    match state.registry().map(|report| &report.state) {
        Some(RegistryState::Absent) => {
            vec![
                "no registry is configured, so nobody can say which projects live: no object is called an orphan"
                    .into(),
            ]
        }
        Some(RegistryState::Unusable(reasons)) => {
            let intro = "the registry cannot be trusted, so no object is called an orphan".to_owned();
            std::iter::once(intro).chain(reasons.iter().map(|reason| safe(reason))).collect()
        }
        _ => Vec::new(),
    }
}

/// One line for each thing that is missing, for the empty pane.
pub(super) fn empty_lines<'a>(state: &State, look: &Look) -> Vec<Line<'a>> {
    let text = |text: &str| vec![Line::from(text.to_owned())];
    if state.filter.matches.is_some() {
        return text("nothing matches the filter; Esc clears it");
    }
    match (&state.bucket.scan, state.browse.view) {
        (Scan::Waiting | Scan::Running { .. }, View::Folders) => text("listing: the first page is on its way"),
        (Scan::Incomplete(failure), View::Folders) => vec![
            Line::from(Span::styled(format!("cannot {}", safe(&failure.what)), look.theme.error)),
            Line::from(safe(&failure.why)),
            Line::from(Span::styled(safe(&failure.hint), look.theme.info)),
            Line::from(""),
            Line::from("r lists again"),
        ],
        (Scan::Complete(_), View::Folders) => text("the bucket is empty"),
        _ => match &state.bucket.audit {
            Audit::Done => text("nothing to show here"),
            Audit::Failed(failure) => vec![Line::from(Span::styled(safe(&failure.to_string()), look.theme.error))],
            _ => text("nothing is judged before the whole bucket is listed"),
        },
    }
}
