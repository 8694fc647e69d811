//! What a registry is made of, as configured, and how it is opened.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::combined::CombinedRegistry;
use super::file::FileRegistry;
use super::mongo_address::MongoAddress;
use super::sql::SqliteRegistry;
use super::{RegistryError, SharedRegistry};

/// The schemes that can be opened today, for messages.
const SUPPORTED: &str = "a path, file:PATH (JSON, JSON lines, CSV, ids one a line), sqlite:PATH and \
    mongodb://USER:PASSWORD@HOST/DATABASE";

/// The first bytes of every SQLite database (sqlite.org/fileformat.html, 1.3).
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A registry as configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrySpec {
    /// Where the live projects are.
    pub projects: Location,
    /// Where the tracked keys are.
    pub tracked: TrackedKeys,
    /// Names of tables, columns and fields.
    pub mapping: Mapping,
}

/// Where one part of a registry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A text file.
    Text(PathBuf),
    /// A MongoDB database.
    Mongo(MongoAddress),
    /// A file whose first bytes say which of both it is.
    Guess(PathBuf),
}

/// Where the tracked keys are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TrackedKeys {
    /// Beside the projects. A database must have the table; a text file tracks keys if any of its records has a key.
    #[default]
    SameSource,
    /// In another source.
    Elsewhere(Location),
    /// The app does not track keys. Never assumed: an absent table may as well be a wrong name.
    NotTracked,
}

/// Names where a source does not use the default ones. `field` is a column of a table or a field of a record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mapping {
    /// Table of live projects; `projects` by default.
    pub projects_table: Option<String>,
    /// Id of a project; `id` in tables; `id`, `_id`, `project_id` or `projectId` in files.
    pub id_field: Option<String>,
    /// Table of tracked keys; `r2_objects` by default.
    pub tracked_table: Option<String>,
    /// A tracked key; `object_key` in tables; `object_key`, `objectKey` or `key` in files.
    pub key_field: Option<String>,
    /// Owner of a tracked key; `project_id` by default, in files `projectId` too.
    pub owner_field: Option<String>,
    /// A query of one column, the ids, instead of table and column.
    pub projects_query: Option<String>,
    /// A query of two columns, key and owner's id, instead of table and columns. Rows found by it are not removed.
    pub tracked_query: Option<String>,
    /// A query of two columns, key and owner's id, for places that hold keys without tracking them.
    pub references_query: Option<String>,
    /// The form of text files; told from their content by default.
    pub format: Option<TextFormat>,
}

/// The form of a text file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextFormat {
    /// One JSON array.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// CSV with a header.
    Csv,
    /// One id or key a line.
    Lines,
}

impl TextFormat {
    /// Reads the name that the configuration uses: `json`, `jsonl`, `csv` or `lines`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "lines" => Some(Self::Lines),
            _ => None,
        }
    }
}

impl RegistrySpec {
    /// Reads an address with default names: a path, `file:PATH`, `sqlite:PATH` or `mongodb://...`; `?tracked=false` behind a
    /// database says that it tracks no keys. A relative path starts at `base`.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] for a scheme or option that is not known; it never repeats what may be a password.
    pub fn parse(address: &str, base: &Path) -> Result<Self, RegistryError> {
        if let Some((address, tracked)) = MongoAddress::parse(address) {
            let tracked = if tracked == Some(false) { TrackedKeys::NotTracked } else { TrackedKeys::SameSource };
            return Ok(Self { projects: Location::Mongo(address), tracked, mapping: Mapping::default() });
        }
        let (address, tracked) = match address.rsplit_once('?') {
            Some((address, option)) if address.starts_with("sqlite:") => (address, tracked_option(option)?),
            _ => (address, TrackedKeys::SameSource),
        };
        Ok(Self { projects: Location::parse(address, base)?, tracked, mapping: Mapping::default() })
    }
}

fn tracked_option(option: &str) -> Result<TrackedKeys, RegistryError> {
    match option {
        "tracked=false" => Ok(TrackedKeys::NotTracked),
        "tracked=true" => Ok(TrackedKeys::SameSource),
        _ => Err(unreachable("sqlite:", "the one option is ?tracked=false".into())),
    }
}

impl Location {
    /// Reads an address: a path, `file:PATH`, `sqlite:PATH` or `mongodb://...`. A relative path starts at `base`.
    ///
    /// # Errors
    /// As [`RegistrySpec::parse`].
    pub fn parse(address: &str, base: &Path) -> Result<Self, RegistryError> {
        if address.is_empty() {
            return Err(unreachable("the registry", format!("its address is empty; supported are {SUPPORTED}")));
        }
        if let Some((address, _)) = MongoAddress::parse(address) {
            return Ok(Self::Mongo(address));
        }
        let path = |text: &str| base.join(text.strip_prefix("//").unwrap_or(text));
        match scheme(address) {
            Some(("sqlite", rest)) => Ok(Self::Sqlite(path(rest))),
            Some(("file", rest)) => Ok(Self::Text(path(rest))),
            // A file may have a colon in its name; what exists is meant.
            _ if base.join(address).is_file() => Ok(Self::Guess(base.join(address))),
            Some((other, _)) => Err(unreachable(
                &format!("{other}:"),
                format!("this kind of registry is not supported; supported are {SUPPORTED}"),
            )),
            None => Ok(Self::Guess(base.join(address))),
        }
    }

