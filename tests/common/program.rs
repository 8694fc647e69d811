//! The real program on the embedded bucket, served by another run of the real program. Nothing of the caller's
//! environment reaches either.

#![allow(dead_code, reason = "every test program compiles all of this and uses its part")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bucketree");

/// The program with nothing but a path, a home, and a state folder in it.
pub fn program(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("BUCKETREE_STATE_DIR", home.join("state")).env("BUCKETREE_CONFIG", home.join("config.toml"));
    command.env("TMPDIR", home); // what a killed program leaves goes with the test
    command.current_dir(home).stdin(Stdio::null());
    command
}

/// What a run of the program came to.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "ended with {:?}, said:\n{stdout}\n{}", self.code, self.stderr)
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Every line as JSON; each has the version of its shape.
    pub fn json(&self) -> Vec<Value> {
        let values: Vec<Value> = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        values.iter().for_each(|value| assert_eq!(value["schema"], 1, "{value}"));
        values
    }

    /// The one line as JSON.
    pub fn one(&self) -> Value {
        let mut values = self.json();
        assert_eq!(values.len(), 1, "{self:?}");
        values.remove(0)
    }
}

/// An embedded bucket that is up, and a home of its own.
pub struct World {
    pub home: TempDir,
    pub demo: Value,
    server: Child,
}

impl World {
    pub fn start() -> Self {
        Self::with_objects(400)
    }

    pub fn with_objects(objects: u32) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path());
        command.args(["demo", "--serve", "--json", "--objects", &objects.to_string()]).stdout(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { home, demo: serde_json::from_str(&line).unwrap(), server }
    }

    pub fn demo(&self, field: &str) -> &str {
        self.demo[field].as_str().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// The program, pointed at the bucket by the environment.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = program(self.home.path());
        for (name, field) in [
            ("AWS_ENDPOINT_URL", "endpoint"),
            ("R2_BUCKET_NAME", "bucket"),
            ("AWS_REGION", "region"),
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ("BUCKETREE_REGISTRY", "registry"),
        ] {
            command.env(name, self.demo(field));
        }
        command.args(arguments);
        command
    }

    /// Runs the program. Whatever it says, it never says the secret.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Ran {
        self.run_with(&[], arguments)
    }

    /// As [`World::run`], with other variables.
    pub fn run_with(&self, environment: &[(&str, &str)], arguments: &[impl AsRef<OsStr>]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        let ran = Ran::of(&mut command);
        let secrets = environment
            .iter()
            .filter(|(name, value)| name.contains("SECRET") && !value.is_empty())
            .map(|(_, value)| *value);
        for secret in secrets.chain([self.demo("secret_access_key")]) {
            let said = [&ran.stdout, ran.stderr.as_bytes()];
            let is_there = said.iter().any(|text| text.windows(secret.len()).any(|part| part == secret.as_bytes()));
            assert!(!is_there, "a secret was said: {ran:?}");
        }
        ran
    }

    /// Runs the program, which must end so and say these parts on stderr.
    pub fn check(&self, arguments: &[&str], code: i32, said: &[&str]) -> Ran {
        self.check_with(&[], arguments, code, said)
    }

    /// As [`World::check`], with other variables.
    pub fn check_with(&self, environment: &[(&str, &str)], arguments: &[&str], code: i32, said: &[&str]) -> Ran {
        let ran = self.run_with(environment, arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        for part in said {
            assert!(ran.stderr.contains(part), "{arguments:?} should say {part:?}, and said {:?}", ran.stderr);
        }
        ran
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
