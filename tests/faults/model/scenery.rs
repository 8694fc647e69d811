//! A random bucket, a random registry, and those who change both while the program works.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bucketree::domain::capabilities::Atomicity;
use bucketree::domain::plan::{Plan, PlanKind};
use bucketree::domain::{Key, Object};
use bucketree::jobs::executor::Via;
use bucketree::jobs::trash::{Only, Trash};
use bucketree::journal::record::Record;
use bucketree::journal::runs;
use bucketree::store::ObjectStore;
use bucketree::store::conformance::Description;
use bucketree::store::memory::MemoryStore;
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::history::History;
use super::store::Oracle;
use crate::world::{TestRegistry, World};

const YEAR_SECONDS: i64 = 365 * 86_400;

/// Ends of keys, some of which are hard to write.
const ENDS: [&str; 8] = ["a.mp4", "b.mp4", " lead", "a b+c%2F.mp4", "\u{e9}.mp4", "x\ny", "trail ", "\u{1f3ac}"];

/// Everything that one case needs.
pub struct Scenery {
    pub world: World,
    pub oracle: Arc<Oracle>,
    pub plan: Plan,
    /// What each planned object held.
    pub bodies: BTreeMap<Key, Vec<u8>>,
}

/// Other programs that write to bucket and registry.
pub struct Writers {
    planned: Vec<Key>,
    others: Vec<Key>,
    destinations: Vec<Key>,
    registry: Arc<TestRegistry>,
}

/// Where an object of a project may be, in one of the layouts.
fn key_of(project: &str, n: usize, dice: &mut Dice) -> String {
    let end = dice.one(&ENDS);
    match dice.below(4) {
        0 => format!("projects/{project}/scenes/s{n}/media/{end}"),
        1 => format!("audio/{project}/S{n}/{end}"),
        2 => format!("{project}_S{n}_media.mp4"),
        _ => format!("video/proj_{project}/S{n}/{end}"),
    }
}

/// Puts an object that is a year old.
fn put_old(bucket: &MemoryStore, key: &Key, dice: &mut Dice) {
    let now = bucket.now();
    bucket.set_now(now.plus_seconds(-YEAR_SECONDS));
    let described = Description {
        content_type: dice.one(&["video/mp4", "text/plain"]).into(),
        metadata: vec![("take".into(), dice.below(9).to_string())],
        headers: Vec::new(),
    };
    bucket.put_with(key, body(dice), described);
    bucket.set_now(now);
}

/// A few bytes; two of them may well be equal.
fn body(dice: &mut Dice) -> Vec<u8> {
    let length = dice.below(4);
    (0..length).map(|_| b'a' + dice.below(3) as u8).collect()
}

/// A world with live, untracked, unrecognized and contradictory objects and with orphans; and the orphans.
fn world(dice: &mut Dice) -> (World, BTreeSet<Key>) {
    let mut bucket = MemoryStore::new("media");
    if dice.percent(30) {
        bucket = bucket.reporting_missing();
    }
    let mut world = World::over(bucket, 0);
    let mut orphans = BTreeSet::new();
    for n in 0..dice.between(1, 12) * dice.one(&[1, 1, 3]) {
        let key = Key::from(key_of(dice.one(&["proj_1", "proj_2"]), n, dice).as_str());
        put_old(&world.bucket, &key, dice);
        if dice.percent(40) {
            let owner = key.as_str().is_some_and(|text| text.contains("proj_1"));
            let owner = if owner { "proj_1" } else { "proj_2" };
            world.registry.rows.lock().unwrap().insert(key.clone(), Some(owner.into()));
        }
        orphans.insert(key);
    }
    for n in 0..dice.below(6) {
        let key = Key::from(key_of("proj_10", n, dice).as_str());
        put_old(&world.bucket, &key, dice);
    }
    for n in 0..dice.below(3) {
        put_old(&world.bucket, &Key::from(format!("misc/{n}").as_str()), dice);
        let claimed = Key::from(format!("projects/proj_1/scenes/claimed/media/{n}.mp4").as_str());
        put_old(&world.bucket, &claimed, dice);
        let owner = dice.percent(50).then(|| "proj_10".to_owned());
        world.registry.rows.lock().unwrap().insert(claimed, owner);
    }
    world.concurrency = dice.one(&[1, 1, 2, 4]);
    world.batch_keys = dice.one(&[1, 2, 3, 5, 40]);
    world.via = dice.one(&Via::ALL);
    (world, orphans)
}

impl Scenery {
    /// The scenery of a case.
    pub fn of(kind: PlanKind, case: u64) -> Self {
        let mut dice = Dice::of((case, kind.name()));
        let (mut world, orphans) = world(&mut dice);
        let careless = dice.percent(40);
        if !careless && dice.percent(60) {
            world.deletes = Atomicity::Proved { at: world.bucket.now() };
        }
        let runtime = Runtime::new().unwrap();
        world.kind = if kind == PlanKind::Delete { kind } else { PlanKind::Trash };
        let mut plan = runtime.block_on(world.plan());
        assert_eq!(plan.rows.iter().map(|row| row.object.key.clone()).collect::<BTreeSet<_>>(), orphans, "the plan");
        if matches!(kind, PlanKind::Restore | PlanKind::EmptyTrash) {
            let run = runtime.block_on(world.run(plan)).unwrap().report.run;
            // The trash is no older than the moment at which it was filled.
            world.bucket.set_now(world.bucket.now().plus_seconds(60));
            plan = runtime.block_on(plan_of_trash(&world, kind, &run));
            assert_eq!(plan.rows.len(), orphans.len());
        }
        let body = |key: &Key| runtime.block_on(world.bucket.get(key, None)).unwrap().to_vec();
        let bodies = plan.rows.iter().map(|row| (row.object.key.clone(), body(&row.object.key))).collect();
        let oracle = Arc::new(oracle(&world, &plan, careless));
        Self { world, oracle, plan, bodies }
    }
}

