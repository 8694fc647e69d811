//! The tracking rows that a run takes out of the registry, whole, so that they can be put back: `rows.jsonl` in the run's
//! folder. Rows are on the disk before the journal announces their removal, and the journal's record says how many lines
//! there are then and the digest of the last one, so that the journal's own chain covers them.
//!
//! Each line is sealed as a journal's is ([`super::chain`]) with a chain of its own; its JSON has `key` (or `key_base64`),
//! `project` and `content`, the row in its source's own JSON as a text.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::keys::KeyFields;
use super::record::Record;
use super::runs::PastRun;
use super::{JournalError, disk, sync_folder};
use crate::domain::Key;
use crate::domain::rows::KeptRow;

/// Name of the file in a run's folder.
pub const ROWS: &str = "rows.jsonl";

/// How far a journal covers the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Covered {
    /// Whole lines.
    pub lines: u64,
    /// Digest of the last of them; empty if there is none.
    pub seal: String,
    /// Lines at the end whose removal was announced and is not known to be done.
    pub open: u64,
    /// The name of the registry whose rows they are.
    pub registry: String,
}

impl Covered {
    /// What a journal says.
    pub fn by(records: &[Record]) -> Self {
        records.iter().fold(Self::default(), |covered, record| match record {
            Record::RemovingRows { rows, kept, seal, registry, .. } => {
                Self { lines: *kept, seal: seal.clone(), open: covered.open + rows, registry: registry.clone() }
            }
            Record::RowsRemoved { problem: None, .. } => Self { open: 0, ..covered },
            _ => covered,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: KeyFields,
    project: Option<String>,
    content: String,
}

/// The file of a run that is under way.
#[derive(Debug)]
pub struct KeptRows {
    path: PathBuf,
    chain: Chain,
    lines: u64,
    whole: u64,
}

impl KeptRows {
    /// The file of a run, as far as its journal covers it, and the rows in it. Lines that the journal does not cover are cut
    /// off by the next write: what they were to announce was never done.
    ///
    /// # Errors
    /// [`JournalError::Disk`]; [`JournalError::Damaged`] if what the journal covers is not there any more.
    pub fn open(folder: &Path, run: &str, covered: &Covered) -> Result<(Self, Vec<KeptRow>), JournalError> {
        let path = folder.join(ROWS);
        let mut file = Self { chain: Chain::start(&format!("rows of {run}")), path, lines: 0, whole: 0 };
        let mut rows = Vec::new();
        if covered.lines == 0 {
            return Ok((file, rows));
        }
        let text = std::fs::read_to_string(&file.path).map_err(disk("cannot read the kept rows", &file.path))?;
        for line in text.split_inclusive('\n').take(covered.lines as usize) {
            let row = file.chain.open(line, read).map_err(|broken| file.damaged(broken.to_string()))?;
            rows.push(row);
            file.lines += 1;
            file.whole += line.len() as u64;
        }
        match file.lines == covered.lines && file.chain.seal_of_all() == covered.seal {
            true => Ok((file, rows)),
            false => Err(file.damaged("it is not what the journal says: lines are missing, or others".into())),
        }
    }

    /// Adds rows, and waits until they are on the disk. Returns how many lines there are and the digest of the last.
    ///
    /// # Errors
    /// [`JournalError::Disk`]: the rows may not be removed then.
    pub fn append(&mut self, rows: &[KeptRow]) -> Result<(u64, String), JournalError> {
        let mut chain = self.chain.clone();
        let text: String = rows.iter().map(|row| chain.seal(&to_json(row))).collect();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)
            .map_err(disk("cannot write the kept rows", &self.path))?;
        let written = self.write(&mut file, &text);
        written.map_err(disk("cannot write the kept rows", &self.path))?;
        self.path.parent().map_or(Ok(()), sync_folder)?;
        self.chain = chain;
        self.lines += rows.len() as u64;
        self.whole += text.len() as u64;
        Ok((self.lines, self.chain.seal_of_all()))
    }

    fn write(&self, file: &mut File, text: &str) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom};
        file.set_len(self.whole)?;
        file.seek(SeekFrom::Start(self.whole))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn damaged(&self, why: String) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), line: self.lines as usize + 1, why }
    }
}

/// The rows that a past run took out of the registry, and the name of that registry.
///
/// # Errors
/// As [`KeptRows::open`].
pub fn of_run(past: &PastRun) -> Result<(String, Vec<KeptRow>), JournalError> {
    let covered = Covered::by(&past.records);
    let (_, rows) = KeptRows::open(&past.folder, &past.run, &covered)?;
    Ok((covered.registry, rows))
}

