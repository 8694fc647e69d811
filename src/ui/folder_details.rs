//! Details of a folder and of a group: counts, bytes, verdicts.

use ratatui::style::Style;

use super::details::Lines;
use super::theme::Look;
use crate::app::action::Action;
use crate::app::groups::{Finding, GroupId};
use crate::app::number;
use crate::app::state::State;
use crate::domain::key::Escaped;
use crate::domain::selection::Extent;
use crate::domain::trash::{began, is_in_trash, run_of};
use crate::domain::{Flag, Verdict};

pub(super) fn folder(lines: &mut Lines, state: &State, prefix: &[u8], look: &Look) {
    lines.text(&Escaped(prefix).to_string(), look.theme.title);
    trash_place(lines, state, prefix, look);
    let space = state.space();
    let range = space.range(prefix);
    let totals = space.totals(range.clone());
    let plain = Style::new();
    lines.pair("objects", &number::count(totals.objects), plain, look);
    lines.pair("size", &size(totals.bytes, state), plain, look);
    if let Some(newest) = totals.newest {
        lines.pair("newest", &newest.to_string(), plain, look);
    }
    match state.marks.selection.extent_in(space, range) {
        Extent::None => {}
        Extent::Some => lines.pair("marked", &format!("{} partly", look.glyphs.partly), look.theme.mark, look),
        Extent::All => lines.pair("marked", &format!("{} all of it", look.glyphs.marked), look.theme.mark, look),
    }
    if state.filter.matches.is_some() {
        lines.heading("Only what the filter lets through is counted", look);
        return;
    }
    // What lies in the trash was judged when it went there.
    if is_in_trash(prefix) {
        return;
    }
    let Some(assessment) = &state.bucket.assessment else { return };
    let verdicts = assessment.totals(state.bucket.inventory.range(prefix));
    lines.heading("Verdicts", look);
    for verdict in Verdict::ALL {
        let tally = verdicts.of(verdict);
        if tally.objects > 0 {
            counted(lines, verdict, tally.objects, Some(tally.bytes), look);
        }
    }
    let flags: Vec<(Flag, u64)> = Flag::ALL
        .into_iter()
        .map(|flag| (flag, verdicts.flagged(flag).objects))
        .filter(|(_, count)| *count > 0)
        .collect();
    if !flags.is_empty() {
        lines.heading("Flags", look);
    }
    for (flag, count) in flags {
        lines.text(&format!("{} {flag}", number::count(count)), look.theme.flag);
    }
}

/// What the trash is, and what can be done about it.
fn trash_place(lines: &mut Lines, state: &State, prefix: &[u8], look: &Look) {
    if !is_in_trash(prefix) {
        return;
    }
    match run_of(prefix) {
        Some(run) => {
            let at = began(&run).map(|at| format!(" of {at}")).unwrap_or_default();
            lines.text(&format!("In the trash: what run {run}{at} moved here."), look.theme.flag);
        }
        None => lines
            .text("The trash: what runs moved here, until it is emptied. Nothing in it is an orphan.", look.theme.flag),
    }
    let context = state.browse_context();
    let whose = if run_of(prefix).is_some() {
        "plans to bring back what this run moved"
    } else {
        "plans to bring back what the last run moved"
    };
    let offers = [
        (Action::Restore, whose),
        (Action::EmptyTrash, "plans to delete for good what has been here for longer than you say"),
    ];
    for (action, does) in offers {
        if let Some(key) = state.keymap.key(context, action) {
            lines.pair(&key.to_string(), does, look.theme.dim, look);
        }
    }
}

