//! How many requests are under way at once.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload, UploadsPage,
    UploadsRequest,
};
use crate::domain::Key;

/// A store that has at most so many requests under way; the others wait their turn.
pub struct LimitStore {
    inner: SharedStore,
    turns: Semaphore,
}

impl LimitStore {
    /// At most `limit` requests at once, at least one.
    pub fn new(inner: SharedStore, limit: usize) -> Self {
        Self { inner, turns: Semaphore::new(limit.max(1)) }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.turns.acquire().await.map_err(|_| StoreError::new(ErrorKind::Other, "the store was closed"))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for LimitStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let _turn = self.turn().await?;
        self.inner.list(request).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let _turn = self.turn().await?;
        self.inner.head(key).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        let _turn = self.turn().await?;
        self.inner.get(key, range).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        let _turn = self.turn().await?;
        self.inner.delete_batch(targets).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let _turn = self.turn().await?;
        self.inner.delete(target).await
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        let _turn = self.turn().await?;
        self.inner.copy(request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        let _turn = self.turn().await?;
        self.inner.put(request).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        let _turn = self.turn().await?;
        self.inner.uploads(request).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        let _turn = self.turn().await?;
        self.inner.abort_upload(upload).await
    }
}

/// How many requests a job should have under way: one more after each round without complaint, half at every
/// throttling (additive increase, multiplicative decrease).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aimd {
    limit: usize,
    most: usize,
    /// Successes since the limit last changed.
    successes: usize,
}

impl Aimd {
    /// Starts with `start` requests and never asks for more than `most`; both at least one.
    pub fn new(start: usize, most: usize) -> Self {
        let most = most.max(1);
        Self { limit: start.clamp(1, most), most, successes: 0 }
    }

    /// How many requests should be under way now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A request was answered.
    pub fn on_success(&mut self) {
        self.successes += 1;
        if self.successes >= self.limit {
            self.successes = 0;
            self.limit = (self.limit + 1).min(self.most);
        }
    }

    /// The store asked for fewer requests.
    pub fn on_throttle(&mut self) {
        self.successes = 0;
        self.limit = (self.limit / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::join_all;
    use proptest::prelude::*;

    use super::*;
    use crate::store::faults::{Fault, FaultStore, Operation};
    use crate::store::memory::MemoryStore;

    #[test]
    fn row_01_throttling_halves_and_calm_adds_one() {
        let mut aimd = Aimd::new(8, 16);
        aimd.on_throttle();
        assert_eq!(aimd.limit(), 4);
        (0..4).for_each(|_| aimd.on_success());
        assert_eq!(aimd.limit(), 5);
        (0..4).for_each(|_| aimd.on_success());
        assert_eq!(aimd.limit(), 5);
        aimd.on_success();
        assert_eq!(aimd.limit(), 6);
        (0..1000).for_each(|_| aimd.on_success());
        assert_eq!(aimd.limit(), 16);
    }

    proptest! {
        #[test]
        fn the_limit_stays_between_one_and_most(start in 0_usize..40, most in 0_usize..40, calm: Vec<bool>) {
            let mut aimd = Aimd::new(start, most);
            for calm in calm {
                let before = aimd.limit();
                if calm { aimd.on_success() } else { aimd.on_throttle() }
                prop_assert!((1..=most.max(1)).contains(&aimd.limit()));
                prop_assert!(aimd.limit() <= before + 1);
            }
        }
    }

    #[tokio::test]
    async fn no_more_requests_are_under_way_than_permitted() {
        let faults = Arc::new(FaultStore::new(Arc::new(MemoryStore::new("b"))));
        let gate = Arc::new(Semaphore::new(0));
        faults.always(Operation::Head, Fault::Hold(Arc::clone(&gate)));
        let limited = LimitStore::new(faults.clone(), 3);
        let key = Key::from("a");
        let mut answers = join_all((0..20).map(|_| limited.head(&key)));
        assert!(futures::poll!(&mut answers).is_pending());
        assert_eq!(faults.calls().len(), 3);
        gate.add_permits(20);
        assert!(answers.await.into_iter().all(|answer| answer == Ok(None)));
        assert_eq!(faults.calls().len(), 20);
    }
}
