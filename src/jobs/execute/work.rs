//! What is left to do of a run, from its first request to its last record. A run that begins and a run that is taken up
//! again differ only in what is left.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::batch_run::BatchRun;
use super::recorder::Recorder;
use super::{Execution, Hold, Recheck, appeared, prove, rows};
use crate::domain::outcome::Outcome;
use crate::domain::progress::{LogLevel, RunProgress, RunReport};
use crate::jobs::Stop;
use crate::journal::kept_rows::Covered;
use crate::journal::record::{self, Record};
use crate::store::limit::Aimd;
use crate::store::{DeleteTarget, batch};

/// Requests in a row that may fail before the run stops.
const BREAKER: u32 = 5;

/// What is left to do.
pub struct Work {
    /// Keys in the plan.
    pub planned: u64,
    /// Rows without an end that are to be looked at, in the plan's order.
    pub rows: Vec<u32>,
    /// Those of them that an earlier attempt sent and of which nothing is known.
    pub sent_before: BTreeSet<u32>,
    /// The number of the first request.
    pub first_batch: u64,
    /// Only looks, and sends nothing.
    pub closing: bool,
    /// The registry's rows that were taken out before the run was taken up again.
    pub rows_kept: Covered,
}

impl Work {
    /// All of a plan.
    pub fn whole(execution: &Execution) -> Self {
        let planned = execution.plan.rows.len();
        Self {
            planned: planned as u64,
            rows: (0u32..).take(planned).collect(),
            sent_before: BTreeSet::new(),
            first_batch: 1,
            closing: false,
            rows_kept: Covered::default(),
        }
    }

    /// Does it, proves it, removes the rows of what is gone, and writes the last record.
    pub async fn carry_out(
        &self,
        execution: &Execution,
        hold: &Hold,
        recorder: &Recorder,
        stop: &Stop,
        started: Instant,
    ) -> RunReport {
        for (level, text) in hold.notices(execution) {
            recorder.log(level, text).await;
        }
        hold.during(self.to_the_end(execution, hold, recorder, stop, started)).await
    }

    async fn to_the_end(
        &self,
        execution: &Execution,
        hold: &Hold,
        recorder: &Recorder,
        stop: &Stop,
        started: Instant,
    ) -> RunReport {
        let recheck = Recheck::new(execution);
        self.run_batches(execution, hold, &recheck, recorder, stop).await;
        let cancelled = stop.is_requested() && recorder.stopped().is_none();
        self.close_open_rows(recorder, cancelled).await;

        let verification = prove::verify(execution, recorder).await;
        let rows = rows::follow(execution, &recheck, recorder, &verification, &self.rows_kept).await;
        // Not before: between the proof that an object is gone and the end of its row nothing else may take time.
        if recorder.stopped().is_none() && !cancelled {
            appeared::tell(execution, recorder).await;
        }
        let (outcomes, bytes_gone) = recorder.counts();
        let requests = execution.store.requests();
        let finished = Record::Finished {
            at: recorder.at(),
            cancelled,
            stopped: recorder.stopped().map(|failure| failure.to_string()),
            outcomes: record::counts(&outcomes),
            requests: record::requests(&requests),
        };
        let _ = recorder.write(finished).await; // a failure is kept by the recorder and stands in the report
        let report = RunReport {
            run: recorder.run().into(),
            planned: self.planned,
            outcomes,
            bytes_gone,
            verification: verification.verification,
            rows,
            cancelled,
            stopped: recorder.stopped(),
            requests,
            elapsed: started.elapsed(),
        };
        recorder.tell(RunProgress::Finished(Box::new(report.clone()))).await;
        report
    }

    /// Sends batches, as many at a time as the store takes, until all are done or the run is stopped.
    async fn run_batches(
        &self,
        execution: &Execution,
        hold: &Hold,
        recheck: &Recheck,
        recorder: &Recorder,
        stop: &Stop,
    ) {
        let mut waiting = self.batches(execution).into_iter().zip(self.first_batch..);
        let mut flight = FuturesUnordered::new();
        let mut aimd = Aimd::new(execution.concurrency, execution.concurrency);
        let mut failures_in_a_row = 0;
        loop {
            while flight.len() < aimd.limit() && !stop.is_requested() {
                let Some((rows, number)) = waiting.next() else { break };
                let (sent_before, closing) = (&self.sent_before, self.closing);
                let batch = BatchRun { execution, hold, recheck, recorder, stop, number, sent_before, closing };
                flight.push(batch.run(rows));
            }
            let Some(end) = flight.next().await else { return };
            let before = aimd.limit();
            if end.throttled {
                aimd.on_throttle()
            } else {
                aimd.on_success()
            }
            if aimd.limit() != before {
                recorder.tell(RunProgress::Concurrency(aimd.limit())).await;
            }
            failures_in_a_row = if end.failed.is_some() { failures_in_a_row + 1 } else { 0 };
            if let Some(failure) = end.failed.filter(|_| failures_in_a_row >= BREAKER || end.fatal) {
                recorder.log(LogLevel::Error, format!("the run stops: {failure}")).await;
                recorder.halt(failure);
            }
        }
    }

    /// The rows of each request.
    fn batches(&self, execution: &Execution) -> Vec<Vec<u32>> {
        let key = |row: &u32| execution.plan.rows[*row as usize].object.key.clone();
        let targets: Vec<DeleteTarget> = self.rows.iter().map(|row| DeleteTarget::of(key(row))).collect();
        batch::split(&targets, execution.batch_keys).into_iter().map(|range| self.rows[range].to_vec()).collect()
    }

    /// Rows that nothing was asked of end as failed, with the reason: their objects are still there. Of those that an
    /// earlier attempt sent, nothing is known.
    async fn close_open_rows(&self, recorder: &Recorder, cancelled: bool) {
        let why = match recorder.stopped() {
            Some(failure) => format!("not attempted: {}", failure.why),
            None if cancelled => "not attempted: the run was stopped".into(),
            None if self.closing => "not attempted: the run was closed".into(),
            None => "not attempted".into(),
        };
        let end = |row| match self.sent_before.contains(&row) {
            true => (row, Outcome::Unknown, Some("it was sent, and the run stopped before it was looked at".into())),
            false => (row, Outcome::Failed, Some(why.clone())),
        };
        recorder.end(0, recorder.open_rows().into_iter().map(end).collect()).await;
    }
}
