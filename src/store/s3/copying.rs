//! Copies within the bucket, never onto another object, and small new objects.
//!
//! Facts: a copy's answer may have status 200 and hold an `<Error>` (AmazonS3 API_CopyObject); R2 knows the condition on the
//! destination by a header of its own, does not check it at the same moment as the one on the source, and refuses
//! conditions with parts (r2/api/s3/extensions); one request copies at most 5 GB, a part as much (AmazonS3
//! API_UploadPartCopy), and R2 wants all parts but the last of one size.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::upload_part_copy::UploadPartCopyOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, StorageClass as WireClass};
use futures::{StreamExt as _, TryStreamExt as _};

use super::errors::Attempt;
use super::wire::{Answer, MAX_DOCUMENT, PLACEHOLDER, Slot, Wire, copy_source};
use super::xml::{self, Breach, Name};
use super::{S3Store, answered, check_key};
use crate::domain::{ETag, StorageClass};
use crate::store::{
    CopyAnswer, CopyRequest, ErrorKind, HeadAnswer, ObjectStore as _, PutAnswer, PutRequest, StoreError,
};

/// The largest object that one request copies: 5 GB on AWS, a little more on R2.
const LARGEST_COPY: u64 = 5_000_000_000;
/// Bytes of a part, unless that makes too many of them.
const PART: u64 = 512 << 20;
/// The most parts of an upload (AmazonS3 qfacts.html).
const MOST_PARTS: u64 = 10_000;
/// Parts of one object that are copied at a time.
const PARTS_AT_A_TIME: usize = 4;
/// How long a store may take to copy 5 GB. AWS keeps the connection busy meanwhile.
const LONGEST_COPY: Duration = Duration::from_secs(300);

/// See [`crate::store::ObjectStore::copy`].
pub(super) async fn copy(store: &S3Store, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
    let what = format!("copying {} in", request.source.key.escaped());
    let copying = Copying { store, request, attempt: store.attempt(&what) };
    check_key(&request.source.key, &copying.attempt)?;
    check_key(&request.destination, &copying.attempt)?;
    if copying.is_taken().await? {
        return Ok(CopyAnswer::DestinationExists);
    }
    if request.source.size <= LARGEST_COPY { copying.at_once().await } else { copying.by_parts().await }
}

struct Copying<'a> {
    store: &'a S3Store,
    request: &'a CopyRequest,
    attempt: Attempt<'a>,
}

