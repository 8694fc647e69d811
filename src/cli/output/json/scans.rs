//! The shapes of `scan`, `scans` and `diff`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Amount, Asked, SCHEMA, time_text};
use crate::domain::Key;
use crate::domain::changes::{Change, ChangeTotals, Difference, Summary};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::prices::Prices;
use crate::journal::keys::KeyFields;
use crate::scans::ScanHeader;

/// One scan.
#[derive(Serialize)]
pub struct ScanLine {
    schema: u32,
    id: String,
    endpoint: String,
    bucket: String,
    prefix: KeyFields,
    begun: String,
    ended: String,
    server_time: Option<String>,
    #[serde(flatten)]
    asked: Asked,
    objects: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_bytes: Option<u64>,
}

impl ScanLine {
    /// A scan, and the file of so many bytes that it is in.
    pub fn new(header: &ScanHeader, prices: &Prices, file: Option<&str>, bytes: u64) -> Self {
        Self {
            schema: SCHEMA,
            id: header.id.clone(),
            endpoint: header.at.endpoint.clone(),
            bucket: header.at.bucket.clone(),
            prefix: KeyFields::from(&Key::new(&header.prefix)),
            begun: header.begun.to_string(),
            ended: header.ended.to_string(),
            server_time: time_text(header.server_time),
            asked: Asked::new(header.requests, prices),
            objects: header.objects,
            file: file.map(str::to_owned),
            file_bytes: file.map(|_| bytes),
        }
    }
}

/// One key that differs.
#[derive(Serialize)]
pub struct ChangeLine {
    schema: u32,
    change: &'static str,
    #[serde(flatten)]
    key: KeyFields,
    before: Option<Version>,
    after: Option<Version>,
}

/// An object as it was in one of the scans.
#[derive(Serialize)]
struct Version {
    size: u64,
    last_modified: Option<String>,
    etag: String,
    storage_class: String,
}

impl ChangeLine {
    /// A difference between these two.
    pub fn new(difference: &Difference<'_>, before: &Inventory, after: &Inventory) -> Self {
        let version = |inventory: &Inventory, at: ObjectIndex| Version {
            size: inventory.size(at),
            last_modified: time_text(inventory.last_modified(at)),
            etag: inventory.etag(at).as_str().into(),
            storage_class: inventory.storage_class(at).as_str().into(),
        };
        Self {
            schema: SCHEMA,
            change: difference.change.name(),
            key: KeyFields::from(&Key::new(difference.key)),
            before: difference.before.map(|at| version(before, at)),
            after: difference.after.map(|at| version(after, at)),
        }
    }
}

/// The totals of a comparison.
#[derive(Serialize)]
pub struct ChangeSummary {
    schema: u32,
    before: ScanLine,
    after: ScanLine,
    #[serde(flatten)]
    all: ChangeFields,
    by_folder: Vec<FolderChanges>,
    by_project: Vec<ProjectChanges>,
}

#[derive(Serialize)]
struct ChangeFields {
    by_change: BTreeMap<&'static str, Amount>,
    net_bytes: i128,
}

#[derive(Serialize)]
struct FolderChanges {
    #[serde(flatten)]
    prefix: KeyFields,
    #[serde(flatten)]
    totals: ChangeFields,
}

#[derive(Serialize)]
struct ProjectChanges {
    project: Option<String>,
    #[serde(flatten)]
    totals: ChangeFields,
}

impl From<&ChangeTotals> for ChangeFields {
    fn from(totals: &ChangeTotals) -> Self {
        let by_change = Change::ALL.into_iter().map(|change| (change.name(), totals.of(change).into())).collect();
        Self { by_change, net_bytes: totals.net_bytes() }
    }
}

impl ChangeSummary {
    /// The totals between these two.
    pub fn new(summary: &Summary, before: &ScanHeader, after: &ScanHeader) -> Self {
        // Where they were listed, other prices may hold than here.
        let line = |header: &ScanHeader| ScanLine::new(header, &Prices::default(), None, 0);
        let folder = |(prefix, totals): (&Vec<u8>, &ChangeTotals)| FolderChanges {
            prefix: KeyFields::from(&Key::new(prefix)),
            totals: totals.into(),
        };
        Self {
            schema: SCHEMA,
            before: line(before),
            after: line(after),
            all: (&summary.all).into(),
            by_folder: summary.folders.iter().map(folder).collect(),
            by_project: summary
                .projects
                .iter()
                .map(|(project, totals)| ProjectChanges {
                    project: project.as_ref().map(ToString::to_string),
                    totals: totals.into(),
                })
                .collect(),
        }
    }
}
