//! After the last request: proof of what is gone, and only then the registry's rows.

use std::sync::Arc;

use super::{Execution, Recheck, Recorder};
use crate::domain::Key;
use crate::domain::plan::PlanKind;
use crate::domain::progress::{LogLevel, RowsReport, RunProgress, Verification};
use crate::jobs::verify::{self, Proof};
use crate::journal::failpoint;
use crate::journal::keys::KeyFields;
use crate::journal::record::{self, Record};
use crate::journal::runs;
use crate::registry::{RowRemoval, SharedRegistry};

/// Keys whose rows are removed in one transaction.
const ROWS_AT_A_TIME: usize = 1000;

/// Proves the outcomes that say "gone", and writes down what was found. Where nothing can be written down any more,
/// nothing is asked either.
pub async fn verify(execution: &Execution, recorder: &Recorder) -> Proof {
    if recorder.is_blind() {
        let why = "the journal could not be written; the run is unfinished".into();
        return Proof { verification: Verification::Inconclusive(why), ..Proof::default() };
    }
    let rows = recorder.gone_rows();
    let total = rows.len() as u64;
    recorder.log(LogLevel::Info, format!("verification: looking for {total} keys that should be gone")).await;
    let objects: Vec<_> = rows.iter().map(|&row| &execution.plan.rows[row as usize].object).collect();
    let told = |done| recorder.show(RunProgress::Verifying { done, total });
    let proof = verify::prove(execution.store.as_ref(), &objects, told).await;
    let (level, text) = match &proof.verification {
        Verification::Passed => (LogLevel::Info, format!("verification passed: {total} keys are proved gone")),
        Verification::StillThere(count) => {
            (LogLevel::Error, format!("verification failed: {count} keys are still there"))
        }
        Verification::Inconclusive(why) => (LogLevel::Error, format!("verification is inconclusive: {why}")),
    };
    recorder.log(level, text).await;
    for key in &proof.recreated {
        let text = format!("{} was written again since; the new object was not touched", key.escaped());
        recorder.log(LogLevel::Warning, text).await;
    }
    let _ = recorder.write(record::verified(recorder.at(), &proof.verification)).await; // stands in the report
    proof
}

/// Removes the tracking rows of the keys proved gone; a failure leaves rows, never an object without its row.
pub async fn remove_rows(execution: &Execution, recheck: &Recheck, recorder: &Recorder, proof: &Proof) -> RowsReport {
    let kind = execution.plan.header.kind;
    if kind == PlanKind::Trash {
        let text = "the registry's rows stay while their objects are in the trash";
        recorder.log(LogLevel::Info, text.into()).await;
    }
    let Some(registry) = execution.registry.as_ref().filter(|registry| registry.tracks_keys()) else {
        return RowsReport::default();
    };
    if proof.gone.is_empty() || kind != PlanKind::Delete {
        return RowsReport::default();
    }
    let intent = Record::RemovingRows { at: recorder.at(), keys: proof.gone.len() as u64 };
    if let Err(failure) = recorder.write(intent).await {
        return RowsReport { problem: Some(failure.to_string()), ..RowsReport::default() };
    }
    let report = match removed(execution, registry, recheck, recorder, &proof.gone).await {
        Ok(report) => report,
        Err((removed, problem)) => RowsReport { removed, listed_in: None, problem: Some(problem) },
    };
    let text = match (&report.listed_in, &report.problem) {
        (_, Some(problem)) => format!("tracking rows were left: {problem}"),
        (Some(file), None) => {
            format!("the registry cannot be changed from here; its rows to remove are listed in {file}")
        }
        (None, None) => format!("{} tracking rows of keys proved gone were removed", report.removed),
    };
    let level = if report.problem.is_some() { LogLevel::Error } else { LogLevel::Info };
    recorder.log(level, text).await;
    let record = Record::RowsRemoved {
        at: recorder.at(),
        removed: report.removed,
        listed_in: report.listed_in.clone(),
        problem: report.problem.clone(),
    };
    let _ = recorder.write(record).await; // stands in the report
    report
}

async fn removed(
    execution: &Execution,
    registry: &SharedRegistry,
    recheck: &Recheck,
    recorder: &Recorder,
    gone: &[Key],
) -> Result<RowsReport, (u64, String)> {
    let mut removed = 0;
    for (number, keys) in gone.chunks(ROWS_AT_A_TIME).enumerate() {
        if number > 0 {
            failpoint::hit("rows", "between");
        }
        let kept = recheck.live_spellings().await.map_err(|failure| (removed, failure.to_string()))?;
        match registry.remove_rows(keys, &kept).await {
            Ok(RowRemoval::Removed(count)) => removed += count,
            Ok(RowRemoval::ReadOnly) => return listed(execution, recorder, gone).await.map_err(|why| (removed, why)),
            Err(error) => return Err((removed, error.to_string())),
        }
    }
    Ok(RowsReport { removed, listed_in: None, problem: None })
}

/// Writes the list of rows to remove for a registry that cannot be changed from here.
async fn listed(execution: &Execution, recorder: &Recorder, gone: &[Key]) -> Result<RowsReport, String> {
    let path = execution.runs.join(recorder.run()).join(runs::ROWS_TO_REMOVE);
    let mut text = String::new();
    for key in gone {
        text.push_str(&serde_json::to_string(&KeyFields::from(key)).map_err(|error| error.to_string())?);
        text.push('\n');
    }
    let file = Arc::new(path);
    let written = Arc::clone(&file);
    tokio::task::spawn_blocking(move || crate::journal::replace_synced(&written, text.as_bytes()))
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    Ok(RowsReport { removed: 0, listed_in: Some(file.display().to_string()), problem: None })
}
