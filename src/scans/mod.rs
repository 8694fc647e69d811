//! Kept scans: a complete listing in a Parquet file, to show at the next start, to compare with, to look into offline.
//!
//! One row for each object, in the order of the keys:
//!
//! ```text
//! key            BYTE_ARRAY, required             the exact bytes
//! size           INT64 (unsigned), required       bytes
//! etag           BYTE_ARRAY (string), required    without quotes; empty if the store gave none
//! last_modified  INT64 (milliseconds, UTC), optional
//! storage_class  BYTE_ARRAY (string), required    STANDARD where the store named none
//! ```
//!
//! The file's key-value metadata says what was listed, when and how ([`ScanHeader`]). Its last entry, `bucketree.sha256`, is
//! the SHA-256 of the whole file in which the 64 digits of this entry are zeros: whoever reads a scan here finds every
//! byte as it was written, or is refused. Any other Parquet reader can read the rows and ignore all that.

mod header;
mod read;
mod seal;
mod shelf;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use header::ScanHeader;
pub use read::{read, read_header};
pub use shelf::{KeptScan, Shelf};
pub use write::{write_bytes, write_new};

/// The columns as Parquet names them.
const SCHEMA: &str = "message scan {
    required binary key;
    required int64 size (INTEGER(64,false));
    required binary etag (STRING);
    optional int64 last_modified (TIMESTAMP(MILLIS,true));
    required binary storage_class (STRING);
}";

/// Why a scan could not be kept or read back.
#[derive(Debug, thiserror::Error)]
pub enum ScanFileError {
    /// The disk or the file system refuses: full, read-only, no permission, no such file.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what this program wrote: cut off, edited, of another version, or something else altogether.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is a file of this name, which is not to be replaced.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// It is larger than whoever asked for it can take.
    #[error("it has {bytes} bytes, and one request writes at most {most}")]
    TooLarge {
        /// Bytes of the scan.
        bytes: u64,
        /// Bytes that are taken.
        most: u64,
    },
    /// No kept scan has this id, or several begin with it.
    #[error("{0}")]
    NoSuchScan(String),
}

impl ScanFileError {
    fn damaged(path: &Path, why: impl ToString) -> Self {
        Self::Damaged { path: path.to_path_buf(), why: why.to_string() }
    }
}

fn disk(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ScanFileError + use<> {
    let path = path.to_path_buf();
    move |source| ScanFileError::Disk { action, path, source }
}
