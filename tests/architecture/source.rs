//! Reads Rust text as far as the rules need it: which paths it names, and which parts of it are tests.

use std::collections::BTreeSet;

/// A path that the text names, with `use` groups spelled out: `std::{fs, io}` is `std::fs` and `std::io`. A macro ends
/// in `!`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Line, from 1.
    pub line: usize,
    /// The segments joined by `::`.
    pub path: String,
    /// Whether it stands in test code.
    pub in_test: bool,
}

/// Everything named in `text`; with `is_test`, all of it is test code.
pub fn names(text: &str, is_test: bool) -> Vec<Named> {
    let tokens = tokens(text);
    let tests = test_items(&tokens);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let in_test = is_test || tests.iter().any(|item| item.contains(&at));
        let continues = at > 0 && matches!(tokens[at - 1].text.as_str(), "::" | ".");
        if !tokens[at].is_word() || continues {
            at += 1;
            continue;
        }
        at = read_path(&tokens, at, "", &mut |line, path| found.push(Named { line, path, in_test }));
    }
    found
}

/// The names of modules that `text` declares as `#[cfg(test)] mod NAME;`: their files are test code.
pub fn test_modules(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut found = BTreeSet::new();
    for item in test_items(&tokens) {
        for three in tokens[item].windows(3) {
            if three[0].text == "mod" && three[2].text == ";" {
                found.insert(three[1].text.clone());
            }
        }
    }
    found
}

struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// Reads the path that starts at token `at`, groups included, and returns the index after it.
fn read_path(tokens: &[Token], mut at: usize, before: &str, found: &mut dyn FnMut(usize, String)) -> usize {
    let mut path = before.to_owned();
    let line = tokens[at].line;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    loop {
        path.push_str(text(at));
        at += 1;
        match (text(at), text(at + 1)) {
            ("::", "{") => {
                at += 2;
                while at < tokens.len() && text(at) != "}" {
                    let inner = tokens[at].is_word() && text(at) != "as";
                    at = if inner { read_path(tokens, at, &format!("{path}::"), found) } else { at + 1 };
                    // The new name of `Name as New` is no path.
                    at += if text(at) == "as" { 2 } else { 0 };
                }
                return at + 1;
            }
            ("::", _) if tokens.get(at + 1).is_some_and(Token::is_word) => {
                path.push_str("::");
                at += 1;
            }
            ("!", next) => {
                path.push_str(if next == "=" { "" } else { "!" });
                break;
            }
            _ => break,
        }
    }
    found(line, path);
    at
}

/// The token ranges of items under `#[cfg(test)]`, attribute included, up to their `;` or closing brace.
fn test_items(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let starts = tokens
        .windows(ATTRIBUTE.len())
        .enumerate()
        .filter(|(_, window)| window.iter().map(|token| token.text.as_str()).eq(ATTRIBUTE));
    let mut items = Vec::new();
    for (start, _) in starts {
        let mut depth = 0_i32;
        let mut end = start + ATTRIBUTE.len();
        while let Some(token) = tokens.get(end) {
            end += 1;
            depth += match token.text.as_str() {
                "{" | "(" | "[" => 1,
                "}" | ")" | "]" => -1,
                _ => 0,
            };
            if depth == 0 && matches!(token.text.as_str(), ";" | "}") {
                break;
            }
        }
        items.push(start..end);
    }
    items
}

/// Words, `::` and single signs; comments, strings and character literals are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest);
        if length > 0 {
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
            continue;
        }
        line += usize::from(first == '\n');
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = if word > 0 {
            word
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            found.push(Token { text: rest[..length].to_owned(), line });
        }
        rest = &rest[length..];
    }
    found
}

/// How many bytes at the start of `rest` are a comment, a string, a character literal or a lifetime; 0 if none.
fn skipped(rest: &str) -> usize {
    let to = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return to(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let raw = unprefixed.strip_prefix('r').unwrap_or(unprefixed);
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let opens = raw[hashes..].starts_with('"') && rest.len() - raw.len() <= 2;
    if opens && raw.len() < unprefixed.len() {
        let body = rest.len() - raw.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        return rest[body..].find(&close).map_or(rest.len(), |end| body + end + close.len());
    }
    if opens && hashes == 0 {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') || rest.starts_with("b'") {
        let body = &rest[rest.find('\'').unwrap_or(0) + 1..];
        let second = body.chars().nth(1);
        let is_literal = body.starts_with('\\') || second == Some('\'');
        return if is_literal { quoted(rest, '\'') } else { 1 };
    }
    0
}

/// The length of a quoted literal that may hold escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let open = rest.find(quote).map_or(0, |at| at + 1);
    for (at, c) in rest[open..].char_indices() {
        if c == quote && !escaped {
            return open + at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}
