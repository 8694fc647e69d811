//! The registry part of the settings.

use std::fmt;
use std::path::PathBuf;

use super::layers::Layers;
use super::value::{Raw, age, boolean, count, share, text};
use super::{ConfigError, Origin, ReferenceSettings, Setting};

/// The address of a source as configured. It may hold a password, so `Debug` and `Display` show neither user info nor
/// query, and nothing but the scheme where these cannot be told from the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Takes an address as written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The address itself, for whoever opens it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_scheme =
            |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
        let Some((scheme, rest)) = self.0.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return f.write_str(&self.0);
        };
        let (place, query) = rest.split_once('?').map_or((rest, ""), |(place, query)| (place, query));
        let query = match query {
            "" => String::new(),
            ours if ours.starts_with("tracked=") && !ours.contains('&') => format!("?{ours}"),
            _ => String::from("?(hidden)"),
        };
        if matches!(scheme, "sqlite" | "file") {
            return write!(f, "{scheme}:{place}{query}");
        }
        // Where a password has its own @, / or ?, nobody can say where it ends.
        let host = match (place.strip_prefix("//"), rest.matches('@').count()) {
            (Some(host), 0) => Some(("", host)),
            (Some(place), 1) => {
                place.split_once('@').filter(|(user, _)| !user.contains('/')).map(|(_, host)| ("(hidden)@", host))
            }
            _ => None,
        };
        match host {
            Some((user, host)) => write!(f, "{scheme}://{user}{host}{query}"),
            None => write!(f, "{scheme}:(hidden)"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Where tracked keys are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tracked {
    /// In the same source.
    Here,
    /// The app tracks none.
    Nowhere,
    /// In another source.
    At(Address),
}

impl fmt::Display for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tracked::Here => f.write_str("true"),
            Tracked::Nowhere => f.write_str("false"),
            Tracked::At(address) => write!(f, "{address}"),
        }
    }
}

/// What the settings say of the registry.
#[derive(Clone, PartialEq, Debug)]
pub struct RegistrySettings {
    /// Where the live projects are; `None` if no registry is configured.
    pub source: Option<Setting<Address>>,
    /// Where relative paths of `source` start.
    pub base: PathBuf,
    /// Where the tracked keys are.
    pub tracked: Setting<Tracked>,
    /// Table of live projects.
    pub projects_table: Option<Setting<String>>,
    /// Column or field of a project's id.
    pub id_field: Option<Setting<String>>,
    /// Table of tracked keys.
    pub tracked_table: Option<Setting<String>>,
    /// Column or field of a tracked key.
    pub key_field: Option<Setting<String>>,
    /// Column or field of a tracked key's project.
    pub owner_field: Option<Setting<String>>,
    /// A query of live ids.
    pub projects_query: Option<Setting<String>>,
    /// A query of tracked keys and their projects.
    pub tracked_query: Option<Setting<String>>,
    /// A query of keys held elsewhere, and their projects.
    pub references_query: Option<Setting<String>>,
    /// Places that hold keys without tracking them.
    pub references: Option<Setting<Vec<ReferenceSettings>>>,
    /// Whether a replica may be read.
    pub replica: Setting<bool>,
    /// Whether tables without snapshots may be read.
    pub no_snapshot: Setting<bool>,
    /// Seconds that a database may say nothing.
    pub timeout: Setting<i64>,
    /// The form of text files: `json`, `jsonl`, `csv` or `lines`.
    pub format: Option<Setting<String>>,
    /// Fewest live projects.
    pub min_projects: Setting<u64>,
    /// Fewest tracked keys.
    pub min_tracked: Setting<u64>,
    /// Largest part that may have gone since last time, from 0 to 1.
    pub max_shrink: Setting<f64>,
}

