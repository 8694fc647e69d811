//! The lock in the bucket, as somebody on another machine meets it.

use bucketree::domain::Key;
use bucketree::domain::lock::LOCK;
use bucketree::journal::lock::Owner;
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{ObjectStore, PutAnswer, PutRequest};
use serde_json::Value;

use crate::program::World;

/// Writes the lock of another machine's run.
fn lock_from_elsewhere(world: &World) {
    let field = |name: &str| Some(world.demo(name).to_owned());
    let options = S3Options {
        endpoint: field("endpoint"),
        bucket: world.demo("bucket").into(),
        region: field("region"),
        access_key_id: field("access_key_id"),
        secret_access_key: field("secret_access_key"),
        ..S3Options::default()
    };
    let owner = Owner { host: "elsewhere".into(), ..Owner::this("0193-other", "2026-11-21T10:00:00Z".into()) };
    let put = PutRequest { key: Key::from(LOCK), body: owner.to_json().into(), content_type: String::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async { S3Store::connect(options).await.unwrap().put(&put).await });
    assert!(matches!(answer, Ok(PutAnswer::Written(_))), "{answer:?}");
}

fn check_named<'a>(lines: &'a [Value], check: &str) -> &'a Value {
    lines.iter().find(|line| line["check"] == check).unwrap()
}

#[test]
fn a_bucket_that_another_machine_works_on_is_left_alone() {
    let world = World::start();
    let doctor = world.check(&["doctor", "--probe", "--json"], 0, &[]).json();
    assert_eq!(check_named(&doctor, "machines")["status"], "ok");
    assert_eq!(check_named(&doctor, "lock")["seen"], "no run is under way");
    let before = world.check(&["ls"], 0, &[]).stdout;
    let plan = world.check(&["plan", "delete", "--json", "-o", "plan.jsonl"], 0, &[]).one();
    let guard = plan["guards"].as_array().unwrap().iter().find(|guard| guard["name"] == "lock in the bucket").unwrap();
    assert!(guard["message"].as_str().unwrap().starts_with("a lock in the bucket keeps runs on other machines out"));
    let confirm = plan["confirm"].as_str().unwrap();

    lock_from_elsewhere(&world);
    let apply = ["apply", "plan.jsonl", "--confirm", confirm];
    let says = ["the bucket is locked by run 0193-other", "on elsewhere", "it counts as alive", "nothing was deleted"];
    world.check(&apply, 4, &says);
    world.check(&[&apply[..], &["--take-over-lock", "0193-other"]].concat(), 4, &says);
    assert_eq!(world.check(&["ls"], 0, &[]).stdout, before, "the lock is nobody's object");
    assert_eq!(world.check(&["ls", ".bucketree/"], 0, &[]).text(), format!("{LOCK}\n"));
    let doctor = world.check(&["doctor", "--json"], 0, &[]).json();
    let lock = check_named(&doctor, "lock");
    assert!(lock["status"] == "note" && lock["seen"].as_str().unwrap().contains("run 0193-other"), "{lock}");
}
