//! The embedded bucket: a real S3 server in this process, filled with sample data, and a registry beside it.
//!
//! ```text
//! mod        Demo: start, what to connect with, stop
//! server     HTTP on a loopback port
//! service    the S3 operations (protocol and signatures by the `s3s` crate)
//! listing    ListObjects and ListObjectsV2
//! bucket     the objects in memory, sorted
//! content    what the objects hold: media of any size, made when read
//! generator  which objects and rows there are, by a seed
//! place      the temporary folder of the registry
//! tracking   the SQLite registry
//! ```
//!
//! Nothing leaves the machine and nothing stays on it: the server listens on loopback only, and the registry file goes
//! when the [`Demo`] is dropped; what a killed process left goes when the next demo starts.

mod bucket;
mod content;
pub mod generator;
mod listing;
mod place;
mod random;
mod server;
mod service;
mod tracking;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tokio::net::TcpListener;

use crate::domain::Timestamp;
use bucket::{Content, MemoryBucket, Stored};
use content::SampleBody;
use generator::Sample;
use place::Place;
use random::Random;
use server::Server;
use service::Service;

/// The bucket's name.
pub const BUCKET: &str = "autoshorts-media";

/// The region, as on R2.
pub const REGION: &str = "auto";

/// What the demo is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemoOptions {
    /// So many objects; never fewer than the fixed part of the sample data has (a few hundred), but for 0, which leaves
    /// the bucket empty.
    pub objects: u64,
    /// The same seed gives the same keys, sizes, ETags, ages and credentials.
    pub seed: u64,
    /// Where to listen; loopback only. `None` takes any free port.
    pub address: Option<SocketAddr>,
    /// Added to every answer, in milliseconds: how a distant store feels.
    pub delay_ms: u64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { objects: 2400, seed: 1, address: None, delay_ms: 0 }
    }
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The address is not on this machine only.
    #[error("the demo listens on a loopback address only, and {0} is none")]
    NotLoopback(SocketAddr),
    /// The port is taken, or may not be used.
    #[error("the demo cannot listen on {address}: {why}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        why: std::io::Error,
    },
    /// The registry file has no place.
    #[error("the demo finds no place for its registry in {directory}: {why}")]
    Place {
        /// The directory for temporary files.
        directory: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// The registry cannot be written.
    #[error("the demo cannot write its registry {file}: {why}")]
    Registry {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: sqlx::Error,
    },
    /// The sample data could not be made.
    #[error("the demo's sample data could not be made: {0}")]
    Sample(String),
}

/// A running demo. Dropping it stops the server, closes its connections and removes the registry file.
pub struct Demo {
    /// For example `http://127.0.0.1:40123`; use path style.
    pub endpoint: String,
    /// [`BUCKET`].
    pub bucket: String,
    /// [`REGION`]; any other is accepted too.
    pub region: String,
    /// Whom to sign as.
    pub access_key_id: String,
    /// What to sign with.
    pub secret_access_key: String,
    /// The SQLite file.
    pub registry: PathBuf,
    /// So many objects at the start.
    pub objects: u64,
    /// Kept for what dropping it does.
    _server: Server,
    _place: Place,
}

impl Demo {
    /// One line for scripts: `endpoint, bucket, region, access_key_id, secret_access_key, registry`.
    pub fn describe_json(&self) -> String {
        json!({
            "endpoint": self.endpoint,
            "bucket": self.bucket,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "registry": self.registry,
        })
        .to_string()
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"***")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// This moment by this machine's clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Makes the sample data, writes the registry and serves the bucket; it can be used as soon as this returns.
///
/// # Errors
/// [`DemoError`] if the address is not to be had or the registry cannot be written; then nothing is left behind.
pub async fn start(options: DemoOptions) -> Result<Demo, DemoError> {
    let address = options.address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    if !address.ip().is_loopback() {
        return Err(DemoError::NotLoopback(address));
    }
    let cannot_listen = |why| DemoError::Listen { address, why };
    let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
    let temporary = std::env::temp_dir();
    let place = Place::take(&temporary).map_err(|why| DemoError::Place { directory: temporary, why })?;
    let started = now();
    let (bucket, objects, registry) = fill(&options, place.path(), started).await?;
    let (access_key_id, secret_access_key) = credentials(options.seed);
    let service = Service {
        name: BUCKET.to_owned(),
        region: REGION.to_owned(),
        bucket: Arc::new(bucket),
        created: started.plus_seconds(-generator::OLDEST_SECONDS),
    };
    let delay = Duration::from_millis(options.delay_ms);
    let server = Server::start(listener, service, &access_key_id, &secret_access_key, delay).map_err(cannot_listen)?;
    Ok(Demo {
        endpoint: format!("http://{}", server.address()),
        bucket: BUCKET.to_owned(),
        region: REGION.to_owned(),
        access_key_id,
        secret_access_key,
        registry,
        objects,
        _server: server,
        _place: place,
    })
}

/// Fills the bucket on one thread while SQLite writes the registry on another.
async fn fill(
    options: &DemoOptions,
    directory: &Path,
    started: Timestamp,
) -> Result<(MemoryBucket, u64, PathBuf), DemoError> {
    let (objects, seed) = (options.objects, options.seed);
    let lost = |why: tokio::task::JoinError| DemoError::Sample(why.to_string());
    let sample = tokio::task::spawn_blocking(move || generator::generate(objects, seed)).await.map_err(lost)?;
    let Sample { objects, projects, rows } = sample;
    let count = objects.len() as u64;
    let filling = tokio::task::spawn_blocking(move || {
        MemoryBucket::filled(objects.into_iter().map(|object| {
            let body = SampleBody { kind: content::Kind::of_key(&object.key), size: object.size, tag: object.tag };
            let last_modified = Timestamp(started.0 - object.age_ms);
            (object.key, Stored { content: Content::Sample(body), last_modified })
        }))
    });
    let file = directory.join("registry.db");
    let written = tracking::write(&file, &projects, &rows, started).await;
    let bucket = filling.await.map_err(lost)?;
    match written {
        Ok(()) => Ok((bucket, count, file)),
        Err(why) => Err(DemoError::Registry { file, why }),
    }
}

/// An access key id and a secret as R2 writes them: 32 and 64 hexadecimal digits. The same for the same seed, so that
/// scripts can know them; they open nothing but sample data on this machine.
fn credentials(seed: u64) -> (String, String) {
    let mut random = Random::new(seed ^ 0xc4ed_e47a);
    (random.hex(32), random.hex(64))
}
