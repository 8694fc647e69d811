//! How many requests a job made.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, HeadAnswer, ListPage, ListRequest,
    ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload, UploadsPage, UploadsRequest,
};
use crate::domain::Key;
use crate::domain::requests::{Request, Requests};

/// A store that counts what is asked of it, whatever the answer. What a wrapper below it repeats counts once.
pub struct CountedStore {
    inner: SharedStore,
    counts: [AtomicU64; Request::ALL.len()],
}

impl CountedStore {
    /// Nothing is counted yet.
    pub fn new(inner: SharedStore) -> Self {
        Self { inner, counts: Default::default() }
    }

    /// The requests so far, those without an answer included.
    pub fn requests(&self) -> Requests {
        let mut requests = Requests::default();
        for request in Request::ALL {
            requests.add(request, self.counts[request as usize].load(Ordering::Relaxed));
        }
        requests
    }

    fn count(&self, request: Request) -> &dyn ObjectStore {
        self.counts[request as usize].fetch_add(1, Ordering::Relaxed);
        self.inner.as_ref()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for CountedStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        self.count(Request::List).list(request).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        self.count(Request::Head).head(key).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.count(Request::Get).get(key, range).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        self.count(Request::DeleteMany).delete_batch(targets).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        self.count(Request::Delete).delete(target).await
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        self.count(Request::Copy).copy(request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        self.count(Request::Put).put(request).await
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        self.count(Request::ReadRules).lifecycle().await
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        self.count(Request::WriteRules).set_lifecycle(rules).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        self.count(Request::ListUploads).uploads(request).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        self.count(Request::AbortUpload).abort_upload(upload).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::ErrorKind;
    use crate::store::faults::{Fault, FaultStore, Operation};
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn each_request_counts_once_whatever_its_answer() {
        let memory = MemoryStore::new("b");
        drop(memory.put(&Key::from("a"), "x"));
        let faults = Arc::new(FaultStore::new(Arc::new(memory)));
        faults.at(Operation::Head, 1, Fault::Fail(StoreError::new(ErrorKind::Unreachable, "cut off")));
        let store = CountedStore::new(faults.clone());
        let key = Key::from("a");
        assert_eq!(store.requests().total(), 0);
        store.list(&ListRequest::default()).await.unwrap();
        store.head(&key).await.unwrap().unwrap();
        store.head(&key).await.unwrap_err();
        store.delete_batch(&[DeleteTarget::of(key.clone())]).await.unwrap();
        let counted: Vec<_> = store.requests().iter().collect();
        assert_eq!(counted, [(Request::List, 1), (Request::Head, 2), (Request::DeleteMany, 1)]);
    }
}
