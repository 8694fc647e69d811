//! Multipart uploads that nobody finished: listed and ended.

use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadOutput;
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;

use super::wire::{MAX_DOCUMENT, PLACEHOLDER, Slot, Wire};
use super::xml::{self, Breach, Name};
use super::{S3Store, answered, check_key, text};
use crate::domain::{Key, Timestamp};
use crate::store::{AbortAnswer, ErrorKind, StoreError, Upload, UploadsPage, UploadsRequest};

/// See [`crate::store::ObjectStore::uploads`]. Keys are asked for as they are, so that none has to be decoded: a key that XML
/// cannot carry makes the answer malformed, not another key.
pub(super) async fn uploads(store: &S3Store, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
    let attempt = store.attempt("listing the uploads of");
    let mut call = store.client.list_multipart_uploads().bucket(&store.identity.bucket);
    if !request.prefix.is_empty() {
        call = call.prefix(text(&request.prefix, &attempt)?);
    }
    if let Some((key, id)) = &request.after {
        call = call.key_marker(key).upload_id_marker(id);
    }
    let slot = Slot::default();
    let wire = Wire::<ListMultipartUploadsOutput>::new(&slot, MAX_DOCUMENT);
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    if answer.status != 200 {
        return Err(attempt.refused(&answer));
    }
    match read(&answer.body, request) {
        Ok(page) => Ok(UploadsPage { server_time: answer.server_time(), ..page }),
        Err(_) if xml::error_document(&answer.body).is_some() => Err(attempt.refused(&answer)),
        Err(breach) => Err(attempt.malformed(&breach)),
    }
}

/// See [`crate::store::ObjectStore::abort_upload`].
pub(super) async fn abort(store: &S3Store, upload: &Upload) -> Result<AbortAnswer, StoreError> {
    let what = format!("ending an upload of {} to", upload.key.escaped());
    let attempt = store.attempt(&what);
    check_key(&upload.key, &attempt)?;
    let call = store.client.abort_multipart_upload().bucket(&store.identity.bucket);
    let call = call.key(PLACEHOLDER).upload_id(&upload.id);
    let slot = Slot::default();
    let wire = Wire::<AbortMultipartUploadOutput>::new(&slot, MAX_DOCUMENT).of(&upload.key);
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    if answer.status == 204 || (answer.status == 200 && answer.body.is_empty()) {
        return Ok(AbortAnswer::Aborted);
    }
    let no_such = xml::error_document(&answer.body).is_some_and(|document| document.code == "NoSuchUpload");
    let error = attempt.refused(&answer);
    if no_such && error.kind == ErrorKind::NotFound { Ok(AbortAnswer::Absent) } else { Err(error) }
}

/// Reads the answer and checks it.
fn read(body: &[u8], request: &UploadsRequest) -> Result<UploadsPage, Breach> {
    let mut page = UploadsPage::default();
    let (mut key, mut id, mut begun) = (None, None, None);
    let (mut truncated, mut next_key, mut next_id) = (None, None, None);
    xml::read(body, Name::ListMultipartUploadsResult, |path, text| {
        match (path, text) {
            ([_, Name::Upload, Name::Key], Some(text)) => key = Some(text.to_owned()),
            ([_, Name::Upload, Name::UploadId], Some(text)) => id = Some(text.to_owned()),
            ([_, Name::Upload, Name::Initiated], Some(text)) => begun = Timestamp::parse(text.trim()),
            ([_, Name::Upload], _) => {
                let (Some(key), Some(id)) = (key.take(), id.take()) else {
                    return Err(Breach::new("an upload without a key or an id"));
                };
                page.uploads.push(upload(&key, id, begun.take(), request)?);
            }
            ([_, Name::IsTruncated], Some(text)) => truncated = Some(text.trim() == "true"),
            ([_, Name::NextKeyMarker], Some(text)) => next_key = Some(text.to_owned()),
            ([_, Name::NextUploadIdMarker], Some(text)) => next_id = Some(text.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    page.next = match (truncated, next_key, next_id) {
        (None, ..) => return Err(Breach::new("IsTruncated is missing")),
        (Some(false), ..) => None,
        (Some(true), Some(key), Some(id)) if request.after.as_ref() != Some(&(key.clone(), id.clone())) => {
            Some((key, id))
        }
        (Some(true), ..) => return Err(Breach::new("there is more, but no new marker to continue from")),
    };
    Ok(page)
}

fn upload(key: &str, id: String, begun: Option<Timestamp>, request: &UploadsRequest) -> Result<Upload, Breach> {
    if key.is_empty() || id.is_empty() {
        return Err(Breach::new("an upload without a key or an id"));
    }
    if !key.as_bytes().starts_with(&request.prefix) {
        return Err(Breach::new("an upload that was not asked for"));
    }
    Ok(Upload { key: Key::from(key), id, begun })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uploads by key and id, and where the next page begins.
    type Expected<'a> = (&'a [(&'a str, &'a str)], Option<(&'a str, &'a str)>);

    fn check(inner: &str, prefix: &str, expected: Result<Expected<'_>, &str>) {
        let body = format!("<ListMultipartUploadsResult>{inner}</ListMultipartUploadsResult>");
        let request = UploadsRequest { prefix: prefix.into(), after: Some(("a".into(), "1".into())) };
        match (read(body.as_bytes(), &request), expected) {
            (Ok(page), Ok((uploads, next))) => {
                let found: Vec<(String, String)> =
                    page.uploads.iter().map(|upload| (upload.key.escaped().to_string(), upload.id.clone())).collect();
                let found: Vec<(&str, &str)> = found.iter().map(|(key, id)| (key.as_str(), id.as_str())).collect();
                assert_eq!(found, uploads);
                assert_eq!(page.next, next.map(|(key, id)| (key.into(), id.into())));
            }
            (Err(Breach(why)), Err(part)) => assert!(why.contains(part), "{inner}: {why}"),
            (found, _) => panic!("{inner}: {found:?}"),
        }
    }

    #[test]
    fn a_page_of_uploads_is_read_strictly() {
        let one = "<Upload><Key>a+b/c</Key><UploadId>7</UploadId><Initiated>2026-11-21T10:00:00Z</Initiated></Upload>";
        let end = "<IsTruncated>false</IsTruncated>";
        check(end, "", Ok((&[], None)));
        check(&format!("{one}{end}"), "a+", Ok((&[("a+b/c", "7")], None)));
        let more = "<IsTruncated>true</IsTruncated>\
                    <NextKeyMarker>a+b/c</NextKeyMarker><NextUploadIdMarker>7</NextUploadIdMarker>";
        check(&format!("{one}{more}"), "", Ok((&[("a+b/c", "7")], Some(("a+b/c", "7")))));
        check(one, "", Err("IsTruncated"));
        check(&format!("{one}{end}"), "b", Err("not asked for"));
        check(&format!("<Upload><Key>a</Key></Upload>{end}"), "", Err("without a key or an id"));
        check("<IsTruncated>true</IsTruncated>", "", Err("no new marker"));
        let same = "<IsTruncated>true</IsTruncated>\
                    <NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>";
        check(same, "", Err("no new marker"));
    }
}
