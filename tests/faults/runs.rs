//! Runs in a world that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use bucketree::domain::progress::{RunProgress, Verification};
use bucketree::domain::{ETag, Key, Outcome};
use bucketree::jobs::Stop;
use bucketree::jobs::execute::Ending;
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, StoreError};

use crate::world::{Ran, World};

fn error(kind: ErrorKind) -> StoreError {
    StoreError::new(kind, "the store said no")
}

/// Runs a plan of `orphans` orphans with one fault in the first batch.
async fn ran(orphans: usize, fault: Fault) -> (World, Ran) {
    let world = World::with_orphans(orphans);
    let plan = world.plan().await;
    world.store.at(Operation::DeleteBatch, 0, fault);
    let ran = world.run(plan).await.unwrap();
    for n in 0..30 {
        assert!(world.has(&format!("projects/proj_10/scenes/s/media/{n:04}.mp4")), "an object of proj_10 is gone");
    }
    (world, ran)
}

#[tokio::test]
async fn a_plan_is_carried_out_and_proved() {
    let world = World::with_orphans(2345);
    let row = Key::from(World::orphan(7).as_str());
    world.registry.rows.lock().unwrap().insert(row.clone(), Some("proj_1".into()));
    let plan = world.plan().await;
    assert_eq!(plan.confirmation(), "media 2345");
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 2345);
    assert_eq!(ran.report.bytes_gone, 234_500);
    assert_eq!(world.bucket.keys().len(), 30, "what was not planned is still there");
    assert_eq!(ran.report.rows.removed, 1);
    assert!(!world.registry.rows.lock().unwrap().contains_key(&row), "the row followed its object");
    let past = runs::open(&world.runs(), &ran.report.run).unwrap();
    let summary = past.summary().unwrap();
    assert_eq!((summary.outcomes, summary.finished, past.damage), (ran.report.outcomes, true, None));
}

#[tokio::test]
async fn row_01_slow_down_and_then_ok() {
    let mut slow = error(ErrorKind::Throttled);
    slow.retry_after = Some(Duration::from_millis(1));
    let (world, ran) = ran(1500, Fault::Fail(slow)).await;
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(world.store.count(Operation::DeleteBatch), 3, "two batches, one of them twice");
}

#[tokio::test]
async fn row_02_slow_down_for_ever_stops_the_run_and_everything_is_still_there() {
    let mut world = World::with_orphans(3000);
    (world.batch_keys, world.concurrency) = (100, 1);
    let plan = world.plan().await;
    world.store.always(Operation::DeleteBatch, Fault::Fail(error(ErrorKind::Throttled)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 3000);
    assert!(ran.report.stopped.is_some() && !ran.report.is_success());
    assert_eq!(world.store.count(Operation::DeleteBatch), 5 * 4, "five batches of four attempts, then no more");
    assert_eq!(world.bucket.keys().len(), 3030);
}

#[tokio::test]
async fn row_03_a_store_that_asks_for_a_long_wait_ends_the_run_at_once() {
    let mut slow = error(ErrorKind::Throttled);
    slow.retry_after = Some(Duration::from_secs(600));
    let (_, ran) = ran(10, Fault::Fail(slow)).await;
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 10);
    assert!(ran.report.stopped.is_some());
}

#[tokio::test]
async fn row_03_a_wait_that_the_store_asks_for_is_kept() {
    let mut slow = error(ErrorKind::Throttled);
    let asked = Duration::from_millis(300);
    slow.retry_after = Some(asked);
    let begun = std::time::Instant::now();
    let (world, ran) = ran(10, Fault::Fail(slow)).await;
    assert!(begun.elapsed() >= asked && ran.report.is_success());
    assert_eq!(world.store.count(Operation::DeleteBatch), 2, "nothing is sent while it waits");
}

#[tokio::test]
async fn row_05_an_error_after_the_delete_was_applied_is_no_failure() {
    let (_, ran) = ran(50, Fault::ApplyThenFail(error(ErrorKind::Unavailable))).await;
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 50);
    assert!(ran.report.is_success(), "{:?}", ran.report);
}

#[tokio::test]
async fn row_06_an_error_before_the_delete_was_applied_is_repeated_after_a_look() {
    let (world, ran) = ran(50, Fault::Fail(error(ErrorKind::Unavailable))).await;
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 50);
    assert_eq!(world.store.count(Operation::DeleteBatch), 2);
}

#[tokio::test]
async fn row_07_a_lost_answer_is_looked_up() {
    let (world, ran) = ran(50, Fault::ApplyThenFail(error(ErrorKind::Timeout))).await;
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 50);
    assert_eq!(world.store.count(Operation::DeleteBatch), 1, "nothing was sent blindly again");
}

