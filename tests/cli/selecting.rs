//! Selectors: the plan holds what an audit, filtered by hand, says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::World;

/// The keys of a plan made with these selectors.
fn planned(world: &World, selectors: &[&str]) -> BTreeSet<String> {
    let file = world.path("selected.jsonl");
    let _ = std::fs::remove_file(&file);
    let arguments = [&["plan", "delete", "-o", "selected.jsonl"], selectors].concat();
    let ran = world.run(&arguments);
    assert_eq!(ran.code, Some(0), "{selectors:?}: {ran:?}");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().skip(1).map(|line| key(&serde_json::from_str(line).unwrap())).collect()
}

fn key(object: &Value) -> String {
    object["key"].as_str().or(object["key_base64"].as_str()).unwrap().into()
}

fn has(object: &Value, flag: &str) -> bool {
    object["flags"].as_array().unwrap().iter().any(|found| found == flag)
}

fn any_reading(object: &Value, test: impl Fn(&Value) -> bool) -> bool {
    object["readings"].as_array().unwrap().iter().any(test)
}

#[test]
fn a_plan_holds_what_was_selected_and_old_enough() {
    let world = World::with_objects(1200);
    let audit = world.check(&["audit", "--json"], 0, &[]).json();
    let check = |selectors: &[&str], meant: &dyn Fn(&Value) -> bool| {
        let old = |object: &&Value| !has(object, "young") && !has(object, "protected") && meant(object);
        let expected: BTreeSet<String> = audit.iter().filter(old).map(key).collect();
        assert!(!expected.is_empty(), "{selectors:?} would select nothing");
        assert_eq!(planned(&world, selectors), expected, "{selectors:?}");
    };
    let orphaned = |object: &Value| object["verdict"] == "orphaned";
    let of_project = |object: &Value| any_reading(object, |reading| reading["project"] == "1");
    check(&[], &orphaned);
    check(&["--verdict", "orphaned"], &orphaned);
    check(&["--verdict", "untracked"], &|object| object["verdict"] == "untracked");
    check(&["--flag", "double-prefixed"], &|object| orphaned(object) && has(object, "double-prefixed"));
    check(&["--project", "1"], &|object| orphaned(object) && of_project(object));
    check(&["--project", "proj_proj_1"], &|object| orphaned(object) && of_project(object));
    check(&["--prefix", "audio/"], &|object| orphaned(object) && key(object).starts_with("audio/"));
    check(&["--layout", "flat"], &|object| orphaned(object) && any_reading(object, |r| r["layout"] == "flat"));
    check(&["--glob", "audio/**/*.mp3"], &|object| {
        orphaned(object) && key(object).starts_with("audio/") && key(object).ends_with(".mp3")
    });
    check(&["--project", "1", "--layout", "by-content", "--prefix", "video/"], &|object| {
        let reads = |reading: &Value| reading["project"] == "1" && reading["layout"] == "by-content";
        orphaned(object) && key(object).starts_with("video/") && any_reading(object, reads)
    });
    let scene = audit
        .iter()
        .filter(|object| orphaned(object) && !has(object, "young"))
        .find_map(|object| object["readings"][0]["fields"]["scene"].as_str().map(str::to_owned));
    let scene = scene.unwrap();
    check(&["--scene", &scene], &|object| {
        orphaned(object) && any_reading(object, |reading| reading["fields"]["scene"] == scene.as_str())
    });
}

