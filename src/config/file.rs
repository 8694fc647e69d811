//! `config.toml`, with the line of whatever is wrong.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::keys::{KEYS, nearest};
use super::references::places;
use super::value::Raw;

/// A configuration file.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// The name of `default_profile` and its line.
    pub(super) default_profile: Option<(String, usize)>,
    pub(super) profiles: Vec<Profile>,
}

/// One `[profiles.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Profile {
    pub(super) name: String,
    values: Vec<(&'static str, Raw, usize)>,
}

impl Profile {
    /// A value by the name of its key, and its line.
    pub(super) fn get(&self, key: &str) -> Option<(&Raw, usize)> {
        self.values.iter().find(|(name, ..)| *name == key).map(|(_, raw, line)| (raw, *line))
    }
}

impl ConfigFile {
    /// Reads a file; one that is not there has no profiles.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`]; [`ConfigError::Syntax`]; [`ConfigError::UnknownKey`].
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
        match std::fs::read(path) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))?;
                Self::parse(&text, path)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::parse("", path),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Reads the text of a file.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let reader = Reader { text, path };
        // The whole error would repeat the line, which may hold a secret.
        let document = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| reader.line(span.start));
            reader.syntax(line, error.message().to_owned())
        })?;
        let mut file = Self { path: path.to_owned(), default_profile: None, profiles: Vec::new() };
        for (key, value) in document.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("default_profile", DeValue::String(name)) => {
                    file.default_profile = Some((name.to_string(), reader.line(value.span().start)));
                }
                ("profiles", DeValue::Table(profiles)) => {
                    for (name, profile) in profiles {
                        file.profiles.push(reader.profile(name.get_ref(), profile)?);
                    }
                }
                ("default_profile", _) => return Err(reader.wrong(key, "the name of a profile as text")),
                ("profiles", _) => return Err(reader.wrong(key, "tables, as in [profiles.default]")),
                (name, _) => return Err(reader.unknown(key, &top_level_hint(name))),
            }
        }
        Ok(file)
    }
}

fn top_level_hint(name: &str) -> String {
    if KEYS.iter().any(|key| key.name == name) || name == "registry" {
        return String::from(" here; it belongs under a profile, for example [profiles.default]");
    }
    did_you_mean(nearest(name, ["default_profile", "profiles"]), &["default_profile", "profiles"])
}

/// The end of a message about a name that is not known.
pub(super) fn did_you_mean(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// What reads a file: it knows the lines.
pub(super) struct Reader<'t> {
    text: &'t str,
    path: &'t Path,
}

pub(super) type Name<'i> = Spanned<std::borrow::Cow<'i, str>>;

impl Reader<'_> {
    fn profile(&self, name: &str, table: &Spanned<DeValue<'_>>) -> Result<Profile, ConfigError> {
        let DeValue::Table(settings) = table.get_ref() else {
            let line = self.line(table.span().start);
            return Err(self.syntax(line, format!("`{name}` should be a table, [profiles.{name}]")));
        };
        let mut values = Vec::new();
        for (key, value) in settings {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("registry", DeValue::Table(parts)) => {
                    for (part, value) in parts {
                        let (name, mut raw, line) = self.setting("registry.", part, value)?;
                        if name == "registry.references" {
                            raw = Raw::Places(places(self, value)?);
                        }
                        values.push((name, raw, line));
                    }
                }
                ("registry", _) => values.push(("registry.source", raw(value), self.line(key.span().start))),
                _ => values.push(self.setting("", key, value)?),
            }
        }
        Ok(Profile { name: name.to_owned(), values })
    }

    fn setting(
        &self,
        table: &str,
        key: &Name<'_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(&'static str, Raw, usize), ConfigError> {
        let full = format!("{table}{}", key.get_ref());
        match KEYS.iter().find(|known| known.name == full && (table.is_empty() != known.name.contains('.'))) {
            Some(known) => Ok((known.name, raw(value), self.line(key.span().start))),
            None => {
                let here = |known: &'static str| known.strip_prefix(table).filter(|name| !name.contains('.'));
                let mut names: Vec<&str> = KEYS.iter().filter_map(|known| here(known.name)).collect();
                if table.is_empty() {
                    names.push("registry");
                }
                Err(self.unknown(key, &did_you_mean(nearest(key.get_ref(), names.iter().copied()), &names)))
            }
        }
    }

    pub(super) fn unknown(&self, key: &Name<'_>, hint: &str) -> ConfigError {
        ConfigError::UnknownKey {
            path: self.path.to_owned(),
            line: self.line(key.span().start),
            key: key.get_ref().to_string(),
            hint: hint.to_owned(),
        }
    }

    pub(super) fn wrong(&self, key: &Name<'_>, expected: &str) -> ConfigError {
        self.syntax(self.line(key.span().start), format!("`{}` should be {expected}", key.get_ref()))
    }

    pub(super) fn syntax(&self, line: usize, why: String) -> ConfigError {
        ConfigError::Syntax { path: self.path.to_owned(), line, why }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
    }
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number that is too large"),
        },
        DeValue::Float(number) => number.as_str().parse().map_or(Raw::Other("a number"), Raw::Float),
        DeValue::Array(list) => {
            let texts: Option<Vec<String>> =
                list.iter().map(|part| part.get_ref().as_str().map(ToOwned::to_owned)).collect();
            texts.map_or(Raw::Other("a list of other things"), Raw::List)
        }
        DeValue::Table(_) => Raw::Other("a table"),
        DeValue::Datetime(_) => Raw::Other("a date"),
    }
}
