//! Objects that have to be seen for some days as what they are before they are planned.

use std::sync::Arc;

use bucketree::domain::{Key, Plan, Verdict};
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, StoreError};

use crate::world::World;

/// Three orphans, seen once, of which some days are to be waited.
async fn seen_once(days: u64) -> World {
    let mut world = World::with_orphans(3);
    world.observe_days = days;
    world.audit().await;
    world
}

fn days_pass(world: &World, days: i64) {
    world.bucket.set_now(world.bucket.now().plus_seconds(days * 86_400));
}

async fn all_orphans(world: &World) -> Plan {
    world.plan_of(|audit, index| audit.assessment.verdict(index) == Verdict::Orphaned).await
}

/// How many orphans are planned in bulk, and what the guard says of all of them.
async fn check(world: &World, in_bulk: usize, refusal: Option<&str>) {
    assert_eq!(world.plan().await.rows.len(), in_bulk);
    let plan = all_orphans(world).await;
    let guard = plan.header.guards.iter().find(|guard| guard.name == "seen twice").unwrap();
    assert_eq!(guard.passed, refusal.is_none(), "{guard:?}");
    assert!(guard.message.contains(refusal.unwrap_or("")), "{guard:?}");
    if refusal.is_some() {
        let before = world.bucket.keys();
        assert!(world.run(plan).await.is_err());
        assert_eq!(world.bucket.keys(), before);
    }
}

#[tokio::test]
async fn an_orphan_is_planned_only_after_the_days_that_are_asked_for() {
    let world = seen_once(3).await;
    check(&world, 0, Some("3 objects were not seen like this for 3 days")).await;
    days_pass(&world, 2);
    check(&world, 0, Some("3 objects")).await;
    days_pass(&world, 1);
    check(&world, 3, None).await;
    assert!(world.run(world.plan().await).await.unwrap().report.is_success());
    let world = seen_once(0).await;
    check(&world, 3, None).await;
}

#[tokio::test]
async fn an_object_that_was_written_anew_is_waited_for_again() {
    let world = seen_once(3).await;
    days_pass(&world, 2);
    world.put(&World::orphan(1), 7);
    days_pass(&world, 1);
    check(&world, 2, Some("1 objects were not seen like this")).await;
    days_pass(&world, 3);
    check(&world, 3, None).await;
}

#[tokio::test]
async fn what_came_alive_in_between_is_waited_for_again() {
    let world = seen_once(3).await;
    days_pass(&world, 2);
    world.registry.projects.lock().unwrap().push("proj_1".into());
    world.audit().await;
    world.registry.projects.lock().unwrap().retain(|id| id != "proj_1");
    days_pass(&world, 1);
    check(&world, 0, Some("3 objects")).await;
}

#[tokio::test]
async fn a_scan_or_a_registry_that_cannot_be_trusted_saw_nothing_and_forgets_nothing() {
    let world = seen_once(3).await;
    *world.registry.broken.lock().unwrap() = true;
    world.audit().await;
    *world.registry.broken.lock().unwrap() = false;
    world.store.always(Operation::List, Fault::Fail(StoreError::new(ErrorKind::Denied, "no")));
    world.audit().await;
    world.store.heal();
    days_pass(&world, 3);
    check(&world, 3, None).await;
    // A listing that hides an object breaks its sightings off: that only makes the wait longer.
    let hidden = Key::from(World::orphan(2).as_str());
    let hide = move |page: &mut bucketree::store::ListPage| page.objects.retain(|object| object.key != hidden);
    world.store.always(Operation::List, Fault::ChangePage(Arc::new(hide)));
    world.audit().await;
    world.store.heal();
    check(&world, 2, Some("1 objects")).await;
}

#[tokio::test]
async fn what_was_remembered_of_sightings_and_cannot_be_read_refuses() {
    let world = seen_once(3).await;
    days_pass(&world, 3);
    let folder = world.state().join("sightings");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let observed = bucketree::jobs::ground::Memory::in_directory(world.state(), world.runs());
    let observed = observed.observed(&bucketree::store::ObjectStore::identity(&*world.store).clone(), 3).unwrap();
    assert!(observed.sightings.unwrap_err().contains("it is torn or was edited"));
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing is overwritten");
}
