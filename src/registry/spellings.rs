//! How a source may spell a key: apps record keys with a slash before them, percent-encoded as in a URL, or in another
//! Unicode form than the store keeps.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use unicode_normalization::UnicodeNormalization;

use crate::domain::Key;
use crate::domain::facts::RegistryRow;

/// How a place that refers to objects writes their keys, where that is not just the key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeySpelling {
    /// Keys stand behind this address, for example `https://media.example.com`. Whatever follows a `?` or `#` is no part
    /// of them. A value without a host is read as a key all the same.
    pub url: Option<String>,
    /// Keys have slashes before them that are no part of them.
    pub leading_slash: bool,
    /// Keys are percent-encoded.
    pub percent_encoded: bool,
}

impl KeySpelling {
    /// The address behind which keys stand, with a slash at its end.
    pub(super) fn base(&self) -> Option<String> {
        self.url.as_ref().map(|url| format!("{}/", url.trim_end_matches('/')))
    }

    /// What a value means: first the key, then what it may mean as well. Nothing is first where the value leads to another
    /// host than the mapping says: then it is not known whose object it is.
    pub(super) fn read(&self, written: &[u8]) -> Meant {
        let (certain, rest) = match &self.url {
            Some(url) => behind(written, url),
            None => (true, written.to_vec()),
        };
        let mut key: &[u8] = &rest;
        while let Some(bare) = key.strip_prefix(b"/").filter(|_| self.leading_slash) {
            key = bare;
        }
        let key: Vec<u8> = if self.percent_encoded { percent_decode(key).collect() } else { key.to_vec() };
        let mut keys = Vec::new();
        for key in [key, rest] {
            push(&mut keys, key);
        }
        let key = if certain && !keys.is_empty() { Some(keys.remove(0)) } else { None };
        Meant { key, others: keys }
    }

    /// What a value says: whose the key is that it means. Of what it may mean as well, only that somebody speaks of it,
    /// which protects and condemns nothing.
    pub(super) fn rows(&self, written: &[u8], project: Option<String>) -> Vec<RegistryRow> {
        let meant = self.read(written);
        let key = meant.key.map(|key| RegistryRow::Reference { key, project });
        let others = meant.others.into_iter().map(|key| RegistryRow::Reference { key, project: None });
        key.into_iter().chain(others).collect()
    }

    /// How these keys, in all their spellings, may be written there.
    pub(super) fn written(&self, spelled: &[Key]) -> Vec<Key> {
        let mut written = spelled.to_vec();
        if let Some(base) = self.base() {
            let bare = spelled.iter().filter(|key| !key.as_bytes().starts_with(b"/"));
            written.extend(bare.map(|key| Key::new([base.as_bytes(), key.as_bytes()].concat())));
        }
        written
    }
}

/// What a value of a place means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Meant {
    /// The key.
    pub(super) key: Option<Key>,
    /// Keys that it may mean as well.
    pub(super) others: Vec<Key>,
}

/// The part behind an address, and whether the value is of that address. `http`, `https` and no scheme are the same.
fn behind(written: &[u8], url: &str) -> (bool, Vec<u8>) {
    let after_scheme = |text: &[u8]| {
        let at = memchr::memmem::find(text, b"//").filter(|&at| at == 0 || text[at - 1] == b':');
        at.map(|at| text[at + 2..].to_vec())
    };
    let Some(place) = after_scheme(written) else { return (true, written.to_vec()) };
    let end = memchr::memchr2(b'?', b'#', &place).unwrap_or(place.len());
    let place = &place[..end];
    let base = after_scheme(url.trim_end_matches('/').as_bytes()).unwrap_or_default();
    match place.strip_prefix(base.as_slice()).and_then(|rest| rest.strip_prefix(b"/")) {
        Some(rest) => (true, rest.to_vec()),
        None => (false, memchr::memchr(b'/', place).map_or_else(Vec::new, |at| place[at + 1..].to_vec())),
    }
}

/// What RFC 3986 leaves as it is; most SDKs and signers do so.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// What `encodeURI` leaves as it is.
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

/// Every way to encode that is in use: each with and without its slashes encoded.
const ENCODINGS: [&AsciiSet; 5] = [UNRESERVED, &UNRESERVED.remove(b'/'), COMPONENT, &COMPONENT.remove(b'/'), WHOLE];

/// Every spelling of `key` that a source may use, the exact one first, none twice: with and without a leading slash,
/// percent-encoded in the usual ways (upper and lower case, space as `+` too), percent-decoded, each composed (NFC) and
/// decomposed (NFD). A plain key has few; only what has other characters than letters, digits and `-_.~/` has many.
pub fn spellings(key: &Key) -> Vec<Key> {
    let mut found = Vec::new();
    let decoded: Vec<u8> = percent_decode(key.as_bytes()).collect();
    for base in [key.as_bytes(), &decoded] {
        for form in unicode_forms(base) {
            let bare = form.strip_prefix(b"/").unwrap_or(&form);
            let slashed = [b"/", bare].concat();
            for spelled in [&form[..], bare, &slashed] {
                push(&mut found, spelled.to_vec());
                ENCODINGS.iter().for_each(|encoding| push_encoded(&mut found, spelled, encoding));
            }
        }
    }
    found
}

