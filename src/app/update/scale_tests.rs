//! What takes many objects at once: the same as one by one, and left at any time.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::update;
use crate::app::effect::Effect;
use crate::app::event::{CarriedMarks, Event};
use crate::app::forest::{Node, first_row, next_row};
use crate::app::state::State;
use crate::app::stroke::Stroke;
use crate::app::testing::{NOW, Sim, object};
use crate::domain::Object;
use crate::domain::inventory::ObjectIndex;
use crate::domain::progress::ScanProgress;

/// Presses keys without an answer to what they ask for.
fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let strokes = Stroke::parse_all(keys).expect("keys");
    strokes.into_iter().flat_map(|key| update(state, Event::Key { key: key.event(), at: Duration::ZERO })).collect()
}

fn notice(state: &State) -> &str {
    state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

/// Orphans in folders of different size, a project that lives among them, and keys that nobody reads.
fn bucket() -> Vec<Object> {
    let orphans = (0..40u64).map(|n| format!("projects/proj_{}/scenes/s{}/media/{n}.mp4", n % 7, n % 3));
    let live = (0..6u64).map(|n| format!("audio/proj_10/s{n}/a.mp3"));
    let others = ["README.txt", "a//b", "audio/proj_2/intro/a.mp3", "proj_3_intro_media.mp4", "zoo/notes.txt"];
    let keys = orphans.chain(live).chain(others.map(str::to_owned));
    keys.zip(0..).map(|(key, n): (String, u64)| object(key.as_bytes(), n * 7919 % 1000, 30 + n as i64 % 9)).collect()
}

/// All rows of the view, from the first to the last.
fn rows(state: &State) -> Vec<Node> {
    state.with_forest(|forest| {
        let mut rows: Vec<Node> = first_row(forest).into_iter().collect();
        while let Some(next) = rows.last().and_then(|last| next_row(forest, last)) {
            rows.push(next);
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_range_marks_the_orphans_of_every_row_in_it_in_any_order_and_view(
        view in prop::sample::select(vec!["1C", "1E", "1gjlj", "1gjEjjjh", "1`", "2", "2E", "2gjl", "3", "3E", "3glE", "1E/media<enter>", "1`/2<enter>"]),
        order in prop::sample::select(vec!["", "O", "oj<enter>", "oj<enter>O", "ojj<enter>", "ojjj<enter>", "ojjjj<enter>"]),
        (one, other) in (0usize..70, 0usize..70),
    ) {
        let mut sim = Sim::of(bucket(), (80, 24)).loaded();
        sim.press(order);
        sim.press(view);
        let length = rows(&sim.state).len();
        sim.press(&format!("g{}vg{}", "j".repeat(one % length), "j".repeat(other % length)));
        // Folders are sorted when they come on the screen, so only now it is known where the rows stand.
        let rows = rows(&sim.state);
        let place = |node: Option<Node>| rows.iter().position(|row| Some(row) == node.as_ref()).expect("a row");
        let (one, other) = (place(sim.state.marks.anchor.clone()), place(sim.state.cursor()));
        sim.press("v");
        let state = &sim.state;
        let closed = |node: &&Node| !state.with_forest(|forest| forest.is_open(node));
        let within = rows[one.min(other)..=one.max(other)].iter().filter(closed);
        let orphans: BTreeSet<ObjectIndex> = within
            .flat_map(|node| state.objects_in(node).iter().collect::<Vec<_>>())
            .filter(|object| state.left_out(*object).is_none())
            .collect();
        prop_assert_eq!(state.marks.selection.iter().collect::<BTreeSet<_>>(), orphans, "{}", notice(state));
    }

    #[test]
    fn a_jump_goes_to_the_nearest_finding_of_the_rows_in_any_order(
        view in prop::sample::select(vec!["1E", "1`", "1E/media<enter>", "1`/2<enter>"]),
        order in prop::sample::select(vec!["", "O", "oj<enter>", "oj<enter>O", "ojj<enter>", "ojjjj<enter>"]),
        start in 0usize..70,
        forwards in any::<bool>(),
    ) {
        let mut sim = Sim::of(bucket(), (80, 24)).loaded();
        sim.press(order);
        sim.press(view);
        sim.press(&format!("g{}", "j".repeat(start % rows(&sim.state).len())));
        let (rows, cursor) = (rows(&sim.state), sim.state.cursor().expect("a row"));
        let at = rows.iter().position(|row| *row == cursor).expect("the cursor");
        let orphan = |node: &&Node| matches!(node, Node::Object(object) if sim.state.left_out(*object).is_none());
        let nearest = if forwards { rows[at + 1..].iter().find(orphan) } else { rows[..at].iter().rev().find(orphan) };
        let expected = nearest.cloned().unwrap_or(cursor);
        sim.press(if forwards { "]" } else { "[" });
        prop_assert_eq!(sim.state.cursor(), Some(expected), "{}", notice(&sim.state));
    }

    #[test]
    fn marking_many_says_of_each_that_it_leaves_out_why(
        view in prop::sample::select(vec!["1", "2", "3", "1/proj_1<enter>", "3/users<enter>", "2/!media<enter>"]),
        row in 0usize..12,
    ) {
        let mut sim = Sim::ready();
        sim.press(view);
        let rows = rows(&sim.state);
        let Some(row) = rows.get(row % rows.len().max(1)) else { return Ok(()) };
        let objects = sim.state.objects_in(row);
        let mut reasons = std::collections::BTreeMap::new();
        for reason in objects.iter().filter_map(|object| sim.state.left_out(object)) {
            *reasons.entry(reason).or_insert(0u64) += 1;
        }
        let marked = objects.count() - reasons.values().sum::<u64>();
        let bulk = sim.state.mark_bulk(objects);
        prop_assert_eq!((bulk.changed, bulk.left_out), (marked, reasons));
        prop_assert_eq!(sim.state.marks.selection.totals().objects, marked);
    }
}

#[test]
fn esc_stops_an_order_that_is_not_there_yet_and_rows_stand_by_name_again() {
    let mut sim = Sim::ready();
    let asked = press(&mut sim.state, "oj<enter>");
    let Some(Effect::Sort { ticket, .. }) = asked.iter().find(|effect| matches!(effect, Effect::Sort { .. })) else {
        panic!("{asked:?}")
    };
    assert!(sim.state.is_sorting() && sim.state.needs_ticks());
    let stopped = press(&mut sim.state, "<esc>");
    assert!(stopped.contains(&Effect::StopSort), "{stopped:?}");
    assert!(sim.state.browse.order.is_natural() && !sim.state.is_sorting());
    assert_eq!(notice(&sim.state), "stopped sorting; rows stand by name");
    let first = sim.rows();
    let late = crate::app::order::FolderOrder::Backwards;
    sim.send(Event::SortedFolder(*ticket, "".into(), late));
    assert_eq!(sim.rows(), first, "what comes too late moves nothing");
    assert!(press(&mut sim.state, "<esc>").is_empty(), "there is nothing left to stop");
}

#[test]
fn another_order_ends_the_one_that_is_being_sorted() {
    let mut sim = Sim::ready();
    press(&mut sim.state, "oj<enter>");
    assert!(press(&mut sim.state, "O").contains(&Effect::StopSort));
}

#[test]
fn esc_stops_looking_for_a_glob_and_marks_nothing() {
    let mut sim = Sim::ready();
    let asked = press(&mut sim.state, "+audio/**<enter>");
    let [Effect::MatchGlob { ticket, pattern, mark }] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(sim.state.needs_ticks());
    assert_eq!(press(&mut sim.state, "<esc>"), [Effect::StopGlob]);
    assert_eq!(notice(&sim.state), "stopped looking for audio/**; no mark was changed");
    let objects = (0..5).collect();
    sim.send(Event::GlobMatched { ticket: *ticket, pattern: pattern.clone(), mark: *mark, objects });
    assert!(sim.marked().is_empty(), "{:?}", sim.marked());
}

#[test]
fn leaving_a_filter_ends_the_search_for_it() {
    let mut sim = Sim::ready();
    press(&mut sim.state, "/a<enter>");
    assert!(sim.state.needs_ticks());
    assert_eq!(press(&mut sim.state, "<esc>"), [Effect::StopFilter]);
    sim.press("/a<enter>");
    assert!(press(&mut sim.state, "<esc>").is_empty(), "it was answered");
}

/// Everything is an orphan of project 1.
fn orphans(count: u64) -> Vec<Object> {
    (0..count).map(|n| object(format!("audio/proj_1/s/{n:05}.mp3").as_bytes(), n, 100)).collect()
}

#[test]
fn many_marks_are_carried_into_a_new_listing() {
    let mut sim = Sim::of(orphans(2500), (80, 24)).loaded();
    sim.press("a");
    assert_eq!(sim.state.marks.selection.totals().objects, 2500);
    sim.objects.remove(7);
    sim.objects[20].size += 1;
    sim.objects.insert(0, object(b"aaa", 1, 100));
    sim.press("r");
    assert_eq!(sim.notice(), "2 marks dropped: 1 vanished, 1 changed since they were marked");
    assert_eq!(sim.state.marks.selection.totals().objects, 2498);
    assert!(!sim.state.is_scanning() && sim.state.bucket.inventory.len() == 2500);
    assert_eq!(sim.marked().first().map(String::as_str), Some("audio/proj_1/s/00000.mp3"));
}

#[test]
fn a_mark_that_is_taken_away_while_a_new_listing_comes_stays_away() {
    let mut sim = Sim::of(orphans(1200), (80, 24)).loaded();
    sim.press("aEgjjjj");
    let key = sim.cursor();
    let asked = press(&mut sim.state, "r");
    let [Effect::Scan { ticket }] = asked[..] else { panic!("{asked:?}") };
    sim.state.bucket.incoming = Some(sim.state.bucket.inventory.clone());
    let report = match &sim.state.bucket.scan {
        crate::app::state::Scan::Running { .. } => sim.report(),
        other => panic!("{other:?}"),
    };
    let asked = update(&mut sim.state, Event::Scan(ticket, ScanProgress::Finished(report)));
    assert_eq!(asked, [Effect::CarryMarks { ticket }]);
    assert!(sim.state.is_scanning(), "the old listing stays until the marks are found");
    let found = |state: &State| {
        let new = state.bucket.incoming.as_ref().expect("a new listing");
        Box::new(CarriedMarks::find(state.marks.selection.clone(), &state.bucket.inventory, new))
    };
    let before = found(&sim.state);
    press(&mut sim.state, "x");
    let asked = update(&mut sim.state, Event::Carried(ticket, before));
    assert_eq!(asked, [Effect::CarryMarks { ticket }], "what was found is not what is marked now");
    let now = found(&sim.state);
    update(&mut sim.state, Event::Carried(ticket, now));
    assert!(!sim.state.is_scanning());
    assert_eq!(sim.state.marks.selection.totals().objects, 1199);
    assert!(!sim.marked().contains(&key), "{key}");
    assert_eq!(sim.state.bucket.clocks.map(|(server, _)| server), Some(NOW));
}
