//! What one record of a text file says.

use serde_json::{Map, Value};

use super::extended;
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::Mapping;
use crate::registry::spec::Role;

/// One record of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Record {
    /// A live project by every id that the record has. Which of `_id` and `project_id` the keys of a bucket use is not
    /// for us to guess, and one id too many keeps an object that one too few would delete.
    Project {
        /// At least one.
        ids: Vec<String>,
    },
    /// A tracked key.
    Tracked {
        /// The key.
        key: Key,
        /// Its owner, if the record says.
        project: Option<String>,
    },
}

impl Record {
    /// Hands on a row for each id of a project, and whether it is the first of its record.
    pub(super) fn projects(self, take: &mut dyn FnMut(RegistryRow, bool)) {
        if let Record::Project { ids } = self {
            for (at, id) in ids.into_iter().enumerate() {
                take(RegistryRow::Project { id }, at == 0);
            }
        }
    }
}

/// The names of the fields, and what the file is asked for.
pub(super) struct Fields {
    pub(super) id: Vec<String>,
    pub(super) key: Vec<String>,
    pub(super) owner: Vec<String>,
    /// A file that may hold anything could have a field named `key` that is not ours; a tracked key then needs an owner
    /// field beside it.
    pub(super) key_needs_owner: bool,
    pub(super) role: Role,
}

impl Fields {
    pub(super) fn new(mapping: &Mapping, role: Role) -> Self {
        let names = |chosen: &Option<String>, usual: &[&str]| match chosen {
            Some(name) => vec![name.clone()],
            None => usual.iter().map(|&name| name.to_owned()).collect(),
        };
        Self {
            id: names(&mapping.id_field, &["id", "_id", "project_id", "projectId"]),
            key: names(&mapping.key_field, &["object_key", "objectKey", "key"]),
            owner: names(&mapping.owner_field, &["project_id", "projectId"]),
            key_needs_owner: role == Role::Both && mapping.key_field.is_none(),
            role,
        }
    }

    /// Whether a header or record of this name is known.
    pub(super) fn knows(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|known| known == name);
        match self.role {
            Role::Tracked => named(&self.key),
            Role::Projects => named(&self.id),
            Role::Both => named(&self.id) || named(&self.key),
        }
    }

    /// The names that make a record of this file, for messages.
    pub(super) fn expected(&self) -> String {
        let list = |names: &[String]| names.join(", ");
        match self.role {
            Role::Tracked => format!("a key ({})", list(&self.key)),
            Role::Projects => format!("an id ({})", list(&self.id)),
            Role::Both => format!("an id ({}) or a key ({})", list(&self.id), list(&self.key)),
        }
    }

    /// Reads a JSON value: an object, or an id or key alone. An object may hold several keys.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn json(&self, value: &Value) -> Result<Vec<Record>, String> {
        match value {
            Value::Object(fields) => self.object(fields),
            Value::String(text) if !self.role.has_projects() => Ok(vec![self.tracked(text.as_bytes(), None)?]),
            other => Ok(vec![self.project(vec![extended::id(other)?.ok_or("null where an id was expected")?])?]),
        }
    }

    fn object(&self, fields: &Map<String, Value>) -> Result<Vec<Record>, String> {
        match first_present(fields, &self.key)? {
            Some((name, values)) if self.role != Role::Projects => {
                let owner = first_present(fields, &self.owner)?;
                self.check_owner(name, owner.is_some())?;
                let project = owner.map(|(name, values)| one_id(name, &values)).transpose()?.flatten();
                let record = |value: &Value| match value {
                    Value::String(key) => self.tracked(key.as_bytes(), project.clone()),
                    _ => Err(format!("`{name}` should be a key as text")),
                };
                values.into_iter().map(record).collect()
            }
            _ if !self.role.has_projects() => Err(format!("expected {}", self.expected())),
            _ => {
                let mut ids = Vec::new();
                for name in &self.id {
                    ids.extend(one_id(name, &extended::values(fields, name)?)?);
                }
                Ok(vec![self.project(ids)?])
            }
        }
    }

    /// Reads the cells of a CSV record. An empty cell says nothing; spaces around an id are the writer's, around a key the
    /// key's.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn cells<'r>(&self, cell: impl Fn(&str) -> Option<&'r [u8]>) -> Result<Record, String> {
        let filled = |name: &String| cell(name).filter(|value| !value.is_empty());
        let key = self.key.iter().find_map(|name| filled(name).map(|key| (name, key)));
        match key {
            Some((name, key)) if self.role != Role::Projects => {
                self.check_owner(name, self.owner.iter().any(|owner| cell(owner).is_some()))?;
                let owner = self.owner.iter().find_map(filled).map(trimmed).transpose()?;
                self.tracked(key, owner)
            }
            _ if !self.role.has_projects() => Err(format!("expected {}", self.expected())),
            _ => {
                let ids: Result<Vec<_>, String> = self.id.iter().filter_map(filled).map(trimmed).collect();
                self.project(ids?)
            }
        }
    }

    /// Reads a line that is an id or a key alone.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn line(&self, line: &[u8]) -> Result<Record, String> {
        if !self.role.has_projects() {
            return self.tracked(line, None);
        }
        let id = trimmed(line)?;
        match id.chars().find(|&c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';')) {
            Some(c) => Err(format!(
                "expected one id alone on the line, found {c:?} in it; CSV needs a header with {}",
                self.expected()
            )),
            None => self.project(vec![id]),
        }
    }

    fn project(&self, mut ids: Vec<String>) -> Result<Record, String> {
        let mut at = 0;
        while at < ids.len() {
            if ids[at].is_empty() {
                return Err(String::from("an empty id names no project"));
            }
            if ids[..at].contains(&ids[at]) {
                ids.remove(at);
            } else {
                at += 1;
            }
        }
        if ids.is_empty() {
            return Err(format!("expected {}", self.expected()));
        }
        Ok(Record::Project { ids })
    }

    fn tracked(&self, key: &[u8], project: Option<String>) -> Result<Record, String> {
        if key.is_empty() {
            return Err(String::from("an empty key tracks nothing"));
        }
        Ok(Record::Tracked { key: Key::new(key), project: project.filter(|id| !id.is_empty()) })
    }

    fn check_owner(&self, key: &str, has_owner: bool) -> Result<(), String> {
        if has_owner || !self.key_needs_owner {
            return Ok(());
        }
        let owners = self.owner.join(", ");
        Err(format!(
            "has `{key}` but no owner ({owners}), so it cannot be told whether it is a tracked key or a project; set `key_field` or `tracked` for this registry"
        ))
    }
}

fn trimmed(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.trim_ascii().to_vec()).map_err(|_| String::from("an id that is not valid UTF-8"))
}

/// The first of these fields that is there, and its values.
fn first_present<'n, 'v>(
    fields: &'v Map<String, Value>,
    names: &'n [String],
) -> Result<Option<(&'n str, Vec<&'v Value>)>, String> {
    for name in names {
        let values = extended::values(fields, name)?;
        if !values.is_empty() {
            return Ok(Some((name, values)));
        }
    }
    Ok(None)
}

/// The one id among the values of a field.
fn one_id(name: &str, values: &[&Value]) -> Result<Option<String>, String> {
    let mut found: Option<String> = None;
    for value in values {
        match (&found, extended::id(value).map_err(|why| format!("`{name}`: {why}"))?) {
            (Some(one), Some(other)) if *one != other => return Err(format!("`{name}` has several ids")),
            (None, id) => found = id,
            _ => {}
        }
    }
    Ok(found)
}
