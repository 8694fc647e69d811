//! One case from its scenery to its end: the program lives, is killed, lives again.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bucketree::domain::outcome::{Outcome, OutcomeCounts};
use bucketree::domain::plan::PlanKind;
use bucketree::domain::progress::{RunProgress, RunReport};
use bucketree::jobs::Stop;
use bucketree::jobs::execute::{Ending, ExecuteError, Execution, execute, resume};
use bucketree::journal::runs::{self, PastRun};
use bucketree::registry::SharedRegistry;
use bucketree::store::SharedStore;
use bucketree::store::counted::CountedStore;
use tokio::sync::mpsc;

use super::dice::Dice;
use super::registry::Watched;
use super::scenery::Scenery;
use super::store::Fortune;
use super::verdicts;

/// What all cases came to, so that a test that no longer tests anything is noticed.
#[derive(Debug, Default)]
pub struct Tally {
    cases: u64,
    lives: u64,
    kills: u64,
    torn: u64,
    outcomes: OutcomeCounts,
    kind: Option<PlanKind>,
}

impl Tally {
    /// Every way in which a key can end has happened, and so have kills and torn journals.
    pub fn assert_worth_it(&self) {
        assert!(self.kills > self.cases / 4 && self.torn > 0, "{self:?}");
        let never = |outcome: &Outcome| match outcome {
            Outcome::Unknown => true,
            Outcome::SkippedNowLive => !matches!(self.kind, Some(PlanKind::Delete | PlanKind::Trash)),
            Outcome::DeletedByEarlierAttempt => self.kind.is_some_and(PlanKind::moves),
            Outcome::Deleted | Outcome::Trashed | Outcome::Restored | Outcome::Recorded => {
                Some(*outcome) != self.kind.map(PlanKind::done)
            }
            _ => false,
        };
        for outcome in Outcome::ALL {
            assert_eq!(self.outcomes.of(outcome) == 0, never(&outcome), "{outcome}: {self:?}");
        }
    }
}

/// How a life of the program begins.
enum Act {
    Begin,
    Resume(String, Ending),
}

/// How a life ends, beside what befalls its requests.
#[derive(Default)]
struct Fate {
    /// Somebody asks it to stop at its first outcome.
    stops: bool,
    /// Killed when so many records are on the disk.
    records: Option<usize>,
    /// Killed after so many turns of whatever it waits for.
    polls: Option<usize>,
}

struct Lives {
    scenery: Scenery,
    /// Runs that were there before.
    earlier: BTreeSet<String>,
    case: u64,
    life: u32,
}

/// Plays a case.
pub fn case(kind: PlanKind, case: u64, tally: &mut Tally) -> Result<(), String> {
    let scenery = Scenery::of(kind, case);
    let earlier = runs::list(&scenery.world.runs()).unwrap().into_iter().collect();
    let mut lives = Lives { scenery, earlier, case, life: 0 };
    let mut dice = Dice::of((case, "lives"));
    for _ in 0..dice.below(4) {
        lives.live(&mut dice, tally);
    }
    let told = lives.end_in_peace();
    let said = verdicts::check(&lives.scenery, &lives.run().unwrap(), told.as_ref());
    (tally.cases, tally.lives, tally.kind) = (tally.cases + 1, tally.lives + u64::from(lives.life), Some(kind));
    lives.run().unwrap().outcomes().values().for_each(|(outcome, _)| tally.outcomes.add(*outcome));
    let history = lives.scenery.oracle.history();
    let broken: Vec<String> = history.broken.iter().cloned().chain(said).collect();
    match broken.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n{}", history.log.join("\n"), broken.join("\n"))),
    }
}

impl Lives {
    /// The run of the plan, once its first record is written.
    fn run(&self) -> Option<PastRun> {
        let runs = self.scenery.world.runs();
        let new = runs::list(&runs).unwrap().into_iter().filter(|run| !self.earlier.contains(run));
        new.map(|run| runs::open(&runs, &run).unwrap()).find(|run| !run.records.is_empty())
    }

    /// The journal that the life under way writes, or wrote.
    fn journal(&self) -> Option<PathBuf> {
        let runs = self.scenery.world.runs();
        let run = self.run().map(|run| run.run).or_else(|| runs::list(&runs).unwrap().pop())?;
        Some(runs.join(run).join(runs::JOURNAL))
    }

