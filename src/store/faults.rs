//! A store that fails as it is told to, for tests of what stands above the port.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Semaphore;

use super::lifecycle::LifecycleRule;
use super::{
    AbortAnswer, BatchAnswer, CopyAnswer, CopyRequest, DeleteAnswer, DeleteTarget, FoldersPage, HeadAnswer, ListPage,
    ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError, StoreIdentity, Upload, UploadsPage,
    UploadsRequest,
};
use crate::domain::Key;

/// The methods of the port.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// [`ObjectStore::list`].
    List,
    /// [`ObjectStore::head`].
    Head,
    /// [`ObjectStore::get`].
    Get,
    /// [`ObjectStore::delete_batch`].
    DeleteBatch,
    /// [`ObjectStore::delete`].
    Delete,
    /// [`ObjectStore::copy`]; its keys are the source and the destination.
    Copy,
    /// [`ObjectStore::put`].
    Put,
}

/// One request that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What was asked for.
    pub operation: Operation,
    /// Of which keys; none for a listing.
    pub keys: Vec<Key>,
}

/// What goes wrong with a request.
#[derive(Clone)]
pub enum Fault {
    /// The request never arrives.
    Fail(StoreError),
    /// The request is carried out, its answer is lost.
    ApplyThenFail(StoreError),
    /// Only so many keys of a batch are deleted, then the answer is lost (a server that was killed on the way).
    ApplyPart(usize, StoreError),
    /// The batch is carried out, the answer leaves these keys out.
    Omit(Vec<Key>),
    /// The batch is carried out but for this key, which is refused.
    Refuse(Key, StoreError),
    /// The batch is carried out, the answer is a breach of protocol.
    Alarm(String),
    /// A listing's page is changed on its way.
    ChangePage(Arc<dyn Fn(&mut ListPage) + Send + Sync>),
    /// Something else happens just before the request arrives, for example somebody writes an object.
    Before(Arc<dyn Fn() + Send + Sync>),
    /// Something else happens between the request and its answer.
    After(Arc<dyn Fn() + Send + Sync>),
    /// The request waits for a permit of this semaphore, which it uses up.
    Hold(Arc<Semaphore>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Fail(_) => "Fail",
            Fault::ApplyThenFail(_) => "ApplyThenFail",
            Fault::ApplyPart(..) => "ApplyPart",
            Fault::Omit(_) => "Omit",
            Fault::Refuse(..) => "Refuse",
            Fault::Alarm(_) => "Alarm",
            Fault::ChangePage(_) => "ChangePage",
            Fault::Before(_) => "Before",
            Fault::After(_) => "After",
            Fault::Hold(_) => "Hold",
        })
    }
}

/// A store around another one, with a script of faults. Several faults on one request all happen.
pub struct FaultStore {
    inner: SharedStore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    at: HashMap<(Operation, usize), Vec<Fault>>,
    always: HashMap<Operation, Vec<Fault>>,
    calls: Vec<Call>,
}

impl FaultStore {
    /// No faults yet.
    pub fn new(inner: SharedStore) -> Self {
        Self { inner, state: Mutex::default() }
    }

    /// Adds a fault to the `nth` request of this operation, counted from 0.
    pub fn at(&self, operation: Operation, nth: usize, fault: Fault) {
        self.state().at.entry((operation, nth)).or_default().push(fault);
    }

    /// Adds a fault to every request of this operation.
    pub fn always(&self, operation: Operation, fault: Fault) {
        self.state().always.entry(operation).or_default().push(fault);
    }

    /// Removes every fault; what was counted stays.
    pub fn heal(&self) {
        let mut state = self.state();
        state.at.clear();
        state.always.clear();
    }

