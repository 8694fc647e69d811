//! The verdicts that the objects were made for, against those that an audit gives.

use std::sync::Arc;

use super::*;
use crate::domain::facts::{FactsBuilder, RegistryRow, RegistryState, SourceReport};
use crate::domain::judge::{Judge, Policy, Trust, classify};
use crate::domain::layout::Layouts;
use crate::domain::progress::RegistryReport;
use crate::domain::{ETag, Flag, IdRules, Inventory, Key, Object, StorageClass, Timestamp};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn inventory_of(sample: &Sample) -> Inventory {
    let mut objects: Vec<&SampleObject> = sample.objects.iter().collect();
    objects.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
    let mut inventory = Inventory::new();
    for object in objects {
        let object = Object {
            key: Key::from(object.key.as_str()),
            size: object.size,
            etag: ETag::new(&format!("{:032x}-1", object.tag)),
            last_modified: Some(Timestamp(NOW.0 - object.age_ms)),
            storage_class: StorageClass::default(),
        };
        inventory.push(object).expect("sorted");
    }
    inventory
}

fn judge_of(sample: &Sample, inventory: &Inventory) -> Judge {
    let layouts = Layouts::autoshorts();
    let ids = IdRules { prefix: layouts.id_prefix().to_owned(), fold_nfc: true };
    let mut facts = FactsBuilder::new(inventory, &ids);
    sample.projects.iter().for_each(|id| facts.row(RegistryRow::Project { id: id.clone() }));
    for row in &sample.rows {
        facts.row(RegistryRow::Tracked { key: Key::from(row.key.as_str()), project: Some(row.project.clone()) });
    }
    let source = SourceReport {
        name: "sqlite: registry.db".into(),
        projects: sample.projects.len() as u64,
        tracked: Some(sample.rows.len() as u64),
        references: 0,
        read_at: NOW,
        fingerprint: String::new(),
    };
    let facts = facts.finish(RegistryReport { state: RegistryState::Usable, sources: vec![source] });
    let policy = Policy { min_age_seconds: 7 * DAY_SECONDS, ..Policy::default() };
    Judge::new(Arc::new(layouts), Arc::new(facts), policy, Trust { complete: true, now: Some(NOW) })
}

#[test]
fn an_audit_finds_what_each_object_was_made_for() {
    for seed in [1, 2, 3] {
        let sample = generate(10_000, seed);
        let inventory = inventory_of(&sample);
        let judge = judge_of(&sample, &inventory);
        let assessment = classify(&inventory, &judge, &|_| true);
        for object in &sample.objects {
            let index = inventory.find(object.key.as_bytes()).expect("listed");
            assert_eq!(assessment.verdict(index), object.verdict, "seed {seed}: {:?}", object.key);
        }
        let flags = |flag: Flag| (0..inventory.len()).filter(|&index| assessment.flags(index).has(flag)).count();
        for flag in [Flag::Young, Flag::Legacy, Flag::DoublePrefixed, Flag::Duplicate] {
            assert!(flags(flag) > 0, "seed {seed}: no object is {flag}");
        }
    }
}
