//! Carries out what the state asks for: effects become jobs, what jobs say becomes events.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::drift::Drift;
use super::history::History;
use super::keeping::{self, OwnScan};
use super::planner::Planner;
use crate::app::confirm::{Confirmed, Taking};
use crate::app::event::Assessed;
use crate::app::filter::{Filter, Matches};
use crate::app::gather::gather;
use crate::app::number;
use crate::app::order::{Order, sort_flat, sort_folder};
use crate::app::{Effect, Event, ExitReason, State, Ticket};
use crate::cli::session::{PAGES_IN_FLIGHT, Session};
use crate::domain::assessment::Assessment;
use crate::domain::facts::RegistryState;
use crate::domain::folders::{KeySpace, Subset};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::progress::{Completeness, Failure, LogLevel, LogLine, ScanProgress, ScanReport};
use crate::domain::requests::Request;
use crate::domain::{Key, Timestamp};
use crate::jobs::audit::{Audit, audit};
use crate::jobs::draft::now;
use crate::jobs::execute::{Ending, ExecuteError, execute, resume};
use crate::jobs::scan::scan;
use crate::jobs::{Stop, place};
use crate::store::counted::CountedStore;

/// What only the owner of the terminal can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Own {
    /// Put a text on the clipboard of the terminal.
    Copy(String),
    /// Suspend to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program.
    Quit(ExitReason),
}

/// Starts jobs and remembers how to stop them.
pub struct Worker {
    session: Arc<Session>,
    events: mpsc::Sender<Event>,
    history: History,
    planner: Planner,
    drift: Drift,
    listing: Stop,
    filtering: Stop,
    sorting: Stop,
    run: Stop,
    running: Option<JoinHandle<()>>,
    scanned: Arc<Mutex<Option<ScanReport>>>,
    own_scan: OwnScan,
}

impl Worker {
    /// A worker whose jobs speak into `events`.
    pub fn new(session: Arc<Session>, events: mpsc::Sender<Event>) -> Self {
        Self {
            history: History::new(Arc::clone(&session), events.clone()),
            planner: Planner::new(Arc::clone(&session), events.clone()),
            drift: Drift::new(Arc::clone(&session), events.clone()),
            session,
            events,
            listing: Stop::new(),
            filtering: Stop::new(),
            sorting: Stop::new(),
            run: Stop::new(),
            running: None,
            scanned: Arc::default(),
            own_scan: OwnScan::default(),
        }
    }

    /// This machine's time.
    pub fn clock(&self) -> Timestamp {
        self.session.clock.now()
    }

    /// Begins what is asked for; returns what the owner of the terminal has to do.
    pub fn perform(&mut self, effect: Effect, state: &State) -> Option<Own> {
        match effect {
            Effect::Scan { ticket } => self.scan(ticket),
            Effect::OpenKept { ticket } => keeping::open(&self.session, &self.events, ticket),
            Effect::Compare { ticket } => {
                keeping::compare(&self.session, &self.events, &self.own_scan, ticket, state.bucket.inventory.clone());
            }
            Effect::StopScan => self.listing.request(),
            Effect::Audit { ticket } => self.audit(ticket, state),
            Effect::CompareRegistry { ticket } => self.drift.compare(ticket, state),
            Effect::CheckRegistry { ticket } => {
                if let Some(scan) = self.last_scan() {
                    self.drift.check(ticket, scan, state);
                }
            }
            Effect::StopChecking => self.drift.stop(),
            Effect::Filter { ticket, filter } => self.filter(ticket, filter, state),
            Effect::Gather { ticket, order } => self.gather(ticket, order, state),
            Effect::Sort { ticket, folder, order } => self.sort(ticket, folder, order, state),
            Effect::MatchGlob { ticket, pattern, mark } => self.match_glob(ticket, pattern, mark, state),
            Effect::BuildPlan { ticket } => {
                if let Some(scan) = self.last_scan() {
                    self.planner.plan(ticket, scan, state);
                }
            }
            Effect::ListTrash { ticket } => self.planner.show_trash(ticket, state.bucket.inventory.clone()),
            Effect::PlanRestore { ticket, run, keys } => self.planner.restore(ticket, run, keys),
            Effect::PlanEmptyTrash { ticket, older_than_seconds, keys } => {
                self.planner.empty(ticket, older_than_seconds, keys);
            }
            Effect::StopLooking => self.planner.stop_looking(),
            Effect::Execute(confirmed) => self.execute(&confirmed),
            Effect::StopRun => self.run.request(),
            Effect::Export(plan) => self.history.export_plan(plan),
            Effect::ReadRuns { ticket } => self.history.read(ticket),
            Effect::OpenRun { ticket, run } => self.history.open(ticket, run),
            Effect::ExportRun(run) => self.history.export_run(run),
            Effect::Prove { ticket, run } => self.history.prove(ticket, run),
            Effect::StopProving => self.history.stop_proving(),
            Effect::Copy(text) => return Some(Own::Copy(text)),
            Effect::Suspend => return Some(Own::Suspend),
            Effect::Redraw => return Some(Own::Redraw),
            Effect::Quit(reason) => return Some(Own::Quit(reason)),
        }
        None
    }

