//! The shapes of `--json`, version 1: one value per line. The man page describes every one; what is there keeps its
//! meaning within a version, new fields may come.

mod audit;
mod drift;
mod plan;
mod runs;
mod scans;
mod trash;

use serde::Serialize;

pub use audit::{AuditSummary, AuditedObject, ReadingFields, registry_state};
pub use drift::{DriftLine, DriftSummary, FoundLine, owner_fields, proof_name};
pub use plan::PlanSummary;
pub use runs::{BundleLine, RunKey, RunLine, RunResult, VerifyResult};
pub use scans::{ChangeLine, ChangeSummary, ScanLine};
pub use trash::TrashLine;

use crate::domain::prices::Prices;
use crate::domain::totals::{Tally, Totals};
use crate::domain::{Key, Object, Timestamp};
use crate::journal::keys::KeyFields;

/// The version of every shape.
pub const SCHEMA: u32 = 1;

/// What a listing took.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Asked {
    requests: u64,
    request_dollars: Option<f64>,
}

impl Asked {
    /// So many list requests, at these prices.
    pub fn new(requests: u64, prices: &Prices) -> Self {
        Self { requests, request_dollars: prices.of_lists(requests) }
    }
}

/// Objects and bytes of a group.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl From<Tally> for Amount {
    fn from(tally: Tally) -> Self {
        Self { objects: tally.objects, bytes: tally.bytes }
    }
}

/// One object of `ls`.
#[derive(Serialize)]
pub struct ListedObject {
    schema: u32,
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    last_modified: Option<String>,
    etag: String,
    storage_class: String,
}

impl From<&Object> for ListedObject {
    fn from(object: &Object) -> Self {
        Self {
            schema: SCHEMA,
            key: KeyFields::from(&object.key),
            size: object.size,
            last_modified: object.last_modified.as_ref().map(ToString::to_string),
            etag: object.etag.as_str().into(),
            storage_class: object.storage_class.as_str().into(),
        }
    }
}

/// One line of `du`.
#[derive(Serialize)]
pub struct FolderSize {
    schema: u32,
    kind: &'static str,
    #[serde(flatten)]
    key: KeyFields,
    objects: u64,
    bytes: u64,
    newest: Option<String>,
    #[serde(flatten)]
    asked: Option<Asked>,
}

impl FolderSize {
    /// A `folder`, an `object`, or the `total` under a prefix, which says what the listing took.
    pub fn new(kind: &'static str, key: &[u8], totals: &Totals, asked: Option<Asked>) -> Self {
        Self {
            schema: SCHEMA,
            kind,
            key: KeyFields::from(&Key::new(key)),
            objects: totals.objects,
            bytes: totals.bytes,
            newest: time_text(totals.newest),
            asked,
        }
    }
}

fn time_text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}
