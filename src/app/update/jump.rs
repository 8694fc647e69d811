//! Going to what is far away: findings, projects, matches, keys.

use super::{Effects, browse};
use crate::app::action::Action;
use crate::app::between::Wanted;
use crate::app::forest::{Forest, Node, previous_row};
use crate::app::groups::{GroupId, GroupTree};
use crate::app::state::{Level, State, View};
use crate::domain::assessment::Assessment;
use crate::domain::inventory::ObjectIndex;
use crate::domain::{Flag, Verdict, key};

/// Places that a way back is kept for.
const HISTORY: usize = 100;

pub(super) fn perform(state: &mut State, action: Action) -> Effects {
    match action {
        Action::NextFinding => finding(state, true),
        Action::PreviousFinding => finding(state, false),
        Action::NextProject => project(state, true),
        Action::PreviousProject => project(state, false),
        Action::NextMatch => found(state, true),
        Action::PreviousMatch => found(state, false),
        Action::Back => back(state),
        _ => {}
    }
    Effects::new()
}

fn remember(state: &mut State) {
    if let Some(node) = state.cursor() {
        let here = (state.browse.view, node);
        if state.browse.history.last() != Some(&here) {
            state.browse.history.push(here);
        }
        if state.browse.history.len() > HISTORY {
            state.browse.history.remove(0);
        }
    }
}

fn back(state: &mut State) {
    match state.browse.history.pop() {
        Some((view, node)) => {
            state.browse.view = view;
            match node {
                Node::Object(object) if view == View::Folders => browse::reveal(state, object),
                node => browse::put_in_view(state, node),
            }
        }
        None => state.say(Level::Info, "there is no place to go back to"),
    }
}

fn is_finding(assessment: &Assessment, object: ObjectIndex) -> bool {
    matches!(assessment.verdict(object), Verdict::Orphaned | Verdict::Conflict)
        || assessment.flags(object).has(Flag::DoublePrefixed)
}

fn finding(state: &mut State, forwards: bool) {
    let Some(assessment) = state.bucket.assessment.clone() else {
        state.say(Level::Info, "nothing is judged yet");
        return;
    };
    let test = |object: ObjectIndex| is_finding(&assessment, object);
    let words = |at: u32| {
        let sets = [Verdict::Orphaned, Verdict::Conflict].map(|verdict| assessment.with_verdict(verdict));
        sets.into_iter().chain([assessment.with_flag(Flag::DoublePrefixed)]).fold(0, |all, set| all | set.word(at))
    };
    match search(state, forwards, Wanted { one: &test, words: &words }) {
        Some(node) => go(state, node),
        None => state.say(Level::Info, if forwards { "no finding below" } else { "no finding above" }),
    }
}

fn project(state: &mut State, forwards: bool) {
    if state.browse.view != View::Folders {
        group(state, forwards);
        return;
    }
    let Some(assessment) = state.bucket.assessment.clone() else {
        state.say(Level::Info, "nothing is judged yet");
        return;
    };
    let here = state.cursor().and_then(|node| first_object(state, &node)).and_then(|object| assessment.project(object));
    let test = |object: ObjectIndex| {
        let project = assessment.project(object);
        project.is_some() && project != here
    };
    let words = |at: u32| (0..64).fold(0, |word, bit| word | u64::from(test(at * 64 + bit)) << bit);
    match search(state, forwards, Wanted { one: &test, words: &words }) {
        Some(node) => go(state, node),
        None => state.say(Level::Info, if forwards { "no other project below" } else { "no other project above" }),
    }
}

fn group(state: &mut State, forwards: bool) {
    let Some(node) = state.cursor() else { return };
    let found = state.with_forest(|forest| {
        let from = match &node {
            Node::Member(id, _) if forwards => Node::Group(id.clone()),
            other => other.clone(),
        };
        if forwards { next_group(forest, from) } else { previous_group(forest, from) }
    });
    match found {
        Some(node) => go(state, node),
        None => state.say(Level::Info, if forwards { "no group below" } else { "no group above" }),
    }
}

