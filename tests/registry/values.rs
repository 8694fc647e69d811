//! What a database may have where ids and keys are expected.

use std::sync::Arc;

use bucketree::domain::Key;
use bucketree::domain::facts::RegistryRow;
use bucketree::registry::{KeySpelling, ReferencePlace, RegistrySpec, TrackedKeys};

use crate::conformance::{project, rows, tracked};
use crate::server::{Database, Server};

/// What is read, or the error without the name of the source.
async fn reading(database: &Database, change: impl FnOnce(&mut RegistrySpec)) -> Result<Vec<RegistryRow>, String> {
    let without_name = |error: crate::RegistryError| error.to_string().replace(&database.source(), "source");
    let registry = database.open(change).await.map_err(without_name)?;
    rows(&*registry).await.map(|(rows, _)| rows).map_err(without_name)
}

pub async fn ids_and_keys_of_every_type(server: Arc<Server>) {
    let uuid = "0198b2a4-7c1e-7000-8000-0123456789ab";
    let types = server.pick(
        "uuid int8 int4 text varchar(40) char(40) bytea",
        "uuid bigint int text varchar(40) char(40) varbinary(40)",
    );
    for kind in types.split(' ') {
        let id = match kind {
            "uuid" => uuid,
            "int8" | "bigint" | "int4" | "int" => "7",
            _ => "proj_1",
        };
        let database = Database::new(&server).await;
        database
            .run(&format!(
                "CREATE TABLE projects (id {kind}); INSERT INTO projects VALUES ('{id}');
                 CREATE TABLE r2_objects (object_key varchar(99), project_id {kind});
                 INSERT INTO r2_objects VALUES ('a', '{id}'), ('b', NULL)"
            ))
            .await;
        let found = reading(&database, |_| {}).await.expect(kind);
        assert_eq!(found, [project(id), tracked("a", Some(id)), tracked("b", None)], "{kind}");
        database.drop().await;
    }
    let database = Database::new(&server).await;
    let (bytes, value) = (server.pick("bytea", "varbinary(9)"), server.pick("'\\xff2f'", "x'ff2f'"));
    database
        .run(&format!(
            "CREATE TABLE projects (id varchar(9)); INSERT INTO projects VALUES ('a');
             CREATE TABLE r2_objects (object_key {bytes}, project_id varchar(9));
             INSERT INTO r2_objects VALUES ({value}, '')"
        ))
        .await;
    let registry = database.open(|_| {}).await.expect("open");
    let keys = [Key::new(b"\xff/"), Key::new(b"\xff")];
    let claims = registry.claims(&keys).await.expect("claims");
    assert_eq!(claims, [RegistryRow::Tracked { key: keys[0].clone(), project: None }]);
    database.drop().await;
}

pub async fn a_row_that_is_not_as_expected_names_its_table_and_number(server: Arc<Server>) {
    let binary = server.pick("bytea", "varbinary(9)");
    let not_text = server.pick("'\\xff'", "x'ff'");
    let fraction = server.pick("found FLOAT8", "found DOUBLE");
    let kinds = server.pick("text, a whole number, a UUID or bytes", "text, a whole number or bytes");
    let check = async |id: &str, key: &str, rows: &str, message: &str| {
        let database = Database::new(&server).await;
        database
            .run(&format!(
                "CREATE TABLE projects (id {id}); CREATE TABLE r2_objects (object_key {key}, project_id text); {rows}"
            ))
            .await;
        assert_eq!(reading(&database, |_| {}).await.expect_err(rows), format!("source, {message}"), "{rows}");
        database.drop().await;
    };
    let (text, first) = ("varchar(99)", "INSERT INTO projects VALUES");
    let second = "INSERT INTO r2_objects VALUES";
    check(text, text, &format!("{first} ('a'), (NULL)"), "table projects, row 2: an id that is NULL or empty").await;
    check(text, text, &format!("{first} ('')"), "table projects, row 1: an id that is NULL or empty").await;
    let expected = format!("table projects, row 1: expected {kinds}, {fraction}");
    check("double precision", text, &format!("{first} (1.5)"), &expected).await;
    check(binary, text, &format!("{first} ({not_text})"), "table projects, row 1: an id of bytes that are not text; say how it is spelled in keys with a query, for example SELECT lower(hex(id)) FROM projects").await;
    check(
        text,
        text,
        &format!("{second} ('k', '1'), (NULL, '1')"),
        "table r2_objects, row 2: a key that is NULL or empty",
    )
    .await;
    check(text, text, &format!("{second} ('', '1')"), "table r2_objects, row 1: a key that is NULL or empty").await;
    let expected = format!("table r2_objects: expected keys as text or bytes, {fraction}");
    check(text, "double precision", second.replace(" VALUES", " VALUES (1, 'a')").as_str(), &expected).await;
}

