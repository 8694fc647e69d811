//! The jobs on past runs: reading journals, writing bundles, looking again. Files are read on blocking threads.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::past;
use super::worker::{renew, send};

use crate::app::run::Unfinished;
use crate::app::runs::{Proof, ProofProgress, RunId};
use crate::app::{Event, Ticket};
use crate::cli::session::Session;
use crate::domain::plan::Plan;
use crate::domain::progress::Failure;
use crate::jobs::Stop;
use crate::jobs::verify::verify_run;
use crate::journal::lock::{self, Owner};
use crate::journal::{JournalError, bundle, plan_file, runs, write_synced};

/// Runs that are told together.
const TOGETHER: usize = 20;

/// Reads journals, and remembers how to stop that.
pub struct History {
    session: Arc<Session>,
    events: mpsc::Sender<Event>,
    reading: Stop,
    proving: Stop,
}

fn failed(what: impl Into<String>, error: &JournalError) -> Event {
    let hint = match error {
        JournalError::Damaged { .. } => "its folder is evidence; leave it as it is",
        _ => "see that the state folder can be read",
    };
    Event::Failed(Failure { what: what.into(), why: error.to_string(), hint: hint.into() })
}

impl History {
    /// Nothing is read yet.
    pub fn new(session: Arc<Session>, events: mpsc::Sender<Event>) -> Self {
        Self { session, events, reading: Stop::new(), proving: Stop::new() }
    }

    /// Ends everything.
    pub fn stop(&self) {
        self.reading.request();
        self.proving.request();
    }

    /// Ends the second look.
    pub fn stop_proving(&self) {
        self.proving.request();
    }

    /// Says which earlier runs on this bucket did not come to their end.
    pub fn look_for_unfinished(&self) {
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        spawn_blocking(move || {
            let here = session.store.identity();
            let told = match runs::history(&session.runs(), "", &here.endpoint, &here.bucket) {
                Err(error) => vec![failed("look for unfinished runs", &error)],
                Ok(history) => {
                    let holder = lock::holder(&session.runs(), &here.endpoint, &here.bucket);
                    history.unfinished.iter().map(|run| unfinished(&session, run, holder.as_ref())).collect()
                }
            };
            told.into_iter().for_each(|event| drop(events.blocking_send(event))); // nobody may be left to tell
        });
    }

    /// Reads the journals of all runs on this bucket, the newest first.
    pub fn read(&mut self, ticket: Ticket) {
        let stop = renew(&mut self.reading);
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        spawn_blocking(move || {
            if let Err(error) = read_all(&session, ticket, &stop, &events) {
                let _ = events.blocking_send(failed("read the journals", &error)); // nobody is left to tell
            }
        });
    }

    /// Reads all of a run.
    pub fn open(&self, ticket: Ticket, run: RunId) {
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        spawn_blocking(move || {
            let here = session.store.identity();
            let owner = lock::holder(&session.runs(), &here.endpoint, &here.bucket);
            let opened = runs::open(&session.runs(), &run).and_then(|past| past::opened(&past, owner.as_ref()));
            let event = match opened {
                Ok(open) => Event::RunOpened(ticket, Box::new(open)),
                Err(error) => failed(format!("open run {run}"), &error),
            };
            let _ = events.blocking_send(event); // nobody is left to tell
        });
    }

    /// Writes all of a run into one sealed file, in the folder that the program was started in.
    pub fn export_run(&self, run: RunId) {
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        spawn_blocking(move || {
            let written = bundle::export(&session.runs(), &run, session.clock.now().to_string())
                .and_then(|(bytes, _)| write_new(&format!("bucketree-run-{run}"), &bytes));
            let event = match written {
                Ok(file) => Event::Exported { what: "plan, journal and outcomes", file },
                Err(error) => failed(format!("export run {run}"), &error),
            };
            let _ = events.blocking_send(event); // nobody is left to tell
        });
    }

