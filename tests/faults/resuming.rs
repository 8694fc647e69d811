//! Runs that ended early and are taken up again, runs that stand in each other's way, and journals that were tampered with.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bucketree::domain::plan::LIFETIME_SECONDS;
use bucketree::domain::progress::Verification;
use bucketree::domain::{Key, Outcome};
use bucketree::jobs::Clock;
use bucketree::jobs::execute::{Ending, ExecuteError};
use bucketree::journal::lock::{self, Owner};
use bucketree::journal::record::Record;
use bucketree::journal::runs;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, ObjectStore, StoreError};

use crate::world::{Ran, World};

/// Thirty orphans in requests of ten, one at a time.
fn world() -> World {
    let mut world = World::with_orphans(30);
    (world.batch_keys, world.concurrency) = (10, 1);
    world
}

pub fn journal(world: &World, run: &str) -> PathBuf {
    world.runs().join(run).join(runs::JOURNAL)
}

/// The lines of a journal.
pub fn lines(world: &World, run: &str) -> Vec<String> {
    fs::read_to_string(journal(world, run)).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

/// A run that was carried out; then its journal is cut to its first `records`, as if the program had been killed there.
async fn killed_after(world: &World, records: usize) -> String {
    let ran = world.run(world.plan().await).await.unwrap();
    assert!(ran.report.is_success());
    cut(world, &ran.report.run, records);
    ran.report.run
}

pub fn cut(world: &World, run: &str, records: usize) {
    fs::write(journal(world, run), lines(world, run)[..records].concat()).unwrap();
}

/// Started, then intent and outcomes of each batch: the records of [`world`] up to the intent of the second batch.
const SECOND_INTENT: usize = 4;

fn reappear(world: &World, rows: std::ops::Range<usize>) {
    rows.for_each(|n| world.put(&World::orphan(n), 100));
}

fn refusal(result: Result<Ran, ExecuteError>) -> String {
    match result {
        Err(ExecuteError::Refused(refusal)) => refusal.0,
        other => panic!("expected a refusal, got {:?}", other.map(|ran| ran.report)),
    }
}

pub fn untouched(world: &World) {
    for n in 0..30 {
        assert!(world.has(&format!("projects/proj_10/scenes/s/media/{n:04}.mp4")), "an object of proj_10 is gone");
    }
}

#[tokio::test]
async fn row_47_what_was_sent_is_looked_at_and_what_was_not_is_done() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 15..30);
    world.put(&World::orphan(16), 101);
    let (sent, before) = (world.store.count(Operation::DeleteBatch), world.bucket.keys().len());
    let ran = world.resume(&run, Ending::GoOn).await.unwrap();
    for (rows, outcome) in [
        (0..10, Outcome::Deleted),
        (10..15, Outcome::DeletedByEarlierAttempt),
        (15..16, Outcome::Deleted),
        (16..17, Outcome::SkippedChanged),
        (17..30, Outcome::Deleted),
    ] {
        rows.for_each(|n| assert_eq!(ran.outcome(&World::orphan(n)), outcome, "{n}"));
    }
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!((before, world.bucket.keys().len()), (45, 31), "all but the changed one are gone");
    assert_eq!(world.store.count(Operation::DeleteBatch), sent + 2);
    let past = runs::open(&world.runs(), &run).unwrap();
    let summary = past.summary().unwrap();
    assert_eq!((summary.finished, summary.outcomes, past.damage), (true, ran.report.outcomes, None));
    let batches = past.records.iter().filter_map(|record| match record {
        Record::Intent { batch, .. } => Some(*batch),
        _ => None,
    });
    assert_eq!(batches.collect::<Vec<_>>(), [1, 2, 3, 4], "numbers go on");
    untouched(&world);
}

#[tokio::test]
async fn row_47_closing_finds_out_and_sends_nothing() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 15..30);
    let sent = world.store.count(Operation::DeleteBatch);
    let ran = world.resume(&run, Ending::Close).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 10);
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 5);
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 15);
    assert!(ran.ends[&World::orphan(29)].1.as_ref().unwrap().contains("not attempted"));
    assert_eq!(world.store.count(Operation::DeleteBatch), sent);
    assert!(runs::open(&world.runs(), &run).unwrap().is_finished());
    assert_eq!(ran.report.verification, Verification::Passed);
}

