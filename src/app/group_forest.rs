//! Groups and their members as rows.

use std::ops::Range;

use super::forest::{Forest, Node};
use super::groups::{GroupId, GroupTree, OpenGroups};

/// Groups as rows. Members for which `is_gone` holds are passed over.
pub struct GroupForest<'a> {
    /// The groups.
    pub tree: &'a GroupTree,
    /// Which are open.
    pub open: &'a OpenGroups,
    /// Whether a member is no longer there.
    pub is_gone: &'a dyn Fn(u32) -> bool,
}

impl GroupForest<'_> {
    fn number(&self, id: &GroupId) -> Option<usize> {
        self.tree.number(id)
    }

    fn siblings(&self, id: &GroupId) -> Range<usize> {
        match id.parent().and_then(|parent| self.tree.group(&parent)) {
            Some(parent) => parent.groups.clone(),
            None => 0..self.tree.roots,
        }
    }

    fn group_in(&self, mut numbers: impl Iterator<Item = usize>) -> Option<Node> {
        let number = numbers.find(|number| self.tree.groups()[*number].tally.objects > 0)?;
        Some(Node::Group(self.tree.groups()[number].id.clone()))
    }

    fn member_in(&self, id: &GroupId, positions: impl Iterator<Item = usize>) -> Option<Node> {
        let mut members = positions.filter_map(|at| self.tree.members(at..at + 1).first().copied());
        members.find(|member| !(self.is_gone)(*member)).map(|member| Node::Member(id.clone(), member))
    }
}

impl Forest for GroupForest<'_> {
    fn first(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => self.group_in(0..self.tree.roots),
            Some(Node::Group(id)) => {
                let group = self.tree.group(id)?;
                match group.groups.is_empty() {
                    true => self.member_in(id, group.members.clone()),
                    false => self.group_in(group.groups.clone()),
                }
            }
            Some(_) => None,
        }
    }

    fn last(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => self.group_in((0..self.tree.roots).rev()),
            Some(Node::Group(id)) => {
                let group = self.tree.group(id)?;
                match group.groups.is_empty() {
                    true => self.member_in(id, group.members.clone().rev()),
                    false => self.group_in(group.groups.clone().rev()),
                }
            }
            Some(_) => None,
        }
    }

    fn next(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Group(id) => self.group_in(self.number(id)? + 1..self.siblings(id).end),
            Node::Member(id, member) => {
                let at = self.tree.position(id, *member)?;
                self.member_in(id, at + 1..self.tree.group(id)?.members.end)
            }
            _ => None,
        }
    }

    fn previous(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Group(id) => self.group_in((self.siblings(id).start..self.number(id)?).rev()),
            Node::Member(id, member) => {
                let at = self.tree.position(id, *member)?;
                self.member_in(id, (self.tree.group(id)?.members.start..at).rev())
            }
            _ => None,
        }
    }

    fn parent(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Group(id) => id.parent().map(Node::Group),
            Node::Member(id, _) => Some(Node::Group(id.clone())),
            _ => None,
        }
    }

    fn is_open(&self, node: &Node) -> bool {
        matches!(node, Node::Group(id) if self.open.is_open(id))
    }

    fn depth(&self, node: &Node) -> usize {
        match node {
            Node::Group(id) => usize::from(id.parent().is_some()),
            Node::Member(id, _) => 1 + usize::from(id.parent().is_some()),
            _ => 0,
        }
    }

    fn nearest(&self, node: &Node) -> Option<Node> {
        let alive = |id: &GroupId| self.tree.group(id).is_some_and(|group| group.tally.objects > 0);
        match node {
            Node::Member(id, member) if alive(id) => match self.tree.position(id, *member) {
                Some(_) if !(self.is_gone)(*member) => Some(node.clone()),
                Some(_) => self.next(node).or_else(|| self.previous(node)).or_else(|| self.parent(node)),
                None => Some(Node::Group(id.clone())),
            },
            Node::Group(id) if alive(id) => Some(node.clone()),
            Node::Group(id) | Node::Member(id, _) => {
                let beside = self.number(id).and_then(|number| {
                    let siblings = self.siblings(id);
                    self.group_in(number..siblings.end).or_else(|| self.group_in((siblings.start..number).rev()))
                });
                beside.or_else(|| id.parent().filter(|id| alive(id)).map(Node::Group)).or_else(|| self.first(None))
            }
            _ => self.first(None),
        }
    }
}
