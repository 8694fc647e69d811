//! Folders, and the flat list of keys, as rows.

use std::collections::HashMap;

use crate::domain::folders::{
    Child, KeySpace, Position, child_at, first_child, last_child, next_child, previous_child,
};
use crate::domain::inventory::ObjectIndex;
use crate::domain::{Key, key};

use super::expansion::Expansion;
use super::forest::{Forest, Node};
use super::order::{FlatOrder, FolderOrder};

/// The part of a key that is its folder: up to and including its last slash.
pub fn folder_of(key: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', key).map_or(&[], |at| &key[..=at])
}

/// Folders as rows.
pub struct FolderForest<'a> {
    /// All objects, or those that a filter let through.
    pub space: &'a dyn KeySpace,
    /// Which folders are open.
    pub open: &'a Expansion,
    /// Folders whose rows stand in another order than that of their keys.
    pub orders: &'a HashMap<Key, FolderOrder>,
}

impl FolderForest<'_> {
    fn key(&self, object: ObjectIndex) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        self.space.key_into(self.space.position_of(object)?, &mut key);
        Some(key)
    }

    fn node(&self, child: Child) -> Node {
        match child {
            Child::Folder { prefix, .. } => Node::Folder(Key::new(prefix)),
            Child::Object { at } => Node::Object(self.space.object_at(at)),
        }
    }

    fn child(&self, node: &Node) -> Option<Child> {
        match node {
            Node::Folder(prefix) => {
                let prefix = prefix.as_bytes();
                Some(Child::Folder { prefix: prefix.to_vec(), range: self.space.range(prefix) })
            }
            Node::Object(object) => Some(Child::Object { at: self.space.position_of(*object)? }),
            _ => None,
        }
    }

    /// The prefix of the folder that holds the node.
    fn home(&self, node: &Node) -> Option<Vec<u8>> {
        match node {
            Node::Folder(prefix) => Some(key::parent(prefix.as_bytes()).to_vec()),
            Node::Object(object) => self.key(*object).map(|key| folder_of(&key).to_vec()),
            _ => None,
        }
    }

    fn prefix<'n>(&self, parent: Option<&'n Node>) -> Option<&'n [u8]> {
        match parent {
            None => Some(&[]),
            Some(Node::Folder(prefix)) => Some(prefix.as_bytes()),
            Some(_) => None,
        }
    }

    /// The sibling `step` rows away in the folder's own order.
    fn sorted_sibling(&self, order: &FolderOrder, prefix: &[u8], child: &Child, forwards: bool) -> Option<Child> {
        match (order, forwards) {
            (FolderOrder::Backwards, true) => previous_child(self.space, prefix, child),
            (FolderOrder::Backwards, false) => next_child(self.space, prefix, child),
            (FolderOrder::Sorted(sorted), _) => {
                let rank = sorted.rank_of(child)?;
                match forwards {
                    true => (rank + 1..sorted.len()).find_map(|rank| sorted.get(self.space, rank)),
                    false => (0..rank).rev().find_map(|rank| sorted.get(self.space, rank)),
                }
            }
        }
    }

    fn sibling(&self, node: &Node, forwards: bool) -> Option<Node> {
        let prefix = self.home(node)?;
        let child = self.child(node)?;
        let sibling = match (self.orders.get(prefix.as_slice()), forwards) {
            (Some(order), _) => self.sorted_sibling(order, &prefix, &child, forwards),
            (None, true) => next_child(self.space, &prefix, &child),
            (None, false) => previous_child(self.space, &prefix, &child),
        };
        sibling.map(|child| self.node(child))
    }

    /// Whether anything of the node is left.
    fn exists(&self, node: &Node) -> bool {
        let (Some(prefix), Some(child)) = (self.home(node), self.child(node)) else { return false };
        let range = child.range();
        !range.is_empty() && child_at(self.space, &prefix, range.start).is_some()
    }
}

