//! Disagreements for tests of everything that shows them.

use crate::domain::drift::{Absence, DeadRow, DriftReport, MissingKey, RepeatedKey, UntrackedObject, WrongSize};
use crate::domain::facts::{Claim, ClaimKind, Owner};
use crate::domain::{IdRules, Key};

/// Some of each kind, on the keys of the small bucket where they are in the bucket.
pub(crate) fn drift() -> DriftReport {
    let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
    let project = |id: &str| ids.canonical(id.as_bytes()).expect("an id").project;
    let claim = |kind, owner| Claim { kind, owner };
    let missing = |key: &str, claim, proof| MissingKey { key: Key::from(key), claim, proof };
    DriftReport {
        in_both: 7,
        untracked: vec![UntrackedObject {
            key: Key::from("users/ada/projects/proj_10/output/final_video.mp4"),
            size: 10_000,
            project: project("10"),
        }],
        missing: vec![
            missing("gone/one.mp4", claim(ClaimKind::Row, Owner::Dead(project("77"))), Absence::Proved),
            missing("gone/two.mp4", claim(ClaimKind::Reference, Owner::Unknown), Absence::NotAsked),
        ],
        wrong_sizes: vec![WrongSize {
            key: Key::from("audio/proj_10/intro/narration.mp3"),
            recorded: 3_000,
            actual: 4_000,
        }],
        repeated: vec![RepeatedKey { key: Key::from("audio/proj_10/intro/narration.mp3"), rows: 2 }],
        dead_rows: vec![DeadRow { key: Key::from("proj_1_intro_media.mp4"), size: 5_000, project: project("1") }],
        ..DriftReport::default()
    }
}
