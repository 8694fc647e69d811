//! The folders under a prefix, as the store groups them.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;

use super::wire::{MAX_DOCUMENT, Slot, Wire};
use super::xml::{self, Breach, Name};
use super::{S3Store, answered, text};
use crate::store::{FoldersPage, StoreError};

/// See [`crate::store::ObjectStore::folders`]. Names are asked for as they are, so that none has to be decoded: one that XML
/// cannot carry makes the answer malformed.
pub(super) async fn folders(store: &S3Store, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
    let attempt = store.attempt("listing the folders of");
    let mut call = store.client.list_objects_v2().bucket(&store.identity.bucket).delimiter("/");
    if !prefix.is_empty() {
        call = call.prefix(text(prefix, &attempt)?);
    }
    let slot = Slot::default();
    let wire = Wire::<ListObjectsV2Output>::new(&slot, MAX_DOCUMENT);
    let answer = answered(call.customize().interceptor(wire).send().await, slot, &attempt)?;
    if answer.status != 200 {
        return Err(attempt.refused(&answer));
    }
    match read(&answer.body, prefix) {
        Ok(page) => Ok(page),
        Err(_) if xml::error_document(&answer.body).is_some() => Err(attempt.refused(&answer)),
        Err(breach) => Err(attempt.malformed(&breach)),
    }
}

/// Reads the answer and checks it.
fn read(body: &[u8], prefix: &[u8]) -> Result<FoldersPage, Breach> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut truncated = None;
    xml::read(body, Name::ListBucketResult, |path, text| {
        match (path, text) {
            ([_, Name::CommonPrefixes, Name::Prefix], Some(text)) => {
                let name = text.as_bytes();
                if !name.starts_with(prefix) || name.len() == prefix.len() || !name.ends_with(b"/") {
                    return Err(Breach::new("a folder that was not asked for"));
                }
                if names.last().is_some_and(|last| last.as_slice() >= name) {
                    return Err(Breach::new("folders are not in order"));
                }
                names.push(name.to_vec());
            }
            ([_, Name::IsTruncated], Some(text)) => truncated = Some(text.trim() == "true"),
            _ => {}
        }
        Ok(())
    })?;
    let truncated = truncated.ok_or_else(|| Breach::new("IsTruncated is missing"))?;
    Ok(FoldersPage { names, complete: !truncated })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer says of the folders under `a/`: their names behind that, and whether these are all.
    fn check(inner: &str, expected: Result<(&[&str], bool), &str>) {
        let body = format!("<ListBucketResult>{inner}</ListBucketResult>");
        match (read(body.as_bytes(), b"a/"), expected) {
            (Ok(page), Ok((names, complete))) => {
                let found: Vec<&str> = page.names.iter().map(|name| std::str::from_utf8(name).unwrap()).collect();
                assert_eq!((found.as_slice(), page.complete), (names, complete), "{inner}");
            }
            (Err(Breach(why)), Err(part)) => assert!(why.contains(part), "{inner}: {why}"),
            (found, _) => panic!("{inner}: {found:?}"),
        }
    }

    #[test]
    fn folders_are_read_strictly() {
        let folder = |name: &str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let (b, c) = (folder("a/b &amp; +/"), folder("a/c/"));
        let end = "<IsTruncated>false</IsTruncated>";
        let file = "<Contents><Key>a/file</Key><Size>1</Size></Contents>";
        check(end, Ok((&[], true)));
        check(&format!("<Prefix>a/</Prefix>{file}{b}{c}{end}"), Ok((&["a/b & +/", "a/c/"], true)));
        check(&format!("{c}<IsTruncated>true</IsTruncated>"), Ok((&["a/c/"], false)));
        check(&c, Err("IsTruncated"));
        check(&format!("{c}{b}{end}"), Err("not in order"));
        check(&format!("{}{end}", folder("b/")), Err("not asked for"));
        check(&format!("{}{end}", folder("a/")), Err("not asked for"));
        check(&format!("{}{end}", folder("a/b")), Err("not asked for"));
    }
}
