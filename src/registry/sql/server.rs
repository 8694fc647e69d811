//! A database on a server as a registry; its rows are changed in one transaction a call.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::address::{Server, ServerAddress};
use super::connection::{Ask, Cells, Connection, Halt};
use super::engine::{Column, Datum, Engine, Insert, Meaning, Purpose, RowEngine, Stored, Target};
use super::reader::{Reader, id, spelled};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};
use crate::registry::spec::Role;
use crate::registry::{Access, KeptRow, Mapping, NewRow, Registry, RegistryError, RowChange, RowSink, as_read};

/// Rows in one statement that inserts.
const INSERTS: usize = 200;

/// A database on a server.
pub(in crate::registry) struct ServerRegistry {
    reader: Reader,
    engine: Arc<dyn RowEngine>,
}

#[async_trait]
impl Registry for ServerRegistry {
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
        match self.rows_of(Purpose::Looking).await? {
            Some(mut rows) => rows.find(&spelled(keys)).await,
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

impl ServerRegistry {
    /// Opens a database and looks whether every table, column and query is there.
    ///
    /// # Errors
    /// As [`crate::registry::open`].
    pub(in crate::registry) async fn open(
        address: &ServerAddress,
        mapping: &Mapping,
        role: Role,
        access: Access,
    ) -> Result<Self, RegistryError> {
        let access = Access {
            replica: access.replica || address.takes_replica(),
            no_snapshot: access.no_snapshot || address.takes_no_snapshot(),
            ..access
        };
        match address.server() {
            #[cfg(feature = "postgres")]
            Server::Postgres => {
                let (engine, name) = super::postgres::PostgresEngine::new(address)?;
                Self::of(Arc::new(engine), name, mapping, role, access).await
            }
            #[cfg(feature = "mysql")]
            Server::MySql => {
                let (engine, name) = super::mysql::MySqlEngine::new(address)?;
                Self::of(Arc::new(engine), name, mapping, role, access).await
            }
            #[cfg(not(all(feature = "postgres", feature = "mysql")))]
            _ => Err(address.not_built()),
        }
    }

    async fn of<E: RowEngine + 'static>(
        engine: Arc<E>,
        name: String,
        mapping: &Mapping,
        role: Role,
        access: Access,
    ) -> Result<Self, RegistryError> {
        let shared: Arc<dyn Engine> = engine.clone();
        let reader = Reader::open(name, shared, mapping, role, access).await?;
        Ok(Self { reader, engine })
    }
}

/// What is to be done to rows.
#[derive(Clone, Copy)]
enum Change<'r> {
    Remove(&'r [KeptRow]),
    Put(&'r [KeptRow]),
    Add(&'r [NewRow]),
}

/// The table of tracked keys within a transaction.
struct Rows<'a> {
    reader: &'a Reader,
    engine: &'a dyn RowEngine,
    target: Target<'a>,
    connection: Box<dyn Connection>,
}

impl ServerRegistry {
    /// The table whose rows can be looked at and changed, if there is one.
    async fn rows_of(&self, purpose: Purpose) -> Result<Option<Rows<'_>>, RegistryError> {
        let reader = &self.reader;
        let Some((table, stored)) = reader.tracked_table() else { return Ok(None) };
        let mut connection = reader.connect(purpose).await?;
        let mut columns = Vec::new();
        let mut take = |row: &dyn Cells| {
            let text = |at| Ok::<_, String>(String::from_utf8_lossy(&row.bytes(at)?.unwrap_or_default()).into_owned());
            columns.push(Column { name: text(0)?, kind: text(1)?, has_default: text(2)? == "true" });
            Ok(())
        };
        let asked = connection.each(reader.engine.columns(table), reader.access.patience, &mut take).await;
        asked.map_err(|halt| reader.halted(&table.name, halt))?;
        let target = Target { dialect: reader.engine.dialect(), table, stored, columns };
        Ok(Some(Rows { reader, engine: &*self.engine, target, connection }))
    }

    /// Does it in one transaction: all of it or nothing.
    async fn change(&self, change: Change<'_>) -> Result<RowChange, RegistryError> {
        let Some(mut rows) = self.rows_of(Purpose::Changing).await? else { return Ok(RowChange::ReadOnly) };
        let changed = match change {
            Change::Remove(some) => rows.remove(some).await?,
            Change::Put(some) => rows.put(some).await?,
            Change::Add(some) => rows.add(some).await?,
        };
        // Where the answer to this is lost, it may have happened.
        let committed = rows.connection.run("COMMIT", self.reader.access.patience).await;
        committed.map_err(|halt| {
            self.reader.partial(format!("it is not known whether the rows were changed: {}", halt.why()))
        })?;
        Ok(RowChange::Changed(changed))
    }
}

impl Rows<'_> {
    /// The rows that have one of these keys, spelled exactly so.
    async fn find(&mut self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        let Self { reader, engine, target, connection } = self;
        let wanted: HashSet<&Key> = keys.iter().collect();
        let owner = target.table.owner.as_deref().unwrap_or(&target.table.first);
        let column = |name: &str| format!("t.{}", target.dialect.quoted(name));
        let (key, owner, table) = (column(&target.table.first), column(owner), target.dialect.table(target.table));
        let mut found = Vec::new();
        for (condition, parameters) in engine.one_of(&key, target.stored, keys) {
            let text = format!("SELECT {key}, {owner}{} FROM {table} AS t WHERE {condition}", engine.whole(target));
            let mut take = |row: &dyn Cells| {
                let key = Key::new(row.bytes(0)?.ok_or("a key that is NULL")?);
                if wanted.contains(&key) {
                    found.push(KeptRow { key, project: id(row, 1)?, content: engine.content(target, row, 2)? });
                }
                Ok(())
            };
            let asked = connection.each(Ask { text, parameters }, reader.access.patience, &mut take);
            asked.await.map_err(|halt| reader.halted(&target.table.name, halt))?;
        }
        Ok(found)
    }

