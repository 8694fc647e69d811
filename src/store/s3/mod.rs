//! The bucket behind an S3 endpoint: R2, AWS and everything that speaks their protocol.
//!
//! The SDK signs requests, keeps connections and watches the time. What is sent is checked against a list of permitted
//! requests (`wire`), what comes back is read here and nowhere else: strictly (`xml`, `listing`, `deletion`), with
//! exact keys (`spelling`), and failures by their meaning (`errors`). Copies of any size are in `copying`. Nothing is
//! repeated and no redirect is followed.

mod copying;
mod deletion;
mod errors;
mod folders;
mod lifecycle;
mod listing;
mod options;
mod sending;
mod spelling;
mod uploads;
mod wire;
mod xml;

use std::collections::HashSet;
use std::sync::OnceLock;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{BoxError, SdkError};
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::put_bucket_lifecycle_configuration::PutBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::upload_part_copy::UploadPartCopyOutput;
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use bytes::Bytes;

use self::errors::Attempt;
use self::listing::RawPage;
pub use self::options::{S3Options, Timeouts};
use self::sending::IF_TIME;
pub use self::sending::{Sending, TimeForm};
use self::spelling::{PROBE, Spelling};
use self::wire::{Answer, EmptyOutput, MAX_DOCUMENT, PLACEHOLDER, Slot, TooLong, Wire};
use self::xml::Breach;
use super::batch::MAX_KEYS;
use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, FoldersPage, HeadAnswer,
    ListPage, ListRequest, ObjectStore, PutAnswer, PutRequest, STORED_HEADERS, Said, StoreError, StoreIdentity, Upload,
    UploadsPage, UploadsRequest,
};
use crate::domain::{ETag, Key, Object, StorageClass};

/// The adapter. Cheap to share; one request per call.
#[derive(Debug)]
pub struct S3Store {
    client: Client,
    identity: StoreIdentity,
    sending: Sending,
    /// What the store answered when it was asked how it spells keys.
    spelling: OnceLock<Option<String>>,
}

impl S3Store {
    /// A store for these options. Asks nothing of the bucket yet; credentials that are not given are looked up.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for options that make no sense, [`ErrorKind::Unauthenticated`] if no credentials are found.
    pub async fn connect(options: S3Options) -> Result<Self, StoreError> {
        let (client, identity) = options::client(options).await?;
        Ok(Self { client, identity, sending: Sending::default(), spelling: OnceLock::new() })
    }

    /// The same store, with deletions that are written like this. Conditions only for a store that was proved to honour
    /// them: most ignore them and delete (MinIO, Garage, RGW 16, R2's local server).
    #[must_use]
    pub fn with(&self, sending: Sending) -> Self {
        Self { client: self.client.clone(), identity: self.identity.clone(), sending, spelling: OnceLock::new() }
    }

    fn attempt<'a>(&'a self, what: &'a str) -> Attempt<'a> {
        Attempt { what, at: &self.identity }
    }

    async fn list_raw(&self, request: &ListRequest, attempt: &Attempt<'_>) -> Result<Answer, StoreError> {
        let prefix = text(&request.prefix, attempt)?;
        let mut call = self.client.list_objects_v2().bucket(&self.identity.bucket).encoding_type(EncodingType::Url);
        if !prefix.is_empty() {
            call = call.prefix(prefix);
        }
        // Stores ignore start-after beside a token; it is then only checked.
        match (&request.continuation, &request.start_after) {
            (Some(token), _) => call = call.continuation_token(token),
            (None, Some(after)) => call = call.start_after(text(after.as_bytes(), attempt)?),
            (None, None) => {}
        }
        if let Some(max) = request.max_keys {
            call = call.max_keys(i32::try_from(max).unwrap_or(i32::MAX));
        }
        let slot = Slot::default();
        let wire = Wire::<ListObjectsV2Output>::new(&slot, MAX_DOCUMENT);
        let answer = answered(call.customize().interceptor(wire).send().await, slot, attempt)?;
        if answer.status == 200 { Ok(answer) } else { Err(attempt.refused(&answer)) }
    }

