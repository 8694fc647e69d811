//! Whole rows: read, compared, removed, put back and added, each call in one transaction.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Row};

use super::values::{Parameters, Value, bytes};
use super::{DIALECT, PARAMETERS, SqliteRegistry};
use crate::domain::Key;
use crate::registry::sql::connection::message;
use crate::registry::sql::queries::Table;
use crate::registry::sql::reader::{id, spelled};

use crate::registry::{KeptRow, NewRow, RegistryError, RowChange};

/// What is to be done to rows.
pub(super) enum Change<'r> {
    Remove(&'r [KeptRow]),
    Put(&'r [KeptRow]),
    Add(&'r [NewRow]),
}

/// Values by column.
type Named = Vec<(String, Value)>;

/// A row and the number that SQLite gave it, if it gave one.
struct Found {
    number: Option<i64>,
    row: KeptRow,
    values: Vec<Value>,
}

/// What a table is made of.
struct Shape {
    /// A name by which the number of a row can be asked for, in tables that have one.
    number: Option<&'static str>,
    /// The number is a column too.
    number_is_column: bool,
    /// The columns that can be written, and whether they have a value where none is given.
    columns: Vec<(String, bool)>,
}

/// The table within a transaction.
struct Rows<'a> {
    registry: &'a SqliteRegistry,
    table: &'a Table,
    shape: Shape,
    connection: &'a mut SqliteConnection,
}

impl SqliteRegistry {
    /// The whole rows of these keys, in any spelling.
    pub(super) async fn whole_rows(&self, table: &Table, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        let opening = self.engine.open(true, self.reader.access.patience).await;
        let mut connection = opening.map_err(|error| self.reader.not_opened(&error))?;
        let mut transaction = connection.begin().await.map_err(|error| self.reader.not_opened(&error))?;
        let mut rows = Rows::new(self, table, &mut transaction).await?;
        Ok(rows.find(&spelled(keys)).await?.into_iter().map(|found| found.row).collect())
    }

    /// Does it in one transaction: all of it or nothing.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<RowChange, RegistryError> {
        let Some((table, _)) = self.reader.tracked_table() else { return Ok(RowChange::ReadOnly) };
        let mut connection = self.connect_to_write().await?;
        let mut transaction = match connection.begin_with("BEGIN IMMEDIATE").await {
            Err(error) if is_read_only(&error) => return Ok(RowChange::ReadOnly),
            begun => begun.map_err(|error| self.reader.refused(message(&error)))?,
        };
        let mut rows = Rows::new(self, table, &mut transaction).await?;
        let changed = match change {
            Change::Remove(some) => rows.remove(some).await?,
            Change::Put(some) => rows.put(some).await?,
            Change::Add(some) => rows.add(some).await?,
        };
        transaction.commit().await.map_err(|error| self.reader.refused(message(&error)))?;
        Ok(RowChange::Changed(changed))
    }
}

/// The whole rows of a table whose key is one of so many parameters: key, owner, the row's number by this name where
/// rows have one, and then these columns.
fn whole(table: &Table, number: Option<&str>, columns: &[&str], parameters: usize) -> String {
    let owner = table.owner.as_deref().unwrap_or(&table.first);
    let named = [&table.first, owner].into_iter().map(|name| DIALECT.quoted(name));
    let columns = columns.iter().map(|name| DIALECT.quoted(name));
    let all = named.chain(number.map(str::to_owned)).chain(columns).map(|name| format!("t.{name}"));
    format!(
        "SELECT {} FROM {} AS t WHERE t.{} IN ({})",
        all.collect::<Vec<_>>().join(", "),
        DIALECT.quoted(&table.name),
        DIALECT.exact(&table.first),
        vec!["?"; parameters].join(", ")
    )
}

/// Whether the file or the file system may not be written (SQLITE_READONLY, sqlite.org/rescode.html; the low byte is the
/// primary code).
fn is_read_only(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 8)
}

impl<'a> Rows<'a> {
    async fn new(
        registry: &'a SqliteRegistry,
        table: &'a Table,
        connection: &'a mut SqliteConnection,
    ) -> Result<Self, RegistryError> {
        let shape = Shape::of(table, connection).await.map_err(|error| registry.reader.not_opened(&error))?;
        Ok(Self { registry, table, shape, connection })
    }

