//! What happened to every key, and who did it; each thing that happens has a moment of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bucketree::domain::plan::{Plan, PlanKind};
use bucketree::domain::{Key, Object, trash};

/// When something happened: a number that only grows.
pub type Moment = u64;

/// All that the oracle knows.
#[derive(Default)]
pub struct History {
    now: Moment,
    kind: PlanKind,
    /// Whether deletions hit only what was meant.
    pub atomic: bool,
    /// The exact objects of the plan.
    pub planned: BTreeMap<Key, Object>,
    /// Where a restore brings each of them.
    pub destinations: BTreeMap<Key, Key>,
    /// What should be in the bucket.
    pub expected: BTreeMap<Key, Object>,
    /// The last answer about a key that reached this process.
    looked: HashMap<Key, Moment>,
    /// When this process asked the registry about a key, and whether it was alive from the look until then.
    asked: HashMap<Key, (Moment, bool)>,
    /// When a request to delete a key was last made.
    sent: HashMap<Key, Moment>,
    /// Since when the registry calls a key alive.
    alive_since: HashMap<Key, Moment>,
    /// Keys that the registry called alive, or could not speak about, at any time.
    pub was_alive: BTreeSet<Key>,
    /// The registry failed, or lost too much to be believed, at any time.
    pub registry_failed: bool,
    /// Writers' last change of a key: when, and whether the object was there afterwards.
    pub written: HashMap<Key, (Moment, bool)>,
    /// Keys that a writer removed, at any time.
    pub removed_by_writer: BTreeSet<Key>,
    /// What the program's requests took out of the bucket.
    pub removed_by_run: HashMap<Key, (Moment, Object)>,
    /// Keys of which the program was told that they are deleted.
    pub confirmed: BTreeSet<Key>,
    /// What the program keeps in the bucket for itself.
    own: BTreeSet<Key>,
    /// The promises that were broken.
    pub broken: Vec<String>,
    /// All of it in words, for a failure.
    pub log: Vec<String>,
}

impl History {
    /// Of a plan for a bucket that holds `expected`.
    pub fn new(plan: &Plan, atomic: bool, expected: BTreeMap<Key, Object>) -> Self {
        let rows = || plan.rows.iter();
        let destinations = rows().filter_map(|row| Some((row.object.key.clone(), row.destination.clone()?)));
        Self {
            kind: plan.header.kind,
            atomic,
            planned: rows().map(|row| (row.object.key.clone(), row.object.clone())).collect(),
            destinations: destinations.collect(),
            expected,
            ..Self::default()
        }
    }

    pub fn tick(&mut self) -> Moment {
        self.now += 1;
        self.now
    }

    pub fn say(&mut self, what: impl FnOnce() -> String) {
        let text = format!("{:4} {}", self.now, what());
        self.log.push(text);
    }

    pub fn break_promise(&mut self, what: String) {
        self.say(|| format!("BROKEN {what}"));
        self.broken.push(what);
    }

    /// A process died: what it had seen is forgotten.
    pub fn die(&mut self) {
        self.looked.clear();
        self.asked.clear();
        self.say(|| "--- killed".into());
    }

    /// An answer about a key reached the process.
    pub fn look(&mut self, key: &Key) {
        let now = self.tick();
        self.looked.insert(key.clone(), now);
    }

    /// The registry answered about a key.
    pub fn ask(&mut self, key: &Key) {
        let now = self.tick();
        let looked = self.looked.get(key).copied().unwrap_or(now);
        let alive = self.alive_since.get(key).is_some_and(|since| *since < looked);
        self.asked.insert(key.clone(), (now, alive));
    }

    /// What the registry would say of each planned key now.
    pub fn set_alive(&mut self, alive: impl Fn(&Key) -> bool) {
        let now = self.tick();
        let keys: Vec<Key> = self.planned.keys().cloned().collect();
        for key in keys {
            if alive(&key) {
                self.alive_since.entry(key.clone()).or_insert(now);
                self.was_alive.insert(key);
            } else {
                self.alive_since.remove(&key);
            }
        }
    }

    /// A writer changed a key.
    pub fn write(&mut self, key: &Key, object: Option<Object>) {
        let now = self.tick();
        self.say(|| {
            format!("writer: {key:?} {}", object.as_ref().map_or("removed".into(), |new| new.size.to_string()))
        });
        self.written.insert(key.clone(), (now, object.is_some()));
        match object {
            Some(object) => drop(self.expected.insert(key.clone(), object)),
            None => {
                self.expected.remove(key);
                self.removed_by_writer.insert(key.clone());
            }
        }
    }

