//! Which collections and fields hold what: the mapping, with the names of Auto Shorts where it has none.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, doc};

use super::value::{Path, kind};
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::spec::Role;
use crate::registry::spellings::spellings;
use crate::registry::{KeySpelling, Mapping};

/// Fields that may hold a further id of a project. Which of them the keys of a bucket use is not for us to guess, and one
/// id too many keeps an object that one too few would delete. Files are read the same way.
const FURTHER_IDS: [&str; 3] = ["id", "project_id", "projectId"];

/// Where the app keeps keys beside its tracking rows.
const REFERENCES: [&str; 2] = ["scenes.media.storageKey", "scenes.audio.storageKey"];

/// Where live projects are.
pub(super) struct Projects {
    pub(super) collection: String,
    /// The first is what a project must have.
    pub(super) ids: Vec<Path>,
}

impl Projects {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let ids = match &mapping.id_field {
            Some(name) => vec![Path::new(name)],
            None => ["_id"].iter().chain(&FURTHER_IDS).map(|&name| Path::new(name)).collect(),
        };
        Self { collection: collection(mapping), ids }
    }
}

fn collection(mapping: &Mapping) -> String {
    mapping.projects_table.clone().unwrap_or_else(|| "projects".into())
}

/// Where keys are.
pub(super) struct Place {
    pub(super) collection: String,
    pub(super) key: Path,
    pub(super) owner: Option<Path>,
    /// Whether its documents are tracking rows; else they only refer to keys.
    pub(super) tracks: bool,
    pub(super) spelling: KeySpelling,
    /// Whether the server finds keys in it, once that was tried.
    pub(super) finds: OnceLock<bool>,
}

impl Place {
    fn new(collection: String, key: &str, owner: Option<&str>, tracks: bool, spelling: KeySpelling) -> Self {
        let (key, owner) = (Path::new(key), owner.map(Path::new));
        Self { collection, key, owner, tracks, spelling, finds: OnceLock::new() }
    }

    /// Every place, tracking rows first. `references`: whether those that are configured are here; those of Auto Shorts are
    /// beside its projects, and are read where no other is configured.
    pub(super) fn all(mapping: &Mapping, role: Role, references: bool) -> Vec<Self> {
        let mut places = Vec::new();
        if role != Role::Projects {
            let name = |chosen: &Option<String>, usual: &str| chosen.clone().unwrap_or_else(|| usual.to_owned());
            let (key, owner) = (name(&mapping.key_field, "object_key"), name(&mapping.owner_field, "project_id"));
            let collection = name(&mapping.tracked_table, "r2_file_paths");
            places.push(Self::new(collection, &key, Some(&owner), true, KeySpelling::default()));
        }
        if mapping.references.is_empty() && role.has_projects() {
            let usual = |key: &&str| Self::new(collection(mapping), key, Some("_id"), false, KeySpelling::default());
            places.extend(REFERENCES.iter().map(usual));
        }
        let configured = mapping.references.iter().filter(|_| references).map(|place| {
            let owner = place.owner_field.as_deref();
            Self::new(place.from.clone(), &place.key_field, owner, false, place.spelling.clone())
        });
        places.extend(configured);
        places
    }

    /// The fields of its documents that are asked for.
    pub(super) fn fields(&self) -> Vec<&str> {
        [Some(self.key.top()), self.owner.as_ref().map(Path::top)].into_iter().flatten().collect()
    }

    /// Hands on every key of a document, as the document spells it.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub(super) fn claims(
        &self,
        document: &RawDocument,
        take: &mut (dyn FnMut(RegistryRow) + Send),
    ) -> Result<(), String> {
        let project = self.owner.as_ref().map(|owner| owner.id(document)).transpose()?.flatten();
        let mut found = false;
        self.key.each(document, &mut |value| {
            let written = match value {
                RawBsonRef::String(written) if !written.is_empty() => written,
                // What has no file yet refers to none. A tracking row without a key is broken.
                RawBsonRef::String(_) | RawBsonRef::Null | RawBsonRef::Undefined if !self.tracks => return Ok(()),
                RawBsonRef::String(_) => return Err(format!("`{}` is empty: it tracks nothing", self.key.as_str())),
                other => return Err(format!("`{}` should be a key as text, found {}", self.key.as_str(), kind(other))),
            };
            found = true;
            let project = project.clone();
            if self.tracks {
                take(RegistryRow::Tracked { key: Key::new(written), project });
            } else {
                self.spelling.rows(written.as_bytes(), project).into_iter().for_each(&mut *take);
            }
            Ok(())
        })?;
        if self.tracks && !found {
            return Err(format!("has no key in `{}`", self.key.as_str()));
        }
        Ok(())
    }

    /// Every text that one of these keys may be. A text is UTF-8 here, so another key is in no place.
    pub(super) fn spelled(keys: &[Key]) -> BTreeSet<String> {
        let spelled = keys.iter().flat_map(spellings);
        spelled.filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }

    /// Every text that may stand in this place for them.
    pub(super) fn written(&self, spelled: &BTreeSet<String>) -> BTreeSet<String> {
        let spelled: Vec<Key> = spelled.iter().map(Key::new).collect();
        self.spelling.written(&spelled).iter().filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }

    /// What finds this document by its first key; nothing if it has none.
    ///
    /// # Errors
    /// As [`Place::claims`].
    pub(super) fn question(&self, document: &RawDocument) -> Result<Option<Document>, String> {
        let mut first = None;
        self.key.each(document, &mut |value| {
            first = first.or(value.as_str());
            Ok(())
        })?;
        let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
        Ok(first.zip(id).map(|(key, id)| doc! { "_id": id, self.key.as_str(): { "$in": [key] } }))
    }

    /// The place, for messages.
    pub(super) fn what(&self) -> String {
        format!("collection {}", self.collection)
    }
}
