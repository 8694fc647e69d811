//! What the last complete listing of each bucket had, remembered in the state folder between runs
//! (`scans-seen.json`): a listing that is much smaller is not believed without a person's word.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{JournalError, disk};
use crate::domain::Timestamp;

/// The form of the file. A file of a later form is refused, not overwritten.
const VERSION: u32 = 1;

/// Where listings are remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScanMemory {
    path: PathBuf,
}

/// What one complete listing had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenScan {
    /// Objects.
    pub objects: u64,
    /// When it began, by this machine's clock.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    buckets: BTreeMap<String, Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    objects: u64,
    /// Milliseconds since 1970.
    at: i64,
}

impl ScanMemory {
    /// The memory of a state folder; nothing is read or made yet.
    pub fn in_directory(state: &Path) -> Self {
        Self { path: state.join("scans-seen.json") }
    }

    /// The last complete listing of `bucket` (any text that names endpoint and bucket).
    ///
    /// # Errors
    /// [`JournalError::Disk`] or [`JournalError::Damaged`]: whoever asks is blind then, and must not go on as if there was
    /// none.
    pub fn last(&self, bucket: &str) -> Result<Option<SeenScan>, JournalError> {
        let line = self.load()?.buckets.remove(bucket);
        Ok(line.map(|line| SeenScan { objects: line.objects, at: Timestamp(line.at) }))
    }

    /// Remembers a complete listing in the place of the one before.
    ///
    /// # Errors
    /// As [`ScanMemory::last`].
    pub fn remember(&self, bucket: &str, seen: SeenScan) -> Result<(), JournalError> {
        let mut contents = self.load()?;
        contents.buckets.insert(bucket.to_owned(), Line { objects: seen.objects, at: seen.at.0 });
        self.save(&contents).map_err(disk("cannot write", &self.path))
    }

    fn load(&self) -> Result<Contents, JournalError> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents { version: VERSION, buckets: BTreeMap::new() });
            }
            other => other.map_err(disk("cannot read", &self.path))?,
        };
        let damaged = |line, why| JournalError::Damaged { path: self.path.clone(), line, why };
        let contents: Contents =
            serde_json::from_slice(&text).map_err(|error| damaged(error.line(), error.to_string()))?;
        match contents.version {
            VERSION => Ok(contents),
            other => Err(damaged(1, format!("its form is {other}, this program knows {VERSION}"))),
        }
    }

    /// Written beside and moved over, so that a crash leaves the old or the new file.
    fn save(&self, contents: &Contents) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = self.path.with_extension(format!("json.{}", std::process::id()));
        let mut file = File::create(&beside)?;
        serde_json::to_writer_pretty(&mut file, contents)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_its_own_last_listing() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = ScanMemory::in_directory(&folder.path().join("state"));
        assert_eq!(memory.last("host/media").expect("readable"), None);
        let seen = |objects| SeenScan { objects, at: Timestamp(7) };
        memory.remember("host/media", seen(3)).expect("writable");
        memory.remember("host/other", seen(5)).expect("writable");
        memory.remember("host/media", seen(4)).expect("writable");
        assert_eq!(memory.last("host/media").expect("readable"), Some(seen(4)));
        assert_eq!(memory.last("host/other").expect("readable"), Some(seen(5)));
        let files = fs::read_dir(folder.path().join("state")).expect("files").count();
        assert_eq!(files, 1, "nothing is left beside the file");
    }

    #[test]
    fn a_memory_that_cannot_be_read_is_not_an_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = ScanMemory::in_directory(folder.path());
        for text in ["{\"version\":1,", "{\"version\":2,\"buckets\":{}}", "\u{0}"] {
            fs::write(&memory.path, text).expect("written");
            assert!(memory.last("b").is_err(), "{text:?}");
            assert!(memory.remember("b", SeenScan { objects: 1, at: Timestamp(0) }).is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(&memory.path).expect("the file"), text, "nothing is overwritten");
        }
    }
}
