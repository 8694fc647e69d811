//! A bucket with orphans, a registry with rows of them, a plan, and what was there before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::program::{Ran, World};

/// Objects of a bucket whose orphans take two requests and two transactions of rows.
pub const OBJECTS: u32 = 5000;

/// One bucket, one plan.
pub struct Scene {
    pub world: World,
    pub confirm: String,
    planned: BTreeSet<String>,
    objects: BTreeSet<String>,
    rows: BTreeSet<(String, String)>,
}

/// A key as text: exact where it is UTF-8.
fn key(value: &Value) -> String {
    match value["key"].as_str() {
        Some(key) => key.to_owned(),
        None => format!("\0base64 {}", value["key_base64"].as_str().unwrap()),
    }
}

impl Scene {
    /// Of about so many objects, about a quarter of which are orphans.
    pub fn of(objects: u32) -> Self {
        let world = World::with_objects(objects);
        let plan = world.check(&["plan", "delete", "-o", "plan.jsonl", "--json"], 0, &[]).one();
        let text = std::fs::read_to_string(world.path("plan.jsonl")).unwrap();
        let planned = text.lines().skip(1).map(|line| key(&serde_json::from_str(line).unwrap())).collect();
        let confirm = plan["confirm"].as_str().unwrap().to_owned();
        let mut scene = Self { world, confirm, planned, objects: BTreeSet::new(), rows: BTreeSet::new() };
        scene.objects = scene.objects_now();
        scene.rows = scene.rows_now();
        scene
    }

    /// The arguments that carry the plan out, one request after the other.
    pub fn apply(&self) -> [&str; 7] {
        ["apply", "plan.jsonl", "--json", "--concurrency", "1", "--confirm", &self.confirm]
    }

    pub fn objects_now(&self) -> BTreeSet<String> {
        self.world.check(&["ls", "--json"], 0, &[]).json().iter().map(key).collect()
    }

    /// Keys and owners of every tracking row.
    fn rows_now(&self) -> BTreeSet<(String, String)> {
        let options = SqliteConnectOptions::new().filename(self.world.demo("registry")).read_only(true);
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            let query = sqlx::query_as("SELECT object_key, project_id FROM r2_objects");
            let rows: Vec<(String, String)> = query.fetch_all(&mut connection).await.unwrap();
            rows.into_iter().collect()
        })
    }

    /// The runs as `runs --json` tells of them.
    pub fn runs(&self) -> Vec<Value> {
        let ran = self.world.run(&["runs", "--json"]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        ran.json()
    }

    /// Brings what was killed to its end, as a person would: a run that is shown is resumed, a plan that no run used is
    /// applied again. Returns the run.
    pub fn bring_to_end(&self) -> String {
        let ran = match self.runs().as_slice() {
            [] => {
                assert_eq!(self.objects_now(), self.objects, "without a run nothing is gone");
                self.world.run(&self.apply())
            }
            [run] if run["finished"] == false => self.world.run(&["resume", run["run"].as_str().unwrap(), "--json"]),
            [run] => return run["run"].as_str().unwrap().to_owned(),
            more => panic!("one plan had more than one run: {more:?}"),
        };
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let report = ran.one();
        assert_eq!((&report["success"], &report["verified"]), (&true.into(), &true.into()), "{report}");
        report["run"].as_str().unwrap().to_owned()
    }

    /// What must hold at the end of any run, however it came there.
    pub fn check_truth(&self, run: &str) {
        let shown = self.world.check(&["runs", "show", run, "--json"], 0, &[]).json();
        let ends: BTreeMap<String, &str> =
            shown[1..].iter().map(|line| (key(line), line["outcome"].as_str().unwrap())).collect();
        assert_eq!(
            ends.keys().collect::<Vec<_>>(),
            self.planned.iter().collect::<Vec<_>>(),
            "every key has an outcome"
        );
        let now = self.objects_now();
        for (key, outcome) in &ends {
            let said_gone = ["deleted", "deleted-by-earlier-attempt", "absent-before"].contains(outcome);
            assert_eq!(said_gone, !now.contains(key), "{key} is {outcome}");
        }
        let gone: BTreeSet<&String> = self.objects.difference(&now).collect();
        assert!(gone.iter().all(|key| self.planned.contains(*key)), "something outside of the plan is gone");
        assert_eq!(now.difference(&self.objects).count(), 0);
        let rows = self.rows_now();
        let removed: Vec<_> = self.rows.difference(&rows).collect();
        assert!(removed.iter().all(|(key, _)| !now.contains(key)), "a row of an object that is there was removed");
        self.world.check(&["verify", run], 0, &[]);
    }

    /// That nothing of the plan is left, neither in the bucket nor in the registry.
    pub fn check_done(&self) {
        let now = self.objects_now();
        assert!(self.planned.iter().all(|key| !now.contains(key)), "not all of the plan was done");
        let left: Vec<_> = self.rows_now().into_iter().filter(|(key, _)| self.planned.contains(key)).collect();
        assert!(left.is_empty(), "rows of what is gone were left: {left:?}");
        assert!(self.rows.iter().any(|(key, _)| self.planned.contains(key)), "the plan had no tracked object");
    }

    /// Runs the program with a place to die at; it must die there.
    pub fn die_at(&self, place: &str, arguments: &[&str]) -> Ran {
        let ran = self.world.run_with(&[("BUCKETREE_FAILPOINT", place)], arguments);
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(ran.code, None, "it was to die at {place}, and said {said}");
        ran
    }
}
