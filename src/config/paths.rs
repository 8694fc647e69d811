//! Where the configuration file and the state are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use directories::ProjectDirs;

use super::{ConfigError, Inputs};

/// The configuration file: `--config`, `BUCKETREE_CONFIG`, else `config.toml` in the user's configuration directory
/// (`$XDG_CONFIG_HOME/bucketree` or `~/.config/bucketree` on Linux).
///
/// # Errors
/// [`ConfigError::NoHome`].
pub fn config_file(inputs: &Inputs) -> Result<PathBuf, ConfigError> {
    const VARIABLE: &str = "BUCKETREE_CONFIG";
    if let Some(path) = inputs.config.clone().or_else(|| named(&inputs.environment, VARIABLE)) {
        return Ok(path);
    }
    let directories = directories().ok_or(ConfigError::NoHome { variable: VARIABLE })?;
    Ok(directories.config_dir().join("config.toml"))
}

/// Where plans, journals and what is remembered between runs are kept: `BUCKETREE_STATE_DIR`, else the user's state
/// directory (`$XDG_STATE_HOME/bucketree` or `~/.local/state/bucketree` on Linux), else that of data.
///
/// # Errors
/// [`ConfigError::NoHome`].
pub fn state_directory(environment: &BTreeMap<String, String>) -> Result<PathBuf, ConfigError> {
    const VARIABLE: &str = "BUCKETREE_STATE_DIR";
    if let Some(path) = named(environment, VARIABLE) {
        return Ok(path);
    }
    let directories = directories().ok_or(ConfigError::NoHome { variable: VARIABLE })?;
    Ok(directories.state_dir().unwrap_or_else(|| directories.data_local_dir()).to_owned())
}

fn named(environment: &BTreeMap<String, String>, variable: &str) -> Option<PathBuf> {
    environment.get(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn directories() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "bucketree")
}
