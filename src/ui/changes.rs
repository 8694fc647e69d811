//! What changed since an earlier scan, over the views.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::dialog;
use super::text::{fit_middle, pad_left, pad_right, safe};
use super::theme::Look;
use crate::app::kept::{ChangesLine, Compared};

/// Cells of the columns of numbers.
const WIDTHS: [usize; 5] = [9, 9, 9, 9, 11];

pub(super) fn draw(frame: &mut Frame<'_>, compared: &Compared, look: &Look) {
    let title = format!("Changes since the scan of {}", compared.since);
    let lines = &compared.lines;
    let height = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX);
    let inside = dialog(frame, &title, 100, height, look);
    let room = usize::from(inside.width).saturating_sub(WIDTHS.iter().sum::<usize>()).max(8);
    let head = ["added", "removed", "grown", "changed", "bytes"].map(String::from);
    let mut shown = vec![row("", &head, room, look).style(look.theme.dim)];
    let room_below = usize::from(inside.height).saturating_sub(1);
    shown.extend(lines.iter().skip(compared.scroll).take(room_below).map(|line| match line {
        ChangesLine::Text(text) => Line::from(text.clone()),
        ChangesLine::Heading(title) => Line::from(Span::styled(title.clone(), look.theme.title)),
        ChangesLine::Totals { name, cells } => row(name, cells, room, look),
    }));
    frame.render_widget(Paragraph::new(shown), inside);
}

fn row<'a>(name: &str, cells: &[String; 5], room: usize, look: &Look) -> Line<'a> {
    let name = pad_right(&fit_middle(&safe(name), room - 1, look.glyphs.cut), room);
    let numbers = cells.iter().zip(WIDTHS).map(|(cell, width)| Span::raw(pad_left(cell, width)));
    Line::from_iter(std::iter::once(Span::raw(name)).chain(numbers))
}
