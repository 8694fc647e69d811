//! Two runs on one bucket, machines that sleep, and runs that are slow.

use std::sync::Arc;

use bucketree::domain::capabilities::Locking;
use bucketree::domain::lock::{LOCK, STALE_SECONDS};
use bucketree::domain::plan::{LIFETIME_SECONDS, PlanKind};
use bucketree::domain::progress::{LogLevel, RunProgress};
use bucketree::domain::{Key, Outcome, Plan, Timestamp};
use bucketree::jobs::execute::{Ending, ExecuteError};
use bucketree::jobs::{Clock, Stop};
use bucketree::journal::lock::Owner;
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, StoreError};
use tokio::sync::Semaphore;

use crate::world::{Ran, World};

const PROVED: Locking = Locking::Proved { at: Timestamp(0) };

/// A bucket with orphans, deleted one a request, whose store can keep a lock; time passes as the bucket's clock says.
fn world(orphans: usize) -> World {
    let mut world = World::with_orphans(orphans);
    let bucket = Arc::clone(&world.bucket);
    world.clock = Some(Clock::from_fn(move || bucket.now()));
    (world.locking, world.concurrency, world.batch_keys) = (PROVED, 1, 1);
    world
}

/// Lets the time pass on both machines.
fn pass(world: &World, seconds: i64) -> Fault {
    let bucket = Arc::clone(&world.bucket);
    Fault::Before(Arc::new(move || bucket.set_now(bucket.now().plus_seconds(seconds))))
}

/// The lock of another machine's run, written now.
fn foreign_lock(world: &World) -> Owner {
    let owner = Owner { host: "elsewhere".into(), ..Owner::this("0193-other", "2026-11-21T10:00:00Z".into()) };
    world.bucket.put(&Key::from(LOCK), owner.to_json());
    owner
}

fn own_objects(world: &World) -> Vec<Key> {
    world.bucket.keys().into_iter().filter(|key| key.as_bytes().starts_with(b".bucketree/")).collect()
}

/// What the run says when it is refused; nothing is deleted then.
async fn refused(world: &World, plan: Plan) -> String {
    match world.run(plan).await {
        Err(ExecuteError::Refused(refusal)) => {
            assert_eq!(world.store.count(Operation::DeleteBatch), 0);
            refusal.0
        }
        other => panic!("expected a refusal, got {:?}", other.map(|ran| ran.report)),
    }
}

#[tokio::test]
async fn row_51_a_lock_of_another_machine_refuses_and_names_its_owner() {
    let mut world = world(3);
    let plan = world.plan().await;
    let owner = foreign_lock(&world);
    for (silent, named, says) in [
        (0, None, "it counts as alive"),
        (0, Some("0193-other"), "it counts as alive"),
        (STALE_SECONDS - 1, Some("0193-other"), "it counts as alive"),
        (STALE_SECONDS, None, "--take-over-lock 0193-other takes its lock"),
        (STALE_SECONDS, Some("0193"), "--take-over-lock 0193-other takes its lock"),
    ] {
        world.bucket.set_now(Timestamp(1_795_255_200_000).plus_seconds(silent));
        world.take_over = named.map(str::to_owned);
        let said = refused(&world, plan.clone()).await;
        assert!(said.contains(&owner.to_string()) && said.contains("on elsewhere"), "{said}");
        assert!(said.contains(&format!("last sign of life {silent} s ago")) && said.contains(says), "{said}");
        assert!(world.has(LOCK), "a lock that was refused was removed");
    }
    world.take_over = Some("0193-other".into());
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(own_objects(&world), Vec::<Key>::new(), "the lock was left behind");
}

#[tokio::test]
async fn row_51_signs_of_life_count_and_a_lock_that_nobody_can_read_is_somebodys() {
    let mut world = world(1);
    let plan = world.plan().await;
    foreign_lock(&world);
    world.bucket.set_now(world.bucket.now().plus_seconds(STALE_SECONDS));
    world.bucket.put(&Key::from(".bucketree/lock/0193-other/8"), "{}");
    world.take_over = Some("0193-other".into());
    assert!(refused(&world, plan.clone()).await.contains("last sign of life 0 s ago"));
    world.bucket.put(&Key::from(LOCK), "not ours");
    assert!(refused(&world, plan.clone()).await.contains("its owner cannot be read"));
    world.bucket.set_now(world.bucket.now().plus_seconds(STALE_SECONDS));
    world.take_over = Some("unreadable".into());
    assert!(world.run(plan).await.unwrap().report.is_success());
}

