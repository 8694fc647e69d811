//! SQLite: a database file, opened for reading only except while rows are changed.

mod rows;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr, Sqlite, Statement};

use self::rows::Change;
use self::values::{Parameters, bytes, id};
use super::advice::slow_lookup;
use super::queries::{Dialect, From, Queries, Table};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};
use crate::registry::spec::{Role, opening};
use crate::registry::spellings::spellings;
use crate::registry::tally::Tally;
use crate::registry::{KeptRow, Mapping, NewRow, Registry, RegistryError, RowChange, RowSink, as_read};

/// How long to wait for another program that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Parameters in one statement; SQLite allows 32,766 (sqlite.org/limits.html, 9).
const PARAMETERS: usize = 30_000;

const DIALECT: Dialect = Dialect { quote: '"', parameter: "?", exactly: " COLLATE BINARY" };

/// Whether a program died in the middle of a transaction, or before its log was taken in: whoever reads next has to roll it
/// back, and may write for that (sqlite.org/rescode.html, SQLITE_READONLY_ROLLBACK and SQLITE_READONLY_RECOVERY).
fn was_left_in_the_middle(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(code.as_ref(), "776" | "264"))
}

/// A SQLite database as a registry.
pub struct SqliteRegistry {
    name: String,
    path: PathBuf,
    queries: Queries,
    projects: bool,
    tracked: bool,
}

impl SqliteRegistry {
    /// Opens a database and looks whether every table, column and query is there.
    ///
    /// # Errors
    /// As [`super::super::open`]. An absent table of tracked keys is an error: that the app tracks none must be said.
    pub(in crate::registry) async fn open(path: &Path, mapping: &Mapping, role: Role) -> Result<Self, RegistryError> {
        let registry = Self {
            name: format!("sqlite: {}", path.display()),
            path: path.to_owned(),
            queries: Queries::new(DIALECT, mapping),
            projects: role != Role::Tracked,
            tracked: role != Role::Projects,
        };
        let mut connection = registry.connect(true).await?;
        if registry.projects {
            registry.check(&mut connection, &registry.queries.projects, "projects", 1).await?;
        }
        for (from, word) in registry.claim_sources() {
            registry.check(&mut connection, from, word, 2).await?;
        }
        Ok(registry)
    }

    /// Where keys are, tracked ones first.
    fn claim_sources(&self) -> impl Iterator<Item = (&From, &'static str)> {
        let tracked = self.tracked.then_some((&self.queries.tracked, "tracked"));
        tracked.into_iter().chain(self.queries.references.iter().map(|from| (from, "references")))
    }

    async fn connect(&self, read_only: bool) -> Result<SqliteConnection, RegistryError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| opening(&self.name, &error))?;
        if !metadata.is_file() {
            return Err(RegistryError::Unreachable { source_name: self.name.clone(), why: "it is not a file".into() });
        }
        let opened = match self.opened(read_only).await {
            Err(error) if read_only && was_left_in_the_middle(&error) => match self.opened(false).await {
                Ok(_rolled_back) => self.opened(true).await,
                Err(error) => Err(error),
            },
            opened => opened,
        };
        opened.map_err(|error| self.unreachable(&error))
    }

    /// A connection that has read something: only a read looks for what a dead program left in the middle.
    async fn opened(&self, read_only: bool) -> Result<SqliteConnection, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(read_only)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").await?;
        Ok(connection)
    }

    /// Proves that rows can be asked for, without reading any.
    async fn check(
        &self,
        connection: &mut SqliteConnection,
        from: &From,
        word: &str,
        columns: usize,
    ) -> Result<(), RegistryError> {
        if let From::Table(table) = from {
            self.check_table(connection, table, word).await?;
        }
        let found = self.prepare(connection, from, word, self.queries.all(from)).await?.columns().len();
        if found == columns {
            if columns > 1 {
                // The question that is asked before each batch must not fail there for the first time.
                self.prepare(connection, from, word, self.queries.with_keys(from, 1)).await?;
            }
            return Ok(());
        }
        let expected = if columns == 1 { "one column, the id" } else { "two columns, key and owner (NULL if unknown)" };
        Err(self.malformed(place(from, word), format!("expected {expected}, found {found}")))
    }

    async fn prepare(
        &self,
        connection: &mut SqliteConnection,
        from: &From,
        word: &str,
        query: String,
    ) -> Result<sqlx::sqlite::SqliteStatement, RegistryError> {
        let prepared = connection.prepare(AssertSqlSafe(query).into_sql_str()).await;
        prepared.map_err(|error| self.malformed(place(from, word), database_message(&error)))
    }

    async fn check_table(
        &self,
        connection: &mut SqliteConnection,
        table: &Table,
        word: &str,
    ) -> Result<(), RegistryError> {
        let columns = self.names(connection, "SELECT name FROM pragma_table_xinfo(?1)", &table.name).await?;
        let place = format!("table {}", table.name);
        if columns.is_empty() {
            let tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name <> ?1 ORDER BY name";
            let found = self.names(connection, tables, "").await?;
            let say = match word {
                "tracked" => "; if this app does not track keys, say so with `tracked = false`",
                _ => "; name the right one with `projects_table`",
            };
            return Err(self.malformed(place, format!("is not there; there are {}{say}", list(&found))));
        }
        // SQLite compares names of columns without case.
        match table.columns.iter().find(|name| !columns.iter().any(|column| column.eq_ignore_ascii_case(name))) {
            Some(absent) => Err(self.malformed(place, format!("has no column `{absent}`; it has {}", list(&columns)))),
            None => Ok(()),
        }
    }

    async fn names(
        &self,
        connection: &mut SqliteConnection,
        query: &'static str,
        parameter: &str,
    ) -> Result<Vec<String>, RegistryError> {
        sqlx::query_scalar(query).bind(parameter).fetch_all(connection).await.map_err(|error| self.unreachable(&error))
    }

    /// Streams the projects into `sink`.
    async fn stream_projects(&self, connection: &mut SqliteConnection, sink: RowSink<'_>) -> Result<(), RegistryError> {
        let place = place(&self.queries.projects, "projects");
        let mut number = 0u64;
        let mut rows = sqlx::query(AssertSqlSafe(self.queries.all(&self.queries.projects))).fetch(connection);
        while let Some(row) = rows.try_next().await.map_err(|error| self.partial(&error))? {
            number += 1;
            let id =
                id(&row, 0).and_then(|id| id.filter(|id| !id.is_empty()).ok_or("an id that is NULL or empty".into()));
            let id = id.map_err(|why| self.malformed(format!("{place}, row {number}"), why))?;
            sink(RegistryRow::Project { id });
        }
        Ok(())
    }

    /// Streams tracked keys or references into `sink`.
    async fn stream_claims(
        &self,
        connection: &mut SqliteConnection,
        query: sqlx::query::Query<'_, Sqlite, sqlx::sqlite::SqliteArguments>,
        place: &str,
        reference: bool,
        sink: RowSink<'_>,
    ) -> Result<(), RegistryError> {
        let mut number = 0u64;
        let mut rows = query.fetch(connection);
        while let Some(row) = rows.try_next().await.map_err(|error| self.partial(&error))? {
            number += 1;
            let claim = claim(&row, reference).map_err(|why| self.malformed(format!("{place}, row {number}"), why))?;
            sink(claim);
        }
        Ok(())
    }

    fn malformed(&self, place: String, why: String) -> RegistryError {
        RegistryError::Malformed { source_name: self.name.clone(), place, why }
    }

    fn unreachable(&self, error: &sqlx::Error) -> RegistryError {
        RegistryError::Unreachable { source_name: self.name.clone(), why: database_message(error) }
    }

    fn partial(&self, error: &sqlx::Error) -> RegistryError {
        RegistryError::Partial { source_name: self.name.clone(), why: database_message(error) }
    }

    fn refused(&self, error: &sqlx::Error) -> RegistryError {
        RegistryError::Refused { source_name: self.name.clone(), why: database_message(error) }
    }
}

