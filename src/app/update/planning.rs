//! The plan: made, looked at, confirmed.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEventKind;

use super::{Effects, running, show};
use crate::app::action::Action;
use crate::app::confirm::{Confirmation, Confirmed, Taking};
use crate::app::effect::{Effect, Ticket};
use crate::app::event::PlanMade;
use crate::app::forest::Node;
use crate::app::groups::OpenGroups;
use crate::app::number;
use crate::app::run::Run;
use crate::app::runs::RunId;
use crate::app::state::{Audit, Level, Mode, Scan, State, View};
use crate::app::stroke::Stroke;
use crate::domain::Key;
use crate::domain::plan::{Plan, PlanKind, PlanSums};
use crate::domain::trash::run_of;

pub(super) fn perform(state: &mut State, action: Action) -> Effects {
    match action {
        Action::Plan => build(state),
        Action::Confirm => {
            begin(state);
            Effects::new()
        }
        Action::SwitchKind => switch(state),
        Action::Export => match &state.planning.plan {
            Some(plan) => vec![Effect::Export(plan.clone())],
            None => {
                state.say(Level::Info, "there is no plan to write");
                Effects::new()
            }
        },
        Action::RetryFailed => retry(state),
        Action::Resume => {
            resume(state);
            Effects::new()
        }
        _ => Effects::new(),
    }
}

/// Why nothing can be planned now.
pub(super) fn obstacle(state: &State) -> Option<String> {
    if state.is_running() {
        return Some("a run is going on; plan when it has ended".into());
    }
    if let Some(obstacle) = super::kept::obstacle(state) {
        return Some(obstacle);
    }
    match &state.bucket.scan {
        Scan::Complete(_) => {}
        Scan::Incomplete(failure) => {
            return Some(format!("the listing is incomplete ({}); press r to list again", failure.why));
        }
        Scan::Waiting | Scan::Running { .. } => {
            return Some("the bucket is still being listed; plan when all of it is known".into());
        }
    }
    match &state.bucket.audit {
        Audit::Done => None,
        Audit::Failed(failure) => Some(failure.to_string()),
        Audit::Waiting | Audit::Running => Some("the objects are still being judged".into()),
    }
}

/// Asks for a plan of what is marked and shows where it will be. Deletes nothing.
pub(super) fn build(state: &mut State) -> Effects {
    if let Some(obstacle) = obstacle(state) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    if state.marks.selection.is_empty() {
        state.say(Level::Info, "nothing is marked; Space marks, A marks all orphans of a project");
        return Effects::new();
    }
    let ticket = state.ticket();
    state.planning.ticket = ticket;
    state.planning.pending = true;
    show(state, View::Plan);
    vec![Effect::BuildPlan { ticket }]
}

/// Makes the plan anew, for the other end of its objects.
fn switch(state: &mut State) -> Effects {
    if state.plan_is_from_trash() {
        state.say(Level::Info, "this plan takes objects out of the trash; it has no other kind");
        return Effects::new();
    }
    let before = state.planning.kind;
    state.planning.kind = match before {
        PlanKind::Delete => PlanKind::Trash,
        _ => PlanKind::Delete,
    };
    let effects = build(state);
    if effects.is_empty() {
        state.planning.kind = before;
    }
    effects
}

pub(super) fn ready(state: &mut State, made: PlanMade) -> Effects {
    let from_trash = made.plan.header.kind.is_from_trash();
    let before = (std::mem::replace(&mut state.planning.tree, made.tree), state.planning.plan.replace(made.plan));
    state.planning.sums = made.sums;
    state.discard(before);
    state.planning.pending = false;
    state.planning.used = false;
    state.planning.outdated = false;
    state.browse.places.remove(&View::Plan);
    let mut open = OpenGroups::default();
    state.planning.tree.roots().iter().for_each(|root| open.set(&root.id, true));
    state.browse.groups.insert(View::Plan, open);
    state.planning.looking = false;
    match state.mode {
        Mode::Browse if from_trash => {
            state.notice = None;
            show(state, View::Plan);
        }
        _ if from_trash => state.say(Level::Info, "the plan is made; it is in Plan"),
        _ => {}
    }
    Effects::new()
}

/// There is nothing to plan.
pub(super) fn none(state: &mut State, why: String) -> Effects {
    state.planning.pending = false;
    state.planning.looking = false;
    state.say(Level::Warning, why);
    Effects::new()
}

/// `z`: plans to bring back what the run under the cursor moved to the trash; elsewhere, what the last such run did.
pub(super) fn restore_here(state: &mut State) -> Effects {
    let run = state.cursor().and_then(|node| match node {
        Node::Run(run) | Node::Ends(run, _) | Node::RunKey(run, _) => Some(run),
        node => run_of(state.key_of(&node)?.as_bytes()).map(RunId::from),
    });
    restore(state, run, Vec::new())
}

/// Plans to bring back what a run moved to the trash, or some keys of it.
pub(super) fn restore(state: &mut State, run: Option<RunId>, keys: Vec<Key>) -> Effects {
    look_into_trash(state, |ticket| Effect::PlanRestore { ticket, run, keys })
}

/// Plans to delete for good what has lain in the trash for so long.
pub(super) fn empty_trash(state: &mut State, older_than: &str) -> Effects {
    match number::parse_age(older_than.trim()) {
        Ok(older_than_seconds) => {
            look_into_trash(state, |ticket| Effect::PlanEmptyTrash { ticket, older_than_seconds, keys: Vec::new() })
        }
        Err(why) => {
            state.say(Level::Error, format!("{why}; 0d takes everything that is there"));
            Effects::new()
        }
    }
}

