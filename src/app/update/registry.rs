//! The view of the registry, and the word of a person that smaller counts than last time are right.

use super::{Effects, browse, jobs, jump, planning};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::forest::Node;
use crate::app::groups::GroupId;
use crate::app::layout::Pane;
use crate::app::state::{Ask, Audit, Level, Mode, State, View};
use crate::domain::ProjectId;
use crate::domain::drift::DriftReport;
use crate::domain::progress::LogLevel;

/// What has to be typed to accept smaller counts.
pub(super) const ACCEPT: &str = "accept";

/// Shows the view, and compares registry and listing if that was not done since they were read.
pub(super) fn show(state: &mut State) -> Effects {
    super::show(state, View::Registry);
    state.browse.pane = Pane::Rows;
    match state.registry_view.report {
        None => compare(state),
        Some(_) => Effects::new(),
    }
}

/// Compares, if everything is there that is compared.
pub(super) fn compare(state: &mut State) -> Effects {
    if state.bucket.audit != Audit::Done || state.bucket.judge.is_none() {
        return Effects::new();
    }
    let ticket = state.ticket();
    state.registry_view.ticket = ticket;
    state.registry_view.comparing = true;
    vec![Effect::CompareRegistry { ticket }]
}

/// The listing or the registry was read again: what was compared is no longer what is there.
pub(super) fn judged(state: &mut State) -> Effects {
    state.registry_view.report = None;
    state.registry_view.comparing = false;
    state.registry_view.checking = None;
    match state.browse.view {
        View::Registry => compare(state),
        _ => Effects::new(),
    }
}

/// The comparison is done.
pub(super) fn compared(state: &mut State, report: DriftReport) -> Effects {
    let view = &mut state.registry_view;
    view.comparing = false;
    let asked = view.checking.take().is_some();
    let problem = report.problem.clone();
    view.report = Some(Box::new(report));
    match problem {
        Some(problem) => state.say(Level::Warning, problem),
        None if asked => state.say(Level::Info, "every missing key was asked for, and every row looked into"),
        None => {}
    }
    Effects::new()
}

/// `v`: asks the store for what is missing, and looks into the rows of what is there.
pub(super) fn check(state: &mut State) -> Effects {
    if state.registry_view.checking.is_some() {
        state.say(Level::Info, "that is going on already; x stops it");
        return Effects::new();
    }
    if let Some(obstacle) = planning::obstacle(state) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    let ticket = state.ticket();
    state.registry_view.ticket = ticket;
    state.registry_view.checking = Some((0, 0));
    vec![Effect::CheckRegistry { ticket }]
}

/// `x`: stops asking.
pub(super) fn stop(state: &mut State) -> Effects {
    match state.registry_view.checking {
        Some(_) => vec![Effect::StopChecking],
        None => super::running::stop(state),
    }
}

pub(super) fn perform(state: &mut State, action: Action) -> Effects {
    match (action, state.cursor()) {
        (Action::Toggle, Some(_)) if state.browse.pane == Pane::Rows => toggle(state),
        _ => browse::perform(state, action),
    }
}

/// Opens or closes a row; goes to the object of a key.
pub(super) fn toggle(state: &mut State) -> Effects {
    let Some(node @ Node::DriftKey(kind, at)) = state.cursor() else {
        browse::toggle(state);
        return Effects::new();
    };
    let Some(object) = state.object_of(&node) else {
        state.say(Level::Info, "the bucket has no object of this key; p goes to its project");
        return Effects::new();
    };
    jump::to_object(state, object);
    if let Some(project) = state.registry_view.project(kind, at) {
        state.say(Level::Info, format!("of project {project}; - goes back"));
    }
    Effects::new()
}

/// `p`: goes to the project of the row.
pub(super) fn show_project(state: &mut State) -> Effects {
    match project_here(state) {
        Some(project) => {
            let id = GroupId { finding: None, project: Some(Some(project.clone())) };
            if state.gathered().projects.group(&id).is_some_and(|group| group.tally.objects > 0) {
                jump::to_group(state, View::Projects, id);
            } else {
                state.say(Level::Info, format!("project {project} has no object in the bucket"));
            }
        }
        None => state.say(Level::Info, "no project is known for this"),
    }
    Effects::new()
}

fn project_here(state: &State) -> Option<ProjectId> {
    let node = state.cursor()?;
    match &node {
        Node::DriftKey(kind, at) => {
            let said = state.registry_view.project(*kind, *at).cloned();
            said.or_else(|| project_of(state, &node))
        }
        Node::Group(id) | Node::Member(id, _) if id.project.is_some() => id.project.clone().flatten(),
        _ => project_of(state, &node),
    }
}

fn project_of(state: &State, node: &Node) -> Option<ProjectId> {
    let assessment = state.bucket.assessment.as_ref()?;
    let project = assessment.project(state.object_of(node)?)?;
    Some(assessment.project_id(project).clone())
}

/// `S`: asks for the word.
pub(super) fn ask_to_accept(state: &mut State) -> Effects {
    if state.bucket.accepts_shrink {
        state.say(Level::Info, "smaller counts are accepted already, until the bucket is listed again");
    } else if state.is_running() || state.is_scanning() || state.bucket.audit != Audit::Done {
        state.say(Level::Info, "first everything has to be listed and judged");
    } else if !state.may_be_shrunken() {
        state.say(Level::Info, "nothing is refused for being smaller than last time");
    } else {
        state.mode = Mode::Prompt { ask: Ask::AcceptShrink, input: Default::default() };
    }
    Effects::new()
}

/// What was typed. Only the whole word accepts; the registry is then read again, and a plan that was refused made anew.
pub(super) fn accept(state: &mut State, typed: &str) -> Effects {
    if typed != ACCEPT {
        state.say(Level::Info, format!("not accepted: that is not the word {ACCEPT:?}"));
        return Effects::new();
    }
    state.bucket.accepts_shrink = true;
    state.planning.again = state.planning.plan.as_ref().is_some_and(|plan| !plan.refusals().is_empty());
    let text =
        "smaller counts than last time are accepted, until the bucket is listed again; the registry is read anew";
    super::running::note(state, LogLevel::Warning, text.into());
    jobs::audit(state)
}

/// Makes a plan anew that was refused before smaller counts were accepted.
pub(super) fn plan_again(state: &mut State) -> Effects {
    match std::mem::take(&mut state.planning.again) {
        true => planning::build(state),
        false => Effects::new(),
    }
}
