//! Named places at which the program dies when it is told to, so that a test can kill it at each of them. Only in builds
//! with debug assertions; elsewhere nothing is looked at and nothing can die here.
//!
//! `BUCKETREE_FAILPOINT=<kind>:<place>:<n>` dies at the `n`th passage (from 1), for example `intent:half:1`. The kinds are
//! those of the journal's records ([`super::record::Record::kind`]) and `request`; the places
//!
//! - of a record: `before`, `half` (half of the line is written), `unsynced` (written, not yet fsynced), `after`;
//!   At `full` it does not die: the disk has no room for the line;
//! - of a request that deletes: `sent` (on its way, the answer most likely not there yet), `answered`;
//! - of the registry's rows: `rows:between` (some transactions done, some not).

/// The variable that names the place.
pub const VARIABLE: &str = "BUCKETREE_FAILPOINT";

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn from_environment() -> Option<Armed> {
        let text = std::env::var(super::VARIABLE).ok()?;
        let (name, nth) = text.rsplit_once(':')?;
        Some(Armed { name: name.into(), left: AtomicU64::new(nth.parse().ok()?) })
    }

    pub fn is_due(kind: &str, place: &str) -> bool {
        ARMED.get_or_init(from_environment).as_ref().is_some_and(|armed| {
            armed.name.split_once(':') == Some((kind, place)) && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
        })
    }
}

/// Whether this passage is the one at which to die.
#[cfg(debug_assertions)]
pub fn is_due(kind: &str, place: &str) -> bool {
    armed::is_due(kind, place)
}

/// Whether this passage is the one at which to die: never.
#[cfg(not(debug_assertions))]
pub fn is_due(_kind: &str, _place: &str) -> bool {
    false
}

/// Dies, as if killed: nothing is flushed, dropped or said.
pub fn die() -> ! {
    std::process::abort()
}

/// Does the work of a request; if it is this passage's turn, dies while it is on its way or when its answer is there.
pub async fn during<T>(kind: &str, work: impl Future<Output = T>) -> T {
    if is_due(kind, "sent") {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(2), work).await;
        die();
    }
    let answer = work.await;
    hit(kind, "answered");
    answer
}

/// Dies here, if it is this passage's turn.
pub fn hit(kind: &str, place: &str) {
    if is_due(kind, place) {
        die();
    }
}