impl Copying<'_> {
    fn bucket(&self) -> &str {
        &self.store.identity.bucket
    }

    fn source(&self) -> String {
        copy_source(self.bucket(), &self.request.source.key)
    }

    /// The header that makes the destination a condition: R2 has its own.
    fn only_new(&self) -> &'static str {
        only_new_copy(&self.store.identity.endpoint)
    }

    async fn is_taken(&self) -> Result<bool, StoreError> {
        Ok(self.store.head(&self.request.destination).await?.is_some())
    }

    async fn at_once(&self) -> Result<CopyAnswer, StoreError> {
        let source = &self.request.source;
        let call = self.store.client.copy_object().bucket(self.bucket()).key(PLACEHOLDER).copy_source(self.source());
        let call =
            call.set_copy_source_if_match(condition(&source.etag)).set_storage_class(class(&source.storage_class));
        let slot = Slot::default();
        let wire =
            Wire::<CopyObjectOutput>::new(&slot, MAX_DOCUMENT).of(&self.request.destination).with(self.only_new(), "*");
        let answer =
            answered(call.customize().config_override(patient()).interceptor(wire).send().await, slot, &self.attempt)?;
        match self.text(&answer, Name::CopyObjectResult, Name::ETag) {
            Ok(_) => Ok(CopyAnswer::Copied),
            Err(error) => self.refused(error).await,
        }
    }

    /// What a refusal means for the two objects, if it says anything of them.
    async fn refused(&self, error: StoreError) -> Result<CopyAnswer, StoreError> {
        match error.kind {
            ErrorKind::NotFound => Ok(CopyAnswer::SourceMissing),
            // The store does not say which of the two conditions did not hold.
            ErrorKind::PreconditionFailed if self.is_taken().await? => Ok(CopyAnswer::DestinationExists),
            ErrorKind::PreconditionFailed => Ok(CopyAnswer::SourceChanged),
            _ => Err(error),
        }
    }

    /// The text that proves success, or what the answer means instead; an `<Error>` counts with any status.
    fn text(&self, answer: &Answer, root: Name, leaf: Name) -> Result<String, StoreError> {
        if answer.status != 200 {
            return Err(self.attempt.refused(answer));
        }
        xml::only(&answer.body, root, leaf).map_err(|breach| match xml::error_document(&answer.body) {
            Some(_) => self.attempt.refused(answer),
            None => self.attempt.malformed(&breach),
        })
    }

    /// An object that is too large for one request. Nothing is at the destination before the last request, and an upload that
    /// is not completed is aborted.
    async fn by_parts(&self) -> Result<CopyAnswer, StoreError> {
        let Some(before) = self.store.head(&self.request.source.key).await? else {
            return Ok(CopyAnswer::SourceMissing);
        };
        if !self.is_meant(&before) {
            return Ok(CopyAnswer::SourceChanged);
        }
        let upload = self.begin(&before).await?;
        let ended = self.copy_parts(&upload).await;
        if !matches!(ended, Ok(CopyAnswer::Copied)) {
            self.abort(&upload).await;
        }
        ended
    }

    fn is_meant(&self, now: &HeadAnswer) -> bool {
        let meant = &self.request.source;
        !meant.etag.is_empty() && now.object.etag == meant.etag && now.object.size == meant.size
    }

    /// Begins an upload that is described as the source is.
    async fn begin(&self, source: &HeadAnswer) -> Result<String, StoreError> {
        let mut call = self.store.client.create_multipart_upload().bucket(self.bucket()).key(PLACEHOLDER);
        call =
            call.set_content_type(source.content_type.clone()).set_storage_class(class(&source.object.storage_class));
        for (name, value) in &source.metadata {
            call = call.metadata(name, value);
        }
        let slot = Slot::default();
        let mut wire = Wire::<CreateMultipartUploadOutput>::new(&slot, MAX_DOCUMENT).of(&self.request.destination);
        for name in crate::store::STORED_HEADERS {
            if let Some((_, value)) = source.headers.iter().find(|(known, _)| known == name) {
                wire = wire.with(name, value);
            }
        }
        let answer = answered(call.customize().interceptor(wire).send().await, slot, &self.attempt)?;
        self.text(&answer, Name::InitiateMultipartUploadResult, Name::UploadId)
    }

    async fn copy_parts(&self, upload: &str) -> Result<CopyAnswer, StoreError> {
        let ranges = parts(self.request.source.size);
        let copies: Vec<_> =
            ranges.into_iter().zip(1..).map(|(range, number)| self.part(upload, number, range)).collect();
        let parts: Vec<CompletedPart> =
            match futures::stream::iter(copies).buffered(PARTS_AT_A_TIME).try_collect().await {
                Ok(parts) => parts,
                Err(error) => return self.refused(error).await,
            };
        // The parts were copied one after the other, without conditions: only the same ETag afterwards proves that they are
        // parts of one object.
        match self.store.head(&self.request.source.key).await? {
            None => return Ok(CopyAnswer::SourceMissing),
            Some(after) if !self.is_meant(&after) => return Ok(CopyAnswer::SourceChanged),
            Some(_) => {}
        }
        if self.is_taken().await? {
            return Ok(CopyAnswer::DestinationExists);
        }
        self.complete(upload, parts).await
    }

    async fn part(&self, upload: &str, number: i32, (first, last): (u64, u64)) -> Result<CompletedPart, StoreError> {
        let call = self.store.client.upload_part_copy().bucket(self.bucket()).key(PLACEHOLDER).upload_id(upload);
        let call =
            call.copy_source(self.source()).copy_source_range(format!("bytes={first}-{last}")).part_number(number);
        let slot = Slot::default();
        let wire = Wire::<UploadPartCopyOutput>::new(&slot, MAX_DOCUMENT).of(&self.request.destination);
        let answer =
            answered(call.customize().config_override(patient()).interceptor(wire).send().await, slot, &self.attempt)?;
        let etag = self.text(&answer, Name::CopyPartResult, Name::ETag)?;
        Ok(CompletedPart::builder().part_number(number).e_tag(etag).build())
    }

    async fn complete(&self, upload: &str, parts: Vec<CompletedPart>) -> Result<CopyAnswer, StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.store.client.complete_multipart_upload().bucket(self.bucket()).key(PLACEHOLDER);
        let call = call.upload_id(upload).multipart_upload(parts);
        let slot = Slot::default();
        let wire = Wire::<CompleteMultipartUploadOutput>::new(&slot, MAX_DOCUMENT)
            .of(&self.request.destination)
            .with("if-none-match", "*");
        let answer =
            answered(call.customize().config_override(patient()).interceptor(wire).send().await, slot, &self.attempt)?;
        match self.text(&answer, Name::CompleteMultipartUploadResult, Name::ETag) {
            Ok(_) => Ok(CopyAnswer::Copied),
            Err(error) if error.kind == ErrorKind::PreconditionFailed => Ok(CopyAnswer::DestinationExists),
            Err(error) => Err(error),
        }
    }

    /// Frees what an upload without an end would cost. Stores end such uploads themselves after some days, so a failure is
    /// only logged.
    async fn abort(&self, upload: &str) {
        let call = self.store.client.abort_multipart_upload().bucket(self.bucket()).key(PLACEHOLDER).upload_id(upload);
        let slot = Slot::default();
        let wire = Wire::<AbortMultipartUploadOutput>::new(&slot, MAX_DOCUMENT).of(&self.request.destination);
        match answered(call.customize().interceptor(wire).send().await, slot, &self.attempt) {
            Ok(answer) if matches!(answer.status, 200 | 204 | 404) => {}
            Ok(answer) => tracing::warn!(reason = %self.attempt.refused(&answer), "a multipart upload is left"),
            Err(error) => tracing::warn!(reason = %error, "a multipart upload is left"),
        }
    }
}

