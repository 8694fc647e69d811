//! A small world for tests of jobs: a bucket in memory behind a store that fails as told, a registry that can be changed
//! and broken, a clock that stands still. Everything between them is the real thing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bucketree::domain::capabilities::{Atomicity, Locking};
use bucketree::domain::facts::{RegistryRow, SourceReport};
use bucketree::domain::inventory::{Inventory, ObjectIndex};
use bucketree::domain::judge::Policy;
use bucketree::domain::layout::Layouts;
use bucketree::domain::plan::{Caps, Plan, PlanKind};
use bucketree::domain::progress::{RunProgress, RunReport, ScanProgress, ScanReport};
use bucketree::domain::{ETag, IdRules, Key, Object, Outcome, StorageClass, Timestamp};
use bucketree::jobs::audit::{Audit, AuditInput, audit};
use bucketree::jobs::draft::{Draft, draft, left_out};
use bucketree::jobs::execute::{Ending, ExecuteError, Execution, execute, resume};
use bucketree::jobs::executor::{Via, executor};
use bucketree::jobs::ground::{Ground, Memory, sample};
use bucketree::jobs::scan::scan;
use bucketree::jobs::{Clock, Stop};
use bucketree::journal::runs;
use bucketree::registry::{KeptRow, NewRow, Registry, RegistryError, RowChange, RowSink, SharedRegistry};
use bucketree::store::counted::CountedStore;
use bucketree::store::faults::FaultStore;
use bucketree::store::memory::MemoryStore;
use bucketree::store::{ObjectStore, SharedStore};
use tokio::sync::mpsc;

/// A registry in memory that can be changed and broken.
#[derive(Default)]
pub struct TestRegistry {
    pub projects: Mutex<Vec<String>>,
    pub rows: Mutex<BTreeMap<Key, Option<String>>>,
    pub broken: Mutex<bool>,
    pub broken_rows: Mutex<bool>,
    pub read_only: Mutex<bool>,
    /// Sizes that rows say.
    pub sizes: Mutex<BTreeMap<Key, u64>>,
    /// Happens once, between the reading of rows and their removal.
    pub between: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Happens once, when rows are asked for.
    pub asked: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl TestRegistry {
    fn check(&self) -> Result<(), RegistryError> {
        match *self.broken.lock().unwrap() {
            true => Err(RegistryError::Unreachable { source_name: "test".into(), why: "it is down".into() }),
            false => Ok(()),
        }
    }

    fn kept(&self, key: &Key, project: &Option<String>) -> KeptRow {
        let size = self.sizes.lock().unwrap().get(key).map_or("null".into(), u64::to_string);
        let content = format!("{{\"project\":{project:?},\"size_bytes\":{size}}}").replace("None", "null");
        KeptRow { key: key.clone(), project: project.clone(), content: content.replace("Some(", "").replace(')', "") }
    }

    /// Changes the rows, unless they cannot be changed; says by how many there are more or fewer.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<Key, Option<String>>)) -> Result<RowChange, RegistryError> {
        self.check()?;
        if *self.broken_rows.lock().unwrap() {
            return Err(RegistryError::Refused { source_name: "test".into(), why: "it is read-only".into() });
        }
        if *self.read_only.lock().unwrap() {
            return Ok(RowChange::ReadOnly);
        }
        let mut rows = self.rows.lock().unwrap();
        let before = rows.len();
        change(&mut rows);
        Ok(RowChange::Changed(rows.len().abs_diff(before) as u64))
    }
}

#[async_trait]
impl Registry for TestRegistry {
    fn name(&self) -> &str {
        "test"
    }

    fn tracks_keys(&self) -> bool {
        true
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        self.projects(sink).await?;
        let rows = self.rows.lock().unwrap();
        rows.iter()
            .for_each(|(key, project)| sink(RegistryRow::Tracked { key: key.clone(), project: project.clone() }));
        Ok(SourceReport {
            name: Arc::from("test"),
            projects: self.projects.lock().unwrap().len() as u64,
            tracked: Some(rows.len() as u64),
            references: 0,
            read_at: Timestamp(0),
            fingerprint: String::new(),
        })
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.check()?;
        self.projects.lock().unwrap().iter().for_each(|id| sink(RegistryRow::Project { id: id.clone() }));
        Ok(())
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        self.check()?;
        let rows = self.rows.lock().unwrap();
        let claim = |key: &Key| {
            rows.get(key).map(|project| RegistryRow::Tracked { key: key.clone(), project: project.clone() })
        };
        Ok(keys.iter().filter_map(claim).collect())
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        self.check()?;
        if let Some(happens) = self.asked.lock().unwrap().take() {
            happens();
        }
        let rows = self.rows.lock().unwrap();
        let spelled: BTreeSet<Key> = keys.iter().flat_map(|key| [key.clone(), slashed(key)]).collect();
        let row = |key: &Key| rows.get(key).map(|project| self.kept(key, project));
        Ok(spelled.iter().filter_map(row).collect())
    }

