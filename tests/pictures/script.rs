//! The language of the picture scripts: one step a line, `#` for a comment.
//!
//! ```text
//! size 100x30                    before `run`; 100x30 if not said
//! run demo --objects 20000       the program's arguments, split at spaces
//! wait Folders                   until a row shows this text
//! gone Loading                   until no row shows this text
//! press Down Down Space Ctrl-d   keys by name
//! hand Enter                     one key, not sooner after the one before than a hand would
//! type bucket 42                 letter by letter
//! resize 80x24
//! picture folders The tree of folders, with totals
//! exit 0                         until the program has ended with this code, and left the terminal as it found it
//! ```

use libtest_mimic::Failed;

use super::common::{keys, pty::Size};

/// One script.
pub struct Script {
    pub name: String,
    pub size: Size,
    pub arguments: Vec<String>,
    /// Each with its line, from 1.
    pub steps: Vec<(usize, Step)>,
}

/// One thing to do.
#[derive(Debug)]
pub enum Step {
    Press(Vec<String>),
    Hand(String),
    Type(String),
    Wait(String),
    Gone(String),
    Resize(Size),
    Picture { name: String, title: String },
    Exit(u32),
}

impl Script {
    /// Reads a script; an error names file and line.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failed> {
        let mut script =
            Self { name: name.to_owned(), size: Size::new(100, 30), arguments: Vec::new(), steps: Vec::new() };
        let mut runs = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            let at = |why: String| Failed::from(format!("{name}:{}: {why}", index + 1));
            match verb {
                "" => {}
                comment if comment.starts_with('#') => {}
                "size" if !runs => script.size = size(rest).map_err(at)?,
                "run" if !runs => {
                    runs = true;
                    script.arguments = words(rest);
                }
                _ if !runs => return Err(at(format!("`{verb}` before `run`"))),
                _ => script.steps.push((index + 1, step(verb, rest).map_err(at)?)),
            }
        }
        if script.steps.is_empty() { Err(format!("{name}: has no steps").into()) } else { Ok(script) }
    }
}

fn step(verb: &str, rest: &str) -> Result<Step, String> {
    if rest.is_empty() {
        return Err(format!("`{verb}` of what?"));
    }
    Ok(match verb {
        "press" => Step::Press(known_keys(rest)?),
        "hand" => Step::Hand(known_keys(rest)?.concat()),
        "type" => Step::Type(rest.to_owned()),
        "wait" => Step::Wait(rest.to_owned()),
        "gone" => Step::Gone(rest.to_owned()),
        "resize" => Step::Resize(size(rest)?),
        "picture" => {
            let (name, title) = rest.split_once(' ').ok_or("a picture has a name and a title")?;
            Step::Picture { name: name.to_owned(), title: title.to_owned() }
        }
        "exit" => Step::Exit(rest.parse().map_err(|_| format!("no exit code: {rest}"))?),
        _ => return Err(format!("no step is called `{verb}`")),
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn known_keys(text: &str) -> Result<Vec<String>, String> {
    let names = words(text);
    match names.iter().find(|name| keys::bytes(name).is_none()) {
        Some(unknown) => Err(format!("no key is named {unknown}")),
        None => Ok(names),
    }
}

fn size(text: &str) -> Result<Size, String> {
    let parsed = text.split_once('x').and_then(|(columns, rows)| {
        let size = Size::new(columns.parse().ok()?, rows.parse().ok()?);
        (size.columns > 0 && size.rows > 0).then_some(size)
    });
    parsed.ok_or_else(|| format!("no size: {text}"))
}

/// A trial: scripts are written by hand.
pub fn mistakes_are_told() -> Result<(), Failed> {
    for (text, expected) in [
        ("press a", "x:1: `press` before `run`"),
        ("run\nsize 100x30", "x:2: no step is called `size`"),
        ("size 100", "x:1: no size: 100"),
        ("size 0x30", "x:1: no size: 0x30"),
        ("run\n# why\n\npress a Entr", "x:4: no key is named Entr"),
        ("run\nclick 1", "x:2: no step is called `click`"),
        ("run\nwait", "x:2: `wait` of what?"),
        ("run\npicture folders", "x:2: a picture has a name and a title"),
        ("run\nexit well", "x:2: no exit code: well"),
        ("run demo", "x: has no steps"),
    ] {
        let told = Script::parse("x", text).err().and_then(|failed| failed.message().map(str::to_owned));
        if told.as_deref() != Some(expected) {
            return Err(format!("{text:?} tells {told:?} instead of {expected:?}").into());
        }
    }
    let script = Script::parse("x", "size 80x24\nrun demo --seed 1\nwait  a b \nexit 0")?;
    let steps = format!("{:?}", script.steps);
    assert_eq!((script.size, script.arguments), (Size::new(80, 24), words("demo --seed 1")));
    assert_eq!(steps, r#"[(3, Wait("a b")), (4, Exit(0))]"#);
    Ok(())
}
