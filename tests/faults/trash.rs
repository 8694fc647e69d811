//! Moves to the trash and back in a world that misbehaves: there is always one good copy, and nothing is written over.

use std::fs;
use std::sync::Arc;

use bucketree::domain::plan::PlanKind;
use bucketree::domain::{ETag, Key, Object, Outcome, Plan, trash};
use bucketree::jobs::execute::Ending;
use bucketree::jobs::executor::Via;
use bucketree::jobs::trash::{Only, Trash};
use bucketree::journal::runs;
use bucketree::store::conformance::Description;
use bucketree::store::faults::{Fault, Operation};
use bucketree::store::{ErrorKind, ObjectStore, StoreError};

use crate::world::{Ran, World};

fn world(orphans: usize) -> World {
    let mut world = World::with_orphans(orphans);
    world.kind = PlanKind::Trash;
    world
}

fn error(kind: ErrorKind) -> StoreError {
    StoreError::new(kind, "the store said no")
}

fn place(run: &str, key: &str) -> Key {
    trash::place(run, &Key::from(key))
}

/// Deletions of any kind that reached the store.
fn deletions(world: &World) -> usize {
    world.store.count(Operation::DeleteBatch) + world.store.count(Operation::Delete)
}

/// Everything of the bucket that a user could notice but the time of the last change.
async fn contents(world: &World) -> Vec<String> {
    let mut contents = Vec::new();
    for key in world.bucket.keys() {
        let head = world.bucket.head(&key).await.unwrap().unwrap();
        let body = world.bucket.get(&key, None).await.unwrap();
        let described = (head.content_type, head.metadata, head.headers);
        let object = (head.object.size, head.object.etag, head.object.storage_class);
        contents.push(format!("{key:?} {object:?} {described:?} {body:?}"));
    }
    contents
}

/// A plan that takes what `take` says out of the trash.
async fn plan_of_trash(world: &World, take: impl Fn(&Trash<'_>) -> Plan) -> Plan {
    let (inventory, scan) = world.scan().await;
    let execution = world.execution(world.plan().await);
    take(&Trash {
        identity: world.store.identity(),
        inventory: &inventory,
        scan: &scan,
        layouts: execution.layouts.hash(),
        runs: world.runs(),
        clock: &execution.clock,
        deletes: world.deletes,
    })
}

async fn restore(world: &World, run: &str, only: &Only) -> Ran {
    let plan = plan_of_trash(world, |trash| trash.restore(run, only).unwrap()).await;
    world.run(plan).await.unwrap()
}

#[tokio::test]
async fn a_trashed_run_leaves_a_verified_copy_of_everything_and_restoring_it_leaves_the_bucket_as_it_was() {
    let world = world(1);
    let odd = ["projects/proj_1/scenes/s/media/a b+c%2F\u{e9}.mp4", "projects/proj_1/scenes/s/media/x\ny.mp4"];
    let long = format!("projects/proj_1/scenes/s/media/{}", "k".repeat(950));
    for key in odd.into_iter().chain([long.as_str()]) {
        let described = Description {
            content_type: "video/mp4".into(),
            metadata: vec![("scene".into(), "7".into())],
            headers: vec![("cache-control".into(), "max-age=60".into())],
        };
        world.put(key, 9);
        world.bucket.describe(&Key::from(key), described);
    }
    let tracked = Key::from(World::orphan(0).as_str());
    world.registry.rows.lock().unwrap().insert(tracked.clone(), Some("proj_1".into()));
    let (before, rows) = (contents(&world).await, world.registry.rows.lock().unwrap().clone());
    let plan = world.plan().await;
    assert_eq!(plan.rows.len(), 4);
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(ran.report.outcomes.of(Outcome::Trashed), 4);
    let run = ran.report.run;
    for key in odd.into_iter().chain([long.as_str(), tracked.as_str().unwrap()]) {
        assert!(!world.has(key) && world.bucket.object(&place(&run, key)).is_some(), "{key:?}");
    }
    assert!(!world.registry.rows.lock().unwrap().contains_key(&tracked), "rows are kept aside");

    let back = restore(&world, &run, &Only::default()).await;
    assert!(back.report.is_success(), "{:?}", back.report);
    assert_eq!(back.report.outcomes.of(Outcome::Restored), 4);
    assert_eq!(contents(&world).await, before, "every object as it was, and an empty trash");
    assert_eq!(*world.registry.rows.lock().unwrap(), rows, "every row as it was");
}

#[tokio::test]
async fn what_is_in_the_trash_is_no_orphan_and_cannot_be_planned() {
    let world = world(3);
    world.run(world.plan().await).await.unwrap();
    let (inventory, _, audit) = world.audit().await;
    let trash: Vec<u32> = inventory.range(trash::TRASH.as_bytes()).collect();
    assert_eq!(trash.len(), 3);
    for index in trash {
        assert_eq!(audit.assessment.verdict(index).name(), "unrecognized");
        assert!(audit.assessment.flags(index).iter().any(|flag| flag.name() == "protected"));
    }
    assert_eq!(world.plan().await.rows.len(), 0);
}

#[tokio::test]
async fn a_part_of_a_run_is_restored_by_key_or_prefix() {
    let world = world(12);
    let run = world.run(world.plan().await).await.unwrap().report.run;
    let one = Only { keys: vec![Key::from(World::orphan(3).as_str())], prefixes: Vec::new() };
    assert_eq!(restore(&world, &run, &one).await.report.planned, 1);
    let some = Only { keys: Vec::new(), prefixes: vec![b"projects/proj_1/scenes/s/media/00001".to_vec()] };
    assert_eq!(restore(&world, &run, &some).await.report.planned, 2);
    for n in 0..12 {
        assert_eq!(world.has(&World::orphan(n)), [3, 10, 11].contains(&n), "{n}");
    }
}

#[tokio::test]
async fn emptying_the_trash_deletes_what_is_old_enough_and_nothing_else() {
    let world = world(3);
    let run = world.run(world.plan().await).await.unwrap().report.run;
    world.bucket.set_now(world.bucket.now().plus_seconds(10 * 86_400));
    world.put(".bucketree/trash/somebody's notes", 1);
    (0..2).for_each(|n| world.put(&World::orphan(n), 5));
    let second = world.run(world.plan().await).await.unwrap().report.run;
    let plan = plan_of_trash(&world, |trash| trash.empty(7 * 86_400, &[])).await;
    assert_eq!(plan.confirmation(), "media 3");
    let one = [place(&second, &World::orphan(0)), Key::from("elsewhere")];
    let named = plan_of_trash(&world, |trash| trash.empty(0, &one)).await;
    assert_eq!(named.rows.iter().map(|row| &row.object.key).collect::<Vec<_>>(), [&one[0]], "of what is named");
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 3);
    assert!(world.bucket.object(&place(&run, &World::orphan(0))).is_none());
    assert!(world.bucket.object(&place(&second, &World::orphan(0))).is_some(), "it is younger");
    assert!(world.has(".bucketree/trash/somebody's notes"), "this program did not put it there");
}

