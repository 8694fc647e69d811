//! What goes over the wire, and what is shown of it.

use bucketree::domain::Key;
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{DeleteTarget, ErrorKind, ObjectStore};

use super::*;

#[tokio::test]
async fn rows_46_and_62_what_is_sent_is_what_every_store_takes() {
    let empty = Step::xml("<DeleteResult/>");
    let listing = Step::xml(&page(&[], LAST));
    let server = FaultServer::start([listing, empty, Step::status(204, "")], Step::status(404, ""));
    let store = store(&server).await;
    store.list(&request("a b+c/%", Some("a b+c/%\u{e9}"), None)).await.expect("a page");
    store.delete_batch(&targets(&["a&b<c>\"'", "a  b"])).await.expect("a batch");
    store.delete(&targets(&["/a//./..//b+c d%2F\n?x=1&y#\\\u{e9}/"])[0]).await.expect("an answer");
    store.head(&Key::from("a")).await.expect("an answer");
    let not_text = DeleteTarget::of(Key::new(b" \xff\r"));
    assert_eq!(kind(store.delete(&not_text).await), Some(ErrorKind::Malformed));
    let sent = server.requests();
    let line = |at: usize| format!("{} {}", sent[at].method, sent[at].target);
    assert_eq!(
        line(0),
        "GET /media?list-type=2&encoding-type=url&prefix=a%20b%2Bc%2F%25&start-after=a%20b%2Bc%2F%25%C3%A9"
    );
    assert_eq!(line(1), "POST /media?delete");
    assert_eq!(line(2), "DELETE /media//a//./..//b%2Bc%20d%252F%0A%3Fx%3D1%26y%23%5C%C3%A9/");
    assert_eq!(line(3), "HEAD /media/a");
    assert_eq!(line(4), "DELETE /media/%20%FF%0D");
    let body = String::from_utf8(sent[1].body.clone()).expect("text");
    assert!(body.contains("<Key>a&amp;b&lt;c&gt;"), "{body}");
    assert!(body.contains("<Key>a  b</Key>"), "{body}");
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
async fn row_77_nothing_that_is_printed_holds_a_secret() {
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
