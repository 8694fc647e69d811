//! MySQL and MariaDB.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Decode, MySql, Row, TypeInfo, ValueRef};

use super::address::ServerAddress;
use super::connection::{Ask, Cells, Connection, Halt, Parameter, connection};
use super::engine::{Column, Datum, Engine, Insert, Meaning, Purpose, RowEngine, Stored, Target, missing_index};
use super::moments::not_of_one_moment;
use super::queries::{Dialect, Part, Table};
use crate::domain::Key;
use crate::registry::tally::hex;
use crate::registry::{KeptRow, RegistryError};

const DIALECT: Dialect = Dialect::MYSQL;

/// Keys in one statement: at their longest, percent-encoded, they stay far below the 16 MiB that a message may have
/// (mariadb.com/kb/en/server-system-variables/#max_allowed_packet).
const KEYS: usize = 1000;

connection!(Session, MySql, MySqlConnection, bind);

/// A MySQL or MariaDB server.
pub(super) struct MySqlEngine {
    options: MySqlConnectOptions,
}

impl MySqlEngine {
    /// The engine and the name of the source, which says where the address leads and holds no secret.
    pub(super) fn new(address: &ServerAddress) -> Result<(Self, String), RegistryError> {
        let options = MySqlConnectOptions::from_str(address.expose()).map_err(|_| address.misread())?;
        let database = options.get_database().ok_or_else(|| address.misread())?;
        let name = match options.get_socket() {
            Some(socket) => format!("mysql: {}/{database}", socket.display()),
            None => format!("mysql: {}:{}/{database}", options.get_host(), options.get_port()),
        };
        let options = options.disable_statement_logging();
        Ok((Self { options }, name))
    }
}

async fn set(connection: &mut MySqlConnection, statement: impl Into<String>) -> Result<(), sqlx::Error> {
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.into()));
    sqlx::Executor::execute(connection, statement).await.map(drop)
}

#[async_trait]
impl Engine for MySqlEngine {
    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    async fn connect(&self, purpose: Purpose, patience: Duration) -> Result<Box<dyn Connection>, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let limit = if purpose == Purpose::Reading { patience * 60 } else { patience };
        // MariaDB knows one of them, in seconds, MySQL the other, in milliseconds.
        let seconds = limit.as_secs_f64();
        if set(&mut connection, format!("SET SESSION max_statement_time = {seconds}")).await.is_err() {
            set(&mut connection, format!("SET SESSION max_execution_time = {}", limit.as_millis())).await?;
        }
        // A server may be told to cut every answer short.
        set(&mut connection, format!("SET SESSION sql_select_limit = {}", u64::MAX)).await?;
        let lock_wait = patience.as_secs().max(1);
        set(&mut connection, format!("SET SESSION innodb_lock_wait_timeout = {lock_wait}")).await?;
        set(&mut connection, format!("SET SESSION lock_wait_timeout = {lock_wait}")).await?;
        let (level, begin) = match purpose {
            Purpose::Reading | Purpose::Looking => {
                ("REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            }
            Purpose::Changing => ("READ COMMITTED", "START TRANSACTION READ WRITE"),
        };
        set(&mut connection, format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}")).await?;
        set(&mut connection, begin).await?;
        Ok(Box::new(Session(connection)))
    }

    async fn replica(&self, connection: &mut dyn Connection, patience: Duration) -> Result<Option<&'static str>, Halt> {
        let mut read_only = false;
        let mut take = |row: &dyn Cells| {
            read_only = row.bytes(0)?.is_none_or(|value| value != b"0" && !value.eq_ignore_ascii_case(b"off"));
            Ok(())
        };
        connection.each(Ask::plain("SELECT CAST(@@global.read_only AS CHAR)"), patience, &mut take).await?;
        if read_only {
            return Ok(Some("@@global.read_only is on"));
        }
        // Needs a permission that a reader seldom has, and differs by name; where it is refused, read_only has to tell.
        let mut replicates = false;
        let mut take = |_: &dyn Cells| {
            replicates = true;
            Ok(())
        };
        for question in ["SHOW REPLICA STATUS", "SHOW SLAVE STATUS"] {
            match connection.each(Ask::plain(question), patience, &mut take).await {
                Ok(_) => return Ok(replicates.then_some("SHOW REPLICA STATUS names its source")),
                Err(Halt::Database(sqlx::Error::Database(_))) => {}
                Err(halt) => return Err(halt),
            }
        }
        Ok(None)
    }

