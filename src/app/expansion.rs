//! Which folders are open. Opening everything is one rule, not one entry per folder.

use std::collections::BTreeMap;

use crate::domain::key;

/// What was last said of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rule {
    open: bool,
    /// Whether it also holds for every folder in it that has no rule of its own.
    deep: bool,
}

/// Open folders, by prefix.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expansion {
    rules: BTreeMap<Vec<u8>, Rule>,
}

impl Expansion {
    /// Whether the folder is open. The root, the empty prefix, always is.
    pub fn is_open(&self, prefix: &[u8]) -> bool {
        if prefix.is_empty() {
            return true;
        }
        if let Some(rule) = self.rules.get(prefix) {
            return rule.open;
        }
        let mut above = prefix;
        while !above.is_empty() {
            above = key::parent(above);
            if let Some(rule) = self.rules.get(above).filter(|rule| rule.deep) {
                return rule.open;
            }
        }
        false
    }

    /// Opens or closes one folder; what was open in it is remembered.
    pub fn set(&mut self, prefix: &[u8], open: bool) {
        let deep = self.rules.get(prefix).is_some_and(|rule| rule.deep);
        if deep && !open {
            // Its folders keep the deep rule of before through a rule that only closes this one.
            self.rules.insert(prefix.to_vec(), Rule { open, deep: false });
        } else {
            self.rules.insert(prefix.to_vec(), Rule { open, deep });
        }
    }

    /// Opens or closes a folder and everything in it.
    pub fn set_deep(&mut self, prefix: &[u8], open: bool) {
        let below: Vec<Vec<u8>> = self
            .rules
            .range(prefix.to_vec()..)
            .take_while(|(known, _)| known.starts_with(prefix))
            .map(|(known, _)| known.clone())
            .collect();
        for known in below {
            self.rules.remove(&known);
        }
        self.rules.insert(prefix.to_vec(), Rule { open, deep: true });
    }

    /// Opens every folder on the way to `key`, so that its row can be seen.
    pub fn reveal(&mut self, key: &[u8]) {
        let ends: Vec<usize> = memchr::memchr_iter(b'/', key).map(|at| at + 1).collect();
        for end in ends {
            if !self.is_open(&key[..end]) {
                self.set(&key[..end], true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expansion: &Expansion, prefix: &str, open: bool) {
        assert_eq!(expansion.is_open(prefix.as_bytes()), open, "{prefix}");
    }

    #[test]
    fn folders_open_alone_or_with_all_that_is_in_them() {
        let mut expansion = Expansion::default();
        check(&expansion, "a/", false);
        expansion.set(b"a/", true);
        check(&expansion, "a/", true);
        check(&expansion, "a/b/", false);
        expansion.set_deep(b"a/", true);
        check(&expansion, "a/b/c/", true);
        check(&expansion, "b/", false);
        expansion.set(b"a/b/", false);
        check(&expansion, "a/b/", false);
        expansion.set_deep(b"", false);
        check(&expansion, "a/b/c/", false);
        expansion.reveal(b"x/y/z.txt");
        check(&expansion, "x/", true);
        check(&expansion, "x/y/", true);
    }
}
