//! Audit: read the registry *after* the listing, then judge every object.

use std::sync::Arc;

use super::{Clock, Stop};
use crate::domain::IdRules;
use crate::domain::assessment::Assessment;
use crate::domain::facts::{Facts, FactsBuilder, RegistryState, SourceReport};
use crate::domain::inventory::Inventory;
use crate::domain::judge::{Judge, Policy, Trust, classify};
use crate::domain::layout::Layouts;
use crate::domain::progress::{RegistryReport, ScanReport};
use crate::registry::SharedRegistry;

/// Says what is wrong with what the sources delivered; nothing if they are fit for use.
pub type SourceCheck = Arc<dyn Fn(&[SourceReport]) -> Vec<String> + Send + Sync>;

/// What an audit works with.
#[derive(Clone)]
pub struct AuditInput {
    /// The registry; `None` leaves every verdict undetermined.
    pub registry: Option<SharedRegistry>,
    /// Why the registry could not be opened at all, if it could not; then every verdict is undetermined.
    pub registry_problem: Option<String>,
    /// The layouts.
    pub layouts: Arc<Layouts>,
    /// How ids are compared.
    pub ids: IdRules,
    /// Age guard and protection.
    pub policy: Policy,
    /// Says what is wrong with what a source delivered, compared with what it must and what it last delivered; nothing if it
    /// is fit for use.
    pub check_sources: SourceCheck,
    /// This machine's clock.
    pub clock: Clock,
}

/// What an audit found: the judge, which gives the evidence for any object, and a verdict for each.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Holds layouts, registry facts, policy and how far the listing can be trusted.
    pub judge: Judge,
    /// Verdicts, flags and projects, aligned with the inventory.
    pub assessment: Assessment,
}

/// Reads the registry and judges every object of the inventory, on a blocking thread. `None` if it was stopped.
pub async fn audit(input: &AuditInput, inventory: &Inventory, scan: &ScanReport, stop: &Stop) -> Option<Audit> {
    let facts = read_registry(input, inventory).await;
    if stop.is_requested() {
        return None;
    }
    let judge =
        Judge::new(Arc::clone(&input.layouts), Arc::new(facts), input.policy.clone(), trust(scan, &input.clock));
    let (inventory, stop) = (inventory.clone(), stop.clone());
    let classified = tokio::task::spawn_blocking(move || {
        let assessment = classify(&inventory, &judge, &|_| !stop.is_requested());
        // What was stopped half way is not a verdict on the rest.
        (!stop.is_requested()).then_some(Audit { judge, assessment })
    });
    // A panic of the classification is a bug of this program; it is passed on instead of being turned into a verdict.
    match classified.await {
        Ok(audit) => audit,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// How far a listing can be trusted now: the server's clock moves on with this machine's.
pub fn trust(scan: &ScanReport, clock: &Clock) -> Trust {
    let trust = Trust::of(scan);
    Trust { now: server_now(scan, clock), ..trust }
}

/// The server's time now: its time at the listing, moved by what passed here since. `None` if the server gave none.
pub fn server_now(scan: &ScanReport, clock: &Clock) -> Option<crate::domain::Timestamp> {
    let passed = clock.now().0.saturating_sub(scan.local_time.0).max(0);
    scan.server_time.map(|then| crate::domain::Timestamp(then.0.saturating_add(passed)))
}

async fn read_registry(input: &AuditInput, inventory: &Inventory) -> Facts {
    let mut builder = FactsBuilder::new(inventory, &input.ids);
    let (state, sources) = match (&input.registry, &input.registry_problem) {
        (_, Some(problem)) => (RegistryState::Unusable(vec![problem.clone()]), Vec::new()),
        (None, None) => (RegistryState::Absent, Vec::new()),
        (Some(registry), None) => match registry.read(&mut |row| builder.row(row)).await {
            Err(error) => (RegistryState::Unusable(vec![error.to_string()]), Vec::new()),
            Ok(source) => {
                let sources = vec![source];
                match (input.check_sources)(&sources) {
                    reasons if reasons.is_empty() => (RegistryState::Usable, sources),
                    reasons => (RegistryState::Unusable(reasons), sources),
                }
            }
        },
    };
    let is_usable = state == RegistryState::Usable;
    let facts = builder.finish(RegistryReport { state, sources });
    let canaries = input.policy.canary.look(&facts, inventory).into_iter();
    // A canary says nothing about a registry that is broken already.
    match canaries.filter_map(|canary| canary.problem).collect::<Vec<_>>() {
        problems if is_usable && !problems.is_empty() => facts.distrusted(problems),
        _ => facts,
    }
}
