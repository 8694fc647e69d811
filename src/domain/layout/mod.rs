//! Layouts: the shapes of keys that the app writes or once wrote.
//!
//! One [`Template`] both reads a key into its fields and renders fields into a key. A key may have several readings, by
//! several layouts or by one; all of them are kept.

mod error;
mod explain;
mod file;
mod matching;
mod template;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use error::{LayoutError, LayoutProblem, TemplateProblem};
pub use explain::{Difference, Explained, Explanation};
pub use template::Template;

use super::project::IdRules;
use super::verdict::{Field, Health, Reading};
use matching::{Captures, MAX_READINGS, Slices};
use template::Part;

/// A named key template and whether the app still writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Its name, unique in its file.
    pub name: Arc<str>,
    /// Its template.
    pub template: Template,
    /// Whether the app still writes it.
    pub health: Health,
}

impl Layout {
    /// The key of these fields, the inverse of reading: `None` if a field of the template is missing or is something
    /// that the template would not read there (empty, with a slash, none of the alternatives).
    pub fn render(&self, fields: &[(Field, Vec<u8>)]) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        for (index, segment) in self.template.segments.iter().enumerate() {
            if index > 0 {
                key.push(b'/');
            }
            for part in &segment.parts {
                match part {
                    Part::Literal(literal) => key.extend_from_slice(literal),
                    Part::Capture { field, pattern } => {
                        let (_, value) = fields.iter().find(|(name, _)| name == field)?;
                        if value.contains(&b'/') || !pattern.accepts(value) {
                            return None;
                        }
                        key.extend_from_slice(value);
                    }
                }
            }
        }
        Some(key)
    }

    fn reading(&self, key: &[u8], captures: &Captures, ids: &IdRules) -> Option<Reading> {
        let spelled = ids.canonical(captures.get(key, Field::Project))?;
        let fields = self.template.fields.iter().map(|&field| (field, captures.get(key, field).to_vec())).collect();
        let (project, prefixes) = (spelled.project, spelled.prefixes);
        Some(Reading { layout: Arc::clone(&self.name), health: self.health, fields, project, prefixes })
    }
}

/// Every reading of one key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Readings {
    /// By layout in the order of the file, then from the shortest first field on.
    pub list: Vec<Reading>,
    /// Whether there may be more than these: such a key can be kept, never called an orphan.
    pub overflow: bool,
}

/// One reading as positions in the key, for those who look at millions of keys.
pub(super) struct Match<'m> {
    pub(super) layout: &'m Layout,
    key: &'m [u8],
    captures: &'m Captures,
}

impl<'m> Match<'m> {
    /// The project's id as the key spells it.
    pub(super) fn project(&self) -> &'m [u8] {
        self.captures.get(self.key, Field::Project)
    }
}

/// All layouts of an app, and how it spells project ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layouts {
    id_prefix: String,
    layouts: Vec<Layout>,
    deepest: usize,
}

impl Layouts {
    /// Reads a layout file. `file` is what errors call it.
    ///
    /// # Errors
    /// [`LayoutError`] for the first thing that is wrong: it names file, line and key.
    pub fn parse(toml: &str, file: &str) -> Result<Self, LayoutError> {
        file::parse(toml, file)
    }

    /// The layouts that ship with the program. A test proves that their file can be read; if it could not, no key would
    /// be read, and every object kept.
    pub fn autoshorts() -> Self {
        Self::parse(Self::AUTOSHORTS, "autoshorts.toml").unwrap_or_else(|_| Self::new(String::new(), Vec::new()))
    }

    /// The text of the shipped layout file, for users who start their own from it.
    pub const AUTOSHORTS: &str = include_str!("../../../assets/layouts/autoshorts.toml");

    fn new(id_prefix: String, layouts: Vec<Layout>) -> Self {
        let deepest = layouts.iter().map(|layout| layout.template.segments.len()).max().unwrap_or(0);
        Self { id_prefix, layouts, deepest }
    }

    /// What the app puts before project ids, for [`IdRules`]; empty if nothing.
    pub fn id_prefix(&self) -> &str {
        &self.id_prefix
    }

    /// The layouts in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Layout> {
        self.layouts.iter()
    }

    /// The layout of this name.
    pub fn get(&self, name: &str) -> Option<&Layout> {
        self.layouts.iter().find(|layout| *layout.name == *name)
    }

    /// Every reading of a key. A project capture that is nothing but id prefixes names nobody and is no reading. A key
    /// that is not UTF-8 has none: no registry can name what it holds.
    pub fn readings(&self, key: &[u8], ids: &IdRules) -> Readings {
        let mut list = Vec::new();
        let complete = self.each_match(key, &mut |found| list.extend(found.layout.reading(key, found.captures, ids)));
        Readings { list, overflow: !complete }
    }

    /// Calls `found` for every reading without allocating; false if there may be more readings than were found.
    pub(super) fn each_match(&self, key: &[u8], found: &mut impl FnMut(Match<'_>)) -> bool {
        let Some(slices) = Slices::of(key, self.deepest) else { return true };
        let mut text = None;
        let mut seen = 0;
        for layout in &self.layouts {
            if !matching::fits_literals(&layout.template, &slices) {
                continue;
            }
            if !*text.get_or_insert_with(|| std::str::from_utf8(key).is_ok()) {
                return true;
            }
            let complete = matching::each_capture(&layout.template, &slices, &mut |captures| {
                seen += 1;
                if seen <= MAX_READINGS {
                    found(Match { layout, key, captures });
                }
                seen <= MAX_READINGS
            });
            if !complete {
                return false;
            }
        }
        true
    }

    /// SHA-256 (hex) over what the layouts mean: id prefix, names, templates, health, in their order. Comments and
    /// spacing do not count. A plan made under another hash is refused.
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        };
        add("bucketree layouts 1");
        add(&self.id_prefix);
        for layout in &self.layouts {
            add(&layout.name);
            add(layout.template.as_str());
            add(layout.health.name());
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