#[tokio::test]
async fn row_52_of_two_machines_that_race_one_has_the_lock() {
    let one = world(3);
    let other = one.another_machine();
    let (plan, others_plan) = (one.plan().await, other.plan().await);
    // The first one has the lock and waits with its first request until the second one was told so.
    let gate = Arc::new(Semaphore::new(0));
    one.store.at(Operation::DeleteBatch, 0, Fault::Hold(Arc::clone(&gate)));
    let second = async {
        while !other.has(LOCK) {
            tokio::task::yield_now().await;
        }
        let said = other.run(others_plan).await;
        gate.add_permits(1);
        said
    };
    let (first, second) = tokio::join!(one.run(plan), second);
    assert!(first.unwrap().report.is_success());
    assert!(matches!(second, Err(ExecuteError::Refused(refusal)) if refusal.0.contains("the bucket is locked by run")));
    assert_eq!(own_objects(&one), Vec::<Key>::new());
}

#[tokio::test]
async fn row_52_a_lock_that_was_written_although_the_answer_was_lost_is_ones_own() {
    let lost = StoreError::new(ErrorKind::Timeout, "no answer");
    for fault in [Fault::ApplyThenFail(lost.clone()), Fault::Fail(lost.clone())] {
        let world = world(2);
        let plan = world.plan().await;
        world.store.at(Operation::Put, 0, fault);
        assert!(world.run(plan).await.unwrap().report.is_success());
        assert_eq!(own_objects(&world), Vec::<Key>::new());
    }
    let world = world(2);
    let plan = world.plan().await;
    world.store.always(Operation::Put, Fault::Fail(lost));
    assert!(matches!(world.run(plan).await, Err(ExecuteError::Failed(failure)) if failure.why == "no answer"));
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn what_a_run_of_this_machine_left_when_it_died_is_no_lock() {
    let world = world(3);
    let plan = world.plan().await;
    let stop = Stop::new();
    let asked = stop.clone();
    world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(move || asked.request())));
    let first = world.run_until(plan, &stop, |_, _| {}).await.unwrap();
    assert_eq!(first.report.outcomes.of(Outcome::Failed), 2, "two were not asked for");
    // As if it had been killed with the lock in its hands: alive a moment ago.
    let dead = Owner::this(&first.report.run, "2026-11-21T10:00:00Z".into());
    world.bucket.put(&Key::from(LOCK), dead.to_json());
    let resumed = world.resume(&first.report.run, Ending::GoOn).await.unwrap();
    assert!(resumed.report.is_success(), "{:?}", resumed.report);
    world.bucket.put(&Key::from(LOCK), dead.to_json());
    world.put(&World::orphan(0), 100);
    assert!(world.run(world.plan().await).await.unwrap().report.is_success());
    assert_eq!(own_objects(&world), Vec::<Key>::new());
}

#[tokio::test]
async fn a_run_ends_that_lost_its_lock_and_leaves_the_new_one_alone() {
    for kind in [PlanKind::Delete, PlanKind::Trash] {
        let mut world = world(5);
        world.kind = kind;
        let plan = world.plan().await;
        let bucket = Arc::clone(&world.bucket);
        let taken = Owner { host: "elsewhere".into(), ..Owner::this("0193-other", "now".into()) };
        let take = Fault::Before(Arc::new(move || drop(bucket.put(&Key::from(LOCK), taken.to_json()))));
        world.store.at(Operation::DeleteBatch, 1, take);
        let ran = world.run(plan).await.unwrap();
        let why = ran.report.stopped.clone().unwrap().why;
        assert!(why.contains("was taken over by run 0193-other"), "{why}");
        let done = (0..5).filter(|n| !world.has(&World::orphan(*n))).count();
        assert_eq!(done, 2, "nothing is sent after the lock was lost, and what was sent is done");
        assert_eq!(ran.report.outcomes.of(Outcome::Failed), 3);
        assert!(world.has(LOCK), "it was somebody else's");
        assert!(!runs::history(&world.runs(), "", "", "").unwrap().unfinished.contains(&ran.report.run));
    }
}

#[tokio::test]
async fn a_lock_that_somebody_removed_ends_the_run() {
    let world = world(4);
    let plan = world.plan().await;
    let bucket = Arc::clone(&world.bucket);
    let remove = Fault::Before(Arc::new(move || assert!(bucket.remove(&Key::from(LOCK)))));
    world.store.at(Operation::DeleteBatch, 0, remove);
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.stopped.unwrap().why.contains("is gone"));
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 1);
}

