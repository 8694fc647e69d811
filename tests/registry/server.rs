//! A real server, and a database of each check's own on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bucketree::registry::{RegistryError, RegistrySpec, SharedRegistry, open};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Postgres,
    MariaDb,
}

/// A server that is running.
pub struct Server {
    pub kind: Kind,
    address: String,
}

impl Server {
    pub fn new(kind: Kind, address: String) -> Self {
        Self { kind, address }
    }

    /// The address of a database on this server, or behind a proxy before it, for some user.
    pub fn address(&self, database: &str, user: Option<&str>, host: Option<SocketAddr>) -> String {
        let (start, rest) = self.address.split_once("://").expect("an address");
        let (own_user, rest) = rest.split_once('@').expect("a user");
        let (own_host, _) = rest.split_once('/').expect("a database");
        let host = host.map_or(own_host.to_owned(), |host| host.to_string());
        format!("{start}://{}@{host}/{database}", user.unwrap_or(own_user))
    }

    pub fn socket_address(&self) -> SocketAddr {
        let (_, rest) = self.address.split_once('@').expect("a user");
        rest.split('/').next().expect("a host").parse().expect("an IP address and a port")
    }

    /// Runs statements in a database, `None` for the server's own.
    pub async fn run(&self, database: Option<&str>, statements: &str) {
        let address = database.map_or(self.address.clone(), |database| self.address(database, None, None));
        let statements_of = || sqlx::raw_sql(AssertSqlSafe(statements));
        let result = match self.kind {
            Kind::Postgres => {
                PgConnection::connect(&address).await.expect("a connection").execute(statements_of()).await.map(drop)
            }
            Kind::MariaDb => {
                MySqlConnection::connect(&address).await.expect("a connection").execute(statements_of()).await.map(drop)
            }
        };
        result.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// One of two texts, by the kind of the server.
    pub fn pick<'t>(&self, postgres: &'t str, mariadb: &'t str) -> &'t str {
        match self.kind {
            Kind::Postgres => postgres,
            Kind::MariaDb => mariadb,
        }
    }
}

/// A database of a check's own.
pub struct Database {
    pub server: Arc<Server>,
    pub name: String,
}

impl Database {
    /// Makes an empty one.
    pub async fn new(server: &Arc<Server>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Self { server: Arc::clone(server), name };
        database.make().await;
        database
    }

    pub async fn make(&self) {
        let form = self.server.pick("TEMPLATE template0 ENCODING 'UTF8'", "CHARACTER SET utf8mb4");
        self.server.run(None, &format!("CREATE DATABASE {} {form}", self.name)).await;
    }

    pub async fn drop(&self) {
        let force = self.server.pick("WITH (FORCE)", "");
        self.server.run(None, &format!("DROP DATABASE IF EXISTS {} {force}", self.name)).await;
    }

    pub async fn run(&self, statements: &str) {
        self.server.run(Some(&self.name), statements).await;
    }

    pub fn spec(&self) -> RegistrySpec {
        spec(&self.server.address(&self.name, None, None))
    }

    /// Opened as the specification that `change` makes; errors without what differs from run to run.
    pub async fn open(&self, change: impl FnOnce(&mut RegistrySpec)) -> Result<SharedRegistry, RegistryError> {
        let mut spec = self.spec();
        change(&mut spec);
        open(&spec).await
    }

    /// The name of the source, without secrets.
    pub fn source(&self) -> String {
        format!("{}: {}/{}", self.server.pick("postgres", "mysql"), self.server.socket_address(), self.name)
    }
}

pub fn spec(address: &str) -> RegistrySpec {
    RegistrySpec::parse(address, std::path::Path::new("/")).expect("an address")
}

/// A value as it stands in a statement.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
