//! The verdicts again, by other means: keys are cut with `split`, shape by shape, and the table is asked in its own words.
//! Nothing of the code under test is used to say what is expected.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::{DAY, NOW, Registry, inventory_of, judge_of, object};
use super::*;

/// The id without its prefixes; `None` if nothing is left.
fn whose(spelled: &str) -> Option<String> {
    let mut id = spelled;
    while id.len() >= 5 && &id[..5] == "proj_" {
        id = &id[5..];
    }
    (!id.is_empty()).then(|| id.to_owned())
}

fn is_prefixed(id: &str) -> bool {
    id.len() > 5 && id.starts_with("proj_")
}

/// Everyone whom the key could name.
fn named(key: &str) -> BTreeSet<String> {
    let parts: Vec<&str> = key.split('/').collect();
    let mut spelled: Vec<String> = Vec::new();
    if parts.iter().all(|part| !part.is_empty()) {
        match parts.len() {
            8 if parts[0] == "users" && parts[2] == "projects" && parts[4] == "scenes" => spelled.push(parts[3].into()),
            6 if parts[0] == "users" && parts[2] == "projects" && parts[4] == "output" => spelled.push(parts[3].into()),
            6 if parts[0] == "projects" && parts[2] == "scenes" && is_prefixed(parts[1]) => {
                spelled.push(parts[1].into())
            }
            4 if ["audio", "video", "media", "thumbnails"].contains(&parts[0]) && is_prefixed(parts[1]) => {
                spelled.push(parts[1].into());
            }
            1 => spelled.extend(flat(key)),
            _ => {}
        }
    }
    spelled.iter().filter_map(|id| whose(id)).collect()
}

/// Every beginning of a flat name that could be an id: what is left must be `_scene_kind.ext`.
fn flat(name: &str) -> Vec<String> {
    let kinds = ["media", "audio", "video", "image", "thumbnail", "thumbnails"];
    let ends_in_scene_kind_ext = |rest: &str| {
        rest.char_indices().filter(|&(_, c)| c == '.').any(|(dot, _)| {
            let (stem, ext) = (&rest[..dot], &rest[dot + 1..]);
            let fits =
                |kind: &&str| stem.strip_suffix(kind).and_then(|s| s.strip_suffix('_')).is_some_and(|s| !s.is_empty());
            !ext.is_empty() && kinds.iter().any(fits)
        })
    };
    let cuts = name.char_indices().filter(|&(_, c)| c == '_').map(|(at, _)| at);
    cuts.filter(|&at| is_prefixed(&name[..at]) && ends_in_scene_kind_ext(&name[at + 1..]))
        .map(|at| name[..at].to_owned())
        .collect()
}

/// One registry entry: key as written, owner as written.
type Entry = (String, Option<String>);

fn has_key(entry: &Entry, key: &str) -> bool {
    let written = entry.0.replace("%20", " ").replace("%C3%A9", "\u{e9}");
    entry.0 == key || written == key || written.strip_prefix('/') == Some(key)
}

/// The table of verdicts in its own words.
fn expected(key: &str, live: &BTreeSet<String>, entries: &[Entry], tracked: bool) -> Verdict {
    let key_names = named(key);
    let key_names_live = key_names.iter().any(|id| live.contains(id));
    let here: Vec<_> = entries.iter().filter(|entry| has_key(entry, key)).collect();
    let owners: Vec<Option<String>> = here.iter().map(|(_, owner)| owner.as_deref().and_then(whose)).collect();
    let live_entry = owners.iter().flatten().any(|id| live.contains(id));
    let nobodys_entry = owners.iter().any(Option::is_none);
    let everyone: Vec<&String> = key_names.iter().chain(owners.iter().flatten()).collect();

    let lives = (key_names_live && (!tracked || live_entry || nobodys_entry)) || (key_names.is_empty() && live_entry);
    let untracked = key_names_live && tracked && owners.is_empty();
    let orphan = !everyone.is_empty() && everyone.iter().all(|id| !live.contains(*id)) && !nobodys_entry;
    let nothing = everyone.is_empty();
    let said = [
        (lives, Verdict::Live),
        (untracked, Verdict::Untracked),
        (orphan, Verdict::Orphaned),
        (nothing, Verdict::Unrecognized),
    ];
    let holding: Vec<_> = said.iter().filter(|(holds, _)| *holds).map(|(_, verdict)| *verdict).collect();
    assert!(holding.len() < 2, "{key}: the table says {holding:?}");
    holding.first().copied().unwrap_or(Verdict::Conflict)
}

