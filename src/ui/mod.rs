//! Views: functions of the state. They take what they show and give nothing back; nothing here waits, changes or decides.

mod changes;
mod confirm;
mod details;
mod dialogs;
mod folder_details;
mod header;
mod log;
mod plan;
mod registry;
mod row;
mod runs;
mod status;
#[cfg(test)]
mod tests;
pub mod text;
pub mod theme;
mod tree;

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::app::layout::{SMALLEST, too_small};
use crate::app::state::{Mode, State, View};

use self::theme::Look;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &State, look: &Look) {
    if too_small(state.size) {
        let text = format!(
            "the terminal is too small: {}x{}, at least {}x{} are needed",
            state.size.0, state.size.1, SMALLEST.0, SMALLEST.1
        );
        let lines: Vec<Line<'_>> =
            text::wrap(&text, usize::from(frame.area().width)).into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), frame.area());
        return;
    }
    let areas = state.areas();
    header::draw_header(frame, areas.header, state, look);
    header::draw_tabs(frame, areas.tabs, state, look);
    match state.browse.view {
        View::Log => log::draw(frame, areas.rows, state, look),
        view => {
            if areas.rows.width > 0 {
                let draw = match view {
                    View::Plan => plan::draw,
                    View::Runs => runs::draw,
                    View::Registry => registry::draw,
                    _ => tree::draw,
                };
                draw(frame, areas.rows, state, look);
            }
            if areas.details.width > 0 {
                details::draw(frame, areas.details, state, look);
            }
            if areas.log.height > 0 {
                log::draw_tail(frame, areas.log, state, look);
            }
        }
    }
    dialogs::draw_failure(frame, state, look);
    status::draw_status(frame, areas.status, state, look);
    status::draw_footer(frame, areas.footer, state, look);
    match &state.mode {
        Mode::Browse | Mode::Prompt { .. } => {}
        Mode::SortMenu(by) => dialogs::draw_sort_menu(frame, *by, state, look),
        Mode::Confirm(confirmation) => confirm::draw(frame, confirmation, state, look),
        Mode::Help(help) => dialogs::draw_help(frame, help, state, look),
        Mode::Changes(compared) => changes::draw(frame, compared, look),
    }
}

/// A frame with a title.
fn block<'a>(title: String, active: bool, look: &Look) -> Block<'a> {
    let style = if active { look.theme.border_active } else { look.theme.border };
    let block = Block::bordered().border_style(style).title(Line::from(Span::styled(title, look.theme.title)));
    if look.glyphs.lines {
        return block.border_type(BorderType::Plain);
    }
    block.border_set(ratatui::symbols::border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    })
}

/// An empty box over the middle of the screen; what is inside of it.
fn dialog(frame: &mut Frame<'_>, title: &str, width: u16, height: u16, look: &Look) -> Rect {
    let screen = frame.area();
    let width = width.min(screen.width.saturating_sub(2));
    let height = height.min(screen.height.saturating_sub(2));
    let area =
        Rect { x: screen.width.saturating_sub(width) / 2, y: screen.height.saturating_sub(height) / 2, width, height };
    frame.render_widget(Clear, area);
    let block = block(format!(" {title} "), true, look);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}
