//! What the last complete listing of each bucket had, remembered in the state folder between runs
//! (`scans-seen.json`): a listing that is much smaller is not believed without a person's word.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::bucket_file::BucketFile;
use crate::domain::Timestamp;

/// Where listings are remembered.
#[derive(Clone, Debug)]
pub struct ScanMemory(BucketFile<Line>);

/// What one complete listing had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenScan {
    /// Objects.
    pub objects: u64,
    /// When it began, by this machine's clock.
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    objects: u64,
    /// Milliseconds since 1970.
    at: i64,
}

impl ScanMemory {
    /// The memory of a state folder; nothing is read or made yet.
    pub fn in_directory(state: &Path) -> Self {
        Self(BucketFile::in_directory(state, "scans-seen.json"))
    }

    /// The last complete listing of `bucket` (any text that names endpoint and bucket).
    ///
    /// # Errors
    /// [`JournalError::Disk`] or [`JournalError::Damaged`]: whoever asks is blind then, and must not go on as if there was
    /// none.
    pub fn last(&self, bucket: &str) -> Result<Option<SeenScan>, JournalError> {
        let line = self.0.get(bucket)?;
        Ok(line.map(|line| SeenScan { objects: line.objects, at: Timestamp(line.at) }))
    }

    /// Remembers a complete listing in the place of the one before.
    ///
    /// # Errors
    /// As [`ScanMemory::last`].
    pub fn remember(&self, bucket: &str, seen: SeenScan) -> Result<(), JournalError> {
        self.0.set(bucket, Line { objects: seen.objects, at: seen.at.0 })
    }
}