    async fn remove_rows(&self, some: &[KeptRow]) -> Result<RowChange, RegistryError> {
        if !some.is_empty()
            && let Some(happens) = self.between.lock().unwrap().take()
        {
            happens();
        }
        self.change(|rows| {
            let is_named = |key: &Key, project: &Option<String>| some.contains(&self.kept(key, project));
            rows.retain(|key, project| !is_named(key, project));
        })
    }

    async fn put_rows(&self, some: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.change(|rows| {
            for row in some {
                rows.entry(row.key.clone()).or_insert_with(|| row.project.clone());
            }
        })
    }

    async fn add_rows(&self, some: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.change(|rows| {
            for row in some {
                rows.entry(row.key.clone()).or_insert_with(|| Some(row.project.clone()));
            }
        })
    }
}

/// The key with a slash before it, as paths of URLs are written.
fn slashed(key: &Key) -> Key {
    Key::new([b"/", key.as_bytes()].concat())
}

/// What a run came to, seen from outside.
pub struct Ran {
    pub report: RunReport,
    pub ends: BTreeMap<String, (Outcome, Option<String>)>,
}

impl Ran {
    fn new(report: RunReport, ends: BTreeMap<String, (Outcome, Option<String>)>) -> Result<Self, ExecuteError> {
        assert_eq!(ends.len() as u64, report.planned, "every planned key has an outcome");
        assert_eq!(report.outcomes.total(), report.planned, "outcomes sum to the plan");
        Ok(Self { report, ends })
    }

    /// The outcome of one key.
    pub fn outcome(&self, key: &str) -> Outcome {
        self.ends[key].0
    }
}

/// The world.
pub struct World {
    pub bucket: Arc<MemoryStore>,
    pub store: Arc<FaultStore>,
    pub registry: Arc<TestRegistry>,
    pub policy: Policy,
    pub caps: Caps,
    pub accepts_shrink: bool,
    /// For how many days an object must have been seen as what it is.
    pub observe_days: u64,
    /// What is known of the store's conditions.
    pub deletes: Atomicity,
    /// What is known of the store's condition on writes.
    pub locking: Locking,
    /// The run whose lock is to be taken over.
    pub take_over: Option<String>,
    pub concurrency: usize,
    pub batch_keys: usize,
    pub via: Via,
    pub kind: PlanKind,
    pub keep_rows: bool,
    /// The registry cannot be opened.
    pub without_registry: bool,
    /// Stands still, or says something else than the bucket's own clock.
    pub clock: Option<Clock>,
    folder: tempfile::TempDir,
}

impl World {
    /// A bucket with a live project `proj_10`, 30 of its objects, and the orphans of the dead project `proj_1`: `orphans`
    /// keys named [`World::orphan`].
    pub fn with_orphans(orphans: usize) -> Self {
        Self::over(MemoryStore::new("media"), orphans)
    }

    /// As [`World::with_orphans`], in this bucket.
    pub fn over(bucket: MemoryStore, orphans: usize) -> Self {
        let bucket = Arc::new(bucket);
        let world = Self {
            store: Arc::new(FaultStore::new(Arc::clone(&bucket) as SharedStore)),
            bucket,
            registry: Arc::new(TestRegistry::default()),
            policy: Policy { min_age_seconds: 7 * 86_400, ..Policy::default() },
            caps: Caps { bucket_share: 1.0, ..Caps::default() },
            accepts_shrink: false,
            observe_days: 0,
            deletes: Atomicity::Unmeasured,
            locking: Locking::Unmeasured,
            take_over: None,
            concurrency: 4,
            batch_keys: 1000,
            via: Via::Batch,
            kind: PlanKind::Delete,
            keep_rows: false,
            without_registry: false,
            clock: None,
            folder: folder(),
        };
        world.registry.projects.lock().unwrap().push("proj_10".into());
        for n in 0..30 {
            let key = format!("projects/proj_10/scenes/s/media/{n:04}.mp4");
            world.put(&key, 1);
            world.registry.rows.lock().unwrap().insert(Key::from(key.as_str()), Some("proj_10".into()));
        }
        (0..orphans).for_each(|n| world.put(&Self::orphan(n), 100));
        world
    }

