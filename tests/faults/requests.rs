//! What a run asked of the store is counted by kind, and read back with the run.

use bucketree::domain::requests::{Request, Requests};
use bucketree::jobs::execute::Ending;
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, FaultStore, Operation};
use bucketree::store::{ErrorKind, StoreError};

use crate::resuming::{cut, lines};
use crate::world::World;

const KINDS: [(Request, Operation); 6] = [
    (Request::List, Operation::List),
    (Request::Head, Operation::Head),
    (Request::Get, Operation::Get),
    (Request::Put, Operation::Put),
    (Request::Copy, Operation::Copy),
    (Request::DeleteMany, Operation::DeleteBatch),
];

/// What reached the store, by its own count.
fn arrived(store: &FaultStore) -> Vec<usize> {
    KINDS.iter().map(|(_, operation)| store.count(*operation)).collect()
}

fn counted(requests: &Requests) -> Vec<usize> {
    KINDS.iter().map(|(request, _)| requests.of(*request) as usize).collect()
}

fn remembered(world: &World, run: &str) -> Requests {
    runs::open(&world.runs(), run).unwrap().summary().unwrap().requests
}

#[tokio::test]
async fn a_run_says_how_much_it_asked_of_the_store_and_so_does_its_journal() {
    let mut world = World::with_orphans(30);
    (world.batch_keys, world.concurrency) = (10, 1);
    let plan = world.plan().await;
    let before = arrived(&world.store);
    world.store.at(Operation::DeleteBatch, 1, Fault::ApplyThenFail(StoreError::new(ErrorKind::Timeout, "late")));
    let ran = world.run(plan).await.unwrap();
    let asked: Vec<usize> = arrived(&world.store).iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(counted(&ran.report.requests), asked, "what was sent without an answer counts as well");
    assert_eq!(ran.report.requests.of(Request::DeleteMany), 3);
    assert!(ran.report.requests.of(Request::Head) >= 30, "each object was looked at before and after");
    assert_eq!(remembered(&world, &ran.report.run), ran.report.requests);
}

#[tokio::test]
async fn a_run_that_is_taken_up_again_counts_all_of_its_parts_that_ended() {
    let mut world = World::with_orphans(30);
    (world.batch_keys, world.concurrency) = (10, 1);
    let ran = world.run(world.plan().await).await.unwrap();
    let run = ran.report.run;
    cut(&world, &run, lines(&world, &run).len() - 1);
    assert_eq!(remembered(&world, &run).total(), 0, "a part without an end has no count");
    let resumed = world.resume(&run, Ending::GoOn).await.unwrap();
    assert!(resumed.report.requests.total() > 0, "what is gone was proved again");
    assert_eq!(remembered(&world, &run), resumed.report.requests);
}
