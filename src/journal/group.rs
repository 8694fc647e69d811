//! One journal for many writers: whoever waits for the disk at the same time waits for the same sync.
//!
//! Each batch of a run writes what it is about to do, and waits for the disk before it sends. With many batches under way a
//! sync for each would make the disk the pace of the run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::Record;
use super::{Journal, JournalError};

/// A journal that is shared.
#[derive(Debug)]
pub struct GroupJournal {
    journal: Mutex<Journal>,
    waiting: Mutex<Vec<(Record, Ticket)>>,
}

/// What became of a record.
type Ticket = Arc<Mutex<Option<Written>>>;
type Written = Result<(), Arc<JournalError>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while it held the lock left whole values behind; a journal that failed says so itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GroupJournal {
    /// Shares a journal.
    pub fn new(journal: Journal) -> Self {
        Self { journal: Mutex::new(journal), waiting: Mutex::default() }
    }

    /// Writes a record, and with it all that others wait for; on return it is on the disk. Blocks.
    ///
    /// # Errors
    /// As [`Journal::append`]; the same for all that were written together.
    pub fn append(&self, record: Record) -> Result<(), Arc<JournalError>> {
        let ticket = Ticket::default();
        lock(&self.waiting).push((record, Arc::clone(&ticket)));
        let mut journal = lock(&self.journal);
        if let Some(written) = lock(&ticket).take() {
            return written;
        }
        let (records, tickets): (Vec<Record>, Vec<Ticket>) =
            std::mem::take(&mut *lock(&self.waiting)).into_iter().unzip();
        let written = journal.append_all(&records).map_err(Arc::new);
        tickets.iter().for_each(|ticket| *lock(ticket) = Some(written.clone()));
        written
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::journal::runs;

    fn record(batch: u64) -> Record {
        Record::Intent { at: "2026-11-21T10:00:00Z".into(), batch, rows: vec![1] }
    }

    #[test]
    fn what_many_write_at_once_is_all_there_in_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        let journal = GroupJournal::new(Journal::create(folder.path(), "run", b"plan").unwrap());
        let together = Barrier::new(16);
        std::thread::scope(|scope| {
            for writer in 0..16 {
                let (journal, together) = (&journal, &together);
                scope.spawn(move || {
                    together.wait();
                    for number in 0..20 {
                        journal.append(record(writer * 100 + number)).unwrap();
                    }
                });
            }
        });
        let past = runs::open(folder.path(), "run").unwrap();
        past.check_chain().unwrap();
        let batch = |record: &Record| match record {
            Record::Intent { batch, .. } => *batch,
            other => panic!("{other:?} was never written"),
        };
        let written: Vec<u64> = past.records.iter().map(batch).collect();
        for writer in 0..16 {
            let own: Vec<u64> = written.iter().copied().filter(|batch| batch / 100 == writer).collect();
            assert_eq!(own, (0..20).map(|number| writer * 100 + number).collect::<Vec<_>>());
        }
        assert_eq!(written.len(), 320);
    }

    #[test]
    fn nobody_is_told_that_it_was_written_when_it_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let journal = GroupJournal::new(Journal::create(folder.path(), "run", b"plan").unwrap());
        journal.append(record(1)).unwrap();
        std::fs::write(folder.path().join("run").join(runs::JOURNAL), "somebody else was here").unwrap();
        let refused = std::thread::scope(|scope| {
            let journal = &journal;
            let writers: Vec<_> =
                (0..8).map(|batch| scope.spawn(move || journal.append(record(batch)).is_err())).collect();
            writers.into_iter().all(|writer| writer.join().unwrap())
        });
        assert!(refused);
    }
}
