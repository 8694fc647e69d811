//! The log of ended uploads (`uploads.jsonl` in the state folder): what was about to be sent, then what came of it. Append-only,
//! each line on the disk before the next step.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::keys::KeyFields;
use super::{JournalError, disk};
use crate::domain::{Key, Timestamp};

/// The log, open for appending.
#[derive(Debug)]
pub struct UploadLog {
    file: File,
    path: PathBuf,
    bucket: String,
}

/// One line.
#[derive(Serialize)]
struct Line<'l> {
    at: String,
    bucket: &'l str,
    #[serde(flatten)]
    key: KeyFields,
    upload: &'l str,
    event: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'l str>,
}

impl UploadLog {
    /// Opens the log of a state folder for a bucket (any text that names endpoint and bucket).
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn open(state: &Path, bucket: &str) -> Result<Self, JournalError> {
        std::fs::create_dir_all(state).map_err(disk("cannot create the folder", state))?;
        let path = state.join("uploads.jsonl");
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(disk("cannot open", &path))?;
        Ok(Self { file, path, bucket: bucket.to_owned() })
    }

    /// Writes one line and waits until it is on the disk. `event` is intent, aborted, absent or unknown.
    ///
    /// # Errors
    /// [`JournalError::Disk`]: nothing that the line announces may be done then.
    pub fn write(
        &mut self,
        at: Timestamp,
        key: &Key,
        upload: &str,
        event: &str,
        why: Option<&str>,
    ) -> Result<(), JournalError> {
        let line = Line { at: at.to_string(), bucket: &self.bucket, key: key.into(), upload, event, why };
        let text = serde_json::to_string(&line)
            .map_err(|error| disk("cannot write", &self.path)(std::io::Error::other(error)))?;
        let written = self.file.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(disk("cannot write", &self.path))
    }
}
