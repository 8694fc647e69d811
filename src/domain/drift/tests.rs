use std::sync::Arc;

use super::*;
use crate::domain::facts::{FactsBuilder, RegistryRow, RegistryState};
use crate::domain::judge::{Policy, Trust, classify};
use crate::domain::layout::Layouts;
use crate::domain::progress::RegistryReport;
use crate::domain::samples::{inventory_of, object};
use crate::domain::{IdRules, Timestamp};

const LIVE: &str = "projects/proj_1/scenes/s/media/a.mp4";
const UNTRACKED: &str = "projects/proj_1/scenes/s/media/b.mp4";
const DEAD: &str = "projects/proj_2/scenes/s/media/c.mp4";
const ORPHAN: &str = "projects/proj_2/scenes/s/media/d.mp4";
const ODD: &str = "z/odd name.bin";
const GONE: &str = "projects/proj_1/scenes/s/media/gone.mp4";
const GONE_TOO: &str = "projects/proj_2/scenes/s/media/gone.mp4";

/// A bucket of the first five, and a registry in which project 1 is alive.
fn drift(project: Option<&str>) -> DriftReport {
    let inventory = inventory_of([LIVE, UNTRACKED, DEAD, ORPHAN, ODD].map(|key| object(key.as_bytes(), 100)));
    let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
    let mut builder = FactsBuilder::new(&inventory, &ids);
    builder.row(RegistryRow::Project { id: "proj_1".into() });
    for (key, owner) in [(LIVE, "proj_1"), (DEAD, "2"), ("/z/odd%20name.bin", "1"), (GONE, "1"), (GONE_TOO, "2")] {
        builder.row(RegistryRow::Tracked { key: key.into(), project: Some(owner.into()) });
    }
    builder.row(RegistryRow::Tracked { key: GONE.into(), project: Some("1".into()) });
    builder.row(RegistryRow::Reference { key: GONE.into(), project: None });
    let source = SourceReport {
        name: "test".into(),
        projects: 1,
        tracked: Some(6),
        references: 1,
        read_at: Timestamp(0),
        fingerprint: String::new(),
    };
    let facts = builder.finish(RegistryReport { state: RegistryState::Usable, sources: vec![source] });
    let trust = Trust { complete: true, now: Some(Timestamp(1_800_000_000_000)) };
    let judge = Judge::new(Arc::new(Layouts::autoshorts()), Arc::new(facts), Policy::default(), trust);
    let assessment = classify(&inventory, &judge, &|_| true);
    let project = project.map(|id| ids.canonical(id.as_bytes()).expect("an id").project);
    compare(&judge, &assessment, &inventory, project.as_ref()).report
}

/// Everything of a report in a few words.
fn said(report: &DriftReport) -> Vec<String> {
    let untracked = report.untracked.iter().map(|it| format!("untracked {} of {}", it.key.escaped(), it.project));
    let missing = report.missing.iter().map(|it| format!("missing {} of {:?}", it.key.escaped(), it.claim.owner));
    let dead = report.dead_rows.iter().map(|it| format!("dead {} of {}", it.key.escaped(), it.project));
    untracked.chain(missing).chain(dead).collect()
}

#[test]
fn both_directions_are_compared() {
    let report = drift(None);
    assert_eq!(
        said(&report),
        [
            format!("untracked {UNTRACKED} of 1"),
            format!("missing {GONE} of Live(\"1\")"),
            format!("missing {GONE} of Unknown"),
            format!("missing {GONE_TOO} of Dead(\"2\")"),
            format!("dead {DEAD} of 2"),
        ]
    );
    assert_eq!((report.in_both, report.sides.clone()), (3, None));
    assert!(report.missing.iter().all(|missing| missing.proof == Absence::NotAsked), "nothing is proved by a listing");
    assert!(!report.agrees());
}

#[test]
fn one_project_has_two_sides() {
    let keys = |keys: &[&str]| keys.iter().map(|&key| Key::from(key)).collect::<Vec<_>>();
    let report = drift(Some("proj_1"));
    let sides = report.sides.clone().expect("sides");
    assert_eq!(sides.only_registry, keys(&[GONE]));
    assert_eq!(sides.only_bucket, keys(&[UNTRACKED]));
    assert_eq!(sides.both, keys(&[LIVE, ODD]));
    assert_eq!(said(&report), [format!("untracked {UNTRACKED} of 1"), format!("missing {GONE} of Live(\"1\")")]);
    let sides = drift(Some("2")).sides.expect("sides");
    assert_eq!((sides.only_registry, sides.only_bucket), (keys(&[GONE_TOO]), keys(&[ORPHAN])));
    assert_eq!(sides.both, keys(&[DEAD]));
    assert_eq!(drift(Some("10")).sides, Some(Sides::default()), "10 is not 1");
}

#[test]
fn an_object_is_found_by_registry_layout_or_both() {
    let inventory = inventory_of([LIVE, UNTRACKED, ODD].map(|key| object(key.as_bytes(), 1)));
    let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
    let mut builder = FactsBuilder::new(&inventory, &ids);
    builder.row(RegistryRow::Tracked { key: LIVE.into(), project: Some("1".into()) });
    builder.row(RegistryRow::Reference { key: ODD.into(), project: Some("1".into()) });
    let facts = builder.finish(RegistryReport { state: RegistryState::Usable, sources: Vec::new() });
    let trust = Trust { complete: true, now: None };
    let judge = Judge::new(Arc::new(Layouts::autoshorts()), Arc::new(facts), Policy::default(), trust);
    let project = ids.canonical(b"proj_1").expect("an id").project;
    let found =
        |index: u32| found_by(&judge, inventory.key(index).as_bytes(), &judge.facts().claims_of(index), &project);
    assert_eq!([found(0), found(1), found(2)], [Some(FoundBy::Both), Some(FoundBy::Layout), Some(FoundBy::Registry)]);
    let other = ids.canonical(b"proj_2").expect("an id").project;
    assert_eq!(found_by(&judge, LIVE.as_bytes(), &[], &other), None);
}

#[test]
fn what_is_there_after_all_is_no_drift() {
    let claim = Claim { kind: ClaimKind::Row, owner: Owner::Unknown };
    let check = |proof: Absence, agrees: bool| {
        let missing = vec![MissingKey { key: "a".into(), claim: claim.clone(), proof: proof.clone() }];
        assert_eq!(DriftReport { missing, ..DriftReport::default() }.agrees(), agrees, "{proof:?}");
    };
    check(Absence::ThereAfterAll, true);
    check(Absence::Proved, false);
    check(Absence::NotAsked, false);
    check(Absence::Unproven("down".into()), false);
    assert!(DriftReport::default().agrees());
    assert!(!DriftReport { problem: Some("incomplete".into()), ..DriftReport::default() }.agrees());
}
