use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::conformance::{Filling, Fixture, conforms, project, rows, tracked};
use crate::registry::{Location, RegistryError, RegistrySpec, RowChange, SharedRegistry, TrackedKeys, open};

mod rows;

/// The tables that the demo and the app use.
const TABLES: &str = "CREATE TABLE projects (id TEXT PRIMARY KEY);
    CREATE TABLE r2_objects (project_id TEXT, scene_id TEXT, object_key TEXT NOT NULL, file_type TEXT, created_at TEXT);";

struct Database {
    directory: tempfile::TempDir,
    /// Run once on the new file.
    before: &'static str,
}

impl Database {
    fn new(before: &'static str) -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), before }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("app.db")
    }

    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true).foreign_keys(false);
        SqliteConnection::connect_with(&options).await.expect("a connection")
    }

    /// Runs statements.
    async fn run(&self, statements: &str) {
        let mut connection = self.connection().await;
        connection.execute(AssertSqlSafe(statements)).await.expect(statements);
        connection.close().await.expect("closed");
    }

    fn spec(&self) -> RegistrySpec {
        RegistrySpec::parse("app.db", self.directory.path()).expect("an address")
    }

    /// What is read, or the error, opened as the spec that `change` makes.
    async fn reading(&self, change: impl FnOnce(&mut RegistrySpec)) -> Result<Vec<RegistryRow>, String> {
        let mut spec = self.spec();
        change(&mut spec);
        let without_directory =
            |error: RegistryError| error.to_string().replace(&format!("{}/", self.directory.path().display()), "");
        let registry = open(&spec).await.map_err(without_directory)?;
        rows(&*registry).await.map(|(rows, _)| rows).map_err(without_directory)
    }
}

#[async_trait]
impl Fixture for Database {
    async fn fill(&self, filling: &Filling) {
        if !self.path().exists() {
            self.run(self.before).await;
            self.run(TABLES).await;
        }
        let mut connection = self.connection().await;
        let mut transaction = connection.begin().await.expect("begun");
        transaction.execute("DELETE FROM projects; DELETE FROM r2_objects").await.expect("emptied");
        for id in &filling.projects {
            sqlx::query("INSERT INTO projects VALUES (?1)")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .expect("a project");
        }
        for (key, owner) in &filling.tracked {
            let query = sqlx::query("INSERT INTO r2_objects (object_key, project_id) VALUES (?1, ?2)");
            query.bind(key.as_str()).bind(owner).execute(&mut *transaction).await.expect("a key");
        }
        transaction.commit().await.expect("committed");
        connection.close().await.expect("closed");
    }

    async fn remove(&self) {
        let _ = std::fs::remove_file(self.path());
    }

    async fn open(&self) -> Result<SharedRegistry, RegistryError> {
        open(&RegistrySpec {
            projects: Location::Sqlite(self.path()),
            tracked: TrackedKeys::SameSource,
            mapping: crate::registry::Mapping::default(),
            access: crate::registry::Access::default(),
        })
        .await
    }

    async fn change(&self, key: &str) {
        let mut connection = self.connection().await;
        let query = sqlx::query("UPDATE r2_objects SET scene_id = coalesce(scene_id, 0) || 'x' WHERE object_key = ?1");
        query.bind(key).execute(&mut connection).await.expect("changed");
        connection.close().await.expect("closed");
    }

