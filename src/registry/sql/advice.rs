//! What would make a database answer faster: it is asked for the rows of keys before each request of a run.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr};

use super::queries::{From, Queries};

/// Whether looking up keys reads whole tables; the database itself says how it would do it. Nothing, if it does not say.
pub(super) async fn slow_lookup(
    connection: &mut SqliteConnection,
    queries: &Queries,
    from: &From,
    word: &str,
) -> Option<String> {
    let question = format!("EXPLAIN QUERY PLAN {}", queries.with_keys(from, 1));
    let steps = sqlx::query(AssertSqlSafe(question).into_sql_str()).bind("").fetch_all(connection).await.ok()?;
    let details: Vec<String> = steps.iter().filter_map(|step| step.try_get("detail").ok()).collect();
    let scan = details.iter().find(|detail| detail.starts_with("SCAN ") && !detail.contains("INDEX"))?;
    let mend = match from {
        From::Table(table) => {
            let (name, key) = (&table.name, table.columns.first()?);
            format!("CREATE INDEX by_key ON {name} ({key})")
        }
        From::Query(_) => "index the column of keys that the query reads".into(),
    };
    Some(format!("looking up {word} keys reads all of them ({scan}): {mend}"))
}
