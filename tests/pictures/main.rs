//! The pictures of the README, taken from the running program.
//!
//! Each `tests/pictures/*.script` starts the real program in a real terminal, types, and waits for what the screen should
//! show. `cargo test` plays them all, so that they cannot go stale; this one command also writes what they show to
//! `assets/pictures/`:
//!
//! ```text
//! BUCKETREE_WRITE_PICTURES=1 cargo test --test pictures
//! ```

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "../common/mod.rs"]
mod common;
mod script;

use common::pty::{Pty, bucketree};
use script::{Script, Step};

fn main() {
    let mut trials: Vec<Trial> = scripts().into_iter().map(|file| trial(&file)).collect();
    trials.push(Trial::test("a mistake in a script is told with its line", script::mistakes_are_told));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let entries = folder.read_dir().expect("the folder of the scripts");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "script"));
    files.sort();
    files
}

fn trial(file: &Path) -> Trial {
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).expect("a script");
    Trial::test(name.clone(), move || play(&Script::parse(&name, &text)?))
}

fn play(script: &Script) -> Result<(), Failed> {
    let home = tempfile::tempdir()?;
    let arguments: Vec<&str> = script.arguments.iter().map(String::as_str).collect();
    let mut pty = Pty::start(bucketree(home.path(), &arguments), script.size);
    for (line, step) in &script.steps {
        // A failure further down shows the screen, but not where in the script it was.
        println!("{}:{line}: {step:?}", script.name);
        match step {
            Step::Press(keys) => pty.press(&keys.iter().map(String::as_str).collect::<Vec<_>>()),
            Step::Hand(key) => pty.press_by_hand(key),
            Step::Type(text) => pty.type_text(text),
            Step::Wait(text) => pty.wait_for(text),
            Step::Gone(text) => pty.wait_gone(text),
            Step::Resize(size) => pty.resize(*size),
            Step::Picture { name, title } => {
                pty.wait_quiet();
                keep(name, &pty.svg(title))?;
            }
            Step::Exit(code) => {
                let actual = pty.wait_exit();
                if actual != *code {
                    return Err(format!("ended with {actual} instead of {code}").into());
                }
                pty.assert_restored();
            }
        }
    }
    Ok(())
}

/// Writes a picture where that is asked for; else only sees to it that the README has one.
fn keep(name: &str, svg: &str) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
    let file = folder.join(format!("{name}.svg"));
    if std::env::var_os("BUCKETREE_WRITE_PICTURES").is_some() {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&file, svg)?;
    } else if !file.exists() {
        return Err(format!("{} is missing: run with BUCKETREE_WRITE_PICTURES=1", file.display()).into());
    }
    Ok(())
}
