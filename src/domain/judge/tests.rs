use std::time::Duration;

use super::*;
use crate::domain::assessment::Assessment;
use crate::domain::facts::{ClaimKind, FactsBuilder, RegistryRow, SourceReport};
use crate::domain::progress::{Failure, RegistryReport};
use crate::domain::{ETag, IdRules, Inventory, Key, StorageClass};

pub(super) const DAY: i64 = 24 * 60 * 60;
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);

pub(super) fn object(key: &str, age_seconds: i64) -> Object {
    Object {
        key: Key::from(key),
        size: 10,
        etag: ETag::new(&format!("{:x}", key.len())),
        last_modified: Some(NOW.plus_seconds(-age_seconds)),
        storage_class: StorageClass::default(),
    }
}

pub(super) fn inventory_of(mut objects: Vec<Object>) -> Inventory {
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    let mut inventory = Inventory::new();
    objects.into_iter().for_each(|object| inventory.push(object).expect("in order"));
    inventory
}

pub(super) fn report(tracked: bool) -> RegistryReport {
    let source = SourceReport {
        name: "file: projects.json".into(),
        projects: 1,
        tracked: tracked.then_some(2),
        references: 0,
        read_at: NOW,
        fingerprint: String::new(),
    };
    RegistryReport { state: RegistryState::Usable, sources: vec![source] }
}

/// A registry in a few words: live projects, rows and references with their owners, whether keys are tracked.
#[derive(Clone, Default)]
pub(super) struct Registry<'a> {
    pub(super) live: &'a [&'a str],
    pub(super) rows: &'a [(&'a str, Option<&'a str>)],
    pub(super) references: &'a [(&'a str, Option<&'a str>)],
    pub(super) tracked: bool,
}

impl Registry<'_> {
    pub(super) fn facts(&self, inventory: &Inventory, fold_nfc: bool) -> Facts {
        self.reported(inventory, fold_nfc, report(self.tracked))
    }

    fn reported(&self, inventory: &Inventory, fold_nfc: bool, report: RegistryReport) -> Facts {
        let mut builder = FactsBuilder::new(inventory, &IdRules { prefix: "proj_".into(), fold_nfc });
        let owned = |(key, project): &(&str, Option<&str>)| (Key::from(*key), project.map(str::to_owned));
        for (key, project) in self.rows.iter().map(owned) {
            builder.row(RegistryRow::Tracked { key, project });
        }
        for (key, project) in self.references.iter().map(owned) {
            builder.row(RegistryRow::Reference { key, project });
        }
        self.live.iter().for_each(|id| builder.row(RegistryRow::Project { id: (*id).to_owned() }));
        builder.finish(report)
    }

    fn judge(&self, inventory: &Inventory) -> Judge {
        let trust = Trust { complete: true, now: Some(NOW) };
        judge_of(self.facts(inventory, false), Policy { min_age_seconds: 7 * DAY, ..Policy::default() }, trust)
    }
}

pub(super) fn judge_of(facts: Facts, policy: Policy, trust: Trust) -> Judge {
    Judge::new(Arc::new(Layouts::autoshorts()), Arc::new(facts), policy, trust)
}

/// The verdict on each of these keys, one bucket for all.
fn verdicts(keys: &[&str], registry: &Registry<'_>) -> Vec<Verdict> {
    let inventory = inventory_of(keys.iter().map(|key| object(key, 30 * DAY)).collect());
    let judge = registry.judge(&inventory);
    let assessment = classify(&inventory, &judge, &|_| true);
    let verdict = |key: &&str| {
        let index = inventory.find(key.as_bytes()).expect("a key of the bucket");
        let (whole, claims) = (inventory.object(index), judge.facts().claims_of(index));
        let (judgement, evidence) = judge.evidence(&whole, &claims);
        assert_eq!(judge.judge(&whole, &claims), judgement);
        assert_eq!(assessment.verdict(index), judgement.verdict, "{key}: {}", evidence.because);
        judgement.verdict
    };
    keys.iter().map(verdict).collect()
}

