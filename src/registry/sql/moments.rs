//! Tables of MySQL and MariaDB that have no snapshot: their engines know no transactions, so what is read of them is of
//! another moment than the rest, and a change that is under way is seen in part.

use std::time::Duration;

use super::connection::{Ask, Cells, Connection, Halt};
use super::queries::{From, Part};

/// Engines that read a snapshot within a transaction (dev.mysql.com/doc/refman/8.4/en/commit.html;
/// mariadb.com/kb/en/start-transaction, WITH CONSISTENT SNAPSHOT).
const WITH_SNAPSHOTS: [&str; 3] = ["innodb", "rocksdb", "tokudb"];

/// A table or view that there is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    schema: String,
    /// The schema is the one of names that stand alone.
    own: bool,
    name: String,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    /// A table of this engine.
    Table(String),
    /// A view with this text; empty where it is hidden from this user.
    View(String),
}

/// Why what these parts read is not of one moment; `None` if it is.
pub(super) async fn not_of_one_moment(
    connection: &mut dyn Connection,
    parts: &[&Part],
    patience: Duration,
) -> Result<Option<String>, Halt> {
    let question = "SELECT CAST(t.table_schema AS CHAR), CAST(t.table_schema = DATABASE() AS CHAR), \
                    CAST(t.table_name AS CHAR), CAST(t.table_type AS CHAR), CAST(COALESCE(t.engine, '') AS CHAR), \
                    CAST(COALESCE(v.view_definition, '') AS CHAR) FROM information_schema.tables t \
                    LEFT JOIN information_schema.views v \
                    ON v.table_schema = t.table_schema AND v.table_name = t.table_name \
                    WHERE t.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')";
    let mut places = Vec::new();
    let mut take = |row: &dyn Cells| {
        let text = |at| Ok::<_, String>(String::from_utf8_lossy(&row.bytes(at)?.unwrap_or_default()).into_owned());
        let what = if text(3)?.contains("VIEW") { What::View(text(5)?) } else { What::Table(text(4)?) };
        places.push(Place { schema: text(0)?, own: text(1)? == "1", name: text(2)?, what });
        Ok(())
    };
    connection.each(Ask::plain(question), patience, &mut take).await?;
    Ok(first_without(parts.iter().map(|part| part.from.clone()).collect(), places))
}

/// The first table without a snapshot from which rows come, be it by way of views.
fn first_without(mut sources: Vec<From>, mut places: Vec<Place>) -> Option<String> {
    while let Some(source) = sources.pop() {
        let (named, others): (Vec<Place>, Vec<Place>) = places.into_iter().partition(|place| place.is_in(&source));
        places = others;
        for place in named {
            match place.what {
                What::Table(engine) if WITH_SNAPSHOTS.contains(&engine.to_ascii_lowercase().as_str()) => {}
                What::Table(engine) => {
                    return Some(format!("the table {} is of the engine {engine}, which has no snapshots", place.name));
                }
                What::View(text) if text.is_empty() => {
                    return Some(format!(
                        "what the view {} reads is hidden from this user, who lacks the permission SHOW VIEW",
                        place.name
                    ));
                }
                What::View(text) => sources.push(From::Query(text)),
            }
        }
    }
    None
}

impl Place {
    /// Whether rows may come from it. A query is not understood: it has the name as a word.
    fn is_in(&self, source: &From) -> bool {
        match source {
            From::Table(table) => {
                let (schema, name) = table.schema_and_name();
                name.eq_ignore_ascii_case(&self.name)
                    && schema.map_or(self.own, |schema| schema.eq_ignore_ascii_case(&self.schema))
            }
            From::Query(text) => has_word(text, &self.name) && (self.own || has_word(text, &self.schema)),
        }
    }
}

/// Whether a text has this word as a whole, in whatever case: whether case counts depends on the server.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    !word.is_empty()
        && text
            .match_indices(&word)
            .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::sql::queries::Table;

    fn table(name: &str) -> From {
        From::Table(Table { name: name.to_owned(), first: "id".into(), owner: None })
    }

    fn check(source: From, expected: Option<&str>) {
        let place = |schema: &str, name: &str, what| Place {
            schema: schema.to_owned(),
            own: schema == "t",
            name: name.to_owned(),
            what,
        };
        let of = |engine: &str| What::Table(engine.to_owned());
        let view = |text: &str| What::View(text.to_owned());
        let places = vec![
            place("t", "projects", of("InnoDB")),
            place("t", "old_projects", of("MyISAM")),
            place("app", "cache", of("MEMORY")),
            place("t", "live", view("select `p`.`id` from `app`.`projects` `p`")),
            place("t", "all_of_them", view("select `id` from `t`.`live` union select `id` from `t`.`old_projects`")),
            place("t", "secret", view("")),
        ];
        let found = first_without(vec![source.clone()], places);
        assert_eq!(found.is_some(), expected.is_some(), "{source:?}: {found:?}");
        assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{source:?}");
    }

    #[test]
    fn a_table_without_snapshots_is_found_however_it_is_named() {
        let query = |text: &str| From::Query(text.to_owned());
        check(table("projects"), None);
        check(table("app.cache"), Some("cache is of the engine MEMORY"));
        check(table("cache"), None);
        check(table("T.Old_projects"), Some("MyISAM"));
        check(table("all_of_them"), Some("old_projects is of the engine MyISAM"));
        check(query("SELECT id FROM projects"), None);
        check(query("SELECT id FROM live"), None);
        check(query("SELECT id FROM `Old_Projects`"), Some("old_projects is of the engine MyISAM"));
        check(query("SELECT id FROM older_projects"), None);
        check(query("SELECT cache FROM projects"), None);
        check(query("SELECT id FROM app.cache"), Some("MEMORY"));
        check(query("SELECT id FROM secret"), Some("SHOW VIEW"));
    }
}
