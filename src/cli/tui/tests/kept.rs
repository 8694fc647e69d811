//! The console closed and opened again: what was listed is there at once, the bucket comes after it.

use tokio::sync::Semaphore;

use super::*;
use crate::app::state::{Mode, Scan};
use crate::domain::inventory::Inventory;
use crate::store::faults::{Fault, FaultStore, Operation};
use crate::store::{DeleteTarget, SharedStore};

/// Longer than it takes to write a small file.
async fn until_kept(session: &Session, count: usize) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while session.shelf().list().expect("a list").len() < count {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("the scan is kept");
}

fn is_done(state: &State) -> bool {
    state.bucket.audit == Audit::Done && matches!(state.bucket.scan, Scan::Complete(_)) && state.bucket.kept.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_start_shows_what_was_listed_at_once_and_then_the_bucket() {
    let demo = start(DemoOptions { objects: 300, ..DemoOptions::default() }).await.expect("a demo");
    let mut session = Session::of_demo(&demo, &GlobalFlags::default()).await.expect("a session");
    let state = tempfile::tempdir().expect("a folder");
    session.state = state.path().to_owned();
    session.settings.kept_scans.value = 5;
    let bucket: SharedStore = Arc::clone(&session.store);
    let faults = Arc::new(FaultStore::new(Arc::clone(&bucket)));
    session.store = faults.clone();
    let session = Arc::new(session);
    let mut journey = Journey { desk: desk(&session), session: Arc::clone(&session), _demo: demo, _state: state };
    journey.until("the bucket is listed and judged", is_done).await;
    until_kept(&session, 1).await;

    let all: Inventory = journey.desk.state.bucket.inventory.clone();
    let gone = DeleteTarget { key: all.key(0), etag: None, last_modified: None };
    bucket.delete(&gone).await.expect("deleted behind the back of the console");
    let gate = Arc::new(Semaphore::new(0));
    faults.always(Operation::List, Fault::Hold(Arc::clone(&gate)));
    journey.desk = desk(&session);
    let shown = |state: &State| state.bucket.kept.is_some() && state.bucket.audit == Audit::Done;
    journey.until("the kept scan is shown", shown).await;
    assert_eq!(journey.desk.state.bucket.inventory.alive(), all.alive());
    let screen = journey.screen();
    assert!(screen.contains("scan of ") && screen.contains(" ago, listing again"), "{screen}");
    journey.press("2A");
    let screen = journey.screen();
    assert!(journey.desk.state.marks.selection.is_empty() && screen.contains("refreshing"), "{screen}");

    gate.add_permits(1000);
    journey.until("the bucket is listed and judged", is_done).await;
    assert_eq!(journey.desk.state.bucket.inventory.alive(), all.alive() - 1);
    journey.press("2A");
    assert!(!journey.desk.state.marks.selection.is_empty(), "{}", journey.screen());

    until_kept(&session, 2).await;
    journey.press("=");
    journey.until("the changes are shown", |state| matches!(state.mode, Mode::Changes(_))).await;
    let screen = journey.screen();
    assert!(screen.contains("Changes since the scan of") && screen.contains("by folder"), "{screen}");
    journey.press("<esc>");
    assert!(!journey.screen().contains("Changes since"));
}
