//! Deletions: only what is named once is proved.

use bucketree::domain::{ETag, Key, Timestamp};
use bucketree::store::s3::{Sending, TimeForm};
use bucketree::store::{DeleteAnswer, DeleteTarget, ErrorKind, ObjectStore};

use super::*;

#[tokio::test]
async fn row_11_each_key_gets_its_own_answer() {
    let body = "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Deleted><Key>a</Key></Deleted>\
        <Error><Key>denied</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>\
        <Error><Key>locked</Key><Code>ObjectLockedByBucketPolicy</Code><Message>locked (10069)</Message></Error>\
        <Error><Key>held</Key><Code>AccessDenied</Code><Message>Object is WORM protected</Message></Error>\
        <Error><Key>failed</Key><Code>InternalError</Code><Message>We failed</Message></Error>\
        <Error><Key>changed</Key><Code>PreconditionFailed</Code><Message>x</Message></Error>\
        <Error><Key>busy</Key><Code>SlowDown</Code><Message>x</Message></Error></DeleteResult>";
    let keys = ["denied", "a", "locked", "held", "failed", "changed", "busy"];
    let batch = delete_once(Step::xml(body), &keys).await.expect("a batch");
    let said: Vec<Option<ErrorKind>> = batch
        .answers
        .iter()
        .map(|answer| match answer {
            DeleteAnswer::Refused(error) => Some(error.kind),
            other => {
                assert_eq!(*other, DeleteAnswer::DELETED);
                None
            }
        })
        .collect();
    let expected = [
        Some(ErrorKind::Denied),
        None,
        Some(ErrorKind::Locked),
        Some(ErrorKind::Locked),
        Some(ErrorKind::Unavailable),
        Some(ErrorKind::PreconditionFailed),
        Some(ErrorKind::Throttled),
    ];
    assert_eq!((said.as_slice(), batch.alarm), (expected.as_slice(), None));
}

/// What a batch answer proves of each key, and whether it raises an alarm.
async fn check_batch(keys: &[&str], body: &str, expected: &[DeleteAnswer], alarm: bool) {
    let batch = delete_once(Step::xml(&format!("<DeleteResult>{body}</DeleteResult>")), keys).await.expect("a batch");
    assert_eq!((batch.answers.as_slice(), batch.alarm.is_some()), (expected, alarm), "{body}");
}

#[tokio::test]
async fn rows_12_13_18_and_19_only_what_is_named_once_is_proved() {
    use DeleteAnswer::{Absent, Unproven};
    const DELETED: DeleteAnswer = DeleteAnswer::DELETED;
    let deleted = |key: &str| format!("<Deleted><Key>{key}</Key></Deleted>");
    let (a, b) = (deleted("a"), deleted("b"));
    check_batch(&["a", "b", "c"], &format!("{b}{a}"), &[DELETED, DELETED, Unproven], false).await;
    check_batch(&["a", "b"], "", &[Unproven, Unproven], false).await;
    check_batch(&["a", "b"], &format!("{a}{}", deleted("x")), &[Unproven, Unproven], true).await;
    check_batch(&["a", "b"], &format!("{a}{b}{a}"), &[Unproven, Unproven], true).await;
    let refused = "<Error><Key>a</Key><Code>AccessDenied</Code></Error>";
    check_batch(&["a", "b"], &format!("{a}{refused}{b}"), &[Unproven, Unproven], true).await;
    let missing = "<Error><Key>a</Key><Code>NoSuchKey</Code><Message>Key not found</Message></Error>";
    check_batch(&["a", "b"], &format!("{missing}{b}"), &[Absent, DELETED], false).await;
    // A server that changes keys deleted another object than the one that was meant.
    check_batch(&["a  b"], &deleted("a b"), &[Unproven], true).await;
    check_batch(&["lead"], &deleted(" lead"), &[Unproven], true).await;
    check_batch(&["a&b<c"], &deleted("a&amp;b&lt;c"), &[DELETED], false).await;
}

