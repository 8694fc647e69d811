//! The rules of the house that the compiler does not know: who may use whom, what stays pure, how long a file is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[path = "architecture/source.rs"]
mod source;

/// Who may use whom; what is not listed is forbidden. `src/lib.rs` says the same to its readers.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", "ui", "jobs", "store", "registry", "scans", "journal", "config", "demo", "domain"]),
    ("ui", &["app", "domain"]),
    ("jobs", &["store", "registry", "journal", "domain"]),
    ("app", &["domain"]),
    ("store", &["domain"]),
    ("registry", &["domain"]),
    ("scans", &["store", "domain"]),
    ("journal", &["domain"]),
    ("config", &["domain"]),
    ("demo", &["domain"]),
    ("domain", &[]),
];

/// What test code of any module may use as well: the embedded bucket is a real server, so it is the best test double.
const TESTS_MAY_ALSO_USE: &[&str] = &["demo"];

/// What a pure module must not name, outside of its tests: the world, and those who talk to it.
const IMPURE: &[&str] = &["tokio", "std::fs", "std::net", "std::process", "std::env", "aws_*", "sqlx", "s3s", "hyper"];

/// The clocks: a pure function is told the time.
const CLOCKS: &[&str] = &["std::time::SystemTime", "SystemTime", "std::time::Instant::now", "Instant::now"];

/// The terminal; views draw into a buffer, only the loop holds one.
const TERMINAL: &[&str] = &["ratatui", "crossterm"];

const LONGEST_FILE: usize = 450;

struct Source {
    /// From `src/` on, with slashes.
    path: String,
    text: String,
    /// The whole file is declared under `#[cfg(test)]`.
    is_test: bool,
}

impl Source {
    /// The top-level module that the file belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules deep the file lies: 1 for `ui/mod.rs`, 2 for `ui/tree.rs`.
    fn depth(&self) -> usize {
        self.path.split('/').filter(|part| *part != "mod.rs").count()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let relative = |file: &Path| file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let mut found: Vec<Source> = files
        .iter()
        .map(|file| Source { path: relative(file), text: std::fs::read_to_string(file).unwrap(), is_test: false })
        .collect();
    mark_test_files(&mut found);
    assert!(found.len() > 10, "only {} files under {}", found.len(), root.display());
    found
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

fn mark_test_files(sources: &mut [Source]) {
    let mut tests = Vec::new();
    for source in sources.iter() {
        let folder = source
            .path
            .strip_suffix("mod.rs")
            .map_or_else(|| format!("{}/", source.path.strip_suffix(".rs").unwrap()), str::to_owned);
        tests.extend(source::test_modules(&source.text).into_iter().map(|name| format!("{folder}{name}")));
    }
    for source in sources {
        let belongs = |test: &String| {
            source.path.strip_prefix(test.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.is_test = tests.iter().any(belongs);
    }
}

/// The top-level module that a path names, if it names one of another module of the crate.
fn target<'path>(source: &Source, path: &'path str) -> Option<&'path str> {
    let mut segments = path.split("::").peekable();
    match segments.peek().copied()? {
        "crate" | "bucketree" => {
            segments.next();
        }
        "super" => {
            let mut up = 0;
            while segments.next_if_eq(&"super").is_some() {
                up += 1;
            }
            if up < source.depth() {
                return None;
            }
        }
        _ => return None,
    }
    let module = segments.next()?;
    let known = ARROWS.iter().any(|(name, _)| *name == module);
    (known && module != source.module()).then_some(module)
}

fn forbidden_arrows(source: &Source) -> Vec<String> {
    if source.path == "lib.rs" {
        return Vec::new();
    }
    let from = source.module();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
        return vec![format!("src/{}: module `{from}` has no arrows", source.path)];
    };
    let may_use = |to: &str, in_test: bool| allowed.contains(&to) || (in_test && TESTS_MAY_ALSO_USE.contains(&to));
    let mut breaches = Vec::new();
    for named in source::names(&source.text, source.is_test) {
        if let Some(to) = target(source, &named.path)
            && !may_use(to, named.in_test)
        {
            breaches.push(format!("src/{}:{}: {from} may not use {to} ({})", source.path, named.line, named.path));
        }
    }
    breaches
}

fn impurities(source: &Source) -> Vec<String> {
    let forbidden: Vec<&str> = match source.module() {
        "domain" => [IMPURE, CLOCKS, TERMINAL].concat(),
        "app" => [IMPURE, CLOCKS].concat(),
        "ui" => IMPURE.to_vec(),
        _ => return Vec::new(),
    };
    let is = |path: &str, rule: &str| match rule.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == rule || path.strip_prefix(rule).is_some_and(|rest| rest.starts_with("::")),
    };
    source::names(&source.text, source.is_test)
        .into_iter()
        .filter(|named| !named.in_test && forbidden.iter().any(|rule| is(&named.path, rule)))
        .map(|named| format!("src/{}:{}: {} names {}", source.path, named.line, source.module(), named.path))
        .collect()
}

