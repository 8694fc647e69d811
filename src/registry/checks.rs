//! May this reading of a registry be trusted? A registry that lost rows makes orphans of what is alive, so every doubt
//! makes it unusable, with the reason and the numbers.

use crate::domain::facts::{RegistryState, SourceReport};

/// What a registry must have.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Fewest live projects. At least one, whatever is set.
    pub min_projects: u64,
    /// Fewest tracked keys, where keys are tracked. At least one, whatever is set.
    pub min_tracked: u64,
    /// Largest part that may have gone since last time, from 0 to 1.
    pub max_shrink: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { min_projects: 1, min_tracked: 1, max_shrink: 0.2 }
    }
}

/// What a registry had when it was last trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SeenCounts {
    /// Live projects.
    pub projects: u64,
    /// Tracked keys; `None` if it tracked none.
    pub tracked: Option<u64>,
    /// When, in milliseconds since 1970 by this machine's clock; `None` if that was not remembered.
    #[serde(default)]
    pub at: Option<i64>,
    /// References; none in what was remembered before they were counted.
    #[serde(default)]
    pub references: u64,
}

impl From<&SourceReport> for SeenCounts {
    fn from(report: &SourceReport) -> Self {
        let SourceReport { projects, tracked, references, read_at, .. } = report;
        Self { projects: *projects, tracked: *tracked, at: Some(read_at.0), references: *references }
    }
}

/// Holds a complete reading against the limits and against last time (`None`: never read before).
pub fn judge(report: &SourceReport, last: Option<SeenCounts>, limits: &Limits) -> RegistryState {
    let mut reasons = Vec::new();
    let mut check = |count: u64, fewest: u64, last: Option<u64>, noun: &str| {
        let reason = too_few(count, fewest.max(1), noun).or_else(|| shrunken(count, last, limits.max_shrink, noun));
        reasons.extend(reason.map(|reason| format!("{}: {reason}", report.name)));
    };
    check(report.projects, limits.min_projects, last.map(|last| last.projects), "projects");
    // How many there should be, nobody knows; that they are going, everybody sees.
    let references = shrunken(report.references, last.map(|last| last.references), limits.max_shrink, "references");
    let last_tracked = last.and_then(|last| last.tracked);
    if let Some(tracked) = report.tracked {
        check(tracked, limits.min_tracked, last_tracked, "tracked keys");
    } else if let Some(before) = last_tracked {
        reasons.push(format!("{}: tracks no keys now, and had {before} tracked keys last time", report.name));
    }
    reasons.extend(references.map(|reason| format!("{}: {reason}", report.name)));
    if reasons.is_empty() { RegistryState::Usable } else { RegistryState::Unusable(reasons) }
}

fn too_few(count: u64, fewest: u64, noun: &str) -> Option<String> {
    match count {
        0 => Some(format!("has no {noun} at all")),
        _ if count < fewest => Some(format!("has {count} {noun}, fewer than the minimum of {fewest}")),
        _ => None,
    }
}

fn shrunken(count: u64, last: Option<u64>, max_shrink: f64, noun: &str) -> Option<String> {
    let last = last.filter(|&last| count < last)?;
    #[expect(clippy::cast_precision_loss, reason = "a share does not need more than 52 bits")]
    let share = (last - count) as f64 / last as f64;
    (share > max_shrink).then(|| {
        format!(
            "has {count} {noun} and had {last} last time: {:.1} % fewer, and {:.0} % is the limit",
            share * 100.0,
            max_shrink * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::object::Timestamp;

    fn report(projects: u64, tracked: Option<u64>) -> SourceReport {
        let name = "sqlite: /srv/app.db".into();
        SourceReport { name, projects, tracked, references: 0, read_at: Timestamp(0), fingerprint: String::new() }
    }

    fn check(now: (u64, Option<u64>), last: Option<(u64, Option<u64>)>, reasons: &[&str]) {
        let limits = Limits { min_projects: 2, ..Limits::default() };
        let last = last.map(|(projects, tracked)| SeenCounts { projects, tracked, at: None, references: 0 });
        let expected = match reasons {
            [] => RegistryState::Usable,
            _ => RegistryState::Unusable(reasons.iter().map(|text| format!("sqlite: /srv/app.db: {text}")).collect()),
        };
        assert_eq!(judge(&report(now.0, now.1), last, &limits), expected);
    }

    #[test]
    fn every_doubt_has_its_reason() {
        check((10, Some(100)), None, &[]);
        check((10, None), None, &[]);
        check((0, None), None, &["has no projects at all"]);
        check((1, None), None, &["has 1 projects, fewer than the minimum of 2"]);
        check((10, Some(0)), None, &["has no tracked keys at all"]);
        check((0, Some(0)), None, &["has no projects at all", "has no tracked keys at all"]);
        check((80, Some(800)), Some((100, Some(1000))), &[]);
        check(
            (79, Some(1000)),
            Some((100, Some(1000))),
            &["has 79 projects and had 100 last time: 21.0 % fewer, and 20 % is the limit"],
        );
        check(
            (100, Some(799)),
            Some((100, Some(1000))),
            &["has 799 tracked keys and had 1000 last time: 20.1 % fewer, and 20 % is the limit"],
        );
        check((100, None), Some((100, Some(9))), &["tracks no keys now, and had 9 tracked keys last time"]);
        check((100, Some(5)), Some((100, None)), &[]);
        check((500, Some(5000)), Some((100, Some(1000))), &[]);
    }

    #[test]
    fn references_that_go_are_noticed() {
        let now = |references| SourceReport { references, ..report(10, None) };
        let last = Some(SeenCounts { projects: 10, tracked: None, at: None, references: 100 });
        let state = |references| judge(&now(references), last, &Limits::default());
        assert_eq!(state(80), RegistryState::Usable);
        for (left, share) in [(79, "21.0"), (0, "100.0")] {
            let reason = format!(
                "sqlite: /srv/app.db: has {left} references and had 100 last time: {share} % fewer, and 20 % is the limit"
            );
            assert_eq!(state(left), RegistryState::Unusable(vec![reason]));
        }
        assert_eq!(judge(&now(0), None, &Limits::default()), RegistryState::Usable);
    }

    #[test]
    fn nothing_is_never_enough_whatever_is_configured() {
        let none = Limits { min_projects: 0, min_tracked: 0, max_shrink: 1.0 };
        assert_ne!(judge(&report(0, None), None, &none), RegistryState::Usable);
        assert_ne!(judge(&report(1, Some(0)), None, &none), RegistryState::Usable);
    }

    proptest! {
        #[test]
        fn more_than_a_fifth_gone_is_never_usable(last in 5u64..1_000_000, gone in 0u64..1_000_000) {
            let gone = gone.min(last - 1);
            let state = judge(
                &report(last - gone, None),
                Some(SeenCounts { projects: last, tracked: None, at: None, references: 0 }),
                &Limits::default(),
            );
            prop_assert_eq!(state == RegistryState::Usable, gone * 5 <= last);
        }
    }
}
