//! Ctrl-C while a plan is carried out: once finishes what is in flight, twice leaves at once.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use bucketree::demo::{Demo, DemoOptions, start};
use serde_json::Value;

use crate::program::{Ran, program};

/// A bucket that answers slowly, and a plan of several requests for it.
struct Slow {
    home: tempfile::TempDir,
    demo: Demo,
    confirm: String,
    _runtime: tokio::runtime::Runtime,
}

impl Slow {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = DemoOptions { objects: 12_000, delay_ms: 100, ..DemoOptions::default() };
        let demo = runtime.block_on(start(options)).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut slow = Self { home, demo, confirm: String::new(), _runtime: runtime };
        let plan = Ran::of(&mut slow.command(&["plan", "delete", "-o", "plan.jsonl", "--json"])).one();
        assert!(plan["objects"].as_u64().unwrap() > 2000, "{plan}");
        slow.confirm = plan["confirm"].as_str().unwrap().into();
        slow
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command.env("AWS_ENDPOINT_URL", &self.demo.endpoint).env("R2_BUCKET_NAME", &self.demo.bucket);
        command.env("AWS_ACCESS_KEY_ID", &self.demo.access_key_id).env("BUCKETREE_REGISTRY", &self.demo.registry);
        command.env("AWS_SECRET_ACCESS_KEY", &self.demo.secret_access_key).args(arguments);
        command
    }

    /// Begins to apply the plan, one request at a time, and waits until the run has begun.
    fn apply(&self) -> (Child, BufReader<std::process::ChildStderr>) {
        let arguments = ["apply", "plan.jsonl", "--json", "--concurrency", "1", "--confirm", &self.confirm];
        let mut command = self.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        wait_for(&mut said, "run ");
        (child, said)
    }

    fn run_line(&self) -> Value {
        let mut runs = Ran::of(&mut self.command(&["runs", "--json"])).json();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }
}

fn wait_for(said: &mut impl BufRead, beginning: &str) {
    let mut line = String::new();
    while !line.starts_with(beginning) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it never said {beginning:?}");
    }
}

fn interrupt(child: &Child) {
    signal(child, "INT");
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn once_finishes_what_is_in_flight() {
    finishes_what_is_in_flight("INT");
}

#[test]
fn row_53_a_closed_terminal_and_the_wish_to_end_finish_what_is_in_flight() {
    ["HUP", "TERM"].into_iter().for_each(finishes_what_is_in_flight);
}

fn finishes_what_is_in_flight(name: &str) {
    let slow = Slow::start();
    let (child, mut said) = slow.apply();
    let line = slow.run_line();
    assert!(line["under_way"].as_str().unwrap().contains(&child.id().to_string()), "{line}");
    signal(&child, name);
    wait_for(&mut said, "bucketree: stopping after the requests in flight");
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes = report["outcomes"].as_object().unwrap();
    assert_eq!(outcomes.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), report["planned"]);
    assert_eq!((&report["cancelled"], &report["success"]), (&true.into(), &false.into()));
    assert_eq!(outcomes["unknown"], 0, "{report}");
    assert!(outcomes["failed"].as_u64().unwrap() > 0, "nothing was left undone: {report}");
    let line = slow.run_line();
    assert_eq!((&line["finished"], &line["cancelled"]), (&true.into(), &true.into()));
    assert_eq!(line["under_way"], Value::Null);
}

#[test]
fn twice_leaves_at_once_and_says_what_is_unknown() {
    let slow = Slow::start();
    let (child, mut said) = slow.apply();
    interrupt(&child);
    wait_for(&mut said, "bucketree: stopping after the requests in flight");
    interrupt(&child);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    assert!(output.stdout.is_empty());
    let line = slow.run_line();
    let run = line["run"].as_str().unwrap();
    assert!(rest.contains("no outcome is known") && rest.contains(&format!("bucketree resume {run}")), "{rest}");
    assert_eq!((&line["finished"], &line["under_way"]), (&false.into(), &Value::Null));
    resume(&slow, run);
}

/// The run that was left comes before any other; it goes on under its own id.
fn resume(slow: &Slow, run: &str) {
    let plan = Ran::of(&mut slow.command(&["plan", "delete", "-o", "second.jsonl", "--json"])).one();
    let arguments = ["apply", "second.jsonl", "--confirm", plan["confirm"].as_str().unwrap()];
    let refused = Ran::of(&mut slow.command(&arguments));
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains(&format!("bucketree resume {run}")), "{refused:?}");
    let resumed = Ran::of(&mut slow.command(&["resume", &run[..30], "--json"]));
    let report = resumed.one();
    assert_eq!((resumed.code, &report["run"], &report["success"]), (Some(0), &run.into(), &true.into()), "{report}");
    let (deleted, lost) = (&report["outcomes"]["deleted"], &report["outcomes"]["deleted-by-earlier-attempt"]);
    assert_eq!(deleted.as_u64().unwrap() + lost.as_u64().unwrap(), report["planned"].as_u64().unwrap(), "{report}");
    assert_eq!(slow.run_line()["finished"], true);
    let again = Ran::of(&mut slow.command(&["resume", run]));
    assert_eq!(again.code, Some(4), "{again:?}");
}

#[test]
fn row_51_a_second_instance_is_told_who_has_the_bucket_and_the_lock_goes_with_its_owner() {
    let slow = Slow::start();
    let plan = Ran::of(&mut slow.command(&["plan", "delete", "-o", "second.jsonl", "--json"])).one();
    let second = ["apply", "second.jsonl", "--confirm", plan["confirm"].as_str().unwrap()];
    let (mut child, _said) = slow.apply();
    let run = slow.run_line()["run"].as_str().unwrap().to_owned();
    for refused in [&second[..], &["resume", &run]] {
        let refused = Ran::of(&mut slow.command(refused));
        assert_eq!(refused.code, Some(4), "{refused:?}");
        for part in ["another run is under way", &run, &child.id().to_string()] {
            assert!(refused.stderr.contains(part), "{refused:?}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = Ran::of(&mut slow.command(&["resume", &run, "--json"]));
    assert_eq!((resumed.code, &resumed.one()["success"]), (Some(0), &true.into()), "{}", resumed.text());
}
