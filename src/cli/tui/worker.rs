//! Carries out what the state asks for: effects become jobs, what jobs say becomes events.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::drift::Drift;
use super::history::History;
use super::keeping::{self, OwnScan};
use super::planner::Planner;
use super::searcher::Searcher;
use crate::app::confirm::{Confirmed, Taking};
use crate::app::event::Assessed;
use crate::app::gather::gather;
use crate::app::number;
use crate::app::order::Order;
use crate::app::state::Discarded;
use crate::app::{Effect, Event, ExitReason, State, Ticket};
use crate::cli::session::{PAGES_IN_FLIGHT, Session};
use crate::domain::Timestamp;
use crate::domain::facts::RegistryState;
use crate::domain::progress::{Completeness, Failure, LogLevel, LogLine, ScanProgress, ScanReport};
use crate::domain::requests::Request;
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
    searcher: Searcher,
    listing: Stop,
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
            searcher: Searcher::new(events.clone()),
            session,
            events,
            listing: Stop::new(),
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
            Effect::Filter { ticket, filter } => self.searcher.filter(ticket, filter, state),
            Effect::StopFilter => self.searcher.stop_filter(),
            Effect::StopSort => self.searcher.stop_sort(),
            Effect::StopGlob => self.searcher.stop_glob(),
            Effect::CarryMarks { ticket } => self.searcher.carry_marks(ticket, state),
            Effect::Gather { ticket, order } => self.searcher.gather(ticket, order, state),
            Effect::Sort { ticket, folder, order } => self.searcher.sort(ticket, folder, order, state),
            Effect::MatchGlob { ticket, pattern, mark } => self.searcher.match_glob(ticket, pattern, mark, state),
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

    /// Gives back the memory of what is not needed any more, where nobody waits for it.
    pub fn let_go(&self, discarded: Vec<Discarded>) {
        spawn_blocking(move || drop(discarded));
    }

    /// Says which earlier runs on this bucket did not come to their end.
    pub fn look_for_unfinished(&self) {
        self.history.look_for_unfinished();
    }

    /// Asks everything to stop and waits for a run to have written down its last outcome.
    pub async fn finish(&mut self) {
        self.listing.request();
        self.run.request();
        self.searcher.stop();
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
