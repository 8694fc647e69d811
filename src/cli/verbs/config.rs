//! `bucketree config path|show|init`.

use serde::Serialize;

use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::SCHEMA;
use crate::cli::output::{Output, Table, tell};
use crate::cli::session;
use crate::config::{Inputs, Shown, config_file, write_template};

#[derive(Serialize)]
struct SettingLine<'s> {
    schema: u32,
    setting: &'s str,
    value: Option<&'s str>,
    origin: Option<&'s str>,
}

/// Prints where the configuration file is, there or not.
///
/// # Errors
/// If there is no home to keep it in.
pub fn path(inputs: &Inputs, output: &mut Output) -> Result<ExitCode, Stop> {
    let file = config_file(inputs).map_err(|error| session::config_stop(&error))?;
    match output.is_json() {
        true => output.json_line(&serde_json::json!({ "schema": SCHEMA, "path": file.display().to_string() }))?,
        false => output.line(file.display())?,
    }
    Ok(ExitCode::Done)
}

/// Prints every setting and where it came from. Secrets are hidden.
///
/// # Errors
/// If the settings cannot be resolved.
pub fn show(inputs: &Inputs, output: &mut Output) -> Result<ExitCode, Stop> {
    let settings = session::settings(inputs)?;
    settings.warnings.iter().for_each(|warning| tell(format!("bucketree: {warning}")));
    let mut table = Table::new(&["setting", "value", "from"]);
    for Shown { key, value, origin } in settings.show() {
        if output.is_json() {
            let line = SettingLine { schema: SCHEMA, setting: key, value: value.as_deref(), origin: origin.as_deref() };
            output.json_line(&line)?;
        } else {
            let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            table.row([key.into(), text(value), text(origin)]);
        }
    }
    if !output.is_json() {
        output.table(&table)?;
    }
    Ok(ExitCode::Done)
}

/// Writes a commented configuration file where there is none.
///
/// # Errors
/// If there is one already, or it cannot be written.
pub fn init(inputs: &Inputs, output: &mut Output) -> Result<ExitCode, Stop> {
    let file = config_file(inputs).map_err(|error| session::config_stop(&error))?;
    let hint = "name another file with --config";
    write_template(&file).map_err(|error| Stop::failed("begin a configuration", error, hint))?;
    path(inputs, output)
}
