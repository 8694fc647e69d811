//! Selectors: which objects of an audited bucket are meant. Each kind that is given must hold.

use std::collections::HashSet;

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::args::SelectorArgs;
use super::error::Stop;
use crate::domain::facts::Owner;
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::judge::Judge;
use crate::domain::layout::Layouts;
use crate::domain::verdict::{Field, Flag, Reading};
use crate::domain::{IdRules, Key, ProjectId, Verdict};
use crate::jobs::audit::Audit;

/// Selectors as they are meant. Of the values of one kind one must hold, of the flags all.
#[derive(Debug, Default)]
pub struct Selectors {
    /// Verdicts; empty for any.
    pub verdicts: Vec<Verdict>,
    /// Flags that must all be there.
    pub flags: Vec<Flag>,
    prefixes: Vec<Vec<u8>>,
    globs: Option<RegexSet>,
    keys: Option<HashSet<Key>>,
    readings: ReadingSelectors,
}

/// What one and the same reading must say.
#[derive(Debug, Default)]
struct ReadingSelectors {
    projects: Vec<ProjectId>,
    scenes: Vec<Vec<u8>>,
    users: Vec<Vec<u8>>,
    layouts: Vec<String>,
}

impl Selectors {
    /// Understands what was typed. `keys` are those of `--keys-from`.
    ///
    /// # Errors
    /// [`Stop`] with exit code 2 for an empty selector, a pattern that is none, or a layout that does not exist.
    pub fn new(
        typed: &SelectorArgs,
        keys: Option<HashSet<Key>>,
        layouts: &Layouts,
        ids: &IdRules,
    ) -> Result<Self, Stop> {
        let prefixes: Vec<Vec<u8>> = typed.prefix.iter().map(|prefix| prefix.as_encoded_bytes().to_vec()).collect();
        let texts = |name: &str, values: &[String]| -> Result<Vec<Vec<u8>>, Stop> {
            not_empty(name, values.iter().any(String::is_empty))?;
            Ok(values.iter().map(|value| value.as_bytes().to_vec()).collect())
        };
        not_empty("--prefix", prefixes.iter().any(Vec::is_empty))?;
        let readings = ReadingSelectors {
            projects: projects(&typed.project, ids)?,
            scenes: texts("--scene", &typed.scene)?,
            users: texts("--user", &typed.user)?,
            layouts: known_layouts(&typed.layout, layouts)?,
        };
        Ok(Self {
            verdicts: typed.verdict.clone(),
            flags: typed.flag.clone(),
            prefixes,
            globs: globs(&typed.glob)?,
            keys,
            readings,
        })
    }

    /// Whether the object is meant. `key` is its key.
    pub fn match_object(&self, audit: &Audit, inventory: &Inventory, index: ObjectIndex, key: &[u8]) -> bool {
        let verdict = audit.assessment.verdict(index);
        (self.verdicts.is_empty() || self.verdicts.contains(&verdict))
            && self.match_flags(audit, index)
            && self.match_key(key)
            && self.readings.match_object(&audit.judge, inventory, index, key)
    }

    /// Whether the object is meant but for its verdict.
    pub fn match_but_verdict(&self, audit: &Audit, inventory: &Inventory, index: ObjectIndex, key: &[u8]) -> bool {
        self.match_flags(audit, index)
            && self.match_key(key)
            && self.readings.match_object(&audit.judge, inventory, index, key)
    }

    /// Keys that were named one by one; `None` if none were.
    pub fn named_keys(&self) -> Option<&HashSet<Key>> {
        self.keys.as_ref()
    }

    fn match_flags(&self, audit: &Audit, index: ObjectIndex) -> bool {
        let flags = audit.assessment.flags(index);
        self.flags.iter().all(|flag| flags.has(*flag))
    }

    fn match_key(&self, key: &[u8]) -> bool {
        (self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| key.starts_with(prefix)))
            && self.keys.as_ref().is_none_or(|keys| keys.contains(key))
            && self.globs.as_ref().is_none_or(|globs| globs.is_match(key))
    }
}

impl ReadingSelectors {
    fn is_empty(&self) -> bool {
        self.projects.is_empty() && self.names_only_a_project()
    }

    fn names_only_a_project(&self) -> bool {
        self.scenes.is_empty() && self.users.is_empty() && self.layouts.is_empty()
    }

    fn match_object(&self, judge: &Judge, inventory: &Inventory, index: ObjectIndex, key: &[u8]) -> bool {
        if self.is_empty() {
            return true;
        }
        let readings = judge.layouts().readings(key, judge.facts().ids()).list;
        readings.iter().any(|reading| self.match_reading(reading))
            || (self.names_only_a_project() && !inventory.is_gone(index) && self.match_claims(judge, index))
    }

