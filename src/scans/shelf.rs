//! Where the scans of one bucket are kept: a folder of the state folder, one file for each scan, the oldest removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::write::{fill, persist, temporary};
use super::{ScanFileError, ScanHeader, disk};
use crate::domain::inventory::Inventory;
use crate::store::StoreIdentity;

/// How kept scans end.
const SUFFIX: &str = ".parquet";

/// A file that is not whole after so long belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// One kept scan. That it is there says nothing of what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeptScan {
    /// UUIDv7.
    pub id: String,
    /// The file.
    pub path: PathBuf,
}

/// The kept scans of one bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf of a bucket in a state folder; nothing is read or made yet.
    pub fn of(state: &Path, at: &StoreIdentity) -> Self {
        // Two buckets of one name at two endpoints, and names that no file system takes.
        let digest: String = Sha256::digest(at.name()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = at.bucket.chars().take(63).map(plain).collect();
        Self { folder: state.join("scans").join(format!("{name}-{digest}")) }
    }

    /// Keeps a scan and removes the oldest beyond the `most` newest.
    ///
    /// # Errors
    /// [`ScanFileError::Disk`]; nothing half is left under a name that is looked for.
    pub fn keep(&self, inventory: &Inventory, header: &ScanHeader, most: usize) -> Result<KeptScan, ScanFileError> {
        fs::create_dir_all(&self.folder).map_err(disk("make the folder", &self.folder))?;
        let path = self.folder.join(format!("{}{SUFFIX}", header.id));
        let file = temporary().tempfile_in(&self.folder).map_err(disk("make a file in", &self.folder))?;
        persist(fill(file, inventory, header)?, &path, &self.folder)?;
        self.prune(most)?;
        Ok(KeptScan { id: header.id.clone(), path })
    }

    /// Every kept scan, the newest first.
    ///
    /// # Errors
    /// [`ScanFileError::Disk`].
    pub fn list(&self) -> Result<Vec<KeptScan>, ScanFileError> {
        let failed = || disk("read the folder", &self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed())?,
        };
        let mut scans = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed())?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(id) = name.filter(|id| !id.starts_with('.')) {
                scans.push(KeptScan { id: id.to_owned(), path: path.clone() });
            }
        }
        scans.sort_by(|one, other| other.cmp(one));
        Ok(scans)
    }

    /// The kept scan that is meant: `last`, `previous` (the one before it), or the beginning of an id.
    ///
    /// # Errors
    /// [`ScanFileError::NoSuchScan`], [`ScanFileError::Disk`].
    pub fn find(&self, meant: &str) -> Result<KeptScan, ScanFileError> {
        let scans = self.list()?;
        let found: Vec<&KeptScan> = match meant {
            "last" => scans.iter().take(1).collect(),
            "previous" => scans.iter().skip(1).take(1).collect(),
            id => scans.iter().filter(|scan| !id.is_empty() && scan.id.starts_with(id)).collect(),
        };
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] if scans.is_empty() => Err(ScanFileError::NoSuchScan("no scan of this bucket is kept".into())),
            [] => Err(ScanFileError::NoSuchScan(format!("no kept scan of this bucket is {meant:?}"))),
            _ => Err(ScanFileError::NoSuchScan(format!("the ids of {} kept scans begin with {meant:?}", found.len()))),
        }
    }

    fn prune(&self, most: usize) -> Result<(), ScanFileError> {
        for scan in self.list()?.into_iter().skip(most) {
            remove(&scan.path)?;
        }
        for entry in fs::read_dir(&self.folder).map_err(disk("read the folder", &self.folder))?.flatten() {
            let is_part = entry.file_name().to_str().is_some_and(|name| name.ends_with(".part"));
            let written = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::now());
            if is_part && written.elapsed().is_ok_and(|age| age > ABANDONED) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// Another process may have been faster.
fn remove(path: &Path) -> Result<(), ScanFileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk("remove", path)(error)),
        _ => Ok(()),
    }
}
