//! To the trash, back, and out of it for good; over real HTTP, with everything that an object is compared.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation};
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{ListRequest, ObjectStore};
use serde_json::{Value, json};

use crate::program::World;

/// Puts objects with a description into project 1, as an app would.
async fn describe(world: &World, body: &str) {
    let credentials =
        Credentials::new(world.demo("access_key_id"), world.demo("secret_access_key"), None, None, "seed");
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(Region::new(world.demo("region").to_owned()))
        .endpoint_url(world.demo("endpoint"))
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    let client = Client::from_conf(config.build());
    let long = format!("audio/proj_1/S/{}", "k".repeat(1000));
    for key in ["audio/proj_1/S/a b+c%2F\u{e9}.mp3", "audio/proj_1/S/line\nbreak.mp3", &long] {
        let put = client
            .put_object()
            .bucket(world.demo("bucket"))
            .key(key)
            .body(format!("{body} of {key}").into_bytes().into());
        put.content_type("audio/mpeg").metadata("scene", "7").metadata("take", "two 2").send().await.unwrap();
    }
    // The server tells whole seconds, so what was written within this one seems to come from the future.
    let is_young = |object: &Value| object["flags"].as_array().unwrap().contains(&json!("young"));
    let audit = || world.check_with(YOUNG, &["audit", "audio/proj_1/S/", "--json"], 0, &[]).json();
    while audit().iter().any(is_young) {}
}

/// Everything that is stored: keys, bytes, ETags, content types, metadata; all but the time of the last change.
async fn contents(world: &World) -> Vec<String> {
    let text = |field: &str| Some(world.demo(field).to_owned());
    let options = S3Options {
        endpoint: text("endpoint"),
        region: text("region"),
        bucket: world.demo("bucket").into(),
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        ..S3Options::default()
    };
    let store = S3Store::connect(options).await.unwrap();
    let page = store.list(&ListRequest::default()).await.unwrap();
    assert_eq!(page.next, None, "one page holds all");
    let mut contents = Vec::new();
    for object in page.objects {
        let head = store.head(&object.key).await.unwrap().unwrap();
        // The bodies of the sample data are long; those that are moved are read whole.
        let is_moved = object.key.as_str().is_some_and(|key| key.contains("proj_1/") || key.contains("proj_1_"));
        let range = if is_moved { None } else { Some((0, 1000)) };
        let body = store.get(&object.key, range).await.unwrap();
        let mut metadata = head.metadata;
        metadata.sort();
        let described = (head.content_type, metadata, head.headers, object.storage_class);
        contents.push(format!("{:?} {} {:?} {described:?} {body:?}", object.key, object.size, object.etag));
    }
    contents
}

const YOUNG: &[(&str, &str)] = &[("BUCKETREE_ALLOW_YOUNG", "true"), ("BUCKETREE_MIN_AGE", "0s")];

/// Moves project 1 to the trash; the run.
fn trashed(world: &World, via: &str) -> Value {
    let name = format!("plan-{via}.jsonl");
    let plan = world.check_with(YOUNG, &["plan", "trash", "--project", "1", "-o", &name, "--json"], 0, &[]).one();
    assert_eq!(plan["kind"], "trash");
    let confirm = plan["confirm"].as_str().unwrap();
    let arguments = ["apply", &name, "--confirm", confirm, "--via", via, "--json"];
    let applied = world.check_with(YOUNG, &arguments, 0, &[]).one();
    assert!(plan["objects"].as_u64().unwrap() >= 3);
    assert_eq!((&applied["outcomes"]["trashed"], &applied["success"]), (&plan["objects"], &json!(true)));
    applied
}

#[test]
fn a_restored_run_leaves_the_bucket_byte_identical_metadata_included() {
    let world = World::with_objects(100);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(describe(&world, "first"));
    let before = runtime.block_on(contents(&world));
    for via in ["batch", "sequential"] {
        let run = trashed(&world, via);
        let id = run["run"].as_str().unwrap();
        let audit = world.check(&["audit", ".bucketree/", "--json"], 0, &[]).json();
        assert_eq!(json!(audit.len()), run["planned"]);
        for object in audit {
            assert_eq!((&object["verdict"], &object["flags"][0]), (&json!("unrecognized"), &json!("young")));
            assert!(object["flags"].as_array().unwrap().contains(&json!("protected")), "{object}");
        }
        world.check(&["verify", id], 0, &[]);
        let restored = world.check(&["restore", &id[..30], "--json"], 0, &[]).one();
        assert_eq!((&restored["outcomes"]["restored"], &restored["success"]), (&run["planned"], &json!(true)));
        assert!(runtime.block_on(contents(&world)) == before, "{via}: the bucket is not as it was");
        world.check(&["restore", id], 2, &["nothing of a run", "trash list"]);
    }
}

#[test]
fn the_trash_is_listed_restored_in_part_and_emptied_by_confirmation() {
    let world = World::with_objects(100);
    world.check(&["trash", "list"], 0, &["the trash is empty"]);
    let run = trashed(&world, "batch");
    let (id, planned) = (run["run"].as_str().unwrap(), run["planned"].as_u64().unwrap());
    let listed = world.check(&["trash", "list", "--json"], 0, &[]).one();
    assert_eq!(
        (&listed["run"], &listed["objects"], &listed["bytes"]),
        (&json!(id), &json!(planned), &run["bytes_gone"])
    );

    let shown = world.check(&["runs", "show", id, "--json"], 0, &[]).json();
    let key = shown[1]["key"].as_str().unwrap();
    let restored = world.check(&["restore", id, "--key", key, "--json"], 0, &[]).one();
    assert_eq!((&restored["planned"], &restored["outcomes"]["restored"]), (&json!(1), &json!(1)));
    assert_eq!(world.check(&["ls", key], 0, &[]).text().lines().next(), Some(key));
    world.check(&["restore", id, "--key", key], 2, &["none of what is named is in the trash"]);

    let left = planned - 1;
    let confirm = format!("{} {left}", world.demo("bucket"));
    world.check(&["trash", "empty", "--older-than", "1d"], 0, &["there is nothing to delete"]);
    let offered = world.check(&["trash", "empty"], 0, &["would be deleted for good", "nothing was deleted"]);
    assert!(offered.text().contains(&format!("--confirm '{confirm}'")), "{offered:?}");
    world.check(&["trash", "empty", "--confirm", "autoshorts-media 1"], 4, &["nothing was deleted"]);
    assert_eq!(world.check(&["trash", "list", "--json"], 0, &[]).one()["objects"], left);
    let emptied = world.check(&["trash", "empty", "--confirm", &confirm, "--json"], 0, &[]).one();
    assert_eq!((&emptied["outcomes"]["deleted"], &emptied["success"]), (&json!(left), &json!(true)));
    world.check(&["trash", "list"], 0, &["the trash is empty"]);
    world.check(&["restore", id], 2, &["nothing of a run"]);
}

#[test]
fn an_object_that_was_written_again_is_not_restored_over() {
    let world = World::with_objects(100);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(describe(&world, "first"));
    let run = trashed(&world, "batch");
    runtime.block_on(describe(&world, "second"));
    let id = run["run"].as_str().unwrap();
    let restored =
        world.check(&["restore", id, "--prefix", "audio/proj_1/S/a b", "--json"], 0, &["there is an object at"]).one();
    assert_eq!((&restored["planned"], &restored["outcomes"]["skipped-changed"]), (&json!(1), &json!(1)));
}
