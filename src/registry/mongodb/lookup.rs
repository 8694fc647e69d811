//! Asking for single keys: what is asked before each batch of deletions.

use std::collections::BTreeMap;

use mongodb::bson::{Document, RawBson, RawDocument, RawDocumentBuf, doc};

use super::MongoRegistry;
use super::places::Place;
use super::read::projection;
use super::value::own_id;
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::RegistryError;

/// Texts in one question.
const TEXTS: usize = 10_000;

/// Bytes of texts in one question; a command holds at most 16 MiB.
const BYTES: usize = 4 << 20;

/// How many documents are looked at for one with a key, to try the server out.
const SAMPLE: i64 = 100;

impl MongoRegistry {
    /// Every row and reference of a place that has one of these keys.
    pub(super) async fn claims_of(&self, place: &Place, keys: &[Key]) -> Result<Vec<RegistryRow>, RegistryError> {
        let spelled = Place::spelled(keys);
        let mut found = Vec::new();
        let mut take = |row: RegistryRow| {
            let asked = match &row {
                RegistryRow::Tracked { key, .. } | RegistryRow::Reference { key, .. } => key.as_str(),
                RegistryRow::Project { .. } => None,
            };
            // A document may have further keys, and a collection may compare without case.
            if asked.is_some_and(|key| spelled.contains(key)) {
                found.push(row);
            }
        };
        if spelled.is_empty() {
            return Ok(found);
        }
        if self.finds_keys(place).await? {
            let written = place.written(&spelled);
            let documents = self.documents(place, &written, projection(&place.fields())).await?;
            for document in &documents {
                self.claims_in(place, document, &mut take)?;
            }
        } else {
            self.each_claim(place, &mut take).await?;
        }
        Ok(found)
    }

    /// Every document of a place that has one of these texts as a key, each once.
    pub(super) async fn documents(
        &self,
        place: &Place,
        spelled: &std::collections::BTreeSet<String>,
        fields: Document,
    ) -> Result<Vec<RawDocumentBuf>, RegistryError> {
        let what = place.what();
        let collection = self.collection::<RawDocumentBuf>(&place.collection);
        // By id, because a document with several of the keys may be found by several questions.
        let mut found: BTreeMap<Vec<u8>, RawDocumentBuf> = BTreeMap::new();
        for texts in questions(spelled) {
            let asking = collection.find(doc! { place.key.as_str(): { "$in": texts } }).projection(fields.clone());
            let cursor = self.answer(&what, asking).await?;
            self.drain(&what, cursor, &mut |document| {
                let id = document.get("_id").ok().flatten().map(RawBson::from);
                found.insert(format!("{id:?}").into_bytes(), document.to_owned());
                Ok(())
            })
            .await?;
        }
        Ok(found.into_values().collect())
    }

    pub(super) fn claims_in(
        &self,
        place: &Place,
        document: &RawDocument,
        take: &mut (dyn FnMut(RegistryRow) + Send),
    ) -> Result<(), RegistryError> {
        let malformed =
            |why: String| self.errors.malformed(format!("{}, _id {}", place.what(), own_id(document)), &why);
        place.claims(document, take).map_err(malformed)
    }

    /// Whether the server finds a key of this place that is known to be there. Not every server that speaks the protocol
    /// finds what lies inside of arrays, and then it finds nothing and says nothing, which would make an orphan of what is
    /// alive. Where it does not, or where no key is known, the whole place is read instead; and so it is where keys stand
    /// in addresses, behind which anything may follow.
    pub(super) async fn finds_keys(&self, place: &Place) -> Result<bool, RegistryError> {
        if place.spelling.url.is_some() {
            return Ok(false);
        }
        if place.key.is_plain() {
            return Ok(true);
        }
        if let Some(&finds) = place.finds.get() {
            return Ok(finds);
        }
        let what = place.what();
        let collection = self.collection::<RawDocumentBuf>(&place.collection);
        let sample = collection.find(doc! {}).projection(projection(&place.fields())).limit(SAMPLE);
        let cursor = self.answer(&what, sample).await?;
        let mut known: Option<Document> = None;
        self.drain(&what, cursor, &mut |document| {
            if known.is_none() {
                known = place.question(document)?;
            }
            Ok(())
        })
        .await?;
        let Some(question) = known else { return Ok(false) };
        let finds = self.answer(&what, collection.find_one(question)).await?.is_some();
        Ok(*place.finds.get_or_init(|| finds))
    }
}

/// Texts in portions that a server takes.
fn questions(spelled: &std::collections::BTreeSet<String>) -> Vec<Vec<&str>> {
    let mut questions: Vec<Vec<&str>> = Vec::new();
    let mut bytes = BYTES;
    for text in spelled {
        bytes += text.len();
        match questions.last_mut().filter(|texts| texts.len() < TEXTS && bytes <= BYTES) {
            Some(texts) => texts.push(text),
            None => {
                questions.push(vec![text]);
                bytes = text.len();
            }
        }
    }
    questions
}
