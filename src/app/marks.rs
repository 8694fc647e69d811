//! What the user has chosen. Marks belong to objects, not to rows: no order, filter or fold moves them.

use std::collections::BTreeMap;

use crate::domain::inventory::ObjectIndex;
use crate::domain::selection::{Selection, StaleMarks};
use crate::domain::{Flag, Verdict};

use super::forest::Node;
use super::number;
use super::state::State;

/// The marks and what belongs to them.
#[derive(Default)]
pub struct Marks {
    /// The marked objects.
    pub selection: Selection,
    /// Where a range began.
    pub anchor: Option<Node>,
    /// What the last clearing took away.
    pub cleared: Option<Selection>,
    /// Marks that a newer listing did not bear out.
    pub stale: StaleMarks,
}

/// Why an object is not marked in bulk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// Nothing has been judged yet.
    NotJudged,
    /// It is not orphaned.
    Verdict(Verdict),
    /// It is younger than the age guard, or of unknown age.
    Young,
    /// The configuration protects it.
    Protected,
}

impl Reason {
    /// The words for it after a number.
    pub fn words(self) -> &'static str {
        match self {
            Reason::NotJudged => "not judged yet",
            Reason::Verdict(verdict) => verdict.name(),
            Reason::Young => "too young",
            Reason::Protected => "protected",
        }
    }
}

/// What marking many objects came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bulk {
    /// Objects whose mark changed.
    pub changed: u64,
    /// Objects that were left out, by reason.
    pub left_out: BTreeMap<Reason, u64>,
}

impl Bulk {
    /// One line for the user.
    pub fn text(&self, verb: &str) -> String {
        let mut text = format!("{verb} {}", number::objects(self.changed));
        let left: u64 = self.left_out.values().sum();
        if left > 0 {
            let reasons: Vec<String> = self
                .left_out
                .iter()
                .map(|(reason, count)| format!("{} {}", number::count(*count), reason.words()))
                .collect();
            text.push_str(&format!("; left out {}: {}", number::count(left), reasons.join(", ")));
        }
        text
    }
}

impl State {
    /// Why an object is not marked in bulk; `None` if it is.
    pub fn left_out(&self, object: ObjectIndex) -> Option<Reason> {
        let Some(assessment) = &self.bucket.assessment else { return Some(Reason::NotJudged) };
        let flags = assessment.flags(object);
        match assessment.verdict(object) {
            _ if flags.has(Flag::Protected) => Some(Reason::Protected),
            Verdict::Orphaned if flags.has(Flag::Young) => Some(Reason::Young),
            Verdict::Orphaned => None,
            other => Some(Reason::Verdict(other)),
        }
    }

    /// Marks those of the objects that may be marked in bulk.
    pub(super) fn mark_bulk(&mut self, objects: &[ObjectIndex]) -> Bulk {
        let mut bulk = Bulk::default();
        let mut chosen = Vec::new();
        for &object in objects.iter().filter(|object| !self.bucket.inventory.is_gone(**object)) {
            match self.left_out(object) {
                None => chosen.push(object),
                Some(reason) => *bulk.left_out.entry(reason).or_default() += 1,
            }
        }
        bulk.changed = self.set_marks(chosen, true);
        bulk
    }

    /// Sets or takes marks, whatever the objects are; how many changed.
    pub(super) fn set_marks(&mut self, objects: impl IntoIterator<Item = ObjectIndex>, on: bool) -> u64 {
        let changed = self.marks.selection.set(&self.bucket.inventory, objects, on, |_| true);
        if changed > 0 {
            self.marks.cleared = None;
            self.planning.outdated = true;
        }
        changed
    }

    /// The objects that a row stands for, in key order or the order of the group. Of a folder or group only what the filter
    /// lets through.
    pub fn objects_in(&self, node: &Node) -> Vec<ObjectIndex> {
        match node {
            Node::Folder(prefix) => {
                let space = self.space();
                space.range(prefix.as_bytes()).map(|at| space.object_at(at)).collect()
            }
            Node::Group(id) => {
                let Some(tree) = self.group_tree(self.browse.view) else { return Vec::new() };
                let members = tree.group(id).map(|group| tree.members(group.members.clone())).unwrap_or_default();
                members.iter().filter_map(|member| self.object_of(&Node::Member(id.clone(), *member))).collect()
            }
            Node::Object(_) | Node::Member(..) => self.object_of(node).into_iter().collect(),
        }
    }

    /// How many of the objects of a row are marked, and how many there are. Of a group that is larger than the screen can
    /// wait for, only whether the answer is "some".
    pub fn marked_in(&self, node: &Node) -> (u64, u64) {
        let selection = &self.marks.selection;
        match node {
            Node::Folder(prefix) => {
                let range = self.space().range(prefix.as_bytes());
                let objects = self.space().totals(range.clone()).objects;
                (self.space().count_of(range, selection.marks()), objects)
            }
            Node::Group(id) => {
                let Some(tree) = self.group_tree(self.browse.view) else { return (0, 0) };
                let Some(group) = tree.group(id) else { return (0, 0) };
                if selection.is_empty() {
                    return (0, group.tally.objects);
                }
                let members = tree.members(group.members.clone());
                let marked = members
                    .iter()
                    .filter(|member| {
                        self.object_of(&Node::Member(id.clone(), **member))
                            .is_some_and(|object| selection.is_marked(object))
                    })
                    .count() as u64;
                (marked, group.tally.objects)
            }
            Node::Object(_) | Node::Member(..) => {
                let marked = self.object_of(node).is_some_and(|object| selection.is_marked(object));
                (u64::from(marked), 1)
            }
        }
    }
}
