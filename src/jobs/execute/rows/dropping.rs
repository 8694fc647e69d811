//! Rows that were kept for the return of objects that can no longer return: dropped, run by run, when nothing of a run is
//! left in the trash.

use std::collections::BTreeSet;

use super::on_disk;
use crate::domain::progress::RowsReport;
use crate::domain::trash;
use crate::jobs::execute::{Execution, Recorder};
use crate::jobs::verify::Proof;
use crate::journal::record::Record;
use crate::journal::{kept_rows, runs};
use crate::store::{ListRequest, ObjectStore as _};

/// Drops what the runs kept of which nothing is in the trash any more.
pub async fn drop_kept(execution: &Execution, recorder: &Recorder, proof: &Proof) -> RowsReport {
    let mut report = RowsReport::default();
    let emptied = proof.gone.iter().filter_map(|key| trash::trashed(key.as_bytes()));
    for run in emptied.map(|trashed| trashed.run).collect::<BTreeSet<String>>() {
        match drop_of(execution, recorder, &run).await {
            Ok(dropped) => report.dropped += dropped,
            Err(problem) => report.problem = Some(problem),
        }
    }
    report
}

async fn drop_of(execution: &Execution, recorder: &Recorder, run: &str) -> Result<u64, String> {
    if !is_empty(execution, run).await? {
        return Ok(0);
    }
    let (folder, id) = (execution.runs.clone(), run.to_owned());
    let Ok((path, rows)) = on_disk(move || {
        let past = runs::open(&folder, &id)?;
        Ok((past.folder.join(kept_rows::ROWS), kept_rows::of_run(&past)?.1.len() as u64))
    })
    .await
    else {
        return Ok(0); // the run is not of this machine, or its rows were dropped already
    };
    if rows == 0 {
        return Ok(0);
    }
    let record = Record::KeptRowsDropped { at: recorder.at(), run: run.into(), rows };
    recorder.write(record).await.map_err(|failure| failure.to_string())?;
    on_disk(move || crate::journal::remove_synced(&path)).await?;
    Ok(rows)
}

/// Whether nothing of the run is in the trash, by a strict listing.
async fn is_empty(execution: &Execution, run: &str) -> Result<bool, String> {
    for folder in trash::folders(run) {
        let request = ListRequest { prefix: folder.into_bytes(), max_keys: Some(1), ..ListRequest::default() };
        let page = execution.store.list(&request).await;
        let page =
            page.map_err(|error| format!("whether run {run} has left something is not known: {}", error.message))?;
        if !page.objects.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
