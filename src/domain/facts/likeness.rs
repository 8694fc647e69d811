//! Ids that differ in nothing but how they are written. A source may pad, pack or write ids in another case than keys do; two
//! such ids are not the same, but whoever has the one cannot be said to be gone while the other is alive.

use unicode_normalization::UnicodeNormalization;

/// What ids have in common that differ only in case, in blanks and brackets around them, in zeros before a number, in the
/// hyphens of a UUID, in how their characters are composed, or in how the prefix before them is written.
pub(super) fn likeness(id: &[u8], prefix: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(id) else { return id.to_vec() };
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let is_around = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '"' | '\'' | '{' | '}' | '\u{feff}' | '\u{200b}'..='\u{200d}')
    };
    let prefix = prefix.to_lowercase();
    let mut rest = folded.trim_matches(is_around);
    while let Some(bare) = rest.strip_prefix(&prefix).filter(|bare| !prefix.is_empty() && !bare.is_empty()) {
        rest = bare;
    }
    let digits = rest.trim_start_matches('0');
    if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return if digits.is_empty() { b"0".to_vec() } else { digits.into() };
    }
    let packed: Vec<u8> = rest.bytes().filter(|byte| *byte != b'-').collect();
    if packed.len() == 32 && packed.iter().all(u8::is_ascii_hexdigit) { packed } else { rest.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, alike: bool) {
        let of = |id: &str| likeness(id.as_bytes(), "proj_");
        assert_eq!(of(one) == of(other), alike, "{one:?} {other:?}");
    }

    #[test]
    fn ids_that_differ_only_in_writing_are_alike() {
        check("aB3x", "ab3X", true);
        check("7", "007", true);
        check("0", "000", true);
        check("7", "70", false);
        check("a7", "a07", false);
        check("a1  ", "a1", true);
        check("a1\0\0", "a1", true);
        check("x y", "xy", false);
        check("PROJ_9f", "9f", true);
        check("Proj_proj_9f", "9f", true);
        check("proj_", "proj", false);
        check("0198B2A4-7C1E-7000-8000-0123456789AB", "0198b2a47c1e700080000123456789ab", true);
        check("{0198b2a4-7c1e-7000-8000-0123456789ab}", "0198b2a47c1e700080000123456789ab", true);
        check("a-b", "ab", false);
        check("a_b", "a-b", false);
        check("caf\u{e9}", "cafe\u{301}", true);
        check("cafe", "caf\u{e9}", false);
        assert_ne!(likeness(b"\xff", ""), likeness(b"\xfe", ""));
    }
}
