//! Every store passes the same checks. Real servers are named by environment variables, each
//! `endpoint,bucket,region,access_key,secret_key`; without its variable a server's checks are reported as ignored, never as
//! passed. `tests/servers` starts such servers.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation};
use bucketree::demo::{self, Demo, DemoOptions};
use bucketree::domain::Key;
use bucketree::domain::capabilities::Atomicity;
use bucketree::domain::via::Via;
use bucketree::jobs::Clock;
use bucketree::jobs::probe::probe;
use bucketree::store::conformance::{CHECKS, Description, Quirks, Seed, Subject};
use bucketree::store::memory::MemoryStore;
use bucketree::store::s3::{S3Options, S3Store, Sending};
use bucketree::store::{DeleteAnswer, DeleteTarget, ErrorKind, ListRequest, ObjectStore, StoreError};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

/// Where a server is and who may write to it.
#[derive(Clone)]
struct Server {
    endpoint: String,
    bucket: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
}

impl Server {
    /// From `endpoint,bucket,region,access_key,secret_key`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',').map(|part| part.trim().to_owned());
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let server = Self {
            endpoint: next()?,
            bucket: next()?,
            region: next()?,
            access_key_id: next()?,
            secret_access_key: next()?,
        };
        parts.next().is_none().then_some(server)
    }

    fn options(&self) -> S3Options {
        S3Options {
            endpoint: Some(self.endpoint.clone()),
            bucket: self.bucket.clone(),
            region: Some(self.region.clone()),
            access_key_id: Some(self.access_key_id.clone()),
            secret_access_key: Some(self.secret_access_key.clone()),
            ..S3Options::default()
        }
    }
}

/// Writes with the plain SDK, so that what is read back was not written by what reads it.
struct SdkSeed {
    client: Client,
    bucket: String,
}

impl SdkSeed {
    fn new(server: &Server) -> Self {
        let credentials = Credentials::new(&server.access_key_id, &server.secret_access_key, None, None, "seed");
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(Region::new(server.region.clone()))
            .endpoint_url(format!("{}/", server.endpoint))
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Self { client: Client::from_conf(config), bucket: server.bucket.clone() }
    }

    async fn put(&self, key: Key, body: Bytes) -> Result<(), String> {
        // The SDK refuses keys of white space alone, so it gets another one, and the URL the right one.
        let escaped = percent_encode(key.as_bytes(), NON_ALPHANUMERIC).to_string().replace("%2F", "/");
        let put = self.client.put_object().bucket(&self.bucket).key("key").body(body.into()).customize();
        let put = put.mutate_request(move |request| {
            let uri = request.uri().split('?').next().unwrap_or_default().to_owned();
            let uri = format!("{}{}", uri.strip_suffix("key").unwrap_or_default(), unreserved(&escaped));
            request.set_uri(uri).expect("a URL");
        });
        put.send().await.map(drop).map_err(|error| format!("putting {key:?}: {error:?}"))
    }
}

/// SigV4 wants what RFC 3986 calls unreserved to stand unescaped.
fn unreserved(escaped: &str) -> String {
    escaped.replace("%2D", "-").replace("%2E", ".").replace("%5F", "_").replace("%7E", "~")
}

#[async_trait]
impl Seed for SdkSeed {
    async fn put_all(&self, objects: Vec<(Key, Bytes)>) -> Result<(), String> {
        let puts = futures::stream::iter(objects.into_iter().map(|(key, body)| self.put(key, body)));
        puts.buffer_unordered(8).try_collect().await
    }

    async fn put_one(&self, key: &Key, body: Bytes, described: Description) -> Result<(), String> {
        let mut put = self.client.put_object().bucket(&self.bucket).key(key.as_str().unwrap_or_default());
        put = put.content_type(described.content_type).body(body.into());
        for (name, value) in described.metadata {
            put = put.metadata(name, value);
        }
        for (name, value) in described.headers {
            put = match name.as_str() {
                "cache-control" => put.cache_control(value),
                other => return Err(format!("the seed knows no header {other}")),
            };
        }
        put.send().await.map(drop).map_err(|error| format!("putting {key:?}: {error:?}"))
    }
}

/// A store to be checked, and what has to live as long as it. One check at a time: each empties the bucket.
struct Bench {
    runtime: Runtime,
    store: Arc<dyn ObjectStore>,
    seed: Arc<dyn Seed>,
    quirks: Quirks,
    server: Option<Server>,
    /// The embedded server lives on the runtime on which it was started.
    _demo: Option<(Demo, Runtime)>,
}

impl Bench {
    fn memory() -> Result<Self, String> {
        let store = Arc::new(MemoryStore::new("memory"));
        let (runtime, seed) = (runtime()?, store.clone());
        Ok(Self { runtime, store, seed, quirks: Quirks::default(), server: None, _demo: None })
    }

