//! Cutting a plan into requests.

use crate::domain::Key;

/// Keys that one DeleteObjects request may hold (S3 and R2: 1 to 1,000, else MalformedXML).
pub const KEYS: usize = 1000;
/// Bytes of keys that one request may hold, so that 1,000 keys of 1,024 bytes full of escapes stay under 2 MiB of XML.
pub const BYTES: usize = 400 * 1024;

/// Cuts rows `0..keys.len()` into runs of at most `most` keys (and never more than [`KEYS`]) and [`BYTES`] bytes, in order.
pub fn cut<'a>(keys: impl IntoIterator<Item = &'a Key>, most: usize) -> Vec<Vec<u32>> {
    let most = most.clamp(1, KEYS);
    let mut batches: Vec<Vec<u32>> = Vec::new();
    let mut bytes = 0;
    for (row, key) in (0u32..).zip(keys) {
        let len = key.as_bytes().len();
        match batches.last_mut() {
            Some(batch) if batch.len() < most && bytes + len <= BYTES => {
                batch.push(row);
                bytes += len;
            }
            _ => {
                batches.push(vec![row]);
                bytes = len;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: usize, key_bytes: usize, expected: &[usize]) {
        let keys: Vec<Key> = (0..keys).map(|n| Key::new(format!("{n:0key_bytes$}"))).collect();
        let batches = cut(&keys, KEYS);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), expected);
        assert_eq!(batches.concat(), (0..keys.len() as u32).collect::<Vec<_>>(), "each row once, in order");
    }

    #[test]
    fn requests_hold_what_stores_take() {
        check(0, 8, &[]);
        check(1, 8, &[1]);
        check(999, 8, &[999]);
        check(1000, 8, &[1000]);
        check(1001, 8, &[1000, 1]);
        check(2500, 8, &[1000, 1000, 500]);
        check(1000, 1024, &[400, 400, 200]);
    }
}
