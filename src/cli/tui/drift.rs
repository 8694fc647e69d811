//! The jobs of the registry's view: comparing registry and listing, and asking the store about what is missing.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::worker::{renew, send};
use crate::app::{Event, State, Ticket};
use crate::cli::session::Session;
use crate::domain::drift::compare;
use crate::domain::progress::ScanReport;
use crate::jobs::Stop;
use crate::jobs::audit::Audit;
use crate::jobs::drift::{Drifting, check};

/// Compares, and remembers how to stop that.
pub struct Drift {
    session: Arc<Session>,
    events: mpsc::Sender<Event>,
    checking: Stop,
}

/// What is compared, as the state has it now.
fn audit(state: &State) -> Option<Audit> {
    Some(Audit { judge: state.bucket.judge.clone()?, assessment: state.bucket.assessment.clone()? })
}

impl Drift {
    /// Nothing is compared yet.
    pub fn new(session: Arc<Session>, events: mpsc::Sender<Event>) -> Self {
        Self { session, events, checking: Stop::new() }
    }

    /// Ends the asking.
    pub fn stop(&self) {
        self.checking.request();
    }

    /// Compares what was read, without asking anybody.
    pub fn compare(&self, ticket: Ticket, state: &State) {
        let Some(audit) = audit(state) else { return };
        let (events, inventory) = (self.events.clone(), state.bucket.inventory.clone());
        spawn_blocking(move || {
            let report = compare(&audit.judge, &audit.assessment, &inventory, None).report;
            let _ = events.blocking_send(Event::Drifted(ticket, Box::new(report))); // nobody is left to tell
        });
    }

    /// Compares, asks the store for every missing key, and looks into the rows of the others.
    pub fn check(&mut self, ticket: Ticket, scan: ScanReport, state: &State) {
        let Some(audit) = audit(state) else { return };
        let stop = renew(&mut self.checking);
        let (session, events) = (Arc::clone(&self.session), self.events.clone());
        let inventory = state.bucket.inventory.clone();
        tokio::spawn(async move {
            let told = |done, all| {
                // A picture, not a fact: it is left out when the screen is busy.
                let _ = events.try_send(Event::Checking(ticket, done, all));
            };
            let input = Drifting {
                store: &*session.store,
                registry: session.registry.as_ref(),
                inventory: &inventory,
                scan: &scan,
                audit: &audit,
                project: None,
            };
            let report = check(&input, &stop, told).await;
            send(&events, Event::Drifted(ticket, Box::new(report))).await;
        });
    }
}