#[async_trait]
impl Registry for SqliteRegistry {
    fn name(&self) -> &str {
        &self.name
    }

    fn tracks_keys(&self) -> bool {
        self.tracked
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        let mut tally = Tally::new(sink);
        let mut connection = self.connect(true).await?;
        // One transaction is one state of the database, however long the reading takes.
        let mut transaction = connection.begin().await.map_err(|error| self.unreachable(&error))?;
        if self.projects {
            self.stream_projects(&mut transaction, &mut |row| tally.row(row)).await?;
        }
        for (from, word) in self.claim_sources() {
            let query = sqlx::query(AssertSqlSafe(self.queries.all(from)));
            let place = place(from, word);
            self.stream_claims(&mut transaction, query, &place, word == "references", &mut |row| tally.row(row))
                .await?;
        }
        transaction.commit().await.map_err(|error| self.partial(&error))?;
        Ok(tally.finish(&self.name, self.tracked))
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        if self.projects {
            let mut connection = self.connect(true).await?;
            self.stream_projects(&mut connection, sink).await?;
        }
        Ok(())
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        let mut claims = Vec::new();
        let mut spelled: Vec<Key> = keys.iter().flat_map(spellings).collect();
        spelled.sort();
        spelled.dedup();
        let mut connection = self.connect(true).await?;
        let mut transaction = connection.begin().await.map_err(|error| self.unreachable(&error))?;
        for (from, word) in self.claim_sources() {
            // At most three parameters for a key.
            for keys in spelled.chunks(PARAMETERS / 3) {
                let mut parameters = Parameters::default();
                keys.iter().for_each(|key| parameters.push(key.as_bytes()));
                let query = parameters.query(self.queries.with_keys(from, parameters.0.len()));
                let place = place(from, word);
                let sink: RowSink<'_> = &mut |row| claims.push(row);
                self.stream_claims(&mut transaction, query, &place, word == "references", sink).await?;
            }
        }
        Ok(claims)
    }

    async fn advice(&self) -> Vec<String> {
        let Ok(mut connection) = self.connect(true).await else { return Vec::new() };
        let mut advice = Vec::new();
        for (from, word) in self.claim_sources() {
            advice.extend(slow_lookup(&mut connection, &self.queries, from, word).await);
        }
        advice
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        match self.rows_table() {
            Some(table) => self.whole_rows(table, keys).await,
            None => Ok(self.claims(keys).await?.into_iter().filter_map(as_read).collect()),
        }
    }

    async fn remove_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.change(Change::Remove(rows)).await
    }

    async fn put_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.change(Change::Put(rows)).await
    }

    async fn add_rows(&self, rows: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.change(Change::Add(rows)).await
    }
}

fn claim(row: &SqliteRow, reference: bool) -> Result<RegistryRow, String> {
    let key = bytes(row, 0)?.filter(|key| !key.is_empty()).ok_or("a key that is NULL or empty")?;
    let key = Key::new(key);
    let project = id(row, 1)?.filter(|id| !id.is_empty());
    Ok(if reference { RegistryRow::Reference { key, project } } else { RegistryRow::Tracked { key, project } })
}

fn place(from: &From, word: &str) -> String {
    match from {
        From::Table(table) => format!("table {}", table.name),
        From::Query(_) => format!("{word}_query"),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}

/// What the database says, without our words around it.
fn database_message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Protocol(why) => why.clone(),
        other => other.to_string(),
    }
}
