//! PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgRow, PgTypeKind};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Postgres, Row, TypeInfo, ValueRef};

use super::address::ServerAddress;
use super::connection::{Ask, Cells, Connection, Halt, Parameter, connection};
use super::engine::{Datum, Engine, Insert, Meaning, Purpose, RowEngine, Stored, Target, missing_index};
use super::queries::{Dialect, Part, Table};
use crate::domain::Key;
use crate::registry::tally::hex;
use crate::registry::{KeptRow, RegistryError};

const DIALECT: Dialect = Dialect::POSTGRES;

/// Keys in one statement: a list is one parameter, so only the size of a message counts.
const KEYS: usize = 10_000;

/// Rows in one statement that removes them.
const ROWS: usize = 1000;

connection!(Session, Postgres, PgConnection, bind);

/// A PostgreSQL server.
pub(super) struct PostgresEngine {
    options: PgConnectOptions,
}

impl PostgresEngine {
    /// The engine and the name of the source, which says where the address leads and holds no secret.
    pub(super) fn new(address: &ServerAddress) -> Result<(Self, String), RegistryError> {
        let options = PgConnectOptions::from_str(address.expose()).map_err(|_| address.misread())?;
        let database = options.get_database().ok_or_else(|| address.misread())?;
        let name = match options.get_socket() {
            Some(socket) => format!("postgres: {}/{database}", socket.display()),
            None => format!("postgres: {}:{}/{database}", options.get_host(), options.get_port()),
        };
        let options = options.application_name("bucketree").disable_statement_logging();
        Ok((Self { options }, name))
    }
}

/// What a transaction begins with. Everything is set for the transaction only, since behind a pooler the session is
/// somebody else's afterwards. The form of times and bytes is fixed, so that a row is written down the same way every time.
/// Where policies would leave rows out, PostgreSQL is to refuse instead (postgresql.org/docs/15/ddl-rowsecurity.html).
fn beginning(purpose: Purpose, patience: Duration) -> String {
    let (mode, limit) = match purpose {
        // The reading itself is watched by what arrives; this is for a client that went away.
        Purpose::Reading => ("ISOLATION LEVEL REPEATABLE READ READ ONLY", patience * 60),
        Purpose::Looking => ("ISOLATION LEVEL REPEATABLE READ READ ONLY", patience),
        Purpose::Changing => ("ISOLATION LEVEL READ COMMITTED READ WRITE", patience),
    };
    format!(
        "BEGIN {mode}; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; \
         SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
         SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off",
        limit.as_millis(),
        patience.as_millis()
    )
}

