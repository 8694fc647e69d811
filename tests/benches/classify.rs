//! How fast a whole bucket is judged, against the budget of two million keys a second on one core.
//!
//! `cargo bench --bench classify [-- OBJECTS]` (a million if not said). The keys are of every shape that the shipped
//! layouts read, of near misses and of names that nobody knows; half of them are tracked.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bucketree::domain::facts::{Facts, FactsBuilder, RegistryRow, RegistryState, SourceReport};
use bucketree::domain::judge::{Judge, Policy, Trust, classify};
use bucketree::domain::layout::Layouts;
use bucketree::domain::progress::RegistryReport;
use bucketree::domain::{ETag, IdRules, Inventory, Key, Object, StorageClass, Timestamp, Verdict};

const BUDGET: f64 = 2_000_000.0;
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn main() {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000_u64);
    let inventory = inventory(wanted);
    let facts = facts(&inventory);
    let policy = Policy { min_age_seconds: 7 * 24 * 60 * 60, ..Policy::default() };
    let judge =
        Judge::new(Arc::new(Layouts::autoshorts()), Arc::new(facts), policy, Trust { complete: true, now: Some(NOW) });
    let keys = f64::from(inventory.len());
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Clock::start();
        let assessment = black_box(classify(&inventory, &judge, &|_| true));
        let seconds = start.seconds();
        best = best.min(seconds);
        let totals = assessment.totals(0..inventory.len());
        let counts = Verdict::ALL.map(|verdict| format!("{verdict} {}", totals.of(verdict).objects));
        println!("{:.0} ms: {}", seconds * 1e3, counts.join(", "));
    }
    println!("classify: {:.2} M keys/s over {keys} keys, {:.2} x the budget", keys / best / 1e6, keys / best / BUDGET);
}

/// Time of this thread on a core where Linux tells it, so that a busy machine does not look like slow code; else the
/// clock on the wall.
struct Clock {
    wall: Instant,
    on_core: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), on_core: Self::on_core() }
    }

    fn seconds(&self) -> f64 {
        match (self.on_core, Self::on_core()) {
            (Some(then), Some(now)) if now > then => (now - then) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }

    /// Nanoseconds, the first number of the scheduler's statistics.
    fn on_core() -> Option<u64> {
        std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
    }
}

/// One key of the mix. Scenes and files make neighbours share most of their bytes, as in a real bucket.
fn key(n: u64) -> String {
    let (project, scene, file) = (n / 200 % 5000, n / 20 % 10, n % 20);
    let kind = ["audio", "video", "media", "thumbnails"][(n % 4) as usize];
    match n % 16 {
        0..=3 => {
            format!("users/user{}/projects/proj_{project}/scenes/scene_{scene}/{kind}/{file}-{n}.mp4", project % 97)
        }
        4 => format!("users/user{}/projects/proj_{project}/output/final-{n}.mp4", project % 97),
        5 | 6 => format!("projects/proj_{project}/scenes/scene_{scene}/{kind}/{file}-{n}.mp4"),
        7..=9 => format!("{kind}/proj_{project}/scene_{scene}/{file}-{n}.mp4"),
        10 => format!("{kind}/proj_proj_{project}/scene_{scene}/{file}-{n}.mp4"),
        11 | 12 => format!("proj_{project}_scene-{scene}-{n}_media.mp4"),
        13 => format!("proj_proj_{project}_scene_{scene}_{n}_media.mp4"),
        14 => format!("audio/music/{}/{n}.mp3", 2000 + n % 25),
        _ => format!("backup/{project}/{n}.tar"),
    }
}

fn inventory(objects: u64) -> Inventory {
    let mut keys: Vec<(String, u64)> = (0..objects).map(|n| (key(n), n)).collect();
    keys.sort_unstable();
    keys.dedup_by(|a, b| a.0 == b.0);
    let mut inventory = Inventory::new();
    for (key, n) in keys {
        let object = Object {
            key: Key::new(key),
            size: 1000 + n % 5000,
            etag: ETag::new(&format!("{:032x}", n % (objects / 20 * 19 + 1))),
            last_modified: Some(NOW.plus_seconds(-((n % 700) as i64) * 24 * 60 * 60)),
            storage_class: StorageClass::default(),
        };
        if inventory.push(object).is_err() {
            println!("classify: the keys are not sorted");
        }
    }
    inventory
}

/// Every third project is gone; every second key is tracked under the project of its number.
fn facts(inventory: &Inventory) -> Facts {
    let mut builder = FactsBuilder::new(inventory, &IdRules { prefix: "proj_".into(), fold_nfc: false });
    for id in (0..5000).filter(|id| id % 3 != 0) {
        builder.row(RegistryRow::Project { id: format!("proj_{id}") });
    }
    let start = Clock::start();
    let mut rows = 0_u32;
    for index in (0..inventory.len()).step_by(2) {
        builder
            .row(RegistryRow::Tracked { key: inventory.key(index), project: Some(format!("{}", index / 200 % 5000)) });
        rows += 1;
    }
    println!("{:.2} M rows/s resolved", f64::from(rows) / start.seconds() / 1e6);
    let source = SourceReport {
        name: "bench".into(),
        projects: 3333,
        tracked: Some(u64::from(rows)),
        references: 0,
        read_at: NOW,
        fingerprint: String::new(),
    };
    builder.finish(RegistryReport { state: RegistryState::Usable, sources: vec![source] })
}