    /// Writes a plan, in the folder that the program was started in.
    pub fn export_plan(&self, plan: Arc<Plan>) {
        let events = self.events.clone();
        spawn_blocking(move || {
            let event = match write_new(&format!("bucketree-plan-{}", plan.header.id), &plan_file::write(&plan)) {
                Ok(file) => Event::Exported { what: "plan", file },
                Err(error) => Event::Failed(Failure {
                    what: "write the plan".into(),
                    why: error.to_string(),
                    hint: "start bucketree in a folder that can be written".into(),
                }),
            };
            let _ = events.blocking_send(event); // nobody is left to tell
        });
    }

    /// Looks again for everything that a run said is gone.
    pub fn prove(&mut self, ticket: Ticket, run: RunId) {
        let stop = renew(&mut self.proving);
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        tokio::spawn(async move {
            let runs = session.runs();
            let told = |done, all| {
                // A picture, not a fact: it is left out when the screen is busy.
                let _ = events.try_send(Event::Proving(ticket, ProofProgress::Done(done, all)));
            };
            let proving = verify_run(&*session.store, &runs, &run, told);
            let event = tokio::select! {
                proof = proving => match proof {
                    Ok(proof) => Event::Proving(ticket, ProofProgress::Ended(Box::new(Proof {
                        at: session.clock.now(),
                        verification: proof.verification,
                        gone: proof.gone.len() as u64,
                        recreated: proof.recreated,
                        still_there: proof.still_there,
                    }))),
                    Err(error) => failed(format!("verify run {run}"), &error),
                },
                // Looking changes nothing, so it can be dropped at any point.
                () = stop.requested() => Event::Proving(ticket, ProofProgress::Stopped),
            };
            send(&events, event).await;
        });
    }
}

fn read_all(session: &Session, ticket: Ticket, stop: &Stop, events: &mpsc::Sender<Event>) -> Result<(), JournalError> {
    let here = session.store.identity();
    let folder = session.runs();
    let owner = lock::holder(&folder, &here.endpoint, &here.bucket);
    let ids = runs::list(&folder)?;
    let all = ids.len();
    let mut found = Vec::new();
    for (read, id) in (1..).zip(ids.iter().rev()) {
        if stop.is_requested() {
            return Ok(());
        }
        let past = runs::open(&folder, id)?;
        let is_here = past.summary().is_some_and(|run| run.endpoint == here.endpoint && run.bucket == here.bucket);
        found.extend(past::shown(&past, owner.as_ref()).filter(|_| is_here));
        if read % TOGETHER == 0 && read < all {
            let runs = std::mem::take(&mut found);
            let _ = events.blocking_send(Event::Runs { ticket, runs, read: (read, all) }); // nobody is left to tell
        }
    }
    let _ = events.blocking_send(Event::Runs { ticket, runs: found, read: (all, all) }); // nobody is left to tell
    Ok(())
}

/// Writes a file that was not there before, and says where it is.
fn write_new(stem: &str, content: &[u8]) -> Result<String, JournalError> {
    let folder = std::env::current_dir().unwrap_or_default();
    let mut path = folder.join(format!("{stem}.jsonl"));
    for number in 2.. {
        if !is_there(&path) {
            break;
        }
        path = folder.join(format!("{stem}-{number}.jsonl"));
    }
    write_synced(&path, content)?;
    Ok(path.display().to_string())
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn unfinished(session: &Session, run: &str, holder: Option<&Owner>) -> Event {
    let under_way = holder.filter(|owner| owner.run == run);
    let plan = || runs::open(&session.runs(), run).and_then(|past| past.plan()).ok().map(Arc::new);
    let (text, plan) = match (under_way, plan()) {
        (Some(owner), _) => (format!("another process carries out a plan on this bucket: {owner}"), None),
        (None, Some(plan)) => {
            (format!("an earlier run is unfinished; R goes on with it, before any other plan: {run}"), Some(plan))
        }
        (None, None) => (format!("an earlier run is unfinished; leave and type `bucketree resume {run}`"), None),
    };
    Event::Unfinished(Box::new(Unfinished { run: run.into(), plan, text }))
}
