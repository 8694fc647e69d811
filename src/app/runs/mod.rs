//! Past runs on the screen: the list, the run that is open in it, and what was found of them since.

pub mod forest;
#[cfg(test)]
pub(crate) mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::outcome::OutcomeCounts;
use crate::domain::plan::{Plan, PlanKind};
use crate::domain::progress::{LogLevel, Verification};
use crate::domain::{Key, Outcome, PlanRow, Timestamp};

use super::effect::Ticket;

/// The id of a run (UUIDv7); sorts by time.
pub type RunId = Arc<str>;

/// How a past run stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It came to its end.
    Finished,
    /// The user stopped it; it can be gone on with.
    Cancelled,
    /// It stopped by itself, for this reason; it can be gone on with.
    Stopped(String),
    /// It never came to its end; it has to be gone on with, or closed, before another one on the bucket.
    Unfinished,
    /// Somebody carries it out now: who.
    UnderWay(String),
}

impl Standing {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Finished => "finished",
            Standing::Cancelled => "cancelled",
            Standing::Stopped(_) => "stopped",
            Standing::Unfinished => "unfinished",
            Standing::UnderWay(_) => "under way",
        }
    }
}

/// A run in a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastRun {
    /// Its id.
    pub run: RunId,
    /// When it began; `None` if its journal writes no time that can be read.
    pub started: Option<Timestamp>,
    /// What was to be done; `None` if its plan cannot be read.
    pub kind: Option<PlanKind>,
    /// Keys in the plan.
    pub planned: u64,
    /// How they ended; keys without an outcome are not in it.
    pub outcomes: OutcomeCounts,
    /// How it stands.
    pub standing: Standing,
    /// What the last verification found; `None` if there was none.
    pub verification: Option<Verification>,
    /// What is wrong with its journal, if anything.
    pub damage: Option<String>,
}

impl PastRun {
    /// Whether everything went as planned, and was proved.
    pub fn is_success(&self) -> bool {
        self.standing == Standing::Finished
            && self.damage.is_none()
            && self.outcomes.total() == self.planned
            && self.failures() == 0
            && self.verification == Some(Verification::Passed)
    }

    /// Keys that a person has to look at.
    pub fn failures(&self) -> u64 {
        self.outcomes.sum(Outcome::is_failure)
    }

    /// Whether there may be something to go on with.
    pub fn can_go_on(&self) -> bool {
        let unproved = matches!(self.verification, Some(Verification::Inconclusive(_)));
        match self.standing {
            Standing::Finished => unproved || self.outcomes.of(Outcome::Unknown) > 0,
            Standing::Cancelled | Standing::Stopped(_) | Standing::Unfinished => true,
            Standing::UnderWay(_) => false,
        }
    }
}

/// Something that the journal of a run tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// When (RFC 3339).
    pub at: String,
    /// How loud.
    pub level: LogLevel,
    /// What, already safe for a terminal.
    pub text: String,
}

/// How one key of a run ended, if it did.
pub type End = Option<(Outcome, Option<String>)>;

/// A run with its keys.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenRun {
    /// In a few words.
    pub past: PastRun,
    /// The plan as it was confirmed.
    pub plan: Arc<Plan>,
    /// How each row of the plan ended.
    ends: Vec<End>,
    /// The rows of the plan by how they ended, those that need a look first.
    groups: Vec<(Option<Outcome>, Vec<u32>)>,
    /// What the journal tells, in its order.
    pub facts: Vec<Fact>,
    /// Where journal and plan are.
    pub folder: String,
}

impl OpenRun {
    /// A run, from its plan and the end of each row that has one.
    pub fn new(
        past: PastRun,
        plan: Arc<Plan>,
        mut ends: BTreeMap<u32, (Outcome, Option<String>)>,
        facts: Vec<Fact>,
        folder: String,
    ) -> Self {
        let rows = u32::try_from(plan.rows.len()).unwrap_or(u32::MAX);
        let ends: Vec<End> = (0..rows).map(|row| ends.remove(&row)).collect();
        let mut by_outcome: BTreeMap<(u8, Option<Outcome>), Vec<u32>> = BTreeMap::new();
        for (row, end) in (0u32..).zip(&ends) {
            let outcome = end.as_ref().map(|(outcome, _)| *outcome);
            by_outcome.entry((urgency(outcome), outcome)).or_default().push(row);
        }
        let groups = by_outcome.into_iter().map(|((_, outcome), rows)| (outcome, rows)).collect();
        Self { past, plan, ends, groups, facts, folder }
    }

