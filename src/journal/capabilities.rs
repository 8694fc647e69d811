//! What each store was measured to do, with the date, remembered in the state folder (`capabilities.json`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::bucket_file::BucketFile;
use crate::domain::Timestamp;
use crate::domain::capabilities::{Finding, Measured};

/// Where measurements are remembered.
#[derive(Clone, Debug)]
pub struct CapabilityMemory(BucketFile<Line>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    /// Milliseconds since 1970.
    at: i64,
    findings: BTreeMap<String, FindingLine>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct FindingLine {
    holds: Option<bool>,
    seen: String,
}

impl CapabilityMemory {
    /// The memory of a state folder; nothing is read or made yet.
    pub fn in_directory(state: &Path) -> Self {
        Self(BucketFile::in_directory(state, "capabilities.json"))
    }

    /// What `bucket` (any text that names endpoint and bucket) was last measured to do. What another version of this
    /// program measured and this one does not know is left out.
    ///
    /// # Errors
    /// [`JournalError::Disk`] or [`JournalError::Damaged`].
    pub fn last(&self, bucket: &str) -> Result<Option<Measured>, JournalError> {
        Ok(self.0.get(bucket)?.map(|line| {
            let known = line.findings.into_iter().filter_map(|(name, found)| {
                Some(Finding { capability: name.parse().ok()?, holds: found.holds, seen: found.seen })
            });
            let mut findings: Vec<Finding> = known.collect();
            findings.sort_by_key(|finding| finding.capability);
            Measured { at: Timestamp(line.at), findings }
        }))
    }

    /// Remembers a measurement in the place of the one before.
    ///
    /// # Errors
    /// As [`CapabilityMemory::last`].
    pub fn remember(&self, bucket: &str, measured: &Measured) -> Result<(), JournalError> {
        let findings = measured.findings.iter().map(|finding| {
            let line = FindingLine { holds: finding.holds, seen: finding.seen.clone() };
            (finding.capability.name().to_owned(), line)
        });
        self.0.set(bucket, Line { at: measured.at.0, findings: findings.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capabilities::Capability;

    #[test]
    fn a_measurement_is_remembered_as_it_was_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = CapabilityMemory::in_directory(folder.path());
        assert_eq!(memory.last("b").expect("readable"), None);
        let findings = Capability::ALL.into_iter().zip([Some(true), Some(false), None].into_iter().cycle());
        let mut findings: Vec<Finding> =
            findings.map(|(capability, holds)| Finding { capability, holds, seen: capability.to_string() }).collect();
        findings.sort_by_key(|finding| finding.capability);
        let measured = Measured { at: Timestamp(7), findings };
        memory.remember("b", &measured).expect("writable");
        assert_eq!(memory.last("b").expect("readable"), Some(measured));
    }
}
