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

#[test]
fn row_49_an_intent_that_cannot_be_written_is_not_sent() {
    fills_up(1, 0);
}

#[test]
fn row_49_after_an_outcome_that_cannot_be_written_nothing_is_sent() {
    fills_up(14, 1000);
}
