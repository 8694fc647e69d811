//! Where every setting comes from, and what it is.
//!
//! ```text
//! settings   what the program runs with; `Settings::resolve` puts it together
//! show       what `config show` prints
//! setting    a value and its origin
//! keys       the one table of names: in the file, in the environment, in `config init`
//! layers     flag > environment > --env-file > profile > default
//! file       config.toml, with the line of whatever is wrong
//! env_file   KEY=VALUE lines
//! value      text, numbers, ages, sizes, shares
//! endpoint   what follows from an account id or an R2 endpoint
//! registry   the registry part
//! references places that refer to objects
//! secret     text that never shows
//! paths      the configuration file and the state directory
//! template   what `config init` writes
//! ```
//!
//! The environment is handed in as a map: nothing here asks the process.

mod endpoint;
mod env_file;
mod error;
mod file;
mod keys;
mod layers;
mod paths;
mod references;
mod registry;
mod secret;
mod setting;
mod settings;
mod show;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use endpoint::Jurisdiction;
pub use error::ConfigError;
pub use keys::variables;
pub use layers::{Inputs, is_key};
pub use paths::{config_file, state_directory};
pub use references::ReferenceSettings;
pub use registry::{Address, RegistrySettings, Tracked};
pub use secret::Secret;
pub use setting::{Origin, Setting, Shown};
pub use settings::{Settings, Theme};
pub use template::{template, write_template};
pub use value::{age_text, parse_age, parse_share, parse_size};
