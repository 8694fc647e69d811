//! The plan: what would be deleted, what that costs and saves, and which guards refuse.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::details::Lines;
use super::text::safe;
use super::theme::Look;
use super::{block, registry, tree};
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::state::State;
use crate::domain::plan::{Plan, PlanKind, PlanSums};
use crate::domain::prices::Prices;
use crate::domain::requests::{Request, Requests};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let block = block(" Plan ".into(), state.browse.pane == Pane::Rows, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let Some(plan) = &state.planning.plan else {
        let text = match state.planning.pending {
            true => "the plan is being made",
            false => {
                "there is no plan: mark objects in Folders, Projects or Findings, then press d; nothing is deleted by that"
            }
        };
        let lines: Vec<Line<'_>> =
            super::text::wrap(text, usize::from(inside.width)).into_iter().map(Line::from).collect();
        let place = Rect { y: inside.y + inside.height / 3, height: inside.height - inside.height / 3, ..inside };
        frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), place);
        return;
    };
    let head = head(state, plan, usize::from(inside.width), look);
    frame.render_widget(Paragraph::new(head), Rect { height: 2.min(inside.height), ..inside });
    let used = state.rows_head() as u16;
    let rows = Rect { y: inside.y + used, height: inside.height.saturating_sub(used), ..inside };
    tree::draw_rows(frame, rows, state, &state.window(), look);
}

/// Two lines: what would be done, and whether it may be.
fn head<'a>(state: &State, plan: &Plan, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let total = state.planning.sums.total;
    let (objects, bytes) = (number::objects(total.objects), number::bytes(total.bytes));
    let what = match plan.header.kind {
        PlanKind::Trash => format!("move {objects}, {bytes} to the trash"),
        PlanKind::Delete => format!("delete {objects}, {bytes} for good"),
        PlanKind::Restore => format!("restore {objects}, {bytes} from the trash"),
        PlanKind::EmptyTrash => format!("delete {objects}, {bytes} for good from the trash"),
        PlanKind::Backfill => format!("record {objects}, {bytes} in the registry"),
        PlanKind::Prune => format!("remove the registry's rows of {objects} that are not there"),
    };
    let (may, style) = standing(state, plan, look);
    [(what, look.theme.title), (may, style)]
        .into_iter()
        .map(|(text, style)| Line::from(Span::styled(super::text::fit_end(&text, cells, look.glyphs.cut), style)))
        .collect()
}

fn standing(state: &State, plan: &Plan, look: &Look) -> (String, Style) {
    let refusals = plan.refusals();
    match refusals.first() {
        _ if state.planning.pending => ("a new plan is being made".into(), look.theme.info),
        _ if state.planning.used => ("this plan was used".into(), look.theme.dim),
        Some(guard) => (format!("! refused: {}: {}", safe(&guard.name), safe(&guard.message)), look.theme.error),
        None if state.planning.outdated && !plan.header.kind.is_from_trash() => {
            ("! marks have changed since: plan again".into(), look.theme.warning)
        }
        None => (format!("{} every guard passes; D confirms", look.glyphs.yes), look.theme.info),
    }
}

/// Which guards refuse, and what would change their minds: the first thing to know of a plan that may not be carried out.
pub(super) fn refusals(lines: &mut Lines, state: &State, look: &Look) {
    let Some(plan) = state.planning.plan.as_ref().filter(|plan| !plan.refusals().is_empty()) else { return };
    lines.text("Refused", look.theme.error);
    for guard in plan.refusals() {
        let text = format!("{} {}: {}", look.glyphs.no, safe(&guard.name), safe(&guard.message));
        lines.text(&text, look.theme.error);
    }
    registry::accepting(lines, state, look);
    lines.push(Line::from(""));
}

