//! What is written down: plan files, and the append-only record of each run.
//!
//! One folder per run in the state folder, named by the run's id (UUIDv7), holds
//!
//! - `plan.jsonl`: the plan as it was confirmed ([`plan_file`]);
//! - `journal.jsonl`: one [`record::Record`] per line, each written and fsynced before what it announces ([`Journal`]);
//! - `rows-to-remove.jsonl`: tracked keys proved gone, where the registry cannot be changed from here.

mod bucket_file;
pub mod capabilities;
pub mod chain;
pub mod keys;
pub mod plan_file;
pub mod record;
pub mod runs;
pub mod scans;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chain::Chain;
use record::Record;

/// Why something could not be written down or read back.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk or the file system refuses: full, read-only, no permission.
    #[error("{action} {}: {source}", path.display())]
    Disk {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what this program wrote: edited, torn, or of another version.
    #[error("{}, line {line}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such run.
    #[error("there is no run {0}; `bucketree runs` lists them")]
    NoSuchRun(String),
}

pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> JournalError {
    let path = path.to_path_buf();
    move |source| JournalError::Disk { action, path, source }
}

/// The open journal of one run. A record is on the disk when [`Journal::append`] returns.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    chain: Chain,
}

impl Journal {
    /// Makes the run's folder with a copy of the plan, and opens an empty journal in it; all of it is on the disk on return.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn create(runs: &Path, run: &str, plan_text: &[u8]) -> Result<Self, JournalError> {
        let folder = runs.join(run);
        std::fs::create_dir_all(runs).map_err(disk("cannot create the folder", runs))?;
        std::fs::create_dir(&folder).map_err(disk("cannot create the folder", &folder))?;
        let plan_path = folder.join(runs::PLAN);
        write_synced(&plan_path, plan_text)?;
        let path = folder.join(runs::JOURNAL);
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)
            .map_err(disk("cannot create the journal", &path))?;
        file.sync_all().map_err(disk("cannot write the journal", &path))?;
        sync_folder(&folder)?;
        sync_folder(runs)?;
        Ok(Self { file, path, chain: Chain::start(run) })
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one record and waits until it is on the disk.
    ///
    /// # Errors
    /// [`JournalError::Disk`]: nothing that the record announces may be done then.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        let line = self.chain.seal(record);
        self.file.write_all(line.as_bytes()).map_err(disk("cannot write the journal", &self.path))?;
        self.file.sync_data().map_err(disk("cannot write the journal", &self.path))
    }
}

/// Writes a whole new file and waits until it is on the disk.
///
/// # Errors
/// [`JournalError::Disk`]; also if the file exists.
pub fn write_synced(path: &Path, content: &[u8]) -> Result<(), JournalError> {
    let mut file = OpenOptions::new().create_new(true).write(true).open(path).map_err(disk("cannot create", path))?;
    file.write_all(content).map_err(disk("cannot write", path))?;
    file.sync_all().map_err(disk("cannot write", path))
}

/// Waits until the names in a folder are on the disk; on systems that cannot open folders there is nothing to wait for.
fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    match File::open(folder) {
        Ok(file) if cfg!(unix) => file.sync_all().map_err(disk("cannot write the folder", folder)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
