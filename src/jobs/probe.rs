//! Measuring what a store really does, on objects of this program's own under `.bucketree/canary/<id>/`, which are removed
//! afterwards. Nothing but keys under that prefix is ever written or deleted here.

use bytes::Bytes;
use uuid::Uuid;

use super::Clock;
use crate::domain::capabilities::{Capability, Finding, Measured};
use crate::domain::judge::OWN_PREFIX;
use crate::domain::{ETag, Key};
use crate::store::{
    DeleteAnswer, DeleteTarget, ErrorKind, ListRequest, ObjectStore, PutAnswer, PutRequest, SharedStore, StoreError,
};

/// Clocks that differ by more than this are said to disagree, in seconds. Stores refuse requests at 15 minutes.
const CLOCK_SLACK: i64 = 60;

/// An ETag that no object has.
const NO_ETAG: &str = "00000000000000000000000000000000";

/// Keys that only a strict listing gives back as they are, and what they become where it is not.
const ODD_NAMES: [&str; 4] = ["a+b", "a b", "a%2Bb", "a%20b"];

/// What a probe left behind, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} could not be removed: {why}", prefix.escaped())]
pub struct Leftover {
    /// Where it lies.
    pub prefix: Key,
    /// Why it could not be removed.
    pub why: String,
}

/// Asks what can be asked without writing.
pub async fn probe_reading(store: &dyn ObjectStore, clock: &Clock) -> Measured {
    let at = clock.now();
    let prefix = canary();
    let page = store.list(&ListRequest { max_keys: Some(1), ..ListRequest::default() }).await;
    let server_time = page.as_ref().ok().and_then(|page| page.server_time);
    let skew = server_time.map(|server| server.seconds_since(clock.now()));
    let clock = match skew {
        None => finding(Capability::Clock, None, "the store did not say its time"),
        Some(skew) => {
            let ahead = if skew < 0 { "behind" } else { "ahead of" };
            let seen = format!("the store's clock is {} s {ahead} this machine's", skew.abs());
            finding(Capability::Clock, Some(skew.abs() <= CLOCK_SLACK), seen)
        }
    };
    let list = permission(Capability::List, page.map(|_| "keys can be listed"));
    let head = match store.head(&key(&prefix, "missing")).await {
        Ok(None) => {
            finding(Capability::Head, Some(true), "objects can be asked for, and a missing one is said to be missing")
        }
        Ok(Some(_)) => finding(Capability::Head, Some(false), "the store says that a key is there which nobody wrote"),
        Err(error) => permission(Capability::Head, Err(error)),
    };
    Measured { at, findings: vec![list, head, clock] }
}

/// One store, spoken to in different ways. All of them send the conditions of their [`DeleteTarget`]s.
#[derive(Clone, Debug)]
pub struct Ways<S> {
    /// As usual: times as RFC 3339 writes them, deletions of many with a Content-MD5, answers that name every key.
    pub usual: S,
    /// With times as HTTP writes them.
    pub http_time: Option<S>,
    /// With a CRC32 instead of a Content-MD5.
    pub crc32: Option<S>,
    /// With a wish for quiet answers.
    pub quiet: Option<S>,
}

impl Ways<SharedStore> {
    /// The same ways, borrowed.
    pub fn as_ref(&self) -> Ways<&dyn ObjectStore> {
        Ways {
            usual: self.usual.as_ref(),
            http_time: self.http_time.as_deref(),
            crc32: self.crc32.as_deref(),
            quiet: self.quiet.as_deref(),
        }
    }
}

/// Asks everything that can be asked in the usual way. `store` must send the conditions of its [`DeleteTarget`]s.
pub async fn probe(store: &dyn ObjectStore, clock: &Clock) -> (Measured, Option<Leftover>) {
    probe_ways(&Ways { usual: store, http_time: None, crc32: None, quiet: None }, clock).await
}