    /// What there is of these keys.
    async fn beside(&mut self, keys: impl Iterator<Item = &Key>) -> Result<Vec<KeptRow>, RegistryError> {
        let distinct: HashSet<&Key> = keys.collect();
        let keys: Vec<Key> = distinct.into_iter().cloned().collect();
        self.find(&keys).await
    }

    async fn remove(&mut self, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let distinct: HashSet<&KeptRow> = rows.iter().collect();
        let rows: Vec<&KeptRow> = distinct.into_iter().collect();
        let mut removed = 0;
        for ask in self.engine.remove(&self.target, &rows).map_err(|why| self.not_kept(why))? {
            removed += self.execute(ask).await?.unwrap_or_default();
        }
        Ok(removed)
    }

    async fn put(&mut self, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let before = self.beside(rows.iter().map(|row| &row.key)).await?;
        let owned: HashSet<(Key, Option<String>)> = before.into_iter().map(|row| (row.key, row.project)).collect();
        let rows = rows.iter().filter(|row| !owned.contains(&(row.key.clone(), row.project.clone())));
        self.insert(&rows.map(Insert::Kept).collect::<Vec<_>>()).await
    }

    async fn add(&mut self, rows: &[NewRow]) -> Result<u64, RegistryError> {
        let before = self.beside(rows.iter().map(|row| &row.key)).await?;
        let mut tracked: HashSet<Key> = before.into_iter().map(|row| row.key).collect();
        let rows: Vec<&NewRow> = rows.iter().filter(|row| tracked.insert(row.key.clone())).collect();
        let inserts = rows.into_iter().map(|row| Insert::New(self.values(row))).collect::<Vec<_>>();
        self.insert(&inserts).await
    }

    /// The values of a new row, of the columns that there are.
    fn values(&self, row: &NewRow) -> Vec<(String, Datum)> {
        let text = |text: &Option<String>| text.clone().map(Datum::Text);
        let key = match row.key.as_str() {
            Some(key) => Datum::Text(key.to_owned()),
            None => Datum::Bytes(row.key.as_bytes().to_vec()),
        };
        let key = match (self.target.stored, key) {
            (Stored::Bytes, Datum::Text(key)) => Datum::Bytes(key.into_bytes()),
            (_, key) => key,
        };
        let mut values = vec![(self.target.table.first.clone(), key)];
        values.extend(self.target.table.owner.clone().map(|owner| (owner, Datum::Text(row.project.clone()))));
        for Column { name, has_default, .. } in &self.target.columns {
            let value = match name.to_ascii_lowercase().as_str() {
                _ if values.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) => None,
                "user_id" => text(&row.user),
                "scene_id" => text(&row.scene),
                "file_type" => text(&row.file_type),
                "size_bytes" | "size" => Some(Datum::Number(row.size)),
                "content_type" => text(&row.content_type),
                "etag" => text(&row.etag),
                "created_at" | "updated_at" if !has_default => Some(Datum::Now),
                _ => None,
            };
            values.extend(value.map(|value| (name.clone(), value)));
        }
        values
    }

    /// Inserts rows; one whose id is taken is left. Where the database refuses all of a statement for one such row, it is
    /// tried again in halves.
    async fn insert(&mut self, rows: &[Insert<'_>]) -> Result<u64, RegistryError> {
        let mut left: Vec<&[Insert<'_>]> = rows.chunks(INSERTS).rev().collect();
        let mut inserted = 0;
        while let Some(rows) = left.pop() {
            let mut asks = self.engine.insert(&self.target, rows).map_err(|why| self.not_kept(why))?;
            let one = if asks.len() > 1 { None } else { asks.pop() };
            let done = match one {
                Some(ask) => self.execute(ask).await?,
                None => None,
            };
            match done {
                Some(count) => inserted += count,
                None if rows.len() > 1 => {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    left.extend([second, first]);
                }
                None => {}
            }
        }
        Ok(inserted)
    }

    fn not_kept(&self, why: String) -> RegistryError {
        self.reader.malformed(&self.target.table.name, why)
    }

    /// Runs a statement; `None` if it did nothing because an id is taken.
    async fn execute(&mut self, ask: Ask) -> Result<Option<u64>, RegistryError> {
        match self.connection.each(ask, self.reader.access.patience, &mut |_| Ok(())).await {
            Ok(count) => Ok(Some(count)),
            Err(Halt::Database(error)) if self.engine.meaning(&error) == Meaning::Duplicate => Ok(None),
            // Nothing was committed.
            Err(halt) => Err(self.reader.refused(halt.why())),
        }
    }
}
