//! `KEY=VALUE` lines, as shells and apps write them.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// The variables of an env file, with their lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct EnvFile {
    pub(super) path: PathBuf,
    variables: Vec<(String, super::Secret, usize)>,
}

impl EnvFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], or [`ConfigError::Syntax`] with the line; neither repeats a line.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| ConfigError::Unreadable { path: path.to_owned(), why: "it is not UTF-8".into() })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file: comments, `export`, single quotes (literal), double quotes (with `\n`, `\t`, `\"`,
    /// `\\`, `\$`), both over several lines. Nothing is expanded: a `$` in a password is a `$`.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut scanner = Scanner { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
        let mut variables = Vec::new();
        loop {
            let line = scanner.line;
            match scanner.variable() {
                Ok(Some((name, value))) => variables.push((name, super::Secret::new(value), line)),
                Ok(None) if scanner.rest.is_empty() => return Ok(Self { path: path.to_owned(), variables }),
                Ok(None) => {}
                Err(why) => return Err(ConfigError::Syntax { path: path.to_owned(), line, why: why.to_owned() }),
            }
        }
    }

    /// The last value of a variable, and its line.
    pub(super) fn get(&self, name: &str) -> Option<(&str, usize)> {
        let found = self.variables.iter().rev().find(|(known, ..)| known == name)?;
        Some((found.1.expose(), found.2))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|(name, ..)| name.as_str())
    }
}

struct Scanner<'t> {
    rest: &'t str,
    line: usize,
}

impl Scanner<'_> {
    /// The variable of the next line, and of as many more as its value takes; `None` for a blank line or a comment.
    fn variable(&mut self) -> Result<Option<(String, String)>, &'static str> {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            self.advance(line.len() + 1);
            return Ok(None);
        }
        let (before, _) = line.split_once('=').ok_or("expected KEY=VALUE")?;
        let name = before.trim();
        let name =
            name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name).trim_start();
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            return Err("expected KEY=VALUE with a KEY of letters, digits and _");
        }
        let name = name.to_owned();
        self.advance(before.len() + 1);
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        let quote = self.rest[blanks..].chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => {
                self.advance(blanks + 1);
                self.quoted(quote)?
            }
            None => self.unquoted(),
        };
        Ok(Some((name, value)))
    }

    fn unquoted(&mut self) -> String {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let length = line.len();
        let end = line.match_indices('#').map(|(at, _)| at).find(|&at| at == 0 || line[..at].ends_with([' ', '\t']));
        let value = line[..end.unwrap_or(length)].trim().to_owned();
        self.advance(length + 1);
        value
    }

    fn quoted(&mut self, quote: char) -> Result<String, &'static str> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        let end = loop {
            match chars.next() {
                None => return Err("a quote is opened here and not closed"),
                Some((at, c)) if c == quote => break at + 1,
                Some((_, '\\')) if quote == '"' => match chars.next().map(|(_, c)| c) {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(c @ ('"' | '\\' | '$' | '`' | '\'')) => value.push(c),
                    Some(other) => value.extend(['\\', other]),
                    None => return Err("a quote is opened here and not closed"),
                },
                Some((_, c)) => value.push(c),
            }
        };
        self.advance(end);
        let after = self.rest.split('\n').next().unwrap_or_default();
        let trailing = after.trim();
        if !trailing.is_empty() && !trailing.starts_with('#') {
            return Err("expected the end of the line after the closing quote");
        }
        self.advance(after.len() + 1);
        Ok(value)
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str, usize)]) {
        let file = EnvFile::parse(text, Path::new(".env")).expect("an env file");
        let found: Vec<_> = file.variables.iter().map(|(name, value, line)| (&**name, value.expose(), *line)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    fn refused(text: &str, message: &str) {
        let error = EnvFile::parse(text, Path::new(".env")).expect_err("broken");
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn lines_as_shells_and_apps_write_them() {
        check("", &[]);
        check("# nothing\n\n", &[]);
        check("A=1\nB=2", &[("A", "1", 1), ("B", "2", 2)]);
        check("\u{feff}A=1\r\n\r\nexport B = two words \r\n", &[("A", "1", 1), ("B", "two words", 3)]);
        check("A=x#y # comment\nB=#\n", &[("A", "x#y", 1), ("B", "", 2)]);
        check("A='a $B \\n # \"'\n", &[("A", "a $B \\n # \"", 1)]);
        check("A=\"a\\n\\\"b\\\" \\$c\" # comment\n", &[("A", "a\n\"b\" $c", 1)]);
        check("K=\"one\ntwo\"\nA=1\n", &[("K", "one\ntwo", 1), ("A", "1", 3)]);
        check("A=\nB=a=b\n", &[("A", "", 1), ("B", "a=b", 2)]);
        check("exported=1\n", &[("exported", "1", 1)]);
    }

    #[test]
    fn what_is_wrong_names_the_line_and_repeats_nothing() {
        refused("A=1\nhunter2\n", ".env, line 2: expected KEY=VALUE");
        refused("A B=1\n", ".env, line 1: expected KEY=VALUE with a KEY of letters, digits and _");
        refused("\n=1\n", ".env, line 2: expected KEY=VALUE with a KEY of letters, digits and _");
        refused("A=1\nB=\"x\nC=2\n", ".env, line 2: a quote is opened here and not closed");
        refused("A='x' y\n", ".env, line 1: expected the end of the line after the closing quote");
    }
}
