use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::block_sums::Sum;
use crate::domain::samples::{hostile_keys, inventory_of, object};

/// Rows of a folder by the definition: each name with the keys that it stands for; a folder's name ends in its `/`.
fn rows_by_definition(keys: &[Vec<u8>], prefix: &[u8]) -> BTreeMap<(Vec<u8>, bool), Vec<Vec<u8>>> {
    let mut rows: BTreeMap<(Vec<u8>, bool), Vec<Vec<u8>>> = BTreeMap::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        let name = match key.iter().skip(prefix.len()).position(|byte| *byte == b'/') {
            Some(slash) => (key[..prefix.len() + slash + 1].to_vec(), true),
            None => (key.clone(), false),
        };
        rows.entry(name).or_default().push(key.clone());
    }
    rows
}

fn key_at(space: &dyn KeySpace, at: Position) -> Vec<u8> {
    let mut key = Vec::new();
    space.key_into(at, &mut key);
    key
}

fn name(space: &dyn KeySpace, child: &Child) -> (Vec<u8>, bool) {
    match child {
        Child::Folder { prefix, .. } => (prefix.clone(), true),
        Child::Object { at } => (key_at(space, *at), false),
    }
}

fn forwards(space: &dyn KeySpace, prefix: &[u8]) -> Vec<Child> {
    std::iter::successors(first_child(space, prefix), |child| next_child(space, prefix, child)).collect()
}

fn backwards(space: &dyn KeySpace, prefix: &[u8]) -> Vec<Child> {
    std::iter::successors(last_child(space, prefix), |child| previous_child(space, prefix, child)).collect()
}

fn check(keys: &[&str], prefix: &str, rows: &[&str]) {
    let inventory = inventory_of(keys.iter().map(|key| object(key.as_bytes(), 1)));
    let shown: Vec<String> = forwards(&inventory, prefix.as_bytes())
        .iter()
        .map(|child| match name(&inventory, child) {
            (name, true) => format!("folder {} of {}", name.escape_ascii(), child.range().len()),
            (name, false) => format!("object {}", name.escape_ascii()),
        })
        .collect();
    assert_eq!(shown, rows, "{keys:?} in {prefix:?}");
}

#[test]
fn nothing_is_hidden_merged_or_renamed() {
    check(&["a", "a/", "a/b"], "", &["object a", "folder a/ of 2"]);
    check(&["a", "a/", "a/b"], "a/", &["object a/", "object a/b"]);
    check(&["a//b"], "", &["folder a/ of 1"]);
    check(&["a//b"], "a/", &["folder a// of 1"]);
    check(&["a//b"], "a//", &["object a//b"]);
    check(&["/a"], "", &["folder / of 1"]);
    check(&["/a"], "/", &["object /a"]);
    check(&["/", "//", "///"], "", &["folder / of 3"]);
    check(&["/", "//", "///"], "/", &["object /", "folder // of 2"]);
    check(&["", "a"], "", &["object ", "object a"]);
    check(
        &["a", "a b/c", "a-b", "a/x", "a0"],
        "",
        &["object a", "folder a b/ of 1", "object a-b", "folder a/ of 1", "object a0"],
    );
    check(&["a\nb/c", "a\nb/d"], "", &["folder a\\nb/ of 2"]);
    check(&["x/y"], "y/", &[]);
    check(&["x/y"], "x/y/", &[]);
    check(&[], "", &[]);
}

#[test]
fn a_place_outside_of_the_folder_has_no_row_in_it() {
    let mut inventory = inventory_of(["a/1", "a/2", "b"].map(|key| object(key.as_bytes(), 1)));
    assert_eq!(child_at(&inventory, b"a/", 2), None);
    assert_eq!(child_at(&inventory, b"", 3), None);
    inventory.forget(&[0, 2]);
    let folder = Child::Folder { prefix: b"a/".to_vec(), range: 0..2 };
    assert_eq!(child_at(&inventory, b"", 0), Some(folder.clone()), "it lies in a folder that still has an object");
    assert_eq!(child_at(&inventory, b"a/", 0), None);
    assert_eq!(child_at(&inventory, b"", 2), None);
    assert_eq!(next_child(&inventory, b"", &folder), None);
}

