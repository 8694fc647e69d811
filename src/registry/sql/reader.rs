//! Reading, the same for every database: what is there, everything, the projects, and who claims some keys.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use super::connection::{Ask, Cells, Connection, Halt, Parameter, message};
use super::cut_short::cut_short;
use super::engine::{Engine, Meaning, Purpose, Stored};
use super::queries::{From, Kind, Part, Table, parts};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};
use crate::registry::spec::Role;
use crate::registry::spellings::spellings;
use crate::registry::tally::Tally;
use crate::registry::{Access, Mapping, RegistryError, RowSink};

/// A database and what of it is read.
pub(super) struct Reader {
    pub(super) name: String,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) access: Access,
    pub(super) tracked: bool,
    parts: Vec<(Part, Stored)>,
}

impl Reader {
    /// Looks whether every table, column and query is there and may be read.
    ///
    /// # Errors
    /// As [`crate::registry::open`]. An absent table of tracked keys is an error: that the app tracks none must be said.
    pub(super) async fn open(
        name: String,
        engine: Arc<dyn Engine>,
        mapping: &Mapping,
        role: Role,
        access: Access,
    ) -> Result<Self, RegistryError> {
        let tracked = role != Role::Projects;
        let mut reader = Self { name, engine, access, tracked, parts: Vec::new() };
        let wanted = |part: &Part| match part.kind {
            Kind::Projects => role.has_projects(),
            Kind::Tracked => tracked,
            Kind::References => true,
        };
        let mut connection = reader.connect(Purpose::Looking).await?;
        for part in parts(mapping).into_iter().filter(wanted) {
            let stored = reader.check(&mut *connection, &part).await?;
            reader.parts.push((part, stored));
        }
        reader.check_moment(&mut *connection).await?;
        Ok(reader)
    }

    /// That one transaction sees one moment of everything that is read.
    async fn check_moment(&self, connection: &mut dyn Connection) -> Result<(), RegistryError> {
        if self.access.no_snapshot {
            return Ok(());
        }
        let parts: Vec<&Part> = self.parts.iter().map(|(part, _)| part).collect();
        let found = self.engine.not_of_one_moment(connection, &parts, self.access.patience).await;
        match found.map_err(|halt| self.halted("the server", halt))? {
            None => Ok(()),
            Some(why) => Err(self.refused(format!(
                "{why}, so what is read is not of one moment and a live project may be missing; change the engine, or accept \
                 that with `no_snapshot = true`"
            ))),
        }
    }