    /// Says which earlier runs on this bucket did not come to their end.
    pub fn look_for_unfinished(&self) {
        self.history.look_for_unfinished();
    }

    /// Asks everything to stop and waits for a run to have written down its last outcome.
    pub async fn finish(&mut self) {
        for stop in [&self.listing, &self.filtering, &self.sorting, &self.run] {
            stop.request();
        }
        self.history.stop();
        self.planner.stop_looking();
        self.drift.stop();
        if let Some(run) = self.running.take() {
            // A run that panicked has nothing more to write.
            let _ = run.await;
        }
    }

    fn scan(&mut self, ticket: Ticket) {
        let stop = renew(&mut self.listing);
        let (session, events, scanned) = (Arc::clone(&self.session), self.events.clone(), Arc::clone(&self.scanned));
        let (sender, mut pages) = mpsc::channel(PAGES_IN_FLIGHT);
        tokio::spawn(async move {
            let store = CountedStore::new(Arc::clone(&session.store));
            let listing = async {
                let sender = sender;
                scan(&store, b"", &session.clock, &stop, &sender).await
            };
            let telling = async {
                while let Some(progress) = pages.recv().await {
                    if let ScanProgress::Finished(report) = &progress {
                        *scanned.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
                    }
                    send(&events, Event::Asked(ticket, store.requests().of(Request::List))).await;
                    if events.send(Event::Scan(ticket, progress)).await.is_err() {
                        stop.request();
                    }
                }
            };
            tokio::join!(listing, telling);
        });
    }

