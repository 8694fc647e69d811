//! Canaries: a project and a key that are known to be alive. If they are not seen alive, what is seen is not the truth.

use crate::domain::facts::{Facts, Owner};
use crate::domain::inventory::Inventory;
use crate::domain::{Key, ProjectId};

/// What the configuration knows to be alive.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Canary {
    /// A project that is live for certain.
    pub project: Option<ProjectId>,
    /// A key that is there and in use for certain.
    pub key: Option<Key>,
}

/// What was seen of one canary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CanaryAnswer {
    /// Which one: `project 10`, `key brand/logo.png`.
    pub what: String,
    /// Why it does not count as alive, if it does not.
    pub problem: Option<String>,
}

impl Canary {
    /// Looks for each canary: the project must be live, the key must be listed and, where keys are tracked, have a row or
    /// a reference that is not a dead project's.
    pub fn look(&self, facts: &Facts, inventory: &Inventory) -> Vec<CanaryAnswer> {
        let project = self.project.iter().map(|project| {
            let what = format!("project {project}");
            let problem = (!facts.is_live(project)).then(|| format!("canary {what} is not live in the registry"));
            CanaryAnswer { what, problem }
        });
        let key = self.key.iter().map(|key| {
            let what = format!("key {}", key.escaped());
            let problem = key_problem(key, facts, inventory).map(|why| format!("canary {what} {why}"));
            CanaryAnswer { what, problem }
        });
        project.chain(key).collect()
    }
}

fn key_problem(key: &Key, facts: &Facts, inventory: &Inventory) -> Option<&'static str> {
    let Some(index) = inventory.find(key.as_bytes()).filter(|&index| !inventory.is_gone(index)) else {
        return Some("is not in the listing");
    };
    let is_claimed = || facts.claims_of(index).iter().any(|claim| !matches!(claim.owner, Owner::Dead(_)));
    (facts.tracks_keys() && !is_claimed()).then_some("is not alive in the registry")
}
