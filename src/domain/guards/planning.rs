//! What is asked when a plan is made.

use std::collections::{BTreeMap, BTreeSet};

use super::Answer;
use super::asked::{Asked, Drift, DriftSample, LastScan};
use crate::domain::trash::is_in_trash;
use crate::domain::{Flag, PlanRow, ProjectId, Verdict};

/// The largest share of objects that may have gone since the last complete listing.
const MOST_SHRUNK: f64 = 0.2;

/// Fewer absent keys than this are never a sign of the wrong bucket.
const FEW_MISSING: u64 = 10;

/// Above this share of absent keys it is not the same bucket, even if each of them is proved absent.
const MOST_MISSING: f64 = 0.5;

/// Passes with the first text or refuses with the second.
fn answer(passes: bool, compared: impl FnOnce() -> String, refuses: impl FnOnce() -> String) -> Answer {
    if passes { Ok(compared()) } else { Err(refuses()) }
}

pub(super) fn not_empty(asked: &Asked<'_>) -> Answer {
    answer(
        !asked.rows.is_empty(),
        || format!("{} objects", asked.rows.len()),
        || "no object is in the plan; mark or select some".into(),
    )
}

pub(super) fn listing_complete(asked: &Asked<'_>) -> Answer {
    match &asked.facts.listing_problem {
        None => Ok(format!("all {} objects of the bucket were listed", asked.facts.bucket_objects)),
        Some(problem) => Err(format!("the listing is incomplete ({problem}); list the bucket again")),
    }
}

/// Whether a listing has too few objects beside the last one to be believed.
pub fn shrinks(last: &LastScan, listed: u64) -> bool {
    match last {
        LastScan::Never => false,
        LastScan::Seen { objects, .. } => listed < *objects && share(objects - listed, *objects) > MOST_SHRUNK,
        LastScan::Unreadable(_) => true,
    }
}

pub(super) fn listing_not_shrunken(asked: &Asked<'_>) -> Answer {
    let listed = asked.facts.listed;
    let (before, at) = match &asked.facts.last_scan {
        LastScan::Never => return Ok("it is the first complete listing that is remembered".into()),
        LastScan::Seen { objects, at } => (*objects, *at),
        LastScan::Unreadable(why) => {
            return Err(format!("what the last listing had cannot be known: {why}; mend or remove that file"));
        }
    };
    let compared = format!("{listed} objects, and {before} were expected by the listing of {at}");
    if !shrinks(&asked.facts.last_scan, listed) {
        return Ok(compared);
    }
    if asked.facts.accepts_shrink {
        return Ok(format!("{compared}; accepted by --accept-shrink"));
    }
    Err(format!(
        "{compared}: {:.1} % fewer, more than {:.1} %; list again, find out who deletes, or plan with --accept-shrink",
        share(before - listed, before) * 100.0,
        MOST_SHRUNK * 100.0
    ))
}

pub(super) fn registry_trusted(asked: &Asked<'_>) -> Answer {
    let undetermined = asked.rows.iter().filter(|row| row.verdict == Verdict::Undetermined).count();
    let needs_registry = undetermined < asked.rows.len();
    let accepted = if asked.facts.accepts_shrink { "; fewer rows would be accepted by --accept-shrink" } else { "" };
    answer(
        asked.facts.registry_problems.is_empty() || !needs_registry,
        || match undetermined {
            0 => format!("every source was read to its end{accepted}"),
            count => format!("{count} objects were named one by one without a verdict{accepted}"),
        },
        || format!("{}; mend the registry and audit again", asked.facts.registry_problems.join("; ")),
    )
}

pub(super) fn canary_alive(asked: &Asked<'_>) -> Answer {
    let canaries = &asked.facts.canaries;
    let problems: Vec<&str> = canaries.iter().filter_map(|canary| canary.problem.as_deref()).collect();
    if !problems.is_empty() {
        return Err(format!("{}; registry, bucket or canary is the wrong one", problems.join("; ")));
    }
    match canaries.iter().map(|canary| canary.what.as_str()).collect::<Vec<_>>().as_slice() {
        [] => Ok("no canary is configured".into()),
        seen => Ok(format!("seen alive: {}", seen.join(", "))),
    }
}

impl Drift {
    /// Whether so many tracked keys are absent that HEAD must say what became of them.
    pub fn wants_sample(&self, missing_share: f64) -> bool {
        self.missing >= FEW_MISSING && share(self.missing, self.tracked) > missing_share
    }
}

/// That the registry expects keys which the listing does not have means one of three things. HEAD finds them: the listing
/// is wrong, and nothing that it says may be deleted. HEAD proves them gone: rows of deleted objects were left behind,
/// which harms nobody. Most of them are gone: the two hardly belong to the same bucket.
pub(super) fn tracked_keys_present(asked: &Asked<'_>) -> Answer {
    let drift = &asked.facts.drift;
    let (tracked, missing) = (drift.tracked, drift.missing);
    if tracked == 0 {
        return Ok("no tracked key is known".into());
    }
    if asked.facts.bucket_objects == 0 && missing > 0 {
        return Err(format!(
            "the bucket is empty and the registry tracks {tracked} keys; check bucket, endpoint and account, and on R2 the \
             jurisdiction: eu and fedramp buckets are seen only at their own endpoints"
        ));
    }
    let share = share(missing, tracked);
    let most = asked.caps.missing_share;
    let compared = format!("{missing} of {tracked} tracked keys are absent from the listing ({:.1} %)", share * 100.0);
    if !drift.wants_sample(most) {
        return Ok(compared);
    }
    match drift.sample {
        Some(DriftSample { gone, there: 0, unproven: 0 }) if gone > 0 && share <= MOST_MISSING => {
            Ok(format!("{compared}; HEAD proved {gone} of {gone} gone: rows of deleted objects"))
        }
        Some(DriftSample { gone, there: 0, unproven: 0 }) if gone > 0 => Err(format!(
            "{compared}, and HEAD proved {gone} of {gone} gone; bucket and registry may not belong together: check both, \
             remove the rows of deleted objects, or raise max_missing"
        )),
        Some(DriftSample { gone, there, unproven }) => Err(format!(
            "{compared}; HEAD found {there} of {} there and could not prove {unproven}; the listing is wrong: list again",
            gone + there + unproven
        )),
        None => Err(format!("{compared}, more than {:.1} %, and nobody proved that they are gone", most * 100.0)),
    }
}

