//! The terminal: taken over, and given back whatever happens.

use std::io::{self, Write, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, KeyboardEnhancementFlags,
    PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, queue};

/// Whether the terminal is taken over, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal is taken over as long as this lives.
pub struct Guard(());

impl Guard {
    /// Takes the terminal over: raw mode, alternate screen, mouse, bracketed paste; and has a panic give it back before
    /// its message is written.
    ///
    /// # Errors
    /// If there is no terminal, or it refuses.
    pub fn take() -> io::Result<Self> {
        restore_on_panic();
        enter()?;
        Ok(Self(()))
    }

    /// Gives the terminal back, stops the process until the shell continues it, and takes the terminal over again.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub fn suspend(&self) -> io::Result<()> {
        give_back();
        #[cfg(unix)]
        // The shell stops every process of the job, as it does for Ctrl-z in the usual mode of a terminal.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = stdout();
    let entered = execute!(out, EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, cursor::Hide);
    // Terminals that know it then tell a held key from one that is pressed again; others ignore it.
    let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES | KeyboardEnhancementFlags::REPORT_EVENT_TYPES;
    let _ = execute!(out, PushKeyboardEnhancementFlags(flags)); // only a nicety
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Undoes all of it, as far as the terminal still listens.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = stdout();
    // Each step is tried: what fails for one may work for the next, and there is nobody to tell.
    let _ = queue!(out, PopKeyboardEnhancementFlags);
    let _ = queue!(out, DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

/// Puts a text on the clipboard of the terminal (OSC 52), over SSH too where the terminal allows it.
///
/// # Errors
/// If the terminal is gone.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}

/// Whether the locale says that the terminal shows UTF-8. The first of the three that is set counts, as in setlocale(3).
pub fn shows_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], unicode: bool) {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(shows_unicode(variable), unicode, "{variables:?}");
    }

    #[test]
    fn the_locale_decides_on_the_signs() {
        check(&[], false);
        check(&[("LANG", "en_US.UTF-8")], true);
        check(&[("LANG", "C.utf8")], true);
        check(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false);
        check(&[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "de_DE.UTF-8")], true);
    }
}
