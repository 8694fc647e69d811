//! How long a frame takes, from the key or the answer of a job to the finished picture: against 8 ms at the 99th percentile.
//! What works on many objects at once has a row of its own. Where it is done by a job, the loop only asks for it and takes
//! the answer in: that is what the row measures, and the job's time stands beside it.
//!
//! `cargo bench --bench frames [-- OBJECTS...]`; 20,000 objects if none are named.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]

#[path = "frames/operations.rs"]
mod operations;
#[path = "frames/pouring.rs"]
mod pouring;
#[path = "frames/world.rs"]
mod world;

use self::operations::walk;
use self::world::{World, flat, folders};

fn main() {
    let counts: Vec<u64> =
        std::env::args().skip(1).filter_map(|text| text.replace(['_', ','], "").parse().ok()).collect();
    let counts = if counts.is_empty() { vec![20_000] } else { counts };
    println!(
        "{:>12}  {:<38} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "objects", "what", "p50", "p99", "worst", "on core", "of 8 ms"
    );
    for count in counts {
        pouring::pour(count, folders);
        let mut world = World::listed(count, folders);
        walk(&mut world, "folders, everything open", "E");
        walk(&mut world, "plain keys", "`");
        walk(&mut world, "projects, everything open", "`2E");
        walk(&mut world, "findings, everything open", "3E");
        operations::marks(&mut world);
        operations::filter(&mut world);
        operations::again(&mut world, folders);
        operations::plans(&mut world);
        operations::deletions(&mut world);
        drop(world);
        let mut world = World::listed(count, flat);
        walk(&mut world, "one folder of all objects", "1");
        operations::orders(&mut world, "one folder");
        world.press("`");
        operations::orders(&mut world, "plain keys");
    }
}