    /// Asks the store, once, how it spells keys: by a listing whose starting point it repeats.
    async fn spelling_of(&self, page: &RawPage<'_>, attempt: &Attempt<'_>) -> Result<Spelling, StoreError> {
        if self.spelling.get().is_none() {
            let probe =
                ListRequest { start_after: Some(Key::from(PROBE)), max_keys: Some(1), ..ListRequest::default() };
            let answer = self.list_raw(&probe, attempt).await?;
            let _ = self.spelling.set(raw_page(&answer, attempt)?.into_echo());
        }
        self.spelling.get().and_then(Option::as_deref).and_then(|echo| page.spelling_by(echo)).ok_or_else(|| {
            attempt
                .malformed(&Breach::new("whether a plus in a key is a plus or a space cannot be proved for this store"))
        })
    }

    /// Whether a 404 to a HEAD, which has no body to say more, proves that the object is not there. A missing bucket
    /// looks alike to most stores; only a listing tells the two apart.
    async fn confirm_absence(
        &self,
        key: &Key,
        answer: &Answer,
        attempt: &Attempt<'_>,
    ) -> Result<Option<HeadAnswer>, StoreError> {
        let content_type = answer.header("content-type").unwrap_or_default();
        if content_type.starts_with("text/") {
            return Err(attempt.malformed(&Breach::new("a page that was not found is no answer of the store")));
        }
        if is_plain_path(key.as_bytes()) {
            return Ok(None);
        }
        // What stands in front of a store may change such a path or not know it at all (R2's local server says 404 to line
        // breaks), but a prefix is never changed.
        let request = ListRequest { prefix: key.as_bytes().to_vec(), max_keys: Some(1), ..ListRequest::default() };
        let page = self.list(&request).await?;
        match page.objects.first() {
            Some(object) if object.key == *key => {
                Err(attempt.error(ErrorKind::Unsupported, "the store lists the object, but cannot be asked for it"))
            }
            _ => Ok(None),
        }
    }

