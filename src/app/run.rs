//! One run on the screen: what ended how, how fast, what is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::outcome::OutcomeCounts;
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::progress::{Failure, RunReport};
use crate::domain::{Key, Outcome};

use super::runs::RunId;

/// A key of the plan that a person has to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub why: Option<String>,
}

/// An earlier run on the bucket that did not come to its end.
#[derive(Clone, PartialEq, Debug)]
pub struct Unfinished {
    /// UUIDv7.
    pub run: RunId,
    /// Its plan, if it can be gone on with from here.
    pub plan: Option<Arc<Plan>>,
    /// What there is to say of it.
    pub text: String,
}

/// A run.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// The plan that is carried out.
    pub plan: Arc<Plan>,
    /// UUIDv7; empty until the journal is open.
    pub id: String,
    /// When it began, since the start of the program.
    pub since: Duration,
    /// When it ended.
    pub until: Option<Duration>,
    /// How many keys ended how.
    pub counts: OutcomeCounts,
    /// Bytes that are gone.
    pub bytes_gone: u64,
    /// Requests that may be in flight.
    pub concurrency: usize,
    /// Keys proved gone, and keys to prove.
    pub verifying: Option<(u64, u64)>,
    /// Keys that failed.
    pub problems: BTreeMap<Key, Problem>,
    /// Whether the user asked it to stop.
    pub stopping: bool,
    /// How it ended.
    pub report: Option<RunReport>,
    /// Why it could not even begin.
    pub failure: Option<Failure>,
}

impl Run {
    /// A run that begins now.
    pub fn new(plan: Arc<Plan>, now: Duration) -> Self {
        Self {
            plan,
            id: String::new(),
            since: now,
            until: None,
            counts: OutcomeCounts::default(),
            bytes_gone: 0,
            concurrency: 0,
            verifying: None,
            problems: BTreeMap::new(),
            stopping: false,
            report: None,
            failure: None,
        }
    }

    /// Whether it has ended, one way or another.
    pub fn has_ended(&self) -> bool {
        self.report.is_some() || self.failure.is_some()
    }

    /// Keys in the plan.
    pub fn planned(&self) -> u64 {
        self.plan.rows.len() as u64
    }

    /// Keys a second since the beginning.
    pub fn rate(&self, now: Duration) -> f64 {
        let elapsed = self.until.unwrap_or(now).saturating_sub(self.since).as_secs_f64();
        if elapsed < 0.001 { 0.0 } else { self.counts.total() as f64 / elapsed }
    }

    /// Seconds until every key has ended, if it goes on like this.
    pub fn seconds_left(&self, now: Duration) -> Option<i64> {
        let rate = self.rate(now);
        let left = self.planned().saturating_sub(self.counts.total());
        (rate > 0.0 && left > 0 && !self.has_ended()).then(|| (left as f64 / rate).ceil() as i64)
    }

    /// One line on how it ended; "success" only if it was one.
    pub fn verdict(&self) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(failure.to_string());
        }
        let report = self.report.as_ref()?;
        let counts: Vec<String> = report.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let counts = counts.join(", ");
        Some(match (report.is_success(), report.cancelled, &report.stopped) {
            (true, ..) if self.plan.header.kind == PlanKind::Restore => {
                format!("success: {counts}; each copy verified")
            }
            (true, ..) => format!("success: {counts}; verified gone"),
            (_, _, Some(failure)) => format!("stopped: {failure}; {counts}"),
            (_, true, _) => format!("stopped by you: {counts}"),
            _ => format!("not a success: {counts}; {}", verification(report)),
        })
    }
}

fn verification(report: &RunReport) -> String {
    use crate::domain::progress::Verification;
    match &report.verification {
        Verification::Passed => "what is gone is verified".into(),
        Verification::StillThere(count) => format!("{count} that should be gone are still there"),
        Verification::Inconclusive(why) => format!("not verified: {why}"),
    }
}
