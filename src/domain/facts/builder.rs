//! Resolves what the registry says against the inventory, row by row, without keeping the rows.

use std::borrow::Cow;
use std::hash::Hasher;

use percent_encoding::percent_decode;
use rustc_hash::FxHasher;
use unicode_normalization::UnicodeNormalization;

use super::table::{Facts, Missing, PackedClaim, Projects};
use super::{ClaimKind, RegistryRow};
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::key::Key;
use crate::domain::progress::RegistryReport;
use crate::domain::project::IdRules;

/// Builds [`Facts`] while the registry is read. Whose claims are live is decided at the end, when all projects are known.
#[derive(Debug)]
pub struct FactsBuilder {
    inventory: Inventory,
    ids: IdRules,
    /// Where the store folds Unicode: a hash of the composed spelling of every key that is not ASCII, sorted.
    folded: Vec<(u64, ObjectIndex)>,
    /// Whether any key begins with a slash.
    rooted: bool,
    projects: Projects,
    claims: Vec<PackedClaim>,
    /// Claims on further objects by another spelling of their key.
    respelled: Vec<PackedClaim>,
    missing: Vec<(Key, PackedClaim)>,
}

impl FactsBuilder {
    /// A builder against the inventory as it is now.
    pub fn new(inventory: &Inventory, ids: &IdRules) -> Self {
        let mut folded = Vec::new();
        if ids.fold_nfc {
            inventory.scan(0..inventory.len(), |index, key, _| {
                if !key.is_ascii() {
                    folded.push((hash(Key::new(key).nfc().as_bytes()), index));
                }
            });
            folded.sort_unstable();
        }
        Self {
            inventory: inventory.clone(),
            ids: ids.clone(),
            folded,
            rooted: !inventory.range(b"/").is_empty(),
            projects: Projects::default(),
            claims: Vec::new(),
            respelled: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Takes one row, in any order.
    pub fn row(&mut self, row: RegistryRow) {
        match row {
            RegistryRow::Project { id } => {
                if let Some(number) = self.number(&id) {
                    self.projects.set_live(number);
                }
            }
            RegistryRow::Tracked { key, project } => self.claim(key, ClaimKind::Row, project.as_deref()),
            RegistryRow::Reference { key, project } => self.claim(key, ClaimKind::Reference, project.as_deref()),
        }
    }

    /// The facts, when the registry was read to its end or gave up.
    pub fn finish(mut self, report: RegistryReport) -> Facts {
        self.projects.compare(&self.ids.prefix);
        let projects = &self.projects;
        // A dead row speaks of the object whose key it has most exactly, and condemns no second one.
        self.respelled.retain(|claim| claim.owner().is_none_or(|owner| projects.is_live(owner)));
        self.claims.append(&mut self.respelled);
        self.claims.sort_unstable();
        self.claims.dedup();
        self.claims.shrink_to_fit();
        let missing = self.missing.into_iter();
        let missing = missing.map(|(key, claim)| Missing { key, claim: self.projects.claim(claim) }).collect();
        Facts { report, ids: self.ids, projects: self.projects, claims: self.claims, missing }
    }

    /// The number of a project as the source spells it; `None` if the spelling names nobody.
    fn number(&mut self, spelled: &str) -> Option<u32> {
        let (id, _) = self.ids.canonical_bytes(spelled.as_bytes())?;
        Some(self.projects.number(&id))
    }

    fn claim(&mut self, key: Key, kind: ClaimKind, project: Option<&str>) {
        let owner = project.and_then(|spelled| self.number(spelled));
        let mut found = Vec::new();
        for spelling in likely_spellings(key.as_bytes()) {
            self.find(&spelling, &mut found);
        }
        let meant = found.first().copied();
        for spelling in other_spellings(key.as_bytes(), self.rooted) {
            self.find(&spelling, &mut found);
        }
        if found.is_empty() {
            self.missing.push((key, PackedClaim::new(0, kind, owner)));
            return;
        }
        self.claims.extend(meant.map(|object| PackedClaim::new(object, kind, owner)));
        let others = found.iter().filter(|&&object| Some(object) != meant);
        self.respelled.extend(others.map(|&object| PackedClaim::new(object, kind, owner)));
    }

    /// Adds every object that has this key on this store, the exact one first.
    fn find(&self, key: &[u8], found: &mut Vec<ObjectIndex>) {
        let mut add = |index| {
            if !found.contains(&index) {
                found.push(index);
            }
        };
        self.inventory.find(key).into_iter().for_each(&mut add);
        if !self.ids.fold_nfc {
            return;
        }
        let folded = Key::new(key).nfc();
        self.inventory.find(folded.as_bytes()).into_iter().for_each(&mut add);
        let wanted = hash(folded.as_bytes());
        let start = self.folded.partition_point(|&(hash, _)| hash < wanted);
        let same_hash = self.folded[start..].iter().take_while(|&&(hash, _)| hash == wanted);
        same_hash
            .map(|&(_, index)| index)
            .filter(|&index| self.inventory.key(index).nfc() == folded)
            .for_each(&mut add);
    }
}

/// The keys that a source most likely means: what it wrote; without one leading slash, as paths of URLs are written;
/// percent-decoded, as URLs themselves are. The first of them that is an object's key is the one that is meant.
fn likely_spellings(written: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let bare = written.strip_prefix(b"/");
    let decoded = |bytes| match Cow::from(percent_decode(bytes)) {
        Cow::Owned(decoded) => Some(Cow::Owned(decoded)),
        Cow::Borrowed(_) => None,
    };
    let exact = [Some(Cow::Borrowed(written)), bare.map(Cow::Borrowed)];
    exact.into_iter().chain([decoded(written), bare.and_then(decoded)]).flatten()
}

/// Every key that a source most likely means by what it wrote, what it wrote first.
pub fn likely_keys(written: &Key) -> Vec<Key> {
    let mut keys: Vec<Key> = likely_spellings(written.as_bytes()).map(|bytes| Key::new(&*bytes)).collect();
    keys.retain(|key| !key.as_bytes().is_empty());
    keys.dedup();
    keys
}

/// Keys that a source might mean as well: with a leading slash, where the bucket has such keys; with spaces for plus
/// signs, as forms are written; composed and decomposed. They can protect an object, never condemn it.
fn other_spellings(written: &[u8], rooted: bool) -> Vec<Vec<u8>> {
    let mut others = Vec::new();
    if rooted {
        others.push([b"/", written].concat());
    }
    if written.contains(&b'+') {
        let spaced: Vec<u8> = written.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        others.push(percent_decode(&spaced).collect());
    }
    if !written.is_ascii() || written.contains(&b'%') {
        let decoded: Vec<u8> = percent_decode(written).collect();
        for text in [written, &decoded].into_iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
            others.extend([text.nfc().collect::<String>(), text.nfd().collect()].map(String::into_bytes));
        }
    }
    others
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