#[tokio::test]
async fn row_08_an_object_written_again_after_a_lost_answer_is_kept() {
    let world = World::with_orphans(50);
    let plan = world.plan().await;
    let again = Key::from(World::orphan(3).as_str());
    let (bucket, key) = (Arc::clone(&world.bucket), again.clone());
    let write = move || {
        bucket.put(&key, "written again");
    };
    world.store.at(Operation::DeleteBatch, 0, Fault::ApplyThenFail(error(ErrorKind::Timeout)));
    world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(write)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(3)), Outcome::SkippedChanged);
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 49);
    assert!(world.bucket.object(&again).is_some(), "the new object is kept");
}

#[tokio::test]
async fn row_09_a_connection_that_never_was_is_tried_again() {
    let (_, ran) = ran(5, Fault::Fail(error(ErrorKind::Unreachable))).await;
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 5);
}

#[tokio::test]
async fn row_10_a_batch_that_was_carried_out_in_part_is_resolved_key_by_key() {
    let (world, ran) = ran(100, Fault::ApplyPart(40, error(ErrorKind::Unreachable))).await;
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 40);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 60);
    assert_eq!(world.bucket.keys().len(), 30);
}

#[tokio::test]
async fn row_11_errors_of_single_keys_are_told_per_key() {
    for (kind, expected) in [
        (ErrorKind::Denied, Outcome::Denied),
        (ErrorKind::Locked, Outcome::Locked),
        (ErrorKind::Unavailable, Outcome::Deleted),
    ] {
        let key = Key::from(World::orphan(2).as_str());
        let (world, ran) = ran(10, Fault::Refuse(key.clone(), error(kind))).await;
        assert_eq!(ran.outcome(&World::orphan(2)), expected);
        assert_eq!(world.bucket.object(&key).is_some(), expected != Outcome::Deleted);
        assert_eq!(ran.report.outcomes.sum(Outcome::is_gone), if expected == Outcome::Deleted { 10 } else { 9 });
    }
}

#[tokio::test]
async fn row_12_keys_that_the_answer_leaves_out_are_looked_up() {
    let omitted = (0..3).map(|n| Key::from(World::orphan(n).as_str())).collect();
    let (_, ran) = ran(10, Fault::Omit(omitted)).await;
    assert_eq!(ran.outcome(&World::orphan(0)), Outcome::DeletedByEarlierAttempt);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 7);
    assert!(ran.report.is_success());
}

#[tokio::test]
async fn row_13_an_answer_about_keys_that_were_never_asked_for_stops_the_run() {
    let mut world = World::with_orphans(30);
    (world.batch_keys, world.concurrency) = (10, 1);
    let plan = world.plan().await;
    world.store.at(Operation::DeleteBatch, 0, Fault::Alarm("the answer names a key that was not asked for".into()));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(world.store.count(Operation::DeleteBatch), 1);
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 10, "what was carried out is looked up");
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 20);
    assert!(ran.report.stopped.unwrap().why.contains("not asked for"));
}

#[tokio::test]
async fn row_16_an_answer_that_is_not_one_leaves_the_objects_and_says_so() {
    let world = World::with_orphans(5);
    let plan = world.plan().await;
    world.store.always(Operation::DeleteBatch, Fault::Fail(error(ErrorKind::Malformed)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 5);
    assert_eq!(world.bucket.keys().len(), 35);
}

#[tokio::test]
async fn row_25_a_registry_that_dies_before_a_batch_keeps_everything() {
    let world = World::with_orphans(10);
    let plan = world.plan().await;
    *world.registry.broken.lock().unwrap() = true;
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::SkippedNowLive), 10);
    assert!(ran.report.stopped.is_some());
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn row_25_a_registry_that_lost_its_projects_before_a_batch_is_not_believed() {
    let world = World::with_orphans(10);
    (11..20).for_each(|n| world.registry.projects.lock().unwrap().push(format!("proj_{n}")));
    let plan = world.plan().await;
    world.registry.projects.lock().unwrap().truncate(5);
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::SkippedNowLive), 10);
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn row_27_a_key_that_is_tracked_alive_since_the_plan_is_kept() {
    let world = World::with_orphans(10);
    let plan = world.plan().await;
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(4).as_str()), Some("proj_10".into()));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(4)), Outcome::SkippedNowLive);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 9);
    assert!(world.has(&World::orphan(4)));
    assert_eq!(world.registry.rows.lock().unwrap().len(), 31, "the row of the kept object stays");
}

#[tokio::test]
async fn row_28_a_project_that_was_restored_since_the_plan_is_kept() {
    let world = World::with_orphans(10);
    let plan = world.plan().await;
    world.registry.projects.lock().unwrap().push("1".into());
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::SkippedNowLive), 10);
    assert_eq!(world.bucket.keys().len(), 40);
}

