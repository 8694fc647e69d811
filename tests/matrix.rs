//! The fault matrix as a table: the rows from `tests/matrix/rows.toml`, the tests from the names of the tests themselves.
//! `tests/MATRIX.md` is what comes of it; this one command writes it anew:
//!
//! ```text
//! BUCKETREE_WRITE_MATRIX=1 cargo test --test matrix
//! ```
//!
//! That a test stands in the table says that it exists. `cargo test row_08` runs those of row 8.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[path = "matrix/names.rs"]
mod names;

/// As many as there are.
const ROWS: u32 = 77;

const TABLE: &str = "tests/MATRIX.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: u32,
    fault: String,
    behaviour: String,
    /// Why there can be no test of it yet.
    cannot: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

/// The tests of each row, by file.
type Tests = BTreeMap<u32, BTreeMap<String, Vec<String>>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("tests/matrix/rows.toml")).unwrap();
    toml::from_str::<Rows>(&text).unwrap().row
}

fn tests() -> Tests {
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| collect(&root().join(folder), &mut files));
    files.sort();
    let mut tests = Tests::new();
    for file in files {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        for name in names::of_tests(&std::fs::read_to_string(&file).unwrap()) {
            for row in names::rows(&name) {
                tests.entry(row).or_default().entry(path.clone()).or_default().push(name.clone());
            }
        }
    }
    tests
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A link to each file from where the table lies, and the tests in it.
fn shown(by_file: &BTreeMap<String, Vec<String>>) -> String {
    let one = |(file, names): (&String, &Vec<String>)| {
        let link = file.strip_prefix("tests/").map_or_else(|| format!("../{file}"), str::to_owned);
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("[{file}]({link}): {}", names.join(", "))
    };
    by_file.iter().map(one).collect::<Vec<_>>().join("<br>")
}

fn table(rows: &[Row], tests: &Tests) -> String {
    let mut text = String::from(
        "# The fault matrix\n\nWhat can go wrong, what has to happen then, and the tests that show it. Written by \
         `BUCKETREE_WRITE_MATRIX=1 cargo test --test matrix` from\n[matrix/rows.toml](matrix/rows.toml) and the names of \
         the tests; `cargo test row_08` runs those of row 8.\n\n| row | fault | behaviour | tests |\n|---|---|---|---|\n",
    );
    for row in rows {
        let tests = match (&row.cannot, tests.get(&row.number)) {
            (Some(why), _) => format!("none yet: {why}"),
            (None, by_file) => by_file.map(shown).unwrap_or_default(),
        };
        writeln!(text, "| {} | {} | {} | {tests} |", row.number, row.fault, row.behaviour).unwrap();
    }
    text
}

#[test]
fn the_rows_are_all_there() {
    let numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
    for row in rows() {
        assert!(!row.fault.is_empty() && !row.behaviour.is_empty(), "row {}", row.number);
        assert!(!format!("{}{}", row.fault, row.behaviour).contains('|'), "row {} breaks the table", row.number);
    }
}

#[test]
fn every_row_has_a_test_or_says_why_it_cannot() {
    let tests = tests();
    for row in rows() {
        match (&row.cannot, tests.get(&row.number)) {
            (None, None) => panic!("row {} ({}) has no test", row.number, row.fault),
            (Some(why), Some(_)) => panic!("row {} has a test, and still says {why:?}", row.number),
            (Some(why), None) => assert!(why.len() > 20, "row {}: {why:?} is no reason", row.number),
            (None, Some(_)) => {}
        }
    }
    let unknown: Vec<&u32> = tests.keys().filter(|row| !(1..=ROWS).contains(*row)).collect();
    assert!(unknown.is_empty(), "tests of rows that there are not: {unknown:?}");
}

#[test]
fn the_table_says_what_the_tests_say() {
    let text = table(&rows(), &tests());
    let file = root().join(TABLE);
    if std::env::var_os("BUCKETREE_WRITE_MATRIX").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).find(|(written, now)| written != now);
    let hint = "write it anew: BUCKETREE_WRITE_MATRIX=1 cargo test --test matrix";
    assert!(written == text, "{TABLE} is not what the tests say; {hint}\n{differs:#?}");
}
