//! How fast each kind of registry is read whole, and how much memory that takes at most.
//!
//! `cargo bench --bench registry [-- KEYS]` (ten thousand tracked keys if not said, and a project for every two hundred).
//! Databases on servers take part where their address is given: `BUCKETREE_TEST_POSTGRES`, `BUCKETREE_TEST_MARIADB` and
//! `BUCKETREE_TEST_MONGODB`, as `tests/servers` prints them. Each is filled before it is measured.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use bucketree::registry::{RegistrySpec, open};
use flate2::Compression;
use flate2::write::GzEncoder;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Tracked keys of one project.
const OF_A_PROJECT: u64 = 200;

fn main() -> Result<()> {
    let keys = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000_u64);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    export(BufWriter::new(File::create(path("keys.jsonl"))?), keys)?;
    export(GzEncoder::new(BufWriter::new(File::create(path("keys.jsonl.gz"))?), Compression::fast()), keys)?;
    runtime.block_on(async {
        measure("file, JSON lines", &path("keys.jsonl"), keys).await?;
        measure("file, gzip", &path("keys.jsonl.gz"), keys).await?;
        let sqlite = format!("sqlite:{}", path("keys.db"));
        let mut database = SqliteConnection::connect(&format!("{sqlite}?mode=rwc")).await?;
        let numbers = "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n <";
        database.execute(tables(&format!("{numbers} {}) SELECT n FROM counted", keys - 1), "/", "||")).await?;
        database.close().await?;
        measure("SQLite", &sqlite, keys).await?;
        servers(keys).await
    })
}

/// The databases whose addresses are given.
async fn servers(keys: u64) -> Result<()> {
    let address = |variable: &str| std::env::var(variable).ok().filter(|address| !address.is_empty());
    #[cfg(feature = "postgres")]
    if let Some(address) = address("BUCKETREE_TEST_POSTGRES") {
        let counting = format!("SELECT n FROM generate_series(0, {}) AS counted(n)", keys - 1);
        sqlx::PgConnection::connect(&address).await?.execute(tables(&counting, "/", "||")).await?;
        measure("PostgreSQL", &address, keys).await?;
    }
    #[cfg(feature = "mysql")]
    if let Some(address) = address("BUCKETREE_TEST_MARIADB") {
        let counting = format!("SELECT seq AS n FROM seq_0_to_{}", keys - 1);
        let mut database = sqlx::MySqlConnection::connect(&address.replacen("mariadb:", "mysql:", 1)).await?;
        database.execute(tables(&counting, "DIV", ",")).await?;
        measure("MariaDB", &address, keys).await?;
    }
    #[cfg(feature = "mongodb")]
    if let Some(address) = address("BUCKETREE_TEST_MONGODB") {
        mongodb_server::fill(&address, keys).await?;
        measure("MongoDB", &mongodb_server::address(&address), keys).await?;
    }
    Ok(())
}

/// One key as the app writes it, about 70 bytes long.
fn key(n: u64) -> String {
    format!("users/u{}/projects/{}/scenes/s{}/media/{n}.mp4", n % 97, n / OF_A_PROJECT, n / 20)
}

/// What `mongoexport` would write.
fn export(mut file: impl Write, keys: u64) -> Result<()> {
    for project in 0..=(keys - 1) / OF_A_PROJECT {
        writeln!(file, "{{\"_id\":\"{project}\",\"name\":\"A video\"}}")?;
    }
    for n in 0..keys {
        let (key, project) = (key(n), n / OF_A_PROJECT);
        writeln!(
            file,
            "{{\"_id\":{{\"$oid\":\"{n:024x}\"}},\"object_key\":\"{key}\",\"project_id\":\"{project}\",\"size_bytes\":{{\"$numberLong\":\"{n}\"}}}}"
        )?;
    }
    Ok(file.flush()?)
}

