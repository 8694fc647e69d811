//! Which run to undo: the last one that moved something to the trash, and what became of that.

use std::path::Path;

use crate::domain::Outcome;
use crate::domain::plan::PlanKind;
use crate::domain::trash::run_of;
use crate::journal::JournalError;
use crate::journal::runs;

/// The last run that moved something to the trash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastTrashing {
    /// UUIDv7.
    pub run: String,
    /// The last run that brought something of it back.
    pub restored_by: Option<String>,
}

impl LastTrashing {
    /// What to say if nothing of it is in the trash any more.
    pub fn what_became_of_it(&self) -> String {
        let run = &self.run;
        match &self.restored_by {
            Some(by) => format!("already restored: run {run}, the last that moved objects to the trash, by run {by}"),
            None => {
                format!("nothing to restore: of run {run}, the last that moved objects to the trash, nothing is there")
            }
        }
    }
}

/// Looks through the journals, the newest first; `None` if no run on the bucket has moved anything to the trash.
///
/// # Errors
/// [`JournalError`] if a journal cannot be read: it might be of the run that is looked for.
pub fn last(runs_folder: &Path, endpoint: &str, bucket: &str) -> Result<Option<LastTrashing>, JournalError> {
    let mut restoring: Vec<(String, String)> = Vec::new();
    for id in runs::list(runs_folder)?.into_iter().rev() {
        let past = runs::open(runs_folder, &id)?;
        let Some(run) = past.summary().filter(|run| run.endpoint == endpoint && run.bucket == bucket) else { continue };
        let (restored, moved) = (run.outcomes.of(Outcome::Restored), run.outcomes.of(Outcome::Trashed));
        match past.kind() {
            Some(PlanKind::Restore) if restored > 0 => {
                let first = past.plan()?.rows.into_iter().next();
                let from = first.and_then(|row| run_of(row.object.key.as_bytes()));
                restoring.extend(from.map(|from| (from, id)));
            }
            Some(PlanKind::Trash) if moved > 0 => {
                let restored_by = restoring.into_iter().find(|(from, _)| *from == id).map(|(_, by)| by);
                return Ok(Some(LastTrashing { run: id, restored_by }));
            }
            _ => {}
        }
    }
    Ok(None)
}
