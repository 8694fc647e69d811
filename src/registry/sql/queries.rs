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

    /// The whole rows of a table whose key is one of so many parameters: key, owner, the row's number by this name where
    /// rows have one, and then these columns.
    pub(super) fn whole(&self, table: &Table, number: Option<&str>, columns: &[&str], parameters: usize) -> String {
        let (key, owner) = (&table.columns[0], &table.columns[1]);
        let named = [key.as_str(), owner].into_iter().map(|name| self.quoted(name));
        let columns = columns.iter().map(|name| self.quoted(name));
        let all = named.chain(number.map(str::to_owned)).chain(columns).map(|name| format!("t.{name}"));
        format!(
            "SELECT {} FROM {} AS t WHERE t.{} IN ({})",
            all.collect::<Vec<_>>().join(", "),
            self.quoted(&table.name),
            self.exact(key),
            self.parameters(0, parameters)
        )
    }

    /// A column that is compared byte by byte.
    pub(super) fn exact(&self, name: &str) -> String {
        format!("{}{}", self.quoted(name), self.dialect.exactly)
    }

    fn parameters(&self, before: usize, count: usize) -> String {
        let one = |number: usize| self.dialect.parameter.replace('#', &number.to_string());
        (before + 1..=before + count).map(one).collect::<Vec<_>>().join(", ")
    }

    /// A name in quotes.
    pub(super) fn quoted(&self, name: &str) -> String {
        let quote = self.dialect.quote;
        let inner = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{inner}{quote}")
    }
}
