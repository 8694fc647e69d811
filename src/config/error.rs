//! What can be wrong with a configuration. No message repeats what may be a secret.

use std::path::PathBuf;

use super::setting::Origin;

/// An error of the configuration, by meaning.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file is not in the form that it should have.
    #[error("{}, line {line}: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A key that no setting has.
    #[error("{}, line {line}: `{key}` is not a setting{hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The nearest right key, or where it belongs; a whole phrase.
        hint: String,
    },
    /// A value that its key cannot have.
    #[error("{origin}: `{key}` should be {expected}, not {found}")]
    Invalid {
        /// Where the value comes from.
        origin: Box<Origin>,
        /// The key in the configuration file.
        key: String,
        /// What it should be.
        expected: String,
        /// What it is: the value, or, where that could be a secret, its kind.
        found: String,
    },
    /// Two settings that cannot both be meant.
    #[error("`{key}` ({origin}) and `{other_key}` ({other_origin}) contradict each other: {why}")]
    Contradiction {
        /// One key.
        key: String,
        /// Where it comes from.
        origin: Box<Origin>,
        /// The other key.
        other_key: String,
        /// Where that comes from.
        other_origin: Box<Origin>,
        /// Why both cannot be.
        why: String,
    },
    /// A profile was asked for that is not there.
    #[error("{asked_by}: there is no profile `{name}` in {}{hint}", path.display())]
    NoSuchProfile {
        /// The name.
        name: String,
        /// Who asked for it.
        asked_by: Box<Origin>,
        /// The configuration file.
        path: PathBuf,
        /// The nearest one, or those that there are; a whole phrase.
        hint: String,
    },
    /// No directory for files of this user.
    #[error("there is no home directory to keep files in; set {variable}")]
    NoHome {
        /// The variable that names a directory instead.
        variable: &'static str,
    },
    /// `config init` never overwrites.
    #[error("{} is there already and was left as it is", path.display())]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}
