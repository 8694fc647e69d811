//! Proof that objects are gone: by HEAD for a few, by strict listing of their stretch of the bucket for many. It can be
//! repeated at any later time for any run.

use std::path::Path;

use super::presence::{self, Presence};
use crate::domain::outcome::Outcome;
use crate::domain::progress::Verification;
use crate::domain::{Key, Object};
use crate::journal::JournalError;
use crate::journal::runs;
use crate::store::ObjectStore;

/// Keys that are looked for at a time.
const STRETCH: usize = 5000;

/// What was found of objects that should be gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The answer.
    pub verification: Verification,
    /// Keys proved to have no object now.
    pub gone: Vec<Key>,
    /// Keys that hold another object now: somebody wrote them since.
    pub recreated: Vec<Key>,
    /// Keys that still hold the very object that should be gone.
    pub still_there: Vec<Key>,
}

impl Default for Proof {
    /// Of nothing.
    fn default() -> Self {
        let none = Vec::new;
        Self { verification: Verification::Passed, gone: none(), recreated: none(), still_there: none() }
    }
}

/// Looks for each object; they must be in key order. `told` hears how many were looked for so far.
pub async fn prove(store: &dyn ObjectStore, objects: &[&Object], mut told: impl FnMut(u64)) -> Proof {
    let mut proof = Proof::default();
    let mut unproven: Option<String> = None;
    for stretch in objects.chunks(STRETCH) {
        let keys: Vec<Key> = stretch.iter().map(|object| object.key.clone()).collect();
        for (object, found) in stretch.iter().zip(presence::look(store, &keys).await) {
            match found {
                Presence::Gone => proof.gone.push(object.key.clone()),
                Presence::There(now) if object.is_unchanged(&now) => proof.still_there.push(object.key.clone()),
                Presence::There(_) => proof.recreated.push(object.key.clone()),
                Presence::Unproven(error) => unproven = Some(error.to_string()),
            }
        }
        told((proof.gone.len() + proof.recreated.len() + proof.still_there.len()) as u64);
    }
    if let Some(why) = unproven {
        proof.verification = Verification::Inconclusive(why);
    }
    if !proof.still_there.is_empty() {
        proof.verification = Verification::StillThere(proof.still_there.len() as u64);
    }
    proof
}

/// Proves a past run again, from its journal and its plan. `told` hears how many keys were looked for so far, of how many.
///
/// # Errors
/// [`JournalError`] if the run cannot be read.
pub async fn verify_run(
    store: &dyn ObjectStore,
    runs_folder: &Path,
    run: &str,
    mut told: impl FnMut(u64, u64),
) -> Result<Proof, JournalError> {
    let past = runs::open(runs_folder, run)?;
    let plan = past.plan()?;
    let outcomes = past.outcomes();
    let said_gone = |row: usize| {
        u32::try_from(row)
            .ok()
            .and_then(|row| outcomes.get(&row))
            .is_some_and(|(outcome, _)| Outcome::is_gone(*outcome))
    };
    let objects: Vec<&Object> =
        plan.rows.iter().enumerate().filter(|(row, _)| said_gone(*row)).map(|(_, row)| &row.object).collect();
    let all = objects.len() as u64;
    told(0, all);
    Ok(prove(store, &objects, |done| told(done, all)).await)
}
