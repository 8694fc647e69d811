//! How far bucket and registry have drifted apart, in both directions, and how the objects of one project are found.

use std::collections::BTreeSet;

use super::assessment::Assessment;
use super::facts::{Claim, ClaimKind, Owner, SourceReport};
use super::inventory::{Inventory, ObjectIndex};
use super::judge::Judge;
use super::verdict::Verdict;
use super::{Key, ProjectId};

/// What is in the bucket and not in the registry, and the other way round.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DriftReport {
    /// The one project that was compared; `None` for all of the bucket.
    pub project: Option<ProjectId>,
    /// The sources that were read, with their counts and times.
    pub sources: Vec<SourceReport>,
    /// Why the comparison cannot be trusted, if it cannot: the listing is incomplete, or a source is not fit for use.
    pub problem: Option<String>,
    /// Objects with a tracking row.
    pub in_both: u64,
    /// Objects of live projects that no row and no reference has.
    pub untracked: Vec<UntrackedObject>,
    /// Keys of the registry that the listing does not have.
    pub missing: Vec<MissingKey>,
    /// Objects of another size than their row says, where rows say it.
    pub wrong_sizes: Vec<WrongSize>,
    /// Keys that several rows have.
    pub repeated: Vec<RepeatedKey>,
    /// Rows of projects that the registry does not have, whose objects are in the bucket.
    pub dead_rows: Vec<DeadRow>,
    /// The two sides of one project; `None` for all of the bucket.
    pub sides: Option<Sides>,
}

/// An object that should be tracked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UntrackedObject {
    /// Its key.
    pub key: Key,
    /// Bytes.
    pub size: u64,
    /// The live project that its key names.
    pub project: ProjectId,
}

/// A key that the registry has and the listing does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingKey {
    /// The key as the source spells it.
    pub key: Key,
    /// Row or reference, and whose.
    pub claim: Claim,
    /// What the store said when it was asked for this key.
    pub proof: Absence,
}

/// What is known of a key that the listing does not have. Only a HEAD proves that an object is missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Absence {
    /// Nobody has asked yet.
    #[default]
    NotAsked,
    /// The store says that there is no object.
    Proved,
    /// There is an object: it came after the listing, or the listing was wrong.
    ThereAfterAll,
    /// The store could not say, for this reason.
    Unproven(String),
}

/// A row that says another size than the object has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongSize {
    /// The key.
    pub key: Key,
    /// Bytes that the row says.
    pub recorded: u64,
    /// Bytes that the object has.
    pub actual: u64,
}

/// A key that is tracked more than once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RepeatedKey {
    /// The key.
    pub key: Key,
    /// How many rows have it.
    pub rows: u64,
}

/// A row of a project that the registry does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadRow {
    /// The object's key.
    pub key: Key,
    /// Its size.
    pub size: u64,
    /// The project that the row names.
    pub project: ProjectId,
}

/// The two sides of one project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sides {
    /// Rows of the project whose keys the listing does not have.
    pub only_registry: Vec<Key>,
    /// Objects that a layout reads as the project's and that no row of it has.
    pub only_bucket: Vec<Key>,
    /// Objects with a row of the project.
    pub both: Vec<Key>,
}

/// How an object of a project is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FoundBy {
    /// A row or reference of the registry names the project; no layout does.
    Registry,
    /// A layout reads the project from the key; the registry does not say so.
    Layout,
    /// Both.
    Both,
}

impl FoundBy {
    /// Every way, in the order in which they are shown.
    pub const ALL: [FoundBy; 3] = [FoundBy::Registry, FoundBy::Layout, FoundBy::Both];

    /// The word for it in every output.
    pub fn name(self) -> &'static str {
        match self {
            FoundBy::Registry => "registry",
            FoundBy::Layout => "layout",
            FoundBy::Both => "both",
        }
    }
}

impl DriftReport {
    /// Whether bucket and registry say the same. Rows of dead projects whose objects are there are a matter of cleaning up,
    /// and no drift.
    pub fn agrees(&self) -> bool {
        self.problem.is_none()
            && self.untracked.is_empty()
            && self.missing.iter().all(|missing| missing.proof == Absence::ThereAfterAll)
            && self.wrong_sizes.is_empty()
            && self.repeated.is_empty()
    }

