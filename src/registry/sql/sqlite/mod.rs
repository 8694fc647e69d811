//! SQLite: a database file, opened for reading only except while rows are changed.

mod rows;
mod values;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Executor, Sqlite};

use self::rows::Change;
use self::values::bytes;
use super::connection::{Ask, Cells, Connection, Halt, Parameter, connection};
use super::engine::{Engine, Meaning, Purpose, Stored};
use super::queries::{Dialect, From, Part, Table};
use super::reader::Reader;
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};
use crate::registry::spec::Role;
use crate::registry::{Access, KeptRow, Mapping, NewRow, Registry, RegistryError, RowChange, RowSink, as_read};

/// Parameters in one statement; SQLite allows 32,766 (sqlite.org/limits.html, 9).
const PARAMETERS: usize = 30_000;

const DIALECT: Dialect = Dialect::SQLITE;

connection!(Session, Sqlite, SqliteConnection, bind);

/// Whether a program died in the middle of a transaction, or before its log was taken in: whoever reads next has to roll it
/// back, and may write for that (sqlite.org/rescode.html, SQLITE_READONLY_ROLLBACK and SQLITE_READONLY_RECOVERY).
fn was_left_in_the_middle(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(code.as_ref(), "776" | "264"))
}

/// A SQLite database as a registry.
pub struct SqliteRegistry {
    reader: Reader,
    engine: Arc<SqliteEngine>,
}

/// The file.
struct SqliteEngine {
    path: PathBuf,
}

impl SqliteRegistry {
    /// Opens a database and looks whether every table, column and query is there.
    ///
    /// # Errors
    /// As [`super::super::open`]. An absent table of tracked keys is an error: that the app tracks none must be said.
    pub(in crate::registry) async fn open(
        path: &Path,
        mapping: &Mapping,
        role: Role,
        access: Access,
    ) -> Result<Self, RegistryError> {
        let engine = Arc::new(SqliteEngine { path: path.to_owned() });
        let name = format!("sqlite: {}", path.display());
        let shared: Arc<dyn Engine> = engine.clone();
        let reader = Reader::open(name, shared, mapping, role, access).await?;
        Ok(Self { reader, engine })
    }

    /// Opens the file for writing.
    async fn connect_to_write(&self) -> Result<SqliteConnection, RegistryError> {
        let connecting = self.engine.open(false, self.reader.access.patience).await;
        connecting.map_err(|error| self.reader.not_opened(&error))
    }
}

impl SqliteEngine {
    async fn open(&self, read_only: bool, patience: Duration) -> Result<SqliteConnection, sqlx::Error> {
        if !std::fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::other("it is not a file").into());
        }
        match self.opened(read_only, patience).await {
            Err(error) if read_only && was_left_in_the_middle(&error) => match self.opened(false, patience).await {
                Ok(_rolled_back) => self.opened(true, patience).await,
                Err(error) => Err(error),
            },
            opened => opened,
        }
    }

    /// A connection that has read something: only a read looks for what a dead program left in the middle.
    async fn opened(&self, read_only: bool, patience: Duration) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(read_only)
            .create_if_missing(false)
            // How long to wait for another program that is writing.
            .busy_timeout(patience)
            .disable_statement_logging()
            .connect()
            .await?;
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").await?;
        Ok(connection)
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    async fn connect(&self, _: Purpose, patience: Duration) -> Result<Box<dyn Connection>, sqlx::Error> {
        let mut session = Session(self.open(true, patience).await?);
        session.0.execute("BEGIN").await?;
        Ok(Box::new(session))
    }

    async fn replica(&self, _: &mut dyn Connection, _: Duration) -> Result<Option<&'static str>, Halt> {
        Ok(None)
    }

    /// By its words: the code of both is that of every mistake in a statement (sqlite.org/rescode.html#error).
    fn meaning(&self, error: &sqlx::Error) -> Meaning {
        match error.as_database_error().map(|error| error.message()) {
            Some(words) if words.starts_with("no such table") => Meaning::NoTable,
            Some(words) if words.starts_with("no such column") => Meaning::NoColumn,
            _ => Meaning::Other,
        }
    }

    /// Types belong to values and not to columns.
    fn stored(&self, _: &str) -> Option<Stored> {
        Some(Stored::Text)
    }

    fn one_of(&self, column: &str, _: Stored, keys: &[Key]) -> Vec<(String, Vec<Parameter>)> {
        let list = |keys: &[Key]| {
            let parameters: Vec<Parameter> = keys.iter().flat_map(|key| parameters(key.as_bytes())).collect();
            let marks = vec!["?"; parameters.len()].join(", ");
            (format!("{column} COLLATE BINARY IN ({marks})"), parameters)
        };
        keys.chunks(PARAMETERS / 3).map(list).collect()
    }

    fn tables(&self) -> Ask {
        Ask::plain("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
    }

    fn columns(&self, table: &Table) -> Ask {
        Ask::with_texts("SELECT name FROM pragma_table_xinfo(?)", &[&table.name])
    }

    /// The database itself says how it would do it.
    async fn advice(&self, connection: &mut dyn Connection, part: &Part, patience: Duration) -> Option<String> {
        let (condition, parameters) = self.one_of("claimed", Stored::Text, &["".into()]).pop()?;
        let text = format!("EXPLAIN QUERY PLAN {}", part.claims(&DIALECT, &condition, false));
        let mut scan = None;
        let mut take = |row: &dyn Cells| {
            let detail = String::from_utf8(row.bytes(3)?.unwrap_or_default()).unwrap_or_default();
            if detail.starts_with("SCAN ") && !detail.contains("INDEX") {
                scan.get_or_insert(detail);
            }
            Ok(())
        };
        connection.each(Ask { text, parameters }, patience, &mut take).await.ok()?;
        let scan = scan?;
        let (keys, mend) = match &part.from {
            From::Table(Table { name, first, .. }) => (name, format!("CREATE INDEX by_key ON {name} ({first})")),
            From::Query(_) => (&part.place, "index the column of keys that the query reads".into()),
        };
        Some(format!("looking up keys of {keys} reads all of them ({scan}): {mend}"))
    }
}

/// A value in every type in which it may be stored, at most three: text and bytes are never equal, nor are text and
/// numbers.
fn parameters(bytes: &[u8]) -> Vec<Parameter> {
    let mut found = vec![Parameter::Bytes(bytes.to_vec())];
    if let Ok(text) = std::str::from_utf8(bytes) {
        found.push(Parameter::Text(text.to_owned()));
        let number = text.parse().ok().filter(|number: &i64| number.to_string() == text);
        found.extend(number.map(Parameter::Number));
    }
    found
}

fn bind(
    query: Query<'static, Sqlite, SqliteArguments>,
    parameter: Parameter,
) -> Query<'static, Sqlite, SqliteArguments> {
    match parameter {
        Parameter::Null => query.bind(None::<String>),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
        Parameter::Number(number) => query.bind(number),
        // Lists are made for databases that know them.
        Parameter::Texts(_) | Parameter::ByteStrings(_) => query,
    }
}

impl Cells for SqliteRow {
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, String> {
        bytes(self, column)
    }
}

#[async_trait]
impl Registry for SqliteRegistry {
    fn name(&self) -> &str {
        &self.reader.name
    }

    fn tracks_keys(&self) -> bool {
        self.reader.tracked
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        self.reader.read(sink).await
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.reader.projects(sink).await
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        self.reader.claims(keys).await
    }

    async fn advice(&self) -> Vec<String> {
        self.reader.advice().await
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        match self.reader.tracked_table() {
            Some((table, _)) => self.whole_rows(table, keys).await,
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
