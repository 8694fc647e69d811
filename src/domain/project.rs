//! Whose an object is: project ids and the one spelling by which they are compared.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// A project's id in canonical spelling. Two ids are the same project only if they are equal as whole tokens: `1` is
/// not `10`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(Arc<[u8]>);

impl ProjectId {
    /// An id of bytes that [`IdRules::canonical_bytes`] gave.
    pub(super) fn of_canonical(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for ProjectId {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::key::Escaped(&self.0).fmt(f)
    }
}

impl fmt::Debug for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// How ids are spelled in this app and on this store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IdRules {
    /// The prefix that the app puts before project ids, for example `proj_`; empty if it has none.
    pub prefix: String,
    /// Whether the store keeps one object for all Unicode spellings of a key, as R2 does.
    pub fold_nfc: bool,
}

/// An id as written, read by [`IdRules`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpelledId {
    /// Canonical spelling.
    pub project: ProjectId,
    /// How often the prefix stood before it; more than once is what `double-prefixed` means.
    pub prefixes: usize,
}

impl IdRules {
    /// Strips the prefix as often as it occurs and, where the store folds Unicode, composes the rest. `None` if nothing
    /// is left: a prefix alone names nobody.
    pub fn canonical(&self, spelled: &[u8]) -> Option<SpelledId> {
        let (id, prefixes) = self.canonical_bytes(spelled)?;
        Some(SpelledId { project: ProjectId::of_canonical(&id), prefixes })
    }

    /// As [`IdRules::canonical`], without a new [`ProjectId`]: the canonical bytes, and how often the prefix stood before them.
    pub fn canonical_bytes<'s>(&self, spelled: &'s [u8]) -> Option<(Cow<'s, [u8]>, usize)> {
        let mut rest = spelled;
        let mut prefixes = 0;
        if !self.prefix.is_empty() {
            while let Some(stripped) = rest.strip_prefix(self.prefix.as_bytes()) {
                rest = stripped;
                prefixes += 1;
            }
        }
        if rest.is_empty() {
            return None;
        }
        let id = match std::str::from_utf8(rest) {
            Ok(text) if self.fold_nfc && !text.is_ascii() => Cow::Owned(text.nfc().collect::<String>().into_bytes()),
            _ => Cow::Borrowed(rest),
        };
        Some((id, prefixes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spelled: &str, canonical: &str, prefixes: usize) {
        let rules = IdRules { prefix: "proj_".into(), fold_nfc: false };
        let read = rules.canonical(spelled.as_bytes()).expect("an id");
        assert_eq!((read.project.to_string().as_str(), read.prefixes), (canonical, prefixes), "{spelled}");
    }

    #[test]
    fn ids_are_compared_by_one_spelling() {
        check("proj_1", "1", 1);
        check("1", "1", 0);
        check("proj_proj_1", "1", 2);
        check("proj_10", "10", 1);
        check("proj456", "proj456", 0);
        check("a_b-c", "a_b-c", 0);
        assert_eq!(IdRules { prefix: "proj_".into(), fold_nfc: false }.canonical(b"proj_"), None);
    }

    #[test]
    fn unicode_spellings_are_one_id_only_where_the_store_folds_them() {
        let composed = "caf\u{e9}".as_bytes();
        let decomposed = "cafe\u{301}".as_bytes();
        for (fold_nfc, same) in [(true, true), (false, false)] {
            let rules = IdRules { prefix: String::new(), fold_nfc };
            assert_eq!(rules.canonical(composed) == rules.canonical(decomposed), same);
        }
    }
}