    fn server(server: Server, quirks: Quirks) -> Result<Self, String> {
        let runtime = runtime()?;
        let store = runtime.block_on(S3Store::connect(server.options())).map_err(|error| error.to_string())?;
        let seed = Arc::new(SdkSeed::new(&server));
        Ok(Self { runtime, store: Arc::new(store), seed, quirks, server: Some(server), _demo: None })
    }

    fn demo() -> Result<Self, String> {
        let runtime = runtime()?;
        let options = DemoOptions { objects: 0, ..DemoOptions::default() };
        let demo = runtime.block_on(demo::start(options)).map_err(|error| error.to_string())?;
        let server = Server {
            endpoint: demo.endpoint.clone(),
            bucket: demo.bucket.clone(),
            region: demo.region.clone(),
            access_key_id: demo.access_key_id.clone(),
            secret_access_key: demo.secret_access_key.clone(),
        };
        let bench = Self::server(server, Quirks::default())?;
        Ok(Self { _demo: Some((demo, runtime)), ..bench })
    }
}

fn runtime() -> Result<Runtime, String> {
    RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| error.to_string())
}

/// What is known of a server, beside how its store differs from others.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Whether the deletion of one key with a condition that does not hold deletes nothing.
    atomic_alone: bool,
    /// Whether that holds of a batch as well.
    atomic_in_batches: bool,
}

/// What is asked of servers with credentials, beside the checks of every store.
type ServerCheck = fn(&Runtime, &Server, Known) -> Result<(), String>;

const SERVER_CHECKS: &[(&str, ServerCheck)] = &[
    ("a_wrong_secret_is_told_from_a_missing_permission", wrong_secret),
    ("a_missing_bucket_is_told_from_an_empty_one", missing_bucket),
    ("row_44_the_probe_finds_out_whether_conditions_are_honoured", probed),
    CONDITIONS,
];

const CONDITIONS: (&str, ServerCheck) =
    ("row_45_an_overwritten_object_is_kept_where_conditions_are_honoured", conditions);

/// The probe finds out what is known.
fn probed(runtime: &Runtime, server: &Server, known: Known) -> Result<(), String> {
    runtime.block_on(async {
        let store = S3Store::connect(server.options()).await.map_err(|error| error.to_string())?;
        let (measured, leftover) = probe(&store.with(Sending::MEASURING), &Clock::system()).await;
        let atomic = |via| Atomicity::of(Some(&measured), via, measured.at).is_proved();
        let as_known = atomic(Via::Batch) == known.atomic_in_batches && atomic(Via::Single) == known.atomic_alone;
        match (as_known, &leftover) {
            (true, None) => Ok(()),
            _ => Err(format!("the probe found {measured:#?} and left {leftover:?}")),
        }
    })
}

/// Where conditions are honoured, an object that was overwritten is kept, deleted alone or in a batch.
fn conditions(runtime: &Runtime, server: &Server, known: Known) -> Result<(), String> {
    let said = |error: StoreError| error.to_string();
    runtime.block_on(async {
        let store = S3Store::connect(server.options()).await.map_err(said)?.with(Sending::MEASURING);
        let (seed, key) = (SdkSeed::new(server), Key::from("overwritten"));
        let listing = ListRequest { prefix: key.as_bytes().to_vec(), ..ListRequest::default() };
        let etag = async || {
            let page = store.list(&listing).await.map_err(said)?;
            Ok::<_, String>(page.objects.into_iter().next().map(|object| object.etag))
        };
        for batch in [false, true] {
            seed.put_all(vec![(key.clone(), Bytes::from_static(b"old"))]).await?;
            let old = DeleteTarget { etag: etag().await?, ..DeleteTarget::of(key.clone()) };
            seed.put_all(vec![(key.clone(), Bytes::from_static(b"new"))]).await?;
            let new = DeleteTarget { etag: etag().await?, ..DeleteTarget::of(key.clone()) };
            let atomic = if batch { known.atomic_in_batches } else { known.atomic_alone };
            for (target, gone) in [(old, !atomic), (new, true)] {
                let answer = match batch {
                    true => store.delete_batch(&[target]).await.map_err(said)?.answers.remove(0),
                    false => store.delete(&target).await.map_err(said)?,
                };
                let refused =
                    matches!(&answer, DeleteAnswer::Refused(error) if error.kind == ErrorKind::PreconditionFailed);
                if (refused, etag().await?.is_none()) != (!gone, gone) {
                    return Err(format!("batch {batch}: {answer:?}, and the object should be gone: {gone}"));
                }
                if gone {
                    break; // by either target
                }
            }
        }
        Ok(())
    })
}

fn wrong_secret(runtime: &Runtime, server: &Server, _known: Known) -> Result<(), String> {
    let options = S3Options { secret_access_key: Some(String::from("not the secret")), ..server.options() };
    refused(runtime, options, ErrorKind::Unauthenticated)
}

fn missing_bucket(runtime: &Runtime, server: &Server, _known: Known) -> Result<(), String> {
    let options = S3Options { bucket: String::from("no-such-bucket"), ..server.options() };
    refused(runtime, options, ErrorKind::NoSuchBucket)
}

