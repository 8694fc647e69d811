//! What is asked of one object.

use bucketree::domain::{Key, Timestamp};
use bucketree::store::{ErrorKind, ObjectStore};

use super::*;

#[tokio::test]
async fn row_35_only_a_404_proves_that_an_object_is_not_there() {
    let key = Key::from("a");
    let check = async |step: Step, expected: Result<bool, ErrorKind>| {
        let said = format!("{step:?}");
        let server = FaultServer::start([step], Step::Break);
        let answer = store(&server).await.head(&key).await;
        assert_eq!(answer.map(|found| found.is_some()).map_err(|error| error.kind), expected, "{said}");
    };
    let found = Step::status(200, "").with("Content-Length", "12").with("ETag", "\"x\"");
    check(found.clone(), Ok(true)).await;
    check(Step::status(404, ""), Ok(false)).await;
    check(Step::status(403, ""), Err(ErrorKind::Denied)).await;
    check(Step::status(400, ""), Err(ErrorKind::Invalid)).await;
    check(Step::status(301, ""), Err(ErrorKind::WrongRegion)).await;
    check(Step::status(503, ""), Err(ErrorKind::Throttled)).await;
    check(Step::status(404, "").with("Content-Type", "text/html"), Err(ErrorKind::Malformed)).await;
    check(Step::status(404, "").with("x-minio-error-code", "NoSuchBucket"), Err(ErrorKind::NoSuchBucket)).await;
    check(Step::Break, Err(ErrorKind::Unreachable)).await;
}

#[tokio::test]
async fn row_35_a_path_that_something_may_have_changed_is_looked_up_in_a_listing() {
    let check = async |key: &str, listed: &[&str], expected: Result<bool, ErrorKind>| {
        let server = FaultServer::start([Step::status(404, ""), Step::xml(&page(listed, LAST))], Step::Break);
        let answer = store(&server).await.head(&Key::from(key)).await;
        assert_eq!(answer.map(|found| found.is_some()).map_err(|error| error.kind), expected, "{key:?} {listed:?}");
    };
    check("a\nb", &["a%0Ab"], Err(ErrorKind::Unsupported)).await;
    check("a\nb", &[], Ok(false)).await;
    check("a/../b", &["a%2F..%2Fb"], Err(ErrorKind::Unsupported)).await;
    check("a/../b", &["a%2F..%2Fb2"], Ok(false)).await;
    check("a//b", &["a%2F%2Fb"], Err(ErrorKind::Unsupported)).await;
    check("/a", &[], Ok(false)).await;
}

#[tokio::test]
async fn a_head_tells_what_the_object_is_now() {
    let step = Step::status(200, "")
        .with("Content-Length", "5497558138880")
        .with("ETag", "\"abc-2\"")
        .with("Last-Modified", "Sat, 21 Nov 2026 09:59:58 GMT")
        .with("x-amz-storage-class", "STANDARD_IA")
        .with("x-amz-meta-scene", "7");
    let server = FaultServer::start([step], Step::Break);
    let answer = store(&server).await.head(&Key::from("a")).await.expect("an answer").expect("an object");
    assert_eq!((answer.object.size, answer.object.etag.as_str()), (5_497_558_138_880, "abc-2"));
    assert_eq!(answer.object.last_modified, Timestamp::parse("2026-11-21T09:59:58Z"));
    assert_eq!(answer.server_time, Timestamp::parse("2026-11-21T10:00:00Z"));
    assert_eq!(answer.object.storage_class.as_str(), "STANDARD_IA");
    assert_eq!(answer.metadata, [(String::from("scene"), String::from("7"))]);
}

#[tokio::test]
async fn a_part_of_an_object_is_cut_by_the_store_or_here() {
    let check = async |step: Step, range: Option<(u64, u64)>, expected: Result<&[u8], ErrorKind>| {
        let server = FaultServer::start([step], Step::Break);
        let body = store(&server).await.get(&Key::from("a"), range).await;
        assert_eq!(body.as_deref().map_err(|error| error.kind), expected);
        if let Some((offset, length)) = range {
            let asked = format!("bytes={offset}-{}", offset + length - 1);
            assert_eq!(server.requests()[0].header("range"), Some(asked.as_str()));
        }
    };
    check(Step::status(200, "whole"), None, Ok(b"whole")).await;
    check(Step::status(206, "ol"), Some((2, 2)), Ok(b"ol")).await;
    check(Step::status(200, "whole"), Some((2, 2)), Ok(b"ol")).await;
    check(Step::error(416, "InvalidRange"), Some((9, 2)), Ok(b"")).await;
    check(Step::error(404, "NoSuchKey"), None, Err(ErrorKind::NotFound)).await;
    let endless = Step::status(200, "").with("Content-Length", "5497558138880");
    check(endless, Some((0, 2)), Err(ErrorKind::Malformed)).await;
}
