//! Failures of store and network, told apart.

use std::time::Duration;

use bucketree::store::s3::{S3Options, S3Store, Timeouts};
use bucketree::store::{ErrorKind, ListRequest, ObjectStore};

use super::*;

#[tokio::test]
async fn rows_14_to_17_what_is_no_answer_is_neither_an_empty_listing_nor_a_deletion() {
    let html = "<!DOCTYPE html><html><body>Sign in to the guest network</body></html>";
    let listing = page(&["a", "b"], LAST);
    let bodies = [
        ("row 14", "<Error><Code>InternalError</Code><Message>x</Message></Error>", ErrorKind::Unavailable),
        ("row 14", "<Error><Code>SlowDown</Code></Error>", ErrorKind::Throttled),
        ("row 15", html, ErrorKind::Malformed),
        ("row 15", "<html><body>x</body></html>", ErrorKind::Malformed),
        ("row 15", "{\"error\": false}", ErrorKind::Malformed),
        ("row 16", "", ErrorKind::Malformed),
        ("row 17", &listing[..listing.len() - 4], ErrorKind::Malformed),
        ("row 17", &listing[..listing.len() / 2], ErrorKind::Malformed),
        ("row 17", "<ListBucketResult><IsTruncated>false</IsTruncated>", ErrorKind::Malformed),
        ("row 17", "<DeleteResult><Deleted><Key>a</Key></Deleted>", ErrorKind::Malformed),
        ("other root", "<ListAllMyBucketsResult/>", ErrorKind::Malformed),
    ];
    for (row, body, expected) in bodies {
        assert_eq!(
            kind(list_once(Step::xml(body), &ListRequest::default()).await),
            Some(expected),
            "{row}: list: {body}"
        );
        assert_eq!(kind(delete_once(Step::xml(body), &["a"]).await), Some(expected), "{row}: delete: {body}");
    }
    assert_eq!(kind(delete_once(Step::xml(&listing), &["a"]).await), Some(ErrorKind::Malformed));
    assert_eq!(
        kind(list_once(Step::xml("<DeleteResult/>"), &ListRequest::default()).await),
        Some(ErrorKind::Malformed)
    );
}

#[tokio::test]
async fn rows_10_and_20_a_broken_connection_proves_nothing() {
    let listing = page(&["a"], LAST).into_bytes();
    for step in [Step::Cut(listing.len() - 5, listing.clone()), Step::Cut(0, listing), Step::Break] {
        let said = format!("{step:?}");
        let listed = list_once(step.clone(), &ListRequest::default()).await;
        assert_eq!(kind(listed), Some(ErrorKind::Unreachable), "list: {said}");
        assert_eq!(kind(delete_once(step, &["a"]).await), Some(ErrorKind::Unreachable), "delete: {said}");
    }
}

#[tokio::test]
async fn rows_01_32_to_34_38_40_and_41_refusals_are_told_apart() {
    let cases = [
        ("row 1", 503, "SlowDown", ErrorKind::Throttled),
        ("row 1", 503, "ServiceUnavailable", ErrorKind::Unavailable),
        ("row 2", 503, "", ErrorKind::Throttled),
        ("row 3", 429, "TooManyRequests", ErrorKind::Throttled),
        ("row 5", 500, "InternalError", ErrorKind::Unavailable),
        ("row 32", 400, "ExpiredToken", ErrorKind::Expired),
        ("row 33", 403, "SignatureDoesNotMatch", ErrorKind::Unauthenticated),
        ("row 33", 403, "InvalidAccessKeyId", ErrorKind::Unauthenticated),
        ("row 33", 401, "Unauthorized", ErrorKind::Unauthenticated),
        ("row 34", 403, "AccessDenied", ErrorKind::Denied),
        ("row 34", 403, "", ErrorKind::Denied),
        ("row 38", 403, "RequestTimeTooSkewed", ErrorKind::ClockSkew),
        ("row 40", 404, "NoSuchBucket", ErrorKind::NoSuchBucket),
        ("row 41", 301, "PermanentRedirect", ErrorKind::WrongRegion),
        ("row 41", 307, "TemporaryRedirect", ErrorKind::WrongRegion),
        ("row 41", 302, "", ErrorKind::WrongRegion),
        ("row 41", 400, "AuthorizationHeaderMalformed", ErrorKind::WrongRegion),
        ("row 46", 501, "NotImplemented", ErrorKind::Unsupported),
        ("row 46", 400, "MissingContentMD5", ErrorKind::Invalid),
        ("row 24", 400, "InvalidArgument", ErrorKind::Invalid),
        ("row 62", 400, "MalformedXML", ErrorKind::Invalid),
        ("gateway", 502, "", ErrorKind::Unavailable),
        ("gateway", 504, "", ErrorKind::Unavailable),
    ];
    for (row, status, code, expected) in cases {
        let step = if code.is_empty() { Step::status(status, "") } else { Step::error(status, code) };
        let step = step.with("Location", "http://127.0.0.1:1/elsewhere");
        let listed = list_once(step.clone(), &ListRequest::default()).await;
        assert_eq!(kind(listed), Some(expected), "{row}: list: {status} {code}");
        let deleted = delete_once(step, &["a"]).await;
        let message = deleted.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(kind(deleted), Some(expected), "{row}: delete: {status} {code}");
        for part in ["deleting 1 keys", "media", "127.0.0.1", &status.to_string(), code] {
            assert!(message.contains(part), "{row}: {part} is not in: {message}");
        }
        assert!(!message.contains(SECRET) && !message.contains("AKIDEXAMPLE") && !message.contains("X-Amz"));
    }
}

