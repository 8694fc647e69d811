//! Each guard against a plan that it lets pass and one that is worse by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::canary::CanaryAnswer;
use super::*;
use crate::domain::facts::{FactsBuilder, RegistryRow, RegistryState, SourceReport};
use crate::domain::guards::canary::Canary;
use crate::domain::plan::{LIFETIME_SECONDS, Plan, PlanHeader, PlanKind};
use crate::domain::progress::RegistryReport;
use crate::domain::samples::{inventory_of, object};
use crate::domain::sightings::Observed;
use crate::domain::{Flag, Flags, IdRules, Key, ProjectId, Timestamp, Verdict};

fn id(text: &str) -> ProjectId {
    IdRules::default().canonical(text.as_bytes()).expect("an id").project
}

fn row(number: u64) -> PlanRow {
    PlanRow {
        object: object(format!("{number:06}").as_bytes(), 10),
        verdict: Verdict::Orphaned,
        flags: Flags::NONE,
        project: Some(id("dead")),
        because: String::new(),
        readings: Vec::new(),
        claims: Vec::new(),
        destination: None,
    }
}

/// Ten orphans of one dead project in a bucket of a hundred objects, where everything is as it should be.
fn sound() -> (Vec<PlanRow>, Caps, GuardFacts) {
    let facts = GuardFacts { bucket_objects: 100, listed: 100, ..GuardFacts::default() };
    ((0..10).map(row).collect(), Caps::default(), facts)
}

/// Changes the sound plan; `says` is part of what the guard then says, and only that guard refuses.
fn check(guard: &str, passes: bool, says: &str, change: impl FnOnce(&mut Vec<PlanRow>, &mut Caps, &mut GuardFacts)) {
    let (mut rows, mut caps, mut facts) = sound();
    change(&mut rows, &mut caps, &mut facts);
    let reports = guards(&rows, &caps, &facts);
    let refusing: Vec<&str> = reports.iter().filter(|report| !report.passed).map(|report| &*report.name).collect();
    assert_eq!(refusing, if passes { vec![] } else { vec![guard] });
    let report = reports.iter().find(|report| report.name == guard).expect("the guard is asked");
    assert!(report.message.contains(says), "{guard} should say {says:?}, and said {:?}", report.message);
}

#[test]
fn a_sound_plan_passes_every_guard() {
    let (rows, caps, facts) = sound();
    assert!(guards(&rows, &caps, &facts).iter().all(|report| report.passed));
}

#[test]
fn something_to_do() {
    check("something to do", true, "1 objects", |rows, _, _| rows.truncate(1));
    check("something to do", false, "mark or select some", |rows, _, _| rows.clear());
}

#[test]
fn listing_complete() {
    check("listing complete", true, "all 100 objects", |_, _, _| {});
    check("listing complete", false, "(page 37); list the bucket again", |_, _, facts| {
        facts.listing_problem = Some("page 37".into());
    });
}

#[test]
fn row_22_a_listing_that_shrank_is_not_believed() {
    let seen = |objects| LastScan::Seen { objects, at: Timestamp(0) };
    let name = "listing not shrunken";
    check(name, true, "first complete listing", |_, _, facts| facts.last_scan = LastScan::Never);
    check(name, true, "100 objects, and 50 were expected", |_, _, facts| facts.last_scan = seen(50));
    check(name, true, "and 125 were expected", |_, _, facts| facts.last_scan = seen(125));
    check(name, false, "20.6 % fewer, more than 20.0 %", |_, _, facts| facts.last_scan = seen(126));
    check(name, true, "accepted by --accept-shrink", |_, _, facts| {
        facts.last_scan = seen(126);
        facts.accepts_shrink = true;
    });
    check(name, false, "cannot be known: torn", |_, _, facts| {
        facts.last_scan = LastScan::Unreadable("torn".into());
        facts.accepts_shrink = true;
    });
}

#[test]
fn row_25_a_registry_that_cannot_be_trusted() {
    let name = "registry trusted";
    let broken = |facts: &mut GuardFacts| facts.registry_problems = vec!["it is down".into(), "it is empty".into()];
    check(name, true, "every source was read to its end", |_, _, _| {});
    check(name, false, "it is down; it is empty; mend the registry", |_, _, facts| broken(facts));
    check(name, true, "10 objects were named one by one", |rows, _, facts| {
        broken(facts);
        rows.iter_mut().for_each(|row| row.verdict = Verdict::Undetermined);
    });
    check(name, false, "it is down", |rows, _, facts| {
        broken(facts);
        rows[1..].iter_mut().for_each(|row| row.verdict = Verdict::Undetermined);
    });
}

