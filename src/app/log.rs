//! The log on the screen: lines, filter, following.

use std::collections::VecDeque;

use crate::domain::progress::LogLine;

/// Lines kept on the screen's side; the journal on disk has them all.
pub const LINES: usize = 100_000;

/// The log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    lines: VecDeque<LogLine>,
    /// Lines that no longer fit.
    dropped: u64,
    /// Text that a line must hold to be shown, in lower case; empty shows all.
    filter: String,
    /// Numbers of the lines that are shown, counted from the first line ever.
    shown: VecDeque<u64>,
    /// Which of the shown lines the cursor is on.
    cursor: usize,
    /// Whether the cursor follows the end.
    follow: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            dropped: 0,
            filter: String::new(),
            shown: VecDeque::new(),
            cursor: 0,
            follow: true,
        }
    }
}

impl Log {
    /// Adds a line.
    pub fn push(&mut self, line: LogLine) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
            if self.shown.front() == Some(&self.dropped) {
                self.shown.pop_front();
                self.cursor = self.cursor.saturating_sub(1);
            }
            self.dropped += 1;
        }
        if self.matches(&line) {
            self.shown.push_back(self.dropped + self.lines.len() as u64);
        }
        self.lines.push_back(line);
        if self.follow {
            self.cursor = self.shown.len().saturating_sub(1);
        }
    }

    fn matches(&self, line: &LogLine) -> bool {
        self.filter.is_empty()
            || line.text.to_lowercase().contains(&self.filter)
            || line.run.to_lowercase().contains(&self.filter)
    }

    /// Shows only lines that hold `text`, whatever the case.
    pub fn set_filter(&mut self, text: &str) {
        self.filter = text.to_lowercase();
        let first = self.dropped;
        let shown = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| self.matches(line))
            .map(|(at, _)| first + at as u64)
            .collect();
        self.shown = shown;
        self.cursor = self.shown.len().saturating_sub(1);
    }

    /// The text that lines must hold.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Lines there are, lines that are shown.
    pub fn counts(&self) -> (usize, usize) {
        (self.lines.len(), self.shown.len())
    }

    /// Whether the cursor follows the end.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// Follows the end, or stops following it.
    pub fn set_follow(&mut self, follow: bool) {
        self.follow = follow;
        if follow {
            self.cursor = self.shown.len().saturating_sub(1);
        }
    }

    /// Moves the cursor; moving to the last line follows again.
    pub fn move_by(&mut self, rows: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
        self.follow = self.cursor == last;
    }

    /// Which of the shown lines the cursor is on.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The shown line number `at`.
    pub fn line(&self, at: usize) -> Option<&LogLine> {
        let number = self.shown.get(at)?.checked_sub(self.dropped)?;
        self.lines.get(usize::try_from(number).ok()?)
    }

    /// The lines to show in `height` lines, with the number of the first.
    pub fn window(&self, height: usize) -> (usize, Vec<&LogLine>) {
        let first = (self.cursor + 1).saturating_sub(height).min(self.shown.len().saturating_sub(height));
        (first, (first..self.shown.len()).take(height).filter_map(|at| self.line(at)).collect())
    }
}

/// A log line as plain text, for the clipboard.
pub fn as_text(line: &LogLine) -> String {
    match line.run.as_str() {
        "" => format!("{} {}", line.at, line.text),
        run => format!("{} {run} {}", line.at, line.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::progress::LogLevel;

    fn line(text: &str) -> LogLine {
        LogLine { at: Timestamp(0), level: LogLevel::Info, run: "run-1".into(), text: text.into() }
    }

    fn shown(log: &Log) -> Vec<&str> {
        log.window(10).1.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn the_log_follows_filters_and_forgets_only_the_oldest() {
        let mut log = Log::default();
        for text in ["one deleted", "two failed", "three deleted"] {
            log.push(line(text));
        }
        assert_eq!(log.cursor(), 2);
        log.set_filter("FAILED");
        assert_eq!(shown(&log), ["two failed"]);
        log.push(line("four deleted"));
        log.push(line("five failed"));
        assert_eq!(shown(&log), ["two failed", "five failed"]);
        log.set_filter("");
        log.move_by(-1);
        assert!(!log.follows());
        log.push(line("six"));
        assert_eq!(log.line(log.cursor()).map(|line| line.text.as_str()), Some("four deleted"));
        (0..LINES).for_each(|number| log.push(line(&number.to_string())));
        assert_eq!(log.counts(), (LINES, LINES));
        assert_eq!(log.line(0).map(|line| line.text.as_str()), Some("0"));
    }
}
