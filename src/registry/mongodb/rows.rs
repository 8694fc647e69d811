//! Whole rows: kept aside, removed if they are still exactly the same, put back, added.
//!
//! Every change waits until most servers have it. Nothing is repeated by the driver: each of these may be repeated by the
//! caller, because what is done already is found done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf, doc};

use super::places::Place;
use super::read::projection;
use super::{MongoRegistry, json, new_row};
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::{KeptRow, NewRow, RegistryError, as_read};

/// Rows in one command.
const ROWS: usize = 200;

/// Bytes of rows in one command, each of which is in it twice; a server takes 48 MB.
const BYTES: usize = 8 << 20;

/// `DuplicateKey`.
const DUPLICATE: i32 = 11_000;

/// What a command changed.
pub(super) struct Written {
    pub(super) count: u64,
    pub(super) upserted: u64,
}

impl MongoRegistry {
    /// The tracking rows, if they can be changed: each must be one document of one key.
    pub(super) fn changeable(&self) -> Option<&Place> {
        self.tracked().filter(|place| place.key.is_plain())
    }

    /// The whole rows of these keys, in every spelling.
    pub(super) async fn kept_rows(&self, place: &Place, keys: &[Key]) -> Result<Vec<KeptRow>, RegistryError> {
        if !place.key.is_plain() {
            return Ok(self.claims_of(place, keys).await?.into_iter().filter_map(as_read).collect());
        }
        let spelled = Place::spelled(keys);
        let mut rows = Vec::new();
        for document in self.documents(place, &spelled, Document::new()).await? {
            let mut claims = Vec::new();
            self.claims_in(place, &document, &mut |row| claims.push(row))?;
            if let [RegistryRow::Tracked { key, project }] = &claims[..]
                && key.as_str().is_some_and(|key| spelled.contains(key))
            {
                let content = self.content(place, &document)?;
                rows.push(KeptRow { key: key.clone(), project: project.clone(), content });
            }
        }
        Ok(rows)
    }

    fn content(&self, place: &Place, document: &RawDocument) -> Result<String, RegistryError> {
        let written = Document::try_from(document).ok().and_then(|document| json::write(&document));
        let malformed = || {
            let row = format!("{}, _id {}", place.what(), super::value::own_id(document));
            self.errors.malformed(row, "cannot be kept aside exactly: a field looks like the text of another type")
        };
        written.ok_or_else(malformed)
    }

    fn parsed(&self, place: &Place, rows: &[KeptRow]) -> Result<Vec<Document>, RegistryError> {
        let parse = |row: &KeptRow| {
            let parsed = json::read(&row.content).filter(|document| document.contains_key("_id"));
            let malformed =
                || self.errors.malformed(format!("{}, a row kept aside", place.what()), "is no document with an _id");
            parsed.ok_or_else(malformed)
        };
        rows.iter().map(parse).collect()
    }

    /// Removes rows, a portion at a time.
    pub(super) async fn remove(&self, place: &Place, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let wanted = self.parsed(place, rows)?;
        let mut removed = 0;
        for portion in portions(&wanted) {
            let now = self.remove_portion(place, portion, removed).await?;
            removed += now;
        }
        Ok(removed)
    }

    async fn remove_portion(&self, place: &Place, wanted: &[Document], before: u64) -> Result<u64, RegistryError> {
        let after = |done: u64| move |error: RegistryError| self.after(before + done, "removed", error);
        let same = self.unchanged(place, wanted).await.map_err(after(0))?;
        let by_field = self.compares_by_field.load(Ordering::Relaxed);
        let removed = self.delete(place, &same, by_field).await.map_err(after(0))?;
        if by_field || removed == same.len() as u64 {
            return Ok(removed);
        }
        // Somebody was faster, or the server does not compare whole documents and so finds none that is the same.
        let left = self.unchanged(place, &same).await.map_err(after(removed))?;
        if left.is_empty() {
            return Ok(removed);
        }
        self.compares_by_field.store(true, Ordering::Relaxed);
        Ok(removed + self.delete(place, &left, true).await.map_err(after(removed))?)
    }

