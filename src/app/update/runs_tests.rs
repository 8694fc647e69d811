//! Past runs: what is shown of them, and what their keys ask for.

use crate::app::confirm::Taking;
use crate::app::effect::Effect;
use crate::app::event::Event;
use crate::app::forest::Node;
use crate::app::runs::samples::{ENDS, id, list, plan};
use crate::app::runs::{Proof, ProofProgress, Standing};
use crate::app::state::{Mode, View};
use crate::app::testing::{NOW, Sim};
use crate::domain::plan::PlanKind;
use crate::domain::progress::{RunProgress, Verification};
use crate::domain::samples::inventory_of;
use crate::domain::trash::place;
use crate::domain::via::Via;
use crate::domain::{Key, Outcome};

/// The runs view, with its list read.
fn shown() -> Sim {
    let mut sim = Sim::ready();
    sim.runs = list();
    sim.press("6");
    sim
}

/// What a row of the view is, in short.
fn rows(sim: &Sim) -> Vec<String> {
    let name = |node: &Node| match node {
        Node::Run(run) => format!("run {}", &run[34..]),
        Node::Ends(_, outcome) => outcome.map_or("none".into(), |outcome| outcome.name().to_owned()),
        node => sim.state.key_of(node).map(|key| key.escaped().to_string()).unwrap_or_default(),
    };
    sim.state.window().rows.iter().map(|row| name(&row.node)).collect()
}

#[test]
fn runs_are_listed_newest_first_and_one_opens_with_what_failed_first() {
    let mut sim = shown();
    assert_eq!(rows(&sim), ["run fe", "run fd", "run fc", "run e5", "run e4"]);
    sim.press("j<enter>");
    assert_eq!(rows(&sim)[1..6], ["run fd", "denied", "unknown", "skipped-changed", "deleted"]);
    sim.press("jl");
    assert_eq!(
        rows(&sim)[2..5],
        ["denied", "proj_1_intro_media.mp4", "users/ada/projects/proj_1/output/final_video.mp4"]
    );
    sim.press("j!");
    assert!(!rows(&sim).contains(&"deleted".to_owned()), "{:?}", rows(&sim));
    assert_eq!(sim.state.cursor().and_then(|node| sim.state.key_of(&node)), Some(Key::from("proj_1_intro_media.mp4")));
    sim.press("!hhhh");
    assert_eq!(rows(&sim), ["run fe", "run fd", "run fc", "run e5", "run e4"], "h closes row by row");
}

#[test]
fn a_new_list_keeps_the_cursor_on_its_run() {
    let mut sim = shown();
    sim.press("jj<enter>j");
    sim.runs.remove(0);
    sim.press("r");
    assert_eq!(rows(&sim)[..2], ["run fd", "run fc"]);
    assert!(matches!(sim.state.cursor(), Some(Node::Ends(run, Some(Outcome::Denied))) if *run == *id(3)));
}

#[test]
fn what_is_done_to_a_run_is_asked_for() {
    let check = |keys: &str, expected: &[Effect]| {
        let mut sim = shown();
        assert_eq!(sim.press(keys), expected, "{keys}: {}", sim.notice());
    };
    check("e", &[Effect::ExportRun(id(1).into())]);
    check("jjj<enter>jje", &[Effect::ExportRun(id(26).into())]);
    for (keys, said) in [
        ("jR", None),
        ("jjjR", Some("came to its end")),
        ("jc", Some("nothing to close")),
        ("f", Some("go on with it first")),
        ("jjjf", Some("nothing failed")),
    ] {
        let mut sim = shown();
        assert_eq!(sim.press(keys), []);
        match said {
            Some(said) => assert!(sim.notice().contains(said), "{keys}: {}", sim.notice()),
            None => assert!(matches!(sim.state.mode, Mode::Confirm(_)), "{keys}: what is unknown can be looked up"),
        }
    }
}

#[test]
fn an_unfinished_run_is_gone_on_with_or_closed_only_after_its_text_was_typed() {
    for (key, taking) in [("R", Taking::GoOn(id(1).into())), ("c", Taking::Close(id(1).into()))] {
        let mut sim = shown();
        assert_eq!(sim.press(&format!("{key}<enter>")), []);
        assert!(matches!(&sim.state.mode, Mode::Confirm(confirmation) if *confirmation.taking() == taking), "{key}");
        let asked = sim.press("media 6<enter>");
        assert!(matches!(asked.as_slice(), [Effect::Execute(confirmed)] if *confirmed.taking() == taking), "{asked:?}");
        assert_eq!(sim.state.browse.view, View::Log);
    }
}

