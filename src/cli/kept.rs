//! Kept scans as verbs and console use them: opened in place of a bucket, kept for the next start, found by name.

use std::path::Path;
use std::sync::Arc;

use super::args::GlobalFlags;
use super::error::Stop;
use super::session::{self, Session};
use crate::config::Inputs;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, Failure, ScanReport};
use crate::scans::{KeptScan, ScanFileError, ScanHeader, Shelf, read};
use crate::store::offline::OfflineStore;

/// A scan that was read from a file.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What it says of itself.
    pub header: ScanHeader,
    /// What was listed.
    pub inventory: Inventory,
}

/// A kept scan cannot be used.
pub fn unusable(what: &str, error: &ScanFileError) -> Stop {
    let hint = match error {
        ScanFileError::Disk { .. } => "see that the file can be read, and its folder written",
        ScanFileError::Damaged { .. } => "scan the bucket again; a scan that was changed is never read in part",
        ScanFileError::Exists(_) => "name a new file: a scan never replaces one",
        ScanFileError::NoSuchScan(_) => "`bucketree scans` lists the kept ones; `bucketree scan` keeps one",
    };
    match error {
        ScanFileError::NoSuchScan(_) => Stop::usage(what, error, hint),
        _ => Stop::failed(what, error, hint),
    }
}

/// Opens the bucket of the settings, or the scan of `--from` in its place.
///
/// # Errors
/// As [`Session::open`]; if the scan cannot be read.
pub async fn open(flags: &GlobalFlags) -> Result<Session, Stop> {
    let inputs = session::inputs(flags);
    match &flags.from {
        None => Session::open(&inputs).await,
        Some(file) => Session::of_scan(file, inputs).await,
    }
}

impl Session {
    /// Opens a scan in place of its bucket. No store is asked, and nothing can be planned.
    ///
    /// # Errors
    /// If the scan cannot be read; settings that cannot be used.
    pub async fn of_scan(file: &Path, mut inputs: Inputs) -> Result<Self, Stop> {
        let (header, inventory) = read(file).map_err(|error| unusable("open the scan", &error))?;
        let at = &header.at;
        inputs.flags.extend([
            ("endpoint", at.endpoint.clone()),
            ("bucket", at.bucket.clone()),
            ("region", at.region.clone()),
            ("folds_nfc", at.folds_nfc.to_string()),
        ]);
        let settings = session::settings(&inputs)?;
        let state = session::state_folder(&inputs)?;
        let store = Arc::new(OfflineStore::new(at.clone()));
        let session = Self::on(settings, state, store, None).await?;
        Ok(Self { kept: Some(Arc::new(Kept { header, inventory })), ..session })
    }

    /// The kept scans of this bucket.
    pub fn shelf(&self) -> Shelf {
        Shelf::of(&self.state, self.store.identity())
    }

    /// Keeps a complete listing of the whole bucket for the next start. `None` if it is not one, or none are to be kept.
    ///
    /// # Errors
    /// [`ScanFileError::Disk`].
    pub fn keep(&self, inventory: &Inventory, report: &ScanReport) -> Result<Option<KeptScan>, ScanFileError> {
        let most = self.settings.kept_scans.value;
        if report.completeness != Completeness::Complete || most == 0 {
            return Ok(None);
        }
        let header = ScanHeader::new(self.store.identity(), b"", report, inventory);
        self.shelf().keep(inventory, &header, most).map(Some)
    }
}

impl Kept {
    /// What begins with `prefix`, as a listing would have brought it, and how that ended.
    pub fn list(&self, prefix: &[u8]) -> (Inventory, ScanReport) {
        let mut report = self.header.report();
        if !prefix.starts_with(&self.header.prefix) {
            report.completeness = Completeness::Incomplete(Failure {
                what: "look into the scan".into(),
                why: format!("only what begins with {} was listed", crate::domain::key::Escaped(&self.header.prefix)),
                hint: "name a prefix that begins so, or scan the whole bucket".into(),
            });
        }
        (self.inventory.clone(), report)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::plan::PlanKind;
    use crate::domain::samples::{inventory_of, object};
    use crate::jobs::Stop as JobStop;
    use crate::jobs::audit::audit;
    use crate::jobs::draft::{Draft, draft};
    use crate::scans::write_new;
    use crate::store::{DeleteTarget, ErrorKind, StoreIdentity};

    /// The guard stands behind the command line, too: whoever drafts a plan from a kept scan gets one that is refused for good.
    #[tokio::test]
    async fn a_plan_from_a_kept_scan_is_refused_and_its_store_does_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("scan.parquet");
        let listed = inventory_of([object(b"audio/proj_1/a/1.mp3", 1)]);
        let report = ScanReport {
            completeness: Completeness::Complete,
            server_time: Some(Timestamp(1_795_255_200_000)),
            local_time: Timestamp(1_795_255_200_000),
            requests: 1,
            elapsed: Duration::ZERO,
        };
        let at =
            StoreIdentity { endpoint: "http://127.0.0.1:9".into(), bucket: "media".into(), ..StoreIdentity::default() };
        write_new(&file, &listed, &ScanHeader::new(&at, b"", &report, &listed)).expect("written");
        let inputs = Inputs {
            profile: None,
            config: Some(folder.path().join("config.toml")),
            env_file: None,
            flags: BTreeMap::new(),
            environment: BTreeMap::from([("BUCKETREE_STATE_DIR".into(), folder.path().display().to_string())]),
        };
        let session = Session::of_scan(&file, inputs).await.expect("a session");
        let (inventory, scan) = session.list(b"").await;
        let audit = audit(&session.audit_input(), &inventory, &scan, &JobStop::new()).await.expect("verdicts");
        let ground = session.ground(&inventory, &scan, audit.judge.facts()).await;
        let input = Draft {
            identity: session.store.identity(),
            inventory: &inventory,
            scan: &scan,
            audit: &audit,
            kind: PlanKind::Delete,
            ground: &ground,
            caps: &session.caps,
            clock: &session.clock,
        };
        let plan = draft(&input, 0..inventory.len());
        assert!(plan.refusals().iter().any(|guard| guard.name == "listing complete"), "{:?}", plan.header.guards);
        let target = DeleteTarget { key: inventory.key(0), etag: None, last_modified: None };
        let refused = session.store.delete(&target).await.expect_err("nobody to ask");
        assert_eq!(refused.kind, ErrorKind::Unsupported);
        assert_eq!(session.keep(&inventory, &scan).expect("nothing is written"), None);
    }
}
