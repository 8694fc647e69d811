//! Verdicts: layouts' readings, the registry's claims and age, weighed by one table.
//!
//! Keep by default. An object is an orphan only if there is a reading and every reading is dead.

mod classify;
mod duplicates;
mod names;
mod rule;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use classify::{by_keys_alone, classify};
use names::{Census, Life, Names};
use rule::{Ground, Rule, decide};

use super::facts::{Claim, Facts, Owner, RegistryState};
use super::guards::canary::Canary;
use super::layout::Layouts;
use super::object::{ETag, Object, Timestamp};
use super::progress::{Completeness, ScanReport};
use super::project::ProjectId;
use super::sightings::{Observed, is_watched};
use super::verdict::{Evidence, Flag, Flags, Health, Verdict};

/// Where the program keeps its own objects: the trash, locks. Never to be cleaned up as somebody's orphans.
pub const OWN_PREFIX: &[u8] = b".bucketree/";

/// A timestamp of the first year of Unix time is a clock that was never set, not an age.
const UNSET_UNTIL: Timestamp = Timestamp(365 * 24 * 60 * 60 * 1000);

/// What the configuration says about flags.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Objects younger than this are `young`, in seconds.
    pub min_age_seconds: i64,
    /// Keys that start so are `protected`, beside [`OWN_PREFIX`].
    pub protected_prefixes: Vec<Vec<u8>>,
    /// Objects that may belong to these are `protected`.
    pub protected_projects: Vec<ProjectId>,
    /// What must be seen alive, or nothing that was seen counts.
    pub canary: Canary,
    /// What earlier scans saw, if objects have to be seen twice.
    pub observed: Option<Observed>,
}

/// How far the listing can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trust {
    /// Whether the listing is all of the bucket.
    pub complete: bool,
    /// Now, by the server's clock; without it every object is `young`.
    pub now: Option<Timestamp>,
}

impl Trust {
    /// What a listing can be trusted with.
    pub fn of(scan: &ScanReport) -> Self {
        Self { complete: !matches!(scan.completeness, Completeness::Incomplete(_)), now: scan.server_time }
    }
}

/// What is said of one object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The flags, but for `duplicate`, which only a look at the whole bucket can tell.
    pub flags: Flags,
    /// The project under which it is grouped: a live one if any. Among several a whole bucket may choose better than one
    /// object can; then the assessment's choice counts.
    pub project: Option<ProjectId>,
}

/// Everything that a verdict rests on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Judge {
    layouts: Arc<Layouts>,
    facts: Arc<Facts>,
    policy: Arc<Policy>,
    trust: Trust,
    ground: Ground,
    tracks_keys: bool,
}

impl Judge {
    /// A judge by these layouts, facts, policy and listing. Ids are compared as the facts compare them.
    pub fn new(layouts: Arc<Layouts>, facts: Arc<Facts>, policy: Policy, trust: Trust) -> Self {
        let ground = match &facts.report().state {
            _ if !trust.complete => Ground::ListingIncomplete,
            RegistryState::Absent => Ground::NoRegistry,
            RegistryState::Unusable(_) => Ground::RegistryUnusable,
            RegistryState::Usable if !facts.is_usable() => Ground::NoLiveProject,
            RegistryState::Usable => Ground::Firm,
        };
        let tracks_keys = facts.tracks_keys();
        Self { layouts, facts, policy: Arc::new(policy), trust, ground, tracks_keys }
    }

    /// The layouts.
    pub fn layouts(&self) -> &Layouts {
        &self.layouts
    }

    /// The registry's facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How far the listing is trusted.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// What is to be said of an object whose key these claims have.
    pub fn judge(&self, object: &Object, claims: &[Claim]) -> Judgement {
        let mut names = Names::new(&self.facts, &self.policy.protected_projects);
        let (rule, census) = self.weigh_one(object, claims, &mut names);
        self.judgement(object, rule, &census, &names)
    }

