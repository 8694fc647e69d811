//! Projects by number, and what was counted about one object.

use std::cmp::Reverse;

use super::rule::Voices;
use crate::domain::facts::{Facts, Projects};
use crate::domain::project::{IdRules, ProjectId};
use crate::domain::verdict::{Flag, Flags};

/// Every project that is named: the registry's by the numbers of its facts, then those that only keys name.
pub(super) struct Names<'f> {
    known: &'f Projects,
    ids: &'f IdRules,
    others: Projects,
    protected: Vec<u32>,
    last_spelled: Vec<u8>,
    last: Option<(u32, usize)>,
    /// By number: whether a dead project's id resembles a live one, once that was asked.
    resembling: Vec<Option<bool>>,
}

impl<'f> Names<'f> {
    pub(super) fn new(facts: &'f Facts, protected: &[ProjectId]) -> Self {
        let (known, ids) = (facts.projects(), facts.ids());
        let others = Projects::default();
        let mut names =
            Self { known, ids, others, protected: vec![], last_spelled: vec![], last: None, resembling: vec![] };
        names.protected = protected.iter().map(|id| names.number(id.as_bytes())).collect();
        names
    }

    /// The project that a key spells so, and how often the id prefix stands before it; `None` if it names nobody.
    /// Neighbouring keys mostly name the same project, so the last answer is kept.
    pub(super) fn spelled(&mut self, spelled: &[u8]) -> Option<(u32, usize)> {
        if self.last_spelled != spelled {
            self.last = self.ids.canonical_bytes(spelled).map(|(id, prefixes)| (self.number(&id), prefixes));
            self.last_spelled.clear();
            self.last_spelled.extend_from_slice(spelled);
        }
        self.last
    }

    /// The number of a canonical id.
    pub(super) fn number(&mut self, id: &[u8]) -> u32 {
        match self.known.find(id) {
            Some(number) => number,
            None => self.first_other() + self.others.number(id),
        }
    }

    pub(super) fn is_live(&self, number: u32) -> bool {
        self.known.is_live(number)
    }

    /// What is known of a project by its number.
    pub(super) fn life(&mut self, number: u32) -> Life {
        if self.is_live(number) {
            return Life::Live;
        }
        let at = number as usize;
        if at >= self.resembling.len() {
            self.resembling.resize(at + 1, None);
        }
        let resembles = self.resembling[at].unwrap_or_else(|| {
            self.id(number).is_some_and(|id| self.known.resembles_live(id.as_bytes(), &self.ids.prefix))
        });
        self.resembling[at] = Some(resembles);
        if resembles { Life::Doubtful } else { Life::Dead }
    }

    pub(super) fn id(&self, number: u32) -> Option<&ProjectId> {
        match number.checked_sub(self.first_other()) {
            Some(other) => self.others.id(other),
            None => self.known.id(number),
        }
    }

    /// Whether the id is nothing but the word of the id prefix, as `proj` is when `proj_proj_1_s_media.mp4` is cut after
    /// its second word: a reading to reckon with, but no name to show.
    fn is_bare_prefix(&self, id: &ProjectId) -> bool {
        let word = self.ids.prefix.trim_end_matches(|c: char| !c.is_alphanumeric());
        !word.is_empty() && id.as_bytes() == word.as_bytes()
    }

    /// Whether the configuration protects the project.
    pub(super) fn is_protected(&self, number: u32) -> bool {
        self.protected.contains(&number)
    }

    /// The project under which an object is grouped that may belong to any of these: a live one before a dead one, then
    /// the one that most objects name without ambiguity, then the shortest that is not the bare prefix word.
    pub(super) fn primary(&self, projects: &[u32], unambiguous: impl Fn(u32) -> u32) -> Option<u32> {
        let rank = |number: u32| {
            let id = self.id(number);
            let bare = id.is_some_and(|id| self.is_bare_prefix(id));
            let shortest = id.map(|id| (id.as_bytes().len(), id.as_bytes()));
            (Reverse(self.is_live(number)), Reverse(unambiguous(number)), bare, shortest)
        };
        projects.iter().copied().min_by(|&a, &b| rank(a).cmp(&rank(b)))
    }

    fn first_other(&self) -> u32 {
        u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }
}

/// Whether the registry has a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Live,
    Dead,
    /// It has one whose id differs only in how it is written.
    Doubtful,
}

/// What was counted about one object. Used again for the next one, so that counting does not allocate.
#[derive(Default)]
pub(super) struct Census {
    pub(super) voices: Voices,
    /// Every project that a reading or a claim names, each once.
    pub(super) projects: Vec<u32>,
    readings: usize,
    legacy: usize,
    double_prefixed: bool,
}

impl Census {
    pub(super) fn clear(&mut self) {
        let projects = std::mem::take(&mut self.projects);
        *self = Self { projects, ..Self::default() };
        self.projects.clear();
    }

    pub(super) fn reading(&mut self, project: u32, life: Life, prefixes: usize, legacy: bool) {
        self.readings += 1;
        self.legacy += usize::from(legacy);
        self.double_prefixed |= prefixes > 1;
        self.voices.live_reading |= life == Life::Live;
        self.voices.dead_reading |= life != Life::Live;
        self.voices.doubtful |= life == Life::Doubtful;
        self.name(project);
    }

    /// Counts a claim of this project; `None` if it does not say of which.
    pub(super) fn claim(&mut self, owner: Option<(u32, Life)>) {
        let Some((project, life)) = owner else {
            self.voices.unknown_claim = true;
            return;
        };
        self.voices.live_claim |= life == Life::Live;
        self.voices.dead_claim |= life != Life::Live;
        self.voices.doubtful |= life == Life::Doubtful;
        self.name(project);
    }

    fn name(&mut self, project: u32) {
        if !self.projects.contains(&project) {
            self.projects.push(project);
        }
    }

    /// The flags that the readings give.
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::NONE;
        flags.set(Flag::DoublePrefixed, self.double_prefixed);
        flags.set(Flag::Legacy, self.readings > 0 && self.legacy == self.readings);
        flags
    }
}