#[tokio::test]
async fn row_03_the_wish_to_wait_is_passed_on() {
    let check = async |value: &str, expected: Option<u64>| {
        let step = Step::error(429, "TooManyRequests").with("Retry-After", value);
        let error = delete_once(step, &["a"]).await.expect_err("an error");
        assert_eq!(error.retry_after, expected.map(Duration::from_secs), "{value}");
    };
    check("7", Some(7)).await;
    check("600", Some(600)).await;
    check("Sat, 21 Nov 2026 10:00:09 GMT", Some(9)).await;
    check("soon", None).await;
}

#[tokio::test]
async fn row_38_a_wrong_clock_is_explained_by_the_servers_date() {
    let step = Step::error(403, "RequestTimeTooSkewed").with("Date", "Sat, 01 Jan 2000 00:00:00 GMT");
    let error = list_once(step, &ListRequest::default()).await.expect_err("an error");
    assert!(error.message.contains("ahead of the store"), "{error}");
    assert!(error.kind.is_fatal());
}

#[tokio::test]
async fn row_41_a_redirect_is_reported_and_not_followed() {
    let elsewhere = FaultServer::start([], Step::xml(&page(&["a"], LAST)));
    let redirect = Step::error(301, "PermanentRedirect")
        .with("Location", &elsewhere.endpoint())
        .with("x-amz-bucket-region", "eu-west-1");
    let server = FaultServer::start([], redirect);
    let store = store(&server).await;
    let error = store.list(&ListRequest::default()).await.expect_err("an error");
    assert!(error.message.contains("eu-west-1"), "{error}");
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::WrongRegion));
    assert_eq!((server.requests().len(), elsewhere.requests().len()), (2, 0));
}

/// A store that has little patience.
async fn impatient(server: &FaultServer) -> S3Store {
    let millis = Duration::from_millis;
    let options = S3Options {
        endpoint: Some(server.endpoint()),
        bucket: String::from("media"),
        access_key_id: Some(String::from("AKIDEXAMPLE")),
        secret_access_key: Some(String::from(SECRET)),
        timeouts: Timeouts { connect: millis(500), attempt: millis(200), operation: millis(2000) },
        ..S3Options::default()
    };
    S3Store::connect(options).await.expect("a store")
}

#[tokio::test]
async fn row_07_silence_ends_in_a_timeout_and_is_not_repeated() {
    let server = FaultServer::start([], Step::Silence);
    let store = impatient(&server).await;
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::Timeout));
    server.wait_for(1);
    assert_eq!(server.requests().len(), 1);
}

const DELETED: &str = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";

#[tokio::test]
async fn row_76_a_body_that_trickles_ends_in_a_timeout_and_proves_nothing() {
    let body = DELETED.as_bytes().to_vec();
    let server = FaultServer::start([], Step::Trickle(Duration::from_millis(40), body));
    let store = impatient(&server).await;
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::Timeout));
    assert_eq!(kind(store.list(&ListRequest::default()).await), Some(ErrorKind::Timeout));
    assert_eq!(server.requests().len(), 2, "nothing is repeated");
}

#[tokio::test]
async fn row_76_a_connection_closed_behind_its_answer_costs_nothing_but_a_connection() {
    let hang_up = || Step::HangUp(DELETED.as_bytes().to_vec());
    let server = FaultServer::start([hang_up(), hang_up(), hang_up()], Step::Break);
    let store = store(&server).await;
    for nth in 1..=3 {
        match store.delete_batch(&targets(&["a"])).await {
            Ok(batch) => assert_eq!(batch.alarm, None),
            // The client had not noticed yet. Nothing is known then, and nothing is sent again.
            Err(error) => assert_eq!(error.kind, ErrorKind::Unreachable, "{error}"),
        }
        assert!(server.requests().len() <= nth, "a deletion was sent twice");
    }
    assert!(!server.requests().is_empty());
}

#[tokio::test]
async fn row_43_a_host_that_is_not_there_is_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let check = async |endpoint: String, part: &str| {
        let options = S3Options {
            endpoint: Some(endpoint),
            bucket: String::from("media"),
            access_key_id: Some(String::from("AKIDEXAMPLE")),
            secret_access_key: Some(String::from(SECRET)),
            ..S3Options::default()
        };
        let store = S3Store::connect(options).await.expect("a store");
        let error = store.list(&ListRequest::default()).await.expect_err("an error");
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        assert!(error.message.contains(part), "{error}");
    };
    check(format!("http://{nobody}"), "refused").await;
    check(String::from("http://no-such-host.invalid"), "cannot be resolved").await;
    let plain = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = plain.local_addr().expect("the port");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().expect("a connection");
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 This is no TLS\r\n\r\n");
    });
    check(format!("https://{address}"), "TLS").await;
    answering.join().expect("the server");
}
