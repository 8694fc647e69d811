//! The first half of a move: a verified copy of each object. The second half is its deletion, like any other; between the
//! two, the journal says that there are both.

use futures::StreamExt;

use super::batch_run::{BatchEnd, BatchRun, Pending};
use super::recorder::End;
use crate::domain::Key;
use crate::domain::outcome::Outcome;
use crate::domain::plan::PlanKind;
use crate::domain::progress::LogLevel;
use crate::jobs::copies::{self, Destination, NoCopy, Proof};
use crate::jobs::executor::Via;
use crate::journal::record::Record;
use crate::store::ErrorKind;

/// Objects of one batch that are copied at a time.
const COPIES: usize = 16;

impl BatchRun<'_> {
    /// Copies every object that is still the one that was planned, and proves each copy. Returns the rows that have one, or
    /// `None` if the run cannot go on.
    pub(super) async fn copy_all(&self, pending: Vec<Pending>, end: &mut BatchEnd) -> Option<Vec<Pending>> {
        let pending = self.clear(pending, end).await?;
        if pending.is_empty() {
            return Some(pending);
        }
        let rows = pending.iter().map(|item| item.row).collect();
        let intent = Record::Copying { at: self.recorder.at(), batch: self.number, rows };
        if !self.announce(intent, end).await {
            return None;
        }
        let at_once = if self.execution.executor.via() == Via::Sequential { 1 } else { COPIES };
        let copies: Vec<_> = pending.into_iter().map(|item| self.copy_one(item)).collect();
        let copied: Vec<_> = futures::stream::iter(copies).buffered(at_once).collect().await;
        let (mut due, mut without_etag, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        // A copy that was not begun before the wish to stop leaves its row open.
        for (item, result) in copied.into_iter().filter_map(|(item, result)| Some((item, result?))) {
            match result {
                Ok(proof) => {
                    without_etag.extend((proof == Proof::Description).then_some(item.row));
                    due.push(item);
                }
                Err(why) => ends.push(self.no_copy(item.row, why, end)),
            }
        }
        self.tell_unproven(&without_etag).await;
        self.stop_if_all_denied(&ends, end);
        self.record(ends).await;
        if due.is_empty() {
            return Some(due);
        }
        let rows = due.iter().map(|item| item.row).collect();
        let copied = Record::Copied { at: self.recorder.at(), batch: self.number, rows, without_etag };
        self.announce(copied, end).await.then_some(due)
    }

    async fn copy_one(&self, item: Pending) -> (Pending, Option<Result<Proof, NoCopy>>) {
        if self.stop.is_requested() {
            return (item, None);
        }
        let row = self.plan_row(item.row);
        let Some(to) = self.destination(item.row) else {
            return (item, Some(Err(NoCopy::Different("the plan does not say where to".into()))));
        };
        let destination = match self.kind() {
            PlanKind::Restore => Destination::Shared,
            _ => Destination::Own,
        };
        let store = self.execution.store.as_ref();
        let copied = copies::copy(store, &row.object, &to, destination, self.execution.backoff).await;
        (item, Some(copied))
    }

    fn destination(&self, row: u32) -> Option<Key> {
        self.plan_row(row).destination(self.kind(), self.recorder.run())
    }

    /// How a row ends of which there is no good copy: its object stays where it is.
    fn no_copy(&self, row: u32, why: NoCopy, end: &mut BatchEnd) -> End {
        let (outcome, why) = match why {
            NoCopy::Taken => {
                let at = self.destination(row).map(|key| key.escaped().to_string()).unwrap_or_default();
                (Outcome::SkippedChanged, format!("there is an object at {at} now, which is kept"))
            }
            NoCopy::SourceChanged => (Outcome::SkippedChanged, "it was changed while it was copied".into()),
            NoCopy::SourceMissing => (Outcome::AbsentBefore, "it went while it was copied".into()),
            NoCopy::Different(why) => (Outcome::Failed, format!("it is kept, since its copy is not a good one: {why}")),
            NoCopy::Failed(error) => {
                self.recorder.heard(row, error.said.clone());
                let outcome = match error.kind {
                    ErrorKind::Denied => Outcome::Denied,
                    ErrorKind::Locked => Outcome::Locked,
                    _ => Outcome::Failed,
                };
                let why = format!("it is kept, since it could not be copied: {}", error.message);
                if error.kind.is_fatal() || error.kind.is_transient() {
                    self.fail(error, false, end);
                }
                (outcome, why)
            }
        };
        (row, outcome, Some(why))
    }

    async fn tell_unproven(&self, rows: &[u32]) {
        if rows.is_empty() {
            return;
        }
        let text = format!(
            "batch {}: {} copies are verified by size, metadata and content type only: ETags of uploads in parts cannot be compared",
            self.number,
            rows.len()
        );
        self.recorder.log(LogLevel::Warning, text).await;
    }
}
