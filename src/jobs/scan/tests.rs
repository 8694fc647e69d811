//! Whatever the keys are like and however the store cuts its pages: all of them, once, in order, or a listing that says that
//! it is incomplete.
//!
//! `BUCKETREE_SCAN_CASES=1000000 cargo test --release --lib scan:: -- --nocapture` runs a million cases; without the
//! variable there are a thousand.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::domain::{ETag, Object, StorageClass};
use crate::store::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, FoldersPage, HeadAnswer, PutAnswer, PutRequest,
    StoreIdentity,
};

/// How a store takes `start-after` when it does not do it right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    /// It begins at the beginning.
    IgnoresStart,
    /// It includes the key.
    IncludesStart,
    /// It finds nothing after a key that does not exist.
    KnowsOnlyItsKeys,
    /// It leaves out the first key after one that does not exist.
    SkipsOne,
    /// Now and then it says too early that this was all.
    EndsEarly,
    /// Now and then a token is no longer known.
    ForgetsTokens,
    /// Now and then an answer is lost.
    LosesAnswers,
    /// It tells folders that there are not, and not those that there are.
    InventsFolders,
}

/// Keys in order, in pages of random length, answered in random order.
struct Oracle {
    keys: Vec<Key>,
    fault: Fault,
    random: Mutex<u64>,
    longest_page: usize,
    identity: StoreIdentity,
    clumsy: bool,
}

impl Oracle {
    fn new(keys: &BTreeSet<Vec<u8>>, longest_page: usize, fault: Fault, seed: u64) -> Self {
        let keys = keys.iter().map(Key::new).collect();
        let identity = StoreIdentity { bucket: "b".into(), ..StoreIdentity::default() };
        Self { keys, fault, random: Mutex::new(seed | 1), longest_page, identity, clumsy: seed.is_multiple_of(5) }
    }

    fn random(&self, below: usize) -> usize {
        let mut state = self.random.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) as usize % below.max(1)
    }

    fn fails(&self, fault: Fault) -> bool {
        self.fault == fault && self.random(6) == 0
    }

    fn begin(&self, request: &ListRequest) -> Result<usize, StoreError> {
        if let Some(token) = &request.continuation {
            if self.fails(Fault::ForgetsTokens) {
                return Err(StoreError::new(ErrorKind::Invalid, "no such token"));
            }
            return Ok(token.split('-').next().unwrap().parse().unwrap());
        }
        let prefix = self.keys.partition_point(|key| key.as_bytes() < request.prefix.as_slice());
        let Some(after) = &request.start_after else { return Ok(prefix) };
        assert!(after.as_str().is_some(), "{after:?} cannot be sent");
        let found = self.keys.binary_search(after);
        let next = match (self.fault, found) {
            (Fault::IgnoresStart, _) => 0,
            (Fault::IncludesStart, Ok(at)) => at,
            (Fault::KnowsOnlyItsKeys, Err(_)) => self.keys.len(),
            (Fault::SkipsOne, Err(at)) => (at + 1).min(self.keys.len()),
            (_, Ok(at)) => at + 1,
            (_, Err(at)) => at,
        };
        Ok(next.max(prefix))
    }
}

fn object(key: &Key) -> Object {
    Object {
        key: key.clone(),
        size: 1,
        etag: ETag::new("e"),
        last_modified: None,
        storage_class: StorageClass::default(),
    }
}

fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::new(ErrorKind::Unsupported, "a listing only lists"))
}

