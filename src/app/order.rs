//! How rows are ordered.

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};

use crate::domain::Verdict;
use crate::domain::assessment::Assessment;
use crate::domain::folders::{KeySpace, Position, SortKey, SortedChildren, sorted_children};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::totals::Totals;

use super::groups::Group;

/// What rows are ordered by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum By {
    /// Key or name.
    #[default]
    Name,
    /// Bytes, the largest first.
    Size,
    /// Last change, the newest first.
    Modified,
    /// Objects, the most first.
    Count,
    /// Orphaned objects, the most first.
    Status,
}

impl By {
    /// Every order, as the menu shows them.
    pub const ALL: [By; 5] = [By::Name, By::Size, By::Modified, By::Count, By::Status];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            By::Name => "name",
            By::Size => "size",
            By::Modified => "modified",
            By::Count => "count",
            By::Status => "status",
        }
    }

    /// What comes first.
    pub fn first(self, reverse: bool) -> &'static str {
        match (self, reverse) {
            (By::Name, false) => "A first",
            (By::Name, true) => "Z first",
            (By::Size, false) => "largest first",
            (By::Size, true) => "smallest first",
            (By::Modified, false) => "newest first",
            (By::Modified, true) => "oldest first",
            (By::Count, false) => "most objects first",
            (By::Count, true) => "fewest objects first",
            (By::Status, false) => "most orphans first",
            (By::Status, true) => "fewest orphans first",
        }
    }
}

/// An order and its direction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Order {
    /// By what.
    pub by: By,
    /// Whether the other end comes first.
    pub reverse: bool,
}

impl Order {
    /// Whether rows stand as the bucket lists them, so that nothing has to be sorted.
    pub fn is_natural(self) -> bool {
        self == Self::default()
    }
}

/// The rows of one folder in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FolderOrder {
    /// By key, backwards.
    Backwards,
    /// By something else.
    Sorted(SortedChildren),
}

/// All objects in order, for the flat list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlatOrder {
    /// Objects by rank.
    pub objects: Vec<ObjectIndex>,
    /// Ranks by place.
    pub ranks: Vec<u32>,
}

/// Counts orphans instead of objects, so that folders can be sorted by them.
struct Orphans<'a> {
    space: &'a dyn KeySpace,
    assessment: &'a Assessment,
    contiguous: bool,
}

impl KeySpace for Orphans<'_> {
    fn len(&self) -> Position {
        self.space.len()
    }

    fn object_at(&self, at: Position) -> ObjectIndex {
        self.space.object_at(at)
    }

    fn position_of(&self, object: ObjectIndex) -> Option<Position> {
        self.space.position_of(object)
    }

    fn key_into(&self, at: Position, buffer: &mut Vec<u8>) {
        self.space.key_into(at, buffer);
    }

    fn lower_bound(&self, key: &[u8]) -> Position {
        self.space.lower_bound(key)
    }

    fn totals(&self, range: Range<Position>) -> Totals {
        let objects = if self.contiguous {
            self.assessment.totals(range).of(Verdict::Orphaned).objects
        } else {
            range.filter(|at| self.assessment.verdict(self.space.object_at(*at)) == Verdict::Orphaned).count() as u64
        };
        Totals { objects, ..Totals::default() }
    }

    fn span(&self, range: Range<Position>) -> Range<ObjectIndex> {
        self.space.span(range)
    }

    fn objects_of_word(&self, at: u32) -> u64 {
        self.space.objects_of_word(at)
    }

    fn next_alive(&self, at: Position) -> Option<Position> {
        self.space.next_alive(at)
    }

    fn previous_alive(&self, at: Position) -> Option<Position> {
        self.space.previous_alive(at)
    }

    fn walk(&self, range: Range<Position>, visit: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>) {
        self.space.walk(range, visit);
    }
}

/// Orders the rows of a folder. Long work: for a blocking thread.
pub fn sort_folder(
    space: &dyn KeySpace,
    contiguous: bool,
    assessment: Option<&Assessment>,
    prefix: &[u8],
    order: Order,
    cancelled: &dyn Fn() -> bool,
) -> Option<FolderOrder> {
    let descending = !order.reverse;
    let sorted = match (order.by, assessment) {
        (By::Name, _) => return Some(FolderOrder::Backwards),
        (By::Size, _) => sorted_children(space, prefix, SortKey::Size, descending, cancelled),
        (By::Modified, _) => sorted_children(space, prefix, SortKey::Modified, descending, cancelled),
        (By::Status, Some(assessment)) => {
            let orphans = Orphans { space, assessment, contiguous };
            sorted_children(&orphans, prefix, SortKey::Count, descending, cancelled)
        }
        (By::Count | By::Status, _) => sorted_children(space, prefix, SortKey::Count, descending, cancelled),
    };
    sorted.map(FolderOrder::Sorted)
}

/// Orders all objects for the flat list. Long work: for a blocking thread.
pub fn sort_flat(
    space: &dyn KeySpace,
    inventory: &Inventory,
    assessment: Option<&Assessment>,
    order: Order,
    cancelled: &dyn Fn() -> bool,
) -> Option<FlatOrder> {
    let object = |at: Position| space.object_at(at);
    let weight = weight_of_objects(inventory, assessment, order);
    let mut places: Vec<(u64, Position)> = (0..space.len()).map(|at| (weight(object(at)), at)).collect();
    if cancelled() {
        return None;
    }
    places.sort_unstable();
    if cancelled() {
        return None;
    }
    let mut ranks = vec![0; places.len()];
    (0..).zip(&places).for_each(|(rank, (_, at))| ranks[*at as usize] = rank);
    Some(FlatOrder { objects: places.into_iter().map(|(_, at)| object(at)).collect(), ranks })
}

/// A number for each object that grows in the order wanted; equal ones stay in key order.
pub fn weight_of_objects<'a>(
    inventory: &'a Inventory,
    assessment: Option<&'a Assessment>,
    order: Order,
) -> impl Fn(ObjectIndex) -> u64 + 'a {
    move |index| {
        let status = |index| match assessment.map(|assessment| assessment.verdict(index)) {
            Some(Verdict::Orphaned) => 0,
            Some(Verdict::Live) => 2,
            _ => 1,
        };
        let natural = match order.by {
            By::Name | By::Count => u64::from(index),
            By::Size => !inventory.size(index),
            // What has no time stands behind the oldest.
            By::Modified => !inventory.last_modified(index).map_or(0, |at| (at.0 as u64) ^ (1 << 63)),
            By::Status => status(index),
        };
        if order.reverse { !natural } else { natural }
    }
}

/// Compares two groups.
pub fn compare_groups(order: Order) -> impl Fn(&Group, &Group) -> Ordering {
    move |a, b| {
        // Objects of no project stand last, whatever the order.
        let homeless = |group: &Group| group.id.project == Some(None);
        let by_name = a.id.project.cmp(&b.id.project);
        let natural = match order.by {
            By::Name => by_name,
            By::Size => b.tally.bytes.cmp(&a.tally.bytes),
            By::Modified => b.tally.newest.cmp(&a.tally.newest),
            By::Count => b.tally.objects.cmp(&a.tally.objects),
            By::Status => b.tally.of(Verdict::Orphaned).cmp(&a.tally.of(Verdict::Orphaned)),
        };
        let directed = if order.reverse { natural.reverse() } else { natural };
        homeless(a).cmp(&homeless(b)).then(directed).then(by_name)
    }
}