#[test]
fn nobody_takes_a_run_up_that_is_under_way() {
    let mut sim = shown();
    sim.runs[0].standing = Standing::UnderWay("run x, process 7 of ada".into());
    assert_eq!(sim.press("rR"), []);
    assert_eq!(sim.state.mode, Mode::Browse);
    assert!(sim.notice().contains("process 7 of ada"), "{}", sim.notice());
}

#[test]
fn failed_keys_are_planned_again_from_a_new_listing() {
    let mut sim = shown();
    sim.objects.retain(|object| object.key.as_bytes() != b"proj_1_intro_media.mp4");
    sim.press("1g<space>6jf");
    assert_eq!(sim.marked(), ["users/ada/projects/proj_1/output/final_video.mp4"], "what is gone is not planned");
    let plan = sim.state.planning.plan.clone().expect("a plan");
    assert_eq!((plan.confirmation().as_str(), plan.header.kind), ("media 1", PlanKind::Delete), "as it was meant");
    assert_eq!(sim.state.browse.view, View::Plan);

    let mut sim = shown();
    sim.objects.clear();
    sim.press("jf");
    assert!(sim.notice().contains("of 3 objects that failed, none is in the bucket"), "{}", sim.notice());
    assert!(sim.state.planning.plan.is_none());
}

