//! What the user has chosen. Marks belong to objects, not to rows: no order, filter or fold moves them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::assessment::Assessment;
use crate::domain::bits::{BitSet, masked, words_of};
use crate::domain::inventory::ObjectIndex;
use crate::domain::selection::{Extent, Selection, StaleMarks};
use crate::domain::{Flag, Verdict};

use super::effect::Ticket;
use super::forest::Node;
use super::groups::{Finding, GroupId};
use super::number;
use super::state::{State, View};

/// The marks and what belongs to them.
#[derive(Default)]
pub struct Marks {
    /// The marked objects.
    pub selection: Selection,
    /// Which answer to a glob is wanted: objects are counted by their place, so an answer about an older listing is worth nothing.
    pub glob_ticket: Ticket,
    /// The glob whose answer is awaited.
    pub glob: Option<String>,
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
    fn leave_out(&mut self, reason: Reason, objects: u64) {
        if objects > 0 {
            *self.left_out.entry(reason).or_default() += objects;
        }
    }

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

    /// Marks those of the objects that may be marked in bulk. The work is the same however many they are: it is done for
    /// 64 objects at a time.
    pub(super) fn mark_bulk(&mut self, mut objects: BitSet) -> Bulk {
        objects.take_out(self.bucket.inventory.gone());
        let mut bulk = Bulk::default();
        let Some(assessment) = &self.bucket.assessment else {
            bulk.leave_out(Reason::NotJudged, objects.count());
            return bulk;
        };
        bulk.left_out = left_out(assessment, &objects);
        objects.keep(assessment.bulk().objects());
        bulk.changed = self.set_all_marks(&objects, true);
        bulk
    }

    /// Sets or takes marks of a few objects, whatever they are; how many changed.
    pub(super) fn set_marks(&mut self, objects: impl IntoIterator<Item = ObjectIndex>, on: bool) -> u64 {
        let changed = self.marks.selection.set(&self.bucket.inventory, objects, on, |_| true);
        self.marks_changed(changed)
    }

    /// Sets or takes marks of many objects, whatever they are; how many changed.
    pub(super) fn set_all_marks(&mut self, objects: &BitSet, on: bool) -> u64 {
        let weighed = self.bucket.assessment.as_ref().map(Assessment::bulk);
        let changed = self.marks.selection.set_all(&self.bucket.inventory, objects, on, weighed);
        self.marks_changed(changed)
    }

    fn marks_changed(&mut self, changed: u64) -> u64 {
        if changed > 0 {
            self.marks.cleared = None;
            self.marks.extents.clear();
            self.planning.outdated = true;
        }
        changed
    }

    /// The objects that a row stands for. Of a folder or group only what the filter lets through.
    pub fn objects_in(&self, node: &Node) -> BitSet {
        match node {
            Node::Folder(prefix) => {
                let space = self.space();
                space.objects(space.range(prefix.as_bytes()))
            }
            Node::Group(id) => self.objects_of_group(id),
            Node::Object(_) | Node::Member(..) => self.object_of(node).into_iter().collect(),
            _ => BitSet::default(),
        }
    }

    fn objects_of_group(&self, id: &GroupId) -> BitSet {
        let view = self.browse.view;
        let tree = self.group_tree(view);
        let Some((tree, group)) = tree.and_then(|tree| Some((tree, tree.group(id)?))) else { return BitSet::default() };
        if view == View::Plan {
            let rows = tree.members(group.members.clone()).iter();
            return rows.filter_map(|row| self.object_of(&Node::Member(id.clone(), *row))).collect();
        }
        if let Some(whole) = self.whole_finding(id) {
            let space = self.space();
            return BitSet::of_words(space.span(0..space.len()), |at| whole.word(at) & space.objects_of_word(at));
        }
        let mut objects = BitSet::default();
        tree.leaves(group).iter().for_each(|leaf| objects.put_in(&BitSet::of_increasing(tree.by_number(leaf))));
        objects
    }

    /// The objects of a finding in all projects, those that are gone or that the filter does not let through included.
    fn whole_finding(&self, id: &GroupId) -> Option<&BitSet> {
        let assessment = self.bucket.assessment.as_ref()?;
        match (id.finding?, &id.project) {
            (Finding::Verdict(verdict), None) => Some(assessment.with_verdict(verdict)),
            (Finding::Flag(flag), None) => Some(assessment.with_flag(flag)),
            (_, Some(_)) => None,
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
        let space = self.space();
        if let Some(whole) = self.whole_finding(id) {
            let words = masked(space.span(0..space.len()), |at| whole.word(at) & space.objects_of_word(at));
            return selection.extent_of(words);
        }
        let gone = self.bucket.inventory.gone();
        let leaves = tree.leaves(group).iter();
        let words = leaves.flat_map(|leaf| words_of(tree.by_number(leaf)));
        selection.extent_of(words.map(|(at, word)| (at, word & !gone.word(at))))
    }
}

/// Why objects are not marked in bulk, and how many of them for each reason.
fn left_out(assessment: &Assessment, objects: &BitSet) -> BTreeMap<Reason, u64> {
    let mut bulk = Bulk::default();
    let mut rest = objects.clone();
    rest.take_out(assessment.bulk().objects());
    let mut leave = |reason: Reason, of: &mut BitSet, set: &BitSet| {
        bulk.leave_out(reason, of.count_shared(set));
        of.take_out(set);
    };
    leave(Reason::Protected, &mut rest, assessment.with_flag(Flag::Protected));
    let mut orphaned = rest.clone();
    orphaned.keep(assessment.with_verdict(Verdict::Orphaned));
    leave(Reason::Young, &mut orphaned, assessment.with_flag(Flag::Young));
    leave(Reason::Unconfirmed, &mut orphaned, assessment.with_flag(Flag::Unconfirmed));
    rest.take_out(assessment.with_verdict(Verdict::Orphaned));
    for verdict in Verdict::ALL {
        leave(Reason::Verdict(verdict), &mut rest, assessment.with_verdict(verdict));
    }
    // Of what was listed since, nothing was said.
    bulk.leave_out(Reason::Verdict(Verdict::Undetermined), rest.count());
    bulk.left_out
}
