//! Projects from one source, tracked keys from another, as one registry. Every source must succeed.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::tally::hex;
use super::{KeptRow, NewRow, Registry, RegistryError, RowChange, RowSink, SharedRegistry};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};

/// Two sources as one.
pub struct CombinedRegistry {
    name: String,
    projects: SharedRegistry,
    tracked: SharedRegistry,
}

impl CombinedRegistry {
    /// Takes projects from one source and tracked keys from the other, and references from both. Whatever else a source
    /// has is not asked for.
    pub fn new(projects: SharedRegistry, tracked: SharedRegistry) -> Self {
        let name = format!("{} + {}", projects.name(), tracked.name());
        Self { name, projects, tracked }
    }
}

#[async_trait]
impl Registry for CombinedRegistry {
    fn name(&self) -> &str {
        &self.name
    }

    fn tracks_keys(&self) -> bool {
        self.tracked.tracks_keys()
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        let projects = self
            .projects
            .read(&mut |row| {
                if !is_tracked(&row) {
                    sink(row)
                }
            })
            .await?;
        let tracked = self
            .tracked
            .read(&mut |row| {
                if !is_project(&row) {
                    sink(row)
                }
            })
            .await?;
        let mut fingerprint = Sha256::new();
        fingerprint.update(&projects.fingerprint);
        fingerprint.update(&tracked.fingerprint);
        Ok(SourceReport {
            name: self.name.as_str().into(),
            projects: projects.projects,
            references: projects.references + tracked.references,
            fingerprint: hex(&fingerprint.finalize()),
            ..tracked
        })
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.projects.projects(sink).await
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        let mut claims = self.projects.claims(keys).await?;
        claims.retain(|row| !is_tracked(row));
        claims.extend(self.tracked.claims(keys).await?);
        Ok(claims)
    }

    fn sources(&self) -> Vec<(String, String)> {
        [self.projects.sources(), self.tracked.sources()].concat()
    }

    async fn advice(&self) -> Vec<String> {
        let mut advice = self.projects.advice().await;
        advice.extend(self.tracked.advice().await);
        advice
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        self.tracked.rows(keys).await
    }

    async fn remove_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.tracked.remove_rows(rows).await
    }

    async fn put_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.tracked.put_rows(rows).await
    }

    async fn add_rows(&self, rows: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.tracked.add_rows(rows).await
    }
}

fn is_tracked(row: &RegistryRow) -> bool {
    matches!(row, RegistryRow::Tracked { .. })
}

fn is_project(row: &RegistryRow) -> bool {
    matches!(row, RegistryRow::Project { .. })
}
