//! `bucketree man`: one page with everything: verbs, flags, JSON shapes, exit codes, environment, files, guards.

mod console;
mod scans;
mod shapes;
mod text;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::cli::args::Cli;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::Output;
use crate::config::variables;
use crate::domain::guards::GUARDS;

/// Prints the page.
///
/// # Errors
/// If the output cannot be written.
pub fn run(output: &mut Output) -> Result<ExitCode, Stop> {
    output.bytes(&page()?)?;
    Ok(ExitCode::Done)
}

fn page() -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut roff = Roff::new();
    verbs(&mut roff, &command);
    for (title, paragraphs) in text::SECTIONS {
        section(&mut roff, title, paragraphs);
    }
    section(&mut roff, "THE CONSOLE", console::CONSOLE);
    section(&mut roff, "KEPT SCANS", scans::KEPT_SCANS);
    section(&mut roff, "USAGE AND COSTS", scans::USAGE);
    section(&mut roff, "UPLOADS", scans::UPLOADS);
    guards(&mut roff);
    json(&mut roff);
    exit_codes(&mut roff);
    environment(&mut roff);
    section(&mut roff, "FILES", text::FILES);
    section(&mut roff, "EXAMPLES", text::EXAMPLES);
    roff.to_writer(&mut page)?;
    Ok(page)
}

fn section(roff: &mut Roff, title: &str, paragraphs: &[&str]) {
    roff.control("SH", [title]);
    for paragraph in paragraphs {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
}

fn item(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
}

/// Every verb with its own flags; the global ones stand above.
fn verbs(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["VERBS"]);
    leaves(command, "").iter().for_each(|(name, verb)| describe(roff, name, verb));
}

/// The commands that do something, with their whole names.
fn leaves<'c>(command: &'c Command, before: &str) -> Vec<(String, &'c Command)> {
    let children = command.get_subcommands().filter(|child| child.get_name() != "help");
    children
        .flat_map(|child| {
            let name = format!("{before} {}", child.get_name()).trim_start().to_owned();
            let mut found = leaves(child, &name);
            if !child.is_subcommand_required_set() {
                found.insert(0, (name, child));
            }
            found
        })
        .collect()
}

fn describe(roff: &mut Roff, name: &str, verb: &Command) {
    let own = || verb.get_arguments().filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
    let usage: Vec<String> = own().filter(|argument| argument.is_positional()).map(ToString::to_string).collect();
    roff.control("SS", [format!("{name} {}", usage.join(" ")).trim()]);
    roff.text([roman(verb.get_about().map(ToString::to_string).unwrap_or_default())]);
    for argument in own().filter(|argument| argument.get_id() != "version") {
        roff.control("TP", []);
        let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
        roff.text([bold(format!("{short}{argument}"))]);
        roff.text([roman(argument.get_help().map(ToString::to_string).unwrap_or_default())]);
    }
}

/// The table of guards, as it is asked.
fn guards(roff: &mut Roff) {
    section(roff, "GUARDS", text::GUARDS);
    let mut moment = "";
    for guard in GUARDS {
        if guard.moment() != moment {
            moment = guard.moment();
            roff.control("SS", [format!("asked {moment}").as_str()]);
        }
        let words =
            format!("protects {}. Default: {}. Lowered by {}.", guard.protects, guard.default, guard.lowered_by);
        item(roff, guard.name, &words);
    }
}

fn json(roff: &mut Roff) {
    section(roff, "JSON", shapes::JSON);
    for (verb, note, fields) in shapes::SHAPES.iter().chain(scans::SHAPES) {
        roff.control("SS", [*verb]);
        roff.text([roman(*note)]);
        fields.iter().for_each(|(name, meaning)| item(roff, name, meaning));
    }
}

fn exit_codes(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    ExitCode::ALL.iter().for_each(|code| item(roff, &(*code as u8).to_string(), code.meaning()));
}

fn environment(roff: &mut Roff) {
    section(roff, "ENVIRONMENT", text::ENVIRONMENT);
    for (key, names, about) in variables() {
        roff.control("TP", []);
        roff.text([bold(names.join(", "))]);
        roff.text([roman(format!("{about} (")), italic(key), roman(")")]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_and_exit_code_is_on_the_page() {
        let page = String::from_utf8(page().expect("memory takes everything")).expect("text");
        let plain = page.replace("\\-", "-");
        for heading in ["ls", "audit", "plan delete", "apply", "runs show", "layouts test", "config init", "man"] {
            assert!(plain.lines().any(|line| line.starts_with(".SS") && line.contains(heading)), "{heading}");
        }
        for guard in GUARDS {
            assert!(plain.lines().any(|line| line == format!("\\fB{}\\fR", guard.name)), "{guard:?}");
        }
        for word in ["--keys-from", "--confirm", "BUCKETREE_STATE_DIR", "130", "R2_BUCKET_NAME", "key_base64"] {
            assert!(plain.contains(word), "{word}");
        }
    }
}
