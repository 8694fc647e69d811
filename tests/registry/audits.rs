//! The real program on the embedded bucket, with the same facts in every database, and with a database that dies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::conformance::rows;
use crate::cutting_proxy::{CuttingProxy, End};
use crate::domain::facts::RegistryRow;
use crate::program::World;
use crate::server::{Database, Server, literal};

/// What the demo's registry knows: ids of projects, and project, scene and type of every key.
pub struct Facts {
    pub projects: Vec<String>,
    pub rows: Vec<(String, String, Option<String>, Option<String>)>,
}

impl Facts {
    pub async fn of(registry: &str) -> Self {
        let options = SqliteConnectOptions::new().filename(registry).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the demo's registry");
        let projects =
            sqlx::query_scalar("SELECT id FROM projects").fetch_all(&mut connection).await.expect("projects");
        let rows = sqlx::query_as("SELECT object_key, project_id, scene_id, file_type FROM r2_objects");
        Self { projects, rows: rows.fetch_all(&mut connection).await.expect("rows") }
    }

    /// Fills a database with the shipped tables.
    async fn fill(&self, database: &Database) {
        let schema = database
            .server
            .pick(include_str!("../../assets/sql/postgres.sql"), include_str!("../../assets/sql/mysql.sql"));
        database.run(schema).await;
        let values = |rows: Vec<String>| rows.join(", ");
        let optional = |text: &Option<String>| text.as_deref().map_or("NULL".into(), literal);
        let projects = self.projects.iter().map(|id| format!("({})", literal(id))).collect();
        database.run(&format!("INSERT INTO projects VALUES {}", values(projects))).await;
        for rows in self.rows.chunks(500) {
            let row = |(key, project, scene, kind): &(String, String, Option<String>, Option<String>)| {
                format!("({}, {}, {}, {})", literal(key), literal(project), optional(scene), optional(kind))
            };
            let rows = values(rows.iter().map(row).collect());
            let table = "r2_objects (object_key, project_id, scene_id, file_type)";
            database.run(&format!("INSERT INTO {table} VALUES {rows}")).await;
        }
    }

    fn json_lines(&self) -> String {
        let projects = self.projects.iter().map(|id| json!({ "id": id }));
        let rows = self.rows.iter().map(|(key, project, ..)| json!({ "object_key": key, "project_id": project }));
        projects.chain(rows).map(|record| format!("{record}\n")).collect()
    }
}

