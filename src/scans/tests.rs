use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::samples::{hostile_keys, inventory_of, object};
use crate::domain::{ETag, Key, Object, StorageClass, Timestamp};
use crate::store::StoreIdentity;

fn identity() -> StoreIdentity {
    StoreIdentity {
        endpoint: "http://127.0.0.1:9000".into(),
        account: Some("0123".into()),
        bucket: "media".into(),
        region: "auto".into(),
        folds_nfc: true,
    }
}

fn header(prefix: &[u8], inventory: &Inventory) -> ScanHeader {
    let report = ScanReport {
        completeness: Completeness::Complete,
        server_time: Some(Timestamp(1_795_255_200_123)),
        local_time: Timestamp(1_795_255_200_000),
        requests: 3,
        elapsed: Duration::from_millis(1500),
    };
    ScanHeader::new(&identity(), prefix, &report, inventory)
}

fn all(inventory: &Inventory) -> Vec<Object> {
    let mut objects = Vec::new();
    inventory.scan(0..inventory.len(), |index, _, _| objects.push(inventory.object(index)));
    objects
}

/// Writes and reads: what comes back is what was there, and where it came from.
fn round_trip(inventory: &Inventory, prefix: &[u8]) -> ScanHeader {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.parquet");
    let written = header(prefix, inventory);
    write_new(&path, inventory, &written).expect("written");
    let (found, objects) = read(&path).expect("read back");
    assert_eq!(found, written);
    assert_eq!(all(&objects), all(inventory));
    assert_eq!(read_header(&path).expect("a header"), written);
    found
}

fn any_object(key: Vec<u8>) -> impl Strategy<Value = Object> {
    let sizes = prop_oneof![0..=u64::MAX, Just(0), Just(u64::MAX), 0..5000_u64];
    let tags = prop_oneof!["[0-9a-f]{32}", "[0-9a-f]{32}-[1-9][0-9]{0,4}", "", "[a-zA-Z0-9+/=é]{0,40}"];
    let times = prop_oneof![Just(None), any::<i64>().prop_map(Some), (0..2_000_000_000_000_i64).prop_map(Some)];
    let classes = prop_oneof![Just("STANDARD"), Just("STANDARD_IA"), Just("GLACIER")];
    (sizes, tags, times, classes).prop_map(move |(size, etag, time, class)| Object {
        key: Key::new(&key),
        size,
        etag: ETag::new(&etag),
        last_modified: time.filter(|time| *time != i64::MIN).map(Timestamp),
        storage_class: StorageClass::new(class),
    })
}

fn any_inventory() -> impl Strategy<Value = Inventory> {
    hostile_keys(0..60).prop_flat_map(|keys| {
        let objects: Vec<_> = keys.into_iter().map(any_object).collect();
        objects.prop_map(inventory_of)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_scan_comes_back_as_it_was(inventory in any_inventory(), prefix: Vec<u8>) {
        round_trip(&inventory, &prefix);
    }

    #[test]
    fn a_file_that_was_edited_or_cut_at_any_byte_is_refused(
        inventory in any_inventory(),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
        cut in any::<bool>(),
    ) {
        let written = write_bytes(&inventory, &header(b"", &inventory), u64::MAX).expect("written");
        let at = place.index(written.len());
        let mut bytes = written.to_vec();
        if cut { bytes.truncate(at) } else { bytes[at] ^= change }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scan.parquet");
        fs::write(&path, &bytes).expect("written");
        let refused = read(&path).expect_err("not what was written");
        prop_assert!(matches!(refused, ScanFileError::Damaged { .. }), "{refused}");
        fs::write(&path, &written).expect("written");
        prop_assert!(read(&path).is_ok());
    }
}

#[test]
fn every_single_byte_counts() {
    let inventory = inventory_of([object(b"a/b", 1), object(b"a/c", 2)]);
    let written = write_bytes(&inventory, &header(b"", &inventory), u64::MAX).expect("written").to_vec();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.parquet");
    let check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).expect("written");
        assert!(matches!(read(&path), Err(ScanFileError::Damaged { .. })), "{what} of {} passed", written.len());
    };
    for at in 0..written.len() {
        let mut edited = written.clone();
        edited[at] ^= 0x20;
        check(&edited, &format!("an edit at {at}"));
        check(&written[..at], &format!("a cut at {at}"));
    }
    check(&[&written[..], b"\n"].concat(), "a line end behind it");
    check(&[&written[..], &written].concat(), "twice the file");
}

