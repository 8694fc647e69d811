//! Files of exact keys.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use super::error::Stop;
use crate::domain::Key;
use crate::journal::keys::KeyFields;

/// Reads the keys of a file, or of stdin if it is `-`: JSON lines if its name ends in `.jsonl`, else NUL-terminated if
/// there is a NUL byte in it, else one a line. A line is taken byte for byte, but for its newline.
///
/// # Errors
/// [`Stop`] if it cannot be read, names no key, or a line of JSON has none.
pub fn read(path: &Path) -> Result<HashSet<Key>, Stop> {
    let what = || format!("read keys from {}", path.display());
    let bytes = if path.as_os_str() == "-" { stdin() } else { std::fs::read(path) };
    let bytes = bytes.map_err(|error| Stop::failed(what(), error, "give a readable file of keys"))?;
    let keys = match path.extension() {
        Some(extension) if extension == "jsonl" => json_lines(&bytes),
        _ => Ok(split(&bytes)),
    };
    match keys.map_err(|why| Stop::usage(what(), why, "each line needs a key or a key_base64"))? {
        keys if keys.is_empty() => Err(Stop::usage(what(), "there is no key in it", "write one key a line")),
        keys => Ok(keys),
    }
}

/// The keys of stdin, in their order, as `layouts test -` wants them.
///
/// # Errors
/// [`Stop`] if stdin cannot be read.
pub fn from_stdin() -> Result<Vec<Key>, Stop> {
    let bytes = stdin().map_err(|error| Stop::failed("read keys from stdin", error, "pipe them in, one a line"))?;
    Ok(pieces(&bytes).map(Key::new).collect())
}

fn stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
}

fn split(bytes: &[u8]) -> HashSet<Key> {
    pieces(bytes).map(Key::new).collect()
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    bytes.split(move |byte| *byte == end).filter(|piece| !piece.is_empty())
}

fn json_lines(bytes: &[u8]) -> Result<HashSet<Key>, String> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !line.trim_ascii().is_empty());
    lines
        .map(|(line, number)| {
            let fields: KeyFields = serde_json::from_slice(line).map_err(|error| format!("line {number}: {error}"))?;
            Key::try_from(fields).map_err(|why| format!("line {number}: {why}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, content: &[u8], expected: Option<&[&[u8]]>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let expected = expected.map(|keys| keys.iter().map(Key::new).collect());
        assert_eq!(read(&path).ok(), expected, "{name} {content:?}");
    }

    #[test]
    fn keys_are_taken_byte_for_byte() {
        check("k", b"a\n b \n\r\n\xff", Some(&[b"a", b" b ", b"\r", b"\xff"]));
        check("k", b"a\nb\0c\0", Some(&[b"a\nb", b"c"]));
        check("k", b"{\"key\":\"a\"}", Some(&[b"{\"key\":\"a\"}"]));
        check("k.jsonl", b"{\"key\":\"a\",\"size\":1}\n\n{\"key_base64\":\"/w==\"}\n", Some(&[b"a", b"\xff"]));
        check("k.jsonl", b"{\"size\":1}", None);
        check("k.jsonl", b"a", None);
        check("k", b"\n\n", None);
    }
}
