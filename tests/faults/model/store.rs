//! The bucket, watched: every request is written down, may fail, may be the last one, and has writers around it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bucketree::domain::{ETag, Key, Object, trash};
use bucketree::store::memory::MemoryStore;
use bucketree::store::{
    BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, ErrorKind, HeadAnswer, ListPage, ListRequest,
    ObjectStore, PutAnswer, PutRequest, StoreError, StoreIdentity,
};
use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::Notify;

use super::dice::Dice;
use super::history::History;
use super::scenery::Writers;

/// How a request fails.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    /// It never arrives.
    Lost(ErrorKind),
    /// It is carried out; the answer is lost.
    Unanswered(ErrorKind),
    /// The first half of it is carried out; the answer is lost.
    Half(ErrorKind),
    /// It is carried out; the answer leaves some keys out.
    Omits,
    /// Some keys are refused, the others are deleted.
    Refuses(ErrorKind),
    /// It is carried out; the answer is a breach of protocol.
    Alarm,
}

const TRANSIENT: [ErrorKind; 4] =
    [ErrorKind::Throttled, ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Unreachable];

/// Of one life of the program.
pub struct Fortune {
    /// What the dice of this life are made of.
    pub seed: (u64, u32),
    /// Requests that fail, of a hundred.
    pub faults: usize,
    /// Moments at which a writer writes, of a hundred.
    pub writers: usize,
    /// The request at which the program is killed, counted down; before it is carried out or behind it.
    pub kill: Option<(u64, bool)>,
}

pub struct Oracle {
    pub bucket: Arc<MemoryStore>,
    /// Whether conditions of deletions are ignored.
    pub careless: bool,
    pub writers: Writers,
    pub killed: Notify,
    /// Whether the journal on the disk says that a request to delete this key is on its way.
    pub announced: Box<dyn Fn(&Key) -> bool + Send + Sync>,
    history: Mutex<History>,
    fortune: Mutex<Fortune>,
    /// How often each request was made in this life.
    counts: Mutex<HashMap<(&'static str, Option<Key>), u32>>,
}

impl Oracle {
    pub fn new(
        bucket: Arc<MemoryStore>,
        careless: bool,
        writers: Writers,
        history: History,
        announced: impl Fn(&Key) -> bool + Send + Sync + 'static,
    ) -> Self {
        let fortune = Fortune { seed: (0, 0), faults: 0, writers: 0, kill: None };
        Self {
            bucket,
            careless,
            writers,
            killed: Notify::new(),
            announced: Box::new(announced),
            history: Mutex::new(history),
            fortune: Mutex::new(fortune),
            counts: Mutex::default(),
        }
    }

    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    /// Another life begins.
    pub fn begin(&self, fortune: Fortune) {
        *self.fortune.lock().unwrap() = fortune;
        self.counts.lock().unwrap().clear();
        // A death of the life before may not have been noticed twice.
        let _ = self.killed.notified().now_or_never();
    }

    /// A request begins: who writes before it arrives, whether the program dies before it does, and how it fails.
    pub async fn enter(&self, what: &'static str, keys: &[Key]) -> Option<Fault> {
        let nth = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry((what, keys.first().map(without_run))).or_default();
            *count += 1;
            *count
        };
        let (mut dice, faults, writers) = {
            let fortune = self.fortune.lock().unwrap();
            (Dice::of((fortune.seed, what, keys.first().map(without_run), nth)), fortune.faults, fortune.writers)
        };
        self.turn(&mut dice, writers).await;
        self.count_down(false).await;
        let fault = dice.percent(faults).then(|| any_fault(&mut dice));
        self.history().tick();
        self.history().say(|| format!("{what} {keys:?} {}", fault.map_or(String::new(), |fault| format!("{fault:?}"))));
        fault
    }

    /// The request was carried out; its answer is on the way.
    pub async fn leave(&self) {
        let (mut dice, writers) = {
            let fortune = self.fortune.lock().unwrap();
            let count: u32 = self.counts.lock().unwrap().values().sum();
            (Dice::of((fortune.seed, count)), fortune.writers)
        };
        self.turn(&mut dice, writers).await;
        self.count_down(true).await;
    }

