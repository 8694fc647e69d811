//! What the adapter does with good, bad and dying servers. A server of our own plays them; a real one goes through the
//! conformance suite.

mod server;

use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, Uuid, doc};

use self::server::{Fault, Server};
use super::{Asked, MongoRegistry};
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::conformance::{project, rows, tracked};
use crate::registry::spec::Role;
use crate::registry::{KeySpelling, Mapping, ReferencePlace, Registry, RegistryError, RowChange};

fn reference(key: &str, project: Option<&str>) -> RegistryRow {
    RegistryRow::Reference { key: key.into(), project: project.map(Into::into) }
}

/// Five rows of one project, in batches of two.
fn five_rows() -> Server {
    let row = |n: i32| doc! { "_id": n, "object_key": format!("k{n}"), "project_id": "1" };
    Server::start(&[("projects", vec![doc! { "_id": "1" }]), ("r2_file_paths", (1..=5).map(row).collect())])
}

async fn opened(address: &str) -> Result<MongoRegistry, RegistryError> {
    opened_with(address, &Mapping::default()).await
}

async fn opened_with(address: &str, mapping: &Mapping) -> Result<MongoRegistry, RegistryError> {
    let asked = Asked { references: true, patience: Duration::from_secs(20) };
    MongoRegistry::open(address, mapping, Role::Both, asked).await
}

/// What a server of these documents delivers, or what is wrong.
async fn reading(projects: Vec<Document>, tracked: Vec<Document>) -> Result<Vec<RegistryRow>, String> {
    let server = Server::start(&[("projects", projects), ("r2_file_paths", tracked)]);
    let named = format!("mongodb: 127.0.0.1:{}/app, ", server.port);
    let registry = opened(&server.address()).await.expect("open");
    rows(&registry).await.map(|(rows, _)| rows).map_err(|error| error.to_string().replace(&named, ""))
}

#[tokio::test]
async fn ids_of_every_type_are_read_as_keys_spell_them() {
    let oid = ObjectId::from_bytes([0xab; 12]);
    let projects: [Bson; 6] =
        [oid.into(), "proj_1".into(), 7_i32.into(), (1_i64 << 40).into(), 8.0.into(), Uuid::from_bytes([1; 16]).into()];
    let ids = ["ab".repeat(12), "proj_1".into(), "7".into(), "1099511627776".into(), "8".into()];
    let mut expected: Vec<_> = ids.iter().map(|id| project(id)).collect();
    expected.push(project("01010101-0101-0101-0101-010101010101"));
    let tracked_rows: Vec<Document> = projects
        .iter()
        .enumerate()
        .map(|(n, id)| doc! { "_id": i32::try_from(n).unwrap_or(0), "object_key": format!("k{n}"), "project_id": id })
        .collect();
    let owners = ids.iter().map(String::as_str).chain(["01010101-0101-0101-0101-010101010101"]);
    let rows: Vec<_> = owners.enumerate().map(|(n, id)| tracked(&format!("k{n}"), Some(id))).collect();
    let projects = projects.into_iter().map(|id| doc! { "_id": id }).collect();
    assert_eq!(reading(projects, tracked_rows).await, Ok([expected, rows].concat()));
}

#[tokio::test]
async fn every_id_of_a_project_keeps_it_alive_and_it_counts_once() {
    let server = Server::start(&[
        ("projects", vec![doc! { "_id": ObjectId::from_bytes([1; 12]), "project_id": "proj_1", "id": null }]),
        ("r2_file_paths", vec![]),
    ]);
    let registry = opened(&server.address()).await.expect("open");
    let (rows, report) = rows(&registry).await.expect("a reading");
    assert_eq!(rows, [project(&"01".repeat(12)), project("proj_1")]);
    assert_eq!((report.projects, report.tracked), (1, Some(0)));
}

