//! A bucket that is not asked: what is known of it was listed before.

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, HeadAnswer, ListPage, ListRequest,
    ObjectStore, PutAnswer, PutRequest, StoreError, StoreIdentity,
};
use crate::domain::Key;

/// A store in whose place a kept scan is looked at: every request is refused.
#[derive(Clone, Debug)]
pub struct OfflineStore(StoreIdentity);

impl OfflineStore {
    /// In place of the store that is there.
    pub fn new(at: StoreIdentity) -> Self {
        Self(at)
    }
}

fn refused() -> StoreError {
    StoreError::new(ErrorKind::Unsupported, "a kept scan is looked at; the bucket itself is not asked")
}

#[async_trait]
impl ObjectStore for OfflineStore {
    fn identity(&self) -> &StoreIdentity {
        &self.0
    }

    async fn list(&self, _: &ListRequest) -> Result<ListPage, StoreError> {
        Err(refused())
    }

    async fn head(&self, _: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        Err(refused())
    }

    async fn get(&self, _: &Key, _: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        Err(refused())
    }

    async fn delete_batch(&self, _: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        Err(refused())
    }

    async fn delete(&self, _: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        Err(refused())
    }

    async fn copy(&self, _: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        Err(refused())
    }

    async fn put(&self, _: &PutRequest) -> Result<PutAnswer, StoreError> {
        Err(refused())
    }
}
