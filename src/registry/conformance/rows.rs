//! What every adapter does with whole rows: a row that was taken out and put back is the row that it was.

use super::{Filling, Fixture, project, rows as read, tracked};
use crate::domain::Key;
use crate::domain::facts::RegistryRow;
use crate::registry::{KeptRow, NewRow, Registry, RowChange, SharedRegistry};

const READ_ONLY: RowChange = RowChange::ReadOnly;

fn changed(count: u64) -> RowChange {
    RowChange::Changed(count)
}

pub(super) async fn conforms(fixture: &dyn Fixture) {
    finds_whole_rows(fixture).await;
    if !fixture.can_change() {
        says_that_it_cannot_be_changed(fixture).await;
        return;
    }
    removes_exactly_the_rows_that_are_named(fixture).await;
    puts_rows_back_as_they_were(fixture).await;
    a_changed_row_stays(fixture).await;
    never_puts_a_row_over_another(fixture).await;
    a_call_that_is_repeated_changes_nothing(fixture).await;
    takes_many_rows_at_a_time(fixture).await;
    adds_rows(fixture).await;
}

async fn opened(fixture: &dyn Fixture, projects: &[&str], rows: &[(&str, Option<&str>)]) -> SharedRegistry {
    fixture.fill(&Filling::new(projects, rows)).await;
    fixture.open().await.expect("open")
}

/// The whole rows of these keys, in one order.
async fn whole(registry: &dyn Registry, keys: &[&str]) -> Vec<KeptRow> {
    let keys: Vec<Key> = keys.iter().map(|&key| key.into()).collect();
    let mut rows = registry.rows(&keys).await.expect("rows");
    rows.sort();
    rows
}

