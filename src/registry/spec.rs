//! What a registry is made of, as configured, and how it is opened.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::combined::CombinedRegistry;
use super::file::FileRegistry;
use super::mongo_address::MongoAddress;
use super::sql::SqliteRegistry;
use super::sql::address::{Server, ServerAddress};
use super::{KeySpelling, RegistryError, SharedRegistry};

/// The schemes that can be opened today, for messages.
const SUPPORTED: &str = "a path, file:PATH (JSON, JSON lines, CSV, ids one a line), sqlite:PATH, and \
    postgres://, mysql:// or mongodb:// with USER:PASSWORD@HOST/DATABASE";

/// How long a database may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

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
    /// What is expected of databases.
    pub access: Access,
}

/// What is expected of databases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// A replica may be read although it may lag behind.
    pub replica: bool,
    /// Tables may be read that have no snapshots, so that a reading is not of one moment.
    pub no_snapshot: bool,
    /// How long a database may say nothing before it counts as failed.
    pub patience: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self { replica: false, no_snapshot: false, patience: PATIENCE }
    }
}

/// Where one part of a registry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A text file.
    Text(PathBuf),
    /// A database on a server.
    Server(ServerAddress),
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
    /// Table or collection of live projects; `projects` by default.
    pub projects_table: Option<String>,
    /// Id of a project; `id` in tables, `_id` in MongoDB; `id`, `_id`, `project_id` or `projectId` in files.
    pub id_field: Option<String>,
    /// Table or collection of tracked keys; `r2_objects` by default, `r2_file_paths` in MongoDB.
    pub tracked_table: Option<String>,
    /// A tracked key; `object_key`, in files `objectKey` or `key` too.
    pub key_field: Option<String>,
    /// Owner of a tracked key; `project_id` by default, in files `projectId` too.
    pub owner_field: Option<String>,
    /// A query of one column, the ids, instead of table and column.
    pub projects_query: Option<String>,
    /// A query of two columns, key and owner's id, instead of table and columns. Rows found by it are not removed.
    pub tracked_query: Option<String>,
    /// A query of two columns, key and owner's id, for places that hold keys without tracking them.
    pub references_query: Option<String>,
    /// Places that hold keys without tracking them.
    pub references: Vec<ReferencePlace>,
    /// The form of text files; told from their content by default.
    pub format: Option<TextFormat>,
}

/// A place that holds keys without tracking them, for example the picture of a scene.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReferencePlace {
    /// Table, or collection.
    pub from: String,
    /// Column, or dotted path through documents and lists. Where it is empty, there is no reference.
    pub key_field: String,
    /// Owner of the object; without it, whoever refers to an object protects it.
    pub owner_field: Option<String>,
    /// How keys are written there.
    pub spelling: KeySpelling,
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
    /// Reads an address with default names: a path, `file:PATH`, `sqlite:PATH`, `postgres://...`, `mysql://...` or
    /// `mongodb://...`; `?tracked=false` behind a database says that it tracks no keys, `?replica=true` behind a SQL server
    /// that a replica will do, `?no_snapshot=true` that tables without snapshots will. A relative path starts at `base`.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] for a scheme or option that is not known; it never repeats what may be a password.
    pub fn parse(address: &str, base: &Path) -> Result<Self, RegistryError> {
        let (location, tracked) = match address.rsplit_once('?') {
            Some((address, option)) if address.starts_with("sqlite:") => {
                (Location::parse(address, base)?, Some(tracked_option(option)?))
            }
            _ => Location::with_options(address, base)?,
        };
        let tracked = if tracked == Some(false) { TrackedKeys::NotTracked } else { TrackedKeys::SameSource };
        Ok(Self { projects: location, tracked, mapping: Mapping::default(), access: Access::default() })
    }
}

fn tracked_option(option: &str) -> Result<bool, RegistryError> {
    match option {
        "tracked=false" => Ok(false),
        "tracked=true" => Ok(true),
        _ => Err(unreachable("sqlite:", "the one option is ?tracked=false".into())),
    }
}

impl Location {
    /// Reads an address: a path, `file:PATH`, `sqlite:PATH` or the address of a server. A relative path starts at `base`.
    ///
    /// # Errors
    /// As [`RegistrySpec::parse`].
    pub fn parse(address: &str, base: &Path) -> Result<Self, RegistryError> {
        Self::with_options(address, base).map(|(location, _)| location)
    }

