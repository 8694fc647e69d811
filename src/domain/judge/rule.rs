//! The table of verdicts: what decides, and how it is said.

use crate::domain::verdict::Verdict;

/// Whether verdicts can be given at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ground {
    Firm,
    ListingIncomplete,
    NoRegistry,
    RegistryUnusable,
    NoLiveProject,
}

/// What was found about one object. Only whether something was found decides, never how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Voices {
    /// A layout reads the key, and the project is live.
    pub(super) live_reading: bool,
    /// A layout reads the key, and the project is dead.
    pub(super) dead_reading: bool,
    /// The key may have readings that were not found.
    pub(super) overflow: bool,
    /// A row or reference of a live project has the key.
    pub(super) live_claim: bool,
    /// A row or reference of a dead project has the key.
    pub(super) dead_claim: bool,
    /// A row or reference that names no project has the key.
    pub(super) unknown_claim: bool,
    /// One of the dead projects resembles a live one.
    pub(super) doubtful: bool,
}

/// What decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    ListingIncomplete,
    NoRegistry,
    RegistryUnusable,
    NoLiveProject,
    LiveAndTracked,
    LiveAndReferred,
    LiveKeysNotTracked,
    LiveUntracked,
    LiveButRowDead,
    TooManyReadings,
    DeadButClaimLive,
    DeadButClaimUnknown,
    AlmostLive,
    AllDead,
    OnlyLiveClaim,
    OnlyDeadClaims,
    DeadAndUnknownClaims,
    OnlyUnknownClaims,
    Nothing,
}

/// The first line of the table that holds.
pub(super) fn decide(ground: Ground, tracks_keys: bool, voices: Voices) -> Rule {
    match ground {
        Ground::ListingIncomplete => return Rule::ListingIncomplete,
        Ground::NoRegistry => return Rule::NoRegistry,
        Ground::RegistryUnusable => return Rule::RegistryUnusable,
        Ground::NoLiveProject => return Rule::NoLiveProject,
        Ground::Firm => {}
    }
    let Voices { live_reading, dead_reading, overflow, live_claim, dead_claim, unknown_claim, doubtful } = voices;
    if live_reading {
        return match (tracks_keys, live_claim, dead_claim, unknown_claim) {
            (false, ..) => Rule::LiveKeysNotTracked,
            (true, true, ..) => Rule::LiveAndTracked,
            (true, false, false, false) => Rule::LiveUntracked,
            (true, false, true, false) => Rule::LiveButRowDead,
            (true, false, _, true) => Rule::LiveAndReferred,
        };
    }
    if overflow {
        return Rule::TooManyReadings;
    }
    match (dead_reading, live_claim, dead_claim, unknown_claim) {
        (true, true, ..) => Rule::DeadButClaimLive,
        (true, false, _, true) => Rule::DeadButClaimUnknown,
        (true, false, _, false) | (false, false, true, false) if doubtful => Rule::AlmostLive,
        (true, false, _, false) => Rule::AllDead,
        (false, true, ..) => Rule::OnlyLiveClaim,
        (false, false, true, true) => Rule::DeadAndUnknownClaims,
        (false, false, true, false) => Rule::OnlyDeadClaims,
        (false, false, false, true) => Rule::OnlyUnknownClaims,
        (false, false, false, false) => Rule::Nothing,
    }
}

impl Rule {
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Rule::ListingIncomplete | Rule::NoRegistry | Rule::RegistryUnusable | Rule::NoLiveProject => {
                Verdict::Undetermined
            }
            Rule::LiveAndTracked | Rule::LiveAndReferred | Rule::LiveKeysNotTracked | Rule::OnlyLiveClaim => {
                Verdict::Live
            }
            Rule::LiveUntracked => Verdict::Untracked,
            Rule::LiveButRowDead
            | Rule::TooManyReadings
            | Rule::DeadButClaimLive
            | Rule::DeadButClaimUnknown
            | Rule::AlmostLive
            | Rule::DeadAndUnknownClaims => Verdict::Conflict,
            Rule::AllDead | Rule::OnlyDeadClaims => Verdict::Orphaned,
            Rule::OnlyUnknownClaims | Rule::Nothing => Verdict::Unrecognized,
        }
    }

    /// One sentence for a person. `live` and `dead` are the ids that were found, as a person reads them.
    pub(super) fn sentence(self, live: &[String], dead: &[String]) -> String {
        let all_dead = dead.join(", ");
        let live = format!("the live project{} {}", if live.len() > 1 { "s" } else { "" }, live.join(", "));
        let dead = format!("{all_dead}, which {} gone", if dead.len() > 1 { "are" } else { "is" });
        let no_owner = "the registry mentions the key without an owner";
        match self {
            Rule::ListingIncomplete => "The listing is incomplete, so nothing can be said.".into(),
            Rule::NoRegistry => "No registry is configured, so nobody knows which projects live.".into(),
            Rule::RegistryUnusable => "The registry cannot be used, so nothing can be said.".into(),
            Rule::NoLiveProject => "The registry names no live project at all, so it is not believed.".into(),
            Rule::LiveAndTracked => format!("Its key names {live}, and the registry has the key."),
            Rule::LiveAndReferred => format!("Its key names {live}, and {no_owner}."),
            Rule::LiveKeysNotTracked => format!("Its key names {live}; the registry does not track keys."),
            Rule::LiveUntracked => format!("Its key names {live}, but no row and no reference has the key."),
            Rule::LiveButRowDead => format!("Its key names {live}, but the registry has the key under {dead}."),
            Rule::TooManyReadings => {
                "Its key can be read in more ways than are tried, and none of those tried is live: kept.".into()
            }
            Rule::DeadButClaimLive => format!("Its key names {dead}, but the registry has the key under {live}."),
            Rule::DeadButClaimUnknown => format!("Its key names {dead}, but {no_owner}."),
            Rule::AlmostLive => {
                format!(
                    "It belongs to {dead}, but the id of a live project differs from that only in how it is written."
                )
            }
            Rule::AllDead => format!("Every project that it could belong to is gone from the registry: {all_dead}."),
            Rule::OnlyLiveClaim => format!("No layout reads its key, but the registry has the key under {live}."),
            Rule::OnlyDeadClaims => {
                format!("No layout reads its key, and the registry has the key only under {dead}.")
            }
            Rule::DeadAndUnknownClaims => {
                format!(
                    "No layout reads its key, the registry has the key under {dead}, and mentions it without an owner."
                )
            }
            Rule::OnlyUnknownClaims => format!("No layout reads its key, and {no_owner}: kept."),
            Rule::Nothing => "No layout reads its key, and the registry does not have it: kept.".into(),
        }
    }
}