fn unfinished(source: &Source) -> Vec<String> {
    source::names(&source.text, source.is_test)
        .into_iter()
        .filter(|named| matches!(named.path.as_str(), "todo!" | "unimplemented!"))
        .map(|named| format!("src/{}:{}: {}", source.path, named.line, named.path))
        .collect()
}

fn too_long(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let breach = format!("src/{}: {lines} lines, at most {LONGEST_FILE}", source.path);
    if lines > LONGEST_FILE { vec![breach] } else { Vec::new() }
}

fn assert_kept(rule: fn(&Source) -> Vec<String>) {
    let breaches: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn modules_use_only_those_that_the_arrows_allow() {
    assert_kept(forbidden_arrows);
}

#[test]
fn domain_app_and_ui_are_pure() {
    assert_kept(impurities);
}

#[test]
fn nothing_is_unfinished() {
    assert_kept(unfinished);
}

#[test]
fn no_file_is_too_long() {
    assert_kept(too_long);
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Reads `a, b -> c -> { d, e }` statements; `nothing` is no target.
fn parse_arrows(text: &str) -> Arrows {
    let spaced = text.replace("->", " -> ").replace(['{', '}'], " ").replace(',', " , ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut lists: Vec<(Vec<&str>, bool)> = Vec::new();
    let (mut joins, mut points) = (false, false);
    for word in words {
        match word {
            "->" => points = true,
            "," => joins = true,
            name if joins => {
                lists.last_mut().unwrap().0.push(name);
                joins = false;
            }
            name => {
                lists.push((vec![name], points));
                points = false;
            }
        }
    }
    let mut arrows = Arrows::new();
    for pair in lists.windows(2).filter(|pair| pair[1].1) {
        for from in &pair[0].0 {
            let targets = pair[1].0.iter().filter(|name| **name != "nothing").map(|name| (*name).to_owned());
            arrows.entry((*from).to_owned()).or_default().extend(targets);
        }
    }
    arrows
}

fn table() -> Arrows {
    ARROWS.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|name| (*name).to_owned()).collect())).collect()
}

#[test]
fn the_map_in_lib_says_the_same() {
    let lib = sources().into_iter().find(|source| source.path == "lib.rs").unwrap();
    let after = lib.text.split("//! Arrows,").nth(1).expect("lib.rs speaks of arrows");
    let block = after.split("```").nth(1).unwrap().trim_start_matches("text").replace("//!", "");
    assert_eq!(parse_arrows(&block), table());
}

#[test]
fn every_module_has_its_arrows() {
    let modules: BTreeSet<String> =
        sources().iter().map(|source| source.module().to_owned()).filter(|module| module != "lib").collect();
    assert_eq!(modules, table().into_keys().collect());
}

/// What `rule` says of a file at `path` that holds `text`.
#[track_caller]
fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, expected: &[&str]) {
    let source = Source { path: path.to_owned(), text: text.to_owned(), is_test: false };
    assert_eq!(rule(&source), expected, "{text}");
}

