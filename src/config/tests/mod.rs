use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

mod broken;

const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

/// A configuration to resolve: the text of a file, variables, flags, the text of an env file.
#[derive(Default)]
struct Given<'g> {
    file: &'g str,
    variables: &'g [(&'g str, &'g str)],
    flags: &'g [(&'static str, &'g str)],
    env_file: Option<&'g str>,
    profile: Option<&'g str>,
}

/// What it resolves to, with the directory of its files left out of messages.
struct Resolved {
    settings: Result<Settings, String>,
    directory: tempfile::TempDir,
}

impl Given<'_> {
    fn resolve(&self) -> Resolved {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("config.toml"), self.file).expect("written");
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let env_file = self.env_file.map(|text| {
            std::fs::write(path(".env"), text).expect("written");
            path(".env")
        });
        let inputs = Inputs {
            profile: self.profile.map(Into::into),
            config: Some(path("config.toml")),
            env_file,
            flags: self.flags.iter().map(|&(key, value)| (key, value.to_owned())).collect(),
            environment: pairs(self.variables),
        };
        assert!(inputs.flags.keys().all(|key| is_key(key)));
        let settings = Settings::resolve(&inputs).map_err(|error| without(&directory, &error.to_string()));
        Resolved { settings, directory }
    }

    fn settings(&self) -> Settings {
        self.resolve().settings.expect("settings")
    }

    /// Value and origin as `config show` prints them.
    fn shows(&self, key: &str, value: &str, origin: &str) {
        let resolved = self.resolve();
        let shown = resolved.settings.expect("settings").show();
        let found = shown.iter().find(|shown| shown.key == key).expect("a key");
        let found_origin = without(&resolved.directory, found.origin.as_deref().unwrap_or("not set"));
        assert_eq!((found.value.as_deref().unwrap_or("not set"), found_origin.as_str()), (value, origin), "{key}");
    }
}

fn without(directory: &tempfile::TempDir, text: &str) -> String {
    text.replace(&format!("{}/", directory.path().display()), "")
}

fn profile(settings: &str) -> String {
    format!("[profiles.default]\n{settings}\n")
}

#[test]
fn each_layer_wins_over_the_ones_below() {
    let file = profile("bucket = \"from-profile\"");
    let none = Given::default();
    none.shows("bucket", "not set", "not set");
    none.shows("min_age", "7d", "default");
    let given = Given { file: &file, ..Given::default() };
    given.shows("bucket", "from-profile", "config.toml, line 2, profile default");
    let given = Given { env_file: Some("# app\nR2_BUCKET_NAME=from-env-file\n"), ..given };
    given.shows("bucket", "from-env-file", ".env, line 2, R2_BUCKET_NAME");
    let given = Given { variables: &[("R2_BUCKET_NAME", "from-environment")], ..given };
    given.shows("bucket", "from-environment", "R2_BUCKET_NAME in the environment");
    let given = Given { variables: &[("R2_BUCKET_NAME", "theirs"), ("BUCKETREE_BUCKET", "ours")], ..given };
    given.shows("bucket", "ours", "BUCKETREE_BUCKET in the environment");
    let given = Given { flags: &[("bucket", "from-flag")], ..given };
    given.shows("bucket", "from-flag", "--bucket");
    let flags = Given { flags: &[("registry.source", "ids.txt"), ("min_age", "2d")], ..Given::default() };
    flags.shows("registry.source", "ids.txt", "--registry");
    flags.shows("min_age", "2d", "--min-age");
    let empty = Given { variables: &[("R2_BUCKET_NAME", " ")], file: &file, ..Given::default() };
    empty.shows("bucket", "from-profile", "config.toml, line 2, profile default");
}

