//! The bucket's lifecycle rules over the wire.

use bucketree::jobs::lifecycle::{RULE, plan, set};
use bucketree::store::lifecycle::LifecycleRule;
use bucketree::store::{ErrorKind, ObjectStore};

use super::*;

const OTHER: &str = "<Rule><ID>theirs</ID><Status>Enabled</Status><Prefix>logs/</Prefix><New>1</New></Rule>";

fn document(rules: &str) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

#[tokio::test]
async fn rules_are_read_and_written_to_the_byte() {
    let server = FaultServer::start([Step::xml(&document(OTHER)), Step::status(200, "")], Step::Break);
    let store = store(&server).await;
    let mut rules = store.lifecycle().await.expect("rules");
    assert_eq!((rules.len(), rules[0].element()), (1, OTHER));
    let own = LifecycleRule::expire("mine", "x/", 30);
    rules.push(own.clone());
    store.set_lifecycle(&rules).await.expect("written");
    let sent = server.requests();
    assert_eq!((sent[0].method.as_str(), sent[0].target.as_str()), ("GET", "/media?lifecycle"));
    assert_eq!((sent[1].method.as_str(), sent[1].target.as_str()), ("PUT", "/media?lifecycle"));
    assert_eq!(String::from_utf8_lossy(&sent[1].body), document(&format!("{OTHER}{}", own.element())));
    assert!(sent[1].header("content-md5").is_some());
    assert!(sent[1].headers.iter().all(|(name, _)| !name.contains("checksum")), "{:?}", sent[1].headers);
}

#[tokio::test]
async fn what_is_not_a_document_of_rules_is_never_taken_for_none() {
    let check = async |step: Step, expected: Result<usize, ErrorKind>| {
        let said = format!("{step:?}");
        let server = FaultServer::start([step], Step::Break);
        let rules = store(&server).await.lifecycle().await;
        assert_eq!(rules.map(|rules| rules.len()).map_err(|error| error.kind), expected, "{said}");
    };
    check(Step::error(404, "NoSuchLifecycleConfiguration"), Ok(0)).await;
    check(Step::xml(&document("")), Ok(0)).await;
    check(Step::error(404, "NoSuchBucket"), Err(ErrorKind::NoSuchBucket)).await;
    check(Step::error(501, "NotImplemented"), Err(ErrorKind::Unsupported)).await;
    check(Step::error(403, "AccessDenied"), Err(ErrorKind::Denied)).await;
    check(Step::status(200, ""), Err(ErrorKind::Malformed)).await;
    check(Step::xml("<html></html>"), Err(ErrorKind::Malformed)).await;
    check(Step::xml(&document("<Rule><ID>cut")), Err(ErrorKind::Malformed)).await;
    // Written back without it, the rules would mean something else.
    let beside = |size| Step::xml(&document(OTHER)).with("x-amz-transition-default-minimum-object-size", size);
    check(beside("varies_by_storage_class"), Err(ErrorKind::Malformed)).await;
    check(beside("all_storage_classes_128K"), Ok(1)).await;
}

#[tokio::test]
async fn rules_that_the_store_took_otherwise_than_they_were_written_are_told() {
    let own = LifecycleRule::expire(RULE, ".bucketree/trash/", 30);
    for (after, is_right) in
        [(OTHER.to_owned(), true), (OTHER.replace("logs/", "users/"), false), (String::new(), false)]
    {
        let then = document(&format!("{after}{}", own.element()));
        let before = || Step::xml(&document(OTHER));
        let server = FaultServer::start([before(), before(), Step::status(200, ""), Step::xml(&then)], Step::Break);
        let store = store(&server).await;
        let change = plan(&store, 30).await.expect("a plan");
        let written = set(&store, &change).await.map_err(|error| error.kind);
        assert_eq!(written, if is_right { Ok(()) } else { Err(ErrorKind::Malformed) }, "{after}");
    }
}
