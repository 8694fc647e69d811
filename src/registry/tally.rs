//! Counts and fingerprint of a source while its rows stream by.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::RowSink;
use crate::domain::facts::{RegistryRow, SourceReport};
use crate::domain::object::Timestamp;

/// Passes rows on, counts them and adds them to a fingerprint that does not depend on their order.
pub(super) struct Tally<'a> {
    sink: RowSink<'a>,
    projects: u64,
    tracked: u64,
    references: u64,
    fingerprint: Fingerprint,
}

impl<'a> Tally<'a> {
    /// Counts what goes into `sink`.
    pub(super) fn new(sink: RowSink<'a>) -> Self {
        Self { sink, projects: 0, tracked: 0, references: 0, fingerprint: Fingerprint::default() }
    }

    /// Counts a row and passes it on.
    pub(super) fn row(&mut self, row: RegistryRow) {
        match &row {
            RegistryRow::Project { .. } => self.projects += 1,
            RegistryRow::Tracked { .. } => self.tracked += 1,
            RegistryRow::Reference { .. } => self.references += 1,
        }
        self.pass(row);
    }

    /// Passes on one of the rows that a record makes, and counts it if it is the first.
    pub(super) fn part(&mut self, row: RegistryRow, first: bool) {
        if first { self.row(row) } else { self.pass(row) }
    }

    fn pass(&mut self, row: RegistryRow) {
        self.fingerprint.add(&row);
        (self.sink)(row);
    }

    /// The report at the end of the reading. `tracks` says whether the source tracks keys.
    pub(super) fn finish(self, name: &str, tracks: bool) -> SourceReport {
        SourceReport {
            name: name.into(),
            projects: self.projects,
            tracked: tracks.then_some(self.tracked),
            references: self.references,
            read_at: now(),
            fingerprint: self.fingerprint.hex(),
        }
    }
}

/// This machine's clock.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// The sum, modulo 2^256, of the SHA-256 of every row. Equal rows count as often as they occur.
#[derive(Default)]
struct Fingerprint {
    /// Least significant word first.
    sum: [u64; 4],
    rows: u64,
}

impl Fingerprint {
    fn add(&mut self, row: &RegistryRow) {
        let digest = digest(row);
        let mut carry = false;
        for (word, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let mut part = [0; 8];
            part.copy_from_slice(bytes);
            let (sum, first) = word.overflowing_add(u64::from_le_bytes(part));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
        self.rows += 1;
    }

    fn hex(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.rows.to_le_bytes());
        for word in self.sum {
            hash.update(word.to_le_bytes());
        }
        hex(&hash.finalize())
    }
}

/// Every part is preceded by its length, so that no two rows are written alike.
fn digest(row: &RegistryRow) -> [u8; 32] {
    let (kind, key, project): (u8, &[u8], Option<&str>) = match row {
        RegistryRow::Project { id } => (b'p', &[], Some(id)),
        RegistryRow::Tracked { key, project } => (b't', key.as_bytes(), project.as_deref()),
        RegistryRow::Reference { key, project } => (b'r', key.as_bytes(), project.as_deref()),
    };
    let mut hash = Sha256::new();
    hash.update([kind, u8::from(project.is_some())]);
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update(project.unwrap_or_default().as_bytes());
    hash.finalize().into()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Key;

    fn row() -> impl Strategy<Value = RegistryRow> {
        prop_oneof![
            "[a-z]{1,3}".prop_map(|id| RegistryRow::Project { id }),
            ("[a-c/]{1,3}", proptest::option::of("[a-z]{0,2}"))
                .prop_map(|(key, project)| RegistryRow::Tracked { key: Key::new(key), project }),
            ("[a-c/]{1,3}", proptest::option::of("[a-z]{0,2}"))
                .prop_map(|(key, project)| RegistryRow::Reference { key: Key::new(key), project }),
        ]
    }

    fn fingerprint(rows: &[RegistryRow]) -> String {
        let mut fingerprint = Fingerprint::default();
        rows.iter().for_each(|row| fingerprint.add(row));
        fingerprint.hex()
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_everything_else_does(
            (rows, shuffled) in proptest::collection::vec(row(), 1..20)
                .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
            other in row(),
        ) {
            prop_assert_eq!(fingerprint(&rows), fingerprint(&shuffled));
            let mut more = rows.clone();
            more.push(other.clone());
            prop_assert_ne!(fingerprint(&rows), fingerprint(&more));
            if rows[0] != other {
                let mut changed = rows.clone();
                changed[0] = other;
                prop_assert_ne!(fingerprint(&rows), fingerprint(&changed));
            }
        }
    }

    #[test]
    fn an_unknown_owner_is_not_an_empty_one() {
        let tracked =
            |project: Option<&str>| [RegistryRow::Tracked { key: "a".into(), project: project.map(Into::into) }];
        assert_ne!(fingerprint(&tracked(None)), fingerprint(&tracked(Some(""))));
    }
}
