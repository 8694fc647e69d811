//! A real server that speaks MongoDB's protocol: the suite of all registries, and what only real connections do.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use ::mongodb::Client;
use ::mongodb::bson::oid::ObjectId;
use ::mongodb::bson::{Bson, DateTime, Document, doc};
use async_trait::async_trait;
use bucketree::domain::Key;
use bucketree::domain::facts::RegistryRow;
use bucketree::registry::{NewRow, RegistryError, RegistrySpec, RowChange, SharedRegistry, open};
use futures::StreamExt;

use crate::audits::{Facts, audit};
use crate::conformance::{self, Filling, Fixture, project, rows, tracked};
use crate::cutting_proxy::{CuttingProxy, End};
use crate::program::World;

/// A check of the server at an address.
pub type Check = fn(String) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), (|server| Box::pin($name(server))) as Check)),*]
    };
}

pub const CHECKS: &[(&str, Check)] = checks![
    conforms,
    ids_of_every_type_and_their_owners,
    keys_in_arrays_are_found_whatever_the_server_can,
    an_added_row_is_as_the_app_writes_them,
    a_reading_that_is_cut_off_anywhere_is_no_reading,
    rows_that_lose_their_connection_are_all_found_again,
    a_server_that_is_killed_while_it_is_read_was_not_read,
    the_same_facts_give_the_same_audit,
];

/// A database of a check's own on a server.
struct Database {
    /// Where the server is: `mongodb://HOST:PORT`, with whatever it needs.
    server: String,
    name: String,
    client: Client,
}

impl Database {
    async fn new(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let client = Client::with_uri_str(server).await.expect("an address");
        Self { server: server.to_owned(), name, client }
    }

    /// As registry, or behind a proxy.
    fn address(&self, host: Option<SocketAddr>) -> String {
        let (start, rest) = self.server.split_once("://").expect("an address");
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let place = host.map_or(place.trim_end_matches('/').to_owned(), |host| host.to_string());
        format!("{start}://{place}/{}?{options}", self.name)
    }

    async fn open(&self, change: impl FnOnce(&mut RegistrySpec)) -> Result<SharedRegistry, RegistryError> {
        let mut spec = RegistrySpec::parse(&self.address(None), std::path::Path::new("/"))?;
        change(&mut spec);
        open(&spec).await
    }

    async fn insert(&self, collection: &str, documents: Vec<Document>) {
        let all = self.client.database(&self.name).collection::<Document>(collection);
        // So that it is there, even if it is empty.
        let first = all.insert_one(doc! { "_id": "first" }).await.expect("inserted").inserted_id;
        for some in documents.chunks(1_000) {
            all.insert_many(some).await.expect("inserted");
        }
        all.delete_one(doc! { "_id": first }).await.expect("deleted");
    }

    async fn documents(&self, collection: &str) -> Vec<Document> {
        let all = self.client.database(&self.name).collection::<Document>(collection);
        let found: Vec<_> = all.find(doc! {}).await.expect("found").collect().await;
        found.into_iter().map(|document| document.expect("a document")).collect()
    }

    async fn drop(&self) {
        for collection in ["projects", "r2_file_paths"] {
            let all = self.client.database(&self.name).collection::<Document>(collection);
            all.drop().await.expect("dropped");
        }
    }
}

/// Ids in the order of the rows, which is the order in which they are read.
fn id(n: usize) -> String {
    format!("{n:08}")
}

struct Documents(Database);

