//! All objects from one row to another, and the next one of a kind, without a walk over the rows in between: what lies beside
//! a row in its folder is a range of places, or one range for each row where the folder is sorted.

use std::cmp::Ordering;
use std::ops::Range;

use crate::domain::bits::{BitSet, first_in, last_in};
use crate::domain::folders::{Child, KeySpace, Position, child_at};
use crate::domain::inventory::ObjectIndex;

use super::folders::FolderForest;
use super::forest::Node;
use super::order::FolderOrder;

/// A row and the folder that it is one of.
struct Step {
    folder: Vec<u8>,
    child: Child,
}

/// Which rows of a folder.
#[derive(Clone, Copy)]
enum Side<'a> {
    Above(&'a Child),
    Below(&'a Child),
    /// Below the first and above the second.
    Between(&'a Child, &'a Child),
}

impl FolderForest<'_> {
    /// The objects of all rows from one to the other, whichever stands above. An open folder stands for nothing of its
    /// own. `None` if one of the rows is no longer there.
    pub fn objects_between(&self, one: &Node, other: &Node) -> Option<BitSet> {
        let (one, other) = (self.path(one)?, self.path(other)?);
        let same = one.iter().zip(&other).take_while(|(a, b)| a.child == b.child).count();
        let swap = match (one.get(same), other.get(same)) {
            (Some(a), Some(b)) => self.stands_before(&a.folder, &b.child, &a.child),
            // Of a folder and what lies in it, the folder stands above.
            (Some(_), None) => true,
            _ => false,
        };
        let (upper, lower) = if swap { (other, one) } else { (one, other) };
        let mut objects = BitSet::default();
        if let (Some(a), Some(b)) = (upper.get(same), lower.get(same)) {
            self.put_side(&a.folder, Side::Between(&a.child, &b.child), &mut objects);
            upper[same + 1..]
                .iter()
                .for_each(|step| self.put_side(&step.folder, Side::Below(&step.child), &mut objects));
            // Whether it is open or not, all that it holds stands below its row and above the other.
            self.put(upper.last().map(|step| step.child.range()), &mut objects);
        }
        let begun = if upper.len() > same { same + 1 } else { same };
        lower.get(begun..)?.iter().for_each(|step| self.put_side(&step.folder, Side::Above(&step.child), &mut objects));
        self.put(
            lower.last().filter(|step| !self.is_open_child(&step.child)).map(|step| step.child.range()),
            &mut objects,
        );
        Some(objects)
    }

    /// A row with everything that it lies in, outermost first.
    fn path(&self, node: &Node) -> Option<Vec<Step>> {
        let start = match node {
            Node::Folder(prefix) => self.space.lower_bound(prefix.as_bytes()),
            Node::Object(object) => self.space.position_of(*object)?,
            _ => return None,
        };
        let mut path: Vec<Step> = Vec::new();
        let mut folder = Vec::new();
        loop {
            let child = child_at(self.space, &folder, start)?;
            let next = match &child {
                Child::Folder { prefix, .. } => Some(prefix.clone()),
                Child::Object { .. } => None,
            };
            path.push(Step { folder, child });
            match (next, node) {
                (Some(prefix), Node::Folder(wanted)) if prefix == wanted.as_bytes() => return Some(path),
                (Some(prefix), _) => folder = prefix,
                (None, Node::Object(_)) => return Some(path),
                (None, _) => return None,
            }
        }
    }

    fn is_open_child(&self, child: &Child) -> bool {
        matches!(child, Child::Folder { prefix, .. } if self.open.is_open(prefix))
    }

    fn stands_before(&self, folder: &[u8], one: &Child, other: &Child) -> bool {
        let by_key = one.range().start.cmp(&other.range().start);
        let order = match self.orders.get(folder) {
            None => by_key,
            Some(FolderOrder::Backwards) => by_key.reverse(),
            Some(FolderOrder::Sorted(sorted)) => sorted.rank_of(one).cmp(&sorted.rank_of(other)),
        };
        order == Ordering::Less
    }

    /// Puts the objects of the rows on one side of a row.
    fn put_side(&self, folder: &[u8], side: Side<'_>, objects: &mut BitSet) {
        let all = self.space.range(folder);
        let places = match (side, self.orders.get(folder)) {
            (_, Some(FolderOrder::Sorted(sorted))) => {
                let rank = |child| sorted.rank_of(child);
                let ranks = match side {
                    Side::Above(child) => 0..rank(child).unwrap_or(0),
                    Side::Below(child) => rank(child).map_or(0..0, |rank| rank + 1..sorted.len()),
                    Side::Between(one, other) => rank(one).map_or(0, |rank| rank + 1)..rank(other).unwrap_or(0),
                };
                ranks.for_each(|rank| self.put(sorted.places(rank, all.end), objects));
                return;
            }
            (Side::Above(child), None) | (Side::Below(child), Some(_)) => all.start..child.range().start,
            (Side::Below(child), None) | (Side::Above(child), Some(_)) => child.range().end..all.end,
            (Side::Between(one, other), None) => one.range().end..other.range().start,
            (Side::Between(one, other), Some(_)) => other.range().end..one.range().start,
        };
        self.put(Some(places), objects);
    }

    fn put(&self, places: Option<Range<Position>>, objects: &mut BitSet) {
        match places {
            // Rows of a sorted folder are put in one by one, so a set for each would be too much.
            Some(places) if places.len() < 64 => places.for_each(|at| {
                objects.insert(self.space.object_at(at));
            }),
            Some(places) => objects.put_in(&self.space.objects(places)),
            None => {}
        }
    }
}

