//! Kept scans in the console: opened at the start, written after each complete listing, compared with.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::app::event::KeptListing;
use crate::app::kept::Compared;
use crate::app::{Event, Ticket};
use crate::cli::session::Session;
use crate::domain::changes::Summary;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Failure, LogLevel, LogLine, ScanReport};
use crate::scans::{KeptScan, ScanFileError, read};

/// Folders of the first level are what a person knows by name.
const LEVELS: usize = 1;

/// The id under which the listing on the screen was kept, once it was.
#[derive(Clone, Debug, Default)]
pub struct OwnScan(Arc<Mutex<Option<String>>>);

impl OwnScan {
    fn set(&self, kept: Option<KeptScan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept.map(|kept| kept.id);
    }

    fn is(&self, scan: &KeptScan) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&scan.id)
    }
}

/// Shows the scan that is looked at offline, or the last one that was kept of the bucket.
pub fn open(session: &Arc<Session>, events: &mpsc::Sender<Event>, ticket: Ticket) {
    let (session, events) = (Arc::clone(session), events.clone());
    spawn_blocking(move || {
        let listing = match &session.kept {
            Some(kept) => KeptListing { inventory: kept.inventory.clone(), report: kept.header.report() },
            None => match last(&session) {
                Ok(Some(listing)) => listing,
                Ok(None) => return,
                Err(error) => return warn(&session, &events, "the last kept scan is not shown", &error),
            },
        };
        let _ = events.blocking_send(Event::Kept(ticket, Box::new(listing))); // nobody is left to tell
    });
}

fn last(session: &Session) -> Result<Option<KeptListing>, ScanFileError> {
    if session.settings.kept_scans.value == 0 {
        return Ok(None);
    }
    let Some(scan) = session.shelf().list()?.into_iter().next() else { return Ok(None) };
    let (header, inventory) = read(&scan.path)?;
    // Where a scan lies says nothing; what it says of itself does.
    let is_of_here = header.at.name() == session.store.identity().name() && header.prefix.is_empty();
    Ok(is_of_here.then(|| KeptListing { report: header.report(), inventory }))
}

/// Keeps a complete listing for the next start.
pub fn keep(
    session: &Arc<Session>,
    events: &mpsc::Sender<Event>,
    own: &OwnScan,
    inventory: Inventory,
    report: ScanReport,
) {
    let (session, events, own) = (Arc::clone(session), events.clone(), own.clone());
    spawn_blocking(move || match session.keep(&inventory, &report) {
        Ok(kept) => own.set(kept),
        Err(error) => warn(&session, &events, "the scan is not kept for the next start", &error),
    });
}

/// Compares the listing on the screen with the newest kept scan that is not the same listing.
pub fn compare(
    session: &Arc<Session>,
    events: &mpsc::Sender<Event>,
    own: &OwnScan,
    ticket: Ticket,
    inventory: Inventory,
) {
    let (session, events, own) = (Arc::clone(session), events.clone(), own.clone());
    spawn_blocking(move || {
        let compared = session.shelf().list().and_then(|scans| {
            let Some(scan) = scans.into_iter().find(|scan| !own.is(scan)) else { return Ok(None) };
            let (header, before) = read(&scan.path)?;
            let summary = Summary::of(&before, &inventory, LEVELS, &session.layouts, &session.ids);
            Ok(Some(Compared::new(header.ended, &summary)))
        });
        let event = match compared {
            Ok(compared) => Event::Compared(ticket, compared),
            Err(error) => Event::Failed(Failure {
                what: "compare with the last kept scan".into(),
                why: error.to_string(),
                hint: "remove that file; the next complete listing is kept anew".into(),
            }),
        };
        let _ = events.blocking_send(event); // nobody is left to tell
    });
}

fn warn(session: &Session, events: &mpsc::Sender<Event>, what: &str, error: &ScanFileError) {
    let text = format!("{what}: {error}");
    let line = LogLine { at: session.clock.now(), level: LogLevel::Warning, run: String::new(), text };
    let _ = events.blocking_send(Event::Log(line)); // nobody is left to tell
}
