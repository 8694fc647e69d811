//! The law of marks: whatever is sorted, filtered, folded, listed again or resized between a mark and the plan, the plan
//! holds exactly the keys that the user marked.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::app::event::Event;
use crate::app::forest::Node;
use crate::app::testing::Sim;
use crate::domain::Key;

#[derive(Clone, Debug)]
enum Step {
    Keys(&'static str),
    Resize(u16, u16),
    /// List again, this object (counted from the first) having gone or changed before.
    Refresh {
        gone: Option<usize>,
        changed: Option<usize>,
        added: bool,
    },
    Mark,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop::sample::select(vec![
        "j",
        "k",
        "jjj",
        "l",
        "h",
        "E",
        "C",
        "g",
        "G",
        "`",
        "O",
        "o<enter>",
        "oj<enter>",
        "ojj<enter>",
        "ojjjj<enter>",
        "1",
        "2",
        "3",
        "]",
        "[",
        "}",
        "{",
        "/proj_1<enter>",
        "/!audio size:>2k<enter>",
        "<esc>",
        "<c-d>",
        "<c-u>",
        "J",
        "K",
        "n",
        "-",
        ":users/<enter>",
        "y",
        "<tab>",
        "<tab><tab>",
        "4",
        "5",
        "c",
        "b",
        "M",
        "u",
    ]);
    let refresh = (prop::option::of(0usize..10), prop::option::of(0usize..10), any::<bool>());
    let step = prop_oneof![
        6 => keys.prop_map(Step::Keys),
        1 => (40u16..200, 10u16..60).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => refresh.prop_map(|(gone, changed, added)| Step::Refresh { gone, changed, added }),
        4 => Just(Step::Mark),
    ];
    prop::collection::vec(step, 1..40)
}

/// Lists again. No name is given twice: an object that comes back just as it was would keep its mark, and rightly so.
fn refresh(
    sim: &mut Sim,
    marked: &mut BTreeSet<Key>,
    (gone, changed): (Option<usize>, Option<usize>),
    added: Option<usize>,
) {
    if let Some(at) = changed.filter(|at| *at < sim.objects.len()) {
        sim.objects[at].size += 1;
        marked.remove(&sim.objects[at].key);
    }
    if let Some(at) = gone.filter(|at| *at < sim.objects.len()) {
        marked.remove(&sim.objects.remove(at).key);
    }
    if let Some(number) = added {
        let name = format!("b{number:02}/new");
        let object = crate::app::testing::object(name.as_bytes(), 1, 100);
        if sim.objects.iter().all(|known| known.key != object.key) {
            sim.objects.push(object);
            sim.objects.sort_by(|a, b| a.key.cmp(&b.key));
        }
    }
    sim.press("1r");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_holds_exactly_what_was_marked(steps in steps()) {
        let mut sim = Sim::ready();
        let mut marked: BTreeSet<Key> = BTreeSet::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Keys(keys) => { sim.press(keys); }
                Step::Resize(width, height) => sim.send(Event::Resize(width, height)),
                Step::Refresh { gone, changed, added } => {
                    refresh(&mut sim, &mut marked, (gone, changed), added.then_some(number));
                }
                Step::Mark => {
                    // What the screen shows under the cursor is what the user means.
                    let node = sim.state.cursor();
                    let in_rows = !matches!(sim.state.browse.view, crate::app::View::Plan | crate::app::View::Log);
                    if let (true, Some(node @ (Node::Object(_) | Node::Member(..)))) = (in_rows, node) {
                        let key = sim.state.key_of(&node).expect("a key");
                        sim.press("<space>");
                        if !marked.remove(&key) {
                            marked.insert(key);
                        }
                    }
                }
            }
            let shown: BTreeSet<Key> = sim.state.marks.selection.iter().map(|at| sim.state.bucket.inventory.key(at)).collect();
            prop_assert_eq!(&shown, &marked);
        }
        sim.press("<esc><esc>1d");
        let planned: BTreeSet<Key> = sim.state.planning.plan.iter().flat_map(|plan| &plan.rows).map(|row| row.object.key.clone()).collect();
        prop_assert_eq!(planned, marked);
    }
}
