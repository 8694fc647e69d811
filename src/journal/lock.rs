//! One run at a time on one bucket, on this machine: a lock of the operating system on a file in the folder of the runs.
//! It goes with the process that holds it, however that ends, so no lock is ever stale. Who holds it is written in a file
//! beside it, since some systems do not let a locked file be read.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::hex;
use super::{JournalError, disk, replace_synced};

/// Who holds a lock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Name of the machine; a folder of runs may be shared.
    pub host: String,
    /// The account, as the system names it.
    pub operator: String,
    /// The run.
    pub run: String,
    /// Since when (RFC 3339).
    pub since: String,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {}, process {} of {} on {}, since {}", self.run, self.pid, self.operator, self.host, self.since)
    }
}

impl Owner {
    /// It as it is written down.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // strings and numbers always serialize
    }

    /// This process, about to carry out `run`.
    pub fn this(run: &str, since: String) -> Self {
        Self { pid: std::process::id(), host: host(), operator: operator(), run: run.into(), since }
    }
}

/// The account that runs the program, as its environment names it.
pub fn operator() -> String {
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "unknown".into())
}

/// The name of this machine, as far as it is known.
pub fn host() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let read =
        || ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(|file| std::fs::read_to_string(file).ok());
    named.or_else(read).map_or_else(|| "this machine".into(), |name| name.trim().to_owned())
}

/// Held as long as it lives.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another run is under way on this bucket: {}", .0.as_ref().map_or_else(|| "its owner is not known".into(), Owner::to_string))]
    Held(Option<Owner>),
    /// It cannot be taken.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The lock's file, and the file that says who holds it.
fn files(runs: &Path, endpoint: &str, bucket: &str) -> (PathBuf, PathBuf) {
    let place = Sha256::new().chain_update(endpoint).chain_update([0]).chain_update(bucket).finalize();
    let name = &hex(&place)[..16];
    (runs.join(format!("{name}.lock")), runs.join(format!("{name}.owner")))
}

/// Takes the lock of a bucket for `owner`, at once or not at all.
///
/// # Errors
/// [`LockError::Held`] with who holds it; [`LockError::Journal`] if the folder cannot be written.
pub fn take(runs: &Path, endpoint: &str, bucket: &str, owner: &Owner) -> Result<RunLock, LockError> {
    std::fs::create_dir_all(runs).map_err(disk("cannot create the folder", runs))?;
    let (lock, said) = files(runs, endpoint, bucket);
    let options = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
    let file = options.map_err(disk("cannot open the lock", &lock))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_owner(&said))),
        Err(TryLockError::Error(error)) => return Err(disk("cannot take the lock", &lock)(error).into()),
    }
    replace_synced(&said, owner.to_json().as_bytes())?;
    Ok(RunLock { _file: file })
}

/// Who holds the lock of a bucket now; `None` if nobody does.
pub fn holder(runs: &Path, endpoint: &str, bucket: &str) -> Option<Owner> {
    let (lock, said) = files(runs, endpoint, bucket);
    let file = File::open(&lock).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read_owner(&said),
        _ => None,
    }
}

fn read_owner(file: &Path) -> Option<Owner> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_51_a_second_run_on_a_bucket_is_told_who_has_it() {
        let runs = tempfile::tempdir().unwrap();
        let owner = Owner::this("run-1", "2026-01-01T00:00:00Z".into());
        let held = take(runs.path(), "http://h", "media", &owner).unwrap();
        let again = take(runs.path(), "http://h", "media", &Owner::this("run-2", String::new())).unwrap_err();
        assert!(matches!(&again, LockError::Held(Some(who)) if *who == owner), "{again}");
        let pid = std::process::id().to_string();
        assert!(again.to_string().contains("run-1") && again.to_string().contains(&pid), "{again}");
        assert_eq!(holder(runs.path(), "http://h", "media"), Some(owner));
        drop(held);
        assert_eq!(holder(runs.path(), "http://h", "media"), None);
        take(runs.path(), "http://h", "media", &Owner::this("run-2", String::new())).unwrap();
    }

    #[test]
    fn other_buckets_are_free() {
        let runs = tempfile::tempdir().unwrap();
        let owner = Owner::this("run-1", String::new());
        let _held = take(runs.path(), "http://h", "media", &owner).unwrap();
        take(runs.path(), "http://h", "other", &owner).unwrap();
        take(runs.path(), "http://other", "media", &owner).unwrap();
    }
}