#[test]
fn sorting_stops_when_it_is_told_to() {
    let inventory = inventory_of((0..10_000).map(|n| object(format!("{n:06}").as_bytes(), n)));
    assert_eq!(sorted_children(&inventory, b"", SortKey::Size, true, &|| true), None);
    assert!(sorted_children(&inventory, b"", SortKey::Size, true, &|| false).is_some());
}

#[test]
fn a_sorted_folder_finds_its_rows_after_some_went() {
    let mut inventory = inventory_of(
        [("a/1", 5), ("a/2", 1), ("b", 9), ("c/1", 7), ("d", 6)].map(|(key, size)| object(key.as_bytes(), size)),
    );
    let sorted = sorted_children(&inventory, b"", SortKey::Size, true, &|| false).expect("not cancelled");
    inventory.forget(&[0, 3]);
    let rows: Vec<_> =
        (0..sorted.len()).map(|rank| sorted.get(&inventory, rank).map(|row| name(&inventory, &row).0)).collect();
    assert_eq!(rows, [Some(b"b".to_vec()), None, Some(b"a/".to_vec()), Some(b"d".to_vec())]);
    let folder = first_child(&inventory, b"").expect("a row");
    assert_eq!(sorted.rank_of(&folder), Some(2));
}

/// Compares every folder of a space with the definition. `sizes` are those of `keys`, which are what is not gone.
fn check_space(space: &dyn KeySpace, keys: &[Vec<u8>], sizes: &BTreeMap<Vec<u8>, u64>) {
    let slashes = |key: &Vec<u8>| {
        let key = key.clone();
        (0..key.len()).filter(|at| key[*at] == b'/').map(|at| key[..=at].to_vec()).collect::<Vec<_>>()
    };
    let mut folders: BTreeSet<Vec<u8>> = keys.iter().flat_map(slashes).collect();
    folders.insert(Vec::new());
    folders.insert(b"a/b/".to_vec());
    for prefix in folders {
        let expected = rows_by_definition(keys, &prefix);
        let rows = forwards(space, &prefix);
        let names: BTreeSet<_> = rows.iter().map(|row| name(space, row)).collect();
        assert_eq!(names, expected.keys().cloned().collect());
        assert_eq!(rows.len(), expected.len());
        let mut reversed = backwards(space, &prefix);
        reversed.reverse();
        assert_eq!(reversed, rows);
        for row in &rows {
            let held = &expected[&name(space, row)];
            let totals = space.totals(row.range());
            assert_eq!(totals.objects, held.len() as u64);
            assert_eq!(totals.bytes, held.iter().map(|key| sizes[key]).sum::<u64>());
            for at in row.range() {
                assert_eq!(child_at(space, &prefix, at).as_ref(), Some(row));
            }
            if let Child::Folder { prefix, range } = row {
                assert_eq!(space.range(prefix), *range);
            }
        }
        check_sorted(space, &prefix, &rows);
    }
}

