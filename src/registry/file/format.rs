//! Which form a text file has, told from its content.

use std::path::Path;

use super::record::Fields;
use crate::registry::TextFormat;

/// How a file is cut into records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// One JSON array.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// CSV with this delimiter and a header.
    Csv(u8),
    /// One id or key a line.
    Lines,
}

/// Tells the form from the first line that is not blank. A table without a header that names a known column is refused,
/// since its lines would pass for ids that no key has.
///
/// # Errors
/// What was expected.
pub(super) fn tell(
    first_line: &[u8],
    path: &Path,
    chosen: Option<TextFormat>,
    fields: &Fields,
) -> Result<Form, String> {
    if let Some(why) = not_text(first_line) {
        return Err(why);
    }
    let delimiter = delimiter(first_line, fields);
    match chosen {
        Some(TextFormat::Json) => return Ok(Form::Json),
        Some(TextFormat::JsonLines) => return Ok(Form::JsonLines),
        Some(TextFormat::Lines) => return Ok(Form::Lines),
        Some(TextFormat::Csv) => return delimiter.map(Form::Csv).ok_or_else(|| no_header(fields)),
        None => {}
    }
    match first_line.trim_ascii_start().first() {
        Some(b'[') => return Ok(Form::Json),
        Some(b'{') => return Ok(Form::JsonLines),
        Some(b'"') if serde_json::from_slice::<String>(first_line).is_ok() && delimiter.is_none() => {
            return Ok(Form::JsonLines);
        }
        _ => {}
    }
    match delimiter {
        Some(delimiter) => Ok(Form::Csv(delimiter)),
        None if has_extension(path, "csv") || has_extension(path, "tsv") => Err(no_header(fields)),
        None if fields.role.has_projects() && first_line.iter().any(|byte| b",;\t".contains(byte)) => {
            Err(no_header(fields))
        }
        None => Ok(Form::Lines),
    }
}

/// The delimiter by which a header has a known column.
fn delimiter(header: &[u8], fields: &Fields) -> Option<u8> {
    b",;\t".iter().copied().find(|&delimiter| {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(header);
        let mut cells = csv::StringRecord::new();
        reader.read_record(&mut cells).unwrap_or(false) && cells.iter().any(|cell| fields.knows(cell.trim()))
    })
}

fn no_header(fields: &Fields) -> String {
    format!("expected a CSV header with {}", fields.expected())
}

/// Before the extension of what packed it.
fn has_extension(path: &Path, extension: &str) -> bool {
    let is = |path: &Path, extension: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension));
    is(path, extension) || (is(path, "gz") && is(&path.with_extension(""), extension))
}

fn not_text(start: &[u8]) -> Option<String> {
    if start.starts_with(b"SQLite format 3\0") {
        return Some("this is a SQLite database; name it as sqlite:PATH".into());
    }
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Some("this is UTF-16; save it as UTF-8".into());
    }
    if start.starts_with(&[0x1f, 0x8b]) || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Some("this is compressed; unpack it first".into());
    }
    start.contains(&0).then(|| "expected text, found a zero byte".into())
}
