//! What a whole row says of its object, whatever its source: each writes rows in JSON of its own.

use serde_json::{Map, Value};

/// Fields that hold an object's size, the likeliest first.
const SIZES: [&str; 4] = ["size_bytes", "sizeBytes", "size", "bytes"];

/// The size that a row says, in bytes; `None` if it says none. `content` is that of a [`super::KeptRow`]; its fields may
/// lie one level deep, and a number may be wrapped once, as extended JSON does.
pub fn recorded_size(content: &str) -> Option<u64> {
    let Ok(Value::Object(row)) = serde_json::from_str(content) else { return None };
    let inner = row.values().filter_map(Value::as_object);
    [&row].into_iter().chain(inner).find_map(size_in)
}

fn size_in(row: &Map<String, Value>) -> Option<u64> {
    let field = |name: &&str| row.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    SIZES.iter().find_map(field).and_then(number)
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        Value::Object(wrapped) if wrapped.len() == 1 => {
            wrapped.values().next().filter(|inner| !inner.is_object()).and_then(number)
        }
        _ => None,
    }
}

fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, size: Option<u64>) {
        assert_eq!(recorded_size(content), size, "{content}");
    }

    #[test]
    fn sizes_of_every_kind_of_row() {
        check(r#"{"number":null,"row":{"object_key":"a","size_bytes":5000000000}}"#, Some(5_000_000_000));
        check(r#"{"_id":{"$oid":"x"},"size_bytes":{"$numberLong":"7"}}"#, Some(7));
        check(r#"{"size_bytes":{"$numberDouble":"7.0"}}"#, Some(7));
        check(r#"{"SIZE":"12"}"#, Some(12));
        check(r#"{"row":{"sizeBytes":{"real":"3"}}}"#, Some(3));
        check(r#"{"size_bytes":0}"#, Some(0));
        check(r#"{"size_bytes":null}"#, None);
        check(r#"{"size_bytes":-1}"#, None);
        check(r#"{"size_bytes":1.5}"#, None);
        check(r#"{"object_key":"size"}"#, None);
        check("[]", None);
        check("", None);
    }
}
