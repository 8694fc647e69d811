//! The records of a journal, version 1. Rows are named by their number in the plan that lies beside the journal, from 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::outcome::{Outcome, OutcomeCounts};
use crate::domain::progress::Verification;
use crate::domain::requests::Requests;

/// The version that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// One record. Times are RFC 3339 by this machine's clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The run begins.
    Started {
        /// [`SCHEMA`].
        schema: u32,
        /// When.
        at: String,
        /// UUIDv7 of the run.
        run: String,
        /// Id of the plan.
        plan: String,
        /// Digest of the plan's rows.
        digest: String,
        /// Endpoint URL.
        endpoint: String,
        /// Bucket.
        bucket: String,
        /// Keys in the plan.
        planned: u64,
        /// The account that started it, as the system names it.
        operator: String,
        /// Version of the program.
        tool: String,
        /// Whether the registry's rows stay, whatever becomes of their objects.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keep_rows: bool,
    },
    /// The run is taken up again after it had ended early.
    Resumed {
        /// When.
        at: String,
        /// Whether it only classifies what is open, and sends nothing.
        closing: bool,
        /// The account that took it up, as the system names it.
        operator: String,
        /// Version of the program.
        tool: String,
    },
    /// The objects of these rows are about to be copied to where the run moves them; see
    /// [`crate::domain::plan::PlanRow::destination`].
    Copying {
        /// When.
        at: String,
        /// Number of the request that is to delete them, from 1.
        batch: u64,
        /// The rows.
        rows: Vec<u32>,
    },
    /// There is a verified copy of each of these rows; their objects are still where they were.
    Copied {
        /// When.
        at: String,
        /// Number of the request that is to delete them.
        batch: u64,
        /// The rows.
        rows: Vec<u32>,
        /// Those of them whose ETags could not be compared, so that size, metadata and content type have to prove the copy.
        without_etag: Vec<u32>,
    },
    /// A request to delete the objects of these rows, or to record them in the registry, is about to be sent.
    Intent {
        /// When.
        at: String,
        /// Number of the request in this run, from 1.
        batch: u64,
        /// Rows in the request.
        rows: Vec<u32>,
    },
    /// These rows have ended.
    Outcomes {
        /// When.
        at: String,
        /// The request that ended them; 0 for rows that needed none.
        batch: u64,
        /// How.
        rows: Vec<RowOutcome>,
    },
    /// The verification has ended.
    Verified {
        /// When.
        at: String,
        /// `passed`, `still-there` or `inconclusive`.
        result: String,
        /// Keys that are still there.
        still_there: u64,
        /// Why nothing could be proved.
        why: Option<String>,
    },
    /// Tracking rows of keys proved gone are about to be removed; they are kept in the run's `rows.jsonl`.
    RemovingRows {
        /// When.
        at: String,
        /// Keys proved gone.
        keys: u64,
        /// Their rows: the last so many lines of the file.
        #[serde(default)]
        rows: u64,
        /// Lines of the file now.
        #[serde(default)]
        kept: u64,
        /// The digest of its last line.
        #[serde(default)]
        seal: String,
        /// The name of the registry whose rows they are.
        #[serde(default)]
        registry: String,
    },
    /// Tracking rows were removed, or were not.
    RowsRemoved {
        /// When.
        at: String,
        /// Rows removed.
        removed: u64,
        /// The file with the rows to remove, if the registry cannot be changed from here.
        listed_in: Option<String>,
        /// Why rows were left.
        problem: Option<String>,
    },
    /// Rows that an earlier run kept are about to be put back: their objects are proved restored.
    PuttingRows {
        /// When.
        at: String,
        /// The run that kept them.
        run: String,
        /// How many.
        rows: u64,
    },
    /// Kept rows were put back, or were not.
    RowsPut {
        /// When.
        at: String,
        /// The run that kept them.
        run: String,
        /// Rows put back; those that were there already are not counted.
        put: u64,
        /// Why not all were.
        problem: Option<String>,
    },
    /// Rows that an earlier run kept are about to be dropped: nothing of that run is in the trash any more.
    KeptRowsDropped {
        /// When.
        at: String,
        /// The run that kept them.
        run: String,
        /// How many.
        rows: u64,
    },
    /// The run has ended. A journal in which this is not the last record is an unfinished run.
    Finished {
        /// When.
        at: String,
        /// Whether the user stopped it.
        cancelled: bool,
        /// Why it stopped early.
        stopped: Option<String>,
        /// Keys by outcome.
        outcomes: BTreeMap<String, u64>,
        /// Requests to the store by kind, of this part of the run: since it began, or was taken up again.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        requests: BTreeMap<String, u64>,
    },
}

