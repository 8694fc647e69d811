//! A registry in a text file: a JSON array, JSON lines as `mongoexport` writes them, CSV, or ids one a line; each as it is or
//! packed with gzip.
//!
//! A record with a key field is a tracked key, every other record is a live project, so one file may hold both. The file
//! is never changed from here. It is read to its end or not at all: a malformed or cut-off file, or one that changes
//! while it is read, is an error.

mod extended;
mod format;
mod parse;
mod record;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};

use self::parse::Fault;
use self::record::{Fields, Record};
use super::spec::{Role, opening};
use super::spellings::spellings;
use super::tally::Tally;
use super::{KeptRow, Mapping, NewRow, Registry, RegistryError, RowChange, RowSink, TextFormat, as_read};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};

/// Records that travel together from the reading thread.
const BATCH: usize = 1024;

/// A text file as a registry.
pub struct FileRegistry {
    text: Arc<TextFile>,
    tracks: bool,
    /// What the file held when it was last asked for claims, for as long as the file does not change.
    last: Mutex<Option<Arc<Snapshot>>>,
}

/// The file and how to read it.
struct TextFile {
    name: String,
    path: PathBuf,
    fields: Fields,
    format: Option<TextFormat>,
}

/// Which version of the file was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of last status change, where the system has them: a file moved over this one, or one
    /// whose modification time was set back, is another version.
    identity: [i64; 4],
}

/// A whole reading, kept in memory.
struct Snapshot {
    stamp: Stamp,
    tracked: HashMap<Key, Vec<Option<String>>>,
}

impl FileRegistry {
    /// Opens a file and finds out whether it tracks keys, which is when it is read for the first time.
    ///
    /// # Errors
    /// As [`super::open`].
    pub(super) async fn open(path: &Path, mapping: &Mapping, role: Role) -> Result<Self, RegistryError> {
        let text = Arc::new(TextFile {
            name: format!("file: {}", path.display()),
            path: path.to_owned(),
            fields: Fields::new(mapping, role),
            format: mapping.format,
        });
        let reader = Arc::clone(&text);
        let tracks = blocking(&text.name, move || reader.tracks_keys()).await?;
        Ok(Self { text, tracks, last: Mutex::new(None) })
    }

