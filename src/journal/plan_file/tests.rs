use proptest::prelude::*;

use super::*;
use crate::domain::verdict::{Flag, Verdict};

fn header() -> PlanHeader {
    PlanHeader {
        id: "01930000-0000-7000-8000-000000000000".into(),
        kind: PlanKind::Delete,
        endpoint: "http://127.0.0.1:9000".into(),
        account: Some("acc".into()),
        bucket: "media".into(),
        layouts: "abc".into(),
        sources: vec![SourceReport {
            name: "sqlite: registry.db".into(),
            projects: 2,
            tracked: Some(3),
            references: 0,
            read_at: Timestamp(1_000),
            fingerprint: "f".into(),
        }],
        bucket_objects: 9,
        whole: false,
        scanned_at: Some(Timestamp(500)),
        created_at: Timestamp(2_000),
        expires_at: Timestamp(3_602_000),
        min_age_seconds: 604_800,
        caps: Caps::default(),
        deletes: Atomicity::Proved { at: Timestamp(1000) },
        guards: vec![GuardReport { name: "object cap".into(), passed: true, message: "ok".into() }],
        tool: "0.1.0".into(),
        digest: String::new(),
    }
}

fn row(key: &[u8]) -> PlanRow {
    PlanRow {
        object: Object {
            key: Key::new(key),
            size: 7,
            etag: ETag::new("\"abc-2\""),
            last_modified: Some(Timestamp(1_234_567)),
            storage_class: StorageClass::default(),
        },
        verdict: Verdict::Orphaned,
        flags: [Flag::Legacy].into_iter().collect(),
        project: id_of("7").ok(),
        because: "every reading names a project that the registry does not have".into(),
        readings: vec![("flat".into(), id_of("7").unwrap())],
        claims: vec![Claim { kind: ClaimKind::Row, owner: Owner::Dead(id_of("7").unwrap()) }],
        destination: None,
    }
}

pub(in crate::journal) fn plan(keys: &[&[u8]]) -> Plan {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    seal(Plan { header: header(), rows: keys.into_iter().map(row).collect() })
}

#[test]
fn a_plan_reads_back_as_it_was() {
    let plan = plan(&[b"a,b", b"a\nb", b" lead", b"\xff\x00", "caf\u{e9}/\u{202e}".as_bytes()]);
    assert_eq!(parse(&write(&plan)), Ok(plan));
}

#[test]
fn any_changed_byte_is_refused() {
    let bytes = write(&plan(&[b"a", b"b"]));
    for at in 0..bytes.len() {
        let mut edited = bytes.clone();
        edited[at] ^= 1;
        assert!(parse(&edited).is_err(), "byte {at} was changed unnoticed");
        let mut shorter = bytes.clone();
        shorter.remove(at);
        assert!(parse(&shorter).is_err(), "byte {at} was removed unnoticed");
    }
}

#[test]
fn the_reason_names_what_was_edited() {
    let text = String::from_utf8(write(&plan(&[b"a", b"b"]))).unwrap();
    let (line, why) = parse(text.replacen("\"size\":7", "\"size\":8", 1).as_bytes()).unwrap_err();
    assert_eq!((line, why.as_str()), (2, "the rows were edited: their SHA-256 is not the one in the header"));
    let (line, why) = parse(text.replacen("\"objects\":100000", "\"objects\":900000", 1).as_bytes()).unwrap_err();
    assert_eq!((line, why.as_str()), (1, "the header was edited: its seal does not match"));
}

proptest! {
    #[test]
    fn every_key_survives_a_plan_file(keys in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 1..20)) {
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let plan = plan(&keys);
        prop_assert_eq!(parse(&write(&plan)).unwrap(), plan);
    }
}
