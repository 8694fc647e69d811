//! The registry, watched, and changed by others between any two questions.

use std::sync::Arc;

use async_trait::async_trait;
use bucketree::domain::Key;
use bucketree::domain::facts::{RegistryRow, SourceReport};
use bucketree::registry::{KeptRow, NewRow, Registry, RegistryError, RowChange, RowSink};

use super::store::Oracle;
use crate::world::TestRegistry;

pub struct Watched {
    pub inner: Arc<TestRegistry>,
    pub oracle: Arc<Oracle>,
}

impl Watched {
    async fn enter(&self, what: &'static str) -> Result<(), RegistryError> {
        let fault = self.oracle.enter(what, &[]).await;
        if fault.is_some() {
            self.oracle.history().registry_failed = true;
            return Err(RegistryError::Unreachable { source_name: "test".into(), why: "it is down".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl Registry for Watched {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn tracks_keys(&self) -> bool {
        self.inner.tracks_keys()
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        self.inner.read(sink).await
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.enter("projects").await?;
        self.inner.projects(sink).await
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        self.enter("claims").await?;
        let claims = self.inner.claims(keys).await;
        keys.iter().for_each(|key| self.oracle.history().ask(key));
        claims
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        self.enter("rows").await?;
        self.inner.rows(keys).await
    }

    async fn remove_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.enter("remove rows").await?;
        let before = self.inner.rows.lock().unwrap().clone();
        let removed = self.inner.remove_rows(rows).await;
        let after = self.inner.rows.lock().unwrap().clone();
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            let is_there = self.oracle.bucket.object(key).is_some();
            self.oracle.history().row_removed(key, is_there);
        }
        self.oracle.leave().await;
        removed
    }

    async fn put_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.enter("put rows").await?;
        self.inner.put_rows(rows).await
    }

    async fn add_rows(&self, rows: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.enter("add rows").await?;
        self.inner.add_rows(rows).await
    }
}
