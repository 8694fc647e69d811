//! One object copied, and the copy proved to be a good one. Nothing is believed because a request succeeded: both objects
//! are looked at afterwards.

use std::time::Duration;

use crate::domain::{ETag, Key, Object};
use crate::store::retry::jitter;
use crate::store::{CopyAnswer, CopyRequest, ErrorKind, HeadAnswer, ObjectStore, StoreError};

/// How often a copy is asked for at most; between two times the destination is looked at.
const ATTEMPTS: u32 = 4;

/// A store that throttles is asked again after so many times the first wait: R2 takes one write a second of a key and
/// refuses more with 429 (r2/platform/limits), whoever the other writer is.
const THROTTLED: u32 = 5;

/// What proves a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The same ETag, that of an upload in one part, which stands for the content.
    ETag,
    /// Size, metadata and content type alone: the ETag of an object that was uploaded in parts says nothing of its content,
    /// and changes when it is copied. That the copy is of this object was a condition of the request.
    Description,
}

/// Why there is no good copy. The source is untouched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoCopy {
    /// There is another object at the destination.
    Taken,
    /// The source is no longer the object that was meant.
    SourceChanged,
    /// The source is not there.
    SourceMissing,
    /// There is a copy, and it is not the same; how it differs.
    Different(String),
    /// The store failed or refuses.
    Failed(StoreError),
}

/// Whose an object is that is found at the destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// Nobody else writes there: it is the copy of an earlier attempt, if it is the same.
    Own,
    /// It may be somebody else's. It counts as the copy of an earlier attempt only if its ETag proves the same content.
    Shared,
}

/// Copies `source` and proves the copy. `backoff` is the first bound of the waits between attempts.
///
/// # Errors
/// [`NoCopy`].
pub async fn copy(
    store: &dyn ObjectStore,
    source: &Object,
    to: &Key,
    destination: Destination,
    backoff: Duration,
) -> Result<Proof, NoCopy> {
    let request = CopyRequest { source: source.clone(), destination: to.clone() };
    let mut attempt = 1;
    loop {
        match store.copy(&request).await {
            Ok(CopyAnswer::Copied) => return prove(store, source, to).await,
            Ok(CopyAnswer::DestinationExists) => return found(store, source, to, destination).await,
            Ok(CopyAnswer::SourceChanged) => return Err(NoCopy::SourceChanged),
            Ok(CopyAnswer::SourceMissing) => return Err(NoCopy::SourceMissing),
            Err(error) => match store.head(to).await {
                // The answer was lost, not the copy.
                Ok(Some(_)) => return found(store, source, to, destination).await,
                Ok(None) if error.kind.is_transient() && attempt < ATTEMPTS => {
                    let least = if error.kind == ErrorKind::Throttled { THROTTLED } else { 0 };
                    let wait = jitter(backoff.saturating_mul(1 << attempt)).max(backoff.saturating_mul(least));
                    tokio::time::sleep(wait.max(error.retry_after.unwrap_or_default())).await;
                }
                _ => return Err(NoCopy::Failed(error)),
            },
        }
        attempt += 1;
    }
}

/// What an object at the destination means that this request did not put there.
async fn found(store: &dyn ObjectStore, source: &Object, to: &Key, destination: Destination) -> Result<Proof, NoCopy> {
    match (prove(store, source, to).await, destination) {
        (Ok(Proof::Description) | Err(NoCopy::Different(_)), Destination::Shared) => Err(NoCopy::Taken),
        (proof, _) => proof,
    }
}

/// Looks at both objects.
async fn prove(store: &dyn ObjectStore, source: &Object, to: &Key) -> Result<Proof, NoCopy> {
    let (from, copy) = tokio::join!(store.head(&source.key), store.head(to));
    let from = from.map_err(NoCopy::Failed)?.ok_or(NoCopy::SourceMissing)?;
    if !source.is_unchanged(&from.object) {
        return Err(NoCopy::SourceChanged);
    }
    match copy.map_err(NoCopy::Failed)? {
        None => Err(NoCopy::Different("the store confirmed a copy, and there is none".into())),
        Some(copy) => compare(&from, &copy).map_err(NoCopy::Different),
    }
}

