//! One batch from its first check to the outcome of each of its keys.

use std::collections::BTreeSet;
use std::time::Duration;

use super::hold::Word;
use super::recorder::{End, Recorder};
use super::{Execution, Hold, Recheck};
use crate::domain::Key;
use crate::domain::outcome::Outcome;
use crate::domain::plan::{PlanKind, PlanRow};
use crate::domain::progress::{Failure, LogLevel};
use crate::jobs::presence::{self, Presence};
use crate::jobs::{Stop, failure, place};
use crate::journal::failpoint;
use crate::journal::record::Record;
use crate::store::{DeleteAnswer, DeleteTarget, ErrorKind, ObjectStore as _, StoreError};

/// How often a key is sent at most.
const ATTEMPTS: u32 = 4;
/// The longest wait between two attempts; a store that asks for more ends the run, which can be repeated later.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a batch came to, for the pace of the run.
#[derive(Default)]
pub struct BatchEnd {
    /// The store asked to slow down.
    pub throttled: bool,
    /// The batch failed as a whole.
    pub failed: Option<Failure>,
    /// Every further request would fail alike.
    pub fatal: bool,
}

/// A row on its way.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) row: u32,
    /// Whether a request for it was sent whose effect is not known.
    pub(super) sent: bool,
    /// Why it is still pending.
    reason: Option<StoreError>,
}

/// One batch.
pub struct BatchRun<'a> {
    pub execution: &'a Execution,
    pub hold: &'a Hold,
    pub recheck: &'a Recheck,
    pub recorder: &'a Recorder,
    pub stop: &'a Stop,
    pub number: u64,
    /// Rows that were sent before the run was taken up again, and of which nothing is known.
    pub sent_before: &'a BTreeSet<u32>,
    /// Only looks, and sends nothing.
    pub closing: bool,
}