pub async fn what_is_not_there_is_named_and_never_assumed(server: Arc<Server>) {
    let database = Database::new(&server).await;
    database
        .run("CREATE TABLE projects (id text); INSERT INTO projects VALUES ('1'); CREATE TABLE other (x text)")
        .await;
    let check = async |change: fn(&mut RegistrySpec), message: &str| {
        let error = reading(&database, change).await.expect_err(message);
        assert!(error.starts_with(&format!("source, {message}")), "{error}");
    };
    check(|_| {}, "table r2_objects: is not there; there are other, projects; if this app does not track keys, say so with `tracked = false`").await;
    check(
        |spec| spec.mapping.projects_table = Some("proj".into()),
        "table proj: is not there; there are other, projects; name the right one with `projects_table`",
    )
    .await;
    check(|spec| spec.mapping.id_field = Some("uuid".into()), "table projects: has no column `uuid`; it has id").await;
    check(
        |spec| spec.mapping.tracked_table = Some("other".into()),
        "table other: has no column `object_key`; it has x",
    )
    .await;
    check(
        |spec| spec.mapping.projects_query = Some("SELECT id, 1 FROM projects".into()),
        "projects_query: expected one column, the id, found 2",
    )
    .await;
    check(|spec| spec.mapping.projects_query = Some("SELEKT id".into()), "projects_query: ").await;
    check(|spec| spec.mapping.projects_query = Some("SELECT id FROM nowhere".into()), "projects_query: ").await;
    let rows = reading(&database, |spec| spec.tracked = TrackedKeys::NotTracked).await;
    assert_eq!(rows.expect("said so"), [project("1")]);
    database.drop().await;
}

pub async fn own_queries_and_places_in_schemas(server: Arc<Server>) {
    let database = Database::new(&server).await;
    let other = format!("{}_app", database.name);
    let make = server.pick("CREATE SCHEMA", "CREATE DATABASE");
    database
        .run(&format!(
            "{make} {other}; CREATE TABLE {other}.apps (id text, gone integer);
             INSERT INTO {other}.apps VALUES ('1', 0), ('2', 1);
             CREATE TABLE {other}.files (object_key varchar(99), project_id text);
             INSERT INTO {other}.files VALUES ('a', '1'), ('b', NULL)"
        ))
        .await;
    let registry = database.open(|spec| {
        spec.mapping.projects_query = Some(format!("SELECT id FROM {other}.apps WHERE gone = 0 -- all of them\n; "));
        spec.mapping.tracked_table = Some(format!("{other}.files"));
        spec.mapping.references_query = Some(format!("SELECT 'c', id FROM {other}.apps"));
    });
    let registry = registry.await.expect("open");
    let (found, report) = rows(&*registry).await.expect("a reading");
    let reference = |project: &str| RegistryRow::Reference { key: "c".into(), project: Some(project.into()) };
    let expected = [project("1"), tracked("a", Some("1")), tracked("b", None), reference("1"), reference("2")];
    assert_eq!(found, expected);
    assert_eq!((report.projects, report.tracked, report.references), (1, Some(2), 2));
    assert_eq!(registry.claims(&["b".into(), "c".into()]).await.expect("claims"), expected[2..]);
    let rows = registry.rows(&["a".into()]).await.expect("rows");
    assert_eq!(registry.remove_rows(&rows).await.expect("removed"), bucketree::registry::RowChange::Changed(1));
    if let crate::server::Kind::MariaDb = server.kind {
        database.run(&format!("DROP DATABASE {other}")).await;
    }
    database.drop().await;
}

