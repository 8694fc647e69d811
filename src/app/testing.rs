//! The state with a small bucket behind it, for tests: keys as text go in, what the jobs would do is done at once.

use std::sync::Arc;
use std::time::Duration;

use super::effect::Effect;
use super::event::{Assessed, CarriedMarks, Event};
use super::filter::Matches;
use super::gather::gather;
use super::keymap::Keymap;
use super::order::{sort_flat, sort_folder};
use super::runs::{PastRun, samples};
use super::state::{Session, State};
use super::stroke::Stroke;
use super::{start, update};
use crate::domain::assessment::Assessment;
use crate::domain::capabilities::Atomicity;
use crate::domain::drift::{DriftReport, compare};
use crate::domain::facts::{FactsBuilder, RegistryRow, RegistryState, SourceReport};
use crate::domain::folders::{KeySpace, Subset};
use crate::domain::guards::{Caps, GuardFacts, guards};
use crate::domain::inventory::Inventory;
use crate::domain::judge::{Judge, Policy, Trust, classify};
use crate::domain::layout::Layouts;
use crate::domain::plan::{Plan, PlanHeader, PlanRow};
use crate::domain::prices::{Prices, RequestPrices};
use crate::domain::progress::{Completeness, Failure, RegistryReport, ScanProgress, ScanReport};
use crate::domain::via::Via;
use crate::domain::{ETag, IdRules, Key, Object, StorageClass, Timestamp};

/// The server's clock in every test: 2026-11-21T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_795_255_200_000);

/// A small bucket with what matters in it: a live project, a dead one in five shapes, `proj_10` beside `proj_1`, keys that
/// no layout reads, a young orphan.
pub(crate) const KEYS: &[&str] = &[
    "README.txt",
    "a//b",
    "audio/proj_1/intro/narration.mp3",
    "audio/proj_10/intro/narration.mp3",
    "proj_1_intro_media.mp4",
    "proj_proj_1_intro_media.mp4",
    "projects/proj_1/scenes/intro/media/clip.mp4",
    "projects/proj_young/scenes/intro/media/clip.mp4",
    "users/ada/projects/proj_1/output/final_video.mp4",
    "users/ada/projects/proj_10/output/final_video.mp4",
];

/// State and jobs.
pub(crate) struct Sim {
    pub state: State,
    /// What the bucket holds.
    pub objects: Vec<Object>,
    /// What the registry says; the default has project 10 alive.
    pub registry: RegistryReport,
    /// Why the listing ends early, if it does.
    pub incomplete: Option<Failure>,
    /// The past runs; none unless somebody says so.
    pub runs: Vec<PastRun>,
    /// What the comparison of registry and listing finds; what it really finds unless somebody says so.
    pub drift: Option<DriftReport>,
    /// Requests that are not answered here: runs, clipboard, quitting.
    pub asked: Vec<Effect>,
    at: Duration,
}

pub(crate) fn object(key: &[u8], size: u64, age_days: i64) -> Object {
    Object {
        key: Key::new(key),
        size,
        etag: ETag::new("5d41402abc4b2a76b9719d911017c592"),
        last_modified: Some(NOW.plus_seconds(-age_days * 86_400)),
        storage_class: StorageClass::default(),
    }
}

pub(crate) fn registry(state: RegistryState) -> RegistryReport {
    let source = SourceReport {
        name: "file: projects.json".into(),
        projects: 1,
        tracked: None,
        references: 0,
        read_at: NOW,
        fingerprint: "f".into(),
    };
    RegistryReport { state, sources: vec![source] }
}

