//! Files as MongoDB's tools write them, and files that gzip packed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{check, reading, refused};
use crate::domain::facts::RegistryRow;
use crate::registry::conformance::{project, tracked};
use crate::registry::{RegistryError, RegistrySpec, TextFormat, open};

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

#[tokio::test]
async fn ids_of_every_type_that_mongoexport_writes() {
    let canonical = concat!(
        "{\"_id\":{\"$oid\":\"65f000000000000000000001\"},\"created_at\":{\"$date\":{\"$numberLong\":\"1\"}}}\n",
        "{\"_id\":{\"$numberInt\":\"7\"}}\n",
        "{\"_id\":{\"$numberLong\":\"9007199254740993\"}}\n",
        "{\"_id\":{\"$numberDouble\":\"8.0\"}}\n",
        "{\"_id\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}}}\n",
    );
    let ids = ["65f000000000000000000001", "7", "9007199254740993", "8", "00010203-0405-0607-0809-0a0b0c0d0e0f"];
    check(canonical, &ids.map(project)).await;
    let relaxed = canonical.replace("{\"$numberDouble\":\"8.0\"}", "8.0").replace("{\"$numberInt\":\"7\"}", "7");
    check(&relaxed, &ids.map(project)).await;
    check(format!("[{}]", relaxed.trim().replace('\n', ",\n")), &ids.map(project)).await;
    for unfit in [
        "{\"$numberDouble\":\"8.5\"}",
        "{\"$numberDecimal\":\"8\"}",
        "{\"$date\":\"2026-01-01T00:00:00Z\"}",
        "{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"03\"}}",
        "{\"$binary\":{\"base64\":\"AAEC\",\"subType\":\"04\"}}",
        "{\"a\":1}",
        "true",
    ] {
        let why =
            "line 1: `_id`: an id should be text, a whole number, or MongoDB's $oid, $numberLong, $numberInt or UUID";
        refused(format!("{{\"_id\":{unfit}}}\n"), why).await;
    }
}

#[tokio::test]
async fn tracked_keys_with_owners_of_every_type() {
    let lines = concat!(
        "{\"_id\":{\"$oid\":\"1\"},\"project_id\":{\"$oid\":\"65f0\"},\"object_key\":\"a\",\"size_bytes\":{\"$numberLong\":\"5\"}}\n",
        "{\"_id\":{\"$oid\":\"2\"},\"project_id\":{\"$numberInt\":\"7\"},\"object_key\":\"b\",\"metadata\":{\"x\":[]}}\n",
        "{\"_id\":{\"$oid\":\"3\"},\"project_id\":null,\"object_key\":\"c\"}\n",
    );
    check(lines, &[tracked("a", Some("65f0")), tracked("b", Some("7")), tracked("c", None)]).await;
    refused("{\"project_id\":{\"a\":1},\"object_key\":\"a\"}\n", "line 1: `project_id`: an id should be text, a whole number, or MongoDB's $oid, $numberLong, $numberInt or UUID").await;
}

