//! The view of past runs: reading them, opening one, and what is done about it.

use std::sync::Arc;

use super::{Effects, browse, jobs, planning};
use crate::app::action::Action;
use crate::app::confirm::Taking;
use crate::app::effect::{Effect, Ticket};
use crate::app::forest::Node;
use crate::app::layout::Pane;
use crate::app::number;
use crate::app::runs::{OpenRun, PastRun, ProofProgress, Proving, RunId, Standing, Then};
use crate::app::state::{Level, Retry, State, View};
use crate::domain::Key;
use crate::domain::plan::PlanKind;
use crate::domain::trash::trashed;

/// Reads all journals, for the view.
pub(super) fn read(state: &mut State) -> Effects {
    let ticket = state.ticket();
    state.runs.ticket = ticket;
    state.runs.reading = Some((0, 0));
    vec![Effect::ReadRuns { ticket }]
}

/// Reads them again after something was done, if they were read before.
pub(super) fn read_again(state: &mut State) -> Effects {
    match state.runs.ticket {
        Ticket(0) => Effects::new(),
        _ => read(state),
    }
}

/// Some runs were read. A new list takes the place of the old one with its first answer.
pub(super) fn listed(state: &mut State, runs: Vec<PastRun>, read: (usize, usize)) -> Effects {
    if state.runs.reading == Some((0, 0)) {
        state.runs.list.clear();
    }
    state.runs.add(runs);
    let is_all = read.0 >= read.1;
    state.runs.reading = (!is_all).then_some(read);
    match &state.runs.open {
        // What is open is as old as the list was.
        Some(open) if is_all => {
            let run = open.past.run.clone();
            let then =
                state.runs.opening.take().filter(|(wanted, _)| *wanted == run).map_or(Then::Show, |(_, then)| then);
            open_run(state, run, then)
        }
        _ => Effects::new(),
    }
}

fn open_run(state: &mut State, run: RunId, then: Then) -> Effects {
    let ticket = state.ticket();
    state.runs.open_ticket = ticket;
    state.runs.opening = Some((run.clone(), then));
    vec![Effect::OpenRun { ticket, run }]
}

/// A run was read.
pub(super) fn opened(state: &mut State, open: OpenRun) -> Effects {
    let then = state.runs.opening.take().map_or(Then::Show, |(_, then)| then);
    if state.runs.opened(&open.past.run).is_none() {
        state.runs.open_groups.clear();
    }
    state.runs.open = Some(Box::new(open));
    act(state, then)
}

pub(super) fn perform(state: &mut State, action: Action) -> Effects {
    if state.browse.pane == Pane::Details {
        return browse::perform(state, action);
    }
    match (action, state.cursor()) {
        (Action::Open, Some(Node::Run(run))) if state.runs.opened(&run).is_none() => open_run(state, run, Then::Show),
        (Action::Close, Some(Node::Run(_))) => {
            state.runs.open = None;
            Effects::new()
        }
        (Action::Toggle, _) => toggle(state),
        _ => browse::perform(state, action),
    }
}

/// Opens or closes the row under the cursor; of a key, shows the details.
pub(super) fn toggle(state: &mut State) -> Effects {
    match state.cursor() {
        Some(Node::Run(run)) if state.runs.opened(&run).is_some() => {
            state.runs.open = None;
            Effects::new()
        }
        Some(Node::Run(run)) => open_run(state, run, Then::Show),
        _ => {
            browse::toggle(state);
            Effects::new()
        }
    }
}

/// The run that the cursor is in.
fn here(state: &State) -> Option<RunId> {
    match state.cursor()? {
        Node::Run(run) | Node::Ends(run, _) | Node::RunKey(run, _) => Some(run),
        _ => None,
    }
}

pub(super) fn command(state: &mut State, action: Action) -> Effects {
    if action == Action::OnlyFailures {
        state.runs.only_failures = !state.runs.only_failures;
        let text = if state.runs.only_failures { "only keys that need a look" } else { "all keys" };
        state.say(Level::Info, text);
        return Effects::new();
    }
    let Some(run) = here(state) else {
        state.say(Level::Info, "there is no run here");
        return Effects::new();
    };
    match action {
        Action::Export => vec![Effect::ExportRun(run)],
        Action::Verify => verify(state, run),
        Action::Resume => with_plan(state, run, Then::GoOn),
        Action::CloseRun => with_plan(state, run, Then::Close),
        Action::RetryFailed => with_plan(state, run, Then::Retry),
        _ => Effects::new(),
    }
}

/// Does something for which all of the run has to be known.
fn with_plan(state: &mut State, run: RunId, then: Then) -> Effects {
    if let Some(why_not) = state.runs.get(&run).and_then(|past| obstacle(past, then)) {
        state.say(Level::Info, why_not);
        return Effects::new();
    }
    match state.runs.opened(&run) {
        Some(_) => act(state, then),
        None => open_run(state, run, then),
    }
}

/// Why that cannot be done to a run.
fn obstacle(past: &PastRun, then: Then) -> Option<String> {
    match (&past.standing, then) {
        (Standing::UnderWay(who), _) => Some(format!("it is under way: {who}")),
        (_, Then::GoOn) if !past.can_go_on() => Some("it came to its end, and nothing of it is open".into()),
        (_, Then::Close) if past.standing != Standing::Unfinished => {
            Some("it came to its end; there is nothing to close".into())
        }
        (Standing::Unfinished, Then::Retry) => Some("it did not come to its end; go on with it first".into()),
        (_, Then::Retry) if past.failures() == 0 => Some("nothing failed in it".into()),
        _ => None,
    }
}

