//! Repeating reads that failed for a passing reason. What changes the bucket is never repeated here: whether a deletion or a
//! copy may be sent again is decided above, after a look at the object.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, FoldersPage, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload, UploadsPage,
    UploadsRequest,
};
use crate::domain::Key;

/// How often and how long to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// Requests in all, the first one included.
    pub attempts: u32,
    /// Upper bound of the wait after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// Upper bound of any wait that the store did not ask for.
    pub longest_wait: Duration,
    /// Longest sum of waits within one call. A store that asks for more than is left gets its error reported instead.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(5),
            budget: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before trying again after `failures` failures, of which the last is `error`; `None` to give up.
    /// `random` is in 0..1 and spreads the waits over the whole range (full jitter), so that clients that failed together
    /// do not come back together. A wish of the store is waited out in full before that.
    pub fn wait(&self, failures: u32, error: &StoreError, waited: Duration, random: f64) -> Option<Duration> {
        if !error.kind.is_transient() || failures >= self.attempts {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        let jitter = doubled.min(self.longest_wait).mul_f64(random.clamp(0.0, 1.0));
        let wait = jitter.saturating_add(error.retry_after.unwrap_or_default());
        (waited.saturating_add(wait) <= self.budget).then_some(wait)
    }
}

/// A store whose reads are repeated when they fail for a passing reason.
pub struct RetryStore {
    inner: SharedStore,
    policy: RetryPolicy,
}

impl RetryStore {
    /// Repeats the reads of `inner` as `policy` says.
    pub fn new(inner: SharedStore, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }

    async fn repeat<T, F>(&self, request: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let (mut failures, mut waited) = (0, Duration::ZERO);
        loop {
            let error = match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let Some(wait) = self.policy.wait(failures, &error, waited, random()) else { return Err(error) };
            tracing::debug!(failures, wait_ms = wait.as_millis(), reason = %error, "reading again");
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }
}

/// A wait between nothing and `bound` (full jitter), so that clients that failed together do not come back together.
pub fn jitter(bound: Duration) -> Duration {
    bound.mul_f64(random())
}

/// A number in 0..1. Each `RandomState` of the standard library hashes differently, which is random enough to spread waits.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or_default()) / f64::from(u32::MAX)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for RetryStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        self.repeat(|| self.inner.list(request)).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        self.repeat(|| self.inner.head(key)).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.repeat(|| self.inner.get(key, range)).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        self.inner.delete_batch(targets).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        self.inner.delete(target).await
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        self.inner.copy(request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        self.inner.put(request).await
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        self.repeat(|| self.inner.lifecycle()).await
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        self.inner.set_lifecycle(rules).await
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        self.repeat(|| self.inner.folders(prefix)).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        self.repeat(|| self.inner.uploads(request)).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        self.inner.abort_upload(upload).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::ErrorKind;
    use crate::store::faults::{Fault, FaultStore, Operation};
    use crate::store::memory::MemoryStore;

    fn error(kind: ErrorKind, retry_after: Option<u64>) -> StoreError {
        StoreError { retry_after: retry_after.map(Duration::from_secs), ..StoreError::new(kind, "x") }
    }

    #[test]
    fn row_03_waits_grow_are_spread_and_end() {
        let policy = RetryPolicy::default();
        let check = |failures: u32, error: &StoreError, waited: u64, random: f64, expected: Option<u64>| {
            let wait = policy.wait(failures, error, Duration::from_secs(waited), random);
            assert_eq!(wait, expected.map(Duration::from_millis), "{failures} {error:?} {waited} {random}");
        };
        let busy = error(ErrorKind::Throttled, None);
        check(1, &busy, 0, 1.0, Some(100));
        check(1, &busy, 0, 0.5, Some(50));
        check(1, &busy, 0, 0.0, Some(0));
        check(3, &busy, 0, 1.0, Some(400));
        check(5, &busy, 0, 1.0, Some(1600));
        check(6, &busy, 0, 1.0, None);
        check(2, &busy, 30, 1.0, None);
        check(1, &error(ErrorKind::Throttled, Some(7)), 0, 1.0, Some(7100));
        check(1, &error(ErrorKind::Throttled, Some(600)), 0, 1.0, None);
        for kind in [ErrorKind::Denied, ErrorKind::Malformed, ErrorKind::ClockSkew, ErrorKind::NoSuchBucket] {
            check(1, &error(kind, None), 0, 1.0, None);
        }
    }

    fn quick(inner: &Arc<FaultStore>) -> RetryStore {
        let millisecond = Duration::from_millis(1);
        let policy = RetryPolicy { first_wait: millisecond, longest_wait: millisecond, ..RetryPolicy::default() };
        RetryStore::new(inner.clone(), policy)
    }

    #[tokio::test]
    async fn row_20_a_read_is_asked_again_until_it_is_answered() {
        let faults = Arc::new(FaultStore::new(Arc::new(MemoryStore::new("b"))));
        for nth in 0..3 {
            faults.at(Operation::List, nth, Fault::Fail(error(ErrorKind::Unreachable, None)));
        }
        assert!(quick(&faults).list(&ListRequest::default()).await.is_ok());
        assert_eq!(faults.calls().len(), 4);
    }

    #[tokio::test]
    async fn a_read_that_fails_for_good_is_asked_once_and_a_hopeless_one_six_times() {
        let faults = Arc::new(FaultStore::new(Arc::new(MemoryStore::new("b"))));
        faults.always(Operation::Head, Fault::Fail(error(ErrorKind::Denied, None)));
        faults.always(Operation::Get, Fault::Fail(error(ErrorKind::Timeout, None)));
        let store = quick(&faults);
        assert_eq!(store.head(&Key::from("a")).await.map_err(|error| error.kind), Err(ErrorKind::Denied));
        assert_eq!(faults.calls().len(), 1);
        assert_eq!(store.get(&Key::from("a"), None).await.map_err(|error| error.kind), Err(ErrorKind::Timeout));
        assert_eq!(faults.calls().len(), 7);
    }

    #[tokio::test]
    async fn row_08_a_deletion_is_never_sent_twice() {
        let faults = Arc::new(FaultStore::new(Arc::new(MemoryStore::new("b"))));
        faults.always(Operation::DeleteBatch, Fault::Fail(error(ErrorKind::Throttled, None)));
        faults.always(Operation::Delete, Fault::Fail(error(ErrorKind::Timeout, None)));
        let store = quick(&faults);
        let target = DeleteTarget::of(Key::from("a"));
        assert!(store.delete_batch(std::slice::from_ref(&target)).await.is_err());
        assert!(store.delete(&target).await.is_err());
        assert_eq!(faults.calls().len(), 2);
    }

    #[tokio::test]
    async fn what_is_written_is_never_written_twice() {
        let memory = MemoryStore::new("b");
        let source = memory.put(&Key::from("a"), "x");
        let faults = Arc::new(FaultStore::new(Arc::new(memory)));
        faults.always(Operation::Copy, Fault::Fail(error(ErrorKind::Timeout, None)));
        faults.always(Operation::Put, Fault::Fail(error(ErrorKind::Throttled, None)));
        let store = quick(&faults);
        assert!(store.copy(&CopyRequest { source, destination: Key::from("b") }).await.is_err());
        let put = PutRequest { key: Key::from("c"), body: Bytes::new(), content_type: String::from("text/plain") };
        assert!(store.put(&put).await.is_err());
        assert_eq!(faults.calls().len(), 2);
    }
}
