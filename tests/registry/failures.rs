//! What servers and the ways to them can do wrong. Whatever it is, nothing half read is ever taken for the whole.

use std::sync::Arc;
use std::time::Duration;

use bucketree::domain::Key;
use bucketree::domain::facts::RegistryRow;
use bucketree::registry::{Registry, RegistryError, RegistrySpec, RowChange, open};

use crate::conformance::{project, rows, tracked};
use crate::cutting_proxy::{CuttingProxy, End};
use crate::server::Kind;
use crate::server::{Database, Server, spec};

const TABLES: &str =
    "CREATE TABLE projects (id varchar(99)); CREATE TABLE r2_objects (object_key varchar(99), project_id varchar(99))";

/// The error of opening, in which no password is.
async fn refused(address: &str) -> RegistryError {
    let error = match RegistrySpec::parse(address, std::path::Path::new("/")) {
        Ok(spec) => open(&spec).await.map(drop).expect_err(address),
        Err(error) => error,
    };
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    error
}

pub async fn a_wrong_password_or_place_is_told_and_never_repeated(server: Arc<Server>) {
    let database = Database::new(&server).await;
    let wrong_password = refused(&server.address(&database.name, Some("tester:hunter2"), None)).await;
    assert!(matches!(&wrong_password, RegistryError::Refused { source_name, .. } if *source_name == database.source()));
    let nobody = refused(&server.address(&database.name, Some("nobody:hunter2"), None)).await;
    assert!(matches!(nobody, RegistryError::Refused { .. }), "{nobody}");
    let absent = refused(&server.address("absent", None, None)).await;
    assert_eq!(absent.to_string(), format!("{} is not there", database.source().replace(&database.name, "absent")));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let closed = refused(&server.address(&database.name, Some("tester:hunter2"), Some(closed))).await;
    assert!(matches!(closed, RegistryError::Unreachable { .. }), "{closed}");
    let scheme = server.pick("postgres", "mysql");
    for unclear in
        ["//t:hunter2/x@127.0.0.1/db", "//t:12/hunter2@127.0.0.1/db", "//t:x#hunter2@127.0.0.1/db", "//127.0.0.1"]
    {
        let error = refused(&format!("{scheme}:{unclear}")).await;
        assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    }
    database.drop().await;
}

pub async fn encryption_that_is_asked_for_is_not_given_up(server: Arc<Server>) {
    let database = Database::new(&server).await;
    let mode = server.pick("sslmode=require", "ssl-mode=REQUIRED");
    let address = format!("{}?{mode}", server.address(&database.name, Some("tester:hunter2"), None));
    let error = refused(&address).await;
    assert!(matches!(&error, RegistryError::Unreachable { why, .. } if why.contains("TLS")), "{error}");
    database.drop().await;
}

pub async fn one_missing_permission_stops_all(server: Arc<Server>) {
    let database = Database::new(&server).await;
    database.run(TABLES).await;
    database.run("CREATE TABLE scenes (image varchar(99)); INSERT INTO projects VALUES ('1')").await;
    let (reader, name) = (format!("r_{}", database.name), &database.name);
    let (create, grant, revoke, remove) = match server.kind {
        Kind::Postgres => (
            format!("CREATE ROLE {reader} LOGIN PASSWORD 'hunter2'"),
            format!("TO {reader}"),
            format!("FROM {reader}"),
            format!("DROP OWNED BY {reader}; DROP ROLE {reader}"),
        ),
        Kind::MariaDb => (
            format!("CREATE USER {reader} IDENTIFIED BY 'hunter2'"),
            format!("TO {reader}"),
            format!("FROM {reader}"),
            format!("DROP USER {reader}"),
        ),
    };
    let table = |table: &str| server.pick(table, &format!("{name}.{table}")).to_owned();
    database.run(&create).await;
    database
        .run(&format!("GRANT SELECT ON {} {grant}; GRANT SELECT ON {} {grant}", table("projects"), table("r2_objects")))
        .await;
    let address = server.address(name, Some(&format!("{reader}:hunter2")), None);
    let mut spec = spec(&address);
    let registry = open(&spec).await.expect("both may be read");
    spec.mapping.references = vec![bucketree::registry::ReferencePlace {
        from: "scenes".into(),
        key_field: "image".into(),
        owner_field: None,
        spelling: bucketree::registry::KeySpelling::default(),
    }];
    let error = open(&spec).await.map(drop).expect_err("scenes may not be read");
    assert!(
        matches!(&error, RegistryError::Refused { source_name, why } if *source_name == database.source() && why.contains("scenes")),
        "{error}"
    );
    database.run(&format!("REVOKE SELECT ON {} {revoke}", table("r2_objects"))).await;
    let error = rows(&*registry).await.expect_err("taken away since");
    assert!(matches!(&error, RegistryError::Refused { why, .. } if why.contains("r2_objects")), "{error}");
    let error = registry.claims(&["a".into()]).await.expect_err("taken away since");
    assert!(matches!(error, RegistryError::Refused { .. }), "{error}");
    database.run(&remove).await;
    database.drop().await;
}