/// Plans to delete for good what lies at these places in the trash, however long it has been there.
pub(super) fn empty_trash_of(state: &mut State, keys: Vec<Key>) -> Effects {
    look_into_trash(state, |ticket| Effect::PlanEmptyTrash { ticket, older_than_seconds: 0, keys })
}

fn look_into_trash(state: &mut State, ask: impl FnOnce(Ticket) -> Effect) -> Effects {
    if let Some(obstacle) = super::kept::obstacle(state).filter(|_| state.session.offline) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    if state.is_running() {
        state.say(Level::Warning, "a run is going on; plan when it has ended");
        return Effects::new();
    }
    let ticket = state.ticket();
    state.planning.ticket = ticket;
    state.planning.pending = true;
    state.planning.looking = true;
    state.say(Level::Info, "looking into the trash; Ctrl-c stops that");
    vec![ask(ticket)]
}

/// `D`: opens the dialog if the plan may be carried out at all.
fn begin(state: &mut State) {
    let Some(plan) = state.planning.plan.clone() else {
        state.say(Level::Info, "there is no plan; mark objects, then press d");
        return;
    };
    let refusal = plan.refusals().first().map(|guard| format!("refused: {}: {}", guard.name, guard.message));
    let expired = state.server_now().is_some_and(|now| now >= plan.header.expires_at);
    let from_trash = plan.header.kind.is_from_trash();
    let why_not = if state.planning.used {
        Some("this plan was used; mark and plan again".to_owned())
    } else if state.planning.pending || (state.planning.outdated && !from_trash) {
        Some("marks or objects have changed since this plan; go back and press d again".to_owned())
    } else if expired {
        Some("this plan has expired; go back and press d again".to_owned())
    } else {
        refusal.or_else(|| if from_trash { busy(state) } else { obstacle(state) })
    };
    match why_not {
        Some(why_not) => state.say(Level::Error, why_not),
        None => ask(state, plan, Taking::Anew),
    }
}

/// Why nothing can be begun now that asks neither for verdicts nor for the whole listing.
fn busy(state: &State) -> Option<String> {
    match state.bucket.scan {
        _ if state.session.offline => super::kept::obstacle(state),
        _ if state.is_running() => Some("a run is going on; confirm when it has ended".into()),
        // Until its first answer nobody knows the server's clock.
        Scan::Waiting | Scan::Running { .. } => {
            Some("the bucket is still being listed; confirm when that is done".into())
        }
        Scan::Complete(_) | Scan::Incomplete(_) => None,
    }
}

fn ask(state: &mut State, plan: Arc<Plan>, taking: Taking) {
    let sums = match taking {
        Taking::Anew => Arc::clone(&state.planning.sums),
        Taking::GoOn(_) | Taking::Close(_) => Arc::new(PlanSums::of(&plan)),
    };
    state.mode = Mode::Confirm(Confirmation::new(plan, sums, taking, state.session.via, state.now));
}

/// Opens the dialog about a run that ended early.
pub(super) fn take_up(state: &mut State, plan: Arc<Plan>, taking: Taking) {
    match busy(state) {
        Some(busy) => state.say(Level::Warning, busy),
        None => ask(state, plan, taking),
    }
}

/// `R`: opens the dialog about the run that did not come to its end.
fn resume(state: &mut State) {
    let unfinished = state.unfinished.as_ref().and_then(|one| Some((one.run.clone(), one.plan.clone()?)));
    match (unfinished, busy(state)) {
        (None, _) => state.say(Level::Info, "every run on this bucket came to its end"),
        (_, Some(busy)) => state.say(Level::Warning, busy),
        (Some((run, plan)), None) => ask(state, plan, Taking::GoOn(run)),
    }
}

pub(super) fn confirm_key(
    state: &mut State,
    action: Option<Action>,
    stroke: Stroke,
    kind: KeyEventKind,
    at: Duration,
) -> Effects {
    let Mode::Confirm(confirmation) = &mut state.mode else { return Effects::new() };
    if matches!(action, Some(Action::Dismiss | Action::Interrupt)) {
        return super::prompt::dismiss(state);
    }
    // A held key types nothing here.
    if kind == KeyEventKind::Repeat {
        return Effects::new();
    }
    match action {
        Some(Action::Submit) => {
            if let Some(confirmed) = confirmation.submit(at) {
                return execute(state, confirmed);
            }
        }
        Some(Action::SwitchExecutor) => confirmation.switch_via(at),
        Some(action) => confirmation.edit(action, at),
        None => {
            if let Some(c) = stroke.typed() {
                confirmation.insert(c, at);
            }
        }
    }
    Effects::new()
}

fn execute(state: &mut State, confirmed: Confirmed) -> Effects {
    // A listing of the trash that is under way does not know what goes from now on.
    state.bucket.trash_ticket = state.ticket();
    state.run = Some(Run::new(confirmed.plan().clone(), state.now));
    match confirmed.taking() {
        Taking::Anew => state.planning.used = true,
        Taking::GoOn(run) | Taking::Close(run) => {
            state.unfinished.take_if(|unfinished| unfinished.run == *run);
        }
    }
    state.marks.cleared = None;
    show(state, View::Log);
    state.log.set_follow(true);
    vec![Effect::Execute(confirmed)]
}

/// `f`: a new plan of the keys that failed.
fn retry(state: &mut State) -> Effects {
    let Some(run) = state.run.as_ref().filter(|run| run.has_ended()) else {
        state.say(Level::Info, "no run has ended yet");
        return Effects::new();
    };
    let failed = running::still_there(state, run);
    if failed.is_empty() {
        state.say(Level::Info, "nothing failed in the last run");
        return Effects::new();
    }
    state.marks.selection.clear();
    state.marks.extents.clear();
    state.set_marks(failed, true);
    build(state)
}
