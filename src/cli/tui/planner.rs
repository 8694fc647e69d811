//! The jobs that end in a plan: of what is marked, and of what lies in the trash.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::worker::{renew, send};
use crate::app::event::PlanMade;
use crate::app::runs::RunId;
use crate::app::{Event, State, Ticket};
use crate::cli::session::Session;
use crate::domain::guards::LastScan;
use crate::domain::inventory::Inventory;
use crate::domain::plan::Plan;
use crate::domain::progress::{Completeness, Failure, LogLevel, LogLine, ScanReport};
use crate::domain::trash::TRASH;
use crate::domain::{Key, Timestamp};
use crate::jobs::audit::Audit;
use crate::jobs::draft::{Draft, draft};
use crate::jobs::ground::Ground;
use crate::jobs::trash::{Only, Trash, with_trash};
use crate::jobs::{Stop, undo};

/// Makes plans, and remembers how to stop that.
pub struct Planner {
    session: Arc<Session>,
    events: mpsc::Sender<Event>,
    looking: Stop,
    accepted: Arc<Accepted>,
}

/// What a person accepted: from the first plan on the smaller listing is the one that is remembered, and each further plan
/// on it has to say as well what it was held against.
#[derive(Default)]
struct Accepted(Mutex<Option<(Timestamp, LastScan)>>);

impl Accepted {
    /// Puts back what the listing that began then was first held against.
    fn keep(&self, began: Timestamp, ground: Ground) -> Ground {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last_scan = match kept.take() {
            Some((at, last)) if at == began => last,
            _ => ground.last_scan,
        };
        *kept = Some((began, last_scan.clone()));
        Ground { last_scan, ..ground }
    }
}

/// Why there is no plan.
enum NoPlan {
    /// There is nothing to plan.
    Nothing(String),
    /// It could not be found out.
    Failed(Failure),
}

impl Planner {
    /// No plan is made yet.
    pub fn new(session: Arc<Session>, events: mpsc::Sender<Event>) -> Self {
        Self { session, events, looking: Stop::new(), accepted: Arc::default() }
    }

    /// Ends the listing of the trash.
    pub fn stop_looking(&self) {
        self.looking.request();
    }

    /// Freezes what is marked.
    pub fn plan(&self, ticket: Ticket, scan: ScanReport, state: &State) {
        let (Some(judge), Some(assessment)) = (state.bucket.judge.clone(), state.bucket.assessment.clone()) else {
            return;
        };
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        let (inventory, selected) = (state.bucket.inventory.clone(), state.marks.selection.clone());
        let (kind, accepts_shrink) = (state.planning.kind, state.bucket.accepts_shrink);
        let accepted = Arc::clone(&self.accepted);
        tokio::spawn(async move {
            let ground = session.ground_accepting(&inventory, &scan, judge.facts(), accepts_shrink).await;
            let ground = if accepts_shrink { accepted.keep(scan.local_time, ground) } else { ground };
            let drafting = spawn_blocking(move || {
                let audit = Audit { judge, assessment };
                let input = Draft {
                    identity: session.store.identity(),
                    inventory: &inventory,
                    scan: &scan,
                    audit: &audit,
                    kind,
                    ground: &ground,
                    caps: &session.caps,
                    clock: &session.clock,
                };
                PlanMade::from(draft(&input, selected.iter()))
            });
            if let Ok(made) = drafting.await {
                send(&events, Event::PlanReady(ticket, Box::new(made))).await;
            }
        });
    }

    /// Plans to bring back what a run, or the last one that did, moved to the trash.
    pub fn restore(&mut self, ticket: Ticket, run: Option<RunId>, keys: Vec<Key>) {
        let session = Arc::clone(&self.session);
        let making = move |inventory: &Inventory, scan: &ScanReport| {
            let trash = session.trash(inventory, scan);
            let last = match run {
                Some(run) => run.to_string(),
                None => last_run(&session, &trash)?,
            };
            let failed = |why: String| NoPlan::Failed(failure(format!("restore run {last}"), why));
            let only = Only { keys, ..Only::default() };
            let plan = trash.restore(&last, &only).map_err(|error| failed(error.to_string()))?;
            match plan.rows.is_empty() {
                true => Err(NoPlan::Nothing(format!("nothing of run {last} lies in the trash"))),
                false => Ok(plan),
            }
        };
        self.look(ticket, making);
    }

