//! What every store behind the port must do, as checks that any test can run: against the bucket in memory, the embedded
//! server, and real servers. Where stores differ by their documentation, [`Quirks`] say so; nothing else may differ.

mod copies;
mod hostile;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;

use super::{
    BatchAnswer, DeleteAnswer, DeleteTarget, ErrorKind, FoldersPage, ListPage, ListRequest, ObjectStore, StoreError,
};
use crate::domain::{Key, Object};

/// What is stored with an object beside its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// Content type.
    pub content_type: String,
    /// User metadata.
    pub metadata: Vec<(String, String)>,
    /// Headers of [`super::STORED_HEADERS`].
    pub headers: Vec<(String, String)>,
}

impl Default for Description {
    fn default() -> Self {
        Self { content_type: String::from("application/octet-stream"), metadata: Vec::new(), headers: Vec::new() }
    }
}

/// Writes objects into the bucket under test as an app does; the port itself cannot.
#[async_trait]
pub trait Seed: Send + Sync {
    /// Writes every object, in any order.
    ///
    /// # Errors
    /// Why one could not be written.
    async fn put_all(&self, objects: Vec<(Key, Bytes)>) -> Result<(), String>;

    /// Writes one object with what is stored beside its bytes.
    ///
    /// # Errors
    /// Why it could not be written.
    async fn put_one(&self, key: &Key, body: Bytes, described: Description) -> Result<(), String>;
}

/// Where stores differ and may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quirks {
    /// The answer to the deletion of a key that is not there: Garage says that it is absent, others that it is deleted.
    pub missing_is_absent: bool,
    /// Whether keys with line breaks can be addressed; R2's local server knows no such path.
    pub line_breaks: bool,
    /// Whether `.` and `..` are segments like others; what parses URLs as browsers do cannot address such keys.
    pub dot_segments: bool,
    /// Whether answers carry a `Date`; R2's local server leaves it out.
    pub tells_time: bool,
    /// Whether a copy heeds that its source must still be the object that was meant; Ceph's gateway ignores it. A move to
    /// the trash compares source and copy afterwards and does not depend on it.
    pub heeds_source_conditions: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            missing_is_absent: false,
            line_breaks: true,
            dot_segments: true,
            tells_time: true,
            heeds_source_conditions: true,
        }
    }
}

/// A store under test and what fills it. Its bucket is emptied by every check.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The store.
    pub store: &'a dyn ObjectStore,
    /// What fills it.
    pub seed: &'a dyn Seed,
    /// Its permitted differences.
    pub quirks: Quirks,
}

/// One check; the error says what was wrong.
pub type Check = for<'a> fn(Subject<'a>) -> BoxFuture<'a, Result<(), String>>;

/// Every check by name.
pub const CHECKS: &[(&str, Check)] = &[
    ("an_empty_bucket_lists_nothing", |subject| Box::pin(empty(subject))),
    ("a_long_listing_comes_in_pages", |subject| Box::pin(pages(subject))),
    ("a_prefix_bounds_a_listing", |subject| Box::pin(prefixes(subject))),
    ("a_listing_starts_after_a_key", |subject| Box::pin(starts(subject))),
    ("folders_are_grouped_by_the_slash", |subject| Box::pin(folders(subject))),
    ("hostile_keys_go_round_unchanged", |subject| Box::pin(hostile(subject))),
    ("a_space_before_a_key_makes_another_key", |subject| Box::pin(leading_space(subject))),
    ("a_plus_is_not_a_space", |subject| Box::pin(plus(subject))),
    ("unicode_spellings_are_as_the_store_declares", |subject| Box::pin(spellings(subject))),
    ("listing_and_head_describe_the_same_object", |subject| Box::pin(descriptions(subject))),
    ("parts_of_objects_are_read", |subject| Box::pin(ranges(subject))),
    ("what_is_missing_is_said_to_be_missing", |subject| Box::pin(missing(subject))),
    ("a_thousand_keys_go_in_one_request", |subject| Box::pin(thousand(subject))),
    ("only_what_was_named_is_deleted", |subject| Box::pin(only_named(subject))),
    ("requests_that_make_no_sense_are_refused", |subject| Box::pin(refusals(subject))),
    ("a_copy_keeps_content_and_description", |subject| Box::pin(copies::described(subject))),
    ("hostile_keys_are_copied_there_and_back", |subject| Box::pin(copies::hostile(subject))),
    ("a_copy_is_of_the_object_that_was_meant", |subject| Box::pin(copies::meant(subject))),
    ("a_copy_replaces_nothing", |subject| Box::pin(copies::replaces_nothing(subject))),
    ("a_new_object_is_written", |subject| Box::pin(copies::written(subject))),
];

