//! Whatever is wrong with the world: a message that says what was attempted and what to do, and the right exit code.

use crate::program::{Ran, World, program};

#[test]
fn a_bucket_that_cannot_be_used() {
    let world = World::start();
    let ls: &[&str] = &["ls"];
    world.check_with(
        &[("R2_BUCKET_NAME", "nope")],
        ls,
        1,
        &["cannot list bucket \"nope\" at http://127", "check the bucket's name"],
    );
    let said = world.run_with(&[("R2_BUCKET_NAME", "nope")], ls).stderr;
    assert!(!said.contains("listing bucket"), "what was attempted is said twice: {said}");
    world.check_with(&[("R2_BUCKET_NAME", "")], ls, 2, &["cannot open a bucket: none is named", "--bucket"]);
    let wrong_secret = [("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-this-bucket")];
    world.check_with(&wrong_secret, ls, 1, &["cannot list bucket", "check the access key id and the secret"]);
    let wrong_id = [("AWS_ACCESS_KEY_ID", "00000000000000000000000000000000")];
    world.check_with(&wrong_id, ls, 1, &["check the access key id"]);
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_EC2_METADATA_DISABLED", "true")];
    world.check_with(&none, ls, 1, &["no credentials"]);
    // Nothing listens on port 1 of this machine.
    let dead = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    world.check_with(&dead, ls, 1, &["cannot list bucket", "http://127.0.0.1:1", "check the endpoint"]);
    for verb in ["du", "audit", "verify"] {
        let arguments = if verb == "verify" { vec![verb, "x"] } else { vec![verb] };
        let code = if verb == "verify" { 2 } else { 1 };
        world.check_with(&[("R2_BUCKET_NAME", "nope")], &arguments, code, &["bucketree: cannot "]);
    }
    world.check(&["ls", "--endpoint", "ftp://host"], 2, &["--endpoint"]);
    let ran = world.check(&["ls", "--endpoint", "https://me:hunter2@host"], 2, &[]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
}

#[test]
fn a_registry_that_cannot_be_trusted() {
    let world = World::start();
    let folder = world.home.path().display().to_string();
    let cases: &[(&str, String, &str)] = &[
        ("missing", "no-such.db".into(), "is not there"),
        ("a folder", folder, "registry"),
        ("malformed", world.write("broken.json", "[{\"id\": \"a\"},"), "broken.json"),
        ("empty", world.write("empty.json", "[]"), "no projects"),
        ("unknown", "redis://app:hunter2@host/db".into(), "not supported"),
    ];
    for (what, registry, said) in cases {
        let environment = [("BUCKETREE_REGISTRY", registry.as_str())];
        let audit =
            world.check_with(&environment, &["audit", "--summary", "--json"], 1, &["cannot trust the registry", said]);
        let summary = audit.one();
        assert_eq!(summary["registry"]["state"], "unusable", "{what}");
        assert_eq!(summary["by_verdict"]["undetermined"]["objects"], summary["objects"], "{what}");
        world.check_with(&environment, &["plan", "delete", "-o", "p.jsonl"], 4, &["guard \"registry trusted\"", said]);
        assert!(!world.path("p.jsonl").exists() && !audit.stderr.contains("hunter2"), "{what}");
    }
    let none = [("BUCKETREE_REGISTRY", "")];
    let audit = world.check_with(&none, &["audit", "--summary", "--json"], 0, &["no registry is configured"]).one();
    assert_eq!(audit["registry"]["state"], "absent");
    world.check_with(&none, &["plan", "delete", "-o", "p.jsonl"], 4, &["no registry is configured"]);
}

#[test]
fn a_registry_that_shrank_is_not_believed() {
    let world = World::start();
    let ids = |count: usize| (0..count).map(|n| format!("{n}\n")).collect::<String>();
    let registry = world.write("ids.txt", ids(100));
    let environment = [("BUCKETREE_REGISTRY", registry.as_str())];
    world.check_with(&environment, &["audit", "--summary"], 0, &[]);
    world.write("ids.txt", ids(79));
    world.check_with(&environment, &["audit", "--summary"], 1, &["79 projects", "100 last time", "mend the registry"]);
    world.check_with(&environment, &["plan", "delete", "-o", "p.jsonl"], 4, &["79 projects"]);
    world.write("ids.txt", ids(80));
    world.check_with(&environment, &["audit", "--summary"], 0, &[]);
}

#[test]
fn a_configuration_that_cannot_be_understood() {
    let world = World::start();
    let config = |text: &str| world.write("config.toml", text);
    let ls: &[&str] = &["ls"];
    config("[profiles.default]\nbukket = \"x\"\n");
    world.check(ls, 2, &["config.toml, line 2", "`bukket`", "did you mean `bucket`?"]);
    config("[profiles.default]\nmin_age = \"soon\"\n");
    world.check(ls, 2, &["config.toml, line 2", "min_age"]);
    config("[profiles.default\n");
    world.check(ls, 2, &["config.toml, line 1", "mend the file"]);
    config("[profiles.default]\n[profiles.media]\n");
    world.check(&["ls", "--profile", "meda"], 2, &["no profile `meda`", "media"]);
    world.check(&["ls", "--env-file", "no-such"], 2, &["no-such"]);
    world.check(&["config", "init"], 1, &["is there already"]);
    config("");
    let layouts =
        world.write("layouts.toml", "[[layout]]\nname = \"a\"\ntemplate = \"x/{projekt}\"\nhealth = \"legacy\"\n");
    world.check(&["ls", "--layouts", &layouts], 2, &["layouts.toml, line 3", "projekt"]);
    world.check(
        &["layouts", "test", "a", "--layouts", "no-such.toml"],
        2,
        &["cannot read the layouts", "no-such.toml"],
    );
    world.check(&["ls", "--no-such-flag"], 2, &["--no-such-flag"]);
    world.check(&["audit", "--flag", "old"], 2, &["young"]);
    world.check(&["plan", "delete"], 2, &["--output"]);
}

#[test]
fn row_77_settings_say_where_they_come_from_and_never_a_secret() {
    let world = World::start();
    let shown = world.check(&["config", "show", "--json", "--bucket", "other"], 0, &[]).json();
    let setting = |name: &str| shown.iter().find(|line| line["setting"] == name).unwrap();
    assert_eq!((&setting("bucket")["value"], &setting("bucket")["origin"]), (&"other".into(), &"--bucket".into()));
    assert_eq!(setting("endpoint")["origin"], "AWS_ENDPOINT_URL in the environment");
    assert_eq!(setting("min_age")["origin"], "default");
    world.check(&["config", "show"], 0, &[]);
    let path = world.path("config.toml").display().to_string();
    assert_eq!(world.check(&["config", "path"], 0, &[]).text().trim_end(), path);
    assert_eq!(world.check(&["config", "init"], 0, &[]).text().trim_end(), path);
    world.check(&["config", "show", "-vv"], 0, &[]);
    world.check(&["ls", "-vv"], 0, &["autoshorts-media"]);
}

#[test]
fn a_state_folder_that_cannot_be_written_stops_the_run_before_it_begins() {
    let world = World::start();
    let arguments = ["plan", "delete", "--project", "1", "-o", "plan.jsonl", "--json"];
    let plan = world.check(&arguments, 0, &[]).one();
    let before = world.check(&["ls"], 0, &[]).stdout;
    let file = world.write("a-file", "");
    let state = [("BUCKETREE_STATE_DIR", format!("{file}/state"))];
    let state = [("BUCKETREE_STATE_DIR", state[0].1.as_str())];
    let apply = ["apply", "plan.jsonl", "--confirm", plan["confirm"].as_str().unwrap()];
    world.check_with(&state, &apply, 4, &["a-file/state/runs", "nothing was deleted"]);
    world.check_with(&state, &["plan", "delete", "-o", "other.jsonl"], 4, &["a-file/state"]);
    let nowhere = format!("{file}/plan.jsonl");
    world.check(&["plan", "delete", "-o", &nowhere], 1, &["cannot write the plan", "a-file/plan.jsonl"]);
    assert_eq!(world.check(&["ls"], 0, &[]).stdout, before);
}

#[test]
fn without_a_terminal_the_headless_way_is_named() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["demo"], &["demo", "--objects", "10"]] {
        let ran = Ran::of(program(home.path()).args(arguments));
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("is not a terminal") && ran.stderr.contains("`bucketree ls`"), "{ran:?}");
        assert!(ran.stdout.is_empty(), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn closed_ends_are_no_surprise() {
    let world = World::start();
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_bucketree");
        command.args(["-c", script, "sh", program]);
        let environment = world.command(&[""; 0]);
        command.env_clear().envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ran::of(command.current_dir(world.home.path()))
    };
    let without_stdin = shell("exec \"$1\" ls <&-");
    assert_eq!((without_stdin.code, without_stdin.stderr.as_str()), (Some(0), ""));
    assert_eq!(without_stdin.stdout, world.check(&["ls"], 0, &[]).stdout);
    assert_eq!(shell("exec \"$1\" <&-").code, Some(2));
    assert_eq!(shell("exec \"$1\" layouts test - <&-").code, Some(2));
    assert_eq!(shell("exec \"$1\" ls --bucket nope 2>&-").code, Some(1));
    if std::path::Path::new("/dev/full").exists() {
        let full = shell("exec \"$1\" ls >/dev/full");
        assert_eq!(full.code, Some(1), "{full:?}");
        assert!(full.stderr.contains("cannot write the output"), "{full:?}");
    }
}
