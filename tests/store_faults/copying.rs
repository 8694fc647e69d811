//! Copies: what is no proof of a copy is none, nothing is replaced, and no upload is left behind.

use bucketree::domain::{ETag, Key, Object, StorageClass, Timestamp};
use bucketree::store::{CopyAnswer, CopyRequest, ErrorKind, ObjectStore, PutAnswer, PutRequest};
use bytes::Bytes;

use super::*;

const COPIED: &str = "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>&quot;new&quot;</ETag>\
    <LastModified>2026-11-21T10:00:00.000Z</LastModified></CopyObjectResult>";

fn small(key: &str) -> CopyRequest {
    of_size(key, 12)
}

fn of_size(key: &str, size: u64) -> CopyRequest {
    let source = Object {
        key: Key::from(key),
        size,
        etag: ETag::new("abc"),
        last_modified: Timestamp::parse("2026-11-01T10:00:00Z"),
        storage_class: StorageClass::default(),
    };
    CopyRequest { source, destination: Key::from("trash/a b") }
}

fn absent() -> Step {
    Step::status(404, "")
}

fn present(size: u64, etag: &str) -> Step {
    Step::status(200, "").with("Content-Length", &size.to_string()).with("ETag", &format!("\"{etag}\""))
}

/// What one copy of a small object comes to.
async fn check(steps: impl IntoIterator<Item = Step>, expected: Result<CopyAnswer, ErrorKind>) -> Vec<String> {
    let steps: Vec<Step> = steps.into_iter().collect();
    let said = format!("{steps:?}");
    let server = FaultServer::start(steps, Step::Break);
    let answer = store(&server).await.copy(&small("a/b c+d%")).await;
    assert_eq!(answer.map_err(|error| error.kind), expected, "{said}");
    lines(&server)
}

fn lines(server: &FaultServer) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

#[tokio::test]
async fn a_copy_names_source_and_destination_exactly_and_pins_both() {
    let server = FaultServer::start([absent(), Step::xml(COPIED)], Step::Break);
    let answer = store(&server).await.copy(&small("/a//b c+d%2F?x=1\u{e9}")).await;
    assert_eq!(answer.map_err(|error| error.kind), Ok(CopyAnswer::Copied));
    assert_eq!(lines(&server), ["HEAD /media/trash/a%20b", "PUT /media/trash/a%20b"]);
    let sent = &server.requests()[1];
    assert_eq!(sent.header("x-amz-copy-source"), Some("/media//a//b%20c%2Bd%252F%3Fx%3D1%C3%A9"));
    assert_eq!(sent.header("x-amz-copy-source-if-match"), Some("\"abc\""));
    assert_eq!(sent.header("if-none-match"), Some("*"));
    assert_eq!(sent.header("x-amz-metadata-directive"), None, "what is described stays described");
    assert!(sent.body.is_empty());
}

#[tokio::test]
async fn row_67_an_error_within_a_success_is_an_error() {
    check([absent(), Step::error(200, "InternalError")], Err(ErrorKind::Unavailable)).await;
    check([absent(), Step::error(200, "SlowDown")], Err(ErrorKind::Throttled)).await;
    check([absent(), Step::error(200, "AccessDenied")], Err(ErrorKind::Denied)).await;
    check([absent(), Step::xml("<html>Sign in</html>")], Err(ErrorKind::Malformed)).await;
    check([absent(), Step::xml("<CopyObjectResult/>")], Err(ErrorKind::Malformed)).await;
    check([absent(), Step::xml("")], Err(ErrorKind::Malformed)).await;
    check([absent(), Step::Cut(40, COPIED.as_bytes().to_vec())], Err(ErrorKind::Unreachable)).await;
}

#[tokio::test]
async fn row_69_an_object_at_the_destination_is_never_copied_onto() {
    let before = check([present(1, "other")], Ok(CopyAnswer::DestinationExists)).await;
    assert_eq!(before, ["HEAD /media/trash/a%20b"], "nothing is sent");
    let refused = || Step::error(412, "PreconditionFailed");
    check([absent(), refused(), present(1, "other")], Ok(CopyAnswer::DestinationExists)).await;
    check([absent(), refused(), absent()], Ok(CopyAnswer::SourceChanged)).await;
    check([Step::status(403, "")], Err(ErrorKind::Denied)).await;
    check([absent(), Step::error(409, "ConditionalRequestConflict")], Err(ErrorKind::Unavailable)).await;
}

#[tokio::test]
async fn a_source_that_is_gone_is_told_from_a_bucket_that_is() {
    check([absent(), Step::error(404, "NoSuchKey")], Ok(CopyAnswer::SourceMissing)).await;
    check([absent(), Step::error(404, "NoSuchBucket")], Err(ErrorKind::NoSuchBucket)).await;
    check([absent(), Step::error(403, "ObjectLockedByBucketPolicy")], Err(ErrorKind::Locked)).await;
}

/// Six gigabytes: twelve parts.
const LARGE: u64 = 6 << 30;
const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>u+1</UploadId></InitiateMultipartUploadResult>";
const PART: &str = "<CopyPartResult><ETag>\"part\"</ETag></CopyPartResult>";
const COMPLETED: &str = "<CompleteMultipartUploadResult><ETag>\"x-12\"</ETag></CompleteMultipartUploadResult>";

fn described() -> Step {
    present(LARGE, "abc")
        .with("Cache-Control", "max-age=60")
        .with("x-amz-meta-scene", "7")
        .with("Content-Type", "video/mp4")
}

/// A large copy whose twelve parts are copied, up to the second look at the source.
fn large(then: impl IntoIterator<Item = Step>) -> FaultServer {
    let begin = [absent(), described(), Step::xml(BEGUN)];
    let parts = std::iter::repeat_n(Step::xml(PART), 12);
    FaultServer::start(begin.into_iter().chain(parts).chain(then), Step::status(204, ""))
}

