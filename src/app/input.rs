//! A line of text being typed.

use super::action::Action;

/// Text and cursor. The cursor stands before the character at its byte offset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Input {
    text: String,
    cursor: usize,
}

impl Input {
    /// A line that starts with `text`, the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before and after the cursor.
    pub fn split(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Types one character; control characters are not text.
    pub fn insert(&mut self, c: char) {
        if !c.is_control() {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Types a pasted text up to its first line break.
    pub fn paste(&mut self, text: &str) {
        text.lines().next().unwrap_or_default().chars().for_each(|c| self.insert(c));
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Edits the line; whether the action is one of editing.
    pub fn edit(&mut self, action: Action) -> bool {
        match action {
            Action::Erase => {
                if let Some(at) = self.previous() {
                    self.text.remove(at);
                    self.cursor = at;
                }
            }
            Action::EraseNext => {
                if self.cursor < self.text.len() {
                    self.text.remove(self.cursor);
                }
            }
            Action::EraseWord => {
                let before = self.text[..self.cursor].trim_end();
                let word = before.split_whitespace().next_back().map_or(0, str::len);
                let kept = before.len() - word;
                self.text.replace_range(kept..self.cursor, "");
                self.cursor = kept;
            }
            Action::EraseAll => self.clear(),
            Action::CursorLeft => self.cursor = self.previous().unwrap_or(0),
            Action::CursorRight => {
                self.cursor += self.text[self.cursor..].chars().next().map_or(0, char::len_utf8);
            }
            Action::CursorHome => self.cursor = 0,
            Action::CursorEnd => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> Option<usize> {
        self.text[..self.cursor].char_indices().next_back().map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, actions: &[Action], expected: (&str, &str)) {
        let mut input = Input::new(start);
        for action in actions {
            assert!(input.edit(*action));
        }
        assert_eq!(input.split(), expected, "{start:?} {actions:?}");
    }

    #[test]
    fn editing_respects_characters_and_words() {
        check("caf\u{e9}", &[Action::Erase], ("caf", ""));
        check("one two  ", &[Action::EraseWord], ("one ", ""));
        check("ab", &[Action::CursorLeft, Action::EraseNext], ("a", ""));
        check("ab", &[Action::CursorHome, Action::CursorRight], ("a", "b"));
        check("", &[Action::Erase, Action::EraseNext, Action::CursorLeft, Action::CursorRight], ("", ""));
    }

    #[test]
    fn a_paste_ends_at_its_first_line() {
        let mut input = Input::default();
        input.paste("one\x1b[31m\ntwo");
        assert_eq!(input.text(), "one[31m");
    }
}