/// Fills a database with this many projects, and as many keys.
async fn filled(server: &Arc<Server>, count: u32) -> Database {
    let database = Database::new(server).await;
    database.run(TABLES).await;
    for start in (0..count).step_by(1000) {
        let numbers = start..count.min(start + 1000);
        let values = |row: &dyn Fn(u32) -> String| numbers.clone().map(row).collect::<Vec<_>>().join(", ");
        let projects = values(&|number| format!("('proj_{number}')"));
        let keys = values(&|number| format!("('users/u/projects/proj_{number}/a.mp4', 'proj_{number}')"));
        database.run(&format!("INSERT INTO projects VALUES {projects}; INSERT INTO r2_objects VALUES {keys}")).await;
    }
    database
}

async fn behind(database: &Database, end: End, patience: Duration) -> (CuttingProxy, Arc<dyn Registry>) {
    let proxy = CuttingProxy::start(database.server.socket_address(), end).await;
    let mut spec = spec(&database.server.address(&database.name, None, Some(proxy.address)));
    spec.access.patience = patience;
    let registry = open(&spec).await.expect("nothing is cut yet");
    (proxy, registry)
}

pub async fn a_reading_that_is_cut_off_anywhere_is_no_reading(server: Arc<Server>) {
    let database = filled(&server, 5_000).await;
    let (proxy, registry) = behind(&database, End::Cut, Duration::from_secs(60)).await;
    let (all, _) = rows(&*registry).await.expect("nothing is cut yet");
    assert_eq!(all.len(), 10_000);
    let whole = proxy.passed();
    let cuts = (0..24).map(|part| whole * part / 24).chain((0..48).map(|bytes| whole - 4 * bytes));
    for cut in cuts {
        proxy.end_after(cut);
        match rows(&*registry).await {
            // Signing in takes some bytes more or less, so near the end it may just fit.
            Ok((read, _)) if cut + 128 > whole => assert_eq!(read, all),
            Ok((read, _)) => panic!("{} rows after {cut} of {whole} bytes", read.len()),
            Err(RegistryError::Partial { source_name, .. } | RegistryError::Unreachable { source_name, .. }) => {
                assert!(source_name.contains("127.0.0.1"), "{source_name}");
            }
            Err(error) => panic!("after {cut} of {whole} bytes: {error}"),
        }
    }
    proxy.end_after(u64::MAX);
    let keys: Vec<Key> = (0..1_500).map(|number| Key::new(format!("users/u/projects/proj_{number}/a.mp4"))).collect();
    assert_eq!(registry.claims(&keys).await.expect("claims").len(), 1_500);
    let whole = proxy.passed();
    for part in 0..24 {
        proxy.end_after(whole * part / 24);
        assert!(registry.claims(&keys).await.is_err(), "part {part}");
    }
    database.drop().await;
}

pub async fn a_silent_server_is_given_up(server: Arc<Server>) {
    let database = filled(&server, 2_000).await;
    let (proxy, registry) = behind(&database, End::Silence, Duration::from_secs(2)).await;
    rows(&*registry).await.expect("nothing is silent yet");
    let whole = proxy.passed();
    for bytes in [0, 20, whole / 2, whole - 129] {
        proxy.end_after(bytes);
        let error = rows(&*registry).await.map(drop).expect_err("silence");
        assert!(error.to_string().contains("it said nothing for 2 s"), "after {bytes} of {whole} bytes: {error}");
    }
    database.drop().await;
}

/// Ends whatever else is connected to the database.
async fn kill_connections(server: &Server, database: &str) {
    match server.kind {
        Kind::Postgres => {
            let all = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
            server.run(None, &all).await;
        }
        Kind::MariaDb => {
            let all = format!(
                "FOR other IN (SELECT id FROM information_schema.processlist WHERE db = '{database}')
                 DO EXECUTE IMMEDIATE CONCAT('KILL HARD ', other.id); END FOR"
            );
            server.run(None, &all).await;
        }
    }
}

/// Runs something on this server from another thread, to its end.
fn meanwhile<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send) {
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(work());
        };
        scope.spawn(run).join().expect("the other thread");
    });
}