    /// The rows that have one of these keys, spelled exactly so.
    async fn find(&mut self, keys: &[Key]) -> Result<Vec<Found>, RegistryError> {
        let mut found = Vec::new();
        // At most three parameters for a key.
        for keys in keys.chunks(PARAMETERS / 3) {
            let mut parameters = Parameters::default();
            keys.iter().for_each(|key| parameters.push(key.as_bytes()));
            let names: Vec<&str> = self.shape.columns.iter().map(|(name, _)| name.as_str()).collect();
            let query = whole(self.table, self.shape.number, &names, parameters.0.len());
            let rows = parameters.query(query).fetch_all(&mut *self.connection).await;
            for row in rows.map_err(|error| self.registry.reader.partial(message(&error)))? {
                let place = format!("table {}", self.table.name);
                found.push(self.shape.read(&row).map_err(|why| self.registry.reader.malformed(&place, why))?);
            }
        }
        Ok(found)
    }

    /// What there is of the keys of these rows.
    async fn beside(&mut self, keys: impl Iterator<Item = &Key>) -> Result<Vec<Found>, RegistryError> {
        let distinct: HashSet<&Key> = keys.collect();
        let keys: Vec<Key> = distinct.into_iter().cloned().collect();
        self.find(&keys).await
    }

    async fn remove(&mut self, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let mut now: HashMap<KeptRow, Vec<Found>> = HashMap::new();
        for found in self.beside(rows.iter().map(|row| &row.key)).await? {
            now.entry(found.row.clone()).or_default().push(found);
        }
        let mut removed = 0;
        for row in rows {
            let Some(found) = now.get_mut(row).and_then(Vec::pop) else { continue };
            removed += self.delete(found).await?;
        }
        Ok(removed)
    }

    async fn delete(&mut self, found: Found) -> Result<u64, RegistryError> {
        match (self.shape.number, found.number) {
            (Some(name), Some(number)) => {
                let query = format!("DELETE FROM {} WHERE {name} = ?", DIALECT.quoted(&self.table.name));
                self.execute(query, vec![Value::Integer(number)]).await
            }
            // No two rows of such a table are alike: it has a key of its own.
            _ => {
                let columns = self.shape.columns.iter().zip(&found.values);
                let same =
                    columns.map(|((name, _), value)| format!("{} IS {}", DIALECT.exact(name), value.placeholder()));
                let same = same.collect::<Vec<_>>().join(" AND ");
                let query = format!("DELETE FROM {} WHERE {same}", DIALECT.quoted(&self.table.name));
                self.execute(query, found.values).await
            }
        }
    }

    async fn put(&mut self, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let before = self.beside(rows.iter().map(|row| &row.key)).await?;
        let owned: HashSet<(Key, Option<String>)> =
            before.into_iter().map(|found| (found.row.key, found.row.project)).collect();
        let mut put = 0;
        for row in rows.iter().filter(|row| !owned.contains(&(row.key.clone(), row.project.clone()))) {
            let (number, values) = self.shape.parse(&row.content).ok_or_else(|| {
                let why = "the row that was kept is not one of SQLite";
                self.registry.reader.malformed(&format!("key {}", row.key.escaped()), why.into())
            })?;
            put += self.insert(number, values).await?;
        }
        Ok(put)
    }

    async fn add(&mut self, rows: &[NewRow]) -> Result<u64, RegistryError> {
        let before = self.beside(rows.iter().map(|row| &row.key)).await?;
        let mut tracked: HashSet<Key> = before.into_iter().map(|found| found.row.key).collect();
        let mut added = 0;
        for row in rows {
            if tracked.insert(row.key.clone()) {
                added += self.insert(None, self.values(row)).await?;
            }
        }
        Ok(added)
    }

    /// The values of a new row, of the columns that there are.
    fn values(&self, row: &NewRow) -> Named {
        let key =
            row.key.as_str().map_or_else(|| Value::Blob(row.key.as_bytes().to_vec()), |key| Value::Text(key.into()));
        let mut values = vec![(self.table.first.clone(), key)];
        values.extend(self.table.owner.clone().map(|owner| (owner, Value::Text(row.project.clone()))));
        let now = || Value::Text(time::OffsetDateTime::now_utc().format(&NOW).unwrap_or_default());
        let size = || Value::Integer(i64::try_from(row.size).unwrap_or(i64::MAX));
        for (column, has_default) in &self.shape.columns {
            if values.iter().any(|(name, _)| name.eq_ignore_ascii_case(column)) {
                continue;
            }
            let value = match column.to_ascii_lowercase().as_str() {
                "user_id" => Value::text(row.user.as_ref()),
                "scene_id" => Value::text(row.scene.as_ref()),
                "file_type" => Value::text(row.file_type.as_ref()),
                "size_bytes" | "size" => size(),
                "content_type" => Value::text(row.content_type.as_ref()),
                "etag" => Value::text(row.etag.as_ref()),
                "created_at" | "updated_at" if !has_default => now(),
                _ => continue,
            };
            if value != Value::Null {
                values.push((column.clone(), value));
            }
        }
        values
    }