#[test]
fn the_profile_is_the_one_that_is_asked_for() {
    let file = "default_profile = \"b\"\n[profiles.a]\nbucket = \"bucket-a\"\n[profiles.b]\nbucket = \"bucket-b\"\n";
    let bucket = |given: Given<'_>| given.settings().bucket.map(|bucket| bucket.value);
    assert_eq!(bucket(Given { file, ..Given::default() }).as_deref(), Some("bucket-b"));
    assert_eq!(bucket(Given { file, profile: Some("a"), ..Given::default() }).as_deref(), Some("bucket-a"));
    let variables = [("BUCKETREE_PROFILE", "a")];
    assert_eq!(bucket(Given { file, variables: &variables, ..Given::default() }).as_deref(), Some("bucket-a"));
    let only = "[profiles.a]\nbucket = \"bucket-a\"\n";
    assert_eq!(bucket(Given { file: only, ..Given::default() }).as_deref(), Some("bucket-a"));
    let two = "[profiles.a]\nbucket = \"bucket-a\"\n[profiles.b]\n";
    assert_eq!(bucket(Given { file: two, ..Given::default() }), None, "nobody said which");
    let wrong =
        Given { file, profile: Some("bb"), ..Given::default() }.resolve().settings.expect_err("no such profile");
    assert_eq!(wrong, "--profile: there is no profile `bb` in config.toml; did you mean `b`?");
    let wrong = Given { profile: Some("x"), ..Given::default() }.resolve().settings.expect_err("no such profile");
    assert_eq!(wrong, "--profile: there is no profile `x` in config.toml, which has none");
    broken::broken(
        "default_profile = \"media\"\n[profiles.a]\n",
        "config.toml, line 1, profile default_profile: there is no profile `media` in config.toml; there are a",
    );
}

#[test]
fn an_account_makes_the_endpoint_of_r2() {
    let check = |variables: &[(&str, &str)], endpoint: &str| {
        let given = Given { variables, ..Given::default() };
        given.shows("endpoint", endpoint, "from account_id and jurisdiction");
        given.shows("region", "auto", "from the endpoint, which is R2's");
        given.shows("folds_nfc", "true", "from the endpoint");
        given.shows("path_style", "true", "from the endpoint");
    };
    let account = ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT);
    check(&[account], "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com");
    let eu = ("BUCKETREE_JURISDICTION", "eu");
    check(&[account, eu], "https://0123456789abcdef0123456789abcdef.eu.r2.cloudflarestorage.com");
    let fedramp = ("BUCKETREE_JURISDICTION", "fedramp");
    check(&[account, fedramp], "https://0123456789abcdef0123456789abcdef.fedramp.r2.cloudflarestorage.com");
}