impl RegistrySettings {
    /// Names, tables and queries of a profile describe the source of that profile. If a flag or a variable names another
    /// one, they do not count; if the profile names none, they describe whatever the variable names. Limits always count,
    /// since they guard.
    pub(super) fn resolve(layers: &Layers<'_>) -> Result<Self, ConfigError> {
        let configured = layers.get("registry.source", text)?.map(|source| source.map(Address::new));
        let source = configured.or_else(|| {
            let found = layers.app_database()?;
            let address = Address::new(text(&found.raw).ok()?);
            Some(Setting { value: address, origin: found.origin })
        });
        let profile_has_source =
            layers.profile.as_ref().is_some_and(|profile| profile.value.get("registry.source").is_some());
        let from_profile = source.as_ref().is_some_and(|source| matches!(source.origin, Origin::Profile { .. }));
        let of_profile = from_profile || !profile_has_source;
        let name = |key: &'static str| if of_profile { layers.get(key, text) } else { Ok(None) };
        let tracked = if of_profile { layers.get("registry.tracked", tracked)? } else { None };
        let base = source.as_ref().map(|source| layers.base(&source.origin)).unwrap_or_default();
        Ok(Self {
            source: source.map(|source| home(layers, source)),
            base,
            tracked: tracked.unwrap_or_else(|| Setting::default(Tracked::Here)),
            projects_table: name("registry.projects_table")?,
            id_field: name("registry.id_field")?,
            tracked_table: name("registry.tracked_table")?,
            key_field: name("registry.key_field")?,
            owner_field: name("registry.owner_field")?,
            projects_query: name("registry.projects_query")?,
            tracked_query: name("registry.tracked_query")?,
            references_query: name("registry.references_query")?,
            references: if of_profile { layers.get("registry.references", references)? } else { None },
            replica: if of_profile { layers.get("registry.replica", boolean)? } else { None }
                .unwrap_or_else(|| Setting::default(false)),
            no_snapshot: if of_profile { layers.get("registry.no_snapshot", boolean)? } else { None }
                .unwrap_or_else(|| Setting::default(false)),
            timeout: layers.get_or("registry.timeout", timeout, 60)?,
            format: if of_profile { layers.get("registry.format", format)? } else { None },
            min_projects: layers.get_or("registry.min_projects", count, 1)?,
            min_tracked: layers.get_or("registry.min_tracked", count, 1)?,
            max_shrink: layers.get_or("registry.max_shrink", share, 0.2)?,
        })
    }
}

/// Replaces a leading `~/`.
fn home(layers: &Layers<'_>, source: Setting<Address>) -> Setting<Address> {
    if !source.value.expose().starts_with("~/") {
        return source;
    }
    let path = layers.path(&source.origin, source.value.expose());
    source.map(|_| Address::new(path.to_string_lossy()))
}

fn tracked(raw: &Raw) -> Result<Tracked, &'static str> {
    match (boolean(raw), text(raw)) {
        (Ok(true), _) => Ok(Tracked::Here),
        (Ok(false), _) => Ok(Tracked::Nowhere),
        (_, Ok(address)) => Ok(Tracked::At(Address::new(address))),
        _ => Err("true, false, or the address of a source"),
    }
}

fn references(raw: &Raw) -> Result<Vec<ReferenceSettings>, &'static str> {
    match raw {
        Raw::Places(places) => Ok(places.clone()),
        _ => Err("tables with `from` and `key_field`"),
    }
}

fn timeout(raw: &Raw) -> Result<i64, &'static str> {
    age(raw).ok().filter(|seconds| (1..=3_600).contains(seconds)).ok_or("a time from \"1s\" to \"1h\"")
}

fn format(raw: &Raw) -> Result<String, &'static str> {
    let known = ["json", "jsonl", "csv", "lines"];
    text(raw).ok().filter(|name| known.contains(&name.as_str())).ok_or("json, jsonl, csv or lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, shown: &str) {
        assert_eq!(Address::new(address).to_string(), shown);
        assert_eq!(format!("{:?}", Address::new(address)), format!("\"{shown}\""));
    }

    #[test]
    fn an_address_shows_where_it_leads_and_no_password() {
        check("app.db", "app.db");
        check("C:\\app@home.db", "C:\\app@home.db");
        check("sqlite:///srv/a@b.db?tracked=false", "sqlite:///srv/a@b.db?tracked=false");
        check("sqlite:a.db?key=hunter2", "sqlite:a.db?(hidden)");
        check("postgres://host:5432/db", "postgres://host:5432/db");
        check("postgres://me:hunter2@host/db", "postgres://(hidden)@host/db");
        check("mongodb+srv://me:hunter2@host/db?w=1", "mongodb+srv://(hidden)@host/db?(hidden)");
        check("postgres://me:hunt@er2@host/db", "postgres:(hidden)");
        check("postgres://me:hunt/er2@host/db", "postgres:(hidden)");
        check("postgres://me:hunt?er2@host/db", "postgres:(hidden)");
        check("postgres:hunter2", "postgres:(hidden)");
    }
}
