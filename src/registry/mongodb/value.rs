//! Values of documents as the registry knows them: ids as text, keys, and what lies at a dotted path.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, RawBsonRef, RawDocument, Uuid};

/// Whole numbers that a double holds exactly; the shell writes every number as one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A dotted path through documents, and through the arrays that it meets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Path {
    text: String,
}

impl Path {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The field of the document itself, which is what is asked for: not every server that speaks the protocol can cut
    /// documents further, and some that cannot leave out what they were asked for.
    pub(super) fn top(&self) -> &str {
        self.text.split('.').next().unwrap_or(&self.text)
    }

    /// Whether it is a field of the document itself.
    pub(super) fn is_plain(&self) -> bool {
        !self.text.contains('.')
    }

    /// Hands on every value at the path. What is absent or null on the way to it holds none.
    ///
    /// # Errors
    /// What stands in the way, or what `take` says.
    pub(super) fn each<'d>(
        &self,
        document: &'d RawDocument,
        take: &mut dyn FnMut(RawBsonRef<'d>) -> Result<(), String>,
    ) -> Result<(), String> {
        let segments: Vec<&str> = self.text.split('.').collect();
        self.walk(RawBsonRef::Document(document), &segments, take)
    }

    fn walk<'d>(
        &self,
        value: RawBsonRef<'d>,
        segments: &[&str],
        take: &mut dyn FnMut(RawBsonRef<'d>) -> Result<(), String>,
    ) -> Result<(), String> {
        match (value, segments) {
            (RawBsonRef::Array(array), _) => {
                for element in array {
                    let element = element.map_err(|error| error.to_string())?;
                    if element.as_array().is_some() {
                        // A database finds no key there, so it could not be asked for one before a deletion.
                        return Err(format!("`{}` has an array directly in an array", self.text));
                    }
                    self.walk(element, segments, take)?;
                }
                Ok(())
            }
            (value, []) => take(value),
            (RawBsonRef::Null | RawBsonRef::Undefined, _) => Ok(()),
            (RawBsonRef::Document(document), [name, rest @ ..]) => match document.get(name) {
                Ok(Some(value)) => self.walk(value, rest, take),
                Ok(None) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            (other, _) => Err(format!("`{}` leads through {}", self.text, kind(other))),
        }
    }

    /// The one id at the path; `None` if there is none.
    ///
    /// # Errors
    /// What was found instead.
    pub(super) fn id(&self, document: &RawDocument) -> Result<Option<String>, String> {
        let mut found: Option<String> = None;
        self.each(document, &mut |value| {
            let id = id(value).map_err(|why| format!("`{}`: {why}", self.text))?.filter(|id| !id.is_empty());
            match (&found, id) {
                (Some(one), Some(other)) if *one != other => Err(format!("`{}` has several ids", self.text)),
                (_, None) => Ok(()),
                (_, id) => {
                    found = id;
                    Ok(())
                }
            }
        })?;
        Ok(found)
    }
}

/// An id as it is spelled in keys; `None` for null.
///
/// # Errors
/// What was expected and what was found.
pub(super) fn id(value: RawBsonRef<'_>) -> Result<Option<String>, String> {
    match value {
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(None),
        RawBsonRef::String(text) => Ok(Some(text.to_owned())),
        RawBsonRef::ObjectId(id) => Ok(Some(id.to_hex())),
        RawBsonRef::Int32(number) => Ok(Some(number.to_string())),
        RawBsonRef::Int64(number) => Ok(Some(number.to_string())),
        RawBsonRef::Double(number) if number.fract() == 0.0 && number.abs() < EXACT => Ok(Some(format!("{number:.0}"))),
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Uuid => {
            <[u8; 16]>::try_from(binary.bytes).map(|bytes| Some(Uuid::from_bytes(bytes).to_string())).map_err(expected)
        }
        other => Err(expected(kind(other))),
    }
}

fn expected(found: impl std::fmt::Display) -> String {
    format!("an id should be an ObjectId, text, a whole number or a UUID, found {found}")
}

/// Every value that is spelled like this id. A database does not take a text for an ObjectId.
pub(super) fn ids(text: &str) -> Vec<Bson> {
    let mut found = vec![Bson::String(text.to_owned())];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    found.extend(ObjectId::parse_str(text).ok().filter(|_| lower).map(Bson::ObjectId));
    found.extend(text.parse().ok().filter(|number: &i64| number.to_string() == text).map(Bson::Int64));
    found.extend(Uuid::parse_str(text).ok().filter(|uuid| uuid.to_string() == text).map(Bson::from));
    found
}

/// A document's own id, for messages.
pub(super) fn own_id(document: &RawDocument) -> String {
    match document.get("_id") {
        Ok(Some(value)) => match (id(value), Bson::try_from(value)) {
            (Ok(Some(id)), _) => id,
            (_, Ok(value)) => value.to_string(),
            _ => format!("of {}", kind(value)),
        },
        _ => "(none)".into(),
    }
}

/// What a value is, for messages.
pub(super) fn kind(value: RawBsonRef<'_>) -> &'static str {
    match value {
        RawBsonRef::Double(_) => "a number with a fraction",
        RawBsonRef::String(_) => "text",
        RawBsonRef::Array(_) => "an array",
        RawBsonRef::Document(_) => "a document",
        RawBsonRef::Boolean(_) => "true or false",
        RawBsonRef::Null | RawBsonRef::Undefined => "null",
        RawBsonRef::Int32(_) | RawBsonRef::Int64(_) => "a whole number",
        RawBsonRef::ObjectId(_) => "an ObjectId",
        RawBsonRef::DateTime(_) | RawBsonRef::Timestamp(_) => "a time",
        RawBsonRef::Binary(_) => "bytes",
        RawBsonRef::Decimal128(_) => "a decimal number",
        _ => "a value of a rare type",
    }
}
