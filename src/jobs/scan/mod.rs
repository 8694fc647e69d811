//! Listing a bucket: strict from page to page and from range to range, or not complete.
//!
//! ```text
//! mod      the job: requests under way, pages out in order, how it ended
//! ranges   the bucket in pieces that are listed side by side and join without a gap
//! range    one piece
//! outlook  where to cut a piece, learned from the keys that were seen
//! places   what is written at the places of keys
//! folders  where to cut, as the store's folders tell
//! ```
//!
//! A listing is one page after another, each known by the one before: a distant store sends one page a round trip. So the
//! listing begins as one range and is cut while it goes on, after keys that need not exist (`start-after`).

mod folders;
mod outlook;
mod places;
mod range;
mod ranges;
#[cfg(test)]
mod tests;

use std::time::Instant;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use self::range::Ask;
use self::ranges::{Ranges, Request};
use super::{Clock, Stop, failure, place};
use crate::domain::progress::{Completeness, Failure, ScanProgress, ScanReport};
use crate::domain::{Key, Timestamp};
use crate::store::{ErrorKind, FoldersPage, ListPage, ListRequest, ObjectStore, StoreError};

/// Requests under way at once. Stores that want fewer say so, and the store's wrapper heeds it.
const REQUESTS: usize = 32;

/// Lists every object under `prefix` in key order and sends it page by page; the last message is the report, which is
/// also returned. A receiver that went away stops the listing, and one that is slow slows it down.
///
/// The listing is complete only if every page arrived, passed the port's checks, and continued the page before: no key
/// at or before the last one, no token twice, no endless empty pages; if every range saw the first key of the range behind
/// it; and if there was nothing after the last key when the store was asked once more (a store that says "not truncated"
/// too early is known: rustfs#3217).
pub async fn scan(
    store: &dyn ObjectStore,
    prefix: &[u8],
    clock: &Clock,
    stop: &Stop,
    sender: &mpsc::Sender<ScanProgress>,
) -> ScanReport {
    let started = Instant::now();
    let mut lister = Lister::new(store, prefix);
    let local_time = clock.now();
    let completeness = match lister.run(stop, sender).await {
        Ok(()) => Completeness::Complete,
        Err(failure) => {
            lister.tell_what_is_sure(stop, sender).await;
            Completeness::Incomplete(failure)
        }
    };
    let report = ScanReport {
        completeness,
        server_time: lister.server_time,
        local_time,
        requests: lister.requests,
        elapsed: started.elapsed(),
    };
    // A receiver that went away has no use for the report; the caller has it.
    let _ = sender.send(ScanProgress::Finished(report.clone())).await;
    report
}

/// What came back.
enum Answer {
    /// For a range: how many requests it took, and what they brought.
    Page(u64, u64, Result<ListPage, StoreError>),
    /// The folders under a folder.
    Folders(Vec<u8>, Result<FoldersPage, StoreError>),
}

struct Lister<'a> {
    store: &'a dyn ObjectStore,
    prefix: &'a [u8],
    ranges: Ranges,
    under_way: FuturesUnordered<BoxFuture<'a, Answer>>,
    server_time: Option<Timestamp>,
    requests: u64,
}

impl<'a> Lister<'a> {
    fn new(store: &'a dyn ObjectStore, prefix: &'a [u8]) -> Self {
        let (ranges, under_way) = (Ranges::new(prefix), FuturesUnordered::new());
        Self { store, prefix, ranges, under_way, server_time: None, requests: 0 }
    }

    async fn run(&mut self, stop: &Stop, sender: &mpsc::Sender<ScanProgress>) -> Result<(), Failure> {
        let stopped = stop.requested();
        tokio::pin!(stopped);
        while !self.ranges.is_finished() {
            self.send_requests();
            tokio::select! {
                biased;
                () = &mut stopped => return Err(self.broken("it was stopped")),
                room = sender.reserve(), if self.ranges.has_page() => {
                    let Ok(room) = room else { return Err(self.broken("it was stopped")) };
                    if let Some(page) = self.ranges.next_page() {
                        room.send(ScanProgress::Page(page));
                    }
                }
                Some(answer) = self.under_way.next() => self.arrived(answer)?,
            }
        }
        Ok(())
    }

    /// Sends what lies without a gap behind what was sent, since it passed every check before the listing broke.
    async fn tell_what_is_sure(&mut self, stop: &Stop, sender: &mpsc::Sender<ScanProgress>) {
        while let Some(page) = self.ranges.next_page().filter(|_| !stop.is_requested()) {
            if sender.send(ScanProgress::Page(page)).await.is_err() {
                return;
            }
        }
    }

    fn send_requests(&mut self) {
        while self.under_way.len() < REQUESTS {
            let Some(request) = self.ranges.next_request(self.under_way.len(), REQUESTS) else { return };
            let (store, prefix) = (self.store, self.prefix);
            self.under_way.push(match request {
                Request::Page(range, ask) => page(store, prefix, range, ask).boxed(),
                Request::Folders(folder) => folders(store, folder).boxed(),
            });
        }
    }

    fn arrived(&mut self, answer: Answer) -> Result<(), Failure> {
        let (range, requests, answer) = match answer {
            Answer::Page(range, requests, answer) => (range, requests, answer),
            Answer::Folders(folder, answer) => {
                self.requests += u64::from(!matches!(&answer, Err(error) if error.kind == ErrorKind::Unsupported));
                // A hint that did not come: the listing goes on without it.
                let page = answer.unwrap_or_default();
                self.ranges.found_folders(&folder, page.names, page.complete);
                return Ok(());
            }
        };
        self.requests += requests;
        let page = answer.map_err(|error| failure(format!("list {}", place(self.store.identity())), &error))?;
        self.server_time = self.server_time.or(page.server_time);
        self.ranges.arrived(range, page).map_err(|why| self.broken(&why))
    }

    fn broken(&self, why: &str) -> Failure {
        Failure {
            what: format!("list {}", place(self.store.identity())),
            why: why.into(),
            hint: "list it again; nothing can be deleted by an incomplete listing".into(),
        }
    }
}

/// One page of a range. A token that the store no longer takes is replaced by the last key seen.
async fn page(store: &dyn ObjectStore, prefix: &[u8], range: u64, ask: Ask) -> Answer {
    let request = |after: Option<Key>, continuation: Option<String>| ListRequest {
        prefix: prefix.to_vec(),
        start_after: after,
        continuation,
        max_keys: None,
    };
    if let Some(token) = ask.token {
        match store.list(&request(None, Some(token))).await {
            Err(error) if error.kind == ErrorKind::Invalid => {
                return Answer::Page(range, 2, store.list(&request(ask.after, None)).await);
            }
            other => return Answer::Page(range, 1, other),
        }
    }
    Answer::Page(range, 1, store.list(&request(ask.after, None)).await)
}

async fn folders(store: &dyn ObjectStore, folder: Vec<u8>) -> Answer {
    let answer = store.folders(&folder).await;
    Answer::Folders(folder, answer)
}
