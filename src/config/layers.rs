//! Flag > environment > `--env-file` > profile > default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::env_file::EnvFile;
use super::file::{ConfigFile, Profile, did_you_mean};
use super::keys::{self, APP_DATABASES, CHOOSERS, KEYS, Key, Repeat, nearest};
use super::value::{Parse, Raw};
use super::{ConfigError, Origin, Setting, paths};

/// What the settings are made from.
#[derive(Clone, Default)]
pub struct Inputs {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--env-file`.
    pub env_file: Option<PathBuf>,
    /// Settings of the command line by their name in the configuration file: `min_age` for `--min-age`,
    /// `registry.source` for `--registry`.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
}

/// Whether a setting of this name exists, for whoever fills [`Inputs::flags`].
pub fn is_key(name: &str) -> bool {
    keys::find(name).is_some()
}

/// Every layer that may have a value.
pub(super) struct Layers<'i> {
    inputs: &'i Inputs,
    env_file: Option<EnvFile>,
    pub(super) config_path: PathBuf,
    pub(super) profile: Option<Setting<Profile>>,
}

/// A value as a layer has it.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

impl<'i> Layers<'i> {
    /// Reads the files and chooses the profile.
    pub(super) fn read(inputs: &'i Inputs) -> Result<Self, ConfigError> {
        let variable = |name: &str| inputs.environment.get(name).filter(|value| !value.is_empty());
        let env_file = inputs.env_file.clone().or_else(|| variable("BUCKETREE_ENV_FILE").map(PathBuf::from));
        let env_file = env_file.map(|path| EnvFile::read(&path)).transpose()?;
        let config_path = paths::config_file(inputs)?;
        let file = ConfigFile::read(&config_path)?;
        let profile = choose_profile(inputs, env_file.as_ref(), file)?;
        Ok(Self { inputs, env_file, config_path, profile })
    }

    /// The strongest value of a key, not read yet. A variable that is empty counts as not set.
    pub(super) fn find(&self, key: &Key) -> Option<Found> {
        if let Some(text) = self.inputs.flags.get(key.name) {
            return Some(Found { raw: Raw::Untyped(text.clone()), origin: Origin::Flag(flag(key.name)) });
        }
        self.variable(key.environment).or_else(|| {
            let profile = self.profile.as_ref()?;
            let (raw, line) = profile.value.get(key.name)?;
            let origin = Origin::Profile { profile: profile.value.name.clone(), path: self.config_path.clone(), line };
            Some(Found { raw: raw.clone(), origin })
        })
    }

    /// The first of these variables that is set: in the environment, else in the env file.
    fn variable(&self, names: &[&str]) -> Option<Found> {
        let environment = names.iter().find_map(|&name| {
            let text = self.inputs.environment.get(name).filter(|text| !text.trim().is_empty())?;
            Some(Found { raw: Raw::Untyped(text.clone()), origin: Origin::Environment(name.to_owned()) })
        });
        environment.or_else(|| {
            let file = self.env_file.as_ref()?;
            names.iter().find_map(|&name| {
                let (text, line) = file.get(name).filter(|(text, _)| !text.trim().is_empty())?;
                let origin = Origin::EnvFile { path: file.path.clone(), line, name: name.to_owned() };
                Some(Found { raw: Raw::Untyped(text.to_owned()), origin })
            })
        })
    }

    /// The app's own database, for want of a registry.
    pub(super) fn app_database(&self) -> Option<Found> {
        self.variable(&APP_DATABASES)
    }

    /// The strongest value of a key, read.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub(super) fn get<T>(&self, name: &'static str, parse: Parse<T>) -> Result<Option<Setting<T>>, ConfigError> {
        let Some(key) = keys::find(name) else { return Ok(None) };
        let Some(found) = self.find(key) else { return Ok(None) };
        let value = parse(&found.raw).map_err(|expected| invalid(key, &found, expected))?;
        Ok(Some(Setting { value, origin: found.origin }))
    }

    /// [`Layers::get`] with a default.
    pub(super) fn get_or<T>(&self, name: &'static str, parse: Parse<T>, default: T) -> Result<Setting<T>, ConfigError> {
        Ok(self.get(name, parse)?.unwrap_or_else(|| Setting::default(default)))
    }

    /// A path of a setting: `~/` is the home directory, and a relative path of a file starts beside that file.
    pub(super) fn path(&self, origin: &Origin, text: &str) -> PathBuf {
        let home = self.inputs.environment.get("HOME");
        match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => self.base(origin).join(text),
        }
    }

    /// Where relative paths of a setting start.
    pub(super) fn base(&self, origin: &Origin) -> PathBuf {
        match origin {
            Origin::Profile { path, .. } | Origin::EnvFile { path, .. } => {
                path.parent().map(Into::into).unwrap_or_default()
            }
            _ => PathBuf::new(),
        }
    }

    /// Variables of ours that no setting has: misspelt, most likely.
    pub(super) fn misspelt_variables(&self) -> Vec<String> {
        let known = || KEYS.iter().flat_map(|key| key.environment.iter().copied()).chain(CHOOSERS);
        let environment = self.inputs.environment.keys().map(String::as_str);
        let names = environment.chain(self.env_file.iter().flat_map(EnvFile::names));
        let unknown = names.filter(|name| name.starts_with("BUCKETREE_") && !known().any(|known| known == *name));
        unknown
            .map(|name| match nearest(name, known().filter(|name| name.starts_with("BUCKETREE_"))) {
                Some(near) => format!("{name} is set and is not a setting; did you mean {near}?"),
                None => format!("{name} is set and is not a setting"),
            })
            .collect()
    }
}

/// The error of a value that is not what it should be.
pub(super) fn invalid(key: &Key, found: &Found, expected: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        origin: Box::new(found.origin.clone()),
        key: key.name.to_owned(),
        expected: expected.into(),
        found: found.raw.describe(key.repeat == Repeat::Yes),
    }
}

/// `registry.source` is `--registry`.
fn flag(name: &str) -> String {
    let name = name.strip_suffix(".source").unwrap_or(name);
    format!("--{}", name.replace(['_', '.'], "-"))
}

fn choose_profile(
    inputs: &Inputs,
    env_file: Option<&EnvFile>,
    mut file: ConfigFile,
) -> Result<Option<Setting<Profile>>, ConfigError> {
    let asked = asked_profile(inputs, env_file, &file);
    let (name, origin) = match asked {
        Some(asked) => asked,
        None if file.profiles.iter().any(|profile| profile.name == "default") => {
            (String::from("default"), Origin::Default)
        }
        None => match file.profiles.as_slice() {
            [only] => (only.name.clone(), Origin::Derived(String::from("there being no other profile"))),
            _ => return Ok(None),
        },
    };
    match file.profiles.iter().position(|profile| profile.name == name) {
        Some(at) => Ok(Some(Setting { value: file.profiles.swap_remove(at), origin })),
        None => {
            let names: Vec<&str> = file.profiles.iter().map(|profile| profile.name.as_str()).collect();
            let hint = match names.as_slice() {
                [] => String::from(", which has none"),
                _ => did_you_mean(nearest(&name, names.iter().copied()), &names),
            };
            Err(ConfigError::NoSuchProfile { name, asked_by: Box::new(origin), path: file.path, hint })
        }
    }
}

fn asked_profile(inputs: &Inputs, env_file: Option<&EnvFile>, file: &ConfigFile) -> Option<(String, Origin)> {
    const VARIABLE: &str = "BUCKETREE_PROFILE";
    if let Some(name) = &inputs.profile {
        return Some((name.clone(), Origin::Flag("--profile".into())));
    }
    if let Some(name) = inputs.environment.get(VARIABLE).filter(|name| !name.is_empty()) {
        return Some((name.clone(), Origin::Environment(VARIABLE.into())));
    }
    if let Some((env_file, (name, line))) = env_file.and_then(|env_file| Some((env_file, env_file.get(VARIABLE)?))) {
        let origin = Origin::EnvFile { path: env_file.path.clone(), line, name: VARIABLE.into() };
        return Some((name.to_owned(), origin));
    }
    let (name, line) = file.default_profile.as_ref()?;
    let origin = Origin::Profile { profile: "default_profile".into(), path: file.path.clone(), line: *line };
    Some((name.clone(), origin))
}
