//! Listings: a page that cannot be believed is no page.

use bucketree::domain::{ETag, Timestamp};
use bucketree::store::{ErrorKind, ListRequest, ObjectStore};

use super::*;

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
