//! A small file of the state folder that remembers one thing for each bucket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{JournalError, disk};

/// The form of the file. A file of a later form is refused, not overwritten.
const VERSION: u32 = 1;

/// The file. Buckets are named by any text that names endpoint and bucket.
#[derive(Clone, Debug)]
pub(super) struct BucketFile<T> {
    path: PathBuf,
    kind: PhantomData<fn() -> T>,
}

#[derive(Serialize, Deserialize)]
struct Contents<T> {
    version: u32,
    buckets: BTreeMap<String, T>,
}

impl<T: Serialize + DeserializeOwned> BucketFile<T> {
    /// The file of this name in a state folder; nothing is read or made yet.
    pub(super) fn in_directory(state: &Path, name: &str) -> Self {
        Self { path: state.join(name), kind: PhantomData }
    }

    /// What is remembered of a bucket.
    ///
    /// # Errors
    /// [`JournalError::Disk`] or [`JournalError::Damaged`]: whoever asks is blind then, and must not go on as if there was
    /// nothing.
    pub(super) fn get(&self, bucket: &str) -> Result<Option<T>, JournalError> {
        Ok(self.load()?.buckets.remove(bucket))
    }

    /// Remembers something of a bucket in the place of what was.
    ///
    /// # Errors
    /// As [`BucketFile::get`].
    pub(super) fn set(&self, bucket: &str, value: T) -> Result<(), JournalError> {
        let mut contents = self.load()?;
        contents.buckets.insert(bucket.to_owned(), value);
        self.save(&contents).map_err(disk("cannot write", &self.path))
    }

    fn load(&self) -> Result<Contents<T>, JournalError> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents { version: VERSION, buckets: BTreeMap::new() });
            }
            other => other.map_err(disk("cannot read", &self.path))?,
        };
        let damaged = |line, why| JournalError::Damaged { path: self.path.clone(), line, why };
        let contents: Contents<T> =
            serde_json::from_slice(&text).map_err(|error| damaged(error.line(), error.to_string()))?;
        match contents.version {
            VERSION => Ok(contents),
            other => Err(damaged(1, format!("its form is {other}, this program knows {VERSION}"))),
        }
    }

    /// Written beside and moved over, so that a crash leaves the old or the new file.
    fn save(&self, contents: &Contents<T>) -> io::Result<()> {
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
    fn each_bucket_has_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file: BucketFile<u32> = BucketFile::in_directory(&folder.path().join("state"), "f.json");
        assert_eq!(file.get("host/media").expect("readable"), None);
        file.set("host/media", 3).expect("writable");
        file.set("host/other", 5).expect("writable");
        file.set("host/media", 4).expect("writable");
        assert_eq!(file.get("host/media").expect("readable"), Some(4));
        assert_eq!(file.get("host/other").expect("readable"), Some(5));
        let files = fs::read_dir(folder.path().join("state")).expect("files").count();
        assert_eq!(files, 1, "nothing is left beside the file");
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file: BucketFile<u32> = BucketFile::in_directory(folder.path(), "f.json");
        for text in ["{\"version\":1,", "{\"version\":2,\"buckets\":{}}", "\u{0}"] {
            fs::write(&file.path, text).expect("written");
            assert!(file.get("b").is_err(), "{text:?}");
            assert!(file.set("b", 1).is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(&file.path).expect("the file"), text, "nothing is overwritten");
        }
    }
}
