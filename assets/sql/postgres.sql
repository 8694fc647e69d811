-- What a registry in PostgreSQL looks like by default: the live projects, and every object that the app recorded.
-- Other tables and columns are named in the configuration; of these, only `id`, `object_key` and `project_id` are read.

CREATE TABLE projects (
    id text PRIMARY KEY
);

CREATE TABLE r2_objects (
    project_id text NOT NULL,
    -- A key is compared byte by byte.
    object_key text COLLATE "C" NOT NULL,
    scene_id text,
    file_type text,
    user_id text,
    size_bytes bigint,
    content_type text,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX r2_objects_key ON r2_objects (object_key);
CREATE INDEX r2_objects_project ON r2_objects (project_id);