#[tokio::test]
async fn an_answer_keeps_its_own_words_as_evidence() {
    let words = |answer: &DeleteAnswer| match answer {
        DeleteAnswer::Deleted(said) => said.clone(),
        DeleteAnswer::Refused(error) => error.said.clone(),
        other => panic!("{other:?}"),
    };
    let check = |answer: &DeleteAnswer, status: Option<u16>, code: Option<&str>| {
        let said = words(answer);
        assert_eq!((said.status, said.code.as_deref()), (status, code), "{answer:?}");
    };
    let body = "<DeleteResult><Deleted><Key>a</Key></Deleted>\
        <Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    let batch = delete_once(Step::xml(body), &["a", "b"]).await.expect("a batch");
    check(&batch.answers[0], Some(200), None);
    check(&batch.answers[1], None, Some("AccessDenied"));
    let server = FaultServer::start([Step::status(204, ""), Step::error(403, "AccessDenied")], Step::Break);
    let store = store(&server).await;
    for (status, code) in [(204, None), (403, Some("AccessDenied"))] {
        check(&store.delete(&targets(&["a"])[0]).await.expect("an answer"), Some(status), code);
    }
}

#[tokio::test]
async fn an_error_says_what_was_attempted_apart_from_why_it_failed() {
    let error = delete_once(Step::error(500, "InternalError"), &["a"]).await.expect_err("no answer");
    assert!(error.attempt.starts_with("deleting 1 keys from bucket media at 127.0.0.1"), "{error:?}");
    assert!(error.message.starts_with("the store failed") && !error.message.contains("media"), "{error:?}");
    assert_eq!(error.to_string(), format!("{}: {}", error.attempt, error.message));
}

#[tokio::test]
async fn a_line_without_a_key_is_no_answer() {
    let step = Step::xml("<DeleteResult><Deleted/></DeleteResult>");
    assert_eq!(kind(delete_once(step, &["a"]).await), Some(ErrorKind::Malformed));
}

#[tokio::test]
async fn a_single_deletion_is_answered_by_meaning() {
    let check = async |step: Step, expected: Result<Option<ErrorKind>, ErrorKind>| {
        let said = format!("{step:?}");
        let server = FaultServer::start([step], Step::Break);
        let answer = store(&server).await.delete(&targets(&["a"])[0]).await;
        let answer = answer.map_err(|error| error.kind).map(|answer| match answer {
            DeleteAnswer::Deleted(_) => None,
            DeleteAnswer::Absent => Some(ErrorKind::NotFound),
            DeleteAnswer::Refused(error) => Some(error.kind),
            DeleteAnswer::Unproven => Some(ErrorKind::Other),
        });
        assert_eq!(answer, expected, "{said}");
    };
    check(Step::status(204, ""), Ok(None)).await;
    check(Step::error(404, "NoSuchKey"), Ok(Some(ErrorKind::NotFound))).await;
    check(Step::error(403, "AccessDenied"), Ok(Some(ErrorKind::Denied))).await;
    check(Step::error(403, "ObjectLockedByBucketPolicy"), Ok(Some(ErrorKind::Locked))).await;
    check(Step::error(412, "PreconditionFailed"), Ok(Some(ErrorKind::PreconditionFailed))).await;
    check(Step::error(404, "NoSuchBucket"), Err(ErrorKind::NoSuchBucket)).await;
    check(Step::status(404, "404 Not Found"), Err(ErrorKind::Malformed)).await;
    check(Step::error(500, "InternalError"), Err(ErrorKind::Unavailable)).await;
    check(Step::error(503, "SlowDown"), Err(ErrorKind::Throttled)).await;
    check(Step::error(403, "SignatureDoesNotMatch"), Err(ErrorKind::Unauthenticated)).await;
    check(Step::error(200, "InternalError"), Err(ErrorKind::Unavailable)).await;
    check(Step::xml("<html>Sign in</html>"), Err(ErrorKind::Malformed)).await;
    check(Step::Break, Err(ErrorKind::Unreachable)).await;
}

