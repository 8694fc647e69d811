//! A key is what the store said, byte for byte. Segments, prefixes and escapes are views of it.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The exact bytes of an object's key. S3 allows up to 1,024 bytes of UTF-8; a clone may send anything, so nothing is
/// assumed about the encoding. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// A key of exactly these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(Arc::from(bytes.as_ref()))
    }

    /// The exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as text, if it is valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The key as a terminal may show it: see [`Escaped`].
    pub fn escaped(&self) -> Escaped<'_> {
        Escaped(&self.0)
    }

    /// The key in Unicode normalization form C. R2 keeps one object for all spellings of a key (r2/reference/unicode-interoperability);
    /// AWS and MinIO keep one each. A key that is not UTF-8 is returned as it is.
    pub fn nfc(&self) -> Key {
        match self.as_str() {
            Some(text) if !text.is_ascii() => Key::new(text.nfc().collect::<String>()),
            _ => self.clone(),
        }
    }

    /// Whether XML can carry the key to any store without loss: valid UTF-8, no control characters, no U+FFFE or U+FFFF.
    /// Carriage return, line feed and tab are representable but normalised by parsers, so they count as unsafe. So does white
    /// space at either end: R2's local server trims it, and so deletes `lead` where ` lead` was named (seen in wrangler 4.164).
    pub fn is_xml_safe(&self) -> bool {
        let trimmed = |c: char| c.is_whitespace() || c == '\u{FEFF}';
        self.as_str().is_some_and(|text| {
            !text.starts_with(trimmed)
                && !text.ends_with(trimmed)
                && !text.chars().any(|c| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
        })
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escaped())
    }
}

/// Key bytes as a terminal may show them: reversible, nothing hidden and no two keys alike.
///
/// Control characters, bidirectional and zero-width characters, unusual spaces, combining marks of a text that is not
/// in NFC and invalid UTF-8 become `\n`, `\x1b` or `\u{202e}`; a backslash becomes `\\`; a space at either end of a
/// segment becomes `\x20`.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        let edge = |at: usize, len: usize| {
            at == 0 || bytes[at - 1] == b'/' || at + len == bytes.len() || bytes[at + len] == b'/'
        };
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let composed = unicode_normalization::is_nfc(text);
            for c in text.chars() {
                let len = c.len_utf8();
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    ' ' if edge(at, len) => f.write_str("\\x20")?,
                    '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", c as u32)?,
                    _ if is_deceptive(c) || (is_combining_mark(c) && !composed) => write!(f, "\\u{{{:x}}}", c as u32)?,
                    _ => write!(f, "{c}")?,
                }
                at += len;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
                at += 1;
            }
        }
        Ok(())
    }
}

/// Characters that change what is seen without being seen: controls, bidi marks, zero-width and unusual spaces,
/// private use, tags, non-characters.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}'
        | '\u{3000}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

/// The folder part of `bytes` up to and including its last slash before `bytes.len() - 1`; empty for a top-level key.
/// `a/b/` (a folder or a marker) has the parent `a/`.
pub fn parent(bytes: &[u8]) -> &[u8] {
    let end = bytes.len().saturating_sub(1);
    match memchr::memrchr(b'/', &bytes[..end]) {
        Some(at) => &bytes[..=at],
        None => &[],
    }
}

/// The smallest byte string greater than every string that starts with `prefix`; `None` if there is none.
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &[u8], shown: &str) {
        assert_eq!(Escaped(key).to_string(), shown);
    }

    #[test]
    fn what_a_terminal_shows_hides_nothing() {
        check(b"a//b", "a//b");
        check(b"/a", "/a");
        check(b"a b/c", "a b/c");
        check(b" a/b ", "\\x20a/b\\x20");
        check(b"a\nb\tc\rd", "a\\nb\\tc\\rd");
        check(b"\x1b]52;c;x\x07", "\\x1b]52;c;x\\x07");
        check("a\u{202e}b".as_bytes(), "a\\u{202e}b");
        check("a\u{200b}b".as_bytes(), "a\\u{200b}b");
        check(b"a\\nb", "a\\\\nb");
        check(b"\xff/a", "\\xff/a");
        check("caf\u{e9}".as_bytes(), "caf\u{e9}");
        check("cafe\u{301}".as_bytes(), "cafe\\u{301}");
        check("\u{1f3ac}.mp4".as_bytes(), "\u{1f3ac}.mp4");
    }

    #[test]
    fn only_keys_that_no_xml_parser_changes_are_xml_safe() {
        for safe in ["a", "a b", "a//b", "&<>\"'", "\u{e9}", "\u{1f3ac}", "]]>", "%2F", "\u{200b}"] {
            assert!(Key::from(safe).is_xml_safe(), "{safe:?}");
        }
        for changed in
            ["a\nb", "a\rb", "a\tb", "\0", "\u{85}", "\u{fffe}", " a", "a ", " ", "\u{a0}a", "a\u{3000}", "\u{feff}a"]
        {
            assert!(!Key::from(changed).is_xml_safe(), "{changed:?}");
        }
        assert!(!Key::new(b"\xff").is_xml_safe());
    }

    #[test]
    fn parents_and_successors() {
        let parents: &[(&str, &str)] =
            &[("a", ""), ("a/", ""), ("a/b", "a/"), ("a//b", "a//"), ("a/b/", "a/"), ("/", ""), ("/a", "/"), ("", "")];
        for (key, expected) in parents {
            assert_eq!(parent(key.as_bytes()), expected.as_bytes(), "{key}");
        }
        assert_eq!(successor(b"a/"), Some(b"a0".to_vec()));
        assert_eq!(successor(b"a\xff"), Some(b"b".to_vec()));
        assert_eq!(successor(b"\xff\xff"), None);
        assert_eq!(successor(b""), None);
    }
}
