//! The one way to a confirmed plan: its bucket and its count, typed by hand.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::plan::{Plan, PlanSums};
use crate::domain::via::Via;

use super::action::Action;
use super::input::Input;
use super::runs::RunId;

/// What becomes of a confirmed plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taking {
    /// It is carried out by a new run.
    Anew,
    /// The run of it that ended early is gone on with.
    GoOn(RunId),
    /// The run of it that ended early is closed: nothing more is sent.
    Close(RunId),
}

/// A plan that a person confirmed. Made only by [`Confirmation::submit`].
#[derive(Clone, PartialEq, Debug)]
pub struct Confirmed {
    plan: Arc<Plan>,
    taking: Taking,
    via: Via,
}

impl Confirmed {
    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What becomes of it.
    pub fn taking(&self) -> &Taking {
        &self.taking
    }

    /// How the deletions reach the store.
    pub fn via(&self) -> Via {
        self.via
    }
}

/// The key that confirms counts only if it comes at least this long after the key before it: no hand is faster, but a
/// paste into a terminal without bracketed paste, and the repeats of a held key, are.
pub const HUMAN_PAUSE: Duration = Duration::from_millis(60);

/// The dialog in which a plan is confirmed.
#[derive(Clone, PartialEq, Debug)]
pub struct Confirmation {
    plan: Arc<Plan>,
    sums: Arc<PlanSums>,
    taking: Taking,
    via: Via,
    input: Input,
    last_key: Duration,
    complaint: Option<String>,
}

impl Confirmation {
    /// An empty dialog about a plan and what it comes to, opened `at` that time.
    pub fn new(plan: Arc<Plan>, sums: Arc<PlanSums>, taking: Taking, via: Via, at: Duration) -> Self {
        Self { plan, sums, taking, via, input: Input::default(), last_key: at, complaint: None }
    }

    /// What the plan comes to.
    pub fn sums(&self) -> &PlanSums {
        &self.sums
    }

    /// What will become of the plan.
    pub fn taking(&self) -> &Taking {
        &self.taking
    }

    /// How the deletions will reach the store.
    pub fn via(&self) -> Via {
        self.via
    }

    /// Chooses the next way for the deletions to reach the store.
    pub fn switch_via(&mut self, at: Duration) {
        self.last_key = at;
        let place = Via::ALL.iter().position(|via| *via == self.via).unwrap_or(0);
        self.via = Via::ALL[(place + 1) % Via::ALL.len()];
    }

    /// The plan to confirm.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was typed so far.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Why the last try did not count.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Whether what stands there is what is asked for.
    pub fn matches(&self) -> bool {
        self.input.text() == self.plan.confirmation()
    }

    /// Types a character.
    pub fn insert(&mut self, c: char, at: Duration) {
        self.last_key = at;
        self.complaint = None;
        self.input.insert(c);
    }

    /// Edits the line.
    pub fn edit(&mut self, action: Action, at: Duration) {
        self.last_key = at;
        self.complaint = None;
        self.input.edit(action);
    }

    /// Refuses a paste, and empties the line so that nothing of it is left.
    pub fn refuse_paste(&mut self) {
        self.input.clear();
        self.complaint = Some("a paste does not confirm; type it by hand".into());
    }

    /// Confirms, if the text is right and the key was pressed by a hand.
    pub fn submit(&mut self, at: Duration) -> Option<Confirmed> {
        let pause = at.saturating_sub(self.last_key);
        self.last_key = at;
        if !self.matches() {
            self.complaint = Some(match self.input.text() {
                "" => "nothing is typed yet; Esc leaves".into(),
                _ => "that is not the text; nothing was done".into(),
            });
            return None;
        }
        if pause < HUMAN_PAUSE {
            self.complaint = Some("that came faster than a hand types; press Enter once more".into());
            return None;
        }
        Some(Confirmed { plan: self.plan.clone(), taking: self.taking.clone(), via: self.via })
    }
}
