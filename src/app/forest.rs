//! Rows without a list of rows. A forest is walked from the cursor outwards, so that what is not on the screen costs
//! nothing: a frame is the same work at a thousand rows and at ten million.

use crate::domain::inventory::ObjectIndex;
use crate::domain::{Key, Outcome};

use super::groups::GroupId;
use super::registry::DriftKind;
use super::runs::RunId;

/// What a row is. It names a thing and never a place on the screen, so that it stays itself when the listing grows, the
/// order changes or a folder closes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// A folder, by its prefix.
    Folder(Key),
    /// An object in the folders or in the flat list.
    Object(ObjectIndex),
    /// A project, a finding, or a project in a finding.
    Group(GroupId),
    /// An object (or the row of a plan) in a group.
    Member(GroupId, u32),
    /// A past run.
    Run(RunId),
    /// The keys of a past run that ended so; `None` of those without an end.
    Ends(RunId, Option<Outcome>),
    /// A key of a past run, by the row of its plan.
    RunKey(RunId, u32),
    /// A source of the registry, by its place.
    Source(usize),
    /// A way in which bucket and registry disagree.
    Drift(DriftKind),
    /// A key of which they disagree so, by its place.
    DriftKey(DriftKind, u32),
}

/// Something that can be walked row by row.
pub trait Forest {
    /// The first child of `parent`, or the first root.
    fn first(&self, parent: Option<&Node>) -> Option<Node>;
    /// The last child of `parent`, or the last root.
    fn last(&self, parent: Option<&Node>) -> Option<Node>;
    /// The next sibling.
    fn next(&self, node: &Node) -> Option<Node>;
    /// The previous sibling.
    fn previous(&self, node: &Node) -> Option<Node>;
    /// The folder or group that holds it; `None` for a root.
    fn parent(&self, node: &Node) -> Option<Node>;
    /// Whether it is a folder or group whose children are rows now.
    fn is_open(&self, node: &Node) -> bool;
    /// How many ancestors it has.
    fn depth(&self, node: &Node) -> usize;
    /// The node itself if it is still there, or what a person would expect in its place.
    fn nearest(&self, node: &Node) -> Option<Node>;
}

/// The row below.
pub fn next_row(forest: &dyn Forest, node: &Node) -> Option<Node> {
    if forest.is_open(node)
        && let Some(child) = forest.first(Some(node))
    {
        return Some(child);
    }
    let mut node = node.clone();
    loop {
        if let Some(next) = forest.next(&node) {
            return Some(next);
        }
        node = forest.parent(&node)?;
    }
}

/// The row above.
pub fn previous_row(forest: &dyn Forest, node: &Node) -> Option<Node> {
    match forest.previous(node) {
        Some(sibling) => Some(deepest_last(forest, sibling)),
        None => forest.parent(node),
    }
}

/// The first row of all.
pub fn first_row(forest: &dyn Forest) -> Option<Node> {
    forest.first(None)
}

/// The last row of all.
pub fn last_row(forest: &dyn Forest) -> Option<Node> {
    forest.last(None).map(|root| deepest_last(forest, root))
}

fn deepest_last(forest: &dyn Forest, mut node: Node) -> Node {
    while forest.is_open(&node)
        && let Some(child) = forest.last(Some(&node))
    {
        node = child;
    }
    node
}

/// The innermost row that can be seen: the node, or its topmost closed ancestor.
pub fn visible(forest: &dyn Forest, node: &Node) -> Node {
    let mut shown = node.clone();
    let mut at = node.clone();
    while let Some(parent) = forest.parent(&at) {
        if !forest.is_open(&parent) {
            shown = parent.clone();
        }
        at = parent;
    }
    shown
}

/// One row of a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What it is.
    pub node: Node,
    /// How many ancestors it has.
    pub depth: usize,
}

/// The rows that are on the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// Ancestors of the first row, outermost first, kept on the screen above it.
    pub sticky: Vec<Row>,
    /// The rows, from the top.
    pub rows: Vec<Row>,
    /// Which of `rows` is the cursor.
    pub cursor: usize,
}

impl Window {
    /// What is shown on line `line` of the pane, from 0.
    pub fn at_line(&self, line: usize) -> Option<&Node> {
        self.sticky.iter().chain(&self.rows).nth(line).map(|row| &row.node)
    }
}

/// At most one line in this many shows an ancestor, so that deep keys still leave room.
const STICKY_SHARE: usize = 3;

/// The window of `height` lines in which `cursor` stands on line `line`, or as near to it as the ends allow.
pub fn window(forest: &dyn Forest, cursor: &Node, line: usize, height: usize) -> Window {
    if height == 0 {
        return Window::default();
    }
    let mut above = Vec::new();
    let mut at = cursor.clone();
    while above.len() < line.min(height - 1)
        && let Some(previous) = previous_row(forest, &at)
    {
        above.push(previous.clone());
        at = previous;
    }
    let mut nodes: Vec<Node> = above.into_iter().rev().collect();
    let mut cursor_at = nodes.len();
    nodes.push(cursor.clone());
    while nodes.len() < height
        && let Some(next) = nodes.last().and_then(|last| next_row(forest, last))
    {
        nodes.push(next);
    }
    // A window that ends early shows more above instead of a gap below.
    while nodes.len() < height
        && let Some(previous) = nodes.first().and_then(|first| previous_row(forest, first))
    {
        nodes.insert(0, previous);
        cursor_at += 1;
    }
    let most = height / STICKY_SHARE;
    loop {
        let depth = nodes.first().map_or(0, |first| forest.depth(first));
        let sticky = depth.min(most);
        if cursor_at + sticky < height {
            nodes.truncate(height - sticky);
            return assemble(forest, nodes, cursor_at, sticky);
        }
        nodes.remove(0);
        cursor_at -= 1;
    }
}

fn assemble(forest: &dyn Forest, nodes: Vec<Node>, cursor: usize, sticky: usize) -> Window {
    let mut ancestors = Vec::new();
    let mut at = nodes.first().cloned();
    while ancestors.len() < sticky
        && let Some(parent) = at.as_ref().and_then(|node| forest.parent(node))
    {
        ancestors.push(parent.clone());
        at = Some(parent);
    }
    let row = |node: Node| Row { depth: forest.depth(&node), node };
    Window {
        sticky: ancestors.into_iter().rev().map(row).collect(),
        rows: nodes.into_iter().map(row).collect(),
        cursor,
    }
}
