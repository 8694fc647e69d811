//! What the user has chosen: marks on objects, with their totals always at hand.
//!
//! Only objects are marked. A folder has no mark of its own; it shows how much of what lies in it is marked, so a folder
//! and what lies in it can never both count. Marks belong to keys: across a new listing they are carried by
//! [`Selection::freeze`] and [`Selection::restore`], never by place.

use std::ops::Range;

use super::assessment::Weighed;
use super::bits::{BitSet, bits_of, masked};
use super::block_sums::BLOCK;
use super::folders::{KeySpace, Position};
use super::inventory::{Inventory, ObjectIndex};
use super::totals::Tally;
use super::{Key, Object};

/// How much of a folder is marked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Extent {
    /// Nothing.
    None,
    /// A part.
    Some,
    /// All that is there.
    All,
}

/// Marks on the objects of one inventory.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Selection {
    marks: BitSet,
    bytes: u128,
}

/// An object as it was when it was marked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkedObject {
    /// The object.
    pub object: Object,
}

/// Marks that a new listing did not bear out. They are not restored; the user is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StaleMarks {
    /// Keys that are no longer there.
    pub vanished: Vec<Key>,
    /// Keys whose object is another one now, or cannot be told to be the same.
    pub changed: Vec<Key>,
}

impl StaleMarks {
    /// Whether every mark was restored.
    pub fn is_empty(&self) -> bool {
        self.vanished.is_empty() && self.changed.is_empty()
    }
}

impl Selection {
    /// Marks an object, or takes its mark away; whether it is marked now. What is gone cannot be marked.
    pub fn toggle(&mut self, inventory: &Inventory, index: ObjectIndex) -> bool {
        let on = !self.is_marked(index);
        self.set(inventory, [index], on, |_| true);
        self.is_marked(index)
    }

    /// Marks objects for which `filter` holds, or takes their marks away; how many changed. What is gone or not in the
    /// inventory cannot be marked.
    pub fn set(
        &mut self,
        inventory: &Inventory,
        objects: impl IntoIterator<Item = ObjectIndex>,
        on: bool,
        filter: impl Fn(ObjectIndex) -> bool,
    ) -> u64 {
        let mut changed = 0;
        for index in objects {
            if index >= inventory.len() || (on && inventory.is_gone(index)) || !filter(index) {
                continue;
            }
            let size = u128::from(inventory.size(index));
            if on && self.marks.insert(index) {
                self.bytes += size;
                changed += 1;
            } else if !on && self.marks.remove(index) {
                self.bytes -= size;
                changed += 1;
            }
        }
        changed
    }

    /// Marks all objects of a set, or takes their marks away; how many changed. What is gone or not in the inventory cannot
    /// be marked. It takes one step for 64 objects, and one for each object of a block that changes in another way than
    /// as a whole, or by just what is `weighed`.
    pub fn set_all(&mut self, inventory: &Inventory, objects: &BitSet, on: bool, weighed: Option<&Weighed>) -> u64 {
        let changes = |at: u32| match on {
            true => objects.word(at) & !self.marks.word(at) & !inventory.gone().word(at),
            false => objects.word(at) & self.marks.word(at),
        };
        let changed = BitSet::of_words(0..inventory.len(), changes);
        let bytes: u128 =
            (0..inventory.len().div_ceil(BLOCK)).map(|block| bytes_in(inventory, &changed, block, weighed)).sum();
        if on {
            self.marks.put_in(&changed);
            self.bytes += bytes;
        } else {
            self.marks.take_out(&changed);
            self.bytes -= bytes;
        }
        changed.count()
    }

    /// Takes the marks of objects away that are proved gone.
    pub fn forget(&mut self, indices: &[ObjectIndex], inventory: &Inventory) {
        self.set(inventory, indices.iter().copied(), false, |_| true);
    }

    /// Takes all marks away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the object is marked.
    pub fn is_marked(&self, index: ObjectIndex) -> bool {
        self.marks.contains(index)
    }

    /// Whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Marked objects and their bytes.
    pub fn totals(&self) -> Tally {
        Tally { objects: self.marks.count(), bytes: u64::try_from(self.bytes).unwrap_or(u64::MAX) }
    }

