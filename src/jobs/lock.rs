//! The lock of a bucket in the bucket itself, which keeps runs on other machines out. It needs a store that was proved to
//! honour `If-None-Match: *`: the lock is an object that is only ever written where there is none, so of two that want it
//! one is told that it came too late.
//!
//! Nothing is written over: signs of life lie beside the lock, each under a key of its own, so that no run can take
//! another one's lock by mistake. A lock is taken over only from an owner that showed no sign of life for
//! [`STALE_SECONDS`] and that a person named, or from a run of this very state folder that is known to have died. Its owner
//! looks before each request whether the lock is still its own.

use bytes::Bytes;
use tokio::sync::Mutex;

use super::Clock;
use crate::domain::lock::{LOCK, SIGNS, STALE_SECONDS, sign, signs_of};
use crate::domain::{ETag, Key, Timestamp};
use crate::journal::lock::Owner;
use crate::store::{DeleteTarget, ErrorKind, ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError};

/// What a lock is called whose content nobody can read.
const UNREADABLE: &str = "unreadable";

/// How often the lock is asked for at most: each time somebody else may have been quicker.
const ATTEMPTS: u32 = 3;

/// A lock that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Whose it is, if that can be read.
    pub owner: Option<Owner>,
    /// Seconds since the last sign of life, by the store's clock where it tells the time.
    pub silent_seconds: i64,
    etag: ETag,
}

impl Found {
    /// By which name a person may take it over.
    pub fn name(&self) -> &str {
        self.owner.as_ref().map_or(UNREADABLE, |owner| &owner.run)
    }

    /// Whether its owner may be dead.
    pub fn is_stale(&self) -> bool {
        self.silent_seconds >= STALE_SECONDS
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "{owner}")?,
            None => f.write_str("its owner cannot be read")?,
        }
        write!(f, "; last sign of life {} s ago", self.silent_seconds)
    }
}

/// Why there is no lock.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("the bucket is locked by {0}; {advice}", advice = advice(.0))]
    Held(Found),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

fn advice(found: &Found) -> String {
    match found.is_stale() {
        true => format!("if that run is surely dead, --take-over-lock {} takes its lock", found.name()),
        false => format!("it counts as alive until it was silent for {STALE_SECONDS} s"),
    }
}

/// Who may lose the lock.
#[derive(Clone, Copy)]
pub struct TakeOver<'a> {
    /// The run that a person named.
    pub named: Option<&'a str>,
    /// Whether an owner is known to be dead: a run whose journal lies here, where only this process can have a run on
    /// the bucket.
    pub is_dead: &'a (dyn Fn(&Owner) -> bool + Sync),
}

impl std::fmt::Debug for TakeOver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TakeOver({:?})", self.named)
    }
}

impl TakeOver<'_> {
    fn permits(&self, found: &Found) -> bool {
        found.owner.as_ref().is_some_and(self.is_dead) || (self.named == Some(found.name()) && found.is_stale())
    }
}

/// Held until it is released.
pub struct BucketLock {
    store: SharedStore,
    run: String,
    etag: ETag,
    signs: Mutex<u64>,
}

impl std::fmt::Debug for BucketLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BucketLock({})", self.run)
    }
}

