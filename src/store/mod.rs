//! The port to a bucket. An adapter says what the store said, strictly; what it means is decided above.

pub mod batch;
pub mod conformance;
pub mod counted;
pub mod faults;
pub mod hidden;
pub mod lifecycle;
pub mod limit;
pub mod memory;
pub mod offline;
pub mod retry;
pub mod s3;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use self::lifecycle::LifecycleRule;
use crate::domain::{ETag, Key, Object, Timestamp};

/// Where a store is, for plans, headers and messages. Never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoreIdentity {
    /// Endpoint URL without credentials.
    pub endpoint: String,
    /// Cloudflare account id, if known.
    pub account: Option<String>,
    /// Bucket name.
    pub bucket: String,
    /// Region as signed.
    pub region: String,
    /// Whether the store keeps one object for all Unicode spellings of a key, as R2 does.
    pub folds_nfc: bool,
}

impl StoreIdentity {
    /// The bucket's name among all buckets: what is remembered of it in the state folder stands under this.
    pub fn name(&self) -> String {
        format!("{}/{}", self.endpoint, self.bucket)
    }
}

/// One request for a page of a listing. Any number of listers may hold such requests over disjoint ranges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListRequest {
    /// Only keys that start with this.
    pub prefix: Vec<u8>,
    /// Only keys after this one.
    pub start_after: Option<Key>,
    /// Where the page before ended, as the store said.
    pub continuation: Option<String>,
    /// At most this many keys; stores cap it at 1,000.
    pub max_keys: Option<u32>,
}

/// One page, checked by G01: the right root element, `IsTruncated` present, a token where it is true, `KeyCount` right,
/// keys strictly increasing by bytes and under the prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPage {
    /// The objects in key order.
    pub objects: Vec<Object>,
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
    /// The server's clock, by its `Date` header.
    pub server_time: Option<Timestamp>,
}

/// The folders right under a prefix, grouped by the store: a hint where keys are, and no proof of anything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoldersPage {
    /// Their names from the beginning of the key to the slash, in order.
    pub names: Vec<Vec<u8>>,
    /// Whether these are all.
    pub complete: bool,
}

/// Headers that are stored with an object beside its content type and its user metadata, and that a copy has to keep
/// (AmazonS3 API_CopyObject, "MetadataDirective").
pub const STORED_HEADERS: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// What a HEAD said of an object that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeadAnswer {
    /// The object now.
    pub object: Object,
    /// Content type.
    pub content_type: Option<String>,
    /// User metadata.
    pub metadata: Vec<(String, String)>,
    /// The other headers that were stored with the object, of those in [`STORED_HEADERS`]; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The server's clock.
    pub server_time: Option<Timestamp>,
}

/// A copy within the bucket, to a key that must not be there yet. Content, content type, metadata and storage class are
/// kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyRequest {
    /// The exact object that is meant; its ETag is sent as a condition.
    pub source: Object,
    /// Where to.
    pub destination: Key,
}

/// What became of a copy. That it is a good one is for the caller to verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyAnswer {
    /// The store confirmed the copy.
    Copied,
    /// There is an object at the destination; it was not touched.
    DestinationExists,
    /// The source is no longer the object that was meant; nothing was copied.
    SourceChanged,
    /// The source is not there.
    SourceMissing,
}

/// The most bytes that one request writes: 5 GB (AmazonS3 upload-objects); R2 takes a little more (r2/platform/limits).
pub const LARGEST_PUT: u64 = 5_000_000_000;

/// A new object to write, to a key that must not be there yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutRequest {
    /// Where to.
    pub key: Key,
    /// All of it.
    pub body: Bytes,
    /// Content type.
    pub content_type: String,
}

/// What became of an object that was to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PutAnswer {
    /// It was written, with this ETag.
    Written(ETag),
    /// There is an object already; it was not touched.
    Exists,
}

/// A multipart upload that was begun and neither completed nor ended. Its parts cost as objects do and are in no listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// The key that it would become.
    pub key: Key,
    /// Its id; together with the key it names exactly this upload.
    pub id: String,
    /// When it was begun; `None` if the store does not say.
    pub begun: Option<Timestamp>,
}

