//! Bucket and registry compared and mended by the real program, in a real database file.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::filled::YOUNG;
use crate::program::World;

/// What a statement gives, one text per row.
pub fn sql(world: &World, statement: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", world.demo("registry"));
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut connection).await.unwrap()
    })
}

/// Every tracking row, value by value, with its number, in the order of the table.
pub fn tracking_rows(world: &World) -> Vec<String> {
    let columns = ["rowid", "project_id", "scene_id", "object_key", "file_type", "created_at"];
    let typed: Vec<String> = columns.iter().map(|name| format!("quote({name})")).collect();
    sql(world, &format!("SELECT {} FROM r2_objects", typed.join(" || ' ' || ")))
}

fn check(world: &World, more: &[&str]) -> (Vec<Value>, Value) {
    let arguments = [&["registry", "check", "--json"], more].concat();
    let mut lines = world.check(&arguments, 0, &[]).json();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["kind"], "summary");
    (lines, summary)
}

fn of_kind<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// Plans with `arguments` and applies; the report of the run.
fn mended(world: &World, arguments: &[&str], name: &str) -> (Value, Value) {
    let arguments = [arguments, &["-o", name, "--json"]].concat();
    let plan = world.check_with(YOUNG, &arguments, 0, &[]).one();
    let confirm = plan["confirm"].as_str().unwrap().to_owned();
    world.check(&["apply", name, "--confirm", "wrong 1"], 4, &["--confirm is"]);
    let report = world.check(&["apply", name, "--confirm", &confirm, "--json"], 0, &[]).one();
    assert_eq!((&report["success"], &report["planned"]), (&json!(true), &plan["objects"]), "{report}");
    (plan, report)
}

#[test]
fn untracked_objects_are_recorded_with_what_layout_and_head_tell() {
    let world = World::start();
    let keys = world.run(&["ls"]).stdout;
    let (before, summary) = check(&world, &[]);
    let untracked = of_kind(&before, "untracked").len() as u64;
    assert!(untracked > 0 && summary["untracked"] == untracked, "{summary}");
    let (plan, report) = mended(&world, &["registry", "backfill"], "backfill.jsonl");
    assert_eq!((&plan["kind"], &plan["objects"]), (&json!("backfill"), &json!(untracked)));
    assert_eq!((&report["outcomes"]["recorded"], &report["rows"]["added"]), (&json!(untracked), &json!(untracked)));
    let (after, summary) = check(&world, &[]);
    assert_eq!((of_kind(&after, "untracked").len(), &summary["untracked"]), (0, &json!(0)));
    let key = before.iter().find(|line| line["kind"] == "untracked").unwrap()["key"].as_str().unwrap();
    let row =
        format!("SELECT project_id || ' ' || scene_id || ' ' || file_type FROM r2_objects WHERE object_key = '{key}'");
    let row = sql(&world, &row);
    let scene = key.split("scenes/").nth(1).map_or("", |rest| rest.split('/').next().unwrap());
    assert!(row.len() == 1 && row[0].contains("proj_") && row[0].contains(scene), "{key}: {row:?}");
    assert_eq!(world.run(&["ls"]).stdout, keys, "nothing of the bucket is changed");
    let nothing = world.check(&["registry", "backfill"], 0, &[]);
    assert!(nothing.text().contains("there is nothing to do"), "{nothing:?}");
}

#[test]
fn rows_of_dead_projects_go_when_their_objects_are_proved_missing() {
    let world = World::start();
    let gone = "projects/proj_1/scenes/s/media/gone.mp4";
    let insert = |key: &str, project: &str| {
        let values = format!("('{project}', 's', '{key}', 'media', '2025-01-01')");
        sql(
            &world,
            &format!(
                "INSERT INTO r2_objects (project_id, scene_id, object_key, file_type, created_at) VALUES {values} RETURNING ''"
            ),
        );
    };
    let before = tracking_rows(&world);
    insert(gone, "proj_1");
    insert("projects/proj_10/scenes/s/media/gone.mp4", "proj_10");
    let (lines, summary) = check(&world, &["--project", "proj_1"]);
    let missing = of_kind(&lines, "missing");
    assert_eq!((missing.len(), &missing[0]["key"], &missing[0]["proof"]), (1, &json!(gone), &json!("proved")));
    assert_eq!((&missing[0]["owner"], &summary["agrees"]), (&json!("dead"), &json!(false)));
    assert_eq!(of_kind(&lines, "only-registry").len(), 1);
    assert!(!of_kind(&lines, "only-bucket").is_empty());
    let keys = world.run(&["ls"]).stdout;
    let (plan, report) = mended(&world, &["registry", "prune", "--project", "1"], "prune.jsonl");
    assert_eq!((&plan["kind"], &plan["objects"]), (&json!("prune"), &json!(1)));
    assert_eq!((&report["outcomes"]["absent-before"], &report["rows"]["removed"]), (&json!(1), &json!(1)));
    let after = tracking_rows(&world);
    assert_eq!(after.len(), before.len() + 1, "the row of the live project stays");
    assert!(!after.iter().any(|row| row.contains("'proj_1'") && row.contains("gone.mp4")));
    let dry = world.check(&["registry", "prune", "--also", "live"], 0, &[]);
    assert!(dry.text().contains("proj_10") && dry.text().contains("name a file with -o"), "{dry:?}");
    assert_eq!(tracking_rows(&world), after);
    assert_eq!(world.run(&["ls"]).stdout, keys);
}

