//! Listing a bucket: strict from page to page, or not complete.

use std::collections::HashSet;
use std::time::Instant;

use tokio::sync::mpsc;

use super::{Clock, Stop, failure, place};
use crate::domain::progress::{Completeness, Failure, ScanProgress, ScanReport};
use crate::domain::{Key, Object, Timestamp};
use crate::store::{ErrorKind, ListPage, ListRequest, ObjectStore, StoreError};

/// Pages in a row that may hold no object before the listing is given up.
const EMPTY_PAGES: u32 = 100;

/// Lists every object under `prefix` in key order and sends it page by page; the last message is the report, which is
/// also returned. A receiver that went away stops the listing.
///
/// The listing is complete only if every page arrived, passed the port's checks, and continued the page before: no key
/// at or before the last one, no token twice, no endless empty pages, and nothing after the last key when the store was
/// asked once more (a store that says "not truncated" too early is known: rustfs#3217).
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
        Err(failure) => Completeness::Incomplete(failure),
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

struct Lister<'a> {
    store: &'a dyn ObjectStore,
    prefix: &'a [u8],
    last: Option<Key>,
    tokens: HashSet<String>,
    server_time: Option<Timestamp>,
    requests: u64,
}

impl<'a> Lister<'a> {
    fn new(store: &'a dyn ObjectStore, prefix: &'a [u8]) -> Self {
        Self { store, prefix, last: None, tokens: HashSet::new(), server_time: None, requests: 0 }
    }

    async fn run(&mut self, stop: &Stop, sender: &mpsc::Sender<ScanProgress>) -> Result<(), Failure> {
        let mut token: Option<String> = None;
        let mut empty_pages = 0;
        loop {
            if stop.is_requested() {
                return Err(self.broken("it was stopped"));
            }
            let page = self.page(token.take()).await?;
            empty_pages = if page.objects.is_empty() { empty_pages + 1 } else { 0 };
            if empty_pages > EMPTY_PAGES {
                return Err(self.broken("the store keeps sending empty pages"));
            }
            self.join(&page.objects)?;
            let next = page.next;
            if !page.objects.is_empty() && sender.send(ScanProgress::Page(page.objects)).await.is_err() {
                return Err(self.broken("it was stopped"));
            }
            match next {
                None => return self.prove_end().await,
                Some(next) if !self.tokens.insert(next.clone()) => {
                    return Err(self.broken("the store sent the same continuation token twice"));
                }
                Some(next) => token = Some(next),
            }
        }
    }

    /// One page, by token if there is one. A token that the store no longer takes is replaced by the last key seen.
    async fn page(&mut self, token: Option<String>) -> Result<ListPage, Failure> {
        let by_token = token.is_some();
        match self.request(token).await {
            Err(error) if by_token && error.kind == ErrorKind::Invalid => {
                self.request(None).await.map_err(|error| self.failed(&error))
            }
            other => other.map_err(|error| self.failed(&error)),
        }
    }

    async fn request(&mut self, token: Option<String>) -> Result<ListPage, StoreError> {
        self.requests += 1;
        let request = ListRequest {
            prefix: self.prefix.to_vec(),
            start_after: if token.is_none() { self.last.clone() } else { None },
            continuation: token,
            max_keys: None,
        };
        let page = self.store.list(&request).await?;
        self.server_time = self.server_time.or(page.server_time);
        Ok(page)
    }

    /// The page must begin after the last key of the page before.
    fn join(&mut self, objects: &[Object]) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (objects.first(), objects.last()) else {
            return Ok(());
        };
        if self.last.as_ref().is_some_and(|before| first.key <= *before) {
            return Err(self.broken(&format!(
                "keys are out of order: {:?} came after {:?}",
                first.key,
                self.last.as_ref().map(ToOwned::to_owned)
            )));
        }
        self.last = Some(last.key.clone());
        Ok(())
    }

    async fn prove_end(&mut self) -> Result<(), Failure> {
        if self.last.is_none() {
            return Ok(());
        }
        let page = self.request(None).await.map_err(|error| self.failed(&error))?;
        match page.objects.first() {
            None if page.next.is_none() => Ok(()),
            _ => Err(self.broken("the store said that the listing had ended, but there is more")),
        }
    }

    fn failed(&self, error: &StoreError) -> Failure {
        failure(format!("list {}", place(self.store.identity())), error)
    }

    fn broken(&self, why: &str) -> Failure {
        Failure {
            what: format!("list {}", place(self.store.identity())),
            why: why.into(),
            hint: "list it again; nothing can be deleted by an incomplete listing".into(),
        }
    }
}
