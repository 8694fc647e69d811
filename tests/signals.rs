//! What befalls a terminal program, befalls the real one in a real terminal: signals, a terminal that is torn at. It ends as
//! it should and leaves the terminal as it found it, and a run under way is whole.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use bucketree::demo::{Demo, DemoOptions, start};
use common::pty::{Pty, Size, bucketree};
use serde_json::Value;
use tokio::runtime::Runtime;

const SIZE: Size = Size::new(110, 32);

/// A demo in a terminal, with everything listed and judged.
fn demo(home: &Path) -> Pty {
    let pty = Pty::start(bucketree(home, &["demo"]), SIZE);
    pty.wait_for("projects live");
    pty
}

#[test]
fn row_53_told_to_end_it_ends_and_restores_the_terminal() {
    for signal in ["TERM", "INT"] {
        let home = tempfile::tempdir().unwrap();
        let mut pty = demo(home.path());
        pty.signal(signal);
        assert_eq!(pty.wait_exit(), 130, "{signal}");
        pty.assert_restored();
    }
}

#[test]
fn row_53_a_terminal_that_is_torn_at_shows_everything_again() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = demo(home.path());
    for step in 0..60 {
        pty.resize(Size::new(20 + step * 2 % 140, 3 + step % 40));
    }
    pty.resize(SIZE);
    pty.wait_for("projects live");
    pty.press(&["q"]);
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

/// The console on a bucket that answers slowly.
struct Slow {
    home: tempfile::TempDir,
    demo: Demo,
    _runtime: Runtime,
}

impl Slow {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = DemoOptions { objects: 5000, delay_ms: 300, ..DemoOptions::default() };
        let demo = runtime.block_on(start(options)).unwrap();
        Self { home: tempfile::tempdir().unwrap(), demo, _runtime: runtime }
    }

    fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.demo.endpoint.clone()),
            ("R2_BUCKET_NAME", self.demo.bucket.clone()),
            ("AWS_ACCESS_KEY_ID", self.demo.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.demo.secret_access_key.clone()),
            ("BUCKETREE_REGISTRY", self.demo.registry.display().to_string()),
            ("BUCKETREE_STATE_DIR", self.home.path().join("state").display().to_string()),
        ]
    }

    /// The console in the middle of a run, which was confirmed by hand.
    fn in_the_middle_of_a_run(&self) -> Pty {
        let mut command = bucketree(self.home.path(), &[]);
        self.environment().into_iter().for_each(|(name, value)| command.env(name, value));
        let pty = Pty::start(command, SIZE);
        pty.wait_for("projects live");
        pty.press(&["2"]);
        pty.wait_for("02eca5a6bbf23bc325755e15");
        pty.press(&["Down", "Down", "Down", "Down", "Down", "Down", "Down", "Down"]);
        pty.wait_for("Project 1");
        pty.press(&["A"]);
        pty.wait_gone("nothing marked");
        pty.press(&["d"]);
        pty.wait_for("confirm");
        pty.press(&["D"]);
        pty.wait_for("To confirm, type");
        let screen = pty.screen_text();
        let said = screen.split("To confirm, type").nth(1).unwrap();
        let text = said.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
        let text: Vec<&str> = text.take(2).collect();
        pty.type_text(&text.join(" "));
        pty.wait_for(&format!("> {}", text.join(" ")));
        pty.press_by_hand("Enter");
        self.wait_for_an_intent();
        pty
    }

    /// Waits until the journal says that something is on its way.
    fn wait_for_an_intent(&self) {
        let runs = self.home.path().join("state/runs");
        let is_under_way = || {
            let folders = std::fs::read_dir(&runs).into_iter().flatten().filter_map(Result::ok);
            let mut journals =
                folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("journal.jsonl")).ok());
            journals.any(|text| text.contains("\"record\":\"copying\""))
        };
        while !is_under_way() {
            std::thread::yield_now();
        }
    }

    /// The one run, as `runs --json` tells of it.
    fn run(&self) -> Value {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bucketree"));
        command.args(["runs", "--json"]).env_clear().env("HOME", self.home.path()).envs(self.environment());
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        serde_json::from_str(said.trim()).unwrap()
    }

    /// That the run was brought to its end before the program ended: every key has its outcome, none is unknown.
    fn check_whole(&self) {
        let run = self.run();
        assert_eq!((&run["finished"], &run["cancelled"]), (&true.into(), &true.into()), "{run}");
        let outcomes = run["outcomes"].as_object().unwrap();
        assert_eq!(outcomes.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), run["planned"], "{run}");
        assert_eq!(outcomes["unknown"], 0, "{run}");
    }
}

#[test]
fn row_53_told_to_end_during_a_run_it_writes_down_what_is_in_flight_first() {
    for signal in ["TERM", "HUP"] {
        let slow = Slow::start();
        let mut pty = slow.in_the_middle_of_a_run();
        pty.signal(signal);
        assert_eq!(pty.wait_exit(), 130, "{signal}");
        pty.assert_restored();
        slow.check_whole();
    }
}
