//! Where settings become a registry.

use std::time::Duration;

use crate::config::{ReferenceSettings, RegistrySettings, Setting, Tracked};
use crate::registry::{
    self, Access, KeySpelling, Location, Mapping, ReferencePlace, RegistryError, RegistrySpec, SharedRegistry,
    TextFormat, TrackedKeys,
};

/// Opens the registry that the settings name, if they name one.
///
/// # Errors
/// As [`registry::open`].
pub async fn open_registry(settings: &RegistrySettings) -> Result<Option<SharedRegistry>, RegistryError> {
    let Some(source) = &settings.source else { return Ok(None) };
    let mut spec = RegistrySpec::parse(source.value.expose(), &settings.base)?;
    match &settings.tracked.value {
        Tracked::Here => {}
        Tracked::Nowhere => spec.tracked = TrackedKeys::NotTracked,
        Tracked::At(address) => {
            spec.tracked = TrackedKeys::Elsewhere(Location::parse(address.expose(), &settings.base)?);
        }
    }
    spec.mapping = mapping(settings);
    spec.access = access(settings);
    registry::open(&spec).await.map(Some)
}

fn access(settings: &RegistrySettings) -> Access {
    let seconds = u64::try_from(settings.timeout.value).unwrap_or_default();
    Access {
        replica: settings.replica.value,
        no_snapshot: settings.no_snapshot.value,
        patience: Duration::from_secs(seconds),
    }
}

fn place_of_references(place: &ReferenceSettings) -> ReferencePlace {
    ReferencePlace {
        from: place.from.clone(),
        key_field: place.key_field.clone(),
        owner_field: place.owner_field.clone(),
        spelling: KeySpelling {
            url: place.url.clone(),
            leading_slash: place.leading_slash,
            percent_encoded: place.percent_encoded,
        },
    }
}

fn mapping(settings: &RegistrySettings) -> Mapping {
    let name = |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    Mapping {
        projects_table: name(&settings.projects_table),
        id_field: name(&settings.id_field),
        tracked_table: name(&settings.tracked_table),
        key_field: name(&settings.key_field),
        owner_field: name(&settings.owner_field),
        projects_query: name(&settings.projects_query),
        tracked_query: name(&settings.tracked_query),
        references_query: name(&settings.references_query),
        references: settings.references.iter().flat_map(|places| &places.value).map(place_of_references).collect(),
        format: name(&settings.format).as_deref().and_then(TextFormat::parse),
    }
}
