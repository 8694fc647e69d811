use super::*;
use crate::domain::progress::RegistryReport;
use crate::domain::samples::{inventory_of, object};
use crate::domain::{IdRules, Inventory};

const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";

fn rules(fold_nfc: bool) -> IdRules {
    IdRules { prefix: "proj_".into(), fold_nfc }
}

fn bucket(keys: &[&str]) -> Inventory {
    let mut keys = keys.to_vec();
    keys.sort();
    inventory_of(keys.iter().map(|key| object(key.as_bytes(), 1)))
}

fn row(key: &str, project: Option<&str>) -> RegistryRow {
    RegistryRow::Tracked { key: Key::from(key), project: project.map(str::to_owned) }
}

fn facts(inventory: &Inventory, fold_nfc: bool, rows: Vec<RegistryRow>) -> Facts {
    let mut builder = FactsBuilder::new(inventory, &rules(fold_nfc));
    rows.into_iter().for_each(|row| builder.row(row));
    builder.finish(RegistryReport { state: RegistryState::Usable, sources: vec![] })
}

/// Which keys of the bucket a row with this key claims.
fn check(keys: &[&str], written: &str, owner: Option<&str>, fold_nfc: bool, claimed: &[&str]) {
    let inventory = bucket(keys);
    let live = RegistryRow::Project { id: "1".into() };
    let facts = facts(&inventory, fold_nfc, vec![row(written, owner), live]);
    let found = (0..inventory.len()).filter(|&index| !facts.claims_of(index).is_empty());
    assert_eq!(
        found.map(|index| inventory.key(index)).collect::<Vec<_>>(),
        claimed.iter().map(|&k| Key::from(k)).collect::<Vec<_>>(),
        "{written}"
    );
    let missing: Vec<_> = facts.missing().iter().map(|missing| missing.key.clone()).collect();
    let expected = if claimed.is_empty() { vec![Key::from(written)] } else { vec![] };
    assert_eq!(missing, expected, "{written}");
}

#[test]
fn a_row_finds_its_object_in_every_spelling() {
    for owner in [Some("1"), Some("2"), None] {
        let find = |keys: &[&str], written: &str, claimed: &[&str]| check(keys, written, owner, false, claimed);
        find(&["a/b", "a/c"], "a/b", &["a/b"]);
        find(&["a/b"], "/a/b", &["a/b"]);
        find(&["/a/b"], "/a/b", &["/a/b"]);
        find(&["a/b"], "//a/b", &[]);
        find(&["a b", "a+b"], "a%20b", &["a b"]);
        find(&["a b"], "b+b", &[]);
        find(&["a/b c"], "/a%2Fb%20c", &["a/b c"]);
        find(&["a%20b"], "a%20b", &["a%20b"]);
        find(&["a/b"], "a/", &[]);
        find(&["a/b"], "A/b", &[]);
        find(&["a/b"], "a/b/", &[]);
        find(&["a/b"], "", &[]);
        for (listed, written) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (DECOMPOSED, "caf%C3%A9")] {
            check(&[listed, "cafe"], written, owner, true, &[listed]);
        }
        // A listing may mix both forms in one key.
        let mixed = format!("{COMPOSED}/{DECOMPOSED}");
        check(&[&mixed], &format!("{COMPOSED}/{COMPOSED}"), owner, true, &[&mixed]);
    }
}

#[test]
fn a_row_that_may_mean_two_objects_protects_both_and_condemns_one() {
    for (keys, written) in
        [(["/a", "a"], "/a"), (["a b", "a%20b"], "a%20b"), (["a b", "a+b"], "a+b"), ([DECOMPOSED, COMPOSED], COMPOSED)]
    {
        let fold_nfc = written == COMPOSED;
        let mut both = keys;
        both.sort();
        check(&keys, written, Some("1"), fold_nfc, &both);
        check(&keys, written, None, fold_nfc, &both);
        check(&keys, written, Some("2"), fold_nfc, &[written]);
    }
}

#[test]
fn an_unlikely_spelling_protects_and_never_condemns() {
    for (listed, written) in
        [("a b", "a+b"), ("/a/b", "a/b"), (COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (DECOMPOSED, "caf%C3%A9")]
    {
        check(&[listed], written, Some("1"), false, &[listed]);
        check(&[listed], written, None, false, &[listed]);
        let inventory = bucket(&[listed]);
        let dead = facts(&inventory, false, vec![row(written, Some("2"))]);
        assert_eq!(dead.claims_of(0), [], "{written}");
    }
    check(&[COMPOSED, DECOMPOSED], DECOMPOSED, Some("2"), false, &[DECOMPOSED]);
}

#[test]
fn owners_are_judged_when_all_projects_are_known() {
    let inventory = bucket(&["a"]);
    let live = RegistryRow::Project { id: "proj_proj_1".into() };
    let reference = RegistryRow::Reference { key: Key::from("a"), project: Some("10".into()) };
    let again = row("a", Some("proj_1"));
    let rows = vec![again.clone(), again, reference, row("a", Some("proj_")), row("/gone", Some("2")), live];
    let facts = facts(&inventory, false, rows);
    let project = |id: &str| rules(false).canonical(id.as_bytes()).expect("an id").project;
    let mut claims = facts.claims_of(0);
    claims.sort();
    let expected = [
        Claim { kind: ClaimKind::Row, owner: Owner::Live(project("1")) },
        Claim { kind: ClaimKind::Row, owner: Owner::Unknown },
        Claim { kind: ClaimKind::Reference, owner: Owner::Dead(project("10")) },
    ];
    assert_eq!(claims, expected);
    assert_eq!(
        facts.missing(),
        [Missing { key: Key::from("/gone"), claim: Claim { kind: ClaimKind::Row, owner: Owner::Dead(project("2")) } }]
    );
    assert!(facts.is_live(&project("1")) && !facts.is_live(&project("10")));
    assert_eq!(facts.live_projects().collect::<Vec<_>>(), [&project("1")]);
    assert!(!facts.tracks_keys());
}

#[test]
fn claims_of_many_objects_do_not_mix() {
    let keys: Vec<String> = (0..500).map(|n| format!("k{n:03}")).collect();
    let inventory = bucket(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = keys.iter().enumerate().rev().filter(|(n, _)| n % 3 == 0);
    let facts = facts(&inventory, false, rows.map(|(n, key)| row(key, Some(&n.to_string()))).collect());
    let mut from = 0;
    for index in 0..500_u32 {
        let owners: Vec<_> = facts.claims_of(index).into_iter().map(|claim| claim.owner).collect();
        match (index % 3, owners.as_slice()) {
            (0, [Owner::Dead(project)]) => assert_eq!(project.to_string(), index.to_string()),
            (1 | 2, []) => {}
            _ => panic!("{index}: {owners:?}"),
        }
        let range = facts.claims_range(index, from);
        assert_eq!(range.len(), owners.len());
        from = range.end;
    }
}