    /// Marked objects of a range.
    pub fn count_in(&self, range: Range<ObjectIndex>) -> u64 {
        self.marks.count_in(range)
    }

    /// The marked objects.
    pub fn objects(&self) -> &BitSet {
        &self.marks
    }

    /// How much of a range of a space is marked; of a filtered one, how much of what the filter let through.
    pub fn extent_in(&self, space: &(impl KeySpace + ?Sized), range: Range<Position>) -> Extent {
        self.extent_of(masked(space.span(range), |at| space.objects_of_word(at)))
    }

    /// How much of a set is marked, which is given by its words with their numbers; a word may come in several parts.
    pub fn extent_of(&self, words: impl Iterator<Item = (u32, u64)>) -> Extent {
        let (mut marked, mut unmarked) = (false, false);
        if self.is_empty() {
            return Extent::None;
        }
        for (at, word) in words {
            marked |= word & self.marks.word(at) != 0;
            unmarked |= word & !self.marks.word(at) != 0;
            if marked && unmarked {
                return Extent::Some;
            }
        }
        if marked { Extent::All } else { Extent::None }
    }

    /// The marked objects, in key order.
    pub fn iter(&self) -> impl Iterator<Item = ObjectIndex> + '_ {
        self.marks.iter()
    }

    /// The marked objects as they are now, in key order.
    pub fn freeze(&self, inventory: &Inventory) -> Vec<MarkedObject> {
        self.iter().map(|index| MarkedObject { object: inventory.object(index) }).collect()
    }

    /// Marks the same objects in a new and complete listing. A mark is restored only if its key is there and the object is
    /// unchanged ([`Object::is_unchanged`]); all others are reported.
    pub fn restore(frozen: &[MarkedObject], inventory: &Inventory) -> (Selection, StaleMarks) {
        let mut selection = Selection::default();
        let mut stale = StaleMarks::default();
        for MarkedObject { object } in frozen {
            match inventory.find(object.key.as_bytes()) {
                None => stale.vanished.push(object.key.clone()),
                Some(index) if object.is_unchanged(&inventory.object(index)) => {
                    selection.set(inventory, [index], true, |_| true);
                }
                Some(_) => stale.changed.push(object.key.clone()),
            }
        }
        (selection, stale)
    }
}

/// Words in a block.
const WORDS: u32 = BLOCK / 64;