    /// Plans to delete for good what has lain in the trash for so long, or of that only what lies at these places.
    pub fn empty(&mut self, ticket: Ticket, older_than_seconds: i64, keys: Vec<Key>) {
        let session = Arc::clone(&self.session);
        let making = move |inventory: &Inventory, scan: &ScanReport| {
            let plan = session.trash(inventory, scan).empty(older_than_seconds, &keys);
            match plan.rows.is_empty() {
                true if keys.is_empty() => Err(NoPlan::Nothing("nothing has lain in the trash for so long".into())),
                true => Err(NoPlan::Nothing("nothing to retry: none of what failed is in the trash any more".into())),
                false => Ok(plan),
            }
        };
        self.look(ticket, making);
    }

    /// Lists the trash alone, and puts that in the place of what the bucket on the screen has of it.
    pub fn show_trash(&self, ticket: Ticket, bucket: Inventory) {
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        tokio::spawn(async move {
            let (trash, scan) = session.list_until(TRASH.as_bytes(), &Stop::new(), |_| {}).await;
            let merged = match scan.completeness {
                Completeness::Complete => {
                    spawn_blocking(move || with_trash(&bucket, &trash).map_err(|error| error.to_string())).await
                }
                Completeness::Kept(_) => return,
                Completeness::Incomplete(failure) => Ok(Err(failure.to_string())),
            };
            let event = match merged {
                Ok(Ok(inventory)) => Event::TrashListed(ticket, Box::new(inventory)),
                Ok(Err(why)) => {
                    let text =
                        format!("what was moved to the trash is not on the screen yet: {why}; r lists the bucket");
                    let (at, level) = (session.clock.now(), LogLevel::Warning);
                    Event::Log(LogLine { at, level, run: String::new(), text })
                }
                Err(_) => return, // the program is ending
            };
            send(&events, event).await;
        });
    }

    /// Lists the trash and makes a plan of it.
    fn look(
        &mut self,
        ticket: Ticket,
        making: impl FnOnce(&Inventory, &ScanReport) -> Result<Plan, NoPlan> + Send + 'static,
    ) {
        let stop = renew(&mut self.looking);
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        tokio::spawn(async move {
            let (inventory, scan) = session.list_until(TRASH.as_bytes(), &stop, |_| {}).await;
            let event = match scan.completeness.clone() {
                _ if stop.is_requested() => Event::NoPlan(ticket, "stopped looking into the trash".into()),
                Completeness::Incomplete(failure) => Event::Failed(failure),
                Completeness::Kept(at) => {
                    Event::Failed(failure("look into the trash", format!("the listing was kept at {at}")))
                }
                Completeness::Complete => {
                    match spawn_blocking(move || making(&inventory, &scan).map(PlanMade::from)).await {
                        Ok(Ok(made)) => Event::PlanReady(ticket, Box::new(made)),
                        Ok(Err(NoPlan::Nothing(why))) => Event::NoPlan(ticket, why),
                        Ok(Err(NoPlan::Failed(failure))) => Event::Failed(failure),
                        Err(error) => Event::Failed(failure("plan", error.to_string())),
                    }
                }
            };
            send(&events, event).await;
        });
    }
}

/// The last run that moved something to the trash, if any of that is still there.
fn last_run(session: &Session, trash: &Trash<'_>) -> Result<String, NoPlan> {
    let here = session.store.identity();
    let last = undo::last(&session.runs(), &here.endpoint, &here.bucket)
        .map_err(|error| NoPlan::Failed(failure("find the last run", error.to_string())))?;
    let last = last.ok_or_else(|| NoPlan::Nothing("no run on this bucket has moved anything to the trash".into()))?;
    match trash.by_run().iter().any(|run| run.run == last.run) {
        true => Ok(last.run),
        false => Err(NoPlan::Nothing(last.what_became_of_it())),
    }
}

fn failure(what: impl Into<String>, why: String) -> Failure {
    Failure { what: what.into(), why, hint: "nothing was changed".into() }
}
