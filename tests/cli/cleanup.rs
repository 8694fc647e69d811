//! From the audit to the proof, and everything on the way that refuses.

use serde_json::{Value, json};

use crate::program::World;

fn summary(world: &World) -> Value {
    world.check(&["audit", "--summary", "--json"], 0, &[]).one()
}

fn project<'s>(summary: &'s Value, id: &str) -> Option<&'s Value> {
    summary["by_project"].as_array().unwrap().iter().find(|project| project["project"] == id)
}

fn plan(world: &World, name: &str) -> Value {
    world.check(&["plan", "delete", "--project", "proj_1", "-o", name, "--json"], 0, &[]).one()
}

#[test]
fn the_orphans_of_one_project_go_and_nothing_else() {
    let world = World::start();
    let before = summary(&world);
    let orphans = project(&before, "1").unwrap().clone();
    assert_eq!(orphans["live"], false);
    assert!(orphans["objects"].as_u64().unwrap() >= 5);
    assert_eq!(
        orphans["by_verdict"],
        json!({ "orphaned": { "objects": orphans["objects"], "bytes": orphans["bytes"] } })
    );

    let plan = plan(&world, "plan.jsonl");
    assert_eq!((&plan["objects"], &plan["bytes"]), (&orphans["objects"], &orphans["bytes"]));
    let confirm = plan["confirm"].as_str().unwrap();
    assert_eq!(confirm, format!("{} {}", world.demo("bucket"), orphans["objects"]));

    let applied = world.check(&["apply", "plan.jsonl", "--confirm", confirm, "--json"], 0, &[]).one();
    assert_eq!(applied["planned"], orphans["objects"]);
    assert_eq!(applied["outcomes"]["deleted"], orphans["objects"]);
    assert_eq!(applied["verified"], true);
    assert!(applied["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(applied["requests"]["delete-many"], 1, "what was asked of the store: {}", applied["requests"]);
    let outcomes = applied["outcomes"].as_object().unwrap();
    assert_eq!(outcomes.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), applied["planned"]);

    let after = summary(&world);
    assert_eq!(project(&after, "1"), None);
    for kept in ["10", "summer_2025"] {
        assert_eq!(project(&after, kept), project(&before, kept), "project {kept}");
    }
    for verdict in ["live", "untracked", "conflict", "unrecognized"] {
        assert_eq!(after["by_verdict"][verdict], before["by_verdict"][verdict], "{verdict}");
    }
    let gone = orphans["objects"].as_u64().unwrap();
    assert_eq!(after["objects"].as_u64().unwrap(), before["objects"].as_u64().unwrap() - gone);
    look_back(&world, applied["run"].as_str().unwrap(), gone);
}

fn look_back(world: &World, run: &str, gone: u64) {
    let verified = world.check(&["verify", run, "--json"], 0, &[]).one();
    assert_eq!((&verified["verified"], &verified["gone"]), (&json!(true), &json!(gone)));
    let runs = world.check(&["runs", "--json"], 0, &[]).json();
    assert_eq!(runs.iter().map(|line| line["run"].as_str().unwrap()).collect::<Vec<_>>(), [run]);
    assert_eq!((&runs[0]["finished"], &runs[0]["cancelled"]), (&json!(true), &json!(false)));
    let shown = world.check(&["runs", "show", &run[..20], "--json"], 0, &[]).json();
    assert_eq!(shown.len() as u64, gone + 1);
    assert_eq!(shown[0]["requests"]["delete-many"], 1);
    let told = world.check(&["runs", "show", run], 0, &[]);
    assert!(told.text().contains("1 delete-many"), "{}", told.text());
    assert!(shown[1..].iter().all(|key| key["outcome"] == "deleted"), "{shown:?}");
    hand_over(world, run, gone);
    world.check(&["runs", "show", "no-such-run"], 2, &["there is no run no-such-run"]);
    world.check(&["verify", "no-such-run"], 2, &["bucketree: cannot find run \"no-such-run\""]);
    let other = [("R2_BUCKET_NAME", "other")];
    world.check_with(&other, &["verify", run], 2, &["autoshorts-media", "other", "--bucket"]);
}

/// The bundle of the run, checked where there is neither bucket nor run.
fn hand_over(world: &World, run: &str, gone: u64) {
    let exported = world.check(&["runs", "export", run, "-o", "bundle.jsonl", "--json"], 0, &[]).one();
    assert_eq!((&exported["run"], &exported["outcomes"]["deleted"]), (&json!(run), &json!(gone)));
    let text = std::fs::read_to_string(world.path("bundle.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap());
    let keys: Vec<Value> = lines.filter(|line: &Value| line["line"] == "key").collect();
    assert!(
        !keys.is_empty() && keys.iter().all(|key| ["200", "204"].contains(&key["HTTPStatusCode"].as_str().unwrap())),
        "{keys:?}"
    );
    world.check(&["runs", "export", run, "-o", "bundle.jsonl"], 1, &["bundle.jsonl", "name a new file"]);
    let elsewhere = World::start();
    let bundle = std::fs::read(world.path("bundle.jsonl")).unwrap();
    elsewhere.write("bundle.jsonl", &bundle);
    let checked = elsewhere.check(&["runs", "check", "bundle.jsonl", "--json"], 0, &[]).one();
    assert_eq!(checked, exported);
    assert!(elsewhere.check(&["runs", "check", "bundle.jsonl"], 0, &[]).text().contains("bundle.jsonl: intact"));
    let text = String::from_utf8(bundle).unwrap();
    elsewhere.write("edited.jsonl", text.replacen("succeeded", "succeedex", 1));
    elsewhere.check(&["runs", "check", "edited.jsonl"], 1, &["the checksum does not match", "line "]);
    elsewhere.write("cut.jsonl", &text[..text.len() / 2]);
    elsewhere.check(&["runs", "check", "cut.jsonl"], 1, &["not written to its end"]);
}

#[test]
fn rows_54_and_65_whatever_is_wrong_with_a_plan_is_refused_by_name() {
    let world = World::start();
    let objects = summary(&world)["objects"].clone();
    let plan = plan(&world, "plan.jsonl");
    let confirm = plan["confirm"].as_str().unwrap();
    let apply = |file: &str, confirm: &str, environment: &[(&str, &str)], code: i32, said: &[&str]| {
        let arguments = ["apply", file, "--confirm", confirm];
        world.check_with(environment, &arguments, code, said)
    };

    let wrong = format!("{} 1", world.demo("bucket"));
    apply("plan.jsonl", &wrong, &[], 4, &["--confirm is", &format!("needs {confirm:?}"), "nothing was deleted"]);
    apply("plan.jsonl", "", &[], 4, &["--confirm is \"\""]);
    apply("plan.jsonl", &format!(" {confirm}"), &[], 4, &["nothing was deleted"]);
    world.check(&["apply", "plan.jsonl"], 2, &["--confirm"]);
    apply("no-such.jsonl", confirm, &[], 1, &["no-such.jsonl"]);

    let bytes = std::fs::read(world.path("plan.jsonl")).unwrap();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for at in [header / 2, header + 20, bytes.len() - 10] {
        let mut edited = bytes.clone();
        edited[at] = if edited[at] == b'0' { b'1' } else { b'0' };
        world.write("edited.jsonl", &edited);
        apply("edited.jsonl", confirm, &[], 4, &["edited.jsonl, line", "nothing was deleted"]);
    }
    world.write("torn.jsonl", &bytes[..bytes.len() - 40]);
    apply("torn.jsonl", confirm, &[], 4, &["the plan is refused"]);

    apply("plan.jsonl", confirm, &[("R2_BUCKET_NAME", "other")], 4, &["it is for bucket \"autoshorts-media\""]);
    let layouts = "[[layout]]\nname = \"one\"\ntemplate = \"{project}/{file}\"\nhealth = \"canonical\"\n";
    let layouts = world.write("layouts.toml", layouts);
    apply("plan.jsonl", confirm, &[("BUCKETREE_LAYOUTS", &layouts)], 4, &["made under other layouts"]);
    apply("plan.jsonl", confirm, &[("BUCKETREE_REGISTRY", "")], 4, &["registry"]);
    assert_eq!(summary(&world)["objects"], objects, "a refused plan deletes nothing");
    assert!(world.check(&["runs"], 0, &["there is no run in"]).stdout.is_empty());

    apply("plan.jsonl", confirm, &[], 0, &[]);
    apply("plan.jsonl", confirm, &[], 4, &["it was used by run", "a plan is used once"]);
}

#[test]
fn a_project_that_came_back_between_plan_and_run_is_kept() {
    let world = World::start();
    let ids: Vec<String> = live_projects(&world);
    let registry = world.write("ids.txt", ids.join("\n"));
    let environment = [("BUCKETREE_REGISTRY", registry.as_str())];
    let arguments = ["plan", "delete", "--project", "1", "-o", "plan.jsonl", "--json"];
    let plan = world.check_with(&environment, &arguments, 0, &[]).one();

    world.write("ids.txt", format!("{}\nproj_1", ids.join("\n")));
    let arguments = ["apply", "plan.jsonl", "--json", "--confirm", plan["confirm"].as_str().unwrap()];
    let applied = world.check_with(&environment, &arguments, 0, &[]).one();
    assert_eq!(applied["outcomes"]["skipped-now-live"], plan["objects"]);
    assert_eq!(applied["outcomes"]["deleted"], 0);
}

/// The ids that the audit calls live, as one might export them.
fn live_projects(world: &World) -> Vec<String> {
    let summary = summary(world);
    let projects = summary["by_project"].as_array().unwrap().iter();
    projects
        .filter(|project| project["live"] == true)
        .map(|project| project["project"].as_str().unwrap().into())
        .collect()
}
