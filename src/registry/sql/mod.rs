//! A registry in a SQL database.
//!
//! ```text
//! address     where a server is, without showing the password
//! queries     the questions, which are the same everywhere
//! connection  one connection, whatever the database
//! engine      what differs between databases
//! cut_short   queries that leave rows out by their number
//! moments     tables of MySQL that have no snapshot
//! reader      reading: the same for every database
//! sqlite      a database file, and its rows, whose types belong to values
//! server      a database on a server, and its rows
//! postgres, mysql   the engines of servers
//! ```

pub mod address;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "a file does not need all of what servers need")
)]
mod connection;
mod cut_short;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "a file does not need all of what servers need")
)]
mod engine;
#[cfg(feature = "mysql")]
mod moments;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod queries;
mod reader;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
mod sqlite;
#[cfg(test)]
mod tests;

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(in crate::registry) use server::ServerRegistry;
pub use sqlite::SqliteRegistry;
