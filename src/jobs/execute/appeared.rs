//! What appeared beside the planned objects since they were listed: never touched, and told, so that whoever cleans up
//! learns that somebody still writes there.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::{Execution, Recorder};
use crate::domain::plan::PlanKind;
use crate::domain::progress::LogLevel;
use crate::domain::{Key, Timestamp};
use crate::store::{ListRequest, ObjectStore};

/// Folders that are looked at, all at once and one page of each: this is a hint, not a proof.
const FOLDERS: usize = 16;
/// Keys that are named.
const NAMED: usize = 5;

/// Looks into the folders of what was planned, and says what was written there since the listing.
pub async fn tell(execution: &Execution, recorder: &Recorder) {
    let header = &execution.plan.header;
    let (PlanKind::Delete | PlanKind::Trash, Some(since)) = (header.kind, header.scanned_at) else { return };
    let planned: BTreeSet<&Key> = execution.plan.rows.iter().map(|row| &row.object.key).collect();
    let folders: BTreeSet<Vec<u8>> = planned.iter().filter_map(|key| folder(key)).collect();
    let store = execution.store.as_ref();
    let requests: Vec<_> =
        folders.into_iter().take(FOLDERS).map(|folder| written_since(store, folder, since)).collect();
    let found: Vec<Vec<Key>> = futures::stream::iter(requests).buffer_unordered(FOLDERS).collect().await;
    let new: BTreeSet<Key> = found.into_iter().flatten().filter(|key| !planned.contains(key)).collect();
    for key in new.iter().take(NAMED) {
        let text = format!("new: {} was written since the listing; it was not touched", key.escaped());
        recorder.log(LogLevel::Warning, text).await;
    }
    if new.len() > NAMED {
        let text = format!("new: {} more objects beside the planned ones, not touched", new.len() - NAMED);
        recorder.log(LogLevel::Warning, text).await;
    }
}

/// The folder that the key lies in; none for keys at the top, beside which is the whole bucket.
fn folder(key: &Key) -> Option<Vec<u8>> {
    let bytes = key.as_bytes();
    let end = bytes.iter().rposition(|&byte| byte == b'/')?;
    Some(bytes[..=end].to_vec())
}

/// The objects of a folder that were written then or later. A folder that cannot be listed has nothing to tell.
async fn written_since(store: &dyn ObjectStore, folder: Vec<u8>, since: Timestamp) -> Vec<Key> {
    let request = ListRequest { prefix: folder, ..ListRequest::default() };
    let objects = store.list(&request).await.map(|page| page.objects).unwrap_or_default();
    let is_new = |at: Option<Timestamp>| at.is_some_and(|at| at >= since);
    objects.into_iter().filter(|object| is_new(object.last_modified)).map(|object| object.key).collect()
}
