//! What `config show` prints: every setting with its value and origin, secrets hidden.

use std::fmt;

use super::keys::KEYS;
use super::value::age_text;
use super::{RegistrySettings, Setting, Settings, Shown};

type ValueAndOrigin = (Option<String>, Option<String>);

impl Settings {
    /// Every setting with its value and origin, secrets hidden, in the order of the configuration file's template.
    pub fn show(&self) -> Vec<Shown> {
        let shown = |key: &'static str| {
            let found = target(self, key).or_else(|| guards(self, key)).or_else(|| registry(&self.registry, key));
            let (value, origin) = found.unwrap_or_default();
            Shown { key, value, origin }
        };
        KEYS.iter().map(|key| shown(key.name)).collect()
    }
}

fn target(settings: &Settings, key: &str) -> Option<ValueAndOrigin> {
    Some(match key {
        "bucket" => optional(settings.bucket.as_ref()),
        "endpoint" => optional(settings.endpoint.as_ref()),
        "account_id" => optional(settings.account_id.as_ref()),
        "jurisdiction" => always(&settings.jurisdiction),
        "region" => optional(settings.region.as_ref()),
        "access_key_id" => optional(settings.access_key_id.as_ref()),
        "secret_access_key" => optional(settings.secret_access_key.as_ref()),
        "session_token" => optional(settings.session_token.as_ref()),
        "api_token" => optional(settings.api_token.as_ref()),
        "aws_profile" => optional(settings.aws_profile.as_ref()),
        "path_style" => always(&settings.path_style),
        "folds_nfc" => always(&settings.folds_nfc),
        "layouts" => settings.layouts.as_ref().map(|file| written(file, |path| path.display().to_string()))?,
        "executor" => always(&settings.executor),
        "price_per_gb" => always(&settings.price_per_gb),
        "price_per_gb_infrequent" => always(&settings.price_per_gb_infrequent),
        "price_class_a" => optional(settings.price_class_a.as_ref()),
        "price_class_b" => optional(settings.price_class_b.as_ref()),
        "kept_scans" => always(&settings.kept_scans),
        "theme" => always(&settings.theme),
        _ => return None,
    })
}

fn guards(settings: &Settings, key: &str) -> Option<ValueAndOrigin> {
    Some(match key {
        "min_age" => written(&settings.min_age, |seconds| age_text(*seconds)),
        "allow_young" => always(&settings.allow_young),
        "protected_prefixes" => written(&settings.protected_prefixes, |list| format!("{list:?}")),
        "protected_projects" => written(&settings.protected_projects, |list| format!("{list:?}")),
        "max_objects" => optional(settings.max_objects.as_ref()),
        "max_bytes" => optional(settings.max_bytes.as_ref()),
        "max_share" => share(&settings.max_share),
        "max_project_share" => settings.max_project_share.as_ref().map(share)?,
        "max_projects" => optional(settings.max_projects.as_ref()),
        "observe_days" => optional(settings.observe_days.as_ref()),
        "max_missing" => settings.max_missing.as_ref().map(share)?,
        "canary_project" => optional(settings.canary_project.as_ref()),
        "canary_key" => optional(settings.canary_key.as_ref()),
        "concurrency" => optional(settings.concurrency.as_ref()),
        _ => return None,
    })
}

fn registry(registry: &RegistrySettings, key: &str) -> Option<ValueAndOrigin> {
    Some(match key.strip_prefix("registry.")? {
        "source" => optional(registry.source.as_ref()),
        "tracked" => always(&registry.tracked),
        "projects_table" => optional(registry.projects_table.as_ref()),
        "id_field" => optional(registry.id_field.as_ref()),
        "tracked_table" => optional(registry.tracked_table.as_ref()),
        "key_field" => optional(registry.key_field.as_ref()),
        "owner_field" => optional(registry.owner_field.as_ref()),
        "projects_query" => optional(registry.projects_query.as_ref()),
        "tracked_query" => optional(registry.tracked_query.as_ref()),
        "references_query" => optional(registry.references_query.as_ref()),
        "references" => registry.references.as_ref().map(|places| {
            written(places, |places| places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        })?,
        "replica" => always(&registry.replica),
        "no_snapshot" => always(&registry.no_snapshot),
        "timeout" => written(&registry.timeout, |seconds| age_text(*seconds)),
        "format" => optional(registry.format.as_ref()),
        "min_projects" => always(&registry.min_projects),
        "min_tracked" => always(&registry.min_tracked),
        "max_shrink" => share(&registry.max_shrink),
        _ => return None,
    })
}

fn written<T>(setting: &Setting<T>, write: impl Fn(&T) -> String) -> ValueAndOrigin {
    (Some(write(&setting.value)), Some(setting.origin.to_string()))
}

fn always<T: fmt::Display>(setting: &Setting<T>) -> ValueAndOrigin {
    written(setting, ToString::to_string)
}

fn optional<T: fmt::Display>(setting: Option<&Setting<T>>) -> ValueAndOrigin {
    setting.map(always).unwrap_or_default()
}

fn share(setting: &Setting<f64>) -> ValueAndOrigin {
    written(setting, |share| format!("{}%", (share * 1000.0).round() / 10.0))
}
