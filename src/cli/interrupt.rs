//! Ctrl-C, a closed terminal, and the signal that asks a process to end.

use super::error::Stop;
use super::exit_code::ExitCode;

/// Hears every wish to end from its making on, also those that come while nobody waits.
pub struct Interrupts {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 3]>,
    #[cfg(windows)]
    ctrl_c: Option<tokio::signal::windows::CtrlC>,
}

impl Interrupts {
    /// Begins to listen. Where that is impossible, the system ends the program in its own way.
    pub fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = || {
                Ok::<_, std::io::Error>([
                    signal(SignalKind::interrupt())?,
                    signal(SignalKind::terminate())?,
                    signal(SignalKind::hangup())?,
                ])
            };
            Self { signals: listen().ok() }
        }
        #[cfg(windows)]
        {
            Self { ctrl_c: tokio::signal::windows::ctrl_c().ok() }
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some([interrupt, terminate, hangup]) = &mut self.signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
        #[cfg(windows)]
        if let Some(ctrl_c) = &mut self.ctrl_c {
            ctrl_c.recv().await;
            return;
        }
        std::future::pending().await
    }
}

/// Work that may be dropped at any moment: Ctrl-C ends it.
pub async fn or(work: impl Future<Output = Result<ExitCode, Stop>>) -> Result<ExitCode, Stop> {
    let mut interrupts = Interrupts::listen();
    tokio::select! {
        result = work => result,
        () = interrupts.next() => Ok(ExitCode::Interrupted),
    }
}