#[tokio::test]
async fn row_47_killed_during_the_verification_or_the_removal_of_rows() {
    for (records, name) in [(7, "all outcomes"), (8, "verified"), (9, "removing rows")] {
        let world = world();
        let row = Key::from(World::orphan(7).as_str());
        world.registry.rows.lock().unwrap().insert(row.clone(), Some("proj_1".into()));
        let ran = world.run(world.plan().await).await.unwrap();
        assert_eq!(lines(&world, &ran.report.run).len(), 11);
        cut(&world, &ran.report.run, records);
        world.registry.rows.lock().unwrap().insert(row.clone(), Some("proj_1".into()));
        let sent = world.store.count(Operation::DeleteBatch);
        let again = world.resume(&ran.report.run, Ending::GoOn).await.unwrap();
        assert!(again.report.is_success(), "{name}: {:?}", again.report);
        assert_eq!((again.report.rows.removed, again.report.outcomes), (1, ran.report.outcomes), "{name}");
        assert_eq!(world.store.count(Operation::DeleteBatch), sent, "{name}: nothing is deleted again");
        assert!(!world.registry.rows.lock().unwrap().contains_key(&row), "{name}");
    }
}

#[tokio::test]
async fn row_47_a_row_of_an_object_that_was_written_again_stays() {
    let world = world();
    let row = Key::from(World::orphan(7).as_str());
    let run = killed_after(&world, 7).await;
    world.put(&World::orphan(7), 500);
    world.registry.rows.lock().unwrap().insert(row.clone(), Some("proj_1".into()));
    let ran = world.resume(&run, Ending::GoOn).await.unwrap();
    assert_eq!(ran.report.rows.removed, 0);
    assert!(world.registry.rows.lock().unwrap().contains_key(&row));
    assert!(world.has(&World::orphan(7)));
}

#[tokio::test]
async fn row_48_a_torn_end_is_cut_off_and_the_chain_goes_on() {
    let tails: [&[u8]; 5] = [b"3", b"0123 {\"record\"", b"\0\0\0\0\0\0", b"\xff\xfe\n\n garbage \n", b"{}\n"];
    for tail in tails {
        let world = world();
        let run = killed_after(&world, SECOND_INTENT).await;
        let mut torn = fs::read(journal(&world, &run)).unwrap();
        torn.extend_from_slice(tail);
        fs::write(journal(&world, &run), torn).unwrap();
        let past = runs::open(&world.runs(), &run).unwrap();
        assert!(past.torn && past.damage.is_some(), "{tail:?}");
        let ran = world.resume(&run, Ending::GoOn).await.unwrap();
        assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 10);
        let past = runs::open(&world.runs(), &run).unwrap();
        assert_eq!((past.damage.as_deref(), past.is_finished()), (None, true), "{tail:?}");
    }
}

#[tokio::test]
async fn row_50_a_journal_that_was_edited_is_not_gone_on_with() {
    for (what, edit) in [
        ("a word", (|lines| lines[2] = lines[2].replace("deleted", "unknown")) as fn(&mut Vec<String>)),
        ("a line less", |lines| drop(lines.remove(2))),
        ("the last but one", |lines| drop(lines.remove(6))),
        ("two swapped", |lines| lines.swap(3, 4)),
        ("the last", |lines| lines[7] = lines[7].replace("record", "recort")),
    ] {
        let world = world();
        let run = killed_after(&world, 8).await;
        let mut text = lines(&world, &run);
        edit(&mut text);
        fs::write(journal(&world, &run), text.concat()).unwrap();
        let before = world.store.calls().len();
        let why = refusal(world.resume(&run, Ending::GoOn).await);
        assert!(why.contains("the checksum does not match") && why.contains("as evidence"), "{what}: {why}");
        assert_eq!(world.store.calls().len(), before, "{what}");
        assert_eq!(lines(&world, &run).len(), text.len(), "{what}: the journal is evidence and stays as it is");
    }
}

#[tokio::test]
async fn row_50_a_journal_that_tells_nothing_refuses_everything_until_it_is_put_aside() {
    let world = world();
    let ran = world.run(world.plan().await).await.unwrap();
    let mut text = lines(&world, &ran.report.run);
    text[0] = text[0].replace("media", "other");
    fs::write(journal(&world, &ran.report.run), text.concat()).unwrap();
    reappear(&world, 0..30);
    let plan = world.plan().await;
    let why = refusal(world.run(plan.clone()).await);
    assert!(why.contains("it cannot be known whether it was used") && why.contains(&ran.report.run), "{why}");
    assert_eq!(world.bucket.keys().len(), 60);
    fs::rename(world.runs().join(&ran.report.run), world.runs().with_file_name("aside")).unwrap();
    assert!(world.run(plan).await.unwrap().report.is_success());
}