    async fn not_of_one_moment(
        &self,
        connection: &mut dyn Connection,
        parts: &[&Part],
        patience: Duration,
    ) -> Result<Option<String>, Halt> {
        not_of_one_moment(connection, parts, patience).await
    }

    /// By number (mariadb.com/kb/en/mariadb-error-code-reference).
    fn meaning(&self, error: &sqlx::Error) -> Meaning {
        let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        match error.map(MySqlDatabaseError::number) {
            Some(1049) => Meaning::NoDatabase,
            Some(1146) => Meaning::NoTable,
            Some(1054) => Meaning::NoColumn,
            Some(1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698) => Meaning::Denied,
            Some(1290 | 1792 | 1836) => Meaning::ReadOnly,
            Some(1062) => Meaning::Duplicate,
            _ => Meaning::Other,
        }
    }

    fn stored(&self, kind: &str) -> Option<Stored> {
        let text = ["CHAR", "TEXT", "ENUM"];
        let bytes = ["BINARY", "BLOB"];
        if text.iter().any(|part| kind.contains(part)) {
            Some(Stored::Text)
        } else {
            bytes.iter().any(|part| kind.contains(part)).then_some(Stored::Bytes)
        }
    }

    fn one_of(&self, column: &str, stored: Stored, keys: &[Key]) -> Vec<(String, Vec<Parameter>)> {
        let keys: Vec<Parameter> = keys.iter().filter_map(|key| parameter(stored, key)).collect();
        let list = |keys: &[Parameter]| (format!("{column} IN ({})", marks(keys.len())), keys.to_vec());
        keys.chunks(KEYS).map(list).collect()
    }

    fn tables(&self) -> Ask {
        Ask::plain("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1")
    }

    fn columns(&self, table: &Table) -> Ask {
        // A column that is computed from others is not written; DEFAULT_GENERATED is only a default.
        let text = "SELECT column_name, data_type, IF(column_default IS NOT NULL OR extra LIKE '%auto_increment%', \
                    'true', 'false') FROM information_schema.columns \
                    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? \
                    AND extra NOT LIKE '%VIRTUAL GENERATED%' AND extra NOT LIKE '%STORED GENERATED%' \
                    AND extra NOT LIKE '%PERSISTENT%' ORDER BY ordinal_position";
        Ask { text: text.into(), parameters: place(table) }
    }

    async fn advice(&self, connection: &mut dyn Connection, part: &Part, patience: Duration) -> Option<String> {
        let mend = |table: &Table| {
            format!("CREATE INDEX by_key ON {} ({}(255))", DIALECT.table(table), DIALECT.quoted(&table.first))
        };
        missing_index(connection, part, patience, lacks_index, mend).await
    }
}

/// Asks whether a table lacks an index that begins with its keys.
fn lacks_index(table: &Table) -> Ask {
    let text = "SELECT 'yes' FROM information_schema.tables t WHERE t.table_schema = COALESCE(?, DATABASE()) \
                    AND t.table_name = ? AND t.table_type = 'BASE TABLE' AND NOT EXISTS (SELECT 1 \
                    FROM information_schema.statistics s WHERE s.table_schema = t.table_schema \
                    AND s.table_name = t.table_name AND s.column_name = ? AND s.seq_in_index = 1)";
    let mut parameters = place(table);
    parameters.push(Parameter::Text(table.first.clone()));
    Ask { text: text.into(), parameters }
}

impl RowEngine for MySqlEngine {
    fn whole(&self, target: &Target<'_>) -> String {
        target.columns.iter().map(|column| format!(", {}", exact(column, "t."))).collect()
    }