#[test]
fn what_follows_from_an_endpoint() {
    let r2 = format!("https://{ACCOUNT}.eu.r2.cloudflarestorage.com/media/");
    let variables = [("R2_ENDPOINT_URL", r2.as_str())];
    let given = Given { variables: &variables, ..Given::default() };
    given.shows("endpoint", r2.trim_end_matches("/media/"), "R2_ENDPOINT_URL in the environment");
    given.shows("account_id", ACCOUNT, "from the endpoint");
    given.shows("jurisdiction", "eu", "from the endpoint");
    given.shows("bucket", "media", "from the path of the endpoint");
    let minio = Given { variables: &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")], ..Given::default() };
    minio.shows("region", "us-east-1", "default");
    minio.shows("folds_nfc", "false", "from the endpoint");
    minio.shows("path_style", "true", "from the endpoint");
    let aws = Given { variables: &[("AWS_ENDPOINT_URL", "https://s3.eu-west-1.amazonaws.com")], ..Given::default() };
    aws.shows("path_style", "false", "from the endpoint");
    aws.shows("region", "not set", "not set");
    let near = Given { variables: &[("AWS_ENDPOINT_URL", "https://evilr2.cloudflarestorage.com")], ..Given::default() };
    near.shows("folds_nfc", "false", "from the endpoint");
}

#[test]
fn requests_have_the_price_of_whoever_is_known_to_charge() {
    let check = |endpoint: &str, a: (&str, &str), b: &str| {
        let given = Given { flags: &[("endpoint", endpoint)], ..Given::default() };
        given.shows("price_class_a", a.0, a.1);
        let shown = given.settings().show();
        let found = shown.iter().find(|shown| shown.key == "price_class_b").expect("a key");
        assert_eq!(found.value.as_deref(), Some(b).filter(|price| !price.is_empty()), "{endpoint}");
    };
    let r2 = format!("https://{ACCOUNT}.r2.cloudflarestorage.com");
    check(&r2, ("4.5", "from the endpoint, which is R2's"), "0.36");
    check("https://s3.eu-west-1.amazonaws.com", ("5", "from the endpoint, which is Amazon's"), "0.4");
    check("http://localhost:9000", ("not set", "not set"), "");
    let variables = [("BUCKETREE_PRICE_CLASS_A", "2.5")];
    let own = Given { variables: &variables, flags: &[("endpoint", "http://localhost:9000")], ..Given::default() };
    own.shows("price_class_a", "2.5", "BUCKETREE_PRICE_CLASS_A in the environment");
    assert_eq!(own.settings().prices().of_lists(2_000_000), Some(5.0));
    assert_eq!(Given { variables: &[], ..own }.settings().prices().of_lists(1), None);
}

#[test]
fn the_registry_of_a_profile_describes_the_source_of_that_profile() {
    let table = "[profiles.default.registry]\nsource = \"sqlite:app.db\"\ntracked = \"keys.csv\"\nprojects_table = \"apps\"\nmin_projects = 5\n";
    let given = Given { file: table, ..Given::default() };
    let settings = given.resolve();
    let registry = settings.settings.expect("settings").registry;
    assert_eq!(registry.base, settings.directory.path());
    assert_eq!(registry.tracked.value, Tracked::At(Address::new("keys.csv")));
    given.shows("registry.source", "sqlite:app.db", "config.toml, line 2, profile default");
    let flag = Given { flags: &[("registry.source", "ids.txt")], ..given };
    let registry = flag.settings().registry;
    assert_eq!(registry.base, PathBuf::new());
    assert_eq!((registry.tracked.value, registry.projects_table), (Tracked::Here, None));
    assert_eq!(registry.min_projects.value, 5, "limits guard whatever the source");
    let nameless = Given {
        file: "[profiles.default.registry]\nprojects_table = \"apps\"\ntracked = false\n",
        variables: &[("DATABASE_URL", "sqlite:dev.db")],
        ..Given::default()
    };
    nameless.shows("registry.source", "sqlite:dev.db", "DATABASE_URL in the environment");
    nameless.shows("registry.projects_table", "apps", "config.toml, line 2, profile default");
    nameless.shows("registry.tracked", "false", "config.toml, line 3, profile default");
    let file = profile("registry = \"app.db\"");
    let short = Given { file: &file, variables: &[("MONGODB_URI", "mongodb://u:hunter2@h/d?x=y")], ..Given::default() };
    short.shows("registry.source", "app.db", "config.toml, line 2, profile default");
    let app = Given { variables: &[("MONGODB_URI", "mongodb://u:hunter2@h/d?x=y")], ..Given::default() };
    app.shows("registry.source", "mongodb://(hidden)@h/d?(hidden)", "MONGODB_URI in the environment");
}

#[test]
fn any_number_of_places_may_refer_to_objects() {
    let file = "[profiles.default]\nregistry.source = \"postgres://host/db\"\n\
        [[profiles.default.registry.references]]\nfrom = \"scenes\"\nkey_field = \"image\"\nowner_field = \"project_id\"\n\
        url = \"https://media.example.com\"\n\
        [[profiles.default.registry.references]]\nfrom = \"scenes\"\nkey_field = \"voice\"\npercent_encoded = true\n";
    let given = Given { file, ..Given::default() };
    given.shows("registry.references", "scenes.image, scenes.voice", "config.toml, line 3, profile default");
    let places = given.settings().registry.references.expect("places").value;
    assert_eq!(places[0].url.as_deref(), Some("https://media.example.com"));
    assert_eq!((places[0].owner_field.as_deref(), places[0].percent_encoded), (Some("project_id"), false));
    assert_eq!((places[1].owner_field.as_deref(), places[1].percent_encoded), (None, true));
    // They describe the source of the profile and no other.
    let other = Given { file, flags: &[("registry.source", "other.db")], ..Given::default() };
    assert_eq!(other.settings().registry.references, None);
}

#[test]
fn paths_start_beside_the_file_that_names_them() {
    let file = profile("layouts = \"layouts.toml\"");
    let resolved = Given { file: &file, ..Given::default() }.resolve();
    let layouts = resolved.settings.expect("settings").layouts.expect("layouts");
    assert_eq!(layouts.value, resolved.directory.path().join("layouts.toml"));
    let layouts = |text| {
        let given = Given { variables: &[("HOME", "/home/me")], flags: &[("layouts", text)], ..Given::default() };
        given.settings().layouts.expect("layouts").value
    };
    assert_eq!(layouts("own.toml"), Path::new("own.toml"));
    assert_eq!(layouts("~/own.toml"), Path::new("/home/me/own.toml"));
}

#[test]
fn the_template_sets_nothing_and_every_line_of_it_is_right() {
    let text = template();
    let nothing = Given { file: &text, ..Given::default() }.settings();
    assert_eq!(nothing.bucket, None);
    // What stands behind `# ` and has the form of TOML is put in force, a key at a time.
    let mut table = "";
    let mut keys = 0;
    for line in text.lines() {
        let line = line.trim_start_matches("# ");
        if line.starts_with('[') {
            table = line;
        } else if line
            .split_once(" = ")
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        {
            let file =
                if table.is_empty() { format!("{line}\n[profiles.default]\n") } else { format!("{table}\n{line}\n") };
            let resolved = Given { file: &file, ..Given::default() }.resolve();
            let result = resolved.settings.map(drop);
            // The example of a session token has no secret beside it, which is no error.
            assert_eq!(result, Ok(()), "{line}");
            keys += 1;
        }
    }
    assert_eq!(keys, Settings::show(&nothing).len() + 1, "every setting and default_profile");
}

#[test]
fn init_never_overwrites() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("new/config.toml");
    write_template(&path).expect("written");
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), template());
    std::fs::write(&path, "mine").expect("written");
    let error = write_template(&path).expect_err("there already");
    assert_eq!(error.to_string(), format!("{} is there already and was left as it is", path.display()));
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), "mine");
}

