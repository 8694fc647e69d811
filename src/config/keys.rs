//! The one table of names.

/// Whether a value may be repeated in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Repeat {
    /// Yes.
    Yes,
    /// No: it is a secret, or an address that may hold a password.
    Never,
}

/// A setting's names and what a person should know of it.
#[derive(Debug)]
pub(super) struct Key {
    /// In the configuration file; `registry.x` is `x` in the table `registry`.
    pub(super) name: &'static str,
    /// In the environment, the strongest first.
    pub(super) environment: &'static [&'static str],
    pub(super) repeat: Repeat,
    /// What the template says of it.
    pub(super) about: &'static str,
    /// A value as TOML, for the template.
    pub(super) example: &'static str,
}

const fn key(
    name: &'static str,
    environment: &'static [&'static str],
    example: &'static str,
    about: &'static str,
) -> Key {
    Key { name, environment, repeat: Repeat::Yes, about, example }
}

const fn secret(
    name: &'static str,
    environment: &'static [&'static str],
    example: &'static str,
    about: &'static str,
) -> Key {
    Key { name, environment, repeat: Repeat::Never, about, example }
}

/// Every setting that the environment may hold: its name in the file, its variables from the strongest on, what it is.
pub fn variables() -> impl Iterator<Item = (&'static str, &'static [&'static str], &'static str)> {
    KEYS.iter().filter(|key| !key.environment.is_empty()).map(|key| (key.name, key.environment, key.about))
}

/// Variables that hold an app's database. Asked only if nothing else names a registry.
pub(super) const APP_DATABASES: [&str; 2] = ["MONGODB_URI", "DATABASE_URL"];

/// Variables that choose files and profile instead of holding a setting.
pub(super) const CHOOSERS: [&str; 5] =
    ["BUCKETREE_CONFIG", "BUCKETREE_PROFILE", "BUCKETREE_ENV_FILE", "BUCKETREE_STATE_DIR", "BUCKETREE_LOG"];

/// Every setting, in the order in which it is shown.
pub(super) const KEYS: &[Key] = &[
    key("bucket", &["BUCKETREE_BUCKET", "R2_BUCKET_NAME"], "\"autoshorts-media\"", "the bucket"),
    secret(
        "endpoint",
        &["BUCKETREE_ENDPOINT", "R2_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
        "\"https://s3.example.com\"",
        "the S3 endpoint; for R2 the account id is enough",
    ),
    key(
        "account_id",
        &["BUCKETREE_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID"],
        "\"0123456789abcdef0123456789abcdef\"",
        "the Cloudflare account, 32 hexadecimal digits; makes the R2 endpoint",
    ),
    key("jurisdiction", &["BUCKETREE_JURISDICTION"], "\"default\"", "of the R2 bucket: default, eu or fedramp"),
    key(
        "region",
        &["BUCKETREE_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"],
        "\"auto\"",
        "signed into requests; auto on R2, us-east-1 on other endpoints",
    ),
    secret(
        "access_key_id",
        &["BUCKETREE_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID", "R2_ACCESS_KEY_ID"],
        "\"...\"",
        "better kept in the environment or in an AWS profile",
    ),
    secret(
        "secret_access_key",
        &["BUCKETREE_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "R2_SECRET_ACCESS_KEY"],
        "\"...\"",
        "better kept in the environment or in an AWS profile",
    ),
    secret(
        "session_token",
        &["BUCKETREE_SESSION_TOKEN", "AWS_SESSION_TOKEN"],
        "\"...\"",
        "of temporary credentials; only used with a secret from the same place",
    ),
    secret("api_token", &["BUCKETREE_API_TOKEN", "CLOUDFLARE_API_TOKEN"], "\"...\"", "the Cloudflare API token"),
    key(
        "aws_profile",
        &["BUCKETREE_AWS_PROFILE", "AWS_PROFILE"],
        "\"media\"",
        "a profile of ~/.aws, used if no access key is set",
    ),
    key("path_style", &["BUCKETREE_PATH_STYLE"], "true", "bucket in the path instead of the host; on except on AWS"),
    key(
        "folds_nfc",
        &["BUCKETREE_FOLDS_NFC"],
        "true",
        "whether the store keeps one object for all Unicode spellings of a key; on for R2",
    ),
    key("layouts", &["BUCKETREE_LAYOUTS"], "\"layouts.toml\"", "a file of key layouts instead of the built-in ones"),
    secret(
        "registry.source",
        &["BUCKETREE_REGISTRY"],
        "\"sqlite:app.db\"",
        "what knows the live projects: a path, file:PATH (JSON, JSON lines, CSV, ids one a line; gzip or not), sqlite:PATH, or the address of a database",
    ),
    secret(
        "registry.tracked",
        &[],
        "true",
        "where tracked keys are: true (the same source), false (the app tracks none), or another source",
    ),
    key("registry.projects_table", &[], "\"projects\"", "table of live projects"),
    key("registry.id_field", &[], "\"id\"", "column or field of a project's id"),
    key("registry.tracked_table", &[], "\"r2_objects\"", "table of tracked keys"),
    key("registry.key_field", &[], "\"object_key\"", "column or field of a tracked key"),
    key("registry.owner_field", &[], "\"project_id\"", "column or field of a tracked key's project"),
    key(
        "registry.projects_query",
        &[],
        "\"SELECT id FROM projects WHERE deleted_at IS NULL\"",
        "a query of live ids, instead of table and column",
    ),
    key(
        "registry.tracked_query",
        &[],
        "\"SELECT object_key, project_id FROM r2_objects\"",
        "a query of tracked keys and their projects; rows found so are listed, never removed",
    ),
    key(
        "registry.references_query",
        &[],
        "\"SELECT thumbnail, project_id FROM scenes WHERE thumbnail IS NOT NULL\"",
        "a query of keys that the app holds elsewhere, and their projects (or NULL)",
    ),
    key(
        "registry.references",
        &[],
        "[{ from = \"scenes\", key_field = \"image\", owner_field = \"project_id\", url = \"https://media.example.com\" }]",
        "tables or collections that hold keys without tracking them; keys may stand behind a url, have a leading_slash or be \
         percent_encoded; also as [[profiles.default.registry.references]]",
    ),
    key(
        "registry.replica",
        &[],
        "false",
        "whether a SQL database may be read from a replica, which may lag behind; refused otherwise",
    ),
    key(
        "registry.no_snapshot",
        &[],
        "false",
        "whether tables without snapshots (MyISAM) may be read, which are not of one moment; refused otherwise",
    ),
    key("registry.timeout", &[], "\"60s\"", "a SQL database that says nothing for so long has failed"),
    key("registry.format", &[], "\"jsonl\"", "of text files: json, jsonl, csv or lines; told from the content"),
    key("registry.min_projects", &[], "1", "fewer projects make every verdict undetermined"),
    key("registry.min_tracked", &[], "1", "fewer tracked keys make every verdict undetermined"),
    key("registry.max_shrink", &[], "\"20%\"", "more rows gone since last time make every verdict undetermined"),
    key(
        "min_age",
        &["BUCKETREE_MIN_AGE"],
        "\"7d\"",
        "younger objects are never deleted in bulk: 7d, 36h, 1d12h; at least 24h",
    ),
    key("allow_young", &["BUCKETREE_ALLOW_YOUNG"], "false", "allow a min_age under 24h"),
    key(
        "protected_prefixes",
        &["BUCKETREE_PROTECTED_PREFIXES"],
        "[\"brand/\"]",
        "keys that start so are never deleted; separated by commas in the environment",
    ),
    key(
        "protected_projects",
        &["BUCKETREE_PROTECTED_PROJECTS"],
        "[\"proj_demo\"]",
        "projects whose objects are never deleted; separated by commas in the environment",
    ),
    key("max_objects", &["BUCKETREE_MAX_OBJECTS"], "100000", "a plan with more objects is refused"),
    key("max_bytes", &["BUCKETREE_MAX_BYTES"], "\"500 GB\"", "a plan with more bytes is refused"),
    key("max_share", &["BUCKETREE_MAX_SHARE"], "\"50%\"", "a plan with more of the bucket's objects is refused"),
    key(
        "max_project_share",
        &["BUCKETREE_MAX_PROJECT_SHARE"],
        "\"10%\"",
        "a plan with more of a live project's objects is refused",
    ),
    key("max_projects", &["BUCKETREE_MAX_PROJECTS"], "1000", "a plan that touches more projects is refused"),
    key(
        "max_missing",
        &["BUCKETREE_MAX_MISSING"],
        "\"20%\"",
        "if more of the tracked keys are not in the bucket, plans are refused until that is explained",
    ),
    key(
        "observe_days",
        &["BUCKETREE_OBSERVE_DAYS"],
        "7",
        "only what was orphaned, with the same ETag, in every complete scan of so many days is planned; off",
    ),
    key(
        "canary_project",
        &["BUCKETREE_CANARY_PROJECT"],
        "\"proj_demo\"",
        "a project that is live for certain; if the registry does not have it, every verdict is undetermined",
    ),
    key(
        "canary_key",
        &["BUCKETREE_CANARY_KEY"],
        "\"brand/logo.png\"",
        "a key that is there and alive for certain; if it is not seen so, every verdict is undetermined",
    ),
    key("concurrency", &["BUCKETREE_CONCURRENCY"], "16", "requests at the same time, 1 to 512"),
    key("executor", &["BUCKETREE_EXECUTOR"], "\"batch\"", "how keys are deleted: batch, single or sequential"),
    key(
        "price_per_gb",
        &["BUCKETREE_PRICE_PER_GB"],
        "0.015",
        "dollars for a GB (10^9 bytes) and month, for estimates; R2's by developers.cloudflare.com/r2/pricing",
    ),
    key(
        "price_per_gb_infrequent",
        &["BUCKETREE_PRICE_PER_GB_INFREQUENT"],
        "0.01",
        "the same for the infrequent-access class",
    ),
    key(
        "price_class_a",
        &["BUCKETREE_PRICE_CLASS_A"],
        "4.5",
        "dollars for a million requests that list, write or copy, for estimates; R2's 4.5 and Amazon's 5 go by the endpoint",
    ),
    key(
        "price_class_b",
        &["BUCKETREE_PRICE_CLASS_B"],
        "0.36",
        "the same for requests that read: 0.36 on R2, 0.4 on Amazon's; deletions are free of charge on both",
    ),
    key(
        "kept_scans",
        &["BUCKETREE_KEPT_SCANS"],
        "5",
        "complete listings of a bucket that are kept in the state folder for the next start; 0 keeps none",
    ),
    key("theme", &["BUCKETREE_THEME"], "\"auto\"", "auto, light, dark or mono"),
];

/// A setting by its name in the file.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name that is most like `name`, if any is like it at all.
pub(super) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = name.to_lowercase().replace('-', "_");
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&plain, &known.to_lowercase());
    let scored = names.into_iter().map(|known| (likeness(known), known));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= 0.5).then_some(best.1)
}
