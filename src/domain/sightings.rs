//! Since when each object is what it is: orphaned or untracked, with the same ETag, in every complete scan. What was that
//! for some days is not what an app is just writing, nor what a registry forgot for a moment.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{ETag, Timestamp, Verdict};

/// Objects that are remembered at most, those first that were seen first. What is not remembered counts as not seen.
pub const MOST: usize = 2_000_000;

/// Stands for one object with one verdict and one ETag: the beginning of a SHA-256 over them, so that no key has to be kept.
pub type SightingId = [u8; 16];

/// The id of an object as it is seen; `None` for verdicts by which nothing is selected in bulk.
pub fn id(verdict: Verdict, key: &[u8], etag: &ETag) -> Option<SightingId> {
    if !is_watched(verdict) {
        return None;
    }
    let length = (key.len() as u64).to_le_bytes();
    let digest = Sha256::new().chain_update(verdict.name()).chain_update(length).chain_update(key);
    let digest: [u8; 32] = digest.chain_update(etag.as_str()).finalize().into();
    digest.first_chunk().copied()
}

/// Whether objects of this verdict have to be seen twice before they are planned.
pub fn is_watched(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Orphaned | Verdict::Untracked)
}

/// What was seen of a bucket.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sightings {
    /// Sorted by id, none twice.
    entries: Vec<(SightingId, Timestamp)>,
}

impl Sightings {
    /// From entries in any order; of two with one id the earlier one counts.
    pub fn new(mut entries: Vec<(SightingId, Timestamp)>) -> Self {
        if entries.len() > MOST {
            entries.sort_unstable_by_key(|(_, since)| *since);
            entries.truncate(MOST);
        }
        entries.sort_unstable();
        entries.dedup_by_key(|(id, _)| *id);
        Self { entries }
    }

    /// Each entry, by id.
    pub fn entries(&self) -> &[(SightingId, Timestamp)] {
        &self.entries
    }

    /// Since when it was seen like that in every complete scan.
    pub fn since(&self, id: &SightingId) -> Option<Timestamp> {
        let at = self.entries.binary_search_by(|(known, _)| known.cmp(id)).ok()?;
        self.entries.get(at).map(|(_, since)| *since)
    }

    /// What is known after one more complete scan, in which just these were seen: whoever is among them keeps its time,
    /// whoever is not is forgotten.
    pub fn after(&self, seen: impl IntoIterator<Item = SightingId>, now: Timestamp) -> Self {
        Self::new(seen.into_iter().map(|id| (id, self.since(&id).unwrap_or(now))).collect())
    }
}

/// The rule that an object must have been seen some time ago.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observed {
    /// How long ago, in days.
    pub days: u64,
    /// What was seen, or why that cannot be known.
    pub sightings: Result<Arc<Sightings>, String>,
}

impl Observed {
    /// Whether an object was seen as what it is long enough ago. Without a clock nothing was.
    pub fn confirms(&self, verdict: Verdict, key: &[u8], etag: &ETag, now: Option<Timestamp>) -> bool {
        let Some(id) = id(verdict, key, etag) else { return true };
        let since = self.sightings.as_ref().ok().and_then(|sightings| sightings.since(&id));
        let days = i64::try_from(self.days).unwrap_or(i64::MAX);
        since.zip(now).is_some_and(|(since, now)| now.seconds_since(since) >= days.saturating_mul(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(verdict: Verdict, key: &str, etag: &str) -> Option<SightingId> {
        id(verdict, key.as_bytes(), &ETag::new(etag))
    }

    #[test]
    fn only_the_same_object_with_the_same_verdict_is_the_same_sighting() {
        let one = of(Verdict::Orphaned, "a/b", "e");
        assert!(one.is_some());
        assert_eq!(one, of(Verdict::Orphaned, "a/b", "e"));
        for other in [
            of(Verdict::Untracked, "a/b", "e"),
            of(Verdict::Orphaned, "a/b", "f"),
            of(Verdict::Orphaned, "a/be", ""),
            of(Verdict::Orphaned, "a/", "be"),
            of(Verdict::Live, "a/b", "e"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_sighting_begins_anew_when_the_object_was_something_else_meanwhile() {
        let [a, b] = ["a", "b"].map(|key| of(Verdict::Orphaned, key, "e").expect("watched"));
        let first = Sightings::default().after([a, b], Timestamp(1));
        let second = first.after([b], Timestamp(2));
        let third = second.after([b, a, b], Timestamp(3));
        assert_eq!((third.since(&a), third.since(&b)), (Some(Timestamp(3)), Some(Timestamp(1))));
        assert_eq!(third.entries().len(), 2);
    }

    #[test]
    fn an_object_is_confirmed_when_the_days_have_passed_and_not_before() {
        let (key, etag, day) = (b"a", ETag::new("e"), 86_400_000);
        let id = id(Verdict::Orphaned, b"a", &etag).expect("watched");
        let sightings = Sightings::default().after([id], Timestamp(0));
        let observed = Observed { days: 3, sightings: Ok(Arc::new(sightings)) };
        let check = |now: Option<i64>, expected: bool| {
            assert_eq!(observed.confirms(Verdict::Orphaned, key, &etag, now.map(Timestamp)), expected, "{now:?}");
        };
        check(None, false);
        check(Some(3 * day - 1000), false);
        check(Some(3 * day), true);
        assert!(!observed.confirms(Verdict::Orphaned, key, &ETag::new("other"), Some(Timestamp(9 * day))));
        assert!(observed.confirms(Verdict::Live, key, &etag, None), "only what is selected in bulk has to be seen");
        let blind = Observed { sightings: Err("torn".into()), ..observed.clone() };
        assert!(!blind.confirms(Verdict::Orphaned, key, &etag, Some(Timestamp(9 * day))));
    }
}
