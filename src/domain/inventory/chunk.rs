//! Up to [`BLOCK`](super::BLOCK) objects, one column for each property.

use std::ops::{ControlFlow, Range};

use super::super::{Object, StorageClass, Timestamp, Totals};
use super::etags::{CompactETag, ETagColumn};
use super::front_coding::FrontCodedKeys;

/// Stands for a moment that the store did not give: nothing was changed 292 million years before 1970.
const NO_TIME: i64 = i64::MIN;

/// Columns of consecutive objects.
#[derive(Clone, Default, Debug)]
pub(super) struct Chunk {
    pub(super) keys: FrontCodedKeys,
    pub(super) sizes: Vec<u64>,
    modified: Vec<i64>,
    etags: ETagColumn,
    /// The classes that occur here.
    classes: Vec<StorageClass>,
    /// Where a run of one class begins, and its place in `classes`.
    class_runs: Vec<(u16, u16)>,
}

/// What a sequential reader gets of each object beside its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectFields<'a> {
    /// Bytes.
    pub size: u64,
    /// Entity tag.
    pub etag: CompactETag<'a>,
    /// Last change; `None` if the store gave none.
    pub last_modified: Option<Timestamp>,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Appends an object. `previous` is the key before it, or anything if this is the first.
    pub(super) fn push(&mut self, object: &Object, previous: &[u8]) {
        self.push_class(&object.storage_class);
        self.keys.push(object.key.as_bytes(), previous);
        self.sizes.push(object.size);
        self.modified.push(object.last_modified.map_or(NO_TIME, |at| at.0));
        self.etags.push(&object.etag);
    }

    fn push_class(&mut self, class: &StorageClass) {
        let known = self.classes.iter().position(|known| known == class).unwrap_or_else(|| {
            self.classes.push(class.clone());
            self.classes.len() - 1
        }) as u16;
        if self.class_runs.last().is_none_or(|(_, last)| *last != known) {
            self.class_runs.push((self.len() as u16, known));
        }
    }

    pub(super) fn storage_class(&self, at: usize) -> StorageClass {
        let run = self.class_runs.partition_point(|(start, _)| usize::from(*start) <= at) - 1;
        self.classes[usize::from(self.class_runs[run].1)].clone()
    }

    pub(super) fn last_modified(&self, at: usize) -> Option<Timestamp> {
        time(self.modified[at])
    }

    pub(super) fn etag(&self, at: usize) -> CompactETag<'_> {
        self.etags.get(at)
    }

    pub(super) fn fields(&self, at: usize) -> ObjectFields<'_> {
        ObjectFields { size: self.sizes[at], etag: self.etag(at), last_modified: self.last_modified(at) }
    }

    /// Objects, bytes and newest change of a range.
    pub(super) fn totals(&self, range: Range<usize>) -> Totals {
        let bytes: u128 = self.sizes[range.clone()].iter().map(|size| u128::from(*size)).sum();
        Totals {
            objects: range.len() as u64,
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
            newest: self.modified[range].iter().copied().max().and_then(time),
        }
    }

    /// Whether any object of the range was changed last at that moment.
    pub(super) fn has_change_at(&self, range: Range<usize>, at: Option<Timestamp>) -> bool {
        let at = at.map_or(NO_TIME, |at| at.0);
        self.modified[range].contains(&at)
    }

    /// Calls `visit` with the keys of the range until it breaks.
    pub(super) fn walk<B>(
        &self,
        range: Range<usize>,
        buffer: &mut Vec<u8>,
        visit: impl FnMut(usize, &[u8]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.keys.walk(range, buffer, visit)
    }

    /// Gives back what was allocated for growth.
    pub(super) fn shrink(&mut self) {
        self.keys.shrink();
        self.sizes.shrink_to_fit();
        self.modified.shrink_to_fit();
        self.etags.shrink();
        self.classes.shrink_to_fit();
        self.class_runs.shrink_to_fit();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.keys.memory_bytes()
            + (self.sizes.capacity() + self.modified.capacity()) * 8
            + self.etags.memory_bytes()
            + self.classes.iter().map(|class| size_of::<StorageClass>() + class.as_str().len()).sum::<usize>()
            + self.class_runs.capacity() * 4
    }
}

/// A moment from its column.
fn time(millis: i64) -> Option<Timestamp> {
    (millis != NO_TIME).then_some(Timestamp(millis))
}