    fn content(&self, target: &Target<'_>, row: &dyn Cells, first: usize) -> Result<String, String> {
        let mut fields = Map::new();
        for (at, column) in target.columns.iter().enumerate() {
            let value = match row.bytes(first + at)?.map(String::from_utf8) {
                None => Value::Null,
                Some(Ok(text)) => Value::from(text),
                Some(Err(bytes)) => json!({ "base64": STANDARD.encode(bytes.into_bytes()) }),
            };
            fields.insert(column.name.clone(), value);
        }
        Ok(Value::Object(fields).to_string())
    }

    /// Rows are compared by a hash: one expression for each, where comparing column by column with every row of the list
    /// would take the square of them.
    fn remove(&self, target: &Target<'_>, rows: &[&KeptRow]) -> Result<Vec<Ask>, String> {
        let cells = target.columns.iter().map(|column| format!("IFNULL(HEX({}), '-')", exact(column, "")));
        let hash = format!("SHA2(CONCAT_WS(',', {}), 256)", cells.collect::<Vec<_>>().join(", "));
        let (table, key) = (DIALECT.table(target.table), DIALECT.quoted(&target.table.first));
        let mut asks = Vec::new();
        for rows in rows.chunks(KEYS) {
            let (mut keys, mut hashes) = (Vec::new(), Vec::new());
            for row in rows {
                // A row of other columns is no longer exactly this one.
                let Some(key) = parameter(target.stored, &row.key) else { continue };
                let Some(hash) = hashed(target, &fields(row)?) else { continue };
                keys.push(key);
                hashes.push(Parameter::Text(hash));
            }
            if !keys.is_empty() {
                let marks = marks(keys.len());
                let text = format!("DELETE FROM {table} WHERE {key} IN ({marks}) AND {hash} IN ({marks})");
                asks.push(Ask { text, parameters: keys.into_iter().chain(hashes).collect() });
            }
        }
        Ok(asks)
    }

    fn insert(&self, target: &Target<'_>, rows: &[Insert<'_>]) -> Result<Vec<Ask>, String> {
        let table = DIALECT.table(target.table);
        let mut asks: Vec<(String, Ask)> = Vec::new();
        for row in rows {
            let values: Vec<(String, &str, Parameter)> = match row {
                Insert::Kept(kept) => {
                    let mut fields = fields(kept)?;
                    let columns = target.columns.iter();
                    columns
                        .filter_map(|column| Some((column.name.clone(), mark(column), fields.remove(&column.name)?)))
                        .collect()
                }
                Insert::New(fields) => fields.iter().map(|(name, datum)| new_value(name, datum)).collect(),
            };
            let names = values.iter().map(|(name, ..)| DIALECT.quoted(name)).collect::<Vec<_>>().join(", ");
            let marks = values.iter().map(|(_, mark, _)| *mark).collect::<Vec<_>>().join(", ");
            let parameters = values.into_iter().map(|(.., value)| value);
            match asks.last_mut() {
                Some((same, ask)) if *same == names => {
                    ask.text.push_str(&format!(", ({marks})"));
                    ask.parameters.extend(parameters);
                }
                _ => {
                    let text = format!("INSERT INTO {table} ({names}) VALUES ({marks})");
                    asks.push((names, Ask { text, parameters: parameters.collect() }));
                }
            }
        }
        Ok(asks.into_iter().map(|(_, ask)| ask).collect())
    }
}

fn new_value<'m>(name: &str, datum: &Datum) -> (String, &'m str, Parameter) {
    let (mark, value) = match datum {
        Datum::Text(text) => ("?", Parameter::Text(text.clone())),
        Datum::Bytes(bytes) => ("?", Parameter::Bytes(bytes.clone())),
        Datum::Number(number) => ("?", Parameter::Text(number.to_string())),
        Datum::Now => ("COALESCE(?, CURRENT_TIMESTAMP)", Parameter::Null),
    };
    (name.to_owned(), mark, value)
}