fn check(key: &str, registry: Registry<'_>, expected: Verdict) {
    assert_eq!(verdicts(&[key], &registry), [expected], "{key}");
}

const OUTPUT_1: &str = "users/u/projects/proj_1/output/f";
const ROWS_TRACKED: Registry<'static> = Registry { live: &["1"], rows: &[], references: &[], tracked: true };

#[test]
fn the_table_of_verdicts() {
    use Verdict::{Conflict, Live, Orphaned, Unrecognized, Untracked};
    let (live, dead, unknown) = (Some("1"), Some("2"), None);
    let live_key = OUTPUT_1;
    let dead_key = "users/u/projects/2/output/f";
    let odd_key = "backup/2024.tar";
    for (key, owners, expected) in [
        (live_key, vec![], Untracked),
        (live_key, vec![live], Live),
        (live_key, vec![dead], Conflict),
        (live_key, vec![unknown], Live),
        (live_key, vec![dead, live], Live),
        (live_key, vec![dead, unknown], Live),
        (dead_key, vec![], Orphaned),
        (dead_key, vec![dead], Orphaned),
        (dead_key, vec![live], Conflict),
        (dead_key, vec![unknown], Conflict),
        (dead_key, vec![dead, live], Conflict),
        (dead_key, vec![dead, unknown], Conflict),
        (odd_key, vec![], Unrecognized),
        (odd_key, vec![dead], Orphaned),
        (odd_key, vec![live], Live),
        (odd_key, vec![unknown], Unrecognized),
        (odd_key, vec![dead, live], Live),
        (odd_key, vec![dead, unknown], Conflict),
        (odd_key, vec![live, unknown], Live),
    ] {
        let claims: Vec<_> = owners.iter().map(|owner| (key, *owner)).collect();
        check(key, Registry { rows: &claims, ..ROWS_TRACKED }, expected);
        check(key, Registry { references: &claims, ..ROWS_TRACKED }, expected);
    }
    for owners in [vec![], vec![(live_key, dead)], vec![(live_key, unknown)]] {
        check(live_key, Registry { tracked: false, references: &owners, ..ROWS_TRACKED }, Live);
    }
}

#[test]
fn a_project_that_the_registry_only_writes_in_another_way_is_not_gone() {
    use Verdict::{Conflict, Live, Orphaned};
    for (live, spelled, expected) in [
        ("007", "proj_7", Conflict),
        ("7", "proj_007", Conflict),
        ("7", "proj_70", Orphaned),
        ("AbC", "proj_abc", Conflict),
        ("abc", "proj_AbC", Conflict),
        ("PROJ_abc", "proj_abc", Conflict),
        ("abc   ", "proj_abc", Conflict),
        ("abc\0", "proj_abc", Conflict),
        ("0198b2a4-7c1e-7000-8000-0123456789ab", "proj_0198B2A47C1E700080000123456789AB", Conflict),
        ("abc", "proj_abcd", Orphaned),
        ("abc", "proj_abc", Live),
    ] {
        let registry = Registry { live: &[live, "other"], ..Registry::default() };
        check(&format!("users/u/projects/{spelled}/output/f"), registry, expected);
        let rows = [("backup/2024.tar", Some(spelled))];
        let registry = Registry { live: &[live, "other"], rows: &rows, tracked: true, ..Registry::default() };
        check("backup/2024.tar", registry, expected);
    }
}

