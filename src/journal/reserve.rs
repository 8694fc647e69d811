//! Room on the disk for what must still be written when there is none left: the outcomes of requests that were announced.
//!
//! Before a request is announced, a file beside the journal is made as large as the outcomes of all announced rows can
//! become. If the disk is full when an outcome is to be written, that file is removed and the outcome takes its room;
//! nothing more is announced then. The file is filled with noise, since a file system may keep zeros in no room at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

/// The most bytes of one row's outcome: number, name, the store's words, and a reason, whose parts are cut where the
/// store's answers are read.
const PER_ROW: u64 = 1024;

/// Room for the records at the end of a run.
const AT_THE_END: u64 = 64 * 1024;

/// Bytes of noise that are written at a time.
const PIECE: usize = 64 * 1024;

/// The room that is kept.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    file: Option<File>,
    held: u64,
    /// It was given up: the disk is full.
    spent: bool,
}

impl Reserve {
    /// Nothing is kept yet. What an earlier run left is made use of.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, file: None, held: 0, spent: false }
    }

    /// Makes sure that the outcomes of so many rows have room.
    ///
    /// # Errors
    /// There is none, or there was none before.
    pub(super) fn hold(&mut self, rows: usize) -> io::Result<()> {
        let wanted = AT_THE_END + PER_ROW * rows as u64;
        if self.spent {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk was full before"));
        }
        if wanted <= self.held {
            return Ok(());
        }
        match self.grow(wanted) {
            // A limit on the size of files says nothing of the room on the disk.
            Err(error) if error.kind() != io::ErrorKind::FileTooLarge => Err(error),
            _ => {
                self.held = wanted;
                Ok(())
            }
        }
    }

    fn grow(&mut self, wanted: u64) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
                none.insert(file)
            }
        };
        file.seek(SeekFrom::Start(self.held))?;
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15 ^ self.held);
        let mut piece = [0; PIECE];
        let mut written = self.held;
        while written < wanted {
            let length = usize::try_from(wanted - written).unwrap_or(PIECE).min(PIECE);
            noise.fill(&mut piece[..length]);
            file.write_all(&piece[..length])?;
            written += length as u64;
        }
        file.sync_all()
    }

    /// Gives the room up, once; whether there was any.
    pub(super) fn give_up(&mut self) -> bool {
        let had_some = !self.spent && self.held > 0;
        self.spent = true;
        self.remove();
        had_some
    }

    fn remove(&mut self) {
        self.file = None;
        self.held = 0;
        let _ = std::fs::remove_file(&self.path); // what cannot be removed only takes room
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Bytes that no file system makes smaller (xorshift64*).
struct Noise(u64);

impl Noise {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_with_what_is_announced_and_goes_when_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let size = || std::fs::metadata(&path).map_or(0, |file| file.len());
        let mut reserve = Reserve::at(path.clone());
        assert_eq!(size(), 0);
        for (rows, expected) in [(1, 65), (1000, 1064), (10, 1064)] {
            reserve.hold(rows).unwrap();
            assert_eq!(size(), expected * 1024, "{rows}");
        }
        let noise = std::fs::read(&path).unwrap();
        assert!(noise.chunks(8).filter(|word| word.iter().all(|byte| *byte == 0)).count() < 2, "zeros take no room");
        assert!(reserve.give_up() && !path.exists());
        assert!(!reserve.give_up() && reserve.hold(1).is_err(), "what was given up is not promised again");
        let mut other = Reserve::at(path.clone());
        other.hold(1).unwrap();
        drop(other);
        assert!(!path.exists());
    }
}
