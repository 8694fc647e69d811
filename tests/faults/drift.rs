//! Drift and the plans that mend it, in a world that changes and fails in between.

use std::sync::Arc;

use bucketree::domain::drift::{Absence, DriftReport};
use bucketree::domain::plan::{Caps, PlanKind};
use bucketree::domain::{Key, Outcome, Plan};
use bucketree::jobs::Stop;
use bucketree::jobs::drift::plans::{Also, Bounds, backfill, prune};
use bucketree::jobs::drift::{Drifting, check};
use bucketree::jobs::execute::Ending;
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, ObjectStore, StoreError};

use crate::world::World;

const MISSING: &str = "projects/proj_1/scenes/s/media/missing.mp4";

fn track(world: &World, key: &str, owner: Option<&str>) {
    world.registry.rows.lock().unwrap().insert(Key::from(key), owner.map(Into::into));
}

fn is_tracked(world: &World, key: &str) -> bool {
    world.registry.rows.lock().unwrap().contains_key(&Key::from(key))
}

/// Key of an object of the live project that nobody tracks.
fn untracked(n: usize) -> String {
    format!("projects/proj_10/scenes/s/media/untracked{n}.mp4")
}

fn world() -> World {
    let world = World::with_orphans(3);
    (0..3).for_each(|n| world.put(&untracked(n), 50));
    world
}

/// What is compared, and the plan that `make` makes of it.
async fn compared<T>(world: &World, make: impl FnOnce(&Drifting<'_>, &DriftReport, &Bounds<'_>) -> T) -> T {
    let (inventory, scan, audit) = world.audit().await;
    let registry = world.execution(Plan { header: world.plan().await.header, rows: Vec::new() }).registry;
    let input = Drifting {
        store: world.store.as_ref(),
        registry: registry.as_ref(),
        inventory: &inventory,
        scan: &scan,
        audit: &audit,
        project: None,
    };
    let report = check(&input, &Stop::new(), |_, _| {}).await;
    let clock = world.execution(world.plan().await).clock;
    make(&input, &report, &Bounds { caps: &Caps::default(), clock: &clock })
}

async fn report(world: &World) -> DriftReport {
    compared(world, |_, report, _| report.clone()).await
}

async fn prune_plan(world: &World, also: Also) -> Plan {
    compared(world, |input, report, bounds| prune(input, report, also, bounds)).await
}

async fn backfill_plan(world: &World) -> Plan {
    compared(world, backfill).await
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.rows.iter().map(|row| row.object.key.escaped().to_string()).collect()
}

fn cut(world: &World, run: &str, records: usize) {
    let path = world.runs().join(run).join(runs::JOURNAL);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(path, lines[..records].concat()).unwrap();
}

#[tokio::test]
async fn what_is_missing_is_proved_by_asking_and_nothing_else() {
    let world = world();
    track(&world, MISSING, Some("proj_1"));
    track(&world, "/projects/proj_10/scenes/s/media/listed%20later.mp4", Some("proj_10"));
    let found = report(&world).await;
    assert_eq!(found.problem, None);
    assert_eq!((found.untracked.len(), found.missing.len(), found.in_both), (3, 2, 30));
    assert!(found.missing.iter().all(|missing| missing.proof == Absence::Proved), "{:?}", found.missing);
    let later = "projects/proj_10/scenes/s/media/listed later.mp4";
    let bucket = Arc::clone(&world.bucket);
    world.store.at(
        Operation::Head,
        world.store.count(Operation::Head),
        Fault::Before(Arc::new(move || {
            bucket.put(&Key::from(later), "it came after the listing");
        })),
    );
    let proofs: Vec<Absence> = report(&world).await.missing.into_iter().map(|missing| missing.proof).collect();
    assert!(proofs.contains(&Absence::ThereAfterAll) && proofs.contains(&Absence::Proved), "{proofs:?}");
    world.store.always(Operation::Head, Fault::Fail(StoreError::new(ErrorKind::Denied, "no")));
    let denied = report(&world).await;
    assert!(denied.missing.iter().all(|missing| matches!(missing.proof, Absence::Unproven(_))), "{:?}", denied.missing);
    assert_eq!(
        prune_plan(&world, Also { live: true, unknown: true }).await.rows,
        [],
        "what is not proved is not pruned"
    );
}