#[async_trait]
impl ObjectStore for Oracle {
    fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        for _ in 0..self.random(4) {
            tokio::task::yield_now().await;
        }
        if self.fails(Fault::LosesAnswers) {
            return Err(StoreError::new(ErrorKind::Timeout, "no answer"));
        }
        let begin = self.begin(request)?;
        let all = self.keys.partition_point(|key| {
            key.as_bytes() < request.prefix.as_slice() || key.as_bytes().starts_with(&request.prefix)
        });
        let length = if self.clumsy { self.random(self.longest_page + 1) } else { self.longest_page };
        let end = (begin + length).min(all).max(begin);
        let objects: Vec<Object> = self.keys[begin..end].iter().map(object).collect();
        // A store that says of nothing that it is all would be a plain lie, which nothing can reveal.
        let more = end < all && (end == begin || !self.fails(Fault::EndsEarly));
        // A token is good for one use: the same one twice would be an error of the store.
        let next = more.then(|| format!("{end}-{}", self.random(usize::MAX)));
        Ok(ListPage { objects, next, server_time: None })
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        if self.fails(Fault::LosesAnswers) || self.random(8) == 0 {
            return Err(StoreError::new(ErrorKind::Timeout, "no answer"));
        }
        let folder = |key: &Key| {
            let rest = key.as_bytes().strip_prefix(prefix)?;
            rest.iter().position(|byte| *byte == b'/').map(|at| key.as_bytes()[..=prefix.len() + at].to_vec())
        };
        let mut names: Vec<Vec<u8>> = self.keys.iter().filter_map(folder).collect();
        names.dedup();
        let complete = names.len() <= self.longest_page;
        names.truncate(self.longest_page);
        if self.fault == Fault::InventsFolders {
            names = (0..self.random(9))
                .map(|at| {
                    [prefix, self.keys[self.random(self.keys.len())].as_bytes(), &[b'0' + at as u8, b'/']].concat()
                })
                .collect();
            names.sort();
        }
        Ok(FoldersPage { names, complete })
    }

    async fn head(&self, _: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        unused()
    }
    async fn get(&self, _: &Key, _: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        unused()
    }
    async fn delete_batch(&self, _: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        unused()
    }
    async fn delete(&self, _: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        unused()
    }
    async fn copy(&self, _: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        unused()
    }
    async fn put(&self, _: &PutRequest) -> Result<PutAnswer, StoreError> {
        unused()
    }
}

/// Lists all that begins with `prefix`; the pages, and how it ended.
async fn listed(store: &Oracle, prefix: &[u8]) -> (Vec<Vec<Key>>, ScanReport) {
    let (sender, mut receiver) = mpsc::channel(2);
    let (stop, clock) = (Stop::new(), Clock::from_fn(|| Timestamp(0)));
    let listing = async {
        let sender = sender;
        scan(store, prefix, &clock, &stop, &sender).await
    };
    let taking = async {
        let mut pages = Vec::new();
        while let Some(message) = receiver.recv().await {
            if let ScanProgress::Page(objects) = message {
                pages.push(objects.into_iter().map(|object| object.key).collect());
            }
        }
        pages
    };
    let (report, pages) = futures::join!(listing, taking);
    (pages, report)
}

/// Lists and compares: a complete listing is the oracle's, an incomplete one is a beginning of it. Whether it was complete.
fn check(keys: &BTreeSet<Vec<u8>>, prefix: &[u8], longest_page: usize, fault: Fault, seed: u64) -> bool {
    let store = Oracle::new(keys, longest_page, fault, seed);
    let (pages, report) = futures::executor::block_on(listed(&store, prefix));
    let found: Vec<Key> = pages.into_iter().flatten().collect();
    let expected: Vec<Key> = store.keys.iter().filter(|key| key.as_bytes().starts_with(prefix)).cloned().collect();
    let complete = report.completeness == Completeness::Complete;
    if complete {
        assert_eq!(found, expected, "{fault:?}");
        if !store.clumsy && fault == Fault::None {
            let pages = expected.len().div_ceil(longest_page) as u64;
            assert!(report.requests <= 3 * pages + 64, "{} requests for {pages} pages", report.requests);
        }
    } else {
        assert!(expected.starts_with(&found), "{fault:?}: {found:?} is no beginning of {expected:?}");
    }
    complete
}

