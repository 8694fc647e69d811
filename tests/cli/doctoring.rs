//! `doctor`: what it sees of a bucket that is as it must be, and of one that is not.

use serde_json::Value;

use crate::program::{Ran, World};

fn found(ran: &Ran, check: &str) -> Value {
    let lines = ran.json();
    let line = lines.iter().find(|line| line["check"] == check);
    line.unwrap_or_else(|| panic!("{check} is not in {lines:#?}")).clone()
}

fn keys(world: &World) -> Vec<u8> {
    world.check(&["ls"], 0, &[]).stdout
}

#[test]
fn everything_as_it_must_be_is_measured_and_remembered() {
    let world = World::start();
    let before = keys(&world);
    let ran = world.check(&["doctor", "--json"], 0, &[]);
    assert_eq!(found(&ran, "deletes")["status"], "note", "nothing was measured yet");
    for check in ["layouts", "state folder", "bucket", "registry", "store list", "store head", "store clock"] {
        assert_eq!(found(&ran, check)["status"], "ok", "{check}");
    }
    assert!(found(&ran, "setting bucket")["seen"].as_str().unwrap().contains("R2_BUCKET_NAME"));
    assert!(found(&ran, "registry")["seen"].as_str().unwrap().contains("projects"));
    assert!(!world.path("state/capabilities.json").exists());

    let probed = world.check(&["doctor", "--probe", "--json"], 0, &[]);
    for check in ["store put", "store delete", "store delete-many", "store exact-keys"] {
        assert_eq!(found(&probed, check)["status"], "ok", "{check}");
    }
    assert_eq!(keys(&world), before, "a canary was left behind");
    let deletes = found(&probed, "deletes")["seen"].clone();
    let later = world.check(&["doctor", "--json"], 0, &[]);
    assert_eq!(found(&later, "deletes")["seen"], deletes);
    assert_eq!(found(&later, "store delete-if-match"), found(&probed, "store delete-if-match"));
    let plan = world.check(&["plan", "delete", "--json", "-o", "plan.jsonl"], 0, &[]).one();
    assert_eq!(plan["deletes"], deletes, "a plan says what was measured");
}

#[test]
fn a_cleanup_succeeds_whatever_was_measured() {
    let world = World::start();
    world.check(&["doctor", "--probe"], 0, &[]);
    let plan = world.check(&["plan", "delete", "--json", "-o", "plan.jsonl"], 0, &[]).one();
    let confirm = plan["confirm"].as_str().unwrap();
    let applied = world.check(&["apply", "plan.jsonl", "--json", "--confirm", confirm], 0, &[]).one();
    assert_eq!(applied["outcomes"]["deleted"], plan["objects"]);
}

#[test]
fn what_is_wrong_is_said_with_how_to_mend_it() {
    let world = World::start();
    let failing = |environment: &[(&str, &str)], check: &str, seen: &str, mend: &str| {
        let ran = world.check_with(environment, &["doctor", "--json"], 1, &[]);
        let line = found(&ran, check);
        assert_eq!(line["status"], "failed", "{line}");
        assert!(line["seen"].as_str().unwrap().contains(seen), "{line}");
        assert!(line["mend"].as_str().unwrap().contains(mend), "{line}");
    };
    failing(&[("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong")], "store list", "", "credentials");
    failing(&[("R2_BUCKET_NAME", "no-such-bucket")], "store list", "", "jurisdiction");
    failing(&[("BUCKETREE_REGISTRY", "no-such.db")], "registry", "no-such.db", "registry.source");
    failing(&[("BUCKETREE_MIN_AGE", "1h")], "settings", "min_age", "where it was set");
    let blocked = world.write("file", "");
    failing(&[("BUCKETREE_STATE_DIR", &blocked)], "state folder", "file", "BUCKETREE_STATE_DIR");
    std::fs::create_dir_all(world.path("state")).unwrap();
    world.write("state/capabilities.json", "{");
    failing(&[], "capabilities", "capabilities.json", "measure again");
}