    /// Looks into the file if need be.
    fn resolved(&self) -> Result<Self, RegistryError> {
        let Self::Guess(path) = self else { return Ok(self.clone()) };
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut start));
        match read {
            Ok(_) if start == SQLITE_MAGIC => Ok(Self::Sqlite(path.clone())),
            Ok(_) => Ok(Self::Text(path.clone())),
            Err(error) => Err(opening(&path.display().to_string(), &error)),
        }
    }
}

/// Splits `scheme:rest`. One letter is a drive, not a scheme.
fn scheme(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some((scheme, rest))
}

fn unreachable(name: &str, why: String) -> RegistryError {
    RegistryError::Unreachable { source_name: name.into(), why }
}

/// What an error while opening a file means.
pub(super) fn opening(name: &str, error: &std::io::Error) -> RegistryError {
    match error.kind() {
        std::io::ErrorKind::NotFound => RegistryError::Missing(name.into()),
        _ => unreachable(name, error.to_string()),
    }
}

/// Which rows a source is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Projects, and tracked keys too if it has any.
    Both,
    /// Projects only.
    Projects,
    /// Tracked keys only.
    Tracked,
}

impl Role {
    pub(super) fn has_projects(self) -> bool {
        self != Role::Tracked
    }
}

/// Opens what is configured, far enough to know that every source is there and whether it tracks keys. Nothing is
/// created, and nothing is opened for writing.
///
/// # Errors
/// [`RegistryError::Missing`] or [`RegistryError::Unreachable`] if a source cannot be opened, [`RegistryError::Malformed`]
/// if a table or column is not there or a file is not in a known form.
pub async fn open(spec: &RegistrySpec) -> Result<SharedRegistry, RegistryError> {
    let (role, elsewhere) = match &spec.tracked {
        TrackedKeys::SameSource => (Role::Both, None),
        TrackedKeys::NotTracked => (Role::Projects, None),
        TrackedKeys::Elsewhere(location) => (Role::Projects, Some(location)),
    };
    let projects = open_one(&spec.projects, &spec.mapping, role).await?;
    match elsewhere {
        None => Ok(projects),
        Some(location) => {
            let tracked = open_one(location, &spec.mapping, Role::Tracked).await?;
            Ok(Arc::new(CombinedRegistry::new(projects, tracked)))
        }
    }
}

async fn open_one(location: &Location, mapping: &Mapping, role: Role) -> Result<SharedRegistry, RegistryError> {
    // Whole, so that evidence and remembered counts mean the same file from every directory.
    let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    match location.resolved()? {
        Location::Sqlite(path) => Ok(Arc::new(SqliteRegistry::open(&whole(path), mapping, role).await?)),
        Location::Mongo(address) => open_mongo(&address, mapping, role).await,
        Location::Text(path) | Location::Guess(path) => {
            Ok(Arc::new(FileRegistry::open(&whole(path), mapping, role).await?))
        }
    }
}

#[cfg(feature = "mongodb")]
async fn open_mongo(address: &MongoAddress, mapping: &Mapping, role: Role) -> Result<SharedRegistry, RegistryError> {
    Ok(Arc::new(super::mongodb::MongoRegistry::open(address.expose(), mapping, role).await?))
}

#[cfg(not(feature = "mongodb"))]
async fn open_mongo(address: &MongoAddress, _: &Mapping, _: Role) -> Result<SharedRegistry, RegistryError> {
    Err(address.not_built())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Result<Location, &str>) {
        match (Location::parse(address, Path::new("/base")), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{address}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{address}: {error}"),
            (found, expected) => panic!("{address}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn addresses() {
        check("registry.db", Ok(Location::Guess("/base/registry.db".into())));
        check("/tmp/ids", Ok(Location::Guess("/tmp/ids".into())));
        check("sqlite:app.db", Ok(Location::Sqlite("/base/app.db".into())));
        check("sqlite://app.db", Ok(Location::Sqlite("/base/app.db".into())));
        check("sqlite:///srv/app.db", Ok(Location::Sqlite("/srv/app.db".into())));
        check("file:ids.txt", Ok(Location::Text("/base/ids.txt".into())));
        check("C:\\app.db", Ok(Location::Guess("/base/C:\\app.db".into())));
        check("", Err("its address is empty"));
        check(
            "redis://app:hunter2@host/db",
            Err("redis: cannot be opened: this kind of registry is not supported; supported are a path, file:PATH"),
        );
        check("postgres://app:hunter2@host/db", Err("sqlite:PATH"));
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for address in ["postgres://app:hunter2@host/db", "sqlite:app.db?key=hunter2"] {
            let error = RegistrySpec::parse(address, Path::new("/")).expect_err("not supported");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn the_one_option() {
        let tracked = |address: &str| RegistrySpec::parse(address, Path::new("/")).expect("an address").tracked;
        assert_eq!(tracked("sqlite:a.db?tracked=false"), TrackedKeys::NotTracked);
        assert_eq!(tracked("sqlite:a.db?tracked=true"), TrackedKeys::SameSource);
        assert_eq!(tracked("a.db?tracked=false"), TrackedKeys::SameSource);
    }
}