    fn check_batch(&self, targets: &[DeleteTarget], attempt: &Attempt<'_>) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(attempt.error(ErrorKind::Invalid, why));
        if targets.is_empty() || targets.len() > MAX_KEYS {
            return refuse("a request deletes 1 to 1,000 keys");
        }
        let mut seen = HashSet::with_capacity(targets.len());
        for target in targets {
            if target.key.as_bytes().is_empty() || !target.key.is_xml_safe() {
                return refuse(&format!("XML cannot carry the key {}", target.key.escaped()));
            }
            if !seen.insert(deletion::identity(&target.key, self.identity.folds_nfc)) {
                return refuse(&format!("the key {} occurs twice", target.key.escaped()));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let attempt = self.attempt("listing");
        let answer = self.list_raw(request, &attempt).await?;
        let page = raw_page(&answer, &attempt)?;
        let spelling = match page.spelling(request) {
            Some(spelling) => spelling,
            None => self.spelling_of(&page, &attempt).await?,
        };
        let (objects, next) = page.finish(request, spelling).map_err(|breach| attempt.malformed(&breach))?;
        Ok(ListPage { objects, next, server_time: answer.server_time() })
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let what = format!("asking for {} in", key.escaped());
        let attempt = self.attempt(&what);
        check_key(key, &attempt)?;
        let call = self.client.head_object().bucket(&self.identity.bucket).key(PLACEHOLDER);
        let slot = Slot::default();
        // The length of a HEAD's answer is the object's, not that of a body.
        let wire = Wire::<HeadObjectOutput>::new(&slot, u64::MAX).of(key);
        let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
        match answer.status {
            200 => described(key, &answer).map(Some).map_err(|breach| attempt.malformed(&breach)),
            404 if attempt.refused(&answer).kind == ErrorKind::NotFound => {
                self.confirm_absence(key, &answer, &attempt).await
            }
            _ => Err(attempt.refused(&answer)),
        }
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        let what = format!("reading {} from", key.escaped());
        let attempt = self.attempt(&what);
        check_key(key, &attempt)?;
        let mut call = self.client.get_object().bucket(&self.identity.bucket).key(PLACEHOLDER);
        let mut limit = u64::MAX;
        if let Some((offset, length)) = range {
            let Some(last) = length.checked_sub(1).and_then(|last| offset.checked_add(last)) else {
                return Ok(Bytes::new());
            };
            call = call.range(format!("bytes={offset}-{last}"));
            limit = length.max(MAX_DOCUMENT);
        }
        let slot = Slot::default();
        let wire = Wire::<GetObjectOutput>::new(&slot, limit).of(key);
        let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
        match (answer.status, range) {
            (200, None) | (206, Some(_)) => Ok(answer.body),
            // The store ignored the range and sent the whole object, which is small enough to cut here.
            (200, Some((offset, length))) => {
                let end = usize::try_from(offset.saturating_add(length)).unwrap_or(usize::MAX).min(answer.body.len());
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(end);
                Ok(answer.body.slice(start..end))
            }
            // The range begins at or after the end of the object.
            (416, Some(_)) => Ok(Bytes::new()),
            _ => Err(attempt.refused(&answer)),
        }
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        let what = format!("deleting {} keys from", targets.len());
        let attempt = self.attempt(&what);
        self.check_batch(targets, &attempt)?;
        let invalid = |error: &dyn std::error::Error| attempt.error(ErrorKind::Invalid, &error.to_string());
        let mut list = Delete::builder().quiet(self.sending.quiet);
        for target in targets {
            let key = text(target.key.as_bytes(), &attempt)?;
            let object = ObjectIdentifier::builder().key(key).set_e_tag(etag(target, self.sending.etags_of_many));
            list = list.objects(object.build().map_err(|error| invalid(&error))?);
        }
        let list = list.build().map_err(|error| invalid(&error))?;
        let call = self.client.delete_objects().bucket(&self.identity.bucket).delete(list);
        let slot = Slot::default();
        let wire = Wire::<DeleteObjectsOutput>::new(&slot, MAX_DOCUMENT).with_crc32(self.sending.crc32);
        let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
        if answer.status != 200 {
            return Err(attempt.refused(&answer));
        }
        match deletion::reconcile(&answer.body, targets, &attempt) {
            Ok(batch) => Ok(batch),
            Err(_) if xml::error_document(&answer.body).is_some() => Err(attempt.refused(&answer)),
            Err(breach) => Err(attempt.malformed(&breach)),
        }
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let what = format!("deleting {} from", target.key.escaped());
        let attempt = self.attempt(&what);
        check_key(&target.key, &attempt)?;
        let call = self.client.delete_object().bucket(&self.identity.bucket).key(PLACEHOLDER);
        let call = call.set_if_match(etag(target, self.sending.etag));
        let slot = Slot::default();
        let mut wire = Wire::<DeleteObjectOutput>::new(&slot, MAX_DOCUMENT).of(&target.key);
        let time = self.sending.time.zip(target.last_modified).and_then(|(form, time)| form.write(time));
        if let Some(time) = time {
            wire = wire.with(IF_TIME, &time);
        }
        let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
        if answer.status == 204 || (answer.status == 200 && answer.body.is_empty()) {
            return Ok(DeleteAnswer::Deleted(Said { status: Some(answer.status), code: None }));
        }
        let error = attempt.refused(&answer);
        match error.kind {
            ErrorKind::NotFound if names_a_missing_key(&answer) => Ok(DeleteAnswer::Absent),
            ErrorKind::NotFound => Err(attempt.malformed(&Breach::new("a 404 that does not say what is missing"))),
            ErrorKind::Denied
            | ErrorKind::Locked
            | ErrorKind::PreconditionFailed
            | ErrorKind::Unsupported
            | ErrorKind::Invalid => Ok(DeleteAnswer::Refused(error)),
            _ => Err(error),
        }
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        copying::copy(self, request).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        copying::put(self, request).await
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        lifecycle::get(self).await
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        lifecycle::set(self, rules).await
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        folders::folders(self, prefix).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        uploads::uploads(self, request).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        uploads::abort(self, upload).await
    }
}

/// The ETag of a target as a condition, if it is to be sent.
fn etag(target: &DeleteTarget, is_sent: bool) -> Option<String> {
    let etag = target.etag.as_ref().filter(|etag| is_sent && !etag.is_empty())?;
    Some(format!("\"{}\"", etag.as_str()))
}

/// The raw answer of a call, or why there is none.
fn answered<O, E>(result: Result<O, SdkError<E>>, slot: Slot, attempt: &Attempt<'_>) -> Result<Answer, StoreError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    if let Err(error) = result {
        return Err(attempt.failed(error));
    }
    match slot.take() {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(TooLong(bytes))) => {
            Err(attempt.malformed(&Breach(format!("an answer of {bytes} bytes makes no sense"))))
        }
        None => Err(attempt.malformed(&Breach::new("there is no answer"))),
    }
}

