//! A bucket in memory: the reference of what the port means, strict where real stores are lax.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::batch::MAX_KEYS;
use super::conformance::{Description, Seed};
use super::lifecycle::LifecycleRule;
use super::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, FoldersPage, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, StoreError, StoreIdentity,
};
use crate::domain::key::successor;
use crate::domain::{ETag, Key, Object, StorageClass, Timestamp};

/// A bucket in memory with a clock that moves only when told to. Conditions on deletions are honoured, as AWS does.
#[derive(Debug)]
pub struct MemoryStore {
    identity: StoreIdentity,
    /// Whether a deletion of what is not there is answered as an error, as Garage does; others say Deleted.
    reports_missing: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// By the key that makes the object one: its NFC form in a store that folds.
    objects: BTreeMap<Key, Stored>,
    now: Timestamp,
    lifecycle: Vec<LifecycleRule>,
}

#[derive(Debug)]
struct Stored {
    object: Object,
    body: Bytes,
    described: Description,
}

impl MemoryStore {
    /// An empty bucket; its clock stands at 2026-11-21T10:00:00Z.
    pub fn new(bucket: &str) -> Self {
        let identity = StoreIdentity {
            endpoint: String::from("memory://local"),
            bucket: bucket.to_owned(),
            region: String::from("auto"),
            ..StoreIdentity::default()
        };
        let state = State { objects: BTreeMap::new(), now: Timestamp(1_795_255_200_000), lifecycle: Vec::new() };
        Self { identity, reports_missing: false, state: Mutex::new(state) }
    }

    /// Keeps one object for all Unicode spellings of a key, as R2 does.
    #[must_use]
    pub fn folding_nfc(mut self) -> Self {
        self.identity.folds_nfc = true;
        self
    }

    /// Answers the deletion of a missing key with an error, as Garage does.
    #[must_use]
    pub fn reporting_missing(mut self) -> Self {
        self.reports_missing = true;
        self
    }

    /// Writes an object, changed now; its ETag is the MD5 of `body`.
    pub fn put(&self, key: &Key, body: impl Into<Bytes>) -> Object {
        self.put_with(key, body, Description::default())
    }

    /// Writes an object, changed now, with what is stored beside its bytes.
    pub fn put_with(&self, key: &Key, body: impl Into<Bytes>, described: Description) -> Object {
        let body = body.into();
        let mut state = self.state();
        let object = Object {
            key: key.clone(),
            size: body.len() as u64,
            etag: ETag::new(&hex(&Md5::digest(&body))),
            last_modified: Some(state.now),
            storage_class: StorageClass::default(),
        };
        state.objects.insert(self.folded(key), Stored { object: object.clone(), body, described });
        object
    }

    /// Writes an object with these very fields and no body, for example an old or a huge one.
    pub fn put_described(&self, object: Object) {
        let key = self.folded(&object.key);
        self.state().objects.insert(key, Stored { object, body: Bytes::new(), described: Description::default() });
    }

    /// Changes what is stored beside the bytes of an object, which stays unchanged otherwise.
    pub fn describe(&self, key: &Key, described: Description) {
        if let Some(stored) = self.state().objects.get_mut(&self.folded(key)) {
            stored.described = described;
        }
    }

    /// Removes an object as if somebody else had; whether there was one.
    pub fn remove(&self, key: &Key) -> bool {
        self.state().objects.remove(&self.folded(key)).is_some()
    }

    /// Removes every object.
    pub fn clear(&self) {
        self.state().objects.clear();
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<Key> {
        self.state().objects.values().map(|stored| stored.object.key.clone()).collect()
    }

    /// The object under a key, if there is one.
    pub fn object(&self, key: &Key) -> Option<Object> {
        self.state().objects.get(&self.folded(key)).map(|stored| stored.object.clone())
    }

    /// Sets the clock of the store.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = now;
    }