#[test]
fn ids_are_whole_tokens_in_every_spelling() {
    use Verdict::{Conflict, Live, Orphaned, Unrecognized};
    let keys = [
        ("users/u/projects/proj_10/output/f", Live),
        ("users/u/projects/10/output/f", Live),
        ("users/u/projects/proj_1/output/f", Orphaned),
        ("users/u/projects/proj_100/output/f", Orphaned),
        ("audio/proj_10/S/f", Live),
        ("audio/proj_proj_10/S/f", Live),
        ("audio/proj_1/S/f", Orphaned),
        ("audio/proj_10x/S/f", Orphaned),
        ("audio/10/S/f", Unrecognized),
        ("proj_10_S_media.mp4", Live),
        ("proj_1_S_media.mp4", Orphaned),
        ("proj_1_10_media.mp4", Orphaned),
        ("proj_proj_10_S_media.mp4", Live),
        ("proj_proj_1_S_media.mp4", Orphaned),
        ("projects/proj_a_b/scenes/S/media/f", Live),
        ("projects/proj_a/scenes/S/media/f", Orphaned),
        ("projects/proj_a-b/scenes/S/media/f", Orphaned),
        ("proj_a_b_c_media.mp4", Live),
        ("proj_a_c_b_media.mp4", Orphaned),
        ("proj_x_proj_10_S_media.mp4", Orphaned),
        ("trash", Unrecognized),
    ];
    for live in [&["10", "a_b"], &["proj_10", "proj_a_b"], &["proj_proj_10", "proj_a_b"]] {
        let registry = Registry { live, ..Registry::default() };
        let found = verdicts(&keys.map(|(key, _)| key), &registry);
        for ((key, expected), found) in keys.iter().zip(found) {
            assert_eq!(found, *expected, "{key} with {live:?}");
        }
    }
    let many = format!("proj_{}S_media.mp4", "x_".repeat(200));
    check(&many, Registry { live: &["10"], ..Registry::default() }, Conflict);
    check(&many, Registry { live: &["x"], ..Registry::default() }, Live);
}

#[test]
fn nothing_is_said_without_a_listing_and_a_registry() {
    let inventory = inventory_of(vec![object("audio/proj_1/S/f", 30 * DAY)]);
    let registry = Registry { live: &["2"], ..Registry::default() };
    let because = |facts: Facts, complete| {
        let judge = judge_of(facts, Policy::default(), Trust { complete, now: Some(NOW) });
        assert_eq!(classify(&inventory, &judge, &|_| true).verdict(0), Verdict::Undetermined);
        let (judgement, evidence) = judge.evidence(&inventory.object(0), &[]);
        assert_eq!(judgement.verdict, Verdict::Undetermined);
        assert!(judgement.flags.has(Flag::Legacy), "flags do not depend on the verdict");
        evidence.because
    };
    let with = |state| registry.reported(&inventory, false, RegistryReport { state, sources: vec![] });
    assert_eq!(because(with(RegistryState::Usable), false), "The listing is incomplete, so nothing can be said.");
    assert!(because(with(RegistryState::Absent), true).starts_with("No registry"));
    let shrunken = RegistryState::Unusable(vec!["projects.db shrank by 40 %".into()]);
    assert!(because(with(shrunken), true).contains("projects.db shrank by 40 %"));
    assert!(because(Registry::default().facts(&inventory, false), true).contains("no live project"));
    let scan = |completeness| ScanReport {
        completeness,
        server_time: Some(NOW),
        local_time: NOW,
        requests: 1,
        elapsed: Duration::ZERO,
    };
    let failure = Failure { what: "list".into(), why: "503".into(), hint: String::new() };
    assert!(Trust::of(&scan(Completeness::Complete)).complete);
    assert!(!Trust::of(&scan(Completeness::Incomplete(failure))).complete);
}

#[test]
fn what_has_no_age_that_can_be_believed_is_young() {
    let policy = |days: i64| Policy { min_age_seconds: days * DAY, ..Policy::default() };
    let check = |last_modified, now, days, young| {
        let inventory = inventory_of(vec![Object { last_modified, ..object("a", 0) }]);
        let judge = judge_of(Registry::default().facts(&inventory, false), policy(days), Trust { complete: true, now });
        assert_eq!(classify(&inventory, &judge, &|_| true).flags(0).has(Flag::Young), young, "{last_modified:?}");
    };
    let ago = |seconds: i64| Some(NOW.plus_seconds(-seconds));
    check(ago(7 * DAY), Some(NOW), 7, false);
    check(ago(7 * DAY - 1), Some(NOW), 7, true);
    check(ago(300 * DAY), Some(NOW), 7, false);
    check(ago(0), Some(NOW), 0, false);
    check(ago(-1), Some(NOW), 0, true);
    check(Some(Timestamp(NOW.0 + 1)), Some(NOW), 0, true);
    check(ago(300 * DAY), None, 0, true);
    check(None, Some(NOW), 0, true);
    for unset in [0, 1, -1, DAY * 1000, i64::MIN, i64::MAX] {
        check(Some(Timestamp(unset)), Some(NOW), 0, true);
    }
}

