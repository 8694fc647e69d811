//! How many keys go into one deletion.

use std::ops::Range;

use super::DeleteTarget;

/// Most keys of one request (S3 and R2 refuse more).
pub const MAX_KEYS: usize = 1000;

/// Most bytes of one request's XML. S3 takes 1,000 keys of 1,024 bytes; escapes can make them six times as long, so the
/// bound keeps every request well under the 2 MiB that servers and proxies commonly accept.
pub const MAX_BYTES: usize = 1_500_000;

/// Bytes around a key: `<Object><Key></Key><ETag></ETag></Object>`.
const FRAME: usize = 48;

/// Cuts `targets` into requests of at most `most` keys (and never more than [`MAX_KEYS`]) and [`MAX_BYTES`] bytes, in
/// their order. Every target is in exactly one of them.
pub fn split(targets: &[DeleteTarget], most: usize) -> Vec<Range<usize>> {
    let most = most.clamp(1, MAX_KEYS);
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, target) in targets.iter().enumerate() {
        let cost = cost(target);
        if at - start == most || (at > start && bytes + cost > MAX_BYTES) {
            batches.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += cost;
    }
    if start < targets.len() {
        batches.push(start..targets.len());
    }
    batches
}

fn cost(target: &DeleteTarget) -> usize {
    let escaped = |byte: &u8| match byte {
        b'&' | b'<' | b'>' | b'"' | b'\'' => 6,
        _ => 1,
    };
    let etag = target.etag.as_ref().map_or(0, |etag| etag.as_str().len() + 12);
    FRAME + etag + target.key.as_bytes().iter().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;

    fn check(count: usize, key: impl Fn(usize) -> String, expected: &[usize]) {
        let targets: Vec<DeleteTarget> = (0..count).map(|at| DeleteTarget::of(Key::from(key(at).as_str()))).collect();
        let batches = split(&targets, usize::MAX);
        assert_eq!(batches.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), expected);
        let covered: Vec<usize> = batches.into_iter().flatten().collect();
        assert_eq!(covered, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn row_62_batches_by_count_and_by_bytes() {
        check(0, |at| at.to_string(), &[]);
        check(1, |at| at.to_string(), &[1]);
        check(999, |at| at.to_string(), &[999]);
        check(1000, |at| at.to_string(), &[1000]);
        check(1001, |at| at.to_string(), &[1000, 1]);
        check(2500, |at| at.to_string(), &[1000, 1000, 500]);
        check(1000, |at| format!("{at:01024}"), &[1000]);
        check(1000, |_| "&".repeat(1024), &[242, 242, 242, 242, 32]);
        let five: Vec<_> = (0..5).map(|at| DeleteTarget::of(Key::new([at]))).collect();
        assert_eq!(split(&five, 2), [0..2, 2..4, 4..5]);
        assert_eq!(split(&five, 0).len(), 5);
    }
}