#[tokio::test]
async fn row_50_a_journal_that_is_changed_or_removed_during_the_run_stops_it() {
    for remove in [false, true] {
        let world = world();
        let plan = world.plan().await;
        let folder = world.runs();
        let tamper = move || {
            let run = runs::list(&folder).unwrap().remove(0);
            let file = folder.join(run).join(runs::JOURNAL);
            match remove {
                true => fs::remove_file(file).unwrap(),
                false => fs::write(file, "").unwrap(),
            }
        };
        world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(tamper)));
        let ran = world.run(plan).await.unwrap();
        assert!(ran.report.stopped.as_ref().unwrap().why.contains("somebody else changed"), "{:?}", ran.report);
        assert_eq!(world.store.count(Operation::DeleteBatch), 1);
        assert_eq!(world.bucket.keys().len(), 50);
    }
}

#[tokio::test]
async fn an_unfinished_run_comes_before_a_new_plan() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 10..30);
    let plan = world.plan().await;
    let why = refusal(world.run(plan.clone()).await);
    assert!(why.contains(&format!("bucketree resume {run}")), "{why}");
    assert_eq!(world.bucket.keys().len(), 50);
    world.resume(&run, Ending::Close).await.unwrap();
    assert!(world.run(plan).await.unwrap().report.is_success());
}

#[tokio::test]
async fn a_run_that_came_to_its_end_has_nothing_to_resume() {
    let world = world();
    let ran = world.run(world.plan().await).await.unwrap();
    for ending in [Ending::GoOn, Ending::Close] {
        let why = refusal(world.resume(&ran.report.run, ending).await);
        assert!(why.contains("nothing of it is open"), "{why}");
    }
}

#[tokio::test]
async fn row_55_a_plan_that_expired_may_only_be_closed() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 15..30);
    world.bucket.set_now(world.bucket.now().plus_seconds(LIFETIME_SECONDS));
    let why = refusal(world.resume(&run, Ending::GoOn).await);
    assert!(why.contains("it expired at") && why.contains("--close"), "{why}");
    assert_eq!(lines(&world, &run).len(), SECOND_INTENT, "a refusal writes nothing");
    let ran = world.resume(&run, Ending::Close).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 15);
    assert_eq!(world.bucket.keys().len(), 45);
}

#[tokio::test]
async fn row_55_a_plan_that_expires_during_a_suspend_sends_no_further_request() {
    let mut world = world();
    let slept = Arc::new(AtomicBool::new(false));
    let (now, woken) = (world.bucket.now(), Arc::clone(&slept));
    world.clock = Some(Clock::from_fn(move || now.plus_seconds(if woken.load(Ordering::SeqCst) { 7200 } else { 0 })));
    let plan = world.plan().await;
    world.store.at(Operation::DeleteBatch, 0, Fault::After(Arc::new(move || slept.store(true, Ordering::SeqCst))));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(world.store.count(Operation::DeleteBatch), 1);
    assert_eq!((ran.report.outcomes.of(Outcome::Deleted), ran.report.outcomes.of(Outcome::Failed)), (10, 20));
    assert!(ran.report.stopped.unwrap().why.contains("expired"));
}

#[tokio::test]
async fn row_32_a_run_that_lost_its_credentials_goes_on_under_the_same_id() {
    let world = world();
    let plan = world.plan().await;
    let expired = StoreError::new(ErrorKind::Expired, "the token has expired");
    world.store.at(Operation::DeleteBatch, 1, Fault::Fail(expired.clone()));
    let first = world.run(plan).await.unwrap();
    assert_eq!(first.report.outcomes.of(Outcome::Deleted), 10);
    let again = world.resume(&first.report.run, Ending::GoOn).await.unwrap();
    assert_eq!(again.report.run, first.report.run);
    assert_eq!(again.report.outcomes.of(Outcome::Deleted), 20, "{:?}", again.report);
    assert_eq!(again.report.outcomes.of(Outcome::Failed), 10, "what the store refused keeps its outcome");
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_unknown_and_can_be_looked_at_later() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 15..30);
    world.store.always(Operation::Head, Fault::Fail(StoreError::new(ErrorKind::Denied, "no")));
    let ran = world.resume(&run, Ending::Close).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Unknown), 10);
    assert!(!ran.report.is_success());
    world.store.heal();
    let ran = world.resume(&run, Ending::GoOn).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::DeletedByEarlierAttempt), 5);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 25);
    assert!(ran.report.is_success(), "{:?}", ran.report);
}

