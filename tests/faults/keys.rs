//! Keys that are hard, many, large or look like others.

use bucketree::domain::inventory::Inventory;
use bucketree::domain::plan::Caps;
use bucketree::domain::{ETag, Flag, Key, Object, Outcome, StorageClass, Timestamp, Verdict};
use bucketree::journal::plan_file;
use bucketree::store::faults::Operation;
use bucketree::store::memory::MemoryStore;

use crate::world::World;

#[tokio::test]
async fn rows_56_57_keys_of_any_bytes_are_deleted_and_only_they() {
    let world = World::with_orphans(0);
    let hostile = [
        "projects/proj_1/scenes/s/media/ lead",
        "projects/proj_1/scenes/s/media/trail ",
        "projects/proj_1/scenes/s/media/a+b",
        "projects/proj_1/scenes/s/media/a%2Fb",
        "projects/proj_1/scenes/s/media/&<>\"'",
        "projects/proj_1/scenes/s/media/\\",
        "projects/proj_1/scenes/s/media/\u{1f3ac}",
        "projects/proj_1/scenes/s/media/a\nb",
        "projects/proj_1/scenes/s/media/\x1b[31m",
        "projects/proj_1/scenes/s/media/\r",
        "projects/proj_1/scenes/s/media/\u{202e}x",
        "projects/proj_1/scenes/s/media/.",
    ];
    hostile.iter().for_each(|key| world.put(key, 1));
    world.put("lead", 1);
    world.put("projects/proj_10/scenes/s/media/lead", 1);
    let plan = world.plan().await;
    let ran = world.run(plan).await.unwrap();
    assert!(ran.report.is_success(), "{:?}", ran.ends);
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), hostile.len() as u64);
    assert_eq!(world.bucket.keys().len(), 32);
    assert_eq!(
        world.store.count(Operation::Delete),
        4,
        "newline, escape, carriage return and a space at the end go one by one"
    );
}

#[tokio::test]
async fn row_61_proj_1_is_not_proj_10() {
    let world = World::with_orphans(3);
    for key in ["proj_1_s_media.mp4", "proj_10_s_media.mp4", "proj_proj_1_s_media.mp4", "proj_proj_10_s_media.mp4"] {
        world.put(key, 1);
    }
    assert!(world.run(world.plan().await).await.unwrap().report.is_success());
    for (key, stays) in [
        ("proj_1_s_media.mp4", false),
        ("proj_10_s_media.mp4", true),
        ("proj_proj_1_s_media.mp4", false),
        ("proj_proj_10_s_media.mp4", true),
    ] {
        assert_eq!(world.has(key), stays, "{key}");
    }
}

#[tokio::test]
async fn row_62_any_number_of_keys() {
    for orphans in [1, 999, 1000, 1001, 3000] {
        let world = World::with_orphans(orphans);
        let ran = world.run(world.plan().await).await.unwrap();
        assert!(ran.report.is_success());
        assert_eq!(ran.report.outcomes.of(Outcome::Deleted), orphans as u64);
        assert_eq!(world.store.count(Operation::DeleteBatch), orphans.div_ceil(1000));
    }
}

#[tokio::test]
async fn row_62_nothing_to_do_sends_nothing() {
    let world = World::with_orphans(0);
    let plan = world.plan().await;
    assert!(world.run(plan).await.is_err());
    assert_eq!(world.store.count(Operation::DeleteBatch), 0);
}

#[tokio::test]
async fn row_58_a_space_in_front_makes_another_key() {
    for (planned, kept) in [
        (" projects/proj_1/scenes/s/media/a.mp4", "projects/proj_1/scenes/s/media/a.mp4"),
        ("projects/proj_1/scenes/s/media/a.mp4", " projects/proj_1/scenes/s/media/a.mp4"),
        ("projects/proj_1/scenes/s/media/ lead", "projects/proj_1/scenes/s/media/lead"),
        ("projects/proj_1/scenes/s/media/lead", "projects/proj_1/scenes/s/media/ lead"),
    ] {
        let world = World::with_orphans(0);
        [planned, kept].iter().for_each(|key| world.put(key, 3));
        let (inventory, ..) = world.audit().await;
        let plan = world.plan_of(|_, index| inventory.key(index) == Key::from(planned)).await;
        let ran = world.run(plan).await.unwrap();
        assert_eq!((ran.ends.len(), ran.outcome(planned)), (1, Outcome::Deleted), "{planned:?}");
        assert_eq!((world.has(planned), world.has(kept)), (false, true), "{planned:?}");
    }
}

#[tokio::test]
async fn row_59_two_spellings_are_two_objects_on_s3_and_one_on_r2() {
    let (composed, combining) =
        ("projects/proj_1/scenes/s/media/\u{e9}.mp4", "projects/proj_1/scenes/s/media/e\u{301}.mp4");
    for (planned, kept) in [(composed, combining), (combining, composed)] {
        let world = World::with_orphans(0);
        [composed, combining].iter().for_each(|key| world.put(key, 3));
        let (inventory, ..) = world.audit().await;
        let plan = world.plan_of(|_, index| inventory.key(index) == Key::from(planned)).await;
        assert!(world.run(plan).await.unwrap().report.is_success());
        assert_eq!((world.has(planned), world.has(kept)), (false, true), "two objects");
    }

    let world = World::over(MemoryStore::new("media").folding_nfc(), 1);
    world.put(combining, 3);
    world.registry.rows.lock().unwrap().insert(Key::from(composed), Some("proj_10".into()));
    let (inventory, _, audit) = world.audit().await;
    let at = (0..inventory.len()).find(|&index| inventory.key(index) == Key::from(combining)).unwrap();
    assert_eq!(audit.assessment.verdict(at), Verdict::Conflict, "the row has the one object, spelled otherwise");
    assert!(world.run(world.plan().await).await.unwrap().report.is_success());
    assert!(world.has(combining) && world.has(composed), "one object, which is kept");
}