async fn plan_of_trash(world: &World, kind: PlanKind, run: &str) -> Plan {
    let (inventory, scan) = world.scan().await;
    let execution = world.execution(world.plan().await);
    let trash = Trash {
        identity: world.store.identity(),
        inventory: &inventory,
        scan: &scan,
        layouts: execution.layouts.hash(),
        runs: world.runs(),
        clock: &execution.clock,
        deletes: world.deletes,
    };
    match kind {
        PlanKind::Restore => trash.restore(run, &Only::default()).unwrap(),
        _ => trash.empty(0, &[]),
    }
}

fn oracle(world: &World, plan: &Plan, careless: bool) -> Oracle {
    let objects: BTreeMap<Key, Object> =
        world.bucket.keys().into_iter().map(|key| (key.clone(), world.bucket.object(&key).unwrap())).collect();
    let history = History::new(plan, world.deletes.is_proved(), objects);
    let planned: Vec<Key> = history.planned.keys().cloned().collect();
    let writers = Writers {
        others: history.expected.keys().filter(|key| !history.planned.contains_key(*key)).cloned().collect(),
        destinations: history.destinations.values().cloned().collect(),
        registry: Arc::clone(&world.registry),
        planned,
    };
    let announced = announced(world.runs(), plan);
    Oracle::new(Arc::clone(&world.bucket), careless, writers, history, announced)
}

/// Whether the last that the plan's run wrote of a key is that it is about to be deleted.
fn announced(folder: PathBuf, plan: &Plan) -> impl Fn(&Key) -> bool + Send + Sync + 'static {
    let keys: Vec<Key> = plan.rows.iter().map(|row| row.object.key.clone()).collect();
    let plan = plan.header.id.clone();
    move |key| {
        let runs = runs::list(&folder).unwrap().into_iter().map(|run| runs::open(&folder, &run).unwrap());
        let is_of_plan = |record: &Record| matches!(record, Record::Started { plan: of, .. } if *of == plan);
        let Some(past) = runs.into_iter().find(|run| run.records.first().is_some_and(is_of_plan)) else { return false };
        let row = keys.binary_search(key).map(|at| u32::try_from(at).unwrap());
        let said = past.records.iter().rev().find_map(|record| match record {
            Record::Intent { rows, .. } if row.is_ok_and(|row| rows.contains(&row)) => Some(true),
            Record::Outcomes { rows, .. } if rows.iter().any(|end| row == Ok(end.row)) => Some(false),
            _ => None,
        });
        said == Some(true)
    }
}

impl Writers {
    /// Something is written, to the bucket or to the registry.
    pub fn write(&self, bucket: &MemoryStore, history: &mut History, dice: &mut Dice) {
        let planned = dice.one(&self.planned);
        match dice.below(100) {
            0..25 => self.put(bucket, history, &planned, body(dice)),
            25..33 => self.put_again(bucket, history, &planned),
            33..48 => remove(bucket, history, &planned),
            48..56 => {
                let near = [planned.as_bytes(), b".new"].concat();
                self.put(bucket, history, &Key::new(near), body(dice));
            }
            56..62 => self.put(bucket, history, &dice.one(&self.others), body(dice)),
            62..66 => remove(bucket, history, &dice.one(&self.others)),
            66..72 if !self.destinations.is_empty() => {
                self.put(bucket, history, &dice.one(&self.destinations), body(dice));
            }
            72..92 => self.register(history, &planned, dice),
            _ => bucket.set_now(bucket.now().plus_seconds(dice.between(1, 3) as i64)),
        }
    }

    fn put(&self, bucket: &MemoryStore, history: &mut History, key: &Key, body: Vec<u8>) {
        let object = bucket.put(key, body);
        history.write(key, Some(object));
    }

    /// The same bytes once more.
    fn put_again(&self, bucket: &MemoryStore, history: &mut History, key: &Key) {
        if let Some(mut object) = bucket.object(key) {
            object.last_modified = Some(bucket.now());
            bucket.put_described(object.clone());
            history.write(key, Some(object));
        }
    }

    /// The registry changes: a row of a living or a dead project, no row, a project that comes back or goes again.
    fn register(&self, history: &mut History, key: &Key, dice: &mut Dice) {
        {
            let mut rows = self.registry.rows.lock().unwrap();
            let mut projects = self.registry.projects.lock().unwrap();
            match dice.below(10) {
                0..2 => drop(rows.insert(key.clone(), Some("proj_10".into()))),
                2 => drop(rows.insert(key.clone(), None)),
                3..6 => drop(rows.insert(key.clone(), Some("proj_1".into()))),
                6..8 => drop(rows.remove(key)),
                8 => projects.push("proj_2".into()),
                _ => projects.retain(|project| project != "proj_2"),
            }
        }
        let rows = self.registry.rows.lock().unwrap().clone();
        let restored = self.registry.projects.lock().unwrap().iter().any(|project| project == "proj_2");
        history.set_alive(|key| {
            let of_row = rows.get(key).is_some_and(|owner| match owner.as_deref() {
                Some("proj_1") => false,
                Some("proj_2") => restored,
                _ => true,
            });
            of_row || (restored && key.as_str().is_some_and(|text| text.contains("proj_2")))
        });
        history.say(|| format!("writer: the registry about {key:?}: {:?}, proj_2 {restored}", rows.get(key)));
    }
}

fn remove(bucket: &MemoryStore, history: &mut History, key: &Key) {
    if bucket.remove(key) {
        history.write(key, None);
    }
}
