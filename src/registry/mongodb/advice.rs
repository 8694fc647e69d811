//! What would make the source faster or safer.

use futures::TryStreamExt;
use mongodb::IndexModel;

use super::MongoRegistry;
use super::places::Place;

impl MongoRegistry {
    pub(super) async fn advise(&self) -> Vec<String> {
        let mut advice = Vec::new();
        for place in &self.places {
            if self.finds_keys(place).await == Ok(false) {
                advice.push(format!(
                    "keys cannot be looked up by {} in {}, so all of it is read",
                    place.key.as_str(),
                    place.collection
                ));
            } else if !self.has_index(place).await {
                advice.push(format!(
                    "looking up keys reads all of {0}: db.{0}.createIndex({{ \"{1}\": 1 }})",
                    place.collection,
                    place.key.as_str()
                ));
            }
        }
        advice
    }

    /// Whether keys are found by an index; so if that cannot be told.
    async fn has_index(&self, place: &Place) -> bool {
        let collection = self.collection::<mongodb::bson::Document>(&place.collection);
        let Ok(listing) = self.answer(&place.what(), collection.list_indexes()).await else { return true };
        let Ok(indexes) = listing.try_collect::<Vec<IndexModel>>().await else { return true };
        indexes.iter().any(|index| index.keys.keys().next().is_some_and(|first| first == place.key.as_str()))
    }
}
