//! The names of the ways in which deletions can reach a store.

use std::fmt;
use std::str::FromStr;

/// A way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Via {
    /// Up to 1,000 keys in a request; one by one what XML cannot carry, and everything where the store has no such request.
    #[default]
    Batch,
    /// One key in a request, several requests at a time.
    Single,
    /// One key in a request, one request at a time.
    Sequential,
}

impl Via {
    /// Every way.
    pub const ALL: [Via; 3] = [Via::Batch, Via::Single, Via::Sequential];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Via::Batch => "batch",
            Via::Single => "single",
            Via::Sequential => "sequential",
        }
    }

    /// What it does, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Via::Batch => "up to 1,000 keys in a request",
            Via::Single => "one key in a request, several at a time",
            Via::Sequential => "one key in a request, one after the other",
        }
    }

    /// How many batches may be under way, if `wanted` are asked for.
    pub fn concurrency(self, wanted: usize) -> usize {
        if self == Via::Sequential { 1 } else { wanted }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Via {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|via| via.name() == text)
            .ok_or_else(|| format!("no way of deleting is called {text:?}: batch, single or sequential"))
    }
}