    /// The clock of the store.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folded(&self, key: &Key) -> Key {
        if self.identity.folds_nfc { key.nfc() } else { key.clone() }
    }

    fn delete_one(&self, state: &mut State, target: &DeleteTarget) -> DeleteAnswer {
        let key = self.folded(&target.key);
        let is_meant = |object: &Object| {
            target.etag.as_ref().is_none_or(|etag| *etag == object.etag)
                && target.last_modified.is_none_or(|time| Some(time) == object.last_modified)
        };
        match (state.objects.get(&key), &target.etag) {
            (None, None) if !self.reports_missing => DeleteAnswer::DELETED,
            (None, _) => DeleteAnswer::Absent,
            (Some(stored), _) if !is_meant(&stored.object) => DeleteAnswer::Refused(StoreError::new(
                ErrorKind::PreconditionFailed,
                format!("{}: the object is no longer the one that was meant", target.key.escaped()),
            )),
            (Some(_), _) => {
                state.objects.remove(&key);
                DeleteAnswer::DELETED
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key after which a page starts: the token is the last key of the page before, in hex.
fn start_of(request: &ListRequest) -> Result<Option<Key>, StoreError> {
    let Some(token) = &request.continuation else { return Ok(request.start_after.clone()) };
    let digits = token.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = digits.map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect::<Option<Vec<u8>>>();
    bytes.map(|bytes| Some(Key::new(bytes))).ok_or_else(|| invalid("the continuation token is not one of this store"))
}

fn invalid(why: &str) -> StoreError {
    StoreError::new(ErrorKind::Invalid, why)
}

#[async_trait]
impl ObjectStore for MemoryStore {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let after = start_of(request)?.map(|key| self.folded(&key));
        let prefix = self.folded(&Key::new(&request.prefix));
        let most = request.max_keys.map_or(MAX_KEYS, |max| (max as usize).min(MAX_KEYS));
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix.clone()),
        };
        let end = successor(prefix.as_bytes());
        let state = self.state();
        let mut rest = state
            .objects
            .range::<Key, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| end.as_ref().is_none_or(|end| key.as_bytes() < end.as_slice()));
        let objects: Vec<Object> = rest.by_ref().take(most).map(|(_, stored)| stored.object.clone()).collect();
        let next = objects.last().filter(|_| rest.next().is_some()).map(|last| hex(last.key.as_bytes()));
        Ok(ListPage { objects, next, server_time: Some(state.now) })
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        let folder_of = |key: &Key| {
            let rest = key.as_bytes().strip_prefix(prefix)?;
            rest.iter().position(|byte| *byte == b'/').map(|at| key.as_bytes()[..=prefix.len() + at].to_vec())
        };
        let state = self.state();
        let under = state.objects.range(Key::new(prefix)..).take_while(|(key, _)| key.as_bytes().starts_with(prefix));
        // Keys that are right here count, too: a page is of so many entries, whatever they are.
        let mut entries: Vec<Option<Vec<u8>>> = Vec::new();
        for (key, _) in under {
            let folder = folder_of(key);
            if folder.is_none() || entries.last() != Some(&folder) {
                if entries.len() == MAX_KEYS {
                    return Ok(FoldersPage { names: entries.into_iter().flatten().collect(), complete: false });
                }
                entries.push(folder);
            }
        }
        Ok(FoldersPage { names: entries.into_iter().flatten().collect(), complete: true })
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let state = self.state();
        Ok(state.objects.get(&self.folded(key)).map(|stored| HeadAnswer {
            object: Object { key: key.clone(), ..stored.object.clone() },
            content_type: Some(stored.described.content_type.clone()),
            metadata: stored.described.metadata.clone(),
            headers: stored.described.headers.clone(),
            server_time: Some(state.now),
        }))
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        let state = self.state();
        let missing = || StoreError::new(ErrorKind::NotFound, format!("there is no object {}", key.escaped()));
        let body = state.objects.get(&self.folded(key)).map(|stored| stored.body.clone()).ok_or_else(missing)?;
        let (offset, length) = range.unwrap_or((0, u64::MAX));
        let end = usize::try_from(offset.saturating_add(length)).unwrap_or(usize::MAX).min(body.len());
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(end);
        Ok(body.slice(start..end))
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        if targets.is_empty() || targets.len() > MAX_KEYS {
            return Err(invalid("a request deletes 1 to 1,000 keys"));
        }
        if let Some(unsafe_key) = targets.iter().find(|target| !target.key.is_xml_safe()) {
            return Err(invalid(&format!("XML cannot carry the key {}", unsafe_key.key.escaped())));
        }
        let mut keys: Vec<Key> = targets.iter().map(|target| self.folded(&target.key)).collect();
        keys.sort();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(invalid("a key occurs twice"));
        }
        let mut state = self.state();
        let answers = targets.iter().map(|target| self.delete_one(&mut state, target)).collect();
        Ok(BatchAnswer { answers, alarm: None })
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        Ok(self.delete_one(&mut self.state(), target))
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        let (from, to) = (self.folded(&request.source.key), self.folded(&request.destination));
        let mut state = self.state();
        if state.objects.contains_key(&to) {
            return Ok(CopyAnswer::DestinationExists);
        }
        let now = state.now;
        let Some(source) = state.objects.get(&from) else { return Ok(CopyAnswer::SourceMissing) };
        if source.object.etag != request.source.etag {
            return Ok(CopyAnswer::SourceChanged);
        }
        let object = Object { key: request.destination.clone(), last_modified: Some(now), ..source.object.clone() };
        let copy = Stored { object, body: source.body.clone(), described: source.described.clone() };
        state.objects.insert(to, copy);
        Ok(CopyAnswer::Copied)
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        if self.state().objects.contains_key(&self.folded(&request.key)) {
            return Ok(PutAnswer::Exists);
        }
        let described = Description { content_type: request.content_type.clone(), ..Description::default() };
        Ok(PutAnswer::Written(self.put_with(&request.key, request.body.clone(), described).etag))
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        Ok(self.state().lifecycle.clone())
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        self.state().lifecycle = rules.to_vec();
        Ok(())
    }
}

