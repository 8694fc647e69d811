//! One row: signs, name, columns.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{fit_middle, pad_left, pad_right};
use super::theme::Look;
use super::{registry, runs};
use crate::app::folders::folder_of;
use crate::app::forest::{Node, Row};
use crate::app::groups::GroupId;
use crate::app::number;
use crate::app::state::{State, View};
use crate::domain::judge::OWN_PREFIX;
use crate::domain::key::{self, Escaped};
use crate::domain::trash::{self, run_of};
use crate::domain::{Flag, Flags, Timestamp, Verdict};

/// What the columns say of a row.
#[derive(Clone, Debug, Default)]
struct Facts {
    objects: Option<u64>,
    bytes: u64,
    newest: Option<Timestamp>,
    sign: &'static str,
    sign_style: Style,
    flag: &'static str,
    name: String,
    name_style: Style,
    /// Orphans in a folder or group.
    orphans: u64,
}

/// What is measured against, for the bars.
pub(super) fn largest(state: &State) -> u64 {
    match state.browse.view {
        View::Folders => {
            let space = state.space();
            space.totals(0..space.len()).bytes
        }
        view => {
            state.group_tree(view).map_or(0, |tree| tree.roots().iter().map(|root| root.tally.bytes).max().unwrap_or(0))
        }
    }
}

/// The text of a row in `cells` cells.
pub(super) fn line<'a>(state: &State, row: &Row, cells: usize, largest: u64, look: &Look) -> Line<'a> {
    match state.browse.view {
        View::Runs => return runs::line(state, &row.node, cells, look),
        View::Registry => return registry::line(state, &row.node, cells, look),
        _ => {}
    }
    let facts = facts(state, &row.node, look);
    let mark = look.glyphs.mark(state.extent_of(&row.node));
    let columns = columns(state, &facts, cells, largest, look);
    let used: usize = columns.iter().map(|span| super::text::width(&span.content)).sum();
    let signs = 4;
    let orphans = match facts.orphans {
        0 => String::new(),
        count => format!(" {} {}", look.glyphs.verdict(Verdict::Orphaned), number::count(count)),
    };
    let room = cells.saturating_sub(used + signs);
    let orphans = if super::text::width(&orphans) + 8 > room { String::new() } else { orphans };
    let name_room = room - super::text::width(&orphans);
    let name = fit_middle(&facts.name, name_room, look.glyphs.cut);
    let gap = " ".repeat(name_room - super::text::width(&name));
    let mut spans = vec![
        Span::styled(mark, look.theme.mark),
        Span::styled(facts.sign, facts.sign_style),
        Span::styled(facts.flag, look.theme.flag),
        Span::raw(" "),
        Span::styled(name, facts.name_style),
        Span::styled(orphans, look.theme.orphaned),
        Span::raw(gap),
    ];
    spans.extend(columns);
    Line::from(spans)
}

/// Columns from the right edge, as many as leave room for a name.
fn columns<'a>(state: &State, facts: &Facts, cells: usize, largest: u64, look: &Look) -> Vec<Span<'a>> {
    let shown = state.browse.columns;
    let size = match shown.exact {
        true => pad_left(&number::count(facts.bytes), 16),
        false => pad_left(&number::bytes(facts.bytes), 9),
    };
    let mut columns = vec![Span::raw(size)];
    let name_room = 20;
    let mut used = 4 + if shown.exact { 16 } else { 9 };
    let count = facts.objects.map(number::count).unwrap_or_default();
    // An object has no count; where nothing else stands in between, its name has the room instead.
    let counts = shown.counts && (facts.objects.is_some() || shown.modified || shown.bars);
    let modified = facts.newest.map(number::day).unwrap_or_default();
    for (wanted, text, style) in [
        (counts, pad_left(&count, 8), Style::new()),
        (shown.modified, pad_left(&modified, 11), look.theme.dim),
        (shown.bars, pad_left(&bar(facts.bytes, largest, look), 9), look.theme.gauge),
    ] {
        let width = super::text::width(&text);
        if wanted && used + width + name_room <= cells {
            used += width;
            columns.insert(0, Span::styled(text, style));
        }
    }
    columns
}

fn bar(bytes: u64, largest: u64, look: &Look) -> String {
    let eighths = if largest == 0 { 0 } else { (u128::from(bytes) * 8).div_ceil(u128::from(largest)) as usize };
    let full = eighths.min(8);
    pad_right(&look.glyphs.full.repeat(full), 8)
}

fn facts(state: &State, node: &Node, look: &Look) -> Facts {
    match node {
        Node::Folder(prefix) => folder(state, prefix.as_bytes(), look),
        Node::Group(id) => group(state, id, look),
        Node::Object(_) | Node::Member(..) => object(state, node, look),
        _ => Facts::default(),
    }
}

