mod exports;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::json;

use crate::domain::facts::RegistryRow;
use crate::registry::conformance::{Filling, Fixture, conforms, project, rows, tracked};
use crate::registry::{Location, Mapping, RegistryError, RegistrySpec, SharedRegistry, TextFormat, TrackedKeys, open};

/// Which form the fixture writes.
#[derive(Clone, Copy, PartialEq)]
enum Writes {
    Json,
    JsonLines,
    Csv,
    /// Ids in one file, keys as JSON lines in another.
    TwoFiles,
}

struct Files {
    directory: tempfile::TempDir,
    writes: Writes,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

#[async_trait]
impl Fixture for Files {
    async fn fill(&self, filling: &Filling) {
        let projects = filling.projects.iter().map(|id| json!({"_id": id, "name": "x"}));
        let owned = filling.tracked.iter();
        let keys: Vec<_> = owned.map(|(key, owner)| json!({"object_key": key.as_str(), "project_id": owner})).collect();
        let lines = |values: &[serde_json::Value]| {
            values.iter().fold(String::new(), |text, value| text + &format!("{value}\n"))
        };
        let all: Vec<_> = projects.chain(keys.clone()).collect();
        let text = match self.writes {
            Writes::Json => serde_json::to_string_pretty(&all).expect("JSON"),
            Writes::JsonLines => lines(&all),
            Writes::Csv => csv(filling),
            Writes::TwoFiles => {
                std::fs::write(self.path("keys"), lines(&keys)).expect("written");
                filling.projects.join("\n")
            }
        };
        std::fs::write(self.path("registry"), text).expect("written");
    }

    async fn remove(&self) {
        for name in ["registry", "keys"] {
            let _ = std::fs::remove_file(self.path(name));
        }
    }

    async fn open(&self) -> Result<SharedRegistry, RegistryError> {
        let mut spec = RegistrySpec::parse("registry", self.directory.path())?;
        if self.writes == Writes::TwoFiles {
            spec.tracked = TrackedKeys::Elsewhere(Location::Text(self.path("keys")));
        }
        open(&spec).await
    }

    async fn change(&self, _key: &str) {
        panic!("a file is not changed");
    }

    fn can_change(&self) -> bool {
        false
    }
}

fn csv(filling: &Filling) -> String {
    let mut text = String::from("id,object_key,project_id\n");
    filling.projects.iter().for_each(|id| writeln!(text, "{id},,").expect("text"));
    for (key, owner) in &filling.tracked {
        let key = key.as_str().expect("text");
        writeln!(text, ",\"{key}\",{}", owner.as_deref().unwrap_or_default()).expect("text");
    }
    text
}

#[tokio::test]
async fn every_form_conforms() {
    for writes in [Writes::Json, Writes::JsonLines, Writes::Csv, Writes::TwoFiles] {
        conforms(&Files { directory: tempfile::tempdir().expect("a directory"), writes }).await;
    }
}

/// What a file of this content delivers, or the error, opened as the spec that `change` makes.
async fn reading(
    name: &str,
    content: impl AsRef<[u8]>,
    change: impl FnOnce(&mut RegistrySpec),
) -> Result<Vec<RegistryRow>, String> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(name), content).expect("written");
    let mut spec = RegistrySpec::parse(name, directory.path()).expect("an address");
    change(&mut spec);
    let without_directory =
        |error: RegistryError| error.to_string().replace(&format!("{}/", directory.path().display()), "");
    let registry = open(&spec).await.map_err(without_directory)?;
    rows(&*registry).await.map(|(rows, _)| rows).map_err(without_directory)
}

async fn check(content: impl AsRef<[u8]>, expected: &[RegistryRow]) {
    let shown = String::from_utf8_lossy(content.as_ref()).into_owned();
    assert_eq!(reading("f", content, |_| {}).await.expect(&shown), expected, "{shown}");
}

async fn refused(content: impl AsRef<[u8]>, message: &str) {
    let shown = String::from_utf8_lossy(content.as_ref()).into_owned();
    let error = reading("f", content, |_| {}).await.expect_err(&shown);
    assert_eq!(error, format!("file: f, {message}"), "{shown}");
}

#[tokio::test]
async fn ids_one_a_line() {
    check("proj_1\nproj_2", &[project("proj_1"), project("proj_2")]).await;
    check("\u{feff}proj_1\r\n\r\n  \n#2\r\n", &[project("proj_1"), project("#2")]).await;
    check(" proj_1 \n", &[project("proj_1")]).await;
    check("17\n", &[project("17")]).await;
    check("", &[]).await;
    check("\n\n", &[]).await;
    refused("a\n\nb c\n", "line 3: expected one id alone on the line, found ' ' in it; CSV needs a header with an id (id, _id, project_id, projectId) or a key (object_key, objectKey, key)").await;
    refused(b"a\n\xff\n", "line 2: an id that is not valid UTF-8").await;
}

