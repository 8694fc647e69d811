//! The registry's rows follow the objects, never lead them: only when an object is proved gone, its rows are kept aside and
//! removed; only when it is proved restored, they are put back. A failure leaves rows, never an object without its row.

mod dropping;
mod putting;
mod removing;

use super::{Execution, Recheck, Recorder};
use crate::domain::outcome::Outcome;
use crate::domain::plan::PlanKind;
use crate::domain::progress::{LogLevel, RowsReport};
use crate::jobs::verify::Proof;
use crate::journal::JournalError;
use crate::journal::kept_rows::Covered;
use crate::journal::record::Record;
use removing::Removal;

/// Does with the rows what the end of the run asks for. `before` is what it kept before it was taken up again.
pub async fn follow(
    execution: &Execution,
    recheck: &Recheck,
    recorder: &Recorder,
    proof: &Proof,
    before: &Covered,
) -> RowsReport {
    let report = match execution.plan.header.kind {
        PlanKind::Restore => putting::put_back(execution, recorder).await,
        PlanKind::EmptyTrash => dropping::drop_kept(execution, recorder, proof).await,
        PlanKind::Backfill => {
            let added = recorder.rows_that_ended(Outcome::Recorded).len() as u64;
            return RowsReport { added, ..RowsReport::default() };
        }
        PlanKind::Delete | PlanKind::Trash if execution.keep_rows => {
            let text = "the registry's rows stay, as it was asked for";
            recorder.log(LogLevel::Info, text.into()).await;
            return RowsReport::default();
        }
        PlanKind::Delete | PlanKind::Trash | PlanKind::Prune => {
            if proof.gone.is_empty() {
                return RowsReport::default();
            }
            match &execution.registry {
                Some(registry) if registry.tracks_keys() => {
                    Removal { execution, registry, recheck, recorder }.all(&proof.gone, before).await
                }
                None if !execution.plan.header.sources.is_empty() => unopened(recorder).await,
                _ => return RowsReport::default(),
            }
        }
    };
    tell(execution.plan.header.kind, recorder, &report).await;
    report
}

/// The plan was made with a registry that this process has not got: its rows stay, which is written down, so that the run
/// can be taken up again for them.
async fn unopened(recorder: &Recorder) -> RowsReport {
    let problem = Some(String::from("the registry that the plan was made with could not be opened"));
    let report = RowsReport { problem: problem.clone(), ..RowsReport::default() };
    let record = Record::RowsRemoved { at: recorder.at(), removed: 0, listed_in: None, problem };
    let _ = recorder.write(record).await; // a failure is kept by the recorder and stands in the report
    report
}

async fn tell(kind: PlanKind, recorder: &Recorder, report: &RowsReport) {
    let text = match (&report.problem, &report.listed_in, kind) {
        (Some(problem), ..) => format!("tracking rows were left as they are: {problem}"),
        (_, Some(file), _) => {
            format!("the registry cannot be changed from here; its rows to remove are listed in {file}")
        }
        _ if report.left_read_only => "the registry cannot be changed from here: its rows stay".into(),
        (.., PlanKind::Delete | PlanKind::Prune | PlanKind::Backfill) => {
            format!("{} tracking rows of keys proved gone were removed", report.removed)
        }
        (.., PlanKind::Trash) => {
            format!("{} tracking rows of keys in the trash were removed and kept for their return", report.removed)
        }
        (.., PlanKind::Restore) => format!("{} tracking rows of restored keys were put back", report.put_back),
        (.., PlanKind::EmptyTrash) => {
            format!("{} kept tracking rows of keys that can no longer be restored were dropped", report.dropped)
        }
    };
    let level = match (&report.problem, report.left_read_only) {
        (Some(_), _) => LogLevel::Error,
        (None, true) => LogLevel::Warning,
        (None, false) => LogLevel::Info,
    };
    recorder.log(level, text).await;
}

/// Work with files, away from the async threads.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    done.map_err(|error| error.to_string())
}