    /// Missing keys of which this is known.
    pub fn missing_with(&self, proof: impl Fn(&Absence) -> bool) -> u64 {
        self.missing.iter().filter(|missing| proof(&missing.proof)).count() as u64
    }
}

/// Whether and how the registry and the layouts say that an object is a project's.
pub fn found_by(judge: &Judge, key: &[u8], claims: &[Claim], project: &ProjectId) -> Option<FoundBy> {
    let by_registry = claims.iter().any(|claim| is_of(claim, project));
    let by_layout =
        judge.layouts().readings(key, judge.facts().ids()).list.iter().any(|reading| reading.project == *project);
    match (by_registry, by_layout) {
        (true, true) => Some(FoundBy::Both),
        (true, false) => Some(FoundBy::Registry),
        (false, true) => Some(FoundBy::Layout),
        (false, false) => None,
    }
}

fn is_of(claim: &Claim, project: &ProjectId) -> bool {
    matches!(&claim.owner, Owner::Live(owner) | Owner::Dead(owner) if owner == project)
}

/// What a comparison came to so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// Nothing is proved missing yet, and rows were not looked into.
    pub report: DriftReport,
    /// The objects that were compared and have a row.
    pub tracked: Vec<ObjectIndex>,
}

/// Compares listing and registry without asking the store.
pub fn compare(judge: &Judge, assessment: &Assessment, inventory: &Inventory, project: Option<&ProjectId>) -> Compared {
    let facts = judge.facts();
    let mut report = DriftReport {
        project: project.cloned(),
        sources: facts.report().sources.clone(),
        sides: project.map(|_| Sides::default()),
        ..DriftReport::default()
    };
    let mut tracked = Vec::new();
    inventory.scan(0..inventory.len(), |index, key, fields| {
        let claims = facts.claims_of(index);
        if let Some(project) = project
            && !report.take_side(judge, key, &claims, project)
        {
            return;
        }
        tracked.extend(claims.iter().any(|claim| claim.kind == ClaimKind::Row).then_some(index));
        report.take_object(assessment, index, key, fields.size, &claims);
    });
    let mut seen = BTreeSet::new();
    for missing in facts.missing() {
        let is_meant = project.is_none_or(|project| is_of(&missing.claim, project));
        if !is_meant || !seen.insert((&missing.key, &missing.claim)) {
            continue;
        }
        if let (Some(sides), ClaimKind::Row) = (&mut report.sides, missing.claim.kind) {
            sides.only_registry.push(missing.key.clone());
        }
        let (key, claim) = (missing.key.clone(), missing.claim.clone());
        report.missing.push(MissingKey { key, claim, proof: Absence::NotAsked });
    }
    report.missing.sort_by(|a, b| (&a.key, &a.claim).cmp(&(&b.key, &b.claim)));
    report.in_both = tracked.len() as u64;
    Compared { report, tracked }
}

impl DriftReport {
    /// Puts an object on its side; `false` if it is not the project's.
    fn take_side(&mut self, judge: &Judge, key: &[u8], claims: &[Claim], project: &ProjectId) -> bool {
        if found_by(judge, key, claims, project).is_none() {
            return false;
        }
        let has_row = claims.iter().any(|claim| claim.kind == ClaimKind::Row && is_of(claim, project));
        if let Some(sides) = &mut self.sides {
            if has_row { &mut sides.both } else { &mut sides.only_bucket }.push(Key::new(key));
        }
        true
    }

    fn take_object(&mut self, assessment: &Assessment, index: ObjectIndex, key: &[u8], size: u64, claims: &[Claim]) {
        if assessment.verdict(index) == Verdict::Untracked
            && let Some(project) = assessment.project(index)
        {
            let project = assessment.project_id(project).clone();
            self.untracked.push(UntrackedObject { key: Key::new(key), size, project });
        }
        for claim in claims {
            if let (ClaimKind::Row, Owner::Dead(project)) = (claim.kind, &claim.owner) {
                self.dead_rows.push(DeadRow { key: Key::new(key), size, project: project.clone() });
            }
        }
    }
}

#[cfg(test)]
mod tests;
