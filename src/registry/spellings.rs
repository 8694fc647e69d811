//! How a source may spell a key: apps record keys with a slash before them, percent-encoded as in a URL, or in another
//! Unicode form than the store keeps.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use unicode_normalization::UnicodeNormalization;

use crate::domain::Key;

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
