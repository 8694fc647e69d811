//! The port to what the app knows: live projects, tracked keys, references to keys.
//!
//! ```text
//! spec         what a registry is made of, as configured, and `open`
//! file         text files: JSON arrays, JSON lines, CSV, ids one a line, each packed or not
//! mongodb      collections and paths through documents
//! sql          tables and queries: SQLite, PostgreSQL, MySQL and MariaDB
//! combined     projects from one source, tracked keys from another
//! checks       may this reading be trusted? zero, too few, shrunken
//! seen         the counts of the last reading that was trusted
//! recorded     what a whole row says of its object
//! spellings    how a source may spell a key, by itself and where it says so
//! tally        counts and fingerprint while rows stream by
//! conformance  one suite for every adapter
//! ```

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};
pub use crate::domain::rows::{KeptRow, NewRow};

pub mod checks;
pub mod combined;
pub mod file;
pub mod mongo_address;
#[cfg(feature = "mongodb")]
pub mod mongodb;
mod recorded;
pub mod seen;
pub mod spec;
pub mod spellings;
pub mod sql;
mod tally;

#[cfg(test)]
mod conformance;

pub use recorded::recorded_size;
pub use spec::{Access, Location, Mapping, ReferencePlace, RegistrySpec, TextFormat, TrackedKeys, open};
pub use spellings::KeySpelling;

/// What receives the rows while a source is read.
pub type RowSink<'a> = &'a mut (dyn FnMut(RegistryRow) + Send);

/// What became of rows that were to be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowChange {
    /// So many rows were removed, put back or added.
    Changed(u64),
    /// The source cannot be changed from here; nothing was.
    ReadOnly,
}

/// The port.
#[async_trait]
pub trait Registry: Send + Sync {
    /// A name without secrets, for example `sqlite: registry.db`.
    fn name(&self) -> &str;

    /// Whether the source tracks keys at all.
    fn tracks_keys(&self) -> bool;

    /// Reads everything: all projects first, then tracked keys, then references. The end is explicit: `Ok` means that
    /// every row was delivered.
    ///
    /// # Errors
    /// [`RegistryError`] if anything is missing; what was delivered before must then not be used.
    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError>;

    /// Reads the live projects again, for the check before a batch.
    ///
    /// # Errors
    /// As [`Registry::read`].
    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError>;

    /// Every row and reference that has one of these keys now, in any spelling that the source may use.
    ///
    /// # Errors
    /// As [`Registry::read`].
    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError>;

    /// Each source by its name, and how it is read; nothing where there is but one way.
    fn sources(&self) -> Vec<(String, String)> {
        vec![(self.name().to_owned(), String::new())]
    }

    /// What would make the source answer faster, each with how to get it; nothing where there is nothing to say.
    async fn advice(&self) -> Vec<String> {
        Vec::new()
    }

    /// The whole tracking rows of these keys, in any spelling that the source may use. Where rows cannot be changed from
    /// here, as much of each as is read anyway.
    ///
    /// # Errors
    /// As [`Registry::read`].
    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError>;

    /// Removes these rows. A row that is no longer exactly so stays: compared and removed in one step. An empty list finds
    /// out whether rows can be changed from here.
    ///
    /// # Errors
    /// As [`Registry::read`]; then nothing of the call was changed, unless the error is [`RegistryError::Partial`]. The call
    /// may be repeated.
    async fn remove_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError>;

    /// Puts rows back exactly as they were. Left is a row whose id is taken, and one whose key and owner already had a row
    /// before the call. Repeating a call changes nothing; the rows of one key belong into one call.
    ///
    /// # Errors
    /// As [`Registry::remove_rows`].
    async fn put_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError>;

    /// Records objects. A key that is tracked already, whoever its owner is, is left.
    ///
    /// # Errors
    /// As [`Registry::remove_rows`].
    async fn add_rows(&self, rows: &[NewRow]) -> Result<RowChange, RegistryError>;
}

/// A registry that anyone may hold.
pub type SharedRegistry = Arc<dyn Registry>;

/// An error of a source by meaning. Holds no secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegistryError {
    /// The source is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// The source cannot be reached or opened.
    #[error("{source_name} cannot be opened: {why}")]
    Unreachable {
        /// The source, without secrets.
        source_name: String,
        /// Why.
        why: String,
    },
    /// The source was read in part only.
    #[error("{source_name} was read in part only: {why}")]
    Partial {
        /// The source, without secrets.
        source_name: String,
        /// Why.
        why: String,
    },
    /// A row does not have the expected form.
    #[error("{source_name}, {place}: {why}")]
    Malformed {
        /// The source, without secrets.
        source_name: String,
        /// The line, row or column.
        place: String,
        /// What was expected and what was found.
        why: String,
    },
    /// The source refuses.
    #[error("{source_name} refuses: {why}")]
    Refused {
        /// The source, without secrets.
        source_name: String,
        /// Why.
        why: String,
    },
}

impl RegistryError {
    /// How it is mended, for a person.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Missing(_) => "check registry.source: the file or database that it names must be there",
            Self::Unreachable { .. } => {
                "check registry.source, whether the server runs and can be reached from here, and what encryption it wants"
            }
            Self::Partial { .. } => "read it again; if it stays so, look into the server's log and at the way to it",
            Self::Malformed { .. } => "mend what is named, or name tables and fields under `registry` in the profile",
            Self::Refused { .. } => "check user and password, and give the user the permission to read what is named",
        }
    }
}

/// A tracking row of a source whose rows are not changed from here: what was read of it.
fn as_read(claim: RegistryRow) -> Option<KeptRow> {
    let RegistryRow::Tracked { key, project } = claim else { return None };
    let content = serde_json::json!({ "key": String::from_utf8_lossy(key.as_bytes()), "project": project }).to_string();
    Some(KeptRow { key, project, content })
}
