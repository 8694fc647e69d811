//! A registry in a SQL database: the queries, which are the same everywhere, and one adapter for each database.

mod advice;
mod queries;
mod sqlite;
#[cfg(test)]
mod tests;

pub use sqlite::SqliteRegistry;
