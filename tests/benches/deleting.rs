//! Deleting many keys with the real program, from the listing to the proof, against a server in a process of its own; once
//! with its journal on the disk and once with it in memory, where a sync costs nothing.
//!
//! `cargo bench --bench deleting -- 50000 0 50`: a number of objects, then milliseconds a request. Without numbers a smoke of
//! 2,000 objects at 0 and 5 ms.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "server/mod.rs"]
mod server;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use server::keys::of_kind;
use server::{Bucket, Manners, Process, serve};

/// Whatever is in memory and looks like a folder, on Linux.
const MEMORY: &str = "/dev/shm";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<usize>().ok());
    if words.first().is_some_and(|word| word == "serve") {
        let manners =
            Manners { latency: Duration::from_millis(number(3).unwrap_or_default() as u64), ..Manners::default() };
        let bucket = Bucket::new(of_kind("mixed", number(2).unwrap_or_default()));
        return serve(([127, 0, 0, 1], 0).into(), bucket, manners).expect("the server");
    }
    let mut numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if numbers.len() < 2 {
        numbers = vec![2000, 0, 5];
    }
    let objects = numbers.remove(0);
    for latency in numbers {
        compare(objects, latency);
    }
}

fn compare(objects: usize, latency: usize) {
    let disk = tempfile::tempdir().expect("a folder");
    let memory = tempfile::Builder::new().prefix("bucketree-bench-").tempdir_in(MEMORY).ok();
    let on_disk = delete_all(objects, latency, disk.path());
    println!("{objects} keys, {latency} ms, journal on the disk: plan {:.2} s, apply {:.2} s", on_disk.0, on_disk.1);
    let Some(memory) = memory else { return println!("there is no {MEMORY} to compare with") };
    let in_memory = delete_all(objects, latency, memory.path());
    println!(
        "{objects} keys, {latency} ms, journal in memory:   plan {:.2} s, apply {:.2} s",
        in_memory.0, in_memory.1
    );
    println!("  the disk costs {:+.1} %", (on_disk.1 / in_memory.1 - 1.0) * 100.0);
}

/// Seconds of the plan and of its run, with the program's state in this folder.
fn delete_all(objects: usize, latency: usize, home: &Path) -> (f64, f64) {
    let server = Process::start(&["mixed".into(), objects.to_string(), latency.to_string()]);
    std::fs::write(home.join("projects.txt"), "proj_kept\n").expect("a registry with one live project");
    let program = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bucketree"));
        command.env_clear().env("HOME", home).env("BUCKETREE_STATE_DIR", home.join("state"));
        command.env("BUCKETREE_CONFIG", home.join("config.toml")).current_dir(home).stdin(Stdio::null());
        command.env("BUCKETREE_MAX_BYTES", "1000 TB").env("BUCKETREE_MAX_PROJECTS", "1000000");
        command.env("BUCKETREE_REGISTRY", home.join("projects.txt"));
        command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.args(["--endpoint", &server.endpoint, "--bucket", "bench"]).args(words);
        let start = Instant::now();
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        start.elapsed().as_secs_f64()
    };
    let count = of_kind("mixed", objects).len().to_string();
    let plan =
        program(&["plan", "delete", "--all", "--max-objects", &count, "--max-share", "100%", "-o", "plan.jsonl"]);
    let apply = program(&["apply", "plan.jsonl", "--confirm", &format!("EMPTY bench {count}")]);
    (plan, apply)
}