    /// The same bucket and registry, seen from a machine that shares nothing else with this one.
    pub fn another_machine(&self) -> Self {
        Self {
            bucket: Arc::clone(&self.bucket),
            store: Arc::new(FaultStore::new(Arc::clone(&self.bucket) as SharedStore)),
            registry: Arc::clone(&self.registry),
            policy: self.policy.clone(),
            caps: self.caps.clone(),
            clock: self.clock.clone(),
            take_over: self.take_over.clone(),
            folder: tempfile::tempdir().unwrap(),
            ..*self
        }
    }

    /// The key of an orphan.
    pub fn orphan(n: usize) -> String {
        format!("projects/proj_1/scenes/s/media/{n:06}.mp4")
    }

    /// Writes an object that is a year old, of a content that its size stands for.
    pub fn put(&self, key: &str, size: u64) {
        self.bucket.put_described(Object {
            key: Key::from(key),
            size,
            etag: ETag::new(&format!("{:032x}", size + 1)),
            last_modified: Some(self.bucket.now().plus_seconds(-365 * 86_400)),
            storage_class: StorageClass::default(),
        });
    }

    /// Whether the bucket has the key.
    pub fn has(&self, key: &str) -> bool {
        self.bucket.object(&Key::from(key)).is_some()
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        self.folder.path()
    }

    /// Where the runs are kept.
    pub fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn clock(&self) -> Clock {
        if let Some(clock) = &self.clock {
            return clock.clone();
        }
        let now = self.bucket.now();
        Clock::from_fn(move || now)
    }

    /// Lists the bucket.
    pub async fn scan(&self) -> (Inventory, ScanReport) {
        let (sender, mut receiver) = mpsc::channel(4);
        let store = Arc::clone(&self.store);
        let clock = self.clock();
        let job = tokio::spawn(async move { scan(store.as_ref(), b"", &clock, &Stop::new(), &sender).await });
        let mut inventory = Inventory::new();
        while let Some(progress) = receiver.recv().await {
            if let ScanProgress::Page(objects) = progress {
                objects.into_iter().for_each(|object| inventory.push(object).unwrap());
            }
        }
        (inventory, job.await.unwrap())
    }

    /// Lists and judges.
    pub async fn audit(&self) -> (Inventory, ScanReport, Audit) {
        let (inventory, scan) = self.scan().await;
        let audit = audit(&self.audit_input(), &inventory, &scan, &Stop::new()).await.unwrap();
        self.memory().observe(self.store.identity(), &inventory, &audit, &scan).await.unwrap();
        (inventory, scan, audit)
    }

    fn memory(&self) -> Memory {
        Memory::in_directory(self.folder.path(), self.runs())
    }

    fn audit_input(&self) -> AuditInput {
        AuditInput {
            registry: Some(Arc::clone(&self.registry) as SharedRegistry),
            registry_problem: None,
            layouts: self.layouts(),
            ids: self.ids(),
            policy: Policy {
                observed: self.memory().observed(self.store.identity(), self.observe_days),
                ..self.policy.clone()
            },
            check_sources: Arc::new(|_| Vec::new()),
            clock: self.clock(),
        }
    }

    fn layouts(&self) -> Arc<Layouts> {
        Arc::new(Layouts::autoshorts())
    }

    /// How ids are compared.
    pub fn ids(&self) -> IdRules {
        IdRules { prefix: "proj_".into(), fold_nfc: self.store.identity().folds_nfc }
    }

    /// A plan of everything that may be selected in bulk.
    pub async fn plan(&self) -> Plan {
        self.plan_of(|audit, index| left_out(audit, index).is_none()).await
    }