#[test]
fn row_26_a_canary_that_is_not_seen_alive() {
    let canary = |problem: Option<&str>| CanaryAnswer { what: "project 7".into(), problem: problem.map(Into::into) };
    check("canary alive", true, "no canary is configured", |_, _, _| {});
    check("canary alive", true, "seen alive: project 7", |_, _, facts| facts.canaries = vec![canary(None)]);
    check("canary alive", false, "it is gone; registry, bucket or canary is the wrong one", |_, _, facts| {
        facts.canaries = vec![canary(None), canary(Some("it is gone"))];
    });
}

#[test]
fn tracked_keys_that_are_not_there() {
    let name = "tracked keys present";
    let drift = |tracked, missing, sample: Option<(u64, u64, u64)>| Drift {
        tracked,
        missing,
        sample: sample.map(|(gone, there, unproven)| DriftSample { gone, there, unproven }),
    };
    let case = |passes, says: &str, drift: Drift| check(name, passes, says, |_, _, facts| facts.drift = drift);
    case(true, "no tracked key is known", drift(0, 0, None));
    case(true, "20 of 100 tracked keys are absent", drift(100, 20, None));
    case(true, "9 of 9 tracked keys", drift(9, 9, None));
    case(false, "nobody proved that they are gone", drift(100, 21, None));
    case(false, "nobody proved", drift(10, 10, None));
    case(true, "HEAD proved 21 of 21 gone: rows of deleted objects", drift(100, 21, Some((21, 0, 0))));
    case(true, "50 of 100 tracked keys", drift(100, 50, Some((50, 0, 0))));
    case(false, "may not belong together", drift(100, 51, Some((50, 0, 0))));
    case(false, "HEAD found 1 of 21 there", drift(100, 21, Some((20, 1, 0))));
    case(false, "could not prove 1; the listing is wrong", drift(100, 21, Some((20, 0, 1))));
    case(false, "the listing is wrong", drift(100, 21, Some((0, 0, 0))));
    check(name, true, "51 of 100", |_, caps, facts| {
        caps.missing_share = 0.51;
        facts.drift = drift(100, 51, None);
    });
}

#[test]
fn row_42_an_empty_bucket_and_a_registry_that_is_not() {
    let (_, caps, _) = sound();
    let drift = Drift { tracked: 3, missing: 3, sample: None };
    let facts = GuardFacts { drift, ..GuardFacts::default() };
    let reports = guards(&[], &caps, &facts);
    let said: Vec<&str> = reports.iter().filter(|report| !report.passed).map(|report| &*report.message).collect();
    assert!(said.iter().any(|text| text.contains("the bucket is empty and the registry tracks 3 keys")), "{said:?}");
    assert!(said.iter().any(|text| text.contains("jurisdiction")), "{said:?}");
}

#[test]
fn what_is_protected_or_young() {
    check("nothing protected", true, "no object lies under", |_, _, _| {});
    check("nothing protected", false, "1 objects are protected", |rows, _, _| rows[3].flags.set(Flag::Protected, true));
    check("nothing young", true, "older than the age guard", |_, _, _| {});
    check("nothing young", false, "1 objects are younger", |rows, _, _| rows[9].flags.set(Flag::Young, true));
}

#[test]
fn what_has_to_be_seen_twice() {
    let name = "seen twice";
    let observed = |sightings| Some(Observed { days: 3, sightings });
    let unconfirmed = |rows: &mut Vec<PlanRow>| rows[2].flags.set(Flag::Unconfirmed, true);
    check(name, true, "observe_days is not set", |_, _, _| {});
    check(name, true, "every complete scan of 3 days", |_, _, facts| facts.observed = observed(Ok(Arc::default())));
    check(name, false, "1 objects were not seen like this for 3 days", |rows, _, facts| {
        unconfirmed(rows);
        facts.observed = observed(Ok(Arc::default()));
    });
    check(name, false, "cannot be known: torn", |rows, _, facts| {
        unconfirmed(rows);
        facts.observed = observed(Err("torn".into()));
    });
}

