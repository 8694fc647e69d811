//! Listings that must not be believed.

use std::sync::Arc;

use bucketree::domain::Key;
use bucketree::domain::progress::Completeness;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, StoreError};

use crate::world::World;

/// A bucket of 2,530 objects is listed with one fault; what is expected of the listing: nothing wrong, or a reason.
async fn check(nth: usize, fault: Fault, expected: Option<&str>) {
    let world = World::with_orphans(2500);
    world.store.at(Operation::List, nth, fault);
    let (inventory, scan) = world.scan().await;
    match (&scan.completeness, expected) {
        (Completeness::Complete, None) => assert_eq!(inventory.len(), 2530),
        (Completeness::Incomplete(failure), Some(why)) => assert!(failure.why.contains(why), "{failure}"),
        (found, expected) => panic!("{found:?}, expected {expected:?}"),
    }
}

fn error(kind: ErrorKind) -> StoreError {
    StoreError::new(kind, "the page was lost")
}

#[tokio::test]
async fn a_whole_listing_is_complete() {
    check(99, Fault::Fail(error(ErrorKind::Timeout)), None).await;
}

#[tokio::test]
async fn row_20_a_page_that_fails_makes_the_listing_incomplete() {
    check(1, Fault::Fail(error(ErrorKind::Unreachable)), Some("the page was lost")).await;
}

#[tokio::test]
async fn row_21_the_same_token_twice_stops_the_listing() {
    let token = |page: &mut bucketree::store::ListPage| page.next = Some("same".into());
    let world = World::with_orphans(2500);
    world.store.always(Operation::List, Fault::ChangePage(Arc::new(token)));
    let (_, scan) = world.scan().await;
    assert!(matches!(scan.completeness, Completeness::Incomplete(_)), "{scan:?}");
    assert!(scan.requests < 10, "it must not go round and round: {}", scan.requests);
}

#[tokio::test]
async fn row_21_empty_pages_for_ever_are_given_up() {
    let world = World::with_orphans(10);
    let counter = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let empty = move |page: &mut bucketree::store::ListPage| {
        page.objects.clear();
        page.next = Some(format!("token {}", counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    };
    world.store.always(Operation::List, Fault::ChangePage(Arc::new(empty)));
    // The store in memory does not know these tokens; it refuses them, and the listing goes on from the last key.
    let (_, scan) = world.scan().await;
    assert!(matches!(scan.completeness, Completeness::Incomplete(_)), "{scan:?}");
    assert!(scan.requests < 500, "{}", scan.requests);
}

#[tokio::test]
async fn row_22_a_listing_that_ends_too_early_is_noticed() {
    let cut = |page: &mut bucketree::store::ListPage| {
        page.objects.truncate(500);
        page.next = None;
    };
    check(0, Fault::ChangePage(Arc::new(cut)), Some("there is more")).await;
}

#[tokio::test]
async fn row_23_keys_out_of_order_across_pages_are_noticed() {
    let back = |page: &mut bucketree::store::ListPage| page.objects[0].key = Key::from("a");
    check(1, Fault::ChangePage(Arc::new(back)), Some("out of order")).await;
}

#[tokio::test]
async fn row_24_an_expired_token_is_replaced_by_the_last_key() {
    check(1, Fault::Fail(error(ErrorKind::Invalid)), None).await;
}

#[tokio::test]
async fn an_incomplete_listing_makes_everything_undetermined_and_plans_refuse() {
    let world = World::with_orphans(2500);
    world.store.at(Operation::List, 1, Fault::Fail(error(ErrorKind::Timeout)));
    let plan = world.plan_of(|_, _| true).await;
    let refusals: Vec<&str> = plan.refusals().iter().map(|guard| guard.name.as_str()).collect();
    assert!(refusals.contains(&"listing complete"), "{refusals:?}");
    assert!(world.run(plan).await.is_err());
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}
