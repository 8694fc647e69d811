//! What is asked when a plan is applied, before the first request that changes something.

use super::{Answer, Check, GUARDS, GuardReport};
use crate::domain::Timestamp;
use crate::domain::plan::Plan;

/// How far ahead of the clock a plan may seem to be made: clocks differ a little.
const CLOCK_SLACK_SECONDS: i64 = 60;

/// Where and when a plan is to be applied.
#[derive(Debug)]
pub struct Here<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Endpoint URL.
    pub endpoint: &'a str,
    /// Bucket.
    pub bucket: &'a str,
    /// Cloudflare account id, if known.
    pub account: Option<&'a str>,
    /// Hash of the layouts.
    pub layouts: &'a str,
    /// Name of the registry, if there is one.
    pub registry: Option<&'a str>,
    /// The version of this program.
    pub tool: &'a str,
    /// Now, by the server's clock.
    pub now: Timestamp,
    /// The run that used the plan, if one did, or why that cannot be known.
    pub used_by: Result<Option<String>, String>,
}

/// Asks every guard of applying.
///
/// # Errors
/// The first guard that refuses.
pub fn may_apply(here: &Here<'_>) -> Result<(), GuardReport> {
    for guard in GUARDS {
        if let Check::Applying(check) = guard.check {
            check(here).map_err(|message| GuardReport { name: guard.name.into(), passed: false, message })?;
        }
    }
    Ok(())
}

pub(super) fn plan_passed(here: &Here<'_>) -> Answer {
    match here.plan.refusals().first() {
        None => Ok("every guard passed when it was made".into()),
        Some(guard) => Err(format!("guard \"{}\": {}", guard.name, guard.message)),
    }
}

pub(super) fn same_bucket(here: &Here<'_>) -> Answer {
    let header = &here.plan.header;
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

pub(super) fn same_layouts(here: &Here<'_>) -> Answer {
    match here.plan.header.layouts == here.layouts {
        true => Ok("the layouts are the plan's".into()),
        false => Err("it was made under other layouts; audit and plan again".into()),
    }
}

pub(super) fn same_registry(here: &Here<'_>) -> Answer {
    let plan = here.plan;
    if !plan.rows.iter().any(|row| row.verdict.needs_registry()) {
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

pub(super) fn same_program(here: &Here<'_>) -> Answer {
    let made_by = here.plan.header.tool.as_str();
    match made_by == here.tool {
        true => Ok(format!("version {made_by}")),
        false => Err(format!("it was made by version {made_by}, and this is version {}; plan again", here.tool)),
    }
}

pub(super) fn not_expired(here: &Here<'_>) -> Answer {
    let (header, now) = (&here.plan.header, here.now);
    if now >= header.expires_at {
        return Err(format!("it expired at {}, and it is {now}; plan again", header.expires_at));
    }
    if now < header.created_at.plus_seconds(-CLOCK_SLACK_SECONDS) {
        return Err(format!("it was made at {}, which is in the future; check the clocks", header.created_at));
    }
    Ok(format!("it can be applied until {}", header.expires_at))
}

pub(super) fn used_once(here: &Here<'_>) -> Answer {
    match &here.used_by {
        Ok(None) => Ok("it was not used".into()),
        Ok(Some(run)) => Err(format!("it was used by run {run}; a plan is used once")),
        Err(why) => Err(format!("it cannot be known whether it was used: {why}")),
    }
}