    /// The same judgement, with everything that was compared.
    pub fn evidence(&self, object: &Object, claims: &[Claim]) -> (Judgement, Evidence) {
        let mut names = Names::new(&self.facts, &self.policy.protected_projects);
        let (rule, census) = self.weigh_one(object, claims, &mut names);
        let mut claims = claims.to_vec();
        claims.sort();
        let readings = self.layouts.readings(object.key.as_bytes(), self.facts.ids()).list.into_iter();
        let readings = readings.map(|reading| (self.facts.is_live(&reading.project), reading));
        let readings = readings.map(|(live, reading)| (reading, live)).collect();
        let evidence = Evidence {
            because: self.because(rule, &census, &names),
            readings,
            claims,
            sources: self.facts.report().sources.iter().map(|source| source.line()).collect(),
            age_seconds: self.age_seconds(object.last_modified),
            judged_at: self.trust.now,
        };
        (self.judgement(object, rule, &census, &names), evidence)
    }

    fn weigh_one(&self, object: &Object, claims: &[Claim], names: &mut Names<'_>) -> (Rule, Census) {
        let mut census = Census::default();
        self.read(object.key.as_bytes(), names, &mut census);
        for claim in claims {
            census.claim(match &claim.owner {
                Owner::Live(project) => Some((names.number(project.as_bytes()), Life::Live)),
                Owner::Dead(project) => {
                    let number = names.number(project.as_bytes());
                    Some((number, names.life(number)))
                }
                Owner::Unknown => None,
            });
        }
        (decide(self.ground, self.tracks_keys, census.voices), census)
    }

    /// Counts every reading of a key.
    fn read(&self, key: &[u8], names: &mut Names<'_>, census: &mut Census) {
        census.clear();
        let complete = self.layouts.each_match(key, &mut |found| {
            if let Some((number, prefixes)) = names.spelled(found.project()) {
                census.reading(number, names.life(number), prefixes, found.layout.health == Health::Legacy);
            }
        });
        census.voices.overflow = !complete;
    }

    fn judgement(&self, object: &Object, rule: Rule, census: &Census, names: &Names<'_>) -> Judgement {
        let mut flags = self.flags(object.key.as_bytes(), object.last_modified, census, names);
        flags
            .set(Flag::Unconfirmed, self.is_unconfirmed(rule.verdict(), object.key.as_bytes(), || object.etag.clone()));
        let project = names.primary(&census.projects, |_| 0).and_then(|number| names.id(number)).cloned();
        Judgement { verdict: rule.verdict(), flags, project }
    }

    fn flags(&self, key: &[u8], last_modified: Option<Timestamp>, census: &Census, names: &Names<'_>) -> Flags {
        let mut flags = census.flags();
        flags.set(Flag::Young, self.is_young(last_modified));
        let protected = self.protects_key(key) || census.projects.iter().any(|&number| names.is_protected(number));
        flags.set(Flag::Protected, protected);
        flags
    }

    fn because(&self, rule: Rule, census: &Census, names: &Names<'_>) -> String {
        if let (Rule::RegistryUnusable, RegistryState::Unusable(reasons)) = (rule, &self.facts.report().state) {
            return format!("The registry cannot be used, so nothing can be said: {}.", reasons.join("; "));
        }
        let list = |live: bool| {
            let ids = census.projects.iter().filter(|&&number| names.is_live(number) == live);
            ids.filter_map(|&number| names.id(number)).map(ProjectId::to_string).collect::<Vec<_>>()
        };
        rule.sentence(&list(true), &list(false))
    }

    fn age_seconds(&self, last_modified: Option<Timestamp>) -> Option<i64> {
        let then = last_modified.filter(|&then| then > UNSET_UNTIL)?;
        Some(self.trust.now?.seconds_since(then))
    }

    /// Younger than the guard. What has no age that can be believed counts as young: keep by default.
    fn is_young(&self, last_modified: Option<Timestamp>) -> bool {
        let old_enough = |age: i64| age >= 0 && age >= self.policy.min_age_seconds;
        !(last_modified.zip(self.trust.now).is_some_and(|(then, now)| then <= now)
            && self.age_seconds(last_modified).is_some_and(old_enough))
    }

    /// Whether it still has to be seen for some time as what it is.
    fn is_unconfirmed(&self, verdict: Verdict, key: &[u8], etag: impl FnOnce() -> ETag) -> bool {
        let observed = self.policy.observed.as_ref().filter(|_| is_watched(verdict));
        observed.is_some_and(|observed| !observed.confirms(verdict, key, &etag(), self.trust.now))
    }

    fn protects_key(&self, key: &[u8]) -> bool {
        key.starts_with(OWN_PREFIX) || self.policy.protected_prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}