/// One request for a page of uploads.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UploadsRequest {
    /// Only keys that start with this.
    pub prefix: Vec<u8>,
    /// Where the page before ended: a key and an upload id, as the store said.
    pub after: Option<(String, String)>,
}

/// One page of uploads: the right root element, `IsTruncated` present, markers where it is true, keys under the prefix.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UploadsPage {
    /// The uploads.
    pub uploads: Vec<Upload>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<(String, String)>,
    /// The server's clock.
    pub server_time: Option<Timestamp>,
}

/// What became of an upload that was to be ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbortAnswer {
    /// The store confirmed that it has ended.
    Aborted,
    /// There is no such upload: somebody completed or ended it.
    Absent,
}

/// One key to delete. What the object must still be is sent as a condition only to stores that were proved to honour it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteTarget {
    /// Exact key.
    pub key: Key,
    /// The ETag that the object must still have.
    pub etag: Option<ETag>,
    /// When the object must have been changed last, as a listing says it.
    pub last_modified: Option<Timestamp>,
}

impl DeleteTarget {
    /// Whatever object has this key.
    pub fn of(key: Key) -> Self {
        Self { key, etag: None, last_modified: None }
    }
}

/// What the store's answer says of one requested key. "Deleted" never proves that the object existed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeleteAnswer {
    /// Listed under Deleted, or confirmed for the one key.
    Deleted(Said),
    /// Listed under Errors as a missing key (Garage says so; others say Deleted).
    Absent,
    /// Listed under Errors.
    Refused(StoreError),
    /// In neither list: nothing is proved.
    Unproven,
}

impl DeleteAnswer {
    /// A deletion of which nothing else was said.
    pub const DELETED: Self = Self::Deleted(Said { status: None, code: None });
}

/// The reconciled answer to a batch: one [`DeleteAnswer`] per requested key, in the order of the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchAnswer {
    /// One per requested key.
    pub answers: Vec<DeleteAnswer>,
    /// A breach of protocol (a key that was never asked for, a key twice): the run stops, every answer is `Unproven`.
    pub alarm: Option<String>,
}

/// The port. Every method is one request (or, for a stream of pages, one page) but for [`ObjectStore::copy`]; none retries.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Where this store is.
    fn identity(&self) -> &StoreIdentity;

    /// One page of a listing.
    ///
    /// # Errors
    /// Any [`StoreError`]; a page that breaks the protocol is [`ErrorKind::Malformed`], never an empty page.
    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError>;

    /// The object as it is now; `None` only if the store proves with a 404 that it is not there.
    ///
    /// # Errors
    /// Any [`StoreError`]; 403 is [`ErrorKind::Denied`] and proves nothing.
    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError>;

    /// At most `range.1` bytes from offset `range.0`.
    ///
    /// # Errors
    /// Any [`StoreError`].
    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError>;

    /// Deletes up to 1,000 keys in one request. Keys must pass [`Key::is_xml_safe`].
    ///
    /// # Errors
    /// Any [`StoreError`]: nothing is known of any key of the batch then.
    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError>;

    /// Deletes one key, whatever bytes it has.
    ///
    /// # Errors
    /// Any [`StoreError`]: nothing is known of the key then.
    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError>;

    /// Copies one object, never onto another one: a look at the destination comes first, since stores may ignore
    /// conditions, and the condition goes with the copy, since somebody may write in between.
    ///
    /// # Errors
    /// Any [`StoreError`]: the destination may hold a copy then, whole or none.
    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError>;

    /// Writes a small new object in one request with the condition that there is none. Stores that ignore the condition
    /// replace what is there: only for keys that nobody else writes, or where the condition was proved to be honoured.
    ///
    /// # Errors
    /// Any [`StoreError`]: it may have been written then.
    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError>;

    /// The bucket's lifecycle rules.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`ErrorKind::Unsupported`] where the store has none.
    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        Err(StoreError::new(ErrorKind::Unsupported, "this store has no lifecycle rules"))
    }

    /// Replaces all lifecycle rules of the bucket.
    ///
    /// # Errors
    /// As [`ObjectStore::lifecycle`].
    async fn set_lifecycle(&self, _rules: &[LifecycleRule]) -> Result<(), StoreError> {
        Err(StoreError::new(ErrorKind::Unsupported, "this store has no lifecycle rules"))
    }

    /// The first folders right under `prefix`, which is empty or ends in a slash.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`ErrorKind::Unsupported`] from stores that have no such request.
    async fn folders(&self, _prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        Err(StoreError::new(ErrorKind::Unsupported, "this store does not group keys by folders"))
    }

    /// One page of the multipart uploads that were begun and not finished.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`ErrorKind::Unsupported`] from stores that have no such request.
    async fn uploads(&self, _request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        Err(StoreError::new(ErrorKind::Unsupported, "this store does not list multipart uploads"))
    }

    /// Ends one multipart upload and frees its parts. The key need not exist; an object that has it is not touched.
    ///
    /// # Errors
    /// Any [`StoreError`]: it may have ended then.
    async fn abort_upload(&self, _upload: &Upload) -> Result<AbortAnswer, StoreError> {
        Err(StoreError::new(ErrorKind::Unsupported, "this store does not end multipart uploads"))
    }
}