/// How one row ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RowOutcome {
    /// The row.
    pub row: u32,
    /// The name of its [`Outcome`].
    pub outcome: String,
    /// Why, where it is not plain success.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Status code of the store's last answer to a request that was to change the object: evidence, never decided upon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Error code of that answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

impl Record {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Started { .. } => "started",
            Record::Resumed { .. } => "resumed",
            Record::Copying { .. } => "copying",
            Record::Copied { .. } => "copied",
            Record::Intent { .. } => "intent",
            Record::Outcomes { .. } => "outcomes",
            Record::Verified { .. } => "verified",
            Record::RemovingRows { .. } => "removing-rows",
            Record::RowsRemoved { .. } => "rows-removed",
            Record::PuttingRows { .. } => "putting-rows",
            Record::RowsPut { .. } => "rows-put",
            Record::KeptRowsDropped { .. } => "kept-rows-dropped",
            Record::Finished { .. } => "finished",
        }
    }

    /// Whether something is done after it that it says beforehand. The others say what was done.
    pub fn announces(&self) -> bool {
        matches!(
            self,
            Record::Started { .. }
                | Record::Resumed { .. }
                | Record::Copying { .. }
                | Record::Copied { .. }
                | Record::Intent { .. }
                | Record::RemovingRows { .. }
                | Record::PuttingRows { .. }
        )
    }

    /// The record as one line of JSON without a newline.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with string keys always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Record::to_json`] wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let record: Record = serde_json::from_str(json).map_err(|error| error.to_string())?;
        match &record {
            Record::Started { schema, .. } if *schema != SCHEMA => {
                Err(format!("the journal is of version {schema}, this program reads version {SCHEMA}"))
            }
            Record::Outcomes { rows, .. } => {
                rows.iter().try_for_each(|row| row.outcome.parse::<Outcome>().map(|_| ()))?;
                Ok(record)
            }
            _ => Ok(record),
        }
    }
}

/// A verification as it is written.
pub fn verified(at: String, verification: &Verification) -> Record {
    let (result, still_there, why) = match verification {
        Verification::Passed => ("passed", 0, None),
        Verification::StillThere(count) => ("still-there", *count, None),
        Verification::Inconclusive(why) => ("inconclusive", 0, Some(why.clone())),
    };
    Record::Verified { at, result: result.into(), still_there, why }
}

/// A verification as it was written.
pub fn verification(result: &str, still_there: u64, why: Option<&str>) -> Verification {
    match result {
        "passed" => Verification::Passed,
        "still-there" => Verification::StillThere(still_there),
        _ => Verification::Inconclusive(why.unwrap_or("no reason was recorded").into()),
    }
}

/// Counts as they are written.
pub fn counts(outcomes: &OutcomeCounts) -> BTreeMap<String, u64> {
    outcomes.iter().map(|(outcome, count)| (outcome.name().to_string(), count)).collect()
}

/// Requests as they are written.
pub fn requests(requests: &Requests) -> BTreeMap<String, u64> {
    requests.iter().map(|(request, count)| (request.name().to_string(), count)).collect()
}