#[tokio::test]
async fn row_67_a_copy_that_failed_leaves_the_source() {
    let world = world(5);
    let plan = world.plan().await;
    world.store.always(Operation::Copy, Fault::Fail(error(ErrorKind::Unavailable)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Failed), 5);
    assert!(ran.ends[&World::orphan(0)].1.as_ref().unwrap().contains("could not be copied"));
    assert_eq!((deletions(&world), world.bucket.keys().len()), (0, 35));
    assert_eq!(world.store.count(Operation::Copy), 5 * 4, "four attempts each, a look between them");
}

#[tokio::test]
async fn row_67_a_copy_whose_answer_was_lost_is_looked_at_and_not_repeated() {
    let world = world(5);
    let plan = world.plan().await;
    world.store.always(Operation::Copy, Fault::ApplyThenFail(error(ErrorKind::Timeout)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Trashed), 5);
    assert_eq!(world.store.count(Operation::Copy), 5);
}

#[tokio::test]
async fn row_04_a_key_that_is_throttled_is_copied_later_and_the_others_now() {
    let world = world(5);
    let plan = world.plan().await;
    world.store.at(Operation::Copy, 0, Fault::Fail(error(ErrorKind::Throttled)));
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.report);
    assert_eq!(world.store.count(Operation::Copy), 6);
    let copies: Vec<Key> = world
        .store
        .calls()
        .into_iter()
        .filter(|call| call.operation == Operation::Copy)
        .map(|call| call.keys[0].clone())
        .collect();
    assert_eq!(
        (copies.first(), copies.last()),
        (Some(&Key::from(World::orphan(0).as_str())), copies.first()),
        "{copies:?}"
    );
}

