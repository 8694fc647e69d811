//! The rows of one folder in another order than that of their keys.

use std::ops::{ControlFlow, Range};

use memchr::memchr;

use super::{Child, KeySpace, Position, child_at};
use crate::domain::totals::Totals;

/// What rows are ordered by. Equal rows stay in key order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SortKey {
    /// Bytes, of a folder all together.
    Size,
    /// Last change, of a folder the newest; what has no time comes before the oldest.
    Modified,
    /// Objects; an object is one.
    Count,
}

/// The rows of a folder in an order of their own: 12 bytes a row, found by rank and by row. It is as old as the sort:
/// what was appended since is not in it, and a row that is wholly gone is found no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortedChildren {
    prefix: Vec<u8>,
    /// A place in each row, in key order: the first that was not gone.
    starts: Vec<Position>,
    /// By rank, which of `starts`.
    order: Vec<u32>,
    /// The other way round.
    ranks: Vec<u32>,
}

impl SortedChildren {
    /// Rows, those that went since included.
    pub fn len(&self) -> u32 {
        self.order.len() as u32
    }

    /// Whether the folder had no rows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The row with this rank; `None` if there is none or it is gone.
    pub fn get(&self, space: &(impl KeySpace + ?Sized), rank: u32) -> Option<Child> {
        let ordinal = *self.order.get(rank as usize)?;
        child_at(space, &self.prefix, self.starts[ordinal as usize])
    }

    /// The places of the row with this rank, those of objects that went since included; `end` is where the folder ends.
    pub fn places(&self, rank: u32, end: Position) -> Option<Range<Position>> {
        let ordinal = *self.order.get(rank as usize)? as usize;
        Some(self.starts[ordinal]..self.starts.get(ordinal + 1).copied().unwrap_or(end))
    }

    /// The rank of a row; `None` if it was not there when the folder was sorted.
    pub fn rank_of(&self, child: &Child) -> Option<u32> {
        let range = child.range();
        let ordinal = self.starts.partition_point(|start| *start < range.start);
        self.starts.get(ordinal).filter(|start| **start < range.end).map(|_| self.ranks[ordinal])
    }

    /// Bytes held on the heap.
    pub fn memory_bytes(&self) -> usize {
        self.prefix.capacity() + (self.starts.capacity() + self.order.capacity() + self.ranks.capacity()) * 4
    }
}

/// The rows of the folder `prefix` by `key`. Takes time in proportion to the rows, so it belongs on a blocking thread;
/// `None` if `cancelled` said so, which is asked every few thousand rows.
pub fn sorted_children(
    space: &(impl KeySpace + ?Sized),
    prefix: &[u8],
    key: SortKey,
    descending: bool,
    cancelled: &dyn Fn() -> bool,
) -> Option<SortedChildren> {
    let folder = space.range(prefix);
    let mut starts: Vec<Position> = Vec::new();
    let mut stopped = false;
    each_child(space, prefix, folder.clone(), &mut |start| {
        starts.push(start);
        stopped = starts.len().is_multiple_of(PAUSE) && cancelled();
        if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let mut weights: Vec<(u64, u32)> = Vec::with_capacity(starts.len());
    for (ordinal, start) in starts.iter().enumerate() {
        if stopped || (ordinal.is_multiple_of(PAUSE) && cancelled()) {
            return None;
        }
        let end = starts.get(ordinal + 1).copied().unwrap_or(folder.end);
        let weight = weight(key, &space.totals(*start..end));
        weights.push((if descending { !weight } else { weight }, ordinal as u32));
    }
    weights.sort_unstable();
    let order: Vec<u32> = weights.into_iter().map(|(_, ordinal)| ordinal).collect();
    let mut ranks = vec![0; order.len()];
    (0..).zip(&order).for_each(|(rank, ordinal)| ranks[*ordinal as usize] = rank);
    starts.shrink_to_fit();
    (!cancelled()).then(|| SortedChildren { prefix: prefix.to_vec(), starts, order, ranks })
}

const PAUSE: usize = 4096;

/// A number that grows as the totals do; no time is the least.
fn weight(key: SortKey, totals: &Totals) -> u64 {
    match key {
        SortKey::Size => totals.bytes,
        SortKey::Modified => totals.newest.map_or(0, |at| (at.0 as u64) ^ (1 << 63)),
        SortKey::Count => totals.objects,
    }
}

/// How many keys of one child folder are read before the rest of it is skipped by bisection.
const PATIENCE: u32 = 64;

/// Calls `visit` with where each child begins, gone objects before it left out. Reads key after key, which for small
/// children is much cheaper than to look for the end of each.
fn each_child(
    space: &(impl KeySpace + ?Sized),
    prefix: &[u8],
    folder: Range<Position>,
    visit: &mut dyn FnMut(Position) -> ControlFlow<()>,
) {
    let mut from = folder.start;
    while from < folder.end {
        let mut current: Vec<u8> = Vec::new();
        let mut inside = false;
        let mut read = 0;
        let mut skip = false;
        let mut stopped = false;
        space.walk(from..folder.end, &mut |at, key| {
            if inside && key.starts_with(&current) {
                read += 1;
                skip = read == PATIENCE;
                return if skip { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            current.clear();
            inside = false;
            if let Some(slash) = memchr(b'/', &key[prefix.len()..]) {
                current.extend_from_slice(&key[..prefix.len() + slash + 1]);
                (inside, read) = (true, 0);
            }
            let flow = visit(at);
            stopped = flow.is_break();
            flow
        });
        if stopped || !skip {
            return;
        }
        from = space.range(&current).end;
    }
}
