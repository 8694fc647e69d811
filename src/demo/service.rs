//! The S3 operations, each a few lines over the bucket.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use md5::{Digest, Md5};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::bucket::{Change, Content, MemoryBucket, Stored, Upload};
use super::listing;
use crate::domain::Timestamp as Moment;

/// The most bytes of one upload: they stay in memory.
const LARGEST_UPLOAD: usize = 64 * 1024 * 1024;

/// The most keys of one DeleteObjects request, as on S3 and R2.
const LARGEST_BATCH: usize = 1000;

/// The one bucket behind the S3 protocol.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) bucket: Arc<MemoryBucket>,
    pub(super) created: Moment,
}

/// This moment in the protocol's type.
pub(super) fn stamp(at: Moment) -> Timestamp {
    let nanos = i128::from(at.0) * 1_000_000;
    time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(time::OffsetDateTime::UNIX_EPOCH).into()
}

/// A strong tag in the protocol's type.
pub(super) fn tag(stored: &Stored) -> ETag {
    ETag::Strong(stored.etag())
}

fn is_tag(stored: &Stored, condition: &ETagCondition) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|wanted| wanted.value() == stored.etag())
}

fn same_second(stored: &Stored, wanted: &Timestamp) -> bool {
    let wanted: time::OffsetDateTime = wanted.clone().into();
    stored.last_modified.0.div_euclid(1000) == wanted.unix_timestamp()
}

fn is_after(stored: &Stored, moment: &Timestamp) -> bool {
    let moment: time::OffsetDateTime = moment.clone().into();
    stored.last_modified.0.div_euclid(1000) > moment.unix_timestamp()
}

/// The conditions of a read, in the order of RFC 9110, 13.2.2.
fn check_read(
    stored: &Stored,
    if_match: Option<&ETagCondition>,
    if_unmodified_since: Option<&Timestamp>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<&Timestamp>,
) -> S3Result<()> {
    let unmet = match (if_match, if_unmodified_since) {
        (Some(condition), _) => !is_tag(stored, condition),
        (None, Some(moment)) => is_after(stored, moment),
        (None, None) => false,
    };
    if unmet {
        return Err(s3_error!(PreconditionFailed));
    }
    let unchanged = match (if_none_match, if_modified_since) {
        (Some(condition), _) => is_tag(stored, condition),
        (None, Some(moment)) => !is_after(stored, moment),
        (None, None) => false,
    };
    if unchanged { Err(s3_error!(NotModified)) } else { Ok(()) }
}

