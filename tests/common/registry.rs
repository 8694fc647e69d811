//! A registry in memory for tests of jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bucketree::domain::facts::{RegistryRow, SourceReport};
use bucketree::domain::{Key, Timestamp};
use bucketree::registry::{KeptRow, NewRow, Registry, RegistryError, RowChange, RowSink};

/// A registry in memory that can be changed and broken.
#[derive(Default)]
pub struct TestRegistry {
    pub projects: Mutex<Vec<String>>,
    pub rows: Mutex<BTreeMap<Key, Option<String>>>,
    pub broken: Mutex<bool>,
    pub broken_rows: Mutex<bool>,
    pub read_only: Mutex<bool>,
    /// Sizes that rows say.
    pub sizes: Mutex<BTreeMap<Key, u64>>,
    /// Happens once, between the reading of rows and their removal.
    pub between: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Happens once, when rows are asked for.
    pub asked: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl TestRegistry {
    fn check(&self) -> Result<(), RegistryError> {
        match *self.broken.lock().unwrap() {
            true => Err(RegistryError::Unreachable { source_name: "test".into(), why: "it is down".into() }),
            false => Ok(()),
        }
    }

    fn kept(&self, key: &Key, project: &Option<String>) -> KeptRow {
        let size = self.sizes.lock().unwrap().get(key).map_or("null".into(), u64::to_string);
        let content = format!("{{\"project\":{project:?},\"size_bytes\":{size}}}").replace("None", "null");
        KeptRow { key: key.clone(), project: project.clone(), content: content.replace("Some(", "").replace(')', "") }
    }

    /// Changes the rows, unless they cannot be changed; says by how many there are more or fewer.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<Key, Option<String>>)) -> Result<RowChange, RegistryError> {
        self.check()?;
        if *self.broken_rows.lock().unwrap() {
            return Err(RegistryError::Refused { source_name: "test".into(), why: "it is read-only".into() });
        }
        if *self.read_only.lock().unwrap() {
            return Ok(RowChange::ReadOnly);
        }
        let mut rows = self.rows.lock().unwrap();
        let before = rows.len();
        change(&mut rows);
        Ok(RowChange::Changed(rows.len().abs_diff(before) as u64))
    }
}

#[async_trait]
impl Registry for TestRegistry {
    fn name(&self) -> &str {
        "test"
    }

    fn tracks_keys(&self) -> bool {
        true
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        self.projects(sink).await?;
        let rows = self.rows.lock().unwrap();
        rows.iter()
            .for_each(|(key, project)| sink(RegistryRow::Tracked { key: key.clone(), project: project.clone() }));
        Ok(SourceReport {
            name: Arc::from("test"),
            projects: self.projects.lock().unwrap().len() as u64,
            tracked: Some(rows.len() as u64),
            references: 0,
            read_at: Timestamp(0),
            fingerprint: String::new(),
        })
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.check()?;
        self.projects.lock().unwrap().iter().for_each(|id| sink(RegistryRow::Project { id: id.clone() }));
        Ok(())
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        self.check()?;
        let rows = self.rows.lock().unwrap();
        let claim = |key: &Key| {
            rows.get(key).map(|project| RegistryRow::Tracked { key: key.clone(), project: project.clone() })
        };
        Ok(keys.iter().filter_map(claim).collect())
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        self.check()?;
        if let Some(happens) = self.asked.lock().unwrap().take() {
            happens();
        }
        let rows = self.rows.lock().unwrap();
        let spelled: BTreeSet<Key> = keys.iter().flat_map(|key| [key.clone(), slashed(key)]).collect();
        let row = |key: &Key| rows.get(key).map(|project| self.kept(key, project));
        Ok(spelled.iter().filter_map(row).collect())
    }

    async fn remove_rows(&self, some: &[KeptRow]) -> Result<RowChange, RegistryError> {
        if !some.is_empty()
            && let Some(happens) = self.between.lock().unwrap().take()
        {
            happens();
        }
        self.change(|rows| {
            let is_named = |key: &Key, project: &Option<String>| some.contains(&self.kept(key, project));
            rows.retain(|key, project| !is_named(key, project));
        })
    }

    async fn put_rows(&self, some: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.change(|rows| {
            for row in some {
                rows.entry(row.key.clone()).or_insert_with(|| row.project.clone());
            }
        })
    }

    async fn add_rows(&self, some: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.change(|rows| {
            for row in some {
                rows.entry(row.key.clone()).or_insert_with(|| Some(row.project.clone()));
            }
        })
    }
}

/// The key with a slash before it, as paths of URLs are written.
fn slashed(key: &Key) -> Key {
    Key::new([b"/", key.as_bytes()].concat())
}
