//! Colors of the plain output. Color is never the only signal: every painted word says the same without it.

use std::fmt::{self, Display};

use crate::domain::{Outcome, Verdict};

/// What a word is to the reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// All is well.
    Good,
    /// To be looked at.
    Notable,
    /// Wrong.
    Bad,
    /// Beside the point.
    Faint,
    /// A heading.
    Strong,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Tone::Good => "32",
            Tone::Notable => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        }
    }

    /// The tone of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Live => Tone::Good,
            Verdict::Orphaned => Tone::Bad,
            Verdict::Untracked | Verdict::Conflict => Tone::Notable,
            Verdict::Unrecognized | Verdict::Undetermined => Tone::Faint,
        }
    }

    /// The tone of an outcome.
    pub fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            _ if outcome.is_gone() => Tone::Good,
            _ if outcome.is_kept() => Tone::Notable,
            _ => Tone::Bad,
        }
    }
}

/// Paints, or does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paint {
    colors: bool,
}

impl Paint {
    /// Paints only if `colors`.
    pub fn new(colors: bool) -> Self {
        Self { colors }
    }

    /// The text in its tone.
    pub fn tone<T: Display>(self, tone: Tone, text: T) -> Painted<T> {
        Painted { code: self.colors.then(|| tone.code()), text }
    }
}

/// A text that may have a color.
pub struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => self.text.fmt(f),
            Some(code) => {
                write!(f, "\x1b[{code}m")?;
                self.text.fmt(f)?;
                write!(f, "\x1b[0m")
            }
        }
    }
}