#[tokio::test]
async fn an_object_over_5_gb_is_copied_by_parts_and_described_alike() {
    let server = large([described(), absent(), Step::xml(COMPLETED)]);
    let answer = store(&server).await.copy(&of_size("a", LARGE)).await;
    assert_eq!(answer.map_err(|error| error.kind), Ok(CopyAnswer::Copied));
    let sent = server.requests();
    let begin = &sent[2];
    assert_eq!((begin.method.as_str(), begin.target.as_str()), ("POST", "/media/trash/a%20b?uploads"));
    assert_eq!(begin.header("content-type"), Some("video/mp4"));
    assert_eq!(begin.header("cache-control"), Some("max-age=60"));
    assert_eq!(begin.header("x-amz-meta-scene"), Some("7"));
    let mut ranges: Vec<String> = sent[3..15]
        .iter()
        .map(|part| {
            assert!(part.target.contains("partNumber=") && part.target.contains("uploadId=u%2B1"), "{}", part.target);
            assert_eq!(part.header("x-amz-copy-source"), Some("/media/a"));
            assert_eq!(part.header("x-amz-copy-source-if-match"), None, "R2 refuses conditions with parts");
            part.header("x-amz-copy-source-range").expect("a range").to_owned()
        })
        .collect();
    ranges.sort();
    assert_eq!((ranges.len(), ranges[0].as_str()), (12, "bytes=0-536870911"));
    let complete = &sent[17];
    assert_eq!((complete.method.as_str(), complete.target.as_str()), ("POST", "/media/trash/a%20b?uploadId=u%2B1"));
    assert_eq!(complete.header("if-none-match"), Some("*"));
    assert_eq!(sent.len(), 18, "nothing is aborted");
}

/// A large copy that ends like this, with its upload aborted.
async fn check_aborted(server: FaultServer, expected: Result<CopyAnswer, ErrorKind>) {
    let answer = store(&server).await.copy(&of_size("a", LARGE)).await;
    assert_eq!(answer.map_err(|error| error.kind), expected);
    let sent = lines(&server);
    assert_eq!(sent.last().map(String::as_str), Some("DELETE /media/trash/a%20b?uploadId=u%2B1"), "{sent:?}");
}

#[tokio::test]
async fn row_71_a_source_that_changed_during_a_copy_by_parts_is_not_copied() {
    check_aborted(large([present(LARGE, "changed")]), Ok(CopyAnswer::SourceChanged)).await;
    check_aborted(large([present(LARGE + 1, "abc")]), Ok(CopyAnswer::SourceChanged)).await;
    check_aborted(large([absent()]), Ok(CopyAnswer::SourceMissing)).await;
    check_aborted(large([Step::status(503, "")]), Err(ErrorKind::Throttled)).await;
    let server = FaultServer::start([absent(), present(LARGE, "changed")], Step::Break);
    let answer = store(&server).await.copy(&of_size("a", LARGE)).await;
    assert_eq!(answer.map_err(|error| error.kind), Ok(CopyAnswer::SourceChanged));
    assert_eq!(server.requests().len(), 2, "nothing was begun");
}

#[tokio::test]
async fn rows_67_and_69_a_copy_by_parts_that_does_not_end_is_aborted() {
    let first_part = |step: Step| {
        let begin = [absent(), described(), Step::xml(BEGUN), step];
        FaultServer::start(begin, Step::status(204, ""))
    };
    // The other parts in flight get an empty answer; whichever is looked at first, the upload is given up.
    for step in [Step::error(200, "InternalError"), Step::error(500, "InternalError")] {
        let server = first_part(step);
        assert!(store(&server).await.copy(&of_size("a", LARGE)).await.is_err());
        assert!(lines(&server).iter().any(|line| line == "DELETE /media/trash/a%20b?uploadId=u%2B1"));
    }
    check_aborted(large([described(), absent(), Step::error(200, "InternalError")]), Err(ErrorKind::Unavailable)).await;
    check_aborted(large([described(), present(1, "x")]), Ok(CopyAnswer::DestinationExists)).await;
    let refused = Step::error(412, "PreconditionFailed");
    check_aborted(large([described(), absent(), refused]), Ok(CopyAnswer::DestinationExists)).await;
}

#[tokio::test]
async fn a_new_object_is_written_on_the_condition_that_there_is_none() {
    let check = async |step: Step, expected: Result<PutAnswer, ErrorKind>| {
        let server = FaultServer::start([step], Step::Break);
        let body = Bytes::from_static(b"{}");
        let request = PutRequest { key: Key::from("lock"), body, content_type: String::from("application/json") };
        let answer = store(&server).await.put(&request).await;
        assert_eq!(answer.map_err(|error| error.kind), expected);
        let sent = &server.requests()[0];
        assert_eq!((sent.method.as_str(), sent.target.as_str()), ("PUT", "/media/lock"));
        assert_eq!((sent.header("if-none-match"), sent.body.as_slice()), (Some("*"), b"{}".as_slice()));
    };
    check(Step::status(200, "").with("ETag", "\"e\""), Ok(PutAnswer::Written(ETag::new("e")))).await;
    check(Step::error(412, "PreconditionFailed"), Ok(PutAnswer::Exists)).await;
    check(Step::error(200, "InternalError"), Err(ErrorKind::Unavailable)).await;
    check(Step::xml("<html>Sign in</html>"), Err(ErrorKind::Malformed)).await;
    check(Step::error(403, "AccessDenied"), Err(ErrorKind::Denied)).await;
    check(Step::Break, Err(ErrorKind::Unreachable)).await;
}
