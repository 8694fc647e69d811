//! The S3 adapter against servers that fail: every answer that is not proof must not look like one.

#[path = "common/fault_server.rs"]
mod fault_server;

use std::time::Duration;

use bucketree::domain::{ETag, Key, Timestamp};
use bucketree::store::s3::{S3Options, S3Store, Timeouts};
use bucketree::store::{
    BatchAnswer, DeleteAnswer, DeleteTarget, ErrorKind, ListPage, ListRequest, ObjectStore, StoreError,
};
use fault_server::{FaultServer, Step};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

async fn store(server: &FaultServer) -> S3Store {
    let options = S3Options {
        endpoint: Some(server.endpoint()),
        bucket: String::from("media"),
        access_key_id: Some(String::from("AKIDEXAMPLE")),
        secret_access_key: Some(String::from(SECRET)),
        ..S3Options::default()
    };
    S3Store::connect(options).await.expect("a store")
}

fn request(prefix: &str, start_after: Option<&str>, continuation: Option<&str>) -> ListRequest {
    ListRequest {
        prefix: prefix.as_bytes().to_vec(),
        start_after: start_after.map(Key::from),
        continuation: continuation.map(str::to_owned),
        max_keys: None,
    }
}

fn targets(keys: &[&str]) -> Vec<DeleteTarget> {
    keys.iter().map(|key| DeleteTarget { key: Key::from(*key), etag: None }).collect()
}

/// A page of a listing around `inner`, with the keys given.
fn page(keys: &[&str], inner: &str) -> String {
    let object = |key: &&str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-01T10:00:00.000Z</LastModified>\
             <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>7</Size></Contents>"
        )
    };
    let objects: String = keys.iter().map(object).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>media</Name><EncodingType>url</EncodingType>{inner}{objects}</ListBucketResult>"
    )
}

const LAST: &str = "<IsTruncated>false</IsTruncated>";

async fn list_once(step: Step, request: &ListRequest) -> Result<ListPage, StoreError> {
    let server = FaultServer::start([step], Step::Break);
    store(&server).await.list(request).await
}

async fn delete_once(step: Step, keys: &[&str]) -> Result<BatchAnswer, StoreError> {
    let server = FaultServer::start([step], Step::Break);
    store(&server).await.delete_batch(&targets(keys)).await
}

