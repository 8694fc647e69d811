//! A verdict for every object of a bucket.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::duplicates::duplicates;
use super::names::{Census, Names};
use super::rule::decide;
use super::{Judge, Policy, Trust};
use crate::domain::assessment::{Assessment, AssessmentBuilder};
use crate::domain::bits::BitSet;
use crate::domain::facts::{FactsBuilder, RegistryState};
use crate::domain::inventory::{Inventory, ObjectFields, ObjectIndex};
use crate::domain::layout::Layouts;
use crate::domain::progress::RegistryReport;
use crate::domain::project::IdRules;
use crate::domain::verdict::Flag;

/// How many objects are judged between two questions whether to go on.
const STRIDE: u64 = 16 * 1024;

/// Judges every object of the inventory against which the judge's facts were resolved. Asks `proceed` now and then, with
/// the number of objects judged; if it says no, the rest is left [`Undetermined`](crate::domain::Verdict::Undetermined).
pub fn classify(inventory: &Inventory, judge: &Judge, proceed: &dyn Fn(u64) -> bool) -> Assessment {
    let builder = AssessmentBuilder::new(inventory);
    if !proceed(0) {
        return builder.finish();
    }
    let mut work = Work {
        judge,
        duplicates: duplicates(inventory),
        names: Names::new(&judge.facts, &judge.policy.protected_projects),
        census: Census::default(),
        claims_before: 0,
        unambiguous: Vec::new(),
        ambiguous: Vec::new(),
        builder,
        done: 0,
    };
    let _ = inventory.try_scan(0..inventory.len(), |index, key, fields| {
        if work.done.is_multiple_of(STRIDE) && !proceed(work.done) {
            return ControlFlow::Break(());
        }
        work.one(index, key, fields);
        ControlFlow::Continue(())
    });
    work.finish()
}

/// Which project each object belongs to as far as keys alone can tell, without a registry; no verdict is given.
pub fn by_keys_alone(inventory: &Inventory, layouts: &Layouts, ids: &IdRules) -> Assessment {
    let report = RegistryReport { state: RegistryState::Absent, sources: Vec::new() };
    let facts = FactsBuilder::new(inventory, ids).finish(report);
    let trust = Trust { complete: true, now: None };
    let judge = Judge::new(Arc::new(layouts.clone()), Arc::new(facts), Policy::default(), trust);
    classify(inventory, &judge, &|_| true)
}

struct Work<'w> {
    judge: &'w Judge,
    duplicates: BitSet,
    names: Names<'w>,
    census: Census,
    /// Claims of earlier objects.
    claims_before: usize,
    /// How many objects name only this project, by its number.
    unambiguous: Vec<u32>,
    /// Objects that may belong to several projects: which one they are shown under is chosen when all were seen.
    ambiguous: Vec<(ObjectIndex, Vec<u32>)>,
    builder: AssessmentBuilder,
    done: u64,
}

impl Work<'_> {
    fn one(&mut self, index: ObjectIndex, key: &[u8], fields: &ObjectFields<'_>) {
        self.judge.read(key, &mut self.names, &mut self.census);
        let facts = &self.judge.facts;
        let claims = facts.claims_range(index, self.claims_before);
        self.claims_before = claims.end;
        for claim in &facts.packed_claims()[claims] {
            self.census.claim(claim.owner().map(|number| (number, self.names.life(number))));
        }
        let rule = decide(self.judge.ground, self.judge.tracks_keys, self.census.voices);
        let mut flags = self.judge.flags(key, fields.last_modified, &self.census, &self.names);
        flags.set(Flag::Duplicate, self.duplicates.contains(index));
        let unconfirmed = self.judge.is_unconfirmed(rule.verdict(), key, || fields.etag.to_etag());
        flags.set(Flag::Unconfirmed, unconfirmed);
        let only = match self.census.projects.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => {
                self.ambiguous.push((index, several.to_vec()));
                None
            }
        };
        if let Some(number) = only {
            self.count(number);
        }
        self.builder.push(rule.verdict(), flags, only.and_then(|number| self.names.id(number)), fields.size);
        self.done += 1;
    }

    fn count(&mut self, number: u32) {
        let at = number as usize;
        if at >= self.unambiguous.len() {
            self.unambiguous.resize(at + 1, 0);
        }
        self.unambiguous[at] += 1;
    }

    fn finish(mut self) -> Assessment {
        let unambiguous = |number: u32| self.unambiguous.get(number as usize).copied().unwrap_or(0);
        for (index, projects) in &self.ambiguous {
            if let Some(id) = self.names.primary(projects, unambiguous).and_then(|number| self.names.id(number)) {
                self.builder.show_under(*index, id);
            }
        }
        self.builder.finish()
    }
}