fn unicode_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_ascii() => {
            vec![bytes.to_vec(), text.nfc().collect::<String>().into(), text.nfd().collect::<String>().into()]
        }
        _ => vec![bytes.to_vec()],
    }
}

fn push_encoded(found: &mut Vec<Key>, spelled: &[u8], encoding: &'static AsciiSet) {
    let upper = percent_encode(spelled, encoding).to_string();
    if upper.as_bytes() == spelled {
        return;
    }
    let lower = lower_case_escapes(&upper);
    for text in [upper, lower] {
        if text.contains("%20") {
            push(found, text.replace("%20", "+").into());
        }
        push(found, text.into());
    }
}

/// `%2F` as `%2f`. Every `%` of an encoded text starts an escape.
fn lower_case_escapes(encoded: &str) -> String {
    let mut rest_of_escape = 0;
    let lower = |c: char| {
        if c == '%' {
            rest_of_escape = 2;
            return c;
        }
        let in_escape = rest_of_escape > 0;
        rest_of_escape -= i32::from(in_escape);
        if in_escape { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(lower).collect()
}

fn push(found: &mut Vec<Key>, bytes: Vec<u8>) {
    if !bytes.is_empty() && !found.iter().any(|key| key.as_bytes() == bytes) {
        found.push(Key::new(bytes));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(key: &str, spelled: &str) {
        let all = spellings(&key.into());
        assert!(all.contains(&spelled.into()), "{key} as {spelled}: {all:?}");
        assert_eq!(all[0], key.into(), "the exact spelling is first");
    }

    #[test]
    fn the_spellings_that_apps_use() {
        check("a/b", "a/b");
        check("a/b", "/a/b");
        check("/a/b", "a/b");
        check("a/b", "a%2Fb");
        check("a/b", "a%2fb");
        check("a b", "a%20b");
        check("a b", "a+b");
        check("a b", "/a%20b");
        check("a%20b", "a b");
        check("a:b c", "a:b%20c");
        check("a:b c", "a%3Ab%20c");
        check("a(1).mp4", "a%281%29.mp4");
        check("a(1) b.mp4", "a(1)%20b.mp4");
        check("caf\u{e9}", "cafe\u{301}");
        check("cafe\u{301}", "caf\u{e9}");
        check("caf\u{e9}", "caf%C3%A9");
        check("caf\u{e9}", "caf%c3%a9");
        check("caf\u{e9}", "cafe%CC%81");
        check("cafe\u{301}", "/caf%C3%A9");
    }

    fn meant(spelling: &KeySpelling, written: &str, key: Option<&str>, others: &[&str]) {
        let expected = Meant { key: key.map(Into::into), others: others.iter().map(|&key| key.into()).collect() };
        assert_eq!(spelling.read(written.as_bytes()), expected, "{written}");
    }

    #[test]
    fn a_place_says_how_it_writes_keys() {
        let plain = KeySpelling::default();
        meant(&plain, "/a%20b", Some("/a%20b"), &[]);
        let slashed = KeySpelling { leading_slash: true, percent_encoded: true, ..KeySpelling::default() };
        meant(&slashed, "//a%20b", Some("a b"), &["//a%20b"]);
        meant(&slashed, "a", Some("a"), &[]);
        let url = KeySpelling { url: Some("https://cdn.example.com/media/".into()), ..KeySpelling::default() };
        meant(&url, "https://cdn.example.com/media/a/b.png?width=7#x", Some("a/b.png"), &[]);
        meant(&url, "http://cdn.example.com/media/a.png", Some("a.png"), &[]);
        meant(&url, "//cdn.example.com/media/a.png", Some("a.png"), &[]);
        meant(&url, "a?b.png", Some("a?b.png"), &[]);
        meant(&url, "https://elsewhere.example.com/media/a.png", None, &["media/a.png"]);
        meant(&url, "https://cdn.example.com/mediator/a.png", None, &["mediator/a.png"]);
        meant(&url, "https://cdn.example.com", None, &[]);
        let encoded = KeySpelling { percent_encoded: true, ..url };
        meant(&encoded, "https://cdn.example.com/media/a%20b", Some("a b"), &["a%20b"]);
        let written = encoded.written(&["a b".into(), "/a b".into()]);
        assert_eq!(written, ["a b".into(), "/a b".into(), Key::from("https://cdn.example.com/media/a b")]);
    }

    #[test]
    fn a_plain_key_costs_little() {
        let count = spellings(&"projects/proj_1/scenes/2/media/a-b.mp4".into()).len();
        assert!(count <= 6, "{count}");
    }

    proptest! {
        #[test]
        fn no_spelling_twice_and_none_of_another_key(key in "[a-c/ +é0-9]{1,12}") {
            let key = Key::new(key);
            let all = spellings(&key);
            let mut distinct = all.clone();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), all.len());
            // A spelling leads back to the key: decode, read + as a space, drop the slash, compose.
            let plain = |bytes: &[u8]| {
                let text: Vec<u8> = percent_decode(bytes).collect();
                let text = String::from_utf8_lossy(&text).nfc().collect::<String>().replace('+', " ");
                text.trim_start_matches('/').to_owned()
            };
            for spelled in &all {
                prop_assert_eq!(plain(spelled.as_bytes()), plain(key.as_bytes()));
            }
        }
    }
}
