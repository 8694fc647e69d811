//! Journeys through a bucket and a registry that are smaller than last time.

use crate::app::registry::DriftKind;
use crate::domain::Flag;
use crate::domain::drift::Absence;
use crate::store::DeleteTarget;

use super::*;

/// Deletes objects behind the console's back, more than a fifth of the bucket.
async fn delete_a_third(journey: &Journey) {
    let written_by_the_app: [&[u8]; 4] = [b"users/", b"projects/", b"media/", b"video/"];
    let all = journey.listed().await;
    // One request cannot carry every key there is.
    let is_plain = |key: &Key| key.escaped().to_string().as_bytes() == key.as_bytes();
    let is_one = |key: &&Key| is_plain(key) && written_by_the_app.iter().any(|start| key.as_bytes().starts_with(start));
    let targets: Vec<DeleteTarget> =
        all.iter().filter(is_one).take(all.len() / 3).cloned().map(DeleteTarget::of).collect();
    assert!(targets.len() * 4 > all.len(), "{} of {}", targets.len(), all.len());
    for batch in targets.chunks(1000) {
        journey.session.store.delete_batch(batch).await.expect("deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_shrank_refuses_the_plan_until_a_person_accepts_it_by_name() {
    let mut journey = Journey::begin().await;
    delete_a_third(&journey).await;
    journey.press("r");
    journey.until("it is judged again", |state| state.bucket.audit == Audit::Done && !state.is_scanning()).await;
    journey.plan_project_1().await;
    let screen = journey.screen();
    assert!(screen.contains("refused") && screen.contains("listing not shrunken"), "{screen}");
    journey.press("D");
    assert!(journey.screen().contains("listing not shrunken"), "{}", journey.screen());
    journey.press("Saccep<enter>");
    assert!(journey.screen().contains("not accepted"), "{}", journey.screen());
    journey.press("Saccept<enter>");
    let passes = |state: &State| {
        let plan = state.planning.plan.as_ref().filter(|_| !state.planning.pending);
        plan.is_some_and(|plan| plan.refusals().is_empty())
    };
    journey.until("the plan is made anew", passes).await;
    // Once more, for the other kind: what was accepted stands in every plan on this listing.
    journey.press("T");
    journey.until("the plan is for good", |state| planned_kind(state) == Some(PlanKind::Delete)).await;
    let plan = journey.desk.state.planning.plan.clone().expect("a plan");
    let said = plan.header.guards.iter().find(|guard| guard.name == "listing not shrunken").expect("a guard");
    assert!(said.passed && said.message.contains("accept"), "{}", said.message);
    assert!(journey.screen().contains("D confirms"), "{}", journey.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_shown_with_its_sources_and_what_disagrees_leads_to_its_object() {
    let mut journey = Journey::begin().await;
    journey.press("7");
    journey.until("it is compared", |state| state.registry_view.report.is_some()).await;
    assert!(journey.screen().contains("sqlite"), "{}", journey.screen());
    let untracked = journey.desk.state.registry_view.count(DriftKind::Untracked);
    let state = &journey.desk.state;
    let judged = state.bucket.assessment.as_ref().map(|assessment| assessment.totals(0..state.bucket.inventory.len()));
    assert_eq!(Some(untracked as u64), judged.map(|totals| totals.of(Verdict::Untracked).objects));
    assert!(untracked > 0);
    let asked = |state: &State| {
        let report = state.registry_view.report.as_ref().filter(|_| state.registry_view.checking.is_none());
        report.is_some_and(|report| report.missing.iter().all(|missing| missing.proof == Absence::Proved))
    };
    assert!(!asked(&journey.desk.state), "nothing is proved by a listing");
    journey.press("v");
    journey.until("the store was asked", asked).await;
    journey.press("gjlj");
    let key = journey.desk.state.registry_view.key(DriftKind::Untracked, 0).cloned().expect("a key");
    journey.press("<enter>");
    let state = &journey.desk.state;
    let at = state.cursor().and_then(|node| state.key_of(&node));
    assert_eq!((state.browse.view, at), (View::Folders, Some(key)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_a_place_of_its_own_and_nothing_in_it_is_an_orphan() {
    let mut journey = Journey::begin().await;
    let planned = journey.plan_project_1().await;
    let run = journey.carry_out().await;
    journey.press("1r");
    journey.until("it is judged again", |state| state.bucket.audit == Audit::Done && !state.is_scanning()).await;
    let state = &journey.desk.state;
    let assessment = state.bucket.assessment.as_ref().expect("verdicts");
    let places: BTreeSet<Key> = planned.iter().map(|key| place(&run, key)).collect();
    for key in &places {
        let object = state.bucket.inventory.find(key.as_bytes()).expect("it is listed");
        assert_ne!(assessment.verdict(object), Verdict::Orphaned);
        assert!(assessment.flags(object).has(Flag::Protected));
    }
    journey.press(":.bucketree/trash/<enter>lj");
    let screen = journey.screen();
    assert!(screen.contains("trash/ (by run)") && screen.contains("In the trash: what run"), "{screen}");
    journey.press("a");
    assert!(journey.desk.state.marks.selection.is_empty(), "nothing in the trash is marked");
    journey.press("z");
    journey.until("the plan is made", |state| planned_kind(state) == Some(PlanKind::Restore)).await;
    assert_eq!(journey.desk.state.planning.plan.as_ref().map(|plan| plan.rows.len()), Some(planned.len()));
}