#[tokio::test]
async fn row_60_a_key_that_is_no_text_is_nobodys_and_kept() {
    let world = World::with_orphans(1);
    let strange = Key::new(b"projects/proj_1/scenes/s/media/\xff\xed\xa0\x80.mp4");
    let old = world.bucket.object(&Key::from(World::orphan(0).as_str())).unwrap();
    world.bucket.put_described(Object { key: strange.clone(), ..old });
    let (inventory, _, audit) = world.audit().await;
    let at = (0..inventory.len()).find(|&index| inventory.key(index) == strange).unwrap();
    assert_eq!(audit.assessment.verdict(at), Verdict::Unrecognized);
    let ran = world.run(world.plan().await).await.unwrap();
    assert_eq!(ran.report.outcomes.of(Outcome::Deleted), 1);
    assert!(world.bucket.object(&strange).is_some());
    assert!(strange.escaped().to_string().is_ascii(), "{}", strange.escaped());
}

#[tokio::test]
async fn row_39_a_time_that_is_none_or_in_the_future_is_young() {
    let world = World::with_orphans(1);
    let old = world.bucket.object(&Key::from(World::orphan(0).as_str())).unwrap();
    let times = [None, Some(Timestamp(0)), Some(world.bucket.now().plus_seconds(86_400))];
    for (n, last_modified) in times.into_iter().enumerate() {
        let key = Key::from(format!("projects/proj_1/scenes/s/media/odd{n}.mp4").as_str());
        world.bucket.put_described(Object { key, last_modified, ..old.clone() });
    }
    let (inventory, _, audit) = world.audit().await;
    let young = (0..inventory.len()).filter(|&index| audit.assessment.flags(index).has(Flag::Young)).count();
    assert_eq!((young, world.plan().await.rows.len()), (3, 1));
}

const FIVE_TERABYTES: u64 = 5 << 40;

#[tokio::test]
async fn row_63_sizes_are_exact_from_nothing_to_five_terabytes() {
    let plan_under = async |bytes: u64| {
        let mut world = World::with_orphans(0);
        world.caps = Caps { bytes, bucket_share: 1.0, ..Caps::default() };
        world.put("projects/proj_1/scenes/s/media/empty.mp4", 0);
        world.put("projects/proj_1/scenes/s/media/", 0);
        world.put("projects/proj_1/scenes/s/media/large.mp4", FIVE_TERABYTES);
        let key = Key::from("projects/proj_1/scenes/s/media/cold.mp4");
        let cold = Object {
            key,
            size: 1,
            etag: ETag::new("cold"),
            last_modified: Some(world.bucket.now().plus_seconds(-365 * 86_400)),
            storage_class: StorageClass::new("STANDARD_IA"),
        };
        world.bucket.put_described(cold);
        let plan = world.plan_of(|audit, index| audit.assessment.verdict(index) == Verdict::Orphaned).await;
        (world, plan)
    };
    let (world, plan) = plan_under(FIVE_TERABYTES + 1).await;
    let read = plan_file::parse(&plan_file::write(&plan)).unwrap();
    assert_eq!(read.total().bytes, FIVE_TERABYTES + 1);
    assert!(read.rows.iter().any(|row| row.object.storage_class.as_str() == "STANDARD_IA"));
    let objects = plan.rows.len() as u64;
    let ran = world.run(plan).await.unwrap();
    assert_eq!((ran.report.outcomes.of(Outcome::Deleted), ran.report.bytes_gone), (objects, FIVE_TERABYTES + 1));
    let (world, plan) = plan_under(FIVE_TERABYTES).await;
    assert!(world.run(plan).await.is_err(), "a byte more than the cap");
    assert!(world.has("projects/proj_1/scenes/s/media/empty.mp4"));
}

#[test]
fn row_64_memory_per_object_is_bounded() {
    let mut inventory = Inventory::new();
    for n in 0..200_000u32 {
        let key =
            format!("users/u{:05}/projects/proj_{:016x}/scenes/{:04}/media/{n:08}.mp4", n / 4000, n / 80, n / 4 % 20);
        let object = Object {
            key: Key::from(key.as_str()),
            size: u64::from(n) << 8,
            etag: ETag::new(&format!("{n:032x}")),
            last_modified: Some(Timestamp(1_700_000_000_000 + i64::from(n))),
            storage_class: StorageClass::default(),
        };
        inventory.push(object).unwrap();
    }
    let per_object = inventory.memory_bytes() as f64 / f64::from(inventory.len());
    assert!(per_object <= 100.0, "{per_object:.1} bytes an object, keys included");
}
