//! Guards as a person meets them: what refuses, what lowers it, and what the plan then says.

use serde_json::Value;

use crate::program::World;

const PLAN: [&str; 5] = ["plan", "delete", "--json", "-o", "plan.jsonl"];

fn guard<'v>(plan: &'v Value, name: &str) -> &'v Value {
    plan["guards"].as_array().unwrap().iter().find(|guard| guard["name"] == name).unwrap()
}

#[test]
fn what_was_seen_only_once_is_left_out_and_counted() {
    let world = World::start();
    let plan = |days: &str, code: i32| {
        let file = format!("{days}.jsonl");
        world.check(&["plan", "delete", "--json", "--observe-days", days, "-o", &file], code, &[]).one()
    };
    let usual = plan("0", 0);
    let once = plan("3", 4);
    assert_eq!((&once["objects"], &once["left_out"]["unconfirmed"]), (&0.into(), &usual["objects"]));
    world.check(&["config", "show"], 0, &[]);
    let unconfirmed = world.check_with(
        &[("BUCKETREE_OBSERVE_DAYS", "3")],
        &["audit", "--flag", "unconfirmed", "--verdict", "orphaned", "--json"],
        0,
        &[],
    );
    assert!(unconfirmed.json().len() as u64 >= usual["objects"].as_u64().unwrap());
}

#[test]
fn caps_are_lowered_only_by_their_own_flags() {
    let world = World::start();
    let plan = world.check(&[&PLAN[..], &["--max-objects", "3"]].concat(), 4, &["guard \"object cap\"", "max_objects"]);
    let cap = guard(&plan.one(), "object cap").clone();
    assert_eq!((&cap["passed"], &cap["lowered_by"]), (&false.into(), &"max_objects, --max-objects".into()));
    assert!(!cap["protects"].as_str().unwrap().is_empty());
    world.check(&[&PLAN[..], &["--max-share", "0.1%"]].concat(), 4, &["guard \"bucket share\""]);
    world.check(&[&PLAN[..], &["--max-share", "many"]].concat(), 2, &["80%"]);
    world.check(&[&PLAN[..], &["--max-objects", "many"]].concat(), 2, &["whole number"]);
    world.check_with(&[("BUCKETREE_MAX_PROJECTS", "0")], &PLAN, 4, &["guard \"project cap\""]);
    assert!(!world.path("plan.jsonl").exists());
    let lowered = [&PLAN[..], &["--max-objects", "100000", "--max-share", "100%"]].concat();
    world.check_with(&[("BUCKETREE_MAX_OBJECTS", "3")], &lowered, 0, &[]);
}

#[test]
fn a_bucket_that_shrank_is_planned_only_with_a_persons_word() {
    let world = World::start();
    world.check(&["audit", "--summary"], 0, &[]);
    let memory = world.path("state/scans-seen.json");
    let mut seen: Value = serde_json::from_slice(&std::fs::read(&memory).unwrap()).unwrap();
    let bucket = seen["buckets"].as_object_mut().unwrap().values_mut().next().unwrap();
    bucket["objects"] = (bucket["objects"].as_u64().unwrap() * 2).into();
    std::fs::write(&memory, seen.to_string()).unwrap();
    world.check(&["audit", "--summary"], 0, &[]);
    world.check(&PLAN, 4, &["guard \"listing not shrunken\"", "50.0 % fewer", "--accept-shrink"]);
    let plan = world.check(&[&PLAN[..], &["--accept-shrink"]].concat(), 0, &[]).one();
    let said = guard(&plan, "listing not shrunken")["message"].as_str().unwrap();
    assert!(said.ends_with("accepted by --accept-shrink"), "{said}");
    let header = std::fs::read_to_string(world.path("plan.jsonl")).unwrap();
    assert!(header.lines().next().unwrap().contains("accepted by --accept-shrink"), "the plan itself says so");
    world.check(&["plan", "delete", "--json", "-o", "again.jsonl"], 0, &[]);
}

#[test]
fn a_canary_that_is_not_seen_alive_stops_every_verdict() {
    let world = World::start();
    let live = world.check(&["audit", "--json", "--verdict", "live"], 0, &[]).json().remove(0);
    let (key, project) = (live["key"].as_str().unwrap().to_owned(), live["project"].as_str().unwrap().to_owned());
    let good = [("BUCKETREE_CANARY_KEY", key.as_str()), ("BUCKETREE_CANARY_PROJECT", project.as_str())];
    let plan = world.check_with(&good, &PLAN, 0, &[]).one();
    assert!(guard(&plan, "canary alive")["message"].as_str().unwrap().contains(&format!("project {project}")));
    for (name, value, says) in [
        ("BUCKETREE_CANARY_KEY", "no/such/key", "canary key no/such/key is not in the listing"),
        ("BUCKETREE_CANARY_PROJECT", "proj_nobody", "canary project nobody is not live in the registry"),
    ] {
        world.check_with(&[(name, value)], &["plan", "delete", "-o", "other.jsonl"], 4, &["registry trusted", says]);
        let audit = world.check_with(&[(name, value)], &["audit", "--summary", "--json"], 1, &[says]).one();
        assert_eq!(audit["by_verdict"]["undetermined"]["objects"], audit["objects"]);
    }
}

#[test]
fn the_manual_lists_every_guard_of_a_plan() {
    let world = World::start();
    let plan = world.check(&PLAN, 0, &[]).one();
    let manual = world.check(&["man"], 0, &[]);
    for guard in plan["guards"].as_array().unwrap() {
        let heading = format!("\\fB{}\\fR", guard["name"].as_str().unwrap());
        assert!(manual.text().lines().any(|line| line == heading), "{heading}");
    }
}
