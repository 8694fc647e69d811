//! The tables in which the suite of all registries is run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::conformance::{self, Filling, Fixture};
use crate::registry::{RegistryError, SharedRegistry};
use crate::server::{Database, Kind, Server, literal};

struct Tables {
    database: Database,
    /// The type of the column of keys.
    key_type: &'static str,
    made: AtomicBool,
}

impl Tables {
    fn statements(&self) -> String {
        let (key, kind) = (self.key_type, self.database.server.kind);
        match kind {
            Kind::Postgres => format!(
                "CREATE TABLE projects (id text NOT NULL);
                 CREATE TABLE r2_objects (object_key {key} NOT NULL, project_id text, scene_id text, file_type text,
                   user_id text, size_bytes bigint, content_type text, metadata json DEFAULT '{{\"b\": 1,  \"a\":2}}',
                   created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL)"
            ),
            // Collations that fold case and ignore blanks at the end, as they are by default.
            Kind::MariaDb => format!(
                "CREATE TABLE projects (id VARCHAR(191) NOT NULL) COLLATE utf8mb4_general_ci;
                 CREATE TABLE r2_objects (object_key {key} NOT NULL, project_id VARCHAR(191), scene_id VARCHAR(191),
                   file_type VARCHAR(32), user_id VARCHAR(191), size_bytes BIGINT UNSIGNED, content_type VARCHAR(255),
                   metadata JSON DEFAULT ('{{\"b\": 1,  \"a\":2}}'), created_at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6),
                   updated_at TIMESTAMP(6) NOT NULL) COLLATE utf8mb4_general_ci"
            ),
        }
    }
}

fn insert(table: &str, rows: &[String]) -> String {
    rows.chunks(500).map(|rows| format!("INSERT INTO {table} VALUES {};\n", rows.join(", "))).collect()
}

#[async_trait]
impl Fixture for Tables {
    async fn fill(&self, filling: &Filling) {
        if !self.made.swap(true, Ordering::SeqCst) {
            self.database.drop().await;
            self.database.make().await;
            self.database.run(&self.statements()).await;
        }
        let projects: Vec<String> = filling.projects.iter().map(|id| format!("({})", literal(id))).collect();
        let row = |(key, owner): &(crate::domain::Key, Option<String>)| {
            let owner = owner.as_deref().map_or("NULL".to_owned(), literal);
            let key = literal(key.as_str().expect("text"));
            let key = if self.key_type == "bytea" { format!("convert_to({key}, 'UTF8')") } else { key };
            format!("({key}, {owner}, CURRENT_TIMESTAMP)")
        };
        let rows: Vec<String> = filling.tracked.iter().map(row).collect();
        let (projects, rows) =
            (insert("projects", &projects), insert("r2_objects (object_key, project_id, updated_at)", &rows));
        let empty =
            self.database.server.pick("TRUNCATE projects, r2_objects", "DELETE FROM projects; DELETE FROM r2_objects");
        self.database.run(&format!("{empty}; {projects} {rows}")).await;
    }

    async fn remove(&self) {
        self.made.store(false, Ordering::SeqCst);
        self.database.drop().await;
    }

    async fn open(&self) -> Result<SharedRegistry, RegistryError> {
        self.database.open(|_| {}).await
    }

    async fn change(&self, key: &str) {
        let key = literal(key);
        let update = "UPDATE r2_objects SET file_type = CONCAT(COALESCE(file_type, ''), 'x') WHERE object_key = ";
        self.database.run(&format!("{update}{key}")).await;
    }

    fn can_change(&self) -> bool {
        true
    }
}

pub async fn conforms(server: Arc<Server>) {
    let key_type = server.pick("text", "VARCHAR(700)");
    conformance::conforms(&Tables { database: Database::new(&server).await, key_type, made: AtomicBool::new(false) })
        .await;
}

pub async fn conforms_with_keys_as_bytes(server: Arc<Server>) {
    let key_type = server.pick("bytea", "VARBINARY(1024)");
    conformance::conforms(&Tables { database: Database::new(&server).await, key_type, made: AtomicBool::new(false) })
        .await;
}