#[async_trait]
impl Fixture for Documents {
    async fn fill(&self, filling: &Filling) {
        self.0.drop().await;
        let projects = filling.projects.iter().enumerate();
        let projects = projects.map(|(n, project)| doc! { "_id": id(n), "slug": project }).collect();
        self.0.insert("projects", projects).await;
        // Servers that do not compare whole documents look for null, and for fields of fields, in all that they have.
        let rare = if filling.tracked.len() < 100 {
            doc! { "scene_id": null, "metadata": { "b": 1, "a": [1.5, { "x": "y" }] } }
        } else {
            Document::new()
        };
        let row = |(n, (key, owner)): (usize, &(Key, Option<String>))| {
            let key = key.as_str().expect("text");
            let mut row = doc! {
                "_id": id(n), "project_id": owner.clone(), "object_key": key, "file_type": "media", "user_id": 7,
                "size_bytes": 5_000_000_000_i64, "content_type": "video/mp4",
                "created_at": DateTime::from_millis(1_790_000_000_123), "updated_at": DateTime::from_millis(1_790_000_000_123),
            };
            row.extend(rare.clone());
            row
        };
        self.0.insert("r2_file_paths", filling.tracked.iter().enumerate().map(row).collect()).await;
    }

    async fn remove(&self) {
        self.0.drop().await;
    }

    async fn open(&self) -> Result<SharedRegistry, RegistryError> {
        self.0.open(|spec| spec.mapping.id_field = Some("slug".into())).await
    }

    async fn change(&self, key: &str) {
        let all = self.0.client.database(&self.0.name).collection::<Document>("r2_file_paths");
        let changed = all.update_many(doc! { "object_key": key }, doc! { "$set": { "file_type": "audio" } }).await;
        assert_ne!(changed.expect("changed").modified_count, 0);
    }

    fn can_change(&self) -> bool {
        true
    }
}

async fn conforms(server: String) {
    conformance::conforms(&Documents(Database::new(&server).await)).await;
}

/// A database of so many projects, each with one row.
async fn filled(server: &str, count: usize) -> Database {
    let database = Database::new(server).await;
    let project = |n| doc! { "_id": id(n) };
    let row = |n| doc! { "_id": id(n), "project_id": id(n), "object_key": format!("projects/{n}/a.mp4"), "size_bytes": 7_i64 };
    database.insert("projects", (0..count).map(project).collect()).await;
    database.insert("r2_file_paths", (0..count).map(row).collect()).await;
    database
}

fn keys(count: usize) -> Vec<Key> {
    (0..count).map(|n| Key::new(format!("projects/{n}/a.mp4"))).collect()
}

/// Opens the database behind a proxy that cuts every connection after so many bytes from the server.
async fn cut_after(database: &Database, bytes: u64) -> (CuttingProxy, Result<SharedRegistry, RegistryError>) {
    let place = database.server.split_once("://").expect("an address").1;
    let place = place.split(['/', '?']).next().expect("a host");
    let host = tokio::net::lookup_host(place).await.expect("a host and a port").next().expect("an address");
    let proxy = CuttingProxy::start(host, End::Cut).await;
    proxy.end_after(bytes);
    let options = "directConnection=true&serverSelectionTimeoutMS=300";
    let address = format!("{}&{options}", database.address(Some(proxy.address)));
    let spec = RegistrySpec::parse(&address, std::path::Path::new("/")).expect("an address");
    (proxy, open(&spec).await)
}

async fn ids_of_every_type_and_their_owners(server: String) {
    let database = Database::new(&server).await;
    let oid = ObjectId::from_bytes([0xab; 12]);
    let ids: [(Bson, String); 4] = [
        (oid.into(), oid.to_hex()),
        ("proj_1".into(), "proj_1".into()),
        (7_i32.into(), "7".into()),
        ((1_i64 << 40).into(), "1099511627776".into()),
    ];
    let row = |(n, (value, _)): (usize, &(Bson, String))| doc! { "_id": id(n), "object_key": format!("k{n}"), "project_id": value };
    database.insert("projects", ids.iter().map(|(value, _)| doc! { "_id": value }).collect()).await;
    database.insert("r2_file_paths", ids.iter().enumerate().map(row).collect()).await;
    let registry = database.open(|_| {}).await.expect("open");
    let (mut found, _) = rows(&*registry).await.expect("a reading");
    let mut expected: Vec<RegistryRow> = ids.iter().map(|(_, id)| project(id)).collect();
    expected.extend(ids.iter().enumerate().map(|(n, (_, id))| tracked(&format!("k{n}"), Some(id))));
    for rows in [&mut found, &mut expected] {
        rows.sort_by_key(|row| format!("{row:?}"));
    }
    assert_eq!(found, expected);
    database.drop().await;
}