    fn match_reading(&self, reading: &Reading) -> bool {
        let one_of = |wanted: &[Vec<u8>], field: Field| {
            wanted.is_empty() || reading.field(field).is_some_and(|found| wanted.iter().any(|value| value == found))
        };
        (self.projects.is_empty() || self.projects.contains(&reading.project))
            && one_of(&self.scenes, Field::Scene)
            && one_of(&self.users, Field::User)
            && (self.layouts.is_empty() || self.layouts.iter().any(|name| **name == *reading.layout))
    }

    /// A row or reference that names a project is a reading too: the registry's own.
    fn match_claims(&self, judge: &Judge, index: ObjectIndex) -> bool {
        judge.facts().claims_of(index).iter().any(|claim| match &claim.owner {
            Owner::Live(id) | Owner::Dead(id) => self.projects.contains(id),
            Owner::Unknown => false,
        })
    }
}

fn not_empty(name: &str, is_empty: bool) -> Result<(), Stop> {
    match is_empty {
        true => {
            Err(Stop::usage("select objects", format!("{name} is empty"), "leave it out, or say what it is to match"))
        }
        false => Ok(()),
    }
}

fn projects(typed: &[String], ids: &IdRules) -> Result<Vec<ProjectId>, Stop> {
    let read = |id: &String| {
        ids.canonical(id.as_bytes()).map(|spelled| spelled.project).ok_or_else(|| {
            Stop::usage("select objects", format!("--project {id:?} names nobody"), "give a whole project id")
        })
    };
    typed.iter().map(read).collect()
}

fn known_layouts(typed: &[String], layouts: &Layouts) -> Result<Vec<String>, Stop> {
    for name in typed {
        if layouts.get(name).is_none() {
            let known: Vec<&str> = layouts.iter().map(|layout| &*layout.name).collect();
            let why = format!("no layout is called {name:?}");
            return Err(Stop::usage("select objects", why, format!("there are {}", known.join(", "))));
        }
    }
    Ok(typed.to_vec())
}

/// Patterns as regular expressions over bytes: a key need not be UTF-8, and is no path of this machine.
fn globs(typed: &[String]) -> Result<Option<RegexSet>, Stop> {
    if typed.is_empty() {
        return Ok(None);
    }
    let wrong = |pattern: &str, why: String| {
        Stop::usage("select objects", format!("--glob {pattern:?}: {why}"), "write it like projects/**/*.mp4")
    };
    let mut expressions = Vec::new();
    for pattern in typed {
        not_empty("--glob", pattern.is_empty())?;
        let glob = globset::GlobBuilder::new(pattern)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| wrong(pattern, error.kind().to_string()))?;
        expressions.push(glob.regex().to_owned());
    }
    let set = RegexSetBuilder::new(&expressions).dot_matches_new_line(true).build();
    set.map(Some).map_err(|error| wrong(&typed.join(" "), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, key: &[u8], matches: bool) {
        let set = globs(&[pattern.to_owned()]).expect("a pattern").expect("one pattern");
        assert_eq!(set.is_match(key), matches, "{pattern} on {key:?}");
    }

    #[test]
    fn globs_are_over_whole_exact_keys() {
        check("projects/*/a.mp4", b"projects/proj_1/a.mp4", true);
        check("projects/*/a.mp4", b"projects/x/y/a.mp4", false);
        check("projects/**/a.mp4", b"projects/x/y/a.mp4", true);
        check("*.mp4", b"a/b.mp4", false);
        check("**", b"a//b\n\xff", true);
        check("a?b", b"a\xffb", true);
        check("a/b", b"a//b", false);
        check("{audio,video}/**", b"video/x", true);
        check("\\*", b"*", true);
        check("\\*", b"a", false);
    }

    fn refused(typed: SelectorArgs) -> bool {
        let layouts = Layouts::autoshorts();
        let ids = IdRules { prefix: "proj_".into(), fold_nfc: false };
        Selectors::new(&typed, None, &layouts, &ids).is_err()
    }

    #[test]
    fn an_empty_selector_never_means_everything() {
        let empty = || vec![String::new()];
        assert!(refused(SelectorArgs { prefix: vec!["".into()], ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { project: empty(), ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { project: vec!["proj_".into()], ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { scene: empty(), ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { user: empty(), ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { glob: empty(), ..SelectorArgs::default() }));
        assert!(refused(SelectorArgs { layout: vec!["no-such".into()], ..SelectorArgs::default() }));
        assert!(!refused(SelectorArgs { layout: vec!["flat".into()], ..SelectorArgs::default() }));
    }
}
