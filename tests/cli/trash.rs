//! To the trash, back, and out of it for good; over real HTTP, with everything that an object is compared.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::filled::{Filled, YOUNG};
use crate::program::World;

/// Moves project 1 to the trash; the run.
fn trashed(world: &World, via: &str) -> Value {
    let name = format!("plan-{via}.jsonl");
    // The server's clock has whole seconds: what was restored within this second is still in its future, and so young.
    let arguments = ["plan", "trash", "--project", "1", "-o", &name, "--json"];
    let deadline = Instant::now() + Duration::from_secs(20);
    let plan = loop {
        let ran = world.run_with(YOUNG, &arguments);
        if ran.code == Some(0) {
            break ran.one();
        }
        assert!(ran.stderr.contains("no object is in the plan") && Instant::now() < deadline, "{ran:?}");
    };
    assert_eq!(plan["kind"], "trash");
    let confirm = plan["confirm"].as_str().unwrap();
    let arguments = ["apply", &name, "--confirm", confirm, "--via", via, "--json"];
    let applied = world.check_with(YOUNG, &arguments, 0, &[]).one();
    assert!(plan["objects"].as_u64().unwrap() >= 3);
    assert_eq!((&applied["outcomes"]["trashed"], &applied["success"]), (&plan["objects"], &json!(true)));
    applied
}

#[test]
fn a_restored_run_leaves_the_bucket_byte_identical_metadata_included() {
    let filled = Filled::with(12);
    let world = &filled.world;
    let before = filled.contents();
    for via in ["batch", "sequential"] {
        let run = trashed(world, via);
        let id = run["run"].as_str().unwrap();
        let audit = world.check(&["audit", ".bucketree/", "--json"], 0, &[]).json();
        assert_eq!(json!(audit.len()), run["planned"]);
        for object in audit {
            assert_eq!((&object["verdict"], &object["flags"][0]), (&json!("unrecognized"), &json!("young")));
            assert!(object["flags"].as_array().unwrap().contains(&json!("protected")), "{object}");
        }
        world.check(&["verify", id], 0, &[]);
        assert!(filled.contents() != before);
        let restored = world.check(&["restore", &id[..30], "--json"], 0, &[]).one();
        assert_eq!((&restored["outcomes"]["restored"], &restored["success"]), (&run["planned"], &json!(true)));
        assert!(filled.contents() == before, "{via}: the bucket is not as it was");
        world.check(&["restore", id], 2, &["nothing of a run", "trash list"]);
    }
}

#[test]
fn the_trash_is_listed_restored_in_part_and_emptied_by_confirmation() {
    let world = World::with_objects(100);
    world.check(&["trash", "list"], 0, &["the trash is empty"]);
    let run = trashed(&world, "batch");
    let (id, planned) = (run["run"].as_str().unwrap(), run["planned"].as_u64().unwrap());
    let listed = world.check(&["trash", "list", "--json"], 0, &[]).one();
    assert_eq!(
        (&listed["run"], &listed["objects"], &listed["bytes"]),
        (&json!(id), &json!(planned), &run["bytes_gone"])
    );

    let shown = world.check(&["runs", "show", id, "--json"], 0, &[]).json();
    let key = shown[1]["key"].as_str().unwrap();
    let restored = world.check(&["restore", id, "--key", key, "--json"], 0, &[]).one();
    assert_eq!((&restored["planned"], &restored["outcomes"]["restored"]), (&json!(1), &json!(1)));
    assert_eq!(world.check(&["ls", key], 0, &[]).text().lines().next(), Some(key));
    world.check(&["restore", id, "--key", key], 2, &["none of what is named is in the trash"]);

    let left = planned - 1;
    let confirm = format!("{} {left}", world.demo("bucket"));
    world.check(&["trash", "empty", "--older-than", "1d"], 0, &["there is nothing to delete"]);
    let offered = world.check(&["trash", "empty"], 0, &["would be deleted for good", "nothing was deleted"]);
    assert!(offered.text().contains(&format!("--confirm '{confirm}'")), "{offered:?}");
    world.check(&["trash", "empty", "--confirm", "autoshorts-media 1"], 4, &["nothing was deleted"]);
    assert_eq!(world.check(&["trash", "list", "--json"], 0, &[]).one()["objects"], left);
    let emptied = world.check(&["trash", "empty", "--confirm", &confirm, "--json"], 0, &[]).one();
    assert_eq!((&emptied["outcomes"]["deleted"], &emptied["success"]), (&json!(left), &json!(true)));
    world.check(&["trash", "list"], 0, &["the trash is empty"]);
    world.check(&["restore", id], 2, &["nothing of a run"]);
}

#[test]
fn row_73_an_object_that_was_written_again_is_not_restored_over() {
    let filled = Filled::with(3);
    let again = String::from("audio/proj_1/S/a b+c%2F\u{e9}.mp3");
    let run = trashed(&filled.world, "batch");
    filled.write(std::slice::from_ref(&again), "second");
    let before = filled.contents();
    let id = run["run"].as_str().unwrap();
    let arguments = ["restore", id, "--prefix", "audio/proj_1/S/a b", "--json"];
    let restored = filled.world.check(&arguments, 0, &["there is an object at"]).one();
    assert_eq!((&restored["planned"], &restored["outcomes"]["skipped-changed"]), (&json!(1), &json!(1)));
    assert!(filled.contents() == before, "something was written over");
}
