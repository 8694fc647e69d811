//! One suite for every adapter. An adapter gives a fixture: how to fill a source, and how to open it.

use async_trait::async_trait;

use super::{Registry, RegistryError, SharedRegistry};
use crate::domain::Key;
use crate::domain::facts::{RegistryRow, SourceReport};

mod rows;

/// What a source is filled with.
#[derive(Clone, Default)]
pub(super) struct Filling {
    pub(super) projects: Vec<String>,
    pub(super) tracked: Vec<(Key, Option<String>)>,
}

impl Filling {
    pub(super) fn new(projects: &[&str], tracked: &[(&str, Option<&str>)]) -> Self {
        Self {
            projects: projects.iter().map(|&id| id.into()).collect(),
            tracked: tracked.iter().map(|&(key, owner)| (key.into(), owner.map(Into::into))).collect(),
        }
    }
}

/// A kind of source.
#[async_trait]
pub(super) trait Fixture {
    /// Makes the source hold exactly this.
    async fn fill(&self, filling: &Filling);

    /// Takes the source away.
    async fn remove(&self);

    /// Opens it.
    async fn open(&self) -> Result<SharedRegistry, RegistryError>;

    /// Changes something in the rows of a key that is neither key nor owner. Called only where rows can be changed.
    async fn change(&self, key: &str);

    /// Whether rows can be changed from here.
    fn can_change(&self) -> bool;
}

/// Everything that a reading delivers, in order.
pub(super) async fn rows(registry: &dyn Registry) -> Result<(Vec<RegistryRow>, SourceReport), RegistryError> {
    let mut rows = Vec::new();
    let report = registry.read(&mut |row| rows.push(row)).await?;
    Ok((rows, report))
}

pub(super) fn project(id: &str) -> RegistryRow {
    RegistryRow::Project { id: id.into() }
}

pub(super) fn tracked(key: &str, project: Option<&str>) -> RegistryRow {
    RegistryRow::Tracked { key: key.into(), project: project.map(Into::into) }
}

async fn claimed(registry: &dyn Registry, keys: &[&str]) -> Vec<(String, Option<String>)> {
    let keys: Vec<Key> = keys.iter().map(|&key| key.into()).collect();
    let claims = registry.claims(&keys).await.expect("claims").into_iter().map(|row| match row {
        RegistryRow::Tracked { key, project } => (key.as_str().expect("text").to_owned(), project),
        other => panic!("not a tracked key: {other:?}"),
    });
    let mut claims: Vec<_> = claims.collect();
    claims.sort();
    claims
}

/// The suite.
pub(super) async fn conforms(fixture: &dyn Fixture) {
    reads_everything_in_order(fixture).await;
    streams_many_rows(fixture).await;
    tells_one_content_from_another(fixture).await;
    finds_claims_in_every_spelling(fixture).await;
    sees_what_changed_since_it_was_opened(fixture).await;
    rows::conforms(fixture).await;
    a_source_that_is_gone_is_an_error(fixture).await;
}

async fn reads_everything_in_order(fixture: &dyn Fixture) {
    let filling = Filling::new(
        &["proj_1", "10", "caf\u{e9}"],
        &[("a/b.mp4", Some("proj_1")), ("a b+%2F", None), ("caf\u{e9}", Some("proj_gone")), ("a/b.mp4", Some("10"))],
    );
    fixture.fill(&filling).await;
    let registry = fixture.open().await.expect("open");
    assert!(registry.tracks_keys());
    let (rows, report) = rows(&*registry).await.expect("a reading");
    let expected = [
        project("proj_1"),
        project("10"),
        project("caf\u{e9}"),
        tracked("a/b.mp4", Some("proj_1")),
        tracked("a b+%2F", None),
        tracked("caf\u{e9}", Some("proj_gone")),
        tracked("a/b.mp4", Some("10")),
    ];
    assert_eq!(rows, expected);
    assert_eq!((report.projects, report.tracked, report.references), (3, Some(4), 0));
    assert_eq!(&*report.name, registry.name());
    let mut projects = Vec::new();
    registry.projects(&mut |row| projects.push(row)).await.expect("projects");
    assert_eq!(projects, expected[..3]);
}