#[test]
fn the_state_directory_can_be_chosen() {
    let environment = BTreeMap::from([("BUCKETREE_STATE_DIR".to_owned(), "/srv/state".to_owned())]);
    assert_eq!(state_directory(&environment), Ok(PathBuf::from("/srv/state")));
}

proptest! {
    /// Wherever secrets are set, and whatever else is wrong, no output has them.
    #[test]
    fn secrets_never_show(
        secret in "QZ[A-Za-z0-9/+=@:?]{10,40}",
        layer in 0usize..4,
        wrong in proptest::option::of(prop_oneof![
            Just("bucket = \"a/b\""), Just("min_age = 7"), Just("buckt = 1"), Just("bucket = \""), Just("endpoint = 7"),
        ]),
    ) {
        let uri = format!("mongodb://app:{secret}@host/db?password={secret}");
        let endpoint = format!("https://app:{secret}@host");
        let keys = [
            ("access_key_id", "AWS_ACCESS_KEY_ID", secret.as_str()),
            ("secret_access_key", "AWS_SECRET_ACCESS_KEY", &secret),
            ("session_token", "AWS_SESSION_TOKEN", &secret),
            ("api_token", "CLOUDFLARE_API_TOKEN", &secret),
            ("registry.source", "MONGODB_URI", &uri),
            ("registry.tracked", "MONGODB_URI", &uri),
            ("endpoint", "AWS_ENDPOINT_URL", &endpoint),
        ];
        // The endpoint is an error of its own, so it is tried with the mistakes.
        let used = &keys[..if wrong.is_some() { 7 } else { 6 }];
        let lines = |of: &dyn Fn(&(&'static str, &str, &str)) -> String| used.iter().map(of).collect::<String>();
        let mut file = profile(wrong.unwrap_or_default());
        let mut env_file = None;
        let mut variables = Vec::new();
        let mut flags = Vec::new();
        match layer {
            0 => flags.extend(used.iter().map(|(key, _, value)| (*key, *value))),
            1 => variables.extend(used.iter().map(|(_, name, value)| (*name, *value))),
            2 => env_file = Some(lines(&|(_, name, value)| format!("{name}='{value}'\n"))),
            _ => file += &lines(&|(key, _, value)| format!("{key} = \"{value}\"\n")),
        }
        let given = Given { file: &file, variables: &variables, flags: &flags, env_file: env_file.as_deref(), profile: None };
        let output = match given.resolve().settings {
            Ok(settings) => format!("{settings:?} {:?} {:?}", settings.show(), settings.warnings),
            Err(error) => error,
        };
        prop_assert!(!output.contains(&secret[4..]), "{}", output);
    }
}