async fn empty(subject: Subject<'_>) -> Result<(), String> {
    subject.clear().await?;
    let page = subject.page(&ListRequest::default()).await?;
    same("the objects of an empty bucket", &page.objects.len(), &0)?;
    same("whether there is more", &page.next, &None)?;
    same("whether the server tells the time", &page.server_time.is_some(), &subject.quirks.tells_time)
}

async fn pages(subject: Subject<'_>) -> Result<(), String> {
    let keys: Vec<Key> = (0..2500).map(|at| Key::from(format!("page/{at:05}").as_str())).collect();
    subject.fill(&keys).await?;
    let first = subject.page(&ListRequest::default()).await?;
    same("the first page", &first.objects.len(), &1000)?;
    same("every key", &subject.keys(b"").await?, &keys)?;
    let small = subject.page(&ListRequest { max_keys: Some(7), ..ListRequest::default() }).await?;
    same("a small page", &keys_of(&small.objects), &keys[..7].to_vec())?;
    let exact = ListRequest { prefix: b"page/000".to_vec(), max_keys: Some(100), ..ListRequest::default() };
    same("whether a page that ends where the keys end has another", &subject.page(&exact).await?.next, &None)
}

async fn prefixes(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["proj_1", "proj_1/", "proj_1/a", "proj_1/b/c", "proj_10/a", "proj_2", "x y+z/%/a"])).await?;
    let check = async |prefix: &str, expected: &[&str]| {
        same(&format!("the keys under {prefix}"), &subject.keys(prefix.as_bytes()).await?, &keys(expected))
    };
    check("proj_1/", &["proj_1/", "proj_1/a", "proj_1/b/c"]).await?;
    check("proj_1", &["proj_1", "proj_1/", "proj_1/a", "proj_1/b/c", "proj_10/a"]).await?;
    check("proj_10/", &["proj_10/a"]).await?;
    check("x y+z/%/", &["x y+z/%/a"]).await?;
    check("nothing/", &[]).await
}

async fn starts(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a", "b", "b/1", "b/2", "b/3", "c +%"])).await?;
    let check = async |prefix: &str, after: &str, expected: &[&str]| {
        let request = ListRequest {
            prefix: prefix.as_bytes().to_vec(),
            start_after: Some(Key::from(after)),
            ..ListRequest::default()
        };
        let page = subject.page(&request).await?;
        same(&format!("the keys under {prefix} after {after}"), &keys_of(&page.objects), &keys(expected))
    };
    check("", "b", &["b/1", "b/2", "b/3", "c +%"]).await?;
    check("", "b/1x", &["b/2", "b/3", "c +%"]).await?;
    check("b/", "b/1", &["b/2", "b/3"]).await?;
    check("b/", "a", &["b/1", "b/2", "b/3"]).await?;
    check("b/", "b/3", &[]).await?;
    check("", "c +", &["c +%"]).await?;
    check("", "c +%", &[]).await
}

async fn folders(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a", "b/1", "b/2", "b/c/1", "b/c/d/1", "d+ e%/1", "f"])).await?;
    let check = async |prefix: &str, expected: &[&str]| {
        let page = subject.store.folders(prefix.as_bytes()).await.map_err(|error| error.to_string())?;
        let expected = expected.iter().map(|name| name.as_bytes().to_vec()).collect();
        same(&format!("the folders under {prefix}"), &page, &FoldersPage { names: expected, complete: true })
    };
    check("", &["b/", "d+ e%/"]).await?;
    check("b/", &["b/c/"]).await?;
    check("b/c/", &["b/c/d/"]).await?;
    check("nothing/", &[]).await
}

async fn hostile(subject: Subject<'_>) -> Result<(), String> {
    let mut all = subject.hostile_keys();
    all.push(Key::from("k".repeat(1024).as_str()));
    all.push(Key::from("\u{e9}".repeat(512).as_str()));
    all.sort();
    subject.fill(&all).await?;
    same("every hostile key", &subject.keys(b"").await?, &all)?;
    for key in &all {
        let head = subject.store.head(key).await.map_err(|error| at(key, &error))?;
        same(&format!("the size of {key:?}"), &head.map(|head| head.object.size), &Some(body_of(key).len() as u64))?;
        let body = subject.store.get(key, None).await.map_err(|error| at(key, &error))?;
        same(&format!("the body of {key:?}"), &body, &body_of(key))?;
    }
    let (batch, single): (Vec<Key>, Vec<Key>) = all.into_iter().partition(Key::is_xml_safe);
    let answer = subject.delete(&batch).await?;
    for (key, answer) in batch.iter().zip(&answer.answers) {
        same(&format!("the deletion of {key:?}"), answer, &DeleteAnswer::DELETED)?;
    }
    same("the keys that a batch cannot carry", &subject.keys(b"").await?, &single)?;
    for key in &single {
        let answer = subject.store.delete(&target(key)).await.map_err(|error| at(key, &error))?;
        same(&format!("the deletion of {key:?}"), &answer, &DeleteAnswer::DELETED)?;
    }
    same("what is left", &subject.keys(b"").await?, &Vec::new())
}

