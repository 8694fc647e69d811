//! Keys in, requests and rows out.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::app::effect::{Effect, ExitReason};
use crate::app::event::Event;
use crate::app::state::{Mode, View};
use crate::app::testing::{Sim, object, registry};
use crate::domain::Outcome;
use crate::domain::facts::RegistryState;
use crate::domain::progress::{Failure, RunProgress};

const ORPHANS: [&str; 5] = [
    "audio/proj_1/intro/narration.mp3",
    "proj_1_intro_media.mp4",
    "proj_proj_1_intro_media.mp4",
    "projects/proj_1/scenes/intro/media/clip.mp4",
    "users/ada/projects/proj_1/output/final_video.mp4",
];

#[test]
fn folders_open_close_and_keep_the_cursor_on_its_key() {
    let mut sim = Sim::ready();
    assert_eq!(sim.rows()[..4], ["README.txt", "a/", "audio/", "proj_1_intro_media.mp4"]);
    sim.press("jjl");
    assert_eq!(sim.rows()[2..5], ["audio/", "audio/proj_1/", "audio/proj_10/"]);
    sim.press("j");
    assert_eq!(sim.cursor(), "audio/proj_1/");
    sim.press("h");
    assert_eq!(sim.cursor(), "audio/");
    sim.press("E");
    assert_eq!(sim.rows()[4], "audio/proj_1/intro/");
    sim.press("GC");
    assert_eq!(sim.cursor(), "users/");
    sim.press("g");
    assert_eq!(sim.cursor(), "README.txt");
}

#[test]
fn one_key_marks_a_dead_project_in_all_its_shapes_and_not_its_neighbours() {
    let mut sim = Sim::ready();
    sim.press("]A");
    assert_eq!(sim.marked(), ORPHANS);
    assert_eq!(sim.notice(), "project 1: marked 5 objects");
    sim.press("U");
    assert!(sim.marked().is_empty());
    sim.press("U");
    assert_eq!(sim.marked(), ORPHANS, "U brings them back");
}

#[test]
fn marking_in_bulk_says_what_it_leaves_out() {
    let mut sim = Sim::ready();
    sim.press("a");
    assert_eq!(sim.marked(), ORPHANS);
    assert_eq!(sim.notice(), "marked 5 objects; left out 5: 2 live, 2 unrecognized, 1 too young");
}

#[test]
fn one_object_can_be_marked_with_a_warning_and_space_moves_on() {
    let mut sim = Sim::ready();
    sim.press("<space>");
    assert_eq!(sim.marked(), ["README.txt"]);
    assert!(sim.notice().contains("unrecognized"), "{}", sim.notice());
    assert_eq!(sim.cursor(), "a/");
}

#[test]
fn a_range_marks_the_orphans_in_it() {
    let mut sim = Sim::ready();
    sim.press("vjjjv");
    assert_eq!(sim.marked(), ["audio/proj_1/intro/narration.mp3", "proj_1_intro_media.mp4"]);
    sim.press("v<esc>");
    assert!(sim.state.marks.anchor.is_none());
}

#[test]
fn a_filter_narrows_the_bucket_and_escape_widens_it() {
    let mut sim = Sim::ready();
    sim.press("/verdict:orphaned size:>4k<enter>");
    assert_eq!(sim.state.filter.matches.as_ref().map(|matches| matches.subset.members().len()), Some(5));
    sim.press("a");
    assert_eq!(sim.marked().len(), 4, "one of the matches is too young: {:?}", sim.marked());
    sim.press("<esc>");
    assert!(sim.state.filter.matches.is_none());
    assert_eq!(sim.marked().len(), 4, "marks survive the filter");
}

#[test]
fn a_mistyped_filter_says_why_and_keeps_what_was_there() {
    let mut sim = Sim::ready();
    sim.press("/size:10<enter>");
    assert!(sim.notice().contains("size:>10M"), "{}", sim.notice());
}

#[test]
fn d_makes_a_plan_and_deletes_nothing() {
    let mut sim = Sim::ready();
    assert_eq!(sim.press("]Ad"), []);
    assert_eq!(sim.state.browse.view, View::Plan);
    assert_eq!(sim.state.planning.plan.as_ref().map(|plan| plan.confirmation()), Some("media 5".into()));
    assert_eq!(sim.rows(), ["orphaned", "1"]);
    sim.press("jl");
    assert_eq!(sim.rows()[2..], ORPHANS);
}