async fn keys_in_arrays_are_found_whatever_the_server_can(server: String) {
    let database = Database::new(&server).await;
    let scenes =
        doc! { "_id": "1", "scenes": [{ "media": { "storageKey": "a" } }, { "audio": { "storageKey": "b c" } }] };
    database.insert("projects", vec![scenes, doc! { "_id": "2" }]).await;
    database.insert("r2_file_paths", vec![doc! { "_id": 1, "object_key": "a", "project_id": "2" }]).await;
    let registry = database.open(|_| {}).await.expect("open");
    let reference = |key: &str| RegistryRow::Reference { key: key.into(), project: Some("1".into()) };
    let (all, report) = rows(&*registry).await.expect("a reading");
    assert_eq!(all[2..], [tracked("a", Some("2")), reference("a"), reference("b c")]);
    assert_eq!((report.projects, report.tracked, report.references), (2, Some(1), 2));
    let claims = registry.claims(&["a".into(), "b c".into(), "/b%20c".into()]).await.expect("claims");
    assert_eq!(claims, all[2..]);
    assert_eq!(registry.claims(&["b".into(), "c".into()]).await.expect("claims"), []);
    database.drop().await;
}

async fn an_added_row_is_as_the_app_writes_them(server: String) {
    let database = Database::new(&server).await;
    let oid = ObjectId::from_bytes([0xab; 12]);
    database.insert("projects", vec![doc! { "_id": oid }, doc! { "_id": "2" }]).await;
    database.insert("r2_file_paths", vec![]).await;
    let registry = database.open(|_| {}).await.expect("open");
    let row = NewRow {
        key: "a".into(),
        project: oid.to_hex(),
        user: Some("u".into()),
        scene: None,
        file_type: Some("audio".into()),
        size: 5_000_000_000,
        content_type: Some("audio/mpeg".into()),
        etag: Some("abc".into()),
    };
    assert_eq!(registry.add_rows(&[row]).await.expect("added"), RowChange::Changed(1));
    let mut found = database.documents("r2_file_paths").await;
    let mut found = found.remove(0);
    assert!(matches!(found.remove("_id"), Some(Bson::ObjectId(_))));
    for name in ["created_at", "updated_at"] {
        let at = found.remove(name).and_then(|at| at.as_datetime().copied()).expect("a time");
        assert!((DateTime::now().timestamp_millis() - at.timestamp_millis()).abs() < 60_000, "{at}");
    }
    let expected = doc! {
        "object_key": "a", "project_id": oid, "scene_id": null, "file_type": "audio", "user_id": "u",
        "size_bytes": 5_000_000_000_i64, "content_type": "audio/mpeg", "metadata": { "etag": "abc" },
    };
    for (name, value) in &expected {
        assert_eq!(found.get(name), Some(value), "{name}");
    }
    assert_eq!(found.len(), expected.len());
    database.drop().await;
}

fn is_a_lost_connection(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Partial { .. } | RegistryError::Unreachable { .. })
}

async fn a_reading_that_is_cut_off_anywhere_is_no_reading(server: String) {
    let database = filled(&server, 2_500).await;
    let (_proxy, whole) = cut_after(&database, u64::MAX).await;
    let (all, _) = rows(&*whole.expect("open")).await.expect("nothing is cut");
    assert_eq!(all.len(), 5_000);
    let mut cut = 0;
    for part in 0..10 {
        let (_proxy, registry) = cut_after(&database, part * 40_000).await;
        let read = match registry {
            Ok(registry) => rows(&*registry).await,
            Err(error) => Err(error),
        };
        match read {
            Ok((rows, _)) => assert_eq!(rows, all, "part {part}"),
            Err(error) => {
                cut += 1;
                assert!(is_a_lost_connection(&error), "part {part}: {error:?}");
            }
        }
    }
    assert!(cut > 4, "{cut} were cut");
    database.drop().await;
}

