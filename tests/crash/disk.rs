//! A disk without room for the journal.

use std::process::Command;

use crate::program::Ran;
use crate::scene::{OBJECTS, Scene};

/// Runs the program with files that may grow to so many blocks of 512 bytes and no further.
fn with_blocks(scene: &Scene, blocks: u64, arguments: &[&str]) -> Ran {
    let program = scene.world.command(arguments);
    let mut shell = Command::new("sh");
    // Ignored, so that a write past the limit is an error and not a signal.
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    shell.arg(program.get_program()).args(program.get_args()).env_clear().current_dir(scene.world.home.path());
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(&mut shell)
}

fn size(scene: &Scene, file: &str) -> u64 {
    std::fs::metadata(scene.world.path(file)).unwrap().len()
}

#[test]
fn row_49_a_disk_that_is_full_begins_nothing() {
    let scene = Scene::of(OBJECTS);
    let before = scene.objects_now();
    let ran = with_blocks(&scene, size(&scene, "plan.jsonl") / 512 / 2, &scene.apply());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("make the state folder writable and give it room; nothing was deleted"), "{ran:?}");
    assert_eq!((scene.objects_now(), scene.runs().len()), (before, 0));
    // With room again the plan is as good as new.
    let run = scene.bring_to_end();
    scene.check_truth(&run);
}

/// The disk fills up so many blocks after where the journal stood when its first request was about to be sent. So many
/// objects are gone by then.
fn fills_up(blocks: u64, gone: usize) {
    let scene = Scene::of(OBJECTS);
    let before = scene.objects_now();
    scene.die_at("intent:after:1", &scene.apply());
    let run = scene.runs()[0]["run"].as_str().unwrap().to_owned();
    let journal = size(&scene, &format!("state/runs/{run}/journal.jsonl"));
    let arguments = ["resume", &run, "--json", "--concurrency", "1"];
    let ran = with_blocks(&scene, journal / 512 + 1 + blocks, &arguments);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let report = ran.one();
    let stopped = report["stopped"].as_str().unwrap();
    assert!(stopped.contains("cannot write the journal") && stopped.contains("resume"), "{report}");
    assert_eq!((&report["success"], &report["verified"]), (&false.into(), &false.into()));
    assert_eq!(before.len() - scene.objects_now().len(), gone, "a request was sent that was not written down");
    assert_eq!(scene.runs()[0]["finished"], false);
    assert_eq!(scene.bring_to_end(), run);
    scene.check_truth(&run);
    scene.check_done();
}

/// A run that stopped because the disk was full: what was asked for is done and written down, nothing else was sent.
fn check_stopped_in_time(scene: &Scene, before: usize, report: &serde_json::Value) {
    let stopped = report["stopped"].as_str().unwrap();
    assert!(stopped.contains("cannot write the journal"), "{report}");
    assert_eq!(report["success"], false);
    assert_eq!(before - scene.objects_now().len(), 1000, "the first request and no other");
    assert_eq!(report["outcomes"]["deleted"], 1000, "each of its keys has its outcome");
}

#[test]
fn row_49_when_the_disk_fills_up_an_outcome_has_the_room_that_was_kept_for_it() {
    let scene = Scene::of(OBJECTS);
    let before = scene.objects_now().len();
    let ran = scene.world.run_with(&[("BUCKETREE_FAILPOINT", "outcomes:full:1")], &scene.apply());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    check_stopped_in_time(&scene, before, &ran.one());
    let run = ran.one()["run"].as_str().unwrap().to_owned();
    let shown = scene.world.check(&["runs", "show", &run, "--json"], 0, &[]).json();
    let deleted = shown[1..].iter().filter(|line| line["outcome"] == "deleted").count();
    assert_eq!(deleted, 1000, "the journal says what was done");
    assert!(!scene.world.path(&format!("state/runs/{run}/journal.reserve")).exists());
    let resumed = scene.world.check(&["resume", &run, "--json"], 0, &[]).one();
    assert_eq!(resumed["success"], true, "{resumed}");
    scene.check_truth(&run);
    scene.check_done();
}

/// On a file system of its own, with room for the plan, for what the first request announces, and for nothing else.
#[test]
fn row_49_a_file_system_that_is_full_stops_before_the_next_request() {
    let may_mount = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|ran| ran.status.success());
    if !may_mount {
        eprintln!("not run: this machine lets nobody mount a file system of their own");
        return;
    }
    let scene = Scene::of(OBJECTS);
    let before = scene.objects_now().len();
    let page = |bytes: u64| bytes.div_ceil(4096) * 4;
    let room = page(size(&scene, "plan.jsonl")) + page((64 + 1000) * 1024) + 24;
    std::fs::create_dir_all(scene.world.path("small")).unwrap();
    let program = scene.world.command(&scene.apply());
    let mut shell = Command::new("unshare");
    let script = format!("mount -t tmpfs -o size={room}k none small && exec \"$0\" \"$@\"");
    shell.args(["-rm", "sh", "-c", &script]).arg(program.get_program()).args(program.get_args());
    shell.env_clear().current_dir(scene.world.home.path());
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("BUCKETREE_STATE_DIR", scene.world.path("small"));
    let ran = Ran::of(&mut shell);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    check_stopped_in_time(&scene, before, &ran.one());
}

#[test]
fn row_49_an_intent_that_cannot_be_written_is_not_sent() {
    fills_up(1, 0);
}

#[test]
fn row_49_after_an_outcome_that_cannot_be_written_nothing_is_sent() {
    fills_up(14, 1000);
}
