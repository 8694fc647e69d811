//! Addresses of databases on servers. They may hold a password, so nothing here shows more than where they lead.

use std::fmt;

use crate::registry::RegistryError;

/// What a database speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Server {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Server {
    /// The database that a scheme means: `postgres`, `postgresql`, `mysql`, `mariadb`.
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }

    /// The word at the beginning of the source's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// Options that are handed to the driver as they are.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &[
                "sslmode",
                "ssl-mode",
                "sslrootcert",
                "ssl-root-cert",
                "ssl-ca",
                "sslcert",
                "ssl-cert",
                "sslkey",
                "ssl-key",
                "host",
                "port",
                "dbname",
                "user",
                "password",
                "options",
            ],
            Self::MySql => {
                &["sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key", "socket"]
            }
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Postgres => "postgres://user:password@host:5432/database",
            Self::MySql => "mysql://user:password@host:3306/database",
        }
    }
}

/// Options with which apps and their libraries address pools and sessions of their own; they change nothing of what is
/// read.
const OF_OTHERS: &[&str] = &[
    "application_name",
    "charset",
    "collation",
    "connect_timeout",
    "connection_limit",
    "pgbouncer",
    "pool_size",
    "pool_timeout",
    "socket_timeout",
    "timezone",
    "time-zone",
];

/// The address of a database on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// What it speaks.
    server: Server,
    /// For the driver, password included.
    text: String,
    /// Whether a replica may be read; it may lag behind.
    replica: bool,
    /// Whether tables without snapshots may be read.
    no_snapshot: bool,
}

impl ServerAddress {
    /// Reads what stands behind the scheme, and the value of the option `tracked`, if it is there.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] for what is not understood; the address is never repeated.
    pub fn parse(server: Server, rest: &str) -> Result<(Self, Option<bool>), RegistryError> {
        let wrong = |why: &str| RegistryError::Unreachable {
            source_name: format!("{}:", server.word()),
            why: format!("{why}; expected {}", server.example()),
        };
        let place = rest.strip_prefix("//").ok_or_else(|| wrong("the address is not complete"))?;
        if is_ambiguous(place) {
            return Err(wrong(
                "special characters of user and password must be percent-encoded (%40 for @, %2F for /)",
            ));
        }
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let mut address =
            Self { server, text: format!("{}://{place}", server.word()), replica: false, no_snapshot: false };
        let (mut tracked, mut kept) = (None, Vec::new());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, "true"));
            match (name, value.parse::<bool>()) {
                ("tracked", Ok(value)) => tracked = Some(value),
                ("replica", Ok(value)) => address.replica = value,
                ("no_snapshot", Ok(value)) => address.no_snapshot = value,
                ("tracked" | "replica" | "no_snapshot", Err(_)) => {
                    return Err(wrong("tracked, replica and no_snapshot are true or false"));
                }
                // The schema that Prisma's addresses name.
                ("schema", _) if server == Server::Postgres => kept.push(format!("options[search_path]={value}")),
                _ if server.options().contains(&name) => kept.push(option.to_owned()),
                _ if OF_OTHERS.contains(&name) => {}
                ("channel_binding" | "target_session_attrs" | "sslnegotiation" | "ssl" | "tls" | "useSSL", _) => {
                    return Err(wrong(&format!("the option {name} is not supported; sslmode chooses the encryption")));
                }
                _ => return Err(wrong("it has an option that is not known")),
            }
        }
        if !kept.is_empty() {
            address.text = format!("{}?{}", address.text, kept.join("&"));
        }
        Ok((address, tracked))
    }

    /// What it speaks.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn server(&self) -> Server {
        self.server
    }

    /// Whether a replica may be read.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn takes_replica(&self) -> bool {
        self.replica
    }

    /// Whether tables without snapshots may be read.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn takes_no_snapshot(&self) -> bool {
        self.no_snapshot
    }

    /// For the driver; with the password, so it must not be shown.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    /// The error of a program that was built without this kind of database.
    #[cfg(not(all(feature = "postgres", feature = "mysql")))]
    pub(in crate::registry) fn not_built(&self) -> RegistryError {
        let word = self.server.word();
        RegistryError::Unreachable {
            source_name: format!("{word}:"),
            why: format!("this build cannot read it; it lacks the feature `{word}`"),
        }
    }

    /// The error of an address that the driver does not understand; drivers repeat parts of what they are given.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn misread(&self) -> RegistryError {
        RegistryError::Unreachable {
            source_name: format!("{}:", self.server.word()),
            why: format!("the address is not understood; expected {}", self.server.example()),
        }
    }
}

/// Whether nobody can say where user and password end, and so what of the rest may be shown.
fn is_ambiguous(place: &str) -> bool {
    place.contains('#')
        || match place.split_once('@') {
            Some((user, rest)) => rest.contains('@') || user.contains(['/', '?']),
            None => false,
        }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:(hidden)", self.server.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rest: &str, expected: Result<(&str, bool, Option<bool>), &str>) {
        match (ServerAddress::parse(Server::Postgres, rest), expected) {
            (Ok((found, tracked)), Ok(expected)) => {
                assert_eq!((found.text.as_str(), found.replica, tracked), expected, "{rest}");
                assert_eq!(format!("{found:?}"), "postgres:(hidden)");
            }
            (Err(error), Err(part)) => {
                let shown = format!("{error} {error:?}");
                assert!(shown.contains(part), "{rest}: {error}");
                assert!(!shown.contains("hunt") && !shown.contains("er2"), "{rest}: {shown}");
            }
            (found, expected) => panic!("{rest}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn an_address_keeps_what_the_driver_knows_and_nothing_is_dropped_that_protects() {
        check("//me:hunter2@host/db", Ok(("postgres://me:hunter2@host/db", false, None)));
        check(
            "//host/db?sslmode=require&tracked=false",
            Ok(("postgres://host/db?sslmode=require", false, Some(false))),
        );
        check("//host/db?replica=true&connection_limit=5", Ok(("postgres://host/db", true, None)));
        let accepted = ServerAddress::parse(Server::MySql, "//host/db?no_snapshot=true").expect("an address").0;
        assert_eq!((accepted.no_snapshot, accepted.text.as_str()), (true, "mysql://host/db"));
        check("//host/db?schema=app", Ok(("postgres://host/db?options[search_path]=app", false, None)));
        check("host/db", Err("the address is not complete"));
        check("//host/db?channel_binding=require", Err("the option channel_binding is not supported"));
        check("//host/db?tracked=maybe", Err("true or false"));
        check("//me@host/db?hunter2", Err("an option that is not known"));
        for unclear in
            ["//me:hunt@er2@host/db", "//me:hunt/er2@host/db", "//me:hunt?er2@host/db", "//me:hunt#er2@host/db"]
        {
            check(unclear, Err("must be percent-encoded"));
        }
    }
}