#[async_trait]
impl Seed for MemoryStore {
    async fn put_all(&self, objects: Vec<(Key, Bytes)>) -> Result<(), String> {
        for (key, body) in objects {
            self.put(&key, body);
        }
        Ok(())
    }

    async fn put_one(&self, key: &Key, body: Bytes, described: Description) -> Result<(), String> {
        self.put_with(key, body, described);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::conformance::{CHECKS, Quirks, Subject};
    use crate::store::counted::CountedStore;

    async fn conforms(store: MemoryStore, quirks: Quirks) {
        let seed = Arc::new(store);
        let counted = CountedStore::new(seed.clone());
        for store in [&*seed as &dyn ObjectStore, &counted] {
            for (name, check) in CHECKS {
                if let Err(why) = check(Subject { store, seed: &*seed, quirks }).await {
                    panic!("{name}: {why}");
                }
            }
        }
    }

    #[tokio::test]
    async fn the_bucket_in_memory_is_a_store_like_any_other_counted_or_not() {
        conforms(MemoryStore::new("b"), Quirks::default()).await;
        conforms(MemoryStore::new("b").folding_nfc(), Quirks::default()).await;
        let quirks = Quirks { missing_is_absent: true, ..Quirks::default() };
        conforms(MemoryStore::new("b").reporting_missing(), quirks).await;
    }

    #[tokio::test]
    async fn conditions_are_honoured() {
        let store = MemoryStore::new("b");
        let (key, then) = (Key::from("a"), store.put(&Key::from("a"), "old"));
        store.put(&key, "new");
        let target = DeleteTarget { etag: Some(then.etag), ..DeleteTarget::of(key.clone()) };
        let answer = store.delete(&target).await;
        assert!(matches!(answer, Ok(DeleteAnswer::Refused(error)) if error.kind == ErrorKind::PreconditionFailed));
        assert!(store.object(&key).is_some());
    }
}