    fn execution(&self) -> Execution {
        let world = &self.scenery.world;
        let oracle = &self.scenery.oracle;
        let watched = Watched { inner: Arc::clone(&world.registry), oracle: Arc::clone(oracle) };
        Execution {
            store: Arc::new(CountedStore::new(Arc::clone(oracle) as SharedStore)),
            registry: Some(Arc::new(watched) as SharedRegistry),
            backoff: Duration::from_micros(1),
            ..world.execution(self.scenery.plan.clone())
        }
    }

    /// How to go on.
    fn act(&self, dice: &mut Dice) -> Act {
        let ending = if dice.percent(15) { Ending::Close } else { Ending::GoOn };
        self.run().map_or(Act::Begin, |run| Act::Resume(run.run, ending))
    }

    /// A life among faults and writers, which may end at any moment.
    fn live(&mut self, dice: &mut Dice, tally: &mut Tally) {
        let act = self.act(dice);
        let seed = (self.case, self.life);
        let (faults, writers) = (dice.one(&[0, 5, 15, 30]), dice.one(&[0, 5, 15]));
        let mut fate = Fate { stops: dice.percent(10), ..Fate::default() };
        let mut kill = None;
        match dice.below(10) {
            0..5 => kill = Some((dice.between(1, 40) as u64, dice.percent(50))),
            5..7 => fate.records = Some(dice.between(1, 12)),
            7 => fate.polls = Some(dice.between(1, 60)),
            _ => {}
        }
        self.scenery.oracle.begin(Fortune { seed, faults, writers, kill });
        if self.one(act, &fate).is_none() {
            tally.kills += 1;
            tally.torn += u64::from(self.tear(dice));
        }
    }

    /// A record was on its way to the disk when the program died, and some of it arrived.
    fn tear(&self, dice: &mut Dice) -> bool {
        let Some(path) = self.journal().filter(|_| dice.percent(30)) else { return false };
        let mut text = std::fs::read(&path).unwrap();
        let last = text.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or(b"0123").to_vec();
        text.extend(&last[..dice.below(last.len())]);
        std::fs::write(&path, text).unwrap();
        true
    }

    /// One life; `None` if it was killed.
    fn one(&mut self, act: Act, fate: &Fate) -> Option<Result<RunReport, ExecuteError>> {
        self.life += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(self.until_killed(act, fate));
        drop(runtime); // what was being written is written to its end
        self.scenery.oracle.history().die();
        ended
    }

    async fn until_killed(&self, act: Act, fate: &Fate) -> Option<Result<RunReport, ExecuteError>> {
        let (execution, now, stop) = (self.execution(), self.scenery.world.bucket.now(), Stop::new());
        let (sender, mut receiver) = mpsc::channel(8);
        let listening = async {
            while let Some(progress) = receiver.recv().await {
                if fate.stops && matches!(progress, RunProgress::Outcomes(_)) {
                    stop.request();
                }
            }
        };
        let running = async {
            match act {
                Act::Begin => execute(execution, now, stop.clone(), sender).await,
                Act::Resume(run, ending) => resume(execution, &run, ending, now, stop.clone(), sender).await,
            }
        };
        let mut both = pin!(async { tokio::join!(running, listening).0 });
        let mut polls = 0;
        let until_fate = poll_fn(|context| {
            polls += 1;
            let records =
                || self.journal().map_or(0, |path| std::fs::read(path).unwrap().split(|b| *b == b'\n').count());
            if fate.polls.is_some_and(|last| polls > last) || fate.records.is_some_and(|last| records() > last) {
                return Poll::Ready(None);
            }
            both.as_mut().poll(context).map(Some)
        });
        tokio::select! {
            biased;
            () = self.scenery.oracle.killed.notified() => None,
            ended = until_fate => ended,
        }
    }

    /// The undisturbed end: whatever is open is brought to its end. What the last life told, if anything was left to do.
    fn end_in_peace(&mut self) -> Option<RunReport> {
        let mut told = None;
        for _ in 0..3 {
            let seed = (self.case, self.life);
            self.scenery.oracle.begin(Fortune { seed, faults: 0, writers: 0, kill: None });
            let act = self.run().map_or(Act::Begin, |run| Act::Resume(run.run, Ending::GoOn));
            match self.one(act, &Fate::default()).unwrap() {
                Ok(report) => told = Some(report),
                Err(ExecuteError::Refused(why)) if why.0.contains("nothing of it is open") => return told,
                Err(why) => panic!("{why}\n{}", self.scenery.oracle.history().log.join("\n")),
            }
        }
        told
    }
}
