//! Reading: the seal first, then every row, in order and in number as the header says. There is no partial success.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::parser::parse_message_type;

use super::seal::{self, Unsealed};
use super::{SCHEMA, ScanFileError, ScanHeader, disk};
use crate::domain::inventory::Inventory;
use crate::domain::{ETag, Key, Object, StorageClass, Timestamp};

/// Row groups that may wait to be taken in.
const GROUPS_IN_FLIGHT: usize = 2;

/// A whole scan.
///
/// # Errors
/// [`ScanFileError::Damaged`] if a single byte of the file is not as it was written, [`ScanFileError::Disk`].
pub fn read(path: &Path) -> Result<(ScanHeader, Inventory), ScanFileError> {
    let mut file = File::open(path).map_err(disk("open", path))?;
    seal::check(&mut file).map_err(|problem| match problem {
        Unsealed::Disk(error) => disk("read", path)(error),
        Unsealed::Broken(why) => ScanFileError::damaged(path, why),
    })?;
    let damaged = |why: String| ScanFileError::damaged(path, why);
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(error.to_string()))?;
    let header = header(&reader).map_err(damaged)?;
    let inventory = rows(&reader).map_err(damaged)?;
    match inventory.alive() == header.objects {
        true => Ok((header, inventory)),
        false => Err(damaged(format!("it has {} rows, and {} were listed", inventory.alive(), header.objects))),
    }
}

/// What a scan says of itself, without a look at its rows or its seal: for lists, never for decisions.
///
/// # Errors
/// As [`read`], as far as it can be seen without reading everything.
pub fn read_header(path: &Path) -> Result<ScanHeader, ScanFileError> {
    let file = File::open(path).map_err(disk("open", path))?;
    let reader = SerializedFileReader::new(file).map_err(|error| ScanFileError::damaged(path, error))?;
    header(&reader).map_err(|why| ScanFileError::damaged(path, why))
}

fn header(reader: &SerializedFileReader<File>) -> Result<ScanHeader, String> {
    let metadata = reader.metadata().file_metadata();
    let entries = metadata.key_value_metadata().map(Vec::as_slice).unwrap_or_default();
    let mut fields = BTreeMap::new();
    for entry in entries {
        let Some(value) = &entry.value else { continue };
        if fields.insert(entry.key.as_str(), value.as_str()).is_some() {
            return Err(format!("{} is there twice", entry.key));
        }
    }
    let header = ScanHeader::from_fields(&fields)?;
    let wanted = parse_message_type(SCHEMA).map_err(|error| error.to_string())?;
    match *metadata.schema() == wanted {
        true => Ok(header),
        false => Err("its columns are not those of a scan".into()),
    }
}

/// All rows: one thread decodes while this one takes them in.
fn rows(reader: &SerializedFileReader<File>) -> Result<Inventory, String> {
    std::thread::scope(|scope| {
        let (sender, groups) = sync_channel(GROUPS_IN_FLIGHT);
        let decoding = scope.spawn(move || decode(reader, &sender));
        let mut inventory = Inventory::new();
        let taken = groups.iter().try_for_each(|group: Columns| group.push_into(&mut inventory));
        // A decoder that waits to send the next rows is not left waiting.
        drop(groups);
        let decoded = decoding.join().map_err(|_| "it cannot be decoded".to_owned())?;
        taken?;
        decoded.map_err(|error| error.to_string())?;
        Ok(inventory)
    })
}

fn decode(reader: &SerializedFileReader<File>, sender: &SyncSender<Columns>) -> Result<(), ParquetError> {
    for group in 0..reader.num_row_groups() {
        if sender.send(Columns::read(reader.get_row_group(group)?.as_ref())?).is_err() {
            // Whoever takes the rows in has found something wrong with them.
            break;
        }
    }
    Ok(())
}

/// The columns of one row group.
struct Columns {
    keys: Vec<ByteArray>,
    sizes: Vec<i64>,
    etags: Vec<ByteArray>,
    times: Vec<i64>,
    timed: Vec<i16>,
    classes: Vec<ByteArray>,
}

impl Columns {
    fn read(group: &dyn RowGroupReader) -> Result<Self, ParquetError> {
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut timed = Vec::with_capacity(rows);
        Ok(Self {
            keys: texts(group, 0, rows)?,
            sizes: numbers(group, 1, rows, None)?,
            etags: texts(group, 2, rows)?,
            times: numbers(group, 3, rows, Some(&mut timed))?,
            timed,
            classes: texts(group, 4, rows)?,
        })
    }

    fn push_into(self, inventory: &mut Inventory) -> Result<(), String> {
        let rows = self.keys.len();
        if [self.sizes.len(), self.etags.len(), self.timed.len(), self.classes.len()] != [rows; 4] {
            return Err("its columns are not equally long".into());
        }
        let mut times = self.times.into_iter();
        let mut class = StorageClass::default();
        for (at, key) in self.keys.iter().enumerate() {
            let name = text(&self.classes[at])?;
            if name != class.as_str() {
                class = StorageClass::new(name);
            }
            let object = Object {
                key: Key::new(key.data()),
                size: self.sizes[at] as u64,
                etag: ETag::new(text(&self.etags[at])?),
                last_modified: if self.timed[at] == 1 { times.next().map(Timestamp) } else { None },
                storage_class: class.clone(),
            };
            inventory.push(object).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn text(value: &ByteArray) -> Result<&str, String> {
    std::str::from_utf8(value.data()).map_err(|_| "a text in it is not UTF-8".into())
}

fn texts(group: &dyn RowGroupReader, column: usize, rows: usize) -> Result<Vec<ByteArray>, ParquetError> {
    let mut values = Vec::with_capacity(rows);
    match group.get_column_reader(column)? {
        ColumnReader::ByteArrayColumnReader(mut reader) => reader.read_records(rows, None, None, &mut values)?,
        _ => return Err(ParquetError::General("a column of another type".into())),
    };
    Ok(values)
}

fn numbers(
    group: &dyn RowGroupReader,
    column: usize,
    rows: usize,
    levels: Option<&mut Vec<i16>>,
) -> Result<Vec<i64>, ParquetError> {
    let mut values = Vec::with_capacity(rows);
    match group.get_column_reader(column)? {
        ColumnReader::Int64ColumnReader(mut reader) => reader.read_records(rows, levels, None, &mut values)?,
        _ => return Err(ParquetError::General("a column of another type".into())),
    };
    Ok(values)
}
