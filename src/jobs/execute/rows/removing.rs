//! Rows of keys proved gone: kept aside, whole, and then removed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::on_disk;
use crate::domain::facts::Owner;
use crate::domain::plan::{PlanKind, PlanRow};
use crate::domain::progress::{LogLevel, RowsReport};
use crate::domain::rows::KeptRow;
use crate::domain::{Key, ProjectId};
use crate::jobs::execute::{Execution, Recheck, Recorder};
use crate::jobs::presence::{self, Presence};
use crate::journal::kept_rows::{Covered, KeptRows};
use crate::journal::keys::KeyFields;
use crate::journal::record::Record;
use crate::journal::{failpoint, runs};
use crate::registry::{RowChange, SharedRegistry};

/// Keys whose rows are removed in one transaction.
const ROWS_AT_A_TIME: usize = 1000;

/// The removal of rows at the end of a run.
pub struct Removal<'a> {
    pub execution: &'a Execution,
    pub registry: &'a SharedRegistry,
    pub recheck: &'a Recheck,
    pub recorder: &'a Recorder,
}

impl Removal<'_> {
    /// First what was announced and is not known to be done, then what there is. `before` is what the run kept before it
    /// was taken up again.
    pub async fn all(&self, gone: &[Key], before: &Covered) -> RowsReport {
        let mut report = RowsReport::default();
        if let Err(problem) = self.chunks(gone, before, &mut report).await {
            report.problem = Some(problem);
        }
        if report.problem.is_some() || report.listed_in.is_some() {
            let (listed_in, problem) = (report.listed_in.clone(), report.problem.clone());
            self.done(0, listed_in, problem).await;
        }
        report
    }

    async fn chunks(&self, gone: &[Key], before: &Covered, report: &mut RowsReport) -> Result<(), String> {
        if self.registry.remove_rows(&[]).await.map_err(|error| error.to_string())? == RowChange::ReadOnly {
            match self.execution.plan.header.kind {
                PlanKind::Trash => report.left_read_only = true,
                _ => report.listed_in = Some(self.listed(gone).await?),
            }
            return Ok(());
        }
        let (folder, run) = (self.execution.runs.join(self.recorder.run()), self.recorder.run().to_owned());
        let covered = before.clone();
        let (mut file, earlier) = on_disk(move || KeptRows::open(&folder, &run, &covered)).await?;
        if before.open > 0 {
            let open = &earlier[earlier.len().saturating_sub(before.open as usize)..];
            let keys: HashSet<&Key> = gone.iter().collect();
            let mut due: Vec<KeptRow> = open.iter().filter(|row| keys.contains(&row.key)).cloned().collect();
            self.leave_live(&mut due).await?;
            self.leave_returned(&mut due).await?;
            report.removed += self.remove(&due).await?;
            self.done(report.removed, None, None).await;
        }
        for (number, keys) in gone.chunks(ROWS_AT_A_TIME).enumerate() {
            if number > 0 {
                failpoint::hit("rows", "between");
            }
            let due = self.rows_of(keys).await?;
            if due.is_empty() {
                continue;
            }
            let kept = due.clone();
            let (same, (lines, seal)) = on_disk(move || file.append(&kept).map(|covered| (file, covered))).await?;
            file = same;
            let intent = Record::RemovingRows {
                at: self.recorder.at(),
                keys: keys.len() as u64,
                rows: due.len() as u64,
                kept: lines,
                seal,
                registry: self.registry.name().into(),
            };
            self.recorder.write(intent).await.map_err(|failure| failure.to_string())?;
            let removed = self.remove(&due).await?;
            report.removed += removed;
            self.done(removed, None, None).await;
        }
        Ok(())
    }

    /// The rows of these keys that are to go: those that spell the key exactly, since another spelling may be another
    /// object, and that no live project owns.
    async fn rows_of(&self, keys: &[Key]) -> Result<Vec<KeptRow>, String> {
        let exact: HashSet<&Key> = keys.iter().collect();
        let mut rows = self.registry.rows(keys).await.map_err(|error| error.to_string())?;
        rows.retain(|row| exact.contains(&row.key));
        self.leave_live(&mut rows).await?;
        self.leave_returned(&mut rows).await?;
        Ok(rows)
    }

    /// Looks once more for each object whose row is due: what was written again since it was proved gone needs its row. What
    /// is listed in another spelling than it is asked for, as on a store that folds Unicode, only a HEAD finds.
    async fn leave_returned(&self, rows: &mut Vec<KeptRow>) -> Result<(), String> {
        let keys: BTreeSet<&Key> = rows.iter().map(|row| &row.key).collect();
        let (plain, others): (Vec<Key>, Vec<Key>) =
            keys.into_iter().cloned().partition(|key| key.as_bytes().is_ascii());
        let store = self.execution.store.as_ref();
        let mut found = presence::look(store, &plain).await;
        found.extend(presence::heads(store, &others).await);
        let mut returned = HashSet::new();
        for (key, found) in plain.into_iter().chain(others).zip(found) {
            match found {
                Presence::Gone => {}
                Presence::There(_) => {
                    let text = format!("{} was written again since it was proved gone; its rows stay", key.escaped());
                    self.recorder.log(LogLevel::Warning, text).await;
                    returned.insert(key);
                }
                Presence::Unproven(error) => {
                    return Err(format!("that {} is still gone could not be proved: {}", key.escaped(), error.message));
                }
            }
        }
        rows.retain(|row| !returned.contains(&row.key));
        Ok(())
    }

    async fn leave_live(&self, rows: &mut Vec<KeptRow>) -> Result<(), String> {
        if rows.is_empty() {
            return Ok(());
        }
        let live = self.recheck.live_projects().await.map_err(|failure| failure.to_string())?;
        let owner = |row: &KeptRow| -> Option<ProjectId> {
            Some(self.execution.ids.canonical(row.project.as_ref()?.as_bytes())?.project)
        };
        let plan = &self.execution.plan;
        match plan.header.kind {
            PlanKind::Prune => {
                let planned: HashMap<&Key, &PlanRow> = plan.rows.iter().map(|row| (&row.object.key, row)).collect();
                rows.retain(|row| planned.get(&row.key).is_some_and(|plan| is_planned(plan, owner(row), &live)));
            }
            _ => rows.retain(|row| owner(row).is_none_or(|owner| !live.contains(&owner))),
        }
        Ok(())
    }

    async fn remove(&self, rows: &[KeptRow]) -> Result<u64, String> {
        match self.registry.remove_rows(rows).await.map_err(|error| error.to_string())? {
            RowChange::Changed(count) => Ok(count),
            RowChange::ReadOnly => Err("the registry can no longer be changed from here".into()),
        }
    }

    async fn done(&self, removed: u64, listed_in: Option<String>, problem: Option<String>) {
        let record = Record::RowsRemoved { at: self.recorder.at(), removed, listed_in, problem };
        let _ = self.recorder.write(record).await; // a failure is kept by the recorder and stands in the report
    }

    /// Writes the list of rows to remove for a registry that cannot be changed from here.
    async fn listed(&self, gone: &[Key]) -> Result<String, String> {
        let path = Arc::new(self.execution.runs.join(self.recorder.run()).join(runs::ROWS_TO_REMOVE));
        let mut text = String::new();
        for key in gone {
            text.push_str(&serde_json::to_string(&KeyFields::from(key)).map_err(|error| error.to_string())?);
            text.push('\n');
        }
        let written = Arc::clone(&path);
        on_disk(move || crate::journal::replace_synced(&written, text.as_bytes())).await?;
        Ok(path.display().to_string())
    }
}

/// Whether the plan names the row: its owner, as alive or dead as it is now.
fn is_planned(plan: &PlanRow, owner: Option<ProjectId>, live: &HashSet<ProjectId>) -> bool {
    let now = match owner {
        None => Owner::Unknown,
        Some(owner) if live.contains(&owner) => Owner::Live(owner),
        Some(owner) => Owner::Dead(owner),
    };
    plan.claims.iter().any(|claim| claim.owner == now)
}
