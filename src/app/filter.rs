//! What the user types after `/`, read into terms that must all hold.

use std::fmt;

use memchr::memmem;
use regex::bytes::Regex;

use crate::domain::assessment::Assessment;
use crate::domain::folders::Subset;
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::{Flag, Timestamp, Verdict};

use super::event::Gathered;
use super::number::{parse_age, parse_bytes};

/// What one term asks of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Test {
    /// The key holds this text; without a capital in it, whatever the case.
    Text(String),
    /// The key matches this regular expression.
    Pattern(String),
    /// It is larger (`true`) or smaller than so many bytes.
    Size(bool, u64),
    /// It is older (`true`) or younger than so many seconds.
    Age(bool, i64),
    /// It is counted under this project, or one of its readings spells the id so.
    Project(String),
    /// It has this verdict.
    Verdict(Verdict),
    /// It has this flag.
    Flag(Flag),
}

/// One term: a test, or its opposite.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// What is asked.
    pub test: Test,
    /// Whether the opposite is wanted.
    pub not: bool,
}

/// A filter. Its text is what the user typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

/// What a filter found.
pub struct Matches {
    /// The matching objects.
    pub subset: Subset,
    /// The matches under projects and findings.
    pub gathered: Gathered,
    /// How many objects were looked at.
    pub of: u64,
}

impl Filter {
    /// Reads what was typed. Terms are separated by spaces; `"two words"` is one term.
    ///
    /// # Errors
    /// What cannot be understood, for the person who types.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for word in words(text) {
            let (not, body) = match word.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, word.as_str()),
            };
            if !body.is_empty() {
                terms.push(Term { test: Test::parse(body)?, not });
            }
        }
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// Whether it lets everything pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it can be answered only after the objects are judged.
    pub fn needs_verdicts(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Project(_) | Test::Verdict(_) | Test::Flag(_)))
    }

    /// The matching objects, in key order; `None` if `cancelled` said so. `now` is what ages are counted from.
    pub fn run(
        &self,
        inventory: &Inventory,
        assessment: Option<&Assessment>,
        now: Option<Timestamp>,
        cancelled: &dyn Fn() -> bool,
    ) -> Option<Vec<ObjectIndex>> {
        let tests: Vec<Ready<'_>> = self.terms.iter().map(|term| Ready::new(term, assessment, now)).collect();
        let mut found = Vec::new();
        let mut start = 0;
        while start < inventory.len() {
            if cancelled() {
                return None;
            }
            let end = start.saturating_add(STEP).min(inventory.len());
            inventory.scan(start..end, |index, key, fields| {
                if !inventory.is_gone(index)
                    && tests.iter().all(|test| test.holds(index, key, fields.size, fields.last_modified))
                {
                    found.push(index);
                }
            });
            start = end;
        }
        Some(found)
    }
}

/// Objects between two looks at whether the answer is still wanted.
const STEP: ObjectIndex = 65_536;

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut pattern) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !pattern => quoted = !quoted,
            '/' if !quoted && (pattern || word.is_empty() || word == "!") => {
                pattern = !pattern;
                word.push(c);
            }
            ' ' if !quoted && !pattern => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(pattern) = text.strip_prefix('/') {
            // A pattern that is still being typed has no closing slash yet.
            let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
            return match Regex::new(pattern) {
                Ok(_) => Ok(Test::Pattern(pattern.to_owned())),
                Err(error) => Err(format!("/{pattern}/ is not a pattern: {}", last_line(&error.to_string()))),
            };
        }
        let Some((name, value)) = text.split_once(':') else { return Ok(Test::Text(text.to_owned())) };
        match name {
            "size" => {
                let (more, value) = comparison(name, value)?;
                Ok(Test::Size(more, parse_bytes(value)?))
            }
            "age" => {
                let (more, value) = comparison(name, value)?;
                Ok(Test::Age(more, parse_age(value)?))
            }
            "project" => Ok(Test::Project(value.to_owned())),
            "verdict" => value.parse().map(Test::Verdict),
            "flag" => value.parse().map(Test::Flag),
            _ => Ok(Test::Text(text.to_owned())),
        }
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim()
}

fn comparison<'a>(name: &str, value: &'a str) -> Result<(bool, &'a str), String> {
    match (value.strip_prefix('>'), value.strip_prefix('<')) {
        (Some(rest), _) => Ok((true, rest)),
        (_, Some(rest)) => Ok((false, rest)),
        _ => Err(format!("{name}: wants > or <, for example {name}:>{}", if name == "size" { "10M" } else { "30d" })),
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A term made ready to be asked many times.
struct Ready<'a> {
    ask: Ask<'a>,
    not: bool,
}

enum Ask<'a> {
    Exact(Box<memmem::Finder<'static>>),
    AnyCase(Regex),
    Size(bool, u64),
    /// Changed before this moment.
    Before(bool, Option<Timestamp>),
    Project(&'a Assessment, String),
    Verdict(&'a Assessment, Verdict),
    Flag(&'a Assessment, Flag),
    Never,
}

impl<'a> Ready<'a> {
    fn new(term: &Term, assessment: Option<&'a Assessment>, now: Option<Timestamp>) -> Self {
        let pattern = |text: &str| Regex::new(text).map_or(Ask::Never, Ask::AnyCase);
        let ask = match (&term.test, assessment) {
            (Test::Text(text), _) if text.chars().any(char::is_uppercase) => {
                Ask::Exact(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
            }
            (Test::Text(text), _) => pattern(&format!("(?i){}", regex::escape(text))),
            (Test::Pattern(text), _) => pattern(text),
            (Test::Size(more, bytes), _) => Ask::Size(*more, *bytes),
            (Test::Age(older, seconds), _) => Ask::Before(*older, now.map(|now| now.plus_seconds(-seconds))),
            (Test::Project(id), Some(assessment)) => Ask::Project(assessment, id.clone()),
            (Test::Verdict(verdict), Some(assessment)) => Ask::Verdict(assessment, *verdict),
            (Test::Flag(flag), Some(assessment)) => Ask::Flag(assessment, *flag),
            (Test::Project(_) | Test::Verdict(_) | Test::Flag(_), None) => Ask::Never,
        };
        Self { ask, not: term.not }
    }

    fn holds(&self, index: ObjectIndex, key: &[u8], size: u64, modified: Option<Timestamp>) -> bool {
        let holds = match &self.ask {
            Ask::Exact(finder) => finder.find(key).is_some(),
            Ask::AnyCase(pattern) => pattern.is_match(key),
            Ask::Size(more, bytes) => {
                if *more {
                    size > *bytes
                } else {
                    size < *bytes
                }
            }
            Ask::Before(older, moment) => match (modified, moment) {
                (Some(modified), Some(moment)) => (modified < *moment) == *older,
                // An unknown age is neither old nor young.
                _ => return false,
            },
            Ask::Project(assessment, wanted) => assessment
                .project(index)
                .is_some_and(|project| is_spelling_of(wanted, assessment.project_id(project).as_bytes())),
            Ask::Verdict(assessment, verdict) => assessment.verdict(index) == *verdict,
            Ask::Flag(assessment, flag) => assessment.flags(index).has(*flag),
            Ask::Never => return false,
        };
        holds != self.not
    }
}

/// Whether what the user typed names the project: the id itself, or the id behind a prefix that ends in `_`.
fn is_spelling_of(typed: &str, id: &[u8]) -> bool {
    let typed = typed.as_bytes();
    typed == id || typed.strip_suffix(id).is_some_and(|prefix| prefix.ends_with(b"_"))
}