#[tokio::test]
async fn without_a_proof_there_is_only_the_lock_of_this_machine_and_the_run_says_so() {
    for (locking, says) in [
        (Locking::Unmeasured, "If-None-Match is not measured"),
        (Locking::Disproved { at: Timestamp(0) }, "the store ignores If-None-Match"),
    ] {
        let mut world = world(2);
        world.locking = locking;
        let plan = world.plan().await;
        let guard = plan.header.guards.iter().find(|guard| guard.name == "lock in the bucket").unwrap();
        assert!(guard.passed && guard.message.contains(says), "{guard:?}");
        let (mut warned, stop) = (false, Stop::new());
        let ran = world.run_until(plan, &stop, |progress, _| {
            warned |= matches!(progress, RunProgress::Log(line)
                if line.level == LogLevel::Warning && line.text.contains("only runs on this machine are kept out"));
        });
        assert!(ran.await.unwrap().report.is_success());
        assert!(warned);
        assert_eq!(world.store.count(Operation::Put), 0);
    }
}

#[tokio::test]
async fn a_slow_run_is_not_cut_off_when_its_plans_hour_is_over() {
    let world = world(60);
    let plan = world.plan().await;
    let began = world.bucket.now();
    world.store.always(Operation::DeleteBatch, pass(&world, STALE_SECONDS));
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert!(world.bucket.now().seconds_since(began) > 2 * LIFETIME_SECONDS);
}

/// A run of ten orphans whose machine sleeps when the third request is on its way.
async fn slept(seconds: i64) -> (World, Ran) {
    let world = world(10);
    let plan = world.plan().await;
    world.store.at(Operation::DeleteBatch, 2, pass(&world, seconds));
    let ran = world.run(plan).await.unwrap();
    (world, ran)
}

#[tokio::test]
async fn row_55_a_run_that_slept_beyond_its_plans_hour_stops_before_the_next_batch() {
    let (world, ran) = slept(2 * 3600).await;
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 3, "what was on its way is finished");
    let why = ran.report.stopped.clone().unwrap().to_string();
    assert!(why.contains("it stood still for more than 600 s, and its plan expired at"), "{why}");
    assert!(ran.ends[&World::orphan(9)].1.as_deref().unwrap().starts_with("not attempted: it stood still"));
    assert_eq!(world.store.count(Operation::DeleteBatch), 3);
    assert_eq!(own_objects(&world), Vec::<Key>::new());
    let (_, ran) = slept(LIFETIME_SECONDS - 1).await;
    assert!(ran.report.is_success(), "the plan still holds: {:?}", ran.report);
}

#[tokio::test]
async fn row_55_a_machine_that_slept_finds_its_lock_taken_over() {
    let world = world(10);
    let plan = world.plan().await;
    let other = Owner { host: "elsewhere".into(), ..Owner::this("0193-other", "now".into()) };
    let bucket = Arc::clone(&world.bucket);
    let sleep = move || {
        bucket.set_now(bucket.now().plus_seconds(1200));
        bucket.put(&Key::from(LOCK), other.to_json());
    };
    world.store.at(Operation::DeleteBatch, 2, Fault::Before(Arc::new(sleep)));
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.stopped.unwrap().why.contains("was taken over by run 0193-other"));
    assert_eq!((ran.report.outcomes.of(Outcome::Deleted), world.has(LOCK)), (3, true));
}

#[tokio::test]
async fn row_55_what_was_looked_at_before_a_sleep_is_looked_at_again() {
    let world = world(1);
    let plan = world.plan().await;
    let bucket = Arc::clone(&world.bucket);
    let orphan = Key::from(World::orphan(0).as_str());
    // The machine falls asleep right after its look at the object, and somebody writes the object anew.
    let sleep = move || {
        if bucket.now() < Timestamp(1_795_255_200_000).plus_seconds(1200) {
            bucket.set_now(bucket.now().plus_seconds(1200));
            bucket.put(&orphan, "needed again");
        }
    };
    let heads = world.store.count(Operation::Head);
    world.store.at(Operation::Head, heads, Fault::After(Arc::new(sleep)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(0)), Outcome::SkippedChanged);
    assert!(world.has(&World::orphan(0)));
}
