//! Listing a whole bucket: wall time, CPU, requests and their ratio to one page after another, against a server in a
//! process of its own with a latency.
//!
//! `cargo bench --bench listing -- 200000 0 20 50 100`: a number of objects, then milliseconds. Without numbers a smoke of
//! 5,000 objects at 0 and 5 ms. `-- serve KIND OBJECTS MILLISECONDS [ADDRESS [AT-ONCE [PER-CONNECTION]]]` only serves, for
//! programs to be measured side by side; `GET /counts` says what was asked.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "server/mod.rs"]
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bucketree::domain::progress::{Completeness, ScanProgress};
use bucketree::domain::{Inventory, Object};
use bucketree::jobs::scan::scan;
use bucketree::jobs::{Clock, Stop};
use bucketree::store::limit::LimitStore;
use bucketree::store::retry::{RetryPolicy, RetryStore};
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{ListRequest, SharedStore};
use server::keys::of_kind;
use server::{Bucket, Manners, Process, cpu_seconds, serve};
use tokio::sync::mpsc;

/// What a listing took.
struct Taken {
    wall: f64,
    cpu: f64,
    requests: u64,
    objects: u64,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if words.first().is_some_and(|word| word == "serve") {
        return serve_words(&words[1..]);
    }
    let mut numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if numbers.len() < 2 {
        numbers = vec![5000, 0, 5];
    }
    let objects = numbers.remove(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("{:<24}{:>9}{:>12}{:>12}{:>10}{:>9}", "", "wall s", "cpu us/key", "keys/s", "requests", "ratio");
    for kind in ["mixed", "flat", "tree"] {
        for latency in &numbers {
            runtime.block_on(compare(kind, objects, *latency));
        }
    }
}

fn serve_words(words: &[String]) {
    let word = |at: usize, otherwise: &str| words.get(at).cloned().unwrap_or_else(|| otherwise.to_owned());
    let number = |at: usize| word(at, "0").parse().unwrap_or(0_usize);
    let manners = Manners {
        latency: Duration::from_millis(number(2) as u64),
        at_once: number(4),
        per_connection: number(5) as u64,
    };
    let address = word(3, "127.0.0.1:0").parse().expect("an address");
    serve(address, Bucket::new(of_kind(&word(0, "mixed"), number(1))), manners).expect("the server");
}

async fn compare(kind: &str, objects: u64, latency: u64) {
    let server = Process::start(&[kind.to_owned(), objects.to_string(), latency.to_string()]);
    let sequential = measured(one_after_another(&connected(&server.endpoint).await)).await;
    let parallel = measured(side_by_side(&connected(&server.endpoint).await)).await;
    assert_eq!(sequential.objects, parallel.objects, "both see the same bucket");
    for (name, taken) in [("in sequence", &sequential), ("scan", &parallel)] {
        println!(
            "{:<24}{:>9.3}{:>12.2}{:>12.0}{:>10}{:>8.1}x",
            format!("{kind} {latency} ms, {name}"),
            taken.wall,
            taken.cpu * 1e6 / taken.objects as f64,
            taken.objects as f64 / taken.wall,
            taken.requests,
            sequential.wall / taken.wall,
        );
    }
}

async fn connected(endpoint: &str) -> SharedStore {
    let options = S3Options {
        endpoint: Some(endpoint.to_owned()),
        bucket: "bench".into(),
        access_key_id: Some("id".into()),
        secret_access_key: Some("secret".into()),
        ..S3Options::default()
    };
    let store = S3Store::connect(options).await.expect("a client");
    Arc::new(RetryStore::new(Arc::new(LimitStore::new(Arc::new(store), 32)), RetryPolicy::default()))
}

/// Wall and CPU time of a listing that returns its objects and requests.
async fn measured(listing: impl Future<Output = (Inventory, u64)>) -> Taken {
    let (start, cpu) = (Instant::now(), cpu_seconds("self"));
    let (inventory, requests) = listing.await;
    Taken { wall: start.elapsed().as_secs_f64(), cpu: cpu_seconds("self") - cpu, requests, objects: inventory.alive() }
}

async fn one_after_another(store: &SharedStore) -> (Inventory, u64) {
    let (mut inventory, mut request, mut requests) = (Inventory::new(), ListRequest::default(), 0);
    loop {
        let page = store.list(&request).await.expect("a page");
        requests += 1;
        collect(&mut inventory, page.objects);
        match page.next {
            Some(token) => request.continuation = Some(token),
            None => return (inventory, requests),
        }
    }
}

async fn side_by_side(store: &SharedStore) -> (Inventory, u64) {
    let (sender, mut pages) = mpsc::channel(4);
    let (clock, stop) = (Clock::system(), Stop::new());
    let listing = async {
        let sender = sender;
        scan(store.as_ref(), b"", &clock, &stop, &sender).await
    };
    let collecting = async {
        let mut inventory = Inventory::new();
        while let Some(message) = pages.recv().await {
            if let ScanProgress::Page(objects) = message {
                collect(&mut inventory, objects);
            }
        }
        inventory
    };
    let (report, inventory) = tokio::join!(listing, collecting);
    assert_eq!(report.completeness, Completeness::Complete);
    (inventory, report.requests)
}

fn collect(inventory: &mut Inventory, objects: Vec<Object>) {
    objects.into_iter().for_each(|object| inventory.push(object).expect("keys in order"));
}
