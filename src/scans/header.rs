//! What a kept scan says of itself.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::domain::inventory::Inventory;
use crate::domain::progress::{Completeness, ScanReport};
use crate::store::StoreIdentity;

/// The version of columns and metadata. A later one is refused, not guessed at.
const VERSION: &str = "1";

/// What a prefix is written without an escape of.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// What was listed, when and how. In the file's key-value metadata, every name begins with `bucketree.`; times are RFC 3339.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScanHeader {
    /// UUIDv7: ids of later scans are greater.
    pub id: String,
    /// Endpoint, account, bucket, region, and whether the store folds spellings of keys.
    pub at: StoreIdentity,
    /// Only keys that begin with this were listed; percent-encoded in the file.
    pub prefix: Vec<u8>,
    /// When the listing began, by the clock of the machine that listed.
    pub begun: Timestamp,
    /// When it had ended, by the same clock.
    pub ended: Timestamp,
    /// The server's clock at the first page.
    pub server_time: Option<Timestamp>,
    /// List requests made.
    pub requests: u64,
    /// Rows of the file.
    pub objects: u64,
    /// Version of the program that wrote it.
    pub tool: String,
}

impl ScanHeader {
    /// The header of a scan that has just ended.
    pub fn new(at: &StoreIdentity, prefix: &[u8], report: &ScanReport, inventory: &Inventory) -> Self {
        let took = i64::try_from(report.elapsed.as_millis()).unwrap_or(i64::MAX);
        Self {
            id: Uuid::now_v7().to_string(),
            at: at.clone(),
            prefix: prefix.to_vec(),
            begun: report.local_time,
            ended: Timestamp(report.local_time.0.saturating_add(took)),
            server_time: report.server_time,
            requests: report.requests,
            objects: inventory.alive(),
            tool: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// How the listing ended, as jobs know it: complete, and not of now.
    pub fn report(&self) -> ScanReport {
        let took = self.ended.0.saturating_sub(self.begun.0);
        ScanReport {
            completeness: Completeness::Kept(self.ended),
            server_time: self.server_time,
            local_time: self.begun,
            requests: self.requests,
            elapsed: Duration::from_millis(u64::try_from(took).unwrap_or(0)),
        }
    }

    /// Names and values, in the order in which they stand in the file.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("bucketree.schema", VERSION.to_owned()),
            ("bucketree.id", self.id.clone()),
            ("bucketree.tool", self.tool.clone()),
            ("bucketree.endpoint", self.at.endpoint.clone()),
            ("bucketree.bucket", self.at.bucket.clone()),
            ("bucketree.region", self.at.region.clone()),
            ("bucketree.folds_nfc", self.at.folds_nfc.to_string()),
            ("bucketree.prefix", percent_encode(&self.prefix, PLAIN).to_string()),
            ("bucketree.begun", self.begun.to_string()),
            ("bucketree.ended", self.ended.to_string()),
            ("bucketree.complete", "true".to_owned()),
            ("bucketree.requests", self.requests.to_string()),
            ("bucketree.objects", self.objects.to_string()),
        ];
        fields.extend(self.at.account.clone().map(|account| ("bucketree.account", account)));
        fields.extend(self.server_time.map(|time| ("bucketree.server_time", time.to_string())));
        fields
    }

    /// Reads the fields back; what is missing or makes no sense is named.
    pub(super) fn from_fields(fields: &BTreeMap<&str, &str>) -> Result<Self, String> {
        if !fields.contains_key("bucketree.schema") {
            return Err("it is no scan of bucketree".into());
        }
        let get = |name: &str| fields.get(name).copied().ok_or_else(|| format!("{name} is missing"));
        if get("bucketree.schema")? != VERSION {
            return Err(format!("it has the form {}, and this program reads {VERSION}", get("bucketree.schema")?));
        }
        if get("bucketree.complete")? != "true" {
            return Err("it is a part of a listing".into());
        }
        let server_time = fields.get("bucketree.server_time");
        Ok(Self {
            id: get("bucketree.id")?.into(),
            at: StoreIdentity {
                endpoint: get("bucketree.endpoint")?.into(),
                account: fields.get("bucketree.account").map(|account| (*account).to_owned()),
                bucket: get("bucketree.bucket")?.into(),
                region: get("bucketree.region")?.into(),
                folds_nfc: parsed("bucketree.folds_nfc", get("bucketree.folds_nfc")?)?,
            },
            prefix: percent_decode_str(get("bucketree.prefix")?).collect(),
            begun: time("bucketree.begun", get("bucketree.begun")?)?,
            ended: time("bucketree.ended", get("bucketree.ended")?)?,
            server_time: server_time.map(|text| time("bucketree.server_time", text)).transpose()?,
            requests: parsed("bucketree.requests", get("bucketree.requests")?)?,
            objects: parsed("bucketree.objects", get("bucketree.objects")?)?,
            tool: get("bucketree.tool")?.into(),
        })
    }
}

fn parsed<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} is {text:?}"))
}

fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{name} is {text:?}"))
}