/// The whole of the plan in words, for the details.
pub(super) fn summary(lines: &mut Lines, state: &State, look: &Look) {
    let Some(plan) = &state.planning.plan else { return };
    let total = state.planning.sums.total;
    let plain = Style::new();
    lines.heading("This plan", look);
    let amount = format!("{}, {}", number::objects(total.objects), number::bytes(total.bytes));
    let prices = &state.session.prices;
    let month = number::dollars(prices.a_month(total.bytes));
    let saves = format!("{month} a month of storage at ${} a GB", prices.standard);
    let copies = copies(prices, total.objects);
    if plan.header.kind == PlanKind::Restore {
        lines.pair("restores", &format!("{amount} to where they were"), plain, look);
        lines.pair("keeps", "every object that is there now: nothing is written over", plain, look);
        lines.pair("costs", &copies, plain, look);
    } else if plan.header.kind == PlanKind::Trash {
        lines.pair("moves", &format!("{amount} to .bucketree/trash/ in the same bucket"), plain, look);
        lines.pair("saves", &format!("nothing until the trash is emptied; then {saves}"), plain, look);
        lines.pair("costs", &copies, plain, look);
        lines.pair("undo", "z, or `bucketree restore RUN`, until the trash is emptied", plain, look);
    } else {
        lines.pair("deletes", &amount, plain, look);
        lines.pair("saves", &saves, plain, look);
        lines.pair("costs", "$0: deleting is free on R2", plain, look);
        lines.pair("undo", "none: R2 keeps no versions; what is deleted is gone for good", look.theme.warning, look);
    }
    let style = if plan.header.deletes.is_proved() { look.theme.info } else { look.theme.warning };
    lines.pair("atomic", &plan.header.deletes.to_string(), style, look);
    if !plan.header.kind.is_from_trash() {
        verdicts(lines, &state.planning.sums, look);
    }
    warnings(lines, state, plan, look);
    lines.heading("Guards", look);
    for guard in &plan.header.guards {
        let (sign, style) =
            if guard.passed { (look.glyphs.yes, look.theme.info) } else { (look.glyphs.no, look.theme.error) };
        lines.text(&format!("{sign} {}: {}", safe(&guard.name), safe(&guard.message)), style);
    }
    lines.heading("Frozen", look);
    lines.pair("plan", &plan.header.id, plain, look);
    lines.pair("made", &plan.header.created_at.to_string(), plain, look);
    lines.pair("expires", &plan.header.expires_at.to_string(), plain, look);
    lines.pair("digest", &plan.header.digest, look.theme.dim, look);
}

/// What the copies of so many objects cost.
fn copies(prices: &Prices, objects: u64) -> String {
    let mut requests = Requests::default();
    requests.add(Request::Copy, objects);
    match (prices.requests, prices.of_requests(&requests)) {
        (Some(of), Some(price)) => {
            format!("{}: a copy of each object at ${:.2} a million", number::dollars(price), of.class_a)
        }
        _ => "a request to copy each object".into(),
    }
}

/// What is planned, by verdict, and how many projects that concerns.
fn verdicts(lines: &mut Lines, sums: &PlanSums, look: &Look) {
    for (verdict, amount) in &sums.by_verdict {
        let text = format!(
            "{} {}, {}",
            look.glyphs.verdict(*verdict),
            number::count(amount.objects),
            number::bytes(amount.bytes)
        );
        lines.pair(verdict.name(), &text, look.theme.verdict(*verdict), look);
    }
    lines.pair("projects", &number::count(sums.by_project.len() as u64), Style::new(), look);
}

fn warnings(lines: &mut Lines, state: &State, plan: &Plan, look: &Look) {
    use crate::domain::Verdict;
    let mut texts = Vec::new();
    if plan.header.kind.is_from_trash() {
        return;
    }
    let verdicts = state.planning.sums.by_verdict.iter();
    let others: u64 = verdicts.filter(|(verdict, _)| **verdict != Verdict::Orphaned).map(|(_, sum)| sum.objects).sum();
    if others > 0 {
        texts.push(format!("{} not orphaned: marked one by one", number::objects(others)));
    }
    if state.bucket.accepts_shrink {
        texts.push("counts that are smaller than last time were accepted by hand, for this listing".into());
    }
    if state.planning.outdated && !state.planning.used {
        texts.push("marks or objects have changed since this plan was made".into());
    }
    if texts.is_empty() {
        return;
    }
    lines.heading("Warnings", look);
    texts.iter().for_each(|text| lines.text(&format!("! {text}"), look.theme.warning));
}
