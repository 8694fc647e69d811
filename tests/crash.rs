//! The real program, killed at every place where it matters and at any moment, and what comes after: `runs`, `resume`,
//! and a bucket in which exactly what the journal says is gone.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/filled.rs"]
mod filled;
#[path = "common/program.rs"]
mod program;

#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/moves.rs"]
mod moves;
#[path = "crash/scene.rs"]
mod scene;
