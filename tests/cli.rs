//! The real program as a script sees it: what is typed, what comes out, how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/filled.rs"]
mod filled;
#[path = "common/program.rs"]
mod program;

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bad_registry.rs"]
mod bad_registry;
#[path = "cli/cleanup.rs"]
mod cleanup;
#[path = "cli/clearing.rs"]
mod clearing;
#[path = "cli/doctoring.rs"]
mod doctoring;
#[path = "cli/guarding.rs"]
mod guarding;
#[path = "cli/interrupting.rs"]
mod interrupting;
#[path = "cli/locking.rs"]
mod locking;
#[path = "cli/manual.rs"]
mod manual;
#[path = "cli/registry.rs"]
mod registry;
#[path = "cli/scanning.rs"]
mod scanning;
#[path = "cli/selecting.rs"]
mod selecting;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/trash.rs"]
mod trash;
