use super::*;
use crate::journal::record::RowOutcome;
use crate::journal::{Journal, plan_file};

const RUN: &str = "01930000-0000-7000-8000-00000000000a";

/// A folder with one run of a plan of three keys, two of which have ended.
fn runs_folder() -> tempfile::TempDir {
    let runs = tempfile::tempdir().unwrap();
    let plan = plan_file::tests::plan(&[b"a/1.mp4", b"a/2 \n.mp4", b"a/\xff"]);
    let mut journal = Journal::create(runs.path(), RUN, &plan_file::write(&plan)).unwrap();
    let at = || "2026-01-01T00:00:00Z".to_string();
    let end = |row, outcome: &str, why: Option<&str>, status, code: Option<&str>| RowOutcome {
        row,
        outcome: outcome.into(),
        why: why.map(Into::into),
        status,
        code: code.map(Into::into),
    };
    for record in [
        Record::Started {
            schema: crate::journal::record::SCHEMA,
            at: at(),
            run: RUN.into(),
            plan: plan.header.id.clone(),
            digest: plan.header.digest.clone(),
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
                end(0, "deleted", None, Some(200), None),
                end(1, "locked", Some("retention"), Some(403), Some("ObjectLockedByBucketPolicy")),
            ],
        },
        Record::Verified { at: at(), result: "passed".into(), still_there: 0, why: None },
    ] {
        journal.append(&record).unwrap();
    }
    runs
}

fn exported() -> String {
    let (bytes, bundle) = export(runs_folder().path(), RUN, "2026-01-02T00:00:00Z".into()).unwrap();
    assert_eq!(check(&bytes).unwrap(), bundle);
    String::from_utf8(bytes).unwrap()
}

/// Seals lines again, as somebody would who knows how.
fn resealed(text: &str, edit: impl FnOnce(&mut Vec<String>)) -> String {
    let mut lines: Vec<String> = text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    edit(&mut lines);
    let mut chain = Chain::start(START);
    lines.iter().map(|line| chain.seal(line)).collect()
}

#[test]
fn a_bundle_tells_how_every_key_ended() {
    let text = exported();
    let keys: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap())
        .filter(|line: &serde_json::Value| line["line"] == "key")
        .collect();
    let column = |name: &str| keys.iter().map(|key| key[name].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(column("Key"), ["a%2F1%2Emp4", "a%2F2%20%0A%2Emp4", "a%2F%FF"]);
    assert_eq!(column("TaskStatus"), ["succeeded", "failed", "failed"]);
    assert_eq!(column("ErrorCode"), ["", "ObjectLockedByBucketPolicy", "none"]);
    assert_eq!(column("HTTPStatusCode"), ["200", "403", ""]);
    assert_eq!(column("ResultMessage"), ["deleted", "retention", "none"]);
    assert_eq!(keys[2]["object"]["key_base64"], "YS//");
}

#[test]
fn any_changed_byte_is_noticed() {
    let text = exported();
    for at in (0..text.len()).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        assert!(check(&bytes).is_err(), "byte {at}");
    }
    for (at, _) in text.match_indices('\n') {
        assert!(at + 1 == text.len() || check(&text.as_bytes()[..=at]).is_err(), "cut after byte {at}");
        assert!(check(&text.as_bytes()[..at]).is_err(), "cut before byte {at}");
    }
}

#[test]
fn what_was_sealed_again_must_still_follow_from_plan_and_journal() {
    let text = exported();
    let find = |lines: &[String], part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    type Case = (&'static str, fn(&mut String), &'static str);
    let cases: [Case; 5] = [
        ("\"line\":\"key\"", |line| *line = line.replace("succeeded", "failed"), "does not follow"),
        ("\"line\":\"verification\"", |line| *line = line.replace("passed", "still-there"), "does not follow"),
        ("\"line\":\"plan\"", |line| *line = line.replace("media", "other"), "the header was edited"),
        ("\"outcomes\\\"", |line| *line = line.replace("locked", "deleted"), "the checksum does not match"),
        ("\"line\":\"bundle\"", |line| *line = line.replace("0a\"", "0b\""), "the checksum does not match"),
    ];
    for (part, edit, why) in cases {
        let edited = resealed(&text, |lines| {
            let at = find(lines, part);
            let before = lines[at].clone();
            edit(&mut lines[at]);
            assert_ne!(before, lines[at], "{part}");
        });
        let (_, said) = check(edited.as_bytes()).unwrap_err();
        assert!(said.contains(why), "{part}: {said}");
    }
    let without_a_key = resealed(&text, |lines| drop(lines.remove(lines.len() - 3)));
    assert!(check(without_a_key.as_bytes()).unwrap_err().1.contains("something is missing"));
}

#[test]
fn a_journal_that_was_changed_is_not_exported() {
    let runs = runs_folder();
    let path = runs.path().join(RUN).join(runs::JOURNAL);
    let text = std::fs::read_to_string(&path).unwrap().replace("locked", "denied");
    std::fs::write(&path, text).unwrap();
    assert!(matches!(export(runs.path(), RUN, String::new()), Err(JournalError::Damaged { line: 3, .. })));
}
