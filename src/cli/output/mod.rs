//! What verbs print: escaped on a terminal, exact on a pipe, or JSON. Results go to stdout, everything else to stderr.

pub mod json;
mod paint;
mod progress;
mod table;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

pub use paint::{Paint, Tone};
pub use progress::Progress;
pub use table::Table;

use super::args::GlobalFlags;
use crate::domain::key::Escaped;

/// Where a verb's result goes, and how.
pub struct Output {
    out: Box<dyn Write>,
    terminal: bool,
    json: bool,
    paint: Paint,
}

impl Output {
    /// Stdout, as the flags and the environment want it.
    pub fn stdout(flags: &GlobalFlags) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let plain = flags.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            out: Box::new(BufWriter::with_capacity(1 << 16, stdout)),
            terminal,
            json: flags.json,
            paint: Paint::new(terminal && !plain),
        }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person reads along.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Colors, if the output may have them.
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// One line of text.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Exactly these bytes.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// A key without a line end: exact on a pipe, escaped on a terminal.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn key(&mut self, key: &[u8]) -> io::Result<()> {
        if self.terminal { write!(self.out, "{}", Escaped(key)) } else { self.out.write_all(key) }
    }

    /// A table: aligned on a terminal, separated by tabs on a pipe.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        table.write(&mut self.out, self.terminal)
    }

    /// A table for a person, wherever it goes: programs have the JSON.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn report(&mut self, table: &Table) -> io::Result<()> {
        table.write(&mut self.out, true)
    }

    /// Hands everything over to whoever reads.
    ///
    /// # Errors
    /// Whatever the output says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// One line to stderr, if a person reads it there.
pub fn tell_person(text: impl Display) {
    if io::stderr().is_terminal() {
        tell(text);
    }
}

/// One line to stderr. A stderr that is closed is no reason to stop.
pub fn tell(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