impl Service {
    fn check_bucket(&self, name: &str) -> S3Result<()> {
        if name == self.name { Ok(()) } else { Err(s3_error!(NoSuchBucket, "The bucket {name} does not exist.")) }
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.check_bucket(bucket)?;
        self.bucket.get(key).ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    fn delete_one(&self, identifier: &ObjectIdentifier) -> Result<DeletedObject, Error> {
        let change = self.bucket.delete(&identifier.key, |stored| {
            identifier.e_tag.as_ref().is_none_or(|wanted| wanted.value() == stored.etag())
                && identifier.size.is_none_or(|size| u64::try_from(size) == Ok(stored.size()))
                && identifier.last_modified_time.as_ref().is_none_or(|wanted| same_second(stored, wanted))
        });
        match change {
            Change::Made => Ok(DeletedObject { key: Some(identifier.key.clone()), ..Default::default() }),
            Change::Refused => Err(Error {
                code: Some(S3ErrorCode::PreconditionFailed.as_str().to_owned()),
                key: Some(identifier.key.clone()),
                message: Some("At least one of the pre-conditions you specified did not hold".to_owned()),
                version_id: None,
            }),
        }
    }
}

/// Reads a body to its end, and its MD5.
async fn receive(body: Option<StreamingBlob>) -> S3Result<(Bytes, [u8; 16])> {
    let mut bytes = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(run) =
            body.try_next().await.map_err(|why| S3Error::with_source(S3ErrorCode::IncompleteBody, why))?
        {
            if bytes.len() + run.len() > LARGEST_UPLOAD {
                return Err(s3_error!(EntityTooLarge, "The demo keeps uploads of up to {LARGEST_UPLOAD} bytes."));
            }
            bytes.extend_from_slice(&run);
        }
    }
    let digest = Md5::digest(&bytes);
    Ok((bytes.freeze(), digest.into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks a `Content-MD5` header against the digest of what was received.
pub(super) fn check_md5(header: &str, digest: &[u8]) -> S3Result<()> {
    match BASE64.decode(header) {
        Ok(wanted) if wanted == digest => Ok(()),
        Ok(wanted) if wanted.len() == digest.len() => Err(s3_error!(BadDigest)),
        _ => Err(s3_error!(InvalidDigest)),
    }
}

#[async_trait]
impl S3 for Service {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = Bucket {
            name: Some(self.name.clone()),
            creation_date: Some(stamp(self.created)),
            bucket_region: Some(self.region.clone()),
        };
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(vec![bucket]), ..Default::default() }))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(self.region.clone()), ..Default::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.check_bucket(&request.input.bucket)?;
        let location_constraint = Some(BucketLocationConstraint::from(self.region.clone()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_bucket(&request.input.bucket)?;
        listing::second(&self.bucket, request.input).map(S3Response::new)
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        self.check_bucket(&request.input.bucket)?;
        listing::first(&self.bucket, request.input).map(S3Response::new)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let stored = self.find(&input.bucket, &input.key)?;
        check_read(
            &stored,
            input.if_match.as_ref(),
            input.if_unmodified_since.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
        )?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(stored.size() as i64),
            content_type: stored.content_type().map(str::to_owned),
            e_tag: Some(tag(&stored)),
            last_modified: Some(stamp(stored.last_modified)),
            metadata: stored.metadata().cloned(),
            ..Default::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let stored = self.find(&input.bucket, &input.key)?;
        check_read(
            &stored,
            input.if_match.as_ref(),
            input.if_unmodified_since.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
        )?;
        let size = stored.size();
        let range = match input.range {
            Some(range) => range.check(size).map_err(|_| s3_error!(InvalidRange))?,
            None => 0..size,
        };
        let content_range =
            input.range.is_some().then(|| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        let content_length = Some((range.end - range.start) as i64);
        let body = futures::stream::iter(stored.read(range).map(Ok::<_, std::io::Error>));
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(body)),
            content_length,
            content_range,
            content_type: stored.content_type().map(str::to_owned),
            e_tag: Some(tag(&stored)),
            last_modified: Some(stamp(stored.last_modified)),
            metadata: stored.metadata().cloned(),
            ..Default::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let (bytes, digest) = receive(input.body).await?;
        if let Some(header) = &input.content_md5 {
            check_md5(header, &digest)?;
        }
        let upload = Upload {
            bytes,
            etag: hex(&digest),
            content_type: input.content_type,
            metadata: input.metadata.unwrap_or_default(),
        };
        let stored = Stored { content: Content::Uploaded(Arc::new(upload)), last_modified: super::now() };
        let e_tag = Some(tag(&stored));
        let change = self.bucket.put(&input.key, stored, |old| {
            input.if_match.as_ref().is_none_or(|wanted| old.is_some_and(|old| is_tag(old, wanted)))
                && input.if_none_match.as_ref().is_none_or(|unwanted| !old.is_some_and(|old| is_tag(old, unwanted)))
        });
        match change {
            Change::Made => Ok(S3Response::new(PutObjectOutput { e_tag, ..Default::default() })),
            Change::Refused => Err(s3_error!(PreconditionFailed)),
        }
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "The demo copies from its own bucket only."));
        };
        let source = self.find(bucket, key)?;
        let condition = check_read(
            &source,
            input.copy_source_if_match.as_ref(),
            input.copy_source_if_unmodified_since.as_ref(),
            input.copy_source_if_none_match.as_ref(),
            input.copy_source_if_modified_since.as_ref(),
        );
        // What is "not modified" for a read is a failed condition for a copy.
        condition.map_err(|_| s3_error!(PreconditionFailed))?;
        let replaces = input.metadata_directive.as_ref().is_some_and(|how| how.as_str() == MetadataDirective::REPLACE);
        let content = match source.content {
            Content::Uploaded(upload) if replaces => Content::Uploaded(Arc::new(Upload {
                bytes: upload.bytes.clone(),
                etag: upload.etag.clone(),
                content_type: input.content_type,
                metadata: input.metadata.unwrap_or_default(),
            })),
            content => content,
        };
        let stored = Stored { content, last_modified: super::now() };
        let result = CopyObjectResult {
            e_tag: Some(tag(&stored)),
            last_modified: Some(stamp(stored.last_modified)),
            ..Default::default()
        };
        // AWS takes this condition on the destination since 2025; the protocol's types do not know it yet.
        let only_new = request.headers.get("if-none-match").is_some_and(|value| value == "*");
        if self.bucket.put(&input.key, stored, |old| !only_new || old.is_none()) == Change::Refused {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(S3Response::new(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let change = self.bucket.delete(&input.key, |stored| {
            input.if_match.as_ref().is_none_or(|wanted| is_tag(stored, wanted))
                && input.if_match_size.is_none_or(|size| u64::try_from(size) == Ok(stored.size()))
                && input.if_match_last_modified_time.as_ref().is_none_or(|wanted| same_second(stored, wanted))
        });
        match change {
            Change::Made => Ok(S3Response::new(DeleteObjectOutput::default())),
            Change::Refused => Err(s3_error!(PreconditionFailed)),
        }
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let identifiers = &input.delete.objects;
        if identifiers.is_empty() || identifiers.len() > LARGEST_BATCH {
            return Err(s3_error!(
                MalformedXML,
                "A request deletes 1 to {LARGEST_BATCH} objects, not {}.",
                identifiers.len()
            ));
        }
        let mut deleted = Vec::new();
        let mut errors = Vec::new();
        for identifier in identifiers {
            match self.delete_one(identifier) {
                Ok(entry) => deleted.push(entry),
                Err(entry) => errors.push(entry),
            }
        }
        if input.delete.quiet == Some(true) {
            deleted.clear();
        }
        let output = DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() };
        Ok(S3Response::new(output))
    }
}