#[test]
fn a_forbidden_arrow_is_seen_however_it_is_written() {
    let ui = |text, expected| check(forbidden_arrows, "ui/tree.rs", text, expected);
    ui("use crate::app::State; use crate::domain::{Key, Object}; use super::theme; use crate::ui::x;", &[]);
    ui("use crate::store::S3;", &["src/ui/tree.rs:1: ui may not use store (crate::store::S3)"]);
    ui(
        "use crate::{\n    app::State,\n    jobs as work,\n};",
        &["src/ui/tree.rs:3: ui may not use jobs (crate::jobs)"],
    );
    ui("fn f() { crate::cli::run() }", &["src/ui/tree.rs:1: ui may not use cli (crate::cli::run)"]);
    ui(
        "use super::super::config::Settings;",
        &["src/ui/tree.rs:1: ui may not use config (super::super::config::Settings)"],
    );
    ui("// crate::store\n/* crate::store /* */ crate::jobs */ \"crate::store\" r#\"\" crate::jobs\"# b'\"' '\"'", &[]);
    check(
        forbidden_arrows,
        "main.rs",
        "bucketree::jobs::run()",
        &["src/main.rs:1: main may not use jobs (bucketree::jobs::run)"],
    );
    check(forbidden_arrows, "extra.rs", "", &["src/extra.rs: module `extra` has no arrows"]);
}

#[test]
fn tests_may_use_the_embedded_bucket_and_no_more() {
    let text = "#[cfg(test)]\nmod tests { use crate::demo::start; fn f(x: [u8; 2]) {} use crate::cli::run; }\nuse crate::demo::x;";
    check(
        forbidden_arrows,
        "store/s3/mod.rs",
        text,
        &[
            "src/store/s3/mod.rs:2: store may not use cli (crate::cli::run)",
            "src/store/s3/mod.rs:3: store may not use demo (crate::demo::x)",
        ],
    );
    let declared = Source { path: "a/b.rs".into(), text: "#[cfg(test)]\nmod tests;\nmod c;".into(), is_test: false };
    let file = |path: &str| Source { path: path.into(), text: String::new(), is_test: false };
    let mut all = [declared, file("a/b/tests.rs"), file("a/b/tests/more.rs"), file("a/b/c.rs"), file("a/tests.rs")];
    mark_test_files(&mut all);
    assert_eq!(all.map(|source| source.is_test), [false, true, true, false, false]);
}

#[test]
fn an_impurity_is_seen_however_it_is_written() {
    check(
        impurities,
        "domain/key.rs",
        "use std::{fmt, fs, time::Duration};",
        &["src/domain/key.rs:1: domain names std::fs"],
    );
    check(
        impurities,
        "domain/key.rs",
        "fn f() { std::time::Instant::now(); aws_sdk_s3::x(); ratatui::x() }",
        &[
            "src/domain/key.rs:1: domain names std::time::Instant::now",
            "src/domain/key.rs:1: domain names aws_sdk_s3::x",
            "src/domain/key.rs:1: domain names ratatui::x",
        ],
    );
    check(
        impurities,
        "app/mod.rs",
        "use std::time::{Instant, SystemTime};",
        &["src/app/mod.rs:1: app names std::time::SystemTime"],
    );
    check(
        impurities,
        "ui/mod.rs",
        "use ratatui::Frame; #[tokio::main] fn f() {}",
        &["src/ui/mod.rs:1: ui names tokio::main"],
    );
    check(impurities, "domain/key.rs", "#[cfg(test)] mod tests { use std::fs; }", &[]);
    check(impurities, "store/mod.rs", "use tokio::fs;", &[]);
}

#[test]
fn what_is_unfinished_or_too_long_is_seen() {
    check(
        unfinished,
        "cli/mod.rs",
        "fn f() { todo!() }\nfn todo() { unimplemented! {} }",
        &["src/cli/mod.rs:1: todo!", "src/cli/mod.rs:2: unimplemented!"],
    );
    check(too_long, "cli/mod.rs", &"\n".repeat(LONGEST_FILE), &[]);
    check(too_long, "cli/mod.rs", &"\n".repeat(LONGEST_FILE + 1), &["src/cli/mod.rs: 451 lines, at most 450"]);
}

#[test]
fn arrows_are_read_from_text() {
    let read = parse_arrows("main -> cli -> { a, b }\n a -> b        c, d -> b\n b -> nothing");
    let expected =
        [("main", vec!["cli"]), ("cli", vec!["a", "b"]), ("a", vec!["b"]), ("c", vec!["b"]), ("d", vec!["b"])];
    let mut expected: Arrows =
        expected.into_iter().map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect())).collect();
    expected.insert("b".to_owned(), BTreeSet::new());
    assert_eq!(read, expected);
}
