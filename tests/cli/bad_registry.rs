//! Whatever is wrong with a registry: a message that says what and where, the right exit code, and nothing is an orphan.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::program::World;

/// Audits and plans with this registry: neither judges anything, and both say why.
fn check(world: &World, registry: &str, said: &str) {
    let environment = [("BUCKETREE_REGISTRY", registry)];
    let audit =
        world.check_with(&environment, &["audit", "--summary", "--json"], 1, &["cannot trust the registry", said]);
    let summary = audit.one();
    assert_eq!(summary["registry"]["state"], "unusable", "{registry}");
    assert_eq!(summary["by_verdict"]["undetermined"]["objects"], summary["objects"], "{registry}");
    world.check_with(&environment, &["plan", "delete", "-o", "p.jsonl"], 4, &["guard \"registry trusted\"", said]);
    assert!(!world.path("p.jsonl").exists() && !audit.stderr.contains("hunter2"), "{registry}: {audit:?}");
    let doctor = world.check_with(&environment, &["doctor", "--json"], 1, &[]);
    let line = doctor.json().into_iter().find(|line| line["check"] == "registry").expect("a line about the registry");
    assert_eq!(line["status"], "failed", "{registry}: {line}");
    assert_ne!(line["mend"], "", "{registry}: {line}");
    assert!(!doctor.stdout.windows(7).any(|part| part == b"hunter2"), "{registry}");
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

#[test]
fn a_server_that_is_not_there_or_not_understood() {
    let world = World::start();
    // Nothing listens on port 1 of this machine.
    let quick = "serverSelectionTimeoutMS=300";
    check(
        &world,
        &format!("mongodb://app:hunter2@127.0.0.1:1/app?{quick}"),
        "mongodb: 127.0.0.1:1/app cannot be opened: no server answers",
    );
    check(&world, &format!("mongodb://app:hunter2@127.0.0.1:1/app?tls=true&{quick}"), "no server answers");
    check(&world, "mongodb://app:hunter2@127.0.0.1", "it names no database");
    check(&world, "mongodb://app:hunt@hunter2@127.0.0.1/app", "percent-encoded");
    check(&world, "mongodb://app:hunter2@127.0.0.1/app?readConcernLevels=x&w=hunter2", "an option after the ?");
    check(&world, "mongodb+srv://app:hunter2@127.0.0.1:27017/app", "mongodb+srv: cannot be opened");
}

#[test]
fn exports_that_are_cut_off_or_damaged() {
    let world = World::start();
    let rows: Vec<String> = (0..300).map(|n| format!("{{\"_id\":{{\"$oid\":\"{n:024x}\"}}}}")).collect();
    let good = rows.join("\n") + "\n";
    let whole = packed(&good);
    check(&world, &world.write("cut.jsonl.gz", &whole[..whole.len() - 9]), "cut.jsonl.gz was read in part only");
    // One row in a hundred, each of another kind.
    for (wrong, said) in [
        ("{\"_id\":", "line 100: expected one whole JSON value on the line"),
        ("{\"_id\":null}", "line 100: expected an id"),
        ("{\"name\":\"no id\"}", "line 100: expected an id"),
        ("{\"_id\":{\"$date\":\"2026-01-01T00:00:00Z\"}}", "line 100: `_id`: an id should be text"),
        ("{\"object_key\":null,\"project_id\":1}", "line 100: `object_key` should be a key as text"),
        ("{\"object_key\":7,\"project_id\":1}", "line 100: `object_key` should be a key as text"),
    ] {
        let mut some = rows.clone();
        some[99] = wrong.into();
        check(&world, &world.write("rows.jsonl.gz", packed(&some.join("\n"))), said);
    }
}
