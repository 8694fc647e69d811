use super::record::{Record, RowOutcome, SCHEMA};
use super::*;
use crate::domain::outcome::Outcome;

const RUN: &str = "01930000-0000-7000-8000-00000000000a";

fn records() -> Vec<Record> {
    let at = || "2026-01-01T00:00:00Z".to_string();
    vec![
        Record::Started {
            schema: SCHEMA,
            at: at(),
            run: RUN.into(),
            plan: "plan-1".into(),
            digest: "d".into(),
            endpoint: "http://h".into(),
            bucket: "media".into(),
            planned: 3,
            operator: "someone".into(),
            tool: "0.1.0".into(),
            keep_rows: false,
        },
        Record::Intent { at: at(), batch: 1, rows: vec![0, 1] },
        Record::Outcomes {
            at: at(),
            batch: 1,
            rows: vec![
                RowOutcome { row: 0, outcome: "deleted".into(), why: None, status: None, code: None },
                RowOutcome {
                    row: 1,
                    outcome: "locked".into(),
                    why: Some("retention".into()),
                    status: Some(403),
                    code: Some("ObjectLockedByBucketPolicy".into()),
                },
            ],
        },
    ]
}

fn journal_in(runs: &Path) -> PathBuf {
    let mut journal = Journal::create(runs, RUN, b"plan").unwrap();
    records().iter().for_each(|record| journal.append(record).unwrap());
    journal.path().to_path_buf()
}

#[test]
fn a_journal_tells_what_happened() {
    let runs = tempfile::tempdir().unwrap();
    journal_in(runs.path());
    let past = runs::open(runs.path(), RUN).unwrap();
    assert_eq!((past.records.clone(), past.damage.clone()), (records(), None));
    let summary = past.summary().unwrap();
    assert_eq!(
        (summary.planned, summary.outcomes.of(Outcome::Deleted), summary.outcomes.of(Outcome::Locked)),
        (3, 1, 1)
    );
    assert!(!summary.finished, "a journal without its last record is an unfinished run");
    let history = |plan, bucket| runs::history(runs.path(), plan, "http://h", bucket).unwrap();
    let (used_by, unfinished) = (Some(RUN.to_string()), vec![RUN.to_string()]);
    assert_eq!(history("plan-1", "media"), runs::History { used_by, unfinished: unfinished.clone() });
    assert_eq!(history("plan-2", "media"), runs::History { used_by: None, unfinished });
    assert_eq!(history("plan-2", "other"), runs::History::default());
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let runs = tempfile::tempdir().unwrap();
    journal_in(runs.path());
    assert_eq!(runs::open(runs.path(), "0193").unwrap().run, RUN);
    for wrong in ["", "0194", "nothing"] {
        assert!(matches!(runs::open(runs.path(), wrong), Err(JournalError::NoSuchRun(_))), "{wrong:?}");
    }
    assert_eq!(runs::list(&runs.path().join("absent")).unwrap(), Vec::<String>::new());
}

#[test]
fn a_torn_tail_is_noticed_and_the_rest_is_kept() {
    let runs = tempfile::tempdir().unwrap();
    let path = journal_in(runs.path());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let past = runs::open(runs.path(), RUN).unwrap();
    assert_eq!(past.records, records()[..2]);
    assert!(past.damage.unwrap().ends_with("line 3: the line was not written to its end"));
}

#[test]
fn an_edited_or_missing_line_breaks_the_chain() {
    let runs = tempfile::tempdir().unwrap();
    let path = journal_in(runs.path());
    let whole = std::fs::read_to_string(&path).unwrap();
    let edited = whole.replacen("locked", "failed", 1);
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let missing = [lines[0], lines[2]].concat();
    for (text, kept) in [(edited, 2), (missing, 1)] {
        std::fs::write(&path, text).unwrap();
        let past = runs::open(runs.path(), RUN).unwrap();
        assert_eq!(past.records.len(), kept);
        assert!(past.damage.unwrap().contains("the file was changed or damaged"));
    }
}

#[test]
fn a_run_is_never_overwritten() {
    let runs = tempfile::tempdir().unwrap();
    journal_in(runs.path());
    assert!(matches!(Journal::create(runs.path(), RUN, b"plan"), Err(JournalError::Disk { .. })));
}
