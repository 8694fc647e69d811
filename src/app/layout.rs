//! Where things are on the screen: geometry only, so that keys and mouse agree with what is drawn.

use ratatui::layout::Rect;

/// Below this many columns or lines nothing useful can be shown.
pub const SMALLEST: (u16, u16) = (40, 10);

/// From this many columns on, rows and details stand side by side.
pub const TWO_COLUMNS: u16 = 80;

/// From this many lines on, the last lines of the log are always in view.
const LOG_BELOW: u16 = 34;

/// Which pane has the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// The rows.
    #[default]
    Rows,
    /// The details.
    Details,
}

/// The areas of the screen. An area that is not shown is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Areas {
    /// Where we are: profile, endpoint, bucket, listing.
    pub header: Rect,
    /// Which view, and the state of the registry.
    pub tabs: Rect,
    /// The rows, with their frame.
    pub rows: Rect,
    /// The details, with their frame.
    pub details: Rect,
    /// The last lines of the log, with their frame.
    pub log: Rect,
    /// Marks, filter, messages.
    pub status: Rect,
    /// Hints.
    pub footer: Rect,
}

/// Whether nothing useful can be shown.
pub fn too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// The areas for a screen of `size`. `wide` views have no details.
pub fn areas(size: (u16, u16), pane: Pane, wide: bool) -> Areas {
    let (width, height) = size;
    if too_small(size) {
        return Areas::default();
    }
    let line = |y: u16| Rect { x: 0, y, width, height: 1 };
    let body = height - 4;
    let log_height = if !wide && height >= LOG_BELOW { body / 5 } else { 0 };
    let upper = Rect { x: 0, y: 2, width, height: body - log_height };
    let none = Rect { x: 0, y: 2, width: 0, height: 0 };
    let (rows, details) = match pane {
        _ if wide => (upper, none),
        _ if width >= TWO_COLUMNS => {
            let left = width * 3 / 5;
            (Rect { width: left, ..upper }, Rect { x: left, width: width - left, ..upper })
        }
        Pane::Rows => (upper, none),
        Pane::Details => (none, upper),
    };
    Areas {
        header: line(0),
        tabs: line(1),
        rows,
        details,
        log: Rect { x: 0, y: upper.bottom(), width, height: log_height },
        status: line(height - 2),
        footer: line(height - 1),
    }
}

/// What is inside of a frame.
pub fn inside(frame: Rect) -> Rect {
    Rect {
        x: frame.x + 1,
        y: frame.y + 1,
        width: frame.width.saturating_sub(2),
        height: frame.height.saturating_sub(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(size: (u16, u16), rows: u16, details: u16) {
        let areas = areas(size, Pane::Rows, false);
        assert_eq!((areas.rows.width, areas.details.width), (rows, details), "{size:?}");
    }

    #[test]
    fn narrow_screens_have_one_column() {
        check((80, 24), 48, 32);
        check((79, 24), 79, 0);
        check((160, 48), 96, 64);
        check((39, 24), 0, 0);
    }

    #[test]
    fn every_line_belongs_to_one_area() {
        for height in SMALLEST.1..60 {
            let areas = areas((100, height), Pane::Rows, false);
            let sum = 4 + areas.rows.height + areas.log.height;
            assert_eq!((sum, areas.footer.y), (height, height - 1));
        }
    }
}
