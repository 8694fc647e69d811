//! Marking.

use std::collections::BTreeSet;

use super::{Effects, browse, kept};
use crate::app::action::Action;
use crate::app::between::positions_between;
use crate::app::forest::Node;
use crate::app::groups::GroupId;
use crate::app::marks::{Bulk, Reason};
use crate::app::number;
use crate::app::state::{Level, State, View};
use crate::domain::bits::BitSet;
use crate::domain::inventory::ObjectIndex;
use crate::domain::{ProjectId, Verdict};

pub(super) fn mark(state: &mut State, action: Action) -> Effects {
    let Some(node) = state.cursor() else {
        state.say(Level::Info, "there is nothing to mark");
        return Effects::new();
    };
    let many = match action {
        Action::Mark => matches!(node, Node::Folder(_) | Node::Group(_)),
        Action::Range | Action::MarkFolder | Action::MarkFinding | Action::Invert => true,
        _ => false,
    };
    if let Some(obstacle) = kept::obstacle(state).filter(|_| many) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    match action {
        Action::Mark => {
            toggle(state, &node);
            browse::step(state, 1);
        }
        Action::Range => range(state, node),
        Action::MarkFolder => {
            let objects = here(state, &node);
            report(state, objects);
        }
        Action::MarkFinding => finding(state, &node),
        Action::Invert => invert(state, &node),
        Action::Unmark => {
            let objects = state.objects_in(&node);
            let count = state.set_all_marks(&objects, false);
            state.say(Level::Info, format!("unmarked {}", number::objects(count)));
        }
        Action::ClearMarks => clear(state),
        _ => {}
    }
    Effects::new()
}

/// Space: an object alone is marked whatever its verdict, with a warning; a folder or group as in bulk.
fn toggle(state: &mut State, node: &Node) {
    match node {
        Node::Folder(_) | Node::Group(_) => toggle_many(state, node),
        Node::Object(_) | Node::Member(..) => {
            let Some(object) = state.object_of(node) else { return };
            toggle_one(state, object);
        }
        _ => {}
    }
}

fn toggle_one(state: &mut State, object: ObjectIndex) {
    if state.marks.selection.is_marked(object) {
        state.set_marks([object], false);
        return;
    }
    match state.left_out(object) {
        Some(Reason::Protected) => {
            state.say(Level::Error, "protected by the configuration; not marked");
            return;
        }
        Some(Reason::NotJudged) => {
            state.say(Level::Warning, "marked, but nothing is judged yet: whose it is is not known")
        }
        Some(Reason::Young) => state.say(Level::Warning, "marked, but it is too young: the plan will refuse it"),
        Some(Reason::Unconfirmed) => {
            state.say(Level::Warning, "marked, but it was not seen for long enough: the plan will refuse it");
        }
        Some(Reason::Verdict(Verdict::Undetermined)) => {
            state.say(Level::Warning, "marked, but nobody can say whose it is: the verdict is undetermined");
        }
        Some(Reason::Verdict(verdict)) => {
            state.say(Level::Warning, format!("marked, but it is not orphaned: its verdict is {verdict}"));
        }
        None => {}
    }
    state.set_marks([object], true);
}

fn toggle_many(state: &mut State, node: &Node) {
    let objects = state.objects_in(node);
    let bulk = state.mark_bulk(objects.clone());
    if bulk.changed > 0 || state.marks.selection.is_empty() {
        say(state, &bulk);
        return;
    }
    let count = state.set_all_marks(&objects, false);
    match count {
        0 => say(state, &bulk),
        _ => state.say(Level::Info, format!("unmarked {}", number::objects(count))),
    }
}

fn say(state: &mut State, bulk: &Bulk) {
    let level = if bulk.left_out.is_empty() { Level::Info } else { Level::Warning };
    state.say(level, bulk.text("marked"));
}

fn report(state: &mut State, objects: BitSet) {
    let bulk = state.mark_bulk(objects);
    say(state, &bulk);
}

/// The folder or group that the cursor is in: itself if it is one that is open, else what holds it.
fn here(state: &State, node: &Node) -> BitSet {
    let (open, parent) = state.with_forest(|forest| (forest.is_open(node), forest.parent(node)));
    match (open, parent) {
        (true, _) => state.objects_in(node),
        (false, Some(parent)) => state.objects_in(&parent),
        // At the top of the folders everything that is shown is in this folder.
        (false, None) if state.browse.view == View::Folders => {
            let space = state.space();
            space.objects(0..space.len())
        }
        (false, None) => state.objects_in(node),
    }
}

/// `A`: everything of the finding or project, from whatever row of it.
fn finding(state: &mut State, node: &Node) {
    let root = match node {
        Node::Group(id) | Node::Member(id, _) => Some(id.parent().unwrap_or_else(|| id.clone())),
        _ => None,
    };
    if let Some(id) = root {
        let objects = state.objects_in(&Node::Group(id));
        report(state, objects);
        return;
    }
    let projects = projects_of(state, node);
    let mut projects = projects.into_iter();
    match (projects.next(), projects.next()) {
        (Some(project), None) => {
            let objects = objects_of_project(state, &project);
            let bulk = state.mark_bulk(objects);
            let level = if bulk.left_out.is_empty() { Level::Info } else { Level::Warning };
            state.say(level, format!("project {project}: {}", bulk.text("marked")));
        }
        (Some(_), Some(_)) => state.say(Level::Warning, "several projects are in here; go to an object of one of them"),
        (None, _) => state.say(Level::Warning, "no project is known for this"),
    }
}