fn flags_of(keys: &[&str], policy: Policy) -> Vec<Flags> {
    let inventory = inventory_of(keys.iter().map(|key| object(key, 30 * DAY)).collect());
    let facts = Registry { live: &["9"], ..Registry::default() }.facts(&inventory, false);
    let judge = judge_of(facts, policy, Trust { complete: true, now: Some(NOW) });
    let assessment = classify(&inventory, &judge, &|_| true);
    let flags = |key: &&str| {
        let mut flags = assessment.flags(inventory.find(key.as_bytes()).expect("a key of the bucket"));
        flags.set(Flag::Duplicate, false);
        assert_eq!(flags, judge.judge(&object(key, 30 * DAY), &[]).flags, "{key}");
        flags
    };
    keys.iter().map(flags).collect()
}

#[test]
fn flags_say_how_a_key_is_spelled_and_what_is_protected() {
    let policy = Policy {
        min_age_seconds: 0,
        protected_prefixes: vec![b"backup/".to_vec()],
        protected_projects: vec![IdRules::default().canonical(b"7").expect("an id").project],
        ..Policy::default()
    };
    let (double, legacy, protected) = (Flag::DoublePrefixed, Flag::Legacy, Flag::Protected);
    let cases: &[(&str, &[Flag])] = &[
        ("audio/proj_1/S/f", &[legacy]),
        ("audio/proj_proj_1/S/f", &[double, legacy]),
        ("users/u/projects/proj_1/output/f", &[]),
        ("users/u/projects/proj_proj_1/output/f", &[double]),
        ("proj_proj_1_S_media.mp4", &[double, legacy]),
        ("proj_1_S_media.mp4", &[legacy]),
        ("audio/proj_7/S/f", &[legacy, protected]),
        ("audio/proj_77/S/f", &[legacy]),
        ("proj_a_proj_7_S_media.mp4", &[legacy]),
        ("proj_7_S_x_media.mp4", &[legacy, protected]),
        ("backup/x", &[protected]),
        ("backups/x", &[]),
        (".bucketree/trash/1/audio/proj_1/S/f", &[protected]),
        (".bucketree", &[]),
    ];
    let found = flags_of(&cases.iter().map(|(key, _)| *key).collect::<Vec<_>>(), policy);
    for ((key, expected), found) in cases.iter().zip(found) {
        assert_eq!(found.iter().collect::<Vec<_>>(), *expected, "{key}");
    }
}

fn assess(objects: Vec<Object>, live: &[&str]) -> (Inventory, Assessment) {
    let inventory = inventory_of(objects);
    let judge = Registry { live, ..Registry::default() }.judge(&inventory);
    let assessment = classify(&inventory, &judge, &|_| true);
    (inventory, assessment)
}

#[test]
fn duplicates_have_the_same_size_and_tag() {
    let of = |key: &str, size, etag: &str| Object { size, etag: ETag::new(etag), ..object(key, DAY) };
    let objects = vec![
        of("a", 5, "x"),
        of("b", 5, "x"),
        of("c", 6, "x"),
        of("d", 5, "y"),
        of("e", 0, "z"),
        of("f", 0, "z"),
        of("g", 5, ""),
        of("h", 5, ""),
        of("i", 5, "x"),
    ];
    let (inventory, assessment) = assess(objects, &["1"]);
    let duplicate = |index: &u32| assessment.flags(*index).has(Flag::Duplicate);
    let found: Vec<_> = (0..inventory.len()).filter(duplicate).map(|index| inventory.key(index)).collect();
    assert_eq!(found, ["a", "b", "i"].map(Key::from));
}

