//! `bucketree layouts test KEY...`: how each key is read, and why.

use serde::Serialize;

use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::keys_from;
use crate::cli::output::json::{ReadingFields, SCHEMA};
use crate::cli::output::{Output, Tone};
use crate::domain::key::Escaped;
use crate::domain::layout::{Explained, Explanation, Layouts};
use crate::domain::verdict::Reading;
use crate::domain::{IdRules, Key};
use crate::journal::keys::KeyFields;

/// One key, as every layout reads it.
#[derive(Serialize)]
struct TestedKey {
    schema: u32,
    #[serde(flatten)]
    key: KeyFields,
    readings: Vec<ReadingFields>,
    overflow: bool,
    layouts: Vec<TestedLayout>,
}

/// What one layout makes of the key.
#[derive(Serialize)]
struct TestedLayout {
    layout: String,
    template: String,
    health: &'static str,
    reads: bool,
    why_not: Option<String>,
}

/// Tests every key; `-` stands for those on stdin.
///
/// # Errors
/// If stdin cannot be read or the output cannot be written.
pub fn test(
    typed: &[std::ffi::OsString],
    layouts: &Layouts,
    ids: &IdRules,
    output: &mut Output,
) -> Result<ExitCode, Stop> {
    for argument in typed {
        match argument.as_encoded_bytes() {
            b"-" => keys_from::from_stdin()?.iter().try_for_each(|key| test_one(key, layouts, ids, output))?,
            key => test_one(&Key::new(key), layouts, ids, output)?,
        }
    }
    Ok(ExitCode::Done)
}

fn test_one(key: &Key, layouts: &Layouts, ids: &IdRules, output: &mut Output) -> Result<(), Stop> {
    let readings = layouts.readings(key.as_bytes(), ids);
    let explanations = layouts.explain(key.as_bytes(), ids);
    if output.is_json() {
        let tested = TestedKey {
            schema: SCHEMA,
            key: KeyFields::from(key),
            readings: readings.list.iter().map(|reading| ReadingFields::new(reading, None)).collect(),
            overflow: readings.overflow,
            layouts: explanations.iter().map(TestedLayout::from).collect(),
        };
        return Ok(output.json_line(&tested)?);
    }
    output.line(output.paint().tone(Tone::Strong, key.escaped()).to_string())?;
    for reading in &readings.list {
        output.line(format!("  {}", reading_line(reading)))?;
    }
    match (readings.overflow, readings.list.as_slice()) {
        (true, _) => output.line("  and maybe more readings than are tried: such a key is always kept")?,
        (false, []) => output.line("  no layout reads it: unrecognized unless the registry has it, and kept")?,
        _ => {}
    }
    for explanation in &explanations {
        if let Explained::Differs(difference) = &explanation.outcome {
            output.line(format!("  not {} ({}): {difference}", explanation.layout, explanation.template))?;
        }
    }
    Ok(())
}

/// `flat (legacy): project 1, read from project=proj_1 scene=2 type=media ext=mp4`.
fn reading_line(reading: &Reading) -> String {
    let fields: Vec<String> =
        reading.fields.iter().map(|(field, value)| format!("{}={}", field.name(), Escaped(value))).collect();
    let double = if reading.prefixes > 1 { ", double-prefixed" } else { "" };
    let (layout, health) = (&reading.layout, reading.health.name());
    format!("{layout} ({health}{double}): project {}, read from {}", reading.project, fields.join(" "))
}

impl From<&Explanation> for TestedLayout {
    fn from(explanation: &Explanation) -> Self {
        let why_not = match &explanation.outcome {
            Explained::Reads { .. } => None,
            Explained::Differs(difference) => Some(difference.to_string()),
        };
        Self {
            layout: explanation.layout.to_string(),
            template: explanation.template.to_string(),
            health: explanation.health.name(),
            reads: why_not.is_none(),
            why_not,
        }
    }
}