/// A store that anyone may hold.
pub type SharedStore = Arc<dyn ObjectStore>;

/// What an error means. Above the port nobody looks at a status code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The bucket does not exist here (or lives in another jurisdiction).
    NoSuchBucket,
    /// The object does not exist.
    NotFound,
    /// The credentials may not do this.
    Denied,
    /// The credentials are wrong: unknown key id, bad signature.
    Unauthenticated,
    /// Temporary credentials or a token have expired.
    Expired,
    /// The clocks of client and server differ too much.
    ClockSkew,
    /// Too many requests.
    Throttled,
    /// The server failed; the request may or may not have been carried out.
    Unavailable,
    /// No answer in time; the request may or may not have been carried out.
    Timeout,
    /// No connection: DNS, refused, TLS, reset.
    Unreachable,
    /// A condition did not hold.
    PreconditionFailed,
    /// A lock or retention rule forbids it.
    Locked,
    /// The bucket is elsewhere: a redirect, or a region that does not match.
    WrongRegion,
    /// The answer breaks the protocol: wrong root, cut off, not XML, empty, keys out of order.
    Malformed,
    /// The store does not implement this.
    Unsupported,
    /// The request was refused as invalid.
    Invalid,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether the same *read* may succeed when asked again. Deletes are never repeated without a check.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Timeout | Self::Unreachable)
    }

    /// Whether every further request would fail alike, so that a run must stop.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::NoSuchBucket | Self::Unauthenticated | Self::Expired | Self::ClockSkew | Self::WrongRegion)
    }
}

/// The words of an answer, kept as evidence. What they mean was decided in the adapter, so that nobody above the port
/// decides on them: answers that mean the same are equal, whatever their words.
#[derive(Clone, Default, Debug)]
pub struct Said {
    /// Status code of the answer.
    pub status: Option<u16>,
    /// Error code, such as `AccessDenied`; safe for a terminal.
    pub code: Option<Box<str>>,
}

impl PartialEq for Said {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Said {}

/// An error of the store by meaning. Holds no secret and no signed URL. Its text says what was attempted and why it
/// failed; whoever says the first in words of their own takes only the message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{attempt}{}{message}", if .attempt.is_empty() { "" } else { ": " })]
pub struct StoreError {
    /// What it means.
    pub kind: ErrorKind,
    /// What was attempted, and where: `listing bucket media at localhost:9000`; empty if that is not known.
    pub attempt: String,
    /// What the store or the network said, for a person; safe for a terminal.
    pub message: String,
    /// The answer's own words, if there was one.
    pub said: Said,
    /// How long the store asked to wait.
    pub retry_after: Option<Duration>,
}

impl StoreError {
    /// An error without a wish to wait.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, attempt: String::new(), message: message.into(), said: Said::default(), retry_after: None }
    }
}
