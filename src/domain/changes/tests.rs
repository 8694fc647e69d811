use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::samples::{hostile_keys, inventory_of, object};
use crate::domain::{Object, Timestamp};

/// What the two listings differ in, by a look at each key of both.
fn by_hand(before: &[Object], after: &[Object]) -> Vec<(Vec<u8>, Change)> {
    let map = |objects: &[Object]| -> BTreeMap<Vec<u8>, Object> {
        objects.iter().map(|object| (object.key.as_bytes().to_vec(), object.clone())).collect()
    };
    let (before, after) = (map(before), map(after));
    let keys: std::collections::BTreeSet<&Vec<u8>> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let change = match (before.get(key), after.get(key)) {
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(one), Some(other)) if one == other => continue,
            (Some(one), Some(other)) if other.size > one.size => Change::Grown,
            _ => Change::Changed,
        };
        found.push((key.clone(), change));
    }
    found
}

fn differences(before: &Inventory, after: &Inventory) -> Vec<(Vec<u8>, Change)> {
    let mut found = Vec::new();
    compare(before, after, |difference| found.push((difference.key.to_vec(), difference.change)));
    found
}

fn some_objects() -> impl Strategy<Value = Vec<Object>> {
    let keys = hostile_keys(0..80).prop_map(|keys| keys.into_iter().collect::<Vec<_>>());
    (keys, any::<u64>()).prop_map(|(keys, seed)| {
        let size = |at: usize| seed.rotate_left(at as u32) % 3;
        keys.iter().enumerate().map(|(at, key)| object(key, size(at))).collect()
    })
}

proptest! {
    #[test]
    fn the_differences_are_those_of_a_look_at_each_key(before in some_objects(), after in some_objects()) {
        let found = differences(&inventory_of(before.clone()), &inventory_of(after.clone()));
        prop_assert_eq!(found, by_hand(&before, &after));
    }

    #[test]
    fn totals_add_up(before in some_objects(), after in some_objects(), levels in 0..4_usize) {
        let ids = IdRules::default();
        let (earlier, later) = (inventory_of(before.clone()), inventory_of(after.clone()));
        let summary = Summary::of(&earlier, &later, levels, &Layouts::autoshorts(), &ids);
        let sum = |objects: &[Object]| objects.iter().map(|object| i128::from(object.size)).sum::<i128>();
        prop_assert_eq!(summary.all.net_bytes(), sum(&after) - sum(&before));
        prop_assert_eq!(summary.all.objects() as usize, by_hand(&before, &after).len());
        for groups in [summary.folders.values().collect::<Vec<_>>(), summary.projects.values().collect()] {
            for change in Change::ALL {
                let objects: u64 = groups.iter().map(|totals| totals.of(change).objects).sum();
                prop_assert_eq!(objects, summary.all.of(change).objects);
            }
        }
        for prefix in summary.folders.keys() {
            prop_assert!(prefix.is_empty() || prefix.ends_with(b"/"));
            prop_assert!(prefix.iter().filter(|byte| **byte == b'/').count() <= levels);
        }
    }
}

#[test]
fn what_is_gone_from_a_listing_is_removed() {
    let before = inventory_of([object(b"a", 1), object(b"b", 1)]);
    let mut after = before.clone();
    after.forget(&[0]);
    assert_eq!(differences(&before, &after), [(b"a".to_vec(), Change::Removed)]);
}

#[test]
fn an_object_that_was_written_anew_has_changed() {
    let before = object(b"a", 7);
    let check = |after: Object, expected: Option<Change>| {
        let found = differences(&inventory_of([before.clone()]), &inventory_of([after]));
        assert_eq!(found.first().map(|(_, change)| *change), expected);
    };
    check(before.clone(), None);
    check(Object { size: 8, ..before.clone() }, Some(Change::Grown));
    check(Object { size: 6, ..before.clone() }, Some(Change::Changed));
    check(Object { etag: crate::domain::ETag::new("x"), ..before.clone() }, Some(Change::Changed));
    check(Object { last_modified: Some(Timestamp(1)), ..before.clone() }, Some(Change::Changed));
    check(Object { storage_class: crate::domain::StorageClass::new("IA"), ..before.clone() }, Some(Change::Changed));
}

#[test]
fn long_listings_are_compared_to_their_ends() {
    let listing = |skip: u64| {
        inventory_of((0..5000_u64).filter(|n| n % 1000 != skip).map(|n| object(format!("k{n:05}").as_bytes(), n)))
    };
    let found = differences(&listing(999), &listing(0));
    assert_eq!(found.len(), 10);
    assert_eq!(found[0], (b"k00000".to_vec(), Change::Removed));
    assert_eq!(found[9], (b"k04999".to_vec(), Change::Added));
}
