//! What a run holds while it goes on: the lock of this machine, the lock in the bucket, and the word of its plan.
//!
//! A plan must begin within its lifetime. A run that has begun goes on beyond it, however long it takes, because registry
//! and objects are asked again before each request. But a run that stood still for as long as makes a lock stale (a
//! machine that slept) is like one that begins anew: its plan must still hold, its lock must still be its own, and what
//! was looked at before the pause is looked at again.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::{ExecuteError, Execution, Refusal};
use crate::domain::Timestamp;
use crate::domain::lock::{SIGN_SECONDS, STALE_SECONDS};
use crate::domain::progress::{Failure, LogLevel};
use crate::jobs::lock::{self, BucketLock, Found, LockError, TakeOver};
use crate::jobs::{Clock, failure, place};
use crate::journal::lock::{Owner, RunLock};
use crate::journal::runs;
use crate::store::{ObjectStore as _, SharedStore};

/// Held from before the first record of a run until after its last one.
pub struct Hold {
    _machine: RunLock,
    bucket: Option<BucketLock>,
    taken_from: Option<Found>,
    clock: Clock,
    plan_expires_at: Timestamp,
    /// When the plan can no longer be applied, by this machine's clock.
    expires_at: Timestamp,
    seen: Mutex<Seen>,
}

struct Seen {
    /// When the run was last seen to go on.
    last: Timestamp,
    /// How often it stood still so far.
    pauses: u64,
    /// Whether the plan was too old after one of them.
    expired: bool,
}

/// A moment of a run, to ask later whether it stood still since.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment(u64);

/// Whether something may be changed now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Yes.
    GoOn,
    /// The run stood still since the moment that was named: what was looked at before is to be looked at again.
    LookAgain,
    /// No.
    Stop(Failure),
}

impl Hold {
    /// Takes the lock in the bucket, where the store can keep one. `machine` is the lock of this machine: with it in hand,
    /// no other process here has a run on the bucket.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] with who has the lock; [`ExecuteError::Failed`] if the store fails.
    pub async fn take(
        execution: &Execution,
        run: &str,
        machine: RunLock,
        server_now: Timestamp,
    ) -> Result<Self, ExecuteError> {
        let (bucket, taken_from) = match execution.locking.is_proved() {
            true => take_bucket(execution, run).await?,
            false => (None, None),
        };
        let now = execution.clock.now();
        let plan_expires_at = execution.plan.header.expires_at;
        Ok(Self {
            _machine: machine,
            bucket,
            taken_from,
            clock: execution.clock.clone(),
            plan_expires_at,
            expires_at: now.plus_seconds(plan_expires_at.seconds_since(server_now)),
            seen: Mutex::new(Seen { last: now, pauses: 0, expired: false }),
        })
    }

    /// What a person should know of it.
    pub fn notices(&self, execution: &Execution) -> Vec<(LogLevel, String)> {
        let level = if self.bucket.is_some() { LogLevel::Info } else { LogLevel::Warning };
        let taken_from = self.taken_from.iter();
        let taken = taken_from.map(|found| (LogLevel::Warning, format!("the bucket's lock was taken over: {found}")));
        std::iter::once((level, execution.locking.to_string())).chain(taken).collect()
    }

    /// Now.
    pub fn moment(&self) -> Moment {
        self.touch();
        Moment(self.seen().pauses)
    }

    /// Whether something may be changed that was looked at since `moment`. Asks the store for the lock.
    pub async fn ask(&self, moment: Moment) -> Word {
        self.touch();
        let (pauses, expired) = {
            let seen = self.seen();
            (seen.pauses, seen.expired)
        };
        if expired {
            return Word::Stop(self.expired());
        }
        if let Some(bucket) = &self.bucket {
            if Moment(pauses) != moment {
                bucket.show_life().await;
            }
            if let Err(why) = bucket.check(&self.clock).await {
                let hint =
                    "two runs must not work on one bucket; see that the other one ends, then audit and plan again";
                return Word::Stop(Failure { what: "go on with the run".into(), why, hint: hint.into() });
            }
        }
        if Moment(pauses) == moment { Word::GoOn } else { Word::LookAgain }
    }

    /// Does the work, and shows signs of life meanwhile.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            never = self.show_life() => match never {},
        }
    }

    async fn show_life(&self) -> Infallible {
        loop {
            tokio::time::sleep(Duration::from_secs(SIGN_SECONDS)).await;
            self.touch();
            if let Some(bucket) = &self.bucket {
                bucket.show_life().await;
            }
        }
    }

    /// Gives both locks back.
    pub async fn release(self) {
        if let Some(bucket) = self.bucket {
            bucket.release(&self.clock).await;
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A thread that panicked while it held the lock left whole values behind: every change is one assignment.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notices a pause. A clock that was set back says nothing of how long the run stood still, so it counts as one.
    fn touch(&self) {
        let now = self.clock.now();
        let mut seen = self.seen();
        if now.seconds_since(seen.last).abs() > STALE_SECONDS {
            seen.pauses += 1;
            seen.expired |= now >= self.expires_at;
        }
        seen.last = now;
    }

    fn expired(&self) -> Failure {
        Failure {
            what: "go on with the run".into(),
            why: format!(
                "it stood still for more than {STALE_SECONDS} s, and its plan expired at {}",
                self.plan_expires_at
            ),
            hint: "audit and plan again; what was not attempted is still there".into(),
        }
    }
}

async fn take_bucket(execution: &Execution, run: &str) -> Result<(Option<BucketLock>, Option<Found>), ExecuteError> {
    let owner = Owner::this(run, execution.clock.now().to_string());
    // With the lock of this machine in hand, a run whose journal lies here has died.
    let is_dead = |found: &Owner| {
        let is_here = || execution.runs.join(&found.run).join(runs::JOURNAL).is_file();
        found.host == owner.host && Uuid::parse_str(&found.run).is_ok() && is_here()
    };
    let take_over = TakeOver { named: execution.take_over.as_deref(), is_dead: &is_dead };
    let store = Arc::clone(&execution.store) as SharedStore;
    match lock::take(&store, &owner, take_over, &execution.clock).await {
        Ok((lock, taken_from)) => Ok((Some(lock), taken_from)),
        Err(held @ LockError::Held(_)) => Err(Refusal(held.to_string()).into()),
        Err(LockError::Store(error)) => {
            let what = format!("lock {}", place(execution.store.identity()));
            Err(ExecuteError::Failed(failure(what, &error)))
        }
    }
}