    /// Reads the records in file order on a blocking thread and hands them to `take` here.
    async fn each(&self, take: &mut (dyn FnMut(Record) + Send)) -> Result<Stamp, RegistryError> {
        let (sender, mut batches) = mpsc::channel::<Vec<Record>>(4);
        let text = Arc::clone(&self.text);
        let reading = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let stamp = text.read(&mut |record| {
                batch.push(record);
                if batch.len() < BATCH {
                    return ControlFlow::Continue(());
                }
                // Nobody listens any more: the reading was cancelled.
                match sender.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })?;
            let _ = sender.blocking_send(batch);
            Ok(stamp)
        });
        while let Some(batch) = batches.recv().await {
            batch.into_iter().for_each(&mut *take);
        }
        reading.await.map_err(|error| self.text.partial(error.to_string()))?
    }

    /// Reads the projects, and whether each row is the first of its record.
    async fn each_project(&self, take: &mut (dyn FnMut(RegistryRow, bool) + Send)) -> Result<Stamp, RegistryError> {
        let mut has_keys = false;
        let mut record = |record: Record| {
            has_keys |= matches!(record, Record::Tracked { .. });
            record.projects(take);
        };
        let stamp = self.each(&mut record).await?;
        if has_keys && !self.tracks {
            return Err(self
                .text
                .partial("it had no tracked keys when it was opened and has some now; open it again".into()));
        }
        Ok(stamp)
    }

    /// What the file tracks now: the last reading if the file is still the same, else a new one.
    async fn snapshot(&self) -> Result<Arc<Snapshot>, RegistryError> {
        let mut last = self.last.lock().await;
        if let Some(snapshot) = last.as_ref()
            && self.text.stamp()? == snapshot.stamp
        {
            return Ok(Arc::clone(snapshot));
        }
        let mut tracked: HashMap<Key, Vec<Option<String>>> = HashMap::new();
        let stamp = self
            .each(&mut |record| {
                if let Record::Tracked { key, project } = record {
                    tracked.entry(key).or_default().push(project);
                }
            })
            .await?;
        let snapshot = Arc::new(Snapshot { stamp, tracked });
        *last = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

#[async_trait]
impl Registry for FileRegistry {
    fn name(&self) -> &str {
        &self.text.name
    }

    fn tracks_keys(&self) -> bool {
        self.tracks
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        let mut tally = Tally::new(sink);
        let mut version = None;
        if self.text.fields.role.has_projects() {
            version = Some(self.each_project(&mut |row, first| tally.part(row, first)).await?);
        }
        if self.tracks {
            let mut tracked = |record| {
                if let Record::Tracked { key, project } = record {
                    tally.row(RegistryRow::Tracked { key, project });
                }
            };
            let stamp = self.each(&mut tracked).await?;
            if version.is_some_and(|version| version != stamp) {
                return Err(self.text.partial("it changed while it was read".into()));
            }
        }
        Ok(tally.finish(&self.text.name, self.tracks))
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        if self.text.fields.role.has_projects() {
            self.each_project(&mut |row, _| sink(row)).await?;
        }
        Ok(())
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        if !self.tracks {
            return Ok(Vec::new());
        }
        let snapshot = self.snapshot().await?;
        let spelled = keys.iter().flat_map(spellings);
        let found = spelled.filter_map(|key| snapshot.tracked.get_key_value(&key));
        let distinct: HashMap<&Key, &Vec<Option<String>>> = found.collect();
        let rows = distinct.into_iter().flat_map(|(key, projects)| {
            projects.iter().map(|project| RegistryRow::Tracked { key: key.clone(), project: project.clone() })
        });
        Ok(rows.collect())
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        Ok(self.claims(keys).await?.into_iter().filter_map(as_read).collect())
    }

    async fn remove_rows(&self, _rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        Ok(RowChange::ReadOnly)
    }

    async fn put_rows(&self, _rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        Ok(RowChange::ReadOnly)
    }

    async fn add_rows(&self, _rows: &[NewRow]) -> Result<RowChange, RegistryError> {
        Ok(RowChange::ReadOnly)
    }
}

impl TextFile {
    /// Reads every record, and proves that the file was the same at the end as at the start. `take` may stop early.
    fn read(&self, take: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<Stamp, RegistryError> {
        let before = self.stamp()?;
        let file = File::open(&self.path).map_err(|error| opening(&self.name, &error))?;
        parse::records(file, &self.path, self.format, &self.fields, take).map_err(|fault| self.error(fault))?;
        if self.stamp()? != before {
            return Err(self.partial("it changed while it was read".into()));
        }
        Ok(before)
    }

    /// Whether any record has a key.
    fn tracks_keys(&self) -> Result<bool, RegistryError> {
        self.stamp()?;
        match self.fields.role {
            Role::Tracked => Ok(true),
            Role::Projects => Ok(false),
            Role::Both => {
                let mut found = false;
                self.read(&mut |record| {
                    found = matches!(record, Record::Tracked { .. });
                    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })?;
                Ok(found)
            }
        }
    }

    fn stamp(&self) -> Result<Stamp, RegistryError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| opening(&self.name, &error))?;
        if !metadata.is_file() {
            let why = String::from("it is not a regular file, and it must be read more than once");
            return Err(RegistryError::Unreachable { source_name: self.name.clone(), why });
        }
        Ok(Stamp { len: metadata.len(), modified: metadata.modified().ok(), identity: identity(&metadata) })
    }

    fn partial(&self, why: String) -> RegistryError {
        RegistryError::Partial { source_name: self.name.clone(), why }
    }

    fn error(&self, fault: Fault) -> RegistryError {
        match fault {
            Fault::Read(error) => self.partial(error.to_string()),
            Fault::Line(line, why) => {
                RegistryError::Malformed { source_name: self.name.clone(), place: format!("line {line}"), why }
            }
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [metadata.dev().cast_signed(), metadata.ino().cast_signed(), metadata.ctime(), metadata.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> [i64; 4] {
    [0; 4]
}

/// Runs file work away from the async threads.
async fn blocking<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, RegistryError> {
    let stopped =
        |error: tokio::task::JoinError| RegistryError::Partial { source_name: name.into(), why: error.to_string() };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}