    /// Inserts a row, with its number if that is free. A row whose id is taken is left.
    async fn insert(&mut self, number: Option<i64>, values: Named) -> Result<u64, RegistryError> {
        let table = DIALECT.quoted(&self.table.name);
        let mut names: Vec<String> = values.iter().map(|(name, _)| DIALECT.quoted(name)).collect();
        let mut marks: Vec<String> = values.iter().map(|(_, value)| value.placeholder().to_owned()).collect();
        let mut values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        if let (Some(name), Some(number)) = (self.shape.number, number) {
            names.push(name.to_owned());
            marks.push(format!("CASE WHEN EXISTS (SELECT 1 FROM {table} WHERE {name} = ?) THEN NULL ELSE ? END"));
            values.extend([Value::Integer(number), Value::Integer(number)]);
        }
        let (names, marks) = (names.join(", "), marks.join(", "));
        self.execute(format!("INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"), values).await
    }

    async fn execute(&mut self, query: String, values: Vec<Value>) -> Result<u64, RegistryError> {
        let query = values.into_iter().fold(sqlx::query(AssertSqlSafe(query)), |query, value| value.bind(query));
        let done = query.execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.registry.reader.refused(message(&error)))
    }
}

const NOW: &[time::format_description::BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

impl Shape {
    async fn of(table: &Table, connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        // Numbers 1 to 3 are hidden and generated columns (sqlite.org/pragma.html#pragma_table_xinfo).
        let columns =
            sqlx::query("SELECT name, type, pk, dflt_value IS NOT NULL FROM pragma_table_xinfo(?1) WHERE hidden = 0");
        let columns = columns.bind(&table.name).fetch_all(&mut *connection).await?;
        let kind =
            sqlx::query("SELECT 1 FROM pragma_table_list(?1) WHERE schema = 'main' AND type = 'table' AND wr = 0");
        let has_number = kind.bind(&table.name).fetch_optional(connection).await?.is_some();
        let mut shape = Self { number: None, number_is_column: false, columns: Vec::new() };
        let mut keys = Vec::new();
        for column in &columns {
            let (name, kind, key, has_default): (String, String, i64, bool) =
                (column.try_get(0)?, column.try_get(1)?, column.try_get(2)?, column.try_get(3)?);
            keys.extend((key > 0).then_some(kind));
            shape.columns.push((name, has_default));
        }
        let is_free = |name: &&str| !shape.columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        shape.number = ["_rowid_", "rowid", "oid"].into_iter().find(is_free).filter(|_| has_number);
        // sqlite.org/lang_createtable.html#rowid
        shape.number_is_column = matches!(keys.as_slice(), [kind] if kind.eq_ignore_ascii_case("integer"));
        Ok(shape)
    }

    /// Reads a row of [`super::Queries::whole`].
    fn read(&self, row: &SqliteRow) -> Result<Found, String> {
        let key = bytes(row, 0)?.filter(|key| !key.is_empty()).ok_or("a key that is NULL or empty")?;
        let project = id(row, 1)?;
        let number = self.number.map(|_| row.try_get(2).map_err(|error| error.to_string())).transpose()?;
        let first = 2 + usize::from(self.number.is_some());
        let values = (0..self.columns.len()).map(|at| Value::read(row, first + at)).collect::<Result<Vec<_>, _>>()?;
        let columns: Map<_, _> =
            self.columns.iter().zip(&values).map(|((name, _), value)| (name.clone(), value.to_json())).collect();
        let kept_number = number.filter(|_| !self.number_is_column);
        let content = json!({ "number": kept_number, "row": columns }).to_string();
        Ok(Found { number, row: KeptRow { key: Key::new(key), project, content }, values })
    }

    /// Reads the content of a row that [`Shape::read`] made.
    fn parse(&self, content: &str) -> Option<(Option<i64>, Named)> {
        let content: serde_json::Value = serde_json::from_str(content).ok()?;
        let columns = content.get("row")?.as_object()?;
        let values = columns.iter().map(|(name, value)| Some((name.clone(), Value::from_json(value)?)));
        Some((content.get("number")?.as_i64(), values.collect::<Option<_>>()?))
    }
}
