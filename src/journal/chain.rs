//! A checksum on every line that also covers all lines before it, so that an edit, a lost line or a torn tail shows.
//!
//! A line is `<64 hex digits> <JSON>\n`; the digits are SHA-256 over the digest of the line before (for the first line
//! over the run's id) followed by the JSON.

use sha2::{Digest, Sha256};

use super::record::Record;

/// The chain so far.
#[derive(Clone, Debug)]
pub struct Chain {
    last: [u8; 32],
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BrokenLine {
    /// It has no newline: the writer died while writing it.
    Torn,
    /// It is not what was written, or a line before it is missing.
    Mismatch,
    /// The digest is right, but this version cannot read the record.
    Unreadable(String),
}

impl Chain {
    /// The chain of a run that has no record yet.
    pub fn start(run: &str) -> Self {
        Self { last: Sha256::digest(run.as_bytes()).into() }
    }

    /// The line for the next record.
    pub fn seal(&mut self, record: &Record) -> String {
        let json = record.to_json();
        self.advance(json.as_bytes());
        format!("{} {json}\n", hex(&self.last))
    }

    /// Reads the next line, with its newline.
    ///
    /// # Errors
    /// [`BrokenLine`]; the chain then stays where it was.
    pub fn open(&mut self, line: &str) -> Result<Record, BrokenLine> {
        let body = line.strip_suffix('\n').ok_or(BrokenLine::Torn)?;
        let (digest, json) = body.split_once(' ').ok_or(BrokenLine::Mismatch)?;
        let mut next = self.clone();
        next.advance(json.as_bytes());
        if digest != hex(&next.last) {
            return Err(BrokenLine::Mismatch);
        }
        let record = Record::from_json(json).map_err(BrokenLine::Unreadable)?;
        *self = next;
        Ok(record)
    }

    fn advance(&mut self, json: &[u8]) {
        self.last = Sha256::new().chain_update(self.last).chain_update(json).finalize().into();
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
