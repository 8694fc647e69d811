//! What can be wrong with a layout file, by meaning.

use std::fmt;

use crate::domain::verdict::Field;

/// A layout file that cannot be used: where, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{file}, line {line}{}: {problem}", Place(.field))]
pub struct LayoutError {
    /// The file, as it was named by whoever chose it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The key of the file that is wrong, for example `template`; empty if it is none in particular.
    pub field: String,
    /// What is wrong.
    pub problem: LayoutProblem,
}

struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", {}", self.0) }
    }
}

/// What is wrong with a layout file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LayoutProblem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that means nothing here.
    #[error("there is no key {key:?} here{}", Nearest(.nearest))]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A key that must be there.
    #[error("a layout needs {0:?}")]
    MissingKey(&'static str),
    /// A value of the wrong kind.
    #[error("expected {expected}, found {found}")]
    WrongKind {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A text that must not be empty.
    #[error("must not be empty")]
    Empty,
    /// An id prefix with a slash in it.
    #[error("a project prefix stands inside one path segment, so it holds no slash")]
    SlashInPrefix,
    /// Neither canonical nor legacy.
    #[error("health is \"canonical\" or \"legacy\", not {found:?}{}", Nearest(.nearest))]
    UnknownHealth {
        /// What was written.
        found: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A file that reads no key at all.
    #[error("the file has no [[layout]], so no key could be read")]
    NoLayout,
    /// Two layouts of one name.
    #[error("the layout of line {first_line} is called {name:?} too")]
    DuplicateName {
        /// The name.
        name: String,
        /// The line of the first one's name.
        first_line: usize,
    },
    /// Two templates that read the same keys.
    #[error("cannot be told from the template of {other:?} in line {other_line}: both read the same keys")]
    SameSkeleton {
        /// The other layout.
        other: String,
        /// The line of its template.
        other_line: usize,
    },
    /// A template that cannot be read.
    #[error("{0}")]
    Template(TemplateProblem),
}

/// What is wrong with a template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateProblem {
    /// Nothing in it.
    #[error("the template is empty")]
    Empty,
    /// A field that does not exist.
    #[error("there is no field {{{name}}}{}; the fields are {}", Nearest(.nearest), field_names())]
    UnknownField {
        /// The name.
        name: String,
        /// The field that was probably meant.
        nearest: Option<String>,
    },
    /// A field that occurs again.
    #[error("the field {{{}}} occurs twice", .0.name())]
    FieldTwice(Field),
    /// Two fields with nothing between them.
    #[error("nothing stands between {{{}}} and {{{}}}, so nobody can say where one ends", .0.name(), .1.name())]
    Adjacent(Field, Field),
    /// No project.
    #[error("no {{project}}: a reading must say whose an object is")]
    NoProject,
    /// A brace that is never closed.
    #[error("the brace before {text:?} is not closed")]
    Unclosed {
        /// What follows the brace.
        text: String,
    },
    /// A closing brace alone.
    #[error("a closing brace without an opening one")]
    StrayBrace,
    /// A star that is not in a field.
    #[error("a * stands only in a field's alternatives, as in {{project:proj_*}}")]
    StarOutside,
    /// An alternative of no bytes.
    #[error("an alternative of {{{}}} is empty", .0.name())]
    EmptyAlternative(Field),
    /// An alternative with a slash.
    #[error("an alternative of {{{}}} holds a slash; a field stays within one path segment", .0.name())]
    SlashInField(Field),
    /// More path segments than anything that is matched.
    #[error("more than {0} path segments")]
    TooDeep(usize),
    /// Two stars side by side.
    #[error("two * side by side in {{{}}}", .0.name())]
    TwoStars(Field),
}

impl TemplateProblem {
    pub(super) fn unknown_field(name: &str) -> Self {
        TemplateProblem::UnknownField { name: name.to_owned(), nearest: nearest(name, Field::ALL.map(Field::name)) }
    }
}

struct Nearest<'a>(&'a Option<String>);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(nearest) => write!(f, "; did you mean {nearest:?}?"),
            None => Ok(()),
        }
    }
}

fn field_names() -> String {
    Field::ALL.map(|field| format!("{{{}}}", field.name())).join(" ")
}

/// The known word that was probably meant, if one is near enough to be a slip of the hand.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known));
    near.filter(|&(distance, known)| distance <= known.len().max(3) / 3 + 1).min().map(|(_, known)| known.to_owned())
}