#[test]
fn row_66_caps_that_are_met_and_exceeded_by_one() {
    check("object cap", true, "10 of at most 10", |_, caps, _| caps.objects = 10);
    check("object cap", false, "more than the cap of 9; narrow", |_, caps, _| caps.objects = 9);
    check("byte cap", true, "100 of at most 100 bytes", |_, caps, _| caps.bytes = 100);
    check("byte cap", false, "100 bytes are more than the cap of 99", |_, caps, _| caps.bytes = 99);
    check("byte cap", false, "18446744073709551615 bytes", |rows, _, _| rows[0].object.size = u64::MAX);
    let two_projects = |rows: &mut Vec<PlanRow>| rows[0].project = Some(id("other"));
    check("project cap", true, "2 of at most 2 projects", |rows, caps, _| {
        two_projects(rows);
        caps.projects = 2;
    });
    check("project cap", false, "2 projects are more than the cap of 1", |rows, caps, _| {
        two_projects(rows);
        caps.projects = 1;
    });
    check("bucket share", true, "10.0 % of the bucket", |_, caps, _| caps.bucket_share = 0.1);
    check("bucket share", false, "more than the cap of 9.9 %", |_, caps, _| caps.bucket_share = 0.099);
    check("bucket share", false, "100.0 % of the bucket's objects", |_, _, facts| facts.bucket_objects = 0);
}

#[test]
fn what_a_live_project_may_lose() {
    let name = "live project share";
    check(name, true, "no live project loses", |_, _, _| {});
    let of_twenty = |facts: &mut GuardFacts| {
        facts.live_projects = [(id("dead"), 20), (id("other"), 1000)].into();
    };
    check(name, true, "live project dead loses 50.0 %", |_, _, facts| of_twenty(facts));
    check(
        name,
        false,
        "live project dead would lose 50.0 % of its objects, more than the cap of 49.0 %",
        |_, caps, facts| {
            of_twenty(facts);
            caps.live_project_share = 0.49;
        },
    );
}

fn plan() -> Plan {
    let (rows, caps, facts) = sound();
    let source = SourceReport {
        name: Arc::from("file: ids"),
        projects: 1,
        tracked: None,
        references: 0,
        read_at: Timestamp(0),
        fingerprint: String::new(),
    };
    let header = PlanHeader {
        id: "p".into(),
        kind: PlanKind::Delete,
        endpoint: "https://host".into(),
        account: Some("a".into()),
        bucket: "media".into(),
        layouts: "hash".into(),
        sources: vec![source],
        bucket_objects: 100,
        whole: false,
        scanned_at: None,
        created_at: Timestamp(0),
        expires_at: Timestamp(0).plus_seconds(LIFETIME_SECONDS),
        min_age_seconds: 0,
        deletes: Default::default(),
        guards: guards(&rows, &caps, &facts),
        caps,
        tool: "1.0.0".into(),
        digest: String::new(),
    };
    Plan { header, rows }
}

/// Holds what a guard of applying said, if any refused, against its name and a part of its words.
fn check_answer(answer: Result<(), GuardReport>, refusal: Option<(&str, &str)>) {
    match (answer, refusal) {
        (Ok(()), None) => {}
        (Err(report), Some((guard, says))) => {
            assert_eq!(report.name, guard);
            assert!(report.message.contains(says), "{guard} should say {says:?}, and said {:?}", report.message);
        }
        (other, refusal) => panic!("{refusal:?}: {other:?}"),
    }
}

#[test]
fn row_65_a_plan_is_for_one_place() {
    let case = |endpoint, bucket, account, says: Option<&str>| {
        let answer = check_place(&plan(), &Place { endpoint, bucket, account });
        check_answer(answer, says.map(|says| ("same bucket", says)));
    };
    case("https://host", "media", Some("a"), None);
    case("https://host", "x", Some("a"), Some("it is for bucket \"media\", and this is bucket \"x\""));
    case("https://other", "media", Some("a"), Some("it is for endpoint"));
    case("https://host", "media", None, Some("it is for account \"a\", and this is account \"\""));
}

