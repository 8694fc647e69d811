//! What the user has chosen. Marks belong to objects, not to rows: no order, filter or fold moves them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::inventory::ObjectIndex;
use crate::domain::selection::{Extent, Selection, StaleMarks};
use crate::domain::{Flag, Verdict};

use super::effect::Ticket;
use super::forest::Node;
use super::groups::GroupId;
use super::number;
use super::state::{State, View};

/// The marks and what belongs to them.
#[derive(Default)]
pub struct Marks {
    /// The marked objects.
    pub selection: Selection,
    /// Which answer to a glob is wanted: objects are counted by their place, so an answer about an older listing is worth nothing.
    pub glob_ticket: Ticket,
    /// Where a range began.
    pub anchor: Option<Node>,
    /// What the last clearing took away.
    pub cleared: Option<Selection>,
    /// How much of each group is marked; forgotten when marks change.
    pub extents: HashMap<GroupId, Extent>,
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
    /// It was not seen for long enough as what it is.
    Unconfirmed,
}

impl Reason {
    /// The words for it after a number.
    pub fn words(self) -> &'static str {
        match self {
            Reason::NotJudged => "not judged yet",
            Reason::Verdict(verdict) => verdict.name(),
            Reason::Young => "too young",
            Reason::Protected => "protected",
            Reason::Unconfirmed => "not seen for long enough",
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
            Verdict::Orphaned if flags.has(Flag::Unconfirmed) => Some(Reason::Unconfirmed),
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
            self.marks.extents.clear();
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
            _ => Vec::new(),
        }
    }

    /// How much of a row is marked; of a folder or group, how much of what the filter lets through.
    pub fn extent_of(&self, node: &Node) -> Extent {
        match node {
            Node::Folder(prefix) => {
                let space = self.space();
                self.marks.selection.extent_in(space, space.range(prefix.as_bytes()))
            }
            Node::Group(id) => self.marks.extents.get(id).copied().unwrap_or(Extent::None),
            Node::Object(_) | Node::Member(..) => match self.object_of(node) {
                Some(object) if self.marks.selection.is_marked(object) => Extent::All,
                _ => Extent::None,
            },
            _ => Extent::None,
        }
    }

    /// Counts the marks of the groups on the screen, unless that was done since they last changed.
    pub(super) fn count_group_marks<'a>(&mut self, rows: impl Iterator<Item = &'a Node>) {
        for id in rows.filter_map(|node| if let Node::Group(id) = node { Some(id) } else { None }) {
            if !self.marks.extents.contains_key(id) {
                let extent = self.count_group(id);
                self.marks.extents.insert(id.clone(), extent);
            }
        }
    }

    fn count_group(&self, id: &GroupId) -> Extent {
        let selection = &self.marks.selection;
        let tree = self.group_tree(self.browse.view).filter(|_| self.browse.view != View::Plan);
        let Some((tree, group)) = tree.and_then(|tree| Some((tree, tree.group(id)?))) else { return Extent::None };
        if selection.is_empty() {
            return Extent::None;
        }
        let members = tree.members(group.members.clone());
        match members.iter().filter(|member| selection.is_marked(**member)).count() as u64 {
            0 => Extent::None,
            marked if marked < group.tally.objects => Extent::Some,
            _ => Extent::All,
        }
    }
}