fn to_json(row: &KeptRow) -> String {
    let line = Line { key: KeyFields::from(&row.key), project: row.project.clone(), content: row.content.clone() };
    // Strings always serialize.
    serde_json::to_string(&line).unwrap_or_default()
}

fn read(json: &str) -> Result<KeptRow, String> {
    let line: Line = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok(KeptRow { key: Key::try_from(line.key)?, project: line.project, content: line.content })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: impl AsRef<[u8]>, content: &str) -> KeptRow {
        KeptRow { key: Key::new(key.as_ref()), project: Some("proj_1".into()), content: content.into() }
    }

    fn covered((lines, seal): (u64, String)) -> Covered {
        Covered { lines, seal, ..Covered::default() }
    }

    #[test]
    fn rows_come_back_exactly() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [row("a\nb", "{\"x\":\"\\n\"}"), row(b"\xff", ""), KeptRow { project: None, ..row("c", "null") }];
        let (mut file, none) = KeptRows::open(folder.path(), "r", &Covered::default()).expect("new");
        assert_eq!(none, []);
        let mut append = |rows: &[KeptRow]| covered(file.append(rows).expect("written"));
        let (first, second) = (append(&rows[..1]), append(&rows[1..]));
        assert_eq!((first.lines, second.lines), (1, 3));
        assert_eq!(KeptRows::open(folder.path(), "r", &second).expect("read").1, rows);
        let (mut again, before) = KeptRows::open(folder.path(), "r", &first).expect("read");
        assert_eq!(before, rows[..1]);
        let other = covered(again.append(&rows[2..]).expect("what was not covered is cut off"));
        assert_eq!(KeptRows::open(folder.path(), "r", &other).expect("read").1, [rows[0].clone(), rows[2].clone()]);
        assert!(KeptRows::open(folder.path(), "r", &second).is_err());
    }

    #[test]
    fn a_changed_or_missing_line_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(ROWS);
        let (mut file, _) = KeptRows::open(folder.path(), "r", &Covered::default()).expect("new");
        let covered = covered(file.append(&[row("a", "1"), row("b", "2")]).expect("written"));
        let whole = std::fs::read_to_string(&path).expect("text");
        let check = |content: &str, why: &str| {
            std::fs::write(&path, content).expect("written");
            let error = KeptRows::open(folder.path(), "r", &covered).map(drop).expect_err(why);
            assert!(error.to_string().contains(why), "{error}");
        };
        check(&whole.replace("proj_1", "proj_2"), "the checksum does not match");
        check(whole.split_inclusive('\n').next().expect("a line"), "lines are missing");
        check(&whole[..whole.len() - 1], "was not written to its end");
        check("", "lines are missing");
        let (mut anew, _) = KeptRows::open(folder.path(), "r", &Covered::default()).expect("new");
        anew.append(&[row("a", "1"), row("b", "3")]).expect("written");
        check(&std::fs::read_to_string(&path).expect("text"), "lines are missing, or others");
        std::fs::remove_file(&path).expect("removed");
        assert!(KeptRows::open(folder.path(), "r", &covered).is_err());
    }

    #[test]
    fn a_journal_says_how_far_and_what_is_open() {
        let removing = |rows, kept| Record::RemovingRows {
            at: String::new(),
            keys: 1,
            rows,
            kept,
            seal: format!("seal {kept}"),
            registry: "r".into(),
        };
        let removed = |problem: Option<&str>| Record::RowsRemoved {
            at: String::new(),
            removed: 1,
            listed_in: None,
            problem: problem.map(Into::into),
        };
        let check = |records: &[Record], lines, open| {
            let covered = Covered::by(records);
            assert_eq!((covered.lines, covered.open), (lines, open));
        };
        check(&[], 0, 0);
        check(&[removing(2, 2)], 2, 2);
        check(&[removing(2, 2), removed(None)], 2, 0);
        check(&[removing(2, 2), removed(None), removing(3, 5)], 5, 3);
        check(&[removing(2, 2), removed(Some("down"))], 2, 2);
        check(&[removing(2, 2), removed(Some("down")), removing(1, 3)], 3, 3);
        assert_eq!(Covered::by(&[removing(2, 2)]).seal, "seal 2");
    }
}
