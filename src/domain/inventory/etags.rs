//! Entity tags in 18 bytes each: nearly all are 32 hexadecimal digits, some with the number of parts of an upload behind.

use std::fmt;

use super::super::ETag;

/// Stands in `parts` for a tag that is kept as it was written.
const VERBATIM: u16 = u16::MAX;

/// An entity tag as it is kept. Two are equal only if their texts are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CompactETag<'a> {
    /// 32 lower-case hexadecimal digits, and `-N` if `parts` is not zero.
    Digest {
        /// The digits, two to a byte.
        bytes: [u8; 16],
        /// The number behind the dash; 0 if there is none.
        parts: u16,
    },
    /// Any other text; empty if the store gave no tag.
    Verbatim(&'a str),
}

impl<'a> CompactETag<'a> {
    /// Packs the tag if it has the usual form.
    pub fn new(tag: &'a ETag) -> Self {
        let text = tag.as_str();
        Self::digest(text.as_bytes()).unwrap_or(CompactETag::Verbatim(text))
    }

    /// Whether the store gave no tag at all.
    pub fn is_empty(&self) -> bool {
        *self == CompactETag::Verbatim("")
    }

    /// The tag as it was.
    pub fn to_etag(&self) -> ETag {
        match self {
            CompactETag::Verbatim(text) => ETag::new(text),
            CompactETag::Digest { .. } => ETag::new(&self.to_string()),
        }
    }

    fn digest(text: &[u8]) -> Option<Self> {
        let (digits, suffix) = text.split_at_checked(32)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        let parts = if suffix.is_empty() { 0 } else { part_count(suffix.strip_prefix(b"-")?)? };
        Some(CompactETag::Digest { bytes, parts })
    }
}

impl fmt::Display for CompactETag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompactETag::Verbatim(text) => f.write_str(text),
            CompactETag::Digest { bytes, parts } => {
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                if *parts > 0 { write!(f, "-{parts}") } else { Ok(()) }
            }
        }
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A decimal number that is written in the one way in which it will be written again.
fn part_count(digits: &[u8]) -> Option<u16> {
    if digits.first().is_none_or(|first| !matches!(first, b'1'..=b'9')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|parts| *parts < VERBATIM)
}

/// The tags of one chunk.
#[derive(Clone, Default, Debug)]
pub(super) struct ETagColumn {
    /// The digest, or offset and length (4 bytes each, little endian) in `texts`.
    digests: Vec<[u8; 16]>,
    parts: Vec<u16>,
    texts: String,
}

impl ETagColumn {
    pub(super) fn push(&mut self, tag: &ETag) {
        let (digest, parts) = match CompactETag::new(tag) {
            CompactETag::Digest { bytes, parts } => (bytes, parts),
            CompactETag::Verbatim(text) => {
                let mut place = [0; 16];
                place[..4].copy_from_slice(&(self.texts.len() as u32).to_le_bytes());
                place[4..8].copy_from_slice(&(text.len() as u32).to_le_bytes());
                self.texts.push_str(text);
                (place, VERBATIM)
            }
        };
        self.digests.push(digest);
        self.parts.push(parts);
    }

    pub(super) fn get(&self, at: usize) -> CompactETag<'_> {
        let bytes = self.digests[at];
        match self.parts[at] {
            VERBATIM => {
                let number = |from: usize| {
                    u32::from_le_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]]) as usize
                };
                CompactETag::Verbatim(&self.texts[number(0)..number(0) + number(4)])
            }
            parts => CompactETag::Digest { bytes, parts },
        }
    }

    pub(super) fn shrink(&mut self) {
        self.digests.shrink_to_fit();
        self.parts.shrink_to_fit();
        self.texts.shrink_to_fit();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.digests.capacity() * 16 + self.parts.capacity() * 2 + self.texts.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, packed: bool) {
        let tag = ETag::new(text);
        let mut column = ETagColumn::default();
        column.push(&ETag::new("other"));
        column.push(&tag);
        column.push(&ETag::new(""));
        assert_eq!(column.get(1).to_etag(), tag);
        assert_eq!(column.get(1), CompactETag::new(&tag));
        assert_eq!(matches!(column.get(1), CompactETag::Digest { .. }), packed, "{text}");
        assert!(column.get(2).is_empty());
    }

    #[test]
    fn every_tag_comes_back_as_it_was() {
        check("d41d8cd98f00b204e9800998ecf8427e", true);
        check("\"d41d8cd98f00b204e9800998ecf8427e\"", true);
        check("d41d8cd98f00b204e9800998ecf8427e-1", true);
        check("d41d8cd98f00b204e9800998ecf8427e-10000", true);
        check("d41d8cd98f00b204e9800998ecf8427e-65535", false);
        check("d41d8cd98f00b204e9800998ecf8427e-0", false);
        check("d41d8cd98f00b204e9800998ecf8427e-01", false);
        check("d41d8cd98f00b204e9800998ecf8427e-+1", false);
        check("d41d8cd98f00b204e9800998ecf8427e-", false);
        check("d41d8cd98f00b204e9800998ecf8427e1", false);
        check("D41D8CD98F00B204E9800998ECF8427E", false);
        check("d41d8cd98f00b204e9800998ecf8427", false);
        check("W/\"caf\u{e9}\"", false);
        check("", false);
    }
}