/// Runs a plan of one orphan whose copy is changed by `change` before it is looked at.
async fn with_changed_copy(
    change: impl Fn(&World, &Key, &Object) + Send + Sync + 'static,
) -> (Arc<World>, Outcome, String) {
    let world = Arc::new(world(1));
    let plan = world.plan().await;
    let inside = Arc::downgrade(&world);
    let event = move || {
        let Some(world) = inside.upgrade() else { return };
        let copies: Vec<Key> =
            world.bucket.keys().into_iter().filter(|key| trash::is_in_trash(key.as_bytes())).collect();
        copies.iter().for_each(|copy| change(&world, copy, &world.bucket.object(copy).unwrap()));
    };
    world.store.always(Operation::Copy, Fault::After(Arc::new(event)));
    let ran = world.run(plan).await.unwrap();
    let (outcome, why) = ran.ends[&World::orphan(0)].clone();
    (world, outcome, why.unwrap_or_default())
}

#[tokio::test]
async fn row_68_a_copy_that_is_not_the_same_keeps_the_source() {
    let size = |world: &World, _: &Key, copy: &Object| {
        world.bucket.put_described(Object { size: copy.size + 1, ..copy.clone() });
    };
    let (world, outcome, why) = with_changed_copy(size).await;
    assert!(outcome == Outcome::Failed && why.contains("its size was 100"), "{outcome} {why}");
    assert!(world.has(&World::orphan(0)) && deletions(&world) == 0);
    let metadata = |world: &World, key: &Key, _: &Object| {
        let described = Description { content_type: "text/plain".into(), ..Description::default() };
        world.bucket.describe(key, described);
    };
    let (world, outcome, why) = with_changed_copy(metadata).await;
    assert!(outcome == Outcome::Failed && why.contains("content type"), "{outcome} {why}");
    assert!(world.has(&World::orphan(0)) && deletions(&world) == 0);
    let gone = |world: &World, key: &Key, _: &Object| assert!(world.bucket.remove(key));
    let (world, outcome, why) = with_changed_copy(gone).await;
    assert!(outcome == Outcome::Failed && why.contains("there is none"), "{outcome} {why}");
    assert!(world.has(&World::orphan(0)) && deletions(&world) == 0);
}

#[tokio::test]
async fn row_68_the_changed_etag_of_an_upload_in_parts_is_no_difference_and_is_told() {
    let world = world(1);
    let key = Key::from(World::orphan(0).as_str());
    let parts = ETag::new("d41d8cd98f00b204e9800998ecf8427e-3");
    world.bucket.put_described(Object { etag: parts, ..world.bucket.object(&key).unwrap() });
    let plan = world.plan().await;
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(0)), Outcome::Trashed);
    let journal = fs::read_to_string(world.runs().join(&ran.report.run).join(runs::JOURNAL)).unwrap();
    assert!(journal.contains("\"without_etag\":[0]"), "{journal}");
}

#[tokio::test]
async fn rows_69_and_73_an_object_that_came_to_the_place_is_never_written_over() {
    let world = world(3);
    let run = world.run(world.plan().await).await.unwrap().report.run;
    world.put(&World::orphan(0), 7);
    let bucket = Arc::clone(&world.bucket);
    let late = Key::from(World::orphan(1).as_str());
    let plan = plan_of_trash(&world, |trash| trash.restore(&run, &Only::default()).unwrap()).await;
    let write = move || {
        bucket.put(&late, "written while it was restored");
    };
    let copies = world.store.count(Operation::Copy);
    world.store.at(Operation::Copy, copies, Fault::Before(Arc::new(write)));
    let ran = world.run(plan).await.unwrap();
    let outcome = |n| ran.outcome(place(&run, &World::orphan(n)).as_str().unwrap());
    assert_eq!(
        [outcome(0), outcome(1), outcome(2)],
        [Outcome::SkippedChanged, Outcome::SkippedChanged, Outcome::Restored]
    );
    let why = ran.ends[place(&run, &World::orphan(0)).as_str().unwrap()].1.clone().unwrap();
    assert!(why.contains("there is an object at"), "{why}");
    assert_eq!(world.bucket.object(&Key::from(World::orphan(0).as_str())).unwrap().size, 7);
    for (n, kept) in [(0, true), (1, true), (2, false)] {
        assert_eq!(world.bucket.object(&place(&run, &World::orphan(n))).is_some(), kept, "the copy of {n}");
    }
}

