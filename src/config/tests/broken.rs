//! One small broken configuration for each message.

use std::path::Path;

use super::*;

/// A file with one thing wrong, and the whole message.
pub(super) fn broken(file: &str, message: &str) {
    let error = Given { file, ..Given::default() }.resolve().settings.expect_err(message);
    assert_eq!(error, message);
}

fn broken_setting(setting: &str, message: &str) {
    broken(&profile(setting), &format!("config.toml, line 2{message}"));
}

fn broken_variable(name: &str, value: &str, message: &str) {
    let variables = [(name, value)];
    let error = Given { variables: &variables, ..Given::default() }.resolve().settings.expect_err(message);
    assert_eq!(error, format!("{name} in the environment: {message}"));
}

#[test]
fn a_broken_file_is_told_by_file_line_and_key() {
    broken_setting("buckt = \"x\"", ": `buckt` is not a setting; did you mean `bucket`?");
    broken_setting("min-age = \"7d\"", ": `min-age` is not a setting; did you mean `min_age`?");
    broken_setting("registry = { sourc = \"x\" }", ": `sourc` is not a setting; did you mean `source`?");
    broken(
        "bucket = \"x\"\n",
        "config.toml, line 1: `bucket` is not a setting here; it belongs under a profile, for example [profiles.default]",
    );
    broken("[profile.default]\n", "config.toml, line 1: `profile` is not a setting; did you mean `profiles`?");
    broken("\n[zzz]\n", "config.toml, line 2: `zzz` is not a setting; there are default_profile, profiles");
    broken("profiles = 1\n", "config.toml, line 1: `profiles` should be tables, as in [profiles.default]");
    broken("[profiles]\na = 1\n", "config.toml, line 2: `a` should be a table, [profiles.a]");
    broken("default_profile = 1\n", "config.toml, line 1: `default_profile` should be the name of a profile as text");
    broken(
        "[profiles.default]\nbucket =\n",
        "config.toml, line 2: string values must be quoted, expected literal string",
    );
    broken("[profiles.default]\nbucket = \"a\"\nbucket = \"b\"\n", "config.toml, line 3: duplicate key");
    let other = "[profiles.default]\n[profiles.other]\nbuckt = \"x\"\n";
    broken(other, "config.toml, line 3: `buckt` is not a setting; did you mean `bucket`?");
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_what_it_should_be() {
    let name = "the name of a bucket: letters, digits, '.', '-' and '_'";
    broken_setting("bucket = 7", &format!(", profile default: `bucket` should be {name}, not 7"));
    broken_setting("bucket = \"a/b\"", &format!(", profile default: `bucket` should be {name}, not \"a/b\""));
    broken_setting("path_style = \"true\"", ", profile default: `path_style` should be true or false, not \"true\"");
    broken_setting("max_objects = -1", ", profile default: `max_objects` should be a whole number, not -1");
    broken_setting(
        "max_bytes = \"5 XB\"",
        ", profile default: `max_bytes` should be a number of bytes such as 1000000, \"500 MB\" or \"2 GiB\", not \"5 XB\"",
    );
    broken_setting("max_share = 20", ", profile default: `max_share` should be a share such as \"20%\" or 0.2, not 20");
    broken_setting(
        "min_age = 7",
        ", profile default: `min_age` should be an age such as \"7d\", \"36h\" or \"1d12h\", not 7",
    );
    broken_setting(
        "min_age = \"1h\"",
        ", profile default: `min_age` should be at least 24h, or allow_young = true beside it, not 1h",
    );
    broken_setting(
        "protected_prefixes = \"a/\"",
        ", profile default: `protected_prefixes` should be a list of texts that are not empty, not \"a/\"",
    );
    broken_setting(
        "protected_prefixes = [\"\"]",
        ", profile default: `protected_prefixes` should be a list of texts that are not empty, not a list",
    );
    broken_setting("concurrency = 0", ", profile default: `concurrency` should be a whole number from 1 to 512, not 0");
    broken_setting("theme = \"pink\"", ", profile default: `theme` should be auto, light, dark or mono, not \"pink\"");
    broken_setting(
        "jurisdiction = \"us\"",
        ", profile default: `jurisdiction` should be default, eu or fedramp, not \"us\"",
    );
    broken_setting(
        "account_id = \"short\"",
        ", profile default: `account_id` should be an account id of 32 hexadecimal digits, not \"short\"",
    );
    broken_setting("secret_access_key = 7", ", profile default: `secret_access_key` should be text, not a number");
    broken_setting(
        "endpoint = \"http://me:hunter2@host\"",
        ", profile default: `endpoint` should be an address such as https://s3.example.com, without user, password or query, not this text (not repeated here)",
    );
    broken_setting("registry = 7", ", profile default: `registry.source` should be text, not a number");
    broken_setting(
        "registry.tracked = 7",
        ", profile default: `registry.tracked` should be true, false, or the address of a source, not a number",
    );
    broken_setting(
        "registry.format = \"xml\"",
        ", profile default: `registry.format` should be json, jsonl, csv or lines, not \"xml\"",
    );
    broken_setting(
        "registry.timeout = \"0s\"",
        ", profile default: `registry.timeout` should be a time from \"1s\" to \"1h\", not \"0s\"",
    );
    broken_variable("BUCKETREE_PATH_STYLE", "maybe", "`path_style` should be true or false, not \"maybe\"");
    let address = "`endpoint` should be an address such as https://s3.example.com, without user, password or query, not what it is (not repeated here)";
    for wrong in
        ["localhost:9000", "http://host:x", "http://me:hunt/er2@host", "ftp://host", "http://host?x", "http://"]
    {
        broken_variable("R2_ENDPOINT_URL", wrong, address);
    }
    let path = "`endpoint` should be an address without a path, or with the bucket as its path, not what it is (not repeated here)";
    broken_variable("R2_ENDPOINT_URL", "http://host/a/b", path);
}

#[test]
fn a_wrong_place_of_references_is_told_by_line_and_name() {
    let wrong = |lines: &str, message: &str| {
        broken(
            &format!("[[profiles.default.registry.references]]\n{lines}\n"),
            &format!("config.toml, line {message}"),
        );
    };
    wrong("from = \"a\"\nkey_feld = \"b\"", "3: `key_feld` is not a setting; did you mean `key_field`?");
    wrong("from = \"a\"\nkey_field = 7", "3: `key_field` should be text");
    wrong("from = \"a\"", "1: a reference needs `key_field`, the column or path of keys");
    wrong("key_field = \"a\"", "1: a reference needs `from`, the table or collection");
    wrong("leading_slash = \"yes\"", "2: `leading_slash` should be true or false");
    let address = "`url` should be an address such as https://media.example.com/files, without user, password or query";
    for url in ["media.example.com", "https://", "https://me:hunter2@host", "https://host?a", "https://it's"] {
        wrong(&format!("url = \"{url}\""), &format!("2: {address}"));
    }
    broken_setting("registry.references = \"a\"", ": `references` should be tables with `from` and `key_field`");
    broken_setting("registry.references = [\"a\"]", ": `references` should be tables with `from` and `key_field`");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let inputs = |config: &Path| Inputs { config: Some(config.to_owned()), ..Inputs::default() };
    let directory = tempfile::tempdir().expect("a directory");
    let absent = directory.path().join("absent.toml");
    assert_eq!(Settings::resolve(&inputs(&absent)).expect("defaults").config_file, absent);
    let error = Settings::resolve(&inputs(directory.path())).expect_err("a directory");
    assert_eq!(
        error.to_string(),
        format!("{} cannot be read: Is a directory (os error 21)", directory.path().display())
    );
    let env_file = Some(directory.path().join(".env"));
    let error = Settings::resolve(&Inputs { env_file, ..inputs(&absent) }).expect_err("no env file");
    assert!(error.to_string().contains(".env cannot be read: No such file"), "{error}");
    let error = Given { env_file: Some("A=1\nhunter2\n"), ..Given::default() }.resolve().settings.expect_err("broken");
    assert_eq!(error, ".env, line 2: expected KEY=VALUE");
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let r2 = format!("https://{ACCOUNT}.eu.r2.cloudflarestorage.com/media");
    let error = |more: (&'static str, &str)| {
        let variables = [("R2_ENDPOINT_URL", r2.as_str())];
        Given { variables: &variables, flags: &[more], ..Given::default() }
            .resolve()
            .settings
            .expect_err("a contradiction")
    };
    assert_eq!(
        error(("bucket", "other")),
        "`endpoint` (R2_ENDPOINT_URL in the environment) and `bucket` (--bucket) contradict each other: the path of the endpoint is not the bucket other"
    );
    assert_eq!(
        error(("jurisdiction", "fedramp")),
        "`endpoint` (R2_ENDPOINT_URL in the environment) and `jurisdiction` (--jurisdiction) contradict each other: the endpoint is of jurisdiction eu, not fedramp"
    );
    let other = ACCOUNT.replace('0', "f");
    let variables = [("R2_ENDPOINT_URL", r2.as_str()), ("CLOUDFLARE_ACCOUNT_ID", &other)];
    let settings = Given { variables: &variables, ..Given::default() }.settings();
    assert_eq!(settings.account_id.expect("an account").value, ACCOUNT);
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
}

#[test]
fn a_misspelt_variable_is_told() {
    let variables = [("BUCKETREE_BUCKT", "x"), ("BUCKETREE_CONFIG", ""), ("PATH", "/bin")];
    let settings = Given { variables: &variables, ..Given::default() }.settings();
    assert_eq!(settings.warnings, ["BUCKETREE_BUCKT is set and is not a setting; did you mean BUCKETREE_BUCKET?"]);
}

#[test]
fn a_session_token_without_its_secret_is_left_out() {
    let file = profile("access_key_id = \"a\"\nsecret_access_key = \"b\"");
    let variables = [("AWS_SESSION_TOKEN", "stale")];
    let settings = Given { file: &file, variables: &variables, ..Given::default() }.settings();
    assert_eq!(settings.session_token, None);
    assert!(settings.warnings[0].starts_with("session_token (AWS_SESSION_TOKEN in the environment) is not used"));
    let variables = [("AWS_SESSION_TOKEN", "t"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", " s\n")];
    let settings = Given { variables: &variables, ..Given::default() }.settings();
    assert_eq!(settings.session_token.expect("a token").value.expose(), "t");
    assert_eq!(settings.secret_access_key.expect("a secret").value.expose(), "s");
}
