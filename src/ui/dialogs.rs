//! What lies over the views: menus, the help, the confirmation, failures.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::text::{pad_right, safe, width, wrap};
use super::theme::Look;
use super::{block, dialog};
use crate::app::help::{Help, HelpLine, lines};
use crate::app::order::By;
use crate::app::state::{State, View};

pub(super) fn draw_sort_menu(frame: &mut Frame<'_>, by: By, state: &State, look: &Look) {
    let inside = dialog(frame, "Order by", 34, By::ALL.len() as u16 + 2, look);
    let rows: Vec<Line<'_>> = By::ALL
        .into_iter()
        .map(|one| {
            let current = if one == state.browse.order.by { look.glyphs.dot } else { " " };
            let text = format!("{current} {} {}", pad_right(one.name(), 10), one.first(false));
            let style = if one == by { look.theme.cursor } else { Style::new() };
            Line::from(Span::styled(pad_right(&text, usize::from(inside.width)), style))
        })
        .collect();
    frame.render_widget(Paragraph::new(rows), inside);
}

pub(super) fn draw_help(frame: &mut Frame<'_>, help: &Help, state: &State, look: &Look) {
    let inside = dialog(frame, "Keys", 96, u16::MAX, look);
    let cells = usize::from(inside.width);
    let search = vec![
        Span::styled("search: ", look.theme.key),
        Span::raw(safe(help.search.text())),
        Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
    ];
    let mut shown = vec![Line::from(search)];
    for line in lines(&state.keymap, state.browse_context(), help.search.text()).into_iter().skip(help.scroll) {
        match line {
            HelpLine::Heading(title) => shown.push(Line::from(Span::styled(title, look.theme.title))),
            HelpLine::Keys(keys, text) => {
                let label = pad_right(&format!("  {keys} "), 16);
                let room = cells.saturating_sub(width(&label).max(16));
                for (at, part) in wrap(text, room).into_iter().enumerate() {
                    let label = if at == 0 { label.clone() } else { " ".repeat(width(&label)) };
                    shown.push(Line::from(vec![Span::styled(label, look.theme.key), Span::raw(part)]));
                }
            }
        }
    }
    if shown.len() == 1 {
        shown.push(Line::from(Span::styled("no key does that", look.theme.dim)));
    }
    shown.push(Line::from(""));
    legend(&mut shown, look);
    shown.truncate(usize::from(inside.height));
    frame.render_widget(Paragraph::new(shown), inside);
}

/// What the signs mean; they stand where color alone would say too little.
fn legend(shown: &mut Vec<Line<'_>>, look: &Look) {
    use crate::domain::Verdict;
    let glyphs = &look.glyphs;
    shown.push(Line::from(Span::styled("Signs", look.theme.title)));
    let mut signs = vec![
        (glyphs.marked, "marked"),
        (glyphs.partly, "partly marked"),
        (glyphs.partly_orphaned, "holds orphans among others"),
        (glyphs.double, "double-prefixed"),
        (glyphs.young, "young"),
        (glyphs.protected, "protected"),
        (glyphs.failed, "failed in the last run"),
    ];
    signs.extend(Verdict::ALL.into_iter().skip(1).map(|verdict| (glyphs.verdict(verdict), verdict.name())));
    for (sign, meaning) in signs {
        shown.push(Line::from(vec![
            Span::styled(pad_right(&format!("  {sign}"), 16), look.theme.key),
            Span::raw(meaning),
        ]));
    }
}

/// A failure stays on the screen until it is dismissed.
pub(super) fn draw_failure(frame: &mut Frame<'_>, state: &State, look: &Look) {
    let Some(failure) = &state.failure else { return };
    // In an empty list the same words stand in the middle of the rows.
    if state.browse.view == View::Folders && state.bucket.inventory.is_empty() {
        return;
    }
    let areas = state.areas();
    let cells = usize::from(state.size.0.saturating_sub(4));
    let mut texts = wrap(&format!("cannot {}: {}", safe(&failure.what), safe(&failure.why)), cells);
    texts.extend(wrap(&safe(&failure.hint), cells).into_iter().filter(|text| !text.is_empty()));
    texts.truncate(6);
    let height = (texts.len() as u16 + 2).min(areas.status.y.saturating_sub(2));
    let area = Rect { x: 0, y: areas.status.y - height, width: state.size.0, height };
    frame.render_widget(Clear, area);
    let block = block(" ! failed; Esc leaves ".into(), false, look).border_style(look.theme.error);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines: Vec<Line<'_>> = texts.into_iter().map(|text| Line::from(Span::styled(text, look.theme.error))).collect();
    frame.render_widget(Paragraph::new(lines), inside);
}