fn kind<T>(result: Result<T, StoreError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

fn keys(page: &ListPage) -> Vec<String> {
    page.objects.iter().map(|object| object.key.escaped().to_string()).collect()
}

#[tokio::test]
async fn a_sound_page_is_read_exactly() {
    let body = page(
        &["a%2Fb", "a%20c", "%C3%A9%0A%00", "%FF"],
        "<KeyCount>4</KeyCount><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>1/x+=&amp;</NextContinuationToken>",
    );
    let body = body.replace("a%2Fb", "a%20b").replace(
        "<Size>7</Size></Contents><Contents><Key>a%20c",
        "<Size>5497558138880</Size><StorageClass>STANDARD_IA</StorageClass></Contents><Contents><Key>a%20c",
    );
    let read = list_once(Step::xml(&body), &ListRequest::default()).await.expect("a page");
    assert_eq!(keys(&read), ["a b", "a c", "\u{e9}\\n\\x00", "\\xff"]);
    assert_eq!(read.next.as_deref(), Some("1/x+=&"));
    assert_eq!(Some(read.server_time), Some(Timestamp::parse("2026-11-21T10:00:00Z")));
    let first = &read.objects[0];
    assert_eq!((first.size, first.storage_class.as_str()), (5_497_558_138_880, "STANDARD_IA"));
    assert_eq!(first.etag, ETag::new("d41d8cd98f00b204e9800998ecf8427e"));
    assert_eq!(first.last_modified, Timestamp::parse("2026-11-01T10:00:00Z"));
    assert_eq!(read.objects[1].storage_class.as_str(), "STANDARD");
}

#[tokio::test]
async fn an_empty_bucket_is_an_empty_page() {
    let body = page(&[], "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated><Prefix/>");
    assert_eq!(list_once(Step::xml(&body), &ListRequest::default()).await.map(|page| page.objects.len()), Ok(0));
}

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
async fn rows_21_and_23_a_listing_that_contradicts_itself_is_refused() {
    let plain = ListRequest::default();
    let more = |inner: &str| format!("<IsTruncated>true</IsTruncated>{inner}");
    let token = "<NextContinuationToken>t</NextContinuationToken>";
    let cases = [
        ("truncated without a token", page(&["a"], &more("")), plain.clone()),
        ("an empty token", page(&["a"], &more("<NextContinuationToken></NextContinuationToken>")), plain.clone()),
        ("the same token again", page(&["a"], &more(token)), request("", None, Some("t"))),
        ("IsTruncated missing", page(&["a"], ""), plain.clone()),
        ("IsTruncated unreadable", page(&["a"], "<IsTruncated>maybe</IsTruncated>"), plain.clone()),
        ("IsTruncated twice", page(&["a"], &format!("{LAST}{LAST}")), plain.clone()),
        ("fewer keys than said", page(&["a"], &format!("{LAST}<KeyCount>2</KeyCount>")), plain.clone()),
        ("more keys than said", page(&["a"], &format!("{LAST}<KeyCount>0</KeyCount>")), plain.clone()),
        ("a key twice", page(&["a", "a"], LAST), plain.clone()),
        ("keys out of order", page(&["b", "a"], LAST), plain.clone()),
        ("order by UTF-16, not by bytes", page(&["%F0%9F%8E%AC", "%EF%BF%BD"], LAST), plain.clone()),
        ("outside of the prefix", page(&["projects/b", "videos"], LAST), request("projects/", None, None)),
        ("the prefix of another", page(&["proj_10"], LAST), request("proj_1/", None, None)),
        ("not after the start", page(&["b"], LAST), request("", Some("b"), None)),
        ("before the start", page(&["a"], LAST), request("", Some("b"), None)),
        ("an empty key", page(&[""], LAST), plain.clone()),
        ("a broken escape", page(&["a%2"], LAST), plain.clone()),
        ("a folder", page(&[], &format!("{LAST}<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>")), plain.clone()),
        ("no size", page(&["a"], LAST).replace("<Size>7</Size>", ""), plain.clone()),
        ("a negative size", page(&["a"], LAST).replace("<Size>7", "<Size>-7"), plain.clone()),
        ("no key", page(&["a"], LAST).replace("<Key>a</Key>", ""), plain),
    ];
    for (what, body, request) in cases {
        assert_eq!(kind(list_once(Step::xml(&body), &request).await), Some(ErrorKind::Malformed), "{what}");
    }
}

#[tokio::test]
async fn row_39_an_unreadable_date_is_no_date() {
    let body = page(&["a"], LAST).replace("2026-11-01T10:00:00.000Z", "yesterday");
    let read = list_once(Step::xml(&body), &ListRequest::default()).await.expect("a page");
    assert_eq!(read.objects[0].last_modified, None);
}

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
                assert_eq!(*other, DeleteAnswer::Deleted);
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
    use DeleteAnswer::{Absent, Deleted, Unproven};
    let deleted = |key: &str| format!("<Deleted><Key>{key}</Key></Deleted>");
    let (a, b) = (deleted("a"), deleted("b"));
    check_batch(&["a", "b", "c"], &format!("{b}{a}"), &[Deleted, Deleted, Unproven], false).await;
    check_batch(&["a", "b"], "", &[Unproven, Unproven], false).await;
    check_batch(&["a", "b"], &format!("{a}{}", deleted("x")), &[Unproven, Unproven], true).await;
    check_batch(&["a", "b"], &format!("{a}{b}{a}"), &[Unproven, Unproven], true).await;
    let refused = "<Error><Key>a</Key><Code>AccessDenied</Code></Error>";
    check_batch(&["a", "b"], &format!("{a}{refused}{b}"), &[Unproven, Unproven], true).await;
    let missing = "<Error><Key>a</Key><Code>NoSuchKey</Code><Message>Key not found</Message></Error>";
    check_batch(&["a", "b"], &format!("{missing}{b}"), &[Absent, Deleted], false).await;
    // A server that trims keys deleted another object than the one that was meant.
    check_batch(&[" lead"], &deleted("lead"), &[Unproven], true).await;
    check_batch(&[" lead", "lead"], &format!("{}{}", deleted("lead"), deleted(" lead")), &[Deleted, Deleted], false)
        .await;
    check_batch(&["a&b<c"], &deleted("a&amp;b&lt;c"), &[Deleted], false).await;
}

#[tokio::test]
async fn a_line_without_a_key_is_no_answer() {
    let step = Step::xml("<DeleteResult><Deleted/></DeleteResult>");
    assert_eq!(kind(delete_once(step, &["a"]).await), Some(ErrorKind::Malformed));
}

