//! How deletions reach the store: many keys in a request, one key in each, or one after the other. All of them say the same
//! of each key, so that nothing above has to know which it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::StreamExt;

pub use crate::domain::via::Via;
use crate::store::{DeleteAnswer, DeleteTarget, ErrorKind, ObjectStore, StoreError};

/// Requests for single keys in flight, for each batch.
const SINGLES: usize = 8;

/// The executor of this name.
pub fn executor(via: Via) -> Arc<dyn Executor> {
    match via {
        Via::Batch => Arc::new(BatchExecutor::default()),
        Via::Single => Arc::new(SingleExecutor { via, at_once: SINGLES }),
        Via::Sequential => Arc::new(SingleExecutor { via, at_once: 1 }),
    }
}

/// What an executor brings back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// One per target, in their order. A request that failed refuses each of its keys with its error.
    pub answers: Vec<DeleteAnswer>,
    /// The last request that failed as a whole.
    pub failure: Option<StoreError>,
    /// A breach of protocol: the run stops.
    pub alarm: Option<String>,
    /// What a person should know of how it was done.
    pub notice: Option<String>,
}

/// The port: deletes targets and says what is proved of each. Repeats nothing.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Which one it is.
    fn via(&self) -> Via;

    /// Deletes every target, at most 1,000 of them.
    async fn delete(&self, store: &dyn ObjectStore, targets: &[DeleteTarget]) -> Delivery;
}

/// See [`Via::Batch`].
#[derive(Default)]
struct BatchExecutor {
    /// The store has said that it knows no such request.
    refused: AtomicBool,
}

#[async_trait]
impl Executor for BatchExecutor {
    fn via(&self) -> Via {
        Via::Batch
    }

    async fn delete(&self, store: &dyn ObjectStore, targets: &[DeleteTarget]) -> Delivery {
        let refused = self.refused.load(Ordering::Relaxed);
        let (together, mut alone): (Vec<usize>, Vec<usize>) =
            (0..targets.len()).partition(|&at| !refused && targets[at].key.is_xml_safe());
        let mut delivery = Delivery { answers: vec![DeleteAnswer::Unproven; targets.len()], ..Delivery::default() };
        if !together.is_empty() {
            let batch: Vec<DeleteTarget> = together.iter().map(|&at| targets[at].clone()).collect();
            match store.delete_batch(&batch).await {
                Ok(answer) => {
                    delivery.alarm = answer.alarm;
                    together.iter().zip(answer.answers).for_each(|(&at, answer)| delivery.answers[at] = answer);
                }
                // The store refused the request as such, so nothing of it was carried out.
                Err(error) if error.kind == ErrorKind::Unsupported => {
                    if !self.refused.swap(true, Ordering::Relaxed) {
                        delivery.notice = Some(format!("keys are deleted one by one from here on: {}", error.message));
                    }
                    alone.extend(together);
                }
                Err(error) => {
                    together.iter().for_each(|&at| delivery.answers[at] = DeleteAnswer::Refused(error.clone()));
                    delivery.failure = Some(error);
                }
            }
        }
        one_by_one(store, targets, &alone, SINGLES, &mut delivery).await;
        delivery
    }
}

/// See [`Via::Single`] and [`Via::Sequential`].
struct SingleExecutor {
    via: Via,
    at_once: usize,
}

#[async_trait]
impl Executor for SingleExecutor {
    fn via(&self) -> Via {
        self.via
    }

    async fn delete(&self, store: &dyn ObjectStore, targets: &[DeleteTarget]) -> Delivery {
        let mut delivery = Delivery { answers: vec![DeleteAnswer::Unproven; targets.len()], ..Delivery::default() };
        let all: Vec<usize> = (0..targets.len()).collect();
        one_by_one(store, targets, &all, self.at_once, &mut delivery).await;
        delivery
    }
}