    /// Connects to a server that may be believed.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Box<dyn Connection>, RegistryError> {
        let patience = self.access.patience;
        let connecting = tokio::time::timeout(patience, self.engine.connect(purpose, patience)).await;
        let mut connection = connecting
            .map_err(|_| self.unreachable(Halt::Silent(patience).why()))?
            .map_err(|error| self.not_opened(&error))?;
        let replica = self.engine.replica(&mut *connection, patience).await;
        match replica.map_err(|halt| self.halted("the server", halt))? {
            Some(why) if !self.access.replica => Err(self.refused(format!(
                "it is a replica ({why}) and may lag behind, so a live project may be missing; name the primary, or \
                 accept that with `replica = true`"
            ))),
            _ => Ok(connection),
        }
    }

    /// Proves that rows can be asked for, without reading any.
    async fn check(&self, connection: &mut dyn Connection, part: &Part) -> Result<Stored, RegistryError> {
        let dialect = self.engine.dialect();
        if let From::Query(query) = &part.from
            && let Some(word) = cut_short(query)
        {
            let why = format!("{word} leaves rows out, and what is left out would pass for gone; ask for all of them");
            return Err(self.malformed(&part.place, why));
        }
        let types = match connection.types(part.all(dialect)).await {
            Ok(types) => types,
            Err(error) => return Err(self.absent(connection, part, &error).await),
        };
        let wanted = if part.kind == Kind::Projects { 1 } else { 2 };
        if types.len() != wanted {
            let expected =
                if wanted == 1 { "one column, the id" } else { "two columns, key and owner (NULL if unknown)" };
            return Err(self.malformed(&part.place, format!("expected {expected}, found {}", types.len())));
        }
        // Permissions, and the question that is asked before each batch, must not fail there for the first time.
        let (stored, question) = match part.kind {
            Kind::Projects => {
                (Stored::Text, format!("WITH p(id) AS ({}\n) SELECT id FROM p LIMIT 0", part.all(dialect)))
            }
            Kind::Tracked | Kind::References => {
                let stored = self.engine.stored(&types[0]).ok_or_else(|| {
                    self.malformed(&part.place, format!("expected keys as text or bytes, found {}", types[0]))
                })?;
                if stored == Stored::Bytes && part.spelling.as_ref().is_some_and(|spelling| spelling.base().is_some()) {
                    return Err(self.malformed(&part.place, String::from("expected addresses as text, found bytes")));
                }
                (stored, format!("{} LIMIT 0", part.claims(dialect, "claimed IS NOT NULL", true)))
            }
        };
        let asked = connection.each(Ask::plain(question), self.access.patience, &mut |_| Ok(())).await;
        asked.map_err(|halt| match halt {
            Halt::Database(error) => self.mistaken(part, &error),
            other => self.halted(&part.place, other),
        })?;
        Ok(stored)
    }

    /// The error of a question that the database does not understand: the query is the user's, and so is its mistake.
    fn mistaken(&self, part: &Part, error: &sqlx::Error) -> RegistryError {
        match (&part.from, self.engine.meaning(error)) {
            (From::Query(_), Meaning::Other) if error.as_database_error().is_some() => {
                self.malformed(&part.place, message(error))
            }
            _ => self.halted_by(&part.place, error),
        }
    }

    /// The error of a table or column that is not there, with those that are.
    async fn absent(&self, connection: &mut dyn Connection, part: &Part, error: &sqlx::Error) -> RegistryError {
        let From::Table(table) = &part.from else { return self.mistaken(part, error) };
        let meaning = self.engine.meaning(error);
        // Some databases answer nothing more in a transaction that has failed.
        let _ = connection.run("ROLLBACK", self.access.patience).await;
        match meaning {
            Meaning::NoTable => {
                let say = match part.kind {
                    Kind::Tracked => "; if this app does not track keys, say so with `tracked = false`",
                    Kind::Projects => "; name the right one with `projects_table`",
                    Kind::References => "; name the right one with `from`",
                };
                let found = self.names(connection, self.engine.tables()).await;
                self.malformed(&part.place, format!("is not there; there are {}{say}", list(&found)))
            }
            Meaning::NoColumn => {
                let found = self.names(connection, self.engine.columns(table)).await;
                let absent = table.columns().find(|name| !found.iter().any(|column| column.eq_ignore_ascii_case(name)));
                let absent = absent.unwrap_or(&table.first);
                self.malformed(&part.place, format!("has no column `{absent}`; it has {}", list(&found)))
            }
            _ => self.halted_by(&part.place, error),
        }
    }

    /// The first column of an answer; nothing if there is none, since it only helps a message.
    async fn names(&self, connection: &mut dyn Connection, ask: Ask) -> Vec<String> {
        let mut names = Vec::new();
        let mut take = |row: &dyn Cells| {
            names.extend(row.bytes(0)?.and_then(|name| String::from_utf8(name).ok()));
            Ok(())
        };
        let _ = connection.each(ask, self.access.patience, &mut take).await;
        names
    }

    /// Where keys are, tracked ones first.
    fn claim_parts(&self) -> impl Iterator<Item = &(Part, Stored)> {
        self.parts.iter().filter(|(part, _)| part.kind != Kind::Projects)
    }

    /// The table of tracked keys, if it is one: what a query of the user's finds is not changed.
    pub(super) fn tracked_table(&self) -> Option<(&Table, Stored)> {
        self.parts.iter().find_map(|(part, stored)| match (&part.from, part.kind) {
            (From::Table(table), Kind::Tracked) => Some((table, *stored)),
            _ => None,
        })
    }

    /// As [`crate::registry::Registry::read`], within one transaction, so that it is of one moment.
    pub(super) async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        let mut tally = Tally::new(sink);
        let mut connection = self.connect(Purpose::Reading).await?;
        self.check_moment(&mut *connection).await?;
        for (part, _) in &self.parts {
            let question = Ask::plain(part.all(self.engine.dialect()));
            self.stream(&mut *connection, part, question, &mut |row, first| tally.part(row, first)).await?;
        }
        let ended = connection.run("COMMIT", self.access.patience).await;
        ended.map_err(|halt| self.partial(halt.why()))?;
        Ok(tally.finish(&self.name, self.tracked))
    }

    /// As [`crate::registry::Registry::projects`].
    pub(super) async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        let Some((part, _)) = self.parts.iter().find(|(part, _)| part.kind == Kind::Projects) else { return Ok(()) };
        let mut connection = self.connect(Purpose::Reading).await?;
        let question = Ask::plain(part.all(self.engine.dialect()));
        self.stream(&mut *connection, part, question, &mut |row, _| sink(row)).await
    }

    /// As [`crate::registry::Registry::claims`].
    pub(super) async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        let mut claims = Vec::new();
        let spelled = spelled(keys);
        if spelled.is_empty() {
            return Ok(claims);
        }
        let wanted: HashSet<&Key> = spelled.iter().collect();
        let mut connection = self.connect(Purpose::Looking).await?;
        for (part, stored) in self.claim_parts() {
            let written = part.spelling.as_ref().map_or_else(|| spelled.clone(), |spelling| spelling.written(&spelled));
            let mut rows: Vec<Vec<RegistryRow>> = Vec::new();
            for (at, (condition, parameters)) in self.conditions(*stored, &written).into_iter().enumerate() {
                let question = Ask { text: part.claims(self.engine.dialect(), &condition, at == 0), parameters };
                let mut take = |row: RegistryRow, first: bool| match rows.last_mut() {
                    Some(last) if !first => last.push(row),
                    _ => rows.push(vec![row]),
                };
                self.stream(&mut *connection, part, question, &mut take).await?;
            }
            // The database may have compared in its own way.
            rows.retain(|row| row.iter().any(|row| claimed(row).is_some_and(|key| wanted.contains(key))));
            claims.extend(rows.into_iter().flatten());
        }
        Ok(claims)
    }

    /// The conditions that find these keys, at least one.
    fn conditions(&self, stored: Stored, written: &[Key]) -> Vec<(String, Vec<Parameter>)> {
        match self.engine.one_of("claimed", stored, written) {
            none if none.is_empty() => vec![(String::from("1 = 0"), Vec::new())],
            some => some,
        }
    }

    /// What would make the lookup of keys faster.
    pub(super) async fn advice(&self) -> Vec<String> {
        let Ok(mut connection) = self.connect(Purpose::Looking).await else { return Vec::new() };
        let mut advice = Vec::new();
        for (part, _) in self.claim_parts() {
            advice.extend(self.engine.advice(&mut *connection, part, self.access.patience).await);
        }
        advice
    }

    /// Hands the rows of a part on, and whether each is the first that its row of the database makes.
    async fn stream(
        &self,
        connection: &mut dyn Connection,
        part: &Part,
        question: Ask,
        take: &mut (dyn FnMut(RegistryRow, bool) + Send),
    ) -> Result<(), RegistryError> {
        let mut row = |cells: &dyn Cells| {
            for (at, row) in part_rows(part, cells)?.into_iter().enumerate() {
                take(row, at == 0);
            }
            Ok(())
        };
        let ended = connection.each(question, self.access.patience, &mut row).await;
        ended.map(drop).map_err(|halt| self.halted(&part.place, halt))
    }
}

