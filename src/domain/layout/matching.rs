//! Every way in which a template reads a key.
//!
//! A field may end at any place where what follows it occurs, so `proj_a_b_c_media.mp4` has one reading for each way to
//! share its underscores. All of them are found: an object is never called an orphan because the first guess was dead.
//! Names that can be read in absurdly many ways stop at a bound, and the reader is told.

use memchr::{memchr, memmem};

use super::template::{Part, Segment, Template, starts_with};
use crate::domain::verdict::Field;

/// How many readings of one key are kept.
pub(super) const MAX_READINGS: usize = 64;

/// How many places are tried for one key and one layout before the search gives up.
const MAX_STEPS: usize = 4096;

/// Fields captured as positions in the key.
#[derive(Clone, Copy, Default)]
pub(super) struct Captures([(usize, usize); Field::ALL.len()]);

impl Captures {
    pub(super) fn get<'k>(&self, key: &'k [u8], field: Field) -> &'k [u8] {
        let (start, end) = self.0[field as usize];
        key.get(start..end).unwrap_or_default()
    }
}

/// Where the path segments of a key lie.
pub(super) struct Slices<'k> {
    pub(super) key: &'k [u8],
    ends: [usize; MAX_SEGMENTS],
    count: usize,
}

/// More path segments than this, no template reads.
pub(super) const MAX_SEGMENTS: usize = 32;

impl<'k> Slices<'k> {
    /// Cuts a key at its slashes; `None` if it has more than `most` segments.
    pub(super) fn of(key: &'k [u8], most: usize) -> Option<Self> {
        let mut slices = Slices { key, ends: [0; MAX_SEGMENTS], count: 0 };
        let most = most.min(MAX_SEGMENTS);
        for at in memchr::memchr_iter(b'/', key).chain([key.len()]) {
            if slices.count == most {
                return None;
            }
            slices.ends[slices.count] = at;
            slices.count += 1;
        }
        Some(slices)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Start and end of a segment in the key.
    pub(super) fn bounds(&self, segment: usize) -> (usize, usize) {
        (if segment == 0 { 0 } else { self.ends[segment - 1] + 1 }, self.ends[segment])
    }

    fn bytes(&self, segment: usize) -> &'k [u8] {
        let (start, end) = self.bounds(segment);
        &self.key[start..end]
    }
}

/// Whether the key can be told apart from the template by its literals alone. Costs no more than comparing bytes.
pub(super) fn fits_literals(template: &Template, slices: &Slices<'_>) -> bool {
    template.segments.len() == slices.count()
        && template.segments.iter().enumerate().all(|(index, segment)| ends_fit(segment, slices.bytes(index)))
}

fn ends_fit(segment: &Segment, bytes: &[u8]) -> bool {
    if let Some(literal) = segment.as_literal() {
        return literal.len() == bytes.len() && starts_with(bytes, literal);
    }
    let first = match segment.parts.first() {
        Some(Part::Literal(literal)) => starts_with(bytes, literal),
        Some(Part::Capture { pattern, .. }) => pattern.may_start(bytes),
        None => true,
    };
    first && !matches!(segment.parts.last(), Some(Part::Literal(literal)) if !bytes.ends_with(literal))
}

/// Calls `found` for every reading; false if the search was given up, by its own bound or because `found` said so.
pub(super) fn each_capture(
    template: &Template,
    slices: &Slices<'_>,
    found: &mut impl FnMut(&Captures) -> bool,
) -> bool {
    let mut walk = Walk { template, slices, captures: Captures::default(), steps: 0, found };
    walk.segment(0)
}

struct Walk<'w, 'k, F> {
    template: &'w Template,
    slices: &'w Slices<'k>,
    captures: Captures,
    steps: usize,
    found: &'w mut F,
}

impl<F: FnMut(&Captures) -> bool> Walk<'_, '_, F> {
    fn segment(&mut self, index: usize) -> bool {
        match self.template.segments.get(index) {
            None => (self.found)(&self.captures),
            Some(segment) if segment.as_literal().is_some() => self.segment(index + 1),
            Some(segment) => self.part(segment, index, 0, self.slices.bounds(index).0),
        }
    }

    /// Reads the segment's parts from `part` on, where the key is read from `at` on.
    fn part(&mut self, segment: &Segment, index: usize, part: usize, at: usize) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return false;
        }
        let end = self.slices.bounds(index).1;
        let rest = &self.slices.key[at..end];
        match segment.parts.get(part) {
            None if rest.is_empty() => self.segment(index + 1),
            None => true,
            Some(Part::Literal(literal)) if starts_with(rest, literal) => {
                self.part(segment, index, part + 1, at + literal.len())
            }
            Some(Part::Literal(_)) => true,
            Some(Part::Capture { field, pattern }) => {
                if !pattern.may_start(rest) {
                    return true;
                }
                let follower = segment.parts.get(part + 1);
                let mut from = 1;
                while let Some(length) = next_end(follower, rest, from) {
                    self.steps += 1;
                    if self.steps > MAX_STEPS {
                        return false;
                    }
                    if pattern.accepts(&rest[..length]) {
                        self.captures.0[*field as usize] = (at, at + length);
                        if !self.part(segment, index, part + 1, at + length) {
                            return false;
                        }
                    }
                    from = length + 1;
                }
                true
            }
        }
    }
}

/// The next length, `from` or more, at which a field that starts `rest` may end.
pub(super) fn next_end(follower: Option<&Part>, rest: &[u8], from: usize) -> Option<usize> {
    let tail = rest.get(from..)?;
    let offset = match follower {
        None => Some(tail.len()),
        Some(Part::Literal(literal)) => match **literal {
            [byte] => memchr(byte, tail),
            _ => memmem::find(tail, literal),
        },
        Some(Part::Capture { .. }) => None,
    }?;
    Some(from + offset)
}