#[test]
fn what_is_not_an_orphan_has_to_be_named() {
    let world = World::start();
    let refused = |selectors: &[&str], said: &[&str]| {
        let arguments = [&["plan", "delete", "-o", "plan.jsonl"], selectors].concat();
        world.check(&arguments, 4, said);
        assert!(!world.path("plan.jsonl").exists(), "a refused plan was written: {selectors:?}");
    };
    for verdict in ["live", "conflict", "unrecognized", "undetermined"] {
        refused(&["--verdict", verdict], &[&format!("{verdict} objects are never selected in bulk"), "--keys-from"]);
    }
    refused(&["--verdict", "untracked", "--verdict", "orphaned"], &["planned only on their own"]);
    refused(&["--project", "10"], &["guard \"something to do\"", "no plan was written"]);
    refused(&["--prefix", "no/such/"], &["guard \"something to do\""]);

    let audit = world.check(&["audit", "--json", "--verdict", "unrecognized"], 0, &[]).json();
    let old: Vec<&Value> = audit.iter().filter(|object| !has(object, "young")).take(2).collect();
    let named = old.iter().map(|object| format!("{object}\n")).collect::<String>();
    let named = world.write("named.jsonl", named + "{\"key\":\"not/there\"}\n");
    let arguments = ["plan", "delete", "--json", "-o", "plan.jsonl", "--keys-from", &named];
    let plan = world.run(&arguments);
    assert_eq!(plan.code, Some(4), "named, and still no orphans: {plan:?}");
    assert_eq!(plan.one()["left_out"]["unrecognized"], 2);

    let plan = world.check(&[&arguments[..], &["--verdict", "unrecognized"]].concat(), 0, &[]).one();
    assert_eq!((plan["objects"].as_u64(), plan["not_in_bucket"].as_u64()), (Some(2), Some(1)));
    world.check(&arguments, 1, &["plan.jsonl is there already"]);
}

#[test]
fn the_young_are_left_out_unless_the_guard_is_lowered() {
    let world = World::with_objects(1200);
    let audit = world.check(&["audit", "--json", "--verdict", "orphaned"], 0, &[]).json();
    let younger_than = |seconds: i64| {
        let age = |object: &&Value| object["evidence"]["age_seconds"].as_i64().unwrap() < seconds;
        audit.iter().filter(age).count() as u64
    };
    let (week, day) = (younger_than(7 * 86_400), younger_than(86_400));
    assert!(week > day, "the sample has orphans between a day and a week old");
    let plan = |name: &str, age: &[&str]| {
        let arguments = [&["plan", "delete", "--json", "-o", name], age].concat();
        world.check(&arguments, 0, &[]).one()
    };
    assert_eq!(plan("week.jsonl", &[])["left_out"]["young"].as_u64().unwrap_or(0), week);
    assert_eq!(plan("day.jsonl", &["--min-age", "24h"])["left_out"]["young"].as_u64().unwrap_or(0), day);

    let lower = ["plan", "delete", "-o", "hour.jsonl", "--min-age", "1h"];
    world.check(&lower, 4, &["min_age", "24h", "allow_young"]);
    world.check(&["plan", "delete", "-o", "hour.jsonl", "--min-age", "7 days"], 2, &["7d or 36h"]);
    let config = world.write("young.toml", "[profiles.default]\nallow_young = true\n");
    world.check(&[&lower[..], &["--config", &config]].concat(), 0, &[]);
    assert!(world.path("hour.jsonl").exists());
}

#[test]
fn an_empty_selector_is_no_selector() {
    let world = World::start();
    for selector in ["--project", "--prefix", "--scene", "--user", "--glob"] {
        world.check(&["plan", "delete", "-o", "plan.jsonl", selector, ""], 2, &[selector]);
    }
    world.check(&["plan", "delete", "-o", "plan.jsonl", "--layout", "nope"], 2, &["no layout is called", "by-content"]);
    world.check(&["plan", "delete", "-o", "plan.jsonl", "--glob", "[a"], 2, &["--glob"]);
    let empty = world.write("empty.txt", "\n\n");
    world.check(&["plan", "delete", "-o", "plan.jsonl", "--keys-from", &empty], 2, &["there is no key in it"]);
    world.check(&["plan", "delete", "-o", "plan.jsonl", "--keys-from", "no-such"], 1, &["no-such"]);
    world.check(&["audit", "--project", ""], 2, &["--project"]);
    world.check(&["audit", "--verdict", "dead"], 2, &["orphaned", "live"]);
}
