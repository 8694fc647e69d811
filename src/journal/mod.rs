//! What is written down: plan files, and the append-only record of each run.
//!
//! One folder per run in the state folder, named by the run's id (UUIDv7), holds
//!
//! - `plan.jsonl`: the plan as it was confirmed ([`plan_file`]);
//! - `journal.jsonl`: one [`record::Record`] per line, each written and fsynced before what it announces ([`Journal`]); a
//!   run that is resumed goes on in the same file;
//! - `journal.reserve`, while the run goes on: room for outcomes on a disk that fills up ([`Journal::append`]);
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
mod reserve;
pub mod runs;
pub mod scans;
pub mod sightings;
pub mod uploads;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chain::Chain;
use record::Record;
use reserve::Reserve;
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
    /// The account has a gap: an outcome could not be written, or what is on the disk behind the whole records is not
    /// known, so nothing may follow.
    failed: bool,
    /// Rows that were announced and have no outcome yet.
    announced: HashSet<u32>,
    /// Room for their outcomes.
    reserve: Reserve,
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
        Ok(Self::over(file, path, Chain::start(run), 0))
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
        Ok((Self::over(file, path, past.chain.clone(), past.whole), past))
    }

    fn over(file: File, path: PathBuf, chain: Chain, whole: u64) -> Self {
        let reserve = Reserve::at(path.with_file_name(runs::RESERVE));
        Self { file, path, chain, whole, failed: false, announced: HashSet::new(), reserve }
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one record and waits until it is on the disk. Before a request is announced there is room for the outcome of
    /// each of its rows; a disk that is full takes outcomes from that room, and announces nothing more. After an outcome
    /// that could not be written nothing is.
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
        let written = self.append_together(records);
        hit("after");
        written
    }

    fn append_together(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let room = match records.iter().any(Record::announces) {
            true => self.has_room(self.rows_after(records)),
            false => Ok(()),
        };
        let Err(error) = room.and_then(|()| self.write(records)) else {
            self.note(records);
            return Ok(());
        };
        // What happened is written all the same, if need be into the room that was kept for it; what was to be done is not.
        let accounts: Vec<Record> = records.iter().filter(|record| !record.announces()).cloned().collect();
        if accounts.is_empty() {
            return Err(error);
        }
        if matches!(&error, JournalError::Disk { source, .. } if is_full(source)) {
            self.reserve.give_up();
        }
        let again = self.write(&accounts);
        self.failed |= again.is_err();
        again?;
        self.note(&accounts);
        if accounts.len() == records.len() { Ok(()) } else { Err(error) }
    }

    /// Rows whose outcomes need room once these records are written.
    fn rows_after(&self, records: &[Record]) -> usize {
        let fresh: HashSet<u32> = records.iter().flat_map(announced_rows).copied().collect();
        self.announced.len() + fresh.difference(&self.announced).count()
    }

    /// Keeps account of the rows that have no outcome yet.
    fn note(&mut self, records: &[Record]) {
        for record in records {
            self.announced.extend(announced_rows(record));
            if let Record::Outcomes { rows, .. } = record {
                for end in rows {
                    self.announced.remove(&end.row);
                }
            }
        }
    }

    fn has_room(&mut self, rows: usize) -> Result<(), JournalError> {
        self.reserve.hold(rows).map_err(disk("cannot write the journal, which keeps room in", &self.path))
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let found = self.file.metadata().map_err(disk("cannot read the journal", &self.path))?;
        if found.len() != self.whole || is_removed(&found) {
            return Err(JournalError::Touched(self.path.clone()));
        }
        let mut chain = self.chain.clone();
        let (mut lines, mut full) = (String::new(), false);
        for record in records {
            let line = chain.seal(&record.to_json());
            if failpoint::is_due(record.kind(), "half") {
                lines.push_str(&String::from_utf8_lossy(&line.as_bytes()[..line.len() / 2]));
                let _ = self.file.write_all(lines.as_bytes()); // the process ends here
                failpoint::die();
            }
            full |= failpoint::is_due(record.kind(), "full");
            lines.push_str(&line);
        }
        let written = match full {
            true => Err(std::io::Error::from(std::io::ErrorKind::StorageFull)),
            false => self.file.write_all(lines.as_bytes()).and_then(|()| {
                records.iter().for_each(|record| failpoint::hit(record.kind(), "unsynced"));
                self.file.sync_data()
            }),
        };
        if let Err(source) = written {
            // Whatever of it arrived must not stand before a later line; if it stays, the next reader cuts it off.
            self.failed |= self.file.set_len(self.whole).is_err();
            return Err(JournalError::Disk { action: "cannot write the journal", path: self.path.clone(), source });
        }
        self.whole += lines.len() as u64;
        self.chain = chain;
        Ok(())
    }
}

/// The rows of which a record says that something is about to be done.
fn announced_rows(record: &Record) -> &[u32] {
    match record {
        Record::Copying { rows, .. } | Record::Intent { rows, .. } => rows,
        _ => &[],
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
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
