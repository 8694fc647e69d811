//! The questions that a SQL registry is asked. What differs between databases is how names are quoted and how values
//! are compared; both come from the [`Dialect`].

use crate::registry::Mapping;

/// How a database spells what the standard leaves open.
pub(super) struct Dialect {
    /// Around names.
    pub(super) quote: char,
    /// A parameter; its number, from 1, replaces a `#`. SQLite is fastest without.
    pub(super) parameter: &'static str,
    /// Behind a column that is to be compared byte by byte.
    pub(super) exactly: &'static str,
}

/// A table and its columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// Where rows come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum From {
    /// A table that we know by name.
    Table(Table),
    /// The user's own query. Its columns count by position.
    Query(String),
}

/// What a registry is read by.
pub(super) struct Queries {
    dialect: Dialect,
    pub(super) projects: From,
    pub(super) tracked: From,
    pub(super) references: Option<From>,
}

impl Queries {
    pub(super) fn new(dialect: Dialect, mapping: &Mapping) -> Self {
        let name = |chosen: &Option<String>, usual: &str| chosen.clone().unwrap_or_else(|| usual.to_owned());
        let projects =
            || Table { name: name(&mapping.projects_table, "projects"), columns: vec![name(&mapping.id_field, "id")] };
        let tracked = || Table {
            name: name(&mapping.tracked_table, "r2_objects"),
            columns: vec![name(&mapping.key_field, "object_key"), name(&mapping.owner_field, "project_id")],
        };
        let own = |query: &String| From::Query(query.trim().trim_end_matches([';', ' ', '\n']).to_owned());
        let from = |query: &Option<String>, table: &dyn Fn() -> Table| {
            query.as_ref().map_or_else(|| From::Table(table()), own)
        };
        Self {
            dialect,
            projects: from(&mapping.projects_query, &projects),
            tracked: from(&mapping.tracked_query, &tracked),
            references: mapping.references_query.as_ref().map(own),
        }
    }

    /// Everything that `from` has.
    pub(super) fn all(&self, from: &From) -> String {
        match from {
            From::Query(query) => query.clone(),
            From::Table(table) => {
                // Qualified, because SQLite takes an unknown name in double quotes for a text.
                let columns: Vec<String> =
                    table.columns.iter().map(|name| format!("t.{}", self.quoted(name))).collect();
                format!("SELECT {} FROM {} AS t", columns.join(", "), self.quoted(&table.name))
            }
        }
    }

    /// The rows of `from` whose key is one of so many parameters.
    pub(super) fn with_keys(&self, from: &From, parameters: usize) -> String {
        format!(
            "WITH claims(claimed, owner) AS ({}\n) SELECT claimed, owner FROM claims WHERE claimed{} IN ({})",
            self.all(from),
            self.dialect.exactly,
            self.parameters(0, parameters)
        )
    }

    /// Deletes the rows whose key is one of so many parameters and whose owner is none of so many after them.
    pub(super) fn delete(&self, table: &Table, keys: usize, kept: usize) -> String {
        let [key, owner] = [0, 1].map(|at| self.quoted(&table.columns[at]));
        format!(
            "DELETE FROM {} WHERE {key}{exactly} IN ({}) AND ({owner} IS NULL OR {owner}{exactly} NOT IN ({}))",
            self.quoted(&table.name),
            self.parameters(0, keys),
            self.parameters(keys, kept),
            exactly = self.dialect.exactly,
        )
    }

    fn parameters(&self, before: usize, count: usize) -> String {
        let one = |number: usize| self.dialect.parameter.replace('#', &number.to_string());
        (before + 1..=before + count).map(one).collect::<Vec<_>>().join(", ")
    }

    fn quoted(&self, name: &str) -> String {
        let quote = self.dialect.quote;
        let inner = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{inner}{quote}")
    }
}