#[tokio::test]
async fn row_27_a_resumed_run_asks_the_registry_again() {
    let world = world();
    let run = killed_after(&world, SECOND_INTENT).await;
    reappear(&world, 10..30);
    let tracked = Key::from(World::orphan(20).as_str());
    world.registry.rows.lock().unwrap().insert(tracked, Some("proj_10".into()));
    let ran = world.resume(&run, Ending::GoOn).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(20)), Outcome::SkippedNowLive);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 29);
    assert!(world.has(&World::orphan(20)));
}

#[tokio::test]
async fn row_74_rows_that_were_left_are_removed_later_and_nothing_is_deleted_again() {
    let world = world();
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(0).as_str()), Some("proj_1".into()));
    *world.registry.broken_rows.lock().unwrap() = true;
    let first = world.run(world.plan().await).await.unwrap();
    assert!(first.report.rows.problem.is_some());
    *world.registry.broken_rows.lock().unwrap() = false;
    let sent = world.store.count(Operation::DeleteBatch);
    let again = world.resume(&first.report.run, Ending::GoOn).await.unwrap();
    assert_eq!((again.report.rows.removed, again.report.rows.problem), (1, None));
    assert_eq!(world.store.count(Operation::DeleteBatch), sent);
}

#[tokio::test]
async fn row_74_rows_are_not_forgotten_by_a_process_that_cannot_open_the_registry() {
    let mut world = world();
    let row = Key::from(World::orphan(7).as_str());
    let put_row = |world: &World| world.registry.rows.lock().unwrap().insert(row.clone(), Some("proj_1".into()));
    put_row(&world);
    let run = killed_after(&world, 7).await;
    put_row(&world);
    world.without_registry = true;
    let problem = world.resume(&run, Ending::GoOn).await.unwrap().report.rows.problem.unwrap();
    assert!(problem.contains("the registry that the plan was made with could not be opened"), "{problem}");
    world.without_registry = false;
    let again = world.resume(&run, Ending::GoOn).await.unwrap();
    assert_eq!((again.report.rows.removed, again.report.rows.problem), (1, None));
    assert!(!world.registry.rows.lock().unwrap().contains_key(&row));
}

#[tokio::test]
async fn row_75_what_could_not_be_proved_at_the_end_is_proved_later_and_its_rows_go_then() {
    let world = world();
    world.registry.rows.lock().unwrap().insert(Key::from(World::orphan(0).as_str()), Some("proj_1".into()));
    let store = Arc::clone(&world.store);
    let break_down = move || {
        let down = StoreError::new(ErrorKind::Denied, "no");
        store.always(Operation::List, Fault::Fail(down.clone()));
        store.always(Operation::Head, Fault::Fail(down));
    };
    world.store.at(Operation::DeleteBatch, 2, Fault::After(Arc::new(break_down)));
    let first = world.run(world.plan().await).await.unwrap();
    assert!(matches!(first.report.verification, Verification::Inconclusive(_)), "{:?}", first.report);
    assert_eq!((first.report.outcomes.of(Outcome::Deleted), first.report.rows.removed), (30, 0));
    world.store.heal();
    let again = world.resume(&first.report.run, Ending::GoOn).await.unwrap();
    assert!(again.report.is_success(), "{:?}", again.report);
    assert_eq!((again.report.rows.removed, world.store.count(Operation::DeleteBatch)), (1, 3));
}

#[tokio::test]
async fn row_51_a_second_instance_is_refused_and_told_who_has_the_bucket() {
    let world = world();
    let plan = world.plan().await;
    let here = world.store.identity().clone();
    let owner = Owner::this("another-run", "2026-01-01T00:00:00Z".into());
    let held = lock::take(&world.runs(), &here.endpoint, &here.bucket, &owner).unwrap();
    let why = refusal(world.run(plan.clone()).await);
    assert!(why.contains("another-run") && why.contains(&std::process::id().to_string()), "{why}");
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
    drop(held);
    assert!(world.run(plan).await.unwrap().report.is_success());
}
