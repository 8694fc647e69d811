//! Whole rows of SQLite, whatever a table is made of.

use super::{Database, TABLES};
use crate::domain::Key;
use crate::registry::{KeptRow, NewRow, Registry, RegistryError, RowChange, SharedRegistry, open};

/// A table of tracked keys that is made and filled by these statements.
async fn table(statements: &str) -> (Database, SharedRegistry) {
    let database = Database::new("");
    database.run("CREATE TABLE projects (id TEXT PRIMARY KEY); INSERT INTO projects VALUES ('1')").await;
    database.run(statements).await;
    let registry = open(&database.spec()).await.expect("open");
    (database, registry)
}

/// Every value of the table with its type, in the order of its rows.
async fn dump(database: &Database, columns: &str) -> Vec<String> {
    let mut connection = database.connection().await;
    let typed = columns.split(' ').map(|name| format!("typeof({name}) || ' ' || quote({name})"));
    let query = format!("SELECT {} FROM r2_objects", typed.collect::<Vec<_>>().join(" || ', ' || "));
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(&mut connection).await.expect("a dump");
    rows.iter().map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

async fn rows(registry: &dyn Registry, keys: &[&str]) -> Vec<KeptRow> {
    let keys: Vec<Key> = keys.iter().map(|&key| key.into()).collect();
    registry.rows(&keys).await.expect("rows")
}

/// Takes the rows of `a` and `b` out of a table and puts them back: then it is what it was, value by value.
async fn goes_round(statements: &str, columns: &str, count: u64) {
    let (database, registry) = table(statements).await;
    let before = dump(&database, columns).await;
    let rows = rows(&*registry, &["a", "b"]).await;
    assert_eq!(registry.remove_rows(&rows).await.expect(statements), RowChange::Changed(count));
    assert_eq!(dump(&database, columns).await.len() as u64, before.len() as u64 - count);
    assert_eq!(registry.put_rows(&rows).await.expect(statements), RowChange::Changed(count));
    assert_eq!(dump(&database, columns).await, before);
}

#[tokio::test]
async fn a_row_of_any_table_comes_back_as_it_was() {
    let every_type = "CREATE TABLE r2_objects (object_key, project_id, x, y REAL);
        INSERT INTO r2_objects VALUES ('a', 1, 0.1, 9e999), ('z', 1, 1, 1), ('a', '1', x'00ff', 1), (x'61', NULL, '', -0.5),
            ('b', 'p', CAST(x'ff' AS TEXT), 3), ('b', 'p', CAST(x'ff' AS TEXT), 3), ('y', 1, 1, 1)";
    goes_round(every_type, "rowid object_key project_id x y", 5).await;
    let own_id = "CREATE TABLE r2_objects (id INTEGER PRIMARY KEY, object_key TEXT UNIQUE, project_id TEXT);
        INSERT INTO r2_objects VALUES (7, 'a', '1'), (9, 'b', '1'), (8, 'c', '1')";
    goes_round(own_id, "id object_key project_id", 2).await;
    let no_number = "CREATE TABLE r2_objects (object_key TEXT PRIMARY KEY, project_id TEXT, at TEXT) WITHOUT ROWID;
        INSERT INTO r2_objects VALUES ('a', '1', NULL), ('b', NULL, 'x'), ('c', '1', 'x')";
    goes_round(no_number, "object_key project_id at", 2).await;
    let computed = "CREATE TABLE r2_objects (object_key TEXT, project_id TEXT, n INT AS (length(object_key)) STORED,
            v INT AS (1), rowid TEXT, \"odd\"\"name\" TEXT DEFAULT 'd');
        INSERT INTO r2_objects (object_key, project_id, rowid) VALUES ('a', '1', 'r'), ('c', '1', 's')";
    goes_round(computed, "_rowid_ object_key project_id n v rowid \"odd\"\"name\"", 1).await;
}

#[tokio::test]
async fn rows_that_cannot_all_be_removed_stay_all() {
    let (_database, registry) = table(
        "CREATE TABLE r2_objects (object_key TEXT, project_id TEXT);
         INSERT INTO r2_objects (object_key) VALUES ('a'), ('b');
         CREATE TRIGGER no BEFORE DELETE ON r2_objects WHEN old.object_key = 'b' BEGIN SELECT RAISE(ABORT, 'b is needed'); END;",
    )
    .await;
    let all = rows(&*registry, &["a", "b"]).await;
    let error = registry.remove_rows(&all).await.expect_err("the trigger refuses");
    assert!(matches!(&error, RegistryError::Refused { why, .. } if why == "b is needed"), "{error}");
    assert_eq!(rows(&*registry, &["a", "b"]).await, all);
    let a = rows(&*registry, &["a"]).await;
    assert_eq!(registry.remove_rows(&a).await.expect("removed"), RowChange::Changed(1));
}

#[tokio::test]
async fn a_row_whose_id_was_given_to_another_is_left() {
    let (database, registry) = table(
        "CREATE TABLE r2_objects (id INTEGER PRIMARY KEY, object_key TEXT, project_id TEXT);
         INSERT INTO r2_objects VALUES (7, 'a', '1'), (8, 'b', '1')",
    )
    .await;
    let all = rows(&*registry, &["a", "b"]).await;
    registry.remove_rows(&all).await.expect("removed");
    database.run("INSERT INTO r2_objects VALUES (7, 'new', '1')").await;
    assert_eq!(registry.put_rows(&all).await.expect("put back"), RowChange::Changed(1));
    assert_eq!(dump(&database, "id object_key").await, ["integer 7, text 'new'", "integer 8, text 'b'"]);
}

#[tokio::test]
async fn a_row_with_a_number_that_was_given_to_another_gets_a_new_one() {
    let (database, registry) =
        table("CREATE TABLE r2_objects (object_key TEXT, project_id TEXT); INSERT INTO r2_objects VALUES ('a', '1')")
            .await;
    let all = rows(&*registry, &["a"]).await;
    registry.remove_rows(&all).await.expect("removed");
    database.run("INSERT INTO r2_objects VALUES ('new', '1')").await;
    assert_eq!(registry.put_rows(&all).await.expect("put back"), RowChange::Changed(1));
    assert_eq!(dump(&database, "object_key").await, ["text 'new'", "text 'a'"]);
}

#[tokio::test]
async fn a_row_of_another_database_is_not_put() {
    let (_database, registry) = table("CREATE TABLE r2_objects (object_key TEXT, project_id TEXT)").await;
    let row = KeptRow { key: "a".into(), project: None, content: "{\"_id\":1}".into() };
    let error = registry.put_rows(&[row]).await.expect_err("not of SQLite");
    assert!(error.to_string().contains("key a: the row that was kept is not one of SQLite"), "{error}");
}

#[tokio::test]
async fn a_new_row_has_what_the_table_has_columns_for() {
    let new = NewRow {
        key: "a".into(),
        project: "1".into(),
        user: Some("u".into()),
        scene: Some("s".into()),
        file_type: None,
        size: 5_000_000_000,
        content_type: Some("audio/mpeg".into()),
        etag: Some("abc".into()),
    };
    let (database, registry) = table(
        "CREATE TABLE r2_objects (object_key TEXT NOT NULL, project_id TEXT NOT NULL, user_id TEXT, Scene_Id TEXT,
            file_type TEXT DEFAULT 'none', size_bytes INTEGER, created_at TEXT NOT NULL, updated_at TEXT DEFAULT 'never')",
    )
    .await;
    assert_eq!(registry.add_rows(std::slice::from_ref(&new)).await.expect("added"), RowChange::Changed(1));
    assert_eq!(
        dump(&database, "object_key project_id user_id scene_id file_type size_bytes length(created_at) updated_at")
            .await,
        ["text 'a', text '1', text 'u', text 's', text 'none', integer 5000000000, integer 20, text 'never'"]
    );
    let (_database, registry) =
        table("CREATE TABLE r2_objects (object_key TEXT, project_id TEXT, must TEXT NOT NULL)").await;
    let error = registry.add_rows(&[new]).await.expect_err("a column that nobody can fill");
    assert!(error.to_string().contains("r2_objects.must"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_may_not_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::new("");
    database.run(TABLES).await;
    database.run("INSERT INTO r2_objects (object_key) VALUES ('a')").await;
    let registry = open(&database.spec()).await.expect("open");
    let all = rows(&*registry, &["a"]).await;
    std::fs::set_permissions(database.path(), std::fs::Permissions::from_mode(0o444)).expect("read-only");
    if std::fs::OpenOptions::new().write(true).open(database.path()).is_ok() {
        return; // an administrator may write it all the same
    }
    assert_eq!(registry.remove_rows(&[]).await.expect("asked"), RowChange::ReadOnly);
    assert_eq!(registry.remove_rows(&all).await.expect("asked"), RowChange::ReadOnly);
    assert_eq!(rows(&*registry, &["a"]).await, all);
}