    fn can_change(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn sqlite_conforms() {
    conforms(&Database::new("SELECT 1")).await;
    conforms(&Database::new("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (x); DROP TABLE t")).await;
}

#[tokio::test]
async fn sqlite_with_a_write_ahead_log_conforms() {
    conforms(&Database::new("PRAGMA journal_mode = WAL")).await;
}

#[tokio::test]
async fn ids_and_keys_of_every_type() {
    let database = Database::new("");
    database
        .run(
            "CREATE TABLE projects (id);
             INSERT INTO projects VALUES ('a'), (7), (x'62');
             CREATE TABLE r2_objects (object_key, project_id);
             INSERT INTO r2_objects VALUES ('k', 7), (x'ff2f', 'a'), (12, NULL), ('l', '')",
        )
        .await;
    let found = database.reading(|_| {}).await.expect("a reading");
    let bytes = RegistryRow::Tracked { key: Key::new(b"\xff/"), project: Some("a".into()) };
    let expected = [
        project("a"),
        project("7"),
        project("b"),
        tracked("k", Some("7")),
        bytes,
        tracked("12", None),
        tracked("l", None),
    ];
    assert_eq!(found, expected);
    let registry = open(&database.spec()).await.expect("open");
    let keys = [Key::new(b"\xff/"), "12".into(), "k".into()];
    assert_eq!(registry.claims(&keys).await.expect("claims").len(), 3);
    let rows = registry.rows(&keys).await.expect("rows");
    assert_eq!(registry.remove_rows(&rows).await.expect("removed"), RowChange::Changed(3));
    assert_eq!(registry.put_rows(&rows).await.expect("put back"), RowChange::Changed(3));
    assert_eq!(database.reading(|_| {}).await.expect("a reading"), expected);
}

#[tokio::test]
async fn a_row_that_is_not_as_expected_names_its_table_and_number() {
    for (rows, message) in [
        ("INSERT INTO projects VALUES ('a'), (NULL)", "table projects, row 2: an id that is NULL or empty"),
        ("INSERT INTO projects VALUES ('')", "table projects, row 1: an id that is NULL or empty"),
        (
            "INSERT INTO projects VALUES (1.5)",
            "table projects, row 1: expected text, a whole number or bytes, found REAL",
        ),
        (
            "INSERT INTO projects VALUES (x'ff')",
            "table projects, row 1: an id of bytes that are not text; say how it is spelled in keys with a query, for example SELECT lower(hex(id)) FROM projects",
        ),
        ("INSERT INTO r2_objects VALUES ('k', 1), (NULL, 1)", "table r2_objects, row 2: a key that is NULL or empty"),
        ("INSERT INTO r2_objects VALUES ('', 1)", "table r2_objects, row 1: a key that is NULL or empty"),
    ] {
        let database = Database::new("");
        database.run("CREATE TABLE projects (id); CREATE TABLE r2_objects (object_key, project_id)").await;
        database.run(rows).await;
        let error = database.reading(|_| {}).await.expect_err(rows);
        assert_eq!(error, format!("sqlite: app.db, {message}"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_and_never_assumed() {
    let database = Database::new("");
    database.run("CREATE TABLE projects (id); INSERT INTO projects VALUES ('1'); CREATE TABLE other (x)").await;
    let check = async |change: fn(&mut RegistrySpec), message: &str| {
        assert_eq!(database.reading(change).await.expect_err(message), format!("sqlite: app.db, {message}"));
    };
    check(|_| {}, "table r2_objects: is not there; there are other, projects; if this app does not track keys, say so with `tracked = false`").await;
    check(
        |spec| spec.mapping.projects_table = Some("proj".into()),
        "table proj: is not there; there are other, projects; name the right one with `projects_table`",
    )
    .await;
    // SQLite alone would take the unknown name for a text, and every row for a project of that name.
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
    check(
        |spec| spec.mapping.tracked_query = Some("SELECT x FROM other".into()),
        "tracked_query: expected two columns, key and owner (NULL if unknown), found 1",
    )
    .await;
    check(
        |spec| spec.mapping.projects_query = Some("SELECT id FROM nowhere".into()),
        "projects_query: no such table: nowhere",
    )
    .await;
    let rows = database.reading(|spec| spec.tracked = TrackedKeys::NotTracked).await;
    assert_eq!(rows.expect("said so"), [project("1")]);
    let untracked = RegistrySpec::parse(&format!("sqlite:{}?tracked=false", database.path().display()), Path::new("/"));
    let registry = open(&untracked.expect("an address")).await.expect("open");
    assert!(!registry.tracks_keys());
    assert_eq!(rows_of(&*registry).await, (vec![project("1")], None));
    assert_eq!(registry.remove_rows(&[]).await.expect("nothing"), RowChange::ReadOnly);
}

async fn rows_of(registry: &dyn crate::registry::Registry) -> (Vec<RegistryRow>, Option<u64>) {
    let (rows, report) = rows(registry).await.expect("a reading");
    (rows, report.tracked)
}

#[tokio::test]
async fn own_queries_and_references() {
    let database = Database::new("");
    database
        .run(
            "CREATE TABLE apps (\"the id\" TEXT, gone INTEGER);
             INSERT INTO apps VALUES ('1', 0), ('2', 1);
             CREATE TABLE files (path TEXT, app TEXT);
             INSERT INTO files VALUES ('a', '1'), ('b', NULL);
             CREATE TABLE scenes (picture TEXT, app TEXT);
             INSERT INTO scenes VALUES ('c', '1')",
        )
        .await;
    let mut spec = database.spec();
    spec.mapping.projects_query = Some("SELECT \"the id\" FROM apps WHERE NOT gone; ".into());
    spec.mapping.tracked_query = Some("SELECT path, app FROM files -- all of them".into());
    spec.mapping.references_query = Some("SELECT picture, app FROM scenes;".into());
    let registry = open(&spec).await.expect("open");
    let (found, report) = rows(&*registry).await.expect("a reading");
    let reference = RegistryRow::Reference { key: "c".into(), project: Some("1".into()) };
    assert_eq!(found, [project("1"), tracked("a", Some("1")), tracked("b", None), reference.clone()]);
    assert_eq!((report.projects, report.tracked, report.references), (1, Some(2), 1));
    let claims = registry.claims(&["a".into(), "c".into()]).await.expect("claims");
    assert_eq!(claims, [tracked("a", Some("1")), reference]);
    assert_eq!(registry.remove_rows(&[]).await.expect("read only"), RowChange::ReadOnly);
    assert_eq!(registry.rows(&["a".into()]).await.expect("rows")[0].project.as_deref(), Some("1"));
}

#[tokio::test]
async fn names_with_quotes_and_columns_that_compare_without_case() {
    let database = Database::new("");
    database
        .run(
            "CREATE TABLE \"pro\"\"jects\" (ID TEXT);
             INSERT INTO \"pro\"\"jects\" VALUES ('1');
             CREATE TABLE r2_objects (object_key TEXT COLLATE NOCASE, project_id TEXT COLLATE NOCASE);
             INSERT INTO r2_objects VALUES ('a', 'p'), ('A', 'P')",
        )
        .await;
    let mut spec = database.spec();
    spec.mapping.projects_table = Some("pro\"jects".into());
    let registry = open(&spec).await.expect("open");
    assert_eq!(registry.claims(&["a".into()]).await.expect("claims"), [tracked("a", Some("p"))]);
    let rows = registry.rows(&["a".into()]).await.expect("rows");
    assert_eq!(registry.remove_rows(&rows).await.expect("removed"), RowChange::Changed(1));
    assert_eq!(rows_of(&*registry).await, (vec![project("1"), tracked("A", Some("P"))], Some(1)));
}

#[tokio::test]
async fn nothing_is_created_or_changed_by_reading() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("absent.db");
    let spec = RegistrySpec::parse("sqlite:absent.db", directory.path()).expect("an address");
    assert!(matches!(open(&spec).await.map(drop), Err(RegistryError::Missing(name)) if name.ends_with("absent.db")));
    assert!(!path.exists());
    let database = Database::new("");
    database.run(TABLES).await;
    let registry = open(&database.spec()).await.expect("open");
    let before = std::fs::read(database.path()).expect("the file");
    rows(&*registry).await.expect("a reading");
    assert_eq!(std::fs::read(database.path()).expect("the file"), before);
    let mut mischief = database.spec();
    mischief.mapping.projects_query = Some("DELETE FROM projects RETURNING id".into());
    let error = match open(&mischief).await {
        Ok(registry) => rows(&*registry).await.map(drop).expect_err("a query that writes"),
        Err(error) => error,
    };
    assert!(error.to_string().contains("syntax error"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_or_is_cut_off_is_an_error() {
    let database = Database::new("");
    database.run(TABLES).await;
    database.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO projects SELECT 'proj_' || i FROM n").await;
    let whole = std::fs::read(database.path()).expect("the file");
    std::fs::write(database.path(), &whole[..whole.len() / 2]).expect("cut off");
    let error = database.reading(|_| {}).await.expect_err("cut off");
    assert!(error.contains("malformed"), "{error}");
    std::fs::write(database.path(), "not a database").expect("written");
    let spec = RegistrySpec::parse("sqlite:app.db", database.directory.path()).expect("an address");
    let error = open(&spec).await.map(drop).expect_err("no database");
    assert!(error.to_string().contains("file is not a database"), "{error}");
}

#[tokio::test]
async fn a_reading_sees_one_state_while_the_app_writes() {
    let database = Database::new("");
    database.run("PRAGMA journal_mode = WAL").await;
    database.run(TABLES).await;
    database
        .run("INSERT INTO projects VALUES ('1'); INSERT INTO r2_objects (object_key, project_id) VALUES ('a', '1')")
        .await;
    let registry = open(&database.spec()).await.expect("open");
    let (started, starts) = std::sync::mpsc::channel::<()>();
    let (written, writes) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let path = database.path();
        move || {
            starts.recv().expect("the reading has started");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = SqliteConnection::connect_with(&options).await.expect("a connection");
                connection
                    .execute("INSERT INTO r2_objects (object_key, project_id) VALUES ('b', '2')")
                    .await
                    .expect("written");
            });
            written.send(()).expect("told");
        }
    });
    let mut found = Vec::new();
    let rows_found = &mut found;
    let mut sink = move |row| {
        let found = &mut *rows_found;
        if found.is_empty() {
            started.send(()).expect("told");
            writes.recv().expect("written");
        }
        found.push(row);
    };
    registry.read(&mut sink).await.expect("a reading");
    writer.join().expect("the writer");
    assert_eq!(found, [project("1"), tracked("a", Some("1"))]);
    assert_eq!(rows_of(&*registry).await.1, Some(2));
}

#[tokio::test]
async fn a_missing_index_on_keys_is_noticed() {
    let database = Database::new("");
    database.run(TABLES).await;
    let advice = async || open(&database.spec()).await.expect("a registry").advice().await;
    let said = advice().await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("CREATE INDEX by_key ON r2_objects (object_key)"), "{said:?}");
    database.run("CREATE INDEX by_key ON r2_objects (object_key)").await;
    assert_eq!(advice().await, Vec::<String>::new());
}

/// The files of a database as a program leaves them that is killed in the middle of a transaction.
async fn killed_while_writing(database: &Database) -> tempfile::TempDir {
    let left = tempfile::tempdir().expect("a directory");
    let mut connection = database.connection().await;
    // More than fits into memory, so that some of it is in the file before the end.
    connection.execute("PRAGMA cache_size = 1; BEGIN IMMEDIATE; DELETE FROM r2_objects").await.expect("a deletion");
    for file in ["app.db", "app.db-journal"] {
        std::fs::copy(database.directory.path().join(file), left.path().join(file)).expect("a copy");
    }
    left
}

#[tokio::test]
async fn row_47_a_transaction_that_was_cut_off_by_a_kill_is_rolled_back() {
    let database = Database::new(TABLES);
    database.run(TABLES).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO r2_objects SELECT 'proj_1', NULL, 'projects/proj_1/' || i, NULL, NULL FROM n;
        INSERT INTO projects VALUES ('proj_10');";
    database.run(many).await;
    let left = killed_while_writing(&database).await;
    let spec = RegistrySpec::parse("app.db", left.path()).expect("an address");
    let registry = open(&spec).await.expect("a registry");
    let mut rows = 0;
    registry.read(&mut |_| rows += 1).await.expect("a whole reading");
    assert_eq!(rows, 2001);
}
