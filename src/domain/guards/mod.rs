//! The guards: one table of everything that can refuse a plan, asked when a plan is made and again when it is applied.
//!
//! Each guard says what it protects, what holds unless somebody changes it, and who may lower it and how; the manual page
//! is written from this table, and a plan carries the answer of each.

mod applying;
mod asked;
pub mod canary;
mod planning;
#[cfg(test)]
mod tests;

pub use applying::{Here, Past, Place, check_ground, check_history, check_place};
pub use asked::{Caps, Drift, DriftSample, GuardFacts, GuardReport, LastScan};
pub use planning::shrinks;

use super::plan::{Plan, PlanRow};
use asked::Asked;

/// What a guard says: what it compared, or why it refuses and what would change its mind.
type Answer = Result<String, String>;

/// When a guard is asked, and how.
#[derive(Clone, Copy)]
enum Check {
    /// When a plan is made; the answer stands in the plan, and a refusal there refuses the plan for good.
    Planning(fn(&Asked<'_>) -> Answer),
    /// When a plan to restore from the trash or to empty it is made.
    Trash(fn(&[PlanRow]) -> Answer),
    /// When a plan is applied: is it the right place?
    Place(fn(&Plan, &Place<'_>) -> Answer),
    /// When a plan is applied: does what it was made from still hold?
    Ground(fn(&Plan, &Here<'_>) -> Answer),
    /// When a plan is applied: what happened before?
    History(fn(&Result<Past, String>) -> Answer),
    /// Within a run, before each request: what it refuses is kept and has an outcome of its own.
    Running,
}

/// One guard.
#[derive(Clone, Copy)]
pub struct Guard {
    /// Its name, in plans, messages and the manual.
    pub name: &'static str,
    /// What it protects from.
    pub protects: &'static str,
    /// What holds unless somebody changes it.
    pub default: &'static str,
    /// Who may lower it, and by which setting or flag.
    pub lowered_by: &'static str,
    check: Check,
}

impl Guard {
    /// When it is asked.
    pub fn moment(&self) -> &'static str {
        match self.check {
            Check::Planning(_) => "when a plan is made",
            Check::Trash(_) => "when a plan for the trash is made",
            Check::Place(_) | Check::Ground(_) | Check::History(_) => "when a plan is applied",
            Check::Running => "before each request of a run",
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({:?})", self.name)
    }
}

const NOBODY: &str = "nobody";

/// Every guard, in the order in which they are asked and shown.
pub static GUARDS: &[Guard] = &[
    Guard {
        name: "something to do",
        protects: "from a plan that does nothing and looks as if it had",
        default: "at least one object",
        lowered_by: NOBODY,
        check: Check::Planning(planning::not_empty),
    },
    Guard {
        name: "listing complete",
        protects: "from verdicts on a part of the bucket",
        default: "every page arrived, in order, and nothing came after the last one; a scan that was kept is not enough",
        lowered_by: NOBODY,
        check: Check::Planning(planning::listing_complete),
    },
    Guard {
        name: "listing not shrunken",
        protects: "from a listing that ends too early, and from objects that somebody else is deleting",
        default: "at most 20 % fewer objects than in the last complete listing, this program's own deletions aside",
        lowered_by: "whoever plans: --accept-shrink, which the plan then says",
        check: Check::Planning(planning::listing_not_shrunken),
    },
    Guard {
        name: "registry trusted",
        protects: "from a registry that is down, empty, read in part, or smaller than it was",
        default: "every source read to its end; registry.min_projects, registry.min_tracked, registry.max_shrink hold",
        lowered_by: "the configuration, within limits: registry.max_shrink; for one plan: --accept-shrink; never to nothing",
        check: Check::Planning(planning::registry_trusted),
    },
    Guard {
        name: "canary alive",
        protects: "from a registry or a listing that is not the right one: what is known to be alive must be seen alive",
        default: "none is set",
        lowered_by: "the configuration: canary_project, canary_key",
        check: Check::Planning(planning::canary_alive),
    },
    Guard {
        name: "tracked keys present",
        protects: "from a listing and a registry that do not belong together: another bucket, jurisdiction or database",
        default: "at most 20 % of the tracked keys absent from the listing, or at most 50 % if HEAD proves the absence",
        lowered_by: "the configuration: max_missing",
        check: Check::Planning(planning::tracked_keys_present),
    },
    Guard {
        name: "nothing protected",
        protects: "what the configuration names: protected_prefixes, protected_projects, and this program's own prefix",
        default: "only .bucketree/ is protected",
        lowered_by: "the configuration: protected_prefixes, protected_projects; not for .bucketree/",
        check: Check::Planning(planning::nothing_protected),
    },
    Guard {
        name: "nothing young",
        protects: "what the app has written and not yet recorded; missing, unset and future times count as young",
        default: "7 days by the server's clock",
        lowered_by: "min_age, --min-age; under 24 hours only with allow_young in the configuration",
        check: Check::Planning(planning::nothing_young),
    },
    Guard {
        name: "seen twice",
        protects: "what is an orphan only for a while: the app is writing it, or the registry is being restored",
        default: "off; with observe_days = N every orphaned or untracked object was that, with the same ETag, in every complete \
                  scan of at least N days",
        lowered_by: "observe_days, --observe-days",
        check: Check::Planning(planning::seen_twice),
    },
    Guard {
        name: "object cap",
        protects: "from a plan far larger than meant",
        default: "100,000 objects",
        lowered_by: "max_objects, --max-objects",
        check: Check::Planning(planning::object_cap),
    },
    Guard {
        name: "byte cap",
        protects: "from a plan far larger than meant",
        default: "10 TiB",
        lowered_by: "max_bytes",
        check: Check::Planning(planning::byte_cap),
    },
    Guard {
        name: "project cap",
        protects: "from a registry that forgot many projects",
        default: "1,000 projects",
        lowered_by: "max_projects",
        check: Check::Planning(planning::project_cap),
    },
    Guard {
        name: "bucket share",
        protects: "from losing most of the bucket at once",
        default: "50 % of the bucket's objects",
        lowered_by: "max_share, --max-share",
        check: Check::Planning(planning::bucket_share),
    },
    Guard {
        name: "live project share",
        protects: "a live project from losing most of its objects",
        default: "50 % of any live project's objects",
        lowered_by: "max_project_share",
        check: Check::Planning(planning::live_project_share),
    },
    Guard {
        name: "only the trash",
        protects: "everything outside of the trash from a plan that restores or empties it",
        default: "every object lies under .bucketree/trash/",
        lowered_by: NOBODY,
        check: Check::Trash(planning::only_the_trash),
    },
    Guard {
        name: "plan passed",
        protects: "from applying what a guard refused",
        default: "no guard refused when the plan was made",
        lowered_by: NOBODY,
        check: Check::Ground(applying::plan_passed),
    },
    Guard {
        name: "same bucket",
        protects: "every other bucket, endpoint and account",
        default: "the ones that the plan was made for",
        lowered_by: NOBODY,
        check: Check::Place(applying::same_bucket),
    },
    Guard {
        name: "same layouts",
        protects: "from verdicts under other rules",
        default: "the layouts' hash is the plan's",
        lowered_by: NOBODY,
        check: Check::Ground(applying::same_layouts),
    },
    Guard {
        name: "same registry",
        protects: "from asking another registry before each request than the one that gave the verdicts",
        default: "the source has the plan's name; what it says is read again before each request",
        lowered_by: NOBODY,
        check: Check::Ground(applying::same_registry),
    },
    Guard {
        name: "same program",
        protects: "from carrying out what another version understood differently",
        default: "the version that made the plan",
        lowered_by: NOBODY,
        check: Check::Ground(applying::same_program),
    },
    Guard {
        name: "not expired",
        protects: "from plans that the world has moved on from",
        default: "one hour by the server's clock for a run to begin; it then goes on, unless it stands still for 10 minutes and \
                  the hour is over (a machine that slept)",
        lowered_by: NOBODY,
        check: Check::Ground(applying::not_expired),
    },
    Guard {
        name: "one run at a time",
        protects: "two runs on one bucket from each other, and a run that was cut off from being forgotten",
        default: "no run on the bucket is under way or unfinished",
        lowered_by: "whoever brings the other run to its end: `bucketree resume RUN`",
        check: Check::History(applying::one_run_at_a_time),
    },
    Guard {
        name: "lock in the bucket",
        protects: "the bucket from runs on two machines at once",
        default: "a lock object where the store was proved to honour If-None-Match, looked at before each request; elsewhere \
                  only the lock of this machine, which the plan then says",
        lowered_by: "whoever knows that the other run is dead: --take-over-lock RUN, after 10 minutes without a sign of life",
        check: Check::Planning(planning::lock_in_the_bucket),
    },
    Guard {
        name: "used once",
        protects: "what was written again under a key that was deleted",
        default: "a plan is carried out once",
        lowered_by: NOBODY,
        check: Check::History(applying::used_once),
    },
    Guard {
        name: "still the same object",
        protects: "what was overwritten since the plan",
        default: "size, ETag and time are the plan's, asked before each request, and sent with it where the store honours it",
        lowered_by: NOBODY,
        check: Check::Running,
    },
    Guard {
        name: "still the same verdict",
        protects: "what came alive since the plan",
        default: "the registry is asked again before each request; one that cannot answer ends the run",
        lowered_by: NOBODY,
        check: Check::Running,
    },
];

/// The guard of this name, if this version has it: a plan of another version may name others.
pub fn find(name: &str) -> Option<&'static Guard> {
    GUARDS.iter().find(|guard| guard.name == name)
}

/// Asks every guard of a plan in the making.
pub fn guards(rows: &[PlanRow], caps: &Caps, facts: &GuardFacts) -> Vec<GuardReport> {
    let asked = Asked { rows, caps, facts };
    let report = |guard: &Guard| match guard.check {
        Check::Planning(check) => Some(report(guard, check(&asked))),
        _ => None,
    };
    GUARDS.iter().filter_map(report).collect()
}

/// Asks the guards of a plan in the making that restores from the trash or empties it.
pub fn trash_guards(rows: &[PlanRow]) -> Vec<GuardReport> {
    let report = |guard: &Guard| match guard.check {
        Check::Trash(check) => Some(report(guard, check(rows))),
        _ => None,
    };
    GUARDS.iter().filter_map(report).collect()
}

fn report(guard: &Guard, answer: Answer) -> GuardReport {
    let passed = answer.is_ok();
    let message = answer.unwrap_or_else(|message| message);
    GuardReport { name: guard.name.into(), passed, message }
}
