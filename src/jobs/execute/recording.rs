//! Batches that change only the registry: rows for objects that have none, and the proof that objects of rows are missing.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;

use super::batch_run::{BatchEnd, BatchRun, Pending, unproven};
use super::recorder::End;
use crate::domain::drift::Absence;
use crate::domain::outcome::Outcome;
use crate::domain::progress::Failure;
use crate::domain::rows::NewRow;
use crate::domain::verdict::{Field, Health, Reading};
use crate::domain::{Key, ProjectId};
use crate::jobs::drift::absences;
use crate::journal::record::Record;
use crate::registry::{RowChange, SharedRegistry};
use crate::store::{ErrorKind, HeadAnswer, ObjectStore as _, StoreError};

/// Objects that are looked at at a time.
const HEADS: usize = 16;

impl BatchRun<'_> {
    /// Asks the store for each object of a row; the rows of what is missing go at the end of the run, after a second proof.
    pub(super) async fn look_for_missing(&self, pending: Vec<Pending>, end: BatchEnd) -> BatchEnd {
        let keys: Vec<Key> = pending.iter().map(|item| self.key(item.row).clone()).collect();
        let found = absences(self.execution.store.as_ref(), &keys).await;
        let ends = pending.iter().zip(found).map(|(item, absence)| match absence {
            Absence::Proved => (item.row, Outcome::AbsentBefore, None),
            Absence::ThereAfterAll => {
                (item.row, Outcome::SkippedChanged, Some("there is an object now, so its row stays".into()))
            }
            Absence::Unproven(why) => unproven(item, &StoreError::new(ErrorKind::Other, why)),
            Absence::NotAsked => (item.row, Outcome::Failed, Some("it was not asked for".into())),
        });
        self.record(ends.collect()).await;
        end
    }

    /// Records objects that are still what was planned and still untracked. A row counts as recorded when it was found in the
    /// registry.
    pub(super) async fn backfill(&self, pending: Vec<Pending>, mut end: BatchEnd) -> BatchEnd {
        let Some(registry) = &self.execution.registry else { return end };
        let (sent, fresh): (Vec<Pending>, Vec<Pending>) = pending.into_iter().partition(|item| item.sent);
        let mut due = match self.unrecorded(registry, sent).await {
            Ok(unrecorded) => unrecorded,
            Err(why) => return self.cannot_record(Vec::new(), why, end).await,
        };
        if self.closing {
            let why = "the registry has no row of it";
            self.record(due.iter().map(|item| (item.row, Outcome::Failed, Some(why.into()))).collect()).await;
            return end;
        }
        due.extend(fresh);
        due.sort_by_key(|item| item.row);
        let Some(due) = self.clear(due, &mut end).await else { return end };
        let (due, rows) = match self.new_rows(registry, due).await {
            Ok(rows) => rows,
            Err(why) => return self.cannot_record(Vec::new(), why, end).await,
        };
        if due.is_empty() {
            return end;
        }
        let intent = Record::Intent {
            at: self.recorder.at(),
            batch: self.number,
            rows: due.iter().map(|item| item.row).collect(),
        };
        if !self.announce(intent, &mut end).await {
            return end;
        }
        let problem = match registry.add_rows(&rows).await {
            Ok(RowChange::Changed(_)) => None,
            Ok(RowChange::ReadOnly) => Some("the registry cannot be changed from here".to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (self.unrecorded(registry, due.clone()).await, problem) {
            (Ok(left), problem) if !left.is_empty() => {
                let why = problem.unwrap_or_else(|| "the registry did not record it".into());
                self.cannot_record(left, why, end).await
            }
            (Ok(_), _) => end,
            (Err(why), _) => {
                self.record(due.iter().map(|item| (item.row, Outcome::Unknown, Some(why.clone()))).collect()).await;
                self.cannot_record(Vec::new(), why, end).await
            }
        }
    }

    /// Ends the rows that the registry has, and returns the others.
    async fn unrecorded(&self, registry: &SharedRegistry, pending: Vec<Pending>) -> Result<Vec<Pending>, String> {
        if pending.is_empty() {
            return Ok(pending);
        }
        let keys: Vec<Key> = pending.iter().map(|item| self.key(item.row).clone()).collect();
        let rows = registry.rows(&keys).await.map_err(|error| error.to_string())?;
        let tracked: HashSet<Key> = rows.into_iter().map(|row| row.key).collect();
        let (recorded, left): (Vec<Pending>, Vec<Pending>) =
            pending.into_iter().partition(|item| tracked.contains(self.key(item.row)));
        self.record(recorded.into_iter().map(|item| (item.row, Outcome::Recorded, None)).collect()).await;
        Ok(left)
    }

    async fn cannot_record(&self, left: Vec<Pending>, why: String, mut end: BatchEnd) -> BatchEnd {
        let ends: Vec<End> = left.iter().map(|item| (item.row, Outcome::Failed, Some(why.clone()))).collect();
        self.record(ends).await;
        end.fatal = true;
        end.failed = Some(Failure {
            what: "record objects in the registry".into(),
            why,
            hint: "mend the registry; what was not recorded is untracked as before".into(),
        });
        end
    }

    /// What is to be recorded of each object. What vanished meanwhile ends.
    async fn new_rows(
        &self,
        registry: &SharedRegistry,
        due: Vec<Pending>,
    ) -> Result<(Vec<Pending>, Vec<NewRow>), String> {
        let spelled = self.spelled_projects(registry).await?;
        let looks: Vec<_> = due.into_iter().map(|item| self.look_at(item)).collect();
        let looked: Vec<_> = futures::stream::iter(looks).buffered(HEADS).collect().await;
        let (mut rows, mut still, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (item, head) in looked {
            let project = self.plan_row(item.row).project.as_ref().and_then(|project| spelled.get(project));
            match (head, project) {
                (Ok(Some(head)), Some(project)) => {
                    rows.push(self.new_row(&item, &head, project));
                    still.push(item);
                }
                (Ok(Some(_)), None) => {
                    let why = "the registry does not have its project any more";
                    ends.push((item.row, Outcome::SkippedChanged, Some(why.into())));
                }
                (Ok(None), _) => ends.push((item.row, Outcome::AbsentBefore, None)),
                (Err(error), _) => ends.push(unproven(&item, &error)),
            }
        }
        self.record(ends).await;
        Ok((still, rows))
    }

    async fn look_at(&self, item: Pending) -> (Pending, Result<Option<HeadAnswer>, StoreError>) {
        let head = self.execution.store.head(self.key(item.row)).await;
        (item, head)
    }

    /// The live projects as the registry spells them.
    async fn spelled_projects(&self, registry: &SharedRegistry) -> Result<HashMap<ProjectId, String>, String> {
        let mut spelled = HashMap::new();
        let ids = &self.execution.ids;
        let mut take = |row| {
            if let crate::domain::facts::RegistryRow::Project { id } = row
                && let Some(canonical) = ids.canonical(id.as_bytes())
            {
                spelled.entry(canonical.project).or_insert(id);
            }
        };
        registry.projects(&mut take).await.map_err(|error| error.to_string())?;
        Ok(spelled)
    }

    /// What layout and HEAD tell of an object.
    fn new_row(&self, item: &Pending, head: &HeadAnswer, project: &str) -> NewRow {
        let row = self.plan_row(item.row);
        let readings = self.execution.layouts.readings(row.object.key.as_bytes(), &self.execution.ids).list;
        let of_project = readings.iter().filter(|reading| Some(&reading.project) == row.project.as_ref());
        let best: Option<&Reading> = of_project.min_by_key(|reading| reading.health != Health::Canonical);
        let field = |field: Field| {
            let bytes = best.and_then(|reading| reading.field(field))?;
            String::from_utf8(bytes.to_vec()).ok()
        };
        NewRow {
            key: row.object.key.clone(),
            project: project.into(),
            user: field(Field::User),
            scene: field(Field::Scene),
            file_type: field(Field::Type).or_else(|| media(head.content_type.as_deref())),
            size: head.object.size,
            content_type: head.content_type.clone(),
            etag: Some(head.object.etag.as_str().to_owned()).filter(|etag| !etag.is_empty()),
        }
    }
}

/// The first word of a content type, such as `video`, where no layout says the kind of file.
fn media(content_type: Option<&str>) -> Option<String> {
    content_type?.split_once('/').map(|(media, _)| media.to_owned()).filter(|media| !media.is_empty())
}