#[tokio::test]
async fn a_registry_that_fails_says_nothing_about_drift() {
    let world = world();
    *world.registry.broken.lock().unwrap() = true;
    let (inventory, scan, audit) = world.audit().await;
    let input = Drifting {
        store: world.store.as_ref(),
        registry: None,
        inventory: &inventory,
        scan: &scan,
        audit: &audit,
        project: None,
    };
    let report = check(&input, &Stop::new(), |_, _| {}).await;
    assert!(report.problem.is_some() && !report.agrees());
    let clock = bucketree::jobs::Clock::system();
    let plan = backfill(&input, &report, &Bounds { caps: &Caps::default(), clock: &clock });
    assert!(plan.refusals().iter().any(|guard| guard.name == "registry trusted"), "{:?}", plan.header.guards);
}

#[tokio::test]
async fn sizes_and_repeated_rows_are_looked_into() {
    let world = world();
    let key = "projects/proj_10/scenes/s/media/0003.mp4";
    world.registry.sizes.lock().unwrap().insert(Key::from(key), 999);
    world.registry.sizes.lock().unwrap().insert(Key::from("projects/proj_10/scenes/s/media/0004.mp4"), 1);
    track(&world, &format!("/{key}"), Some("proj_10"));
    let found = report(&world).await;
    assert_eq!(found.wrong_sizes.len(), 1);
    assert_eq!((found.wrong_sizes[0].recorded, found.wrong_sizes[0].actual), (999, 1));
    assert_eq!((found.repeated.len(), found.repeated[0].rows), (1, 2));
    assert_eq!(found.repeated[0].key, Key::from(key));
}

#[tokio::test]
async fn pruning_takes_dead_rows_of_missing_objects_and_nothing_of_the_bucket() {
    let world = world();
    for (key, owner) in [(MISSING, Some("proj_1")), ("m/live.mp4", Some("10")), ("m/unknown.mp4", None)] {
        track(&world, key, owner);
    }
    track(&world, &World::orphan(0), Some("proj_1"));
    let everything = Also { live: true, unknown: true };
    assert_eq!(keys(&prune_plan(&world, everything).await), ["m/live.mp4", "m/unknown.mp4", MISSING]);
    let plan = prune_plan(&world, Also::default()).await;
    assert_eq!((keys(&plan), plan.confirmation()), (vec![MISSING.to_owned()], "media 1".into()));
    let objects = world.bucket.keys();
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!((ran.outcome(MISSING), ran.report.rows.removed), (Outcome::AbsentBefore, 1));
    assert!(!is_tracked(&world, MISSING) && is_tracked(&world, "m/live.mp4") && is_tracked(&world, "m/unknown.mp4"));
    assert!(is_tracked(&world, &World::orphan(0)), "the row of an object that is there stays");
    let ran = world.run(prune_plan(&world, everything).await).await.unwrap();
    assert_eq!(ran.report.rows.removed, 2);
    assert_eq!(world.bucket.keys(), objects);
    assert_eq!(world.store.count(Operation::Delete) + world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn row_28_pruning_keeps_the_row_of_what_came_back() {
    for (name, change) in [
        ("the object", (|world: &World| world.put(MISSING, 5)) as fn(&World)),
        ("the object, spelled otherwise", |world| world.put("projects/proj_1/scenes/s/media/spelled here.mp4", 5)),
        ("the project", |world| world.registry.projects.lock().unwrap().push("1".into())),
        ("the row, with another owner", |world| track(world, MISSING, Some("proj_2"))),
    ] {
        let world = world();
        let spelled = "/projects/proj_1/scenes/s/media/spelled%20here.mp4";
        let key = if name.contains("otherwise") { spelled } else { MISSING };
        track(&world, key, Some("proj_1"));
        let plan = prune_plan(&world, Also::default()).await;
        assert_eq!(keys(&plan), [key]);
        change(&world);
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.report.rows.removed, 0, "{name}");
        assert!(is_tracked(&world, key), "{name}");
    }
}

#[tokio::test]
async fn most_of_a_registry_is_never_pruned() {
    let world = world();
    (0..60).for_each(|n| track(&world, &format!("projects/proj_1/scenes/s/media/m{n}.mp4"), Some("proj_1")));
    let plan = prune_plan(&world, Also::default()).await;
    let refused: Vec<&str> = plan.refusals().iter().map(|guard| guard.name.as_str()).collect();
    assert_eq!(refused, ["tracked keys present"]);
    assert!(world.run(plan).await.is_err());
    assert_eq!(world.registry.rows.lock().unwrap().len(), 90);
}

#[tokio::test]
async fn backfilling_records_what_is_still_untracked_and_unchanged() {
    let world = world();
    let plan = backfill_plan(&world).await;
    assert_eq!(plan.header.kind, PlanKind::Backfill);
    assert_eq!(keys(&plan), [untracked(0), untracked(1), untracked(2)]);
    world.put(&untracked(1), 51);
    track(&world, &untracked(2), Some("proj_10"));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&untracked(0)), Outcome::Recorded);
    assert_eq!(ran.outcome(&untracked(1)), Outcome::SkippedChanged);
    assert_eq!(ran.outcome(&untracked(2)), Outcome::SkippedNowLive);
    assert_eq!(ran.report.rows.added, 1);
    assert!(is_tracked(&world, &untracked(0)) && !is_tracked(&world, &untracked(1)));
}

