//! Drift: bucket and registry compared in both directions, what is missing proved by asking the store, rows looked into;
//! and the plans that mend it ([`plans`]).

pub mod plans;

use std::collections::HashMap;

use super::Stop;
use super::audit::Audit;
use super::presence::{self, Presence};
use crate::domain::drift::{Absence, DriftReport, RepeatedKey, WrongSize, compare};
use crate::domain::facts::{RegistryState, likely_keys};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::rows::KeptRow;
use crate::domain::{Key, ProjectId};
use crate::registry::{SharedRegistry, recorded_size};
use crate::store::ObjectStore;

/// Keys that are asked for at a time.
const AT_A_TIME: usize = 1000;

/// What is compared.
pub struct Drifting<'a> {
    /// The store.
    pub store: &'a dyn ObjectStore,
    /// The registry.
    pub registry: Option<&'a SharedRegistry>,
    /// The listing.
    pub inventory: &'a Inventory,
    /// How the listing ended.
    pub scan: &'a ScanReport,
    /// The verdicts.
    pub audit: &'a Audit,
    /// Only this project.
    pub project: Option<ProjectId>,
}

/// Compares. `told` hears how many keys were asked for, and of how many. Whoever asks to stop gets what is known by then, with
/// that as its problem.
pub async fn check(input: &Drifting<'_>, stop: &Stop, mut told: impl FnMut(u64, u64)) -> DriftReport {
    let (audit, inventory, project) = (input.audit.clone(), input.inventory.clone(), input.project.clone());
    let compared =
        tokio::task::spawn_blocking(move || compare(&audit.judge, &audit.assessment, &inventory, project.as_ref()));
    // A panic of the comparison is a bug of this program; it is passed on instead of being turned into a report.
    let mut compared = compared.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    compared.report.problem = problem(input);
    if compared.report.problem.is_some() {
        return compared.report;
    }
    let total = compared.report.missing.len() as u64 + compared.tracked.len() as u64;
    prove_missing(input, &mut compared.report, stop, |done| told(done, total)).await;
    let before = compared.report.missing.len() as u64;
    let looked =
        look_into_rows(input, &mut compared.report, &compared.tracked, stop, |done| told(before + done, total));
    let problem = looked.await.err();
    compared.report.problem = match stop.is_requested() {
        true => Some("it was stopped before everything was compared".into()),
        false => problem,
    };
    compared.report
}

/// Why nothing can be said.
fn problem(input: &Drifting<'_>) -> Option<String> {
    match &input.scan.completeness {
        Completeness::Complete => {}
        Completeness::Kept(at) => return Some(format!("the listing was kept at {at}, and is not of now")),
        Completeness::Incomplete(failure) => return Some(format!("the listing is incomplete: {}", failure.why)),
    }
    let facts = input.audit.judge.facts();
    match &facts.report().state {
        RegistryState::Absent => Some("no registry is configured".into()),
        RegistryState::Unusable(reasons) => Some(reasons.join("; ")),
        RegistryState::Usable if !facts.is_usable() => Some("the registry has no live project".into()),
        RegistryState::Usable if !facts.tracks_keys() => Some("the registry does not track keys".into()),
        RegistryState::Usable => None,
    }
}

/// Asks for every key that the listing does not have, in every spelling that it most likely means.
async fn prove_missing(input: &Drifting<'_>, report: &mut DriftReport, stop: &Stop, mut told: impl FnMut(u64)) {
    let mut done = 0;
    for some in report.missing.chunks_mut(AT_A_TIME) {
        if stop.is_requested() {
            return;
        }
        let keys: Vec<Key> = some.iter().map(|missing| missing.key.clone()).collect();
        for (missing, proof) in some.iter_mut().zip(absences(input.store, &keys).await) {
            missing.proof = proof;
        }
        done += some.len() as u64;
        told(done);
    }
}

/// Whether there is an object for each of these keys, as a source spells them, by HEAD.
pub async fn absences(store: &dyn ObjectStore, keys: &[Key]) -> Vec<Absence> {
    let likely: Vec<Vec<Key>> = keys.iter().map(likely_keys).collect();
    let asked: Vec<Key> = likely.iter().flatten().cloned().collect();
    let mut answers = presence::heads(store, &asked).await.into_iter();
    likely.iter().map(|spellings| absence(answers.by_ref().take(spellings.len()).collect())).collect()
}

fn absence(answers: Vec<Presence>) -> Absence {
    let mut absence = Absence::Proved;
    for answer in answers {
        match answer {
            Presence::There(_) => return Absence::ThereAfterAll,
            Presence::Unproven(error) => absence = Absence::Unproven(error.message),
            Presence::Gone => {}
        }
    }
    absence
}

/// Looks into the rows of what is in both: how many there are of a key, and which size they say.
async fn look_into_rows(
    input: &Drifting<'_>,
    report: &mut DriftReport,
    tracked: &[ObjectIndex],
    stop: &Stop,
    mut told: impl FnMut(u64),
) -> Result<(), String> {
    let Some(registry) = input.registry else { return Ok(()) };
    let mut done = 0;
    for some in tracked.chunks(AT_A_TIME) {
        if stop.is_requested() {
            return Ok(());
        }
        let objects: HashMap<Key, u64> =
            some.iter().map(|&index| (input.inventory.key(index), input.inventory.size(index))).collect();
        let keys: Vec<Key> = objects.keys().cloned().collect();
        let rows = registry.rows(&keys).await.map_err(|error| error.to_string())?;
        compare_rows(report, &objects, &rows);
        done += some.len() as u64;
        told(done);
    }
    report.wrong_sizes.sort_by(|a, b| a.key.cmp(&b.key));
    report.repeated.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(())
}

fn compare_rows(report: &mut DriftReport, objects: &HashMap<Key, u64>, rows: &[KeptRow]) {
    let mut counts: HashMap<Key, u64> = HashMap::new();
    for row in rows {
        let Some(key) = likely_keys(&row.key).into_iter().find(|key| objects.contains_key(key)) else { continue };
        let actual = objects.get(&key).copied().unwrap_or_default();
        *counts.entry(key.clone()).or_default() += 1;
        if let Some(recorded) = recorded_size(&row.content).filter(|&recorded| recorded != actual) {
            report.wrong_sizes.push(WrongSize { key, recorded, actual });
        }
    }
    let several = counts.into_iter().filter(|(_, rows)| *rows > 1);
    report.repeated.extend(several.map(|(key, rows)| RepeatedKey { key, rows }));
}