impl Forest for FolderForest<'_> {
    fn first(&self, parent: Option<&Node>) -> Option<Node> {
        let prefix = self.prefix(parent)?;
        let child = match self.orders.get(prefix) {
            None => first_child(self.space, prefix),
            Some(FolderOrder::Backwards) => last_child(self.space, prefix),
            Some(FolderOrder::Sorted(sorted)) => (0..sorted.len()).find_map(|rank| sorted.get(self.space, rank)),
        };
        child.map(|child| self.node(child))
    }

    fn last(&self, parent: Option<&Node>) -> Option<Node> {
        let prefix = self.prefix(parent)?;
        let child = match self.orders.get(prefix) {
            None => last_child(self.space, prefix),
            Some(FolderOrder::Backwards) => first_child(self.space, prefix),
            Some(FolderOrder::Sorted(sorted)) => (0..sorted.len()).rev().find_map(|rank| sorted.get(self.space, rank)),
        };
        child.map(|child| self.node(child))
    }

    fn next(&self, node: &Node) -> Option<Node> {
        self.sibling(node, true)
    }

    fn previous(&self, node: &Node) -> Option<Node> {
        self.sibling(node, false)
    }

    fn parent(&self, node: &Node) -> Option<Node> {
        self.home(node).filter(|prefix| !prefix.is_empty()).map(|prefix| Node::Folder(Key::new(prefix)))
    }

    fn is_open(&self, node: &Node) -> bool {
        matches!(node, Node::Folder(prefix) if self.open.is_open(prefix.as_bytes()))
    }

    fn depth(&self, node: &Node) -> usize {
        let slashes = |bytes: &[u8]| memchr::memchr_iter(b'/', bytes).count();
        match node {
            Node::Folder(prefix) => slashes(prefix.as_bytes()).saturating_sub(1),
            Node::Object(object) => self.key(*object).map_or(0, |key| slashes(&key)),
            _ => 0,
        }
    }

    fn nearest(&self, node: &Node) -> Option<Node> {
        if self.exists(node) {
            return Some(node.clone());
        }
        let start = match node {
            Node::Folder(prefix) => self.space.lower_bound(prefix.as_bytes()),
            Node::Object(object) => lower_bound_of(self.space, *object),
            _ => return self.first(None),
        };
        let home = self.home(node).unwrap_or_default();
        let at = self.space.next_alive(start).or_else(|| self.space.previous_alive(start))?;
        let mut folder = home.as_slice();
        loop {
            if let Some(child) = child_at(self.space, folder, at) {
                return Some(self.node(child));
            }
            if folder.is_empty() {
                return self.first(None);
            }
            folder = key::parent(folder);
        }
    }
}

/// The first place of an object that does not come before `object`.
fn lower_bound_of(space: &dyn KeySpace, object: ObjectIndex) -> Position {
    let (mut low, mut high) = (0, space.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if space.object_at(middle) < object {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// All keys, one below the other.
pub struct FlatForest<'a> {
    /// All objects, or those that a filter let through.
    pub space: &'a dyn KeySpace,
    /// Another order than that of the keys.
    pub order: Option<&'a FlatOrder>,
}

impl FlatForest<'_> {
    fn object(&self, at: Option<Position>) -> Option<Node> {
        at.map(|at| Node::Object(self.space.object_at(at)))
    }

    fn is_alive(&self, object: ObjectIndex) -> bool {
        self.space.position_of(object).is_some_and(|at| self.space.next_alive(at) == Some(at))
    }

    fn ranked(&self, order: &FlatOrder, mut ranks: impl Iterator<Item = usize>) -> Option<Node> {
        let rank = ranks.find(|rank| order.objects.get(*rank).is_some_and(|object| self.is_alive(*object)))?;
        Some(Node::Object(order.objects[rank]))
    }

    fn rank(&self, order: &FlatOrder, at: Position) -> Option<usize> {
        order.ranks.get(at as usize).map(|rank| *rank as usize)
    }
}

impl Forest for FlatForest<'_> {
    fn first(&self, parent: Option<&Node>) -> Option<Node> {
        match (parent, self.order) {
            (Some(_), _) => None,
            (None, Some(order)) => self.ranked(order, 0..order.objects.len()),
            (None, None) => self.object(self.space.next_alive(0)),
        }
    }

    fn last(&self, parent: Option<&Node>) -> Option<Node> {
        match (parent, self.order) {
            (Some(_), _) => None,
            (None, Some(order)) => self.ranked(order, (0..order.objects.len()).rev()),
            (None, None) => self.object(self.space.previous_alive(self.space.len())),
        }
    }

    fn next(&self, node: &Node) -> Option<Node> {
        let Node::Object(object) = node else { return None };
        let at = self.space.position_of(*object)?;
        match self.order {
            Some(order) => self.ranked(order, self.rank(order, at)? + 1..order.objects.len()),
            None => self.object(self.space.next_alive(at + 1)),
        }
    }

    fn previous(&self, node: &Node) -> Option<Node> {
        let Node::Object(object) = node else { return None };
        let at = self.space.position_of(*object)?;
        match self.order {
            Some(order) => self.ranked(order, (0..self.rank(order, at)?).rev()),
            None => self.object(self.space.previous_alive(at)),
        }
    }

    fn parent(&self, _: &Node) -> Option<Node> {
        None
    }

    fn is_open(&self, _: &Node) -> bool {
        false
    }

    fn depth(&self, _: &Node) -> usize {
        0
    }

    fn nearest(&self, node: &Node) -> Option<Node> {
        let start = match node {
            Node::Object(object) if self.is_alive(*object) => return Some(node.clone()),
            Node::Object(object) => lower_bound_of(self.space, *object),
            Node::Folder(prefix) => self.space.lower_bound(prefix.as_bytes()),
            _ => return self.first(None),
        };
        self.object(self.space.next_alive(start).or_else(|| self.space.previous_alive(start)))
    }
}