    /// Others get their turn: other requests, and writers.
    async fn turn(&self, dice: &mut Dice, writers: usize) {
        for _ in 0..dice.below(3) {
            tokio::task::yield_now().await;
        }
        while dice.percent(writers) {
            self.writers.write(&self.bucket, &mut self.history(), dice);
        }
    }

    /// The program dies at the request that it is to die at; whoever is dead makes no further request.
    async fn count_down(&self, behind: bool) {
        let dead = {
            let mut fortune = self.fortune.lock().unwrap();
            let Some((left, there)) = &mut fortune.kill else { return };
            if *there == behind {
                *left = left.saturating_sub(1);
            }
            *left == 0
        };
        if dead {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn object(&self, key: &Key) -> Option<Object> {
        self.bucket.object(key)
    }

    /// Carries out a deletion of what arrives, and holds what it did against the promises.
    async fn carry_out(&self, targets: &[DeleteTarget], batch: bool) -> Result<Vec<DeleteAnswer>, StoreError> {
        let heeded = |target: &DeleteTarget| match self.careless {
            true => DeleteTarget { key: target.key.clone(), etag: None, last_modified: None },
            false => target.clone(),
        };
        let heeded: Vec<DeleteTarget> = targets.iter().map(heeded).collect();
        let before: Vec<Option<Object>> = heeded.iter().map(|target| self.object(&target.key)).collect();
        let answers = match heeded.as_slice() {
            [] => Vec::new(),
            some if batch => self.bucket.delete_batch(some).await?.answers,
            some => vec![self.bucket.delete(&some[0]).await?],
        };
        for object in before.into_iter().flatten().filter(|object| self.object(&object.key).is_none()) {
            let copy = self.copy_of(&object.key);
            self.history().removed(&object, copy.as_ref());
        }
        Ok(answers)
    }

    /// The copy that a move made of a key.
    fn copy_of(&self, key: &Key) -> Option<Object> {
        let to = self.history().destinations.get(key).cloned();
        let in_trash = || {
            let is_it =
                |place: &Key| trash::trashed(place.as_bytes()).is_some_and(|said| said.key.as_ref() == Some(key));
            self.bucket.keys().into_iter().find(is_it)
        };
        self.object(&to.or_else(in_trash)?)
    }

    /// A request to delete, whole.
    async fn delete_all(&self, targets: &[DeleteTarget], batch: bool) -> Result<BatchAnswer, StoreError> {
        let keys: Vec<Key> = targets.iter().map(|target| target.key.clone()).collect();
        for key in &keys {
            let announced = (self.announced)(key);
            self.history().request(key, announced);
        }
        let fault = self.enter("delete", &keys).await;
        if let Some(Fault::Lost(kind)) = fault {
            return Err(failed(kind));
        }
        let odd = |key: &Key| Dice::of(without_run(key)).percent(50);
        let arriving: Vec<DeleteTarget> = match fault {
            Some(Fault::Half(_)) => targets[..targets.len().div_ceil(2)].to_vec(),
            Some(Fault::Refuses(_)) => targets.iter().filter(|target| !odd(&target.key)).cloned().collect(),
            _ => targets.to_vec(),
        };
        let answers = self.carry_out(&arriving, batch).await?;
        self.leave().await;
        if let Some(Fault::Unanswered(kind) | Fault::Half(kind)) = fault {
            return Err(failed(kind));
        }
        let given: HashMap<&Key, DeleteAnswer> = arriving.iter().map(|target| &target.key).zip(answers).collect();
        let said = |key: &Key| match (fault, given.get(key)) {
            (Some(Fault::Alarm), _) => DeleteAnswer::Unproven,
            (Some(Fault::Omits), _) if odd(key) => DeleteAnswer::Unproven,
            (Some(Fault::Refuses(kind)), None) => DeleteAnswer::Refused(failed(kind)),
            (_, given) => given.cloned().unwrap_or(DeleteAnswer::Unproven),
        };
        let answers: Vec<DeleteAnswer> = keys.iter().map(said).collect();
        let confirmed = keys.iter().zip(&answers).filter(|(_, answer)| matches!(answer, DeleteAnswer::Deleted(_)));
        self.history().confirmed.extend(confirmed.map(|(key, _)| key.clone()));
        let alarm = (fault == Some(Fault::Alarm)).then(|| "a key that was not asked for".into());
        Ok(BatchAnswer { answers, alarm })
    }

    /// How a request that reads, or writes one object, ends.
    async fn answer<T>(&self, fault: Option<Fault>, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        self.leave().await;
        match fault {
            None => answer,
            Some(Fault::Unanswered(kind) | Fault::Half(kind) | Fault::Refuses(kind) | Fault::Lost(kind)) => {
                Err(failed(kind))
            }
            Some(Fault::Omits | Fault::Alarm) => Err(failed(ErrorKind::Malformed)),
        }
    }
}

/// A key without what differs from time to time: the id of the run that put it into the trash.
fn without_run(key: &Key) -> Key {
    trash::trashed(key.as_bytes()).and_then(|said| said.key).unwrap_or_else(|| key.clone())
}

fn failed(kind: ErrorKind) -> StoreError {
    StoreError::new(kind, format!("the store failed: {kind:?}"))
}

fn any_fault(dice: &mut Dice) -> Fault {
    let transient = dice.one(&TRANSIENT);
    let refusals = [ErrorKind::Denied, ErrorKind::Locked, ErrorKind::Locked, ErrorKind::Throttled];
    match dice.below(100) {
        0..20 => Fault::Lost(transient),
        20..42 => Fault::Unanswered(transient),
        42..56 => Fault::Half(transient),
        56..66 => Fault::Omits,
        66..88 => Fault::Refuses(dice.one(&refusals)),
        88..91 => Fault::Alarm,
        91..93 => Fault::Lost(ErrorKind::Expired),
        _ => Fault::Lost(ErrorKind::Denied),
    }
}

#[async_trait]
impl ObjectStore for Oracle {
    fn identity(&self) -> &StoreIdentity {
        self.bucket.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let fault = self.enter("list", &[]).await;
        // Small pages, so that several are needed.
        let request = ListRequest { max_keys: Some(request.max_keys.unwrap_or(7).min(7)), ..request.clone() };
        let page = self.bucket.list(&request).await?;
        if fault.is_none() {
            let from = request.start_after.clone().filter(|_| request.continuation.is_none());
            let to = page.next.is_some().then(|| page.objects.last().map(|object| object.key.clone())).flatten();
            let mut history = self.history();
            let seen =
                |key: &&Key| from.as_ref().is_none_or(|from| *key > from) && to.as_ref().is_none_or(|to| *key <= to);
            let keys: Vec<Key> = history.planned.keys().filter(seen).cloned().collect();
            keys.iter().for_each(|key| history.look(key));
        }
        self.answer(fault, Ok(page)).await
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let fault = self.enter("head", std::slice::from_ref(key)).await;
        let answer = self.bucket.head(key).await;
        if fault.is_none() {
            self.history().look(key);
        }
        self.answer(fault, answer).await
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        self.bucket.get(key, range).await
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        self.delete_all(targets, true).await
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let answer = self.delete_all(std::slice::from_ref(target), false).await?;
        Ok(answer.answers.into_iter().next().unwrap_or(DeleteAnswer::Unproven))
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        let fault = self.enter("copy", &[request.source.key.clone(), request.destination.clone()]).await;
        if let Some(Fault::Lost(_) | Fault::Half(_)) = fault {
            return self.answer(fault, Ok(CopyAnswer::SourceMissing)).await;
        }
        let answer = self.bucket.copy(request).await;
        if answer == Ok(CopyAnswer::Copied) {
            let copy = self.object(&request.destination).unwrap();
            self.history().copied(&request.source.key, &request.destination, copy);
        }
        self.answer(fault, answer).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        let fault = self.enter("put", std::slice::from_ref(&request.key)).await;
        if let Some(Fault::Lost(_) | Fault::Half(_)) = fault {
            return self.answer(fault, Ok(PutAnswer::Written(ETag::new("")))).await;
        }
        let answer = ObjectStore::put(&*self.bucket, request).await;
        if let (Ok(PutAnswer::Written(_)), Some(object)) = (&answer, self.object(&request.key)) {
            self.history().put(object);
        }
        self.answer(fault, answer).await
    }
}