/// Every spelling of these keys, once.
pub(super) fn spelled(keys: &[Key]) -> Vec<Key> {
    let mut spelled: Vec<Key> = keys.iter().flat_map(spellings).collect();
    spelled.sort();
    spelled.dedup();
    spelled
}

fn claimed(row: &RegistryRow) -> Option<&Key> {
    match row {
        RegistryRow::Tracked { key, .. } | RegistryRow::Reference { key, .. } => Some(key),
        RegistryRow::Project { .. } => None,
    }
}

fn part_rows(part: &Part, cells: &dyn Cells) -> Result<Vec<RegistryRow>, String> {
    if part.kind == Kind::Projects {
        let id = id(cells, 0)?.ok_or("an id that is NULL or empty")?;
        return Ok(vec![RegistryRow::Project { id }]);
    }
    let written = cells.bytes(0)?.filter(|key| !key.is_empty());
    let project = id(cells, 1)?;
    match (&part.spelling, written) {
        (Some(_), None) => Ok(Vec::new()),
        (Some(spelling), Some(written)) => Ok(spelling.rows(&written, project)),
        (None, None) => Err(String::from("a key that is NULL or empty")),
        (None, Some(key)) if part.kind == Kind::Tracked => {
            Ok(vec![RegistryRow::Tracked { key: Key::new(key), project }])
        }
        (None, Some(key)) => Ok(vec![RegistryRow::Reference { key: Key::new(key), project }]),
    }
}

