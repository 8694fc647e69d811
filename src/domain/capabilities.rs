//! What a store was measured to do, on objects of this program's own. Nothing here is assumed: a store that ignores a
//! condition deletes without a word.

use std::fmt;
use std::str::FromStr;

use super::Timestamp;
use super::via::Via;

/// Measurements older than this are not relied upon: stores are changed.
pub const VALID_DAYS: i64 = 30;

/// One question to a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Capability {
    /// May these credentials list?
    List,
    /// May they ask for an object, and does 404 mean that it is not there?
    Head,
    /// Do the clocks agree?
    Clock,
    /// May they write?
    Put,
    /// May they delete one object?
    Delete,
    /// May they delete many objects at once, and does the answer name each of them?
    DeleteMany,
    /// Does `If-None-Match: *` keep a write from replacing an object?
    WriteOnce,
    /// Does `If-Match` keep a deletion from removing another object?
    DeleteIfMatch,
    /// Does `x-amz-if-match-last-modified-time` keep a deletion from removing another object, as RFC 3339 writes times? R2
    /// documents this condition and no other for deletions (r2/api/s3/api), but not the form of the time.
    DeleteIfTime,
    /// The same, with the time as HTTP writes it.
    DeleteIfHttpTime,
    /// Does an `ETag` in a deletion of many keep it from removing another object?
    DeleteManyIfMatch,
    /// Is a deletion of many taken with a CRC32 in place of a Content-MD5?
    DeleteManyCrc32,
    /// Are deleted keys left out of a quiet answer to a deletion of many?
    Quiet,
    /// Is a missing key of a deletion of many named as missing, instead of as deleted?
    NamesMissing,
    /// Is there one object for all Unicode spellings of a key?
    FoldsNfc,
    /// Do `+`, space and `%2B` in keys come back from a listing as they were written?
    ExactKeys,
}

impl Capability {
    /// Every question, in the order in which they are asked and shown.
    pub const ALL: [Capability; 16] = [
        Capability::List,
        Capability::Head,
        Capability::Clock,
        Capability::Put,
        Capability::Delete,
        Capability::DeleteMany,
        Capability::WriteOnce,
        Capability::DeleteIfMatch,
        Capability::DeleteIfTime,
        Capability::DeleteIfHttpTime,
        Capability::DeleteManyIfMatch,
        Capability::DeleteManyCrc32,
        Capability::Quiet,
        Capability::NamesMissing,
        Capability::FoldsNfc,
        Capability::ExactKeys,
    ];

    /// The word for it in outputs and files.
    pub fn name(self) -> &'static str {
        match self {
            Capability::List => "list",
            Capability::Head => "head",
            Capability::Put => "put",
            Capability::Delete => "delete",
            Capability::DeleteMany => "delete-many",
            Capability::Clock => "clock",
            Capability::WriteOnce => "write-once",
            Capability::DeleteIfMatch => "delete-if-match",
            Capability::DeleteManyIfMatch => "delete-many-if-match",
            Capability::DeleteIfTime => "delete-if-time",
            Capability::DeleteIfHttpTime => "delete-if-http-time",
            Capability::DeleteManyCrc32 => "delete-many-crc32",
            Capability::Quiet => "quiet",
            Capability::NamesMissing => "names-missing",
            Capability::FoldsNfc => "folds-nfc",
            Capability::ExactKeys => "exact-keys",
        }
    }

    /// Whether the program cannot clean up without it.
    pub fn is_needed(self) -> bool {
        matches!(
            self,
            Capability::List | Capability::Head | Capability::Clock | Capability::Delete | Capability::ExactKeys
        )
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| format!("no capability is called {text:?}"))
    }
}

/// What came of one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The question.
    pub capability: Capability,
    /// Yes or no; `None` if it could not be found out.
    pub holds: Option<bool>,
    /// What was seen, for a person.
    pub seen: String,
}

/// Everything that was measured at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measured {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Measured {
    /// Whether it can still be relied upon.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        (0..=VALID_DAYS * 86_400).contains(&now.seconds_since(self.at))
    }

    /// Whether any condition on a deletion of one key was proved.
    fn alone(&self) -> Option<bool> {
        let known = [Capability::DeleteIfMatch, Capability::DeleteIfTime, Capability::DeleteIfHttpTime];
        known.into_iter().filter_map(|capability| self.holds(capability)).max()
    }

    /// Whether a capability was proved.
    pub fn holds(&self, capability: Capability) -> Option<bool> {
        self.findings.iter().find(|finding| finding.capability == capability).and_then(|finding| finding.holds)
    }
}

/// Whether a deletion can hit another object than the one that was looked at just before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Atomicity {
    /// It cannot: the store was proved to honour conditions.
    Proved {
        /// When, by this machine's clock.
        at: Timestamp,
    },
    /// It cannot if keys are deleted one by one; in a deletion of many it can.
    ProvedAlone {
        /// When, by this machine's clock.
        at: Timestamp,
    },
    /// It can: the store was seen to ignore or refuse conditions.
    Disproved {
        /// When, by this machine's clock.
        at: Timestamp,
    },
    /// It may: nobody measured it, or too long ago.
    #[default]
    Unmeasured,
}