/// Deletes the targets at these places with a request each.
async fn one_by_one(
    store: &dyn ObjectStore,
    targets: &[DeleteTarget],
    places: &[usize],
    at_once: usize,
    delivery: &mut Delivery,
) {
    let requests: Vec<_> = places.iter().map(|&at| one(store, at, &targets[at])).collect();
    let answers: Vec<_> = futures::stream::iter(requests).buffer_unordered(at_once).collect().await;
    for (at, answer) in answers {
        delivery.answers[at] = answer.unwrap_or_else(|error| {
            delivery.failure = Some(error.clone());
            DeleteAnswer::Refused(error)
        });
    }
}

async fn one(store: &dyn ObjectStore, at: usize, target: &DeleteTarget) -> (usize, Result<DeleteAnswer, StoreError>) {
    (at, store.delete(target).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;
    use crate::store::faults::{Fault, FaultStore, Operation};
    use crate::store::memory::MemoryStore;

    fn targets(keys: &[&str]) -> Vec<DeleteTarget> {
        keys.iter().map(|key| DeleteTarget::of(Key::from(*key))).collect()
    }

    fn filled(keys: &[&str]) -> (Arc<MemoryStore>, FaultStore) {
        let memory = Arc::new(MemoryStore::new("b"));
        keys.iter().for_each(|key| drop(memory.put(&Key::from(*key), "x")));
        (Arc::clone(&memory), FaultStore::new(memory))
    }

    #[tokio::test]
    async fn every_executor_deletes_what_was_named_and_says_the_same() {
        for via in Via::ALL {
            let (memory, store) = filled(&["a", "b", "c\n", "kept"]);
            let delivery = executor(via).delete(&store, &targets(&["a", "c\n", "b"])).await;
            assert_eq!(delivery, Delivery { answers: vec![DeleteAnswer::DELETED; 3], ..Delivery::default() }, "{via}");
            assert_eq!(memory.keys(), [Key::from("kept")]);
            let batches = if via == Via::Batch { (1, 1) } else { (0, 3) };
            assert_eq!((store.count(Operation::DeleteBatch), store.count(Operation::Delete)), batches, "{via}");
            assert_eq!(via.name().parse(), Ok(via));
        }
    }

    #[tokio::test]
    async fn a_store_without_batches_is_asked_one_by_one_from_then_on() {
        let (memory, store) = filled(&["a", "b", "c"]);
        let unsupported = StoreError::new(ErrorKind::Unsupported, "no such request");
        store.always(Operation::DeleteBatch, Fault::Fail(unsupported));
        let one = executor(Via::Batch);
        let first = one.delete(&store, &targets(&["a", "b"])).await;
        assert_eq!((first.answers, first.failure), (vec![DeleteAnswer::DELETED; 2], None));
        assert!(first.notice.is_some_and(|notice| notice.contains("one by one")));
        let second = one.delete(&store, &targets(&["c"])).await;
        assert_eq!((second.answers, second.notice), (vec![DeleteAnswer::DELETED], None));
        assert_eq!((store.count(Operation::DeleteBatch), memory.keys().len()), (1, 0));
    }

    #[tokio::test]
    async fn a_request_that_failed_refuses_its_own_keys_only() {
        let error = StoreError::new(ErrorKind::Timeout, "no answer");
        for via in Via::ALL {
            let (_, store) = filled(&["a", "b"]);
            store.at(Operation::DeleteBatch, 0, Fault::Fail(error.clone()));
            store.at(Operation::Delete, 0, Fault::Fail(error.clone()));
            let delivery = executor(via).delete(&store, &targets(&["a", "b"])).await;
            let refused = DeleteAnswer::Refused(error.clone());
            let second = if via == Via::Batch { refused.clone() } else { DeleteAnswer::DELETED };
            assert_eq!(delivery.answers, [refused, second], "{via}");
            assert_eq!(delivery.failure, Some(error.clone()));
        }
    }

    #[tokio::test]
    async fn an_alarm_is_passed_on() {
        let (_, store) = filled(&["a"]);
        store.always(Operation::DeleteBatch, Fault::Alarm(String::from("a key twice")));
        let delivery = executor(Via::Batch).delete(&store, &targets(&["a"])).await;
        assert_eq!((delivery.answers, delivery.alarm), (vec![DeleteAnswer::Unproven], Some("a key twice".into())));
    }
}