#[async_trait]
impl Engine for PostgresEngine {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    async fn connect(&self, purpose: Purpose, patience: Duration) -> Result<Box<dyn Connection>, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let beginning = sqlx::raw_sql(sqlx::AssertSqlSafe(beginning(purpose, patience)));
        sqlx::Executor::execute(&mut connection, beginning).await?;
        Ok(Box::new(Session(connection)))
    }

    async fn replica(&self, connection: &mut dyn Connection, patience: Duration) -> Result<Option<&'static str>, Halt> {
        let mut recovering = false;
        let question = Ask::plain("SELECT pg_is_in_recovery()::text");
        let mut take = |row: &dyn Cells| {
            recovering = row.bytes(0)?.as_deref() != Some(b"false");
            Ok(())
        };
        connection.each(question, patience, &mut take).await?;
        Ok(recovering.then_some("pg_is_in_recovery() is true"))
    }

    /// By SQLSTATE (postgresql.org/docs/15/errcodes-appendix.html).
    fn meaning(&self, error: &sqlx::Error) -> Meaning {
        // It shares its SQLSTATE with other refusals, and its words are translated; the function that refuses is not.
        let of_postgres = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        if of_postgres.and_then(PgDatabaseError::routine) == Some("check_enable_rls") {
            return Meaning::RowsHidden;
        }
        match error.as_database_error().and_then(|error| error.code()).as_deref() {
            Some("3D000") => Meaning::NoDatabase,
            Some("42P01" | "3F000") => Meaning::NoTable,
            Some("42703") => Meaning::NoColumn,
            Some("42501" | "28P01" | "28000") => Meaning::Denied,
            Some("25006") => Meaning::ReadOnly,
            Some("23505") => Meaning::Duplicate,
            _ => Meaning::Other,
        }
    }

    fn stored(&self, kind: &str) -> Option<Stored> {
        match kind {
            "BYTEA" => Some(Stored::Bytes),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "citext" => Some(Stored::Text),
            _ => None,
        }
    }

    fn one_of(&self, column: &str, stored: Stored, keys: &[Key]) -> Vec<(String, Vec<Parameter>)> {
        let list = |keys: &[Key]| match stored {
            Stored::Bytes => {
                let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
                (format!("{column} = ANY($1::bytea[])"), vec![Parameter::ByteStrings(keys)])
            }
            // A text is UTF-8 without zero bytes (postgresql.org/docs/15/datatype-character.html): no other key is there.
            Stored::Text => {
                let texts = keys.iter().filter_map(|key| key.as_str()).filter(|key| !key.contains('\0'));
                let texts = texts.map(str::to_owned).collect();
                (format!("{column} = ANY($1::text[])"), vec![Parameter::Texts(texts)])
            }
        };
        keys.chunks(KEYS).map(list).collect()
    }

    fn tables(&self) -> Ask {
        Ask::plain(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND pg_table_is_visible(c.oid) \
             AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
        )
    }

    fn columns(&self, table: &Table) -> Ask {
        let text = "SELECT a.attname::text, format_type(a.atttypid, NULL), (a.atthasdef OR a.attidentity <> '')::text \
                    FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
                    AND a.attgenerated = '' ORDER BY a.attnum";
        Ask::with_texts(text, &[&DIALECT.table(table)])
    }

    async fn advice(&self, connection: &mut dyn Connection, part: &Part, patience: Duration) -> Option<String> {
        let mend = |table: &Table| {
            format!("CREATE INDEX CONCURRENTLY ON {} ({})", DIALECT.table(table), DIALECT.quoted(&table.first))
        };
        missing_index(connection, part, patience, lacks_index, mend).await
    }
}

/// Asks whether a table lacks an index that begins with its keys.
fn lacks_index(table: &Table) -> Ask {
    let text = "SELECT 'yes' FROM pg_class c WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p') \
                    AND NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid \
                    AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL \
                    AND a.attname = $2)";
    Ask::with_texts(text, &[&DIALECT.table(table), &table.first])
}

impl RowEngine for PostgresEngine {
    fn whole(&self, _: &Target<'_>) -> String {
        // Not to_jsonb, which writes columns of JSON anew; and not of `t`, which may be a column.
        String::from(", row_to_json(t.*)::text")
    }

    fn content(&self, _: &Target<'_>, row: &dyn Cells, first: usize) -> Result<String, String> {
        let text = row.bytes(first)?.ok_or("a row that is NULL")?;
        String::from_utf8(text).map_err(|_| String::from("a row that is not UTF-8"))
    }

    fn remove(&self, target: &Target<'_>, rows: &[&KeptRow]) -> Result<Vec<Ask>, String> {
        let Target { dialect, table, .. } = target;
        let (list, text) = match target.stored {
            Stored::Text => ("text[]", true),
            Stored::Bytes => ("bytea[]", false),
        };
        let text_of = format!(
            "DELETE FROM {} AS t USING unnest($1::{list}, $2::text[]) AS kept(key, content) \
             WHERE t.{} = kept.key AND row_to_json(t.*)::text = kept.content",
            dialect.table(table),
            dialect.quoted(&table.first),
        );
        let ask = |rows: &[&KeptRow]| {
            // A key that no text can be was kept from no text.
            let rows = rows.iter().filter(|row| !text || row.key.as_str().is_some_and(|key| !key.contains('\0')));
            let rows: Vec<&&KeptRow> = rows.collect();
            let keys = match target.stored {
                Stored::Text => {
                    Parameter::Texts(rows.iter().filter_map(|row| row.key.as_str().map(str::to_owned)).collect())
                }
                Stored::Bytes => Parameter::ByteStrings(rows.iter().map(|row| row.key.as_bytes().to_vec()).collect()),
            };
            let contents = Parameter::Texts(rows.iter().map(|row| row.content.clone()).collect());
            Ask { text: text_of.clone(), parameters: vec![keys, contents] }
        };
        Ok(rows.chunks(ROWS).map(ask).collect())
    }

