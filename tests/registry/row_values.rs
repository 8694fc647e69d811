//! Rows with values of every type go and come back as they were.

use std::sync::Arc;

use bucketree::registry::RowChange;

use crate::server::{Database, Server};

pub async fn every_type_of_value_is_put_back_as_it_was(server: Arc<Server>) {
    let database = Database::new(&server).await;
    database.run("CREATE TABLE projects (id text)").await;
    database.run(server.pick(
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE r2_objects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, object_key text, project_id uuid,
           meta json, metab jsonb, n numeric, d double precision, r real, t timestamptz, u timestamp, dd date, i interval,
           b bytea, l text[], m mood, f boolean, c char(5), twice numeric GENERATED ALWAYS AS (n * 2) STORED);
         INSERT INTO r2_objects (object_key, project_id, meta, metab, n, d, r, t, u, dd, i, b, l, m, f, c) VALUES
           ('a', '0198b2a4-7c1e-7000-8000-0123456789ab', '{\"b\" : 1,  \"a\": [1.50, \"\\u0041\"], \"b\": 2}', '{\"x\": 1e3}',
            123456789012345678901234567890.123456789, 0.1 + 0.2, 3.4028235e38, '2026-01-02 03:04:05.678901+05', '0044-03-15 BC',
            '2026-02-28', '1 year 2 mons -3 days 04:05:06.7', '\\x00ff5c27', ARRAY['x', NULL, 'y,\"z'], 'bad', true, 'q'),
           ('a', NULL, NULL, NULL, 'NaN', 'Infinity', '-0', 'infinity', NULL, NULL, NULL, '', '{}', NULL, NULL, NULL)",
        "CREATE TABLE r2_objects (id BIGINT AUTO_INCREMENT PRIMARY KEY, object_key VARCHAR(99), project_id UUID,
           meta JSON, n DECIMAL(40, 9), d DOUBLE, r FLOAT, t TIMESTAMP(6) NULL, u DATETIME(3), dd DATE, i TIME(2), y YEAR,
           b BLOB, latin VARCHAR(20) CHARACTER SET latin1, m ENUM('good', 'bad'), s SET('x', 'y'), f BOOLEAN, c CHAR(5),
           big BIGINT UNSIGNED, w BIT(9), twice DECIMAL(40, 9) AS (n * 2) STORED);
         INSERT INTO r2_objects (object_key, project_id, meta, n, d, r, t, u, dd, i, y, b, latin, m, s, f, c, big, w) VALUES
           ('a', '0198b2a4-7c1e-7000-8000-0123456789ab', '{\"b\" : 1,  \"a\": [1.50]}',
            123456789012345678901234567890.123456789, 0.1e0 + 0.2e0, 3.4028234e38, '2026-01-02 03:04:05.678901',
            '1000-01-01 00:00:00.001', '2026-02-28', '-838:59:59.99', 2026, x'00ff5c27', CONVERT(x'c3a9e9' USING latin1), 'bad', 'x,y',
            true, 'q', 18446744073709551615, b'101010101'),
           ('a', NULL, NULL, NULL, -0.0, 1.0e-30, NULL, NULL, NULL, NULL, NULL, '', '', NULL, NULL, NULL, NULL, NULL, NULL)",
    ))
    .await;
    let registry = database.open(|_| {}).await.expect("open");
    let mut before = registry.rows(&["a".into()]).await.expect("rows");
    before.sort();
    assert_eq!(before.len(), 2);
    assert_eq!(registry.remove_rows(&before).await.expect("removed"), RowChange::Changed(2));
    assert_eq!(registry.rows(&["a".into()]).await.expect("rows"), []);
    assert_eq!(registry.put_rows(&before).await.expect("put back"), RowChange::Changed(2));
    let mut after = registry.rows(&["a".into()]).await.expect("rows");
    after.sort();
    assert_eq!(after, before);
    assert_eq!(registry.remove_rows(&after).await.expect("removed"), RowChange::Changed(2), "compared exactly, twice");
    database.drop().await;
}
