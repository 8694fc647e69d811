//! The pure core: what a bucket, its layouts and the registry mean. No runtime, no files, no clock, no SDK, no terminal.

pub mod assessment;
pub mod bits;
pub mod block_sums;
pub mod capabilities;
pub mod changes;
pub mod drift;
pub mod facts;
pub mod folders;
pub mod guards;
pub mod inventory;
pub mod judge;
pub mod key;
pub mod layout;
pub mod lock;
pub mod object;
pub mod outcome;
pub mod plan;
pub mod prices;
pub mod progress;
pub mod project;
pub mod requests;
pub mod rows;
#[cfg(test)]
pub(crate) mod samples;
pub mod selection;
pub mod sightings;
pub mod totals;
pub mod trash;
pub mod usage;
pub mod verdict;
pub mod via;

pub use inventory::{Inventory, ObjectIndex};
pub use key::Key;
pub use object::{ETag, Object, StorageClass, Timestamp};
pub use outcome::Outcome;
pub use plan::{Plan, PlanRow};
pub use project::{IdRules, ProjectId};
pub use totals::{Tally, Totals};
pub use verdict::{Evidence, Flag, Flags, Verdict};