/// Schema and table, for `information_schema`.
fn place(table: &Table) -> Vec<Parameter> {
    let (schema, name) = table.schema_and_name();
    vec![schema.map_or(Parameter::Null, |schema| Parameter::Text(schema.to_owned())), Parameter::Text(name.to_owned())]
}

/// A key as a parameter; `None` if no column of this kind can hold it.
fn parameter(stored: Stored, key: &Key) -> Option<Parameter> {
    match stored {
        Stored::Text => key.as_str().map(|key| Parameter::Text(key.to_owned())),
        Stored::Bytes => Some(Parameter::Bytes(key.as_bytes().to_vec())),
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// The exact bytes of a value: of a text in the column's own character set, of a number or time its digits. Numbers with
/// a fraction are written as doubles, which loses nothing.
fn exact(column: &Column, qualifier: &str) -> String {
    let name = format!("{qualifier}{}", DIALECT.quoted(&column.name));
    match column.kind.as_str() {
        "float" => format!("CAST({name} + 0e0 AS BINARY)"),
        "json" => format!("CAST(CAST({name} AS CHAR) AS BINARY)"),
        _ => format!("CAST({name} AS BINARY)"),
    }
}

/// What stands for the exact bytes of a value when they are written back.
fn mark(column: &Column) -> &'static str {
    if column.kind == "json" { "CONVERT(? USING utf8mb4)" } else { "?" }
}

/// Reads what [`MySqlEngine::content`] wrote.
fn fields(row: &KeptRow) -> Result<HashMap<String, Parameter>, String> {
    let not_ours = || format!("the row of {} was not kept from MySQL", row.key.escaped());
    let fields: Map<String, Value> = serde_json::from_str(&row.content).map_err(|_| not_ours())?;
    let value = |value: Value| match value {
        Value::Null => Some(Parameter::Null),
        Value::String(text) => Some(Parameter::Bytes(text.into_bytes())),
        other => STANDARD.decode(other.get("base64")?.as_str()?).ok().map(Parameter::Bytes),
    };
    fields.into_iter().map(|(name, found)| Ok((name, value(found).ok_or_else(not_ours)?))).collect()
}

/// The hash that [`MySqlEngine::remove`] compares; `None` if the row has other columns.
fn hashed(target: &Target<'_>, fields: &HashMap<String, Parameter>) -> Option<String> {
    let cell = |column: &Column| match fields.get(&column.name)? {
        Parameter::Bytes(bytes) => Some(hex(bytes).to_ascii_uppercase()),
        _ => Some(String::from("-")),
    };
    let cells = target.columns.iter().map(cell).collect::<Option<Vec<_>>>()?;
    (fields.len() == cells.len()).then(|| hex(&Sha256::digest(cells.join(","))))
}

fn bind(query: Query<'static, MySql, MySqlArguments>, parameter: Parameter) -> Query<'static, MySql, MySqlArguments> {
    match parameter {
        Parameter::Null => query.bind(None::<String>),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
        Parameter::Number(number) => query.bind(number),
        // Lists are made for databases that know them.
        Parameter::Texts(_) | Parameter::ByteStrings(_) => query,
    }
}

impl Cells for MySqlRow {
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, String> {
        let value = self.try_get_raw(column).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(None);
        }
        let kind = value.type_info().name().to_owned();
        let found = match kind.as_str() {
            "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
                <i64 as Decode<'_, MySql>>::decode(value).map(|number| number.to_string().into_bytes())
            }
            unsigned if unsigned.ends_with(" UNSIGNED") => {
                <u64 as Decode<'_, MySql>>::decode(value).map(|number| number.to_string().into_bytes())
            }
            kind if ["CHAR", "TEXT", "BLOB", "BINARY", "ENUM"].iter().any(|part| kind.contains(part)) => {
                <Vec<u8> as Decode<'_, MySql>>::decode(value)
            }
            other => return Err(format!("expected text, a whole number or bytes, found {other}")),
        };
        found.map(Some).map_err(|error| error.to_string())
    }
}