async fn leading_space(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&[" lead", "lead", "lead "])).await?;
    for (named, left) in [(" lead", keys(&["lead", "lead "])), ("lead ", keys(&["lead"]))] {
        let answer = subject.store.delete(&target(&Key::from(named))).await.map_err(|error| error.to_string())?;
        same("the deletion", &answer, &DeleteAnswer::DELETED)?;
        same("what is left", &subject.keys(b"").await?, &left)?;
    }
    let batch = subject.store.delete_batch(&targets(&keys(&[" lead"]))).await.map_err(|error| error.kind);
    same("a batch that a trimming parser would turn on another key", &batch, &Err(ErrorKind::Invalid))
}

/// The hardest case for a reader of url-encoded listings: nothing on the page tells how a plus is spelled.
async fn plus(subject: Subject<'_>) -> Result<(), String> {
    for alone in ["a+b", "a b"] {
        subject.fill(&keys(&[alone])).await?;
        same("the only key", &subject.keys(b"").await?, &keys(&[alone]))?;
    }
    subject.fill(&keys(&["a b", "a+b"])).await?;
    same("both keys", &subject.keys(b"").await?, &keys(&["a b", "a+b"]))?;
    let answer = subject.store.delete(&target(&Key::from("a+b"))).await.map_err(|error| error.to_string())?;
    same("the deletion", &answer, &DeleteAnswer::DELETED)?;
    same("what is left", &subject.keys(b"").await?, &keys(&["a b"]))
}

async fn spellings(subject: Subject<'_>) -> Result<(), String> {
    let (composed, decomposed) = (Key::from("caf\u{e9}"), Key::from("cafe\u{301}"));
    subject.fill(&[composed.clone(), decomposed.clone()]).await?;
    let expected = if subject.store.identity().folds_nfc { 1 } else { 2 };
    same("how many objects two spellings make", &subject.keys(b"").await?.len(), &expected)?;
    let answer = subject.store.delete(&target(&decomposed)).await.map_err(|error| error.to_string())?;
    same("the deletion", &answer, &DeleteAnswer::DELETED)?;
    let kept = subject.store.head(&composed).await.map_err(|error| error.to_string())?;
    same("whether the other spelling is kept", &kept.is_some(), &(expected == 2))
}

async fn descriptions(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a", "b/c d+e"])).await?;
    for listed in subject.objects(b"").await? {
        let head = subject.store.head(&listed.key).await.map_err(|error| at(&listed.key, &error))?;
        let head = head.ok_or_else(|| format!("{:?} is listed, but not there", listed.key))?;
        same("whether the server tells the time", &head.server_time.is_some(), &subject.quirks.tells_time)?;
        same("the key", &head.object.key, &listed.key)?;
        same("the storage class", &head.object.storage_class, &listed.storage_class)?;
        let unchanged = listed.is_unchanged(&head.object);
        same(&format!("whether {listed:?} is {:?}", head.object), &unchanged, &true)?;
    }
    Ok(())
}

async fn ranges(subject: Subject<'_>) -> Result<(), String> {
    let key = Key::from("media/a.txt");
    subject.clear().await?;
    subject.seed.put_all(vec![(key.clone(), Bytes::from_static(b"0123456789"))]).await?;
    let check = async |range: Option<(u64, u64)>, expected: &'static [u8]| {
        let body = subject.store.get(&key, range).await.map_err(|error| at(&key, &error))?;
        same(&format!("the bytes of {range:?}"), &body, &Bytes::from_static(expected))
    };
    check(None, b"0123456789").await?;
    check(Some((0, 4)), b"0123").await?;
    check(Some((8, 100)), b"89").await?;
    check(Some((3, 0)), b"").await?;
    check(Some((10, 1)), b"").await
}

async fn missing(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["there"])).await?;
    let key = Key::from("not/there");
    same("a HEAD", &subject.store.head(&key).await, &Ok(None))?;
    let body = subject.store.get(&key, None).await.map_err(|error| error.kind);
    same("a GET", &body, &Err(ErrorKind::NotFound))?;
    let expected = if subject.quirks.missing_is_absent { DeleteAnswer::Absent } else { DeleteAnswer::DELETED };
    let batch = subject.delete(&[key.clone(), Key::from("there")]).await?;
    same("a deletion of many", &batch.answers, &vec![expected, DeleteAnswer::DELETED])?;
    let single = subject.store.delete(&target(&key)).await.map_err(|error| at(&key, &error))?;
    same(
        "whether a deletion of one is taken",
        &matches!(single, DeleteAnswer::Deleted(_) | DeleteAnswer::Absent),
        &true,
    )
}