#[tokio::test]
async fn json_lines_as_mongoexport_writes_them() {
    let lines = concat!(
        "{\"_id\":{\"$oid\":\"65f0\"},\"name\":\"One\"}\n",
        "{\"_id\":{\"$numberLong\":\"9007199254740993\"}}\r\n",
        "{\"_id\":7}\n",
        "\n",
        "{\"id\":\"proj_1\"}"
    );
    check(lines, &[project("65f0"), project("9007199254740993"), project("7"), project("proj_1")]).await;
    check("\"proj_1\"\n\"proj_2\"\n", &[project("proj_1"), project("proj_2")]).await;
    refused("{\"id\":1}\n{\"id\":\n", "line 2: expected one whole JSON value on the line: EOF while parsing a value")
        .await;
    refused(
        "{\"id\":1}\n{\"name\":1}\n",
        "line 2: expected an id (id, _id, project_id, projectId) or a key (object_key, objectKey, key)",
    )
    .await;
    refused(
        "{\"id\":1.5}\n",
        "line 1: `id`: an id should be text, a whole number, or MongoDB's $oid, $numberLong, $numberInt or UUID",
    )
    .await;
    refused("{\"id\":\"\"}\n", "line 1: an empty id names no project").await;
    refused("{\n \"id\": 1\n}\n", "line 1: expected one whole JSON value on the line: EOF while parsing an object")
        .await;
}

#[tokio::test]
async fn every_id_of_a_record_keeps_its_project_alive_and_it_counts_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "{\"_id\":{\"$oid\":\"65f0\"},\"project_id\":\"proj_1\"}\n{\"_id\":\"2\",\"id\":\"2\"}\n";
    std::fs::write(directory.path().join("f"), text).expect("written");
    let spec = RegistrySpec::parse("f", directory.path()).expect("an address");
    let (rows, report) = rows(&*open(&spec).await.expect("open")).await.expect("a reading");
    assert_eq!(rows, [project("65f0"), project("proj_1"), project("2")]);
    assert_eq!((report.projects, report.tracked), (2, None));
}

#[tokio::test]
async fn json_arrays() {
    check("[\"proj_1\", 2, {\"id\": \"3\"}]", &[project("proj_1"), project("2"), project("3")]).await;
    check("\u{feff} \n[]\n", &[]).await;
    let one_long_line = format!("[{}\"last\"]", "{\"id\":\"x\"},".repeat(20_000));
    assert_eq!(reading("f", one_long_line, |_| {}).await.expect("an array").len(), 20_001);
    refused("[\"a\",\n\"b\"", "line 2: the file ends before the array does: it is cut off").await;
    refused("[\"a\",\n\"b", "line 2: the file ends before the array does: it is cut off").await;
    refused(
        "[{\"id\":1},\n{\"name\":1}]",
        "line 2: expected an id (id, _id, project_id, projectId) or a key (object_key, objectKey, key)",
    )
    .await;
    refused("[\"a\"]\n[\"b\"]", "line 2: trailing characters").await;
    refused("[\"a\" \"b\"]", "line 1: expected `,` or `]`").await;
}

#[tokio::test]
async fn csv_with_a_header() {
    check("name,id\n\"One, the first\",proj_1\n\nTwo, proj_2 \n", &[project("proj_1"), project("proj_2")]).await;
    check("name;project_id\nOne;1\n", &[project("1")]).await;
    check("id\tname\n1\tOne\n", &[project("1")]).await;
    check("\"id\"\r\n\"1\"\r\n", &[project("1")]).await;
    check("id\n", &[]).await;
    let keys = "object_key,project_id\n\"a, b \"\"c\"\"\n\",1\nd,\n";
    check(keys, &[tracked("a, b \"c\"\n", Some("1")), tracked("d", None)]).await;
    refused("id,name\n1\n", "line 2: expected 2 cells as in the header, found 1").await;
    refused("id,name\n1,One\n2,\"Two", "line 3: a quote is opened here and not closed: the file is cut off").await;
    refused(
        "id,name\n,One\n",
        "line 2: expected an id (id, _id, project_id, projectId) or a key (object_key, objectKey, key)",
    )
    .await;
    refused("id,name,id\n", "line 1: the header has the column `id` twice").await;
    refused("1,One\n2,Two\n", "line 1: expected a CSV header with an id (id, _id, project_id, projectId) or a key (object_key, objectKey, key)").await;
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    refused(b"\xff\xfei\0d\0", "line 1: this is UTF-16; save it as UTF-8").await;
    refused(b"\x28\xb5\x2f\xfd", "line 1: this is compressed; unpack it first").await;
    refused(b"a\0b", "line 1: expected text, found a zero byte").await;
}

