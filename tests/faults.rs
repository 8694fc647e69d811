//! What a run does when the world misbehaves, one test per row of the fault matrix (named by its row), and the scans that
//! must not be believed. Global invariants are asserted by the world after every run: every key has one outcome, and the
//! outcomes sum to the plan.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/world.rs"]
mod world;

#[path = "faults/capabilities.rs"]
mod capabilities;
#[path = "faults/drift.rs"]
mod drift;
#[path = "faults/guards.rs"]
mod guards;
#[path = "faults/keys.rs"]
mod keys;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/locks.rs"]
mod locks;
#[path = "faults/model/mod.rs"]
mod model;
#[path = "faults/plans.rs"]
mod plans;
#[path = "faults/requests.rs"]
mod requests;
#[path = "faults/resuming.rs"]
mod resuming;
#[path = "faults/rows.rs"]
mod rows;
#[path = "faults/runs.rs"]
mod runs;
#[path = "faults/scans.rs"]
mod scans;
#[path = "faults/sightings.rs"]
mod sightings;
#[path = "faults/trash.rs"]
mod trash;
