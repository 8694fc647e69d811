//! One connection, whatever the database: what is asked, what comes back, and how it can end.

use std::time::Duration;

use async_trait::async_trait;

/// A value that goes with a statement.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Parameter {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A whole number.
    Number(i64),
    /// Many texts in one parameter, for databases that know lists.
    Texts(Vec<String>),
    /// Many byte strings in one parameter, for databases that know lists.
    ByteStrings(Vec<Vec<u8>>),
}

/// A statement and its parameters.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ask {
    pub(super) text: String,
    pub(super) parameters: Vec<Parameter>,
}

impl Ask {
    /// A statement without parameters.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameters: Vec::new() }
    }

    /// A statement with texts.
    pub(super) fn with_texts(text: impl Into<String>, texts: &[&str]) -> Self {
        let parameters = texts.iter().map(|&text| Parameter::Text(text.to_owned())).collect();
        Self { text: text.into(), parameters }
    }
}

/// One row.
pub(super) trait Cells {
    /// Text, bytes, a whole number or a UUID as the bytes that a key would have; `None` for NULL.
    ///
    /// # Errors
    /// What was expected and what was found.
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, String>;
}

/// What takes the rows. An error ends the reading.
pub(super) type Take<'a> = &'a mut (dyn FnMut(&dyn Cells) -> Result<(), String> + Send);

/// Why rows ended before their end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The database or the way to it.
    Database(sqlx::Error),
    /// Nothing came for so long.
    Silent(Duration),
    /// The row with this number, from 1, is not as expected.
    Row(u64, String),
    /// The rows stopped, and the database did not say that these are all.
    NoEnd,
}

impl Halt {
    /// For a person.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Database(error) => message(error),
            Self::Silent(patience) => format!("it said nothing for {} s", patience.as_secs_f64()),
            Self::Row(number, why) => format!("row {number}: {why}"),
            Self::NoEnd => String::from("the rows stopped without an end"),
        }
    }
}

/// What the database says, without our words around it.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Protocol(why) => why.clone(),
        // It may repeat the address.
        sqlx::Error::Configuration(_) => String::from("the address, or a file that it names, is not understood"),
        other => other.to_string(),
    }
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// A connection within one transaction.
#[async_trait]
pub(super) trait Connection: Send {
    /// Asks, hands the rows on while they arrive, and returns how many rows were changed. `Ok` means that the database
    /// itself announced the end.
    async fn each(&mut self, ask: Ask, patience: Duration, take: Take<'_>) -> Result<u64, Halt>;

    /// The names of the types of the columns that a question would have.
    async fn types(&mut self, text: String) -> Result<Vec<String>, sqlx::Error>;

    /// Runs a statement of ours as it stands.
    async fn run(&mut self, text: &'static str, patience: Duration) -> Result<(), Halt>;
}

/// Implements [`Connection`] for a driver: the drivers' types share no trait that says all this.
macro_rules! connection {
    ($name:ident, $database:ty, $connection:ty, $bind:path) => {
        pub(super) struct $name(pub(super) $connection);

        #[async_trait::async_trait]
        impl $crate::registry::sql::connection::Connection for $name {
            async fn each(
                &mut self,
                ask: $crate::registry::sql::connection::Ask,
                patience: std::time::Duration,
                take: $crate::registry::sql::connection::Take<'_>,
            ) -> Result<u64, $crate::registry::sql::connection::Halt> {
                use futures::TryStreamExt as _;
                use $crate::registry::sql::connection::Halt;
                let query = sqlx::query::<$database>(sqlx::AssertSqlSafe(ask.text)).persistent(false);
                let query = ask.parameters.into_iter().fold(query, $bind);
                let mut rows = sqlx::Executor::fetch_many(&mut self.0, query);
                let (mut number, mut changed) = (0u64, None);
                loop {
                    let next = tokio::time::timeout(patience, rows.try_next()).await;
                    match next.map_err(|_| Halt::Silent(patience))?? {
                        Some(sqlx::Either::Right(row)) => {
                            number += 1;
                            take(&row).map_err(|why| Halt::Row(number, why))?;
                        }
                        Some(sqlx::Either::Left(done)) => changed = Some(done.rows_affected()),
                        None => return changed.ok_or(Halt::NoEnd),
                    }
                }
            }

            async fn types(&mut self, text: String) -> Result<Vec<String>, sqlx::Error> {
                use sqlx::{Column as _, Statement as _, TypeInfo as _};
                let text = sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(text));
                let prepared = sqlx::Executor::prepare(&mut self.0, text).await?;
                Ok(prepared.columns().iter().map(|column| column.type_info().name().to_owned()).collect())
            }

            async fn run(
                &mut self,
                text: &'static str,
                patience: std::time::Duration,
            ) -> Result<(), $crate::registry::sql::connection::Halt> {
                let running = sqlx::Executor::execute(&mut self.0, sqlx::raw_sql(text));
                let ran = tokio::time::timeout(patience, running).await;
                ran.map_err(|_| $crate::registry::sql::connection::Halt::Silent(patience))??;
                Ok(())
            }
        }
    };
}
pub(super) use connection;
