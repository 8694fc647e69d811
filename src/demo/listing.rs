//! Both versions of ListObjects over a page of the bucket.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::bucket::{MemoryBucket, PAGE, PageRequest, Start, Stored};
use super::service::{stamp, tag};

/// What `encoding-type=url` encodes: all but unreserved characters and the slash. A space becomes `%20` and a plus `%2B`,
/// which every reader decodes alike, whether or not it takes `+` for a space.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// How the names of an answer are written.
#[derive(Clone, Copy)]
struct Names {
    encoded: bool,
}

impl Names {
    fn new(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None | Some("") => Ok(Self { encoded: false }),
            Some(EncodingType::URL) => Ok(Self { encoded: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    fn write(self, name: &str) -> String {
        if self.encoded {
            return utf8_percent_encode(name, ENCODED).to_string();
        }
        name.replace(|c| !is_xml(c), "\u{fffd}")
    }

    fn objects(self, objects: &[(String, Stored)], owner: Option<&Owner>) -> Vec<Object> {
        let entry = |(key, stored): &(String, Stored)| Object {
            key: Some(self.write(key)),
            size: Some(stored.size() as i64),
            e_tag: Some(tag(stored)),
            last_modified: Some(stamp(stored.last_modified)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            owner: owner.cloned(),
            ..Default::default()
        };
        objects.iter().map(entry).collect()
    }

    fn prefixes(self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect()
    }
}

/// Whether XML 1.0 has the character (production 2). What it has not would make the whole page unreadable; MinIO writes
/// U+FFFD instead, too. Whoever wants exact keys asks for `encoding-type=url`.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn owner() -> Owner {
    Owner { display_name: Some("demo".to_owned()), id: Some("demo".to_owned()) }
}

fn most(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.map_or(Ok(PAGE), usize::try_from);
    asked.map(|most| most.min(PAGE)).map_err(|_| s3_error!(InvalidArgument, "max-keys must not be negative."))
}

/// A continuation token: opaque to clients, and no state here.
fn write_token(start: &Start) -> String {
    match start {
        Start::First => String::new(),
        Start::AfterKey(key) => BASE64.encode(format!("k{key}")),
        Start::AfterPrefix(prefix) => BASE64.encode(format!("p{prefix}")),
    }
}

fn read_token(token: &str) -> S3Result<Start> {
    let text = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().map(|text| (text.get(..1), text.get(1..))) {
        Some((Some("k"), Some(key))) => Ok(Start::AfterKey(key.to_owned())),
        Some((Some("p"), Some(prefix))) => Ok(Start::AfterPrefix(prefix.to_owned())),
        _ => Err(s3_error!(InvalidArgument, "The continuation token provided is incorrect")),
    }
}

/// ListObjectsV2.
pub(super) fn second(bucket: &MemoryBucket, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let names = Names::new(input.encoding_type.as_ref())?;
    let start = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => read_token(token)?,
        (None, Some(key)) if !key.is_empty() => Start::AfterKey(key.clone()),
        _ => Start::First,
    };
    let most = most(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let page =
        bucket.page(&PageRequest { prefix: &prefix, delimiter: delimiter.as_deref().unwrap_or_default(), start, most });
    let owner = (input.fetch_owner == Some(true)).then(owner);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(names.write(&prefix)),
        delimiter: delimiter.map(|delimiter| names.write(&delimiter)),
        start_after: input.start_after.map(|key| names.write(&key)),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        max_keys: Some(most as i32),
        key_count: Some((page.objects.len() + page.prefixes.len()) as i32),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(write_token),
        contents: Some(names.objects(&page.objects, owner.as_ref())),
        common_prefixes: Some(names.prefixes(&page.prefixes)),
        ..Default::default()
    })
}

/// ListObjects, the first version: the marker is a key or a common prefix.
pub(super) fn first(bucket: &MemoryBucket, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let names = Names::new(input.encoding_type.as_ref())?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let marker = input.marker.unwrap_or_default();
    let is_group = |marker: &str, delimiter: &str| {
        marker
            .strip_prefix(prefix.as_str())
            .and_then(|rest| rest.strip_suffix(delimiter))
            .is_some_and(|name| !name.contains(delimiter))
    };
    let start = match &delimiter {
        _ if marker.is_empty() => Start::First,
        Some(delimiter) if is_group(&marker, delimiter) => Start::AfterPrefix(marker.clone()),
        _ => Start::AfterKey(marker.clone()),
    };
    let most = most(input.max_keys)?;
    let page =
        bucket.page(&PageRequest { prefix: &prefix, delimiter: delimiter.as_deref().unwrap_or_default(), start, most });
    let next = page.next.as_ref().map(|start| match start {
        Start::First => String::new(),
        Start::AfterKey(text) | Start::AfterPrefix(text) => names.write(text),
    });
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(names.write(&prefix)),
        // S3 names the next marker only where there is a delimiter; elsewhere it is the last key.
        next_marker: next.filter(|_| delimiter.is_some()),
        delimiter: delimiter.map(|delimiter| names.write(&delimiter)),
        marker: Some(names.write(&marker)),
        encoding_type: input.encoding_type,
        max_keys: Some(most as i32),
        is_truncated: Some(page.next.is_some()),
        contents: Some(names.objects(&page.objects, Some(&owner()))),
        common_prefixes: Some(names.prefixes(&page.prefixes)),
        ..Default::default()
    })
}
