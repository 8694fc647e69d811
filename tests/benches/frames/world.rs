//! A state with many objects behind it, what its jobs would do, and how long anything takes.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bucketree::app::event::{Assessed, CarriedMarks};
use bucketree::app::filter::Matches;
use bucketree::app::gather::gather;
use bucketree::app::keymap::Keymap;
use bucketree::app::order::{Order, sort_flat, sort_folder};
use bucketree::app::state::Audit;
use bucketree::app::stroke::Stroke;
use bucketree::app::{Effect, Event, Session, State, Ticket, start, update};
use bucketree::domain::assessment::Assessment;
use bucketree::domain::facts::{FactsBuilder, RegistryRow, RegistryState};
use bucketree::domain::folders::{KeySpace, Subset};
use bucketree::domain::judge::{Judge, Policy, Trust, classify};
use bucketree::domain::layout::Layouts;
use bucketree::domain::plan::{Plan, PlanRow};
use bucketree::domain::progress::{Completeness, RegistryReport, ScanProgress, ScanReport};
use bucketree::domain::{ETag, IdRules, Key, Object, StorageClass, Timestamp};
use bucketree::ui::draw;
use bucketree::ui::theme::{Glyphs, Look, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::operations;

pub const BUDGET: Duration = Duration::from_millis(8);
pub const NOW: Timestamp = Timestamp(1_795_255_200_000);

const SIZE: (u16, u16) = (120, 50);

/// How the key with a number is made; greater numbers have greater keys.
pub type Shape = fn(u64) -> String;

/// A thousand objects in each project, ten in each scene.
pub fn folders(number: u64) -> String {
    format!("projects/proj_{:07}/scenes/s{:03}/media/{:04}.mp4", number / 1000, number / 10 % 100, number % 10_000)
}

/// Everything in one folder.
pub fn flat(number: u64) -> String {
    format!("proj_{number:09}_intro_media.mp4")
}

pub fn object(number: u64, shape: Shape) -> Object {
    let size = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    Object {
        key: Key::new(shape(number)),
        size,
        etag: ETag::new(&format!("{size:032x}")),
        last_modified: Some(NOW.plus_seconds(-90 * 86_400 - (size % 1000) as i64)),
        storage_class: StorageClass::default(),
    }
}

/// Pages as a store lists them.
pub fn pages(count: u64, shape: Shape) -> impl Iterator<Item = Vec<Object>> {
    (0..count.div_ceil(1000)).map(move |page| {
        let numbers = page * 1000..count.min(page * 1000 + 1000);
        numbers.map(|number| object(number, shape)).collect()
    })
}

pub fn complete() -> ScanReport {
    ScanReport {
        completeness: Completeness::Complete,
        server_time: Some(NOW),
        local_time: NOW,
        requests: 1,
        elapsed: Duration::ZERO,
    }
}

/// Time that this thread had a core, where Linux tells it, else the time on the wall. It is told in steps of some
/// milliseconds, so it is good for a mean: a busy machine stretches the other times and not this one.
pub fn on_core() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Prints one line of the table.
fn report(count: u64, what: &str, frames: Frames) {
    let Frames { mut times, core, job } = frames;
    if times.is_empty() {
        return;
    }
    times.sort_unstable();
    let mean = core / times.len() as u32;
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (p50, p99, worst) = (at(0.5), at(0.99), at(1.0));
    let ratio = p99.as_secs_f64() / BUDGET.as_secs_f64();
    let job = job.map_or(String::new(), |job| format!("{job:>9.2?} in a job"));
    println!("{count:>12}  {what:<38} {p50:>9.2?} {p99:>9.2?} {worst:>9.2?} {mean:>9.2?} {ratio:>8.3}  {job}");
}

/// A state and the screen that it is drawn on.
pub struct World {
    pub state: State,
    pub count: u64,
    terminal: Terminal<TestBackend>,
    look: Look,
    frames: Frames,
}

/// Frames of what is being measured.
#[derive(Default)]
pub struct Frames {
    times: Vec<Duration>,
    core: Duration,
    /// The longest of the jobs that were asked for.
    job: Option<Duration>,
}

impl World {
    /// A console that was started and has not heard of anything.
    pub fn empty(count: u64) -> Self {
        let mut state = State::new(Session::default(), Keymap::built_in(), SIZE);
        start(&mut state);
        let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a terminal");
        let look = Look { theme: Theme::named("auto", None).expect("a theme"), glyphs: Glyphs::UNICODE };
        Self { state, count, terminal, look, frames: Frames::default() }
    }

    /// A bucket of `count` objects, listed and judged; every other project is alive.
    pub fn listed(count: u64, shape: Shape) -> Self {
        let mut world = Self::empty(count);
        let ticket = world.state.bucket.scan_ticket;
        for page in pages(count, shape) {
            update(&mut world.state, Event::Scan(ticket, ScanProgress::Page(page)));
        }
        let finished = Event::Scan(ticket, ScanProgress::Finished(complete()));
        let effects = update(&mut world.state, finished);
        world.answer_all(effects);
        world.print("");
        assert_eq!(world.state.bucket.audit, Audit::Done);
        world
    }

    /// Presses keys without a look at the clock; what they ask for is answered.
    pub fn press(&mut self, keys: &str) {
        for stroke in Stroke::parse_all(keys).expect("keys") {
            let at = self.state.now;
            let effects = update(&mut self.state, Event::Key { key: stroke.event(), at });
            drop(self.state.take_discarded());
            self.answer_apart(effects);
        }
    }

    /// Presses keys; each is measured until it is drawn, and so are the answers to what it asks for.
    pub fn timed(&mut self, keys: &str) {
        for stroke in Stroke::parse_all(keys).expect("keys") {
            let effects = self.take(Event::Key { key: stroke.event(), at: self.state.now });
            self.answer_all(effects);
        }
    }

    /// Takes an event in and draws; what it asks for is not answered.
    pub fn take(&mut self, event: Event) -> Vec<Effect> {
        let (begun, before) = (Instant::now(), on_core());
        let effects = update(&mut self.state, event);
        self.draw();
        self.frames.times.push(begun.elapsed());
        self.frames.core += on_core() - before;
        drop(self.state.take_discarded()); // elsewhere, where nobody waits for it
        effects
    }

    pub fn draw(&mut self) {
        let (state, look) = (&self.state, &self.look);
        self.terminal.draw(|frame| draw(frame, state, look)).expect("a frame");
    }

    /// Adds a frame that was measured elsewhere.
    pub fn frame(&mut self, took: Duration, core: Duration) {
        self.frames.times.push(took);
        self.frames.core += core;
    }

    /// What was measured since the last line.
    pub fn measured(&mut self) -> Frames {
        std::mem::take(&mut self.frames)
    }

    /// Does what is asked for and takes the answers in, without a look at the clock.
    pub fn answer_apart(&mut self, effects: Vec<Effect>) {
        let frames = self.measured();
        self.answer_all(effects);
        self.frames = frames;
    }

    /// Does what is asked for, as a job would, and takes the answers in.
    pub fn answer_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let begun = Instant::now();
            let answer = self.answer(effect);
            let took = begun.elapsed();
            if let Some(event) = answer {
                self.frames.job = self.frames.job.max(Some(took));
                let more = self.take(event);
                self.answer_all(more);
            }
        }
    }

    /// Prints what was measured since the last line; nothing if it has no name.
    pub fn print(&mut self, what: &str) {
        let frames = self.measured();
        if !what.is_empty() {
            report(self.count, what, frames);
        }
    }

    fn answer(&self, effect: Effect) -> Option<Event> {
        let never = &|| false;
        let bucket = &self.state.bucket;
        let (inventory, assessment) = (bucket.inventory.clone(), bucket.assessment.clone());
        let order_now = self.state.browse.order;
        Some(match effect {
            Effect::Audit { ticket } => Event::Assessed(ticket, Box::new(self.judged())),
            Effect::Gather { ticket, order } => {
                Event::Gathered(ticket, Box::new(gather(&inventory, &assessment?, None, order, never)?))
            }
            Effect::Filter { ticket, filter } => {
                let found = filter.run(&inventory, assessment.as_ref(), Some(NOW), never)?;
                let gathered = match assessment {
                    Some(assessment) => gather(&inventory, &assessment, Some(&found), order_now, never)?,
                    None => Default::default(),
                };
                let subset = Subset::new(&inventory, found);
                Event::Filtered(ticket, Box::new(Matches { subset, gathered, of: inventory.alive() }))
            }
            Effect::Sort { ticket, folder, order } => {
                let subset = self.state.filter.matches.as_ref().map(|matches| matches.subset.clone());
                let space: &dyn KeySpace = subset.as_ref().map_or(&inventory as &dyn KeySpace, |subset| subset);
                let verdicts: Option<&Assessment> = assessment.as_ref();
                match folder {
                    None => Event::SortedFlat(ticket, sort_flat(space, &inventory, verdicts, order, never)?),
                    Some(prefix) => {
                        let sorted = sort_folder(space, subset.is_none(), verdicts, prefix.as_bytes(), order, never)?;
                        Event::SortedFolder(ticket, prefix, sorted)
                    }
                }
            }
            Effect::CarryMarks { ticket } => {
                let marks =
                    CarriedMarks::find(self.state.marks.selection.clone(), &inventory, bucket.incoming.as_ref()?);
                Event::Carried(ticket, Box::new(marks))
            }
            Effect::BuildPlan { ticket } => Event::PlanReady(ticket, Box::new(self.plan_of_marks().into())),
            _ => return None,
        })
    }

    /// Every object judged anew.
    pub fn judged(&self) -> Assessed {
        let layouts = Layouts::autoshorts();
        let ids = IdRules { prefix: layouts.id_prefix().into(), fold_nfc: false };
        let inventory = self.state.bucket.inventory.clone();
        let mut facts = FactsBuilder::new(&inventory, &ids);
        for number in (0..self.count / 1000 + 1).step_by(2) {
            facts.row(RegistryRow::Project { id: format!("proj_{number:07}") });
        }
        let facts = facts.finish(RegistryReport { state: RegistryState::Usable, sources: Vec::new() });
        let policy = Policy { min_age_seconds: 7 * 86_400, ..Policy::default() };
        let judge = Judge::new(Arc::new(layouts), Arc::new(facts), policy, Trust::of(&complete()));
        let assessment = classify(&inventory, &judge, &|_| true);
        let gathered = gather(&inventory, &assessment, None, Order::default(), &|| false).expect("groups");
        Assessed { assessment, judge, gathered }
    }

    fn plan_of_marks(&self) -> Plan {
        let marked = self.state.marks.selection.iter();
        let rows: Vec<PlanRow> = marked.map(|index| operations::planned(self, index)).collect();
        operations::plan(rows, self.state.bucket.inventory.alive())
    }

    /// The ticket of the listing that goes on.
    pub fn listing(&self) -> Ticket {
        self.state.bucket.scan_ticket
    }
}
