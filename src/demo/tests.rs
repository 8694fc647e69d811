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
    for page in [97, 999, 1000, 5000] {
        assert_eq!(listed(&client, page).await, expected, "{page} a page");
    }
    drop(demo);
}

/// Names that S3 allows and tools lose; put, listed, read and deleted byte for byte.
#[tokio::test]
async fn hostile_keys_survive_the_whole_way() {
    let (_demo, client) = demo_of(0).await;
    let mut keys: Vec<String> = generator::generate(1, 1).objects.into_iter().map(|object| object.key).collect();
    keys.retain(|key| !key.starts_with("users/") && !key.starts_with("logs/"));
    keys.sort_unstable();
    assert!(keys.iter().any(|key| key == "a//b") && keys.iter().any(|key| key.len() == 1024));
    for key in &keys {
        let body = ByteStream::from(key.clone().into_bytes());
        client.put_object().bucket(BUCKET).key(key).body(body).send().await.expect("stored");
    }
    assert_eq!(listed(&client, 1000).await, keys);
    for key in &keys {
        let head = client.head_object().bucket(BUCKET).key(key).send().await.expect("there");
        assert_eq!(head.content_length(), Some(key.len() as i64), "{key:?}");
        let body = client.get_object().bucket(BUCKET).key(key).send().await.expect("readable").body;
        assert_eq!(body.collect().await.expect("whole").into_bytes(), key.as_bytes(), "{key:?}");
        client.delete_object().bucket(BUCKET).key(key).send().await.expect("deleted");
        let gone = client.head_object().bucket(BUCKET).key(key).send().await.expect_err("gone");
        assert_eq!(gone.raw_response().map(|response| response.status().as_u16()), Some(404), "{key:?}");
    }
    assert_eq!(listed(&client, 1000).await, Vec::<String>::new());
}

async fn delete_batch(client: &Client, keys: impl IntoIterator<Item = String>) -> Result<(usize, usize), String> {
    let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build().expect("a key"));
    let delete = Delete::builder().set_objects(Some(objects.collect())).build().expect("a batch");
    match client.delete_objects().bucket(BUCKET).delete(delete).send().await {
        Ok(answer) => Ok((answer.deleted().len(), answer.errors().len())),
        Err(why) => Err(why.code().unwrap_or("no code").to_owned()),
    }
}

#[tokio::test]
async fn a_batch_deletes_one_to_a_thousand_keys_and_answers_for_each() {
    let (_demo, client) = demo_of(2400).await;
    let carried_by_xml = |key: &String| !key.chars().any(char::is_control);
    let safe: Vec<String> = listed(&client, 1000).await.into_iter().filter(carried_by_xml).collect();
    assert!(safe.iter().any(|key| key.ends_with(' ')) && safe.iter().any(|key| key.contains('&')));
    let before = listed(&client, 1000).await.len();
    assert_eq!(delete_batch(&client, safe[..1000].iter().cloned()).await, Ok((1000, 0)));
    assert_eq!(listed(&client, 1000).await.len(), before - 1000);
    assert_eq!(delete_batch(&client, ["never/there".to_owned()]).await, Ok((1, 0)));
    assert_eq!(delete_batch(&client, safe[1000..2001].iter().cloned()).await, Err("MalformedXML".to_owned()));
    assert_eq!(delete_batch(&client, []).await, Err("MalformedXML".to_owned()));
    assert_eq!(listed(&client, 1000).await.len(), before - 1000);
}

#[tokio::test]
async fn conditions_are_honoured() {
    let (_demo, client) = demo_of(1).await;
    let key = "README.txt";
    let put = |key: &str| client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"new"));
    let taken = put(key).if_none_match("*").send().await.expect_err("taken");
    assert_eq!(taken.code(), Some("PreconditionFailed"));
    put("fresh.txt").if_none_match("*").send().await.expect("free");
    let wrong_md5 = put("fresh.txt").content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await.expect_err("another digest");
    assert_eq!(wrong_md5.code(), Some("BadDigest"));

    let etag = client.head_object().bucket(BUCKET).key(key).send().await.expect("there").e_tag.expect("a tag");
    let delete = |tag: &str| client.delete_object().bucket(BUCKET).key(key).if_match(tag).send();
    assert_eq!(delete("\"another\"").await.expect_err("another tag").code(), Some("PreconditionFailed"));
    let copy = |tag: &str| {
        let copy = client.copy_object().bucket(BUCKET).copy_source(format!("{BUCKET}/{key}")).key(".trash/README.txt");
        copy.copy_source_if_match(tag).send()
    };
    assert_eq!(copy("\"another\"").await.expect_err("another tag").code(), Some("PreconditionFailed"));
    copy(&etag).await.expect("copied");
    delete(&etag).await.expect("deleted");
    let copied = client.head_object().bucket(BUCKET).key(".trash/README.txt").send().await.expect("there");
    assert_eq!(copied.e_tag, Some(etag));
}

