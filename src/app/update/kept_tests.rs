//! A kept scan on the screen while the bucket is listed behind it.

use std::time::Duration;

use crate::app::event::{Event, KeptListing};
use crate::app::kept::{ChangesLine, Compared};
use crate::app::state::{Audit, Mode, Scan};
use crate::app::testing::{NOW, Sim, object};
use crate::app::{Effect, start, update};
use crate::domain::changes::Summary;
use crate::domain::layout::Layouts;
use crate::domain::progress::{Completeness, Failure, ScanProgress, ScanReport};
use crate::domain::samples::inventory_of;
use crate::domain::{IdRules, Object};

fn report(completeness: Completeness) -> ScanReport {
    ScanReport {
        completeness,
        server_time: Some(NOW.plus_seconds(-840)),
        local_time: NOW.plus_seconds(-840),
        requests: 1,
        elapsed: Duration::ZERO,
    }
}

fn kept(objects: Vec<Object>) -> Box<KeptListing> {
    let report = report(Completeness::Kept(NOW.plus_seconds(-840)));
    Box::new(KeptListing { inventory: inventory_of(objects), report })
}

/// Two orphans and a live object as they were 14 minutes ago.
fn before() -> Vec<Object> {
    ["audio/proj_1/a/1.mp3", "audio/proj_1/a/2.mp3", "audio/proj_10/a/3.mp3"]
        .map(|key| object(key.as_bytes(), 1000, 100))
        .to_vec()
}

/// The console just after its start, with the kept scan on the screen and judged.
fn shown() -> Sim {
    let mut sim = Sim::of(before(), (100, 24));
    let _ = start(&mut sim.state); // the bucket answers later
    let ticket = sim.state.bucket.scan_ticket;
    sim.send(Event::Kept(ticket, kept(before())));
    assert_eq!(sim.state.bucket.audit, Audit::Done);
    sim
}

fn list(sim: &mut Sim, objects: &[Object], completeness: Completeness) {
    let ticket = sim.state.bucket.scan_ticket;
    sim.send(Event::Scan(ticket, ScanProgress::Page(objects.to_vec())));
    sim.send(Event::Scan(ticket, ScanProgress::Finished(report(completeness))));
}

#[test]
fn the_start_asks_for_the_bucket_and_for_what_was_kept() {
    let mut sim = Sim::new((80, 24));
    let effects = start(&mut sim.state);
    let ticket = sim.state.bucket.scan_ticket;
    assert_eq!(effects, [Effect::Scan { ticket }, Effect::OpenKept { ticket }]);
}

#[test]
fn a_kept_scan_is_shown_at_once_and_replaced_when_the_bucket_is_listed() {
    let mut sim = shown();
    assert_eq!(sim.state.kept_age().as_deref(), Some("scan of 14 min ago"));
    assert_eq!(sim.state.bucket.inventory.len(), 3);
    sim.press("1E");
    assert!(sim.rows().contains(&"audio/proj_1/a/2.mp3".into()), "{:?}", sim.rows());
    let mut now = before();
    now.remove(1);
    list(&mut sim, &now, Completeness::Complete);
    assert_eq!((sim.state.kept_age(), sim.state.bucket.inventory.len()), (None, 2));
    assert!(!sim.rows().contains(&"audio/proj_1/a/2.mp3".into()), "{:?}", sim.rows());
}

#[test]
fn pages_that_came_before_the_kept_scan_are_not_lost() {
    let mut sim = Sim::of(before(), (100, 24));
    let _ = start(&mut sim.state); // the bucket answers below
    let ticket = sim.state.bucket.scan_ticket;
    sim.send(Event::Scan(ticket, ScanProgress::Page(before()[..1].to_vec())));
    sim.send(Event::Kept(ticket, kept(before()[1..].to_vec())));
    assert_eq!(sim.state.bucket.inventory.len(), 2);
    list(&mut sim, &before()[1..], Completeness::Complete);
    assert_eq!(sim.state.bucket.inventory.len(), 3);
}

#[test]
fn a_kept_scan_that_comes_late_is_not_shown() {
    let mut sim = Sim::of(before(), (100, 24)).loaded();
    let ticket = sim.state.bucket.scan_ticket;
    sim.send(Event::Kept(ticket, kept(Vec::new())));
    assert_eq!((sim.state.kept_age(), sim.state.bucket.inventory.len()), (None, 3));
}