/// Changes by what and when the plan is applied.
fn check_here(plan: &Plan, refusal: Option<(&str, &str)>, change: impl FnOnce(&mut Here<'_>)) {
    let now = Timestamp(0).plus_seconds(60);
    let mut here = Here { layouts: "hash", registry: Some("file: ids"), tool: "1.0.0", now };
    change(&mut here);
    check_answer(check_ground(plan, &here), refusal);
}

#[test]
fn row_65_a_plan_holds_for_an_hour_under_what_it_was_made_from() {
    let plan = plan();
    let case = |guard, says: Option<_>, change: &dyn Fn(&mut Here<'_>)| {
        check_here(&plan, says.map(|says| (guard, says)), change);
    };
    case("", None, &|_| {});
    case("same layouts", Some("made under other layouts"), &|here| here.layouts = "other");
    case("same registry", Some("none is configured"), &|here| here.registry = None);
    case("same registry", Some("from the registry \"file: ids\""), &|here| here.registry = Some("file: others"));
    case("same program", Some("version 1.0.0, and this is version 1.0.1"), &|here| here.tool = "1.0.1");
    let at = |seconds| move |here: &mut Here<'_>| here.now = Timestamp(0).plus_seconds(seconds);
    case("not expired", None, &at(LIFETIME_SECONDS - 1));
    case("not expired", Some("it expired at"), &at(LIFETIME_SECONDS));
    case("not expired", None, &at(-60));
    case("not expired", Some("which is in the future"), &at(-61));
}

#[test]
fn row_65_a_plan_is_for_one_run_and_row_51_one_run_for_a_bucket() {
    let past = |used_by: Option<&str>, unfinished: Option<&str>, under_way: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Past { used_by: owned(used_by), unfinished: owned(unfinished), under_way: owned(under_way) })
    };
    check_answer(check_history(&past(None, None, None)), None);
    check_answer(check_history(&past(Some("r"), None, None)), Some(("used once", "it was used by run r")));
    let resume = "`bucketree resume u` comes first";
    check_answer(check_history(&past(Some("r"), Some("u"), None)), Some(("one run at a time", resume)));
    check_answer(check_history(&past(None, Some("u"), Some("a has it"))), Some(("one run at a time", "a has it")));
    check_answer(check_history(&Err("the disk is gone".into())), Some(("one run at a time", "the disk is gone")));
}

#[test]
fn what_a_guard_refused_is_not_applied_and_what_needs_no_registry_needs_none() {
    let mut refused = plan();
    refused.header.guards[0].passed = false;
    check_here(&refused, Some(("plan passed", "guard \"something to do\"")), |_| {});
    let mut named = plan();
    named.rows.iter_mut().for_each(|row| row.verdict = Verdict::Undetermined);
    check_here(&named, None, |here| here.registry = None);
}

#[test]
fn a_plan_for_the_trash_touches_nothing_else() {
    let passes = |keys: &[&str]| {
        let rows: Vec<PlanRow> =
            keys.iter().map(|key| PlanRow { object: object(key.as_bytes(), 1), ..row(0) }).collect();
        trash_guards(&rows).iter().all(|report| report.passed)
    };
    assert!(!trash_guards(&[]).is_empty());
    assert!(passes(&[".bucketree/trash/r/a", ".bucketree/trash/r/b"]));
    assert!(!passes(&[".bucketree/trash/r/a", "a"]));
    assert!(!passes(&[".bucketree/trashy"]));
}

#[test]
fn canaries_are_looked_for_in_registry_and_listing() {
    let inventory = inventory_of(["dead", "live", "loose"].map(|key| object(key.as_bytes(), 1)));
    let tracked =
        |key: &str, project: &str| RegistryRow::Tracked { key: Key::from(key), project: Some(project.into()) };
    let facts = |tracks: bool| {
        let mut builder = FactsBuilder::new(&inventory, &IdRules::default());
        builder.row(RegistryRow::Project { id: "7".into() });
        if tracks {
            [tracked("dead", "8"), tracked("live", "7"), tracked("absent", "7")]
                .into_iter()
                .for_each(|row| builder.row(row));
        }
        let source = SourceReport { tracked: tracks.then_some(3), ..plan().header.sources.remove(0) };
        builder.finish(RegistryReport { state: RegistryState::Usable, sources: vec![source] })
    };
    let check = |tracks: bool, project: Option<&str>, key: Option<&str>, problem: Option<&str>| {
        let canary = Canary { project: project.map(id), key: key.map(Key::from) };
        let found: Vec<String> =
            canary.look(&facts(tracks), &inventory).into_iter().filter_map(|canary| canary.problem).collect();
        assert_eq!(found, problem.into_iter().collect::<Vec<_>>(), "{canary:?}");
    };
    check(true, None, None, None);
    check(true, Some("7"), Some("live"), None);
    check(true, Some("8"), None, Some("canary project 8 is not live in the registry"));
    check(true, None, Some("absent"), Some("canary key absent is not in the listing"));
    check(true, None, Some("dead"), Some("canary key dead is not alive in the registry"));
    check(true, None, Some("loose"), Some("canary key loose is not alive in the registry"));
    check(false, None, Some("loose"), None);
}

#[test]
fn every_guard_says_what_a_person_needs() {
    let names: BTreeSet<&str> = GUARDS.iter().map(|guard| guard.name).collect();
    assert_eq!(names.len(), GUARDS.len(), "a name occurs twice");
    for guard in GUARDS {
        for text in [guard.protects, guard.default, guard.lowered_by] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{guard:?}: {text:?}");
        }
        assert_eq!(find(guard.name).map(|guard| guard.name), Some(guard.name));
    }
}
