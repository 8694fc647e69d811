//! Whether what the journal says of every key is what happened to it.

use std::collections::BTreeSet;

use bucketree::domain::plan::PlanKind;
use bucketree::domain::progress::{RunReport, Verification};
use bucketree::domain::{Key, Object, Outcome, trash};
use bucketree::journal::record::Record;
use bucketree::journal::runs::PastRun;
use bucketree::store::ObjectStore;

use super::history::History;
use super::scenery::Scenery;

/// What is not true of the run, at its end.
pub fn check(scenery: &Scenery, past: &PastRun, told: Option<&RunReport>) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcomes = past.outcomes();
    let announced: BTreeSet<u32> = past.records.iter().flat_map(announced_by).collect();
    for (row, planned) in (0u32..).zip(&scenery.plan.rows) {
        let key = &planned.object.key;
        match outcomes.get(&row) {
            None => wrong.push(format!("I3: {key:?} has no outcome")),
            Some((outcome, why)) => {
                let seen = Seen::of(scenery, key, &past.run, announced.contains(&row));
                wrong.extend(
                    seen.contradicts(*outcome).map(|what| format!("I3: {key:?} is {outcome} ({why:?}): {what}")),
                );
            }
        }
    }
    if !past.is_finished() {
        wrong.push("I3: the run has no end".into());
    }
    wrong.extend(told.and_then(|report| contradiction(scenery, past, report)));
    wrong.extend(strange(scenery));
    wrong
}

fn announced_by(record: &Record) -> Vec<u32> {
    match record {
        Record::Intent { rows, .. } => rows.clone(),
        _ => Vec::new(),
    }
}

/// How the last report contradicts the journal or the bucket.
fn contradiction(scenery: &Scenery, past: &PastRun, report: &RunReport) -> Option<String> {
    let summary = past.summary()?;
    if (summary.outcomes, summary.outcomes.total()) != (report.outcomes, scenery.plan.rows.len() as u64) {
        return Some(format!("the report says {:?}, and the journal {:?}", report.outcomes, summary.outcomes));
    }
    let says_passed = report.verification == Verification::Passed;
    let unchanged_there = |row: &&bucketree::domain::plan::PlanRow| {
        scenery.world.bucket.object(&row.object.key).is_some_and(|now| row.object.is_unchanged(&now))
    };
    let outcomes = past.outcomes();
    let gone = |row: usize| outcomes.get(&u32::try_from(row).ok()?).map(|(outcome, _)| outcome.is_gone());
    let rows = scenery.plan.rows.iter().enumerate();
    let left = rows.filter(|(at, row)| gone(*at) == Some(true) && unchanged_there(row)).count();
    (says_passed != (left == 0)).then(|| format!("{:?}, and {left} are still there", report.verification))
}

/// Whether the bucket holds anything that nobody is known to have put there, or lacks what nobody took.
fn strange(scenery: &Scenery) -> Option<String> {
    let bucket = &scenery.world.bucket;
    let found: Vec<Object> = bucket.keys().iter().filter_map(|key| bucket.object(key)).collect();
    let expected: Vec<Object> = scenery.oracle.history().expected.values().cloned().collect();
    (found != expected).then(|| format!("the bucket holds {found:#?}, and should {expected:#?}"))
}

/// What the oracle saw of one key.
struct Seen {
    kind: PlanKind,
    is_there: bool,
    /// A writer put it there again behind its removal.
    written_again: bool,
    written: bool,
    /// The journal announced a request for it; whether that was ever sent, nobody can know behind a kill.
    announced: bool,
    confirmed: bool,
    removed_by_run: bool,
    removed_by_writer: bool,
    was_alive: bool,
    registry_failed: bool,
    /// Where a restore should bring it, a writer wrote.
    destination_written: bool,
    /// There is a copy with all of its bytes where the run should have moved it, or a writer wrote there since.
    is_moved: bool,
}

impl Seen {
    fn of(scenery: &Scenery, key: &Key, run: &str, announced: bool) -> Self {
        let history = scenery.oracle.history();
        let is_there = scenery.world.bucket.object(key).is_some();
        let written = history.written.get(key).copied();
        let destination = match scenery.plan.header.kind {
            PlanKind::Trash => Some(trash::place(run, key)),
            _ => history.destinations.get(key).cloned(),
        };
        let wrote = |key: &Key| history.written.contains_key(key);
        Self {
            kind: scenery.plan.header.kind,
            is_there,
            written_again: is_there && written.is_some_and(|(_, there)| there),
            written: written.is_some(),
            announced,
            confirmed: history.confirmed.contains(key),
            removed_by_run: history.removed_by_run.contains_key(key),
            removed_by_writer: history.removed_by_writer.contains(key),
            was_alive: history.was_alive.contains(key),
            registry_failed: history.registry_failed,
            destination_written: destination.as_ref().is_some_and(wrote),
            is_moved: destination.is_some_and(|to| is_same(scenery, &history, key, &to)),
        }
    }

    /// Why the outcome is not true, if it is not.
    fn contradicts(&self, outcome: Outcome) -> Option<&'static str> {
        let gone_or_new = !self.is_there || self.written_again;
        let taken = self.removed_by_run || self.removed_by_writer;
        let checks: &[(bool, &'static str)] = match outcome {
            Outcome::Deleted => &[
                (self.confirmed, "the store never confirmed it"),
                (gone_or_new, "it is still there"),
                (!self.kind.moves(), "this run moves"),
            ],
            Outcome::DeletedByEarlierAttempt => &[
                (self.announced, "no request was ever announced"),
                (taken, "nobody took it"),
                (gone_or_new, "it is still there"),
            ],
            Outcome::Trashed | Outcome::Restored => &[
                (self.announced, "no request was ever announced"),
                (taken, "nobody took it from where it was"),
                (self.is_moved || self.destination_written, "there is no whole copy of it"),
                (gone_or_new, "it is still there"),
            ],
            Outcome::AbsentBefore => &[
                (!self.removed_by_run, "it was this run that took it"),
                (self.removed_by_writer, "nobody else took it"),
                (gone_or_new, "it is still there"),
            ],
            Outcome::SkippedChanged => &[
                (self.written || self.destination_written, "nobody changed it"),
                (!self.removed_by_run || self.written, "this run took it, and nobody wrote it again"),
            ],
            Outcome::SkippedNowLive => &[
                (self.was_alive || self.registry_failed, "the registry never said so"),
                (!self.removed_by_run, "it was this run that took it"),
                (self.is_there || self.removed_by_writer, "nobody took it, and it is not there"),
            ],
            Outcome::Denied | Outcome::Locked | Outcome::Failed => &[
                (!self.removed_by_run, "it was this run that took it"),
                (self.is_there || self.removed_by_writer, "nobody took it, and it is not there"),
            ],
            Outcome::Recorded => &[(false, "this run records nothing")],
            Outcome::Unknown => &[(false, "with nothing in the way, everything can be known")],
        };
        checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
    }
}

/// Whether all that was planned of `key` is at `to` now.
fn is_same(scenery: &Scenery, history: &History, key: &Key, to: &Key) -> bool {
    let bucket = &scenery.world.bucket;
    let Some(now) = bucket.object(to) else { return false };
    let body = futures::executor::block_on(bucket.get(to, None)).unwrap();
    now.etag == history.planned[key].etag && body.as_ref() == scenery.bodies[key].as_slice()
}
