//! How a store spells keys in a listing that was asked for with `encoding-type=url`.
//!
//! AWS says "URL encoding" and nothing more. Most stores write a space as `%20` and a plus as `%2B`; AWS and MinIO write a
//! space as `+` (as forms do); some leave a plus alone; some ignore the wish altogether and say so by leaving out
//! `EncodingType`. A guess would turn `a+b` into `a b`, which is another object. So a plus is decoded only on evidence.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// One way to spell a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spelling {
    /// As it is: nothing is encoded.
    Raw,
    /// `%XX` is a byte, everything else is itself, a plus included.
    Percent,
    /// `%XX` is a byte, a plus is a space.
    Form,
}

/// The plain text whose spelling in an answer tells which [`Spelling`] a store uses.
pub(super) const PROBE: &str = " +%";

impl Spelling {
    const ALL: [Spelling; 3] = [Spelling::Raw, Spelling::Percent, Spelling::Form];

    /// The exact bytes that `text` spells; `None` if it is no such spelling.
    pub(super) fn decode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        let bytes = text.as_bytes();
        if self == Spelling::Raw || memchr2(b'%', b'+', bytes).is_none() {
            return Some(Cow::Borrowed(bytes));
        }
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            decoded.push(match byte {
                b'%' => {
                    let digit = |at: usize| bytes.get(at).and_then(|&digit| char::from(digit).to_digit(16));
                    let value = digit(at)? * 16 + digit(at + 1)?;
                    at += 2;
                    u8::try_from(value).ok()?
                }
                b'+' if self == Spelling::Form => b' ',
                other => other,
            });
        }
        Some(Cow::Owned(decoded))
    }

    /// Whether both spellings read every key alike.
    fn agrees(self, other: Spelling, keys: &[&str]) -> bool {
        let any = |part: u8| keys.iter().any(|key| memchr(part, key.as_bytes()).is_some());
        match (self, other) {
            (Spelling::Percent, Spelling::Form) | (Spelling::Form, Spelling::Percent) => !any(b'+'),
            (Spelling::Raw, Spelling::Percent) | (Spelling::Percent, Spelling::Raw) => !any(b'%'),
            (Spelling::Raw, Spelling::Form) | (Spelling::Form, Spelling::Raw) => !any(b'%') && !any(b'+'),
            _ => true,
        }
    }
}

/// The spelling of a page. `encoded` says whether the page calls itself url-encoded; `echoes` are pairs of what was sent
/// and how the page repeats it. `None` if the page does not prove it: then the store must be asked with [`PROBE`].
pub(super) fn of_page(encoded: bool, keys: &[&str], echoes: &[(&[u8], &str)]) -> Option<Spelling> {
    // Hardly any page has one, and then no key of it has to be looked at for the escapes.
    let any_plus = keys.iter().any(|key| memchr(b'+', key.as_bytes()).is_some());
    let any = |part: &str| keys.iter().any(|key| key.contains(part));
    let mut possible = Spelling::ALL.to_vec();
    if encoded {
        possible.retain(|&spelling| spelling != Spelling::Raw);
        if any_plus {
            // An encoder writes a space in one way and a plus in one way: the raw plus is the one that is never escaped.
            possible.retain(|&spelling| match spelling {
                Spelling::Percent => !any("%2B") && !any("%2b"),
                _ => !any("%20"),
            });
        }
    }
    for (sent, echo) in echoes {
        // RGW encodes keys and repeats prefixes as they are: an echo that may be such a repetition proves nothing.
        let plain = encoded && echo.as_bytes() == *sent;
        let fits = |spelling: &Spelling| spelling.decode(echo).is_some_and(|key| key.as_ref() == *sent);
        if !plain && possible.iter().any(fits) {
            possible.retain(fits);
        }
    }
    let first = *possible.first()?;
    possible.iter().all(|other| first.agrees(*other, keys)).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_become_exact_bytes_or_nothing() {
        let check = |spelling: Spelling, text: &str, expected: Option<&[u8]>| {
            assert_eq!(spelling.decode(text).as_deref(), expected, "{spelling:?} {text}");
        };
        check(Spelling::Percent, "a%20b+c%2B%2f%252F", Some(b"a b+c+/%2F"));
        check(Spelling::Form, "a+b%2Bc", Some(b"a b+c"));
        check(Spelling::Raw, "a+b%2Bc", Some(b"a+b%2Bc"));
        check(Spelling::Percent, "%FF%00", Some(b"\xff\x00"));
        check(Spelling::Percent, "%", None);
        check(Spelling::Percent, "%2", None);
        check(Spelling::Percent, "%zz", None);
        check(Spelling::Percent, "%+1", None);
        check(Spelling::Form, "%\u{e9}", None);
    }

    #[test]
    fn a_plus_is_decoded_only_on_evidence() {
        let check = |encoded: bool, keys: &[&str], echoes: &[(&[u8], &str)], expected: Option<Spelling>| {
            assert_eq!(of_page(encoded, keys, echoes), expected, "{encoded} {keys:?} {echoes:?}");
        };
        check(true, &["a%2Bb", "a%20c"], &[], Some(Spelling::Percent));
        check(true, &["a+b", "a%20c"], &[], Some(Spelling::Percent));
        check(true, &["a+b", "a%2Bc"], &[], Some(Spelling::Form));
        check(true, &["a+b"], &[], None);
        check(true, &["a+b", "%20", "%2B"], &[], None);
        check(true, &["a+b"], &[(b"x", "x")], None);
        check(true, &["a+b"], &[(b"a ", "a+")], Some(Spelling::Form));
        check(true, &["a+b"], &[(b"a+", "a+")], None);
        check(true, &["a+b", "%2B"], &[(b"a+", "a+")], Some(Spelling::Form));
        check(true, &["a+b"], &[(PROBE.as_bytes(), "%20+%25")], Some(Spelling::Percent));
        check(true, &["a+b"], &[(PROBE.as_bytes(), "+%2B%25")], Some(Spelling::Form));
        check(true, &["a+b"], &[(PROBE.as_bytes(), PROBE)], None);
        check(true, &["c%20%2B%25"], &[(b"c +%", "c +%")], Some(Spelling::Percent));
        check(false, &["a b"], &[], Some(Spelling::Raw));
        check(false, &["a+b"], &[], None);
        check(false, &["a%20b"], &[(PROBE.as_bytes(), PROBE)], Some(Spelling::Raw));
        check(false, &["a%20b"], &[(PROBE.as_bytes(), "%20%2B%25")], Some(Spelling::Percent));
    }

    proptest! {
        #[test]
        fn what_a_store_encodes_is_what_we_read(key in "[ +%a-c/\u{e9}\n]{1,12}") {
            let percent = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string();
            let decoded = Spelling::Percent.decode(&percent);
            prop_assert_eq!(decoded.as_deref(), Some(key.as_bytes()));
            let form = percent.replace("%20", "+");
            let decoded = Spelling::Form.decode(&form);
            prop_assert_eq!(decoded.as_deref(), Some(key.as_bytes()));
        }
    }
}
