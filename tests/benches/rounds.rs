//! What a listing costs beside the clock: round trips and requests. Every request that is under way is answered at once and
//! together, as a distant store without any load would; a listing in sequence takes one round trip a page and one more.
//!
//! `cargo bench --bench rounds [-- OBJECTS...]`; 20,000 objects if none are named.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "server/keys.rs"]
#[allow(dead_code, reason = "every bench compiles all of this and uses its part")]
mod keys;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Mutex;

use async_trait::async_trait;
use bucketree::domain::progress::{Completeness, ScanProgress, ScanReport};
use bucketree::domain::{ETag, Key, Object, StorageClass, Timestamp};
use bucketree::jobs::scan::scan;
use bucketree::jobs::{Clock, Stop};
use bucketree::store::memory::MemoryStore;
use bucketree::store::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, FoldersPage, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, StoreError, StoreIdentity,
};
use bytes::Bytes;
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt as _;
use tokio::sync::mpsc;

/// Keys of a page.
const PAGE: u64 = 1000;

fn main() {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    for count in if counts.is_empty() { vec![20_000] } else { counts } {
        println!("{count:>10} keys{:>10}{:>12}{:>12}", "pages", "round trips", "requests");
        for kind in ["mixed", "flat", "tree", "hexadecimal", "numbered", "dates", "words"] {
            let store = Rc::new(filled(keys::of_kind(kind, count)));
            let (rounds, report, objects) = listed(&store);
            assert_eq!(report.completeness, Completeness::Complete);
            let pages = (objects as u64).div_ceil(PAGE);
            println!("{kind:>15}{pages:>10}{rounds:>12}{:>12}", report.requests);
        }
    }
}

/// A store in memory whose answers come when it is said.
struct Distant {
    inner: MemoryStore,
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
}

fn filled(keys: Vec<String>) -> Distant {
    let inner = MemoryStore::new("bench");
    for key in &keys {
        inner.put_described(Object {
            key: Key::from(key.as_str()),
            size: 1,
            etag: ETag::new("e"),
            last_modified: Some(Timestamp(0)),
            storage_class: StorageClass::default(),
        });
    }
    Distant { inner, waiting: Mutex::default() }
}

/// Lists all of it: round trips, what the listing says, and objects.
fn listed(store: &Rc<Distant>) -> (u64, ScanReport, usize) {
    let mut pool = LocalPool::new();
    let (sender, mut receiver) = mpsc::channel(4);
    let report: Rc<Cell<Option<ScanReport>>> = Rc::default();
    let objects = Rc::new(Cell::new(0));
    let (store_of, report_of, objects_of) = (Rc::clone(store), Rc::clone(&report), Rc::clone(&objects));
    let listing = async move {
        let (clock, stop) = (Clock::from_fn(|| Timestamp(0)), Stop::new());
        report_of.set(Some(scan(&*store_of, b"", &clock, &stop, &sender).await));
    };
    let taking = async move {
        while let Some(message) = receiver.recv().await {
            if let ScanProgress::Page(page) = message {
                objects_of.set(objects_of.get() + page.len());
            }
        }
    };
    pool.spawner().spawn_local(listing).expect("a task");
    pool.spawner().spawn_local(taking).expect("a task");
    let mut rounds = 0;
    loop {
        pool.run_until_stalled();
        if let Some(report) = report.take() {
            return (rounds, report, objects.get());
        }
        rounds += 1;
        let waiting: Vec<_> = store.waiting.lock().unwrap().drain(..).collect();
        assert!(!waiting.is_empty(), "the listing waits for nothing");
        waiting.into_iter().for_each(|answer| answer.send(()).expect("somebody waits"));
    }
}

impl Distant {
    async fn round_trip(&self) {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap().push(sender);
        receiver.await.expect("an answer");
    }
}

fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::new(ErrorKind::Unsupported, "a listing only lists"))
}

#[async_trait]
impl ObjectStore for Distant {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }
    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        self.round_trip().await;
        self.inner.list(request).await
    }
    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        self.round_trip().await;
        self.inner.folders(prefix).await
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
