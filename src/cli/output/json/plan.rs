//! What `plan --json` prints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Amount, SCHEMA};
use crate::domain::Plan;
use crate::domain::guards::{self, GuardReport};

/// A plan without its rows.
#[derive(Serialize)]
pub struct PlanSummary {
    schema: u32,
    plan: String,
    kind: &'static str,
    file: Option<String>,
    objects: u64,
    bytes: u64,
    by_verdict: BTreeMap<&'static str, Amount>,
    by_project: Vec<PlanProject>,
    left_out: BTreeMap<String, u64>,
    not_in_bucket: u64,
    guards: Vec<Guard>,
    atomic_deletes: bool,
    deletes: String,
    expires_at: String,
    confirm: Option<String>,
}

#[derive(Serialize)]
struct PlanProject {
    project: Option<String>,
    objects: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Guard {
    name: String,
    passed: bool,
    message: String,
    protects: &'static str,
    lowered_by: &'static str,
}

impl From<&GuardReport> for Guard {
    fn from(report: &GuardReport) -> Self {
        let (protects, lowered_by) =
            guards::find(&report.name).map_or(("", ""), |guard| (guard.protects, guard.lowered_by));
        Self { name: report.name.clone(), passed: report.passed, message: report.message.clone(), protects, lowered_by }
    }
}

impl PlanSummary {
    /// The plan, written to `file` unless its guards refuse; what the selectors found and the plan leaves out.
    pub fn new(plan: &Plan, file: Option<&Path>, left_out: &BTreeMap<String, u64>, not_in_bucket: u64) -> Self {
        let total = plan.total();
        Self {
            schema: SCHEMA,
            plan: plan.header.id.clone(),
            kind: plan.header.kind.name(),
            file: file.map(|file| file.display().to_string()),
            objects: total.objects,
            bytes: total.bytes,
            by_verdict: plan.by_verdict().into_iter().map(|(verdict, sum)| (verdict.name(), sum.into())).collect(),
            by_project: plan
                .by_project()
                .into_iter()
                .map(|(project, sum)| PlanProject {
                    project: project.map(|id| id.to_string()),
                    objects: sum.objects,
                    bytes: sum.bytes,
                })
                .collect(),
            left_out: left_out.clone(),
            not_in_bucket,
            guards: plan.header.guards.iter().map(Guard::from).collect(),
            atomic_deletes: plan.header.deletes.is_proved(),
            deletes: plan.header.deletes.to_string(),
            expires_at: plan.header.expires_at.to_string(),
            confirm: file.map(|_| plan.confirmation()),
        }
    }
}