/// A listing and a deletion are refused with this meaning.
fn refused(runtime: &Runtime, options: S3Options, expected: ErrorKind) -> Result<(), String> {
    runtime.block_on(async {
        let store = S3Store::connect(options).await.map_err(|error| error.to_string())?;
        let listed = store.list(&ListRequest::default()).await.map(|page| page.objects.len());
        let target = DeleteTarget::of(Key::from("a"));
        let deleted = store.delete_batch(&[target]).await.map(|batch| batch.answers.len());
        for answer in [listed, deleted] {
            match answer {
                Err(error) if error.kind == expected => {}
                other => return Err(format!("expected {expected:?}, found {other:?}")),
            }
        }
        Ok(())
    })
}

/// One store and its checks; set up by the first check that runs.
struct Lane {
    name: &'static str,
    start: Box<dyn Fn() -> Result<Option<Bench>, String> + Send + Sync>,
    /// Why there is no store, for the report.
    absent: String,
    bench: Mutex<Option<Bench>>,
}

impl Lane {
    fn new(name: &'static str, start: impl Fn() -> Result<Bench, String> + Send + Sync + 'static) -> Arc<Self> {
        let start = Box::new(move || start().map(Some));
        Arc::new(Self { name, start, absent: String::new(), bench: Mutex::new(None) })
    }

    /// The server that an environment variable names.
    fn external(name: &'static str, variable: &'static str, quirks: Quirks) -> Arc<Self> {
        let start = move || {
            let Ok(text) = std::env::var(variable) else { return Ok(None) };
            let form = || format!("{variable} is not endpoint,bucket,region,access_key,secret_key");
            Bench::server(Server::parse(&text).ok_or_else(form)?, quirks).map(Some)
        };
        let absent = format!("{variable} is not set");
        Arc::new(Self { name, start: Box::new(start), absent, bench: Mutex::new(None) })
    }

    fn run(&self, check: impl FnOnce(&Bench) -> Result<(), String>) -> Result<Completion, Failed> {
        let mut bench = self.bench.lock().unwrap_or_else(PoisonError::into_inner);
        if bench.is_none() {
            *bench = (self.start)()?;
        }
        match &*bench {
            Some(bench) => Ok(check(bench).map(|()| Completion::Completed)?),
            None => Ok(Completion::ignored_with(&self.absent)),
        }
    }

    fn trials(self: &Arc<Self>, server: Option<Known>) -> Vec<Trial> {
        let port = CHECKS.iter().map(|&(check, function)| {
            self.trial(check, move |bench| {
                let subject = Subject { store: &*bench.store, seed: &*bench.seed, quirks: bench.quirks };
                bench.runtime.block_on(function(subject))
            })
        });
        let servers = server.into_iter().flat_map(|known| self.of_server(SERVER_CHECKS, known));
        port.chain(servers).collect()
    }

    /// Just these checks.
    fn of_server(self: &Arc<Self>, checks: &'static [(&'static str, ServerCheck)], known: Known) -> Vec<Trial> {
        let trial = |&(check, function): &(&'static str, ServerCheck)| {
            self.trial(check, move |bench| {
                bench.server.as_ref().map_or(Ok(()), |server| function(&bench.runtime, server, known))
            })
        };
        checks.iter().map(trial).collect()
    }

    fn trial(self: &Arc<Self>, check: &str, run: impl FnOnce(&Bench) -> Result<(), String> + Send + 'static) -> Trial {
        let lane = Arc::clone(self);
        Trial::ignorable_test(format!("{}::{check}", self.name), move || lane.run(run))
    }
}

fn main() -> ExitCode {
    let local_r2 = Quirks { dot_segments: false, line_breaks: false, tells_time: false, ..Quirks::default() };
    let gateway = Quirks { heeds_source_conditions: false, ..Quirks::default() };
    let careless = Known { atomic_alone: false, atomic_in_batches: false };
    let atomic = Known { atomic_alone: true, atomic_in_batches: true };
    let atomic_alone = Known { atomic_alone: true, atomic_in_batches: false };
    let mut trials = Lane::new("memory", Bench::memory).trials(None);
    trials.extend(Lane::new("demo", Bench::demo).trials(Some(atomic)));
    trials.extend(Lane::external("rgw", "BUCKETREE_TEST_S3_RGW", gateway).trials(Some(careless)));
    trials.extend(Lane::external("r2", "BUCKETREE_TEST_S3_R2", local_r2).trials(Some(careless)));
    // It says of what is missing by an HTML page that it was not found, which proves nothing to us: all that it is for is
    // that it honours conditions, which it does for one key and not for a batch.
    let moto = Lane::external("moto", "BUCKETREE_TEST_S3_MOTO", Quirks::default());
    trials.extend(moto.of_server(&[CONDITIONS], atomic_alone));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
