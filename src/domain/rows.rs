//! Tracking rows as their source has them, and rows to be.

use super::Key;

/// A tracking row as its source has it: enough to compare it, remove it and put it back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeptRow {
    /// The key, as it is spelled there.
    pub key: Key,
    /// The owner, as it is spelled there; `None` if it is not known.
    pub project: Option<String>,
    /// The whole row in the source's own exact JSON. Two rows are the same row only if this is the same text.
    pub content: String,
}

/// A row to record for an object that is not tracked yet. What is `None` is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRow {
    /// The key, exactly as the store has it.
    pub key: Key,
    /// The owner, as the source spells it.
    pub project: String,
    /// The user.
    pub user: Option<String>,
    /// The scene.
    pub scene: Option<String>,
    /// The type of file, in the app's words.
    pub file_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The content type that the store has.
    pub content_type: Option<String>,
    /// The ETag, without quotes.
    pub etag: Option<String>,
}
