//! An embedded bucket that is filled by the plain SDK, as an app would: small objects of many shapes, all of them described,
//! so that the whole bucket can be compared byte by byte. Project 1 is dead, project 10 is alive.

#![allow(dead_code, reason = "every test program compiles all of this and uses its part")]

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation};
use bucketree::domain::Key;
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{ListRequest, ObjectStore};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::World;

/// What was just written may be planned.
pub const YOUNG: &[(&str, &str)] = &[("BUCKETREE_ALLOW_YOUNG", "true"), ("BUCKETREE_MIN_AGE", "0s")];

/// Keys that are hard to write.
const ODD: [&str; 6] = [
    "audio/proj_1/S/a b+c%2F\u{e9}.mp3",
    "audio/proj_1/S/line\nbreak.mp3",
    "audio/proj_1/S/ lead and trail ",
    "projects/proj_1/scenes/S/media/\u{1f3ac}&<>\"'.mp4",
    "proj_1_S_media.mp4",
    "proj_proj_1_S_media.mp4",
];

/// The bucket and what it is written with.
pub struct Filled {
    pub world: World,
    runtime: Runtime,
    client: Client,
    store: S3Store,
}

/// Bytes that only this text has.
fn bytes_of(text: &str) -> Vec<u8> {
    let sum = text.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    (0..sum % 5000).map(|at| (sum.wrapping_mul(at | 1) >> 13) as u8).collect()
}

/// So many keys of project 1, enough of project 10 for the caps, and one of nobody.
fn keys(objects: usize) -> Vec<String> {
    let of = |project: &str, n: usize| format!("projects/{project}/scenes/s{}/media/{n:04}.mp4", n % 7);
    let mut keys: Vec<String> = (0..objects).map(|n| of("proj_1", n)).collect();
    keys.extend((0..objects + 30).map(|n| of("proj_10", n)));
    keys.extend(ODD.map(String::from));
    keys.push(format!("audio/proj_1/S/{}", "k".repeat(1000)));
    keys.push("unrecognized".into());
    keys
}

impl Filled {
    /// A bucket with so many objects of project 1 and some that are harder.
    pub fn with(objects: usize) -> Self {
        let mut world = World::with_objects(0);
        world.demo["registry"] = world.write("projects.txt", "proj_10\n").into();
        let runtime = Runtime::new().unwrap();
        let text = |field: &str| world.demo(field).to_owned();
        let credentials = Credentials::new(text("access_key_id"), text("secret_access_key"), None, None, "seed");
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(Region::new(text("region")))
            .endpoint_url(text("endpoint"))
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let options = S3Options {
            endpoint: Some(text("endpoint")),
            region: Some(text("region")),
            bucket: text("bucket"),
            access_key_id: Some(text("access_key_id")),
            secret_access_key: Some(text("secret_access_key")),
            ..S3Options::default()
        };
        let store = runtime.block_on(S3Store::connect(options)).unwrap();
        let filled = Self { client: Client::from_conf(config.build()), world, runtime, store };
        filled.write(&keys(objects), "first");
        filled
    }

    /// Writes these keys, with bytes and a description that `what` is a part of.
    pub fn write(&self, keys: &[String], what: &str) {
        let put = async |key: &String| {
            let put = self.client.put_object().bucket(self.world.demo("bucket")).key(key);
            let put = put.body(bytes_of(&format!("{what} {key}")).into()).content_type("video/mp4");
            put.metadata("scene", "7").metadata("take", what).cache_control("max-age=60").send().await.map(drop)
        };
        let puts = futures::stream::iter(keys).map(put).buffer_unordered(16);
        self.runtime.block_on(puts.try_collect::<Vec<()>>()).unwrap();
        self.wait_for_age();
    }

    /// The server tells whole seconds, so what was written within this one seems to come from the future.
    pub fn wait_for_age(&self) {
        let is_young = |object: &Value| object["flags"].as_array().unwrap().contains(&json!("young"));
        while self.world.check_with(YOUNG, &["audit", "--json"], 0, &[]).json().iter().any(is_young) {}
    }

    /// Everything that is stored, by key: every byte, ETags, content types, metadata, headers, storage classes; all but the
    /// time of the last change.
    pub fn contents(&self) -> BTreeMap<Key, String> {
        let described = async |key: Key| {
            let head = self.store.head(&key).await?.unwrap();
            let body = self.store.get(&key, None).await?;
            assert_eq!(body.len() as u64, head.object.size, "{key:?}");
            let mut metadata = head.metadata;
            metadata.sort();
            let object = (head.object.etag, head.object.storage_class, head.content_type, metadata, head.headers);
            Ok::<_, bucketree::store::StoreError>((key, format!("{object:?} {body:?}")))
        };
        let all = async {
            let page = self.store.list(&ListRequest::default()).await?;
            assert_eq!(page.next, None, "one page holds all");
            let keys = page.objects.into_iter().map(|object| object.key);
            futures::stream::iter(keys).map(described).buffer_unordered(16).try_collect().await
        };
        self.runtime.block_on(all).unwrap()
    }
}