#[tokio::test]
async fn row_29_an_object_that_was_overwritten_since_the_plan_is_kept() {
    let world = World::with_orphans(40);
    let plan = world.plan().await;
    world.put(&World::orphan(4), 101);
    world.bucket.put(&Key::from(World::orphan(5).as_str()), "x".repeat(100));
    let ran = world.run(plan).await.unwrap();
    for n in [4, 5] {
        assert_eq!(ran.outcome(&World::orphan(n)), Outcome::SkippedChanged);
        assert!(world.has(&World::orphan(n)));
    }
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 38);
}

#[tokio::test]
async fn row_30_whatever_differs_alone_counts_as_a_change() {
    let changes: [fn(&mut bucketree::domain::Object); 5] = [
        |object| object.size += 1,
        |object| object.etag = ETag::new("another"),
        |object| object.last_modified = object.last_modified.map(|then| then.plus_seconds(1)),
        |object| object.etag = ETag::new(""),
        |object| object.last_modified = None,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let world = World::with_orphans(3);
        let key = Key::from(World::orphan(1).as_str());
        let plan = world.plan().await;
        let mut object = world.bucket.object(&key).unwrap();
        change(&mut object);
        world.bucket.put_described(object);
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.outcome(&World::orphan(1)), Outcome::SkippedChanged, "change {at}");
        assert!(world.has(&World::orphan(1)), "change {at}");
    }
    // Without an ETag nobody can say that it is still the same.
    let world = World::with_orphans(3);
    let key = Key::from(World::orphan(1).as_str());
    let mut object = world.bucket.object(&key).unwrap();
    object.etag = ETag::new("");
    world.bucket.put_described(object);
    let ran = world.run(world.plan().await).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(1)), Outcome::SkippedChanged);
}

#[tokio::test]
async fn row_31_what_appears_during_the_run_is_not_touched_and_told() {
    let world = World::with_orphans(10);
    let plan = world.plan().await;
    let bucket = Arc::clone(&world.bucket);
    let key = Key::from("projects/proj_1/scenes/s/media/new.mp4");
    let new = key.clone();
    world.store.at(Operation::DeleteBatch, 0, Fault::Before(Arc::new(move || drop(bucket.put(&new, "new")))));
    let mut told = Vec::new();
    let listen = |progress: &RunProgress, _: &Stop| {
        if let RunProgress::Log(line) = progress {
            told.push(line.text.clone());
        }
    };
    assert!(world.run_until(plan, &Stop::new(), listen).await.unwrap().report.is_success());
    assert!(world.bucket.object(&key).is_some());
    let new: Vec<&String> = told.iter().filter(|text| text.starts_with("new: ")).collect();
    assert_eq!(new, [&format!("new: {} was written since the listing; it was not touched", key.escaped())]);
}

#[tokio::test]
async fn rows_32_33_40_credentials_or_a_bucket_that_go_away_stop_the_run() {
    for kind in [ErrorKind::Expired, ErrorKind::Unauthenticated, ErrorKind::NoSuchBucket, ErrorKind::ClockSkew] {
        let mut world = World::with_orphans(40);
        (world.batch_keys, world.concurrency) = (10, 1);
        let plan = world.plan().await;
        world.store.at(Operation::DeleteBatch, 1, Fault::Fail(error(kind)));
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 10, "{kind:?}");
        assert_eq!(ran.report.outcomes.of(Outcome::Failed), 30, "{kind:?}");
        assert_eq!(world.store.count(Operation::DeleteBatch), 2, "{kind:?}");
        assert!(ran.report.stopped.is_some());
    }
}

#[tokio::test]
async fn row_34_no_permission_to_delete_stops_after_one_batch() {
    let mut world = World::with_orphans(40);
    (world.batch_keys, world.concurrency) = (10, 1);
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(0).as_str()), Some("proj_1".into()));
    let plan = world.plan().await;
    world.store.always(Operation::DeleteBatch, Fault::Fail(error(ErrorKind::Denied)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(world.store.count(Operation::DeleteBatch), 1);
    assert_eq!((ran.report.outcomes.of(Outcome::Denied), ran.report.outcomes.of(Outcome::Failed)), (10, 30));
    assert_eq!(world.registry.rows.lock().unwrap().len(), 31, "no row was touched");
}

#[tokio::test]
async fn row_35_what_may_not_be_looked_at_is_not_deleted() {
    let world = World::with_orphans(5);
    let plan = world.plan().await;
    world.store.always(Operation::Head, Fault::Fail(error(ErrorKind::Denied)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Denied), 5);
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn rows_35_75_a_verification_that_cannot_look_is_inconclusive_and_keeps_the_rows() {
    let world = World::with_orphans(5);
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(0).as_str()), Some("proj_1".into()));
    let plan = world.plan().await;
    let heads = world.store.count(Operation::Head);
    (heads + 5..heads + 10).for_each(|nth| world.store.at(Operation::Head, nth, Fault::Fail(error(ErrorKind::Denied))));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 5);
    assert!(matches!(ran.report.verification, Verification::Inconclusive(_)), "{:?}", ran.report.verification);
    assert!(!ran.report.is_success());
    assert_eq!(world.registry.rows.lock().unwrap().len(), 31);
}

