//! What `plan --json` prints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Amount, SCHEMA};
use crate::domain::Plan;

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
            guards: plan
                .header
                .guards
                .iter()
                .map(|guard| Guard { name: guard.name.clone(), passed: guard.passed, message: guard.message.clone() })
                .collect(),
            expires_at: plan.header.expires_at.to_string(),
            confirm: file.map(|_| plan.confirmation()),
        }
    }
}
