//! The bucket's lifecycle rules over the wire.

use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::put_bucket_lifecycle_configuration::PutBucketLifecycleConfigurationOutput;

use super::wire::{MAX_DOCUMENT, Slot, Wire};
use super::xml::{self, Breach};
use super::{S3Store, answered};
use crate::store::StoreError;
use crate::store::lifecycle::{LifecycleRule, read, write};

/// What holds for all rules beside them. Whoever writes rules without it sets it to what is usual (AmazonS3
/// API_PutBucketLifecycleConfiguration).
const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";
const USUAL_MINIMUM_SIZE: &str = "all_storage_classes_128K";

/// See [`crate::store::ObjectStore::lifecycle`].
pub(super) async fn get(store: &S3Store) -> Result<Vec<LifecycleRule>, StoreError> {
    let attempt = store.attempt("reading the lifecycle rules of");
    let call = store.client.get_bucket_lifecycle_configuration().bucket(&store.identity.bucket);
    let slot = Slot::default();
    let wire = Wire::<GetBucketLifecycleConfigurationOutput>::new(&slot, MAX_DOCUMENT);
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    let code = xml::error_document(&answer.body).map(|document| document.code);
    if code.as_deref() == Some("NoSuchLifecycleConfiguration") {
        return Ok(Vec::new());
    }
    if answer.status != 200 || code.is_some() {
        return Err(attempt.refused(&answer));
    }
    let minimum = answer.header(MINIMUM_SIZE).filter(|size| *size != USUAL_MINIMUM_SIZE);
    if let Some(size) = minimum {
        let why = format!("the lifecycle rules cannot be kept as they are: {MINIMUM_SIZE} of the bucket is {size}");
        return Err(attempt.malformed(&Breach(why)));
    }
    let text = std::str::from_utf8(&answer.body).map_err(|_| attempt.malformed(&Breach::new("it is not UTF-8")))?;
    read(text)
        .map_err(|why| attempt.malformed(&Breach(format!("the lifecycle rules cannot be kept as they are: {why}"))))
}

/// See [`crate::store::ObjectStore::set_lifecycle`].
pub(super) async fn set(store: &S3Store, rules: &[LifecycleRule]) -> Result<(), StoreError> {
    let attempt = store.attempt("writing the lifecycle rules of");
    let call = store.client.put_bucket_lifecycle_configuration().bucket(&store.identity.bucket);
    let slot = Slot::default();
    let wire = Wire::<PutBucketLifecycleConfigurationOutput>::new(&slot, MAX_DOCUMENT).carrying(write(rules));
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    match answer.status {
        200 | 204 if xml::error_document(&answer.body).is_none() => Ok(()),
        _ => Err(attempt.refused(&answer)),
    }
}