#[tokio::test]
async fn folders_are_common_prefixes_and_pages_go_on_after_them() {
    let (_demo, client) = demo_of(0).await;
    for key in ["a", "a/", "a/b", "a/c", "a//b", "b/x", "b/y", "c"] {
        client.put_object().bucket(BUCKET).key(key).send().await.expect("stored");
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = client.list_objects_v2().bucket(BUCKET).delimiter("/").max_keys(1).set_continuation_token(token);
        let page = page.send().await.expect("a page");
        seen.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        seen.extend(page.common_prefixes().iter().filter_map(|group| group.prefix().map(str::to_owned)));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "a/", "b/", "c"]);
    let inside = client.list_objects_v2().bucket(BUCKET).prefix("a/").delimiter("/").send().await.expect("a page");
    let objects: Vec<_> = inside.contents().iter().filter_map(|object| object.key()).collect();
    let groups: Vec<_> = inside.common_prefixes().iter().filter_map(|group| group.prefix()).collect();
    assert_eq!((objects, groups), (vec!["a/", "a/b", "a/c"], vec!["a//"]));
    let after = client.list_objects_v2().bucket(BUCKET).start_after("a/c").send().await.expect("a page");
    assert_eq!(after.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["b/x", "b/y", "c"]);
    let first = client.list_objects().bucket(BUCKET).delimiter("/").marker("a/").send().await.expect("a page");
    assert_eq!(first.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(first.common_prefixes().iter().filter_map(|group| group.prefix()).collect::<Vec<_>>(), ["b/"]);
}

/// A client that does not ask for encoded names can still list the bucket: no page is broken by one bad key.
#[tokio::test]
async fn without_an_encoding_every_page_is_still_xml() {
    let (_demo, client) = demo_of(0).await;
    for key in ["bell\u{7}.txt", "line\nbreak.txt", "<&>.txt"] {
        client.put_object().bucket(BUCKET).key(key).send().await.expect("stored");
    }
    let page = client.list_objects_v2().bucket(BUCKET).send().await.expect("a page");
    let keys: Vec<_> = page.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["<&>.txt", "bell\u{fffd}.txt", "line\nbreak.txt"]);
}

/// How a file of each ending begins.
fn magic(key: &str) -> &'static [u8] {
    match key.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "png" => b"\x89PNG\r\n\x1a\n",
        "jpg" => b"\xff\xd8\xff\xe0",
        "mp3" => b"ID3",
        "json" => b"{",
        "mp4" => b"\0\0\0\x20ftyp",
        _ => b"",
    }
}

#[tokio::test]
async fn every_object_is_what_its_listing_says() {
    let (_demo, client) = demo_of(1).await;
    let mut objects = Vec::new();
    for prefix in ["projects/proj_1/scenes/intro/", "users/user123/projects/proj_1/scenes/intro/"] {
        let page = client.list_objects_v2().bucket(BUCKET).prefix(prefix).send().await.expect("a page");
        objects.extend(page.contents.expect("objects"));
    }
    for ending in [".png", ".jpg", ".mp3", ".mp4", ".json", ".txt"] {
        assert!(objects.iter().any(|object| object.key().is_some_and(|key| key.ends_with(ending))), "{ending}");
    }
    for object in &objects {
        let key = object.key().expect("a key");
        let size = object.size().expect("a size") as usize;
        let get = || client.get_object().bucket(BUCKET).key(key);
        let whole = get().send().await.expect("readable");
        assert_eq!(whole.e_tag(), object.e_tag());
        let whole = whole.body.collect().await.expect("whole").into_bytes();
        assert_eq!(whole.len(), size, "{key}");
        assert!(whole.starts_with(magic(key)), "{key}");
        let part = get().range("bytes=1000-70000").send().await;
        if size > 1000 {
            let part = part.expect("a part");
            let last = (size - 1).min(70_000);
            assert_eq!(part.content_range(), Some(format!("bytes 1000-{last}/{size}").as_str()));
            assert_eq!(part.body.collect().await.expect("whole").into_bytes(), whole[1000..=last], "{key}");
        } else {
            assert_eq!(part.expect_err("outside").code(), Some("InvalidRange"));
        }
    }
}

#[tokio::test]
async fn the_registry_has_the_tables_of_the_app_and_goes_with_the_demo() {
    let (demo, _client) = demo_of(2400).await;
    let sample = generator::generate(2400, 1);
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}?mode=ro", demo.registry.display()))
        .await
        .expect("a database");
    let projects: Vec<String> =
        sqlx::query_scalar("SELECT id FROM projects").fetch_all(&mut connection).await.expect("projects");
    assert!(projects.iter().any(|id| id == generator::LIVE_LOOKALIKE));
    assert!(!projects.iter().any(|id| id == DELETED_PROJECT));
    let rows: Vec<(String, Option<String>, String, String, String)> =
        sqlx::query_as("SELECT project_id, scene_id, object_key, file_type, created_at FROM r2_objects")
            .fetch_all(&mut connection)
            .await
            .expect("rows");
    assert_eq!(rows.len(), sample.rows.len());
    assert!(rows.iter().all(|row| Timestamp::parse(&row.4).is_some()));
    connection.close().await.expect("closed");
    let registry = demo.registry.clone();
    drop(demo);
    assert!(!registry.exists());
}

#[tokio::test]
async fn only_loopback_is_served_and_nothing_after_the_end() {
    let outside = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = start(DemoOptions { address: Some(outside), ..DemoOptions::default() }).await;
    assert!(matches!(refused, Err(DemoError::NotLoopback(address)) if address == outside));
    let (demo, client) = demo_of(0).await;
    assert!(!format!("{demo:?}").contains(&demo.secret_access_key));
    client.head_bucket().bucket(BUCKET).send().await.expect("there");
    let address = demo.endpoint.trim_start_matches("http://").to_owned();
    drop(demo);
    // The task ends at its next turn: until then the socket may still take a connection, but not for long.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
