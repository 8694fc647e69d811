//! The words for what bucket, layouts and registry together say of an object, and the evidence for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::facts::Claim;
use super::object::Timestamp;
use super::project::ProjectId;

/// What is said of an object. Keep by default: only [`Verdict::Orphaned`] may be selected in bulk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Verdict {
    /// A live project owns it.
    Live,
    /// Its key names a live project, and the registry, which tracks keys, does not have this one.
    Untracked,
    /// Every reading names a project that the registry does not have.
    Orphaned,
    /// Key and registry disagree.
    Conflict,
    /// No reading at all.
    Unrecognized,
    /// The listing or the registry cannot be trusted, so nothing can be said.
    Undetermined,
}

impl Verdict {
    /// Every verdict, in the order in which they are shown.
    pub const ALL: [Verdict; 6] = [
        Verdict::Live,
        Verdict::Untracked,
        Verdict::Orphaned,
        Verdict::Conflict,
        Verdict::Unrecognized,
        Verdict::Undetermined,
    ];

    /// The word for it in every output and selector.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Live => "live",
            Verdict::Untracked => "untracked",
            Verdict::Orphaned => "orphaned",
            Verdict::Conflict => "conflict",
            Verdict::Unrecognized => "unrecognized",
            Verdict::Undetermined => "undetermined",
        }
    }

    /// Whether the registry had a say in it, so that it has to be asked again before the object is deleted.
    pub fn needs_registry(self) -> bool {
        self != Verdict::Undetermined
    }

    /// Whether objects of this verdict may be marked many at a time.
    pub fn is_bulk_selectable(self) -> bool {
        self == Verdict::Orphaned
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        by_name(Self::ALL, Self::name, text, "verdict")
    }
}

/// A property beside the verdict; an object keeps its verdict whatever its flags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Flag {
    /// The id prefix occurs more than once in a captured project id.
    DoublePrefixed = 0,
    /// Every layout that reads the key is a legacy one.
    Legacy = 1,
    /// Younger than the age guard, or of unknown age.
    Young = 2,
    /// Another object has the same size and ETag.
    Duplicate = 3,
    /// The configuration protects its prefix or project.
    Protected = 4,
    /// It was not seen with this verdict and this ETag in a complete scan as long ago as the configuration asks.
    Unconfirmed = 5,
}

impl Flag {
    /// Every flag, in the order in which they are shown.
    pub const ALL: [Flag; 6] =
        [Flag::DoublePrefixed, Flag::Legacy, Flag::Young, Flag::Duplicate, Flag::Protected, Flag::Unconfirmed];

    /// Flags of objects that are not marked many at a time, whatever their verdict.
    pub const KEPT_FROM_BULK: [Flag; 3] = [Flag::Protected, Flag::Young, Flag::Unconfirmed];

    /// The word for it in every output and selector.
    pub fn name(self) -> &'static str {
        match self {
            Flag::DoublePrefixed => "double-prefixed",
            Flag::Legacy => "legacy",
            Flag::Young => "young",
            Flag::Duplicate => "duplicate",
            Flag::Protected => "protected",
            Flag::Unconfirmed => "unconfirmed",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Flag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        by_name(Self::ALL, Self::name, text, "flag")
    }
}

fn by_name<T: Copy, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
    text: &str,
    what: &str,
) -> Result<T, String> {
    all.into_iter()
        .find(|&item| name(item) == text)
        .ok_or_else(|| format!("no {what} is called {text:?}; there are {}", all.map(name).join(", ")))
}

/// A set of [`Flag`]s in one byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// Whether the flag is set.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// Sets or clears a flag.
    pub fn set(&mut self, flag: Flag, on: bool) {
        self.0 = if on { self.0 | (1 << flag as u8) } else { self.0 & !(1 << flag as u8) };
    }

    /// The flags that are set, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |&flag| self.has(flag))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut set = Flags::NONE;
        flags.into_iter().for_each(|flag| set.set(flag, true));
        set
    }
}

/// Whether the app still writes keys of a layout.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Health {
    /// The app writes it today.
    Canonical,
    /// The app once wrote it.
    Legacy,
}

impl Health {
    /// The word for it in layout files and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Health::Canonical => "canonical",
            Health::Legacy => "legacy",
        }
    }
}

/// What a layout can capture from a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The user's id.
    User,
    /// The project's id, as spelled in the key.
    Project,
    /// The scene's id.
    Scene,
    /// The kind of media.
    Type,
    /// A file name.
    File,
    /// A file name's extension.
    Ext,
}

impl Field {
    /// Every field.
    pub const ALL: [Field; 6] = [Field::User, Field::Project, Field::Scene, Field::Type, Field::File, Field::Ext];

    /// Its name in templates and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Field::User => "user",
            Field::Project => "project",
            Field::Scene => "scene",
            Field::Type => "type",
            Field::File => "file",
            Field::Ext => "ext",
        }
    }
}

/// One way to say whose an object is, read from its key by a layout. A reading always names a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The layout's name.
    pub layout: Arc<str>,
    /// The layout's health.
    pub health: Health,
    /// The captured bytes, in the order of the template.
    pub fields: Vec<(Field, Vec<u8>)>,
    /// The project in canonical spelling.
    pub project: ProjectId,
    /// How often the id prefix stood before the id.
    pub prefixes: usize,
}

impl Reading {
    /// What a field captured.
    pub fn field(&self, field: Field) -> Option<&[u8]> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, bytes)| bytes.as_slice())
    }
}

/// Why an object got its verdict: everything that was compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The rule that decided, as one sentence for a person.
    pub because: String,
    /// Each layout's reading, and whether its project is live.
    pub readings: Vec<(Reading, bool)>,
    /// Rows and references of the registry that have the key.
    pub claims: Vec<Claim>,
    /// The sources asked, with their counts and times: `projects.db: 12 projects, 340 tracked keys, read 2026-...`.
    pub sources: Vec<String>,
    /// Age in seconds by the server's clock; `None` if it cannot be known.
    pub age_seconds: Option<i64>,
    /// When the age was taken, by the server's clock.
    pub judged_at: Option<Timestamp>,
}
