//! What guards stand on: limits and protection from the settings, and what is remembered and asked for each plan.

use super::session::Session;
use crate::config::Settings;
use crate::domain::facts::Facts;
use crate::domain::guards::Caps;
use crate::domain::guards::canary::Canary;
use crate::domain::inventory::Inventory;
use crate::domain::judge::Policy;
use crate::domain::progress::ScanReport;
use crate::domain::sightings::Observed;
use crate::domain::{IdRules, Key};
use crate::jobs::audit::Audit;
use crate::jobs::ground::{self, Ground, Memory};

/// Age guard, protection and canaries as the settings have them.
pub fn policy(settings: &Settings, ids: &IdRules) -> Policy {
    let projects = settings.protected_projects.value.iter();
    let canary_project = settings.canary_project.as_ref().and_then(|id| ids.canonical(id.value.as_bytes()));
    Policy {
        min_age_seconds: settings.min_age.value,
        protected_prefixes: settings.protected_prefixes.value.iter().map(|prefix| prefix.as_bytes().to_vec()).collect(),
        protected_projects: projects.filter_map(|id| ids.canonical(id.as_bytes())).map(|id| id.project).collect(),
        canary: Canary {
            project: canary_project.map(|id| id.project),
            key: settings.canary_key.as_ref().map(|key| Key::from(key.value.as_str())),
        },
        observed: None,
    }
}

/// The limits of plans as the settings have them.
pub fn caps(settings: &Settings) -> Caps {
    let usual = Caps::default();
    Caps {
        objects: settings.max_objects.as_ref().map_or(usual.objects, |setting| setting.value),
        bytes: settings.max_bytes.as_ref().map_or(usual.bytes, |setting| setting.value),
        projects: settings.max_projects.as_ref().map_or(usual.projects, |setting| setting.value),
        missing_share: settings.max_missing.as_ref().map_or(usual.missing_share, |setting| setting.value),
        bucket_share: settings.max_share.value,
        live_project_share: settings
            .max_project_share
            .as_ref()
            .map_or(usual.live_project_share, |setting| setting.value),
    }
}

impl Session {
    /// What is remembered of listings and runs.
    pub fn memory(&self) -> Memory {
        Memory::in_directory(&self.state, self.runs())
    }

    /// The rule that objects have to be seen twice, with what was seen so far, if the settings ask for it.
    pub fn observed(&self) -> Option<Observed> {
        let days = self.settings.observe_days.as_ref().map_or(0, |setting| setting.value);
        self.memory().observed(self.store.identity(), days)
    }

    /// Remembers what an audit saw of the bucket itself. That this fails only makes the wait longer.
    pub async fn observe(&self, inventory: &Inventory, audit: &Audit, scan: &ScanReport) {
        if self.kept.is_some() {
            return;
        }
        if let Err(error) = self.memory().observe(self.store.identity(), inventory, audit, scan).await {
            tracing::warn!(reason = %error, "what the audit saw is not remembered");
        }
    }

    /// The ground that a plan's guards stand on, beside listing and verdicts.
    pub async fn ground(&self, inventory: &Inventory, scan: &ScanReport, facts: &Facts) -> Ground {
        self.ground_accepting(inventory, scan, facts, self.accepts_shrink).await
    }

    /// The same; whether a person said that smaller counts than last time are right.
    pub async fn ground_accepting(
        &self,
        inventory: &Inventory,
        scan: &ScanReport,
        facts: &Facts,
        accepts_shrink: bool,
    ) -> Ground {
        let at = self.store.identity();
        let last_scan = self.memory().compare(at, inventory, scan, accepts_shrink).await;
        let sample = ground::sample(&*self.store, facts, self.caps.missing_share).await;
        Ground { sample, last_scan, accepts_shrink, deletes: self.deletes, locking: self.locking }
    }
}
