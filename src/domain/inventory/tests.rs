use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::domain::samples::{hostile_keys, inventory_of, object};

fn keys(texts: &[&str]) -> Inventory {
    inventory_of(texts.iter().map(|text| object(text.as_bytes(), 10)))
}

#[test]
fn nasty_keys_come_back_byte_for_byte() {
    let long = vec![b'x'; 1024];
    let mut nasty: Vec<&[u8]> = vec![
        b"",
        b"\n",
        b" ",
        b"/",
        b"//",
        b"/a",
        b"a",
        b"a ",
        b"a%2Fb",
        b"a+b",
        b"a/",
        b"a//b",
        b"a/b",
        b"\x1b[31m",
        b"\xff",
        b"\xff\xff",
        b"\xff\xffa",
        "\u{202e}txt".as_bytes(),
        "caf\u{e9}".as_bytes(),
        "cafe\u{301}".as_bytes(),
        &long,
    ];
    nasty.sort_unstable();
    let inventory = inventory_of(nasty.iter().map(|key| object(key, 1)));
    for (index, key) in (0..).zip(&nasty) {
        assert_eq!(inventory.key(index).as_bytes(), *key);
        assert_eq!(inventory.find(key), Some(index));
    }
    assert_eq!(inventory.find(b"a/c"), None);
}

#[test]
fn a_key_that_does_not_come_after_the_last_is_refused() {
    let mut inventory = keys(&["a", "b"]);
    for late in ["a", "b", "aa"] {
        let refused = inventory.push(object(late.as_bytes(), 1)).expect_err("out of order");
        assert_eq!((refused.previous, refused.key), (Key::from("b"), Key::from(late)));
    }
    assert_eq!(inventory.len(), 2);
    inventory.push(object(b"c", 1)).expect("in order");
    assert_eq!(inventory.find(b"c"), Some(2));
}

#[test]
fn the_newest_change_goes_with_its_object() {
    let changed = |at: u32| Some(Timestamp(i64::from(at) + 1));
    let objects = (0..3000).map(|at| Object { last_modified: changed(at), ..object(format!("{at:04}").as_bytes(), 1) });
    let mut inventory = inventory_of(objects);
    let mut check = |gone: &[ObjectIndex], range: Range<ObjectIndex>, newest: ObjectIndex| {
        inventory.forget(gone);
        assert_eq!(inventory.totals(range.clone()).newest, changed(newest), "{range:?} without {gone:?}");
    };
    check(&[5], 0..1024, 1023);
    check(&[1023], 0..1024, 1022);
    check(&[7, 1021, 1022], 0..1024, 1020);
    check(&[2047], 0..2048, 2046);
    check(&[2999], 0..3000, 2998);
}

#[test]
fn an_object_is_kept_whole() {
    let whole = |key: &str, time: Option<i64>, etag: &str, class: &str| Object {
        key: Key::from(key),
        size: u64::MAX / 4,
        etag: ETag::new(etag),
        last_modified: time.map(Timestamp),
        storage_class: StorageClass::new(class),
    };
    let objects = [
        whole("a", Some(1_700_000_000_123), "d41d8cd98f00b204e9800998ecf8427e-12", "STANDARD"),
        whole("b", None, "", "GLACIER"),
        whole("c", Some(-1), "odd", "GLACIER"),
        whole("d", Some(0), "D41D8CD98F00B204E9800998ECF8427E", "STANDARD"),
    ];
    let inventory = inventory_of(objects.clone());
    for (index, object) in (0..).zip(objects) {
        assert_eq!(inventory.object(index), object);
    }
}

#[test]
fn sums_that_do_not_fit_stay_at_the_largest_number() {
    let inventory = inventory_of((0..5000u32).map(|n| object(format!("{n:05}").as_bytes(), u64::MAX / 2)));
    assert_eq!(inventory.totals(0..5000).bytes, u64::MAX);
    assert_eq!(inventory.totals(0..1).bytes, u64::MAX / 2);
    let mut inventory = inventory;
    inventory.forget(&(1..4998).collect::<Vec<_>>());
    assert_eq!(inventory.totals(0..5000).bytes, u64::MAX, "three are left");
    inventory.forget(&[0, 4998]);
    assert_eq!(inventory.totals(0..5000).bytes, u64::MAX / 2, "what fits again is exact again");
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut inventory = inventory_of((0..3000u32).map(|n| object(format!("{n:05}").as_bytes(), 1)));
    let snapshot = inventory.clone();
    inventory.forget(&[0, 1500, 2999]);
    for n in 3000..6000u32 {
        inventory.push(object(format!("{n:05}").as_bytes(), 1)).expect("in order");
    }
    assert_eq!((snapshot.len(), snapshot.alive(), snapshot.totals(0..3000).objects), (3000, 3000, 3000));
    assert_eq!((inventory.len(), inventory.alive(), inventory.totals(0..6000).objects), (6000, 5997, 5997));
    assert_eq!(snapshot.find(b"01500"), Some(1500));
    assert_eq!(inventory.find(b"01500"), None);
    assert_eq!(inventory.key(5999), Key::from("05999"));
}

