//! Sorted keys, each written as what it does not share with the one before it; every sixteenth is written whole, so
//! that one key costs at most sixteen steps to read.

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};

const GROUP: usize = 16;

/// Front-coded keys in increasing order.
#[derive(Clone, Default, Debug)]
pub(super) struct FrontCodedKeys {
    /// For each key: length shared with the key before, length of the rest, the rest. The first of a group shares nothing.
    bytes: Vec<u8>,
    /// Where each group begins in `bytes`.
    groups: Vec<u32>,
    len: usize,
}

impl FrontCodedKeys {
    /// Appends a key. `previous` is the one before it, which must be smaller.
    pub(super) fn push(&mut self, key: &[u8], previous: &[u8]) {
        let mut shared = 0;
        if self.len.is_multiple_of(GROUP) {
            self.groups.push(self.bytes.len() as u32);
        } else {
            shared = shared_length(key, previous);
        }
        push_number(&mut self.bytes, shared);
        push_number(&mut self.bytes, key.len() - shared);
        self.bytes.extend_from_slice(&key[shared..]);
        self.len += 1;
    }

    /// The first key; empty if there is none.
    pub(super) fn first(&self) -> &[u8] {
        self.head(0)
    }

    /// Writes the key at `at` into the buffer, in place of what was there.
    pub(super) fn key_into(&self, at: usize, buffer: &mut Vec<u8>) {
        buffer.clear();
        let mut entries = self.entries(at / GROUP);
        for _ in 0..=at % GROUP {
            entries.apply(buffer);
        }
    }

    /// Calls `visit` with each key of the range, in order, until it breaks. `buffer` is scratch space.
    pub(super) fn walk<B>(
        &self,
        range: Range<usize>,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(usize, &[u8]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let range = range.start..range.end.min(self.len);
        if range.is_empty() {
            return ControlFlow::Continue(());
        }
        let first = range.start / GROUP;
        let mut entries = self.entries(first);
        buffer.clear();
        for at in first * GROUP..range.end {
            entries.apply(buffer);
            if at >= range.start {
                visit(at, buffer)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// How many keys are smaller than `key`.
    pub(super) fn lower_bound(&self, key: &[u8]) -> usize {
        let group = partition(self.groups.len(), |group| self.head(group) < key);
        let Some(group) = group.checked_sub(1) else { return 0 };
        let end = ((group + 1) * GROUP).min(self.len);
        let mut entries = self.entries(group);
        let head = entries.next().1;
        let mut matched = shared_length(head, key);
        for at in group * GROUP + 1..end {
            let (shared, rest) = entries.next();
            match shared.cmp(&matched) {
                // It parts from its predecessor after `key` did, so it is as small as that.
                Ordering::Greater => {}
                // It grew where the predecessor still agreed with `key`.
                Ordering::Less => return at,
                Ordering::Equal => {
                    let more = shared_length(rest, &key[matched..]);
                    matched += more;
                    if rest.get(more) >= key.get(matched) {
                        return at;
                    }
                }
            }
        }
        end
    }

    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.groups.shrink_to_fit();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.groups.capacity() * 4
    }

    fn head(&self, group: usize) -> &[u8] {
        if group < self.groups.len() { self.entries(group).next().1 } else { &[] }
    }

    fn entries(&self, group: usize) -> Entries<'_> {
        Entries { rest: &self.bytes[self.groups[group] as usize..] }
    }
}

/// Reads entries one after another.
struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    fn next(&mut self) -> (usize, &'a [u8]) {
        let shared = self.number();
        let length = self.number();
        let (suffix, rest) = self.rest.split_at(length);
        self.rest = rest;
        (shared, suffix)
    }

    fn apply(&mut self, key: &mut Vec<u8>) {
        let (shared, suffix) = self.next();
        key.truncate(shared);
        key.extend_from_slice(suffix);
    }

    fn number(&mut self) -> usize {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.rest[0];
            self.rest = &self.rest[1..];
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// How many bytes both start with.
fn shared_length(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    words + one[words..].iter().zip(&other[words..]).take_while(|(a, b)| a == b).count()
}

/// The number of leading positions below `len` for which `before` holds, by bisection.
pub(super) fn partition(len: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
