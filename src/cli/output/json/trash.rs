//! What `trash list` prints with `--json`.

use serde::Serialize;

use super::SCHEMA;
use crate::jobs::trash::TrashedRun;

/// What of a run lies in the trash.
#[derive(Serialize)]
pub struct TrashLine {
    schema: u32,
    run: Option<String>,
    objects: u64,
    bytes: u64,
    newest: Option<String>,
}

impl From<&TrashedRun> for TrashLine {
    fn from(run: &TrashedRun) -> Self {
        Self {
            schema: SCHEMA,
            run: (!run.run.is_empty()).then(|| run.run.clone()),
            objects: run.total.objects,
            bytes: run.total.bytes,
            newest: run.newest.map(|at| at.to_string()),
        }
    }
}
