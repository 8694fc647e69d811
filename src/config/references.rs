//! Places that refer to objects, as the configuration file has them: `[[profiles.NAME.registry.references]]`.

use std::fmt;

use toml::Spanned;
use toml::de::DeValue;

use super::ConfigError;
use super::file::{Reader, did_you_mean};
use super::keys::nearest;

/// A place that holds keys of objects without tracking them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReferenceSettings {
    /// Table, or collection.
    pub from: String,
    /// Column, or dotted path through documents and lists.
    pub key_field: String,
    /// Column or path of the object's project.
    pub owner_field: Option<String>,
    /// Address behind which keys stand.
    pub url: Option<String>,
    /// Keys have slashes before them that are no part of them.
    pub leading_slash: bool,
    /// Keys are percent-encoded.
    pub percent_encoded: bool,
}

/// What a place may say.
const NAMES: [&str; 6] = ["from", "key_field", "owner_field", "url", "leading_slash", "percent_encoded"];

impl fmt::Display for ReferenceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.from, self.key_field)
    }
}

/// Reads the list of places.
///
/// # Errors
/// What is wrong, by file and line.
pub(super) fn places(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<Vec<ReferenceSettings>, ConfigError> {
    let line = reader.line(value.span().start);
    let expected = || reader.syntax(line, "`references` should be tables with `from` and `key_field`".into());
    let DeValue::Array(list) = value.get_ref() else { return Err(expected()) };
    list.iter().map(|part| place(reader, part)).collect()
}

fn place(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<ReferenceSettings, ConfigError> {
    let line = reader.line(value.span().start);
    let DeValue::Table(fields) = value.get_ref() else {
        return Err(reader.syntax(line, "`references` should be tables with `from` and `key_field`".into()));
    };
    let mut place = ReferenceSettings::default();
    for (name, value) in fields {
        let text = || match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            _ => Err(reader.wrong(name, "text")),
        };
        let boolean = || match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(reader.wrong(name, "true or false")),
        };
        match name.get_ref().as_ref() {
            "from" => place.from = text()?,
            "key_field" => place.key_field = text()?,
            "owner_field" => place.owner_field = Some(text()?),
            "url" => {
                place.url = Some(text().ok().filter(|url| is_address(url)).ok_or_else(|| reader.wrong(name, URL))?)
            }
            "leading_slash" => place.leading_slash = boolean()?,
            "percent_encoded" => place.percent_encoded = boolean()?,
            other => return Err(reader.unknown(name, &did_you_mean(nearest(other, NAMES), &NAMES))),
        }
    }
    match (place.from.as_str(), place.key_field.as_str()) {
        ("", _) => Err(reader.syntax(line, "a reference needs `from`, the table or collection".into())),
        (_, "") => Err(reader.syntax(line, "a reference needs `key_field`, the column or path of keys".into())),
        _ => Ok(place),
    }
}

const URL: &str = "an address such as https://media.example.com/files, without user, password or query";

fn is_address(url: &str) -> bool {
    let place = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@?#'\"\\".contains(c);
    place.is_some_and(|place| !place.is_empty() && !place.starts_with('/') && !place.contains(odd))
}
