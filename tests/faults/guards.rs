//! What the guards make of a world that is not what it was, or not the one that is meant.

use std::sync::Arc;

use bucketree::domain::guards::canary::Canary;
use bucketree::domain::{Key, Plan, ProjectId, Verdict};
use bucketree::jobs::execute::ExecuteError;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, StoreError};

use crate::world::World;

/// Whether the plan may be carried out; if not, a guard of this name says so and this, and nothing is sent.
async fn check(world: &World, plan: Plan, refusal: Option<(&str, &str)>) {
    let Some((name, says)) = refusal else {
        assert_eq!(plan.refusals(), Vec::<&_>::new());
        return;
    };
    let guard = plan.refusals().into_iter().find(|guard| guard.name == name).unwrap().clone();
    assert!(guard.message.contains(says), "{name} should say {says:?}, and said {:?}", guard.message);
    let before = world.bucket.keys();
    assert!(matches!(world.run(plan).await, Err(ExecuteError::Refused(_))));
    assert_eq!(world.bucket.keys(), before);
}

fn live_key(n: usize) -> Key {
    Key::from(format!("projects/proj_10/scenes/s/media/{n:04}.mp4").as_str())
}

fn id(world: &World, text: &str) -> ProjectId {
    world.ids().canonical(text.as_bytes()).unwrap().project
}

#[tokio::test]
async fn row_22_a_bucket_that_shrank_since_the_last_scan_is_not_cleaned() {
    let mut world = World::with_orphans(20);
    check(&world, world.plan().await, None).await;
    (0..10).for_each(|n| assert!(world.bucket.remove(&Key::from(World::orphan(n).as_str()))));
    check(&world, world.plan().await, None).await;
    (10..19).for_each(|n| assert!(world.bucket.remove(&Key::from(World::orphan(n).as_str()))));
    let says = "31 objects, and 40 were expected";
    check(&world, world.plan().await, Some(("listing not shrunken", says))).await;
    check(&world, world.plan().await, Some(("listing not shrunken", "22.5 % fewer"))).await;
    world.accepts_shrink = true;
    let accepted = world.plan().await;
    let said = accepted.header.guards.iter().find(|guard| guard.name == "listing not shrunken").unwrap();
    assert!(said.message.ends_with("accepted by --accept-shrink"), "{said:?}");
    check(&world, accepted, None).await;
    world.accepts_shrink = false;
    check(&world, world.plan().await, None).await;
}

#[tokio::test]
async fn what_a_run_deleted_itself_is_no_shrinking() {
    let world = World::with_orphans(60);
    let first = world.plan_of(|audit, index| audit.assessment.verdict(index) == Verdict::Orphaned && index < 40).await;
    assert_eq!(first.rows.len(), 40);
    assert!(world.run(first).await.unwrap().report.is_success());
    check(&world, world.plan().await, None).await;
}

#[tokio::test]
async fn what_was_remembered_and_cannot_be_read_refuses() {
    let world = World::with_orphans(3);
    std::fs::write(world.state().join("scans-seen.json"), "{").unwrap();
    check(&world, world.plan().await, Some(("listing not shrunken", "scans-seen.json"))).await;
}

#[tokio::test]
async fn row_26_a_registry_that_lags_behind_misses_the_canary_and_makes_no_orphans() {
    let mut world = World::with_orphans(3);
    world.policy.canary = Canary { project: Some(id(&world, "proj_10")), key: Some(live_key(0)) };
    check(&world, world.plan().await, None).await;

    world.registry.projects.lock().unwrap().clear();
    world.registry.projects.lock().unwrap().push("proj_11".into());
    let plan = world.plan_of(|_, index| index < 3).await;
    assert!(plan.rows.iter().all(|row| row.verdict == Verdict::Undetermined));
    check(&world, plan, Some(("canary alive", "canary project 10 is not live"))).await;
}

#[tokio::test]
async fn a_canary_key_that_is_not_listed_or_not_tracked_makes_no_orphans() {
    for (remove_object, says) in [(true, "is not in the listing"), (false, "is not alive in the registry")] {
        let mut world = World::with_orphans(3);
        world.policy.canary.key = Some(live_key(7));
        match remove_object {
            true => assert!(world.bucket.remove(&live_key(7))),
            false => assert!(world.registry.rows.lock().unwrap().remove(&live_key(7)).is_some()),
        }
        let plan = world.plan_of(|_, index| index < 3).await;
        assert!(plan.rows.iter().all(|row| row.verdict == Verdict::Undetermined));
        check(&world, plan, Some(("canary alive", says))).await;
    }
}

#[tokio::test]
async fn row_42_an_empty_bucket_beside_a_full_registry_hints_at_the_jurisdiction() {
    let world = World::with_orphans(0);
    world.bucket.clear();
    check(&world, world.plan().await, Some(("tracked keys present", "jurisdiction"))).await;
}

#[tokio::test]
async fn tracked_keys_that_a_listing_hides_refuse_and_those_that_are_gone_do_not() {
    let hide = |count: usize| {
        let hidden: Vec<Key> = (0..count).map(live_key).collect();
        Fault::ChangePage(Arc::new(move |page| page.objects.retain(|object| !hidden.contains(&object.key))))
    };
    let world = World::with_orphans(3);
    world.store.always(Operation::List, hide(9));
    check(&world, world.plan().await, None).await;
    assert_eq!(world.store.count(Operation::Head), 0, "nobody asks as long as nobody wants to know");
    let world = World::with_orphans(3);
    world.store.always(Operation::List, hide(10));
    check(&world, world.plan().await, Some(("tracked keys present", "HEAD found 10 of 10 there"))).await;

    let remove = |world: &World, count: usize| (0..count).for_each(|n| assert!(world.bucket.remove(&live_key(n))));
    let world = World::with_orphans(3);
    remove(&world, 15);
    check(&world, world.plan().await, None).await;
    assert!(world.bucket.remove(&live_key(15)));
    check(&world, world.plan().await, Some(("tracked keys present", "may not belong together"))).await;

    let world = World::with_orphans(3);
    remove(&world, 12);
    world.store.always(Operation::Head, Fault::Fail(StoreError::new(ErrorKind::Denied, "no")));
    check(&world, world.plan().await, Some(("tracked keys present", "could not prove 12"))).await;
}

#[tokio::test]
async fn row_66_a_project_more_than_the_cap_deletes_nothing() {
    let mut world = World::with_orphans(1);
    world.put("projects/proj_2/scenes/s/media/a.mp4", 1);
    world.caps.projects = 2;
    check(&world, world.plan().await, None).await;
    world.caps.projects = 1;
    check(&world, world.plan().await, Some(("project cap", "2 projects are more than the cap of 1"))).await;
}

#[tokio::test]
async fn row_65_a_plan_made_with_another_registry_or_version_is_refused() {
    for (says, change) in [
        ("from the registry \"other\"", (|plan| plan.header.sources[0].name = "other".into()) as fn(&mut Plan)),
        ("made by version 0.0.0", |plan| plan.header.tool = "0.0.0".into()),
    ] {
        let world = World::with_orphans(3);
        let mut plan = world.plan().await;
        change(&mut plan);
        match world.run(plan).await {
            Err(ExecuteError::Refused(refusal)) => assert!(refusal.0.contains(says), "{refusal}"),
            other => panic!("expected a refusal, got {:?}", other.map(|ran| ran.report)),
        }
    }
}
