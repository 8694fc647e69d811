//! The ground that the guards of a plan stand on, beside listing and registry: what was remembered of the last complete
//! listing, and what HEAD says of tracked keys that the listing does not have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::audit::Audit;
use super::presence::{self, Presence};
use crate::domain::Key;
use crate::domain::capabilities::{Atomicity, Locking};
use crate::domain::facts::{ClaimKind, Facts};
use crate::domain::guards::{Drift, DriftSample, GuardFacts, LastScan, shrinks};
use crate::domain::inventory::Inventory;
use crate::domain::outcome::Outcome;
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::sightings::{self, Observed, is_watched};
use crate::journal::scans::{ScanMemory, SeenScan};
use crate::journal::sightings::SightingMemory;
use crate::journal::{JournalError, runs};
use crate::store::{ObjectStore, StoreIdentity};

/// Tracked keys that are asked for at most.
const SAMPLE: usize = 50;

/// What the guards need beside listing and audit.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// What HEAD said of tracked keys that are absent; `None` if nobody had to ask.
    pub sample: Option<DriftSample>,
    /// The last complete listing.
    pub last_scan: LastScan,
    /// Whether a person said that smaller counts than last time are right.
    pub accepts_shrink: bool,
    /// Whether a deletion can hit another object than the one that was looked at.
    pub deletes: Atomicity,
    /// Whether runs on other machines can be kept out.
    pub locking: Locking,
}

/// Where listings and runs are remembered, and of which bucket.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The listings.
    pub scans: ScanMemory,
    /// What was seen of orphaned and untracked objects.
    pub sightings: SightingMemory,
    /// The folder that holds one folder per run.
    pub runs: PathBuf,
}

impl Memory {
    /// The memory of a state folder.
    pub fn in_directory(state: &Path, runs: PathBuf) -> Self {
        let sightings = SightingMemory::in_directory(state);
        Self { scans: ScanMemory::in_directory(state), sightings, runs }
    }

    /// The rule that objects have to be seen for so many days, with what was seen so far; `None` if it is not in force.
    pub fn observed(&self, at: &StoreIdentity, days: u64) -> Option<Observed> {
        (days > 0).then(|| {
            let sightings = self.sightings.load(&at.name()).map(Arc::new).map_err(|error| error.to_string());
            Observed { days, sightings }
        })
    }

    /// Remembers what a complete audit saw. Where listing or registry cannot be trusted nothing was seen, and what was
    /// seen before stays.
    ///
    /// # Errors
    /// [`JournalError`]: the objects then count as seen when they were last remembered.
    pub async fn observe(
        &self,
        at: &StoreIdentity,
        inventory: &Inventory,
        audit: &Audit,
        scan: &ScanReport,
    ) -> Result<(), JournalError> {
        let judge = &audit.judge;
        let (Completeness::Complete, true, Some(now)) =
            (&scan.completeness, judge.facts().is_usable(), judge.trust().now)
        else {
            return Ok(());
        };
        let (memory, bucket) = (self.sightings.clone(), at.name());
        let (inventory, assessment) = (inventory.clone(), audit.assessment.clone());
        let observing = tokio::task::spawn_blocking(move || {
            let mut seen = Vec::new();
            inventory.scan(0..inventory.len(), |index, key, fields| {
                let verdict = assessment.verdict(index);
                if is_watched(verdict) {
                    seen.extend(sightings::id(verdict, key, &fields.etag.to_etag()));
                }
            });
            let after = memory.load(&bucket)?.after(seen, now);
            memory.save(&bucket, &after)
        });
        match observing.await {
            Ok(remembered) => remembered,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Holds a listing against the last complete one, and remembers it unless it is incomplete or shrunken and nobody
    /// accepts that. What this program's own runs have deleted since is not held against it.
    pub async fn compare(
        &self,
        at: &StoreIdentity,
        inventory: &Inventory,
        scan: &ScanReport,
        accepts_shrink: bool,
    ) -> LastScan {
        if scan.completeness != Completeness::Complete {
            return LastScan::Never;
        }
        let (memory, at, listed) = (self.clone(), at.clone(), u64::from(inventory.len()));
        let began = scan.local_time;
        let compared = tokio::task::spawn_blocking(move || {
            let last = memory.last(&at, listed)?;
            if accepts_shrink || !shrinks(&last, listed) {
                memory.scans.remember(&at.name(), SeenScan { objects: listed, at: began })?;
            }
            Ok::<_, JournalError>(last)
        });
        match compared.await {
            Ok(Ok(last)) => last,
            Ok(Err(error)) => LastScan::Unreadable(error.to_string()),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn last(&self, at: &StoreIdentity, listed: u64) -> Result<LastScan, JournalError> {
        let Some(seen) = self.scans.last(&at.name())? else { return Ok(LastScan::Never) };
        // Journals are read only where it matters.
        let deleted = if listed < seen.objects { self.deleted_since(at, seen)? } else { 0 };
        Ok(LastScan::Seen { objects: seen.objects.saturating_sub(deleted), at: seen.at })
    }

    /// What runs on this bucket have deleted since the listing began.
    fn deleted_since(&self, at: &StoreIdentity, seen: SeenScan) -> Result<u64, JournalError> {
        let mut deleted = 0;
        for run in runs::list(&self.runs)? {
            let Some(run) = runs::open(&self.runs, &run)?.summary() else { continue };
            // Journals may write whole seconds.
            let is_later = crate::domain::Timestamp::parse(&run.started_at)
                .is_some_and(|started| started.plus_seconds(1) > seen.at);
            if is_later && run.endpoint == at.endpoint && run.bucket == at.bucket {
                deleted += run.outcomes.of(Outcome::Deleted) + run.outcomes.of(Outcome::DeletedByEarlierAttempt);
            }
        }
        Ok(deleted)
    }
}

/// How far listing and registry disagree, before anything was asked of the store.
pub fn drift(facts: &Facts) -> Drift {
    let tracked = facts.report().sources.iter().filter_map(|source| source.tracked).sum();
    let missing = facts.missing().iter().filter(|missing| missing.claim.kind == ClaimKind::Row).count() as u64;
    Drift { tracked, missing, sample: None }
}

/// Asks the store for some of the tracked keys that the listing does not have, if there are so many that a guard wants
/// to know.
pub async fn sample(store: &dyn ObjectStore, facts: &Facts, missing_share: f64) -> Option<DriftSample> {
    if !drift(facts).wants_sample(missing_share) {
        return None;
    }
    let rows: Vec<&Key> = facts
        .missing()
        .iter()
        .filter(|missing| missing.claim.kind == ClaimKind::Row)
        .map(|missing| &missing.key)
        .collect();
    let step = rows.len().div_ceil(SAMPLE).max(1);
    let keys: Vec<Key> = rows.into_iter().step_by(step).cloned().collect();
    let mut sample = DriftSample::default();
    for presence in presence::heads(store, &keys).await {
        match presence {
            Presence::Gone => sample.gone += 1,
            Presence::There(_) => sample.there += 1,
            Presence::Unproven(_) => sample.unproven += 1,
        }
    }
    Some(sample)
}

impl Ground {
    /// Adds the ground to what the guards look at.
    pub fn into_facts(self, facts: GuardFacts, drift: Drift) -> GuardFacts {
        GuardFacts {
            drift: Drift { sample: self.sample, ..drift },
            last_scan: self.last_scan,
            accepts_shrink: self.accepts_shrink,
            locking: self.locking,
            ..facts
        }
    }
}
