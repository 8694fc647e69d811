//! What a key template is made of, and the one grammar that reads it.
//!
//! ```text
//! template    = segment *( "/" segment )          a field never crosses a slash
//! segment     = *( literal / field )
//! field       = "{" name [ ":" alternative *( "|" alternative ) ] "}"
//! alternative = text and "*"                      "*" stands for one byte or more
//! ```
//!
//! A plain `{name}` takes one byte or more, like `{name:*}`.

use std::sync::Arc;

use super::error::TemplateProblem;
use super::matching::MAX_SEGMENTS;
use crate::domain::verdict::Field;

/// A key template, ready to match keys and to render them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    text: Arc<str>,
    pub(super) segments: Vec<Segment>,
    pub(super) fields: Vec<Field>,
}

/// What stands between two slashes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Segment {
    pub(super) parts: Vec<Part>,
}

/// A literal or a field. Two fields never touch, so what ends a field is a literal or the end of its segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Literal(Box<[u8]>),
    Capture { field: Field, pattern: Pattern },
}

/// What a field accepts: any of its alternatives, each held as the literal pieces around its stars.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Pattern {
    /// Whether it is a plain field: anything but nothing.
    anything: bool,
    alternatives: Vec<Vec<Box<[u8]>>>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first [`TemplateProblem`] from the left; a missing `{project}` is said last.
    pub fn parse(text: &str) -> Result<Self, TemplateProblem> {
        if text.is_empty() {
            return Err(TemplateProblem::Empty);
        }
        let mut template = Template { text: Arc::from(text), segments: vec![Segment::default()], fields: Vec::new() };
        let mut rest = text;
        while !rest.is_empty() {
            rest = match rest.strip_prefix('{') {
                Some(inside) => template.read_field(inside)?,
                None => template.read_literal(rest)?,
            };
        }
        if template.segments.len() > MAX_SEGMENTS {
            return Err(TemplateProblem::TooDeep(MAX_SEGMENTS));
        }
        if !template.fields.contains(&Field::Project) {
            return Err(TemplateProblem::NoProject);
        }
        Ok(template)
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The fields that it captures, from left to right.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    fn push(&mut self, part: Part) {
        match self.segments.last_mut() {
            Some(segment) => segment.parts.push(part),
            None => self.segments.push(Segment { parts: vec![part] }),
        }
    }

    fn read_literal<'t>(&mut self, text: &'t str) -> Result<&'t str, TemplateProblem> {
        let end = text.find('{').unwrap_or(text.len());
        let (literal, rest) = text.split_at(end);
        if literal.contains('}') {
            return Err(TemplateProblem::StrayBrace);
        }
        if literal.contains('*') {
            return Err(TemplateProblem::StarOutside);
        }
        for (index, piece) in literal.split('/').enumerate() {
            if index > 0 {
                self.segments.push(Segment::default());
            }
            if !piece.is_empty() {
                self.push(Part::Literal(piece.as_bytes().into()));
            }
        }
        Ok(rest)
    }

    fn read_field<'t>(&mut self, inside: &'t str) -> Result<&'t str, TemplateProblem> {
        let Some(end) = inside.find(['{', '}']).filter(|&end| inside.as_bytes()[end] == b'}') else {
            return Err(TemplateProblem::Unclosed { text: inside.chars().take(20).collect() });
        };
        let (name, alternatives) = match inside[..end].split_once(':') {
            Some((name, alternatives)) => (name, Some(alternatives)),
            None => (&inside[..end], None),
        };
        let field = Field::ALL
            .into_iter()
            .find(|field| field.name() == name)
            .ok_or_else(|| TemplateProblem::unknown_field(name))?;
        if self.fields.contains(&field) {
            return Err(TemplateProblem::FieldTwice(field));
        }
        if let Some(Part::Capture { field: before, .. }) = self.segments.last().and_then(|segment| segment.parts.last())
        {
            return Err(TemplateProblem::Adjacent(*before, field));
        }
        let pattern = Pattern::parse(field, alternatives.unwrap_or("*"))?;
        self.push(Part::Capture { field, pattern });
        self.fields.push(field);
        Ok(&inside[end + 1..])
    }

    /// What is left when the names of the fields do not count. Templates with the same skeleton read the same keys.
    pub(super) fn skeleton(&self) -> String {
        let parts = |segment: &Segment| segment.parts.iter().map(Part::skeleton).collect::<String>();
        self.segments.iter().map(parts).collect::<Vec<_>>().join("/")
    }
}

