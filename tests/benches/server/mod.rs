//! An S3 server that does nothing but lists, looks and deletes, so that what is measured is the client: entries are written
//! down once, a page is a slice of them. It answers later by a latency, and refuses what is over its limits.
//!
//! It checks no signature. Whoever has a program to measure starts it as a process of its own (`serve` of the bench
//! `listing`), so that its CPU time is not the client's.

#![allow(
    dead_code,
    clippy::expect_used,
    reason = "every bench compiles all of this and uses its part; it fails by panicking"
)]

mod bucket;
mod http;
pub mod keys;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

pub use self::bucket::Bucket;

/// How the server behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Added to every answer.
    pub latency: Duration,
    /// Requests at once; more are answered with 503 SlowDown. 0 is no limit.
    pub at_once: usize,
    /// Requests after which a connection is closed. 0 is no limit.
    pub per_connection: u64,
}

/// What was asked of it.
#[derive(Debug, Default)]
pub struct Counts {
    pub lists: AtomicU64,
    pub heads: AtomicU64,
    pub deletes: AtomicU64,
    pub refused: AtomicU64,
    pub most_at_once: AtomicUsize,
    pub now: AtomicUsize,
}

impl Counts {
    fn line(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "lists {} heads {} deletes {} refused {} at-once {}",
            of(&self.lists),
            of(&self.heads),
            of(&self.deletes),
            of(&self.refused),
            self.most_at_once.load(Ordering::Relaxed)
        )
    }
}

/// Serves `bucket` on a loopback port until the process ends; says where on the first line.
pub fn serve(address: SocketAddr, bucket: Bucket, manners: Manners) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("http://{}", listener.local_addr()?);
        http::accept(listener, Arc::new(http::Front { bucket, manners, counts: Counts::default() })).await;
        Ok(())
    })
}

/// The server as a process of its own, which ends when this is dropped.
pub struct Process {
    child: Child,
    pub endpoint: String,
}

impl Process {
    /// Starts this very program again with `serve` and these words.
    pub fn start(words: &[String]) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let child = Command::new(program).arg("serve").args(words).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the server starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its address");
        Self { child, endpoint: line.trim().to_owned() }
    }

    /// Seconds of CPU that it took so far.
    pub fn cpu(&self) -> f64 {
        cpu_seconds(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of CPU, user and system, of a process (`self` for this one), by proc(5): fields 14 and 15 in hundredths. Zero
/// where there is no such file.
pub fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Peak memory of this process in MiB; zero where it cannot be told.
pub fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