/// Keys as apps write them and as nobody should.
fn keys() -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    let set = |one: BoxedStrategy<String>, most: usize| {
        prop::collection::btree_set(one.prop_map(String::into_bytes), 0..most).boxed()
    };
    let flat_hex = set("proj_proj_6[1-9][0-9a-f]{6}_[0-9a-f]{4}".boxed(), 300);
    let long_prefixes = set("(a{60}|a{59}b|aaaa)/(x{30}){0,3}[0-9]{1,4}".boxed(), 200);
    let one_folder =
        (0_u32..300).prop_map(|count| (0..count).map(|n| format!("one/img_{n:08}").into_bytes()).collect());
    let unicode = set("[\u{e9}\u{301}e\u{3042}-\u{3046}\u{1f3ac}\u{1f3ad}\u{10fff0}/]{1,4}".boxed(), 200);
    let last_byte = set("same/[ -~]".boxed(), 90);
    let clusters = (any::<u64>(), 1_usize..6, 1_u32..80).prop_map(|(seed, clusters, count)| {
        let at = |cluster: usize| "q".repeat((seed >> (cluster * 7)) as usize % 40);
        let key = |cluster: usize, n: u32| format!("{}{}{n}", at(cluster), char::from(b'0' + cluster as u8));
        (0..clusters)
            .flat_map(|cluster| (0..count).map(move |n| (cluster, n)))
            .map(|(c, n)| key(c, n).into_bytes())
            .collect()
    });
    let tree = set("users/6[0-9a-f]{3}/p/[0-9a-f]{2}/(audio|media)/000[0-9].mp4".boxed(), 300);
    let mixed = set("(proj_6[0-9a-f]{4}|users/6[0-9a-f]{3}/[0-9]{2}|[A-Z]{2}|%[0-9]|\\+ ?[a-c]|~+|/+)".boxed(), 300);
    let hostile = prop::collection::btree_set(
        prop::collection::vec(prop_oneof![Just(0_u8), Just(0x7f), Just(0xff), any::<u8>()], 1..5),
        0..120,
    );
    let text =
        hostile.prop_map(|set| set.iter().map(|key| String::from_utf8_lossy(key).into_owned().into_bytes()).collect());
    prop_oneof![
        flat_hex,
        long_prefixes,
        one_folder.boxed(),
        unicode,
        last_byte,
        clusters.boxed(),
        tree,
        mixed,
        text.boxed()
    ]
}

fn cases(few: u32) -> u32 {
    std::env::var("BUCKETREE_SCAN_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few)
}

fn prove(few: u32, law: impl Fn(BTreeSet<Vec<u8>>, usize, u64) -> bool) -> (u32, u32) {
    let config = Config { cases: cases(few), max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    let (mut complete, mut all) = (0, 0);
    let counted = Mutex::new((&mut complete, &mut all));
    let run = TestRunner::new(config).run(&(keys(), 1_usize..12, any::<u64>()), |(keys, page, seed)| {
        let is_complete = law(keys, page, seed);
        let mut counted = counted.lock().unwrap();
        *counted.0 += u32::from(is_complete);
        *counted.1 += 1;
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    (complete, all)
}

#[test]
fn every_key_comes_out_once_and_in_order() {
    let (complete, all) = prove(600, |keys, page, seed| check(&keys, b"", page, Fault::None, seed));
    // A store that sends a hundred empty pages in a row is given up; these stores do not.
    assert_eq!(complete, all);
}

#[test]
fn under_a_prefix_every_key_comes_out_once_and_nothing_else() {
    let (complete, all) = prove(300, |keys, page, seed| {
        let some = keys.iter().nth(seed as usize % keys.len().max(1)).cloned().unwrap_or_default();
        let text = String::from_utf8(some).unwrap();
        let prefix: String = text.chars().take(seed as usize % 7).collect();
        check(&keys, prefix.as_bytes(), page, Fault::None, seed)
    });
    assert_eq!(complete, all);
}

#[test]
fn a_store_that_takes_start_after_wrongly_never_makes_a_gap() {
    for fault in [Fault::IgnoresStart, Fault::IncludesStart, Fault::KnowsOnlyItsKeys, Fault::SkipsOne] {
        prove(150, |keys, page, seed| check(&keys, b"", page, fault, seed));
    }
}

#[test]
fn folders_that_a_store_invents_change_nothing() {
    let (complete, all) = prove(300, |keys, page, seed| check(&keys, b"", page, Fault::InventsFolders, seed));
    assert_eq!(complete, all);
}

#[test]
fn a_store_that_ends_early_or_loses_answers_is_never_believed() {
    for fault in [Fault::EndsEarly, Fault::LosesAnswers] {
        prove(150, |keys, page, seed| check(&keys, b"", page, fault, seed));
    }
    let (complete, all) = prove(150, |keys, page, seed| check(&keys, b"", page, Fault::ForgetsTokens, seed));
    assert_eq!(complete, all, "a token that was forgotten is replaced by the last key");
}
