//! A registry in MongoDB, or in a server that speaks its protocol.
//!
//! ```text
//! address  what the server may be called in public, and what the driver is told
//! error    what the driver's errors mean, without secrets
//! places   which collections and fields hold what
//! value    ids, keys and dotted paths in documents
//! read     whole collections, to an end that is proved
//! lookup   the rows and references of single keys
//! rows     whole rows: kept aside, removed, put back, added
//! new_row  a row to be added, as the app would write it
//! json     documents as text that leads back to them
//! advice   what would make it faster or safer
//! ```
//!
//! Reads go to the primary and, where there are several servers, see only what most of them have; a server that does not
//! serve such reads is refused. A cursor is never kept alive by an option: servers end the cursors of idle sessions all
//! the same (mongodb.com/docs/manual/reference/method/cursor.noCursorTimeout), so one that ends early is an error.

mod address;
mod advice;
mod error;
mod json;
mod lookup;
mod new_row;
mod places;
mod read;
mod rows;
#[cfg(test)]
mod tests;
mod value;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::{Client, Database};

use self::address::Address;
use self::error::Errors;
use self::places::{Place, Projects};
use super::spec::Role;
use super::tally::Tally;
use super::{KeptRow, Mapping, NewRow, Registry, RegistryError, RowChange, RowSink};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};

/// A MongoDB database as a registry.
pub struct MongoRegistry {
    errors: Errors,
    database: Database,
    projects: Option<Projects>,
    /// Where keys are, tracking rows first.
    places: Vec<Place>,
    /// How long the server may take for one answer. The driver itself waits for ever.
    patience: Duration,
    /// Whether there are several servers, of which one is the primary.
    replicated: bool,
    /// Whether the server was seen not to compare whole documents.
    compares_by_field: AtomicBool,
}

/// What a MongoDB source is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// Whether the references that are configured are in it.
    pub(super) references: bool,
    /// How long it may say nothing before it counts as failed.
    pub(super) patience: Duration,
}

impl MongoRegistry {
    /// Connects, and looks whether every collection is there and may be read.
    ///
    /// # Errors
    /// As [`super::open`]. An absent collection of tracked keys is an error: that the app tracks none must be said.
    pub(super) async fn open(
        address: &str,
        mapping: &Mapping,
        role: Role,
        asked: Asked,
    ) -> Result<Self, RegistryError> {
        let address = Address::parse(address)?;
        let options = address.options().await;
        let errors = Errors { name: address.name, secrets: address.secrets };
        let options = options.map_err(|why| errors.unreachable(why))?;
        let queries = [&mapping.projects_query, &mapping.tracked_query, &mapping.references_query];
        if queries.into_iter().any(Option::is_some) {
            return Err(errors.unreachable("queries are for SQL; name collections and fields instead".into()));
        }
        let client = Client::with_options(options);
        let client = client.map_err(|error| not_opened(errors.asking(&error, "its options")))?;
        let database = client.database(&address.database);
        let hello = tokio::time::timeout(asked.patience, database.run_command(doc! { "hello": 1 })).await;
        let hello = hello.map_err(|_| errors.unreachable(silent(asked.patience)))?;
        let hello = hello.map_err(|error| not_opened(errors.asking(&error, "the server")))?;
        let registry = Self {
            errors,
            database,
            projects: role.has_projects().then(|| Projects::new(mapping)),
            places: Place::all(mapping, role, asked.references),
            patience: asked.patience,
            // A member of a replica set has its name; a router of a sharded cluster says what it is.
            replicated: hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid"),
            compares_by_field: AtomicBool::new(false),
        };
        registry.ready().await.map_err(not_opened)?;
        registry.may_read().await.map_err(not_opened)?;
        Ok(registry)
    }

    /// Asks each collection for one document: what may not be read is told now, not in the middle of a reading.
    async fn may_read(&self) -> Result<(), RegistryError> {
        let projects = self.projects.iter().map(|projects| &projects.collection);
        let mut names: Vec<&String> = projects.chain(self.places.iter().map(|place| &place.collection)).collect();
        names.sort();
        names.dedup();
        for name in names {
            let collection = self.collection::<mongodb::bson::RawDocumentBuf>(name);
            let one = collection.find_one(doc! {}).projection(doc! { "_id": 1 });
            self.answer(&format!("collection {name}"), one).await?;
        }
        Ok(())
    }

    fn tracked(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.tracks)
    }
}

/// What is said of a server that says nothing.
fn silent(patience: Duration) -> String {
    format!("it said nothing for {} s", patience.as_secs_f64())
}

/// Where nothing was read yet, nothing was read in part.
fn not_opened(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::Partial { source_name, why } => RegistryError::Unreachable { source_name, why },
        other => other,
    }
}

#[async_trait]
impl Registry for MongoRegistry {
    fn name(&self) -> &str {
        &self.errors.name
    }

    fn tracks_keys(&self) -> bool {
        self.tracked().is_some()
    }

    async fn read(&self, sink: RowSink<'_>) -> Result<SourceReport, RegistryError> {
        self.ready().await?;
        let mut tally = Tally::new(sink);
        self.each_project(&mut |row, first| tally.part(row, first)).await?;
        for place in &self.places {
            self.each_claim(place, &mut |row| tally.row(row)).await?;
        }
        Ok(tally.finish(&self.errors.name, self.tracks_keys()))
    }

    async fn projects(&self, sink: RowSink<'_>) -> Result<(), RegistryError> {
        self.ready().await?;
        self.each_project(&mut |row, _| sink(row)).await
    }

    async fn claims(&self, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        self.ready().await?;
        let mut claims = Vec::new();
        for place in &self.places {
            claims.extend(self.claims_of(place, keys).await?);
        }
        Ok(claims)
    }

    fn sources(&self) -> Vec<(String, String)> {
        let how = if self.replicated {
            "read from the primary, and only what most of its servers have"
        } else {
            "read from a server that stands alone, so there is no majority of servers to ask"
        };
        vec![(self.errors.name.clone(), how.into())]
    }

    async fn advice(&self) -> Vec<String> {
        self.advise().await
    }

    async fn rows(&self, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        self.ready().await?;
        match self.tracked() {
            Some(place) => self.kept_rows(place, keys).await,
            None => Ok(Vec::new()),
        }
    }

    async fn remove_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.ready().await?;
        match self.changeable() {
            Some(place) => self.remove(place, rows).await.map(RowChange::Changed),
            None => Ok(RowChange::ReadOnly),
        }
    }

    async fn put_rows(&self, rows: &[KeptRow]) -> Result<RowChange, RegistryError> {
        self.ready().await?;
        match self.changeable() {
            Some(place) => self.put(place, rows).await.map(RowChange::Changed),
            None => Ok(RowChange::ReadOnly),
        }
    }

    async fn add_rows(&self, rows: &[NewRow]) -> Result<RowChange, RegistryError> {
        self.ready().await?;
        match self.changeable() {
            Some(place) => self.add(place, rows).await.map(RowChange::Changed),
            None => Ok(RowChange::ReadOnly),
        }
    }
}
