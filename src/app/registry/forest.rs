//! Sources and disagreements as rows.

use super::{DriftKind, RegistryView};
use crate::app::forest::{Forest, Node};

/// The view as rows: the sources, then each way of disagreeing that occurs, with its keys.
pub struct RegistryForest<'a> {
    /// How many sources were read.
    pub sources: usize,
    /// The view.
    pub view: &'a RegistryView,
}

impl RegistryForest<'_> {
    fn source(&self, at: usize) -> Option<Node> {
        (at < self.sources).then_some(Node::Source(at))
    }

    fn kind_in(&self, mut kinds: impl Iterator<Item = DriftKind>) -> Option<Node> {
        kinds.find(|kind| self.view.count(*kind) > 0).map(Node::Drift)
    }

    fn key_at(&self, kind: DriftKind, at: usize) -> Option<Node> {
        let count = self.view.count(kind);
        (at < count).then(|| u32::try_from(at).ok().map(|at| Node::DriftKey(kind, at))).flatten()
    }
}

impl Forest for RegistryForest<'_> {
    fn first(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => self.source(0).or_else(|| self.kind_in(DriftKind::ALL.into_iter())),
            Some(Node::Drift(kind)) => self.key_at(*kind, 0),
            Some(_) => None,
        }
    }

    fn last(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => {
                let last = self.kind_in(DriftKind::ALL.into_iter().rev());
                last.or_else(|| self.source(self.sources.checked_sub(1)?))
            }
            Some(Node::Drift(kind)) => self.key_at(*kind, self.view.count(*kind).checked_sub(1)?),
            Some(_) => None,
        }
    }

    fn next(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Source(at) => self.source(at + 1).or_else(|| self.kind_in(DriftKind::ALL.into_iter())),
            Node::Drift(kind) => self.kind_in(DriftKind::ALL.into_iter().filter(|other| other > kind)),
            Node::DriftKey(kind, at) => self.key_at(*kind, *at as usize + 1),
            _ => None,
        }
    }

    fn previous(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Source(at) => self.source(at.checked_sub(1)?),
            Node::Drift(kind) => {
                let before = self.kind_in(DriftKind::ALL.into_iter().rev().filter(|other| other < kind));
                before.or_else(|| self.source(self.sources.checked_sub(1)?))
            }
            Node::DriftKey(kind, at) => self.key_at(*kind, (*at as usize).checked_sub(1)?),
            _ => None,
        }
    }

    fn parent(&self, node: &Node) -> Option<Node> {
        match node {
            Node::DriftKey(kind, _) => Some(Node::Drift(*kind)),
            _ => None,
        }
    }

    fn is_open(&self, node: &Node) -> bool {
        matches!(node, Node::Drift(kind) if self.view.open.contains(kind))
    }

    fn depth(&self, node: &Node) -> usize {
        usize::from(matches!(node, Node::DriftKey(..)))
    }

    fn nearest(&self, node: &Node) -> Option<Node> {
        let is_there = match node {
            Node::Source(at) => *at < self.sources,
            Node::Drift(kind) => self.view.count(*kind) > 0,
            Node::DriftKey(kind, at) => (*at as usize) < self.view.count(*kind),
            _ => false,
        };
        match (is_there, node) {
            (true, _) => Some(node.clone()),
            (false, Node::DriftKey(kind, _)) if self.view.count(*kind) > 0 => Some(Node::Drift(*kind)),
            _ => self.first(None),
        }
    }
}