    /// Whether a writer changed a key after this process last looked at it.
    pub fn changed_unseen(&self, key: &Key) -> bool {
        let looked = self.looked.get(key).copied().unwrap_or(Moment::MAX);
        self.written.get(key).is_some_and(|(written, _)| *written > looked)
    }

    /// The program is about to delete a key, which its journal announces, or does not.
    pub fn request(&mut self, key: &Key, announced: bool) {
        let now = self.tick();
        self.say(|| format!("request: delete {key:?}"));
        if self.own.contains(key) {
            return;
        }
        if !self.planned.contains_key(key) {
            self.break_promise(format!("I1: a request to delete {key:?}, which is not planned"));
            return;
        }
        if !announced {
            self.break_promise(format!("I3: a request to delete {key:?} that the journal does not announce"));
        }
        let before = self.sent.insert(key.clone(), now).unwrap_or(0);
        if self.looked.get(key).is_none_or(|looked| *looked <= before) {
            self.break_promise(format!("a request to delete {key:?} without a look since the last one"));
        }
        if matches!(self.kind, PlanKind::Delete | PlanKind::Trash) {
            match self.asked.get(key) {
                Some((asked, false)) if *asked > before => {}
                Some((asked, true)) if *asked > before => {
                    self.break_promise(format!("{key:?} is to be deleted, and the registry called it alive"));
                }
                _ => self.break_promise(format!("{key:?} is to be deleted, and the registry was not asked")),
            }
        }
    }

    /// A request took an object out of the bucket.
    pub fn removed(&mut self, object: &Object, copy: Option<&Object>) {
        let (now, key) = (self.tick(), &object.key.clone());
        self.say(|| format!("gone: {key:?}"));
        self.expected.remove(key);
        if self.own.remove(key) {
            return;
        }
        self.removed_by_run.insert(key.clone(), (now, object.clone()));
        let Some(planned) = self.planned.get(key).cloned() else {
            self.break_promise(format!("I1: {key:?} is gone, which was not planned"));
            return;
        };
        if !planned.is_unchanged(object) {
            if self.atomic {
                self.break_promise(format!("I2: {key:?} is gone, which had changed, and the store heeds conditions"));
            } else if !self.changed_unseen(key) {
                self.break_promise(format!("I2: {key:?} is gone, which had changed before it was looked at"));
            }
        }
        let moves = matches!(self.kind, PlanKind::Trash | PlanKind::Restore);
        let is_good = copy.is_some_and(|copy| (copy.size, &copy.etag) == (planned.size, &planned.etag));
        let taken = self.destinations.get(key).is_some_and(|to| self.changed_unseen(to));
        if moves && !is_good && !taken {
            self.break_promise(format!("{key:?} is gone, and there is no good copy of it"));
        }
    }

    /// The program copied an object.
    pub fn copied(&mut self, from: &Key, to: &Key, object: Object) {
        self.tick();
        self.say(|| format!("copied: {from:?} to {to:?}"));
        let right = match self.kind {
            PlanKind::Trash => trash::trashed(to.as_bytes()).is_some_and(|said| said.key.as_ref() == Some(from)),
            PlanKind::Restore => self.destinations.get(from) == Some(to),
            PlanKind::Delete | PlanKind::EmptyTrash | PlanKind::Backfill | PlanKind::Prune => false,
        };
        if !right || !self.planned.contains_key(from) {
            self.break_promise(format!("I1: a copy of {from:?} was written to {to:?}"));
        }
        self.expected.insert(to.clone(), object);
    }

    /// The program wrote an object of its own.
    pub fn put(&mut self, object: Object) {
        let key = object.key.clone();
        if !key.as_bytes().starts_with(b".bucketree/") || trash::is_in_trash(key.as_bytes()) {
            self.break_promise(format!("I1: {key:?} was written"));
        }
        self.own.insert(key.clone());
        self.expected.insert(key, object);
    }

    /// A tracking row was removed; its object is there, or not.
    pub fn row_removed(&mut self, key: &Key, is_there: bool) {
        self.tick();
        self.say(|| format!("row removed: {key:?}"));
        if is_there && !self.changed_unseen(key) {
            self.break_promise(format!("I4: the row of {key:?} was removed, and its object exists"));
        }
        if !self.planned.contains_key(key) {
            self.break_promise(format!("I4: the row of {key:?} was removed, which is not planned"));
        }
    }
}
