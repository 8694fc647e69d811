//! The lock of a bucket is no object of anybody: who lists the bucket does not see it.

use async_trait::async_trait;
use bytes::Bytes;

use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, FoldersPage, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload, UploadsPage,
    UploadsRequest,
};
use crate::domain::Key;
use crate::domain::judge::OWN_PREFIX;
use crate::domain::lock::is_lock;

/// A store whose listings leave the lock out, unless they are of what this program keeps in the bucket.
pub struct HidingStore {
    inner: SharedStore,
}

impl HidingStore {
    /// Hides the lock of `inner`.
    pub fn new(inner: SharedStore) -> Self {
        Self { inner }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for HidingStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let mut page = self.inner.list(request).await?;
        if !request.prefix.starts_with(OWN_PREFIX) {
            page.objects.retain(|object| !is_lock(object.key.as_bytes()));
        }
        Ok(page)
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        self.inner.head(key).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.inner.get(key, range).await
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
        self.inner.lifecycle().await
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        self.inner.set_lifecycle(rules).await
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        self.inner.folders(prefix).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        self.inner.uploads(request).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        self.inner.abort_upload(upload).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::lock::{LOCK, sign};
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn the_lock_is_in_no_listing_but_its_own() {
        let memory = MemoryStore::new("b");
        let trashed = ".bucketree/trash/r/a";
        let all = [Key::from(LOCK), sign("r", 1), Key::from(trashed), Key::from("a")];
        all.iter().for_each(|key| drop(memory.put(key, "x")));
        let store = HidingStore::new(Arc::new(memory));
        let listed = async |prefix: &str| {
            let request = ListRequest { prefix: prefix.into(), ..ListRequest::default() };
            let page = store.list(&request).await.unwrap();
            page.objects.into_iter().map(|object| object.key.escaped().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(listed("").await, [trashed, "a"]);
        assert_eq!(listed(".bucketree/lock").await, [LOCK, ".bucketree/lock/r/1"]);
    }
}
