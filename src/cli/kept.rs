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
        ScanFileError::TooLarge { .. } => "nothing was written; name a file with --out, and upload it in parts",
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
