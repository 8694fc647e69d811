//! The questions that a SQL registry is asked. What differs between databases is how names are quoted and how values
//! are compared; both come from the [`Dialect`].

use crate::registry::{KeySpelling, Mapping};

/// How a database spells what the standard leaves open.
pub(super) struct Dialect {
    /// Around names.
    quote: char,
    /// Whether `a.b` is the table b of the schema a. In a SQLite file there is one schema.
    schemas: bool,
    /// Behind a column that is to be compared byte by byte.
    exactly: &'static str,
}

impl Dialect {
    pub(super) const SQLITE: Self = Self { quote: '"', schemas: false, exactly: " COLLATE BINARY" };
    #[cfg(feature = "postgres")]
    pub(super) const POSTGRES: Self = Self { quote: '"', schemas: true, exactly: "" };
    #[cfg(feature = "mysql")]
    pub(super) const MYSQL: Self = Self { quote: '`', schemas: true, exactly: "" };

    /// A name in quotes.
    pub(super) fn quoted(&self, name: &str) -> String {
        let quote = self.quote;
        let inner = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{inner}{quote}")
    }

    /// The name of a table in quotes, its schema before it.
    pub(super) fn table(&self, table: &Table) -> String {
        match table.schema_and_name() {
            (Some(schema), name) if self.schemas => format!("{}.{}", self.quoted(schema), self.quoted(name)),
            _ => self.quoted(&table.name),
        }
    }

    /// A column that is compared byte by byte.
    pub(super) fn exact(&self, name: &str) -> String {
        format!("{}{}", self.quoted(name), self.exactly)
    }
}

/// A table and its columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// The id of a project, or a key.
    pub(super) first: String,
    /// The owner of a key, where it is known.
    pub(super) owner: Option<String>,
}

impl Table {
    /// The schema, if the name has one, and the name itself.
    pub(super) fn schema_and_name(&self) -> (Option<&str>, &str) {
        self.name.split_once('.').map_or((None, self.name.as_str()), |(schema, name)| (Some(schema), name))
    }

    /// The columns that are read.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        [Some(self.first.as_str()), self.owner.as_deref()].into_iter().flatten()
    }
}

/// Where rows come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum From {
    /// A table that we know by name.
    Table(Table),
    /// The user's own query. Its columns count by position.
    Query(String),
}

/// What rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Projects,
    Tracked,
    References,
}

/// One part of what a registry is read by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) from: From,
    /// For messages: `table projects`, `tracked_query`.
    pub(super) place: String,
    /// How keys are written there, and that a row without one says nothing; `None` where every row must have a key.
    pub(super) spelling: Option<KeySpelling>,
}

impl Part {
    fn table(kind: Kind, table: Table) -> Self {
        Self { kind, place: format!("table {}", table.name), from: From::Table(table), spelling: None }
    }

    fn query(kind: Kind, name: &str, query: &str) -> Self {
        let query = query.trim().trim_end_matches([';', ' ', '\n']).to_owned();
        Self { kind, place: name.to_owned(), from: From::Query(query), spelling: None }
    }

    /// Everything that it has.
    pub(super) fn all(&self, dialect: &Dialect) -> String {
        let table = match &self.from {
            From::Query(query) => return query.clone(),
            From::Table(table) => table,
        };
        // Qualified, because SQLite takes an unknown name in double quotes for a text.
        let column = |name: &str| format!("t.{}", dialect.quoted(name));
        let mut columns = vec![column(&table.first)];
        if self.kind != Kind::Projects {
            columns.push(table.owner.as_deref().map_or_else(|| String::from("NULL"), column));
        }
        let filter = match &self.spelling {
            Some(_) => format!(" WHERE {} IS NOT NULL", column(&table.first)),
            None => String::new(),
        };
        format!("SELECT {} FROM {} AS t{filter}", columns.join(", "), dialect.table(table))
    }

