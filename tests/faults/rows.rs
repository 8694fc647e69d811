//! Rows follow objects: out of the registry when an object is proved gone, back when it is proved restored, whatever
//! happens in between.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bucketree::domain::plan::PlanKind;
use bucketree::domain::{Key, Outcome, trash};
use bucketree::jobs::execute::Ending;
use bucketree::jobs::trash::{Only, Trash};
use bucketree::journal::kept_rows::{self, Covered, KeptRows, ROWS};
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, ObjectStore, StoreError};

use crate::world::{Ran, World};

/// Orphans, three of which have rows of their dead project.
fn world(orphans: usize, kind: PlanKind) -> World {
    let mut world = World::with_orphans(orphans);
    world.kind = kind;
    (0..3).for_each(|n| track(&world, n, "proj_1"));
    world
}

fn track(world: &World, n: usize, project: &str) {
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(n).as_str()), Some(project.into()));
}

/// Rows of orphans.
fn rows(world: &World) -> Vec<String> {
    let rows = world.registry.rows.lock().unwrap();
    let orphans = rows.iter().filter(|(key, _)| key.as_bytes().starts_with(b"projects/proj_1/"));
    orphans.map(|(key, owner)| format!("{} {}", key.escaped(), owner.as_deref().unwrap_or("-"))).collect()
}

fn all_rows() -> Vec<String> {
    (0..3).map(|n| format!("{} proj_1", World::orphan(n))).collect()
}

fn kept_file(world: &World, run: &str) -> PathBuf {
    world.runs().join(run).join(ROWS)
}

async fn trashed(world: &World) -> String {
    let ran = world.run(world.plan().await).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    ran.report.run
}

async fn plan_of_trash(world: &World, take: impl Fn(&Trash<'_>) -> bucketree::domain::Plan) -> bucketree::domain::Plan {
    let (inventory, scan) = world.scan().await;
    let execution = world.execution(world.plan().await);
    take(&Trash {
        identity: world.store.identity(),
        inventory: &inventory,
        scan: &scan,
        layouts: execution.layouts.hash(),
        runs: world.runs(),
        clock: &execution.clock,
        deletes: world.deletes,
    })
}

async fn restore(world: &World, run: &str, only: &Only) -> Ran {
    let plan = plan_of_trash(world, |trash| trash.restore(run, only).unwrap()).await;
    world.run(plan).await.unwrap()
}

/// Cuts a journal after so many records, as if the run had been killed there.
fn cut(world: &World, run: &str, records: usize) -> usize {
    let path = world.runs().join(run).join(runs::JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(path, lines[..records.min(lines.len())].concat()).unwrap();
    lines.len()
}

#[tokio::test]
async fn rows_go_to_the_trash_with_their_objects_and_come_back_with_them() {
    let world = world(4, PlanKind::Trash);
    let before = world.registry.rows.lock().unwrap().clone();
    let run = trashed(&world).await;
    assert_eq!(rows(&world), Vec::<String>::new());
    assert_eq!(world.registry.rows.lock().unwrap().len(), 30, "rows of live projects stay");
    let back = restore(&world, &run, &Only::default()).await;
    assert_eq!((back.report.rows.put_back, back.report.rows.problem), (3, None));
    assert_eq!(*world.registry.rows.lock().unwrap(), before);
}

#[tokio::test]
async fn only_the_rows_of_what_is_restored_come_back() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    let one = Only { keys: vec![Key::from(World::orphan(1).as_str())], prefixes: Vec::new() };
    assert_eq!(restore(&world, &run, &one).await.report.rows.put_back, 1);
    assert_eq!(rows(&world), all_rows()[1..2]);
    world.put(&World::orphan(2), 7);
    let rest = restore(&world, &run, &Only::default()).await;
    assert_eq!(rest.report.outcomes.of(Outcome::SkippedChanged), 1);
    assert_eq!(rows(&world), all_rows()[..2], "the row of what was not restored stays aside");
}

#[tokio::test]
async fn a_row_that_the_app_wrote_meanwhile_is_left() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    track(&world, 1, "proj_10");
    let back = restore(&world, &run, &Only::default()).await;
    assert_eq!(back.report.rows.put_back, 2);
    let mut expected = all_rows();
    expected[1] = format!("{} proj_10", World::orphan(1));
    assert_eq!(rows(&world), expected);
}