async fn streams_many_rows(fixture: &dyn Fixture) {
    let mut filling = Filling { projects: (0..500).map(|at| format!("proj_{at}")).collect(), tracked: Vec::new() };
    filling.tracked = (0..2_500).map(|at| (Key::new(format!("media/{at}.mp4")), Some(format!("proj_{at}")))).collect();
    fixture.fill(&filling).await;
    let registry = fixture.open().await.expect("open");
    let (rows, report) = rows(&*registry).await.expect("a reading");
    assert_eq!((rows.len(), report.projects, report.tracked), (3_000, 500, Some(2_500)));
    let all: Vec<Key> = filling.tracked.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(registry.claims(&all).await.expect("claims").len(), 2_500, "more keys than one statement takes");
}

async fn tells_one_content_from_another(fixture: &dyn Fixture) {
    let fingerprint = async |filling: Filling| {
        fixture.fill(&filling).await;
        rows(&*fixture.open().await.expect("open")).await.expect("a reading").1.fingerprint
    };
    let one = fingerprint(Filling::new(&["1", "2"], &[("a", Some("1")), ("b", None)])).await;
    let reordered = fingerprint(Filling::new(&["2", "1"], &[("b", None), ("a", Some("1"))])).await;
    let changed = fingerprint(Filling::new(&["1", "2"], &[("a", Some("2")), ("b", None)])).await;
    assert_eq!(one, reordered);
    assert_ne!(one, changed);
    assert_eq!(one.len(), 64);
}

async fn finds_claims_in_every_spelling(fixture: &dyn Fixture) {
    let stored = [
        "plain/a.mp4",
        "/slash/a.mp4",
        "enc%2Foded%20a.mp4",
        "enc/oded%20b.mp4",
        "low%2fer.mp4",
        "cafe\u{301}.mp4",
        "other.mp4",
    ];
    let tracked: Vec<(&str, Option<&str>)> = stored.iter().map(|&key| (key, Some("1"))).collect();
    fixture.fill(&Filling::new(&["1"], &tracked)).await;
    let registry = fixture.open().await.expect("open");
    let spelled = |key: &str| vec![(key.to_owned(), Some("1".to_owned()))];
    for (asked, found) in [
        ("plain/a.mp4", "plain/a.mp4"),
        ("slash/a.mp4", "/slash/a.mp4"),
        ("enc/oded a.mp4", "enc%2Foded%20a.mp4"),
        ("enc/oded b.mp4", "enc/oded%20b.mp4"),
        ("low/er.mp4", "low%2fer.mp4"),
        ("caf\u{e9}.mp4", "cafe\u{301}.mp4"),
    ] {
        assert_eq!(claimed(&*registry, &[asked]).await, spelled(found), "{asked}");
    }
    assert_eq!(claimed(&*registry, &["plain/a", "plain/a.mp", "Plain/a.mp4"]).await, []);
    assert_eq!(claimed(&*registry, &[]).await, []);
    assert_eq!(claimed(&*registry, &["plain/a.mp4", "/plain/a.mp4"]).await.len(), 1, "one row is one claim");
}

async fn sees_what_changed_since_it_was_opened(fixture: &dyn Fixture) {
    fixture.fill(&Filling::new(&["1"], &[("a", Some("1"))])).await;
    let registry = fixture.open().await.expect("open");
    assert_eq!(claimed(&*registry, &["b"]).await, []);
    fixture.fill(&Filling::new(&["1", "2"], &[("a", Some("1")), ("b", None)])).await;
    assert_eq!(claimed(&*registry, &["b"]).await, [("b".to_owned(), None)]);
    let mut projects = 0;
    registry.projects(&mut |_| projects += 1).await.expect("projects");
    assert_eq!(projects, 2);
}

async fn a_source_that_is_gone_is_an_error(fixture: &dyn Fixture) {
    fixture.fill(&Filling::new(&["1"], &[("a", Some("1"))])).await;
    let registry = fixture.open().await.expect("open");
    fixture.remove().await;
    let missing =
        |result: Result<(), RegistryError>| assert!(matches!(result, Err(RegistryError::Missing(_))), "{result:?}");
    missing(rows(&*registry).await.map(drop));
    missing(registry.projects(&mut |_| {}).await);
    missing(registry.claims(&["a".into()]).await.map(drop));
    missing(registry.rows(&["a".into()]).await.map(drop));
    if fixture.can_change() {
        missing(registry.remove_rows(&[]).await.map(drop));
    }
    missing(fixture.open().await.map(drop));
    fixture.remove().await;
}
