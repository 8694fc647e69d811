//! What is written down: plan files, and the append-only record of each run.
//!
//! One folder per run in the state folder, named by the run's id (UUIDv7), holds
//!
//! - `plan.jsonl`: the plan as it was confirmed ([`plan_file`]);
//! - `journal.jsonl`: one [`record::Record`] per line, each written and fsynced before what it announces ([`Journal`]); a
//!   run that is resumed goes on in the same file;
//! - `rows.jsonl`: the tracking rows that the run takes out of the registry, whole ([`kept_rows`]);
//! - `rows-to-remove.jsonl`: tracked keys proved gone, where the registry cannot be changed from here.

mod bucket_file;
pub mod bundle;
pub mod capabilities;
pub mod chain;
pub mod failpoint;
pub mod group;
pub mod kept_rows;
pub mod keys;
pub mod lock;
pub mod plan_file;
pub mod record;
pub mod runs;
pub mod scans;
pub mod sightings;
pub mod uploads;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chain::Chain;
use record::Record;
use runs::PastRun;

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
    /// Somebody else changed, cut or removed the journal while the run was writing it.
    #[error("{}: somebody else changed or removed it during the run", .0.display())]
    Touched(PathBuf),
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
    /// Bytes of whole records.
    whole: u64,
    /// A record could not be written: what is on the disk behind the whole ones is not known, so nothing may follow it.
    failed: bool,
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
        Ok(Self { file, path, chain: Chain::start(run), whole: 0, failed: false })
    }

    /// Opens the journal of an earlier run to go on in it, and what it tells. A last line that was not written to its end
    /// is cut off: what it was to announce was never done.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] if the file was changed or is damaged before its end; [`JournalError::Disk`];
    /// [`JournalError::NoSuchRun`].
    pub fn reopen(runs: &Path, run: &str) -> Result<(Self, PastRun), JournalError> {
        let past = runs::open(runs, run)?;
        past.check_chain()?;
        let path = past.folder.join(runs::JOURNAL);
        let file = OpenOptions::new().append(true).open(&path).map_err(disk("cannot open the journal", &path))?;
        if past.torn {
            file.set_len(past.whole).map_err(disk("cannot cut the torn end off", &path))?;
            file.sync_all().map_err(disk("cannot write the journal", &path))?;
        }
        Ok((Self { file, path, chain: past.chain.clone(), whole: past.whole, failed: false }, past))
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one record and waits until it is on the disk. After a failure nothing more is written.
    ///
    /// # Errors
    /// [`JournalError::Disk`], [`JournalError::Touched`]: nothing that the record announces may be done then.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Writes records in their order, and waits once until all of them are on the disk.
    ///
    /// # Errors
    /// As [`Journal::append`], for all of them.
    pub fn append_all(&mut self, records: &[Record]) -> Result<(), JournalError> {
        if self.failed {
            let source = std::io::Error::other("an earlier record could not be written");
            return Err(JournalError::Disk { action: "cannot write the journal", path: self.path.clone(), source });
        }
        let hit = |moment| records.iter().for_each(|record| failpoint::hit(record.kind(), moment));
        hit("before");
        let written = self.write(records, hit);
        self.failed = written.is_err();
        hit("after");
        written
    }

    fn write(&mut self, records: &[Record], hit: impl Fn(&'static str)) -> Result<(), JournalError> {
        let found = self.file.metadata().map_err(disk("cannot read the journal", &self.path))?;
        if found.len() != self.whole || is_removed(&found) {
            return Err(JournalError::Touched(self.path.clone()));
        }
        let mut lines = String::new();
        for record in records {
            let line = self.chain.seal(&record.to_json());
            if failpoint::is_due(record.kind(), "half") {
                lines.push_str(&String::from_utf8_lossy(&line.as_bytes()[..line.len() / 2]));
                let _ = self.file.write_all(lines.as_bytes()); // the process ends here
                failpoint::die();
            }
            lines.push_str(&line);
        }
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| {
            hit("unsynced");
            self.file.sync_data()
        });
        if let Err(source) = written {
            // Whatever of it arrived must not stand before a later line; if it stays, the next reader cuts it off.
            let _ = self.file.set_len(self.whole);
            return Err(JournalError::Disk { action: "cannot write the journal", path: self.path.clone(), source });
        }
        self.whole += lines.len() as u64;
        Ok(())
    }
}

#[cfg(unix)]
fn is_removed(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

/// Other systems do not let an open file be removed.
#[cfg(not(unix))]
fn is_removed(_file: &std::fs::Metadata) -> bool {
    false
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

/// Writes a file in the place of another one, if there is one: whole or not at all.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn replace_synced(path: &Path, content: &[u8]) -> Result<(), JournalError> {
    let new = path.with_extension("new");
    let mut file = File::create(&new).map_err(disk("cannot create", &new))?;
    file.write_all(content).map_err(disk("cannot write", &new))?;
    file.sync_all().map_err(disk("cannot write", &new))?;
    std::fs::rename(&new, path).map_err(disk("cannot replace", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file; it is gone from the disk on return.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn remove_synced(path: &Path) -> Result<(), JournalError> {
    std::fs::remove_file(path).map_err(disk("cannot remove", path))?;
    path.parent().map_or(Ok(()), sync_folder)
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
