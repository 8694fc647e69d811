//! Writing: to a temporary file beside its place, sealed, synced, and only then under its name.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use tempfile::{Builder, NamedTempFile};

use super::seal::{self, Unsealed};
use super::{SCHEMA, ScanFileError, ScanHeader, disk};
use crate::domain::inventory::{Inventory, ObjectIndex};

/// Rows that are in memory at once, and that a reader may take at once.
const ROWS: u32 = 1 << 17;

/// Writes a scan to a new file, whole or not at all. Objects that are known to be gone are left out.
///
/// # Errors
/// [`ScanFileError::Exists`] if there is a file of this name, [`ScanFileError::Disk`].
pub fn write_new(path: &Path, inventory: &Inventory, header: &ScanHeader) -> Result<(), ScanFileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = temporary();
    // Whoever asks for a file by name wants one like any other, not one that nobody else may read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder).map_err(disk("make a file in", folder))?;
    persist(fill(file, inventory, header)?, path, folder)
}

/// A whole scan of at most `most` bytes in memory, for whoever sends it elsewhere.
///
/// # Errors
/// [`ScanFileError::TooLarge`]; [`ScanFileError::Disk`]: it is built in a temporary file.
pub fn write_bytes(inventory: &Inventory, header: &ScanHeader, most: u64) -> Result<Bytes, ScanFileError> {
    let folder = std::env::temp_dir();
    let file = temporary().tempfile_in(&folder).map_err(disk("make a file in", &folder))?;
    let mut file = fill(file, inventory, header)?;
    let mut bytes = Vec::new();
    let failed = disk("read", file.path());
    let open = file.as_file_mut();
    let bytes_there = open.metadata().map_err(disk("read", &folder))?.len();
    if bytes_there > most {
        return Err(ScanFileError::TooLarge { bytes: bytes_there, most });
    }
    open.seek(SeekFrom::Start(0)).and_then(|_| open.read_to_end(&mut bytes)).map_err(failed)?;
    Ok(Bytes::from(bytes))
}

/// How files are named while they are not whole.
pub(super) fn temporary() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".scan-").suffix(".part");
    builder
}

/// Writes all of a scan into a temporary file and waits until it is on the disk.
pub(super) fn fill(
    mut file: NamedTempFile,
    inventory: &Inventory,
    header: &ScanHeader,
) -> Result<NamedTempFile, ScanFileError> {
    let place = file.path().to_path_buf();
    let open = file.as_file_mut();
    rows(open, inventory, header).map_err(|error| disk("write", &place)(std::io::Error::other(error)))?;
    match seal::seal(open) {
        Ok(()) => {}
        Err(Unsealed::Disk(error)) => return Err(disk("write", &place)(error)),
        Err(Unsealed::Broken(why)) => return Err(ScanFileError::damaged(&place, why)),
    }
    open.sync_all().map_err(disk("write", &place))?;
    Ok(file)
}

/// Gives a whole file its name, unless there is one of this name, and waits until the name is on the disk.
pub(super) fn persist(file: NamedTempFile, path: &Path, folder: &Path) -> Result<(), ScanFileError> {
    file.persist_noclobber(path).map_err(|failed| match failed.error.kind() {
        std::io::ErrorKind::AlreadyExists => ScanFileError::Exists(path.to_path_buf()),
        _ => disk("write", path)(failed.error),
    })?;
    match File::open(folder) {
        Ok(folder_file) if cfg!(unix) => folder_file.sync_all().map_err(disk("write the folder", folder)),
        _ => Ok(()),
    }
}

fn rows(file: &mut File, inventory: &Inventory, header: &ScanHeader) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties(header)?))?;
    for start in (0..inventory.len()).step_by(ROWS as usize) {
        let columns = Columns::of(inventory, start..start.saturating_add(ROWS).min(inventory.len()));
        let mut group = writer.next_row_group()?;
        columns.write(&mut group)?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

/// Keys share their beginnings with the key before, numbers lie close together, tags are random: each is encoded so.
fn properties(header: &ScanHeader) -> Result<WriterProperties, ParquetError> {
    let column = |name: &str| ColumnPath::from(name);
    let fields = header.fields().into_iter().chain([(seal::NAME, seal::BLANK.to_owned())]);
    let metadata = fields.map(|(name, value)| KeyValue::new(name.to_owned(), value)).collect();
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("storage_class"), true)
        .set_column_encoding(column("key"), Encoding::DELTA_BYTE_ARRAY)
        .set_column_encoding(column("size"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("etag"), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding(column("last_modified"), Encoding::DELTA_BINARY_PACKED)
        .set_created_by(format!("bucketree {}", header.tool))
        .set_key_value_metadata(Some(metadata))
        .build())
}

/// The columns of some consecutive objects.
#[derive(Default)]
struct Columns {
    keys: Texts,
    sizes: Vec<i64>,
    etags: Texts,
    times: Vec<i64>,
    /// For each row 1 if it has a time, else 0.
    timed: Vec<i16>,
    classes: Vec<ByteArray>,
}

impl Columns {
    fn of(inventory: &Inventory, range: Range<ObjectIndex>) -> Self {
        let mut columns = Self::default();
        let mut etag = String::new();
        inventory.scan(range, |index, key, fields| {
            columns.keys.push(key);
            // Parquet has no unsigned type of its own; the column's annotation says how to read the bits.
            columns.sizes.push(fields.size as i64);
            etag.clear();
            let _ = std::fmt::Write::write_fmt(&mut etag, format_args!("{}", fields.etag)); // strings take everything
            columns.etags.push(etag.as_bytes());
            columns.timed.push(i16::from(fields.last_modified.is_some()));
            columns.times.extend(fields.last_modified.map(|time| time.0));
            let class = inventory.storage_class(index);
            let same = columns.classes.last().filter(|last| last.data() == class.as_str().as_bytes());
            let class = same.cloned().unwrap_or_else(|| ByteArray::from(class.as_str()));
            columns.classes.push(class);
        });
        columns
    }

    fn write(self, group: &mut SerializedRowGroupWriter<'_, &mut File>) -> Result<(), ParquetError> {
        write_column::<ByteArrayType>(group, &self.keys.finish(), None)?;
        write_column::<Int64Type>(group, &self.sizes, None)?;
        write_column::<ByteArrayType>(group, &self.etags.finish(), None)?;
        write_column::<Int64Type>(group, &self.times, Some(&self.timed))?;
        write_column::<ByteArrayType>(group, &self.classes, None)
    }
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut File>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("a column too many".into()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// Texts one behind the other, so that many of them are one allocation.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    fn finish(self) -> Vec<ByteArray> {
        let bytes = Bytes::from(self.bytes);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| ByteArray::from(bytes.slice(start..*end))).collect()
    }
}