/// Makes the tables of the shipped names from a query that counts, by a database's own division of whole numbers, and its
/// own way to join texts: a comma is CONCAT.
fn tables(counting: &str, divide: &str, join: &str) -> sqlx::RawSql {
    let text = |parts: &[&str]| match join {
        "," => format!("CONCAT({})", parts.join(", ")),
        join => parts.join(&format!(" {join} ")),
    };
    let (project, scene) = (format!("(n {divide} {OF_A_PROJECT})"), format!("(n {divide} 20)"));
    let parts = ["'users/u'", "(n % 97)", "'/projects/'", &project, "'/scenes/s'", &scene, "'/media/'", "n", "'.mp4'"];
    let (key, owner) = (text(&parts), text(&[&project, "''"]));
    sqlx::raw_sql(AssertSqlSafe(format!(
        "DROP TABLE IF EXISTS projects;
         DROP TABLE IF EXISTS r2_objects;
         CREATE TABLE projects (id VARCHAR(64));
         CREATE TABLE r2_objects (object_key VARCHAR(255), project_id VARCHAR(64));
         INSERT INTO projects SELECT DISTINCT {owner} FROM ({counting}) AS counted_all;
         INSERT INTO r2_objects SELECT {key}, {owner} FROM ({counting}) AS counted_all"
    )))
}

/// Opens a registry, reads it whole and says what that took.
async fn measure(what: &str, address: &str, keys: u64) -> Result<()> {
    let registry = open(&RegistrySpec::parse(address, Path::new("/"))?).await?;
    let before = Memory::start();
    let start = Instant::now();
    let mut rows = 0_u64;
    let report = registry.read(&mut |_| rows += 1).await?;
    let seconds = start.elapsed().as_secs_f64();
    if report.tracked != Some(keys) {
        return Err(format!("{what}: {:?} tracked keys of {keys}", report.tracked).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of rows, for a person")]
    let speed = rows as f64 / seconds;
    println!("{what}: {rows} rows in {seconds:.2} s, {speed:.0} rows/s, at most {} more", before.growth());
    Ok(())
}

/// The peak of this process's memory since a moment, where Linux tells it.
struct Memory {
    before: Option<u64>,
}

impl Memory {
    fn start() -> Self {
        // 5 forgets the peak (proc(5), clear_refs).
        let forgotten = std::fs::write("/proc/self/clear_refs", "5");
        Self { before: forgotten.ok().and_then(|()| Self::kilobytes("VmRSS:")) }
    }

    fn growth(&self) -> String {
        match (self.before, Self::kilobytes("VmHWM:")) {
            (Some(before), Some(peak)) => format!("{:.1} MB", peak.saturating_sub(before) as f64 / 1024.0),
            _ => "an unknown amount".into(),
        }
    }

    fn kilobytes(name: &str) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    }
}

#[cfg(feature = "mongodb")]
mod mongodb_server {
    use mongodb::Client;
    use mongodb::bson::{Document, doc};

    use super::{OF_A_PROJECT, Result, key};

    const DATABASE: &str = "bucketree_bench";

    pub(super) fn address(server: &str) -> String {
        let (place, options) = server.split_once('?').unwrap_or((server, ""));
        let host = place.trim_end_matches('/');
        format!("{host}/{DATABASE}?{options}")
    }

    pub(super) async fn fill(server: &str, keys: u64) -> Result<()> {
        let database = Client::with_uri_str(server).await?.database(DATABASE);
        let projects = database.collection::<Document>("projects");
        let rows = database.collection::<Document>("r2_file_paths");
        projects.drop().await?;
        rows.drop().await?;
        let owners: Vec<Document> =
            (0..=(keys - 1) / OF_A_PROJECT).map(|project| doc! { "_id": project.to_string() }).collect();
        projects.insert_many(owners).await?;
        let mut next = 0;
        while next < keys {
            let some = next..keys.min(next + 5_000);
            next = some.end;
            let row = |n: u64| {
                doc! { "_id": format!("{n:012}"), "object_key": key(n), "project_id": (n / OF_A_PROJECT).to_string() }
            };
            rows.insert_many(some.map(row)).await?;
        }
        Ok(())
    }
}
