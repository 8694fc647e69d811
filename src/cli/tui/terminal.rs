//! The terminal: taken when the console opens, given back however it ends.

use std::io::{self, Stdout, Write};
use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// A screen that is ours until it is dropped.
pub struct Screen {
    /// Draws.
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal: raw mode, alternate screen, mouse, bracketed paste. A panic gives it back before it is told.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let tell = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                tell(panic);
            }));
        });
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).inspect_err(|_| give_back())?;
        Ok(Self { terminal })
    }

    /// Gives the terminal to the shell until the program is continued.
    ///
    /// # Errors
    /// The terminal refuses.
    #[cfg(unix)]
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The shell stops every process of the job, as it does for Ctrl-Z in the usual mode of a terminal.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        enter()?;
        self.terminal.clear()
    }

    /// Elsewhere there is no suspending.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(unix))]
    pub fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Puts a text on the clipboard by OSC 52, which also works through SSH. Base64 keeps every byte away from the terminal.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout();
        write!(stdout, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        stdout.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste).inspect_err(|_| give_back())
}

/// Undoes everything that [`enter`] did. It can be called twice; a terminal that is gone has nothing to be given back.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(
        io::stdout(),
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    );
}