    /// Which of these documents are there, byte for byte.
    async fn unchanged(&self, place: &Place, wanted: &[Document]) -> Result<Vec<Document>, RegistryError> {
        let ids: Vec<&Bson> = wanted.iter().filter_map(|document| document.get("_id")).collect();
        let collection = self.collection::<RawDocumentBuf>(&place.collection);
        let asking = collection.find(doc! { "_id": { "$in": ids } });
        let cursor = self.answer(&place.what(), asking).await?;
        let mut there: BTreeSet<Vec<u8>> = BTreeSet::new();
        self.drain(&place.what(), cursor, &mut |document| {
            there.insert(document.as_bytes().to_vec());
            Ok(())
        })
        .await?;
        let same = |document: &&Document| json::bytes(document).is_some_and(|bytes| there.contains(&bytes));
        Ok(wanted.iter().filter(same).cloned().collect())
    }

    async fn delete(&self, place: &Place, rows: &[Document], by_field: bool) -> Result<u64, RegistryError> {
        let filters = rows.iter().filter_map(|row| if by_field { fields_are(row) } else { whole_is(row) });
        let deletes: Vec<Document> = filters.map(|filter| doc! { "q": filter, "limit": 1 }).collect();
        if deletes.is_empty() {
            return Ok(0);
        }
        let command = doc! { "delete": &place.collection, "deletes": deletes, "ordered": true };
        Ok(self.write(place, "removing rows", command).await?.count)
    }

    /// Puts rows back, a portion at a time.
    pub(super) async fn put(&self, place: &Place, rows: &[KeptRow]) -> Result<u64, RegistryError> {
        let wanted = self.parsed(place, rows)?;
        let taken = self.taken(place, rows, &wanted).await?;
        let free = rows.iter().zip(wanted).filter(|(row, _)| !taken.contains(&(row.key.clone(), row.project.clone())));
        let free: Vec<Document> = free.map(|(_, document)| document).collect();
        let mut put = 0;
        for portion in portions(&free) {
            let command = doc! { "insert": &place.collection, "documents": portion, "ordered": false };
            let written = self.write(place, "putting rows back", command).await;
            put += written.map_err(|error| self.after(put, "put back", error))?.count;
        }
        Ok(put)
    }

    /// The keys and owners of rows that are there, other than the ones that are to be put back.
    async fn taken(
        &self,
        place: &Place,
        rows: &[KeptRow],
        wanted: &[Document],
    ) -> Result<BTreeSet<(Key, Option<String>)>, RegistryError> {
        let keys: BTreeSet<String> = rows.iter().filter_map(|row| row.key.as_str().map(str::to_owned)).collect();
        let own: Vec<&Bson> = wanted.iter().filter_map(|document| document.get("_id")).collect();
        let mut taken = BTreeSet::new();
        for document in self.documents(place, &keys, projection(&place.fields())).await? {
            let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            if !id.is_some_and(|id| own.contains(&&id)) {
                self.claims_in(place, &document, &mut |row| {
                    if let RegistryRow::Tracked { key, project } = row {
                        taken.insert((key, project));
                    }
                })?;
            }
        }
        Ok(taken)
    }

    /// Records objects, a portion at a time.
    pub(super) async fn add(&self, place: &Place, rows: &[NewRow]) -> Result<u64, RegistryError> {
        let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
        let tracked: BTreeSet<Key> = self.claims_of(place, &keys).await?.into_iter().filter_map(key_of).collect();
        let mut owners: BTreeMap<&str, Bson> = BTreeMap::new();
        let mut updates = Vec::new();
        let mut named: BTreeSet<&Key> = BTreeSet::new();
        for row in rows.iter().filter(|row| named.insert(&row.key)) {
            let Some(key) = row.key.as_str() else {
                let name = format!("{}, key {}", place.what(), row.key.escaped());
                return Err(self.errors.malformed(name, "is not text in UTF-8, which is all that a document can hold"));
            };
            let spelled = Place::spelled(std::slice::from_ref(&row.key));
            if tracked.iter().any(|key| key.as_str().is_some_and(|key| spelled.contains(key))) {
                continue;
            }
            if !owners.contains_key(row.project.as_str()) {
                owners.insert(&row.project, self.owner_value(place, &row.project).await?);
            }
            let owner = owners.get(row.project.as_str()).cloned().unwrap_or(Bson::Null);
            let found = doc! { place.key.as_str(): key };
            let set = doc! { "$setOnInsert": new_row::fields(place, row, owner) };
            updates.push(doc! { "q": found, "u": set, "upsert": true });
        }
        let mut added = 0;
        for portion in portions(&updates) {
            let command = doc! { "update": &place.collection, "updates": portion, "ordered": false };
            let written = self.write(place, "adding rows", command).await;
            added += written.map_err(|error| self.after(added, "added", error))?.upserted;
        }
        Ok(added)
    }