/// Which objects are looked for: one at a time, and of 64 from `64 * at` on at once, as bits.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Whether it is this one.
    pub one: &'a dyn Fn(ObjectIndex) -> bool,
    /// Which of 64.
    pub words: &'a dyn Fn(u32) -> u64,
}

impl Wanted<'_> {
    /// The first or the last that is at some places of a space and not gone.
    pub fn among(&self, space: &dyn KeySpace, places: Range<Position>, first: bool) -> Option<ObjectIndex> {
        if places.len() == 1 {
            let object = space.object_at(places.start);
            return ((self.one)(object) && space.next_alive(places.start) == Some(places.start)).then_some(object);
        }
        let word = |at: u32| (self.words)(at) & space.objects_of_word(at);
        let objects = space.span(places);
        if first { first_in(objects, word) } else { last_in(objects, word) }
    }
}

impl FolderForest<'_> {
    /// The nearest wanted object below (or above) a row, in the order of the rows, whether its folder is open or not.
    pub fn seek(&self, from: &Node, forwards: bool, wanted: Wanted<'_>) -> Option<Node> {
        let mut path = self.path(from)?;
        if let Some(Child::Folder { prefix, .. }) = path.last().map(|step| &step.child).filter(|_| forwards)
            && let Some(found) = self.seek_in(prefix, None, forwards, wanted)
        {
            return Some(found);
        }
        while let Some(Step { folder, child }) = path.pop() {
            if let Some(found) = self.seek_in(&folder, Some(&child), forwards, wanted) {
                return Some(found);
            }
        }
        None
    }

    /// The first (or last) wanted object of a folder, of those beyond one of its rows if that is given.
    fn seek_in(&self, folder: &[u8], beyond: Option<&Child>, forwards: bool, wanted: Wanted<'_>) -> Option<Node> {
        let all = self.space.range(folder);
        let child = match self.orders.get(folder) {
            Some(FolderOrder::Sorted(sorted)) => {
                let rank = beyond.and_then(|child| sorted.rank_of(child));
                let holds = |rank: &u32| {
                    let places = sorted.places(*rank, all.end);
                    places.is_some_and(|places| wanted.among(self.space, places, true).is_some())
                };
                let found = match forwards {
                    true => (rank.map_or(0, |rank| rank + 1)..sorted.len()).find(holds),
                    false => (0..rank.unwrap_or(sorted.len())).rev().find(holds),
                };
                sorted.get(self.space, found?)?
            }
            order => {
                let by_key = forwards == order.is_none();
                let places = match (beyond.map(Child::range), by_key) {
                    (None, _) => all,
                    (Some(child), true) => child.end..all.end,
                    (Some(child), false) => all.start..child.start,
                };
                let object = wanted.among(self.space, places, by_key)?;
                child_at(self.space, folder, self.space.position_of(object)?)?
            }
        };
        match child {
            Child::Object { at } => Some(Node::Object(self.space.object_at(at))),
            Child::Folder { prefix, .. } => self.seek_in(&prefix, None, forwards, wanted),
        }
    }
}

/// The positions of all rows of groups from one to the other, whichever stands above.
pub fn positions_between(one: (Range<usize>, bool), other: (Range<usize>, bool)) -> Range<usize> {
    // A group and what it begins with share a position; of the two the group, which is longer, stands above.
    let stands = |(range, _): &(Range<usize>, bool)| (range.start, usize::MAX - range.len());
    let (upper, lower) = if stands(&one) <= stands(&other) { (one, other) } else { (other, one) };
    let (range, is_open) = lower;
    upper.0.start..if is_open { range.start } else { range.end }
}
