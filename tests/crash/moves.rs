//! Moves to the trash and back, killed at any moment: there is always one good copy, and at the end the bucket is what it
//! was, to the last byte.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bucketree::domain::{Key, trash};
use serde_json::Value;

use crate::filled::{Filled, YOUNG};
use crate::kills::{kill_after, kills, random};
use crate::program::Ran;

struct Moves {
    filled: Filled,
    /// What a person types to confirm the plan.
    confirm: String,
    planned: Vec<Key>,
    before: BTreeMap<Key, String>,
}

impl Moves {
    fn begin() -> Self {
        let filled = Filled::with(24);
        let before = filled.contents();
        let mut moves = Self { filled, confirm: String::new(), planned: Vec::new(), before };
        moves.plan();
        moves
    }

    /// A plan to move everything of project 1 to the trash; nothing is known of earlier runs.
    fn plan(&mut self) {
        self.filled.wait_for_age();
        let world = &self.filled.world;
        let _ = std::fs::remove_dir_all(world.path("state"));
        let _ = std::fs::remove_file(world.path("plan.jsonl"));
        let arguments = ["plan", "trash", "--project", "1", "-o", "plan.jsonl", "--json"];
        self.confirm = world.check_with(YOUNG, &arguments, 0, &[]).one()["confirm"].as_str().unwrap().to_owned();
        let plan = bucketree::journal::plan_file::read(&world.path("plan.jsonl")).unwrap();
        self.planned = plan.rows.into_iter().map(|row| row.object.key).collect();
        assert!(self.planned.len() > 24);
    }

    fn apply(&self) -> Vec<&str> {
        vec!["apply", "plan.jsonl", "--json", "--confirm", &self.confirm]
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.filled.world.run_with(YOUNG, arguments)
    }

    fn runs(&self) -> Vec<Value> {
        let ran = self.run(&["runs", "--json"]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        ran.json()
    }

    fn kill(&self, arguments: &[&str], moment: Duration) {
        let mut command = self.filled.world.command(arguments);
        command.envs(YOUNG.iter().copied());
        kill_after(&mut command, moment);
    }

    /// Every object of the plan is whole at one place at least, and nothing else has changed.
    fn nothing_is_lost(&self, run: &str) {
        let now = self.filled.contents();
        for (key, content) in &self.before {
            let copy = now.get(&trash::place(run, key));
            let planned = self.planned.binary_search(key).is_ok();
            assert!(now.get(key) == Some(content) || (planned && copy == Some(content)), "{key:?} is lost");
        }
    }

    /// Carries something out that is killed twice, and brings it to its end as a person would: what is unfinished is
    /// resumed, what never began is begun again. Returns the run.
    fn killed_twice(&self, arguments: &[&str], within: Duration) -> String {
        let moment = || Duration::from_micros(random(within.as_micros() as u64 + 1));
        let earlier = self.runs().len();
        self.kill(arguments, moment());
        let unfinished = || {
            let runs = self.runs();
            let run = runs.into_iter().find(|run| run["finished"] == false);
            run.map(|run| run["run"].as_str().unwrap().to_owned())
        };
        if let Some(run) = unfinished() {
            self.nothing_is_lost(&self.trash_run().unwrap_or_else(|| run.clone()));
            self.kill(&["resume", &run], moment());
        }
        let ran = match unfinished() {
            Some(run) => Some(self.run(&["resume", &run, "--json"])),
            None if self.runs().len() == earlier => Some(self.run(arguments)),
            None => None,
        };
        if let Some(ran) = ran {
            assert_eq!((ran.code, &ran.one()["success"]), (Some(0), &true.into()), "{ran:?}");
        }
        let runs = self.runs();
        assert_eq!((runs.len(), unfinished()), (earlier + 1, None));
        runs[earlier]["run"].as_str().unwrap().to_owned()
    }

    /// The run that moved to the trash: the first one.
    fn trash_run(&self) -> Option<String> {
        self.runs().first().map(|run| run["run"].as_str().unwrap().to_owned())
    }
}

#[test]
fn row_70_killed_at_any_moment_on_the_way_to_the_trash_and_back() {
    let mut moves = Moves::begin();
    let begun = Instant::now();
    let first = moves.run(&moves.apply());
    assert_eq!(first.code, Some(0), "{first:?}");
    let within = begun.elapsed();
    moves.run(&["restore", first.one()["run"].as_str().unwrap(), "--json"]);
    for nth in 0..kills(2) {
        moves.plan();
        let run = moves.killed_twice(&moves.apply(), within);
        let now = moves.filled.contents();
        for key in &moves.planned {
            assert!(!now.contains_key(key), "{key:?} is still there");
            assert_eq!(now.get(&trash::place(&run, key)), moves.before.get(key), "{key:?} in the trash");
        }
        assert_eq!(now.len(), moves.before.len());
        moves.killed_twice(&["restore", &run, "--json"], within);
        assert!(moves.filled.contents() == moves.before, "the bucket is not as it was");
        println!("there and back {nth}, killed four times within {within:?}");
    }
}