#[test]
fn a_restored_run_leaves_the_registry_as_it_was_and_the_next_audit_trusts_it_all_the_way() {
    let world = World::start();
    let (objects, rows) = (world.run(&["ls", "--json"]).json(), tracking_rows(&world));
    let keys = |objects: &[Value]| objects.iter().map(|object| object["key"].clone()).collect::<Vec<_>>();
    let plan = world.check(&["plan", "trash", "-o", "trash.jsonl", "--json"], 0, &[]).one();
    let confirm = plan["confirm"].as_str().unwrap();
    let run = world.check(&["apply", "trash.jsonl", "--confirm", confirm, "--json"], 0, &[]).one();
    let removed = run["rows"]["removed"].as_u64().unwrap() as usize;
    assert!(removed * 5 > rows.len(), "more than a fifth, so that somebody else's removal would be held against it");
    assert_eq!(tracking_rows(&world).len(), rows.len() - removed);
    world.check(&["audit", "--summary"], 0, &[]);
    let id = run["run"].as_str().unwrap();
    let restored = world.check(&["restore", id, "--json"], 0, &[]).one();
    assert_eq!((&restored["rows"]["put_back"], &restored["success"]), (&json!(removed), &json!(true)));
    assert_eq!(tracking_rows(&world), rows, "every row as it was, in its old place");
    assert_eq!(keys(&world.run(&["ls", "--json"]).json()), keys(&objects));
    world.check(&["audit", "--summary"], 0, &[]);
    let elsewhere = [("BUCKETREE_STATE_DIR", world.path("other").display().to_string())];
    let other = [(elsewhere[0].0, elsewhere[0].1.as_str())];
    world.check_with(&other, &["audit", "--summary"], 0, &[]);
    sql(&world, "DELETE FROM r2_objects WHERE rowid % 3 = 0 RETURNING ''");
    world.check(&["audit", "--summary"], 1, &["fewer, and 20 % is the limit"]);
}

#[test]
fn keep_rows_keeps_them() {
    let world = World::start();
    let rows = tracking_rows(&world);
    let plan = world.check(&["plan", "delete", "--project", "1", "-o", "plan.jsonl", "--json"], 0, &[]).one();
    let confirm = plan["confirm"].as_str().unwrap();
    let run = world.check(&["apply", "plan.jsonl", "--confirm", confirm, "--keep-rows", "--json"], 0, &[]).one();
    assert_eq!((&run["rows"]["removed"], &run["success"]), (&json!(0), &json!(true)));
    assert_eq!(tracking_rows(&world), rows);
}

#[test]
fn a_plan_of_rows_keeps_what_came_back_meanwhile() {
    let world = World::start();
    sql(
        &world,
        "INSERT INTO r2_objects (project_id, object_key) VALUES ('proj_1', 'projects/proj_1/scenes/s/media/gone.mp4') RETURNING ''",
    );
    let plan = world.check(&["registry", "prune", "-o", "prune.jsonl", "--json"], 0, &[]).one();
    sql(&world, "INSERT INTO projects VALUES ('proj_1') RETURNING ''");
    let rows = tracking_rows(&world);
    let report = world.run(&["apply", "prune.jsonl", "--confirm", plan["confirm"].as_str().unwrap(), "--json"]);
    assert_eq!(report.one()["rows"]["removed"], 0);
    assert_eq!(tracking_rows(&world), rows, "a row of a project that is alive again stays");
}

#[test]
fn a_registry_that_does_not_track_or_cannot_be_read_is_said() {
    let world = World::start();
    let projects = world.write("projects.txt", "proj_10\nproj_summer_2025\n");
    let file = [("BUCKETREE_REGISTRY", projects.as_str())];
    world.check_with(&file, &["registry", "check"], 1, &["does not track keys"]);
    let none = [("BUCKETREE_REGISTRY", "absent.db")];
    world.check_with(&none, &["registry", "check"], 1, &["absent.db"]);
    world.check_with(&none, &["registry", "backfill", "-o", "plan.jsonl"], 4, &["guard \"registry trusted\""]);
    world.check(&["registry", "check", "--project", "proj_"], 2, &["names none"]);
}

#[test]
fn explain_says_what_tracked_keys_alone_would_miss() {
    let world = World::start();
    let lines = world.check(&["audit", "--project", "proj_1", "--explain", "--json"], 0, &[]).json();
    let audited = world.check(&["audit", "--project", "proj_1", "--json"], 0, &[]).json();
    let by = |word: &str| lines.iter().filter(|line| line["found_by"] == word).count();
    assert_eq!(by("registry") + by("layout") + by("both"), lines.len());
    assert!(by("layout") > 0 && lines.len() >= audited.len(), "{lines:?}");
    let text = world.check(&["audit", "--project", "proj_1", "--explain"], 0, &[]);
    assert!(text.text().contains("what goes by tracked keys alone misses them"), "{text:?}");
    world.check(&["audit", "--explain"], 2, &["--project"]);
}
