//! The server as a client sees it: the real SDK, over a real socket.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use percent_encoding::percent_decode_str;
use sqlx::Connection;

use super::generator::{self, DELETED_PROJECT};
use super::*;

fn client_with(demo: &Demo, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&demo.endpoint)
        .region(Region::new(demo.region.clone()))
        .credentials_provider(Credentials::new(&demo.access_key_id, secret, None, None, "test"))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

async fn demo_of(objects: u64) -> (Demo, Client) {
    let demo = start(DemoOptions { objects, ..DemoOptions::default() }).await.expect("a demo");
    let client = client_with(&demo, &demo.secret_access_key);
    (demo, client)
}

/// Every key of the listing, decoded, in the order in which the pages had them.
async fn listed(client: &Client, page: i32) -> Vec<String> {
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let answer = client
            .list_objects_v2()
            .bucket(BUCKET)
            .max_keys(page)
            .encoding_type(EncodingType::Url)
            .set_continuation_token(token)
            .send()
            .await
            .expect("a page");
        assert_eq!(answer.key_count(), Some(answer.contents().len() as i32));
        keys.extend(answer.contents().iter().map(|object| decoded(object.key().expect("a key"))));
        token = answer.next_continuation_token().map(str::to_owned);
        assert_eq!(answer.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return keys;
        }
    }
}

fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8().expect("UTF-8").into_owned()
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let (demo, _) = demo_of(0).await;
    let failed = client_with(&demo, "not the secret").list_objects_v2().bucket(BUCKET).send().await;
    let failed = failed.expect_err("a refusal");
    assert_eq!(failed.raw_response().map(|response| response.status().as_u16()), Some(403));
    assert_eq!(failed.code(), Some("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn the_pages_of_a_listing_are_the_sample_sorted_by_bytes() {
    let (demo, client) = demo_of(2400).await;
    let mut expected: Vec<String> = generator::generate(2400, 1).objects.into_iter().map(|object| object.key).collect();
    expected.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    assert_eq!(expected.len(), 2400);
    for page in [7, 999, 1000, 5000] {
        assert_eq!(listed(&client, page).await, expected, "{page} a page");
    }
    drop(demo);
}