fn folder(state: &State, prefix: &[u8], look: &Look) -> Facts {
    let space = state.space();
    let totals = space.totals(space.range(prefix));
    let name = place_name(prefix);
    let mut facts = Facts {
        objects: Some(totals.objects),
        bytes: totals.bytes,
        newest: totals.newest,
        name,
        name_style: look.theme.folder,
        sign: " ",
        flag: " ",
        ..Facts::default()
    };
    // What the filter leaves of a folder is not a range of the verdicts, so it is not summed up.
    if state.filter.matches.is_none()
        && let Some(assessment) = &state.bucket.assessment
    {
        let verdicts = assessment.totals(state.bucket.inventory.range(prefix));
        facts.orphans = verdicts.of(Verdict::Orphaned).objects;
        (facts.sign, facts.sign_style) = orphan_sign(facts.orphans, totals.objects, look);
        if prefix.starts_with(OWN_PREFIX) {
            facts.flag = look.glyphs.protected;
        } else if verdicts.flagged(Flag::DoublePrefixed).objects > 0 {
            facts.flag = look.glyphs.double;
        }
    }
    facts
}

/// The name of a folder; of the trash and of what is in it, what it is.
fn place_name(prefix: &[u8]) -> String {
    let name = Escaped(&prefix[key::parent(prefix).len()..]).to_string();
    match run_of(prefix) {
        _ if prefix == trash::TRASH.as_bytes() => format!("{name} (by run)"),
        Some(run) if prefix.len() == trash::TRASH.len() + run.len() + 1 => match trash::began(&run) {
            // The end of the id tells two runs apart; its beginning is the time.
            Some(at) => {
                let (time, tail) =
                    (number::time_of_day(at), run.get(run.len().saturating_sub(8)..).unwrap_or_default());
                format!("{} {} {tail}/", number::day(at), time.get(..5).unwrap_or_default())
            }
            None => name,
        },
        _ => name,
    }
}

fn orphan_sign(orphans: u64, objects: u64, look: &Look) -> (&'static str, Style) {
    match orphans {
        0 => (" ", Style::new()),
        _ if orphans == objects => (look.glyphs.verdict(Verdict::Orphaned), look.theme.orphaned),
        _ => (look.glyphs.partly_orphaned, look.theme.orphaned),
    }
}

fn group(state: &State, id: &GroupId, look: &Look) -> Facts {
    let tally = state.group_tree(state.browse.view).and_then(|tree| tree.group(id)).map(|group| group.tally);
    let tally = tally.unwrap_or_default();
    let orphans = tally.of(Verdict::Orphaned);
    let (sign, sign_style) = orphan_sign(orphans, tally.objects, look);
    // In a finding of orphans, and in a plan, the number of orphans would only repeat the number of objects.
    let says_more = orphans != tally.objects || state.browse.view == View::Projects;
    Facts {
        objects: Some(tally.objects),
        bytes: tally.bytes,
        newest: tally.newest,
        sign,
        sign_style,
        flag: if tally.with(Flag::DoublePrefixed) > 0 { look.glyphs.double } else { " " },
        name: id.title(),
        name_style: look.theme.folder,
        orphans: if says_more { orphans } else { 0 },
    }
}

fn object(state: &State, node: &Node, look: &Look) -> Facts {
    let Some(key) = state.key_of(node) else { return Facts::default() };
    let bytes = key.as_bytes();
    let short = state.browse.view == View::Folders && !state.browse.flat;
    let name = if short { &bytes[folder_of(bytes).len()..] } else { bytes };
    let name = if name.is_empty() { "(marker of the folder)".into() } else { Escaped(name).to_string() };
    let mut facts = Facts { name, name_style: look.theme.object, sign: " ", flag: " ", ..Facts::default() };
    let (verdict, flags) = judgement(state, node);
    facts.flag = look.glyphs.flags(flags);
    if let Some(verdict) = verdict {
        facts.sign = look.glyphs.verdict(verdict);
        facts.sign_style = look.theme.verdict(verdict);
    }
    if state.run.as_ref().is_some_and(|run| run.problems.contains_key(&key)) {
        facts.sign = look.glyphs.failed;
        facts.sign_style = look.theme.error;
    }
    match (state.object_of(node), planned(state, node)) {
        (_, Some(row)) => {
            facts.bytes = row.object.size;
            facts.newest = row.object.last_modified;
            if let Some(home) = &row.destination {
                facts.name = home.escaped().to_string();
            }
            if !state.plan_is_from_trash()
                && state.object_of(node).is_none_or(|object| state.bucket.inventory.is_gone(object))
            {
                facts.name_style = look.theme.dim;
                facts.name = format!("(gone) {}", facts.name);
            }
        }
        (Some(object), None) => {
            facts.bytes = state.bucket.inventory.size(object);
            facts.newest = state.bucket.inventory.last_modified(object);
        }
        (None, None) => {}
    }
    facts
}

/// The row of the plan that a row on the screen stands for.
pub(super) fn planned<'a>(state: &'a State, node: &Node) -> Option<&'a crate::domain::PlanRow> {
    match (state.browse.view, node) {
        (View::Plan, Node::Member(_, row)) => state.planning.plan.as_ref()?.rows.get(*row as usize),
        _ => None,
    }
}

/// Verdict and flags of an object's row; `None` if it is not judged yet.
pub(super) fn judgement(state: &State, node: &Node) -> (Option<Verdict>, Flags) {
    if let Some(row) = planned(state, node) {
        // What lies in the trash was not judged.
        return (Some(row.verdict).filter(|_| !state.plan_is_from_trash()), row.flags);
    }
    match (&state.bucket.assessment, state.object_of(node)) {
        (Some(assessment), Some(object)) => (Some(assessment.verdict(object)), assessment.flags(object)),
        _ => (None, Flags::NONE),
    }
}