    fn last_scan(&self) -> Option<ScanReport> {
        self.scanned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn audit(&self, ticket: Ticket, state: &State) {
        let inventory = state.bucket.inventory.clone();
        let Some(report) = state.bucket.kept.clone().or_else(|| self.last_scan()) else { return };
        keeping::keep(&self.session, &self.events, &self.own_scan, inventory.clone(), report.clone());
        let accepts_shrink = state.bucket.accepts_shrink;
        let (session, events, stop) = (Arc::clone(&self.session), self.events.clone(), self.listing.clone());
        tokio::spawn(async move {
            // The registry is read after the listing, whatever came of that; a listing that was stopped does not stop it.
            let stop = if stop.is_requested() { Stop::new() } else { stop };
            let Some(audit) = audit(&session.audit_input_accepting(accepts_shrink), &inventory, &report, &stop).await
            else {
                return;
            };
            // What comes of the comparison matters to plans only; here the listing is just remembered for them.
            let _ = session.memory().compare(session.store.identity(), &inventory, &report, false).await;
            session.observe(&inventory, &audit, &report).await;
            tell_listing(&session, &report, inventory.alive(), &events).await;
            tell_registry(&session, &audit, &events).await;
            let gathered = spawn_blocking(move || {
                let gathered = gather(&inventory, &audit.assessment, None, Order::default(), &|| stop.is_requested());
                gathered.map(|gathered| Assessed { assessment: audit.assessment, judge: audit.judge, gathered })
            });
            if let Ok(Some(assessed)) = gathered.await {
                send(&events, Event::Assessed(ticket, Box::new(assessed))).await;
            }
        });
    }

    fn filter(&mut self, ticket: Ticket, filter: Filter, state: &State) {
        let stop = renew(&mut self.filtering);
        let events = self.events.clone();
        let (inventory, assessment) = (state.bucket.inventory.clone(), state.bucket.assessment.clone());
        let (now, order) = (state.server_now(), state.browse.order);
        spawn_blocking(move || {
            let cancelled = || stop.is_requested();
            let found = filtered(&filter, &inventory, assessment.as_ref(), now, order, &cancelled);
            if let Some(matches) = found {
                let _ = events.blocking_send(Event::Filtered(ticket, Box::new(matches))); // nobody is left to tell
            }
        });
    }

    fn gather(&self, ticket: Ticket, order: Order, state: &State) {
        let Some(assessment) = state.bucket.assessment.clone() else { return };
        let (events, inventory, stop) = (self.events.clone(), state.bucket.inventory.clone(), self.sorting.clone());
        spawn_blocking(move || {
            if let Some(gathered) = gather(&inventory, &assessment, None, order, &|| stop.is_requested()) {
                let _ = events.blocking_send(Event::Gathered(ticket, Box::new(gathered))); // nobody is left to tell
            }
        });
    }

    fn sort(&self, ticket: Ticket, folder: Option<Key>, order: Order, state: &State) {
        let (events, stop) = (self.events.clone(), self.sorting.clone());
        let (inventory, assessment) = (state.bucket.inventory.clone(), state.bucket.assessment.clone());
        let subset: Option<Subset> = state.filter.matches.as_ref().map(|matches| matches.subset.clone());
        spawn_blocking(move || {
            let space: &dyn KeySpace = subset.as_ref().map_or(&inventory as &dyn KeySpace, |subset| subset);
            let cancelled = || stop.is_requested();
            let event = match folder {
                None => sort_flat(space, &inventory, assessment.as_ref(), order, &cancelled)
                    .map(|order| Event::SortedFlat(ticket, order)),
                Some(prefix) => {
                    sort_folder(space, subset.is_none(), assessment.as_ref(), prefix.as_bytes(), order, &cancelled)
                        .map(|order| Event::SortedFolder(ticket, prefix, order))
                }
            };
            if let Some(event) = event {
                let _ = events.blocking_send(event); // nobody is left to tell
            }
        });
    }

    fn match_glob(&self, ticket: Ticket, pattern: String, mark: bool, state: &State) {
        let (events, inventory) = (self.events.clone(), state.bucket.inventory.clone());
        spawn_blocking(move || {
            let event = match glob_matches(&inventory, &pattern) {
                Ok(objects) => Event::GlobMatched { ticket, pattern, mark, objects },
                Err(failure) => Event::Failed(failure),
            };
            let _ = events.blocking_send(event); // nobody is left to tell
        });
    }

    fn execute(&mut self, confirmed: &Confirmed) {
        let Some(report) = self.last_scan() else { return };
        let stop = renew(&mut self.run);
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        let execution = session.execution_via(Arc::clone(confirmed.plan()), confirmed.via());
        let taking = confirmed.taking().clone();
        let (sender, mut progress) = mpsc::channel(PAGES_IN_FLIGHT);
        self.running = Some(tokio::spawn(async move {
            let server_now = now(&report, &session.clock);
            let telling = async {
                while let Some(progress) = progress.recv().await {
                    send(&events, Event::Run(progress)).await;
                }
            };
            let carrying_out = async {
                match taking {
                    Taking::Anew => execute(execution, server_now, stop, sender).await,
                    Taking::GoOn(run) => resume(execution, &run, Ending::GoOn, server_now, stop, sender).await,
                    Taking::Close(run) => resume(execution, &run, Ending::Close, server_now, stop, sender).await,
                }
            };
            let (ended, ()) = tokio::join!(carrying_out, telling);
            if let Err(error) = ended {
                send(&events, Event::RunFailed(refused(&session, error))).await;
            }
        }));
    }
}

/// A new wish to stop in the place of one that is told to whoever still heeds it.
pub(super) fn renew(stop: &mut Stop) -> Stop {
    stop.request();
    *stop = Stop::new();
    stop.clone()
}

pub(super) async fn send(events: &mpsc::Sender<Event>, event: Event) {
    let _ = events.send(event).await; // the program is ending; nobody is left to tell
}

fn filtered(
    filter: &Filter,
    inventory: &Inventory,
    assessment: Option<&Assessment>,
    now: Option<Timestamp>,
    order: Order,
    cancelled: &dyn Fn() -> bool,
) -> Option<Matches> {
    let found = filter.run(inventory, assessment, now, cancelled)?;
    let gathered = match assessment {
        Some(assessment) if assessment.len() == inventory.len() => {
            gather(inventory, assessment, Some(&found), order, cancelled)?
        }
        _ => Default::default(),
    };
    Some(Matches { subset: Subset::new(inventory, found), gathered, of: inventory.alive() })
}

fn glob_matches(inventory: &Inventory, pattern: &str) -> Result<Vec<ObjectIndex>, Failure> {
    let glob = globset::Glob::new(pattern).map_err(|error| Failure {
        what: format!("mark by the pattern {pattern:?}"),
        why: error.to_string(),
        hint: "for example projects/proj_1/**".into(),
    })?;
    let matcher = glob.compile_matcher();
    let mut found = Vec::new();
    inventory.scan(0..inventory.len(), |index, key, _| {
        // Keys are bytes; on systems whose paths are not, a key that is no text matches no pattern.
        let matches = std::str::from_utf8(key).is_ok_and(|key| matcher.is_match(key));
        if matches && !inventory.is_gone(index) {
            found.push(index);
        }
    });
    Ok(found)
}

/// What the listing took; one that was kept took nothing now.
async fn tell_listing(session: &Session, report: &ScanReport, objects: u64, events: &mpsc::Sender<Event>) {
    if matches!(report.completeness, Completeness::Kept(_)) {
        return;
    }
    let asked = session.price_of(report.requests);
    let text = format!("listed {} in {:.1} s: {asked}", number::objects(objects), report.elapsed.as_secs_f64());
    send(events, Event::Log(LogLine { at: session.clock.now(), level: LogLevel::Info, run: String::new(), text }))
        .await;
}

async fn tell_registry(session: &Session, audit: &Audit, events: &mpsc::Sender<Event>) {
    let report = audit.judge.facts().report();
    let mut lines: Vec<(LogLevel, String)> =
        report.sources.iter().map(|source| (LogLevel::Info, source.line())).collect();
    match &report.state {
        RegistryState::Usable => {}
        RegistryState::Absent => lines.push((LogLevel::Warning, "no registry is configured".into())),
        RegistryState::Unusable(reasons) => {
            lines.extend(
                reasons.iter().map(|reason| (LogLevel::Error, format!("the registry cannot be used: {reason}"))),
            );
        }
    }
    for (level, text) in lines {
        let line = LogLine { at: session.clock.now(), level, run: String::new(), text };
        send(events, Event::Log(line)).await;
    }
}

fn refused(session: &Session, error: ExecuteError) -> Failure {
    match error {
        ExecuteError::Failed(failure) => failure,
        ExecuteError::Refused(refusal) => Failure {
            what: format!("carry out the plan in {}", place(session.store.identity())),
            why: refusal.0,
            hint: "nothing was deleted".into(),
        },
    }
}