#[test]
fn an_ambiguous_key_is_shown_under_the_project_that_others_name() {
    let check = |key: &str, others: &[&str], live: &[&str], expected: &str| {
        let (inventory, assessment) = assess(others.iter().chain([&key]).map(|key| object(key, DAY)).collect(), live);
        let index = inventory.find(key.as_bytes()).expect("the key");
        let project = assessment.project(index).map(|project| assessment.project_id(project).to_string());
        assert_eq!(project.as_deref(), Some(expected), "{key} among {others:?}");
    };
    check("proj_a_b_c_media.mp4", &[], &["9"], "a");
    check("proj_a_b_c_media.mp4", &["audio/proj_a_b/S/f"], &["9"], "a_b");
    check("proj_a_b_c_media.mp4", &["audio/proj_a_b/S/f", "audio/proj_a/S/f", "audio/proj_a/S/g"], &["9"], "a");
    check("proj_a_b_c_media.mp4", &["audio/proj_a/S/f", "audio/proj_a/S/g"], &["a_b"], "a_b");
    check("proj_proj_1_S_media.mp4", &[], &["9"], "1");
    check("proj_proj_proj_1_S_media.mp4", &[], &["9"], "1");
    let (_, assessment) = assess(vec![object("proj_a_b_c_media.mp4", DAY)], &["9"]);
    assert_eq!(assessment.projects(), 1, "the projects that were not chosen are not shown");
    assert_eq!(assessment.project_totals(0).of(Verdict::Orphaned).objects, 1);
}

#[test]
fn evidence_names_what_was_compared() {
    let key = "proj_a_b_c_media.mp4";
    let inventory = inventory_of(vec![object(key, 30 * DAY)]);
    let rows = [(key, Some("proj_a_b")), (key, None)];
    let judge = Registry { live: &["z"], rows: &rows, tracked: true, ..Registry::default() }.judge(&inventory);
    let (judgement, evidence) = judge.evidence(&inventory.object(0), &judge.facts().claims_of(0));
    assert_eq!(judgement.verdict, Verdict::Conflict);
    assert_eq!(
        evidence.because,
        "Its key names a, a_b, which are gone, but the registry mentions the key without an owner."
    );
    let readings: Vec<_> = evidence.readings.iter().map(|(r, live)| (r.project.to_string(), *live)).collect();
    assert_eq!(readings, [("a".to_owned(), false), ("a_b".to_owned(), false)]);
    assert_eq!(evidence.claims.len(), 2);
    assert!(evidence.claims.iter().all(|claim| claim.kind == ClaimKind::Row));
    assert_eq!(evidence.age_seconds, Some(30 * DAY));
    assert_eq!(evidence.judged_at, Some(NOW));
    assert!(evidence.sources[0].starts_with("file: projects.json: 1 projects, 2 tracked keys"));
}

#[test]
fn a_stopped_judgement_leaves_the_rest_undetermined() {
    let keys: Vec<_> = (0..40_000).map(|n| object(&format!("audio/proj_1/S/{n:08}"), DAY)).collect();
    let inventory = inventory_of(keys);
    let judge = Registry { live: &["2"], ..Registry::default() }.judge(&inventory);
    let totals = classify(&inventory, &judge, &|done| done < 20_000).totals(0..inventory.len());
    let (orphaned, rest) = (totals.of(Verdict::Orphaned).objects, totals.of(Verdict::Undetermined).objects);
    assert!(orphaned >= 20_000 && rest > 0 && orphaned + rest == 40_000, "{orphaned} {rest}");
    let stopped = classify(&inventory, &judge, &|_| false).totals(0..inventory.len());
    assert_eq!(stopped.of(Verdict::Undetermined).objects, 40_000);
}
