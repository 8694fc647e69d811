//! A server that speaks as much of MongoDB's protocol as the driver needs (one OP_MSG asks, one answers;
//! mongodb.com/docs/manual/reference/mongodb-wire-protocol), holds a few documents, and fails as it is told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mongodb::bson::{Bson, Document, doc};

/// The one kind of message.
const OP_MSG: i32 = 2013;

/// What a server does wrong, and from which of its answers of that kind on, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It hangs up instead of giving this batch of a cursor.
    HangsUp(usize),
    /// It has forgotten its cursor, and says so, as MongoDB does.
    ForgetsCursor(usize),
    /// It has forgotten its cursor, and answers with an end.
    EndsEarly(usize),
    /// It answers this command for this collection with an error.
    Refuses(&'static str, &'static str, i32, &'static str),
    /// It hangs up when it gets this command, before it does anything.
    HangsUpOn(&'static str),
    /// It says nothing to this command.
    IsSilent(&'static str),
    /// It takes no writes.
    IsSecondary,
    /// It finds nothing by a path that leads through documents.
    IgnoresPaths,
    /// It finds nothing by comparing whole documents.
    ComparesByField,
    /// Somebody adds a field to every document just before this server deletes.
    ChangesMeanwhile,
}

/// What the server holds and has seen.
pub(super) struct World {
    pub(super) collections: BTreeMap<String, Vec<Document>>,
    pub(super) fault: Fault,
    /// Documents in a batch, whatever is asked for.
    pub(super) batch: usize,
    /// Whether it is one of several servers.
    pub(super) replicated: bool,
    /// Every command, in order.
    pub(super) seen: Vec<Document>,
    me: String,
    cursors: BTreeMap<i64, Vec<Document>>,
    batches: usize,
}

/// A running server; it ends with the test's process.
pub(super) struct Server {
    pub(super) port: u16,
    world: Arc<Mutex<World>>,
}

impl Server {
    pub(super) fn start(collections: &[(&str, Vec<Document>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let collections = collections.iter().map(|(name, documents)| ((*name).to_owned(), documents.clone())).collect();
        let world = Arc::new(Mutex::new(World {
            collections,
            fault: Fault::None,
            batch: 2,
            replicated: true,
            seen: Vec::new(),
            me: format!("127.0.0.1:{port}"),
            cursors: BTreeMap::new(),
            batches: 0,
        }));
        let shared = Arc::clone(&world);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&shared);
                std::thread::spawn(move || while answer(&stream, &world).is_some() {});
            }
        });
        Self { port, world }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fail(&self, fault: Fault) {
        let mut world = self.world();
        (world.fault, world.batches) = (fault, 0);
    }

    pub(super) fn address(&self) -> String {
        format!("mongodb://127.0.0.1:{}/app", self.port)
    }
}

/// Answers one message; `None` if the connection is to end.
fn answer(mut stream: &TcpStream, world: &Mutex<World>) -> Option<()> {
    let mut header = [0; 16];
    stream.read_exact(&mut header).ok()?;
    let number = |at: usize| header[at..at + 4].try_into().map(i32::from_le_bytes);
    if number(12).ok() != Some(OP_MSG) {
        return None;
    }
    let mut body = vec![0; usize::try_from(number(0).ok()?).ok()? - header.len()];
    stream.read_exact(&mut body).ok()?;
    // Four bytes of flags and one that says that a document follows.
    let command = Document::from_reader(&body[5..]).ok()?;
    let silent = match world.lock().unwrap_or_else(PoisonError::into_inner).fault {
        Fault::IsSilent(name) => command.contains_key(name),
        _ => false,
    };
    if silent {
        // Until the other side gives up.
        return stream.read(&mut header).ok().map(drop);
    }
    let reply = world.lock().unwrap_or_else(PoisonError::into_inner).reply(&command)?.to_vec().ok()?;
    let mut message = Vec::new();
    let length = i32::try_from(16 + 5 + reply.len()).ok()?;
    for part in [length, 1, number(4).ok()?, OP_MSG, 0] {
        message.extend(part.to_le_bytes());
    }
    message.push(0);
    message.extend(reply);
    stream.write_all(&message).ok()
}

impl World {
    fn reply(&mut self, command: &Document) -> Option<Document> {
        let (name, of) = command.iter().next()?;
        let of = of.as_str().unwrap_or_default().to_owned();
        if !matches!(name.as_str(), "hello" | "isMaster" | "ismaster" | "endSessions" | "killCursors") {
            self.seen.push(command.clone());
        }
        if let Fault::Refuses(refused, collection, code, text) = self.fault
            && (refused, collection) == (name, of.as_str())
        {
            return Some(doc! { "ok": 0, "code": code, "errmsg": text });
        }
        if let Fault::HangsUpOn(one) = self.fault
            && one == name
        {
            return None;
        }
        Some(match name.as_str() {
            "hello" | "isMaster" | "ismaster" => self.hello(),
            "listCollections" => {
                let names = self.collections.keys().map(|name| doc! { "name": name, "type": "collection" }).collect();
                self.first_batch(names, usize::MAX)
            }
            "find" => {
                let mut found = self.found(&of, command.get_document("filter").ok()?);
                if command.get_document("sort").is_ok_and(|sort| sort.get_i32("_id").ok() == Some(-1)) {
                    found.reverse();
                }
                let limit = command.get_i64("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
                found.truncate(limit);
                let batch = if limit == usize::MAX { self.batch } else { limit };
                self.first_batch(found, batch)
            }
            "delete" => {
                let deletes = command.get_array("deletes").ok()?.iter().filter_map(Bson::as_document);
                let removed =
                    deletes.filter(|delete| delete.get_document("q").is_ok_and(|q| self.delete(&of, q))).count();
                doc! { "ok": 1, "n": i32::try_from(removed).ok()? }
            }
            "getMore" => return self.next_batch(command.get_i64("getMore").ok()?),
            _ => doc! { "ok": 1 },
        })
    }

    fn hello(&self) -> Document {
        let mut hello = doc! {
            "ok": 1, "isWritablePrimary": self.fault != Fault::IsSecondary, "helloOk": true, "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 8, "maxWireVersion": 21,
        };
        if self.fault == Fault::IsSecondary {
            hello.insert("secondary", true);
        }
        if self.replicated {
            let me = &self.me;
            hello.extend(doc! { "setName": "rs0", "setVersion": 1, "hosts": [me], "me": me, "primary": me });
        }
        hello
    }

    /// Documents whose field has one of the values that are asked for; it knows no other question.
    fn found(&self, collection: &str, filter: &Document) -> Vec<Document> {
        let documents = self.collections.get(collection).cloned().unwrap_or_default();
        let asked = |document: &Document| {
            filter.iter().all(|(path, question)| {
                match question.as_document().and_then(|one| one.get_array("$in").ok()) {
                    Some(_) if self.fault == Fault::IgnoresPaths && path.contains('.') => false,
                    Some(wanted) => {
                        values(&Bson::Document(document.clone()), path).iter().any(|value| wanted.contains(value))
                    }
                    None => document.get(path) == Some(question),
                }
            })
        };
        documents.into_iter().filter(asked).collect()
    }

    /// Deletes the document that is exactly the literal of the question, or has its fields.
    fn delete(&mut self, collection: &str, question: &Document) -> bool {
        let Some(documents) = self.collections.get_mut(collection) else { return false };
        if self.fault == Fault::ChangesMeanwhile {
            documents.iter_mut().for_each(|document| drop(document.insert("liked", true)));
        }
        let whole = question.get_document("$expr").and_then(|expr| expr.get_array("$eq")).ok();
        let whole = whole.and_then(|pair| pair.get(1)?.as_document()?.get_document("$literal").ok());
        let is_it = |document: &Document| match whole {
            Some(_) if self.fault == Fault::ComparesByField => false,
            Some(whole) => document == whole,
            None => question.iter().all(|(name, value)| match value.as_document() {
                Some(kind) => kind.get_i32("$type").ok() == Some(10) && document.get(name) == Some(&Bson::Null),
                None => document.get(name) == Some(value),
            }),
        };
        let found = documents.iter().position(is_it);
        found.map(|at| documents.remove(at)).is_some()
    }

    fn first_batch(&mut self, mut documents: Vec<Document>, batch: usize) -> Document {
        let rest = documents.split_off(batch.min(documents.len()));
        let id = if rest.is_empty() { 0 } else { 1 + self.cursors.len() as i64 };
        self.cursors.insert(id, rest);
        doc! { "ok": 1, "cursor": { "id": id, "ns": "app.x", "firstBatch": documents } }
    }

    fn next_batch(&mut self, id: i64) -> Option<Document> {
        let batch = self.batches;
        self.batches += 1;
        let mut documents = self.cursors.remove(&id).unwrap_or_default();
        match self.fault {
            Fault::HangsUp(at) if batch >= at => return None,
            Fault::ForgetsCursor(at) if batch >= at => {
                return Some(
                    doc! { "ok": 0, "code": 43, "codeName": "CursorNotFound", "errmsg": "cursor id 1 not found" },
                );
            }
            Fault::EndsEarly(at) if batch >= at => documents.clear(),
            _ => {}
        }
        let rest = documents.split_off(self.batch.min(documents.len()));
        let left = if rest.is_empty() { 0 } else { id };
        self.cursors.insert(id, rest);
        Some(doc! { "ok": 1, "cursor": { "id": left, "ns": "app.x", "nextBatch": documents } })
    }
}

fn values(value: &Bson, path: &str) -> Vec<Bson> {
    match (value, path) {
        (Bson::Array(elements), _) => elements.iter().flat_map(|element| values(element, path)).collect(),
        (value, "") => vec![value.clone()],
        (Bson::Document(document), _) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            document.get(first).map_or_else(Vec::new, |value| values(value, rest))
        }
        _ => Vec::new(),
    }
}