/// Everything that is tracked, in one order.
async fn everything(registry: &dyn Registry) -> Vec<RegistryRow> {
    let (mut rows, _) = read(registry).await.expect("a reading");
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

/// A row of the key, owner and content that are named.
fn named(rows: &[KeptRow], key: &str, owner: Option<&str>) -> KeptRow {
    let is_it = |row: &&KeptRow| row.key.as_str() == Some(key) && row.project.as_deref() == owner;
    rows.iter().find(is_it).expect(key).clone()
}

async fn finds_whole_rows(fixture: &dyn Fixture) {
    let all = [("a", Some("1")), ("a", Some("2")), ("/a", None), ("b c", Some("1")), ("d", Some("1"))];
    let registry = opened(fixture, &["1"], &all).await;
    let rows = whole(&*registry, &["a", "b c", "absent"]).await;
    let found: Vec<_> = rows.iter().map(|row| (row.key.as_str().unwrap_or_default(), row.project.as_deref())).collect();
    assert_eq!(found, [("/a", None), ("a", Some("1")), ("a", Some("2")), ("b c", Some("1"))]);
    for row in &rows {
        serde_json::from_str::<serde_json::Value>(&row.content).expect("the content is JSON");
    }
    assert_eq!(whole(&*registry, &["a", "b c"]).await, rows, "the same rows are the same text");
    assert_eq!(whole(&*registry, &[]).await, []);
}

async fn says_that_it_cannot_be_changed(fixture: &dyn Fixture) {
    let registry = opened(fixture, &["2"], &[("a", Some("1")), ("b", Some("2"))]).await;
    let before = everything(&*registry).await;
    let rows = whole(&*registry, &["a"]).await;
    assert_eq!(registry.remove_rows(&[]).await.expect("asked"), READ_ONLY);
    assert_eq!(registry.remove_rows(&rows).await.expect("asked"), READ_ONLY);
    assert_eq!(registry.put_rows(&rows).await.expect("asked"), READ_ONLY);
    assert_eq!(registry.add_rows(&[new("c", "2")]).await.expect("asked"), READ_ONLY);
    assert_eq!(everything(&*registry).await, before);
}

async fn removes_exactly_the_rows_that_are_named(fixture: &dyn Fixture) {
    let all = [("a", Some("1")), ("a", Some("2")), ("a", None), ("/a", Some("1")), ("A", Some("1")), ("b", Some("1"))];
    let registry = opened(fixture, &["2"], &all).await;
    let rows = whole(&*registry, &["a"]).await;
    let due = [named(&rows, "a", Some("1")), named(&rows, "a", None)];
    assert_eq!(registry.remove_rows(&due).await.expect("removed"), changed(2));
    let mut expected = vec![
        project("2"),
        tracked("a", Some("2")),
        tracked("/a", Some("1")),
        tracked("A", Some("1")),
        tracked("b", Some("1")),
    ];
    expected.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(everything(&*registry).await, expected, "other owners and other spellings stay");
}

async fn puts_rows_back_as_they_were(fixture: &dyn Fixture) {
    let all =
        [("a", Some("1")), ("a", Some("2")), ("\u{e9} +%2F", Some("1")), ("c", None), ("c", None), ("d", Some("2"))];
    let registry = opened(fixture, &["2"], &all).await;
    fixture.change("c").await;
    let keys = ["a", "\u{e9} +%2F", "c", "d"];
    let (before, rows) = (everything(&*registry).await, whole(&*registry, &keys).await);
    let due: Vec<KeptRow> = rows.iter().filter(|row| row.project.as_deref() != Some("2")).cloned().collect();
    assert_eq!(due.len(), 4);
    assert_eq!(registry.remove_rows(&due).await.expect("removed"), changed(4));
    assert_eq!(whole(&*registry, &keys).await.len(), 2);
    assert_eq!(registry.put_rows(&due).await.expect("put back"), changed(4));
    assert_eq!(whole(&*registry, &keys).await, rows, "each row is exactly the one that it was");
    assert_eq!(everything(&*registry).await, before);
    assert_eq!(registry.put_rows(&due).await.expect("put back"), changed(0), "they are there already");
    assert_eq!(whole(&*registry, &keys).await, rows);
}

async fn a_changed_row_stays(fixture: &dyn Fixture) {
    let registry = opened(fixture, &["2"], &[("a", Some("1")), ("b", Some("1"))]).await;
    let before = whole(&*registry, &["a", "b"]).await;
    fixture.change("a").await;
    let after = whole(&*registry, &["a", "b"]).await;
    assert_ne!(before[0], after[0]);
    assert_eq!(registry.remove_rows(&before).await.expect("removed"), changed(1));
    assert_eq!(whole(&*registry, &["a", "b"]).await, after[..1], "it is not the row that was to be removed");
}

async fn never_puts_a_row_over_another(fixture: &dyn Fixture) {
    let registry = opened(fixture, &["2"], &[("a", Some("1")), ("b", Some("1"))]).await;
    let rows = whole(&*registry, &["a", "b"]).await;
    fixture.change("a").await;
    let now = whole(&*registry, &["a"]).await;
    assert_eq!(registry.remove_rows(&rows[1..]).await.expect("removed"), changed(1));
    assert_eq!(registry.put_rows(&rows).await.expect("put back"), changed(1));
    assert_eq!(whole(&*registry, &["a"]).await, now, "the row that is there is left");
    assert_eq!(whole(&*registry, &["b"]).await, rows[1..]);
}

async fn a_call_that_is_repeated_changes_nothing(fixture: &dyn Fixture) {
    let registry = opened(fixture, &["2"], &[("a", Some("1")), ("b", Some("1"))]).await;
    let rows = whole(&*registry, &["a"]).await;
    assert_eq!(registry.remove_rows(&rows).await.expect("removed"), changed(1));
    assert_eq!(registry.remove_rows(&rows).await.expect("again"), changed(0));
    assert_eq!(registry.remove_rows(&[]).await.expect("nothing"), changed(0));
    assert_eq!(registry.put_rows(&[]).await.expect("nothing"), changed(0));
    assert_eq!(registry.add_rows(&[]).await.expect("nothing"), changed(0));
    assert_eq!(whole(&*registry, &["b"]).await.len(), 1);
}

async fn takes_many_rows_at_a_time(fixture: &dyn Fixture) {
    let all: Vec<(Key, Option<String>)> =
        (0..1_500).map(|at| (Key::new(format!("media/{at}.mp4")), Some(format!("{at}")))).collect();
    fixture.fill(&Filling { projects: vec!["x".into()], tracked: all.clone() }).await;
    let registry = fixture.open().await.expect("open");
    let keys: Vec<Key> = all.into_iter().map(|(key, _)| key).collect();
    let rows = registry.rows(&keys).await.expect("rows");
    assert_eq!(rows.len(), 1_500);
    let before = everything(&*registry).await;
    assert_eq!(registry.remove_rows(&rows).await.expect("removed"), changed(1_500));
    assert_eq!(registry.rows(&keys).await.expect("rows"), []);
    assert_eq!(registry.put_rows(&rows).await.expect("put back"), changed(1_500));
    assert_eq!(everything(&*registry).await, before);
}

fn new(key: &str, project: &str) -> NewRow {
    NewRow {
        key: key.into(),
        project: project.into(),
        user: Some("u".into()),
        scene: None,
        file_type: Some("audio".into()),
        size: 5_000_000_000,
        content_type: Some("audio/mpeg".into()),
        etag: Some("abc".into()),
    }
}

async fn adds_rows(fixture: &dyn Fixture) {
    let registry = opened(fixture, &["1", "2"], &[("a", Some("1")), ("b", None)]).await;
    let before = whole(&*registry, &["a", "b"]).await;
    let rows = [new("a", "2"), new("b", "2"), new("\u{e9} +%2F", "2"), new("d", "1"), new("d", "2")];
    assert_eq!(registry.add_rows(&rows).await.expect("added"), changed(2));
    assert_eq!(whole(&*registry, &["a", "b"]).await, before, "a key that is tracked is left");
    let added = whole(&*registry, &["\u{e9} +%2F", "d"]).await;
    let said: Vec<_> = added.iter().map(|row| (row.key.as_str().unwrap_or_default(), row.project.as_deref())).collect();
    assert_eq!(said, [("d", Some("1")), ("\u{e9} +%2F", Some("2"))]);
    assert_eq!(registry.add_rows(&rows).await.expect("again"), changed(0));
    assert_eq!(whole(&*registry, &["\u{e9} +%2F", "d"]).await, added);
    assert_eq!(registry.remove_rows(&added).await.expect("removed"), changed(2));
}