/// Bytes of those objects of a block that are in a set.
fn bytes_in(inventory: &Inventory, objects: &BitSet, block: u32, weighed: Option<&Weighed>) -> u128 {
    let words = block * WORDS..(block + 1) * WORDS;
    let same = |other: &dyn Fn(u32) -> u64| words.clone().all(|at| objects.word(at) == other(at));
    if same(&|_| 0) {
        return 0;
    }
    if let Some(bytes) = inventory.whole_block(block).filter(|_| same(&|_| u64::MAX)) {
        return u128::from(bytes);
    }
    let known = weighed.and_then(|weighed| Some((weighed.objects(), weighed.bytes_in(block)?)));
    if let Some((_, bytes)) = known.filter(|(known, _)| same(&|at| known.word(at))) {
        return u128::from(bytes);
    }
    let sizes = inventory.sizes_of_block(block);
    let places = words.flat_map(|at| bits_of(objects.word(at)).map(move |bit| (at % WORDS * 64 + bit) as usize));
    places.map(|place| u128::from(sizes[place])).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::ETag;
    use crate::domain::folders::{Subset, first_child};
    use crate::domain::samples::{hostile_keys, inventory_of, object};

    fn sized(objects: &[(&str, u64)]) -> Inventory {
        inventory_of(objects.iter().map(|(key, size)| object(key.as_bytes(), *size)))
    }

    #[test]
    fn a_folder_shows_how_much_of_it_is_marked() {
        let mut inventory = sized(&[("a/1", 1), ("a/2", 2), ("a/3", 4), ("b", 8)]);
        let mut selection = Selection::default();
        let folder = first_child(&inventory, b"").expect("a row").range();
        assert_eq!(selection.extent_in(&inventory, folder.clone()), Extent::None);
        assert!(selection.toggle(&inventory, 1));
        assert_eq!(selection.extent_in(&inventory, folder.clone()), Extent::Some);
        assert_eq!(selection.set(&inventory, folder.clone(), true, |_| true), 2, "one was marked before");
        assert_eq!(selection.extent_in(&inventory, folder.clone()), Extent::All);
        assert_eq!(selection.totals(), Tally { objects: 3, bytes: 7 });
        assert!(!selection.toggle(&inventory, 1));
        inventory.forget(&[1]);
        assert_eq!(selection.extent_in(&inventory, folder.clone()), Extent::All, "what is gone is not missing");
        assert!(!selection.toggle(&inventory, 1), "what is gone cannot be marked");
        let odd = Subset::new(&inventory, [0, 3]);
        selection.toggle(&inventory, 2);
        assert_eq!(selection.extent_in(&inventory, folder), Extent::Some);
        assert_eq!(selection.extent_in(&odd, 0..1), Extent::All);
        assert_eq!(selection.extent_in(&odd, 0..2), Extent::Some);
        assert_eq!(selection.extent_in(&odd, 1..2), Extent::None);
    }

    #[test]
    fn marks_that_a_new_listing_does_not_bear_out_are_told() {
        let before = sized(&[("changed", 1), ("kept", 2), ("vanished", 3), ("without tag", 4)]);
        let untagged = |n| {
            let mut object = object(b"without tag", n);
            object.etag = ETag::new("");
            object
        };
        let mut selection = Selection::default();
        selection.set(&before, 0..4, true, |_| true);
        let mut frozen = selection.freeze(&before);
        frozen[3].object = untagged(4);
        let after = inventory_of([
            object(b"a new one", 9),
            object(b"changed", 5),
            object(b"kept", 2),
            object(b"kept/too", 2),
            untagged(4),
        ]);
        let (restored, stale) = Selection::restore(&frozen, &after);
        assert_eq!(restored.iter().map(|index| after.key(index)).collect::<Vec<_>>(), [Key::from("kept")]);
        assert_eq!(restored.totals(), Tally { objects: 1, bytes: 2 });
        assert_eq!(stale.vanished, [Key::from("vanished")]);
        assert_eq!(stale.changed, [Key::from("changed"), Key::from("without tag")]);
    }

    #[test]
    fn sizes_that_do_not_fit_together_are_still_taken_away_exactly() {
        let inventory = sized(&[("a", u64::MAX), ("b", u64::MAX), ("c", 5)]);
        let mut selection = Selection::default();
        selection.set(&inventory, 0..3, true, |_| true);
        assert_eq!(selection.totals(), Tally { objects: 3, bytes: u64::MAX });
        selection.set(&inventory, 0..2, false, |_| true);
        assert_eq!(selection.totals(), Tally { objects: 1, bytes: 5 });
    }

    proptest! {
        #[test]
        fn it_counts_as_a_set_of_objects_does(
            sizes in prop::collection::vec(0u64..1000, 1..200),
            steps in prop::collection::vec((0u32..220, 0u32..220, any::<bool>(), 1u32..4), 0..20),
            gone in prop::collection::vec(0u32..220, 0..20),
            (start, end) in (0u32..220, 0u32..220),
        ) {
            let mut inventory = inventory_of((0u32..).zip(&sizes).map(|(n, size)| object(format!("{n:04}").as_bytes(), *size)));
            let len = inventory.len();
            let mut selection = Selection::default();
            let mut oracle: BTreeSet<u32> = BTreeSet::new();
            for (half, steps) in [&steps[..steps.len() / 2], &steps[steps.len() / 2..]].into_iter().enumerate() {
                if half == 1 {
                    inventory.forget(&gone);
                    selection.forget(&gone, &inventory);
                    gone.iter().for_each(|index| { oracle.remove(index); });
                }
                for &(one, other, on, every) in steps {
                    let range = one.min(other)..one.max(other);
                    selection.set(&inventory, range.clone(), on, |index| index % every == 0);
                    for index in range.filter(|index| *index < len && index % every == 0) {
                        if on && !(half == 1 && gone.contains(&index)) { oracle.insert(index); }
                        if !on { oracle.remove(&index); }
                    }
                }
            }
            prop_assert_eq!(selection.iter().collect::<BTreeSet<_>>(), oracle.clone());
            let bytes = oracle.iter().map(|index| sizes[*index as usize]).sum();
            prop_assert_eq!(selection.totals(), Tally { objects: oracle.len() as u64, bytes });
            let range = start.min(end)..start.max(end);
            prop_assert_eq!(selection.count_in(range.clone()), oracle.range(range.clone()).count() as u64);
            let thirds = Subset::new(&inventory, (0..len).filter(|index| index % 3 == 0));
            let third: Vec<u32> = (0..len).filter(|index| index % 3 == 0 && !gone.contains(index)).collect();
            let extent = match third.iter().filter(|index| oracle.contains(index)).count() {
                0 => Extent::None,
                marked if marked < third.len() => Extent::Some,
                _ => Extent::All,
            };
            prop_assert_eq!(selection.extent_in(&thirds, 0..KeySpace::len(&thirds)), extent);
        }

        #[test]
        fn marking_a_set_is_marking_each_of_its_objects(
            sizes in prop::collection::vec(prop_oneof![8 => 0u64..1000, 1 => Just(u64::MAX)], 1..3000),
            steps in prop::collection::vec((0u32..3200, 0u32..3200, any::<bool>(), 1u32..4), 1..8),
            gone in prop::collection::vec(0u32..3200, 0..4),
            every in 1u32..4,
        ) {
            let mut inventory = inventory_of((0u32..).zip(&sizes).map(|(n, size)| object(format!("{n:04}").as_bytes(), *size)));
            let mut weighed = Weighed::default();
            (0u32..).zip(&sizes).filter(|(n, _)| n % every == 0).for_each(|(n, size)| weighed.insert(n, *size));
            let (mut at_once, mut one_by_one) = (Selection::default(), Selection::default());
            for (number, (one, other, on, every)) in (0..).zip(steps) {
                if number == 2 {
                    at_once.forget(&gone, &inventory);
                    one_by_one.forget(&gone, &inventory);
                    inventory.forget(&gone);
                }
                let range = one.min(other)..one.max(other);
                let set: BitSet = range.clone().filter(|index| index % every == 0).collect();
                let changed = at_once.set_all(&inventory, &set, on, Some(&weighed));
                prop_assert_eq!(changed, one_by_one.set(&inventory, range, on, |index| index % every == 0));
                prop_assert_eq!(at_once.bytes, one_by_one.bytes);
                prop_assert_eq!(at_once.iter().collect::<Vec<_>>(), one_by_one.iter().collect::<Vec<_>>());
            }
        }

        #[test]
        fn marks_belong_to_keys(
            before in hostile_keys(0..60),
            after in hostile_keys(0..60),
            kept in any::<u64>(),
            touched in any::<u64>(),
        ) {
            let listed: BTreeMap<Vec<u8>, u64> = before.iter().cloned().zip(1..).collect();
            let old = inventory_of(listed.iter().map(|(key, size)| object(key, *size)));
            let mut selection = Selection::default();
            selection.set(&old, 0..old.len(), true, |index| index % 2 == 0);
            let frozen = selection.freeze(&old);

            let bit = |word: u64, size: &u64| word >> (size % 64) & 1 == 1;
            let mut relisted: BTreeMap<Vec<u8>, u64> = after.into_iter().map(|key| (key, 5000)).collect();
            for (key, size) in listed.iter().filter(|(_, size)| bit(kept, size)) {
                relisted.insert(key.clone(), if bit(touched, size) { size + 1000 } else { *size });
            }
            let new = inventory_of(relisted.iter().map(|(key, size)| object(key, *size)));
            let (restored, stale) = Selection::restore(&frozen, &new);

            let marked: Vec<_> = listed.iter().step_by(2).collect();
            let of = |wanted: &dyn Fn(Option<&u64>, &u64) -> bool| -> Vec<Key> {
                let keys = marked.iter().filter(|(key, size)| wanted(relisted.get(*key), size));
                keys.map(|(key, _)| Key::new(key)).collect()
            };
            let timeless = |size: &u64| object(b"", *size).last_modified.is_none();
            prop_assert_eq!(stale.vanished, of(&|now, _| now.is_none()));
            prop_assert_eq!(stale.changed, of(&|now, then| now.is_some_and(|now| now != then || timeless(now))));
            let same = of(&|now, then| now == Some(then) && !timeless(then));
            prop_assert_eq!(restored.iter().map(|index| new.key(index)).collect::<Vec<_>>(), same);
        }
    }
}