    fn insert(&self, target: &Target<'_>, rows: &[Insert<'_>]) -> Result<Vec<Ask>, String> {
        let mut asks: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        for row in rows {
            let (columns, content) = json_row(target, row)?;
            match asks.last_mut() {
                Some((same, contents)) if *same == columns => contents.push(content),
                _ => asks.push((columns, vec![content])),
            }
        }
        let table = target.dialect.table(target.table);
        let ask = |(columns, contents): (Vec<String>, Vec<String>)| {
            let quoted = |before: &str| {
                let names = columns.iter().map(|name| format!("{before}{}", target.dialect.quoted(name)));
                names.collect::<Vec<_>>().join(", ")
            };
            let text = format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE SELECT {} \
                 FROM json_populate_recordset(NULL::{table}, $1::json) AS r ON CONFLICT DO NOTHING",
                quoted(""),
                quoted("r."),
            );
            Ask { text, parameters: vec![Parameter::Text(format!("[{}]", contents.join(",")))] }
        };
        Ok(asks.into_iter().map(ask).collect())
    }
}

/// The columns of a row to insert, and the row in JSON.
fn json_row(target: &Target<'_>, row: &Insert<'_>) -> Result<(Vec<String>, String), String> {
    match row {
        Insert::Kept(kept) => {
            let not_ours = |_| format!("the row of {} was not kept from PostgreSQL", kept.key.escaped());
            let fields: std::collections::HashMap<String, serde::de::IgnoredAny> =
                serde_json::from_str(&kept.content).map_err(not_ours)?;
            let columns = target.columns.iter().map(|column| column.name.clone());
            Ok((columns.filter(|name| fields.contains_key(name)).collect(), kept.content.clone()))
        }
        Insert::New(fields) => {
            let value = |datum: &Datum| match datum {
                Datum::Text(text) => serde_json::Value::from(text.as_str()),
                Datum::Bytes(bytes) => format!("\\x{}", hex(bytes)).into(),
                Datum::Number(number) => (*number).into(),
                Datum::Now => "now".into(),
            };
            let json: serde_json::Map<_, _> = fields.iter().map(|(name, datum)| (name.clone(), value(datum))).collect();
            let columns = fields.iter().map(|(name, _)| name.clone()).collect();
            Ok((columns, serde_json::Value::Object(json).to_string()))
        }
    }
}

fn bind(query: Query<'static, Postgres, PgArguments>, parameter: Parameter) -> Query<'static, Postgres, PgArguments> {
    match parameter {
        Parameter::Null => query.bind(None::<String>),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
        Parameter::Number(number) => query.bind(number),
        Parameter::Texts(texts) => query.bind(texts),
        Parameter::ByteStrings(bytes) => query.bind(bytes),
    }
}

impl Cells for PgRow {
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, String> {
        let value = self.try_get_raw(column).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(None);
        }
        let kind = value.type_info();
        let bytes = value.as_bytes().map_err(|error| error.to_string())?;
        let found = match kind.name() {
            "TEXT" | "VARCHAR" | "NAME" | "BYTEA" | "citext" | "UNKNOWN" => bytes.to_vec(),
            // Blanks at the end of char(n) are no part of the value (postgresql.org/docs/15/datatype-character.html).
            "CHAR" => bytes.trim_ascii_end().to_vec(),
            "INT2" | "INT4" | "INT8" => whole(bytes).ok_or("a number of another length")?.to_string().into_bytes(),
            "UUID" => uuid::Uuid::from_slice(bytes).map_err(|error| error.to_string())?.to_string().into_bytes(),
            _ if matches!(kind.kind(), PgTypeKind::Enum(_)) => bytes.to_vec(),
            other => return Err(format!("expected text, a whole number, a UUID or bytes, found {other}")),
        };
        Ok(Some(found))
    }
}

/// A whole number as PostgreSQL sends it.
fn whole(bytes: &[u8]) -> Option<i64> {
    match *bytes {
        [a, b] => Some(i16::from_be_bytes([a, b]).into()),
        [a, b, c, d] => Some(i32::from_be_bytes([a, b, c, d]).into()),
        _ => bytes.try_into().ok().map(i64::from_be_bytes),
    }
}
