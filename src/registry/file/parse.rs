//! From the bytes of a text file to its records, with the line of whatever is wrong.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::Value;

use super::format::{self, Form};
use super::record::{Fields, Record};
use crate::registry::TextFormat;

/// Longest line of a text file, in bytes. A longer one is not a list of ids, and must not fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// As much of a first line as is looked at; a JSON array may be one line of any length.
const LONGEST_FIRST_LINE: u64 = 1 << 16;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// Receives the records; may stop the reading.
pub(super) type Take<'a> = &'a mut dyn FnMut(Record) -> ControlFlow<()>;

/// Why a file was not read to its end.
#[derive(Debug)]
pub(super) enum Fault {
    /// The system could not read on.
    Read(io::Error),
    /// This line, counted from 1, is not as expected.
    Line(u64, String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Reads every record of `file`, or until `take` stops it.
///
/// # Errors
/// [`Fault`]; what was delivered before must then not be used.
pub(super) fn records(
    file: impl Read,
    path: &Path,
    chosen: Option<TextFormat>,
    fields: &Fields,
    take: Take<'_>,
) -> Result<(), Fault> {
    let mut reader = unpacked(file)?;
    if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let (start, line) = first_line(&mut reader)?;
    let first = without_line_end(start.trim_ascii_start());
    if first.is_empty() {
        return Ok(());
    }
    let form = format::tell(first, path, chosen, fields).map_err(|why| Fault::Line(line, why))?;
    // What was read to tell the form is put back before the rest.
    let whole = Cursor::new(start).chain(reader);
    match form {
        Form::Json => json_array(whole, fields, take),
        Form::JsonLines => each_line(whole, take, |line, take| each_record(json_line(line, fields)?, take)),
        Form::Lines => each_line(whole, take, |line, take| Ok(take(fields.line(line)?))),
        Form::Csv(delimiter) => csv_records(whole, delimiter, fields, take),
    }
}

/// The first bytes of what gzip wrote (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text of a file, whether gzip compressed it or not. What it compressed ends with a length and a checksum, so a file
/// that is cut off is an error, and never a shorter text.
fn unpacked<'f>(file: impl Read + 'f) -> io::Result<BufReader<Box<dyn Read + 'f>>> {
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let is_packed = reader.fill_buf()?.starts_with(&GZIP_MAGIC);
    // Tools that append write one packed part after the other.
    let text: Box<dyn Read + 'f> = if is_packed { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
    Ok(BufReader::with_capacity(BUFFER, text))
}

/// Everything up to the end of the first line that is not blank, or as much of that line as tells the form, and the
/// number of the line.
fn first_line(reader: &mut impl BufRead) -> Result<(Vec<u8>, u64), Fault> {
    let mut start = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let before = start.len();
        let read = reader.take(LONGEST_FIRST_LINE).read_until(b'\n', &mut start)?;
        if read == 0 || !start[before..].trim_ascii().is_empty() {
            return Ok((start, number));
        }
    }
}

/// Lines of bounded length.
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
    }

    /// The next line with its end; `None` after the last.
    fn next(&mut self) -> Result<Option<&[u8]>, Fault> {
        self.line.clear();
        let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        self.number += 1;
        if read as u64 == LONGEST_LINE {
            return Err(Fault::Line(self.number, format!("is longer than {} MiB", LONGEST_LINE >> 20)));
        }
        Ok((read > 0).then_some(&self.line))
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn each_line(
    reader: impl BufRead,
    take: Take<'_>,
    parse: impl Fn(&[u8], Take<'_>) -> Result<ControlFlow<()>, String>,
) -> Result<(), Fault> {
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next()? {
        let line = without_line_end(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed = parse(line, take);
        if parsed.map_err(|why| Fault::Line(lines.number, why))?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

fn each_record(records: Vec<Record>, take: Take<'_>) -> Result<ControlFlow<()>, String> {
    Ok(records.into_iter().try_for_each(take))
}

fn json_line(line: &[u8], fields: &Fields) -> Result<Vec<Record>, String> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| format!("expected one whole JSON value on the line: {}", without_place(&error)))?;
    fields.json(&value)
}

/// What serde_json says, without the line and column of which we know better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn json_array(reader: impl Read, fields: &Fields, take: Take<'_>) -> Result<(), Fault> {
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut stopped = false;
    let elements = Elements { fields, take, stopped: &mut stopped };
    let read = elements.deserialize(&mut json);
    if stopped {
        return Ok(());
    }
    read.and_then(|()| json.end()).map_err(|error| {
        let line = error.line() as u64;
        match error.classify() {
            serde_json::error::Category::Io => Fault::Read(error.into()),
            serde_json::error::Category::Eof => {
                Fault::Line(line, "the file ends before the array does: it is cut off".into())
            }
            _ => Fault::Line(line, without_place(&error)),
        }
    })
}

/// Visits the elements of an array one by one.
struct Elements<'a, 't> {
    fields: &'a Fields,
    take: Take<'t>,
    stopped: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of records with {}", self.fields.expected())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            let records = self.fields.json(&value).map_err(A::Error::custom)?;
            if records.into_iter().try_for_each(&mut *self.take).is_break() {
                *self.stopped = true;
                break;
            }
        }
        Ok(())
    }
}

/// Ends every CSV: if a quote is still open there, this line is inside a cell instead of being a record of its own.
const CSV_END: &[u8] = b"\n\x01end of the file\x01\n";

fn csv_records(reader: impl Read, delimiter: u8, fields: &Fields, take: Take<'_>) -> Result<(), Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(reader.chain(CSV_END));
    let mut row = csv::ByteRecord::new();
    let mut header: Option<Vec<String>> = None;
    while reader.read_byte_record(&mut row).map_err(csv_fault)? {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() == 1 && row[0] == *CSV_END.trim_ascii() {
            return Ok(());
        }
        let Some(names) = &header else {
            header = Some(header_names(&row).map_err(|why| Fault::Line(line, why))?);
            continue;
        };
        let record = csv_record(&row, names, fields).map_err(|why| Fault::Line(line, why))?;
        if take(record).is_break() {
            return Ok(());
        }
    }
    let line = row.position().map_or(0, csv::Position::line);
    Err(Fault::Line(line, "a quote is not closed: the file is cut off".into()))
}

fn header_names(row: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let names: Vec<String> = row.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    let twice = (1..names.len()).find(|&at| !names[at].is_empty() && names[..at].contains(&names[at]));
    match twice {
        Some(at) => Err(format!("the header has the column `{}` twice", names[at])),
        None => Ok(names),
    }
}

fn csv_record(row: &csv::ByteRecord, names: &[String], fields: &Fields) -> Result<Record, String> {
    if row.iter().next_back().is_some_and(|cell| cell.ends_with(CSV_END)) {
        return Err("a quote is opened here and not closed: the file is cut off".into());
    }
    if row.len() != names.len() {
        return Err(format!("expected {} cells as in the header, found {}", names.len(), row.len()));
    }
    fields.cells(|name| names.iter().position(|known| known == name).map(|at| &row[at]))
}

fn csv_fault(error: csv::Error) -> Fault {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Fault::Read(error),
        other => Fault::Line(line, format!("{other:?}")),
    }
}