#[tokio::test]
async fn rows_1_and_32_to_41_refusals_are_told_apart() {
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
async fn row_3_the_wish_to_wait_is_passed_on() {
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
    check(Step::status(404, "").with("x-minio-error-code", "NoSuchBucket"), Err(ErrorKind::NoSuchBucket)).await;
    check(Step::Break, Err(ErrorKind::Unreachable)).await;
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
async fn a_single_deletion_is_answered_by_meaning() {
    let check = async |step: Step, expected: Result<Option<ErrorKind>, ErrorKind>| {
        let said = format!("{step:?}");
        let server = FaultServer::start([step], Step::Break);
        let answer = store(&server).await.delete(&targets(&["a"])[0]).await;
        let answer = answer.map_err(|error| error.kind).map(|answer| match answer {
            DeleteAnswer::Deleted => None,
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
    check(Step::error(500, "InternalError"), Err(ErrorKind::Unavailable)).await;
    check(Step::error(503, "SlowDown"), Err(ErrorKind::Throttled)).await;
    check(Step::error(403, "SignatureDoesNotMatch"), Err(ErrorKind::Unauthenticated)).await;
    check(Step::error(200, "InternalError"), Err(ErrorKind::Unavailable)).await;
    check(Step::xml("<html>Sign in</html>"), Err(ErrorKind::Malformed)).await;
    check(Step::Break, Err(ErrorKind::Unreachable)).await;
}

#[tokio::test]
async fn row_7_silence_ends_in_a_timeout_and_is_not_repeated() {
    let server = FaultServer::start([], Step::Silence);
    let millis = Duration::from_millis;
    let options = S3Options {
        endpoint: Some(server.endpoint()),
        bucket: String::from("media"),
        access_key_id: Some(String::from("AKIDEXAMPLE")),
        secret_access_key: Some(String::from(SECRET)),
        timeouts: Timeouts { connect: millis(500), attempt: millis(200), operation: millis(2000) },
        ..S3Options::default()
    };
    let store = S3Store::connect(options).await.expect("a store");
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::Timeout));
    server.wait_for(1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn row_7_a_deletion_whose_answer_is_lost_was_carried_out_and_proves_nothing() {
    let answer = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
    let upstream = FaultServer::start([], Step::xml(answer));
    let proxy = FaultServer::start([Step::PassAndBreak(upstream.address())], Step::Pass(upstream.address()));
    let store = store(&proxy).await;
    assert_eq!(kind(store.delete_batch(&targets(&["a"])).await), Some(ErrorKind::Unreachable));
    assert_eq!(upstream.requests().len(), 1);
    let batch = store.delete_batch(&targets(&["a"])).await.expect("an answer");
    assert_eq!(batch.answers, [DeleteAnswer::Deleted]);
    assert_eq!(upstream.requests().len(), 2);
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

#[tokio::test]
async fn rows_46_and_62_what_is_sent_is_what_every_store_takes() {
    let empty = Step::xml("<DeleteResult/>");
    let listing = Step::xml(&page(&[], LAST));
    let server = FaultServer::start([listing, empty, Step::status(204, ""), Step::status(404, "")], Step::Break);
    let store = store(&server).await;
    store.list(&request("a b+c/%", Some("a b+c/%\u{e9}"), None)).await.expect("a page");
    store.delete_batch(&targets(&["a&b<c>\"'", "lead "])).await.expect("a batch");
    store.delete(&targets(&["/a//./..//b+c d%2F\n?x=1&y#\\\u{e9}/"])[0]).await.expect("an answer");
    store.head(&Key::from("a")).await.expect("an answer");
    let sent = server.requests();
    let line = |at: usize| format!("{} {}", sent[at].method, sent[at].target);
    assert_eq!(
        line(0),
        "GET /media/?list-type=2&encoding-type=url&prefix=a%20b%2Bc%2F%25&start-after=a%20b%2Bc%2F%25%C3%A9"
    );
    assert_eq!(line(1), "POST /media/?delete");
    assert_eq!(line(2), "DELETE /media//a//./..//b%2Bc%20d%252F%0A%3Fx%3D1%26y%23%5C%C3%A9/");
    assert_eq!(line(3), "HEAD /media/a");
    let body = String::from_utf8(sent[1].body.clone()).expect("text");
    assert!(body.contains("<Key>a&amp;b&lt;c&gt;"), "{body}");
    assert!(body.contains("<Key>lead </Key>"), "{body}");
    assert!(!body.contains("<Quiet>true"), "{body}");
    assert!(sent[1].header("content-md5").is_some());
    for request in &sent {
        for (name, value) in &request.headers {
            assert!(!name.to_ascii_lowercase().contains("checksum"), "{name}: {value}");
            assert!(!name.eq_ignore_ascii_case("x-amz-trailer") && !value.contains("STREAMING"), "{name}: {value}");
            assert!(!value.contains(SECRET) && !value.contains("aws-chunked"), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn conditions_are_sent_only_where_they_are_known_to_count() {
    let server = FaultServer::start([], Step::status(204, ""));
    let target = DeleteTarget { key: Key::from("a"), etag: Some(ETag::new("abc")) };
    store(&server).await.delete(&target).await.expect("an answer");
    store(&server).await.with_conditional_deletes().delete(&target).await.expect("an answer");
    let conditions: Vec<Option<String>> =
        server.requests().iter().map(|request| request.header("if-match").map(str::to_owned)).collect();
    assert_eq!(conditions, [None, Some(String::from("\"abc\""))]);
}

#[tokio::test]
async fn row_57_what_a_batch_cannot_carry_is_never_sent() {
    let server = FaultServer::start([], Step::Break);
    let store = store(&server).await;
    for keys in [vec!["a\rb"], vec!["a\n"], vec!["\u{1}"], vec!["\u{fffe}"], vec!["a", "a"], vec![""], vec![]] {
        assert_eq!(kind(store.delete_batch(&targets(&keys)).await), Some(ErrorKind::Invalid), "{keys:?}");
    }
    let many: Vec<String> = (0..1001).map(|at| at.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(kind(store.delete_batch(&targets(&many)).await), Some(ErrorKind::Invalid));
    let not_text = DeleteTarget { key: Key::new(b"\xff"), etag: None };
    assert_eq!(kind(store.delete(&not_text).await), Some(ErrorKind::Invalid));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn row_56_a_plus_in_a_key_is_decoded_only_when_the_store_proves_how() {
    let keys_with = async |answers: Vec<String>, count: usize| {
        let server = FaultServer::start(answers.iter().map(|body| Step::xml(body)), Step::Break);
        let result = store(&server).await.list(&ListRequest::default()).await;
        assert_eq!(server.requests().len(), count, "{answers:?}");
        result.map(|page| keys(&page)).map_err(|error| error.kind)
    };
    let probe = |echo: &str| page(&[], &format!("{LAST}<StartAfter>{echo}</StartAfter>"));
    let plus = page(&["a+b"], LAST);
    let form = Ok(vec![String::from("a b")]);
    let literal = Ok(vec![String::from("a+b")]);
    assert_eq!(keys_with(vec![plus.clone(), probe("+%2B%25")], 2).await, form);
    assert_eq!(keys_with(vec![plus.clone(), probe("%20+%25")], 2).await, literal);
    assert_eq!(keys_with(vec![plus.clone(), probe(" +%")], 2).await, Err(ErrorKind::Malformed));
    assert_eq!(keys_with(vec![plus.clone(), page(&[], LAST)], 2).await, Err(ErrorKind::Malformed));
    let both = |keys: &[&str]| page(keys, LAST);
    assert_eq!(keys_with(vec![both(&["a%20c", "a+b"])], 1).await, Ok(vec!["a c".into(), "a+b".into()]));
    assert_eq!(keys_with(vec![both(&["a+b", "a%2Bb"])], 1).await, Ok(vec!["a b".into(), "a+b".into()]));
    let raw = page(&["a%20b+c"], LAST).replace("<EncodingType>url</EncodingType>", "");
    assert_eq!(keys_with(vec![raw.clone(), probe(" +%")], 2).await, Ok(vec!["a%20b+c".into()]));
    let plain = page(&[" lead", "a b"], LAST).replace("<EncodingType>url</EncodingType>", "");
    assert_eq!(keys_with(vec![plain], 1).await, Ok(vec!["\\x20lead".into(), "a b".into()]));
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

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let options = S3Options {
        endpoint: Some(String::from("https://user:hunter2@example.com")),
        bucket: String::from("media"),
        access_key_id: Some(String::from("AKIDEXAMPLE")),
        secret_access_key: Some(String::from(SECRET)),
        session_token: Some(String::from("token-of-a-session")),
        ..S3Options::default()
    };
    let shown = format!("{:?}", S3Options { endpoint: None, ..options.clone() });
    assert!(!shown.contains(SECRET) && !shown.contains("token-of-a-session"), "{shown}");
    let error = S3Store::connect(options).await.expect_err("credentials in an endpoint");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let server = FaultServer::start([], Step::Break);
    let shown = format!("{:?}", store(&server).await);
    assert!(!shown.contains(SECRET), "{shown}");
}
