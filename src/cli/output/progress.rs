//! A line on stderr that is written over while work goes on; only where stderr is a terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// As often is the line drawn at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// The line.
pub struct Progress {
    visible: bool,
    drawn: bool,
    next: Instant,
}

impl Progress {
    /// A line on stderr, if that is a terminal.
    pub fn stderr() -> Self {
        Self { visible: io::stderr().is_terminal(), drawn: false, next: Instant::now() }
    }

    /// Shows a new state, unless the last one is too fresh.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.visible && now >= self.next {
            self.next = now + INTERVAL;
            self.drawn = true;
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K{}", text()).and_then(|()| stderr.flush());
        }
    }

    /// Writes a line that stays, above the one that is written over.
    pub fn tell(&mut self, text: impl Display) {
        self.clear();
        super::tell(text);
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