#[test]
fn nothing_can_be_planned_before_everything_is_listed() {
    let failure = Failure { what: "list".into(), why: "the connection broke".into(), hint: String::new() };
    let mut sim = Sim::new((80, 24));
    sim.incomplete = Some(failure);
    let mut sim = sim.loaded();
    sim.press("<esc><space>d");
    assert!(sim.notice().contains("the listing is incomplete (the connection broke)"), "{}", sim.notice());
    assert!(sim.state.planning.plan.is_none());
}

#[test]
fn an_unusable_registry_leaves_nothing_to_mark_in_bulk() {
    let mut sim = Sim::new((80, 24));
    sim.registry = registry(RegistryState::Unusable(vec!["projects.json has shrunk by 40 %".into()]));
    let mut sim = sim.loaded();
    sim.press("a");
    assert!(sim.marked().is_empty());
    assert!(sim.notice().contains("10 undetermined"), "{}", sim.notice());
}

#[test]
fn only_the_exact_text_typed_by_hand_confirms() {
    let mut sim = Sim::ready();
    sim.press("]AdD");
    assert!(matches!(sim.state.mode, Mode::Confirm(_)));
    assert_eq!(sim.press("<enter>media 4<enter>"), [], "the wrong text does nothing");
    assert!(matches!(sim.state.mode, Mode::Confirm(_)));
    assert_eq!(sim.press("<bs>5q<enter>"), [], "q is text here");
    let asked = sim.press("<bs><enter>");
    assert!(matches!(asked.as_slice(), [Effect::Execute(confirmed)] if confirmed.plan().rows.len() == 5), "{asked:?}");
    assert_eq!(sim.state.browse.view, View::Log);
    sim.press("4D");
    assert_eq!(sim.state.mode, Mode::Browse, "a plan is used once");
}

#[test]
fn row_54_paste_repeat_and_bursts_do_not_confirm_and_escape_leaves() {
    let mut sim = Sim::ready();
    sim.press("]AdD");
    sim.send(Event::Paste("media 5".into()));
    assert_eq!(sim.press("<enter>"), []);
    sim.press("media 5");
    let held = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Repeat);
    let at = sim.at() + Duration::from_secs(1);
    sim.send(Event::Key { key: held, at });
    let burst = sim.at() + Duration::from_millis(1);
    sim.send(Event::Key { key: KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE), at: burst });
    assert_eq!(sim.asked, []);
    assert_eq!(sim.press("<esc>"), []);
    assert_eq!(sim.state.mode, Mode::Browse);
    assert!(sim.notice().contains("nothing was deleted"));
}

#[test]
fn a_run_takes_what_is_gone_out_of_everything_and_keeps_what_failed_marked() {
    let mut sim = Sim::ready();
    sim.press("]AdDmedia 5<enter>");
    let ends = vec![
        (0, Outcome::Deleted, None),
        (1, Outcome::Deleted, None),
        (2, Outcome::Denied, Some("AccessDenied".into())),
        (3, Outcome::SkippedNowLive, None),
        (4, Outcome::AbsentBefore, None),
    ];
    sim.send(Event::Run(RunProgress::Outcomes(ends)));
    assert_eq!(sim.marked(), ["proj_proj_1_intro_media.mp4"]);
    assert_eq!(sim.state.bucket.inventory.alive(), 7);
    sim.press("2g");
    let groups = sim.state.gathered().projects.roots();
    let of = |name: &str| groups.iter().find(|group| group.id.title() == name).map(|group| group.tally.objects);
    assert_eq!((of("1"), of("10")), (Some(2), Some(2)));
    assert_eq!(sim.press("5x"), [Effect::StopRun]);
    let failure = Failure { what: "delete".into(), why: "the journal is full".into(), hint: String::new() };
    sim.send(Event::RunFailed(failure));
    sim.press("<esc>5f");
    assert_eq!(sim.state.planning.plan.as_ref().map(|plan| plan.confirmation()), Some("media 1".into()));
}