/// The page that an answer with status 200 holds.
fn raw_page<'a>(answer: &'a Answer, attempt: &Attempt<'_>) -> Result<RawPage<'a>, StoreError> {
    match listing::read(&answer.body) {
        Ok(page) => Ok(page),
        Err(_) if xml::error_document(&answer.body).is_some() => Err(attempt.refused(answer)),
        Err(breach) => Err(attempt.malformed(&breach)),
    }
}

/// The object that a HEAD describes.
fn described(key: &Key, answer: &Answer) -> Result<HeadAnswer, Breach> {
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    let metadata = answer
        .headers()
        .filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.to_owned())));
    Ok(HeadAnswer {
        object: Object {
            key: key.clone(),
            size: length.ok_or_else(|| Breach::new("an object without a length"))?,
            etag: ETag::new(answer.header("etag").unwrap_or_default()),
            last_modified: answer.header("last-modified").and_then(errors::http_date),
            storage_class: StorageClass::new(answer.header("x-amz-storage-class").unwrap_or_default()),
        },
        content_type: answer.header("content-type").map(str::to_owned),
        metadata: metadata.collect(),
        headers: STORED_HEADERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), answer.header(name)?.to_owned())))
            .collect(),
        server_time: answer.server_time(),
    })
}

/// Bytes as the SDK takes them.
fn text<'a>(bytes: &'a [u8], attempt: &Attempt<'_>) -> Result<&'a str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| attempt.error(ErrorKind::Invalid, "the name is not UTF-8"))
}

/// Whether the store itself says that the key is not there, and not something in front of it that knows no such path.
fn names_a_missing_key(answer: &Answer) -> bool {
    xml::error_document(&answer.body)
        .is_some_and(|document| matches!(document.code.as_str(), "NoSuchKey" | "NoSuchVersion"))
}

/// Whether nothing between here and the store has a reason to change this path: no empty segment, no dots, no control
/// characters, all of it text.
fn is_plain_path(key: &[u8]) -> bool {
    let plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    std::str::from_utf8(key).is_ok_and(|text| text.split('/').all(plain) && !text.contains(char::is_control))
}

/// Without a key the request would be one for the bucket.
fn check_key(key: &Key, attempt: &Attempt<'_>) -> Result<(), StoreError> {
    if key.as_bytes().is_empty() { Err(attempt.error(ErrorKind::Invalid, "the key is empty")) } else { Ok(()) }
}

macro_rules! empty_outputs {
    ($($output:ty),+) => {
        $(impl EmptyOutput for $output {
            fn empty() -> Result<Self, BoxError> {
                Ok(Self::builder().build())
            }
        })+
    };
}

empty_outputs!(
    ListObjectsV2Output,
    HeadObjectOutput,
    GetObjectOutput,
    DeleteObjectsOutput,
    DeleteObjectOutput,
    CopyObjectOutput,
    PutObjectOutput,
    CreateMultipartUploadOutput,
    UploadPartCopyOutput,
    CompleteMultipartUploadOutput,
    AbortMultipartUploadOutput,
    GetBucketLifecycleConfigurationOutput,
    PutBucketLifecycleConfigurationOutput,
    ListMultipartUploadsOutput
);
