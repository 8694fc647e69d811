//! Reading whole collections, to an end that is proved.

use mongodb::bson::{Bson, Document, RawBson, RawDocument, RawDocumentBuf, doc};
use mongodb::options::{CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::{Collection, Cursor};

use super::MongoRegistry;
use super::places::Place;
use super::value::own_id;
use crate::domain::facts::RegistryRow;
use crate::registry::RegistryError;

/// Documents in one answer of the server. It holds at most 16 MiB of them anyway.
const BATCH: u32 = 1_000;

/// Receives the documents; says what is wrong with one.
pub(super) type Take<'a> = &'a mut (dyn FnMut(&RawDocument) -> Result<(), String> + Send);

impl MongoRegistry {
    /// Proves that the source can be read as it must be: the server is the one that takes writes, and every collection is
    /// there. An absent collection reads as an empty one.
    pub(super) async fn ready(&self) -> Result<(), RegistryError> {
        let hello = self.answer("hello", self.database.run_command(doc! { "hello": 1 })).await?;
        if !hello.get_bool("isWritablePrimary").or_else(|_| hello.get_bool("ismaster")).unwrap_or(false) {
            return Err(self.errors.refused("this server is not the primary: what it has may be old".into()));
        }
        let listing = self.database.list_collection_names().authorized_collections(true);
        let mut there = self.answer("the list of collections", listing).await?;
        if there.is_empty() {
            // A database without collections does not exist.
            return Err(RegistryError::Missing(self.errors.name.clone()));
        }
        there.sort();
        let projects = self.projects.iter().map(|projects| (&projects.collection, "projects"));
        let places =
            self.places.iter().map(|place| (&place.collection, if place.tracks { "tracked" } else { "references" }));
        match projects.chain(places).find(|(name, _)| !there.contains(name)) {
            None => Ok(()),
            Some((name, word)) => {
                let mend = match word {
                    "tracked" => {
                        "name the right one with `tracked_table`, or, if this app does not track keys, say so with `tracked = false`"
                    }
                    "projects" => "name the right one with `projects_table`",
                    _ => "name the right one in `references`",
                };
                let there = there.join(", ");
                let why = format!("is not there, or hidden from this user; there are {there}; {mend}");
                Err(self.errors.malformed(format!("collection {name}"), &why))
            }
        }
    }

    /// A collection, read from the primary; where there are several servers, only what most of them have.
    pub(super) fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        let concern = if self.replicated { ReadConcern::majority() } else { ReadConcern::local() };
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        let options = CollectionOptions::builder().selection_criteria(primary).read_concern(concern).build();
        self.database.collection_with_options(name, options)
    }

    /// Waits for an answer about `what`, but not for ever.
    pub(super) async fn answer<T>(
        &self,
        what: &str,
        asking: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T, RegistryError> {
        match tokio::time::timeout(self.patience, asking.into_future()).await {
            Ok(answer) => answer.map_err(|error| self.errors.asking(&error, what)),
            Err(_) => Err(self.errors.partial(format!("{what}: {}", super::silent(self.patience)))),
        }
    }

    /// Hands on every document of a collection, with these fields only, in the order of their ids: no document moves in it
    /// while it is read. The end is proved: the document that was last at the start was met. A server that forgets a
    /// cursor says so, but one that only speaks the protocol may answer with an end.
    pub(super) async fn each(&self, name: &str, fields: &[&str], take: Take<'_>) -> Result<(), RegistryError> {
        let what = format!("collection {name}");
        let collection = self.collection::<RawDocumentBuf>(name);
        let last = collection.find_one(doc! {}).sort(doc! { "_id": -1 }).projection(doc! { "_id": 1 });
        let last = self.answer(&what, last).await?;
        let last: Option<RawBson> = last.and_then(|last| last.get("_id").ok().flatten().map(RawBson::from));
        let all = collection.find(doc! {}).sort(doc! { "_id": 1 }).projection(projection(fields)).batch_size(BATCH);
        let cursor = self.answer(&what, all).await?;
        let mut met_last = last.is_none();
        let mut watching = |document: &RawDocument| {
            met_last = met_last || last.as_ref().is_some_and(|last| is_own_id(document, last));
            take(document)
        };
        self.drain(&what, cursor, &mut watching).await?;
        if met_last {
            return Ok(());
        }
        Err(self.errors.partial(format!("{what}: its reading ended before its last document")))
    }

    /// Hands on what a cursor still has.
    pub(super) async fn drain(
        &self,
        what: &str,
        mut cursor: Cursor<RawDocumentBuf>,
        take: Take<'_>,
    ) -> Result<(), RegistryError> {
        while self.answer(what, cursor.advance()).await? {
            let document = cursor.current();
            let malformed = |why: String| self.errors.malformed(format!("{what}, _id {}", own_id(document)), &why);
            take(document).map_err(malformed)?;
        }
        if cursor.has_next() {
            return Err(self.errors.partial(format!("{what}: the server closed its cursor")));
        }
        Ok(())
    }

    /// Hands on the ids of every project, and whether each is the first of its document.
    pub(super) async fn each_project(
        &self,
        take: &mut (dyn FnMut(RegistryRow, bool) + Send),
    ) -> Result<(), RegistryError> {
        let Some(projects) = &self.projects else { return Ok(()) };
        let fields: Vec<&str> = projects.ids.iter().map(|path| path.top()).collect();
        let mut ids: Vec<String> = Vec::new();
        self.each(&projects.collection, &fields, &mut |document| {
            ids.clear();
            for path in &projects.ids {
                let id = path.id(document)?.filter(|id| !ids.contains(id));
                ids.extend(id);
            }
            if ids.is_empty() {
                return Err(format!("has no id in `{}`", projects.ids.first().map_or("_id", |path| path.as_str())));
            }
            ids.drain(..).enumerate().for_each(|(at, id)| take(RegistryRow::Project { id }, at == 0));
            Ok(())
        })
        .await
    }

    /// Hands on every key of a place.
    pub(super) async fn each_claim(
        &self,
        place: &Place,
        take: &mut (dyn FnMut(RegistryRow) + Send),
    ) -> Result<(), RegistryError> {
        self.each(&place.collection, &place.fields(), &mut |document| place.claims(document, take)).await
    }
}

fn is_own_id(document: &RawDocument, id: &RawBson) -> bool {
    document.get("_id").ok().flatten().is_some_and(|found| found == id.as_raw_bson_ref())
}

/// The fields of documents that are asked for; their ids always are.
pub(super) fn projection(fields: &[&str]) -> Document {
    fields.iter().chain(&["_id"]).map(|&field| (field.to_owned(), Bson::Int32(1))).collect()
}
