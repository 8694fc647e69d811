//! From settings to the store that they name.

use std::path::Path;
use std::sync::Arc;

use super::error::Stop;
use super::exit_code::ExitCode;
use crate::config::{Secret, Setting, Settings};
use crate::domain::Timestamp;
use crate::domain::capabilities::{Capability, Measured};
use crate::jobs::failure;
use crate::jobs::probe::Ways;
use crate::journal::JournalError;
use crate::journal::capabilities::CapabilityMemory;
use crate::store::hidden::HidingStore;
use crate::store::limit::LimitStore;
use crate::store::retry::{RetryPolicy, RetryStore};
use crate::store::s3::{S3Options, S3Store, Sending, TimeForm, Timeouts};
use crate::store::{ErrorKind, ObjectStore as _, SharedStore, StoreError, StoreIdentity};

/// Requests under way at once, unless the settings say otherwise.
const REQUESTS: usize = 32;

/// The store of the settings, and what it was last measured to do. It sends the conditions with its
/// deletions that it was proved to honour.
///
/// # Errors
/// [`Stop`] if no bucket is named or there are no credentials; nothing is asked of the store yet.
pub async fn store(settings: &Settings, state: &Path, now: Timestamp) -> Result<(SharedStore, Option<Measured>), Stop> {
    let store = connect(settings).await?;
    // A measurement that cannot be read is none; `doctor` says what is wrong with it.
    let measured = remembered(state, store.identity()).ok().flatten();
    let sending = sending(measured.as_ref().filter(|measured| measured.is_valid(now)));
    Ok((wrapped(store.with(sending), settings), measured))
}

/// How deletions are written to a store that was measured.
fn sending(measured: Option<&Measured>) -> Sending {
    let holds = |capability| measured.and_then(|measured| measured.holds(capability)) == Some(true);
    let etag = holds(Capability::DeleteIfMatch);
    let time = match (holds(Capability::DeleteIfTime), holds(Capability::DeleteIfHttpTime)) {
        _ if etag => None,
        (true, _) => Some(TimeForm::Rfc3339),
        (false, true) => Some(TimeForm::Http),
        (false, false) => None,
    };
    let crc32 = !holds(Capability::DeleteMany) && holds(Capability::DeleteManyCrc32);
    Sending { etag, time, etags_of_many: holds(Capability::DeleteManyIfMatch), crc32, quiet: false }
}

/// The store, spoken to in every way that is to be measured: with conditions, whatever is known of it, on objects of this
/// program's own.
///
/// # Errors
/// As [`store`].
pub async fn ways_to_measure(settings: &Settings) -> Result<Ways<SharedStore>, Stop> {
    let store = connect(settings).await?;
    let way = |sending| wrapped(store.with(sending), settings);
    let usual = Sending::MEASURING;
    Ok(Ways {
        usual: way(usual),
        http_time: Some(way(Sending { time: Some(TimeForm::Http), ..usual })),
        crc32: Some(way(Sending { crc32: true, ..usual })),
        quiet: Some(way(Sending { quiet: true, ..usual })),
    })
}

/// What the bucket was last measured to do.
///
/// # Errors
/// [`JournalError`] if what was remembered cannot be read.
pub fn remembered(state: &Path, at: &StoreIdentity) -> Result<Option<Measured>, JournalError> {
    CapabilityMemory::in_directory(state).last(&at.name())
}

fn wrapped(store: S3Store, settings: &Settings) -> SharedStore {
    let requests = settings.concurrency.as_ref().map_or(REQUESTS, |setting| setting.value.max(REQUESTS));
    let limited = Arc::new(LimitStore::new(Arc::new(store), requests));
    Arc::new(HidingStore::new(Arc::new(RetryStore::new(limited, RetryPolicy::default()))))
}

async fn connect(settings: &Settings) -> Result<S3Store, Stop> {
    let Some(bucket) = &settings.bucket else {
        return Err(Stop::usage(
            "open a bucket",
            "none is named",
            "give --bucket, R2_BUCKET_NAME or a profile with a bucket",
        ));
    };
    let value = |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let secret = |setting: &Option<Setting<Secret>>| setting.as_ref().map(|setting| setting.value.expose().to_owned());
    let options = S3Options {
        endpoint: value(&settings.endpoint),
        region: value(&settings.region),
        bucket: bucket.value.clone(),
        account: value(&settings.account_id),
        access_key_id: secret(&settings.access_key_id),
        secret_access_key: secret(&settings.secret_access_key),
        session_token: secret(&settings.session_token),
        profile: value(&settings.aws_profile),
        path_style: Some(settings.path_style.value),
        folds_nfc: settings.folds_nfc.value,
        timeouts: Timeouts::default(),
    };
    let connected = S3Store::connect(options).await;
    connected.map_err(|error| connect_stop(&bucket.value, &error))
}

fn connect_stop(bucket: &str, error: &StoreError) -> Stop {
    let code = match error.kind {
        ErrorKind::Invalid => ExitCode::Usage,
        _ => ExitCode::Failed,
    };
    Stop::Failed(code, failure(format!("open the bucket {bucket:?}"), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capabilities::Finding;

    fn check(measured: &[(Capability, bool)], expected: Sending) {
        let finding = |&(capability, holds): &_| Finding { capability, holds: Some(holds), seen: String::new() };
        let measured = Measured { at: Timestamp(0), findings: measured.iter().map(finding).collect() };
        assert_eq!(sending(Some(&measured)), expected, "{measured:?}");
    }

    #[test]
    fn deletions_are_written_as_the_store_was_seen_to_take_them() {
        use Capability::{
            DeleteIfHttpTime, DeleteIfMatch, DeleteIfTime, DeleteMany, DeleteManyCrc32, DeleteManyIfMatch,
        };
        let usual = Sending::default();
        assert_eq!(sending(None), usual, "a Content-MD5, and no condition");
        let crc32 = Sending { crc32: true, ..usual };
        check(&[(DeleteMany, false), (DeleteManyCrc32, true)], crc32);
        check(&[(DeleteManyCrc32, true)], crc32);
        check(&[(DeleteMany, true), (DeleteManyCrc32, true)], usual);
        check(&[(DeleteMany, false), (DeleteManyCrc32, false)], usual);
        check(&[(DeleteIfMatch, true), (DeleteIfTime, true)], Sending { etag: true, ..usual });
        check(&[(DeleteIfMatch, false), (DeleteIfTime, true)], Sending { time: Some(TimeForm::Rfc3339), ..usual });
        let http = Sending { time: Some(TimeForm::Http), ..usual };
        check(&[(DeleteIfTime, false), (DeleteIfHttpTime, true)], http);
        check(&[(DeleteManyIfMatch, true)], Sending { etags_of_many: true, ..usual });
        check(&[(DeleteManyIfMatch, false)], usual);
    }
}
