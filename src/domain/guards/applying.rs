//! What is asked when a plan is applied, before the first request that changes something.

use super::{Answer, Check, GUARDS, GuardReport};
use crate::domain::Timestamp;
use crate::domain::plan::Plan;

/// How far ahead of the clock a plan may seem to be made: clocks differ a little.
const CLOCK_SLACK_SECONDS: i64 = 60;

/// Where a plan is to be applied.
#[derive(Debug)]
pub struct Place<'a> {
    /// Endpoint URL.
    pub endpoint: &'a str,
    /// Bucket.
    pub bucket: &'a str,
    /// Cloudflare account id, if known.
    pub account: Option<&'a str>,
}

/// By what and when a plan is to be applied.
#[derive(Debug)]
pub struct Here<'a> {
    /// Hash of the layouts.
    pub layouts: &'a str,
    /// Name of the registry, if there is one.
    pub registry: Option<&'a str>,
    /// The version of this program.
    pub tool: &'a str,
    /// Now, by the server's clock.
    pub now: Timestamp,
}

/// What the journals say of the plan and its bucket.
#[derive(Debug, Default)]
pub struct Past {
    /// The run that used the plan.
    pub used_by: Option<String>,
    /// A run on the bucket that did not come to its end.
    pub unfinished: Option<String>,
    /// Who has a run on the bucket under way now, in words.
    pub under_way: Option<String>,
}

/// Asks whether the plan is for this place.
///
/// # Errors
/// The first guard that refuses.
pub fn check_place(plan: &Plan, place: &Place<'_>) -> Result<(), GuardReport> {
    ask(|check| if let Check::Place(check) = check { check(plan, place).err() } else { None })
}

/// Asks whether what the plan was made from still holds.
///
/// # Errors
/// As [`check_place`].
pub fn check_ground(plan: &Plan, here: &Here<'_>) -> Result<(), GuardReport> {
    ask(|check| if let Check::Ground(check) = check { check(plan, here).err() } else { None })
}

/// Asks whether what happened before allows a new run; `Err` if that cannot be known.
///
/// # Errors
/// As [`check_place`].
pub fn check_history(past: &Result<Past, String>) -> Result<(), GuardReport> {
    ask(|check| if let Check::History(check) = check { check(past).err() } else { None })
}

fn ask(refusal: impl Fn(&Check) -> Option<String>) -> Result<(), GuardReport> {
    for guard in GUARDS {
        if let Some(message) = refusal(&guard.check) {
            return Err(GuardReport { name: guard.name.into(), passed: false, message });
        }
    }
    Ok(())
}

pub(super) fn plan_passed(plan: &Plan, _: &Here<'_>) -> Answer {
    match plan.refusals().first() {
        None => Ok("every guard passed when it was made".into()),
        Some(guard) => Err(format!("guard \"{}\": {}", guard.name, guard.message)),
    }
}

pub(super) fn same_bucket(plan: &Plan, here: &Place<'_>) -> Answer {
    let header = &plan.header;
    for (what, planned, now) in [
        ("endpoint", header.endpoint.as_str(), here.endpoint),
        ("bucket", header.bucket.as_str(), here.bucket),
        ("account", header.account.as_deref().unwrap_or(""), here.account.unwrap_or("")),
    ] {
        if planned != now {
            return Err(format!("it is for {what} {planned:?}, and this is {what} {now:?}"));
        }
    }
    Ok(format!("{} at {}", here.bucket, here.endpoint))
}

pub(super) fn same_layouts(plan: &Plan, here: &Here<'_>) -> Answer {
    match plan.header.layouts == here.layouts {
        true => Ok("the layouts are the plan's".into()),
        false => Err("it was made under other layouts; audit and plan again".into()),
    }
}

pub(super) fn same_registry(plan: &Plan, here: &Here<'_>) -> Answer {
    if !plan.header.kind.is_of_rows() && !plan.rows.iter().any(|row| row.verdict.needs_registry()) {
        return Ok("its objects were named without a verdict".into());
    }
    let Some(registry) = here.registry else {
        return Err("its verdicts came from a registry, and none is configured".into());
    };
    match plan.header.sources.iter().find(|source| *source.name != *registry) {
        None => Ok(registry.into()),
        Some(other) => Err(format!(
            "its verdicts came from the registry {:?}, and this is {registry:?}; audit and plan again",
            other.name
        )),
    }
}

pub(super) fn same_program(plan: &Plan, here: &Here<'_>) -> Answer {
    let made_by = plan.header.tool.as_str();
    match made_by == here.tool {
        true => Ok(format!("version {made_by}")),
        false => Err(format!("it was made by version {made_by}, and this is version {}; plan again", here.tool)),
    }
}

pub(super) fn not_expired(plan: &Plan, here: &Here<'_>) -> Answer {
    let (header, now) = (&plan.header, here.now);
    if now >= header.expires_at {
        return Err(format!("it expired at {}, and it is {now}; plan again", header.expires_at));
    }
    if now < header.created_at.plus_seconds(-CLOCK_SLACK_SECONDS) {
        return Err(format!("it was made at {}, which is in the future; check the clocks", header.created_at));
    }
    Ok(format!("it can be applied until {}", header.expires_at))
}

pub(super) fn one_run_at_a_time(past: &Result<Past, String>) -> Answer {
    match past {
        Ok(Past { under_way: Some(held), .. }) => Err(held.clone()),
        Ok(Past { unfinished: Some(run), .. }) => {
            Err(format!("run {run} on this bucket is unfinished; `bucketree resume {run}` comes first"))
        }
        Ok(_) => Ok("no run on this bucket is unfinished".into()),
        Err(why) => Err(format!("it cannot be known whether it was used: {why}")),
    }
}

pub(super) fn used_once(past: &Result<Past, String>) -> Answer {
    match past {
        Ok(Past { used_by: None, .. }) => Ok("it was not used".into()),
        Ok(Past { used_by: Some(run), .. }) => Err(format!("it was used by run {run}; a plan is used once")),
        Err(why) => Err(format!("it cannot be known whether it was used: {why}")),
    }
}