fn flagged(asked: &Asked<'_>, flag: Flag) -> usize {
    asked.rows.iter().filter(|row| row.flags.has(flag)).count()
}

pub(super) fn nothing_protected(asked: &Asked<'_>) -> Answer {
    match flagged(asked, Flag::Protected) {
        0 => Ok("no object lies under a protected prefix or project".into()),
        count => Err(format!("{count} objects are protected by the configuration; leave them out")),
    }
}

pub(super) fn nothing_young(asked: &Asked<'_>) -> Answer {
    match flagged(asked, Flag::Young) {
        0 => Ok("every object is older than the age guard".into()),
        count => {
            Err(format!("{count} objects are younger than the age guard or of unknown age; wait, or lower --min-age"))
        }
    }
}

pub(super) fn seen_twice(asked: &Asked<'_>) -> Answer {
    let Some(observed) = &asked.facts.observed else {
        return Ok("it is not asked for: observe_days is not set".into());
    };
    let days = observed.days;
    match (flagged(asked, Flag::Unconfirmed), &observed.sightings) {
        (0, _) => Ok(format!("every object was the same in every complete scan of {days} days")),
        (_, Err(why)) => Err(format!("what earlier scans saw cannot be known: {why}; mend or remove that file")),
        (count, Ok(_)) => Err(format!(
            "{count} objects were not seen like this for {days} days; leave them out, scan again later, or lower --observe-days"
        )),
    }
}

pub(super) fn object_cap(asked: &Asked<'_>) -> Answer {
    let (count, cap) = (asked.rows.len() as u64, asked.caps.objects);
    answer(
        count <= cap,
        || format!("{count} of at most {cap} objects"),
        || format!("{count} objects are more than the cap of {cap}; narrow the selection or raise max_objects"),
    )
}

pub(super) fn byte_cap(asked: &Asked<'_>) -> Answer {
    let bytes = asked.rows.iter().fold(0u64, |sum, row| sum.saturating_add(row.object.size));
    let cap = asked.caps.bytes;
    answer(
        bytes <= cap,
        || format!("{bytes} of at most {cap} bytes"),
        || format!("{bytes} bytes are more than the cap of {cap}; narrow the selection or raise max_bytes"),
    )
}

pub(super) fn project_cap(asked: &Asked<'_>) -> Answer {
    let count = asked.rows.iter().filter_map(|row| row.project.as_ref()).collect::<BTreeSet<_>>().len() as u64;
    let cap = asked.caps.projects;
    answer(
        count <= cap,
        || format!("{count} of at most {cap} projects"),
        || format!("{count} projects are more than the cap of {cap}; narrow the selection or raise max_projects"),
    )
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

pub(super) fn bucket_share(asked: &Asked<'_>) -> Answer {
    let share = share(asked.rows.len() as u64, asked.facts.bucket_objects);
    let cap = asked.caps.bucket_share;
    answer(
        asked.rows.is_empty() || share <= cap,
        || format!("{:.1} % of the bucket, at most {:.1} %", share * 100.0, cap * 100.0),
        || {
            format!(
                "{:.1} % of the bucket's objects are more than the cap of {:.1} %; narrow the selection or raise max_share",
                share * 100.0,
                cap * 100.0
            )
        },
    )
}

pub(super) fn live_project_share(asked: &Asked<'_>) -> Answer {
    let mut planned: BTreeMap<&ProjectId, u64> = BTreeMap::new();
    for project in asked.rows.iter().filter_map(|row| row.project.as_ref()) {
        *planned.entry(project).or_default() += 1;
    }
    let shares = asked.facts.live_projects.iter();
    let shares =
        shares.map(|(project, objects)| (share(planned.get(project).copied().unwrap_or(0), *objects), project));
    let Some((share, project)) = shares.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Ok("no live project loses an object".into());
    };
    let cap = asked.caps.live_project_share;
    answer(
        share <= cap,
        || format!("live project {project} loses {:.1} % of its objects", share * 100.0),
        || {
            format!(
                "live project {project} would lose {:.1} % of its objects, more than the cap of {:.1} %; leave it out or raise \
                 max_project_share",
                share * 100.0,
                cap * 100.0
            )
        },
    )
}

/// Whether somebody else has the lock is known only when the plan is applied.
pub(super) fn lock_in_the_bucket(asked: &Asked<'_>) -> Answer {
    Ok(asked.facts.locking.to_string())
}

pub(super) fn only_the_trash(rows: &[PlanRow]) -> Answer {
    match rows.iter().filter(|row| !is_in_trash(row.object.key.as_bytes())).count() {
        0 => Ok(format!("all {} objects lie in the trash", rows.len())),
        outside => Err(format!("{outside} objects lie elsewhere; list the trash again")),
    }
}