#[tokio::test]
async fn row_45_a_condition_that_does_not_hold_is_told_from_a_conflict_and_from_absence() {
    let server = FaultServer::start(
        [
            Step::error(412, "PreconditionFailed"),
            Step::error(409, "ConditionalRequestConflict"),
            Step::error(404, "NoSuchKey"),
        ],
        Step::Break,
    );
    let store = store(&server).await.with(Sending::MEASURING);
    let target = DeleteTarget { key: Key::from("a"), etag: Some(ETag::new("e")), last_modified: None };
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(store.delete(&target).await.map(|answer| match answer {
            DeleteAnswer::Refused(error) => Some(error.kind),
            other => {
                assert_eq!(other, DeleteAnswer::Absent);
                None
            }
        }));
    }
    let said: Vec<_> = said.into_iter().map(|answer| answer.map_err(|error| error.kind)).collect();
    // A conflict may pass: nothing was done, and it is tried again after a look.
    assert_eq!(said, [Ok(Some(ErrorKind::PreconditionFailed)), Err(ErrorKind::Unavailable), Ok(None)]);
    for request in server.requests() {
        assert_eq!(request.header("if-match"), Some("\"e\""));
    }
}

#[tokio::test]
async fn row_07_a_deletion_whose_answer_is_lost_was_carried_out_and_proves_nothing() {
    let answer = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
    let upstream = FaultServer::start([], Step::xml(answer));
    let proxy = FaultServer::start([Step::PassAndBreak(upstream.address())], Step::Pass(upstream.address()));
    let store = store(&proxy).await;
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::Unreachable));
    assert_eq!(upstream.requests().len(), 1);
    let batch = store.delete_batch(&targets(&["a"])).await.expect("an answer");
    assert_eq!(batch.answers, [DeleteAnswer::DELETED]);
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn conditions_are_sent_only_where_they_are_known_to_count() {
    let server = FaultServer::start([], Step::status(204, ""));
    let time = Some(Timestamp(1_795_255_200_123));
    let target = DeleteTarget { etag: Some(ETag::new("abc")), last_modified: time, ..DeleteTarget::of(Key::from("a")) };
    store(&server).await.delete(&target).await.expect("an answer");
    store(&server).await.with(Sending::MEASURING).delete(&target).await.expect("an answer");
    let by_http_time = Sending { time: Some(TimeForm::Http), ..Sending::default() };
    store(&server).await.with(by_http_time).delete(&target).await.expect("an answer");
    let sent = |name: &str| -> Vec<Option<String>> {
        server.requests().iter().map(|request| request.header(name).map(str::to_owned)).collect()
    };
    assert_eq!(sent("if-match"), [None, Some(String::from("\"abc\"")), None]);
    let times = [None, Some("2026-11-21T10:00:00.123Z"), Some("Sat, 21 Nov 2026 10:00:00 GMT")];
    assert_eq!(sent("x-amz-if-match-last-modified-time"), times.map(|time| time.map(str::to_owned)));
}

#[tokio::test]
async fn row_46_a_deletion_of_many_carries_the_checksum_that_was_chosen() {
    let server = FaultServer::start([], Step::xml("<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>"));
    for (crc32, quiet) in [(false, false), (true, true)] {
        let store = store(&server).await.with(Sending { crc32, quiet, ..Sending::default() });
        store.delete_batch(&targets(&["a"])).await.expect("an answer");
        let request = server.requests().pop().expect("a request");
        assert_eq!(request.header("content-md5").is_some(), !crc32);
        assert_eq!(request.header("x-amz-checksum-crc32").is_some(), crc32);
        let body = String::from_utf8(request.body).expect("XML");
        assert!(body.contains(&format!("<Quiet>{quiet}</Quiet>")) || !quiet, "{body}");
    }
}

#[tokio::test]
async fn row_57_what_a_batch_cannot_carry_is_never_sent() {
    let server = FaultServer::start([], Step::Break);
    let store = store(&server).await;
    for keys in
        [vec!["a\rb"], vec!["a\n"], vec!["\u{1}"], vec!["\u{fffe}"], vec![" a"], vec!["a", "a"], vec![""], vec![]]
    {
        assert_eq!(kind(store.delete_batch(&targets(&keys)).await), Some(ErrorKind::Invalid), "{keys:?}");
    }
    let many: Vec<String> = (0..1001).map(|at| at.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(kind(store.delete_batch(&targets(&many)).await), Some(ErrorKind::Invalid));
    assert_eq!(kind(store.delete(&targets(&[""])[0]).await), Some(ErrorKind::Invalid));
    assert_eq!(server.requests().len(), 0);
}