#[test]
fn one_mark_survives_and_many_wait() {
    let mut sim = shown();
    sim.press("E");
    sim.press("G");
    for many in ["A", "a", "v", "i", "gg<space>"] {
        sim.press(many);
        assert!(
            sim.notice().starts_with("refreshing\u{2026}: this is still the scan of 14 min ago"),
            "{many}: {}",
            sim.notice()
        );
        assert!(sim.marked().is_empty(), "{many}");
    }
    sim.send(Event::GlobMatched {
        ticket: sim.state.marks.glob_ticket,
        pattern: "audio/**".into(),
        mark: true,
        objects: [0, 1].into_iter().collect(),
    });
    assert!(sim.marked().is_empty() && sim.notice().starts_with("refreshing"), "{}", sim.notice());
    sim.press("g/2.mp3<enter><esc>");
    let row = sim.rows().iter().position(|row| row.ends_with("2.mp3")).expect("the row");
    (0..row).for_each(|_| drop(sim.press("j")));
    sim.press("<space>");
    assert_eq!(sim.marked(), ["audio/proj_1/a/2.mp3"]);
    let asked = sim.press("d");
    assert!(asked.is_empty() && sim.notice().starts_with("refreshing"), "{}", sim.notice());
    let mut now = before();
    now.insert(0, object(b"a", 1, 100));
    list(&mut sim, &now, Completeness::Complete);
    assert_eq!(sim.marked(), ["audio/proj_1/a/2.mp3"]);
    sim.press("d");
    assert!(sim.state.planning.plan.is_some(), "{}", sim.notice());
}

#[test]
fn a_bucket_that_cannot_be_listed_leaves_the_kept_scan_and_plans_nothing() {
    let mut sim = shown();
    let failure = Failure { what: "list".into(), why: "no route".into(), hint: String::new() };
    list(&mut sim, &[], Completeness::Incomplete(failure));
    sim.press("<esc>");
    assert_eq!(sim.state.bucket.inventory.len(), 3);
    assert_eq!(sim.state.kept_age().as_deref(), Some("scan of 14 min ago"));
    sim.press("GA");
    assert!(sim.marked().is_empty() && sim.notice().contains("press r"), "{}", sim.notice());
    sim.press("<space>d");
    assert!(sim.state.planning.plan.is_none() && sim.notice().contains("press r"), "{}", sim.notice());
    sim.press("r");
    assert_eq!((sim.state.kept_age(), matches!(sim.state.bucket.scan, Scan::Complete(_))), (None, true));
}

#[test]
fn a_scan_in_a_file_is_looked_at_and_nothing_else() {
    let mut sim = Sim::of(before(), (100, 24));
    sim.state.session.offline = true;
    let effects = start(&mut sim.state);
    let ticket = sim.state.bucket.scan_ticket;
    assert_eq!(effects, [Effect::OpenKept { ticket }]);
    sim.send(Event::Kept(ticket, kept(before())));
    assert_eq!(sim.state.bucket.audit, Audit::Done);
    for key in ["A", "d", "R", "r", "=", "z"] {
        let asked = sim.press(key);
        assert!(asked.is_empty(), "{key}: {asked:?}");
        assert!(sim.notice().contains("--from") || key == "R", "{key}: {}", sim.notice());
    }
    assert!(sim.marked().is_empty());
}

#[test]
fn changes_since_the_last_scan_are_shown() {
    let mut sim = Sim::of(before(), (100, 24)).loaded();
    let asked = sim.press("=");
    let Some(Effect::Compare { ticket }) = asked.first() else { panic!("nothing was asked: {asked:?}") };
    let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
    let earlier = inventory_of(before()[..1].to_vec());
    let summary = Summary::of(&earlier, &sim.state.bucket.inventory, 1, &Layouts::autoshorts(), &ids);
    let compared = Compared::new(NOW, &summary);
    let names: Vec<String> = compared
        .lines
        .iter()
        .map(|line| match line {
            ChangesLine::Heading(text) | ChangesLine::Text(text) => text.clone(),
            ChangesLine::Totals { name, cells } => format!("{name} {}", cells.join(" ")),
        })
        .collect();
    let expected =
        ["everything 2 - - - +2.0 KiB", "by folder", "audio/ 2 - - - +2.0 KiB", "by project", "1 1 - - - +1.0 KiB"];
    assert_eq!(names[..5], expected.map(String::from));
    let _ = update(&mut sim.state, Event::Compared(*ticket, Some(compared)));
    sim.press("j");
    assert!(matches!(&sim.state.mode, Mode::Changes(shown) if shown.scroll == 1));
    sim.press("<esc>");
    assert_eq!(sim.state.mode, Mode::Browse);
    let asked = sim.press("=");
    let Some(Effect::Compare { ticket }) = asked.first() else { panic!("nothing was asked: {asked:?}") };
    sim.send(Event::Compared(*ticket, None));
    assert!(sim.notice().contains("no earlier scan") && sim.notice().contains("is kept for"), "{}", sim.notice());
    sim.state.session.keeps_scans = false;
    let asked = sim.press("=");
    let Some(Effect::Compare { ticket }) = asked.first() else { panic!("nothing was asked: {asked:?}") };
    sim.send(Event::Compared(*ticket, None));
    assert!(sim.notice().starts_with("scans are not kept"), "{}", sim.notice());
    let same = Summary::of(&sim.state.bucket.inventory, &sim.state.bucket.inventory, 1, &Layouts::autoshorts(), &ids);
    let text = ChangesLine::Text("Nothing changed: every object is as it was, and no other is there.".into());
    assert_eq!(Compared::new(NOW, &same).lines.last(), Some(&text));
}
