use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::IdRules;
use crate::domain::samples::{inventory_of, object};

fn inventory(sizes: &[u64]) -> Inventory {
    inventory_of((0u32..).zip(sizes).map(|(n, size)| object(format!("{n:06}").as_bytes(), *size)))
}

fn project(number: usize) -> ProjectId {
    IdRules::default().canonical(format!("p{number}").as_bytes()).expect("an id").project
}

/// What is said of the object with this index and size, different for neighbours.
fn opinion(index: u32, size: u64) -> (Verdict, Flags, Option<ProjectId>) {
    let seed = (u64::from(index) * 31 + size) as usize;
    let flags = Flag::ALL.into_iter().filter(|flag| seed >> (*flag as u8 + 3) & 1 == 1).collect();
    (Verdict::ALL[seed % Verdict::ALL.len()], flags, Some(seed % 5).filter(|number| *number > 0).map(project))
}

fn assess(inventory: &Inventory) -> Assessment {
    let mut builder = AssessmentBuilder::new(inventory);
    inventory.scan(0..inventory.len(), |index, _, fields| {
        let (verdict, flags, project) = opinion(index, fields.size);
        builder.push(verdict, flags, project.as_ref(), fields.size);
    });
    builder.finish()
}

fn expected(inventory: &Inventory, members: impl Iterator<Item = u32>) -> VerdictTotals {
    let mut totals = VerdictTotals::default();
    for index in members {
        let (verdict, flags, _) = opinion(index, inventory.size(index));
        totals.count(verdict, flags, inventory.size(index));
    }
    totals
}

#[test]
fn each_verdict_and_flag_is_counted_apart() {
    let inventory = inventory(&[5, 7, 11]);
    let mut builder = AssessmentBuilder::new(&inventory);
    let both: Flags = [Flag::Young, Flag::Legacy].into_iter().collect();
    builder.push(Verdict::Orphaned, both, Some(&project(1)), 5);
    builder.push(Verdict::Orphaned, Flags::NONE, Some(&project(1)), 7);
    builder.push(Verdict::Live, [Flag::Legacy].into_iter().collect(), Some(&project(2)), 11);
    let mut assessment = builder.finish();
    let totals = assessment.totals(0..3);
    assert_eq!(totals.of(Verdict::Orphaned), Tally { objects: 2, bytes: 12 });
    assert_eq!(totals.of(Verdict::Live), Tally { objects: 1, bytes: 11 });
    assert_eq!(totals.of(Verdict::Conflict), Tally::default());
    assert_eq!(totals.flagged(Flag::Legacy), Tally { objects: 2, bytes: 16 });
    assert_eq!(totals.flagged(Flag::Young), Tally { objects: 1, bytes: 5 });
    assert_eq!(totals.all(), Tally { objects: 3, bytes: 23 });
    assert_eq!(assessment.totals(1..2).of(Verdict::Orphaned), Tally { objects: 1, bytes: 7 });

    assessment.forget(&[0, 0], &inventory);
    assessment.forget(&[0], &inventory);
    assert_eq!(assessment.totals(0..3).of(Verdict::Orphaned), Tally { objects: 1, bytes: 7 }, "forgotten once");
    let first = assessment.project(1).expect("a project");
    assert_eq!(assessment.project_id(first), &project(1));
    assert_eq!(assessment.project_totals(first).all(), Tally { objects: 1, bytes: 7 });
    assert_eq!(assessment.objects_of(first).collect::<Vec<_>>(), [1]);
}

#[test]
fn an_object_of_which_nothing_was_said_is_undetermined() {
    let mut inventory = inventory(&[1, 2, 4, 8]);
    inventory.forget(&[0, 3]);
    let mut builder = AssessmentBuilder::new(&inventory);
    builder.push(Verdict::Orphaned, Flags::NONE, None, 2);
    let assessment = builder.finish();
    let verdicts: Vec<Verdict> = (0..5).map(|index| assessment.verdict(index)).collect();
    assert_eq!(verdicts[1], Verdict::Orphaned, "what is gone has a place and shifts nobody");
    assert!(verdicts.iter().enumerate().all(|(at, verdict)| at == 1 || *verdict == Verdict::Undetermined));
    assert_eq!(assessment.totals(0..4).all(), Tally { objects: 2, bytes: 6 });
    assert_eq!(assessment.len(), 4);
}

#[test]
fn what_is_said_beyond_the_last_object_is_not_kept() {
    let inventory = inventory(&[1]);
    let mut builder = AssessmentBuilder::new(&inventory);
    builder.push(Verdict::Live, Flags::NONE, None, 1);
    builder.push(Verdict::Orphaned, Flags::NONE, Some(&project(1)), 1);
    let assessment = builder.finish();
    assert_eq!((assessment.len(), assessment.projects(), assessment.totals(0..9).all().objects), (1, 0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn totals_are_those_of_the_objects(
        sizes in prop::collection::vec(0u64..1000, 0..4000),
        before in prop::collection::btree_set(0u32..4100, 0..40),
        after in prop::collection::btree_set(0u32..4100, 0..40),
        (one, other) in (0u32..4100, 0u32..4100),
    ) {
        let mut inventory = inventory(&sizes);
        let list = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<_>>();
        inventory.forget(&list(&before));
        let mut assessment = assess(&inventory);
        assessment.forget(&list(&after), &inventory);
        let alive = |index: &u32| !before.contains(index) && !after.contains(index);
        let len = inventory.len();

        let range = one.min(other)..one.max(other).min(len);
        prop_assert_eq!(assessment.totals(range.clone()), expected(&inventory, range.filter(alive)));
        for index in (0..len).filter(alive) {
            let (verdict, flags, project) = opinion(index, inventory.size(index));
            prop_assert_eq!(assessment.verdict(index), verdict);
            prop_assert_eq!(assessment.flags(index), flags);
            prop_assert_eq!(assessment.project(index).map(|number| assessment.project_id(number).clone()), project);
        }
        for number in 0..assessment.projects() {
            let id = assessment.project_id(number).clone();
            let owned = |index: &u32| opinion(*index, inventory.size(*index)).2.as_ref() == Some(&id);
            let members: Vec<u32> = (0..len).filter(alive).filter(owned).collect();
            prop_assert_eq!(assessment.project_totals(number), &expected(&inventory, members.iter().copied()));
            prop_assert_eq!(assessment.objects_of(number).collect::<Vec<_>>(), members);
        }
    }
}
