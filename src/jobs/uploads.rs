//! Multipart uploads that nobody finished: all of them, and the end of the old ones.

use std::collections::HashSet;

use super::{failure, place};
use crate::domain::Timestamp;
use crate::domain::progress::Failure;
use crate::store::{ErrorKind, ObjectStore, StoreError, Upload, UploadsRequest};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uploads {
    /// Every upload under the prefix.
    pub list: Vec<Upload>,
    /// The server's clock at the first page.
    pub server_time: Option<Timestamp>,
}

/// Lists every upload under a prefix.
///
/// # Errors
/// If a page cannot be had, or the store repeats itself: a part of the list is not returned for all of it.
pub async fn list(store: &dyn ObjectStore, prefix: &[u8]) -> Result<Uploads, Failure> {
    let what = || format!("list the multipart uploads of {}", place(store.identity()));
    let mut found = Uploads::default();
    let mut seen = HashSet::new();
    let mut request = UploadsRequest { prefix: prefix.to_vec(), after: None };
    loop {
        let page = store.uploads(&request).await.map_err(|error| unsupported(what(), &error))?;
        found.server_time = found.server_time.or(page.server_time);
        found.list.extend(page.uploads);
        let Some(next) = page.next else { return Ok(found) };
        if !seen.insert(next.clone()) {
            let why = "the store sent the same page twice".to_owned();
            return Err(Failure { what: what(), why, hint: "try again".into() });
        }
        request.after = Some(next);
    }
}

fn unsupported(what: String, error: &StoreError) -> Failure {
    match error.kind {
        ErrorKind::Unsupported => Failure {
            what,
            why: "not supported by this store".into(),
            hint: "look for a lifecycle rule that ends incomplete uploads in the store's own console".into(),
        },
        _ => failure(what, error),
    }
}

/// Those that were begun so long ago. What has no time, or one that lies ahead, counts as young.
pub fn older_than(uploads: &Uploads, seconds: i64, now: Timestamp) -> Vec<&Upload> {
    let is_old = |upload: &&Upload| upload.begun.is_some_and(|begun| now.seconds_since(begun) >= seconds);
    uploads.list.iter().filter(is_old).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;

    #[test]
    fn only_what_is_old_for_certain_is_old() {
        let now = Timestamp(1_795_255_200_000);
        let begun = |days: Option<i64>| Upload {
            key: Key::from("a"),
            id: format!("{days:?}"),
            begun: days.map(|days| now.plus_seconds(-days * 86_400)),
        };
        let list: Vec<Upload> = [Some(8), Some(7), Some(6), Some(-3), None].map(begun).to_vec();
        let uploads = Uploads { list, server_time: None };
        let old: Vec<&str> = older_than(&uploads, 7 * 86_400, now).iter().map(|upload| upload.id.as_str()).collect();
        assert_eq!(old, ["Some(8)", "Some(7)"]);
    }
}
