//! Ctrl-C, and the signal that asks a process to end.

use super::error::Stop;
use super::exit_code::ExitCode;

/// Waits until somebody wants the program to end.
pub async fn requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Where signals cannot be heard, the system ends the program itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Work that may be dropped at any moment: Ctrl-C ends it.
pub async fn or(work: impl Future<Output = Result<ExitCode, Stop>>) -> Result<ExitCode, Stop> {
    tokio::select! {
        result = work => result,
        () = requested() => Ok(ExitCode::Interrupted),
    }
}