    /// What the guards of a plan look at beside listing and verdicts.
    async fn ground(&self, inventory: &Inventory, scan: &ScanReport, audit: &Audit) -> Ground {
        let memory = self.memory();
        let accepts_shrink = self.accepts_shrink;
        let last_scan = memory.compare(self.store.identity(), inventory, scan, accepts_shrink).await;
        let sample = sample(self.store.as_ref(), audit.judge.facts(), self.caps.missing_share).await;
        Ground { sample, last_scan, accepts_shrink, deletes: self.deletes, locking: self.locking }
    }

    /// A plan of the objects that `select` chooses.
    pub async fn plan_of(&self, select: impl Fn(&Audit, ObjectIndex) -> bool) -> Plan {
        let (inventory, scan, audit) = self.audit().await;
        let clock = self.clock();
        let input = Draft {
            identity: self.store.identity(),
            inventory: &inventory,
            scan: &scan,
            audit: &audit,
            kind: self.kind,
            ground: &self.ground(&inventory, &scan, &audit).await,
            caps: &self.caps,
            clock: &clock,
        };
        draft(&input, (0..inventory.len()).filter(|&index| select(&audit, index)))
    }

    /// What a run of the plan needs.
    pub fn execution(&self, plan: Plan) -> Execution {
        Execution {
            plan: Arc::new(plan),
            store: Arc::new(CountedStore::new(Arc::clone(&self.store) as SharedStore)),
            registry: (!self.without_registry).then(|| Arc::clone(&self.registry) as SharedRegistry),
            layouts: self.layouts(),
            ids: self.ids(),
            runs: self.runs(),
            conditional_deletes: self.deletes.is_proved(),
            locking: self.locking,
            take_over: self.take_over.clone(),
            concurrency: self.concurrency,
            batch_keys: self.batch_keys,
            backoff: Duration::from_millis(1),
            keep_rows: self.keep_rows,
            executor: executor(self.via),
            clock: self.clock(),
        }
    }

    /// Carries the plan out.
    pub async fn run(&self, plan: Plan) -> Result<Ran, ExecuteError> {
        self.run_until(plan, &Stop::new(), |_, _| {}).await
    }

    /// Carries the plan out; `watch` sees every message and may ask to stop.
    pub async fn run_until(
        &self,
        plan: Plan,
        stop: &Stop,
        mut watch: impl FnMut(&RunProgress, &Stop),
    ) -> Result<Ran, ExecuteError> {
        let keys = keys_of(&plan);
        let (sender, receiver) = mpsc::channel(8);
        let job = tokio::spawn(execute(self.execution(plan), self.bucket.now(), stop.clone(), sender));
        let ends = ends(receiver, &keys, |progress| watch(progress, stop)).await;
        Ran::new(job.await.unwrap()?, ends)
    }

    /// Takes a run up again.
    pub async fn resume(&self, run: &str, ending: Ending) -> Result<Ran, ExecuteError> {
        let plan = runs::open(&self.runs(), run).unwrap().plan().unwrap();
        let keys = keys_of(&plan);
        let (sender, receiver) = mpsc::channel(8);
        let (execution, run, now) = (self.execution(plan), run.to_owned(), self.bucket.now());
        let job = tokio::spawn(async move { resume(execution, &run, ending, now, Stop::new(), sender).await });
        let ends = ends(receiver, &keys, |_| {}).await;
        Ran::new(job.await.unwrap()?, ends)
    }
}

/// A folder where waiting for the disk takes no time, if there is one.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn keys_of(plan: &Plan) -> Vec<String> {
    plan.rows.iter().map(|row| String::from_utf8_lossy(row.object.key.as_bytes()).into_owned()).collect()
}

/// Listens to a run until it is silent. No key ends twice.
async fn ends(
    mut receiver: mpsc::Receiver<RunProgress>,
    keys: &[String],
    mut watch: impl FnMut(&RunProgress),
) -> BTreeMap<String, (Outcome, Option<String>)> {
    let mut ends = BTreeMap::new();
    while let Some(progress) = receiver.recv().await {
        watch(&progress);
        let RunProgress::Outcomes(some) = progress else { continue };
        for (row, outcome, why) in some {
            let twice = ends.insert(keys[row as usize].clone(), (outcome, why));
            assert_eq!(twice, None, "{} ended twice", keys[row as usize]);
        }
    }
    ends
}
