//! The plan: made, looked at, confirmed.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEventKind;

use super::{Effects, running, show};
use crate::app::action::Action;
use crate::app::confirm::Confirmation;
use crate::app::effect::Effect;
use crate::app::gather::gather_plan;
use crate::app::groups::OpenGroups;
use crate::app::run::Run;
use crate::app::state::{Audit, Level, Mode, Scan, State, View};
use crate::app::stroke::Stroke;
use crate::domain::plan::{Plan, PlanKind};

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
fn obstacle(state: &State) -> Option<String> {
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

pub(super) fn ready(state: &mut State, plan: Plan) -> Effects {
    state.planning.tree = gather_plan(&plan);
    state.planning.plan = Some(Arc::new(plan));
    state.planning.pending = false;
    state.planning.used = false;
    state.planning.outdated = false;
    state.browse.places.remove(&View::Plan);
    let mut open = OpenGroups::default();
    state.planning.tree.roots().iter().for_each(|root| open.set(&root.id, true));
    state.browse.groups.insert(View::Plan, open);
    Effects::new()
}

/// `D`: opens the dialog if the plan may be carried out at all.
fn begin(state: &mut State) {
    let Some(plan) = state.planning.plan.clone() else {
        state.say(Level::Info, "there is no plan; mark objects, then press d");
        return;
    };
    let refusal = plan.refusals().first().map(|guard| format!("refused: {}: {}", guard.name, guard.message));
    let expired = state.server_now().is_some_and(|now| now >= plan.header.expires_at);
    let why_not = if state.planning.used {
        Some("this plan was used; mark and plan again".to_owned())
    } else if state.planning.outdated || state.planning.pending {
        Some("marks or objects have changed since this plan; go back and press d again".to_owned())
    } else if expired {
        Some("this plan has expired; go back and press d again".to_owned())
    } else {
        refusal.or_else(|| obstacle(state))
    };
    match why_not {
        Some(why_not) => state.say(Level::Error, why_not),
        None => state.mode = Mode::Confirm(Confirmation::new(plan, state.now)),
    }
}

/// `R`: opens the dialog about the run that did not come to its end.
fn resume(state: &mut State) {
    let unfinished = state.unfinished.as_ref().and_then(|one| Some((one.run.clone(), one.plan.clone()?)));
    match (unfinished, obstacle(state)) {
        (None, _) => state.say(Level::Info, "every run on this bucket came to its end"),
        (_, Some(obstacle)) => state.say(Level::Warning, obstacle),
        (Some((run, plan)), None) => state.mode = Mode::Confirm(Confirmation::to_resume(run, plan, state.now)),
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
        Some(action) => confirmation.edit(action, at),
        None => {
            if let Some(c) = stroke.typed() {
                confirmation.insert(c, at);
            }
        }
    }
    Effects::new()
}

fn execute(state: &mut State, confirmed: crate::app::confirm::Confirmed) -> Effects {
    state.run = Some(Run::new(confirmed.plan().clone(), state.now));
    match confirmed.resumes() {
        Some(_) => state.unfinished = None,
        None => state.planning.used = true,
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
