-- What a registry in MySQL or MariaDB looks like by default: the live projects, and every object that the app recorded.
-- Other tables and columns are named in the configuration; of these, only `id`, `object_key` and `project_id` are read.

CREATE TABLE projects (
    id VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

CREATE TABLE r2_objects (
    project_id VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- Of up to 1,024 bytes. As bytes, since other collations take `A` for `a`.
    object_key VARBINARY(1024) NOT NULL,
    scene_id VARCHAR(191),
    file_type VARCHAR(64),
    user_id VARCHAR(191),
    size_bytes BIGINT UNSIGNED,
    content_type VARCHAR(255),
    metadata JSON,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    INDEX r2_objects_key (object_key),
    INDEX r2_objects_project (project_id)
) ENGINE = InnoDB;