/// What `audit --json` says, without the name of the source and the time, which cannot be the same.
pub fn audit(world: &World, registry: &str) -> Vec<String> {
    let ran = world.run_with(&[("BUCKETREE_REGISTRY", registry)], &["audit", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = |mut line: Value| {
        let evidence = line["evidence"].as_object_mut().expect("evidence");
        let sources = evidence.remove("sources").expect("sources");
        let counts = sources[0].as_str().expect("a source").split(": ").last().expect("counts").to_owned();
        let counts = counts.split(", read ").next().expect("counts").to_owned();
        evidence.remove("judged_at");
        evidence.remove("age_seconds");
        format!("{counts} {line}")
    };
    ran.json().into_iter().map(line).collect()
}

pub async fn the_same_facts_give_the_same_audit(server: Arc<Server>) {
    let world = World::with_objects(600);
    let facts = Facts::of(world.demo("registry")).await;
    let database = Database::new(&server).await;
    facts.fill(&database).await;
    let file = world.write("facts.jsonl", facts.json_lines());
    let expected = audit(&world, world.demo("registry"));
    assert!(expected.len() >= 600);
    let verdicts: BTreeSet<&str> =
        expected.iter().filter_map(|line| line.split("\"verdict\":\"").nth(1)?.split('"').next()).collect();
    assert!(verdicts.len() >= 4, "{verdicts:?}");
    let address = server.address(&database.name, None, None);
    assert_eq!(audit(&world, &address), expected);
    assert_eq!(audit(&world, &file), expected);
    database.drop().await;
}

pub async fn a_database_that_dies_while_it_is_read_makes_every_verdict_undetermined(server: Arc<Server>) {
    let world = World::with_objects(200);
    let database = Database::new(&server).await;
    Facts::of(world.demo("registry")).await.fill(&database).await;
    let proxy = CuttingProxy::start(server.socket_address(), End::Cut).await;
    let address = server.address(&database.name, None, Some(proxy.address));
    let world = Arc::new(world);
    let summary = async || {
        let (world, address) = (Arc::clone(&world), address.clone());
        let run = move || world.run_with(&[("BUCKETREE_REGISTRY", &address)], &["audit", "--summary", "--json"]);
        tokio::task::spawn_blocking(run).await.expect("the program")
    };
    proxy.die_after(u64::MAX);
    assert_eq!(summary().await.one()["registry"]["state"], "usable");
    let whole = proxy.passed_together();
    for part in 0..6 {
        proxy.die_after(whole * part / 6);
        let ran = summary().await;
        let said = ran.one();
        assert_eq!(said["registry"]["state"], "unusable", "{ran:?}");
        let reason = said["registry"]["reasons"][0].as_str().expect("a reason");
        assert!(reason.contains(&database.name), "{reason}");
        let verdicts = said["by_verdict"].as_object().expect("verdicts").iter();
        let verdicts: Vec<&String> =
            verdicts.filter(|(_, of)| of["objects"] != 0).map(|(verdict, _)| verdict).collect();
        assert_eq!(verdicts, ["undetermined"]);
    }
    database.drop().await;
}

pub async fn an_object_that_somebody_refers_to_meanwhile_is_kept(server: Arc<Server>) {
    let world = Arc::new(World::with_objects(150));
    let database = Database::new(&server).await;
    Facts::of(world.demo("registry")).await.fill(&database).await;
    database.run("CREATE TABLE scenes (image varchar(999), project_id varchar(99))").await;
    let address = server.address(&database.name, None, None);
    let profile = format!(
        "[profiles.default.registry]\nsource = \"{address}\"\ntracked = false\n\
         [[profiles.default.registry.references]]\nfrom = \"scenes\"\nkey_field = \"image\"\n\
         owner_field = \"project_id\"\nurl = \"https://media.example.com\"\npercent_encoded = true\n"
    );
    world.write("config.toml", profile);
    let before = keys(&world);
    let planned = run(&world, "", &["plan", "delete", "--project", "proj_1", "-o", "plan.jsonl", "--json"]).await;
    let confirm = planned.one()["confirm"].as_str().expect("what to type").to_owned();
    let listed = run(&world, "", &["audit", "--json", "--project", "proj_1"]).await.json();
    let kept = listed[0]["key"].as_str().expect("text").to_owned();
    let url = format!("https://media.example.com/{}?v=2", kept.replace(' ', "%20"));
    let live = &Facts::of(world.demo("registry")).await.projects[0];
    database.run(&format!("INSERT INTO scenes VALUES ({}, {})", literal(&url), literal(live))).await;
    let applied = run(&world, "", &["apply", "plan.jsonl", "--confirm", &confirm, "--json"]).await;
    let outcomes = &applied.one()["outcomes"];
    assert_eq!(
        (&outcomes["skipped-now-live"], &outcomes["deleted"]),
        (&json!(1), &json!(listed.len() - 1)),
        "{applied:?}"
    );
    let after = keys(&world);
    let gone: Vec<&String> = before.difference(&after).collect();
    assert!(after.contains(&kept) && gone.len() == listed.len() - 1, "{gone:?}");
    database.drop().await;
}

/// Keys of the bucket.
fn keys(world: &World) -> BTreeSet<String> {
    let listed = world.run(&["ls", "--json"]);
    listed.json().iter().filter_map(|object| object["key"].as_str().map(str::to_owned)).collect()
}

/// How many rows each key has.
async fn tracked(database: &Database) -> BTreeMap<String, usize> {
    let registry = database.open(|_| {}).await.expect("open");
    let (rows, _) = rows(&*registry).await.expect("a reading");
    let mut tracked = BTreeMap::new();
    for row in rows {
        if let RegistryRow::Tracked { key, .. } = row {
            *tracked.entry(key.as_str().expect("text").to_owned()).or_default() += 1;
        }
    }
    tracked
}

/// Runs the program away from the thread that the proxy needs.
async fn run(world: &Arc<World>, registry: &str, arguments: &[&str]) -> crate::program::Ran {
    let (world, registry) = (Arc::clone(world), registry.to_owned());
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || world.run_with(&[("BUCKETREE_REGISTRY", &registry)], &arguments);
    tokio::task::spawn_blocking(run).await.expect("the program")
}

pub async fn a_database_that_dies_during_a_run_loses_no_row_and_no_live_object(server: Arc<Server>) {
    let mut whole = 0;
    for part in 0..7 {
        let world = Arc::new(World::with_objects(150));
        let database = Database::new(&server).await;
        let facts = Facts::of(world.demo("registry")).await;
        facts.fill(&database).await;
        // What is deleted has rows, so that there is something to lose.
        let orphans = run(&world, world.demo("registry"), &["audit", "--json", "--project", "proj_1"]).await.json();
        let orphans: BTreeSet<String> =
            orphans.iter().map(|line| line["key"].as_str().expect("text").to_owned()).collect();
        for key in &orphans {
            let table = "r2_objects (object_key, project_id)";
            database.run(&format!("INSERT INTO {table} VALUES ({}, 'proj_1')", literal(key))).await;
        }
        let proxy = CuttingProxy::start(server.socket_address(), End::Cut).await;
        let address = server.address(&database.name, None, Some(proxy.address));
        let (all, rows) = (keys(&world), tracked(&database).await);
        let planned =
            run(&world, &address, &["plan", "delete", "--project", "proj_1", "-o", "plan.jsonl", "--json"]).await;
        let confirm = planned.one()["confirm"].as_str().expect("what to type").to_owned();
        // The first part finds out how much there is to say.
        proxy.die_after(if part == 0 { u64::MAX } else { whole * (part - 1) / 6 + 1 });
        let applied = run(&world, &address, &["apply", "plan.jsonl", "--confirm", &confirm]).await;
        whole = whole.max(proxy.passed_together());
        assert!(part > 0 || applied.code == Some(0), "{applied:?}");
        let (left, rows_left) = (keys(&world), tracked(&database).await);
        let gone: BTreeSet<&String> = all.difference(&left).collect();
        assert!(gone.iter().all(|key| orphans.contains(*key)), "part {part}: only what was planned goes");
        for (key, count) in &rows {
            let stays = !gone.contains(key);
            assert!(!stays || rows_left.get(key) == Some(count), "part {part}: {key} is there, and its row is not");
        }
        if part > 0 {
            mend(&world, &address, &proxy, Path::new("again.jsonl")).await;
        }
        let (left, rows_left) = (keys(&world), tracked(&database).await);
        assert_eq!(left, all.difference(&orphans).cloned().collect(), "part {part}");
        let rows_due: BTreeMap<String, usize> = rows.into_iter().filter(|(key, _)| !orphans.contains(key)).collect();
        assert_eq!(rows_left, rows_due, "part {part}");
        database.drop().await;
    }
}

/// With the database alive again, what was begun is brought to its end.
async fn mend(world: &Arc<World>, address: &str, proxy: &CuttingProxy, plan: &Path) {
    proxy.die_after(u64::MAX);
    for listed in run(world, address, &["runs", "--json"]).await.json() {
        let id = listed["run"].as_str().expect("an id").to_owned();
        let resumed = run(world, address, &["resume", &id]).await;
        assert!(resumed.code.is_some(), "{resumed:?}");
    }
    let plan = plan.display().to_string();
    let planned = run(world, address, &["plan", "delete", "--project", "proj_1", "-o", &plan, "--json"]).await;
    if planned.code == Some(0) {
        let confirm = planned.one()["confirm"].as_str().expect("what to type").to_owned();
        let applied = run(world, address, &["apply", &plan, "--confirm", &confirm]).await;
        assert_eq!(applied.code, Some(0), "{applied:?}");
    }
}