#[test]
fn many_row_groups_are_one_scan() {
    let objects = (0..300_000_u64).map(|n| object(format!("projects/proj_{n:08}/take.mp4").as_bytes(), n));
    let inventory = inventory_of(objects);
    assert_eq!(round_trip(&inventory, b"").objects, 300_000);
}

#[test]
fn what_is_gone_is_not_written() {
    let mut inventory = inventory_of([object(b"a", 1), object(b"b", 2), object(b"c", 3)]);
    inventory.forget(&[1]);
    assert_eq!(round_trip(&inventory, b"").objects, 2);
}

#[test]
fn what_is_no_scan_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.parquet");
    let check = |content: &[u8], said: &str| {
        fs::write(&path, content).expect("written");
        let refused = read(&path).expect_err("no scan").to_string();
        assert!(refused.contains(said) && refused.contains("x.parquet"), "{refused}");
    };
    check(b"", "no whole Parquet file");
    check(b"PAR1", "no whole Parquet file");
    check(b"PAR1\0\0\0\0PAR1", "no scan of bucketree");
    check(b"PAR1\xff\xff\xff\xffPAR1", "no whole Parquet file");
    check(b"key,size\na,1\n", "no whole Parquet file");
    let missing = read(&folder.path().join("none.parquet")).expect_err("no file");
    assert!(matches!(missing, ScanFileError::Disk { .. }), "{missing}");
}

#[test]
fn a_file_is_never_replaced_and_none_is_left_half() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.parquet");
    fs::write(&path, "mine").expect("written");
    let inventory = inventory_of([object(b"a", 1)]);
    let refused = write_new(&path, &inventory, &header(b"", &inventory)).expect_err("it is there");
    assert!(matches!(refused, ScanFileError::Exists(_)), "{refused}");
    assert_eq!(fs::read(&path).expect("still there"), b"mine");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn the_newest_scans_are_kept_and_found() {
    let state = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::of(state.path(), &identity());
    assert_eq!(shelf.list().expect("a list"), []);
    let inventory = inventory_of([object(b"a", 1)]);
    let kept: Vec<KeptScan> =
        (0..4).map(|_| shelf.keep(&inventory, &header(b"", &inventory), 3).expect("kept")).collect();
    let newest: Vec<KeptScan> = kept.iter().rev().take(3).cloned().collect();
    assert_eq!(shelf.list().expect("a list"), newest);
    assert_eq!(shelf.find("last").expect("the last"), kept[3]);
    assert_eq!(shelf.find("previous").expect("the one before"), kept[2]);
    assert_eq!(shelf.find(&kept[1].id).expect("by id"), kept[1]);
    assert!(shelf.find(&kept[0].id).is_err(), "the oldest is gone");
    assert!(shelf.find("").is_err());
    assert!(shelf.find(&kept[1].id[..2]).expect_err("of several").to_string().contains("3 kept scans"));
    let elsewhere = StoreIdentity { endpoint: "http://other".into(), ..identity() };
    assert_eq!(Shelf::of(state.path(), &elsewhere).list().expect("a list"), []);
}

#[test]
fn a_scan_that_is_larger_than_one_request_writes_is_refused_with_both_sizes() {
    let inventory = inventory_of([object(b"a/b", 1), object(b"a/c", 2)]);
    let header = header(b"", &inventory);
    let bytes = write_bytes(&inventory, &header, u64::MAX).expect("written").len() as u64;
    assert!(write_bytes(&inventory, &header, bytes).is_ok());
    let refused = write_bytes(&inventory, &header, bytes - 1).expect_err("too large").to_string();
    assert_eq!(refused, format!("it has {bytes} bytes, and one request writes at most {}", bytes - 1));
}
