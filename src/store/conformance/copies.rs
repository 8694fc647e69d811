//! Copies within the bucket and new objects: what the trash rests on.

use bytes::Bytes;

use super::{Description, Subject, at, body_of, keys, same};
use crate::domain::{ETag, Key, Object};
use crate::store::{CopyAnswer, CopyRequest, HeadAnswer, PutAnswer, PutRequest};

pub(super) async fn described(subject: Subject<'_>) -> Result<(), String> {
    subject.clear().await?;
    let (from, to) = (Key::from("a/from.mp3"), Key::from("b/to.mp3"));
    let described = Description {
        content_type: String::from("audio/mpeg"),
        metadata: vec![(String::from("project"), String::from("proj 1")), (String::from("scene"), String::from("7"))],
        headers: vec![(String::from("cache-control"), String::from("max-age=60"))],
    };
    subject.seed.put_one(&from, Bytes::from_static(b"0123456789"), described.clone()).await?;
    let source = subject.there(&from).await?;
    same("the copy", &subject.copy(&source.object, &to).await?, &CopyAnswer::Copied)?;
    let copy = subject.there(&to).await?;
    same("the size", &copy.object.size, &10)?;
    same("the ETag", &copy.object.etag, &source.object.etag)?;
    same("the content type", &copy.content_type.as_deref(), &Some("audio/mpeg"))?;
    let mut metadata = copy.metadata.clone();
    metadata.sort();
    same("the metadata", &metadata, &described.metadata)?;
    same("the other headers", &copy.headers, &source.headers)?;
    same("the storage class", &copy.object.storage_class, &source.object.storage_class)?;
    same("the body", &subject.body(&to).await?, &Bytes::from_static(b"0123456789"))?;
    same("whether the source is unchanged", &subject.there(&from).await?.object.is_unchanged(&source.object), &true)
}

pub(super) async fn hostile(subject: Subject<'_>) -> Result<(), String> {
    let all = subject.hostile_keys();
    subject.fill(&all).await?;
    for key in &all {
        let away = Key::new([b"away/", key.as_bytes()].concat());
        let source = subject.there(key).await?.object;
        same(&format!("the copy of {key:?}"), &subject.copy(&source, &away).await?, &CopyAnswer::Copied)?;
        same(&format!("the body of {away:?}"), &subject.body(&away).await?, &body_of(key))?;
        let answer = subject.store.delete(&super::target(key)).await.map_err(|error| at(key, &error))?;
        same(&format!("the deletion of {key:?}"), &answer, &crate::store::DeleteAnswer::DELETED)?;
        let copied = subject.there(&away).await?.object;
        same(&format!("the copy of {away:?}"), &subject.copy(&copied, key).await?, &CopyAnswer::Copied)?;
        same(&format!("the body of {key:?}"), &subject.body(key).await?, &body_of(key))?;
    }
    same("how many objects there are", &subject.keys(b"").await?.len(), &(all.len() * 2))
}

pub(super) async fn meant(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a"])).await?;
    let source = subject.there(&Key::from("a")).await?.object;
    let to = Key::from("copy");
    let missing = Object { key: Key::from("not/there"), ..source.clone() };
    same("a copy of nothing", &subject.copy(&missing, &to).await?, &CopyAnswer::SourceMissing)?;
    let other = Object { etag: ETag::new("00000000000000000000000000000000"), ..source };
    let (answer, there): (_, &[&str]) = match subject.quirks.heeds_source_conditions {
        true => (CopyAnswer::SourceChanged, &["a"]),
        false => (CopyAnswer::Copied, &["a", "copy"]),
    };
    same("a copy of another object", &subject.copy(&other, &to).await?, &answer)?;
    same("what is there", &subject.keys(b"").await?, &keys(there))
}

pub(super) async fn replaces_nothing(subject: Subject<'_>) -> Result<(), String> {
    subject.fill(&keys(&["a", "b"])).await?;
    let source = subject.there(&Key::from("a")).await?.object;
    let there = Key::from("b");
    same("a copy onto another object", &subject.copy(&source, &there).await?, &CopyAnswer::DestinationExists)?;
    same("the object", &subject.body(&there).await?, &body_of(&there))
}

pub(super) async fn written(subject: Subject<'_>) -> Result<(), String> {
    subject.clear().await?;
    let key = Key::from("locks/a b+c");
    let body = Bytes::from_static(b"{\"owner\":1}");
    let request = PutRequest { key: key.clone(), body: body.clone(), content_type: String::from("application/json") };
    let answer = subject.store.put(&request).await.map_err(|error| at(&key, &error))?;
    let there = subject.there(&key).await?;
    same("the answer", &answer, &PutAnswer::Written(there.object.etag))?;
    same("the content type", &there.content_type.as_deref(), &Some("application/json"))?;
    same("the body", &subject.body(&key).await?, &body)
}

impl Subject<'_> {
    async fn there(&self, key: &Key) -> Result<HeadAnswer, String> {
        let head = self.store.head(key).await.map_err(|error| at(key, &error))?;
        head.ok_or_else(|| format!("{key:?} is not there"))
    }

    async fn body(&self, key: &Key) -> Result<Bytes, String> {
        self.store.get(key, None).await.map_err(|error| at(key, &error))
    }

    async fn copy(&self, source: &Object, destination: &Key) -> Result<CopyAnswer, String> {
        let request = CopyRequest { source: source.clone(), destination: destination.clone() };
        self.store.copy(&request).await.map_err(|error| at(destination, &error))
    }
}