#[tokio::test]
async fn a_store_that_says_deleted_and_keeps_the_object_is_found_out() {
    let world = World::with_orphans(5);
    let plan = world.plan().await;
    let (bucket, object) = (Arc::clone(&world.bucket), plan.rows[2].object.clone());
    world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(move || bucket.put_described(object.clone()))));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.verification, Verification::StillThere(1));
    assert!(!ran.report.is_success());
}

#[tokio::test]
async fn an_object_that_was_gone_before_is_told_apart() {
    let world = World::with_orphans(5);
    let plan = world.plan().await;
    world.bucket.remove(&Key::from(World::orphan(1).as_str()));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(1)), Outcome::AbsentBefore);
    assert!(ran.report.is_success());
    assert_eq!(ran.report.bytes_gone, 400, "what was gone before is not counted as this run's work");
}

#[tokio::test]
async fn row_36_a_token_that_is_not_known_everywhere_yet_is_denied_with_a_hint_and_the_rest_goes_on_later() {
    let mut world = World::with_orphans(40);
    (world.batch_keys, world.concurrency) = (10, 1);
    let plan = world.plan().await;
    world.store.at(Operation::DeleteBatch, 0, Fault::Fail(error(ErrorKind::Denied)));
    let first = world.run(plan).await.unwrap();
    let hint = first.report.stopped.unwrap().hint;
    assert!(hint.contains("a new R2 token may take a minute"), "{hint}");
    assert_eq!(world.bucket.keys().len(), 70);
    let again = world.resume(&first.report.run, Ending::GoOn).await.unwrap();
    assert_eq!((again.report.outcomes.of(Outcome::Deleted), again.report.outcomes.of(Outcome::Denied)), (30, 10));
}

#[tokio::test]
async fn row_37_a_locked_object_is_told_and_not_asked_for_again() {
    let key = Key::from(World::orphan(2).as_str());
    let world = World::with_orphans(10);
    world.registry.rows.lock().unwrap().insert(key.clone(), Some("proj_1".into()));
    let plan = world.plan().await;
    world.store.always(Operation::DeleteBatch, Fault::Refuse(key.clone(), error(ErrorKind::Locked)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!((ran.outcome(&World::orphan(2)), world.store.count(Operation::DeleteBatch)), (Outcome::Locked, 1));
    assert!(!ran.report.is_success() && ran.report.stopped.is_none());
    assert!(world.registry.rows.lock().unwrap().contains_key(&key), "the row of a kept object stays");
}

#[tokio::test]
async fn row_49_a_journal_that_cannot_be_written_sends_nothing() {
    let world = World::with_orphans(5);
    let plan = world.plan().await;
    std::fs::write(world.runs(), "a file where the folder should be").unwrap();
    assert!(world.run(plan).await.is_err());
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
    assert_eq!(world.bucket.keys().len(), 35);
}

#[tokio::test]
async fn row_74_rows_that_cannot_be_removed_are_reported_and_nothing_is_deleted_twice() {
    let world = World::with_orphans(3);
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(0).as_str()), Some("proj_1".into()));
    *world.registry.broken_rows.lock().unwrap() = true;
    let ran = world.run(world.plan().await).await.unwrap();
    assert!(ran.report.rows.problem.as_ref().unwrap().contains("read-only"), "{:?}", ran.report.rows);
    assert_eq!(world.store.count(Operation::DeleteBatch), 1);
}

#[tokio::test]
async fn stopping_takes_effect_between_batches_and_accounts_for_every_key() {
    let mut world = World::with_orphans(500);
    (world.batch_keys, world.concurrency) = (10, 1);
    let plan = world.plan().await;
    let watch = |progress: &RunProgress, stop: &Stop| {
        if matches!(progress, RunProgress::Outcomes(_)) {
            stop.request();
        }
    };
    let ran = world.run_until(plan, &Stop::new(), watch).await.unwrap();
    let deleted = ran.report.outcomes.of(Outcome::Deleted);
    assert!(ran.report.cancelled && !ran.report.is_success());
    assert!((10..500).contains(&deleted), "{deleted}");
    assert_eq!(world.bucket.keys().len() as u64, 530 - deleted, "what is said to be deleted is what is gone");
}
