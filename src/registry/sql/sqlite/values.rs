//! Values of SQLite, which has types per value and not per column.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row, Sqlite, TypeInfo, ValueRef};

/// Values as SQLite may have stored them: text and bytes are never equal there, nor are text and numbers.
#[derive(Default)]
pub(super) struct Parameters<'k>(pub(super) Vec<Parameter<'k>>);

pub(super) enum Parameter<'k> {
    Text(&'k str),
    Bytes(&'k [u8]),
    Number(i64),
}

impl<'k> Parameters<'k> {
    /// Adds a value in every type in which it may be stored: at most three.
    pub(super) fn push(&mut self, bytes: &'k [u8]) {
        self.0.push(Parameter::Bytes(bytes));
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.0.push(Parameter::Text(text));
            if let Some(number) = text.parse().ok().filter(|number: &i64| number.to_string() == text) {
                self.0.push(Parameter::Number(number));
            }
        }
    }

    pub(super) fn query(&self, text: String) -> Query<'k, Sqlite, SqliteArguments> {
        self.0.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, parameter| match *parameter {
            Parameter::Text(text) => query.bind(text),
            Parameter::Bytes(bytes) => query.bind(bytes),
            Parameter::Number(number) => query.bind(number),
        })
    }
}

/// One value exactly as it is stored.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    /// Text whose bytes are not text: SQLite does not look.
    Bytes(Vec<u8>),
    Blob(Vec<u8>),
}

impl Value {
    /// The value of a column.
    pub(super) fn read(row: &SqliteRow, column: usize) -> Result<Self, String> {
        let value = row.try_get_raw(column).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        let name = value.type_info().name().to_owned();
        let read = match name.as_str() {
            "INTEGER" => <i64 as Decode<'_, Sqlite>>::decode(value).map(Self::Integer),
            "REAL" => <f64 as Decode<'_, Sqlite>>::decode(value).map(Self::Real),
            "TEXT" => <Vec<u8> as Decode<'_, Sqlite>>::decode(value)
                .map(|bytes| String::from_utf8(bytes).map_or_else(|not| Self::Bytes(not.into_bytes()), Self::Text)),
            "BLOB" => <Vec<u8> as Decode<'_, Sqlite>>::decode(value).map(Self::Blob),
            _ => return Err(format!("a value of the unknown type {name}")),
        };
        read.map_err(|error| error.to_string())
    }

    /// Text, if there is any.
    pub(super) fn text(text: Option<&String>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.clone()))
    }

    /// The value in JSON, of which [`Value::from_json`] makes the same one: texts and whole numbers are themselves, the
    /// rest is `{"real": "1.5"}`, `{"bytes": base64}` and `{"blob": base64}`.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(number) => (*number).into(),
            // In decimal digits that are read back as the same number, infinities included.
            Self::Real(number) => serde_json::json!({ "real": number.to_string() }),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => serde_json::json!({ "bytes": STANDARD.encode(bytes) }),
            Self::Blob(bytes) => serde_json::json!({ "blob": STANDARD.encode(bytes) }),
        }
    }

    /// Reads what [`Value::to_json`] wrote; `None` if it did not.
    pub(super) fn from_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Null => Some(Self::Null),
            serde_json::Value::Number(number) => number.as_i64().map(Self::Integer),
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Object(map) => {
                let (kind, text) = map.iter().next()?;
                let text = text.as_str()?;
                match kind.as_str() {
                    "real" => text.parse().ok().map(Self::Real),
                    "bytes" => STANDARD.decode(text).ok().map(Self::Bytes),
                    "blob" => STANDARD.decode(text).ok().map(Self::Blob),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What stands for it in a statement.
    pub(super) fn placeholder(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "CAST(? AS TEXT)",
            _ => "?",
        }
    }

    pub(super) fn bind<'q>(self, query: Query<'q, Sqlite, SqliteArguments>) -> Query<'q, Sqlite, SqliteArguments> {
        match self {
            Self::Null => query.bind(None::<i64>),
            Self::Integer(number) => query.bind(number),
            Self::Real(number) => query.bind(number),
            Self::Text(text) => query.bind(text),
            Self::Bytes(bytes) | Self::Blob(bytes) => query.bind(bytes),
        }
    }
}

/// Text, bytes or a whole number as the bytes that a key would have; `None` for NULL.
pub(super) fn bytes(row: &SqliteRow, column: usize) -> Result<Option<Vec<u8>>, String> {
    let value = row.try_get_raw(column).map_err(|error| error.to_string())?;
    if value.is_null() {
        return Ok(None);
    }
    let name = value.type_info().name().to_owned();
    let decoded = match name.as_str() {
        "TEXT" | "BLOB" => <Vec<u8> as Decode<'_, Sqlite>>::decode(value).map(Some),
        "INTEGER" => <i64 as Decode<'_, Sqlite>>::decode(value).map(|number| Some(number.to_string().into_bytes())),
        _ => return Err(format!("expected text, a whole number or bytes, found {name}")),
    };
    decoded.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_after_json() {
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Integer(i64::MAX),
            Value::Real(0.1 + 0.2),
            Value::Real(f64::INFINITY),
            Value::Real(f64::MIN_POSITIVE),
            Value::Real(1.0),
            Value::Text("1".into()),
            Value::Text("{\"blob\":\"\"}\n\u{0}\u{202e}".into()),
            Value::Bytes(vec![0xff, 0]),
            Value::Blob(Vec::new()),
            Value::Blob(b"1".to_vec()),
        ];
        for value in values {
            let text = value.to_json().to_string();
            let json = serde_json::from_str(&text).expect("JSON");
            assert_eq!(Value::from_json(&json), Some(value), "{text}");
        }
        assert_eq!(Value::from_json(&serde_json::json!([1])), None);
        assert_eq!(Value::from_json(&serde_json::json!(1.5)), None);
    }
}
