//! Where the demo keeps its registry: a temporary folder that goes with the process. A process that was killed cleans
//! nothing up, so whoever starts a demo removes what the dead have left.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How the folders' names begin.
const PREFIX: &str = "bucketree-demo-";
/// Locked by the process that uses the folder, for as long as it lives.
const ALIVE: &str = "alive";

/// A folder of its own; dropped, it is removed.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
    /// Its lock goes with the process, however that ends.
    _alive: File,
}

impl Place {
    /// A new folder in `parent`, which is rid of those of dead processes first.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn take(parent: &Path) -> io::Result<Self> {
        left_by_the_dead(parent).into_iter().for_each(|folder| {
            let _ = fs::remove_dir_all(folder); // somebody else's folder, or somebody else was faster
        });
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Under its name only when it is locked: whoever finds it there unlocked finds a dead process.
        let unnamed = directory.path().join("new");
        let alive = File::create(&unnamed)?;
        alive.lock()?;
        fs::rename(unnamed, directory.path().join(ALIVE))?;
        Ok(Self { directory, _alive: alive })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Folders of demos whose processes are gone.
fn left_by_the_dead(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let is_ours =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_ours).filter(|path| is_dead(path)).collect()
}

/// Whether nobody holds the lock of a folder; one without a lock is left, since it may be about to get it.
fn is_dead(folder: &Path) -> bool {
    match File::open(folder.join(ALIVE)).map(|file| file.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(parent: &Path) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
    }

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Place::take(parent.path()).unwrap();
        let dead = parent.path().join("bucketree-demo-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(ALIVE), "").unwrap();
        fs::write(dead.join("registry.db"), "rows").unwrap();
        let unlocked = parent.path().join("bucketree-demo-beginning");
        fs::create_dir(&unlocked).unwrap();
        let others = parent.path().join("somebody-elses");
        fs::create_dir(&others).unwrap();
        fs::write(others.join(ALIVE), "").unwrap();

        let second = Place::take(parent.path()).unwrap();
        let mut expected = vec![living.path().to_owned(), second.path().to_owned(), unlocked, others];
        expected.sort();
        assert_eq!(folders(parent.path()), expected);
        drop(second);
        assert_eq!(folders(parent.path()).len(), 3, "a demo that ends takes its folder with it");
    }
}