async fn thousand(subject: Subject<'_>) -> Result<(), String> {
    let keys: Vec<Key> = (0..1000).map(|at| Key::from(format!("batch/{at:04}&{}", "k".repeat(200)).as_str())).collect();
    subject.fill(&keys).await?;
    let answer = subject.delete(&keys).await?;
    same("the alarm", &answer.alarm, &None)?;
    same("the answers", &answer.answers, &vec![DeleteAnswer::DELETED; 1000])?;
    same("what is left", &subject.keys(b"").await?, &Vec::new())
}

async fn only_named(subject: Subject<'_>) -> Result<(), String> {
    let all = keys(&["proj_1", "proj_1/", "proj_1/a", "proj_1/b", "proj_10/a"]);
    subject.fill(&all).await?;
    let answer = subject.delete(&keys(&["proj_1/a", "proj_1"])).await?;
    same("the answers", &answer.answers, &vec![DeleteAnswer::DELETED; 2])?;
    for (key, there) in all.iter().zip([false, true, false, true, true]) {
        let head = subject.store.head(key).await.map_err(|error| at(key, &error))?;
        same(&format!("whether {key:?} is there"), &head.is_some(), &there)?;
    }
    same("what is left", &subject.keys(b"").await?, &keys(&["proj_1/", "proj_1/b", "proj_10/a"]))
}

async fn refusals(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a"])).await?;
    let many: Vec<Key> = (0..1001).map(|at| Key::from(at.to_string().as_str())).collect();
    for batch in [many, keys(&["a", "a"]), keys(&["a\r"]), Vec::new()] {
        let answer = subject.store.delete_batch(&targets(&batch)).await.map_err(|error| error.kind);
        same("the answer", &answer, &Err(ErrorKind::Invalid))?;
    }
    let token = ListRequest { continuation: Some(String::from("no such token")), ..ListRequest::default() };
    // Some stores take any token; none may take it for the beginning of a bucket that then looks complete and empty.
    if let Ok(page) = subject.store.list(&token).await {
        same("the keys after a token that never was", &(page.objects.len() <= 1), &true)?;
    }
    same("what is left", &subject.keys(b"").await?, &keys(&["a"]))
}

impl Subject<'_> {
    async fn page(&self, request: &ListRequest) -> Result<ListPage, String> {
        self.store.list(request).await.map_err(|error| error.to_string())
    }

    async fn objects(&self, prefix: &[u8]) -> Result<Vec<Object>, String> {
        let mut request = ListRequest { prefix: prefix.to_vec(), ..ListRequest::default() };
        let mut objects: Vec<Object> = Vec::new();
        loop {
            let page = self.page(&request).await?;
            objects.extend(page.objects);
            if !objects.windows(2).all(|pair| pair[0].key < pair[1].key) {
                return Err(String::from("the keys are not in order across pages"));
            }
            match page.next {
                None => return Ok(objects),
                next => request.continuation = next,
            }
        }
    }

    async fn keys(&self, prefix: &[u8]) -> Result<Vec<Key>, String> {
        Ok(keys_of(&self.objects(prefix).await?))
    }

    /// Empties the bucket.
    async fn clear(&self) -> Result<(), String> {
        let (batch, single): (Vec<Key>, Vec<Key>) = self.keys(b"").await?.into_iter().partition(Key::is_xml_safe);
        for chunk in batch.chunks(1000) {
            self.delete(chunk).await?;
        }
        for key in &single {
            self.store.delete(&target(key)).await.map_err(|error| at(key, &error))?;
        }
        Ok(())
    }

    /// Leaves exactly these keys in the bucket, each with a body of its own.
    async fn fill(&self, keys: &[Key]) -> Result<(), String> {
        self.clear().await?;
        self.seed.put_all(keys.iter().map(|key| (key.clone(), body_of(key))).collect()).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<BatchAnswer, String> {
        self.store.delete_batch(&targets(keys)).await.map_err(|error| error.to_string())
    }
}

/// A body by which an object is told from every other one.
fn body_of(key: &Key) -> Bytes {
    Bytes::from([b"body of ", key.as_bytes()].concat())
}

fn keys(texts: &[&str]) -> Vec<Key> {
    texts.iter().map(|text| Key::from(*text)).collect()
}

fn keys_of(objects: &[Object]) -> Vec<Key> {
    objects.iter().map(|object| object.key.clone()).collect()
}

fn target(key: &Key) -> DeleteTarget {
    DeleteTarget::of(key.clone())
}

fn targets(keys: &[Key]) -> Vec<DeleteTarget> {
    keys.iter().map(target).collect()
}

fn at(key: &Key, error: &StoreError) -> String {
    format!("{key:?}: {error}")
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}:\n     found {found:?}\n  expected {expected:?}")) }
}