    /// Runs a command that writes.
    async fn write(&self, place: &Place, doing: &str, mut command: Document) -> Result<Written, RegistryError> {
        command.insert("writeConcern", doc! { "w": "majority" });
        let doing = format!("{doing} in {}", place.what());
        let answer = self.answer(&doing, self.database.run_command(command)).await?;
        let number = |name: &str| match answer.get(name) {
            Some(Bson::Int32(count)) => u64::try_from(*count).unwrap_or(0),
            Some(Bson::Int64(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        };
        let listed = |name: &str| answer.get_array(name).map(Vec::as_slice).unwrap_or_default();
        let (count, upserted) = (number("n"), listed("upserted").len() as u64);
        let mut failures = listed("writeErrors").iter().filter_map(Bson::as_document);
        let failure = failures.find(|failure| failure.get_i32("code").ok() != Some(DUPLICATE));
        let why = failure.or_else(|| answer.get_document("writeConcernError").ok());
        match why.map(|why| format!("{doing}: {}", why.get_str("errmsg").unwrap_or("the server refuses"))) {
            None => Ok(Written { count, upserted }),
            Some(why) if failure.is_some() && count == 0 => Err(self.errors.refused(why)),
            Some(why) => Err(self.errors.partial(why)),
        }
    }

    /// An error after which some of a call is done.
    fn after(&self, done: u64, word: &str, error: RegistryError) -> RegistryError {
        if done == 0 {
            return error;
        }
        self.errors.partial(format!("{done} rows were {word}, then: {error}"))
    }
}

fn key_of(row: RegistryRow) -> Option<Key> {
    match row {
        RegistryRow::Tracked { key, .. } | RegistryRow::Reference { key, .. } => Some(key),
        RegistryRow::Project { .. } => None,
    }
}

/// Finds a document that is this one, fields that were added included.
fn whole_is(row: &Document) -> Option<Document> {
    Some(doc! { "_id": row.get("_id")?.clone(), "$expr": { "$eq": ["$$ROOT", { "$literal": row.clone() }] } })
}

/// Finds a document that has all of these fields, for servers that do not compare whole documents. That a field is added
/// in the moment between the last look at the row and this is not noticed.
fn fields_are(row: &Document) -> Option<Document> {
    let mut filter = doc! { "_id": row.get("_id")?.clone() };
    let mut compared = Vec::new();
    for (name, value) in row.iter().filter(|(name, _)| *name != "_id") {
        if name.starts_with('$') || name.contains('.') {
            return None;
        }
        match value {
            // Equal to null is what is absent, too.
            Bson::Null => drop(filter.insert(name, doc! { "$type": 10 })),
            Bson::Document(_) | Bson::Array(_) | Bson::RegularExpression(_) => {
                compared.push(doc! { "$expr": { "$eq": [format!("${name}"), { "$literal": value.clone() }] } });
            }
            scalar => drop(filter.insert(name, scalar.clone())),
        }
    }
    if !compared.is_empty() {
        filter.insert("$and", compared);
    }
    Some(filter)
}

/// Documents in portions that one command takes.
fn portions(documents: &[Document]) -> Vec<&[Document]> {
    let mut portions = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, document) in documents.iter().enumerate() {
        let size = json::bytes(document).map_or(0, |bytes| bytes.len());
        if at > start && (at - start == ROWS || bytes + size > BYTES) {
            portions.push(&documents[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < documents.len() {
        portions.push(&documents[start..]);
    }
    portions
}

/// The type that an owner has in a document.
pub(super) fn owner_of(place: &Place, document: &RawDocument) -> Option<Bson> {
    let mut found = None;
    let owner = place.owner.as_ref()?;
    let mut take = |value: RawBsonRef<'_>| {
        found = found.take().or(Bson::try_from(value).ok());
        Ok(())
    };
    owner.each(document, &mut take).ok()?;
    found
}
