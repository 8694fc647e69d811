//! The registry beside the bucket: a SQLite file as the app would have it.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::generator::TrackingRow;
use crate::domain::Timestamp;

/// Rows of one statement; SQLite binds up to 32,766 values, five a row.
const ROWS: usize = 1000;

/// The tables that a registry in SQLite has by default.
const SCHEMA: &str = include_str!("../../assets/sql/sqlite.sql");

/// Writes a new registry file: the live projects, and the keys that the app tracks.
///
/// # Errors
/// Whatever SQLite says: no room, no right to write.
pub(super) async fn write(
    file: &Path,
    projects: &[String],
    rows: &[TrackingRow],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        // A file that is lost with the process needs no care for a crash.
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    // Rows go in several times faster before there are indexes.
    let (tables, indexes) = SCHEMA.split_at(SCHEMA.find("CREATE INDEX").unwrap_or(SCHEMA.len()));
    sqlx::raw_sql(tables).execute(&mut connection).await?;
    let mut transaction = connection.begin().await?;
    for part in projects.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO projects (id) ");
        query.push_values(part, |mut values, id| {
            values.push_bind(id.as_str());
        });
        query.build().execute(&mut *transaction).await?;
    }
    for part in rows.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO r2_objects (project_id, scene_id, object_key, file_type, created_at) ",
        );
        query.push_values(part, |mut values, row| {
            values
                .push_bind(row.project.as_str())
                .push_bind(row.scene.as_deref())
                .push_bind(row.key.as_str())
                .push_bind(row.file_type)
                .push_bind(written(now.plus_seconds(-row.age_seconds)));
        });
        query.build().execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    sqlx::raw_sql(indexes).execute(&mut connection).await?;
    connection.close().await
}

/// `2026-11-21T10:00:00Z`.
fn written(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}
