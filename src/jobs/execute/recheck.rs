//! The registry asked again, just before a batch: the same judge, over just these objects and what the registry says now.

use std::collections::HashSet;
use std::sync::Arc;

use super::Execution;
use crate::domain::facts::{FactsBuilder, RegistryRow, RegistryState};
use crate::domain::inventory::Inventory;
use crate::domain::judge::{Judge, Policy, Trust};
use crate::domain::layout::Layouts;
use crate::domain::plan::PlanRow;
use crate::domain::progress::{Failure, RegistryReport};
use crate::domain::verdict::Verdict;
use crate::domain::{IdRules, ProjectId};
use crate::registry::{RegistryError, SharedRegistry};

/// A registry that lost more than one in this many of its projects since the plan is not believed.
const MOST_LOST: u64 = 5;

/// Asks the registry again.
pub struct Recheck {
    registry: Option<SharedRegistry>,
    layouts: Arc<Layouts>,
    ids: IdRules,
    sources: Vec<crate::domain::facts::SourceReport>,
}

impl Recheck {
    /// A recheck by the registry and layouts of an execution.
    pub fn new(execution: &Execution) -> Self {
        Self {
            registry: execution.registry.clone(),
            layouts: Arc::clone(&execution.layouts),
            ids: execution.ids.clone(),
            sources: execution.plan.header.sources.clone(),
        }
    }

    /// The verdict of each row's object now. Rows must be in key order. Objects that were named without a verdict keep
    /// being without one.
    ///
    /// # Errors
    /// The registry cannot be read to its end, or knows no live project any more; nothing may be deleted then.
    pub async fn verdicts(&self, rows: &[&PlanRow]) -> Result<Vec<Verdict>, Failure> {
        let Some(registry) = &self.registry else {
            return Ok(rows.iter().map(|_| Verdict::Undetermined).collect());
        };
        if rows.iter().all(|row| !row.verdict.needs_registry()) {
            return Ok(rows.iter().map(|_| Verdict::Undetermined).collect());
        }
        let mut inventory = Inventory::new();
        for row in rows {
            inventory.push(row.object.clone()).map_err(|error| self.failed(&error.to_string()))?;
        }
        let judge = self.judge(registry, &inventory).await.map_err(|error| self.failed(&error.to_string()))?;
        if !judge.facts().is_usable() {
            return Err(self.failed("it has no live project any more"));
        }
        let now = |(index, row): (u32, &&PlanRow)| match row.verdict.needs_registry() {
            false => Verdict::Undetermined,
            true => judge.judge(&row.object, &judge.facts().claims_of(index)).verdict,
        };
        Ok((0u32..).zip(rows).map(now).collect())
    }

    async fn judge(&self, registry: &SharedRegistry, inventory: &Inventory) -> Result<Judge, RegistryError> {
        let mut builder = FactsBuilder::new(inventory, &self.ids);
        let keys: Vec<_> = (0..inventory.len()).map(|index| inventory.key(index)).collect();
        let mut projects = 0u64;
        let mut take = |row| {
            projects += 1;
            builder.row(row);
        };
        registry.projects(&mut take).await?;
        let planned: u64 = self.sources.iter().map(|source| source.projects).sum();
        if projects < planned - planned / MOST_LOST {
            return Err(RegistryError::Partial {
                source_name: registry.name().into(),
                why: format!("it had {planned} live projects when the plan was made and has {projects} now"),
            });
        }
        // Where no keys are tracked, there may be references.
        registry.claims(&keys).await?.into_iter().for_each(|row| builder.row(row));
        let report = RegistryReport { state: RegistryState::Usable, sources: self.sources.clone() };
        let facts = Arc::new(builder.finish(report));
        // The listing was complete, or the plan would have been refused; age was judged when the plan was made and only grows.
        Ok(Judge::new(Arc::clone(&self.layouts), facts, Policy::default(), Trust { complete: true, now: None }))
    }

    /// The live projects now.
    ///
    /// # Errors
    /// As [`Recheck::verdicts`].
    pub async fn live_projects(&self) -> Result<HashSet<ProjectId>, Failure> {
        let Some(registry) = &self.registry else { return Ok(HashSet::new()) };
        let mut live = HashSet::new();
        let mut take = |row| {
            if let RegistryRow::Project { id } = row {
                live.extend(self.ids.canonical(id.as_bytes()).map(|spelled| spelled.project));
            }
        };
        registry.projects(&mut take).await.map_err(|error| self.failed(&error.to_string()))?;
        match live.is_empty() {
            true => Err(self.failed("it has no live project any more")),
            false => Ok(live),
        }
    }

    fn failed(&self, why: &str) -> Failure {
        let name = self.registry.as_ref().map_or("none", |registry| registry.name());
        Failure {
            what: format!("ask the registry ({name}) again before deleting"),
            why: why.into(),
            hint: "mend the registry and plan again; what was not sent yet is kept".into(),
        }
    }
}
