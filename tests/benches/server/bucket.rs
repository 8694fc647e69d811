//! The objects, each written down as it stands in a listing.

use std::fmt::Write as _;
use std::sync::RwLock;

use super::keys::Lot;

/// Keys of one page at most.
const PAGE: usize = 1000;

/// A bucket from which objects only go.
pub struct Bucket {
    keys: Vec<String>,
    /// All entries, one behind the other.
    entries: String,
    /// Where each entry begins; one more for the end.
    begins: Vec<usize>,
    gone: RwLock<Vec<bool>>,
}

/// What a page holds.
pub struct Page {
    pub entries: String,
    pub count: usize,
    /// The place behind its last key, if there is more.
    pub next: Option<usize>,
}

impl Bucket {
    /// A bucket of these keys, which are in order and need no escape.
    pub fn new(keys: Vec<String>) -> Self {
        let mut lot = Lot::new(3);
        let (mut entries, mut begins) = (String::with_capacity(keys.len() * 320), vec![0]);
        for key in &keys {
            let (tag, size) = ((lot.below(u64::MAX), lot.below(u64::MAX)), lot.below(1 << 24));
            let _ = write!(
                entries,
                "<Contents><Key>{key}</Key><LastModified>2026-01-{:02}T{:02}:{:02}:00.000Z</LastModified>\
                 <ETag>&quot;{:016x}{:016x}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                1 + size % 28,
                size % 24,
                size % 60,
                tag.0,
                tag.1
            );
            begins.push(entries.len());
        }
        let gone = RwLock::new(vec![false; keys.len()]);
        Self { keys, entries, begins, gone }
    }

    /// The place of the first key after this one.
    pub fn after(&self, key: &str) -> usize {
        self.keys.partition_point(|known| known.as_str() <= key)
    }

    /// The place of the first key not before this one.
    pub fn at_or_after(&self, key: &str) -> usize {
        self.keys.partition_point(|known| known.as_str() < key)
    }

    /// At most `most` objects from a place on that begin with `prefix`.
    pub fn page(&self, from: usize, prefix: &str, most: usize) -> Page {
        let gone = self.gone.read().expect("the lock");
        let (mut at, mut count, mut entries) = (from, 0, String::new());
        let mut run = from;
        let all = self.keys.len();
        while at < all && count < most.min(PAGE) && self.keys[at].starts_with(prefix) {
            if gone[at] {
                entries.push_str(&self.entries[self.begins[run]..self.begins[at]]);
                run = at + 1;
            } else {
                count += 1;
            }
            at += 1;
        }
        entries.push_str(&self.entries[self.begins[run]..self.begins[at]]);
        let more = (at..all).take_while(|&at| self.keys[at].starts_with(prefix)).any(|at| !gone[at]);
        Page { entries, count, next: more.then_some(at) }
    }

    /// The first folders right under a prefix, and whether they are all.
    pub fn folders(&self, prefix: &str) -> (Vec<&str>, bool) {
        let (mut names, mut entries, mut at) = (Vec::new(), 0, self.at_or_after(prefix));
        while let Some(key) = self.keys.get(at).filter(|key| key.starts_with(prefix)) {
            if entries == PAGE {
                return (names, false);
            }
            entries += 1;
            at = match key[prefix.len()..].find('/') {
                Some(slash) => {
                    let name = &key[..=prefix.len() + slash];
                    names.push(name);
                    at + self.keys[at..].partition_point(|key| key.starts_with(name))
                }
                None => at + 1,
            };
        }
        (names, true)
    }

    /// The entry of a key that is there.
    pub fn entry(&self, key: &str) -> Option<&str> {
        let at = self.keys.binary_search_by(|known| known.as_str().cmp(key)).ok()?;
        let gone = self.gone.read().expect("the lock")[at];
        (!gone).then(|| &self.entries[self.begins[at]..self.begins[at + 1]])
    }

    /// Removes keys, whether they are there or not.
    pub fn remove<'a>(&self, keys: impl Iterator<Item = &'a str>) {
        let mut gone = self.gone.write().expect("the lock");
        for key in keys {
            if let Ok(at) = self.keys.binary_search_by(|known| known.as_str().cmp(key)) {
                gone[at] = true;
            }
        }
    }

    /// Objects that are there.
    pub fn alive(&self) -> usize {
        self.gone.read().expect("the lock").iter().filter(|gone| !**gone).count()
    }
}
