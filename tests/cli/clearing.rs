//! Clearing a place: what is alive there is kept unless it is named, and the bucket as a whole asks for more.

use serde_json::Value;

use crate::program::World;

fn plan(world: &World, name: &str, selectors: &[&str]) -> Value {
    world.check(&[&["plan", "delete", "--json", "-o", name], selectors].concat(), 0, &[]).one()
}

fn count(audit: &[Value], verdict: &str) -> u64 {
    let is_old = |object: &Value| !object["flags"].as_array().unwrap().iter().any(|flag| flag == "young");
    audit.iter().filter(|object| object["verdict"] == verdict && is_old(object)).count() as u64
}

#[test]
fn the_whole_bucket_is_cleared_of_what_is_named() {
    let world = World::start();
    let audit = world.check(&["audit", "--json"], 0, &[]).json();
    let orphans = plan(&world, "orphans.jsonl", &["--all"]);
    assert_eq!(orphans["objects"], count(&audit, "orphaned"));
    assert!(orphans["left_out"]["live"].as_u64().unwrap() >= count(&audit, "live"), "{orphans}");
    let confirm = orphans["confirm"].as_str().unwrap();
    assert!(confirm.starts_with("EMPTY autoshorts-media "), "{confirm}");
    let plain = confirm.strip_prefix("EMPTY ").unwrap();
    world.check(&["apply", "orphans.jsonl", "--confirm", plain], 4, &["EMPTY"]);

    let named = ["--all", "--verdict", "orphaned", "--verdict", "unrecognized", "--verdict", "live"];
    let arguments = [&["plan", "delete", "--json", "-o", "named.jsonl"], &named[..]].concat();
    world.check(&arguments, 4, &["guard \"bucket share\"", "guard \"live project share\""]);
    let lifted = [&arguments[..], &["--max-share", "100%"]].concat();
    let lifted = world.check_with(&[("BUCKETREE_MAX_PROJECT_SHARE", "100%")], &lifted, 0, &[]).one();
    let all = ["orphaned", "unrecognized", "live"].iter().map(|verdict| count(&audit, verdict)).sum::<u64>();
    assert_eq!(lifted["objects"], all);
    assert_eq!(lifted["by_verdict"]["live"]["objects"], count(&audit, "live"), "the live are listed apart");
    let confirm = lifted["confirm"].as_str().unwrap();
    let applied = world.check(&["apply", "named.jsonl", "--json", "--confirm", confirm], 0, &[]).one();
    assert_eq!(applied["outcomes"]["deleted"], all);
}

#[test]
fn a_prefix_is_cleared_and_the_rest_is_left() {
    let world = World::start();
    let audit = world.check(&["audit", "--json"], 0, &[]).json();
    let inside: Vec<Value> = audit
        .into_iter()
        .filter(|object| object["key"].as_str().is_some_and(|key| key.starts_with("audio/")))
        .collect();
    let kept = plan(&world, "kept.jsonl", &["--prefix", "audio/"]);
    assert_eq!(kept["objects"], count(&inside, "orphaned"));
    assert!(kept["left_out"]["live"].as_u64().unwrap() > 0, "{kept}");
    assert!(!kept["confirm"].as_str().unwrap().starts_with("EMPTY"));
    let live = plan(&world, "live.jsonl", &["--prefix", "audio/", "--verdict", "live"]);
    assert_eq!(live["objects"], count(&inside, "live"));
    for refused in [&["--all", "--prefix", "audio/"][..], &["--all", "--keys-from", "-"]] {
        world.check(&[&["plan", "delete", "-o", "no.jsonl"], refused].concat(), 2, &["--all"]);
    }
    let arguments = ["plan", "delete", "-o", "no.jsonl", "--all", "--verdict", "undetermined"];
    world.check(&arguments, 4, &["undetermined objects are never selected in bulk"]);
}