impl Segment {
    /// The bytes that this segment is, if it captures nothing.
    pub(super) fn as_literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(&[]),
            [Part::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }
}

impl Part {
    fn skeleton(&self) -> String {
        match self {
            Part::Literal(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Part::Capture { pattern, .. } => format!("{{{}}}", pattern.text()),
        }
    }

    /// The part as a template writes it.
    pub(super) fn text(&self) -> String {
        match self {
            Part::Literal(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Part::Capture { field, pattern } if pattern.anything => format!("{{{}}}", field.name()),
            Part::Capture { field, pattern } => format!("{{{}:{}}}", field.name(), pattern.text()),
        }
    }
}

impl Pattern {
    fn parse(field: Field, text: &str) -> Result<Self, TemplateProblem> {
        if text.contains('/') {
            return Err(TemplateProblem::SlashInField(field));
        }
        let mut alternatives = Vec::new();
        for alternative in text.split('|') {
            if alternative.is_empty() {
                return Err(TemplateProblem::EmptyAlternative(field));
            }
            if alternative.contains("**") {
                return Err(TemplateProblem::TwoStars(field));
            }
            alternatives.push(alternative.split('*').map(|piece| piece.as_bytes().into()).collect::<Vec<Box<[u8]>>>());
        }
        let is_star = |pieces: &Vec<Box<[u8]>>| pieces.len() == 2 && pieces.iter().all(|piece| piece.is_empty());
        let star = alternatives.iter().position(is_star);
        if let Some(at) = star {
            alternatives = vec![alternatives.swap_remove(at)];
        }
        alternatives.sort();
        alternatives.dedup();
        Ok(Self { anything: star.is_some(), alternatives })
    }

    fn text(&self) -> String {
        let one = |pieces: &Vec<Box<[u8]>>| {
            pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect::<Vec<_>>().join("*")
        };
        self.alternatives.iter().map(one).collect::<Vec<_>>().join("|")
    }

    /// Whether a capture may start where `rest` starts: the cheap question before any searching.
    pub(super) fn may_start(&self, rest: &[u8]) -> bool {
        self.anything || self.alternatives.iter().any(|pieces| starts_with(rest, &pieces[0]))
    }

    /// Whether the whole of `bytes` is one of the alternatives.
    pub(super) fn accepts(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty() && (self.anything || self.alternatives.iter().any(|pieces| accepts(pieces, bytes)))
    }
}

/// Each star takes at least one byte; the leftmost place for every piece leaves the most room for what follows.
fn accepts(pieces: &[Box<[u8]>], bytes: &[u8]) -> bool {
    let [first, between @ .., last] = pieces else {
        return pieces.first().is_some_and(|literal| literal.len() == bytes.len() && starts_with(bytes, literal));
    };
    let Some(end) = bytes.len().checked_sub(last.len()) else { return false };
    if !starts_with(bytes, first) || !starts_with(&bytes[end..], last) {
        return false;
    }
    let mut at = first.len();
    for piece in between {
        let Some(found) = bytes.get(at + 1..end).and_then(|rest| memchr::memmem::find(rest, piece)) else {
            return false;
        };
        at += 1 + found + piece.len();
    }
    at < end
}

/// As the method of slices; for the few bytes of a literal a loop is quicker than a call of `memcmp`.
pub(super) fn starts_with(bytes: &[u8], literal: &[u8]) -> bool {
    bytes.len() >= literal.len() && literal.iter().zip(bytes).all(|(a, b)| a == b)
}