impl Sim {
    /// A bucket of [`KEYS`] that nothing has been asked of yet.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let age = |key: &str| if key.contains("young") { 1 } else { 100 };
        let sized = (1..).zip(KEYS).map(|(number, key)| object(key.as_bytes(), number * 1000, age(key)));
        Self::of(sized.collect(), size)
    }

    /// A bucket of these objects.
    pub(crate) fn of(mut objects: Vec<Object>, size: (u16, u16)) -> Self {
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        let session = Session {
            profile: "demo".into(),
            host: "127.0.0.1:9000".into(),
            bucket: "media".into(),
            registries: vec!["file: projects.json".into()],
            min_age_seconds: 7 * 86_400,
            deletes: Default::default(),
            offline: false,
            keeps_scans: true,
            via: Via::Batch,
            prices: Prices { requests: Some(RequestPrices::R2), ..Prices::default() },
        };
        let mut state = State::new(session, Keymap::built_in(), size);
        state.clock = Some(NOW);
        let (registry, asked) = (registry(RegistryState::Usable), Vec::new());
        Self { state, objects, registry, incomplete: None, runs: Vec::new(), drift: None, asked, at: Duration::ZERO }
    }

    /// Lists and judges everything.
    pub(crate) fn loaded(mut self) -> Self {
        let effects = start(&mut self.state);
        self.perform(effects);
        self
    }

    /// The same bucket, listed and judged, at 80x24.
    pub(crate) fn ready() -> Self {
        Self::new((80, 24)).loaded()
    }

    /// Presses keys at a human pace; gives back what was asked of the world.
    pub(crate) fn press(&mut self, keys: &str) -> Vec<Effect> {
        for stroke in Stroke::parse_all(keys).expect("keys") {
            self.at += Duration::from_millis(150);
            self.send(Event::Key { key: stroke.event(), at: self.at });
        }
        std::mem::take(&mut self.asked)
    }

    /// Takes an event in, and answers what it asks for.
    pub(crate) fn send(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        self.perform(effects);
    }

    /// The time of the last key.
    pub(crate) fn at(&self) -> Duration {
        self.at
    }

    /// Exact keys of what is marked.
    pub(crate) fn marked(&self) -> Vec<String> {
        let inventory = &self.state.bucket.inventory;
        self.state.marks.selection.iter().map(|object| inventory.key(object).escaped().to_string()).collect()
    }

    /// The rows on the screen: keys and prefixes, or names of groups.
    pub(crate) fn rows(&self) -> Vec<String> {
        let name = |node: &super::forest::Node| match (node, self.state.key_of(node)) {
            (super::forest::Node::Group(id), _) => id.title(),
            (_, key) => key.map(|key| key.escaped().to_string()).unwrap_or_default(),
        };
        self.state.window().rows.iter().map(|row| name(&row.node)).collect()
    }

    /// The row under the cursor.
    pub(crate) fn cursor(&self) -> String {
        let window = self.state.window();
        self.rows().get(window.cursor).cloned().unwrap_or_default()
    }

    /// The text in the status line.
    pub(crate) fn notice(&self) -> &str {
        self.state.notice.as_ref().map_or("", |notice| notice.text.as_str())
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            for event in self.answer(effect) {
                self.send(event);
            }
        }
    }

    fn answer(&mut self, effect: Effect) -> Vec<Event> {
        let never = &|| false;
        let (inventory, assessment) = (self.state.bucket.inventory.clone(), self.state.bucket.assessment.clone());
        match effect {
            Effect::Scan { ticket } => {
                let pages = (1..).zip(self.objects.chunks(4)).flat_map(|(number, page)| {
                    [Event::Asked(ticket, number), Event::Scan(ticket, ScanProgress::Page(page.to_vec()))]
                });
                pages.chain([Event::Scan(ticket, ScanProgress::Finished(self.report()))]).collect()
            }
            Effect::Audit { ticket } => {
                let (judge, assessment) = judged(&inventory, &self.registry, &self.report());
                let gathered = gather(&inventory, &assessment, None, self.state.browse.order, never).expect("groups");
                vec![Event::Assessed(ticket, Box::new(Assessed { assessment, judge, gathered }))]
            }
            Effect::Filter { ticket, filter } => {
                let found = filter.run(&inventory, assessment.as_ref(), Some(NOW), never).expect("matches");
                let order = self.state.browse.order;
                let gathered = assessment
                    .and_then(|assessment| gather(&inventory, &assessment, Some(&found), order, never))
                    .unwrap_or_default();
                let subset = Subset::new(&inventory, found);
                vec![Event::Filtered(ticket, Box::new(Matches { subset, gathered, of: inventory.alive() }))]
            }
            Effect::Gather { ticket, order } => {
                let assessment = assessment.expect("an assessment");
                let gathered = gather(&inventory, &assessment, None, order, never).expect("groups");
                vec![Event::Gathered(ticket, Box::new(gathered))]
            }
            Effect::Sort { ticket, folder, order } => {
                let subset = self.state.filter.matches.as_ref().map(|matches| matches.subset.clone());
                let space: &dyn KeySpace = subset.as_ref().map_or(&inventory as &dyn KeySpace, |subset| subset);
                let (whole, verdicts) = (subset.is_none(), assessment.as_ref());
                vec![match folder {
                    None => {
                        Event::SortedFlat(ticket, sort_flat(space, &inventory, verdicts, order, never).expect("order"))
                    }
                    Some(prefix) => {
                        let sorted = sort_folder(space, whole, verdicts, prefix.as_bytes(), order, never);
                        Event::SortedFolder(ticket, prefix, sorted.expect("order"))
                    }
                }]
            }
            Effect::ReadRuns { ticket } => {
                let read = (self.runs.len(), self.runs.len());
                vec![Event::Runs { ticket, runs: self.runs.clone(), read }]
            }
            Effect::OpenRun { ticket, run } => vec![Event::RunOpened(ticket, Box::new(samples::open(&run)))],
            Effect::CompareRegistry { ticket } => {
                let (judge, assessment) = judged(&inventory, &self.registry, &self.report());
                let report =
                    self.drift.clone().unwrap_or_else(|| compare(&judge, &assessment, &inventory, None).report);
                vec![Event::Drifted(ticket, Box::new(report))]
            }
            Effect::CarryMarks { ticket } => {
                let (before, bucket) = (self.state.marks.selection.clone(), &self.state.bucket);
                let new = bucket.incoming.clone().expect("a new listing");
                vec![Event::Carried(ticket, Box::new(CarriedMarks::find(before, &bucket.inventory, &new)))]
            }
            Effect::BuildPlan { ticket } => vec![Event::PlanReady(ticket, Box::new(self.plan().into()))],
            // Nothing was kept; tests say what was where it matters.
            Effect::OpenKept { .. } => Vec::new(),
            other => {
                self.asked.push(other);
                Vec::new()
            }
        }
    }

    /// How its listing ends.
    pub(crate) fn report(&self) -> ScanReport {
        let completeness = match &self.incomplete {
            None => Completeness::Complete,
            Some(failure) => Completeness::Incomplete(failure.clone()),
        };
        let elapsed = Duration::from_millis(40);
        ScanReport { completeness, server_time: Some(NOW), local_time: NOW, requests: 3, elapsed }
    }

    fn plan(&self) -> Plan {
        let bucket = &self.state.bucket;
        let assessment = bucket.assessment.as_ref().expect("an assessment");
        let row = |index| PlanRow {
            object: bucket.inventory.object(index),
            verdict: assessment.verdict(index),
            flags: assessment.flags(index),
            project: assessment.project(index).map(|project| assessment.project_id(project).clone()),
            because: "its project is gone".into(),
            readings: Vec::new(),
            claims: Vec::new(),
            destination: None,
        };
        let rows: Vec<PlanRow> = self.state.marks.selection.iter().map(row).collect();
        let caps = Caps { bucket_share: 0.9, ..Caps::default() };
        let facts = GuardFacts { bucket_objects: bucket.inventory.alive(), ..GuardFacts::default() };
        let guards = guards(&rows, &caps, &facts);
        let header = PlanHeader {
            id: "01890000-0000-7000-8000-000000000001".into(),
            kind: self.state.planning.kind,
            endpoint: "http://127.0.0.1:9000".into(),
            account: None,
            bucket: "media".into(),
            layouts: "h".into(),
            sources: Vec::new(),
            bucket_objects: bucket.inventory.alive(),
            whole: false,
            scanned_at: Some(NOW),
            created_at: NOW,
            expires_at: NOW.plus_seconds(3600),
            min_age_seconds: 7 * 86_400,
            caps,
            deletes: Atomicity::Unmeasured,
            guards,
            tool: "test".into(),
            digest: "d".into(),
        };
        Plan { header, rows }
    }
}

fn judged(inventory: &Inventory, registry: &RegistryReport, scan: &ScanReport) -> (Judge, Assessment) {
    let layouts = Layouts::autoshorts();
    let ids = IdRules { prefix: layouts.id_prefix().into(), fold_nfc: false };
    let mut facts = FactsBuilder::new(inventory, &ids);
    facts.row(RegistryRow::Project { id: "proj_10".into() });
    let policy = Policy { min_age_seconds: 7 * 86_400, ..Policy::default() };
    let judge = Judge::new(Arc::new(layouts), Arc::new(facts.finish(registry.clone())), policy, Trust::of(scan));
    let assessment = classify(inventory, &judge, &|_| true);
    (judge, assessment)
}