fn check_sorted(space: &dyn KeySpace, prefix: &[u8], rows: &[Child]) {
    for key in [SortKey::Size, SortKey::Modified, SortKey::Count] {
        let weight = |row: &Child| {
            let totals = space.totals(row.range());
            match key {
                SortKey::Size => (true, totals.bytes as i64),
                SortKey::Modified => (totals.newest.is_some(), totals.newest.map_or(0, |at| at.0)),
                SortKey::Count => (true, totals.objects as i64),
            }
        };
        for descending in [false, true] {
            let mut expected = rows.to_vec();
            expected.sort_by_key(&weight);
            if descending {
                expected.sort_by_key(|row| std::cmp::Reverse(weight(row)));
                expected.sort_by(|a, b| weight(b).cmp(&weight(a)).then(a.range().start.cmp(&b.range().start)));
            }
            let sorted = sorted_children(space, prefix, key, descending, &|| false).expect("not cancelled");
            let found: Vec<Child> = (0..sorted.len()).filter_map(|rank| sorted.get(space, rank)).collect();
            assert_eq!(found, expected);
            for (rank, row) in (0..).zip(&expected) {
                assert_eq!(sorted.rank_of(row), Some(rank));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn folders_of_any_space_are_those_of_the_definition(
        keys in hostile_keys(0..150),
        gone in prop::collection::vec(0u32..150, 0..60),
        later in prop::collection::vec(0u32..150, 0..20),
        chosen in prop::collection::vec(0u32..200, 0..150),
    ) {
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        let sizes: BTreeMap<Vec<u8>, u64> = keys.iter().cloned().zip(1..).collect();
        let mut inventory = inventory_of(keys.iter().map(|key| object(key, sizes[key])));
        inventory.forget(&gone);
        let mut subset = Subset::new(&inventory, chosen.iter().copied());
        inventory.forget(&later);
        subset.forget(&later);

        let kept: Vec<Vec<u8>> =
            (0..).zip(&keys).filter(|(at, _)| !gone.contains(at) && !later.contains(at)).map(|(_, key)| key.clone()).collect();
        check_space(&inventory, &kept, &sizes);

        let index = |key: &Vec<u8>| keys.binary_search(key).map(|at| at as u32).unwrap_or(u32::MAX);
        let shown: Vec<Vec<u8>> = kept.iter().filter(|key| chosen.contains(&index(key))).cloned().collect();
        check_space(&subset, &shown, &sizes);
        for at in 0..KeySpace::len(&subset) {
            prop_assert_eq!(subset.position_of(subset.object_at(at)), Some(at));
            prop_assert_eq!(subset.contains(subset.object_at(at)), subset.next_alive(at) == Some(at));
        }
        prop_assert_eq!(subset.as_set().count(), shown.len() as u64);
    }
}

#[test]
fn folders_larger_than_a_chunk_are_walked_and_summed() {
    let keys: Vec<String> = (0..30_000u32).map(|n| format!("{}/{:03}/{n:06}", n / 9000, n / 90)).collect();
    let mut inventory = inventory_of((0..).zip(&keys).map(|(n, key)| object(key.as_bytes(), n % 97)));
    let gone: Vec<u32> = (8000..12_000).chain([0, 29_999]).collect();
    let mut subset = Subset::new(&inventory, 0..20_000);
    subset.extend(&inventory, (20_000..30_000).filter(|n| n % 3 != 0));
    inventory.forget(&gone);
    subset.forget(&gone);

    let rows: Vec<_> = forwards(&inventory, b"").iter().map(Child::range).collect();
    assert_eq!(rows, [0..9000, 9000..18_000, 18_000..27_000, 27_000..30_000]);
    let sum = |range: Range<u32>, member: &dyn Fn(u32) -> bool| {
        let mut sum = Totals::default();
        for n in range.filter(|n| member(*n) && !gone.contains(n)) {
            sum.add(&Totals::of(inventory.size(n), inventory.last_modified(n)));
        }
        sum
    };
    for row in forwards(&subset, b"") {
        let Child::Folder { prefix, range } = &row else { panic!("an object at the top") };
        assert_eq!(subset.totals(range.clone()), sum(inventory.range(prefix), &|n| n < 20_000 || n % 3 != 0));
        check_sorted(&subset, prefix, &forwards(&subset, prefix));
        check_sorted(&inventory, prefix, &forwards(&inventory, prefix));
    }
    check_sorted(&inventory, b"", &forwards(&inventory, b""));
    assert_eq!(subset.span(0..3), 0..3);
    assert_eq!(subset.span(0..0), 0..0);
}
