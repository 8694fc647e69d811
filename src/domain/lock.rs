//! Where the lock of a bucket lies in the bucket, and when its owner counts as dead.

use super::Key;

/// The lock: one object, written only if there is none, never written over.
pub const LOCK: &str = ".bucketree/lock.json";

/// Signs of life of runs lie under this, each under a key of its own, so that nothing has to be written over.
pub const SIGNS: &str = ".bucketree/lock/";

/// Seconds between two signs of life of a run.
pub const SIGN_SECONDS: u64 = 60;

/// A run without a sign of life for so many seconds may be dead: a person may say so and take its lock over. A run that
/// notices such a pause of its own (a machine that slept) looks again before it does anything.
pub const STALE_SECONDS: i64 = 600;

/// Where the signs of life of one run lie.
pub fn signs_of(run: &str) -> Vec<u8> {
    format!("{SIGNS}{run}/").into_bytes()
}

/// The key of one sign of life.
pub fn sign(run: &str, number: u64) -> Key {
    Key::new([signs_of(run), number.to_string().into_bytes()].concat())
}

/// Whether a key belongs to the lock: nobody's object, and gone when the run ends.
pub fn is_lock(key: &[u8]) -> bool {
    key == LOCK.as_bytes() || key.starts_with(SIGNS.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::judge::OWN_PREFIX;

    #[test]
    fn the_lock_and_its_signs_are_this_programs_own_and_nothing_else_is() {
        for (key, expected) in [
            (LOCK.as_bytes(), true),
            (sign("r", 7).as_bytes(), true),
            (b".bucketree/lock.json2", false),
            (b".bucketree/locks/r/1", false),
            (b".bucketree/trash/r/a", false),
            (b"lock.json", false),
        ] {
            assert_eq!(is_lock(key), expected, "{key:?}");
            assert!(!expected || key.starts_with(OWN_PREFIX));
        }
    }
}