/// The lock of a bucket, if there is one.
///
/// # Errors
/// Any [`StoreError`] but that there is none.
pub async fn find(store: &dyn ObjectStore, clock: &Clock) -> Result<Option<Found>, StoreError> {
    let key = Key::from(LOCK);
    let Some(head) = store.head(&key).await? else { return Ok(None) };
    let owner: Option<Owner> = match store.get(&key, None).await {
        Ok(body) => serde_json::from_slice(&body).ok(),
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let prefix = owner.as_ref().map_or_else(|| SIGNS.as_bytes().to_vec(), |owner| signs_of(&owner.run));
    let signs = store.list(&ListRequest { prefix, ..ListRequest::default() }).await?;
    let alive: Option<Timestamp> =
        signs.objects.iter().map(|object| object.last_modified).chain([head.object.last_modified]).max().flatten();
    let now = head.server_time.unwrap_or_else(|| clock.now());
    // A lock without a time is not old.
    let silent_seconds = alive.map_or(0, |alive| now.seconds_since(alive).max(0));
    Ok(Some(Found { owner, silent_seconds, etag: head.object.etag }))
}

/// Takes the lock of the bucket for `owner`; also whose lock was taken over.
///
/// # Errors
/// [`LockError`].
pub async fn take(
    store: &SharedStore,
    owner: &Owner,
    take_over: TakeOver<'_>,
    clock: &Clock,
) -> Result<(BucketLock, Option<Found>), LockError> {
    let mut taken_from = None;
    let held = |etag| BucketLock { store: store.clone(), run: owner.run.clone(), etag, signs: Mutex::new(0) };
    let mut attempt = 1;
    loop {
        let error = match write(store.as_ref(), &Key::from(LOCK), &owner.to_json()).await {
            Ok(PutAnswer::Written(etag)) => return Ok((held(etag), taken_from)),
            Ok(PutAnswer::Exists) => None,
            Err(error) if error.kind.is_transient() => Some(error),
            Err(error) => return Err(error.into()),
        };
        match find(store.as_ref(), clock).await? {
            // The answer was lost, not the write.
            Some(found) if found.owner.as_ref() == Some(owner) => return Ok((held(found.etag), taken_from)),
            Some(found) if attempt < ATTEMPTS && take_over.permits(&found) => {
                remove(store.as_ref(), &found).await?;
                taken_from = Some(found);
            }
            Some(found) => return Err(LockError::Held(found)),
            None if attempt < ATTEMPTS => {}
            None => {
                let unclear = || StoreError::new(ErrorKind::Other, "the lock is there and is not there");
                return Err(error.unwrap_or_else(unclear).into());
            }
        }
        attempt += 1;
    }
}

async fn write(store: &dyn ObjectStore, key: &Key, body: &str) -> Result<PutAnswer, StoreError> {
    let body = Bytes::from(body.to_owned());
    store.put(&PutRequest { key: key.clone(), body, content_type: "application/json".into() }).await
}

/// Removes exactly this lock where the store heeds that, and what is left of its signs of life.
async fn remove(store: &dyn ObjectStore, found: &Found) -> Result<(), StoreError> {
    let target = DeleteTarget { etag: Some(found.etag.clone()), ..DeleteTarget::of(Key::from(LOCK)) };
    // What it says is not believed: the next write tells.
    store.delete(&target).await?;
    match &found.owner {
        Some(owner) => remove_signs(store, &owner.run).await,
        None => Ok(()),
    }
}

async fn remove_signs(store: &dyn ObjectStore, run: &str) -> Result<(), StoreError> {
    let page = store.list(&ListRequest { prefix: signs_of(run), ..ListRequest::default() }).await?;
    for object in page.objects {
        store.delete(&DeleteTarget::of(object.key)).await?;
    }
    Ok(())
}

impl BucketLock {
    /// Whether it is still this run's.
    ///
    /// # Errors
    /// Why nothing more may be done.
    pub async fn check(&self, clock: &Clock) -> Result<(), String> {
        let lost = |why: &str| Err(format!("the lock of the bucket, {LOCK}, {why}"));
        match self.store.head(&Key::from(LOCK)).await {
            Ok(Some(head)) if head.object.etag == self.etag => Ok(()),
            Ok(None) => lost("is gone: somebody removed it"),
            Err(error) => lost(&format!("cannot be looked at: {}", error.message)),
            Ok(Some(_)) => match find(self.store.as_ref(), clock).await {
                Ok(Some(found)) => lost(&format!("was taken over by {found}")),
                Ok(None) | Err(_) => lost("was taken over"),
            },
        }
    }

    /// Shows a sign of life. One that fails is not made up for: the next one comes soon.
    pub async fn show_life(&self) {
        let mut signs = self.signs.lock().await;
        let next = *signs + 1;
        let shown = write(self.store.as_ref(), &sign(&self.run, next), "{}").await;
        if let Err(error) = shown {
            tracing::warn!(run = self.run, reason = %error, "no sign of life");
            return;
        }
        if *signs > 0 {
            // One that is left is removed with the lock.
            let _ = self.store.delete(&DeleteTarget::of(sign(&self.run, *signs))).await;
        }
        *signs = next;
    }

    /// Removes the lock, if it is still this run's, and its signs of life. Since nobody may take over the lock of a run
    /// that is alive, it cannot become somebody else's between the look and the removal.
    pub async fn release(self, clock: &Clock) {
        let own = self.check(clock).await;
        let removed = match own {
            Ok(()) => {
                let target = DeleteTarget { etag: Some(self.etag.clone()), ..DeleteTarget::of(Key::from(LOCK)) };
                self.store.delete(&target).await.map(drop)
            }
            Err(_) => Ok(()),
        };
        let signs = remove_signs(self.store.as_ref(), &self.run).await;
        if let Err(error) = removed.and(signs) {
            // The next run from this machine knows that this one is over.
            tracing::warn!(run = self.run, reason = %error, "the lock of the bucket is left");
        }
    }
}
