//! One object as a listing or a HEAD describes it.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Key;

/// Milliseconds since 1970-01-01T00:00:00Z. Listings of S3 carry milliseconds, HTTP headers whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, for example `2026-11-21T10:00:00.000Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(at) = of_listing(text.as_bytes()) {
            return Some(at);
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// This moment moved by whole seconds; the end of time is where it stops.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Seconds from `earlier` to this moment, negative if it is the later one.
    pub fn seconds_since(self, earlier: Timestamp) -> i64 {
        (self.0.saturating_sub(earlier.0)) / 1000
    }

    /// Whether both are the same moment to the second: a HEAD does not carry the milliseconds of a listing.
    pub fn same_second(self, other: Timestamp) -> bool {
        self.0.div_euclid(1000) == other.0.div_euclid(1000)
    }
}

/// Reads the one form in which stores write the times of a listing, `2026-11-21T10:00:00.000Z`; `None` for any other. Ten
/// times as fast as a reader of all forms, and there is one for each object.
fn of_listing(text: &[u8]) -> Option<Timestamp> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] =
        text
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    // A leap second and the ends of months are left to the other reader.
    if year < 1 || !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years that begin in March end with the day that leap years add.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp(seconds * 1000 + number(&[f1, f2, f3])?))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        match OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}

/// An entity tag without its quotes. The MD5 of the content only for single-part uploads on some stores; on R2 multipart
/// ETags are random. Compared, never interpreted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ETag(Arc<str>);

impl ETag {
    /// Takes the tag as a store wrote it, with or without quotes.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text.trim_matches('"')))
    }

    /// The tag without quotes; empty if the store gave none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the store gave no tag at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How an object is stored, as the store names it (`STANDARD`, `STANDARD_IA`, ...).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StorageClass(Arc<str>);

impl StorageClass {
    /// A class by the store's name for it; an empty name is `STANDARD`, which stores leave out.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(if name.is_empty() { "STANDARD" } else { name }))
    }

    /// The store's name for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for StorageClass {
    fn default() -> Self {
        Self::new("")
    }
}

/// One object. Equality of `size`, `etag` and `last_modified` is what "unchanged" means between a plan and its run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// Exact key.
    pub key: Key,
    /// Bytes.
    pub size: u64,
    /// Entity tag, empty if the store gave none.
    pub etag: ETag,
    /// Last change; `None` if the store gave none or it could not be read.
    pub last_modified: Option<Timestamp>,
    /// Storage class.
    pub storage_class: StorageClass,
}

impl Object {
    /// Whether `now`, read later, is still the object that this one describes: same size, same non-empty ETag, and the
    /// same second of last change. Whatever is missing on either side counts as changed: keep by default.
    pub fn is_unchanged(&self, now: &Object) -> bool {
        self.size == now.size
            && !self.etag.is_empty()
            && self.etag == now.etag
            && matches!((self.last_modified, now.last_modified), (Some(then), Some(now)) if then.same_second(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_fast_reader_of_times_reads_what_the_other_one_reads(
            year in 1_i64..9999, month in 0_u8..14, day in 0_u8..33, hour in 0_u8..26, minute in 0_u8..61,
            second in 0_u8..62, millis in 0_u16..1000, digit in "[0-9x]",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
            let text = text.replacen('7', &digit, 1);
            let other = OffsetDateTime::parse(&text, &Rfc3339).ok();
            let other = other.map(|at| Timestamp((at.unix_timestamp_nanos() / 1_000_000) as i64));
            prop_assert_eq!(of_listing(text.as_bytes()).or(other), other, "{}", text);
            prop_assert_eq!(Timestamp::parse(&text), other);
        }
    }
}