/// Does it to the run that is open.
fn act(state: &mut State, then: Then) -> Effects {
    let Some(open) = state.runs.open.as_deref() else { return Effects::new() };
    let (run, plan) = (open.past.run.clone(), Arc::clone(&open.plan));
    if let Some(why_not) = obstacle(&open.past, then) {
        state.say(Level::Info, why_not);
        return Effects::new();
    }
    match then {
        Then::Show => {}
        Then::GoOn => planning::take_up(state, plan, Taking::GoOn(run)),
        Then::Close => planning::take_up(state, plan, Taking::Close(run)),
        Then::Retry => return retry(state),
    }
    Effects::new()
}

/// Plans the failed keys of the open run again: from a new listing, with all guards.
fn retry(state: &mut State) -> Effects {
    let Some(open) = state.runs.open.as_deref() else { return Effects::new() };
    let failed = open.failed();
    let (run, kind) = (open.past.run.clone(), open.plan.header.kind);
    let keys: Vec<Key> = failed.iter().map(|row| row.object.key.clone()).collect();
    match kind {
        PlanKind::Delete | PlanKind::Trash => {
            if state.is_running() {
                state.say(Level::Warning, "a run is going on; plan when it has ended");
                return Effects::new();
            }
            state.planning.retry = Some(Retry { run, keys, kind });
            let effects = if state.is_scanning() { Effects::new() } else { jobs::refresh(state) };
            state.say(Level::Info, "the bucket is listed again; then the keys that failed are planned");
            effects
        }
        PlanKind::Restore => {
            let from = keys.first().and_then(|key| trashed(key.as_bytes())).map(|said| said.run.into());
            let keys = failed.iter().filter_map(|row| row.destination.clone()).collect();
            planning::restore(state, from, keys)
        }
        PlanKind::EmptyTrash => planning::empty_trash_of(state, keys),
        PlanKind::Backfill | PlanKind::Prune => {
            state.say(Level::Info, "`bucketree registry` plans again what still differs");
            Effects::new()
        }
    }
}

/// The listing that a retry waited for is judged.
pub(super) fn listed_for_retry(state: &mut State) -> Effects {
    let Some(retry) = state.planning.retry.take() else { return Effects::new() };
    let inventory = &state.bucket.inventory;
    let found: Vec<_> = retry.keys.iter().filter_map(|key| inventory.find(key.as_bytes())).collect();
    if found.is_empty() {
        let keys = number::objects(retry.keys.len() as u64);
        state.say(Level::Info, format!("nothing to retry: of {keys} that failed, none is in the bucket any more"));
        return Effects::new();
    }
    state.marks.selection.clear();
    state.marks.extents.clear();
    state.set_marks(found, true);
    state.planning.kind = retry.kind;
    planning::build(state)
}

fn verify(state: &mut State, run: RunId) -> Effects {
    if let Some(proving) = &state.runs.proving {
        let text = format!("run {} is being looked at already; x stops that", proving.run);
        state.say(Level::Info, text);
        return Effects::new();
    }
    let ticket = state.ticket();
    state.runs.proving = Some(Proving { run: run.clone(), ticket, done: (0, 0) });
    vec![Effect::Prove { ticket, run }]
}

/// Stops the second look.
pub(super) fn stop(state: &mut State) -> Effects {
    match &state.runs.proving {
        Some(_) => vec![Effect::StopProving],
        None if state.planning.looking => vec![Effect::StopLooking],
        None => super::running::stop(state),
    }
}

/// A second look went on.
pub(super) fn proving(state: &mut State, ticket: Ticket, progress: ProofProgress) -> Effects {
    let Some(proving) = state.runs.proving.as_mut().filter(|proving| proving.ticket == ticket) else {
        return Effects::new();
    };
    let run = proving.run.clone();
    match progress {
        ProofProgress::Done(done, all) => proving.done = (done, all),
        ProofProgress::Stopped => {
            state.runs.proving = None;
            state.say(Level::Info, "stopped looking; nothing is proved by half");
        }
        ProofProgress::Ended(proof) => {
            use crate::domain::progress::Verification;
            state.runs.proving = None;
            let gone = number::objects(proof.gone);
            let (level, text) = match &proof.verification {
                Verification::Passed => (Level::Info, format!("verified: {gone} proved gone")),
                Verification::StillThere(count) => {
                    (Level::Error, format!("NOT verified: {} still there", number::objects(*count)))
                }
                Verification::Inconclusive(why) => (Level::Error, format!("NOT verified: {why}")),
            };
            state.say(level, text);
            state.runs.proofs.insert(run, *proof);
        }
    }
    Effects::new()
}

/// What could not be done may have been the reading or the looking.
pub(super) fn failed(state: &mut State) {
    state.runs.reading = None;
    state.runs.opening = None;
    state.runs.proving = None;
}

/// Shows the view, and reads the journals.
pub(super) fn show(state: &mut State) -> Effects {
    super::show(state, View::Runs);
    state.browse.pane = Pane::Rows;
    read(state)
}
