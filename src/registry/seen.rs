//! The counts of the last reading that was trusted, remembered in the state directory between runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checks::{Limits, SeenCounts, judge};
use crate::domain::Timestamp;
use crate::domain::facts::{RegistryState, SourceReport};

/// The form of the file. A file of a later form is refused, not overwritten.
const VERSION: u32 = 1;

/// Where the counts are remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// By bucket, then by the name of the source.
    buckets: BTreeMap<String, BTreeMap<String, SeenCounts>>,
}

impl SeenFile {
    /// The file of a state directory; nothing is read or made yet.
    pub fn in_directory(state: &Path) -> Self {
        Self { path: state.join("registry-seen.json") }
    }

    /// Judges a complete reading for `bucket` (any text that names endpoint and bucket), and remembers its counts if it
    /// may be used. `accept_shrink`: a person said that the smaller counts are right; zero and minimums still hold.
    ///
    /// What this program's own runs have removed is not held against a source: `removed` says how many rows of the source of
    /// this name they removed since a time, by this machine's clock. It is asked only where rows are missing.
    ///
    /// What was remembered and cannot be read makes the registry unusable: the guard would be blind.
    pub fn judge(
        &self,
        bucket: &str,
        report: &SourceReport,
        limits: &Limits,
        accept_shrink: bool,
        removed: &dyn Fn(&str, Timestamp) -> u64,
    ) -> RegistryState {
        let mut contents = match self.load() {
            Ok(contents) => contents,
            Err(error) => return self.unusable("cannot be read", &error, "; remove it to start again"),
        };
        let seen = contents.buckets.entry(bucket.to_owned()).or_default();
        let last = seen.get(&*report.name).copied().filter(|_| !accept_shrink);
        let last = last.map(|last| without(last, report, removed));
        let state = judge(report, last, limits);
        let now = SeenCounts::from(report);
        if state == RegistryState::Usable
            && seen.insert(report.name.to_string(), now) != Some(now)
            && let Err(error) = self.save(&contents)
        {
            return self.unusable("cannot be written", &error, "");
        }
        state
    }

    fn unusable(&self, what: &str, error: &io::Error, then: &str) -> RegistryState {
        let path = self.path.display();
        RegistryState::Unusable(vec![format!("the registry's counts of last time, {path}, {what}: {error}{then}")])
    }

    fn load(&self) -> io::Result<Contents> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents { version: VERSION, buckets: BTreeMap::new() });
            }
            Err(error) => return Err(error),
        };
        let contents: Contents = serde_json::from_slice(&text).map_err(io::Error::other)?;
        if contents.version != VERSION {
            return Err(io::Error::other(format!("its form is {}, this program knows {VERSION}", contents.version)));
        }
        Ok(contents)
    }

    /// Written beside and moved over, so that a crash leaves the old or the new file.
    fn save(&self, contents: &Contents) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let beside = self.path.with_extension(format!("json.{}", std::process::id()));
        let mut file = File::create(&beside)?;
        serde_json::to_writer_pretty(&mut file, contents)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

/// What a source had, without what was removed of it since by this program itself.
fn without(last: SeenCounts, now: &SourceReport, removed: &dyn Fn(&str, Timestamp) -> u64) -> SeenCounts {
    match (last.tracked, now.tracked, last.at) {
        (Some(before), Some(tracked), Some(at)) if tracked < before => {
            SeenCounts { tracked: Some(before.saturating_sub(removed(&now.name, Timestamp(at)))), ..last }
        }
        _ => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, projects: u64) -> SourceReport {
        let (name, read_at) = (name.into(), Timestamp(0));
        SourceReport { name, projects, tracked: Some(10), references: 0, read_at, fingerprint: String::new() }
    }

    fn judge_count(seen: &SeenFile, bucket: &str, name: &str, projects: u64, accept: bool) -> bool {
        seen.judge(bucket, &report(name, projects), &Limits::default(), accept, &|_, _| 0) == RegistryState::Usable
    }

    #[test]
    fn a_shrunken_registry_stays_unusable_until_somebody_accepts_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let seen = SeenFile::in_directory(&directory.path().join("state"));
        assert!(judge_count(&seen, "host/media", "a", 100, false));
        assert!(!judge_count(&seen, "host/media", "a", 50, false));
        assert!(!judge_count(&seen, "host/media", "a", 50, false), "an unusable reading is not remembered");
        assert!(judge_count(&seen, "host/other", "a", 50, false), "another bucket");
        assert!(judge_count(&seen, "host/media", "b", 50, false), "another source");
        assert!(!judge_count(&seen, "host/media", "a", 0, true), "zero is never accepted");
        assert!(judge_count(&seen, "host/media", "a", 50, true));
        assert!(judge_count(&seen, "host/media", "a", 45, false), "accepted counts are remembered");
        let files = fs::read_dir(directory.path().join("state")).expect("files").count();
        assert_eq!(files, 1, "nothing is left beside the file");
    }

    #[test]
    fn what_the_program_removed_itself_is_not_held_against_a_source() {
        let directory = tempfile::tempdir().expect("a directory");
        let seen = SeenFile::in_directory(directory.path());
        let judge = |tracked, at, removed: u64| {
            let report = SourceReport { tracked: Some(tracked), read_at: Timestamp(at), ..report("a", 5) };
            let removed =
                move |name: &str, since: Timestamp| if (name, since) == ("a", Timestamp(7)) { removed } else { 0 };
            seen.judge("b", &report, &Limits::default(), false, &removed) == RegistryState::Usable
        };
        assert!(judge(100, 7, 0));
        assert!(!judge(60, 8, 0));
        assert!(!judge(60, 8, 20), "60 of 80 is still too few");
        assert!(judge(60, 8, 30));
        assert!(!judge(40, 9, 30), "what was removed before the last reading counts once");
    }

    #[test]
    fn counts_that_cannot_be_read_or_written_make_it_unusable() {
        let directory = tempfile::tempdir().expect("a directory");
        let seen = SeenFile::in_directory(directory.path());
        for text in ["{\"version\":1,", "{\"version\":2,\"buckets\":{}}"] {
            fs::write(&seen.path, text).expect("written");
            match seen.judge("b", &report("a", 1), &Limits::default(), false, &|_, _| 0) {
                RegistryState::Unusable(reasons) => {
                    assert!(reasons[0].contains("registry-seen.json, cannot be read: "), "{reasons:?}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(fs::read_to_string(&seen.path).expect("the file"), text, "nothing is overwritten");
        }
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let blocked = SeenFile::in_directory(&file);
        assert!(!judge_count(&blocked, "b", "a", 1, false));
    }
}