#[tokio::test]
async fn a_row_that_changes_before_its_removal_stays_and_is_seen() {
    for kind in [PlanKind::Delete, PlanKind::Trash] {
        let world = Arc::new(world(3, kind));
        let plan = world.plan().await;
        let inside = Arc::downgrade(&world);
        *world.registry.between.lock().unwrap() = Some(Box::new(move || {
            if let Some(world) = inside.upgrade() {
                track(&world, 1, "proj_1 as changed");
            }
        }));
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.report.rows.removed, 2, "{kind:?}");
        assert_eq!(rows(&world), [format!("{} proj_1 as changed", World::orphan(1))], "{kind:?}");
    }
}

#[tokio::test]
async fn the_row_of_an_object_that_was_written_again_after_it_was_proved_gone_stays() {
    for (kind, again) in [(PlanKind::Delete, "projects/proj_1/caf\u{e9}"), (PlanKind::Trash, &World::orphan(1))] {
        let world = Arc::new(world(30, kind));
        world.put("projects/proj_1/caf\u{e9}", 3);
        world.registry.rows.lock().unwrap().insert(Key::from("projects/proj_1/caf\u{e9}"), Some("proj_1".into()));
        let plan = world.plan().await;
        let (inside, key) = (Arc::downgrade(&world), again.to_owned());
        *world.registry.asked.lock().unwrap() = Some(Box::new(move || {
            if let Some(world) = inside.upgrade() {
                world.put(&key, 5);
            }
        }));
        let ran = world.run(plan).await.unwrap();
        assert_eq!((ran.report.rows.removed, ran.report.rows.problem), (3, None), "{kind:?}");
        assert_eq!(rows(&world), [format!("{} proj_1", Key::from(again).escaped())], "{kind:?}");
    }
}

#[tokio::test]
async fn rows_stay_when_it_can_no_longer_be_proved_that_their_objects_are_gone() {
    let world = Arc::new(world(3, PlanKind::Delete));
    let plan = world.plan().await;
    let inside = Arc::downgrade(&world);
    *world.registry.asked.lock().unwrap() = Some(Box::new(move || {
        if let Some(world) = inside.upgrade() {
            world.store.always(Operation::Head, Fault::Fail(StoreError::new(ErrorKind::Denied, "no")));
        }
    }));
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.rows.problem.as_ref().unwrap().contains("could not be proved: no"), "{:?}", ran.report.rows);
    assert_eq!((ran.report.rows.removed, rows(&world)), (0, all_rows()));
}

#[tokio::test]
async fn rows_of_a_live_project_stay_however_its_id_is_spelled() {
    for owner in ["proj_10", "10", "proj_proj_10"] {
        let world = world(3, PlanKind::Delete);
        let plan = world.plan().await;
        let inside = Key::from(World::orphan(1).as_str());
        let registry = Arc::clone(&world.registry);
        let owner_now = owner.to_owned();
        // Alive only after the last request was sent.
        let track_it = move || drop(registry.rows.lock().unwrap().insert(inside.clone(), Some(owner_now.clone())));
        world.store.always(Operation::DeleteBatch, Fault::After(Arc::new(track_it)));
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.report.rows.removed, 2);
        assert_eq!(rows(&world), [format!("{} {owner}", World::orphan(1))]);
    }
}

