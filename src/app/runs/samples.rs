//! Past runs for tests of everything that shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fact, OpenRun, PastRun, Standing};
use crate::app::testing::{NOW, object};
use crate::domain::capabilities::Atomicity;
use crate::domain::guards::Caps;
use crate::domain::outcome::OutcomeCounts;
use crate::domain::plan::{Plan, PlanHeader, PlanKind, PlanRow};
use crate::domain::progress::{LogLevel, Verification};
use crate::domain::trash::place;
use crate::domain::verdict::Flags;
use crate::domain::{Key, Outcome, Verdict};

/// The keys of the run that can be opened, with how each ended.
pub(crate) const ENDS: [(&str, Option<Outcome>); 6] = [
    ("audio/proj_1/intro/narration.mp3", Some(Outcome::Deleted)),
    ("gone/already.mp4", Some(Outcome::Unknown)),
    ("proj_1_intro_media.mp4", Some(Outcome::Denied)),
    ("proj_proj_1_intro_media.mp4", Some(Outcome::Deleted)),
    ("projects/proj_1/scenes/intro/media/clip.mp4", Some(Outcome::SkippedChanged)),
    ("users/ada/projects/proj_1/output/final_video.mp4", Some(Outcome::Denied)),
];

/// The id of the run that began so many hours before now.
pub(crate) fn id(hours: i64) -> String {
    format!("01890000-0000-7000-8000-0000000000{:02x}", 255 - hours)
}

fn past(hours: i64, kind: PlanKind, standing: Standing, counts: &[(Outcome, u64)], planned: u64) -> PastRun {
    let mut outcomes = OutcomeCounts::default();
    for (outcome, count) in counts {
        (0..*count).for_each(|_| outcomes.add(*outcome));
    }
    let verification = (standing == Standing::Finished).then_some(Verification::Passed);
    PastRun {
        run: id(hours).into(),
        started: Some(NOW.plus_seconds(-3600 * hours)),
        kind: Some(kind),
        planned,
        outcomes,
        standing,
        verification,
        damage: None,
    }
}

/// One run of each sort, the newest first.
pub(crate) fn list() -> Vec<PastRun> {
    let why = "cannot write the journal: no space left on device".to_owned();
    let opened = [(Outcome::Deleted, 2), (Outcome::SkippedChanged, 1), (Outcome::Denied, 2), (Outcome::Unknown, 1)];
    vec![
        past(1, PlanKind::Trash, Standing::Unfinished, &[(Outcome::Trashed, 1_000)], 2_345),
        past(2, PlanKind::Delete, Standing::Finished, &opened, 6),
        past(3, PlanKind::Trash, Standing::Stopped(why), &[(Outcome::Trashed, 12), (Outcome::Failed, 30)], 42),
        past(26, PlanKind::Restore, Standing::Finished, &[(Outcome::Restored, 61)], 61),
        past(27, PlanKind::Trash, Standing::Finished, &[(Outcome::Trashed, 61)], 61),
    ]
}

/// The plan of a run on these keys.
pub(crate) fn plan(kind: PlanKind, keys: impl Iterator<Item = &'static str>) -> Plan {
    let row = |(number, key): (u64, &str)| PlanRow {
        object: match kind.is_from_trash() {
            true => object(place(&id(27), &Key::from(key)).as_bytes(), number * 1000, 2),
            false => object(key.as_bytes(), number * 1000, 100),
        },
        verdict: Verdict::Orphaned,
        flags: Flags::default(),
        project: None,
        because: "its project is gone".into(),
        readings: Vec::new(),
        claims: Vec::new(),
        destination: (kind == PlanKind::Restore).then(|| Key::from(key)),
    };
    let rows: Vec<PlanRow> = (1..).zip(keys).map(row).collect();
    let header = PlanHeader {
        id: "01890000-0000-7000-8000-000000000002".into(),
        kind,
        endpoint: "http://127.0.0.1:9000".into(),
        account: None,
        bucket: "media".into(),
        layouts: "h".into(),
        sources: Vec::new(),
        bucket_objects: 100,
        whole: false,
        scanned_at: Some(NOW),
        created_at: NOW,
        expires_at: NOW.plus_seconds(3600),
        min_age_seconds: 0,
        caps: Caps::default(),
        deletes: Atomicity::Unmeasured,
        guards: Vec::new(),
        tool: "test".into(),
        digest: "d".into(),
    };
    Plan { header, rows }
}

/// A run of the list with its keys: every one can be opened, and has the same keys.
pub(crate) fn open(run: &str) -> OpenRun {
    let past = list().into_iter().find(|past| &*past.run == run).expect("a run of the list");
    let why = |outcome: Outcome| outcome.is_failure().then(|| "AccessDenied: not yours".to_owned());
    let ends: BTreeMap<u32, (Outcome, Option<String>)> =
        (0..).zip(ENDS).filter_map(|(row, (_, outcome))| Some((row, (outcome?, why(outcome?))))).collect();
    let fact = |minute: u32, level, text: &str| Fact {
        at: format!("2026-11-21T08:{minute:02}:00Z"),
        level,
        text: text.to_owned(),
    };
    let facts = vec![
        fact(0, LogLevel::Info, "started by ada with version 0.1.0: 6 objects"),
        fact(1, LogLevel::Error, "request 1: 2 deleted, 1 skipped-changed, 2 denied, 1 unknown"),
        fact(2, LogLevel::Info, "verified: every key is proved gone"),
        fact(3, LogLevel::Info, "2 tracking rows removed"),
        fact(3, LogLevel::Info, "finished"),
    ];
    let kind = past.kind.unwrap_or_default();
    let plan = Arc::new(plan(kind, ENDS.iter().map(|(key, _)| *key)));
    OpenRun::new(past, plan, ends, facts, "/var/lib/bucketree/runs/x".into())
}
