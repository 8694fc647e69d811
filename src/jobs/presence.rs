//! Whether objects are there now, and what they are now: by HEAD where they are few or far apart, by strict listing of
//! just their stretch of the bucket where they lie close together. S3 and R2 list with strong consistency
//! (r2/reference/consistency, AmazonS3 Welcome.html#ConsistencyModel).

use futures::StreamExt;

use crate::domain::{Key, Object};
use crate::store::{ListRequest, ObjectStore, StoreError};

/// Up to this many keys are asked for one by one.
const FEW: usize = 24;
/// HEAD requests in flight at a time.
const HEADS: usize = 32;
/// Pages that must on average bring this many of the keys, or the rest is asked for one by one.
const WORTH_A_PAGE: usize = 16;

/// What is known of a key now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Presence {
    /// It is there, as this object.
    There(Object),
    /// It is proved not to be there.
    Gone,
    /// Nothing is proved.
    Unproven(StoreError),
}

/// Looks for every key, which must be in order without repetition; the answers are in the same order.
pub async fn look(store: &dyn ObjectStore, keys: &[Key]) -> Vec<Presence> {
    if keys.len() <= FEW {
        return heads(store, keys).await;
    }
    let mut found = by_listing(store, keys).await;
    let rest = heads(store, &keys[found.len()..]).await;
    found.extend(rest);
    found
}

/// Looks for every key with one HEAD each.
pub async fn heads(store: &dyn ObjectStore, keys: &[Key]) -> Vec<Presence> {
    let requests: Vec<_> = keys.iter().map(|key| head(store, key)).collect();
    futures::stream::iter(requests).buffered(HEADS).collect().await
}

async fn head(store: &dyn ObjectStore, key: &Key) -> Presence {
    match store.head(key).await {
        Ok(Some(answer)) => Presence::There(answer.object),
        Ok(None) => Presence::Gone,
        Err(error) => Presence::Unproven(error),
    }
}

/// Lists from key to key. Returns what it found of the first keys; the rest, if any, is too sparse to list.
async fn by_listing(store: &dyn ObjectStore, keys: &[Key]) -> Vec<Presence> {
    let mut found: Vec<Presence> = Vec::with_capacity(keys.len());
    let mut after: Option<Key> = None;
    let mut pages = 0;
    while let Some(next) = keys.get(found.len()) {
        if pages >= 4 && found.len() < pages * WORTH_A_PAGE {
            return found;
        }
        pages += 1;
        let start_after = after.take().max(before(next));
        let page = match store.list(&ListRequest { start_after: start_after.clone(), ..Default::default() }).await {
            Ok(page) => page,
            Err(error) => {
                found.resize(keys.len(), Presence::Unproven(error));
                return found;
            }
        };
        let ended = page.next.is_none();
        after = page.objects.last().map(|object| object.key.clone()).or(start_after);
        settle(&mut found, keys, page.objects, if ended { None } else { after.as_ref() });
    }
    found
}

/// Settles every key up to and including `seen_to` (all of them if it is `None`) by what the page holds.
fn settle(found: &mut Vec<Presence>, keys: &[Key], objects: Vec<Object>, seen_to: Option<&Key>) {
    let mut objects = objects.into_iter().peekable();
    while let Some(key) = keys.get(found.len()) {
        if seen_to.is_some_and(|seen| key > seen) {
            return;
        }
        while objects.next_if(|object| object.key < *key).is_some() {}
        found.push(match objects.next_if(|object| object.key == *key) {
            Some(object) => Presence::There(object),
            None => Presence::Gone,
        });
    }
}

/// A key that sorts before this one with little in between: the key without its last character. `None` for one character.
fn before(key: &Key) -> Option<Key> {
    let bytes = key.as_bytes();
    let end = match key.as_str() {
        Some(text) => text.char_indices().next_back().map_or(0, |(at, _)| at),
        None => bytes.len().saturating_sub(1),
    };
    (end > 0 && std::str::from_utf8(&bytes[..end]).is_ok()).then(|| Key::new(&bytes[..end]))
}