/// See [`crate::store::ObjectStore::put`].
pub(super) async fn put(store: &S3Store, request: &PutRequest) -> Result<PutAnswer, StoreError> {
    let what = format!("writing {} to", request.key.escaped());
    let attempt = store.attempt(&what);
    check_key(&request.key, &attempt)?;
    let call = store.client.put_object().bucket(&store.identity.bucket).key(PLACEHOLDER);
    let call = call.content_type(&request.content_type).body(ByteStream::from(request.body.clone()));
    let slot = Slot::default();
    let wire = Wire::<PutObjectOutput>::new(&slot, MAX_DOCUMENT).of(&request.key).with("if-none-match", "*");
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    if answer.status == 200 && answer.body.is_empty() {
        let etag = answer.header("etag").ok_or_else(|| attempt.malformed(&Breach::new("an object without an ETag")))?;
        return Ok(PutAnswer::Written(ETag::new(etag)));
    }
    let error = attempt.refused(&answer);
    if error.kind == ErrorKind::PreconditionFailed { Ok(PutAnswer::Exists) } else { Err(error) }
}

/// The header by which a store takes a condition on the destination of a copy.
fn only_new_copy(endpoint: &str) -> &'static str {
    if endpoint.contains(".r2.cloudflarestorage.com") { "cf-copy-destination-if-none-match" } else { "if-none-match" }
}

fn condition(etag: &ETag) -> Option<String> {
    (!etag.is_empty()).then(|| format!("\"{}\"", etag.as_str()))
}

/// The class to ask for; what is not asked for is `STANDARD`, and some stores know no other.
fn class(class: &StorageClass) -> Option<WireClass> {
    (*class != StorageClass::default()).then(|| WireClass::from(class.as_str()))
}

fn patient() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .read_timeout(LONGEST_COPY)
        .operation_attempt_timeout(LONGEST_COPY)
        .operation_timeout(LONGEST_COPY);
    Builder::new().timeout_config(timeouts.build())
}

/// The first and last byte of each part; all but the last are of one size.
fn parts(size: u64) -> Vec<(u64, u64)> {
    let mut part = PART;
    while size.div_ceil(part) > MOST_PARTS {
        part *= 2;
    }
    (0..size.div_ceil(part)).map(|at| (at * part, (at * part + part).min(size) - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;

    fn check(size: u64, count: u64) {
        let parts = parts(size);
        assert_eq!(parts.len() as u64, count);
        assert_eq!((parts[0].0, parts[parts.len() - 1].1), (0, size - 1));
        assert!(parts.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
        let length = |part: &(u64, u64)| part.1 - part.0 + 1;
        assert!(parts.windows(2).all(|pair| length(&pair[0]) == length(&parts[0])));
        assert!(length(&parts[parts.len() - 1]) <= length(&parts[0]));
    }

    #[test]
    fn parts_cover_an_object_and_are_of_one_size() {
        check(PART, 1);
        check(PART + 1, 2);
        check(6 << 30, 12);
        check(5 << 40, 5 << 10);
        check(MOST_PARTS * PART, MOST_PARTS);
    }

    #[test]
    fn r2_has_a_header_of_its_own_for_the_destination() {
        let r2 = "https://abc.eu.r2.cloudflarestorage.com";
        assert_eq!(only_new_copy(r2), "cf-copy-destination-if-none-match");
        assert_eq!(only_new_copy("https://s3.eu-west-1.amazonaws.com"), "if-none-match");
        assert_eq!(only_new_copy("http://localhost:9000"), "if-none-match");
    }

    #[test]
    fn a_copy_source_is_encoded_once() {
        assert_eq!(copy_source("b", &Key::from("a b+c/%2F?\u{e9}")), "/b/a%20b%2Bc/%252F%3F%C3%A9");
    }
}