/// Asks everything.
pub async fn probe_ways(ways: &Ways<&dyn ObjectStore>, clock: &Clock) -> (Measured, Option<Leftover>) {
    let mut measured = probe_reading(ways.usual, clock).await;
    let canary = Canary { store: ways.usual, prefix: canary() };
    canary.write_and_delete(ways, &mut measured.findings).await;
    let leftover = canary.clean().await.err();
    measured.findings.sort_by_key(|finding| finding.capability);
    (measured, leftover)
}

fn canary() -> Vec<u8> {
    [OWN_PREFIX, format!("canary/{}/", Uuid::now_v7()).as_bytes()].concat()
}

fn key(prefix: &[u8], name: &str) -> Key {
    Key::new([prefix, name.as_bytes()].concat())
}

fn finding(capability: Capability, holds: Option<bool>, seen: impl Into<String>) -> Finding {
    Finding { capability, holds, seen: seen.into() }
}

/// That something was refused is an answer; that it could not be asked is none.
fn permission(capability: Capability, answer: Result<&str, StoreError>) -> Finding {
    match answer {
        Ok(seen) => finding(capability, Some(true), seen),
        Err(error) if error.kind.is_transient() => finding(capability, None, error.message),
        Err(error) => finding(capability, Some(false), error.message),
    }
}

/// A place of its own in the bucket.
struct Canary<'a> {
    store: &'a dyn ObjectStore,
    prefix: Vec<u8>,
}

/// What became of an object that a condition should have kept.
enum Kept {
    Yes,
    No,
    NotKnown(String),
}