#[tokio::test]
async fn a_registry_that_cannot_be_changed_keeps_its_rows_and_that_is_said() {
    let world = world(3, PlanKind::Trash);
    *world.registry.read_only.lock().unwrap() = true;
    let ran = world.run(world.plan().await).await.unwrap();
    assert!(ran.report.is_success());
    assert!(ran.report.rows.left_read_only && ran.report.rows.problem.is_none(), "{:?}", ran.report.rows);
    assert_eq!(rows(&world), all_rows());
    let back = restore(&world, &ran.report.run, &Only::default()).await;
    assert_eq!((back.report.rows.put_back, back.report.rows.problem), (0, None));
    assert_eq!(rows(&world), all_rows());
}

#[tokio::test]
async fn keep_rows_leaves_them_even_when_the_run_is_taken_up_again() {
    for kind in [PlanKind::Delete, PlanKind::Trash] {
        let mut world = world(3, kind);
        world.keep_rows = true;
        let ran = world.run(world.plan().await).await.unwrap();
        assert_eq!((ran.report.rows.removed, rows(&world)), (0, all_rows()));
        let records = cut(&world, &ran.report.run, usize::MAX);
        cut(&world, &ran.report.run, records - 1);
        world.keep_rows = false; // whoever takes it up need not say it again
        let again = world.resume(&ran.report.run, Ending::GoOn).await.unwrap();
        assert_eq!((again.report.rows.removed, rows(&world)), (0, all_rows()), "{kind:?}");
    }
}

#[tokio::test]
async fn row_47_killed_at_any_record_of_the_rows_they_can_still_be_put_back() {
    // Started, copying, copied, intent, outcomes, verified, removing-rows, rows-removed, finished.
    for records in 6..=8 {
        for done in [false, true] {
            let world = world(3, PlanKind::Trash);
            let run = trashed(&world).await;
            assert_eq!(cut(&world, &run, records), 9);
            if !done {
                (0..3).for_each(|n| track(&world, n, "proj_1"));
            }
            if records < 7 && done {
                continue; // nothing is removed before it is announced
            }
            let again = world.resume(&run, Ending::GoOn).await.unwrap();
            assert!(again.report.is_success() && again.report.rows.problem.is_none(), "{records} {:?}", again.report);
            assert_eq!(rows(&world), Vec::<String>::new(), "{records} {done}");
            let back = restore(&world, &run, &Only::default()).await;
            assert_eq!((back.report.rows.put_back, rows(&world)), (3, all_rows()), "{records} {done}");
        }
    }
}

#[tokio::test]
async fn row_47_a_restore_that_was_killed_puts_every_row_back_once() {
    // Started, copying, copied, intent, outcomes, verified, putting-rows, rows-put, finished.
    for records in 5..=8 {
        let world = world(3, PlanKind::Trash);
        let run = trashed(&world).await;
        let back = restore(&world, &run, &Only::default()).await.report.run;
        assert_eq!(cut(&world, &back, records), 9);
        if records < 7 {
            all_rows().iter().for_each(|_| {
                world.registry.rows.lock().unwrap().retain(|_, owner| owner.as_deref() != Some("proj_1"))
            });
        }
        let again = world.resume(&back, Ending::GoOn).await.unwrap();
        assert!(again.report.is_success() && again.report.rows.problem.is_none(), "{records} {:?}", again.report);
        assert_eq!(rows(&world), all_rows(), "{records}");
    }
}

#[tokio::test]
async fn row_74_rows_that_could_not_be_put_back_are_put_back_later() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    *world.registry.broken_rows.lock().unwrap() = true;
    let back = restore(&world, &run, &Only::default()).await;
    assert!(back.report.rows.problem.as_ref().unwrap().contains("3 rows"), "{:?}", back.report.rows);
    assert_eq!(back.report.outcomes.of(Outcome::Restored), 3);
    *world.registry.broken_rows.lock().unwrap() = false;
    let again = world.resume(&back.report.run, Ending::GoOn).await.unwrap();
    assert_eq!((again.report.rows.put_back, rows(&world)), (3, all_rows()));
}

