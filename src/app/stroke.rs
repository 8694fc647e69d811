//! One key press, as the keymap spells it: `j`, `D`, `<space>`, `<c-d>`, `<s-tab>`, `<f1>`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, normalised so that the table and the terminal agree: shift is part of a character and
/// kept only for named keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stroke {
    /// The key.
    pub code: KeyCode,
    /// Control, alt and (for named keys) shift.
    pub modifiers: KeyModifiers,
}

/// Names of keys that are not a character, in the spelling of the keymap.
const NAMED: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("bs", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("ins", KeyCode::Insert),
];

impl Stroke {
    /// What a terminal reported.
    pub fn of(event: &KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(c) => {
                let shifted = modifiers.contains(KeyModifiers::SHIFT);
                modifiers -= KeyModifiers::SHIFT;
                let upper = shifted && !modifiers.contains(KeyModifiers::CONTROL);
                KeyCode::Char(if upper { c.to_ascii_uppercase() } else { c })
            }
            other => other,
        };
        Self { code, modifiers }
    }

    /// A key event that gives this stroke, for replays.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// The character that this stroke types into a line of text.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Reads one stroke.
    ///
    /// # Errors
    /// What is wrong with the spelling, for the author of a keymap.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Self { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE });
        }
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let Some(mut name) = inner else {
            return Err(format!("{text:?} is not a key: write one character, or a name like <enter> or <c-d>"));
        };
        let mut modifiers = KeyModifiers::NONE;
        for (prefix, modifier) in
            [("c-", KeyModifiers::CONTROL), ("a-", KeyModifiers::ALT), ("s-", KeyModifiers::SHIFT)]
        {
            if let Some(rest) = name.strip_prefix(prefix) {
                modifiers |= modifier;
                name = rest;
            }
        }
        let code = named(name).ok_or_else(|| format!("{text:?} is not a key: no key is called {name:?}"))?;
        Ok(Self { code, modifiers })
    }

    /// Reads strokes written one after the other, for example `jj<space>d`.
    ///
    /// # Errors
    /// As [`Stroke::parse`].
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut strokes = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = match rest.find('>') {
                Some(end) if first == '<' => end + 1,
                _ => first.len_utf8(),
            };
            strokes.push(Self::parse(&rest[..end])?);
            rest = &rest[end..];
        }
        Ok(strokes)
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Some(KeyCode::Char(c));
    }
    if let Some(number) = name.strip_prefix('f').and_then(|number| number.parse().ok()) {
        return (1..=12).contains(&number).then_some(KeyCode::F(number));
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

impl fmt::Display for Stroke {
    /// The way a person reads it: `j`, `Space`, `Ctrl-d`, `Shift-Tab`, `F1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        let name = match self.code {
            KeyCode::Char(' ') => "Space",
            KeyCode::Char(c) => return write!(f, "{c}"),
            KeyCode::F(number) => return write!(f, "F{number}"),
            KeyCode::Enter => "Enter",
            KeyCode::Esc => "Esc",
            KeyCode::Tab => "Tab",
            KeyCode::Backspace => "Backspace",
            KeyCode::Delete => "Del",
            KeyCode::Up => "Up",
            KeyCode::Down => "Down",
            KeyCode::Left => "Left",
            KeyCode::Right => "Right",
            KeyCode::Home => "Home",
            KeyCode::End => "End",
            KeyCode::PageUp => "PgUp",
            KeyCode::PageDown => "PgDn",
            _ => "key",
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spelled: &str, shown: &str) {
        assert_eq!(Stroke::parse(spelled).expect("a key").to_string(), shown);
    }

    #[test]
    fn strokes_are_read_and_shown() {
        check("j", "j");
        check("<space>", "Space");
        check("<c-d>", "Ctrl-d");
        check("<s-tab>", "Shift-Tab");
        check("<f1>", "F1");
        check("<pgdn>", "PgDn");
        check("<", "<");
        assert!(Stroke::parse("<hyper>").expect_err("no such key").contains("hyper"));
        assert!(Stroke::parse("jj").is_err());
    }

    #[test]
    fn a_shifted_letter_is_its_capital_and_back_tab_is_shift_tab() {
        let shifted = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::SHIFT);
        assert_eq!(Stroke::of(&shifted), Stroke::parse("D").expect("a key"));
        let capital = KeyEvent::new(KeyCode::Char('D'), KeyModifiers::SHIFT);
        assert_eq!(Stroke::of(&capital), Stroke::parse("D").expect("a key"));
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Stroke::of(&back), Stroke::parse("<s-tab>").expect("a key"));
    }
}