impl Canary<'_> {
    fn key(&self, name: &str) -> Key {
        key(&self.prefix, name)
    }

    async fn put(&self, name: &str) -> Result<PutAnswer, StoreError> {
        let body = Bytes::from(format!("bucketree wrote this to measure the store: {name}"));
        self.store.put(&PutRequest { key: self.key(name), body, content_type: "text/plain".into() }).await
    }

    /// Writes an object; its ETag as a HEAD says it.
    async fn place(&self, name: &str) -> Result<ETag, String> {
        self.put(name).await.map_err(|error| error.message)?;
        match self.store.head(&self.key(name)).await {
            Ok(Some(answer)) => Ok(answer.object.etag),
            Ok(None) => Err("an object that was just written is not there".into()),
            Err(error) => Err(error.message),
        }
    }

    fn target(&self, name: &str, etag: Option<ETag>) -> DeleteTarget {
        DeleteTarget { etag, ..DeleteTarget::of(self.key(name)) }
    }

    async fn kept(&self, name: &str) -> Kept {
        match self.store.head(&self.key(name)).await {
            Ok(Some(_)) => Kept::Yes,
            Ok(None) => Kept::No,
            Err(error) => Kept::NotKnown(error.message),
        }
    }

    async fn write_and_delete(&self, ways: &Ways<&dyn ObjectStore>, findings: &mut Vec<Finding>) {
        let first = self.put("once").await;
        let may_put = first.is_ok();
        findings.push(permission(Capability::Put, first.map(|_| "objects can be written")));
        if !may_put {
            return;
        }
        findings.push(self.write_once().await);
        let deleted = self.delete("once").await;
        // What cannot be removed again is not written.
        let may_delete = deleted.is_ok();
        findings.push(permission(Capability::Delete, deleted.map(|()| "objects can be deleted")));
        if !may_delete {
            return;
        }
        findings.push(self.delete_if_match().await);
        findings.push(self.delete_if_time(Capability::DeleteIfTime, ways.usual).await);
        if let Some(store) = ways.http_time {
            findings.push(self.delete_if_time(Capability::DeleteIfHttpTime, store).await);
        }
        self.delete_many(ways.usual, findings).await;
        if let Some(store) = ways.crc32 {
            self.delete_many_otherwise(store, findings).await;
        }
        if let Some(store) = ways.quiet {
            findings.push(self.quiet(store).await);
        }
        findings.push(self.folds_nfc().await);
        findings.push(self.exact_keys().await);
    }

    async fn write_once(&self) -> Finding {
        let (holds, seen) = match self.put("once").await {
            Ok(PutAnswer::Exists) => (Some(true), "a second write to a key is refused".into()),
            Ok(PutAnswer::Written(_)) => {
                (Some(false), "a second write to a key replaces it: If-None-Match is ignored".into())
            }
            Err(error) if error.kind == ErrorKind::Unsupported => (Some(false), error.message),
            Err(error) => (None, error.message),
        };
        finding(Capability::WriteOnce, holds, seen)
    }

    async fn delete_if_match(&self) -> Finding {
        let judged = self.judge_single().await;
        let (holds, seen) = judged.unwrap_or_else(|why| (None, why));
        finding(Capability::DeleteIfMatch, holds, seen)
    }

    async fn judge_single(&self) -> Result<(Option<bool>, String), String> {
        let etag = self.place("single").await?;
        let wrong = self.store.delete(&self.target("single", Some(ETag::new(NO_ETAG)))).await;
        match self.kept("single").await {
            Kept::No => return Ok((Some(false), "an object was deleted although its ETag was another one".into())),
            Kept::NotKnown(why) => return Err(why),
            Kept::Yes if !refused(&wrong) => {
                return Ok((Some(false), format!("a wrong ETag was answered by {wrong:?}")));
            }
            Kept::Yes => {}
        }
        let right = self.store.delete(&self.target("single", Some(etag))).await;
        match self.kept("single").await {
            Kept::No => Ok((Some(true), "a wrong ETag keeps an object, its own deletes it".into())),
            Kept::NotKnown(why) => Err(why),
            Kept::Yes => Ok((Some(false), format!("an object was not deleted by its own ETag: {right:?}"))),
        }
    }

    async fn delete_if_time(&self, capability: Capability, store: &dyn ObjectStore) -> Finding {
        let judged = self.judge_time(store).await;
        let (holds, seen) = judged.unwrap_or_else(|why| (None, why));
        finding(capability, holds, seen)
    }

    /// The time is taken from a listing, as that of every object of a plan is.
    async fn judge_time(&self, store: &dyn ObjectStore) -> Result<(Option<bool>, String), String> {
        self.place("timed").await?;
        let request = ListRequest { prefix: self.key("timed").as_bytes().to_vec(), ..ListRequest::default() };
        let page = self.store.list(&request).await.map_err(|error| error.message)?;
        let time = page.objects.first().and_then(|object| object.last_modified);
        let time = time.ok_or("a listing does not say when an object was changed")?;
        let target = |time| DeleteTarget { last_modified: Some(time), ..self.target("timed", None) };
        let wrong = store.delete(&target(time.plus_seconds(-86_400))).await;
        match self.kept("timed").await {
            Kept::No => return Ok((Some(false), "an object was deleted although its time was another one".into())),
            Kept::NotKnown(why) => return Err(why),
            Kept::Yes if !refused(&wrong) => {
                return Ok((Some(false), format!("a wrong time was answered by {wrong:?}")));
            }
            Kept::Yes => {}
        }
        let right = store.delete(&target(time)).await;
        let seen = match self.kept("timed").await {
            Kept::No => return Ok((Some(true), "a wrong time keeps an object, its own deletes it".into())),
            Kept::NotKnown(why) => return Err(why),
            Kept::Yes => format!("an object was not deleted by its own time: {right:?}"),
        };
        // The next question begins with no object.
        self.delete("timed").await.map_err(|error| error.message)?;
        Ok((Some(false), seen))
    }

    /// Deletions of many with another checksum; if only they are taken, conditions are measured with them.
    async fn delete_many_otherwise(&self, store: &dyn ObjectStore, findings: &mut Vec<Finding>) {
        let mut otherwise = Vec::new();
        self.delete_many(store, &mut otherwise).await;
        let found = |findings: &[Finding], capability| {
            findings.iter().find(|finding| finding.capability == capability).cloned()
        };
        let Some(many) = found(&otherwise, Capability::DeleteMany) else { return };
        let usual = found(findings, Capability::DeleteMany).and_then(|finding| finding.holds);
        if usual != Some(true) && many.holds == Some(true) {
            findings.retain(|finding| {
                found(&otherwise, finding.capability).is_none() || finding.capability == many.capability
            });
            findings.extend(otherwise.into_iter().filter(|finding| finding.capability != many.capability));
        }
        findings.push(finding(Capability::DeleteManyCrc32, many.holds, many.seen));
    }

    async fn quiet(&self, store: &dyn ObjectStore) -> Finding {
        let judged = async {
            self.place("quiet").await?;
            let batch = store.delete_batch(&[self.target("quiet", None)]).await.map_err(|error| error.message)?;
            let answer = batch.answers.into_iter().next();
            Ok::<_, String>(match (self.kept("quiet").await, answer) {
                (Kept::No, Some(DeleteAnswer::Unproven)) => {
                    (Some(true), "a quiet answer leaves out what was deleted".into())
                }
                (Kept::No, Some(DeleteAnswer::Deleted(_))) => {
                    (Some(false), "even a quiet answer names what was deleted".into())
                }
                (_, answer) => (None, format!("a quiet deletion was answered by {answer:?}")),
            })
        };
        let (holds, seen) = judged.await.unwrap_or_else(|why: String| (None, why));
        finding(Capability::Quiet, holds, seen)
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.target(name, None)).await? {
            DeleteAnswer::Deleted(_) | DeleteAnswer::Absent => {}
            DeleteAnswer::Refused(error) => return Err(error),
            DeleteAnswer::Unproven => return Err(StoreError::new(ErrorKind::Other, "the answer proved nothing")),
        }
        match self.kept(name).await {
            Kept::No => Ok(()),
            Kept::Yes => Err(StoreError::new(ErrorKind::Malformed, "it was said to be deleted, and is still there")),
            Kept::NotKnown(why) => Err(StoreError::new(ErrorKind::Unavailable, why)),
        }
    }

    async fn delete_many(&self, store: &dyn ObjectStore, findings: &mut Vec<Finding>) {
        let answered = store.delete_batch(&[self.target("never-written", None)]).await;
        let (missing, many) = match answered.map(|batch| batch.answers) {
            Ok(answers) => match answers.as_slice() {
                [DeleteAnswer::Deleted(_)] => ((Some(false), "a missing key is said to be deleted".into()), None),
                [DeleteAnswer::Absent] => ((Some(true), "a missing key is said to be missing".into()), None),
                other => ((None, format!("a missing key was answered by {other:?}")), None),
            },
            Err(error) => ((None, error.message.clone()), Some(error)),
        };
        findings.push(finding(Capability::NamesMissing, missing.0, missing.1));
        if let Some(error) = many {
            findings.push(finding(Capability::DeleteManyIfMatch, None, error.message.clone()));
            findings.push(permission(Capability::DeleteMany, Err(error)));
            return;
        }
        let (names, conditions) = match self.judge_many(store).await {
            Ok(judged) => judged,
            Err(why) => ((None, why.clone()), (None, why)),
        };
        findings.push(finding(Capability::DeleteMany, names.0, names.1));
        findings.push(finding(Capability::DeleteManyIfMatch, conditions.0, conditions.1));
    }

    /// What a deletion of three objects comes to, one with a wrong ETag, one with its own, one without.
    async fn judge_many(
        &self,
        store: &dyn ObjectStore,
    ) -> Result<((Option<bool>, String), (Option<bool>, String)), String> {
        self.place("wrong").await?;
        let own = self.place("own").await?;
        self.place("plain").await?;
        let targets =
            [self.target("wrong", Some(ETag::new(NO_ETAG))), self.target("own", Some(own)), self.target("plain", None)];
        let batch = store.delete_batch(&targets).await.map_err(|error| error.message)?;
        let (wrong, own, plain) = (self.kept("wrong").await, self.kept("own").await, self.kept("plain").await);
        let names = match (&plain, &batch.answers[..]) {
            (Kept::No, [.., DeleteAnswer::Deleted(_)]) => (Some(true), "many objects go in one request".into()),
            (_, answers) => (Some(false), format!("a deletion of three objects was answered by {answers:?}")),
        };
        let conditions = match (wrong, own) {
            (Kept::No, _) => (Some(false), "an object was deleted although its ETag was another one".into()),
            (Kept::Yes, Kept::No) if matches!(batch.answers[0], DeleteAnswer::Refused(_)) => {
                (Some(true), "a wrong ETag keeps an object, its own deletes it".into())
            }
            (Kept::NotKnown(why), _) | (_, Kept::NotKnown(why)) => (None, why),
            (Kept::Yes, _) => (Some(false), format!("wrong and right ETag were answered by {:?}", &batch.answers[..2])),
        };
        Ok((names, conditions))
    }

    async fn folds_nfc(&self) -> Finding {
        let (holds, seen) = match self.put("caf\u{e9}").await {
            Err(error) => (None, error.message),
            Ok(_) => match self.kept("cafe\u{301}").await {
                Kept::Yes => (Some(true), "one object for all Unicode spellings of a key".into()),
                Kept::No => (Some(false), "each Unicode spelling of a key is a key of its own".into()),
                Kept::NotKnown(why) => (None, why),
            },
        };
        finding(Capability::FoldsNfc, holds, seen)
    }

    async fn exact_keys(&self) -> Finding {
        let (holds, seen) = self.judge_keys().await.unwrap_or_else(|why| (None, why));
        finding(Capability::ExactKeys, holds, seen)
    }

    async fn judge_keys(&self) -> Result<(Option<bool>, String), String> {
        for name in ODD_NAMES {
            self.put(&format!("odd/{name}")).await.map_err(|error| error.message)?;
        }
        let prefix = self.key("odd/");
        let request = ListRequest { prefix: prefix.as_bytes().to_vec(), ..ListRequest::default() };
        let page = self.store.list(&request).await.map_err(|error| error.message)?;
        let mut expected: Vec<Key> = ODD_NAMES.iter().map(|name| self.key(&format!("odd/{name}"))).collect();
        expected.sort();
        let listed: Vec<Key> = page.objects.into_iter().map(|object| object.key).collect();
        Ok(match listed == expected {
            true => (Some(true), "plus, space and percent come back from a listing as they were written".into()),
            false => (Some(false), format!("of {expected:?} a listing gives {listed:?}")),
        })
    }

    /// Removes whatever lies under the prefix.
    async fn clean(&self) -> Result<(), Leftover> {
        let leftover = |why: String| Leftover { prefix: Key::new(&self.prefix), why };
        let request = ListRequest { prefix: self.prefix.clone(), ..ListRequest::default() };
        let listed = |page: crate::store::ListPage| page.objects.into_iter().map(|object| object.key);
        let page = self.store.list(&request).await.map_err(|error| leftover(error.message))?;
        for key in listed(page).filter(|key| key.as_bytes().starts_with(&self.prefix)) {
            // What it says is not believed: the next listing tells.
            let _ = self.store.delete(&DeleteTarget::of(key)).await;
        }
        let page = self.store.list(&request).await.map_err(|error| leftover(error.message))?;
        match listed(page).count() {
            0 => Ok(()),
            count => Err(leftover(format!("{count} objects are still there"))),
        }
    }
}

fn refused(answer: &Result<DeleteAnswer, StoreError>) -> bool {
    matches!(answer, Ok(DeleteAnswer::Refused(_)) | Err(StoreError { kind: ErrorKind::PreconditionFailed, .. }))
}
