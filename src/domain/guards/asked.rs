//! What the guards of planning look at, and what they answer.

use std::collections::BTreeMap;

use super::canary::CanaryAnswer;
use crate::domain::capabilities::Locking;
use crate::domain::plan::PlanRow;
use crate::domain::sightings::Observed;
use crate::domain::{ProjectId, Timestamp};

/// Limits that are checked before the first request; exceeding one by one object deletes nothing.
#[derive(Clone, PartialEq, Debug)]
pub struct Caps {
    /// Objects in one plan.
    pub objects: u64,
    /// Bytes in one plan.
    pub bytes: u64,
    /// Distinct projects in one plan.
    pub projects: u64,
    /// Share of the bucket's objects, 0 to 1.
    pub bucket_share: f64,
    /// Share of the objects of any one live project, 0 to 1.
    pub live_project_share: f64,
    /// Share of the tracked keys that may be absent from the listing, 0 to 1.
    pub missing_share: f64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            objects: 100_000,
            bytes: 10 << 40,
            projects: 1_000,
            bucket_share: 0.5,
            live_project_share: 0.5,
            missing_share: 0.2,
        }
    }
}

/// What a guard said of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardReport {
    /// Its name.
    pub name: String,
    /// Whether it lets the plan pass.
    pub passed: bool,
    /// What it compared, or why it refuses and what would change its mind.
    pub message: String,
}

/// What the guards look at beside the rows and the caps.
#[derive(Clone, Debug, Default)]
pub struct GuardFacts {
    /// Why the listing is not all of the bucket, if it is not.
    pub listing_problem: Option<String>,
    /// Why the registry cannot be trusted, if it cannot.
    pub registry_problems: Vec<String>,
    /// Objects in the bucket.
    pub bucket_objects: u64,
    /// Objects in the listing, those that were deleted since among them.
    pub listed: u64,
    /// Objects of each live project that the plan touches.
    pub live_projects: BTreeMap<ProjectId, u64>,
    /// What was seen of each canary that is configured.
    pub canaries: Vec<CanaryAnswer>,
    /// How far listing and registry disagree about what is there.
    pub drift: Drift,
    /// The last complete listing of this bucket.
    pub last_scan: LastScan,
    /// Whether a person said that smaller counts than last time are right.
    pub accepts_shrink: bool,
    /// Whether runs on other machines can be kept out.
    pub locking: Locking,
    /// The rule that objects have to be seen twice, if it is in force.
    pub observed: Option<Observed>,
}

/// Tracked keys that the listing does not have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drift {
    /// Tracked keys.
    pub tracked: u64,
    /// Those that are absent from the listing.
    pub missing: u64,
    /// What HEAD said of some of them; `None` if nobody asked.
    pub sample: Option<DriftSample>,
}

/// What HEAD said of tracked keys that are absent from the listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DriftSample {
    /// Proved not to be there: their rows are left over.
    pub gone: u64,
    /// There: the listing is wrong.
    pub there: u64,
    /// Neither could be proved.
    pub unproven: u64,
}

/// What is remembered of the last complete listing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LastScan {
    /// There was none.
    #[default]
    Never,
    /// There was one.
    Seen {
        /// Its objects, less those that this program's runs have deleted since.
        objects: u64,
        /// When it began, by this machine's clock.
        at: Timestamp,
    },
    /// It cannot be known, for this reason.
    Unreadable(String),
}

/// One question to the guards of planning.
pub(super) struct Asked<'a> {
    pub(super) rows: &'a [PlanRow],
    pub(super) caps: &'a Caps,
    pub(super) facts: &'a GuardFacts,
}
