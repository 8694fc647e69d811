//! How many requests are under way at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, FoldersPage, HeadAnswer,
    ListPage, ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload,
    UploadsPage, UploadsRequest,
};
use crate::domain::Key;

/// A store that has at most so many requests under way; the others wait their turn. When the store asks for fewer, there
/// are half as many, and slowly more again.
pub struct LimitStore {
    inner: SharedStore,
    turns: Semaphore,
    pace: Mutex<Pace>,
}

struct Pace {
    aimd: Aimd,
    /// Turns that are to vanish when they are given back.
    surplus: usize,
    /// How often the store has asked for fewer: requests that were under way when it did all say the same.
    throttlings: u64,
}

/// One request's turn.
struct Turn<'a> {
    store: &'a LimitStore,
    permit: Option<SemaphorePermit<'a>>,
    /// The throttlings when it began.
    throttlings: u64,
}

impl LimitStore {
    /// At most `limit` requests at once, at least one.
    pub fn new(inner: SharedStore, limit: usize) -> Self {
        let limit = limit.max(1);
        let pace = Pace { aimd: Aimd::new(limit, limit), surplus: 0, throttlings: 0 };
        Self { inner, turns: Semaphore::new(limit), pace: Mutex::new(pace) }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Every change leaves a whole value behind.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        let closed = |_| StoreError::new(ErrorKind::Other, "the store was closed");
        let permit = self.turns.acquire().await.map_err(closed)?;
        Ok(Turn { store: self, permit: Some(permit), throttlings: self.pace().throttlings })
    }
}

impl Turn<'_> {
    /// The request was answered: more or fewer of them from now on.
    fn answered<T>(self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let mut pace = self.store.pace();
        let before = pace.aimd.limit();
        match &answer {
            Err(error) if error.kind == ErrorKind::Throttled => {
                if pace.throttlings == self.throttlings {
                    pace.throttlings += 1;
                    pace.aimd.on_throttle();
                    let fewer = before - pace.aimd.limit();
                    pace.surplus += fewer - self.store.turns.forget_permits(fewer);
                }
            }
            _ => {
                pace.aimd.on_success();
                let more = pace.aimd.limit() - before;
                let kept = more.min(pace.surplus);
                pace.surplus -= kept;
                self.store.turns.add_permits(more - kept);
            }
        }
        drop(pace);
        answer
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut pace = self.store.pace();
        if pace.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            pace.surplus -= 1;
            permit.forget();
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for LimitStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.list(request).await)
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.head(key).await)
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.get(key, range).await)
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.delete_batch(targets).await)
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.delete(target).await)
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.copy(request).await)
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.put(request).await)
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.lifecycle().await)
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        let turn = self.turn().await?;
        turn.answered(self.inner.set_lifecycle(rules).await)
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        let _turn = self.turn().await?;
        self.inner.folders(prefix).await
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
    async fn row_1_a_store_that_asks_for_fewer_gets_half_as_many_once_for_all_that_were_under_way() {
        let faults = Arc::new(FaultStore::new(Arc::new(MemoryStore::new("b"))));
        let busy = StoreError::new(ErrorKind::Throttled, "slow down");
        let gate = Arc::new(Semaphore::new(0));
        for nth in 0..8 {
            faults.at(Operation::Head, nth, Fault::Hold(Arc::clone(&gate)));
            faults.at(Operation::Head, nth, Fault::Fail(busy.clone()));
        }
        let limited = LimitStore::new(faults.clone(), 8);
        let key = Key::from("a");
        let mut refused = join_all((0..8).map(|_| limited.head(&key)));
        assert!(futures::poll!(&mut refused).is_pending());
        gate.add_permits(8);
        assert!(refused.await.iter().all(Result::is_err));
        let under_way = async |expected: usize| {
            let (gate, before) = (Arc::new(Semaphore::new(0)), faults.calls().len());
            faults.always(Operation::Head, Fault::Hold(Arc::clone(&gate)));
            let mut answers = join_all((0..30).map(|_| limited.head(&key)));
            assert!(futures::poll!(&mut answers).is_pending());
            assert_eq!(faults.calls().len() - before, expected);
            faults.heal();
            gate.add_permits(30);
            assert!(answers.await.into_iter().all(|answer| answer == Ok(None)));
        };
        under_way(4).await;
        // Thirty answers without a complaint: 4, 5, 6 and 7 of them make it five, six, seven and eight.
        under_way(8).await;
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