#[test]
fn a_new_listing_keeps_marks_by_key_and_tells_of_those_it_drops() {
    let mut sim = Sim::ready();
    sim.press("]Aggj");
    sim.objects.retain(|object| object.key.as_bytes() != b"proj_1_intro_media.mp4");
    sim.objects.insert(0, object(b"AAA", 1, 100));
    for changed in sim.objects.iter_mut().filter(|object| object.key.as_bytes().starts_with(b"audio/proj_1/")) {
        changed.size += 1;
    }
    sim.press("r");
    assert_eq!(sim.marked(), ORPHANS[2..]);
    let stale = &sim.state.marks.stale;
    assert_eq!((stale.vanished.len(), stale.changed.len()), (1, 1));
    assert_eq!(sim.cursor(), "a/", "the cursor stays on its key");
}

#[test]
fn quitting_asks_where_something_would_be_lost() {
    let quit = [Effect::StopScan, Effect::Quit(ExitReason::Quit)];
    assert_eq!(Sim::ready().press("q"), quit);
    let mut sim = Sim::ready();
    assert_eq!(sim.press("]Aq"), []);
    assert!(sim.notice().contains("5 objects marked"), "{}", sim.notice());
    assert_eq!(sim.press("q"), quit);
    let mut sim = Sim::ready();
    assert_eq!(sim.press("<esc><c-c>"), []);
    assert_eq!(sim.press("<c-c>"), [Effect::StopScan, Effect::Quit(ExitReason::Interrupted)]);
    let mut sim = Sim::ready();
    sim.press("]AdDmedia 5<enter>");
    assert_eq!(sim.press("qq"), [Effect::StopRun], "a run is never abandoned");
}

#[test]
fn keys_that_are_shown_can_be_gone_to() {
    let mut sim = Sim::ready();
    sim.press(":s3://media/users/ada/projects/proj_10/output/final_video.mp4<enter>");
    assert_eq!(sim.cursor(), "users/ada/projects/proj_10/output/final_video.mp4");
    sim.press(":a//<enter>");
    assert_eq!(sim.cursor(), "a//");
    sim.press("-");
    assert_eq!(sim.cursor(), "users/ada/projects/proj_10/output/final_video.mp4");
    assert_eq!(sim.press("Y"), [Effect::Copy("s3://media/users/ada/projects/proj_10/output/final_video.mp4".into())]);
}

#[test]
fn a_click_goes_to_a_row_and_a_second_one_opens_it() {
    let mut sim = Sim::ready();
    let click = |column, row, at| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        Event::Mouse { mouse, at: Duration::from_millis(at) }
    };
    sim.send(click(10, 5, 1000));
    assert_eq!(sim.cursor(), "audio/");
    sim.send(click(10, 5, 1100));
    assert!(sim.rows().contains(&"audio/proj_10/".to_owned()));
    sim.send(click(11, 1, 3000));
    assert_eq!(sim.state.browse.view, View::Projects);
}

#[test]
fn findings_lead_to_projects_and_to_objects() {
    let mut sim = Sim::ready();
    sim.press("3g");
    assert_eq!(sim.rows(), ["orphaned", "unrecognized", "double-prefixed", "legacy", "young"]);
    sim.press("ljA");
    assert_eq!(sim.marked(), ORPHANS);
    sim.press("]");
    assert_eq!(sim.cursor(), ORPHANS[0]);
}

#[test]
fn an_answer_about_an_older_listing_marks_nothing_in_the_new_one() {
    let mut sim = Sim::ready();
    let asked = sim.press("+proj_1_*<enter>");
    let [Effect::MatchGlob { ticket, pattern, mark }] = asked.as_slice() else { panic!("{asked:?}") };
    let late = |objects| Event::GlobMatched { ticket: *ticket, pattern: pattern.clone(), mark: *mark, objects };
    let place = sim.state.bucket.inventory.find(b"proj_1_intro_media.mp4").expect("an object");
    sim.objects.insert(0, object(b"AAA", 1, 100));
    sim.press("r");
    sim.send(late([place].into_iter().collect()));
    assert!(sim.marked().is_empty(), "{:?}", sim.marked());
    let asked = sim.press("+proj_1_*<enter>");
    let [Effect::MatchGlob { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let place = sim.state.bucket.inventory.find(b"proj_1_intro_media.mp4").expect("an object");
    sim.send(Event::GlobMatched {
        ticket: *ticket,
        pattern: pattern.clone(),
        mark: true,
        objects: [place].into_iter().collect(),
    });
    assert_eq!(sim.marked(), ["proj_1_intro_media.mp4"]);
}
