//! What complete scans saw of a bucket, remembered in the state folder: `sightings/NAME`, where NAME is the beginning of the
//! SHA-256 of the bucket's name among all buckets. Version 1:
//!
//! - one line of JSON: version, the bucket's name, the number of entries, and the SHA-256 (hex) of what follows;
//! - per entry 20 bytes, sorted: the id ([`crate::domain::sightings::id`]) and the time of the first sighting in whole
//!   seconds since 1970, little-endian.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::hex;
use super::{JournalError, disk, replace_synced};
use crate::domain::Timestamp;
use crate::domain::sightings::Sightings;

const VERSION: u32 = 1;
/// Bytes of an entry.
const ENTRY: usize = 20;

/// Where sightings are remembered.
#[derive(Clone, Debug)]
pub struct SightingMemory {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    bucket: String,
    entries: usize,
    digest: String,
}

impl SightingMemory {
    /// The memory of a state folder; nothing is read or made yet.
    pub fn in_directory(state: &Path) -> Self {
        Self { folder: state.join("sightings") }
    }

    fn file(&self, bucket: &str) -> PathBuf {
        self.folder.join(&hex(&Sha256::digest(bucket))[..16])
    }

    /// What was seen of `bucket` (any text that names endpoint and bucket); nothing if there was no complete scan.
    ///
    /// # Errors
    /// [`JournalError::Disk`], [`JournalError::Damaged`]: whoever asks is blind then.
    pub fn load(&self, bucket: &str) -> Result<Sightings, JournalError> {
        let path = self.file(bucket);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Sightings::default()),
            other => other.map_err(disk("cannot read", &path))?,
        };
        parse(&bytes, bucket).map_err(|why| JournalError::Damaged { path, line: 1, why })
    }

    /// Remembers what was seen in the place of what was remembered.
    ///
    /// # Errors
    /// [`JournalError::Disk`].
    pub fn save(&self, bucket: &str, sightings: &Sightings) -> Result<(), JournalError> {
        std::fs::create_dir_all(&self.folder).map_err(disk("cannot create the folder", &self.folder))?;
        let mut body = Vec::with_capacity(sightings.entries().len() * ENTRY);
        for (id, since) in sightings.entries() {
            let seconds = u32::try_from(since.0.div_euclid(1000).max(0)).unwrap_or(u32::MAX);
            body.extend_from_slice(id);
            body.extend_from_slice(&seconds.to_le_bytes());
        }
        let header = Header {
            version: VERSION,
            bucket: bucket.into(),
            entries: sightings.entries().len(),
            digest: hex(&Sha256::digest(&body)),
        };
        let mut bytes = serde_json::to_vec(&header).unwrap_or_default(); // strings and numbers always serialize
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        replace_synced(&self.file(bucket), &bytes)
    }
}

fn parse(bytes: &[u8], bucket: &str) -> Result<Sightings, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (head, body) = (&bytes[..end], &bytes[end + 1..]);
    let header: Header = serde_json::from_slice(head).map_err(|error| error.to_string())?;
    if header.version != VERSION {
        return Err(format!("its form is {}, this program knows {VERSION}", header.version));
    }
    if header.bucket != bucket {
        return Err(format!("it is of {}", header.bucket));
    }
    if body.len() != header.entries * ENTRY || hex(&Sha256::digest(body)) != header.digest {
        return Err("it is torn or was edited".into());
    }
    let entry = |entry: &[u8]| {
        let (id, seconds) = entry.split_first_chunk::<16>()?;
        let seconds = u32::from_le_bytes(*seconds.first_chunk::<4>()?);
        Some((*id, Timestamp(i64::from(seconds) * 1000)))
    };
    Ok(Sightings::new(body.chunks_exact(ENTRY).filter_map(entry).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_remembered_and_what_was_edited_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = SightingMemory::in_directory(folder.path());
        assert_eq!(memory.load("h/a").expect("readable"), Sightings::default());
        let seen = Sightings::default().after([[1; 16], [7; 16]], Timestamp(5_000));
        memory.save("h/a", &seen).expect("writable");
        assert_eq!(memory.load("h/a").expect("readable"), seen);
        assert_eq!(memory.load("h/b").expect("readable"), Sightings::default());
        let path = memory.file("h/a");
        let whole = std::fs::read(&path).expect("the file");
        let edits: [fn(&mut Vec<u8>); 4] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            |bytes| bytes.push(0),
            Vec::clear,
        ];
        for edit in edits {
            let mut bytes = whole.clone();
            edit(&mut bytes);
            std::fs::write(&path, bytes).expect("written");
            assert!(matches!(memory.load("h/a"), Err(JournalError::Damaged { .. })));
        }
    }
}