#[tokio::test]
async fn fields_inside_of_fields_and_arrays() {
    let nested = |spec: &mut RegistrySpec| {
        spec.mapping.key_field = Some("scenes.media.storageKey".into());
        spec.mapping.owner_field = Some("about.project".into());
    };
    let lines = concat!(
        "{\"about\":{\"project\":{\"$oid\":\"65f0\"}},\"scenes\":[{\"media\":{\"storageKey\":\"a\"}},{\"media\":null},{},",
        "{\"media\":[{\"storageKey\":\"b\"},{\"storageKey\":\"c\"}]}]}\n",
        "{\"about\":{\"project\":1},\"scenes\":{\"media\":{\"storageKey\":[\"d\"]}}}\n",
        "{\"scenes.media.storageKey\":\"e\"}\n",
        "{\"_id\":5,\"scenes\":[]}\n",
    );
    let keys = [("a", Some("65f0")), ("b", Some("65f0")), ("c", Some("65f0")), ("d", Some("1")), ("e", None)];
    let mut expected = vec![project("5")];
    expected.extend(keys.map(|(key, owner)| tracked(key, owner)));
    assert_eq!(reading("f", lines, nested).await.expect("keys"), expected);
    let wrong = async |line: &str| reading("f", line, nested).await.expect_err(line);
    let error = wrong("{\"scenes\":[{\"media\":\"a\"}]}\n").await;
    assert_eq!(error, "file: f, line 1: `scenes.media.storageKey` leads through text");
    let error = wrong("{\"scenes\":[[{\"media\":{\"storageKey\":\"a\"}}]]}\n").await;
    assert_eq!(error, "file: f, line 1: `scenes.media.storageKey` has an array directly in an array");
    let error = wrong("{\"scenes\":[{\"media\":{\"storageKey\":7}}]}\n").await;
    assert_eq!(error, "file: f, line 1: `scenes.media.storageKey` should be a key as text");
    let error =
        wrong("{\"about\":[{\"project\":1},{\"project\":2}],\"scenes\":{\"media\":{\"storageKey\":\"a\"}}}").await;
    assert_eq!(error, "file: f, line 1: `about.project` has several ids");
    let id = |spec: &mut RegistrySpec| spec.mapping.id_field = Some("a.b".into());
    assert_eq!(reading("f", "{\"a\":{\"b\":{\"$numberInt\":\"3\"}}}\n", id).await.expect("ids"), [project("3")]);
}

#[tokio::test]
async fn every_form_may_be_packed() {
    let both = [project("1"), project("2")];
    check(packed("1\n2\n"), &both).await;
    check(packed("\u{feff}{\"id\":1}\n{\"id\":2}\n"), &both).await;
    check(packed("[{\"id\":1},\n{\"id\":2}]"), &both).await;
    check(packed("id,name\n1,One\n2,Two\n"), &both).await;
    check([packed("1\n"), packed("2\n")].concat(), &both).await;
    check(packed(""), &[]).await;
    let many: String = (0..20_000).map(|n| format!("{{\"id\":{n}}}\n")).collect();
    assert_eq!(reading("f", packed(&many), |_| {}).await.expect("ids").len(), 20_000);
    let unlike_a_table = reading("ids.csv.gz", packed("a\nb\n"), |_| {}).await.expect_err("no header");
    assert!(unlike_a_table.contains("expected a CSV header"), "{unlike_a_table}");
    refused(
        packed("{\"id\":1}\n{\"id\":\n"),
        "line 2: expected one whole JSON value on the line: EOF while parsing a value",
    )
    .await;
}

/// Opens the file and reads it; what fails first.
async fn failure(content: &[u8], format: Option<TextFormat>) -> Option<RegistryError> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("f"), content).expect("written");
    let mut spec = RegistrySpec::parse("f", directory.path()).expect("an address");
    spec.mapping.format = format;
    let registry = match open(&spec).await {
        Ok(registry) => registry,
        Err(error) => return Some(error),
    };
    registry.read(&mut |row| assert!(matches!(row, RegistryRow::Project { .. }))).await.err()
}

#[tokio::test]
async fn a_packed_file_that_is_cut_off_is_never_a_shorter_registry() {
    // No line is cut by losing the end: only the packing knows that more was there.
    for (text, format) in [
        ("1\n2\n3\n".repeat(2_000), TextFormat::Lines),
        ("{\"id\":1}\n".repeat(2_000), TextFormat::JsonLines),
        (format!("[{}1]", "2,\n".repeat(2_000)), TextFormat::Json),
        (format!("id\n{}", "1\n".repeat(2_000)), TextFormat::Csv),
    ] {
        let whole = packed(&text);
        assert_eq!(failure(&whole, Some(format)).await, None, "{format:?}");
        for kept in (2..whole.len()).rev().step_by(7).chain([whole.len() - 8, 2, 3, 9, 10, 11]) {
            let error = failure(&whole[..kept], Some(format)).await;
            assert!(matches!(error, Some(RegistryError::Partial { .. })), "{format:?}, {kept} bytes: {error:?}");
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x10;
        assert!(failure(&damaged, Some(format)).await.is_some(), "{format:?}");
    }
}
