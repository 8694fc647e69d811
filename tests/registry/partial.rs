//! Readings that end well and have not all that there is. A project that is left out would pass for a dead one.

use std::sync::Arc;

use bucketree::registry::{RegistryError, RegistrySpec, TrackedKeys, open};

use crate::conformance::{project, rows};
use crate::server::{Database, Kind, Server, spec};

/// A database with projects 1 and 2, which tracks no keys.
async fn two_projects(server: &Arc<Server>, behind_columns: &str) -> Database {
    let database = Database::new(server).await;
    database
        .run(&format!(
            "CREATE TABLE projects (id varchar(9)) {behind_columns}; INSERT INTO projects VALUES ('1'), ('2')"
        ))
        .await;
    database
}

/// The ids that are read, or why none are.
async fn ids(spec: &RegistrySpec) -> Result<usize, RegistryError> {
    let mut spec = spec.clone();
    spec.tracked = TrackedKeys::NotTracked;
    let registry = open(&spec).await?;
    rows(&*registry).await.map(|(rows, _)| rows.len())
}

pub async fn a_query_that_leaves_rows_out_is_refused(server: Arc<Server>) {
    let database = two_projects(&server, "").await;
    let mut spec = database.spec();
    for (query, whole) in [
        ("SELECT id FROM projects", true),
        ("SELECT id FROM projects LIMIT 1", false),
        ("SELECT id FROM projects WHERE id IN (SELECT 'LIMIT 1' UNION ALL SELECT id FROM projects)", true),
        ("WITH p AS (SELECT id FROM projects LIMIT 10) SELECT id FROM p", false),
    ] {
        spec.mapping.projects_query = Some(query.into());
        match ids(&spec).await {
            Ok(found) => assert!(whole && found == 2, "{query}: {found}"),
            Err(error) => assert!(!whole && error.to_string().contains("LIMIT leaves rows out"), "{query}: {error}"),
        }
    }
    database.drop().await;
}

pub async fn rows_that_policies_hide_are_not_taken_for_gone(server: Arc<Server>) {
    if server.kind != Kind::Postgres {
        return; // no other database has such policies
    }
    let database = two_projects(&server, "").await;
    let reader = format!("p_{}", database.name);
    database
        .run(&format!(
            "CREATE ROLE {reader} LOGIN PASSWORD 'x'; GRANT SELECT ON projects TO {reader};
             CREATE VIEW through_view WITH (security_invoker = true) AS SELECT id FROM projects;
             CREATE VIEW of_owner AS SELECT id FROM projects;
             GRANT SELECT ON through_view, of_owner TO {reader};
             ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON projects USING (id = '1')"
        ))
        .await;
    let mut spec = spec(&server.address(&database.name, Some(&format!("{reader}:x")), None));
    let check = async |spec: &RegistrySpec, whole: bool| match ids(spec).await {
        Ok(found) => assert!(whole && found == 2, "{found} of 2 projects are seen, and nothing is said"),
        Err(RegistryError::Refused { why, .. }) => {
            assert!(!whole && why.contains("sees a part of the rows only"), "{why}")
        }
        Err(error) => panic!("{error}"),
    };
    check(&spec, false).await;
    spec.mapping.projects_query = Some("SELECT id FROM projects".into());
    check(&spec, false).await;
    spec.mapping.projects_query = Some("SELECT id FROM through_view".into());
    check(&spec, false).await;
    spec.mapping.projects_query = Some("SELECT id FROM of_owner".into());
    check(&spec, true).await;
    check(&database.spec(), true).await;
    database.run("ALTER TABLE projects FORCE ROW LEVEL SECURITY").await;
    spec.mapping.projects_query = None;
    database.run(&format!("ALTER ROLE {reader} BYPASSRLS")).await;
    check(&spec, true).await;
    database.run(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}")).await;
    database.drop().await;
}

pub async fn a_table_without_snapshots_is_refused_unless_it_is_accepted(server: Arc<Server>) {
    if server.kind != Kind::MariaDb {
        return; // every table of the others has snapshots
    }
    let database = two_projects(&server, "ENGINE = MyISAM").await;
    database.run("CREATE TABLE others (id varchar(9)); CREATE VIEW both_of_them AS SELECT id FROM projects UNION SELECT id FROM others").await;
    let refused = async |spec: &RegistrySpec| match ids(spec).await {
        Err(RegistryError::Refused { why, .. }) => {
            assert!(why.contains("the table projects is of the engine MyISAM"), "{why}")
        }
        other => panic!("{other:?}"),
    };
    refused(&database.spec()).await;
    let mut query = database.spec();
    query.mapping.projects_query = Some("SELECT id FROM both_of_them".into());
    refused(&query).await;
    let mut table = database.spec();
    table.mapping.projects_table = Some(format!("{}.projects", database.name));
    refused(&table).await;
    let mut accepted = database.spec();
    accepted.access.no_snapshot = true;
    assert_eq!(ids(&accepted).await, Ok(2));
    let address = format!("{}?no_snapshot=true", server.address(&database.name, None, None));
    assert_eq!(ids(&spec(&address)).await, Ok(2));
    // An engine that changes after the registry was opened is noticed too.
    database.run("ALTER TABLE projects ENGINE = InnoDB").await;
    let mut whole = database.spec();
    whole.tracked = TrackedKeys::NotTracked;
    let registry = open(&whole).await.expect("it has snapshots now");
    assert_eq!(rows(&*registry).await.expect("a reading").0, [project("1"), project("2")]);
    database.run("ALTER TABLE projects ENGINE = Aria").await;
    let error = rows(&*registry).await.map(drop).expect_err("it has none any more");
    assert!(error.to_string().contains("of the engine Aria"), "{error}");
    database.drop().await;
}

pub async fn a_server_that_cuts_answers_short_is_read_whole(server: Arc<Server>) {
    if server.kind != Kind::MariaDb {
        return; // the others cut nothing
    }
    let database = two_projects(&server, "").await;
    server.run(None, "SET GLOBAL sql_select_limit = 1").await;
    let found = ids(&database.spec()).await;
    server.run(None, "SET GLOBAL sql_select_limit = DEFAULT").await;
    assert_eq!(found, Ok(2));
    database.drop().await;
}