/// The next group, without a walk over the members of an open one.
fn next_group(forest: &dyn Forest, mut node: Node) -> Option<Node> {
    if forest.is_open(&node)
        && let Some(child @ Node::Group(_)) = forest.first(Some(&node))
    {
        return Some(child);
    }
    loop {
        if let Some(next) = forest.next(&node) {
            return Some(next);
        }
        node = forest.parent(&node)?;
    }
}

fn previous_group(forest: &dyn Forest, node: Node) -> Option<Node> {
    if let Node::Member(id, _) = node {
        return Some(Node::Group(id));
    }
    match previous_row(forest, &node)? {
        Node::Member(id, _) => Some(Node::Group(id)),
        group => Some(group),
    }
}

fn found(state: &mut State, forwards: bool) {
    if state.filter.matches.is_none() {
        state.say(Level::Info, "there is no filter; / sets one");
        return;
    }
    match search(state, forwards, Wanted { one: &|_| true, words: &|_| u64::MAX }) {
        Some(node) => go(state, node),
        None => state.say(Level::Info, if forwards { "no match below" } else { "no match above" }),
    }
}

fn first_object(state: &State, node: &Node) -> Option<ObjectIndex> {
    match node {
        Node::Folder(prefix) => {
            let space = state.space();
            space.next_alive(space.lower_bound(prefix.as_bytes())).map(|at| space.object_at(at))
        }
        node => state.object_of(node),
    }
}

/// The nearest wanted object below (or above) the cursor.
fn search(state: &State, forwards: bool, wanted: Wanted<'_>) -> Option<Node> {
    let cursor = state.cursor()?;
    if state.browse.view != View::Folders {
        return search_groups(state, &cursor, forwards, wanted.one);
    }
    if !state.browse.flat {
        return state.folder_forest().seek(&cursor, forwards, wanted);
    }
    let space = state.space();
    let place = space.position_of(state.object_of(&cursor)?)?;
    let Some(order) = &state.browse.sorted_flat else {
        let places = if forwards { place + 1..space.len() } else { 0..place };
        return wanted.among(space, places, forwards).map(Node::Object);
    };
    let rank = *order.ranks.get(place as usize)? as usize;
    let holds = |object: &&ObjectIndex| (wanted.one)(**object) && !state.bucket.inventory.is_gone(**object);
    let found = match forwards {
        true => order.objects.get(rank + 1..)?.iter().find(holds),
        false => order.objects.get(..rank)?.iter().rev().find(holds),
    };
    found.map(|object| Node::Object(*object))
}

fn search_groups(state: &State, cursor: &Node, forwards: bool, test: &dyn Fn(ObjectIndex) -> bool) -> Option<Node> {
    let tree = state.group_tree(state.browse.view)?;
    let (group, start) = match cursor {
        Node::Group(id) => (id, tree.group(id).map(|group| group.members.start)?),
        Node::Member(id, member) => (id, tree.position(id, *member)? + usize::from(forwards)),
        _ => return None,
    };
    let alive = |at: &usize| {
        let member = tree.members(*at..*at + 1).first().copied();
        let group = leaf_at(tree, *at).unwrap_or(group);
        member.and_then(|member| state.object_of(&Node::Member(group.clone(), member))).is_some_and(test)
    };
    let end = tree.roots().last().map_or(0, |root| root.members.end);
    let at = match forwards {
        true => (start..end).find(alive)?,
        false => (0..start).rev().find(alive)?,
    };
    let member = *tree.members(at..at + 1).first()?;
    Some(Node::Member(leaf_at(tree, at)?.clone(), member))
}

