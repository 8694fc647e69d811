//! Rows, painted by tui-tree-widget through a window: only what is on the screen becomes an item, the ancestors of the
//! first row are kept above it, and the widget's own state lives for one frame.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use tui_tree_widget::{Tree, TreeItem, TreeState};

use super::theme::Look;
use super::{block, header, row};
use crate::app::forest::{Node, Row, Window};
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::state::{State, View};

/// Columns that the indentation may take at most, as a share of the pane.
const INDENT_SHARE: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let active = state.browse.pane == Pane::Rows;
    let mut block = block(title(state, look), active, look);
    // The reason says more than that there is one.
    if let Some(problem) = header::registry_problems(state).iter().take(2).next_back() {
        let room = usize::from(area.width.saturating_sub(4));
        let text = format!(" ! {} ", super::text::fit_end(problem, room.saturating_sub(4), look.glyphs.cut));
        block = block.title_bottom(Line::from(Span::styled(text, look.theme.warning)));
    }
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let window = state.window();
    if window.rows.is_empty() {
        draw_empty(frame, inside, state, look);
    } else {
        draw_rows(frame, inside, state, &window, look);
    }
}

fn title(state: &State, look: &Look) -> String {
    let order = state.browse.order;
    let by = match order.is_natural() {
        true => String::new(),
        false => format!("{} by {}, {} ", look.glyphs.dot, order.by.name(), order.by.first(order.reverse)),
    };
    let sorting = if state.is_sorting() && !order.is_natural() { "sorting, Esc stops " } else { "" };
    let flat = if state.browse.flat && state.browse.view == View::Folders { "(plain keys) " } else { "" };
    let range = if state.marks.anchor.is_some() { "RANGE " } else { "" };
    let position = position(state).map(|position| format!("{position} ")).unwrap_or_default();
    format!(" {} {flat}{by}{sorting}{position}{range}", state.browse.view.name())
}

/// How far down the cursor is, where that can be known at once.
fn position(state: &State) -> Option<String> {
    if state.browse.view != View::Folders || !state.browse.order.is_natural() {
        return None;
    }
    let space = state.space();
    let at = match state.cursor()? {
        Node::Folder(prefix) => space.lower_bound(prefix.as_bytes()),
        node => space.position_of(state.object_of(&node)?)?,
    };
    let before = space.totals(0..at).objects;
    let all = space.totals(0..space.len()).objects;
    Some(format!("{} of {}", number::count(before + 1), number::count(all)))
}

fn draw_empty(frame: &mut Frame<'_>, area: Rect, state: &State, look: &Look) {
    let width = usize::from(area.width);
    let lines: Vec<Line<'_>> = header::empty_lines(state, look)
        .into_iter()
        .flat_map(|line| {
            let style = line.spans.first().map(|span| span.style).unwrap_or_default();
            super::text::wrap(&line.to_string(), width)
                .into_iter()
                .map(move |text| Line::from(Span::styled(text, style)))
        })
        .collect();
    let down = area.height.saturating_sub(lines.len() as u16) / 3;
    let area = Rect { y: area.y + down, height: area.height - down, ..area };
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), area);
}

/// Paints the rows of a window.
pub(super) fn draw_rows(frame: &mut Frame<'_>, area: Rect, state: &State, window: &Window, look: &Look) {
    let rows: Vec<&Row> = window.sticky.iter().chain(&window.rows).collect();
    let cursor = window.sticky.len() + window.cursor;
    let depths = shown_depths(&rows, cursor, usize::from(area.width) / INDENT_SHARE / 2);
    let cells = |depth: usize| usize::from(area.width).saturating_sub(2 * depth + 2);
    let largest = row::largest(state);
    let mut items: Vec<Flat<'_>> = Vec::with_capacity(rows.len());
    for ((number, row), depth) in rows.iter().enumerate().zip(&depths) {
        let holds_rows =
            matches!(row.node, Node::Folder(_) | Node::Group(_) | Node::Run(_) | Node::Ends(..) | Node::Drift(_));
        let open = holds_rows && state.with_forest(|forest| forest.is_open(&row.node));
        let line = row::line(state, row, cells(*depth), largest, look);
        items.push(Flat { number, depth: *depth, line, holds_rows, open });
    }
    let mut tree_state = TreeState::default();
    open_paths(&items, &mut tree_state, cursor);
    let mut queue = items.into_iter().peekable();
    let forest = nest(&mut queue, 0);
    let highlight = if state.browse.pane == Pane::Rows { look.theme.cursor } else { look.theme.cursor_idle };
    // Numbers are unique, so the widget has nothing to refuse.
    let Ok(tree) = Tree::new(&forest) else { return };
    let tree = tree
        .highlight_style(highlight)
        .node_open_symbol(look.glyphs.open)
        .node_closed_symbol(look.glyphs.closed)
        .node_no_children_symbol("  ");
    frame.render_stateful_widget(tree, area, &mut tree_state);
}

/// A row on its way into the widget.
struct Flat<'a> {
    number: usize,
    depth: usize,
    line: Line<'a>,
    holds_rows: bool,
    open: bool,
}

/// Indentation of each row: as deep as it lies, less what would leave no room for names.
fn shown_depths(rows: &[&Row], cursor: usize, most: usize) -> Vec<usize> {
    let first = rows.first().map_or(0, |row| row.depth);
    let deepest = rows.get(cursor).map_or(0, |row| row.depth);
    let base = first.min(deepest).max(deepest.saturating_sub(most));
    let mut above: Option<usize> = None;
    rows.iter()
        .map(|row| {
            let wanted = row.depth.saturating_sub(base);
            let depth = wanted.min(above.map_or(0, |depth| depth + 1));
            above = Some(depth);
            depth
        })
        .collect()
}

/// Opens every row that has rows below it in the window, and selects the cursor.
fn open_paths(items: &[Flat<'_>], state: &mut TreeState<usize>, cursor: usize) {
    let mut path: Vec<usize> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        path.truncate(item.depth);
        path.push(item.number);
        let has_rows = items.get(at + 1).is_some_and(|next| next.depth > item.depth);
        if has_rows || item.open {
            state.open(path.clone());
        }
        if at == cursor {
            state.select(path.clone());
        }
    }
}

/// Nests rows by their depth. A closed folder gets one child that is never drawn, so that it has its sign; so does an
/// open one whose rows lie below the window.
fn nest<'a>(queue: &mut std::iter::Peekable<impl Iterator<Item = Flat<'a>>>, depth: usize) -> Vec<TreeItem<'a, usize>> {
    let mut items = Vec::new();
    while queue.peek().is_some_and(|next| next.depth >= depth)
        && let Some(item) = queue.next()
    {
        let mut children = nest(queue, item.depth + 1);
        if children.is_empty() && item.holds_rows {
            children.push(TreeItem::new_leaf(usize::MAX, ""));
        }
        if let Ok(item) = TreeItem::new(item.number, item.line, children) {
            items.push(item);
        }
    }
    items
}