/// An id; `None` for NULL and for an empty one.
pub(super) fn id(cells: &dyn Cells, column: usize) -> Result<Option<String>, String> {
    let id = cells.bytes(column)?.map(String::from_utf8).transpose().map_err(|_| {
        String::from("an id of bytes that are not text; say how it is spelled in keys with a query, for example SELECT lower(hex(id)) FROM projects")
    })?;
    Ok(id.filter(|id| !id.is_empty()))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}

/// Errors by meaning.
impl Reader {
    pub(super) fn malformed(&self, place: &str, why: String) -> RegistryError {
        RegistryError::Malformed { source_name: self.name.clone(), place: place.to_owned(), why }
    }

    pub(super) fn partial(&self, why: String) -> RegistryError {
        RegistryError::Partial { source_name: self.name.clone(), why }
    }

    pub(super) fn refused(&self, why: String) -> RegistryError {
        RegistryError::Refused { source_name: self.name.clone(), why }
    }

    fn unreachable(&self, why: String) -> RegistryError {
        RegistryError::Unreachable { source_name: self.name.clone(), why }
    }

    /// What it means that there is no connection.
    pub(super) fn not_opened(&self, error: &sqlx::Error) -> RegistryError {
        match self.engine.meaning(error) {
            _ if matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::NotFound) => {
                RegistryError::Missing(self.name.clone())
            }
            Meaning::NoDatabase => RegistryError::Missing(self.name.clone()),
            Meaning::Denied => self.refused(message(error)),
            _ => self.unreachable(message(error)),
        }
    }

    /// What an answer that did not come to its end means.
    pub(super) fn halted(&self, place: &str, halt: Halt) -> RegistryError {
        match halt {
            Halt::Database(error) => self.halted_by(place, &error),
            Halt::Row(number, why) => self.malformed(&format!("{place}, row {number}"), why),
            other => self.partial(format!("{place}: {}", other.why())),
        }
    }

    pub(super) fn halted_by(&self, place: &str, error: &sqlx::Error) -> RegistryError {
        match self.engine.meaning(error) {
            Meaning::RowsHidden => self.refused(format!(
                "{place}: {}; this user sees a part of the rows only: read as a role with BYPASSRLS, or as the owner of the \
                 table",
                message(error)
            )),
            Meaning::Denied | Meaning::ReadOnly => self.refused(format!("{place}: {}", message(error))),
            Meaning::NoTable | Meaning::NoColumn => self.malformed(place, message(error)),
            _ => self.partial(format!("{place}: {}", message(error))),
        }
    }
}
