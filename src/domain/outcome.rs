//! What can have happened to one key in a run: a closed list.

use std::fmt;
use std::str::FromStr;

/// The end of one planned key. Every key of a plan ends with exactly one of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The store confirmed the deletion of this key in this run.
    Deleted,
    /// The object was copied to the trash, the copy verified, and the source then deleted.
    Trashed,
    /// The object was copied from the trash to where it had been, the copy verified, and the one in the trash then deleted.
    Restored,
    /// The object was recorded in the registry, and its row found there afterwards.
    Recorded,
    /// It was already gone before this run asked for anything.
    AbsentBefore,
    /// A request of this run whose answer was lost had deleted it.
    DeletedByEarlierAttempt,
    /// It is no longer the object that was planned; kept.
    SkippedChanged,
    /// The registry now says that it is alive, or can no longer say that it is not; kept.
    SkippedNowLive,
    /// The store refused for lack of permission.
    Denied,
    /// The store refused because of a lock or retention rule.
    Locked,
    /// The store refused for another reason, or the run stopped before this key was asked for; the object is still there.
    Failed,
    /// Nothing is proved. Never counted as success.
    Unknown,
}

impl Outcome {
    /// Every outcome, in the order in which they are shown.
    pub const ALL: [Outcome; 12] = [
        Outcome::Deleted,
        Outcome::Trashed,
        Outcome::Restored,
        Outcome::Recorded,
        Outcome::AbsentBefore,
        Outcome::DeletedByEarlierAttempt,
        Outcome::SkippedChanged,
        Outcome::SkippedNowLive,
        Outcome::Denied,
        Outcome::Locked,
        Outcome::Failed,
        Outcome::Unknown,
    ];

    /// The word for it in every output and record.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Deleted => "deleted",
            Outcome::Trashed => "trashed",
            Outcome::Restored => "restored",
            Outcome::Recorded => "recorded",
            Outcome::AbsentBefore => "absent-before",
            Outcome::DeletedByEarlierAttempt => "deleted-by-earlier-attempt",
            Outcome::SkippedChanged => "skipped-changed",
            Outcome::SkippedNowLive => "skipped-now-live",
            Outcome::Denied => "denied",
            Outcome::Locked => "locked",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }

    /// Whether the object should no longer be in the bucket; verification proves it.
    pub fn is_gone(self) -> bool {
        matches!(
            self,
            Outcome::Deleted
                | Outcome::Trashed
                | Outcome::Restored
                | Outcome::AbsentBefore
                | Outcome::DeletedByEarlierAttempt
        )
    }

    /// Whether the object was kept on purpose.
    pub fn is_kept(self) -> bool {
        matches!(self, Outcome::SkippedChanged | Outcome::SkippedNowLive)
    }

    /// Whether a person has to look at it: the run did not do what was planned, and not on purpose.
    pub fn is_failure(self) -> bool {
        matches!(self, Outcome::Denied | Outcome::Locked | Outcome::Failed | Outcome::Unknown)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.name() == text)
            .ok_or_else(|| format!("no outcome is called {text:?}"))
    }
}

/// How many keys ended how. Its sum is the number of keys that have an outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutcomeCounts([u64; Outcome::ALL.len()]);

impl OutcomeCounts {
    /// Counts one more key.
    pub fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    /// Keys with this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// Keys with any outcome.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The outcomes that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> {
        Outcome::ALL.into_iter().map(|outcome| (outcome, self.of(outcome))).filter(|(_, count)| *count > 0)
    }

    /// Keys for which `test` holds.
    pub fn sum(&self, test: impl Fn(Outcome) -> bool) -> u64 {
        self.iter().filter(|(outcome, _)| test(*outcome)).map(|(_, count)| count).sum()
    }
}