impl Atomicity {
    /// What measurements say now of deletions that go this way.
    pub fn of(measured: Option<&Measured>, via: Via, now: Timestamp) -> Self {
        let Some(measured) = measured.filter(|measured| measured.is_valid(now)) else { return Atomicity::Unmeasured };
        let at = measured.at;
        let many = measured.holds(Capability::DeleteManyIfMatch);
        match (measured.alone(), many) {
            (Some(true), _) if via != Via::Batch => Atomicity::Proved { at },
            (Some(true), Some(true)) => Atomicity::Proved { at },
            (Some(true), Some(false)) => Atomicity::ProvedAlone { at },
            (None, None) => Atomicity::Unmeasured,
            _ => Atomicity::Disproved { at },
        }
    }

    /// Whether the condition is to be sent.
    pub fn is_proved(self) -> bool {
        matches!(self, Atomicity::Proved { .. })
    }
}

impl fmt::Display for Atomicity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atomicity::Proved { at } => {
                write!(f, "deletes here are atomic: the store honours conditions (measured {at})")
            }
            Atomicity::ProvedAlone { at } => write!(
                f,
                "not atomic in batches: HEAD, then DELETE; one by one, --via single, deletes are atomic (measured {at})"
            ),
            Atomicity::Disproved { at } => {
                write!(f, "not atomic: HEAD, then DELETE; the store ignores conditions (measured {at})")
            }
            Atomicity::Unmeasured => {
                f.write_str("not atomic: HEAD, then DELETE; conditions are not measured (`bucketree doctor --probe`)")
            }
        }
    }
}

/// Whether a run can keep runs on other machines out of the bucket, by an object that only one of them can write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Locking {
    /// It can: the store was proved to honour `If-None-Match: *`.
    Proved {
        /// When, by this machine's clock.
        at: Timestamp,
    },
    /// It cannot: the store was seen to ignore or refuse the condition.
    Disproved {
        /// When, by this machine's clock.
        at: Timestamp,
    },
    /// It does not try: nobody measured it, or too long ago.
    #[default]
    Unmeasured,
}

impl Locking {
    /// What measurements say now.
    pub fn of(measured: Option<&Measured>, now: Timestamp) -> Self {
        let Some(measured) = measured.filter(|measured| measured.is_valid(now)) else { return Locking::Unmeasured };
        let at = measured.at;
        match measured.holds(Capability::WriteOnce) {
            Some(true) => Locking::Proved { at },
            Some(false) => Locking::Disproved { at },
            None => Locking::Unmeasured,
        }
    }

    /// Whether the lock is to be written.
    pub fn is_proved(self) -> bool {
        matches!(self, Locking::Proved { .. })
    }
}

impl fmt::Display for Locking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Locking::Proved { at } => {
                write!(f, "a lock in the bucket keeps runs on other machines out (If-None-Match measured {at})")
            }
            Locking::Disproved { at } => write!(
                f,
                "only runs on this machine are kept out: the store ignores If-None-Match (measured {at}); clean up from one machine"
            ),
            Locking::Unmeasured => f.write_str(
                "only runs on this machine are kept out: If-None-Match is not measured (`bucketree doctor --probe`)",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(single: Option<bool>, many: Option<bool>) -> Measured {
        let finding = |capability, holds| Finding { capability, holds, seen: String::new() };
        let findings = vec![finding(Capability::DeleteIfMatch, single), finding(Capability::DeleteManyIfMatch, many)];
        Measured { at: Timestamp(0), findings }
    }

    #[test]
    fn only_what_was_proved_for_both_ways_and_lately_is_atomic() {
        let at = Timestamp(0);
        let check = |single, many, days: i64, expected| {
            let now = at.plus_seconds(days * 86_400);
            assert_eq!(
                Atomicity::of(Some(&measured(single, many)), Via::Batch, now),
                expected,
                "{single:?} {many:?} {days}"
            );
        };
        check(Some(true), Some(true), 0, Atomicity::Proved { at });
        check(Some(true), Some(true), VALID_DAYS, Atomicity::Proved { at });
        check(Some(true), Some(true), VALID_DAYS + 1, Atomicity::Unmeasured);
        check(Some(true), Some(true), -1, Atomicity::Unmeasured);
        for (single, many) in
            [(Some(false), Some(true)), (Some(true), None), (None, Some(true)), (Some(false), Some(false))]
        {
            check(single, many, 0, Atomicity::Disproved { at });
        }
        check(Some(true), Some(false), 0, Atomicity::ProvedAlone { at });
        check(None, None, 0, Atomicity::Unmeasured);
        assert_eq!(Atomicity::of(None, Via::Batch, at), Atomicity::Unmeasured);
        let alone = measured(Some(true), Some(false));
        assert_eq!(Atomicity::of(Some(&alone), Via::Sequential, at), Atomicity::Proved { at });
        let finding = |capability, holds| Finding { capability, holds: Some(holds), seen: String::new() };
        let by_time = [finding(Capability::DeleteIfMatch, false), finding(Capability::DeleteIfTime, true)];
        let by_time = Measured { at, findings: by_time.into() };
        assert_eq!(Atomicity::of(Some(&by_time), Via::Single, at), Atomicity::Proved { at });
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse(), Ok(capability));
        }
        assert!("teleport".parse::<Capability>().is_err());
    }
}
