//! JSON as MongoDB's tools write it: nested fields, and scalars in wrappers
//! (mongodb.com/docs/manual/reference/mongodb-extended-json, canonical and relaxed).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// Whole numbers that a double holds exactly; MongoDB's shell writes every number as one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Every value of a field, which may be a dotted path through objects, and through the arrays that it meets. What is absent
/// or null on the way holds none; a field of this very name holds its one value, null included.
///
/// # Errors
/// What stands in the way.
pub(super) fn values<'v>(fields: &'v Map<String, Value>, path: &str) -> Result<Vec<&'v Value>, String> {
    if let Some(value) = fields.get(path) {
        return Ok(vec![value]);
    }
    let mut found = Vec::new();
    if let Some((first, rest)) = path.split_once('.')
        && let Some(value) = fields.get(first)
    {
        walk(value, Some(rest), path, &mut found)?;
    }
    Ok(found)
}

fn walk<'v>(value: &'v Value, rest: Option<&str>, path: &str, found: &mut Vec<&'v Value>) -> Result<(), String> {
    match (value, rest) {
        (Value::Array(elements), _) => elements.iter().try_for_each(|element| match element {
            Value::Array(_) => Err(format!("`{path}` has an array directly in an array")),
            element => walk(element, rest, path, found),
        }),
        (value, None) => {
            found.push(value);
            Ok(())
        }
        (Value::Null, Some(_)) => Ok(()),
        (Value::Object(fields), Some(rest)) => {
            let (first, rest) = rest.split_once('.').map_or((rest, None), |(first, rest)| (first, Some(rest)));
            fields.get(first).map_or(Ok(()), |value| walk(value, rest, path, found))
        }
        (other, Some(_)) => Err(format!("`{path}` leads through {}", kind(other))),
    }
}

/// An id as text; `None` for null. Whole numbers, ObjectIds and UUIDs are ids too. A fraction is not: its digits may differ
/// from those in the keys.
///
/// # Errors
/// What was expected.
pub(super) fn id(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) if !number.is_f64() => Ok(Some(number.to_string())),
        Value::Number(number) => number.as_f64().and_then(whole).map(Some).ok_or_else(not_an_id),
        Value::Object(wrapper) if wrapper.len() == 1 => {
            wrapper.iter().next().and_then(|(name, inner)| wrapped(name, inner)).map(Some).ok_or_else(not_an_id)
        }
        _ => Err(not_an_id()),
    }
}

fn wrapped(name: &str, inner: &Value) -> Option<String> {
    match (name, inner) {
        ("$oid" | "$numberLong" | "$numberInt" | "$uuid", Value::String(text)) => Some(text.clone()),
        ("$numberDouble", Value::String(text)) => text.parse().ok().and_then(whole),
        ("$binary", Value::Object(binary)) => uuid(binary),
        _ => None,
    }
}

fn whole(number: f64) -> Option<String> {
    (number.fract() == 0.0 && number.abs() < EXACT).then(|| format!("{number:.0}"))
}

/// Sixteen bytes of the subtype of UUIDs. Those of the older subtype 3 are in another order in each language.
fn uuid(binary: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| binary.get(name).and_then(Value::as_str);
    let is_uuid = text("subType").is_some_and(|kind| kind == "04" || kind == "4");
    let bytes = BASE64_STANDARD.decode(text("base64")?).ok().filter(|_| is_uuid)?;
    Some(uuid::Uuid::from_slice(&bytes).ok()?.to_string())
}

fn not_an_id() -> String {
    String::from("an id should be text, a whole number, or MongoDB's $oid, $numberLong, $numberInt or UUID")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