#[test]
fn a_second_look_is_shown_while_it_goes_on_and_can_be_stopped() {
    let mut sim = shown();
    let asked = sim.press("jjjv");
    let [Effect::Prove { ticket, run }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(**run, *id(26));
    sim.send(Event::Proving(*ticket, ProofProgress::Done(20, 61)));
    assert_eq!(sim.state.runs.proving.as_ref().map(|proving| proving.done), Some((20, 61)));
    assert_eq!(sim.press("v"), [], "one at a time");
    assert_eq!(sim.press("x"), [Effect::StopProving]);
    sim.send(Event::Proving(*ticket, ProofProgress::Stopped));
    assert!(sim.state.runs.proving.is_none());
    let asked = sim.press("v");
    let [Effect::Prove { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let still_there = vec![Key::from("a")];
    let verification = Verification::StillThere(1);
    let proof = Proof { at: NOW, verification, gone: 60, recreated: Vec::new(), still_there };
    sim.send(Event::Proving(*ticket, ProofProgress::Ended(Box::new(proof))));
    assert!(sim.notice().contains("NOT verified: 1 object still there"), "{}", sim.notice());
}

#[test]
fn z_restores_the_last_run_and_where_a_run_is_under_the_cursor_that_one() {
    let check = |sim: &mut Sim, keys: &str, expected: Option<i64>| {
        let asked = sim.press(keys);
        let [Effect::PlanRestore { run, keys, .. }] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!((run.as_deref(), keys.len()), (expected.map(id).as_deref(), 0));
    };
    check(&mut Sim::ready(), "z", None);
    check(&mut shown(), "Gz", Some(27));
    let place = format!(".bucketree/trash/{}/a/b.mp3", id(27));
    let trashed = crate::app::testing::object(place.as_bytes(), 1, 1);
    let mut sim = Sim::of(vec![trashed], (80, 24)).loaded();
    check(&mut sim, "Ejjz", Some(27));
    check(&mut sim, "gz", None);
}

#[test]
fn a_plan_from_the_trash_is_confirmed_like_any_other_and_marks_do_not_spoil_it() {
    let mut sim = Sim::ready();
    let asked = sim.press("z");
    let [Effect::PlanRestore { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    let restore = plan(PlanKind::Restore, ["a/b.mp3", "c.mp3"].into_iter());
    sim.send(Event::PlanReady(*ticket, Box::new(restore.into())));
    assert_eq!((sim.state.browse.view, rows(&sim).len()), (View::Plan, 3));
    sim.press("T");
    assert!(sim.notice().contains("no other kind"), "{}", sim.notice());
    sim.press("1g<space>4D");
    let asked = sim.press("media 2<enter>");
    assert!(matches!(asked.as_slice(), [Effect::Execute(confirmed)] if confirmed.plan().rows.len() == 2), "{asked:?}");
    let before = sim.objects.len() as u64;
    sim.objects.push(crate::app::testing::object(b"zzz", 1, 1));
    sim.send(Event::Run(RunProgress::Outcomes(vec![(0, Outcome::Restored, None)])));
    let failure =
        |why: &str| crate::domain::progress::Failure { what: "go on".into(), why: why.into(), hint: String::new() };
    sim.send(Event::RunFailed(failure("cut off")));
    assert_eq!(sim.state.bucket.inventory.alive(), before, "a failure stays on the screen");
}

#[test]
fn without_anything_to_restore_it_says_so_and_shows_no_plan() {
    let mut sim = Sim::ready();
    let asked = sim.press("z");
    let [Effect::PlanRestore { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    sim.send(Event::NoPlan(*ticket, "already restored: run x, by run y".into()));
    assert!(sim.notice().contains("already restored"));
    assert_eq!(sim.state.browse.view, View::Folders);
    assert!(!sim.state.planning.pending);
    sim.press("z");
    assert_eq!(sim.press("<c-c>"), [Effect::StopLooking]);
}

#[test]
fn the_trash_is_emptied_of_what_has_been_there_for_as_long_as_was_said() {
    let mut sim = Sim::ready();
    let asked = sim.press("T<enter>");
    assert!(matches!(asked.as_slice(), [Effect::PlanEmptyTrash { older_than_seconds: 2_592_000, .. }]), "{asked:?}");
    let asked = sim.press("T<c-u>12h<enter>");
    assert!(matches!(asked.as_slice(), [Effect::PlanEmptyTrash { older_than_seconds: 43_200, .. }]), "{asked:?}");
    assert_eq!(sim.press("T<c-u>soon<enter>"), []);
    assert!(sim.notice().contains("30d"), "{}", sim.notice());
    assert_eq!(sim.press("T<esc>"), []);
}

#[test]
fn what_failed_when_the_trash_was_emptied_is_planned_again_and_nothing_else() {
    let mut sim = shown();
    sim.press("j<enter>");
    let failed: Vec<&str> = ["gone/already.mp4", "proj_1_intro_media.mp4"].into();
    let open = sim.state.runs.open.as_mut().expect("an open run");
    open.plan = std::sync::Arc::new(plan(PlanKind::EmptyTrash, ENDS.iter().map(|(key, _)| *key)));
    let expected: Vec<Key> = open.failed().iter().map(|row| row.object.key.clone()).collect();
    assert!(failed.iter().all(|key| expected.contains(&place(&id(27), &Key::from(*key)))), "{expected:?}");
    let asked = sim.press("f");
    let [Effect::PlanEmptyTrash { older_than_seconds: 0, keys, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(*keys, expected);
}

#[test]
fn what_a_run_moved_to_the_trash_is_listed_there_and_the_cursor_stays() {
    let mut sim = Sim::ready();
    sim.press("]AdDmedia 5<enter>");
    let ends = |outcome| Event::Run(RunProgress::Outcomes((0..5).map(|row| (row, outcome, None)).collect()));
    let why = crate::domain::progress::Failure { what: "go on".into(), why: "cut off".into(), hint: String::new() };
    sim.send(ends(Outcome::Trashed));
    sim.send(Event::RunFailed(why.clone()));
    let asked = std::mem::take(&mut sim.asked);
    let [Effect::ListTrash { ticket }] = asked.as_slice() else { panic!("{asked:?}") };
    sim.press("<esc>1Gk");
    let before = sim.cursor();
    let bucket = sim.state.bucket.inventory.clone();
    let moved = format!(".bucketree/trash/{}/audio/proj_1/intro/narration.mp3", id(1));
    let trash = inventory_of([crate::app::testing::object(moved.as_bytes(), 3, 0)]);
    let merged = inventory_of(
        std::iter::once(trash.object(0))
            .chain((0..bucket.len()).filter(|at| !bucket.is_gone(*at)).map(|at| bucket.object(at))),
    );
    sim.send(Event::TrashListed(*ticket, Box::new(merged)));
    assert_eq!(sim.cursor(), before, "nothing jumps under the cursor");
    assert!(sim.rows().contains(&".bucketree/".to_owned()), "{:?}", sim.rows());
    assert!(sim.state.bucket.assessment.is_some(), "it is judged again");
    assert_eq!(sim.state.bucket.inventory.alive(), 6);

    let mut sim = Sim::ready();
    sim.press("]AdDmedia 5<enter>");
    sim.send(ends(Outcome::Deleted));
    sim.send(Event::RunFailed(why));
    assert_eq!(sim.asked, [], "what is gone for good is not in the trash");
}

#[test]
fn a_listing_of_the_trash_from_before_a_run_or_a_new_listing_is_of_no_use() {
    for between in ["1r", "]AdDmedia 5<enter>"] {
        let mut sim = Sim::ready();
        sim.state.bucket.trash_ticket = sim.state.ticket();
        let ticket = sim.state.bucket.trash_ticket;
        sim.press(between);
        sim.send(Event::TrashListed(ticket, Box::default()));
        assert!(sim.state.bucket.inventory.alive() > 0, "{between}");
    }
}

#[test]
fn the_way_of_deleting_is_chosen_in_the_dialog_and_begins_at_the_settings() {
    let mut sim = Sim::ready();
    sim.state.session.via = Via::Single;
    sim.press("]AdDmedia 5");
    let asked = sim.press("<tab><enter>");
    assert!(
        matches!(asked.as_slice(), [Effect::Execute(confirmed)] if confirmed.via() == Via::Sequential),
        "{asked:?}"
    );
}
