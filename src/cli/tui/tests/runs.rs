//! Journeys through what comes after a run: undoing it, looking at it, retrying it.

use crate::app::forest::Node;
use crate::app::runs::Standing;
use crate::journal::bundle;
use crate::store::faults::{Fault, FaultStore, Operation};
use crate::store::{ErrorKind, StoreError};

use super::*;

impl Journey {
    /// Confirms the plan on the screen and waits for the end of its run; the run's id.
    pub(super) async fn carry_out(&mut self) -> String {
        self.press("4D");
        let text = self.desk.state.planning.plan.as_ref().map(|plan| plan.confirmation()).expect("a plan");
        self.press(&text);
        self.press("<enter>");
        self.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
        self.until("it is in the list", |state| state.runs.reading.is_none()).await;
        self.until("it is judged", |state| state.bucket.audit == Audit::Done && !state.is_scanning()).await;
        self.desk.state.run.as_ref().map(|run| run.id.clone()).expect("a run")
    }

    /// Every object with all that the listing says of it.
    async fn objects(&self) -> Vec<(Key, u64, String)> {
        let (inventory, report) = self.session.list(b"").await;
        assert_eq!(report.completeness, Completeness::Complete);
        let object = |index| inventory.object(index);
        (0..inventory.len()).map(object).map(|one| (one.key, one.size, one.etag.as_str().to_owned())).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z_brings_back_what_the_last_run_moved_to_the_trash_and_says_when_there_is_nothing() {
    let mut journey = Journey::begin().await;
    let before = journey.objects().await;
    journey.press("z");
    journey.until("it says so", |state| !state.planning.looking).await;
    assert!(journey.screen().contains("no run on this bucket has moved anything to the trash"), "{}", journey.screen());
    let planned = journey.plan_project_1().await;
    let trashed = journey.carry_out().await;
    journey.press("z");
    journey.until("the plan is made", |state| planned_kind(state) == Some(PlanKind::Restore)).await;
    let restored = journey.carry_out().await;
    assert_eq!(journey.objects().await, before, "keys, sizes and ETags are those of before");
    let back = journey.keys(|index| !journey.desk.state.bucket.inventory.is_gone(index));
    assert!(planned.is_subset(&back), "the tree shows what came back");
    journey.press("z");
    journey.until("it says so", |state| !state.planning.looking).await;
    let screen = journey.screen();
    assert!(screen.contains(&format!("already restored: run {trashed}")) && screen.contains(&restored), "{screen}");
    assert_eq!(journey.objects().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_emptied_for_good_of_what_is_old_enough() {
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    let planned = journey.plan_project_1().await;
    journey.carry_out().await;
    journey.press("1T<enter>");
    journey.until("it says so", |state| !state.planning.looking).await;
    assert!(journey.screen().contains("nothing has lain in the trash for so long"), "{}", journey.screen());
    journey.press("T<c-u>0d<enter>");
    journey.until("the plan is made", |state| planned_kind(state) == Some(PlanKind::EmptyTrash)).await;
    journey.carry_out().await;
    assert_eq!(journey.listed().await, before.difference(&planned).cloned().collect());
}

fn denied() -> StoreError {
    StoreError::new(ErrorKind::Denied, "AccessDenied: not yours")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_looked_at_exported_verified_and_what_failed_in_it_is_planned_again() {
    let mut faults = None;
    let mut journey = Journey::begin_with(|store| {
        let store = Arc::new(FaultStore::new(store));
        faults = Some(Arc::clone(&store));
        store
    })
    .await;
    let faults = faults.expect("a store with faults");
    let planned = journey.plan_project_1().await;
    let refused = planned.iter().next().cloned().expect("a key");
    faults.always(Operation::Delete, Fault::Fail(denied()));
    faults.always(Operation::DeleteBatch, Fault::Refuse(refused.clone(), denied()));
    journey.press("T");
    journey.until("the plan is for good", |state| planned_kind(state) == Some(PlanKind::Delete)).await;
    let run = journey.carry_out().await;
    faults.heal();

    journey.press("6");
    journey.until("it is listed", |state| state.runs.get(&run).is_some()).await;
    journey.press("g<enter>");
    journey.until("the run is open", |state| state.runs.opened(&run).is_some()).await;
    let past = journey.desk.state.runs.get(&run).expect("the run").clone();
    assert_eq!((past.failures(), past.planned, past.standing), (1, planned.len() as u64, Standing::Finished));
    journey.press("jlj<tab>");
    assert!(matches!(journey.desk.state.cursor(), Some(Node::RunKey(..))), "{}", journey.screen());
    assert!(journey.screen().contains("AccessDenied"), "{}", journey.screen());
    journey.press("<esc>e");
    journey.until("it is exported", |state| state.notice.as_ref().is_some_and(|one| one.text.contains(".jsonl"))).await;
    let text = journey.desk.state.notice.as_ref().map(|notice| notice.text.clone()).expect("a notice");
    let file = text.split(" written to ").nth(1).expect("where it is").to_owned();
    let bytes = std::fs::read(&file).expect("the bundle");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(bundle::check(&bytes).map(|bundle| bundle.summary.run), Ok(run.clone()));
    journey.press("v");
    journey.until("it is looked at", |state| state.runs.proofs.contains_key(run.as_str())).await;
    assert!(journey.screen().contains("proved gone"), "{}", journey.screen());

    journey.press("f");
    journey
        .until("the plan is made", |state| state.planning.plan.as_ref().is_some_and(|plan| plan.rows.len() == 1))
        .await;
    let plan = journey.desk.state.planning.plan.clone().expect("a plan");
    assert_eq!((&plan.rows[0].object.key, plan.header.kind), (&refused, PlanKind::Delete));
    assert!(!plan.header.guards.is_empty() && plan.refusals().is_empty(), "{:?}", plan.header.guards);
    journey.carry_out().await;
    assert!(!journey.listed().await.contains(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_go_the_way_that_the_dialog_says() {
    let mut faults = None;
    let mut journey = Journey::begin_with(|store| {
        let store = Arc::new(FaultStore::new(store));
        faults = Some(Arc::clone(&store));
        store
    })
    .await;
    let planned = journey.plan_project_1().await.len();
    journey.press("T");
    journey.until("the plan is for good", |state| planned_kind(state) == Some(PlanKind::Delete)).await;
    journey.press("D<tab><tab>");
    assert!(journey.screen().contains("s3 sequential"), "{}", journey.screen());
    journey.press("<esc>D<tab>");
    assert!(journey.screen().contains("s3 single"), "each dialog begins anew: {}", journey.screen());
    let text = journey.desk.state.planning.plan.as_ref().map(|plan| plan.confirmation()).expect("a plan");
    journey.press(&text);
    journey.press("<enter>");
    journey.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
    let faults = faults.expect("a store with faults");
    assert_eq!((faults.count(Operation::Delete), faults.count(Operation::DeleteBatch)), (planned, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_is_closed_without_sending_anything() {
    const RUN: &str = "01930000-0000-7000-8000-00000000000b";
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    journey.plan_project_1().await;
    let plan = journey.desk.state.planning.plan.clone().expect("a plan");
    leave_unfinished(&journey.session, RUN, &plan);
    journey.press("6");
    journey.until("it is listed", |state| state.runs.get(RUN).is_some()).await;
    journey.press("gc");
    journey.until("it is read", |state| state.runs.opened(RUN).is_some()).await;
    assert!(journey.screen().contains("sends nothing more"), "{}", journey.screen());
    journey.press(&plan.confirmation());
    journey.press("<enter>");
    journey.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
    assert_eq!(journey.listed().await, before, "nothing was sent");
    journey.press("6");
    journey
        .until("it is listed as closed", |state| {
            state.runs.get(RUN).is_some_and(|past| past.standing != Standing::Unfinished)
        })
        .await;
}
