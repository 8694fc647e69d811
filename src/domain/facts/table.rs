//! The registry as the verdicts look it up.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::likeness::likeness;
use super::{Claim, ClaimKind, Owner, RegistryState};
use crate::domain::Key;
use crate::domain::progress::RegistryReport;
use crate::domain::project::{IdRules, ProjectId};

/// What the registry said, resolved against one inventory: live projects, and for each object the rows and references
/// that have its key. Eight bytes a claim; keys are not held, but for those that are missing.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) report: RegistryReport,
    pub(super) ids: IdRules,
    pub(super) projects: Projects,
    pub(super) claims: Vec<PackedClaim>,
    pub(super) missing: Vec<Missing>,
}

/// A key that the registry has and the listing does not, in any spelling. Only a HEAD proves that it is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The key as the source spells it.
    pub key: Key,
    /// What claims it.
    pub claim: Claim,
}

/// Every project that the registry names, by number.
#[derive(Clone, Debug, Default)]
pub(in crate::domain) struct Projects {
    ids: Vec<ProjectId>,
    live: Vec<bool>,
    numbers: FxHashMap<ProjectId, u32>,
    /// The likenesses of live projects whose ids are written in another way than their likenesses.
    likenesses: FxHashSet<Vec<u8>>,
}

impl Projects {
    /// Takes down how live ids are written, when all of them are known.
    pub(super) fn compare(&mut self, prefix: &str) {
        let live = self.ids.iter().zip(&self.live).filter(|&(_, &live)| live);
        let written = live.map(|(id, _)| (id.as_bytes(), likeness(id.as_bytes(), prefix)));
        self.likenesses = written.filter(|(id, likeness)| id != likeness).map(|(_, likeness)| likeness).collect();
    }

    /// Whether a live project's id differs from this one only in how it is written.
    pub(in crate::domain) fn resembles_live(&self, id: &[u8], prefix: &str) -> bool {
        let likeness = likeness(id, prefix);
        self.likenesses.contains(&likeness) || self.find(&likeness).is_some_and(|number| self.is_live(number))
    }

    /// The number of the project of this canonical id, a new one if it has none yet.
    pub(in crate::domain) fn number(&mut self, id: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(id) {
            return number;
        }
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let id = ProjectId::of_canonical(id);
        self.ids.push(id.clone());
        self.live.push(false);
        self.numbers.insert(id, number);
        number
    }

    pub(in crate::domain) fn find(&self, id: &[u8]) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn set_live(&mut self, number: u32) {
        if let Some(live) = self.live.get_mut(number as usize) {
            *live = true;
        }
    }

    pub(in crate::domain) fn is_live(&self, number: u32) -> bool {
        self.live.get(number as usize).copied().unwrap_or(false)
    }

    pub(in crate::domain) fn id(&self, number: u32) -> Option<&ProjectId> {
        self.ids.get(number as usize)
    }

    pub(in crate::domain) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn claim(&self, claim: PackedClaim) -> Claim {
        let owner = match claim.owner().and_then(|number| Some((self.id(number)?, self.is_live(number)))) {
            Some((id, true)) => Owner::Live(id.clone()),
            Some((id, false)) => Owner::Dead(id.clone()),
            None => Owner::Unknown,
        };
        Claim { kind: claim.kind(), owner }
    }
}

/// A claim on an object in eight bytes. Sorted by object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::domain) struct PackedClaim {
    pub(super) object: u32,
    what: u32,
}

const NOBODY: u32 = u32::MAX >> 1;

impl PackedClaim {
    pub(super) fn new(object: u32, kind: ClaimKind, owner: Option<u32>) -> Self {
        let kind = u32::from(kind == ClaimKind::Reference);
        Self { object, what: owner.map_or(NOBODY, |owner| owner.min(NOBODY)) << 1 | kind }
    }

    fn kind(self) -> ClaimKind {
        if self.what & 1 == 0 { ClaimKind::Row } else { ClaimKind::Reference }
    }

    /// The number of the project, if the claim knows it.
    pub(in crate::domain) fn owner(self) -> Option<u32> {
        Some(self.what >> 1).filter(|&owner| owner != NOBODY)
    }
}

impl Facts {
    /// How the reading of the registry went.
    pub fn report(&self) -> &RegistryReport {
        &self.report
    }

    /// The same facts, not to be used for these reasons.
    #[must_use]
    pub fn distrusted(mut self, reasons: Vec<String>) -> Self {
        self.report.state = RegistryState::Unusable(reasons);
        self
    }

    /// How ids were compared.
    pub fn ids(&self) -> &IdRules {
        &self.ids
    }

    /// Whether every source was read to its end and passed its checks, and there is at least one live project: a
    /// registry that knows nobody would make everything an orphan.
    pub fn is_usable(&self) -> bool {
        self.report.state == RegistryState::Usable && self.projects.live.contains(&true)
    }

    /// Whether the registry has this project.
    pub fn is_live(&self, project: &ProjectId) -> bool {
        self.projects.find(project.as_bytes()).is_some_and(|number| self.projects.is_live(number))
    }

    /// The live projects, in no order.
    pub fn live_projects(&self) -> impl Iterator<Item = &ProjectId> {
        self.projects.ids.iter().zip(&self.projects.live).filter(|&(_, &live)| live).map(|(id, _)| id)
    }

    /// Whether any source tracks keys: only then is a key without a row untracked.
    pub fn tracks_keys(&self) -> bool {
        self.report.sources.iter().any(|source| source.tracked.is_some())
    }

    /// Every row and reference that has the key of this object of the inventory.
    pub fn claims_of(&self, object: u32) -> Vec<Claim> {
        self.claims[self.claims_range(object, 0)].iter().map(|&claim| self.projects.claim(claim)).collect()
    }

    /// Tracked or referenced keys that the listing does not have, in the order in which they were read.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    pub(in crate::domain) fn projects(&self) -> &Projects {
        &self.projects
    }

    pub(in crate::domain) fn packed_claims(&self) -> &[PackedClaim] {
        &self.claims
    }

    /// Where an object's claims lie; no earlier than `from`, for those who ask in ascending order.
    pub(in crate::domain) fn claims_range(&self, object: u32, from: usize) -> Range<usize> {
        let rest = &self.claims[from..];
        let start = match rest.first() {
            Some(first) if first.object >= object => from,
            _ => from + rest.partition_point(|claim| claim.object < object),
        };
        let length = self.claims[start..].iter().take_while(|claim| claim.object == object).count();
        start..start + length
    }
}