/// Whether `copy` is what `from` is.
///
/// # Errors
/// What differs.
fn compare(from: &HeadAnswer, copy: &HeadAnswer) -> Result<Proof, String> {
    let differs =
        |what: &str, was: String, is: String| Err(format!("its {what} was {was}, and that of its copy is {is}"));
    let sorted = |pairs: &[(String, String)]| {
        let mut pairs = pairs.to_vec();
        pairs.sort();
        pairs
    };
    if from.object.size != copy.object.size {
        return differs("size", from.object.size.to_string(), copy.object.size.to_string());
    }
    if from.content_type != copy.content_type {
        return differs("content type", format!("{:?}", from.content_type), format!("{:?}", copy.content_type));
    }
    for (what, was, is) in [("metadata", &from.metadata, &copy.metadata), ("headers", &from.headers, &copy.headers)] {
        if sorted(was) != sorted(is) {
            return differs(what, format!("{was:?}"), format!("{is:?}"));
        }
    }
    if from.object.storage_class != copy.object.storage_class {
        let class = |head: &HeadAnswer| head.object.storage_class.as_str().to_owned();
        return differs("storage class", class(from), class(copy));
    }
    match stands_for_content(&from.object.etag) && stands_for_content(&copy.object.etag) {
        true if from.object.etag == copy.object.etag => Ok(Proof::ETag),
        true => differs("ETag", from.object.etag.as_str().into(), copy.object.etag.as_str().into()),
        false => Ok(Proof::Description),
    }
}

/// Whether an ETag has the form of an MD5, as that of an object that was uploaded in one part has.
fn stands_for_content(etag: &ETag) -> bool {
    etag.as_str().len() == 32 && etag.as_str().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::domain::StorageClass;
    use crate::store::faults::{Fault, FaultStore, Operation};
    use crate::store::memory::MemoryStore;

    fn head(size: u64, etag: &str, content_type: &str, metadata: &[(&str, &str)]) -> HeadAnswer {
        HeadAnswer {
            object: Object {
                key: Key::from("a"),
                size,
                etag: ETag::new(etag),
                last_modified: None,
                storage_class: StorageClass::default(),
            },
            content_type: Some(content_type.into()),
            metadata: metadata.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            headers: Vec::new(),
            server_time: None,
        }
    }

    const ONE: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const OTHER: &str = "d41d8cd98f00b204e9800998ecf8427f";

    fn check(from: &HeadAnswer, copy: &HeadAnswer, expected: Result<Proof, &str>) {
        match (compare(from, copy), expected) {
            (Ok(proof), Ok(expected)) => assert_eq!(proof, expected),
            (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn row_68_a_copy_is_the_same_or_it_is_none() {
        let metadata = [("a", "1"), ("b", "2")];
        let from = head(7, ONE, "video/mp4", &metadata);
        check(&from, &head(7, ONE, "video/mp4", &[("b", "2"), ("a", "1")]), Ok(Proof::ETag));
        check(&from, &head(8, ONE, "video/mp4", &metadata), Err("its size was 7, and that of its copy is 8"));
        check(&from, &head(7, OTHER, "video/mp4", &metadata), Err("ETag"));
        check(&from, &head(7, ONE, "text/plain", &metadata), Err("content type"));
        check(&from, &head(7, ONE, "video/mp4", &[("a", "1")]), Err("metadata"));
        let cached = HeadAnswer { headers: vec![("cache-control".into(), "no-store".into())], ..from.clone() };
        check(&from, &cached, Err("headers"));
        let mut cold = from.clone();
        cold.object.storage_class = StorageClass::new("STANDARD_IA");
        check(&from, &cold, Err("storage class"));
    }

    #[test]
    fn row_68_the_etag_of_parts_is_not_compared() {
        let from = head(7, "d41d8cd98f00b204e9800998ecf8427e-12", "video/mp4", &[]);
        check(&from, &head(7, ONE, "video/mp4", &[]), Ok(Proof::Description));
        check(&from, &head(7, "0ecf8427e-2", "video/mp4", &[]), Ok(Proof::Description));
        check(&from, &head(6, ONE, "video/mp4", &[]), Err("size"));
    }

    #[tokio::test]
    async fn row_04_a_key_that_is_throttled_is_left_alone_for_a_while() {
        let memory = Arc::new(MemoryStore::new("b"));
        let source = memory.put(&Key::from("a"), "x");
        let store = FaultStore::new(memory);
        store.at(Operation::Copy, 0, Fault::Fail(StoreError::new(ErrorKind::Throttled, "one write a second")));
        let (begun, backoff) = (Instant::now(), Duration::from_millis(20));
        assert_eq!(copy(&store, &source, &Key::from("b"), Destination::Own, backoff).await, Ok(Proof::ETag));
        assert!(begun.elapsed() >= backoff * THROTTLED, "{:?}", begun.elapsed());
    }
}
