//! The registry's view, and what a person accepts.

use crate::app::effect::Effect;
use crate::app::event::Event;
use crate::app::forest::Node;
use crate::app::registry::DriftKind;
use crate::app::registry::samples::drift;
use crate::app::state::{Audit, Mode, View};
use crate::app::testing::{Sim, registry};
use crate::domain::drift::DriftReport;
use crate::domain::facts::RegistryState;

fn shown() -> Sim {
    let mut sim = Sim::ready();
    sim.drift = Some(drift());
    sim.press("7");
    sim
}

fn nodes(sim: &Sim) -> Vec<Node> {
    sim.state.window().rows.into_iter().map(|row| row.node).collect()
}

#[test]
fn sources_come_first_then_each_way_of_disagreeing_that_occurs() {
    let mut sim = shown();
    let kinds =
        [DriftKind::Untracked, DriftKind::Missing, DriftKind::WrongSize, DriftKind::Repeated, DriftKind::DeadRow];
    let expected: Vec<Node> = [Node::Source(0)].into_iter().chain(kinds.map(Node::Drift)).collect();
    assert_eq!(nodes(&sim), expected);
    sim.press("jjl");
    assert_eq!(
        nodes(&sim)[2..5],
        [Node::Drift(DriftKind::Missing), Node::DriftKey(DriftKind::Missing, 0), Node::DriftKey(DriftKind::Missing, 1),]
    );
    sim.press("Gkj");
    assert_eq!(sim.cursor(), "", "the last row is a way, not a key");
    sim.press("gjjh");
    assert_eq!(nodes(&sim), expected);
}

#[test]
fn a_key_leads_to_its_object_and_to_its_project_and_back() {
    let mut sim = shown();
    sim.press("jlj<enter>");
    assert_eq!(
        (sim.state.browse.view, sim.cursor().as_str()),
        (View::Folders, "users/ada/projects/proj_10/output/final_video.mp4")
    );
    sim.press("-");
    assert_eq!(sim.state.browse.view, View::Registry);
    assert_eq!(sim.state.cursor(), Some(Node::DriftKey(DriftKind::Untracked, 0)));
    sim.press("p");
    assert_eq!((sim.state.browse.view, sim.cursor().as_str()), (View::Projects, "10"));
    sim.press("7gjhjlj<enter>");
    assert_eq!(sim.state.browse.view, View::Registry);
    assert!(sim.notice().contains("the bucket has no object of this key"), "{}", sim.notice());
    sim.press("p");
    assert!(sim.notice().contains("project 77 has no object"), "{}", sim.notice());
}

#[test]
fn the_store_is_asked_for_what_is_missing_only_when_somebody_wants_it_and_that_can_be_stopped() {
    let mut sim = shown();
    let asked = sim.press("v");
    let [Effect::CheckRegistry { ticket }] = asked.as_slice() else { panic!("{asked:?}") };
    sim.send(Event::Checking(*ticket, 1, 9));
    assert_eq!(sim.state.registry_view.checking, Some((1, 9)));
    assert_eq!(sim.press("v"), [], "one at a time");
    assert_eq!(sim.press("x"), [Effect::StopChecking]);
    let problem = Some("it was stopped before everything was compared".to_owned());
    sim.send(Event::Drifted(*ticket, Box::new(DriftReport { problem, ..drift() })));
    assert!(sim.notice().contains("was stopped before"), "{}", sim.notice());
    assert_eq!(sim.state.registry_view.checking, None);
}

#[test]
fn the_project_of_an_object_is_one_key_away() {
    let mut sim = Sim::ready();
    sim.press("]p");
    assert_eq!((sim.state.browse.view, sim.cursor().as_str()), (View::Projects, "1"));
    sim.press("-p1gp");
    assert!(sim.notice().contains("no project is known"), "{}", sim.notice());
}

#[test]
fn what_was_compared_is_forgotten_when_the_bucket_is_listed_again() {
    let mut sim = shown();
    sim.drift = None;
    sim.press("1r");
    assert!(sim.state.registry_view.report.is_none());
    sim.press("7");
    let report = sim.state.registry_view.report.as_ref().expect("compared anew");
    assert_eq!(report.missing.len(), 0);
}

fn shrunken() -> Sim {
    let mut sim = Sim::new((80, 24));
    let reason = "projects.json has 60 projects and had 100 last time: 40.0 % fewer, and 20 % is the limit".to_owned();
    sim.registry = registry(RegistryState::Unusable(vec![reason]));
    sim.loaded()
}

#[test]
fn only_the_whole_word_accepts_smaller_counts_and_only_until_the_next_listing() {
    let mut sim = shrunken();
    for keys in ["S<enter>", "Syes<enter>", "Sacc<enter>", "Saccept<esc>"] {
        sim.press(keys);
        assert!(!sim.state.bucket.accepts_shrink, "{keys}");
    }
    sim.registry = registry(RegistryState::Usable);
    sim.press("Saccept<enter>");
    assert!(sim.state.bucket.accepts_shrink);
    assert!(sim.notice().contains("smaller counts than last time are accepted"), "{}", sim.notice());
    assert_eq!(sim.state.bucket.audit, Audit::Done, "everything is judged anew");
    sim.press("S");
    assert_eq!(sim.state.mode, Mode::Browse);
    assert!(sim.notice().contains("accepted already"), "{}", sim.notice());
    sim.press("r");
    assert!(!sim.state.bucket.accepts_shrink);
}

#[test]
fn there_is_nothing_to_accept_where_nothing_is_refused() {
    let mut sim = Sim::ready();
    assert_eq!(sim.press("S"), []);
    assert_eq!(sim.state.mode, Mode::Browse);
    assert!(sim.notice().contains("nothing is refused for being smaller"), "{}", sim.notice());
}

#[test]
fn a_plan_that_was_refused_is_made_anew_once_smaller_counts_are_accepted() {
    let mut sim = Sim::ready();
    sim.press("]Ad");
    let mut refused = (**sim.state.planning.plan.as_ref().expect("a plan")).clone();
    for guard in refused.header.guards.iter_mut().filter(|guard| guard.name == "listing not shrunken") {
        (guard.passed, guard.message) = (false, "600 objects, and 1000 were expected: 40 % fewer".into());
    }
    assert_eq!(refused.refusals().len(), 1);
    sim.send(Event::PlanReady(sim.state.planning.ticket, Box::new(refused.into())));
    sim.press("D");
    assert_eq!(sim.state.mode, Mode::Browse, "a refused plan is not confirmed");
    let asked = sim.press("Saccept<enter>");
    assert!(!asked.iter().any(|effect| matches!(effect, Effect::Execute(_))), "{asked:?}");
    assert!(sim.state.planning.plan.as_ref().is_some_and(|plan| plan.refusals().is_empty()), "made anew");
}