#[tokio::test]
async fn a_field_named_key_does_not_make_a_project_a_tracked_key() {
    refused("{\"_id\":\"1\",\"key\":\"value\"}\n", "line 1: has `key` but no owner (project_id, projectId), so it cannot be told whether it is a tracked key or a project; set `key_field` or `tracked` for this registry").await;
    let untracked = |spec: &mut RegistrySpec| spec.tracked = TrackedKeys::NotTracked;
    let rows = reading("f", "{\"_id\":\"1\",\"key\":\"value\"}\n", untracked).await;
    assert_eq!(rows.expect("projects only"), [project("1")]);
    let named = |spec: &mut RegistrySpec| spec.mapping.key_field = Some("key".into());
    assert_eq!(reading("f", "{\"_id\":\"1\",\"key\":\"a\"}\n", named).await.expect("a key"), [tracked("a", None)]);
    refused("{\"object_key\":7,\"project_id\":1}\n", "line 1: `object_key` should be a key as text").await;
    refused("{\"object_key\":null,\"project_id\":1}\n", "line 1: `object_key` should be a key as text").await;
    refused("{\"object_key\":\"\",\"project_id\":1}\n", "line 1: an empty key tracks nothing").await;
}

#[tokio::test]
async fn names_and_forms_can_be_chosen() {
    let slug = |spec: &mut RegistrySpec| spec.mapping.id_field = Some("slug".into());
    assert_eq!(reading("f", "{\"slug\":\"a\",\"_id\":1}\n", slug).await.expect("ids"), [project("a")]);
    let lines = |spec: &mut RegistrySpec| spec.mapping.format = Some(TextFormat::Lines);
    assert_eq!(reading("f", "id\nb\n", lines).await.expect("ids"), [project("id"), project("b")]);
    let csv = |spec: &mut RegistrySpec| spec.mapping.format = Some(TextFormat::Csv);
    let error = reading("f", "a\nb\n", csv).await.expect_err("no header");
    assert!(error.contains("expected a CSV header"), "{error}");
    let error = reading("f.csv", "a\nb\n", |_| {}).await.expect_err("no header");
    assert!(error.contains("expected a CSV header"), "{error}");
}

#[tokio::test]
async fn a_file_of_keys_alone_keeps_their_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("ids"), "1\n").expect("written");
    std::fs::write(path("keys"), b" a,b \n\xff/x\r\n").expect("written");
    let spec = RegistrySpec {
        projects: Location::Guess(path("ids")),
        tracked: TrackedKeys::Elsewhere(Location::Guess(path("keys"))),
        mapping: Mapping::default(),
        access: crate::registry::Access::default(),
    };
    let registry = open(&spec).await.expect("open");
    let (found, report) = rows(&*registry).await.expect("a reading");
    let key = |bytes: &[u8]| RegistryRow::Tracked { key: crate::domain::Key::new(bytes), project: None };
    assert_eq!(found, [project("1"), key(b" a,b "), key(b"\xff/x")]);
    assert_eq!((report.projects, report.tracked), (1, Some(2)));
    std::fs::remove_file(path("ids")).expect("removed");
    assert!(matches!(rows(&*registry).await, Err(RegistryError::Missing(_))), "every source must succeed");
}

#[tokio::test]
async fn keys_that_appear_later_are_not_passed_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("f");
    std::fs::write(&path, "{\"id\":1}\n").expect("written");
    let registry = open(&RegistrySpec::parse("f", directory.path()).expect("an address")).await.expect("open");
    assert!(!registry.tracks_keys());
    std::fs::write(&path, "{\"id\":1}\n{\"object_key\":\"a\",\"project_id\":1}\n").expect("written");
    let error = rows(&*registry).await.map(drop).expect_err("keys");
    assert!(error.to_string().contains("had no tracked keys when it was opened"), "{error}");
    assert!(registry.projects(&mut |_| {}).await.is_err());
}

#[tokio::test]
async fn what_is_not_a_file_is_not_a_registry() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("file:{}", directory.path().display());
    let spec = RegistrySpec::parse(&address, Path::new("/")).expect("an address");
    let error = open(&spec).await.map(drop).expect_err("a directory");
    assert!(error.to_string().contains("it is not a regular file"), "{error}");
}