pub async fn references_are_found_however_they_are_written(server: Arc<Server>) {
    let database = Database::new(&server).await;
    database
        .run(
            "CREATE TABLE projects (id text); INSERT INTO projects VALUES ('1');
             CREATE TABLE scenes (image varchar(99), voice varchar(99), project_id text);
             INSERT INTO scenes VALUES ('https://cdn.example.com/m/a%20b.png?w=1', NULL, '1'),
               ('http://cdn.example.com/m/c.png', '', '2'), ('d.png', '/e.mp3', '1'),
               ('https://elsewhere.example.com/f.png', 'g%20h.mp3', '1'), (NULL, NULL, '1'), ('HTTPS://CDN.example.com/m/i.png', 'x', '1')",
        )
        .await;
    let place = |key: &str, owner: Option<&str>, spelling| ReferencePlace {
        from: "scenes".into(),
        key_field: key.into(),
        owner_field: owner.map(Into::into),
        spelling,
    };
    let url =
        KeySpelling { url: Some("https://cdn.example.com/m".into()), percent_encoded: true, leading_slash: false };
    let path = KeySpelling { url: None, percent_encoded: false, leading_slash: true };
    let registry = database.open(|spec| {
        spec.tracked = TrackedKeys::NotTracked;
        spec.mapping.references = vec![place("image", Some("project_id"), url), place("voice", None, path)];
    });
    let registry = registry.await.expect("open");
    let (found, report) = rows(&*registry).await.expect("a reading");
    assert_eq!((report.tracked, report.references), (None, 8), "a value counts once, and no value is none");
    let said =
        |project: Option<&str>, key: &str| RegistryRow::Reference { key: key.into(), project: project.map(Into::into) };
    let of = [
        said(Some("1"), "a b.png"),
        said(None, "a%20b.png"),
        said(Some("2"), "c.png"),
        said(Some("1"), "d.png"),
        said(None, "f.png"),
        said(None, "m/i.png"),
        said(None, "e.mp3"),
        said(None, "/e.mp3"),
        said(None, "g%20h.mp3"),
        said(None, "x"),
    ];
    assert_eq!(found[1..], of);
    // Each key, asked for alone, is found by whoever speaks of it.
    for (key, count) in [
        ("a b.png", 2),
        ("c.png", 1),
        ("d.png", 1),
        ("f.png", 1),
        ("e.mp3", 2),
        ("g h.mp3", 1),
        ("i.png", 0),
        ("b.png", 0),
    ] {
        assert_eq!(registry.claims(&[key.into()]).await.expect("claims").len(), count, "{key}");
    }
    let many: Vec<Key> = (0..3_000).map(|at| Key::new(format!("{at} b.png"))).chain(["c.png".into()]).collect();
    assert_eq!(
        registry.claims(&many).await.expect("claims"),
        [said(Some("2"), "c.png")],
        "once, however many are asked for"
    );
    database.drop().await;
}

pub async fn a_missing_index_on_keys_is_noticed(server: Arc<Server>) {
    let database = Database::new(&server).await;
    database
        .run("CREATE TABLE projects (id text); CREATE TABLE r2_objects (object_key varchar(99), project_id text)")
        .await;
    let advice = async || database.open(|_| {}).await.expect("open").advice().await;
    let said = advice().await;
    let [said] = said.as_slice() else { panic!("{said:?}") };
    let (_, mend) = said.split_once(": ").expect("how to mend it");
    assert!(mend.starts_with("CREATE INDEX"), "{said}");
    database.run(&mend.replace("(255)", "")).await;
    assert_eq!(advice().await, Vec::<String>::new());
    database.drop().await;
}