async fn rows_that_lose_their_connection_are_all_found_again(server: String) {
    let count = 600;
    let database = filled(&server, count).await;
    let direct = database.open(|_| {}).await.expect("open");
    let mut kept = direct.rows(&keys(count)).await.expect("rows");
    kept.sort();
    let mut cut = 0;
    for put in [false, true] {
        for part in 0..8 {
            let (_proxy, registry) = cut_after(&database, 1_000 + part * 16_000).await;
            let Ok(registry) = registry else { continue };
            let before = direct.rows(&keys(count)).await.expect("rows").len();
            let changed = if put { registry.put_rows(&kept).await } else { registry.remove_rows(&kept).await };
            let after = direct.rows(&keys(count)).await.expect("rows").len();
            match changed {
                Ok(changed) => assert_eq!(changed, RowChange::Changed(before.abs_diff(after) as u64), "part {part}"),
                Err(error) => {
                    cut += 1;
                    assert!(is_a_lost_connection(&error), "part {part}: {error:?}");
                    assert!(
                        matches!(error, RegistryError::Partial { .. }) || before == after,
                        "part {part}: {error:?}"
                    );
                }
            }
        }
        let again = if put { direct.put_rows(&kept).await } else { direct.remove_rows(&kept).await };
        again.expect("not cut");
        let mut now = direct.rows(&keys(count)).await.expect("rows");
        now.sort();
        assert!(if put { now == kept } else { now.is_empty() }, "{} rows", now.len());
    }
    assert!(cut > 2, "{cut} were cut");
    database.drop().await;
}

/// A server of a check's own, which may be killed.
struct OwnServer {
    directory: tempfile::TempDir,
    address: String,
}

impl OwnServer {
    fn run(directory: &std::path::Path, verb: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/mongodb.sh");
        let ran = std::process::Command::new(script).arg(verb).arg(directory).output().expect("it runs");
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).expect("text")
    }

    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let said = Self::run(directory.path(), "start");
        let address = said.split('\'').nth(1).expect("an address").to_owned();
        Self { directory, address }
    }

    fn kill(&self) {
        Self::run(self.directory.path(), "stop");
    }
}

async fn a_server_that_is_killed_while_it_is_read_was_not_read(_: String) {
    for kill_at in [1, 2_501] {
        let server = tokio::task::spawn_blocking(OwnServer::start).await.expect("a server");
        let database = filled(&server.address, 2_500).await;
        let registry = database.open(|_| {}).await.expect("open");
        let mut seen = 0;
        let mut sink = |_| {
            seen += 1;
            if seen == kill_at {
                server.kill();
            }
        };
        let error = registry.read(&mut sink).await.expect_err("killed");
        assert!(is_a_lost_connection(&error), "{error:?}");
        let error = registry.claims(&keys(1)).await.expect_err("gone");
        assert!(is_a_lost_connection(&error), "{error:?}");
        let error = registry.projects(&mut |_| {}).await.expect_err("gone");
        assert!(is_a_lost_connection(&error), "{error:?}");
    }
}

async fn the_same_facts_give_the_same_audit(server: String) {
    let world = World::with_objects(600);
    let facts = Facts::of(world.demo("registry")).await;
    let database = Database::new(&server).await;
    let row = |(n, (key, project, scene, kind)): (usize, &(String, String, Option<String>, Option<String>))| {
        doc! { "_id": id(n), "object_key": key, "project_id": project, "scene_id": scene, "file_type": kind }
    };
    database.insert("projects", facts.projects.iter().map(|project| doc! { "_id": project }).collect()).await;
    database.insert("r2_file_paths", facts.rows.iter().enumerate().map(row).collect()).await;
    let expected = audit(&world, world.demo("registry"));
    assert!(expected.len() >= 600);
    assert_eq!(audit(&world, &database.address(None)), expected);
    database.drop().await;
}