#[tokio::test]
async fn row_70_a_run_that_was_killed_between_any_two_records_goes_on_with_one_good_copy_at_least() {
    // Started, copying, copied, intent, outcomes, verified, finished.
    for records in 1..=6 {
        for (name, source, copy) in [("before", true, false), ("between", true, true), ("after", false, true)] {
            let is_possible = match (records, name) {
                (1, _) => name == "before",
                (2, _) => name != "after",
                (3, _) => name == "between",
                (4, _) => name != "before",
                _ => name == "after",
            };
            if !is_possible {
                continue;
            }
            let world = world(1);
            let key = Key::from(World::orphan(0).as_str());
            let (original, plan) = (world.bucket.object(&key).unwrap(), world.plan().await);
            let run = world.run(plan).await.unwrap().report.run;
            let place = place(&run, &World::orphan(0));
            if source {
                world.bucket.put_described(original);
            }
            if !copy {
                world.bucket.remove(&place);
            }
            cut(&world, &run, records);
            let ran = world.resume(&run, Ending::GoOn).await.unwrap();
            assert!(ran.report.is_success(), "{records} {name}: {:?}", ran.report);
            assert_eq!(ran.outcome(&World::orphan(0)), Outcome::Trashed, "{records} {name}");
            assert!(world.bucket.object(&key).is_none() && world.bucket.object(&place).is_some(), "{records} {name}");
        }
    }
}

fn cut(world: &World, run: &str, records: usize) {
    let path = world.runs().join(run).join(runs::JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 7, "{text}");
    fs::write(path, lines[..records].concat()).unwrap();
}

#[tokio::test]
async fn row_71_a_source_that_changed_while_it_was_copied_is_kept() {
    let world = world(3);
    let plan = world.plan().await;
    let (bucket, key) = (Arc::clone(&world.bucket), Key::from(World::orphan(1).as_str()));
    let write = move || {
        bucket.put(&key, "written again");
    };
    world.store.at(Operation::Copy, 1, Fault::After(Arc::new(write)));
    let ran = world.run(plan).await.unwrap();
    assert_eq!(ran.outcome(&World::orphan(1)), Outcome::SkippedChanged);
    assert_eq!(ran.report.outcomes.of(Outcome::Trashed), 2);
    assert!(world.has(&World::orphan(1)));
}

#[tokio::test]
async fn row_72_no_two_keys_of_a_run_share_a_place_in_the_trash() {
    let world = world(0);
    let base = "projects/proj_1/scenes/s/media";
    let digest_like = format!("{base}/.long/{}", "0".repeat(64));
    let keys = [
        format!("{base}/{}", "k".repeat(960)),
        format!("{base}/{}l", "k".repeat(959)),
        format!("{base}/a"),
        format!("{base}//a"),
        format!("{base}/a/"),
        digest_like,
    ];
    keys.iter().for_each(|key| world.put(key, 3));
    let mut plan = world.plan_of(|_, _| true).await;
    plan.rows.retain(|row| keys.iter().any(|key| row.object.key.as_bytes() == key.as_bytes()));
    assert_eq!(plan.rows.len(), keys.len());
    let mut places: Vec<Key> = plan
        .rows
        .iter()
        .map(|row| row.destination(PlanKind::Trash, "019aa000-0000-7000-8000-000000000001").unwrap())
        .collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), keys.len());
    assert!(places.iter().all(|place| place.as_bytes().len() <= 1024));
}

#[tokio::test]
async fn row_73_a_copy_that_is_refused_deletes_nothing() {
    for (kind, outcome) in [(ErrorKind::Denied, Outcome::Denied), (ErrorKind::Locked, Outcome::Locked)] {
        let world = world(4);
        let plan = world.plan().await;
        world.store.always(Operation::Copy, Fault::Fail(error(kind)));
        let ran = world.run(plan).await.unwrap();
        assert_eq!(ran.report.outcomes.of(outcome), 4);
        assert_eq!((deletions(&world), world.bucket.keys().len()), (0, 34));
        assert_eq!(world.store.count(Operation::Copy), 4, "what is refused is not asked again");
    }
}

#[tokio::test]
async fn every_executor_moves_alike() {
    for via in Via::ALL {
        let mut world = world(20);
        (world.via, world.batch_keys) = (via, 7);
        let ran = world.run(world.plan().await).await.unwrap();
        assert!(ran.report.is_success(), "{via}: {:?}", ran.report);
        assert_eq!(ran.report.outcomes.of(Outcome::Trashed), 20);
        assert_eq!(world.store.count(Operation::DeleteBatch) > 0, via == Via::Batch);
    }
}
