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
