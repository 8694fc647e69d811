//! Runs that are killed after any of their records, again and again, while the bucket goes on without them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bucketree::domain::{Object, Outcome};
use bucketree::jobs::execute::{Ending, ExecuteError};
use bucketree::journal::runs;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::resuming::{cut, journal, lines, untouched};
use crate::world::World;

/// What became of the object of a row while nobody watched.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Gone,
    There,
    Changed,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Gone), Just(Fate::There), Just(Fate::Changed)]
}

/// A run is killed after any of its records, torn or not, any number of times; whatever had happened to the objects by
/// then, the outcomes tell the truth, and only what was planned is gone.
async fn survives(kills: Vec<(usize, Vec<Fate>, bool, bool)>) -> Result<(), TestCaseError> {
    let mut world = World::with_orphans(12);
    (world.batch_keys, world.concurrency) = (3, 2);
    let plan = world.plan().await;
    let mut objects: BTreeMap<String, Object> = BTreeMap::new();
    plan.rows.iter().for_each(|row| drop(objects.insert(row.object.key.escaped().to_string(), row.object.clone())));
    let mut ran = world.run(plan).await.unwrap();
    let run = ran.report.run.clone();
    let mut changed = BTreeSet::new();
    for (at, fates, torn, close) in kills {
        let all = lines(&world, &run);
        let keep = 1 + at % all.len();
        cut(&world, &run, keep);
        if torn {
            let mut text = all[..keep].concat();
            text.push_str(all.get(keep).map_or("0", |line| &line[..line.len() / 2]));
            fs::write(journal(&world, &run), text).unwrap();
        }
        let kept = runs::open(&world.runs(), &run).unwrap().outcomes();
        for (row, ((key, object), fate)) in (0u32..).zip(objects.iter().zip(&fates)) {
            // What has an end is as it ended.
            let fate = match kept.get(&row) {
                Some((outcome, _)) if outcome.is_gone() => Fate::Gone,
                _ if changed.contains(key) => continue,
                Some(_) => Fate::There,
                None => *fate,
            };
            match fate {
                Fate::Gone => assert!(world.bucket.remove(&object.key) || !world.has(key)),
                Fate::There => world.bucket.put_described(object.clone()),
                Fate::Changed => {
                    changed.insert(key.clone());
                    world.put(key, 777);
                }
            }
        }
        let ending = if close { Ending::Close } else { Ending::GoOn };
        match world.resume(&run, ending).await {
            Ok(resumed) => ran = resumed,
            Err(ExecuteError::Refused(why)) => prop_assert!(why.0.contains("nothing of it is open"), "{why}"),
            Err(ExecuteError::Failed(failure)) => prop_assert!(false, "{failure}"),
        }
        let past = runs::open(&world.runs(), &run).unwrap();
        prop_assert!(past.is_finished());
        for (row, key) in (0u32..).zip(objects.keys()) {
            let (outcome, why) = past.outcomes()[&row].clone();
            // Somebody else may have removed what this run never asked for.
            let never_asked = outcome == Outcome::Failed && why.is_some_and(|why| why.starts_with("not attempted"));
            prop_assert!(never_asked || outcome.is_gone() != world.has(key), "{key} is {outcome}");
            prop_assert!(outcome != Outcome::Unknown);
            prop_assert!(!changed.contains(key) || world.has(key), "a changed object is gone");
        }
    }
    prop_assert_eq!(ran.report.outcomes.total(), 12);
    untouched(&world);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_survives_any_kills(
        kills in prop::collection::vec(
            (any::<usize>(), prop::collection::vec(fate(), 12), any::<bool>(), any::<bool>()),
            1..4,
        ),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(survives(kills))?;
    }
}
