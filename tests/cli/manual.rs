//! The manual page and the completions know everything that there is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{Ran, World, program};

fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            fields(value, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_every_json_shape_is_in_the_manual() {
    let world = World::start();
    let manual = world.check(&["man"], 0, &[]);
    let manual =
        ["\\fB", "\\fI", "\\fR"].iter().fold(manual.text().replace("\\-", "-"), |text, font| text.replace(font, " "));
    world.check(&["scan", "--out", "earlier.parquet"], 0, &[]);
    let plan = world.check(&["plan", "delete", "--project", "1", "-o", "plan.jsonl", "--json"], 0, &[]);
    let confirm = plan.one()["confirm"].as_str().unwrap().to_owned();
    let applied = world.check(&["apply", "plan.jsonl", "--confirm", &confirm, "--json"], 0, &[]);
    let run = applied.one()["run"].as_str().unwrap().to_owned();
    let verbs: &[&[&str]] = &[
        &["ls"],
        &["du"],
        &["audit"],
        &["audit", "--summary"],
        &["verify", &run],
        &["runs"],
        &["runs", "show", &run],
        &["trash", "list"],
        &["usage"],
        &["registry", "check"],
        &["registry", "check", "--project", "10"],
        &["registry", "backfill"],
        &["registry", "prune"],
        &["audit", "--explain", "--project", "10"],
        &["scan", "--out", "later.parquet"],
        &["diff", "earlier.parquet", "later.parquet"],
        &["diff", "earlier.parquet", "later.parquet", "--summary"],
        &["runs", "export", &run, "-o", "bundle.jsonl"],
        &["runs", "check", "bundle.jsonl"],
        &["layouts", "test", "audio/proj_1/s/a.mp3"],
        &["config", "show"],
        &["config", "path"],
    ];
    let moved = world.check(&["plan", "trash", "-o", "trash.jsonl", "--json"], 0, &[]).one();
    let confirm = moved["confirm"].as_str().unwrap().to_owned();
    world.check(&["apply", "trash.jsonl", "--confirm", &confirm], 0, &[]);
    let outputs = verbs.iter().map(|verb| world.check(&[verb, &["--json"][..]].concat(), 0, &[]));
    let mut found = BTreeSet::new();
    for ran in outputs.chain([plan, applied]) {
        assert!(!ran.stdout.is_empty(), "{ran:?}");
        ran.json().iter().for_each(|value| fields(value, &mut found));
    }
    fields(&world.demo, &mut found);
    let is_word =
        |name: &&String| manual.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).any(|word| word == *name);
    let missing: Vec<&String> = found.iter().filter(|name| !is_word(name)).collect();
    assert!(missing.is_empty(), "not in the manual: {missing:?}");
}

#[test]
fn shells_complete_every_verb() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let ran = Ran::of(program(home.path()).args(["completions", shell]));
        assert_eq!(ran.code, Some(0));
        for word in ["audit", "keys-from", "min-age", "verify"] {
            assert!(ran.text().contains(word), "{shell}: {word}");
        }
    }
    let none = Ran::of(program(home.path()).args(["completions", "cmd"]));
    assert_eq!(none.code, Some(2));
}

#[test]
fn help_and_version_are_on_stdout() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, part) in
        [(&["--version"][..], "bucketree 0"), (&["--help"], "audit"), (&["plan", "delete", "--help"], "--keys-from")]
    {
        let ran = Ran::of(program(home.path()).args(arguments));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ran.text().contains(part), "{ran:?}");
    }
}
