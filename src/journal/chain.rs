//! A checksum on every line that also covers all lines before it, so that an edit, a lost line or a torn tail shows.
//!
//! A line is `<64 hex digits> <JSON>\n`; the digits are SHA-256 over the digest of the line before (for the first line
//! over the run's id) followed by the JSON.

use sha2::{Digest, Sha256};

/// The chain so far.
#[derive(Clone, Debug)]
pub struct Chain {
    last: [u8; 32],
}

/// What is wrong with a line, for a person.
impl std::fmt::Display for BrokenLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BrokenLine::Torn => f.write_str("the line was not written to its end"),
            BrokenLine::Mismatch => f.write_str("the checksum does not match: the file was changed or damaged"),
            BrokenLine::Unreadable(why) => f.write_str(why),
        }
    }
}

/// Whether a line, with its newline, has the shape of a sealed one, whatever its digest. A write that was cut short
/// never leaves such a line.
pub fn looks_sealed(line: &str) -> bool {
    let parts = line.strip_suffix('\n').and_then(|body| body.split_once(' '));
    parts.is_some_and(|(digest, json)| {
        digest.len() == 64
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
            && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
    })
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

    /// The line for the next record, which is JSON without a newline.
    pub fn seal(&mut self, json: &str) -> String {
        self.advance(json.as_bytes());
        format!("{} {json}\n", hex(&self.last))
    }

    /// Reads the next line, with its newline, with a reader of its JSON.
    ///
    /// # Errors
    /// [`BrokenLine`]; the chain then stays where it was.
    pub fn open<T>(&mut self, line: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, BrokenLine> {
        let body = line.strip_suffix('\n').ok_or(BrokenLine::Torn)?;
        let (digest, json) = body.split_once(' ').ok_or(BrokenLine::Mismatch)?;
        let mut next = self.clone();
        next.advance(json.as_bytes());
        if digest != hex(&next.last) {
            return Err(BrokenLine::Mismatch);
        }
        let value = read(json).map_err(BrokenLine::Unreadable)?;
        *self = next;
        Ok(value)
    }

    /// The digest of the last line, in hexadecimal: it covers all lines.
    pub fn seal_of_all(&self) -> String {
        hex(&self.last)
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
