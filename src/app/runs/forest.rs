//! Runs as rows; the open one with its keys, gathered by how they ended.

use super::{OpenRun, RunId, Runs};
use crate::app::forest::{Forest, Node};
use crate::domain::Outcome;

/// Runs as rows.
pub struct RunForest<'a> {
    /// The runs.
    pub runs: &'a Runs,
}

impl RunForest<'_> {
    fn run_at(&self, at: usize) -> Option<Node> {
        self.runs.list.get(at).map(|past| Node::Run(past.run.clone()))
    }

    fn groups<'r>(&'r self, open: &'r OpenRun) -> impl DoubleEndedIterator<Item = Option<Outcome>> + 'r {
        open.groups(self.runs.only_failures).map(|(outcome, _)| *outcome)
    }

    /// The group beside this one.
    fn group_beside(&self, run: &RunId, outcome: Option<Outcome>, forwards: bool) -> Option<Node> {
        let groups: Vec<Option<Outcome>> = self.groups(self.runs.opened(run)?).collect();
        let at = groups.iter().position(|known| *known == outcome)?;
        let beside = if forwards { groups.get(at + 1) } else { groups.get(at.checked_sub(1)?) };
        beside.map(|outcome| Node::Ends(run.clone(), *outcome))
    }

    /// The key beside this one in its group.
    fn key_beside(&self, run: &RunId, row: u32, forwards: bool) -> Option<Node> {
        let open = self.runs.opened(run)?;
        let members = open.members(outcome_of(open, row));
        let at = members.binary_search(&row).ok()?;
        let beside = if forwards { members.get(at + 1) } else { members.get(at.checked_sub(1)?) };
        beside.map(|row| Node::RunKey(run.clone(), *row))
    }
}

fn outcome_of(open: &OpenRun, row: u32) -> Option<Outcome> {
    open.end(row).map(|(outcome, _)| *outcome)
}

impl Forest for RunForest<'_> {
    fn first(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => self.run_at(0),
            Some(Node::Run(run)) => {
                let open = self.runs.opened(run)?;
                let first = self.groups(open).next()?;
                Some(Node::Ends(run.clone(), first))
            }
            Some(Node::Ends(run, outcome)) => {
                let row = *self.runs.opened(run)?.members(*outcome).first()?;
                Some(Node::RunKey(run.clone(), row))
            }
            Some(_) => None,
        }
    }

    fn last(&self, parent: Option<&Node>) -> Option<Node> {
        match parent {
            None => self.run_at(self.runs.list.len().checked_sub(1)?),
            Some(Node::Run(run)) => {
                let open = self.runs.opened(run)?;
                let last = self.groups(open).next_back()?;
                Some(Node::Ends(run.clone(), last))
            }
            Some(Node::Ends(run, outcome)) => {
                let row = *self.runs.opened(run)?.members(*outcome).last()?;
                Some(Node::RunKey(run.clone(), row))
            }
            Some(_) => None,
        }
    }

    fn next(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Run(run) => self.run_at(self.runs.place(run)? + 1),
            Node::Ends(run, outcome) => self.group_beside(run, *outcome, true),
            Node::RunKey(run, row) => self.key_beside(run, *row, true),
            _ => None,
        }
    }

    fn previous(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Run(run) => self.run_at(self.runs.place(run)?.checked_sub(1)?),
            Node::Ends(run, outcome) => self.group_beside(run, *outcome, false),
            Node::RunKey(run, row) => self.key_beside(run, *row, false),
            _ => None,
        }
    }

    fn parent(&self, node: &Node) -> Option<Node> {
        match node {
            Node::Ends(run, _) => Some(Node::Run(run.clone())),
            Node::RunKey(run, row) => {
                let open = self.runs.opened(run)?;
                Some(Node::Ends(run.clone(), outcome_of(open, *row)))
            }
            _ => None,
        }
    }

    fn is_open(&self, node: &Node) -> bool {
        match node {
            Node::Run(run) => self.runs.opened(run).is_some(),
            Node::Ends(_, outcome) => self.runs.open_groups.contains(outcome),
            _ => false,
        }
    }

    fn depth(&self, node: &Node) -> usize {
        match node {
            Node::Ends(..) => 1,
            Node::RunKey(..) => 2,
            _ => 0,
        }
    }

    fn nearest(&self, node: &Node) -> Option<Node> {
        let (run, is_there) = match node {
            Node::Run(run) => (run, true),
            Node::Ends(run, outcome) => {
                let open = self.runs.opened(run);
                (run, open.is_some_and(|open| self.groups(open).any(|known| known == *outcome)))
            }
            Node::RunKey(run, row) => {
                let open = self.runs.opened(run).filter(|open| open.row(*row).is_some());
                let outcome = open.map(|open| outcome_of(open, *row));
                let shown = |outcome| open.is_some_and(|open| self.groups(open).any(|known| known == outcome));
                (run, outcome.is_some_and(shown))
            }
            _ => return self.first(None),
        };
        match self.runs.get(run) {
            Some(_) if is_there => Some(node.clone()),
            Some(_) => Some(Node::Run(run.clone())),
            None => self.first(None),
        }
    }
}
