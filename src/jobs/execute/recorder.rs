//! The one place where an outcome is said: written to the journal first, then counted, then told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::domain::Timestamp;
use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::plan::Plan;
use crate::domain::progress::{Failure, LogLevel, LogLine, RunProgress};
use crate::jobs::{Clock, Stop};
use crate::journal::Journal;
use crate::journal::group::GroupJournal;
use crate::journal::record::{Record, RowOutcome};
use crate::store::Said;

/// The end of one row, with the reason where it is not plain success.
pub type End = (u32, Outcome, Option<String>);

/// Writes, counts and tells.
pub struct Recorder {
    run: String,
    plan: Arc<Plan>,
    clock: Clock,
    stop: Stop,
    sender: mpsc::Sender<RunProgress>,
    journal: Arc<GroupJournal>,
    state: Mutex<State>,
}

struct State {
    ends: Vec<Option<Outcome>>,
    /// What the store last said of rows that have no end yet.
    said: HashMap<u32, Said>,
    counts: OutcomeCounts,
    bytes_gone: u64,
    stopped: Option<Failure>,
    /// The journal could not be written: nothing that changes anything may be done any more.
    blind: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while it held the lock left whole values behind: every change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// A recorder over an open journal.
    pub fn new(
        run: String,
        plan: Arc<Plan>,
        journal: Journal,
        clock: Clock,
        stop: Stop,
        sender: mpsc::Sender<RunProgress>,
    ) -> Self {
        let state = State {
            ends: vec![None; plan.rows.len()],
            said: HashMap::new(),
            counts: OutcomeCounts::default(),
            bytes_gone: 0,
            stopped: None,
            blind: false,
        };
        Self { run, plan, clock, stop, sender, journal: Arc::new(GroupJournal::new(journal)), state: Mutex::new(state) }
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// This machine's time as the journal writes it.
    pub fn at(&self) -> String {
        self.now().to_string()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes a record; when it returns, the record is on the disk.
    ///
    /// # Errors
    /// The disk refuses; the run is then stopped, and nothing that the record announces may be done.
    pub async fn write(&self, record: Record) -> Result<(), Failure> {
        let journal = Arc::clone(&self.journal);
        let written = tokio::task::spawn_blocking(move || journal.append(record)).await;
        let why = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let failure = Failure {
            what: format!("write the journal of run {}", self.run),
            why,
            hint: format!("no further request was sent; make room on the disk, then `bucketree resume {}`", self.run),
        };
        lock(&self.state).blind = true;
        self.halt(failure.clone());
        Err(failure)
    }

    /// Whether the journal can no longer be written.
    pub fn is_blind(&self) -> bool {
        lock(&self.state).blind
    }

    /// Takes over what the journal says already, from before the run was taken up again.
    pub async fn restore(&self, ends: Vec<End>) {
        let ends = self.count(ends);
        if !ends.is_empty() {
            self.tell(RunProgress::Outcomes(ends)).await;
        }
    }

    /// Keeps the words of an answer as evidence of how the row ends.
    pub fn heard(&self, row: u32, said: Said) {
        lock(&self.state).said.insert(row, said);
    }

    /// Ends rows: journal, counts, message. A row that has an end keeps it.
    pub async fn end(&self, batch: u64, ends: Vec<End>) {
        let ends = self.count(ends);
        if ends.is_empty() {
            return;
        }
        let rows = self.with_evidence(&ends);
        // If the disk refuses, the run is stopped and its report says so; the outcome is still told to whoever watches.
        let _ = self.write(Record::Outcomes { at: self.at(), batch, rows }).await;
        self.tell(RunProgress::Outcomes(ends)).await;
    }

    fn with_evidence(&self, ends: &[End]) -> Vec<RowOutcome> {
        let mut state = lock(&self.state);
        let row_outcome = |(row, outcome, why): &End| {
            let Said { status, code } = state.said.remove(row).unwrap_or_default();
            let code = code.map(String::from);
            RowOutcome { row: *row, outcome: outcome.name().into(), why: why.clone(), status, code }
        };
        ends.iter().map(row_outcome).collect()
    }

    fn count(&self, ends: Vec<End>) -> Vec<End> {
        let mut state = lock(&self.state);
        ends.into_iter()
            .filter(|(row, outcome, _)| {
                let at = *row as usize;
                let is_new = state.ends.get(at).is_some_and(Option::is_none);
                if is_new {
                    state.ends[at] = Some(*outcome);
                    state.counts.add(*outcome);
                    if outcome.is_gone() && *outcome != Outcome::AbsentBefore {
                        state.bytes_gone = state.bytes_gone.saturating_add(self.plan.rows[at].object.size);
                    }
                }
                is_new
            })
            .collect()
    }

    /// Says something to whoever watches. Nobody watching any more means stop.
    pub async fn tell(&self, progress: RunProgress) {
        if self.sender.send(progress).await.is_err() {
            self.stop.request();
        }
    }

    /// Shows how far something is. A picture, not a fact: it is left out when the watcher is busy.
    pub fn show(&self, progress: RunProgress) {
        let _ = self.sender.try_send(progress);
    }

    /// Adds a line to the log.
    pub async fn log(&self, level: LogLevel, text: String) {
        let line = LogLine { at: self.now(), level, run: self.run.clone(), text };
        self.tell(RunProgress::Log(line)).await;
    }

    /// Stops the run for a reason; the first reason stays.
    pub fn halt(&self, failure: Failure) {
        lock(&self.state).stopped.get_or_insert(failure);
        self.stop.request();
    }

    /// Why the run stopped early, if it did.
    pub fn stopped(&self) -> Option<Failure> {
        lock(&self.state).stopped.clone()
    }

    /// Rows that have no end yet.
    pub fn open_rows(&self) -> Vec<u32> {
        let state = lock(&self.state);
        (0u32..).zip(&state.ends).filter(|(_, end)| end.is_none()).map(|(row, _)| row).collect()
    }

    /// Rows whose object should be gone.
    pub fn gone_rows(&self) -> Vec<u32> {
        let state = lock(&self.state);
        (0u32..).zip(&state.ends).filter(|(_, end)| end.is_some_and(Outcome::is_gone)).map(|(row, _)| row).collect()
    }

    /// Rows that ended like this.
    pub fn rows_that_ended(&self, how: Outcome) -> Vec<u32> {
        let state = lock(&self.state);
        (0u32..).zip(&state.ends).filter(|(_, end)| **end == Some(how)).map(|(row, _)| row).collect()
    }

    /// Rows by outcome, and the bytes that this run removed.
    pub fn counts(&self) -> (OutcomeCounts, u64) {
        let state = lock(&self.state);
        (state.counts, state.bytes_gone)
    }
}