#[test]
fn an_object_takes_at_most_a_hundred_bytes() {
    let count = 200_000u32;
    let hash = |n: u32| u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let objects = (0..count).map(|n| {
        let (user, project, scene) = (n / 2000, n / 100, n / 4);
        let digest = format!("{:016x}{:016x}", hash(n), hash(!n));
        let key =
            format!("users/user{user:05}/projects/proj_{project:08}/scenes/scene_{scene:09}/audio/take{n:09}.mp3");
        let mut object = object(key.as_bytes(), hash(n) >> 30);
        object.etag = ETag::new(&digest);
        object
    });
    let mean = objects.clone().map(|object| object.key.as_bytes().len()).sum::<usize>() / count as usize;
    let inventory = inventory_of(objects);
    let per_object = inventory.memory_bytes() / count as usize;
    assert!(mean >= 70, "the keys are too short to prove anything: {mean}");
    assert!((34..=100).contains(&per_object), "{per_object} bytes an object");
}

proptest! {
    #[test]
    fn it_answers_as_a_plain_list_does(
        keys in hostile_keys(0..400),
        probes in hostile_keys(1..20),
        gone in prop::collection::vec(0u32..400, 0..40),
        start in 0u32..400,
        length in 0u32..400,
    ) {
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        let objects: Vec<Object> = (0u64..).zip(&keys).map(|(n, key)| object(key, n * 7)).collect();
        let mut inventory = inventory_of(objects.clone());
        inventory.forget(&gone);
        let alive = |index: &u32| !gone.contains(index);
        let len = keys.len() as u32;

        for key in keys.iter().chain(&probes) {
            let place = keys.partition_point(|other| other < key) as u32;
            prop_assert_eq!(inventory.lower_bound(key), place);
            prop_assert_eq!(inventory.find(key), keys.binary_search(key).ok().map(|at| at as u32).filter(alive));
            let inside: Vec<u32> = (0..).zip(&keys).filter(|(_, other)| other.starts_with(key)).map(|(at, _)| at).collect();
            prop_assert_eq!(inventory.range(key).collect::<Vec<_>>(), inside);
        }

        let range = start..(start + length).min(len);
        let expected: Vec<u32> = range.clone().filter(alive).collect();
        let mut visited = Vec::new();
        inventory.scan(range.clone(), |index, key, fields| visited.push((index, key.to_vec(), fields.size)));
        let scanned: Vec<_> = expected.iter().map(|&at| (at, keys[at as usize].clone(), u64::from(at) * 7)).collect();
        prop_assert_eq!(visited, scanned);
        prop_assert_eq!(inventory.totals(range), Totals {
            objects: expected.len() as u64,
            bytes: expected.iter().map(|at| u64::from(*at) * 7).sum(),
            newest: expected.iter().filter_map(|at| objects[*at as usize].last_modified).max(),
        });
        prop_assert_eq!(inventory.next_alive(start), (start..len).find(alive));
        prop_assert_eq!(inventory.previous_alive(start), (0..start.min(len)).rev().find(alive));
        prop_assert_eq!(inventory.alive(), (0..len).filter(alive).count() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn totals_over_many_chunks_are_those_of_their_objects(
        gone in prop::collection::btree_set(0u32..20_000, 0..200),
        ranges in prop::collection::vec((0u32..20_000, 0u32..20_000), 1..8),
        late in prop::collection::btree_set(0u32..21_000, 0..200),
    ) {
        let (start, objects) = &*LONG_LIST;
        let mut inventory = start.clone();
        inventory.forget(&gone.iter().copied().collect::<Vec<_>>());
        objects[inventory.len() as usize..].iter().for_each(|object| inventory.push(object.clone()).expect("in order"));
        inventory.forget(&late.iter().copied().collect::<Vec<_>>());
        let alive = |n: &u32| !(late.contains(n) || *n < 19_500 && gone.contains(n));
        for (one, other) in ranges {
            let range = one.min(other)..one.max(other);
            let mut expected = Totals::default();
            for n in range.clone().filter(alive) {
                let object = &objects[n as usize];
                expected.add(&Totals::of(object.size, object.last_modified));
            }
            prop_assert_eq!(inventory.totals(range), expected);
        }
    }
}

/// 20,000 objects, and a list of all but the last 500.
static LONG_LIST: LazyLock<(Inventory, Vec<Object>)> = LazyLock::new(|| {
    let sample = |n: u32| object(format!("k{n:06}").as_bytes(), u64::from(n) * 31 % 1000);
    let objects: Vec<Object> = (0..20_000).map(sample).collect();
    (inventory_of(objects[..19_500].iter().cloned()), objects)
});