#[tokio::test]
async fn references_are_read_through_documents_and_arrays() {
    let scenes = doc! {
        "_id": "1",
        "scenes": [
            { "media": { "storageKey": "a" }, "audio": { "storageKey": "b" } },
            { "media": null, "audio": { "storageKey": null } }, {}, { "media": [{ "storageKey": "c" }, { "storageKey": "" }] },
        ],
    };
    let other = doc! { "_id": "2", "scenes": { "media": { "storageKey": "d" } } };
    let expected = [
        project("1"),
        project("2"),
        reference("a", Some("1")),
        reference("c", Some("1")),
        reference("d", Some("2")),
        reference("b", Some("1")),
    ];
    assert_eq!(reading(vec![scenes, other], vec![]).await, Ok(expected.to_vec()));
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said_with_its_id() {
    let check = async |projects: Vec<Document>, tracked: Vec<Document>, why: &str| {
        assert_eq!(reading(projects, tracked).await, Err(why.to_owned()));
    };
    let row = |change: Document| {
        let mut row = doc! { "_id": 5, "object_key": "a", "project_id": "1" };
        row.extend(change);
        vec![row]
    };
    let one = || vec![doc! { "_id": "1" }];
    check(vec![doc! { "_id": { "a": 1 } }], vec![], "collection projects, _id { \"a\": 1 }: `_id`: an id should be an ObjectId, text, a whole number or a UUID, found a document").await;
    check(vec![doc! { "_id": "" }], vec![], "collection projects, _id : has no id in `_id`").await;
    let place = "collection r2_file_paths, _id 5: ";
    check(one(), row(doc! { "object_key": null }), &format!("{place}`object_key` should be a key as text, found null"))
        .await;
    check(
        one(),
        row(doc! { "object_key": 7 }),
        &format!("{place}`object_key` should be a key as text, found a whole number"),
    )
    .await;
    check(one(), row(doc! { "object_key": "" }), &format!("{place}`object_key` is empty: it tracks nothing")).await;
    check(one(), vec![doc! { "_id": 5, "project_id": "1" }], &format!("{place}has no key in `object_key`")).await;
    check(
        one(),
        row(doc! { "project_id": true }),
        &format!(
            "{place}`project_id`: an id should be an ObjectId, text, a whole number or a UUID, found true or false"
        ),
    )
    .await;
    check(one(), row(doc! { "project_id": 1.5 }), &format!("{place}`project_id`: an id should be an ObjectId, text, a whole number or a UUID, found a number with a fraction")).await;
    check(
        vec![doc! { "_id": "1", "scenes": [{ "media": "x" }] }],
        vec![],
        "collection projects, _id 1: `scenes.media.storageKey` leads through text",
    )
    .await;
    let nested = doc! { "_id": "1", "scenes": [[{ "media": { "storageKey": "x" } }]] };
    check(
        vec![nested],
        vec![],
        "collection projects, _id 1: `scenes.media.storageKey` has an array directly in an array",
    )
    .await;
}

#[tokio::test]
async fn a_reading_that_does_not_reach_its_end_is_no_reading() {
    let server = five_rows();
    let registry = opened(&server.address()).await.expect("open");
    assert_eq!(rows(&registry).await.expect("a reading").1.tracked, Some(5));
    // Five rows in batches of two: two more batches are asked for.
    for at in [0, 1] {
        for fault in [Fault::HangsUp(at), Fault::ForgetsCursor(at), Fault::EndsEarly(at)] {
            server.fail(fault);
            let error = rows(&registry).await.map(|(rows, _)| rows).expect_err("a reading in part");
            assert!(matches!(error, RegistryError::Partial { .. }), "{fault:?}: {error:?}");
            assert!(error.to_string().contains("collection r2_file_paths"), "{fault:?}: {error}");
        }
    }
    server.fail(Fault::None);
    assert_eq!(rows(&registry).await.expect("a reading").1.tracked, Some(5), "it may be read again");
}

#[tokio::test]
async fn keys_are_looked_up_to_the_end_too() {
    let server = five_rows();
    let registry = opened(&server.address()).await.expect("open");
    let keys: Vec<Key> = (1..=5).map(|n| Key::new(format!("k{n}"))).collect();
    assert_eq!(registry.claims(&keys).await.expect("claims").len(), 5);
    for fault in [Fault::HangsUp(0), Fault::ForgetsCursor(1)] {
        server.fail(fault);
        let error = registry.claims(&keys).await.expect_err("claims in part");
        assert!(matches!(error, RegistryError::Partial { .. }), "{fault:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_finds_nothing_by_a_path_is_not_believed() {
    let scene = |id: &str, key: &str| doc! { "_id": id, "scenes": [{ "media": { "storageKey": key } }] };
    let projects = vec![scene("1", "a"), scene("2", "b"), scene("3", "c")];
    let server = Server::start(&[("projects", projects), ("r2_file_paths", vec![])]);
    for fault in [Fault::None, Fault::IgnoresPaths] {
        server.fail(fault);
        let registry = opened(&server.address()).await.expect("open");
        let found = registry.claims(&["c".into(), "x".into()]).await.expect("claims");
        assert_eq!(found, [reference("c", Some("3"))], "{fault:?}");
        let said = registry.advice().await.join("\n");
        assert_eq!(
            said.contains("keys cannot be looked up by scenes.media.storageKey in projects"),
            fault != Fault::None,
            "{said}"
        );
    }
}

#[tokio::test]
async fn reads_see_what_most_servers_have() {
    let server = five_rows();
    for (replicated, level) in [(true, "majority"), (false, "local")] {
        server.world().replicated = replicated;
        server.world().seen.clear();
        // The address asks for less, and is not heard.
        let address = format!(
            "{}?readPreference=secondaryPreferred&readConcernLevel=available&directConnection=true",
            server.address()
        );
        let registry = opened(&address).await.expect("open");
        rows(&registry).await.expect("a reading");
        registry.claims(&["k1".into()]).await.expect("claims");
        let seen = server.world().seen.clone();
        let finds: Vec<_> = seen.iter().filter(|command| command.contains_key("find")).collect();
        assert!(finds.len() > 5, "{seen:?}");
        for find in finds {
            let concern = find.get_document("readConcern").and_then(|concern| concern.get_str("level"));
            assert_eq!(concern.ok(), Some(level), "{find:?}");
            assert!(!find.contains_key("noCursorTimeout"), "{find:?}");
        }
    }
}

/// Opens and reads; what is said of what fails first.
async fn failure(address: &str) -> String {
    let error = match opened(address).await {
        Ok(registry) => rows(&registry).await.map(drop).expect_err("an error"),
        Err(error) => error,
    };
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn what_a_server_refuses_is_said_with_the_collection() {
    let server = five_rows();
    let check = async |fault: Fault, parts: &[&str]| {
        server.fail(fault);
        let address = server.address() + "?directConnection=true";
        let said = failure(&address).await;
        parts.iter().for_each(|part| assert!(said.contains(part), "{said}"));
    };
    check(
        Fault::Refuses("find", "r2_file_paths", 13, "not authorized on app to execute command { find: ... }"),
        &["refuses: this user has no permission for collection r2_file_paths (Unauthorized)"],
    )
    .await;
    check(Fault::Refuses("find", "projects", 13, "not authorized"), &["no permission for collection projects"]).await;
    check(
        Fault::Refuses("find", "projects", 148, "Read concern requested but it is not supported"),
        &["refuses: collection projects: Read concern requested but it is not supported"],
    )
    .await;
    check(Fault::IsSecondary, &["this server is not the primary"]).await;
    server.fail(Fault::None);
    server.world().collections.remove("r2_file_paths");
    check(Fault::None, &["collection r2_file_paths: is not there", "there are projects", "`tracked = false`"]).await;
    server.world().collections.clear();
    check(Fault::None, &["mongodb: 127.0.0.1:", "/app is not there"]).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_without_the_password() {
    let server = five_rows();
    let place = format!("127.0.0.1:{}", server.port);
    let check = async |address: String, parts: &[&str]| {
        let said = failure(&address).await;
        parts.iter().for_each(|part| assert!(said.contains(part), "{address}: {said}"));
        assert!(said.len() < 400, "{said}");
    };
    let quick = "serverSelectionTimeoutMS=700";
    // Nothing listens on port 1 of this machine.
    check(
        format!("mongodb://me:hunter2@127.0.0.1:1/app?{quick}"),
        &["mongodb: 127.0.0.1:1/app cannot be opened", "refused"],
    )
    .await;
    check(
        format!("mongodb://me:hunter2@{place}/app?tls=true&{quick}"),
        &["cannot be opened: no server answers: I/O error"],
    )
    .await;
    check(
        format!("mongodb://me:hunter2@{place}/app?replicaSet=other&directConnection=false&{quick}"),
        &["cannot be opened"],
    )
    .await;
    server.fail(Fault::Refuses("saslStart", "", 18, "Authentication failed for me:hunter2"));
    check(
        format!("mongodb://me:hunter2@{place}/app?directConnection=true"),
        &["refuses: user or password are not accepted"],
    )
    .await;
}

#[tokio::test]
async fn a_row_that_changes_in_the_last_moment_stays() {
    let row = |id: i32| doc! { "_id": id, "object_key": "a", "project_id": null, "at": id };
    let server = Server::start(&[("projects", vec![doc! { "_id": "1" }]), ("r2_file_paths", vec![row(1), row(2)])]);
    server.world().batch = 10;
    let registry = opened(&server.address()).await.expect("open");
    let kept = registry.rows(&["a".into()]).await.expect("rows");
    assert_eq!(kept.len(), 2);
    server.fail(Fault::ChangesMeanwhile);
    assert_eq!(registry.remove_rows(&kept).await, Ok(RowChange::Changed(0)));
    assert_eq!(server.world().collections["r2_file_paths"].len(), 2);
    server.fail(Fault::None);
    assert_eq!(registry.remove_rows(&kept).await, Ok(RowChange::Changed(0)), "they are not the rows that were kept");
    let kept = registry.rows(&["a".into()]).await.expect("rows");
    assert_eq!(registry.remove_rows(&kept[..1]).await, Ok(RowChange::Changed(1)));
    assert_eq!(server.world().collections["r2_file_paths"].len(), 1);
}

#[tokio::test]
async fn rows_are_removed_from_a_server_that_cannot_compare_whole_documents() {
    let row = |id: i32| doc! { "_id": id, "object_key": "a", "project_id": null };
    let server = Server::start(&[("projects", vec![doc! { "_id": "1" }]), ("r2_file_paths", vec![row(1), row(2)])]);
    server.world().batch = 10;
    server.fail(Fault::ComparesByField);
    let registry = opened(&server.address()).await.expect("open");
    let kept = registry.rows(&["a".into()]).await.expect("rows");
    server.world().collections.insert("r2_file_paths".into(), vec![row(1), doc! { "_id": 2, "object_key": "b" }]);
    assert_eq!(registry.remove_rows(&kept).await, Ok(RowChange::Changed(1)));
    assert_eq!(server.world().collections["r2_file_paths"], [doc! { "_id": 2, "object_key": "b" }]);
}

#[tokio::test]
async fn what_becomes_of_rows_is_never_guessed() {
    let server = five_rows();
    server.world().batch = 10;
    let registry = opened(&server.address()).await.expect("open");
    let kept = registry.rows(&["k1".into(), "k2".into()]).await.expect("rows");
    let refused =
        Fault::Refuses("delete", "r2_file_paths", 13, "not authorized on app to execute command { delete: ... }");
    server.fail(refused);
    let error = registry.remove_rows(&kept).await.expect_err("refused");
    assert!(matches!(error, RegistryError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("no permission for removing rows in collection r2_file_paths"), "{error}");
    server.fail(Fault::HangsUpOn("delete"));
    let error = registry.remove_rows(&kept).await.expect_err("no answer");
    assert!(matches!(error, RegistryError::Partial { .. }), "it may have been done: {error:?}");
    server.fail(Fault::None);
    assert_eq!(registry.remove_rows(&kept).await, Ok(RowChange::Changed(2)), "it may be asked again");
    assert_eq!(registry.remove_rows(&kept).await, Ok(RowChange::Changed(0)));
    let deletes: Vec<Document> =
        server.world().seen.iter().filter(|command| command.contains_key("delete")).cloned().collect();
    for delete in deletes {
        assert_eq!(delete.get_document("writeConcern").and_then(|concern| concern.get_str("w")).ok(), Some("majority"));
        assert!(delete.get_array("deletes").is_ok_and(|all| !all.is_empty()), "{delete:?}");
    }
}

#[tokio::test]
async fn references_are_read_where_the_mapping_says_however_they_are_written() {
    let place = |from: &str, key: &str, spelling: KeySpelling| {
        let (from, key_field) = (from.to_owned(), key.to_owned());
        ReferencePlace { from, key_field, owner_field: Some("about.project".into()), spelling }
    };
    let url = KeySpelling { url: Some("https://cdn.example.com".into()), ..KeySpelling::default() };
    let slashed = KeySpelling { leading_slash: true, percent_encoded: true, ..KeySpelling::default() };
    let references = vec![place("covers", "pictures.url", url), place("clips", "files", slashed)];
    let mapping = Mapping { references, id_field: Some("slug".into()), ..Mapping::default() };
    let cover =
        doc! { "_id": 1, "about": { "project": 7_i64 }, "pictures": [{ "url": "https://cdn.example.com/a.png?w=1" }] };
    let clip = doc! { "_id": 1, "files": ["/b%20c.mp4", null, "d.mp4"] };
    let server = Server::start(&[
        ("projects", vec![doc! { "_id": 1, "slug": "s", "scenes": { "media": { "storageKey": "not mapped" } } }]),
        ("r2_file_paths", vec![]),
        ("covers", vec![cover]),
        ("clips", vec![clip]),
    ]);
    let registry = opened_with(&server.address(), &mapping).await.expect("open");
    let (rows, report) = rows(&registry).await.expect("a reading");
    let certain = [project("s"), reference("a.png", Some("7")), reference("b c.mp4", None), reference("d.mp4", None)];
    certain.iter().for_each(|row| assert!(rows.contains(row), "{row:?}: {rows:?}"));
    assert_eq!((report.projects, report.tracked), (1, Some(0)));
    assert!(!rows.contains(&reference("not mapped", Some("1"))), "{rows:?}");
    for (key, owner) in [("a.png", Some("7")), ("b c.mp4", None), ("d.mp4", None)] {
        let claims = registry.claims(&[key.into()]).await.expect("claims");
        assert!(claims.contains(&reference(key, owner)), "{key}: {claims:?}");
    }
    assert_eq!(registry.claims(&["c.mp4".into(), "a.pn".into()]).await.expect("claims"), []);
    server.world().collections.remove("clips");
    let error = registry.claims(&["x".into()]).await.expect_err("a collection is gone");
    assert!(error.to_string().contains("collection clips: is not there"), "{error}");
    let query = Mapping { tracked_query: Some("SELECT 1".into()), ..Mapping::default() };
    let error = opened_with(&server.address(), &query).await.map(drop).expect_err("a query");
    assert!(error.to_string().contains("queries are for SQL"), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = five_rows();
    let asked = Asked { references: true, patience: Duration::from_millis(300) };
    let registry = MongoRegistry::open(&server.address(), &Mapping::default(), Role::Both, asked).await.expect("open");
    server.fail(Fault::IsSilent("getMore"));
    let error = rows(&registry).await.map(drop).expect_err("silence");
    assert!(
        matches!(&error, RegistryError::Partial { why, .. } if why.ends_with("it said nothing for 0.3 s")),
        "{error}"
    );
}
