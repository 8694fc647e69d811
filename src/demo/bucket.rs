//! The objects, sorted by key, in memory: what a bucket does, without a protocol.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::content::{Reader, SampleBody};
use crate::domain::Timestamp;

/// The most entries on a page of a listing, as on S3 and R2.
pub(super) const PAGE: usize = 1000;

/// What a client put: bytes and headers.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) bytes: Bytes,
    /// MD5 of the bytes in hexadecimal digits.
    pub(super) etag: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: HashMap<String, String>,
}

/// What an object holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Sample data, made when it is read.
    Sample(SampleBody),
    /// What a client put; copies share it.
    Uploaded(Arc<Upload>),
}

/// One object without its key.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) content: Content,
    pub(super) last_modified: Timestamp,
}

impl Stored {
    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::Sample(body) => body.size,
            Content::Uploaded(upload) => upload.bytes.len() as u64,
        }
    }

    /// Without quotes.
    pub(super) fn etag(&self) -> String {
        match &self.content {
            Content::Sample(body) => body.etag(),
            Content::Uploaded(upload) => upload.etag.clone(),
        }
    }

    pub(super) fn content_type(&self) -> Option<&str> {
        match &self.content {
            Content::Sample(body) => Some(body.kind.content_type()),
            Content::Uploaded(upload) => upload.content_type.as_deref(),
        }
    }

    pub(super) fn metadata(&self) -> Option<&HashMap<String, String>> {
        match &self.content {
            Content::Uploaded(upload) if !upload.metadata.is_empty() => Some(&upload.metadata),
            _ => None,
        }
    }

    /// The bytes of `range`, which must lie within the object.
    pub(super) fn read(&self, range: std::ops::Range<u64>) -> Body {
        match &self.content {
            Content::Sample(body) => Body::Sample(body.read(range)),
            Content::Uploaded(upload) => {
                Body::Uploaded(Some(upload.bytes.slice(range.start as usize..range.end as usize)))
            }
        }
    }
}

/// The bytes of an object, run by run.
#[derive(Debug)]
pub(super) enum Body {
    Sample(Reader),
    Uploaded(Option<Bytes>),
}

impl Iterator for Body {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Sample(reader) => reader.next(),
            Self::Uploaded(bytes) => bytes.take(),
        }
    }
}

/// Where a page starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Start {
    /// At the first key.
    First,
    /// After this key.
    AfterKey(String),
    /// After every key that starts with this common prefix.
    AfterPrefix(String),
}

/// What is asked of a listing.
#[derive(Clone, Debug)]
pub(super) struct PageRequest<'a> {
    pub(super) prefix: &'a str,
    /// Keys are grouped by what they have up to and including this text after the prefix; empty for no grouping.
    pub(super) delimiter: &'a str,
    pub(super) start: Start,
    /// Keys and common prefixes together; [`PAGE`] at most.
    pub(super) most: usize,
}

/// A page of a listing, sorted.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<(String, Stored)>,
    pub(super) prefixes: Vec<String>,
    /// Where the next page starts; `None` if this is the last one.
    pub(super) next: Option<Start>,
}

impl Page {
    /// The place after the last entry.
    fn end(&self) -> Option<Start> {
        let object = self.objects.last().map(|(key, _)| key.as_str());
        match (object, self.prefixes.last()) {
            (Some(key), Some(common)) if key > common.as_str() => Some(Start::AfterKey(key.to_owned())),
            (_, Some(common)) => Some(Start::AfterPrefix(common.clone())),
            (Some(key), None) => Some(Start::AfterKey(key.to_owned())),
            (None, None) => None,
        }
    }
}

type Objects = BTreeMap<Box<str>, Stored>;

/// Whether a conditional change was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Made,
    /// The object is not as the condition wants it.
    Refused,
}

/// The bucket: a map under a lock. Every call is atomic and sees all earlier ones.
#[derive(Debug, Default)]
pub(super) struct MemoryBucket(RwLock<Objects>);

impl MemoryBucket {
    /// Takes objects in any order; of several with the same key the last stays.
    pub(super) fn filled(objects: impl IntoIterator<Item = (String, Stored)>) -> Self {
        Self(RwLock::new(objects.into_iter().map(|(key, stored)| (key.into_boxed_str(), stored)).collect()))
    }

    pub(super) fn get(&self, key: &str) -> Option<Stored> {
        self.read().get(key).cloned()
    }

    /// Stores an object if `condition` holds for what is there now.
    pub(super) fn put(&self, key: &str, stored: Stored, condition: impl FnOnce(Option<&Stored>) -> bool) -> Change {
        let mut objects = self.write();
        if !condition(objects.get(key)) {
            return Change::Refused;
        }
        objects.insert(key.into(), stored);
        Change::Made
    }

    /// Removes an object if `condition` holds for it; that it is not there is no error, as on S3.
    pub(super) fn delete(&self, key: &str, condition: impl FnOnce(&Stored) -> bool) -> Change {
        let mut objects = self.write();
        if objects.get(key).is_some_and(|stored| !condition(stored)) {
            return Change::Refused;
        }
        objects.remove(key);
        Change::Made
    }

    /// One page. Costs O(page), plus O(log n) for each common prefix, whatever the size of the bucket.
    pub(super) fn page(&self, request: &PageRequest<'_>) -> Page {
        let objects = self.read();
        let mut page = Page::default();
        let mut start = request.start.clone();
        if request.most == 0 {
            return page;
        }
        'groups: loop {
            for (key, stored) in from(&objects, request.prefix, &start) {
                let Some(rest) = key.strip_prefix(request.prefix) else { break 'groups };
                if page.objects.len() + page.prefixes.len() == request.most.min(PAGE) {
                    page.next = page.end();
                    break 'groups;
                }
                let group = (!request.delimiter.is_empty()).then(|| rest.find(request.delimiter)).flatten();
                if let Some(at) = group {
                    let common = &key[..request.prefix.len() + at + request.delimiter.len()];
                    page.prefixes.push(common.to_owned());
                    start = Start::AfterPrefix(common.to_owned());
                    continue 'groups;
                }
                page.objects.push((key.to_owned(), stored.clone()));
            }
            break;
        }
        page
    }

    fn read(&self) -> RwLockReadGuard<'_, Objects> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Objects> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects from `start` on, but none before `prefix`.
fn from<'a>(
    objects: &'a Objects,
    prefix: &str,
    start: &Start,
) -> impl Iterator<Item = (&'a str, &'a Stored)> + use<'a> {
    let skipped;
    let bound = match start {
        Start::AfterKey(key) if key.as_str() >= prefix => Some(Bound::Excluded(key.as_str())),
        Start::AfterPrefix(common) if common.as_str() >= prefix => {
            skipped = text_after(common);
            skipped.as_deref().map(Bound::Included)
        }
        _ => Some(Bound::Included(prefix)),
    };
    // No bound: nothing can come after the common prefix.
    let range = bound.map(|bound| objects.range::<str, _>((bound, Bound::Unbounded)));
    range.into_iter().flatten().map(|(key, stored)| (key.as_ref(), stored))
}

/// The smallest text greater than every text that starts with `prefix`. The order of UTF-8 is that of code points.
fn text_after(prefix: &str) -> Option<String> {
    let (at, last) = prefix.char_indices().next_back()?;
    let next = ((last as u32 + 1)..=(char::MAX as u32)).find_map(char::from_u32);
    let head = &prefix[..at];
    match next {
        Some(next) => Some(format!("{head}{next}")),
        None => text_after(head),
    }
}
