//! A value and its origin.

use std::fmt;
use std::path::PathBuf;

/// A value that knows where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    pub(super) fn default(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }

    pub(super) fn derived(value: T, from: impl Into<String>) -> Self {
        Self { value, origin: Origin::Derived(from.into()) }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: change(self.value), origin: self.origin }
    }
}

/// Where a value comes from, the strongest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// An option of the command line, with its dashes.
    Flag(String),
    /// A variable of the environment.
    Environment(String),
    /// A line of the `--env-file`.
    EnvFile {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The variable.
        name: String,
    },
    /// A line of a profile.
    Profile {
        /// The profile.
        profile: String,
        /// The configuration file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// It follows from another setting.
    Derived(String),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Environment(name) => write!(f, "{name} in the environment"),
            Origin::EnvFile { path, line, name } => write!(f, "{}, line {line}, {name}", path.display()),
            Origin::Profile { profile, path, line } => write!(f, "{}, line {line}, profile {profile}", path.display()),
            Origin::Derived(from) => write!(f, "from {from}"),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// One line of `config show`. Secrets are hidden.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The name in the configuration file, for example `registry.source`.
    pub key: &'static str,
    /// The value; `None` if it is not set.
    pub value: Option<String>,
    /// Where it comes from; `None` if it is not set.
    pub origin: Option<String>,
}
