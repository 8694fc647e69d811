//! The seal: a digest of the whole file that stands within the file.
//!
//! Parquet has no checksum of its metadata, and those of its pages are optional. The digest is written as the last entry of
//! the key-value metadata, first as zeros and then, when all of the file is there, in their place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use memchr::memmem;
use sha2::{Digest, Sha256};

/// The entry's name.
pub(super) const NAME: &str = "bucketree.sha256";

/// What stands in the digest's place while the digest is taken.
pub(super) const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How the entry goes on after its name in Thrift's compact protocol: field 2, a string of 64 bytes.
const VALUE: [u8; 2] = [0x18, 64];

/// How every Parquet file ends; before it stands the length of the metadata in four bytes.
const END: &[u8] = b"PAR1";

const NOT_PARQUET: &str = "it is no whole Parquet file";

/// Why a file has no good seal.
pub(super) enum Unsealed {
    /// It could not be read or written.
    Disk(io::Error),
    /// It is not the file that was written.
    Broken(&'static str),
}

impl From<io::Error> for Unsealed {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Writes the digest of a file that is otherwise finished into its place.
pub(super) fn seal(file: &mut File) -> Result<(), Unsealed> {
    let (at, _) = place(file)?;
    let digest = digest(file, at)?;
    file.seek(SeekFrom::Start(at))?;
    Ok(file.write_all(digest.as_bytes())?)
}

/// Whether every byte of the file is as it was when it was sealed.
pub(super) fn check(file: &mut File) -> Result<(), Unsealed> {
    let (at, found) = place(file)?;
    match digest(file, at)?.as_bytes() == found {
        true => Ok(()),
        false => Err(Unsealed::Broken("it was changed after it was written")),
    }
}

/// Where the digest stands, and what stands there.
fn place(file: &mut File) -> Result<(u64, Vec<u8>), Unsealed> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = [0; 8];
    let end = length.checked_sub(8).ok_or(Unsealed::Broken(NOT_PARQUET))?;
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let start = end.checked_sub(u64::from(u32::from_le_bytes([a, b, c, d]))).ok_or(Unsealed::Broken(NOT_PARQUET))?;
    if magic != END {
        return Err(Unsealed::Broken(NOT_PARQUET));
    }
    file.seek(SeekFrom::Start(start))?;
    let mut metadata = Vec::new();
    file.take(end - start).read_to_end(&mut metadata)?;
    let entry = [NAME.as_bytes(), &VALUE].concat();
    let unsealed = Unsealed::Broken("it is no scan of bucketree, or another program has written it anew");
    let Some(at) = memmem::rfind(&metadata, &entry).map(|at| at + entry.len()) else { return Err(unsealed) };
    match metadata.get(at..at + BLANK.len()) {
        Some(found) => Ok((start + at as u64, found.to_vec())),
        None => Err(unsealed),
    }
}

/// The digest of a file with zeros at `blank`.
fn digest(file: &mut File, blank: u64) -> io::Result<String> {
    let mut hash = Hash(Sha256::new());
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut file.take(blank), &mut hash)?;
    hash.write_all(BLANK.as_bytes())?;
    file.seek(SeekFrom::Start(blank + BLANK.len() as u64))?;
    io::copy(file, &mut hash)?;
    Ok(hash.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