impl BatchRun<'_> {
    /// Runs it: check, intent, request, outcome; what is not proved is looked up before it is sent again.
    pub async fn run(self, rows: Vec<u32>) -> BatchEnd {
        let mut end = BatchEnd::default();
        let mut pending: Vec<Pending> =
            rows.into_iter().map(|row| Pending { row, sent: self.sent_before.contains(&row), reason: None }).collect();
        match self.kind() {
            PlanKind::Prune => return self.look_for_missing(pending, end).await,
            PlanKind::Backfill => return self.backfill(pending, end).await,
            PlanKind::Delete | PlanKind::Trash | PlanKind::Restore | PlanKind::EmptyTrash => {}
        }
        if self.kind().moves() && !self.closing {
            pending = match self.copy_all(pending, &mut end).await {
                Some(copied) => copied,
                None => return end,
            };
        }
        for attempt in 1.. {
            let stopping = attempt > 1 && self.stop.is_requested();
            let may_send = attempt <= ATTEMPTS && !end.fatal && !stopping && !self.closing;
            pending = match may_send {
                true => match self.clear(pending, &mut end).await {
                    Some(due) => due,
                    None => return end,
                },
                false => self.check_objects(pending).await,
            };
            if pending.is_empty() {
                break;
            }
            if !may_send {
                self.give_up(pending).await;
                break;
            }
            let wait = match self.send(&mut pending, &mut end).await {
                Some(wait) => wait,
                None => break,
            };
            if pending.is_empty() {
                break;
            }
            if !end.fatal {
                self.wait(attempt, wait).await;
            }
        }
        end
    }

    pub(super) fn kind(&self) -> PlanKind {
        self.execution.plan.header.kind
    }

    pub(super) fn plan_row(&self, row: u32) -> &PlanRow {
        &self.execution.plan.rows[row as usize]
    }

    pub(super) fn key(&self, row: u32) -> &Key {
        &self.plan_row(row).object.key
    }

    /// The key of a row and, if the store heeds that, what its object must still be.
    fn target(&self, row: u32) -> DeleteTarget {
        let object = &self.plan_row(row).object;
        let target = DeleteTarget::of(object.key.clone());
        match self.execution.conditional_deletes {
            false => target,
            true => DeleteTarget {
                etag: Some(object.etag.clone()).filter(|etag| !etag.is_empty()),
                last_modified: object.last_modified,
                ..target
            },
        }
    }

    pub(super) async fn record(&self, ends: Vec<End>) {
        let is_plain = |outcome| outcome == self.kind().done() || outcome == Outcome::DeletedByEarlierAttempt;
        for (row, outcome, why) in ends.iter().filter(|(_, outcome, _)| !is_plain(*outcome)) {
            let level = if outcome.is_failure() { LogLevel::Error } else { LogLevel::Warning };
            let why = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            self.recorder.log(level, format!("{outcome} {}{why}", self.key(*row).escaped())).await;
        }
        let count = |outcome| ends.iter().filter(|(_, end, _)| *end == outcome).count();
        let what = match self.kind() {
            PlanKind::Delete | PlanKind::EmptyTrash => "deletions",
            PlanKind::Trash => "moves to the trash",
            PlanKind::Restore => "moves from the trash",
            PlanKind::Backfill | PlanKind::Prune => "keys",
        };
        let confirmed = match self.kind() {
            PlanKind::Backfill => "the registry recorded",
            PlanKind::Prune => "the store has no object of",
            _ => "the store confirmed",
        };
        for (count, before, after) in [
            (count(self.kind().done()), confirmed, what),
            (count(Outcome::DeletedByEarlierAttempt), "a request whose answer was lost had deleted", "keys"),
        ] {
            if count > 0 {
                self.recorder.log(LogLevel::Info, format!("batch {}: {before} {count} {after}", self.number)).await;
            }
        }
        self.recorder.end(self.number, ends).await;
    }

    /// Looks at everything that must hold just before something is changed; returns the rows that may be changed, or
    /// `None` if none may any more.
    pub(super) async fn clear(&self, mut pending: Vec<Pending>, end: &mut BatchEnd) -> Option<Vec<Pending>> {
        loop {
            let moment = self.hold.moment();
            pending = self.check_objects(pending).await;
            pending = self.check_registry(pending, end).await?;
            if pending.is_empty() {
                return Some(pending);
            }
            match self.hold.ask(moment).await {
                Word::GoOn => return Some(pending),
                Word::LookAgain => {}
                Word::Stop(failure) => {
                    end.failed = Some(failure);
                    end.fatal = true;
                    // What was never sent stays open; of the rest it was just seen that it is still there.
                    self.give_up(pending.into_iter().filter(|item| item.sent).collect()).await;
                    return None;
                }
            }
        }
    }

    /// Looks at every object again; returns the rows that are still exactly what was planned.
    pub(super) async fn check_objects(&self, pending: Vec<Pending>) -> Vec<Pending> {
        let keys: Vec<Key> = pending.iter().map(|pending| self.key(pending.row).clone()).collect();
        let mut found = presence::look(self.execution.store.as_ref(), &keys).await;
        self.confirm_gone(&keys, &mut found).await;
        let mut ends = Vec::new();
        let mut due = Vec::new();
        for (item, presence) in pending.into_iter().zip(found) {
            match presence {
                Presence::There(now) if self.plan_row(item.row).object.is_unchanged(&now) => due.push(item),
                Presence::There(now) => {
                    ends.push((item.row, Outcome::SkippedChanged, Some(self.change(item.row, &now))))
                }
                Presence::Gone if item.sent => {
                    let why = item.reason.map_or_else(|| "the answer was lost".into(), |error| error.message);
                    ends.push((item.row, self.done_earlier(), Some(why)));
                }
                Presence::Gone => ends.push((item.row, Outcome::AbsentBefore, None)),
                Presence::Unproven(error) => ends.push(unproven(&item, &error)),
            }
        }
        self.record(ends).await;
        due
    }

    /// That a key is missing from a listing is confirmed by a HEAD before it is said.
    async fn confirm_gone(&self, keys: &[Key], found: &mut [Presence]) {
        let missing: Vec<usize> = (0..keys.len()).filter(|&at| found[at] == Presence::Gone).collect();
        let asked: Vec<Key> = missing.iter().map(|&at| keys[at].clone()).collect();
        let answers = presence::heads(self.execution.store.as_ref(), &asked).await;
        for (at, answer) in missing.into_iter().zip(answers) {
            found[at] = answer;
        }
    }

    fn change(&self, row: u32, now: &crate::domain::Object) -> String {
        let planned = &self.plan_row(row).object;
        let time = |at: Option<crate::domain::Timestamp>| at.map_or("no time".into(), |at| at.to_string());
        format!(
            "it was {} bytes, ETag {:?}, changed {}; it is {} bytes, ETag {:?}, changed {}",
            planned.size,
            planned.etag.as_str(),
            time(planned.last_modified),
            now.size,
            now.etag.as_str(),
            time(now.last_modified),
        )
    }

    /// Asks the registry again; returns the rows whose verdict still holds, or `None` if the registry cannot say.
    pub(super) async fn check_registry(&self, pending: Vec<Pending>, end: &mut BatchEnd) -> Option<Vec<Pending>> {
        let rows: Vec<&PlanRow> = pending.iter().map(|pending| self.plan_row(pending.row)).collect();
        let verdicts = match self.recheck.verdicts(&rows).await {
            Ok(verdicts) => verdicts,
            Err(failure) => {
                let why = format!("the registry cannot say that it is not alive: {failure}");
                let kept = pending.iter().map(|item| (item.row, Outcome::SkippedNowLive, Some(why.clone()))).collect();
                self.record(kept).await;
                end.fatal = true;
                end.failed = Some(failure);
                return None;
            }
        };
        let mut ends = Vec::new();
        let mut due = Vec::new();
        for (item, now) in pending.into_iter().zip(verdicts) {
            let planned = self.plan_row(item.row).verdict;
            if now == planned {
                due.push(item);
            } else {
                ends.push((item.row, Outcome::SkippedNowLive, Some(format!("it was {planned}, and it is {now} now"))));
            }
        }
        self.record(ends).await;
        Some(due)
    }

    /// Intent, request, outcomes. Leaves in `pending` what has to be looked up again, and returns how long the store asked
    /// to wait; `None` if the journal cannot be written, so that nothing was sent.
    async fn send(&self, pending: &mut Vec<Pending>, end: &mut BatchEnd) -> Option<Option<Duration>> {
        let rows = pending.iter().map(|item| item.row).collect();
        let intent = Record::Intent { at: self.recorder.at(), batch: self.number, rows };
        if !self.announce(intent, end).await {
            return None;
        }
        end.failed = None; // what failed before is being repaired by this request
        let answers = failpoint::during("request", self.request(pending, end)).await;
        let mut wait = None;
        let mut ends = Vec::new();
        let mut again = Vec::new();
        for (item, answer) in pending.drain(..).zip(answers) {
            match answer {
                DeleteAnswer::Deleted(said) => {
                    self.recorder.heard(item.row, said);
                    ends.push((item.row, self.kind().done(), None));
                }
                DeleteAnswer::Absent => ends.push((item.row, Outcome::AbsentBefore, None)),
                DeleteAnswer::Unproven => again.push(Pending { sent: true, ..item }),
                DeleteAnswer::Refused(error) => {
                    wait = wait.max(error.retry_after);
                    self.recorder.heard(item.row, error.said.clone());
                    match refusal(&error) {
                        Some(outcome) => ends.push((item.row, outcome, Some(error.message))),
                        None => again.push(Pending { sent: true, reason: Some(error), ..item }),
                    }
                }
            }
        }
        self.stop_if_all_denied(&ends, end);
        self.record(ends).await;
        *pending = again;
        Some(wait)
    }

    /// Writes down what is about to be done. If that cannot be written, it is not done, and the rows stay open.
    pub(super) async fn announce(&self, record: Record, end: &mut BatchEnd) -> bool {
        let Err(failure) = self.recorder.write(record).await else { return true };
        end.failed = Some(failure);
        end.fatal = true;
        false
    }

    /// How a row ends whose object went by a request of this run of which nothing was known.
    fn done_earlier(&self) -> Outcome {
        if self.kind().moves() { self.kind().done() } else { Outcome::DeletedByEarlierAttempt }
    }

    /// Sends every key; one answer per row.
    async fn request(&self, pending: &[Pending], end: &mut BatchEnd) -> Vec<DeleteAnswer> {
        let targets: Vec<DeleteTarget> = pending.iter().map(|item| self.target(item.row)).collect();
        let delivery = self.execution.executor.delete(self.execution.store.as_ref(), &targets).await;
        if let Some(notice) = delivery.notice {
            self.recorder.log(LogLevel::Warning, notice).await;
        }
        if let Some(error) = delivery.failure {
            self.fail(error, false, end);
        }
        if let Some(alarm) = delivery.alarm {
            self.fail(StoreError::new(ErrorKind::Malformed, alarm), true, end);
        }
        delivery.answers
    }

    pub(super) fn fail(&self, error: StoreError, protocol: bool, end: &mut BatchEnd) {
        end.throttled |= error.kind == ErrorKind::Throttled;
        end.fatal |= protocol || error.kind.is_fatal();
        let too_long = error.retry_after.is_some_and(|wait| wait > LONGEST_WAIT);
        end.fatal |= too_long;
        let what = format!("delete a batch in {}", place(self.execution.store.identity()));
        end.failed = Some(failure(what, &error));
    }

    /// A key without the permission to delete will not get it during the run.
    pub(super) fn stop_if_all_denied(&self, ends: &[End], end: &mut BatchEnd) {
        if !ends.is_empty() && ends.iter().all(|(_, outcome, _)| *outcome == Outcome::Denied) {
            let message = ends[0].2.clone().unwrap_or_default();
            self.fail(StoreError::new(ErrorKind::Denied, message), false, end);
            end.fatal = true;
        }
    }

    /// Full jitter under a doubling bound, at least what the store asked for; a wish to stop ends the wait.
    async fn wait(&self, attempt: u32, asked: Option<Duration>) {
        let bound = self.execution.backoff.saturating_mul(1 << attempt.min(8));
        let wait = crate::store::retry::jitter(bound).max(asked.unwrap_or_default()).min(LONGEST_WAIT);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stop.requested() => {}
        }
    }

    /// Rows that were looked up, are still there unchanged, and are not sent again.
    async fn give_up(&self, pending: Vec<Pending>) {
        let ends = pending
            .into_iter()
            .map(|item| {
                let why = item.reason.map_or_else(|| "the store did not delete it".into(), |error| error.message);
                (item.row, Outcome::Failed, Some(why))
            })
            .collect();
        self.record(ends).await;
    }
}

/// What a refusal of one key means, if it needs no second look.
fn refusal(error: &StoreError) -> Option<Outcome> {
    match error.kind {
        ErrorKind::Denied => Some(Outcome::Denied),
        ErrorKind::Locked => Some(Outcome::Locked),
        ErrorKind::PreconditionFailed => Some(Outcome::SkippedChanged),
        ErrorKind::Unsupported | ErrorKind::Invalid => Some(Outcome::Failed),
        _ => None,
    }
}

/// A row that could not be looked at: unknown if a request may have reached it, else kept.
pub(super) fn unproven(item: &Pending, error: &StoreError) -> End {
    let outcome = match (item.sent, error.kind) {
        (true, _) => Outcome::Unknown,
        (false, ErrorKind::Denied) => Outcome::Denied,
        (false, _) => Outcome::Failed,
    };
    (item.row, outcome, Some(format!("it could not be looked at: {}", error.message)))
}
