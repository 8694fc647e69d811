//! Text that never shows.

use std::fmt;

/// A secret. `Debug` and `Display` show none of it, or, for what a person must be able to recognise, its first
/// characters. There is no way to serialise it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    shown: usize,
}

impl Secret {
    /// A secret that shows nothing.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), shown: 0 }
    }

    /// A secret whose first four characters may be seen if that is not half of it: an access key's id.
    pub fn recognisable(text: impl Into<String>) -> Self {
        let text = text.into();
        let shown = if text.chars().count() > 8 { 4 } else { 0 };
        Self { text, shown }
    }

    /// The secret itself, for whoever signs with it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.text.chars().take(self.shown).collect();
        if start.is_empty() { f.write_str("(hidden)") } else { write!(f, "{start}... (hidden)") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
