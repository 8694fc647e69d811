//! Draws a terminal screen as an SVG picture: text stays text, so it can be searched and read aloud.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: f32 = 17.0;
/// From the top of a cell to the line that its letters stand on.
const BASELINE: f32 = 13.0;
const MARGIN: f32 = 12.0;

const FOREGROUND: Rgb = Rgb(0xd4, 0xd7, 0xdd);
const BACKGROUND: Rgb = Rgb(0x16, 0x1a, 0x20);

/// The sixteen named colors; a terminal's theme decides what they look like, this is ours.
const NAMED: [Rgb; 16] = [
    Rgb(0x2b, 0x30, 0x38),
    Rgb(0xe0, 0x6c, 0x75),
    Rgb(0x8c, 0xc2, 0x65),
    Rgb(0xe0, 0xb4, 0x5e),
    Rgb(0x5f, 0xa8, 0xe8),
    Rgb(0xc0, 0x82, 0xdc),
    Rgb(0x4f, 0xb9, 0xc2),
    Rgb(0xc3, 0xc8, 0xd1),
    Rgb(0x70, 0x78, 0x85),
    Rgb(0xf2, 0x8b, 0x93),
    Rgb(0xa9, 0xdc, 0x83),
    Rgb(0xf2, 0xcf, 0x80),
    Rgb(0x87, 0xc2, 0xf5),
    Rgb(0xd6, 0xa2, 0xec),
    Rgb(0x75, 0xd3, 0xdb),
    Rgb(0xf2, 0xf4, 0xf7),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rgb(u8, u8, u8);

impl Rgb {
    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    fn of(color: Color, default: Self) -> Self {
        match color {
            Color::Default => default,
            Color::Rgb(red, green, blue) => Self(red, green, blue),
            Color::Idx(index @ 0..16) => NAMED[usize::from(index)],
            Color::Idx(index @ 16..232) => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let index = index - 16;
                Self(level(index / 36), level(index / 6 % 6), level(index % 6))
            }
            Color::Idx(index) => {
                let gray = 8 + 10 * (index - 232);
                Self(gray, gray, gray)
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    foreground: Rgb,
    background: Rgb,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        let (mut foreground, mut background) =
            (Rgb::of(cell.fgcolor(), FOREGROUND), Rgb::of(cell.bgcolor(), BACKGROUND));
        if cell.inverse() {
            std::mem::swap(&mut foreground, &mut background);
        }
        let (bold, dim, italic, underline) = (cell.bold(), cell.dim(), cell.italic(), cell.underline());
        Self { foreground, background, bold, dim, italic, underline }
    }

    fn attributes(self) -> String {
        let mut text = format!(r#"fill="{}""#, self.foreground.hex());
        for (is, attribute) in [
            (self.bold, r#" font-weight="bold""#),
            (self.dim, r#" opacity="0.6""#),
            (self.italic, r#" font-style="italic""#),
            (self.underline, r#" text-decoration="underline""#),
        ] {
            text.push_str(if is { attribute } else { "" });
        }
        text
    }
}

/// Cells of one row that look alike.
struct Run {
    column: u16,
    cells: u16,
    text: String,
    style: Style,
}

/// The screen as an SVG document.
pub fn picture(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let width = f32::from(columns) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f32::from(rows) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.1} {height:.1}">
<title>{}</title>
<rect width="100%" height="100%" rx="8" fill="{}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
"#,
        escaped(title),
        BACKGROUND.hex()
    );
    for row in 0..rows {
        runs(screen, row, columns).iter().for_each(|run| draw(&mut svg, run, row));
    }
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let (x, y) = corner(column, row);
        let color = FOREGROUND.hex();
        put(&mut svg, &format!(r#"<rect x="{x:.1}" y="{y:.1}" width="2" height="{CELL_HEIGHT}" fill="{color}"/>"#));
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn runs(screen: &Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else { continue };
        let style = Style::of(cell);
        // The second half of a wide letter has no text of its own.
        let text = match (cell.is_wide_continuation(), cell.has_contents()) {
            (true, _) => "",
            (false, true) => cell.contents(),
            (false, false) => " ",
        };
        match runs.last_mut() {
            Some(run) if run.style == style || cell.is_wide_continuation() => {
                run.cells += 1;
                run.text.push_str(text);
            }
            _ => runs.push(Run { column, cells: 1, text: text.to_owned(), style }),
        }
    }
    runs
}

fn draw(svg: &mut String, run: &Run, row: u16) {
    let (x, y) = corner(run.column, row);
    let width = f32::from(run.cells) * CELL_WIDTH;
    if run.style.background != BACKGROUND {
        let color = run.style.background.hex();
        // Crisp edges, for a seam would show between one background and the next.
        put(
            svg,
            &format!(
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{CELL_HEIGHT}" shape-rendering="crispEdges" fill="{color}"/>"#
            ),
        );
    }
    let seen = if run.style.underline { run.text.as_str() } else { run.text.trim_end_matches(' ') };
    if seen.is_empty() {
        return;
    }
    let width = width - (run.text.len() - seen.len()) as f32 * CELL_WIDTH;
    let (y, attributes, text) = (y + BASELINE, run.style.attributes(), escaped(seen));
    // The stated length keeps columns straight, whatever font the reader has.
    put(
        svg,
        &format!(
            r#"<text x="{x:.1}" y="{y:.1}" textLength="{width:.1}" lengthAdjust="spacingAndGlyphs" {attributes}>{text}</text>"#
        ),
    );
}

fn corner(column: u16, row: u16) -> (f32, f32) {
    (MARGIN + f32::from(column) * CELL_WIDTH, MARGIN + f32::from(row) * CELL_HEIGHT)
}

fn put(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a string takes text");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
