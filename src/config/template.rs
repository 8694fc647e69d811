//! What `config init` writes.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::ConfigError;
use super::keys::{KEYS, Key};

/// A configuration file in which every setting is explained and none is set.
pub fn template() -> String {
    let mut text = String::from(
        "# Settings of bucketree. Each may also come from a flag, the environment or an --env-file, which win in\n\
         # this order; `bucketree config show` says where each value comes from.\n\
         # Relative paths start beside this file.\n\n\
         # default_profile = \"default\"\n\n\
         [profiles.default]\n",
    );
    let (of_registry, of_profile): (Vec<&Key>, Vec<&Key>) = KEYS.iter().partition(|key| key.name.contains('.'));
    of_profile.iter().for_each(|key| describe(&mut text, key));
    text.push_str("\n# [profiles.default.registry]\n");
    of_registry.iter().for_each(|key| describe(&mut text, key));
    text
}

fn describe(text: &mut String, key: &Key) {
    let name = key.name.rsplit('.').next().unwrap_or(key.name);
    let variables = match key.environment {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    let _ = write!(text, "\n# {}{variables}\n# {name} = {}\n", key.about, key.example);
}

/// Writes the template to a new file, readable by its owner only, and makes its directory.
///
/// # Errors
/// [`ConfigError::AlreadyThere`]: nothing is ever overwritten; [`ConfigError::Unwritable`].
pub fn write_template(path: &Path) -> Result<(), ConfigError> {
    let unwritable = |error: std::io::Error| ConfigError::Unwritable { path: path.to_owned(), why: error.to_string() };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(unwritable)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => ConfigError::AlreadyThere { path: path.to_owned() },
        _ => unwritable(error),
    })?;
    file.write_all(template().as_bytes()).map_err(unwritable)
}
