-- What a registry in SQLite looks like by default: the live projects, and every object that the app recorded.
-- Other tables and columns are named in the configuration; of these, only `id`, `object_key` and `project_id` are read.

CREATE TABLE projects (
    id TEXT PRIMARY KEY NOT NULL
);

CREATE TABLE r2_objects (
    project_id TEXT NOT NULL,
    object_key TEXT NOT NULL,
    scene_id TEXT,
    file_type TEXT,
    user_id TEXT,
    size_bytes INTEGER,
    content_type TEXT,
    metadata TEXT, -- JSON
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);

CREATE INDEX r2_objects_key ON r2_objects (object_key);
CREATE INDEX r2_objects_project ON r2_objects (project_id);