#[tokio::test]
async fn rows_whose_file_was_changed_are_not_put_back() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    let path = kept_file(&world, &run);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("proj_1", "proj_9")).unwrap();
    let back = restore(&world, &run, &Only::default()).await;
    assert!(back.report.rows.problem.as_ref().unwrap().contains("checksum"), "{:?}", back.report.rows);
    assert_eq!((rows(&world), back.report.outcomes.of(Outcome::Restored)), (Vec::new(), 3));
}

#[tokio::test]
async fn rows_whose_file_was_made_anew_are_not_put_back() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    let (_, mut kept) = kept_rows::of_run(&runs::open(&world.runs(), &run).unwrap()).unwrap();
    kept[0].content = kept[0].content.replace("proj_1", "proj_9");
    // Every line is sealed as it should be, and there are as many as there were.
    let (mut file, _) = KeptRows::open(&world.runs().join(&run), &run, &Covered::default()).unwrap();
    file.append(&kept).unwrap();
    let back = restore(&world, &run, &Only::default()).await;
    assert!(back.report.rows.problem.as_ref().unwrap().contains("not what the journal says"), "{:?}", back.report.rows);
    assert_eq!((rows(&world), back.report.outcomes.of(Outcome::Restored)), (Vec::new(), 3));
}

#[tokio::test]
async fn rows_are_put_back_only_where_the_object_is_proved_restored() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    let plan = plan_of_trash(&world, |trash| trash.restore(&run, &Only::default()).unwrap()).await;
    let bucket = Arc::clone(&world.bucket);
    let vanish = move || assert!(bucket.remove(&Key::from(World::orphan(1).as_str())));
    world.store.always(Operation::DeleteBatch, Fault::After(Arc::new(vanish)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.rows.put_back, 2);
    assert_eq!(rows(&world), [all_rows()[0].clone(), all_rows()[2].clone()]);
}

#[tokio::test]
async fn rows_are_left_aside_when_nothing_could_be_proved() {
    let world = world(3, PlanKind::Trash);
    let plan = world.plan().await;
    let store = Arc::clone(&world.store);
    let break_down = move || {
        let down = StoreError::new(ErrorKind::Denied, "no");
        store.always(Operation::List, Fault::Fail(down.clone()));
        store.always(Operation::Head, Fault::Fail(down));
    };
    world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(break_down)));
    let ran = world.run(plan).await.unwrap();
    assert!(!ran.report.is_success());
    assert_eq!(rows(&world), all_rows(), "no row goes before its object is proved gone");
}

#[tokio::test]
async fn emptying_the_trash_drops_what_was_kept_when_nothing_is_left_of_the_run() {
    let world = world(3, PlanKind::Trash);
    let run = trashed(&world).await;
    assert!(kept_file(&world, &run).is_file());
    let some = plan_of_trash(&world, |trash| {
        let mut plan = trash.empty(0, &[]);
        plan.rows.truncate(2);
        bucketree::journal::plan_file::seal(plan)
    })
    .await;
    let first = world.run(some).await.unwrap();
    assert_eq!((first.report.rows.dropped, first.report.rows.problem), (0, None));
    assert!(kept_file(&world, &run).is_file(), "one object can still be restored");
    let rest = plan_of_trash(&world, |trash| trash.empty(0, &[])).await;
    let second = world.run(rest).await.unwrap();
    assert_eq!((second.report.rows.dropped, second.report.rows.problem), (3, None));
    assert!(!kept_file(&world, &run).exists());
    assert!(runs::open(&world.runs(), &run).unwrap().is_finished());
}

#[tokio::test]
async fn a_permanent_deletion_leaves_its_rows_as_evidence() {
    let world = world(3, PlanKind::Delete);
    let ran = world.run(world.plan().await).await.unwrap();
    assert_eq!(ran.report.rows.removed, 3);
    let (registry, kept) = kept_rows::of_run(&runs::open(&world.runs(), &ran.report.run).unwrap()).unwrap();
    assert_eq!((registry.as_str(), kept.len()), ("test", 3));
    assert_eq!(kept[0].key, Key::from(World::orphan(0).as_str()));
    assert!(!trash::is_in_trash(kept[0].key.as_bytes()));
}
