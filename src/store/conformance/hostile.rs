//! Keys that are hard to carry.

use super::{Subject, keys};
use crate::domain::Key;

/// Keys that stores, parsers and proxies are known to change. Control characters and dot segments are apart.
const HOSTILE: &[&str] = &[
    " ",
    " lead",
    "lead",
    "trail ",
    "a b",
    "a  b",
    "/",
    "/lead",
    "a/",
    "a",
    "a//b",
    "a///b",
    "a/b/",
    "+",
    "a+b",
    "%",
    "%2F",
    "%2f",
    "%00",
    "%20",
    "a%b",
    "100%",
    "&<>\"'",
    "&amp;",
    "&#13;",
    "<Key>a</Key>",
    "]]>",
    "back\\slash",
    "007",
    "1e3",
    "0x1F",
    "1.0",
    "true",
    "null",
    "constructor",
    "?x=1&y=2#z",
    "a;b,c:d@e!f$g*h(i)j'k[l]m{n}o|p^q`r~s",
    "\u{1f3ac}.mp4",
    "\u{202e}txt.exe",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{65e5}\u{672c}\u{8a9e}/\u{e9}",
    "\u{200b}",
    "\u{fffd}",
];
const CONTROL: &[&str] = &["a\nb", "a\r\nb", "\r", "tab\there", "\u{1}", "\u{1b}]52;c;x\u{7}", "\u{7f}", "\u{85}"];
const DOTS: &[&str] = &[".", "..", "./a", "../a", "a/./b", "a/../b", "a/.."];

impl Subject<'_> {
    /// Every hostile key that this store can be asked for.
    pub(super) fn hostile_keys(&self) -> Vec<Key> {
        let one_line = |key: &Key| !key.as_bytes().iter().any(|byte| b"\r\n".contains(byte));
        let mut all = keys(HOSTILE);
        all.extend(keys(CONTROL).into_iter().filter(|key| self.quirks.line_breaks || one_line(key)));
        all.extend(keys(DOTS).into_iter().filter(|_| self.quirks.dot_segments));
        all
    }
}
