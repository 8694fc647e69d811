//! Text that fits: cut, wrapped, and safe for a terminal.

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text that did not come escaped, made safe: what could move the cursor or turn the direction of writing becomes a
/// question mark. Keys are escaped by [`crate::domain::key::Escaped`]; this is for messages of other programs.
pub fn safe(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if is_unsafe(c) { '?' } else { c }).collect()
}

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `cells`, its middle cut out if need be so that the end, which tells files apart, stays.
pub fn fit_middle(text: &str, cells: usize, cut: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells <= width(cut) {
        return cut.chars().take(cells).collect();
    }
    let room = cells - width(cut);
    let tail = take_back(text, room / 2);
    let head = take(text, room - width(tail));
    format!("{head}{cut}{tail}")
}

/// The text in at most `cells`, its end cut off if need be.
pub fn fit_end(text: &str, cells: usize, cut: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    match cells.checked_sub(width(cut)) {
        Some(room) => format!("{}{cut}", take(text, room)),
        None => String::new(),
    }
}

fn take(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return &text[..at];
        }
    }
    text
}

fn take_back(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// The text in exactly `cells`, filled up on the right.
pub fn pad_right(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

/// The text in exactly `cells`, filled up on the left.
pub fn pad_left(text: &str, cells: usize) -> String {
    format!("{}{text}", " ".repeat(cells.saturating_sub(width(text))))
}

/// The text in lines of at most `cells`: broken at spaces where there are any, else anywhere.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        if width(&line) + width(word.trim_end()) > cells && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        let mut rest = word;
        while width(rest.trim_end()) > cells {
            let head = take(rest, cells);
            let head = if head.is_empty() { &rest[..rest.chars().next().map_or(0, char::len_utf8)] } else { head };
            lines.push(head.to_owned());
            rest = &rest[head.len()..];
        }
        line.push_str(rest);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Spans side by side, the right ones at the right edge; the left ones are cut if there is no room for both.
pub fn justify<'a>(left: Vec<Span<'a>>, right: Vec<Span<'a>>, cells: usize, cut: &str) -> Line<'a> {
    let sum = |spans: &[Span<'_>]| spans.iter().map(|span| width(&span.content)).sum::<usize>();
    let mut right = right;
    while sum(&right) > cells && !right.is_empty() {
        right.remove(0);
    }
    let room = cells - sum(&right);
    let mut spans = Vec::new();
    let mut used = 0;
    for span in left {
        let free = room.saturating_sub(used + usize::from(!right.is_empty()));
        let text = fit_end(&span.content, free, cut);
        used += width(&text);
        let whole = text == span.content;
        spans.push(Span::styled(text, span.style));
        if !whole {
            break;
        }
    }
    spans.push(Span::raw(" ".repeat(room.saturating_sub(used))));
    spans.extend(right);
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_and_keep_their_ends() {
        let cases: &[(&str, usize, &str)] = &[
            ("narration.mp3", 20, "narration.mp3"),
            ("narration.mp3", 9, "narr….mp3"),
            ("narration.mp3", 1, "…"),
            ("narration.mp3", 0, ""),
            ("\u{1f3ac}\u{1f3ac}\u{1f3ac}\u{1f3ac}", 5, "\u{1f3ac}…\u{1f3ac}"),
        ];
        for (text, cells, expected) in cases {
            let fitted = fit_middle(text, *cells, "…");
            assert_eq!(fitted, *expected);
            assert!(width(&fitted) <= *cells);
        }
        assert_eq!(fit_end("narration.mp3", 5, "…"), "narr…");
    }

    #[test]
    fn texts_wrap_at_spaces_and_nothing_is_lost() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        for cells in 1..20 {
            let lines = wrap("users/user123/projects/proj 456/a  b", cells);
            let joined: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            assert_eq!(joined, "users/user123/projects/proj456/ab", "{cells}");
            assert!(lines.iter().all(|line| width(line) <= cells), "{cells}");
        }
    }

    #[test]
    fn foreign_messages_cannot_steer_the_terminal() {
        assert_eq!(safe("a\x1b]52;c\x07\u{202e}b\n"), "a?]52;c??b?");
    }
}