#[tokio::test]
async fn row_47_a_backfill_that_was_killed_is_taken_up_and_records_each_object_once() {
    // Started, intent, outcomes, verified, finished.
    for (records, recorded) in [(1, false), (2, false), (2, true), (3, true), (4, true)] {
        let world = world();
        let run = world.run(backfill_plan(&world).await).await.unwrap().report.run;
        cut(&world, &run, records);
        if !recorded {
            world.registry.rows.lock().unwrap().retain(|key, _| !key.as_bytes().ends_with(b"untracked1.mp4"));
        }
        if records == 1 {
            world.registry.rows.lock().unwrap().retain(|key, _| !key.escaped().to_string().contains("untracked"));
        }
        let again = world.resume(&run, Ending::GoOn).await.unwrap();
        assert!(again.report.is_success(), "{records} {recorded}: {:?}", again.report);
        assert_eq!(again.report.outcomes.of(Outcome::Recorded), 3, "{records} {recorded}");
        assert_eq!(world.registry.rows.lock().unwrap().len(), 33, "{records} {recorded}");
    }
}

#[tokio::test]
async fn row_47_a_pruning_that_was_killed_is_taken_up() {
    // Started, outcomes, verified, removing-rows, rows-removed, finished.
    for records in 1..=5 {
        let world = world();
        track(&world, MISSING, Some("proj_1"));
        let run = world.run(prune_plan(&world, Also::default()).await).await.unwrap().report.run;
        cut(&world, &run, records);
        if records < 5 {
            track(&world, MISSING, Some("proj_1"));
        }
        let again = world.resume(&run, Ending::GoOn).await.unwrap();
        assert!(again.report.is_success(), "{records}: {:?}", again.report);
        assert!(!is_tracked(&world, MISSING), "{records}");
    }
}

#[tokio::test]
async fn a_registry_that_refuses_new_rows_is_said_and_nothing_counts_as_recorded() {
    let world = world();
    let plan = backfill_plan(&world).await;
    *world.registry.broken_rows.lock().unwrap() = true;
    let ran = world.run(plan).await.unwrap();
    assert_eq!((ran.report.outcomes.of(Outcome::Failed), ran.report.rows.added), (3, 0));
    assert!(ran.ends[&untracked(0)].1.as_ref().unwrap().contains("refuses"), "{:?}", ran.ends);
    let world = self::world();
    let plan = backfill_plan(&world).await;
    *world.registry.read_only.lock().unwrap() = true;
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 3);
    assert!(ran.ends[&untracked(0)].1.as_ref().unwrap().contains("cannot be changed from here"), "{:?}", ran.ends);
    assert!(world.store.identity().bucket == "media");
}
