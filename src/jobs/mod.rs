//! The long work over the ports: list, audit, draft a plan, execute it, verify it. No terminal, no arguments.
//!
//! Every job reports facts ([`crate::domain::progress`]) into a bounded channel and can be stopped between pages and
//! between batches; a request that deletes is never abandoned in flight.

pub mod audit;
pub mod copies;
pub mod draft;
pub mod drift;
pub mod execute;
pub mod executor;
pub mod ground;
pub mod lifecycle;
pub mod lock;
pub mod presence;
pub mod probe;
pub mod scan;
pub mod trash;
pub mod undo;
pub mod uploads;
pub mod verify;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::domain::Timestamp;
use crate::domain::progress::Failure;
use crate::store::{ErrorKind, StoreError, StoreIdentity};

/// A wish to stop, shared by whoever may have it and whoever must heed it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Nobody has asked to stop yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub async fn requested(&self) {
        // The sender lives in self, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a job gets this machine's time from; tests set it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// A clock that says what `now` says.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// A store's error as a person needs it.
pub fn failure(what: impl Into<String>, error: &StoreError) -> Failure {
    Failure { what: what.into(), why: error.message.clone(), hint: hint(error.kind).into() }
}

/// `bucket "media" at http://localhost:9000`, for messages.
pub fn place(identity: &StoreIdentity) -> String {
    format!("bucket {:?} at {}", identity.bucket, identity.endpoint)
}

fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NoSuchBucket => {
            "check the bucket's name, the endpoint, and on R2 the account and the jurisdiction (eu and fedramp buckets are seen only there)"
        }
        ErrorKind::NotFound => "list the bucket again",
        ErrorKind::Denied => {
            "give the key the permission to list, read and delete in this bucket; a new R2 token may take a minute"
        }
        ErrorKind::Unauthenticated => {
            "check the access key id and the secret access key: `bucketree config show` says where they come from"
        }
        ErrorKind::Expired => "get new credentials and start again",
        ErrorKind::ClockSkew => "set this machine's clock; the store allows 15 minutes",
        ErrorKind::Throttled => "wait a while, or lower the concurrency",
        ErrorKind::Unavailable | ErrorKind::Timeout => "try again later",
        ErrorKind::Unreachable => "check the endpoint and the network",
        ErrorKind::PreconditionFailed => "list the bucket again: the object has changed",
        ErrorKind::Locked => "a bucket lock or retention rule holds; remove it or wait",
        ErrorKind::WrongRegion => "set the region and endpoint that the store names",
        ErrorKind::Malformed => {
            "something between here and the store may have answered in its place: check the endpoint and proxies"
        }
        ErrorKind::Unsupported => "this store cannot do that",
        ErrorKind::Invalid | ErrorKind::Other => "",
    }
}
