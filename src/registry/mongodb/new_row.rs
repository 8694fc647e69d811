//! A new tracking row as the app would write it.

use std::mem::discriminant;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, Document, RawDocumentBuf, doc};

use super::MongoRegistry;
use super::places::Place;
use super::read::projection;
use super::rows::owner_of;
use super::value::ids;
use crate::registry::{NewRow, RegistryError};

/// The fields of a new row but its key, with the names that Auto Shorts uses. What is not known is null there.
pub(super) fn fields(place: &Place, row: &NewRow, owner: Bson) -> Document {
    let text = |value: &Option<String>| value.clone().map_or(Bson::Null, Bson::String);
    let metadata = row.etag.iter().map(|etag| ("etag".to_owned(), Bson::String(etag.clone())));
    let now = DateTime::now();
    let mut fields = doc! {
        "_id": ObjectId::new(),
        "scene_id": text(&row.scene),
        "file_type": text(&row.file_type),
        "user_id": text(&row.user),
        "size_bytes": i64::try_from(row.size).unwrap_or(i64::MAX),
        "content_type": text(&row.content_type),
        "metadata": metadata.collect::<Document>(),
        "created_at": now,
        "updated_at": now,
    };
    if let Some(path) = &place.owner {
        fields.insert(path.as_str(), owner);
    }
    fields
}

impl MongoRegistry {
    /// A project's id as the rows have it: an app that records ObjectIds would not find a row that has a text. As another
    /// row of the project has it, else as any row has its own, else as the project has it.
    pub(super) async fn owner_value(&self, place: &Place, project: &str) -> Result<Bson, RegistryError> {
        let candidates = ids(project);
        let Some(owner) = &place.owner else { return Ok(Bson::String(project.to_owned())) };
        let rows = self.collection::<RawDocumentBuf>(&place.collection);
        let fields = projection(&place.fields());
        let own = doc! { owner.as_str(): { "$in": candidates.clone() } };
        let known = doc! { owner.as_str(): { "$nin": [Bson::Null] } };
        for question in [own, known] {
            let row = self.answer(&place.what(), rows.find_one(question).projection(fields.clone())).await?;
            let value = row.and_then(|row| owner_of(place, &row));
            if let Some(found) = value.and_then(|value| alike(&candidates, &value)) {
                return Ok(found);
            }
        }
        let Some(projects) = &self.projects else { return Ok(Bson::String(project.to_owned())) };
        let all = self.collection::<RawDocumentBuf>(&projects.collection);
        let there = all.find_one(doc! { "_id": { "$in": candidates.clone() } }).projection(doc! { "_id": 1 });
        let there = self.answer(&format!("collection {}", projects.collection), there).await?;
        let value = there.and_then(|there| there.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()));
        let found = value.and_then(|value| alike(&candidates, &value));
        Ok(found.unwrap_or_else(|| Bson::String(project.to_owned())))
    }
}

/// The candidate of the type that `value` has.
fn alike(candidates: &[Bson], value: &Bson) -> Option<Bson> {
    // Every whole number is one of 64 bits here, whatever the row has.
    let value = match value {
        Bson::Int32(number) => &Bson::Int64(i64::from(*number)),
        other => other,
    };
    candidates.iter().find(|candidate| discriminant(*candidate) == discriminant(value)).cloned()
}
