//! The registry on the screen: its sources, and how far it and the bucket have drifted apart.

pub mod forest;
#[cfg(test)]
pub(crate) mod samples;

use std::collections::BTreeSet;

use crate::domain::drift::DriftReport;
use crate::domain::facts::{ClaimKind, Owner};
use crate::domain::{Key, ProjectId};

use super::effect::Ticket;

/// A way in which bucket and registry can disagree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DriftKind {
    /// Objects of live projects that no row and no reference has.
    Untracked,
    /// Keys of the registry that the listing does not have.
    Missing,
    /// Objects of another size than their row says.
    WrongSize,
    /// Keys that several rows have.
    Repeated,
    /// Rows of projects that the registry does not have.
    DeadRow,
}

impl DriftKind {
    /// Every way, in the order in which they are shown.
    pub const ALL: [DriftKind; 5] =
        [DriftKind::Untracked, DriftKind::Missing, DriftKind::WrongSize, DriftKind::Repeated, DriftKind::DeadRow];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            DriftKind::Untracked => "untracked",
            DriftKind::Missing => "missing",
            DriftKind::WrongSize => "wrong size",
            DriftKind::Repeated => "tracked twice",
            DriftKind::DeadRow => "row of a dead project",
        }
    }

    /// What so many of them are called.
    pub fn noun(self, count: usize) -> &'static str {
        match self {
            DriftKind::WrongSize if count != 1 => "wrong sizes",
            DriftKind::DeadRow if count != 1 => "rows of dead projects",
            one => one.name(),
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            DriftKind::Untracked => {
                "Objects of live projects that the registry does not have: neither a row nor a reference has their keys."
            }
            DriftKind::Missing => {
                "Keys that the registry has and the listing does not. Only a HEAD proves that an object is missing."
            }
            DriftKind::WrongSize => "Objects of another size than their tracking row says.",
            DriftKind::Repeated => "Keys that more than one tracking row has.",
            DriftKind::DeadRow => {
                "Rows of projects that the registry does not have, whose objects are still in the bucket. They go with \
                 their objects when those are cleaned up."
            }
        }
    }

    /// What mends it, from the command line.
    pub fn remedy(self) -> &'static str {
        match self {
            DriftKind::Untracked => "`bucketree registry backfill` plans to record them.",
            DriftKind::Missing => {
                "`bucketree registry prune` plans to remove the rows of those that are proved missing."
            }
            DriftKind::WrongSize | DriftKind::Repeated => "Mend them in the app's own database.",
            DriftKind::DeadRow => "Marked and planned in Findings, their objects go, and the rows with them.",
        }
    }

    /// How many keys of this kind a report has.
    pub fn count(self, report: &DriftReport) -> usize {
        match self {
            DriftKind::Untracked => report.untracked.len(),
            DriftKind::Missing => report.missing.len(),
            DriftKind::WrongSize => report.wrong_sizes.len(),
            DriftKind::Repeated => report.repeated.len(),
            DriftKind::DeadRow => report.dead_rows.len(),
        }
    }

    /// A key of this kind.
    pub fn key(self, report: &DriftReport, at: usize) -> Option<&Key> {
        match self {
            DriftKind::Untracked => report.untracked.get(at).map(|one| &one.key),
            DriftKind::Missing => report.missing.get(at).map(|one| &one.key),
            DriftKind::WrongSize => report.wrong_sizes.get(at).map(|one| &one.key),
            DriftKind::Repeated => report.repeated.get(at).map(|one| &one.key),
            DriftKind::DeadRow => report.dead_rows.get(at).map(|one| &one.key),
        }
    }

    /// The project that a key of this kind belongs to, where that is known.
    pub fn project(self, report: &DriftReport, at: usize) -> Option<&ProjectId> {
        match self {
            DriftKind::Untracked => report.untracked.get(at).map(|one| &one.project),
            DriftKind::Missing => match &report.missing.get(at)?.claim.owner {
                Owner::Live(project) | Owner::Dead(project) => Some(project),
                Owner::Unknown => None,
            },
            DriftKind::DeadRow => report.dead_rows.get(at).map(|one| &one.project),
            DriftKind::WrongSize | DriftKind::Repeated => None,
        }
    }
}

/// The word for a claim.
pub fn claim_word(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Row => "tracking row",
        ClaimKind::Reference => "reference",
    }
}

/// The view of the registry.
#[derive(Default)]
pub struct RegistryView {
    /// What the last comparison found.
    pub report: Option<Box<DriftReport>>,
    /// Which comparison is wanted.
    pub ticket: Ticket,
    /// Whether an answer is awaited.
    pub comparing: bool,
    /// Keys looked into and keys there are, while the store is asked.
    pub checking: Option<(u64, u64)>,
    /// The ways whose keys are rows.
    pub open: BTreeSet<DriftKind>,
}

impl RegistryView {
    /// Keys of a kind.
    pub fn count(&self, kind: DriftKind) -> usize {
        self.report.as_ref().map_or(0, |report| kind.count(report))
    }

    /// A key of a kind.
    pub fn key(&self, kind: DriftKind, at: u32) -> Option<&Key> {
        kind.key(self.report.as_ref()?, at as usize)
    }

    /// The project of a key of a kind.
    pub fn project(&self, kind: DriftKind, at: u32) -> Option<&ProjectId> {
        kind.project(self.report.as_ref()?, at as usize)
    }
}