/// The projects of a row; two are as many as are needed to know that it is not one.
fn projects_of(state: &State, node: &Node) -> BTreeSet<ProjectId> {
    let mut projects = BTreeSet::new();
    let Some(assessment) = &state.bucket.assessment else { return projects };
    let mut seen = None;
    for object in state.objects_in(node).iter() {
        let project = assessment.project(object);
        if project.is_none() || project == seen {
            continue;
        }
        seen = project;
        projects.extend(project.map(|project| assessment.project_id(project).clone()));
        if projects.len() > 1 {
            break;
        }
    }
    projects
}

fn objects_of_project(state: &State, project: &ProjectId) -> BitSet {
    let id = GroupId { finding: None, project: Some(Some(project.clone())) };
    let tree = &state.gathered().projects;
    tree.group(&id).map(|group| BitSet::of_increasing(tree.by_number(group))).unwrap_or_default()
}

fn range(state: &mut State, cursor: Node) {
    let Some(anchor) = state.marks.anchor.take() else {
        state.marks.anchor = Some(cursor);
        state.say(Level::Info, "range begins here; move, then v marks the orphans in it; Esc leaves");
        return;
    };
    match between(state, &anchor, &cursor) {
        Some(objects) => report(state, objects),
        None => state.say(Level::Warning, "the start of the range is no longer there"),
    }
}

/// The objects of all rows from one to the other, whichever stands above.
fn between(state: &State, one: &Node, other: &Node) -> Option<BitSet> {
    if let Some(tree) = state.group_tree(state.browse.view) {
        let positions = |node: &Node| {
            let open = state.with_forest(|forest| forest.is_open(node));
            match node {
                Node::Group(id) => Some((tree.group(id)?.members.clone(), open)),
                Node::Member(id, member) => tree.position(id, *member).map(|at| (at..at + 1, false)),
                _ => None,
            }
        };
        let members = tree.members(positions_between(positions(one)?, positions(other)?));
        return Some(members.iter().copied().collect());
    }
    if !state.browse.flat {
        return state.folder_forest().objects_between(one, other);
    }
    let space = state.space();
    let place = |node: &Node| space.position_of(state.object_of(node)?);
    let (one, other) = (place(one)?, place(other)?);
    Some(match &state.browse.sorted_flat {
        None => space.objects(one.min(other)..one.max(other) + 1),
        Some(order) => {
            let rank = |place: u32| order.ranks.get(place as usize).map(|rank| *rank as usize);
            let (one, other) = (rank(one)?, rank(other)?);
            order.objects.get(one.min(other)..one.max(other) + 1)?.iter().copied().collect()
        }
    })
}

fn invert(state: &mut State, node: &Node) {
    let mut unmarked = here(state, node);
    let mut marked = unmarked.clone();
    marked.keep(state.marks.selection.objects());
    unmarked.take_out(&marked);
    let bulk = state.mark_bulk(unmarked);
    let taken = state.set_all_marks(&marked, false);
    let level = if bulk.left_out.is_empty() { Level::Info } else { Level::Warning };
    state.say(level, format!("unmarked {}, {}", number::count(taken), bulk.text("marked")));
}

fn clear(state: &mut State) {
    let count = state.marks.selection.totals().objects;
    if count == 0 {
        if let Some(cleared) = state.marks.cleared.take() {
            let back = cleared.totals().objects;
            state.marks.selection = cleared;
            state.marks.extents.clear();
            state.planning.outdated = true;
            state.say(Level::Info, format!("{} marked again", number::objects(back)));
        } else {
            state.say(Level::Info, "nothing is marked");
        }
        return;
    }
    state.marks.cleared = Some(std::mem::take(&mut state.marks.selection));
    state.marks.extents.clear();
    state.planning.outdated = true;
    state.say(Level::Info, format!("{} unmarked; U again brings the marks back", number::objects(count)));
}

/// Marks or unmarks what matches a glob.
pub(super) fn by_glob(state: &mut State, pattern: &str, mark: bool, objects: BitSet) -> Effects {
    if let Some(obstacle) = kept::obstacle(state).filter(|_| mark) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    let matching = number::objects(objects.count());
    let (level, text) = match mark {
        true => {
            let bulk = state.mark_bulk(objects);
            (if bulk.left_out.is_empty() { Level::Info } else { Level::Warning }, bulk.text("marked"))
        }
        false => {
            let count = state.set_all_marks(&objects, false);
            (Level::Info, format!("unmarked {}", number::objects(count)))
        }
    };
    state.say(level, format!("{pattern} matches {matching}: {text}"));
    Effects::new()
}
