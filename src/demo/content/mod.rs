//! What the sample objects hold: real media of any size that no memory is spent on.
//!
//! A body is a small valid file and filling that its format allows (empty boxes, comments, silence), described by a few
//! [`Piece`]s and written out only when somebody reads it.

mod media;

#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;

/// The largest run of bytes that a [`Reader`] yields at once.
const RUN: u64 = 64 * 1024;

/// What kind of file a sample object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A picture.
    Png,
    /// A photograph.
    Jpeg,
    /// Silence, of the length that its size makes it.
    Mp3,
    /// A clip of a second.
    Mp4,
    /// One JSON object.
    Json,
    /// Lines of text; of any size, empty included.
    Text,
}

impl Kind {
    /// The kind by the ending of a key; text if it says nothing.
    pub(super) fn of_key(key: &str) -> Self {
        match key.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "png" => Self::Png,
            "jpg" | "jpeg" => Self::Jpeg,
            "mp3" => Self::Mp3,
            "mp4" => Self::Mp4,
            "json" => Self::Json,
            _ => Self::Text,
        }
    }

    /// The media type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Mp3 => "audio/mpeg",
            Self::Mp4 => "video/mp4",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The smallest size, in bytes, from which on every size can be made.
    pub(super) fn smallest(self) -> u64 {
        match self {
            Self::Png => media::SMALLEST_PNG,
            Self::Jpeg => media::SMALLEST_JPEG,
            Self::Mp3 => media::SMALLEST_MP3,
            Self::Mp4 => media::SMALLEST_MP4,
            Self::Json => media::SMALLEST_JSON,
            Self::Text => 0,
        }
    }
}

/// A sample body: equal values have equal bytes, and different tags different ones (but for the smallest texts).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SampleBody {
    pub(super) kind: Kind,
    /// Bytes; at least [`Kind::smallest`].
    pub(super) size: u64,
    /// What tells this body from others, and its ETag.
    pub(super) tag: u128,
}

impl SampleBody {
    /// Reads `range` of the body, which must lie in `0..size`.
    pub(super) fn read(&self, range: Range<u64>) -> Reader {
        Reader::new(media::pieces(self), range)
    }

    /// The ETag without quotes. Written like that of a multipart upload, so that no client takes it for an MD5.
    pub(super) fn etag(&self) -> String {
        /// What upload tools commonly use: 8 MiB a part.
        const PART: u64 = 8 * 1024 * 1024;
        format!("{:032x}-{}", self.tag, self.size.div_ceil(PART).max(1))
    }
}

/// A part of a body.
#[derive(Clone, Debug)]
enum Piece {
    /// These bytes.
    Bytes(Bytes),
    /// `length` bytes of `pattern` again and again; the pattern must not be empty.
    Fill { pattern: Bytes, length: u64 },
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Fill { length, .. } => *length,
        }
    }

    /// The bytes of `range`, which must lie within the piece.
    fn slice(&self, range: Range<u64>) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.slice(range.start as usize..range.end as usize),
            Self::Fill { pattern, .. } => {
                let wanted = (range.end - range.start) as usize;
                let phase = (range.start % pattern.len() as u64) as usize;
                let mut run = Vec::with_capacity(wanted + pattern.len());
                run.extend_from_slice(&pattern[phase..]);
                while run.len() < wanted {
                    run.extend_from_slice(pattern);
                }
                run.truncate(wanted);
                Bytes::from(run)
            }
        }
    }
}

/// Yields a range of a body, run by run.
#[derive(Debug)]
pub(super) struct Reader {
    pieces: std::vec::IntoIter<Piece>,
    current: Option<Piece>,
    /// Bytes of the current piece that are already read or skipped.
    at: u64,
    /// Bytes still to be yielded.
    left: u64,
}

impl Reader {
    fn new(pieces: Vec<Piece>, range: Range<u64>) -> Self {
        let mut pieces = pieces.into_iter();
        let mut at = range.start;
        let mut current = pieces.next();
        while let Some(piece) = &current {
            if at < piece.length() {
                break;
            }
            at -= piece.length();
            current = pieces.next();
        }
        Self { pieces, current, at, left: range.end.saturating_sub(range.start) }
    }
}

impl Iterator for Reader {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while self.left > 0 {
            let piece = self.current.as_ref()?;
            let wanted = RUN.min(self.left).min(piece.length() - self.at);
            if wanted == 0 {
                self.current = self.pieces.next();
                self.at = 0;
                continue;
            }
            let run = piece.slice(self.at..self.at + wanted);
            self.at += wanted;
            self.left -= wanted;
            return Some(run);
        }
        None
    }
}