/// The innermost group of the member at a position.
fn leaf_at(tree: &GroupTree, at: usize) -> Option<&GroupId> {
    let within = |groups: &'_ [crate::app::groups::Group]| groups.partition_point(|group| group.members.end <= at);
    let roots = tree.roots();
    let root = roots.get(within(roots))?;
    if root.groups.is_empty() {
        return Some(&root.id);
    }
    let groups = tree.groups().get(root.groups.clone())?;
    groups.get(within(groups)).map(|group| &group.id)
}

fn go(state: &mut State, node: Node) {
    remember(state);
    match node {
        Node::Object(object) => browse::reveal(state, object),
        Node::Folder(prefix) => browse::reveal_folder(state, prefix.as_bytes()),
        Node::Member(id, member) => {
            let open = state.browse.groups.entry(state.browse.view).or_default();
            open.set(&id, true);
            if let Some(parent) = id.parent() {
                open.set(&parent, true);
            }
            browse::put_in_view(state, Node::Member(id, member));
        }
        group => browse::put_in_view(state, group),
    }
}

/// Goes to an object in the folders; `-` comes back.
pub(super) fn to_object(state: &mut State, object: ObjectIndex) {
    remember(state);
    super::show(state, View::Folders);
    browse::reveal(state, object);
}

/// Goes to a group of a view; `-` comes back.
pub(super) fn to_group(state: &mut State, view: View, id: GroupId) {
    remember(state);
    super::show(state, view);
    browse::put_in_view(state, Node::Group(id));
}

/// Goes to a key or prefix that a person typed: plain, escaped as the screen shows it, or as an s3 address.
pub(super) fn go_to(state: &mut State, text: &str) {
    let text = text.trim();
    let bucket = format!("s3://{}/", state.session.bucket);
    let spelled = match text.strip_prefix(&bucket) {
        Some(rest) => rest,
        None if text.starts_with("s3://") => {
            state.say(Level::Warning, format!("that is in another bucket; this one is {}", state.session.bucket));
            return;
        }
        None => text,
    };
    let wanted = unescape(spelled);
    if state.browse.view != View::Folders {
        super::show(state, View::Folders);
    }
    let space = state.space();
    let start = space.lower_bound(&wanted);
    let mut found = Vec::new();
    let at = space.next_alive(start).or_else(|| space.previous_alive(start));
    let Some(at) = at else {
        state.say(Level::Info, "nothing is listed");
        return;
    };
    space.key_into(at, &mut found);
    let object = space.object_at(at);
    let node = match found.starts_with(&wanted) {
        true if wanted.ends_with(b"/") && !state.browse.flat && !wanted.is_empty() => {
            Node::Folder(crate::domain::Key::new(&wanted))
        }
        _ => Node::Object(object),
    };
    if !found.starts_with(&wanted) {
        let shown = key::Escaped(&wanted).to_string();
        state.say(Level::Warning, format!("no key begins with {shown}; this is what comes next"));
    }
    go(state, node);
}

/// Undoes what [`key::Escaped`] does.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let (value, length) = read_escape(escape).unwrap_or((vec![b'\\'], 0));
        bytes.extend(value);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn read_escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let simple = |byte: u8| Some((vec![byte], 1));
    match text.chars().next()? {
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        '\\' => simple(b'\\'),
        'x' => u8::from_str_radix(text.get(1..3)?, 16).ok().map(|byte| (vec![byte], 3)),
        'u' => {
            let end = text.find('}')?;
            let c = char::from_u32(u32::from_str_radix(text.get(2..end)?, 16).ok()?)?;
            Some((c.to_string().into_bytes(), end + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        for key in ["a//b", "a\nb", " lead", "back\\slash", "\u{202e}x", "caf\u{e9}", "\x1b[31m", "tail "] {
            let shown = key::Escaped(key.as_bytes()).to_string();
            assert_eq!(unescape(&shown), key.as_bytes(), "{shown}");
        }
        let invalid: &[u8] = b"a\xffb";
        assert_eq!(unescape(&key::Escaped(invalid).to_string()), invalid);
    }
}