    /// Every request so far, those that never arrived included.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many requests of this operation were made.
    pub fn count(&self, operation: Operation) -> usize {
        self.state().calls.iter().filter(|call| call.operation == operation).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; its faults.
    fn enter(&self, operation: Operation, keys: Vec<Key>) -> Vec<Fault> {
        let mut state = self.state();
        let nth = state.calls.iter().filter(|call| call.operation == operation).count();
        state.calls.push(Call { operation, keys });
        let always = state.always.get(&operation).into_iter().flatten();
        state.at.get(&(operation, nth)).into_iter().flatten().chain(always).cloned().collect()
    }
}

/// What happens before the request arrives.
async fn before(faults: &[Fault]) -> Result<(), StoreError> {
    for fault in faults {
        match fault {
            Fault::Before(event) => event(),
            Fault::Hold(gate) => {
                if let Ok(permit) = gate.acquire().await {
                    permit.forget();
                }
            }
            _ => {}
        }
    }
    match faults.iter().find_map(|fault| if let Fault::Fail(error) = fault { Some(error) } else { None }) {
        Some(error) => Err(error.clone()),
        None => Ok(()),
    }
}

/// What happens to the answer.
fn after<T>(faults: &[Fault], answer: Result<T, StoreError>) -> Result<T, StoreError> {
    let mut answer = answer;
    for fault in faults {
        match fault {
            Fault::After(event) => event(),
            Fault::ApplyThenFail(error) | Fault::ApplyPart(_, error) => answer = Err(error.clone()),
            _ => {}
        }
    }
    answer
}

/// What of a batch reaches the store.
fn arriving(faults: &[Fault], targets: &[DeleteTarget]) -> Vec<DeleteTarget> {
    let mut arriving = targets.to_vec();
    for fault in faults {
        match fault {
            Fault::ApplyPart(count, _) => arriving.truncate(*count),
            Fault::Refuse(key, _) => arriving.retain(|target| target.key != *key),
            _ => {}
        }
    }
    arriving
}

/// The answer of a batch of `targets`, of which `arrived` reached the store and got `answers`.
fn reported(
    faults: &[Fault],
    targets: &[DeleteTarget],
    arrived: &[DeleteTarget],
    answers: Vec<DeleteAnswer>,
) -> BatchAnswer {
    let given: HashMap<&Key, DeleteAnswer> = arrived.iter().map(|target| &target.key).zip(answers).collect();
    let alarm = faults.iter().find_map(|fault| if let Fault::Alarm(text) = fault { Some(text.clone()) } else { None });
    let answer = |target: &DeleteTarget| {
        if alarm.is_some()
            || faults.iter().any(|fault| matches!(fault, Fault::Omit(keys) if keys.contains(&target.key)))
        {
            return DeleteAnswer::Unproven;
        }
        let refused = faults.iter().find_map(|fault| match fault {
            Fault::Refuse(key, error) if *key == target.key => Some(DeleteAnswer::Refused(error.clone())),
            _ => None,
        });
        refused.or_else(|| given.get(&target.key).cloned()).unwrap_or(DeleteAnswer::Unproven)
    };
    BatchAnswer { answers: targets.iter().map(answer).collect(), alarm: alarm.clone() }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FaultStore {
    fn identity(&self) -> &StoreIdentity {
        self.inner.identity()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage, StoreError> {
        let faults = self.enter(Operation::List, Vec::new());
        before(&faults).await?;
        let mut answer = self.inner.list(request).await;
        for fault in &faults {
            if let (Fault::ChangePage(change), Ok(page)) = (fault, &mut answer) {
                change(page);
            }
        }
        after(&faults, answer)
    }

    async fn head(&self, key: &Key) -> Result<Option<HeadAnswer>, StoreError> {
        let faults = self.enter(Operation::Head, vec![key.clone()]);
        before(&faults).await?;
        after(&faults, self.inner.head(key).await)
    }

    async fn get(&self, key: &Key, range: Option<(u64, u64)>) -> Result<Bytes, StoreError> {
        let faults = self.enter(Operation::Get, vec![key.clone()]);
        before(&faults).await?;
        after(&faults, self.inner.get(key, range).await)
    }

    async fn delete_batch(&self, targets: &[DeleteTarget]) -> Result<BatchAnswer, StoreError> {
        let faults = self.enter(Operation::DeleteBatch, targets.iter().map(|target| target.key.clone()).collect());
        before(&faults).await?;
        let arriving = arriving(&faults, targets);
        let answer = match arriving.as_slice() {
            [] => Ok(reported(&faults, targets, &[], Vec::new())),
            some => self.inner.delete_batch(some).await.map(|batch| {
                let alarm = batch.alarm;
                let answer = reported(&faults, targets, some, batch.answers);
                BatchAnswer { alarm: answer.alarm.or(alarm), ..answer }
            }),
        };
        after(&faults, answer)
    }

    async fn delete(&self, target: &DeleteTarget) -> Result<DeleteAnswer, StoreError> {
        let faults = self.enter(Operation::Delete, vec![target.key.clone()]);
        before(&faults).await?;
        let arriving = arriving(&faults, std::slice::from_ref(target));
        let answer = match arriving.first() {
            None => Ok(reported(&faults, std::slice::from_ref(target), &[], Vec::new())),
            Some(target) => self.inner.delete(target).await.map(|answer| {
                let target = std::slice::from_ref(target);
                reported(&faults, target, target, vec![answer])
            }),
        };
        after(&faults, answer.map(|batch| batch.answers.into_iter().next().unwrap_or(DeleteAnswer::Unproven)))
    }

    async fn copy(&self, request: &CopyRequest) -> Result<CopyAnswer, StoreError> {
        let keys = vec![request.source.key.clone(), request.destination.clone()];
        let faults = self.enter(Operation::Copy, keys);
        before(&faults).await?;
        after(&faults, self.inner.copy(request).await)
    }

    async fn put(&self, request: &PutRequest) -> Result<PutAnswer, StoreError> {
        let faults = self.enter(Operation::Put, vec![request.key.clone()]);
        before(&faults).await?;
        after(&faults, self.inner.put(request).await)
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, StoreError> {
        self.inner.lifecycle().await
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule]) -> Result<(), StoreError> {
        self.inner.set_lifecycle(rules).await
    }

    async fn folders(&self, prefix: &[u8]) -> Result<FoldersPage, StoreError> {
        self.inner.folders(prefix).await
    }

    async fn uploads(&self, request: &UploadsRequest) -> Result<UploadsPage, StoreError> {
        self.inner.uploads(request).await
    }

    async fn abort_upload(&self, upload: &Upload) -> Result<AbortAnswer, StoreError> {
        self.inner.abort_upload(upload).await
    }
}