/// Few ids that look alike, spelled as the app spelled them over the years.
fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "10", "a", "a_b", "a-b", "b", "proj", "_", "\u{e9}", "x y"]).prop_map(String::from)
}

fn spelled_id() -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["", "proj_", "proj_", "proj_proj_"]), id())
        .prop_map(|(prefix, id)| prefix.to_owned() + &id)
}

fn key() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["audio", "video", "media", "thumbnails", "thumbnail", "music"]);
    let scene = prop::sample::select(vec!["S", "s_1", "proj_1", "media", "_", ""]);
    let file = prop::sample::select(vec!["f.mp3", "a.b.c", "f", "x_media.mp4", ""]);
    (0..10_u8, spelled_id(), kind, scene, file).prop_map(|(shape, id, kind, scene, file)| match shape {
        0 => format!("users/u/projects/{id}/scenes/{scene}/{kind}/{file}"),
        1 => format!("users/u/projects/{id}/output/{file}"),
        2 => format!("projects/{id}/scenes/{scene}/{kind}/{file}"),
        3 | 4 => format!("{kind}/{id}/{scene}/{file}"),
        5..=7 => format!("{id}_{scene}_{kind}.{file}").replace('/', ""),
        8 => format!("{kind}/{id}/{file}"),
        _ => format!("x{id}_{scene}_{kind}.{file}"),
    })
}

/// Entries for keys of the bucket, written as registries write them, and for others.
fn entries(keys: Vec<String>) -> impl Strategy<Value = Vec<Entry>> {
    let owner = prop::option::weighted(0.8, prop_oneof![9 => spelled_id(), 1 => Just("proj_".to_owned())]);
    let written = (prop::sample::select(keys), 0..4_u8).prop_map(|(key, how)| match how {
        0 => format!("/{key}"),
        1 => key.replace(' ', "%20").replace('\u{e9}', "%C3%A9"),
        _ => key,
    });
    prop::collection::vec((written, owner), 0..30)
}

fn bucket() -> impl Strategy<Value = (Vec<String>, Vec<Entry>, Vec<String>, bool)> {
    let keys = prop::collection::btree_set(key().prop_filter("a key", |key| !key.is_empty()), 1..40);
    keys.prop_flat_map(|keys| {
        let keys: Vec<_> = keys.into_iter().collect();
        (Just(keys.clone()), entries(keys), prop::collection::vec(spelled_id(), 1..5), any::<bool>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Every reading must be dead, and every other line of the table, on whole buckets.
    #[test]
    fn verdicts_are_what_the_table_says((keys, entries, projects, tracked) in bucket()) {
        let live: BTreeSet<String> = projects.iter().filter_map(|id| whose(id)).collect();
        let inventory = inventory_of(keys.iter().map(|key| object(key, 30 * DAY)).collect());
        let written: Vec<_> = entries.iter().map(|(key, owner)| (key.as_str(), owner.as_deref())).collect();
        let (rows, references) = written.split_at(written.len() / 2);
        let ids: Vec<_> = projects.iter().map(String::as_str).collect();
        let facts = Registry { live: &ids, rows, references, tracked }.facts(&inventory, false);
        let judge = judge_of(facts, Policy::default(), Trust { complete: true, now: Some(NOW) });
        let assessment = classify(&inventory, &judge, &|_| true);
        for (index, key) in (0..).zip(inventory_keys(&inventory)) {
            let wanted = expected(&key, &live, &entries, tracked);
            let (judgement, evidence) = judge.evidence(&inventory.object(index), &judge.facts().claims_of(index));
            prop_assert_eq!(assessment.verdict(index), wanted, "{}: {}", &key, &evidence.because);
            prop_assert_eq!(judgement.verdict, wanted, "{}: {}", &key, &evidence.because);
            let readings: BTreeSet<String> = evidence.readings.iter().map(|(reading, _)| reading.project.to_string()).collect();
            prop_assert_eq!(readings, named(&key), "{}", &key);
            let shown = assessment.project(index).map(|project| assessment.project_id(project).to_string());
            prop_assert_eq!(shown.is_none(), named(&key).is_empty() && evidence.claims.iter().all(|c| c.owner == Owner::Unknown));
        }
        prop_assert!(judge.facts().missing().is_empty(), "every entry is of a key of the bucket");
    }
}

fn inventory_keys(inventory: &crate::domain::Inventory) -> Vec<String> {
    (0..inventory.len()).map(|index| inventory.key(index).as_str().expect("text").to_owned()).collect()
}
