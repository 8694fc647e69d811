//! Why a layout reads a key as it does, or where the two part.

use std::fmt;
use std::sync::Arc;

use super::matching::{self, MAX_READINGS, MAX_SEGMENTS, Slices, next_end};
use super::template::{Part, Segment};
use super::{Layout, Layouts};
use crate::domain::key::Escaped;
use crate::domain::project::IdRules;
use crate::domain::verdict::{Health, Reading};

/// What one layout makes of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The layout's name.
    pub layout: Arc<str>,
    /// Its template as written.
    pub template: Arc<str>,
    /// Its health.
    pub health: Health,
    /// What it makes of the key.
    pub outcome: Explained,
}

/// What a layout makes of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Explained {
    /// It reads the key, in each of these ways.
    Reads {
        /// The readings of this layout alone.
        readings: Vec<Reading>,
        /// Whether there may be more.
        overflow: bool,
    },
    /// It does not read the key.
    Differs(Difference),
}

/// Where a key and a template part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The byte of the key, counted from 0.
    pub at: usize,
    /// The part of the template that would have to stand there; `None` where the template has ended.
    pub expected: Option<String>,
    /// What stands there, to the end of its path segment; empty where the key or the segment has ended.
    pub found: Vec<u8>,
    /// More to say, if there is.
    pub note: Option<&'static str>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.at)?;
        match &self.expected {
            Some(part) => write!(f, "expected {part}, ")?,
            None => write!(f, "the template ends here, ")?,
        }
        match self.found.as_slice() {
            [] => write!(f, "but nothing is left")?,
            found => write!(f, "found {}", Escaped(found))?,
        }
        self.note.map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

impl Layouts {
    /// What each layout makes of a key, in the order of the file.
    pub fn explain(&self, key: &[u8], ids: &IdRules) -> Vec<Explanation> {
        self.iter()
            .map(|layout| Explanation {
                layout: Arc::clone(&layout.name),
                template: layout.template.text(),
                health: layout.health,
                outcome: layout.explain(key, ids),
            })
            .collect()
    }
}

impl Layout {
    fn explain(&self, key: &[u8], ids: &IdRules) -> Explained {
        let differs = |at: usize, expected: Option<String>, found: &[u8], note| {
            Explained::Differs(Difference { at, expected, found: found.to_vec(), note })
        };
        if let Err(invalid) = std::str::from_utf8(key) {
            let at = invalid.valid_up_to();
            return differs(at, Some("text in UTF-8".into()), &key[at..], Some("such keys are always kept"));
        }
        let Some(slices) = Slices::of(key, MAX_SEGMENTS) else {
            return differs(
                0,
                Some(self.template.as_str().to_owned()),
                key,
                Some("far more slashes than any template"),
            );
        };
        if let Some(difference) = self.difference(&slices) {
            return Explained::Differs(difference);
        }
        let (mut readings, mut seen) = (Vec::new(), 0);
        let complete = matching::each_capture(&self.template, &slices, &mut |captures| {
            seen += 1;
            readings.extend(self.reading(key, captures, ids));
            seen < MAX_READINGS
        });
        if readings.is_empty() && complete {
            return differs(0, Some("a project's id".into()), key, Some("a prefix alone names nobody"));
        }
        Explained::Reads { readings, overflow: !complete }
    }

    /// The first segment that does not fit, and how far into it the key could be read.
    fn difference(&self, slices: &Slices<'_>) -> Option<Difference> {
        let key = slices.key;
        for index in 0..self.template.segments.len().max(slices.count()) {
            let Some(segment) = self.template.segments.get(index) else {
                let at = slices.bounds(index - 1).1;
                return Some(Difference { at, expected: None, found: key[at..].to_vec(), note: None });
            };
            if index >= slices.count() {
                let expected = segment.parts.iter().map(Part::text).collect::<String>();
                return Some(Difference {
                    at: key.len(),
                    expected: Some(format!("/{expected}")),
                    found: vec![],
                    note: None,
                });
            }
            let (start, end) = slices.bounds(index);
            let mut furthest = Furthest::default();
            if !furthest.reaches_end(segment, &key[start..end], 0, 0) {
                let part = segment.parts.get(furthest.part).map(Part::text);
                let expected = Some(part.unwrap_or_else(|| "the end of this path segment".to_owned()));
                let at = start + furthest.at;
                return Some(Difference { at, expected, found: key[at..end].to_vec(), note: None });
            }
        }
        None
    }
}

/// The furthest part of a segment that was reached, past the last one for the segment's end, and the byte where it did
/// not fit.
#[derive(Default)]
struct Furthest {
    part: usize,
    at: usize,
    steps: usize,
}

/// As many places are tried; beyond that the furthest so far is told.
const MAX_TRIES: usize = 100_000;

impl Furthest {
    fn stop(&mut self, part: usize, at: usize) -> bool {
        if (part, at) >= (self.part, self.at) {
            (self.part, self.at) = (part, at);
        }
        false
    }

    fn reaches_end(&mut self, segment: &Segment, bytes: &[u8], part: usize, at: usize) -> bool {
        let rest = &bytes[at..];
        self.steps += 1;
        match segment.parts.get(part) {
            None => rest.is_empty() || self.stop(part, at),
            Some(Part::Literal(literal)) if rest.starts_with(literal) => {
                self.reaches_end(segment, bytes, part + 1, at + literal.len())
            }
            Some(Part::Literal(_)) => self.stop(part, at),
            Some(Part::Capture { pattern, .. }) => {
                let follower = segment.parts.get(part + 1);
                let (mut from, mut accepted) = (1, false);
                while let Some(length) = next_end(follower, rest, from).filter(|_| self.steps < MAX_TRIES) {
                    if pattern.accepts(&rest[..length]) {
                        accepted = true;
                        if self.reaches_end(segment, bytes, part + 1, at + length) {
                            return true;
                        }
                    }
                    from = length + 1;
                }
                match (accepted, pattern.accepts(rest)) {
                    (true, _) => false,
                    // A field that never ended lacks what follows it, not itself.
                    (false, true) => self.stop(part + 1, bytes.len()),
                    (false, false) => self.stop(part, at),
                }
            }
        }
    }
}
