//! What the registry said, as the verdicts need it.

mod builder;
mod likeness;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use builder::{FactsBuilder, likely_keys};
pub(in crate::domain) use table::Projects;
pub use table::{Facts, Missing};

use super::Key;
use super::object::Timestamp;
use super::project::ProjectId;

/// One thing that a registry source reported while it was read. Ids are as spelled in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistryRow {
    /// A live project.
    Project {
        /// The id as the source spells it.
        id: String,
    },
    /// A tracked key: the registry's own reading of an object.
    Tracked {
        /// The key as the source spells it.
        key: Key,
        /// The owner's id as the source spells it; `None` if the row does not say.
        project: Option<String>,
    },
    /// A place that holds a key without tracking it.
    Reference {
        /// The key as the source spells it.
        key: Key,
        /// The owner's id, if the place knows it.
        project: Option<String>,
    },
}

/// Whether a claim tracks the key or only mentions it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ClaimKind {
    /// A tracking row.
    Row,
    /// A reference.
    Reference,
}

/// Whose a claim says an object is, after its project was looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// A project that the registry has.
    Live(ProjectId),
    /// A project that the registry does not have.
    Dead(ProjectId),
    /// The claim does not say.
    Unknown,
}

/// A row or reference of the registry that has an object's key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
    /// Row or reference.
    pub kind: ClaimKind,
    /// Whose it says the object is.
    pub owner: Owner,
}

/// What one source delivered, for the header, the evidence and the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceReport {
    /// A name without secrets, for example `sqlite: registry.db`.
    pub name: Arc<str>,
    /// Live projects read.
    pub projects: u64,
    /// Tracked keys read; `None` if the source does not track keys.
    pub tracked: Option<u64>,
    /// References read.
    pub references: u64,
    /// When the reading ended, by this machine's clock.
    pub read_at: Timestamp,
    /// SHA-256 (hex) over what was read, independent of row order.
    pub fingerprint: String,
}

impl SourceReport {
    /// One line for a person: name, counts, time.
    pub fn line(&self) -> String {
        let references = match self.references {
            0 => String::new(),
            count => format!(", {count} references"),
        };
        let tracked = self.tracked.map_or(String::from("keys not tracked"), |count| format!("{count} tracked keys"));
        format!("{}: {} projects, {tracked}{references}, read {}", self.name, self.projects, self.read_at)
    }
}

/// Whether verdicts can be given at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistryState {
    /// Every source was read to its end and passed its checks.
    Usable,
    /// No registry is configured.
    Absent,
    /// A source is failed, empty, stale or shrunken; one reason each, for a person.
    Unusable(Vec<String>),
}
