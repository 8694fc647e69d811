//! Killed at every place, and at any moment.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::World;
use crate::scene::{OBJECTS, Scene};

const AROUND_A_RECORD: [&str; 4] = ["before", "half", "unsynced", "after"];

/// Kills a run at a place, brings it to its end, and compares.
fn killed_at(place: &str) {
    let scene = Scene::of(OBJECTS);
    scene.die_at(place, &scene.apply());
    let run = scene.bring_to_end();
    scene.check_truth(&run);
    scene.check_done();
}

fn around(record: &str, times: &[u32]) {
    for nth in times {
        AROUND_A_RECORD.iter().for_each(|place| killed_at(&format!("{record}:{place}:{nth}")));
    }
}

#[test]
fn row_47_killed_around_the_first_record() {
    around("started", &[1]);
}

#[test]
fn row_47_killed_around_an_intent() {
    around("intent", &[1, 2]);
}

#[test]
fn row_47_killed_while_a_request_is_on_its_way_or_answered() {
    ["sent:1", "answered:1", "sent:2", "answered:2"].iter().for_each(|place| killed_at(&format!("request:{place}")));
}

#[test]
fn row_47_killed_around_outcomes() {
    around("outcomes", &[1, 2]);
}

#[test]
fn row_47_killed_around_the_verification() {
    around("verified", &[1]);
}

#[test]
fn row_47_killed_around_the_removal_of_rows() {
    around("removing-rows", &[1]);
    killed_at("rows:between:1");
    around("rows-removed", &[1]);
}

#[test]
fn row_47_killed_around_the_last_record() {
    around("finished", &[1]);
}

/// Moves the orphans to the trash, dies at a place, and goes on: each object has one good copy, at one place or the other.
#[test]
fn row_70_killed_while_moving_to_the_trash() {
    for place in ["copying:after:1", "copied:half:1", "copied:after:1", "intent:after:1", "request:answered:1"] {
        let world = World::with_objects(400);
        let plan = world.check(&["plan", "trash", "-o", "plan.jsonl", "--json"], 0, &[]).one();
        let keys = || -> BTreeSet<String> {
            let listed = world.check(&["ls", "--json"], 0, &[]).json();
            listed.iter().filter_map(|line| line["key"].as_str().map(str::to_owned)).collect()
        };
        let before = keys();
        let apply = ["apply", "plan.jsonl", "--confirm", plan["confirm"].as_str().unwrap()];
        assert_eq!(world.run_with(&[("BUCKETREE_FAILPOINT", place)], &apply).code, None, "{place}");
        let run = world.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
        let copy = |key: &str| format!(".bucketree/trash/{run}/{key}");
        let lost: Vec<_> = {
            let now = keys();
            before.iter().filter(|key| !now.contains(*key) && !now.contains(&copy(key))).cloned().collect()
        };
        assert!(lost.is_empty(), "{place}: {lost:?}");
        let report = world.check(&["resume", &run, "--json"], 0, &[]).one();
        assert_eq!((&report["success"], &report["outcomes"]["trashed"]), (&true.into(), &plan["objects"]), "{report}");
        let now = keys();
        let moved = before.iter().filter(|key| !now.contains(*key) && now.contains(&copy(key))).count();
        assert_eq!((moved as u64, now.len()), (plan["objects"].as_u64().unwrap(), before.len()), "{place}");
    }
}

#[test]
fn row_47_killed_again_while_resuming() {
    let scene = Scene::of(OBJECTS);
    scene.die_at("request:answered:1", &scene.apply());
    let run = scene.runs()[0]["run"].as_str().unwrap().to_owned();
    for place in ["resumed:half:1", "resumed:after:1", "outcomes:half:1", "intent:after:1", "request:sent:1"] {
        scene.die_at(place, &["resume", &run, "--concurrency", "1"]);
        assert_eq!(scene.runs()[0]["finished"], false, "{place}");
    }
    assert_eq!(scene.bring_to_end(), run);
    scene.check_truth(&run);
    scene.check_done();
}

#[test]
fn row_47_killed_and_only_closed() {
    let scene = Scene::of(OBJECTS);
    scene.die_at("intent:after:2", &scene.apply());
    let run = scene.runs()[0]["run"].as_str().unwrap().to_owned();
    let report = scene.world.check(&["resume", &run, "--close", "--json"], 3, &[]).one();
    assert_eq!(report["verified"], true);
    assert!(report["outcomes"]["failed"].as_u64().unwrap() > 0, "{report}");
    scene.check_truth(&run);
}

/// How many runs are killed at a random moment: `few` here, more where `BUCKETREE_KILLS` says so.
pub fn kills(few: u32) -> u32 {
    std::env::var("BUCKETREE_KILLS").map_or(few, |count| count.parse().unwrap())
}

/// A number that differs from call to call.
pub fn random(below: u64) -> u64 {
    u64::from_le_bytes(*uuid::Uuid::now_v7().as_bytes().last_chunk().unwrap()) % below
}

/// Starts the program and kills it after so long, if it has not ended by then.
pub fn kill_after(command: &mut Command, moment: Duration) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Enough objects for a request, few enough for many runs.
const FEWER: u32 = 1200;

/// Half of the runs are killed with deletions that go in one request, half with those that go one by one.
fn killed_at_any_moment(via: &str) {
    fn apply<'a>(scene: &'a Scene, via: &'a str) -> Vec<&'a str> {
        scene.apply().into_iter().chain(["--via", via]).collect()
    }
    let whole = {
        let scene = Scene::of(FEWER);
        let begun = Instant::now();
        scene.world.check(&apply(&scene, via), 0, &[]);
        begun.elapsed()
    };
    for _ in 0..kills(4).div_ceil(2) {
        let scene = Scene::of(FEWER);
        let moment = || Duration::from_micros(random(whole.as_micros() as u64 + 1));
        let first = moment();
        kill_after(&mut scene.world.command(&apply(&scene, via)), first);
        if let [run] = scene.runs().as_slice()
            && run["finished"] == false
        {
            let resume = ["resume", run["run"].as_str().unwrap()];
            kill_after(&mut scene.world.command(&resume), moment());
        }
        let run = scene.bring_to_end();
        println!("{via}: killed after {first:?} of {whole:?}");
        scene.check_truth(&run);
        scene.check_done();
    }
}

#[test]
fn row_47_killed_at_any_moment_in_batches() {
    killed_at_any_moment("batch");
}

#[test]
fn row_47_killed_at_any_moment_one_by_one() {
    killed_at_any_moment("sequential");
}