    /// As [`Location::parse`], and whether a server's address says that it tracks keys.
    fn with_options(address: &str, base: &Path) -> Result<(Self, Option<bool>), RegistryError> {
        if address.is_empty() {
            return Err(unreachable("the registry", format!("its address is empty; supported are {SUPPORTED}")));
        }
        if let Some((address, tracked)) = MongoAddress::parse(address) {
            return Ok((Self::Mongo(address), tracked));
        }
        let path = |text: &str| base.join(text.strip_prefix("//").unwrap_or(text));
        if let Some((server, rest)) = scheme(address).and_then(|(word, rest)| Some((Server::of_scheme(word)?, rest))) {
            let (address, tracked) = ServerAddress::parse(server, rest)?;
            return Ok((Self::Server(address), tracked));
        }
        let location = match scheme(address) {
            Some(("sqlite", rest)) => Self::Sqlite(path(rest)),
            Some(("file", rest)) => Self::Text(path(rest)),
            // A file may have a colon in its name; what exists is meant.
            _ if base.join(address).is_file() => Self::Guess(base.join(address)),
            Some((other, _)) => {
                return Err(unreachable(
                    &format!("{other}:"),
                    format!("this kind of registry is not supported; supported are {SUPPORTED}"),
                ));
            }
            None => Self::Guess(base.join(address)),
        };
        Ok((location, None))
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

    /// Whether references can be read there.
    fn is_database(&self) -> bool {
        matches!(self, Self::Sqlite(_) | Self::Server(_) | Self::Mongo(_))
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
    let projects = spec.projects.resolved()?;
    let elsewhere = match &spec.tracked {
        TrackedKeys::SameSource => return open_one(&projects, spec, Role::Both, true).await,
        TrackedKeys::NotTracked => return open_one(&projects, spec, Role::Projects, true).await,
        TrackedKeys::Elsewhere(location) => location.resolved()?,
    };
    // One of both has them: the one with the tracked keys, if it can.
    let there = elsewhere.is_database();
    let projects = open_one(&projects, spec, Role::Projects, !there).await?;
    let tracked = open_one(&elsewhere, spec, Role::Tracked, there).await?;
    Ok(Arc::new(CombinedRegistry::new(projects, tracked)))
}

async fn open_one(
    location: &Location,
    spec: &RegistrySpec,
    role: Role,
    references: bool,
) -> Result<SharedRegistry, RegistryError> {
    let mut mapping = spec.mapping.clone();
    if !references {
        mapping.references_query = None;
        mapping.references.clear();
    }
    // Whole, so that evidence and remembered counts mean the same file from every directory.
    let whole = |path: &Path| std::path::absolute(path).unwrap_or(path.to_owned());
    match location {
        Location::Sqlite(path) => Ok(Arc::new(SqliteRegistry::open(&whole(path), &mapping, role, spec.access).await?)),
        Location::Server(address) => open_server(address, &mapping, role, spec.access).await,
        Location::Mongo(address) => open_mongo(address, spec, role, references).await,
        Location::Text(path) | Location::Guess(path) => {
            if references && (!mapping.references.is_empty() || mapping.references_query.is_some()) {
                let name = format!("file: {}", path.display());
                return Err(unreachable(&name, "references are read from databases, and this is a text file".into()));
            }
            Ok(Arc::new(FileRegistry::open(&whole(path), &mapping, role).await?))
        }
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
async fn open_server(
    address: &ServerAddress,
    mapping: &Mapping,
    role: Role,
    access: Access,
) -> Result<SharedRegistry, RegistryError> {
    Ok(Arc::new(super::sql::ServerRegistry::open(address, mapping, role, access).await?))
}

#[cfg(not(any(feature = "postgres", feature = "mysql")))]
async fn open_server(
    address: &ServerAddress,
    _: &Mapping,
    _: Role,
    _: Access,
) -> Result<SharedRegistry, RegistryError> {
    Err(address.not_built())
}

#[cfg(feature = "mongodb")]
async fn open_mongo(
    address: &MongoAddress,
    spec: &RegistrySpec,
    role: Role,
    references: bool,
) -> Result<SharedRegistry, RegistryError> {
    let asked = super::mongodb::Asked { references, patience: spec.access.patience };
    Ok(Arc::new(super::mongodb::MongoRegistry::open(address.expose(), &spec.mapping, role, asked).await?))
}

#[cfg(not(feature = "mongodb"))]
async fn open_mongo(
    address: &MongoAddress,
    _: &RegistrySpec,
    _: Role,
    _: bool,
) -> Result<SharedRegistry, RegistryError> {
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
        check("redis://app:hunter2@host/db", Err("sqlite:PATH"));
        check("postgres:app:hunter2@host/db", Err("the address is not complete"));
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for address in ["redis://app:hunter2@host/db", "postgres://app:hunter2@@host/db", "sqlite:app.db?key=hunter2"] {
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
        assert_eq!(tracked("mysql://host/db?tracked=false"), TrackedKeys::NotTracked);
        assert_eq!(tracked("mysql://host/db"), TrackedKeys::SameSource);
    }
}
