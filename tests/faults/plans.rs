//! Plans that must not be carried out.

use bucketree::domain::plan::{Caps, LIFETIME_SECONDS};
use bucketree::domain::{Flag, Key, Plan, Verdict};
use bucketree::jobs::execute::ExecuteError;
use bucketree::journal::plan_file;
use bucketree::store::faults::Operation;

use crate::world::World;

/// Runs the plan and expects a refusal that says `why`; nothing may have been sent.
async fn refused(world: &World, plan: Plan, why: &str) {
    match world.run(plan).await {
        Err(ExecuteError::Refused(refusal)) => assert!(refusal.0.contains(why), "{refusal}"),
        other => panic!("expected a refusal, got {:?}", other.map(|ran| ran.report)),
    }
    assert_eq!(world.store.count(Operation::DeleteBatch) + world.store.count(Operation::Delete), 0);
}

#[tokio::test]
async fn row_65_a_plan_for_another_bucket_is_refused() {
    let world = World::with_orphans(3);
    let mut plan = world.plan().await;
    plan.header.bucket = "other".into();
    refused(&world, plan, "it is for bucket \"other\", and this is bucket \"media\"").await;
}

#[tokio::test]
async fn row_65_a_plan_for_another_endpoint_is_refused() {
    let world = World::with_orphans(3);
    let mut plan = world.plan().await;
    plan.header.endpoint = "https://elsewhere".into();
    refused(&world, plan, "it is for endpoint \"https://elsewhere\"").await;
}

#[tokio::test]
async fn row_65_a_plan_made_under_other_layouts_is_refused() {
    let world = World::with_orphans(3);
    let mut plan = world.plan().await;
    plan.header.layouts = "0".repeat(64);
    refused(&world, plan, "made under other layouts").await;
}

#[tokio::test]
async fn row_65_an_expired_plan_is_refused() {
    let world = World::with_orphans(3);
    let plan = world.plan().await;
    world.bucket.set_now(world.bucket.now().plus_seconds(LIFETIME_SECONDS));
    refused(&world, plan, "it expired at").await;
}

#[tokio::test]
async fn row_65_a_plan_is_used_once() {
    let world = World::with_orphans(3);
    let plan = world.plan().await;
    let first = world.run(plan.clone()).await.unwrap();
    assert!(first.report.is_success());
    (0..3).for_each(|n| world.put(&World::orphan(n), 100));
    match world.run(plan).await {
        Err(ExecuteError::Refused(refusal)) => assert!(refusal.0.contains("it was used by run"), "{refusal}"),
        other => panic!("{:?}", other.map(|ran| ran.report)),
    }
    assert!(world.has(&World::orphan(0)), "a plan that was used must not delete what was written again");
}

#[tokio::test]
async fn row_65_an_edited_plan_cannot_even_be_read() {
    let world = World::with_orphans(3);
    let text = String::from_utf8(plan_file::write(&world.plan().await)).unwrap();
    let live = text.replacen("proj_1/", "proj_10/", 1);
    assert!(plan_file::parse(live.as_bytes()).unwrap_err().1.contains("the rows were edited"));
}

#[tokio::test]
async fn row_66_caps_exceeded_by_one_object_or_byte_delete_nothing() {
    for (caps, why) in [
        (Caps { objects: 2, bucket_share: 1.0, ..Caps::default() }, "more than the cap of 2"),
        (Caps { bytes: 299, bucket_share: 1.0, ..Caps::default() }, "more than the cap of 299"),
        (
            Caps { bucket_share: 3.0 / 33.0 - 0.0001, ..Caps::default() },
            "of the bucket's objects are more than the cap",
        ),
    ] {
        let mut world = World::with_orphans(3);
        world.caps = caps;
        let plan = world.plan().await;
        refused(&world, plan, why).await;
    }
    let mut world = World::with_orphans(3);
    world.caps = Caps { objects: 3, bytes: 300, bucket_share: 3.0 / 33.0, ..Caps::default() };
    let plan = world.plan().await;
    assert!(world.run(plan).await.unwrap().report.is_success(), "caps that are just met let it pass");
}

#[tokio::test]
async fn a_live_project_does_not_lose_most_of_its_objects() {
    let world = World::with_orphans(0);
    for n in 0..40 {
        world.put(&format!("projects/proj_10/scenes/t/media/{n:04}.mp4"), 1);
    }
    let plan = world.plan_of(|audit, index| audit.assessment.verdict(index) == Verdict::Untracked).await;
    assert_eq!(plan.rows.len(), 40);
    refused(&world, plan, "live project 10 would lose 57.1 % of its objects").await;
}

#[tokio::test]
async fn what_is_young_or_protected_is_not_planned_in_bulk_and_refused_if_named() {
    let mut world = World::with_orphans(2);
    world.bucket.put(&Key::from("projects/proj_1/scenes/s/media/new.mp4"), "new");
    world.put("projects/proj_1/scenes/keep/media/a.mp4", 5);
    world.policy.protected_prefixes = vec![b"projects/proj_1/scenes/keep/".to_vec()];
    assert_eq!(world.plan().await.rows.len(), 2);
    let plan = world.plan_of(|audit, index| audit.assessment.flags(index).has(Flag::Young)).await;
    assert_eq!(plan.rows.len(), 1);
    refused(&world, plan, "younger than the age guard").await;
    let plan = world.plan_of(|audit, index| audit.assessment.flags(index).has(Flag::Protected)).await;
    assert_eq!(plan.rows.len(), 1);
    refused(&world, plan, "protected by the configuration").await;
}

#[tokio::test]
async fn row_25_a_registry_that_is_down_or_empty_makes_no_orphans() {
    for empty in [false, true] {
        let world = World::with_orphans(3);
        match empty {
            true => world.registry.projects.lock().unwrap().clear(),
            false => *world.registry.broken.lock().unwrap() = true,
        }
        let (inventory, _, audit) = world.audit().await;
        for index in 0..inventory.len() {
            assert_eq!(audit.assessment.verdict(index), Verdict::Undetermined);
        }
        assert_eq!(world.plan().await.rows.len(), 0);
    }
}
