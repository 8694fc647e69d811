//! Which group each object belongs to.

use std::num::NonZeroU32;

use crate::domain::assessment::Assessment;
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::plan::{Plan, PlanRow};

use super::event::Gathered;
use super::groups::{Finding, GroupId, GroupOrder, GroupTree, Item};
use super::order::{Order, compare_groups, weight_of_objects};

/// Gathers objects under projects and findings. Long work: for a blocking thread. `only` limits it to some objects, in
/// increasing order.
pub fn gather(
    inventory: &Inventory,
    assessment: &Assessment,
    only: Option<&[ObjectIndex]>,
    order: Order,
    cancelled: &dyn Fn() -> bool,
) -> Option<Gathered> {
    let objects = Objects { inventory, assessment, only };
    let projects = objects.by_project(order);
    if cancelled() {
        return None;
    }
    let findings = objects.by_finding(order);
    (!cancelled()).then_some(Gathered { projects, findings })
}

struct Objects<'a> {
    inventory: &'a Inventory,
    assessment: &'a Assessment,
    only: Option<&'a [ObjectIndex]>,
}

impl Objects<'_> {
    fn each(&self, visit: &mut dyn FnMut(&Item)) {
        let mut one = |index: ObjectIndex| {
            if !self.inventory.is_gone(index) {
                visit(&item(self.inventory, self.assessment, index));
            }
        };
        match self.only {
            Some(some) => some.iter().copied().for_each(&mut one),
            None => (0..self.inventory.len()).for_each(&mut one),
        }
    }

    /// The buckets: one for each project, and a last one for objects of no project.
    fn ids(&self) -> Vec<GroupId> {
        let projects = (0..self.assessment.projects()).map(|number| Some(self.assessment.project_id(number).clone()));
        projects.chain([None]).map(|project| GroupId { finding: None, project: Some(project) }).collect()
    }

    fn bucket(&self, index: ObjectIndex) -> usize {
        self.assessment.project(index).unwrap_or(self.assessment.projects()) as usize
    }

    fn by_project(&self, order: Order) -> GroupTree {
        let source = |sink: &mut dyn FnMut(usize, &Item)| self.each(&mut |item| sink(self.bucket(item.index), item));
        self.with_order(order, |group_order| GroupTree::gather(&self.ids(), &source, group_order))
    }

    fn by_finding(&self, order: Order) -> GroupTree {
        let width = self.assessment.projects() as usize + 1;
        let each = |visit: &mut dyn FnMut(usize, &Item)| {
            self.each(&mut |item| {
                for (number, finding) in Finding::ALL.iter().enumerate() {
                    if finding.holds(item.verdict, item.flags) {
                        visit(number * width + self.bucket(item.index), item);
                    }
                }
            });
        };
        // Most projects have few of the findings, and there may be as many projects as objects: only what occurs is counted.
        let mut places: Vec<Option<NonZeroU32>> = vec![None; Finding::ALL.len() * width];
        each(&mut |at, _| places[at] = Some(NonZeroU32::MIN));
        let mut ids = Vec::new();
        for (at, place) in places.iter_mut().enumerate().filter(|(_, place)| place.is_some()) {
            let project = u32::try_from(at % width).ok().filter(|project| *project < self.assessment.projects());
            let project = project.map(|project| self.assessment.project_id(project).clone());
            ids.push(GroupId { finding: Some(Finding::ALL[at / width]), project: Some(project) });
            *place = u32::try_from(ids.len()).ok().and_then(NonZeroU32::new);
        }
        let source = |sink: &mut dyn FnMut(usize, &Item)| {
            each(&mut |at, item| {
                if let Some(place) = places[at] {
                    sink(place.get() as usize - 1, item);
                }
            });
        };
        self.with_order(order, |group_order| GroupTree::gather(&ids, &source, group_order))
    }

    fn with_order<T>(&self, order: Order, run: impl FnOnce(&GroupOrder<'_>) -> T) -> T {
        let groups = compare_groups(order);
        let weight = weight_of_objects(self.inventory, Some(self.assessment), order);
        let members: Option<&dyn Fn(u32) -> u64> = if order.is_natural() { None } else { Some(&weight) };
        run(&GroupOrder { groups: &groups, members })
    }
}

/// What is counted of an object.
pub fn item(inventory: &Inventory, assessment: &Assessment, index: ObjectIndex) -> Item {
    Item {
        index,
        size: inventory.size(index),
        modified: inventory.last_modified(index),
        verdict: assessment.verdict(index),
        flags: assessment.flags(index),
    }
}

/// Gathers the rows of a plan under verdicts, then projects; of a plan that takes out of the trash, where nothing has a
/// verdict, in one group.
pub fn gather_plan(plan: &Plan) -> GroupTree {
    let group = |row: &PlanRow| match plan.header.kind.is_from_trash() {
        true => GroupId { finding: None, project: None },
        false => GroupId { finding: Some(Finding::Verdict(row.verdict)), project: Some(row.project.clone()) },
    };
    let mut ids: Vec<GroupId> = plan.rows.iter().map(group).collect();
    ids.sort();
    ids.dedup();
    let source = |sink: &mut dyn FnMut(usize, &Item)| {
        for (index, row) in (0..).zip(&plan.rows) {
            let Ok(bucket) = ids.binary_search(&group(row)) else { continue };
            let item = Item {
                index,
                size: row.object.size,
                modified: row.object.last_modified,
                verdict: row.verdict,
                flags: row.flags,
            };
            sink(bucket, &item);
        }
    };
    let groups = compare_groups(Order::default());
    GroupTree::gather(&ids, &source, &GroupOrder { groups: &groups, members: None })
}