pub async fn a_server_that_is_killed_leaves_all_or_nothing(server: Arc<Server>) {
    let database = filled(&server, 20_000).await;
    let registry = database.open(|_| {}).await.expect("open");
    for kill_at in [1, 5_000, 19_999] {
        let mut seen = 0;
        let mut sink = |_| {
            seen += 1;
            if seen == kill_at {
                meanwhile(|| kill_connections(&server, &database.name));
            }
        };
        registry.read(&mut sink).await.map(drop).expect_err("killed");
    }
    // Where the connection ends while rows are changed, they are all changed or none is; and the call can be repeated.
    let keys: Vec<Key> = (0..1_200).map(|number| Key::new(format!("users/u/projects/proj_{number}/a.mp4"))).collect();
    let kept = registry.rows(&keys).await.expect("rows");
    let (proxy, cut) = behind(&database, End::Cut, Duration::from_secs(60)).await;
    let mut there = true;
    let mut whole = 4_000;
    for part in 0..60_u64 {
        proxy.end_after(whole * part / 50);
        let changed = if there { cut.remove_rows(&kept).await } else { cut.put_rows(&kept).await };
        let now = registry.rows(&keys).await.expect("rows");
        match changed {
            Ok(changed) => {
                assert_eq!(changed, RowChange::Changed(1_200));
                there = !there;
                whole = whole.min(proxy.passed().max(200));
            }
            // Only if the answer to the end was lost, it may have happened.
            Err(RegistryError::Partial { .. }) => there = !now.is_empty(),
            Err(_) => assert_eq!(now.is_empty(), !there, "an error that is not partial changed nothing"),
        }
        assert_eq!(now.len(), if there { 1_200 } else { 0 }, "part {part}");
    }
    if !there {
        assert_eq!(registry.put_rows(&kept).await.expect("put back"), RowChange::Changed(1_200));
    }
    let mut now = registry.rows(&keys).await.expect("rows");
    let mut kept = kept;
    now.sort();
    kept.sort();
    assert_eq!(now, kept, "no row is lost");
    database.drop().await;
}

pub async fn statements_have_an_end(server: Arc<Server>) {
    let database = Database::new(&server).await;
    let limit = server.pick("current_setting('statement_timeout')", "CAST(@@max_statement_time AS CHAR)");
    let registry = database.open(|spec| {
        spec.access.patience = Duration::from_secs(7);
        spec.mapping.projects_query = Some(format!("SELECT {limit}"));
        spec.mapping.tracked_query = Some(format!("SELECT {limit}, NULL"));
    });
    let registry = registry.await.expect("open");
    let (reading, looking) = (server.pick("7min", "420.000000"), server.pick("7s", "7.000000"));
    let (found, _) = rows(&*registry).await.expect("a reading");
    assert_eq!(found, [project(reading), tracked(reading, None)]);
    assert_eq!(registry.claims(&[looking.into()]).await.expect("claims"), [tracked(looking, None)]);
    database.drop().await;
}

pub async fn a_reading_sees_one_moment_and_writes_nothing(server: Arc<Server>) {
    let database = filled(&server, 1).await;
    let registry = database.open(|_| {}).await.expect("open");
    let mut found = Vec::new();
    let mut sink = |row: RegistryRow| {
        if found.is_empty() {
            meanwhile(|| {
                database.run("INSERT INTO r2_objects VALUES ('b', '2'); DELETE FROM r2_objects WHERE object_key <> 'b'")
            });
        }
        found.push(row);
    };
    registry.read(&mut sink).await.expect("a reading");
    let key = "users/u/projects/proj_0/a.mp4";
    assert_eq!(found, [project("proj_0"), tracked(key, Some("proj_0"))]);
    assert_eq!(rows(&*registry).await.expect("a reading").0[1], tracked("b", Some("2")));
    let mischief =
        |spec: &mut RegistrySpec| spec.mapping.projects_query = Some("DELETE FROM projects RETURNING id".into());
    let error = database.open(mischief).await.map(drop).expect_err("a query that writes");
    assert!(matches!(error, RegistryError::Refused { .. } | RegistryError::Malformed { .. }), "{error}");
    assert_eq!(rows(&*registry).await.expect("a reading").1.projects, 1);
    database.drop().await;
}

pub async fn a_replica_is_refused_unless_it_is_accepted(server: Arc<Server>) {
    let (address, database) = match server.kind {
        Kind::Postgres => {
            let variable = "BUCKETREE_TEST_POSTGRES_STANDBY";
            (std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set")), None)
        }
        Kind::MariaDb => {
            let database = Database::new(&server).await;
            database.run(TABLES).await;
            server.run(None, "SET GLOBAL read_only = ON").await;
            (server.address(&database.name, None, None), Some(database))
        }
    };
    let open_at = async |address: &str| {
        let mut spec = spec(address);
        // A standby without a primary has no tables.
        spec.mapping.projects_query = Some("SELECT 'a'".into());
        spec.mapping.tracked_query = Some("SELECT 'a', 'a'".into());
        open(&spec).await.map(drop)
    };
    let refused = open_at(&address).await;
    let accepted = open_at(&format!("{address}?replica=true")).await;
    if let Some(database) = database {
        server.run(None, "SET GLOBAL read_only = OFF").await;
        open_at(&address).await.expect("no replica any more");
        database.drop().await;
    }
    let error = refused.expect_err("a replica");
    assert!(matches!(&error, RegistryError::Refused { why, .. } if why.starts_with("it is a replica")), "{error}");
    accepted.expect("accepted");
}