    /// The rows of which this condition on the column `claimed` holds, and where `odd`, every row that is spelled in a way
    /// that no list of spellings can foresee.
    pub(super) fn claims(&self, dialect: &Dialect, condition: &str, odd: bool) -> String {
        let base = self.spelling.as_ref().and_then(KeySpelling::base).filter(|_| odd);
        let odd = base.map_or_else(String::new, |base| {
            let characters = base.chars().count();
            let base = base.replace('\'', "''");
            format!(" OR substr(claimed, 1, {characters}) <> '{base}' OR claimed LIKE '%?%' OR claimed LIKE '%#%'")
        });
        // The line break ends a comment at the end of the user's query.
        format!(
            "WITH claims(claimed, owner) AS ({}\n) SELECT claimed, owner FROM claims WHERE {condition}{odd}",
            self.all(dialect)
        )
    }
}

/// Every part: projects first, then tracked keys, then references.
pub(super) fn parts(mapping: &Mapping) -> Vec<Part> {
    let name = |chosen: &Option<String>, usual: &str| chosen.clone().unwrap_or_else(|| usual.to_owned());
    let projects = mapping.projects_query.as_ref().map_or_else(
        || {
            let (name, first) = (name(&mapping.projects_table, "projects"), name(&mapping.id_field, "id"));
            Part::table(Kind::Projects, Table { name, first, owner: None })
        },
        |query| Part::query(Kind::Projects, "projects_query", query),
    );
    let tracked = mapping.tracked_query.as_ref().map_or_else(
        || {
            let (name, first) = (name(&mapping.tracked_table, "r2_objects"), name(&mapping.key_field, "object_key"));
            let owner = mapping.owner_field.clone().unwrap_or_else(|| String::from("project_id"));
            Part::table(Kind::Tracked, Table { name, first, owner: Some(owner) })
        },
        |query| Part::query(Kind::Tracked, "tracked_query", query),
    );
    let query = mapping.references_query.iter().map(|query| Part::query(Kind::References, "references_query", query));
    let places = mapping.references.iter().map(|place| {
        let (name, first, owner) = (place.from.clone(), place.key_field.clone(), place.owner_field.clone());
        let table = Part::table(Kind::References, Table { name, first, owner });
        Part {
            place: format!("references of {}.{}", place.from, place.key_field),
            spelling: Some(place.spelling.clone()),
            ..table
        }
    });
    [projects, tracked].into_iter().chain(query).chain(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::ReferencePlace;

    fn check(mapping: &Mapping, part: usize, expected: &str) {
        assert_eq!(parts(mapping)[part].all(&Dialect::SQLITE), expected);
    }

    #[test]
    fn names_become_questions() {
        let usual = Mapping::default();
        check(&usual, 0, "SELECT t.\"id\" FROM \"projects\" AS t");
        check(&usual, 1, "SELECT t.\"object_key\", t.\"project_id\" FROM \"r2_objects\" AS t");
        let place = ReferencePlace {
            from: "scenes".into(),
            key_field: "image".into(),
            owner_field: None,
            spelling: KeySpelling { url: Some("https://it's/".into()), ..KeySpelling::default() },
        };
        let mapping =
            Mapping { projects_query: Some("SELECT 1; \n".into()), references: vec![place], ..Mapping::default() };
        check(&mapping, 0, "SELECT 1");
        check(&mapping, 2, "SELECT t.\"image\", NULL FROM \"scenes\" AS t WHERE t.\"image\" IS NOT NULL");
        let claims = parts(&mapping)[2].claims(&Dialect::SQLITE, "x", true);
        assert!(
            claims.ends_with(
                "WHERE x OR substr(claimed, 1, 13) <> 'https://it''s/' OR claimed LIKE '%?%' OR claimed LIKE '%#%'"
            ),
            "{claims}"
        );
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn a_table_may_stand_in_a_schema() {
        let table = Table { name: "app.my`table".into(), first: "id".into(), owner: None };
        assert_eq!(Dialect::MYSQL.table(&table), "`app`.`my``table`");
        assert_eq!(Dialect::SQLITE.table(&table), "\"app.my`table\"");
    }
}