    /// How a row ended; `None` if there is no such row or it has no end.
    pub fn end(&self, row: u32) -> Option<&(Outcome, Option<String>)> {
        self.ends.get(row as usize)?.as_ref()
    }

    /// A row of the plan.
    pub fn row(&self, row: u32) -> Option<&PlanRow> {
        self.plan.rows.get(row as usize)
    }

    /// The groups that are shown.
    fn groups(&self, only_failures: bool) -> impl DoubleEndedIterator<Item = &(Option<Outcome>, Vec<u32>)> {
        self.groups.iter().filter(move |(outcome, _)| !only_failures || needs_a_look(*outcome))
    }

    /// The rows that ended so.
    pub fn members(&self, outcome: Option<Outcome>) -> &[u32] {
        self.groups.iter().find(|(known, _)| *known == outcome).map_or(&[], |(_, rows)| rows)
    }

    /// The rows of the plan that failed: denied, locked, failed or unknown.
    pub fn failed(&self) -> Vec<&PlanRow> {
        let is_failure = |end: &End| end.as_ref().is_some_and(|(outcome, _)| outcome.is_failure());
        self.plan.rows.iter().zip(&self.ends).filter(|(_, end)| is_failure(end)).map(|(row, _)| row).collect()
    }
}

/// Whether a person has to look at keys that ended so; a key without an end is one of them.
pub fn needs_a_look(outcome: Option<Outcome>) -> bool {
    outcome.is_none_or(Outcome::is_failure)
}

/// What comes first: what needs a look, then what was kept, then what was done.
fn urgency(outcome: Option<Outcome>) -> u8 {
    match outcome {
        outcome if needs_a_look(outcome) => 0,
        Some(outcome) if outcome.is_kept() => 1,
        _ => 2,
    }
}

/// A second look at what a run said is gone, while it goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proving {
    /// The run.
    pub run: RunId,
    /// Which answers are wanted.
    pub ticket: Ticket,
    /// Keys looked for, and keys to look for.
    pub done: (u64, u64),
}

/// What a second look found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// When it ended.
    pub at: Timestamp,
    /// The answer.
    pub verification: Verification,
    /// Keys proved to have no object now.
    pub gone: u64,
    /// Keys that hold another object now.
    pub recreated: Vec<Key>,
    /// Keys that still hold the object that should be gone.
    pub still_there: Vec<Key>,
}

/// What a second look says while it goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProofProgress {
    /// Keys looked for, and keys to look for.
    Done(u64, u64),
    /// The end.
    Ended(Box<Proof>),
    /// It was stopped.
    Stopped,
}

/// What is to be done to a run as soon as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Nothing but to show it.
    Show,
    /// Go on with it, after a confirmation.
    GoOn,
    /// Close it, after a confirmation.
    Close,
    /// Plan its failed keys again.
    Retry,
}

/// The view of past runs.
#[derive(Default)]
pub struct Runs {
    /// Runs on the bucket, newest first.
    pub list: Vec<PastRun>,
    /// Journals that are read, and that there are, while the list is read.
    pub reading: Option<(usize, usize)>,
    /// Which list is wanted; zero before one was ever asked for.
    pub ticket: Ticket,
    /// The run that is open.
    pub open: Option<Box<OpenRun>>,
    /// The run that is being read, and what for.
    pub opening: Option<(RunId, Then)>,
    /// Which of them is wanted.
    pub open_ticket: Ticket,
    /// The outcomes whose keys are rows.
    pub open_groups: BTreeSet<Option<Outcome>>,
    /// Whether only keys are shown that need a look.
    pub only_failures: bool,
    /// The second look that is going on.
    pub proving: Option<Proving>,
    /// What second looks found, by run.
    pub proofs: BTreeMap<RunId, Proof>,
}

impl Runs {
    /// A run of the list.
    pub fn get(&self, run: &str) -> Option<&PastRun> {
        self.place(run).and_then(|at| self.list.get(at))
    }

    /// Where a run stands in the list, which is sorted by id, the newest first.
    fn place(&self, run: &str) -> Option<usize> {
        self.list.binary_search_by(|past| run.cmp(&past.run)).ok()
    }

    /// The run that is open, if it is this one.
    pub fn opened(&self, run: &str) -> Option<&OpenRun> {
        self.open.as_deref().filter(|open| &*open.past.run == run)
    }

    /// Takes in runs of the list.
    pub fn add(&mut self, runs: Vec<PastRun>) {
        self.list.extend(runs);
        self.list.sort_by(|a, b| b.run.cmp(&a.run));
    }
}
