//! The S3 adapter against servers that fail: every answer that is not proof must not look like one.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../common/fault_server.rs"]
mod fault_server;

mod copying;
mod deletion;
mod failures;
mod lifecycle;
mod listing;
mod objects;
mod requests;

use bucketree::domain::Key;
use bucketree::store::s3::{S3Options, S3Store};
use bucketree::store::{BatchAnswer, DeleteTarget, ErrorKind, ListPage, ListRequest, ObjectStore, StoreError};
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
    keys.iter().map(|key| DeleteTarget::of(Key::from(*key))).collect()
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
