//! Where objects lie in the trash. The place says which run put it there and, but for very long keys, what its key was.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Key, Timestamp};

/// Everything in the trash begins so; it lies within [`super::judge::OWN_PREFIX`], so nothing in it is ever an orphan.
pub const TRASH: &str = ".bucketree/trash/";

/// The longest key of S3 and R2, in bytes (AmazonS3 object-keys; r2/platform/limits).
const LONGEST_KEY: usize = 1024;

/// Length of a UUID in text.
const RUN: usize = 36;

/// What a place in the trash says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trashed {
    /// The run that moved it there.
    pub run: String,
    /// Its key before; `None` where the place has only a digest of it. The run's plan has the key then.
    pub key: Option<Key>,
}

/// Where the object of `key` goes when the run moves it to the trash: `.bucketree/trash/RUN/KEY`, or, where that would be too
/// long for a key, `.bucketree/trash/RUN.long/SHA256`. No two keys of a run have one place.
pub fn place(run: &str, key: &Key) -> Key {
    let plain = [TRASH.as_bytes(), run.as_bytes(), b"/", key.as_bytes()].concat();
    if plain.len() <= LONGEST_KEY {
        return Key::new(plain);
    }
    let mut place = format!("{TRASH}{run}.long/");
    for byte in Sha256::digest(key.as_bytes()) {
        let _ = write!(place, "{byte:02x}"); // a String takes everything
    }
    Key::new(place)
}

/// The two folders in which everything lies that a run moved to the trash.
pub fn folders(run: &str) -> [String; 2] {
    [format!("{TRASH}{run}/"), format!("{TRASH}{run}.long/")]
}

/// What a key in the trash says; `None` for a key that is not of the form of [`place`].
pub fn trashed(place: &[u8]) -> Option<Trashed> {
    let rest = place.strip_prefix(TRASH.as_bytes())?;
    let rest = rest.get(RUN..)?;
    let run = run_of(place)?;
    let (key, is_long) = match (rest.strip_prefix(b"/"), rest.strip_prefix(b".long/")) {
        (Some(key), _) => (key, false),
        (None, Some(digest)) => (digest, true),
        (None, None) => return None,
    };
    (!key.is_empty()).then(|| Trashed { run, key: (!is_long).then(|| Key::new(key)) })
}

/// The run whose part of the trash a key or folder lies in, or is; `None` outside of the trash.
pub fn run_of(place: &[u8]) -> Option<String> {
    let run = place.strip_prefix(TRASH.as_bytes())?.get(..RUN)?;
    let is_id = run.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    String::from_utf8(run.to_vec()).ok().filter(|_| is_id)
}

/// When a run began, as its id (UUIDv7) says: the first 48 bits are milliseconds since 1970 (RFC 9562, 5.7).
pub fn began(run: &str) -> Option<Timestamp> {
    let digits: String = run.chars().filter(|c| *c != '-').take(12).collect();
    i64::from_str_radix(&digits, 16).ok().map(Timestamp)
}

/// Whether a key lies in the trash.
pub fn is_in_trash(key: &[u8]) -> bool {
    key.starts_with(TRASH.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "019aa000-0000-7000-8000-000000000001";

    #[test]
    fn a_place_names_the_run_and_the_key() {
        let check = |key: &[u8], expected: &str| {
            let place = place(ID, &Key::new(key));
            assert_eq!(place.as_str(), Some(expected));
            assert_eq!(trashed(place.as_bytes()), Some(Trashed { run: ID.into(), key: Some(Key::new(key)) }));
        };
        check(b"a/b.mp4", &format!(".bucketree/trash/{ID}/a/b.mp4"));
        check(b"/a//b/", &format!(".bucketree/trash/{ID}//a//b/"));
        check(".long/x".as_bytes(), &format!(".bucketree/trash/{ID}/.long/x"));
    }

    #[test]
    fn a_key_that_would_become_too_long_goes_by_its_digest() {
        let key = |length: usize| Key::new(vec![b'k'; length]);
        assert_eq!(place(ID, &key(970)).as_bytes().len(), 1024);
        let long = place(ID, &key(971));
        assert_eq!(long.as_bytes().len(), TRASH.len() + 36 + 6 + 64);
        assert_eq!(trashed(long.as_bytes()), Some(Trashed { run: ID.into(), key: None }));
        assert_ne!(long, place(ID, &key(972)));
    }

    #[test]
    fn what_is_no_place_says_nothing() {
        for key in ["", ".bucketree/trash/", ".bucketree/trash/x", &format!(".bucketree/trash/{ID}"), "a/b"] {
            assert_eq!(trashed(key.as_bytes()), None, "{key}");
        }
        assert_eq!(trashed(format!(".bucketree/trash/{ID}/").as_bytes()), None);
        assert_eq!(trashed(format!(".bucketree/trash/{}/a", "x".repeat(36)).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_two_keys_have_one_place(a in prop::collection::vec(any::<u8>(), 1..=1024), b in prop::collection::vec(any::<u8>(), 1..=1024)) {
            let (a, b) = (Key::new(a), Key::new(b));
            let places = (place(ID, &a), place(ID, &b));
            prop_assert!(places.0.as_bytes().len() <= 1024);
            prop_assert_eq!(places.0 == places.1, a == b);
            let said = trashed(places.0.as_bytes()).map(|trashed| trashed.key);
            prop_assert!(said == Some(Some(a)) || said == Some(None));
        }
    }
}
