//! What a store is measured to do, and what a run makes of it.

use std::sync::Arc;

use async_trait::async_trait;
use bucketree::domain::capabilities::{Atomicity, Capability, Measured};
use bucketree::domain::via::Via;
use bucketree::domain::{Key, Outcome, Timestamp};
use bucketree::jobs::Clock;
use bucketree::jobs::probe::{Ways, probe, probe_ways};
use bucketree::store::faults::{Fault, FaultStore, Operation};
use bucketree::store::memory::MemoryStore;
use bucketree::store::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, HeadAnswer, ListPage, ListRequest,
    ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity,
};
use bytes::Bytes;

use crate::world::World;

/// A store that takes conditions of deletions, ignores them and says nothing of it, as many do.
struct Careless(Arc<MemoryStore>);

/// A store that ignores ETags, and heeds the time in the deletion of one key.
struct OnlyTime(Arc<MemoryStore>);

#[async_trait]
impl ObjectStore for OnlyTime {
    fn identity(&self) -> &StoreIdentity {
        self.0.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        self.0.list(request).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        self.0.head(key).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.0.get(key, range).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        self.0.delete_batch(&targets.iter().map(without).collect::<Vec<_>>()).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        self.0.delete(&DeleteTarget { etag: None, ..target.clone() }).await
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        self.0.copy(request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        ObjectStore::put(&*self.0, request).await
    }
}

fn without(target: &DeleteTarget) -> DeleteTarget {
    DeleteTarget::of(target.key.clone())
}

#[async_trait]
impl ObjectStore for Careless {
    fn identity(&self) -> &StoreIdentity {
        self.0.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        self.0.list(request).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        self.0.head(key).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.0.get(key, range).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        self.0.delete_batch(&targets.iter().map(without).collect::<Vec<_>>()).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        self.0.delete(&without(target)).await
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        self.0.copy(request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        ObjectStore::put(&*self.0, request).await
    }
}

/// Measures the store, which must hold afterwards what it held before.
async fn measured(bucket: &MemoryStore, store: &dyn ObjectStore) -> Measured {
    bucket.put(&Key::from("precious"), "not ours");
    measured_in(bucket, &Ways { usual: store, http_time: None, crc32: None, quiet: None }).await
}

/// As [`measured`], in every way that there is.
async fn measured_in(bucket: &MemoryStore, ways: &Ways<&dyn ObjectStore>) -> Measured {
    let before = bucket.keys();
    let now = bucket.now();
    let (measured, leftover) = probe_ways(ways, &Clock::from_fn(move || now)).await;
    assert_eq!(leftover, None);
    assert_eq!(bucket.keys(), before, "a canary was left behind, or something else was touched");
    measured
}

fn check(measured: &Measured, expected: &[(Capability, Option<bool>)]) {
    for (capability, holds) in expected {
        assert_eq!(measured.holds(*capability), *holds, "{capability}: {measured:#?}");
    }
}

#[tokio::test]
async fn a_store_that_honours_conditions_is_found_atomic() {
    let bucket = MemoryStore::new("media");
    let way: &dyn ObjectStore = &bucket;
    let ways = Ways { usual: way, http_time: Some(way), crc32: Some(way), quiet: Some(way) };
    let found = measured_in(&bucket, &ways).await;
    let all = Capability::ALL.into_iter().map(|capability| {
        let holds = !matches!(capability, Capability::NamesMissing | Capability::FoldsNfc | Capability::Quiet);
        (capability, Some(holds))
    });
    check(&found, &all.collect::<Vec<_>>());
    assert_eq!(Atomicity::of(Some(&found), Via::Batch, found.at), Atomicity::Proved { at: found.at });
    let bucket = MemoryStore::new("media").folding_nfc().reporting_missing();
    check(
        &measured(&bucket, &bucket).await,
        &[(Capability::NamesMissing, Some(true)), (Capability::FoldsNfc, Some(true))],
    );
}

#[tokio::test]
async fn row_44_a_store_that_ignores_conditions_is_found_out() {
    let bucket = Arc::new(MemoryStore::new("media"));
    let found = measured(&bucket, &Careless(Arc::clone(&bucket))).await;
    let not = [Capability::DeleteIfMatch, Capability::DeleteManyIfMatch, Capability::DeleteIfTime];
    let not = not.map(|capability| (capability, Some(false)));
    check(&found, &not);
    let deletes = Atomicity::of(Some(&found), Via::Batch, found.at);
    assert_eq!(deletes, Atomicity::Disproved { at: found.at });
    assert!(deletes.to_string().starts_with("not atomic: HEAD, then DELETE"), "{deletes}");
}

/// A store that heeds only the time in a deletion of one key, as R2 documents it, and takes only some checksums.
#[tokio::test]
async fn a_store_that_heeds_only_the_time_is_atomic_one_by_one() {
    let bucket = Arc::new(MemoryStore::new("media"));
    let by_time = OnlyTime(Arc::clone(&bucket));
    let found = measured(&bucket, &by_time).await;
    check(
        &found,
        &[
            (Capability::DeleteIfMatch, Some(false)),
            (Capability::DeleteIfTime, Some(true)),
            (Capability::DeleteManyIfMatch, Some(false)),
        ],
    );
    assert_eq!(Atomicity::of(Some(&found), Via::Single, found.at), Atomicity::Proved { at: found.at });
    let in_batches = Atomicity::of(Some(&found), Via::Batch, found.at);
    assert_eq!(in_batches, Atomicity::ProvedAlone { at: found.at });
    assert!(in_batches.to_string().contains("--via single"), "{in_batches}");
}

#[tokio::test]
async fn row_46_the_checksum_that_the_store_takes_is_found_and_measured_with() {
    let bucket = Arc::new(MemoryStore::new("media"));
    let picky = FaultStore::new(Arc::clone(&bucket) as SharedStore);
    let refusal = StoreError::new(ErrorKind::Invalid, "MissingContentMD5");
    picky.always(Operation::DeleteBatch, Fault::Fail(refusal));
    let way = |usual, other| Ways { usual, http_time: None, crc32: Some(other), quiet: None };
    let found = measured_in(&bucket, &way(&picky as &dyn ObjectStore, &*bucket)).await;
    check(
        &found,
        &[
            (Capability::DeleteMany, Some(false)),
            (Capability::DeleteManyCrc32, Some(true)),
            (Capability::DeleteManyIfMatch, Some(true)),
        ],
    );
    assert_eq!(Atomicity::of(Some(&found), Via::Batch, found.at), Atomicity::Proved { at: found.at });
    let found = measured_in(&bucket, &way(&*bucket as &dyn ObjectStore, &picky)).await;
    check(&found, &[(Capability::DeleteMany, Some(true)), (Capability::DeleteManyCrc32, Some(false))]);
}

#[tokio::test]
async fn row_18_a_store_that_heeds_the_wish_for_a_quiet_answer_is_known() {
    let bucket = Arc::new(MemoryStore::new("media"));
    let quiet = FaultStore::new(Arc::clone(&bucket) as SharedStore);
    quiet.always(Operation::DeleteBatch, Fault::Alarm("said nothing".into()));
    let usual: &dyn ObjectStore = &*bucket;
    let ways = Ways { usual, http_time: None, crc32: None, quiet: Some(&quiet as &dyn ObjectStore) };
    check(&measured_in(&bucket, &ways).await, &[(Capability::Quiet, Some(true))]);
}

#[tokio::test]
async fn what_is_forbidden_is_not_taken_for_something_else() {
    let denied = || Fault::Fail(StoreError::new(ErrorKind::Denied, "AccessDenied"));
    let failing = |operation| {
        let bucket = Arc::new(MemoryStore::new("media"));
        let store = FaultStore::new(Arc::clone(&bucket) as SharedStore);
        store.always(operation, denied());
        (bucket, store)
    };
    let (bucket, store) = failing(Operation::Put);
    check(
        &measured(&bucket, &store).await,
        &[(Capability::Put, Some(false)), (Capability::List, Some(true)), (Capability::DeleteIfMatch, None)],
    );
    assert_eq!(store.count(Operation::Delete) + store.count(Operation::DeleteBatch), 0);
    let (bucket, store) = failing(Operation::Head);
    let found = measured(&bucket, &store).await;
    check(&found, &[(Capability::Head, Some(false)), (Capability::DeleteIfMatch, None)]);
    assert_eq!(Atomicity::of(Some(&found), Via::Batch, found.at), Atomicity::Unmeasured);
    let (bucket, store) = failing(Operation::DeleteBatch);
    check(
        &measured(&bucket, &store).await,
        &[(Capability::DeleteMany, Some(false)), (Capability::DeleteIfMatch, Some(true))],
    );
}

#[tokio::test]
async fn a_canary_that_cannot_be_removed_is_named_and_no_second_one_is_written() {
    let bucket = Arc::new(MemoryStore::new("media"));
    let store = FaultStore::new(Arc::clone(&bucket) as SharedStore);
    store.always(Operation::Delete, Fault::Fail(StoreError::new(ErrorKind::Denied, "AccessDenied")));
    let now = bucket.now();
    let (found, leftover) = probe(&store, &Clock::from_fn(move || now)).await;
    check(&found, &[(Capability::Delete, Some(false)), (Capability::DeleteMany, None)]);
    let keys = bucket.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let leftover = leftover.unwrap();
    assert!(keys[0].as_bytes().starts_with(leftover.prefix.as_bytes()));
    assert!(leftover.to_string().starts_with(".bucketree/canary/"), "{leftover}");
}

#[tokio::test]
async fn row_38_clocks_that_disagree_are_noticed() {
    let bucket = MemoryStore::new("media");
    let skewed = |seconds: i64| {
        let now = bucket.now().plus_seconds(seconds);
        Clock::from_fn(move || now)
    };
    for (seconds, agrees) in [(0, true), (60, true), (-60, true), (61, false), (-1200, false)] {
        let (found, _) = probe(&bucket, &skewed(seconds)).await;
        check(&found, &[(Capability::Clock, Some(agrees))]);
    }
}

/// A run during which somebody overwrites an object after the last look and before the deletion arrives.
async fn overwritten_in_the_gap(deletes: Atomicity) -> (Outcome, bool) {
    let mut world = World::with_orphans(3);
    world.deletes = deletes;
    let plan = world.plan().await;
    let bucket = Arc::clone(&world.bucket);
    let overwrite = move || drop(bucket.put(&Key::from(World::orphan(1).as_str()), "somebody needs this"));
    world.store.at(Operation::DeleteBatch, 0, Fault::Before(Arc::new(overwrite)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(0)), Outcome::Deleted);
    (ran.outcome(&World::orphan(1)), world.has(&World::orphan(1)))
}

#[tokio::test]
async fn row_45_with_conditions_an_object_that_changes_in_the_last_moment_is_kept() {
    let proved = Atomicity::Proved { at: Timestamp(0) };
    assert_eq!(overwritten_in_the_gap(proved).await, (Outcome::SkippedChanged, true));
    // Without them the window between look and deletion stays, which is why the plan says so.
    assert_eq!(overwritten_in_the_gap(Atomicity::Unmeasured).await, (Outcome::Deleted, false));
}

#[tokio::test]
async fn row_45_a_conflict_is_tried_again_after_a_look_and_what_went_meanwhile_is_absent() {
    let mut world = World::with_orphans(3);
    world.deletes = Atomicity::Proved { at: Timestamp(0) };
    let plan = world.plan().await;
    let conflict = StoreError::new(ErrorKind::Unavailable, "409 ConditionalRequestConflict");
    world.store.at(Operation::DeleteBatch, 0, Fault::Refuse(Key::from(World::orphan(0).as_str()), conflict));
    let bucket = Arc::clone(&world.bucket);
    let remove = move || assert!(bucket.remove(&Key::from(World::orphan(1).as_str())));
    world.store.at(Operation::DeleteBatch, 0, Fault::Before(Arc::new(remove)));
    let ran = world.run(plan).await.unwrap();
    let outcome = |n| ran.outcome(&World::orphan(n));
    assert_eq!([outcome(0), outcome(1), outcome(2)], [Outcome::Deleted, Outcome::AbsentBefore, Outcome::Deleted]);
    assert_eq!(world.store.count(Operation::DeleteBatch), 2);
}

#[tokio::test]
async fn a_plan_says_whether_deletions_are_atomic() {
    let mut world = World::with_orphans(1);
    assert_eq!(world.plan().await.header.deletes, Atomicity::Unmeasured);
    world.deletes = Atomicity::Proved { at: Timestamp(1_000) };
    let plan = world.plan().await;
    let read = bucketree::journal::plan_file::parse(&bucketree::journal::plan_file::write(&plan)).unwrap();
    assert_eq!(read.header.deletes, world.deletes);
}
