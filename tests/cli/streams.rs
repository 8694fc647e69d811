//! What goes through pipes: exact bytes, closed ends, signals.

use std::io::{Read, Write};
use std::process::Stdio;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;

use crate::common::pty::{self, Pty, Size};
use crate::program::{Ran, World, program};

/// Puts objects by another client than the one under test; each is as long as its place in the list.
fn put(world: &World, keys: &[String]) {
    let credentials =
        Credentials::new(world.demo("access_key_id"), world.demo("secret_access_key"), None, None, "test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(Region::new("auto"))
        .endpoint_url(world.demo("endpoint"))
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .build();
    let client = Client::from_conf(config);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        for (length, key) in keys.iter().enumerate() {
            let body = ByteStream::from(vec![0; length]);
            client.put_object().bucket(world.demo("bucket")).key(key).body(body).send().await.unwrap();
        }
    });
}

fn tricky() -> Vec<String> {
    let names = [
        "",
        "a",
        "a/",
        "a/b",
        "a//b",
        " ",
        "b c",
        "%2F",
        "+",
        "new\nline",
        "tab\t",
        "\u{1b}[31m",
        "\u{202e}gnp",
        "\u{1f3ac}.mp4",
        "cafe\u{301}",
        "back\\slash",
        "<&>\"'",
        "\u{7f}",
    ];
    let mut keys: Vec<String> = names.iter().map(|name| format!("tricky/{name}")).collect();
    keys.push(format!("tricky/{}", "x".repeat(1024 - 7)));
    keys.sort();
    keys
}

#[test]
fn rows_56_57_a_pipe_gets_exact_keys_and_a_script_exact_sizes() {
    let world = World::start();
    let keys = tricky();
    put(&world, &keys);
    let ended_by = |end: &str| keys.iter().map(|key| format!("{key}{end}")).collect::<String>();
    let ls = world.check(&["ls", "tricky/"], 0, &[]);
    assert_eq!(ls.text(), ended_by("\n"));
    let ls = world.check(&["ls", "-0", "tricky/"], 0, &[]);
    assert_eq!(ls.text(), ended_by("\0"));
    let ls = world.check(&["ls", "--json", "tricky/"], 0, &[]).json();
    let listed: Vec<&str> = ls.iter().map(|object| object["key"].as_str().unwrap()).collect();
    assert_eq!(listed, keys);
    assert!(ls.iter().enumerate().all(|(length, object)| object["size"] == length), "{ls:?}");

    let du = world.check(&["du", "--json", "tricky/"], 0, &[]).json();
    let of = |kind: &str, key: &str| {
        du.iter().find(|line| line["kind"] == kind && line["key"] == key).map(|line| (&line["objects"], &line["bytes"]))
    };
    let sum = |prefix: &str| {
        let below = keys.iter().enumerate().filter(|(_, key)| key.starts_with(prefix));
        below.fold((0, 0), |(objects, bytes), (length, _)| (objects + 1, bytes + length))
    };
    let number = |found: Option<(&serde_json::Value, &serde_json::Value)>| {
        found.map(|(objects, bytes)| (objects.as_u64().unwrap() as usize, bytes.as_u64().unwrap() as usize))
    };
    assert_eq!(number(of("total", "tricky/")), Some(sum("tricky/")));
    assert_eq!(number(of("folder", "tricky/a/")), Some(sum("tricky/a/")));
    assert_eq!(number(of("object", "tricky/")), Some((1, 0)), "the marker itself");
    assert!(world.check(&["ls", "tricky/no-such"], 0, &[]).stdout.is_empty());

    let named = world.write("named", ended_by("\0"));
    let arguments =
        ["plan", "delete", "--verdict", "unrecognized", "--json", "-o", "plan.jsonl", "--keys-from", &named];
    let plan = world.run(&arguments).one();
    assert_eq!((&plan["not_in_bucket"], &plan["left_out"]["young"]), (&0.into(), &keys.len().into()), "{plan}");
}

#[test]
fn row_56_a_terminal_gets_nothing_hidden_and_nothing_to_obey() {
    let world = World::start();
    put(&world, &tricky());
    let on_a_terminal = |flags: &[&str]| {
        let mut command = pty::bucketree(world.home.path(), &[&["audit", "tricky/"], flags].concat());
        let environment = world.command(&[""; 0]);
        environment.get_envs().for_each(|(name, value)| command.env(name, value.unwrap_or_default()));
        let mut terminal = Pty::start(command, Size::new(200, 60));
        assert_eq!(terminal.wait_exit(), 0);
        // The line of progress is wiped out like this.
        String::from_utf8(terminal.raw()).unwrap().replace("\r\u{1b}[K", "")
    };
    let said = on_a_terminal(&["--no-color"]);
    for shown in
        ["tricky/\\x1b[31m", "tricky/\\u{202e}gnp", "tricky/new\\nline", "tricky/\\x20", "tricky/back\\\\slash"]
    {
        assert!(said.contains(shown), "{shown} is not in {said}");
    }
    assert!(said.contains("tricky/a//b") && !said.contains(['\u{202e}', '\u{1b}', '\u{7f}']), "{said:?}");
    assert!(on_a_terminal(&[]).contains("\u{1b}[2munrecognized"), "a terminal has colors");
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let world = World::with_objects(3000);
    for arguments in [&["ls"][..], &["audit"], &["audit", "--json"], &["ls", "--json"]] {
        let mut child = world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 10];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn layouts_are_tried_on_arguments_and_on_stdin() {
    let home = tempfile::tempdir().unwrap();
    let test = |arguments: &[&str], stdin: &[u8]| {
        let mut command = program(home.path());
        command.args(["layouts", "test"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran { code: output.status.code(), stdout: output.stdout, stderr: String::from_utf8(output.stderr).unwrap() }
    };
    let flat = test(&["proj_proj_1_2_media.mp4"], b"");
    assert_eq!(flat.code, Some(0));
    assert!(
        flat.text().contains("flat (legacy, double-prefixed): project 1, read from project=proj_proj_1"),
        "{flat:?}"
    );
    let both = test(&["--json", "audio/proj_7/s/a.mp3", "-"], b"x\ny z\n").json();
    let readings = |at: usize| both[at]["readings"].as_array().unwrap();
    assert_eq!(both.len(), 3);
    assert_eq!((&readings(0)[0]["layout"], &readings(0)[0]["project"]), (&"by-content".into(), &"7".into()));
    assert_eq!((both[2]["key"].as_str(), readings(2).len()), (Some("y z"), 0));
    assert!(both[1]["layouts"].as_array().unwrap().iter().all(|layout| layout["why_not"].is_string()), "{both:?}");
    let none = test(&["-"], b"");
    assert_eq!(none.code, Some(2), "{none:?}");
}

#[cfg(unix)]
#[test]
fn a_served_bucket_goes_when_it_is_told_to() {
    let home = tempfile::tempdir().unwrap();
    for signal in ["-INT", "-TERM"] {
        let mut command = program(home.path());
        let mut child = command.args(["demo", "--serve", "--objects", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut registry = String::new();
        while !registry.starts_with("BUCKETREE_REGISTRY=") {
            registry.clear();
            assert!(std::io::BufRead::read_line(&mut stdout, &mut registry).unwrap() > 0);
        }
        let registry = std::path::PathBuf::from(registry.trim_end().split_once('=').unwrap().1);
        assert!(registry.exists());
        let told = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(!registry.exists(), "{signal} leaves {registry:?} behind");
    }
}
