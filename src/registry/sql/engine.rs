//! What differs between databases on servers: how one connects, what errors mean, and how rows are written down.

use std::time::Duration;

use async_trait::async_trait;

use super::connection::{Ask, Cells, Connection, Halt, Parameter};
use super::queries::{Dialect, From, Part, Table};
use crate::domain::Key;
use crate::registry::KeptRow;

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// A reading of everything, of one moment, however long it takes.
    Reading,
    /// A question about a few keys, or a look at what is there.
    Looking,
    /// A change.
    Changing,
}

/// What an error of a database means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    NoDatabase,
    NoTable,
    NoColumn,
    Denied,
    /// Rows would be left out that others may see.
    RowsHidden,
    ReadOnly,
    Duplicate,
    Other,
}

/// How keys are stored, where it makes a difference to how they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    Text,
    Bytes,
}

/// A column of a table whose rows are changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The database's own name of its type.
    pub(super) kind: String,
    /// It has a value where none is given.
    pub(super) has_default: bool,
}

/// A value of a new row.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Datum {
    Text(String),
    Bytes(Vec<u8>),
    Number(u64),
    /// The moment of the change.
    Now,
}

/// A row to insert.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Insert<'r> {
    /// A row that was kept.
    Kept(&'r KeptRow),
    /// Values of some columns.
    New(Vec<(String, Datum)>),
}

/// A table, as the statements need it.
pub(super) struct Target<'t> {
    pub(super) dialect: &'t Dialect,
    pub(super) table: &'t Table,
    pub(super) stored: Stored,
    /// The columns that can be written.
    pub(super) columns: Vec<Column>,
}

/// A database.
#[async_trait]
pub(super) trait Engine: Send + Sync {
    fn dialect(&self) -> &Dialect;

    /// Connects, and begins a transaction in which no statement of ours outlives its time.
    ///
    /// # Errors
    /// Why not.
    async fn connect(&self, purpose: Purpose, patience: Duration) -> Result<Box<dyn Connection>, sqlx::Error>;

    /// Asks whether the server is a copy of another one; the reason if it is.
    ///
    /// # Errors
    /// As [`Connection::each`].
    async fn replica(&self, connection: &mut dyn Connection, patience: Duration) -> Result<Option<&'static str>, Halt>;

    /// Why what these parts read within a transaction is not of one moment; `None` if it is.
    ///
    /// # Errors
    /// As [`Connection::each`].
    async fn not_of_one_moment(
        &self,
        _connection: &mut dyn Connection,
        _parts: &[&Part],
        _patience: Duration,
    ) -> Result<Option<String>, Halt> {
        Ok(None)
    }

    fn meaning(&self, error: &sqlx::Error) -> Meaning;

    /// How a column of this type is asked for; `None` if it cannot hold keys.
    fn stored(&self, kind: &str) -> Option<Stored>;

    /// The condition that a column has one of these values, and its parameters; several, if one statement does not take
    /// them all. It may be true of more rows than these, never of fewer: collations fold. The caller compares bytes.
    fn one_of(&self, column: &str, stored: Stored, keys: &[Key]) -> Vec<(String, Vec<Parameter>)>;

    /// Asks for the tables that there are.
    fn tables(&self) -> Ask;

    /// Asks for the names of the columns of a table; further columns of the answer are [`RowEngine`]'s.
    fn columns(&self, table: &Table) -> Ask;

    /// What would make the lookup of keys faster, with how to get it.
    async fn advice(&self, connection: &mut dyn Connection, part: &Part, patience: Duration) -> Option<String>;
}

/// A database on a server, whose rows are changed by statements alone. Of the columns of a table, [`Engine::columns`] says
/// those that can be written: name, type, whether it has a default.
pub(super) trait RowEngine: Engine {
    /// Further columns of a question for whole rows, each with a comma before it.
    fn whole(&self, target: &Target<'_>) -> String;

    /// The whole row in JSON, from what [`Engine::whole`] asked for; the first of it is this column.
    ///
    /// # Errors
    /// What cannot be written down.
    fn content(&self, target: &Target<'_>, row: &dyn Cells, first: usize) -> Result<String, String>;

    /// Removes rows that are exactly these.
    ///
    /// # Errors
    /// Which row was not kept from such a database.
    fn remove(&self, target: &Target<'_>, rows: &[&KeptRow]) -> Result<Vec<Ask>, String>;

    /// Inserts rows, those with the same columns in one statement. Those whose id is taken are left by the statement, or
    /// all of it is refused with [`Meaning::Duplicate`].
    ///
    /// # Errors
    /// Which row was not kept from such a database.
    fn insert(&self, target: &Target<'_>, rows: &[Insert<'_>]) -> Result<Vec<Ask>, String>;
}

/// The advice for a table that lacks an index, which this question answers with a row and this statement mends.
pub(super) async fn missing_index(
    connection: &mut dyn Connection,
    part: &Part,
    patience: Duration,
    question: impl Fn(&Table) -> Ask + Send,
    mend: impl Fn(&Table) -> String + Send,
) -> Option<String> {
    let From::Table(table) = &part.from else { return None };
    let mut lacks = false;
    let mut take = |_: &dyn Cells| {
        lacks = true;
        Ok(())
    };
    connection.each(question(table), patience, &mut take).await.ok()?;
    lacks.then(|| format!("looking up keys of {} reads all of them: {}", table.name, mend(table)))
}