pub(super) fn group(lines: &mut Lines, state: &State, id: &GroupId, look: &Look) {
    let title = match (&id.project, id.finding) {
        (Some(Some(project)), None) => format!("Project {project}"),
        (Some(Some(project)), Some(finding)) => format!("Project {project}: {finding}"),
        (Some(None), None) => "Objects of no project".into(),
        (Some(None), Some(finding)) => format!("Objects of no project: {finding}"),
        (None, _) => id.title(),
    };
    lines.text(&title, look.theme.title);
    if let (None, Some(finding)) = (&id.project, id.finding) {
        lines.text(meaning(finding), look.theme.dim);
    }
    live(lines, state, id, look);
    let tree = state.group_tree(state.browse.view);
    let Some(tally) = tree.and_then(|tree| tree.group(id)).map(|group| group.tally) else { return };
    lines.pair("objects", &number::count(tally.objects), Style::new(), look);
    lines.pair("size", &size(tally.bytes, state), Style::new(), look);
    if let Some(newest) = tally.newest {
        lines.pair("newest", &newest.to_string(), Style::new(), look);
    }
    if id.finding.is_none() && id.project.is_none() {
        return;
    }
    lines.heading("Verdicts", look);
    for verdict in Verdict::ALL {
        if tally.of(verdict) > 0 {
            counted(lines, verdict, tally.of(verdict), None, look);
        }
    }
    for flag in Flag::ALL {
        if tally.with(flag) > 0 {
            lines.text(&format!("{} {flag}", number::count(tally.with(flag))), look.theme.flag);
        }
    }
}

fn live(lines: &mut Lines, state: &State, id: &GroupId, look: &Look) {
    let (Some(Some(project)), Some(judge)) = (&id.project, &state.bucket.judge) else { return };
    if !super::header::registry_problems(state).is_empty() {
        lines.text("whether it lives is not known", look.theme.warning);
        return;
    }
    match judge.facts().is_live(project) {
        true => lines.text(&format!("{} live: the registry has it", look.glyphs.yes), look.theme.live),
        false => lines.text(&format!("{} the registry does not have it", look.glyphs.no), look.theme.orphaned),
    }
}

fn counted(lines: &mut Lines, verdict: Verdict, objects: u64, bytes: Option<u64>, look: &Look) {
    let bytes = bytes.map(|bytes| format!(", {}", number::bytes(bytes))).unwrap_or_default();
    let text = format!("{} {} {verdict}{bytes}", look.glyphs.verdict(verdict), number::count(objects));
    lines.text(&text, look.theme.verdict(verdict));
}

fn size(bytes: u64, state: &State) -> String {
    let month = number::dollars(state.session.prices.a_month(bytes));
    format!("{} ({} bytes), {month} a month", number::bytes(bytes), number::count(bytes))
}

/// What a finding means.
fn meaning(finding: Finding) -> &'static str {
    match finding {
        Finding::Verdict(Verdict::Live) => "A live project owns these.",
        Finding::Verdict(Verdict::Untracked) => "Their project lives, but the registry does not know these keys.",
        Finding::Verdict(Verdict::Orphaned) => {
            "Every reading of these keys names a project that the registry does not have."
        }
        Finding::Verdict(Verdict::Conflict) => "Key and registry disagree about these; they are kept.",
        Finding::Verdict(Verdict::Unrecognized) => {
            "No layout reads these keys and the registry does not know them; they are kept."
        }
        Finding::Verdict(Verdict::Undetermined) => {
            "Listing or registry cannot be trusted, so nothing is said of these; they are kept."
        }
        Finding::Flag(Flag::DoublePrefixed) => "The id prefix stands more than once in the project's id.",
        Finding::Flag(Flag::Legacy) => "Only layouts that the app no longer writes read these keys.",
        Finding::Flag(Flag::Young) => "Younger than the age guard, or of unknown age: not marked together with others.",
        Finding::Flag(Flag::Duplicate) => "Another object has the same size and ETag.",
        Finding::Flag(Flag::Unconfirmed) => "Not seen like this for observe_days: not marked together with others.",
        Finding::Flag(Flag::Protected) => "The configuration protects these; they cannot be marked.",
    }
}
