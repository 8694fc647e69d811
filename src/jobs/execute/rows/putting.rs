//! Rows of keys proved restored: put back as they were when their objects went to the trash.

use std::collections::{BTreeMap, HashSet};

use super::on_disk;
use crate::domain::outcome::Outcome;
use crate::domain::progress::RowsReport;
use crate::domain::rows::KeptRow;
use crate::domain::{Key, Object, trash};
use crate::jobs::execute::{Execution, Recorder};
use crate::jobs::presence::{self, Presence};
use crate::journal::record::Record;
use crate::journal::{failpoint, kept_rows, runs};
use crate::registry::RowChange;

/// Rows that are put back in one transaction, about: those of one key stay together.
const ROWS_AT_A_TIME: usize = 1000;

/// Puts back the rows of every key that is proved to be where it was, from what each run kept that moved it.
pub async fn put_back(execution: &Execution, recorder: &Recorder) -> RowsReport {
    let mut report = RowsReport::default();
    let restored = match restored(execution, recorder).await {
        Ok(restored) => restored,
        Err(problem) => return RowsReport { problem: Some(problem), ..report },
    };
    for (run, keys) in restored {
        match put_back_of(execution, recorder, &run, keys).await {
            Ok(put) => report.put_back += put,
            Err(problem) => {
                let done =
                    Record::RowsPut { at: recorder.at(), run: run.clone(), put: 0, problem: Some(problem.clone()) };
                let _ = recorder.write(done).await; // a failure is kept by the recorder and stands in the report
                report.problem = Some(problem);
            }
        }
    }
    report
}

/// The keys that were restored, by the run that had moved them to the trash. Each is looked at where it belongs.
async fn restored(execution: &Execution, recorder: &Recorder) -> Result<BTreeMap<String, HashSet<Key>>, String> {
    let mut objects: BTreeMap<Key, (&Object, String)> = BTreeMap::new();
    for row in recorder.rows_that_ended(Outcome::Restored) {
        let row = &execution.plan.rows[row as usize];
        if let (Some(key), Some(said)) = (&row.destination, trash::trashed(row.object.key.as_bytes())) {
            objects.insert(key.clone(), (&row.object, said.run));
        }
    }
    let keys: Vec<Key> = objects.keys().cloned().collect();
    let mut restored: BTreeMap<String, HashSet<Key>> = BTreeMap::new();
    let found = presence::look(execution.store.as_ref(), &keys).await;
    for ((key, (object, run)), found) in objects.into_iter().zip(found) {
        match found {
            Presence::There(now) if now.size == object.size => drop(restored.entry(run).or_default().insert(key)),
            Presence::There(_) | Presence::Gone => {}
            Presence::Unproven(error) => {
                return Err(format!("it could not be proved that {} is restored: {}", key.escaped(), error.message));
            }
        }
    }
    Ok(restored)
}

async fn put_back_of(execution: &Execution, recorder: &Recorder, run: &str, keys: HashSet<Key>) -> Result<u64, String> {
    let (owner, rows) = kept(execution, run, &keys).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let what = || format!("{} rows that run {run} kept could not be put back", rows.len());
    let registry = execution.registry.as_ref().ok_or_else(|| format!("{}: no registry is open", what()))?;
    if registry.name() != owner {
        return Err(format!("{}: they are of {owner}, and {} is open", what(), registry.name()));
    }
    let intent = Record::PuttingRows { at: recorder.at(), run: run.into(), rows: rows.len() as u64 };
    recorder.write(intent).await.map_err(|failure| failure.to_string())?;
    let mut put = 0;
    for (number, some) in chunks(&rows).into_iter().enumerate() {
        if number > 0 {
            failpoint::hit("rows", "between");
        }
        match registry.put_rows(some).await.map_err(|error| format!("{}: {error}", what()))? {
            RowChange::Changed(count) => put += count,
            RowChange::ReadOnly => return Err(format!("{}: the registry cannot be changed from here", what())),
        }
    }
    let done = Record::RowsPut { at: recorder.at(), run: run.into(), put, problem: None };
    let _ = recorder.write(done).await; // a failure is kept by the recorder and stands in the report
    Ok(put)
}

/// What the run kept of these keys, in the order of keys, and the name of the registry whose rows they are.
async fn kept(execution: &Execution, run: &str, keys: &HashSet<Key>) -> Result<(String, Vec<KeptRow>), String> {
    let (folder, id) = (execution.runs.clone(), run.to_owned());
    let rows = on_disk(move || kept_rows::of_run(&runs::open(&folder, &id)?)).await;
    let (owner, mut rows) = rows.map_err(|why| format!("which rows run {run} had kept is not known: {why}"))?;
    rows.retain(|row| keys.contains(&row.key));
    rows.sort();
    Ok((owner, rows))
}

/// Sorted rows in groups; no key is in two of them.
fn chunks(rows: &[KeptRow]) -> Vec<&[KeptRow]> {
    let mut chunks = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut end = rest.len().min(ROWS_AT_A_TIME);
        while end < rest.len() && rest[end].key == rest[end - 1].key {
            end += 1;
        }
        let (chunk, after) = rest.split_at(end);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_one_key_stay_together() {
        let row = |at: usize| KeptRow { key: Key::new(format!("{at:05}")), project: None, content: String::new() };
        let check = |keys: Vec<usize>, expected: &[usize]| {
            let rows: Vec<KeptRow> = keys.into_iter().map(row).collect();
            let lengths: Vec<usize> = chunks(&rows).iter().map(|chunk| chunk.len()).collect();
            assert_eq!(lengths, expected);
        };
        check(vec![], &[]);
        check((0..1000).collect(), &[1000]);
        check((0..2001).collect(), &[1000, 1000, 1]);
        check((0..1002).map(|at| if at == 1000 { 999 } else { at }).collect(), &[1001, 1]);
        check(vec![1; 3000], &[3000]);
    }
}
