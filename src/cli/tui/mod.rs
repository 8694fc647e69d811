//! The terminal interface: one task owns state and screen, looks at keys first, takes in what jobs say for a few
//! milliseconds, and draws when something has changed.

pub mod desk;
mod drift;
mod history;
mod keeping;
mod past;
mod planner;
mod searcher;
pub mod terminal;
#[cfg(test)]
mod tests;
mod worker;

use std::future::pending;
use std::io::{self, stdout};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::EventStream;
use futures::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use self::desk::Desk;
use self::terminal::Guard;
use self::worker::Own;
use crate::app::keymap::{Keymap, KeymapChanges};
use crate::app::{Event, ExitReason, Session as Facts, State};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::interrupt::Interrupts;
use crate::cli::session::Session;
use crate::ui::theme::{Glyphs, Look, Theme};

/// How often the time is told while something on the screen depends on it.
const TICK: Duration = Duration::from_millis(100);

/// Opens the console on a session and stays until the user leaves; then says how the last run ended.
///
/// # Errors
/// [`Stop`] if keymap, theme or terminal cannot be used; the terminal is as it was before.
pub async fn run(session: Session, no_color: bool) -> Result<ExitCode, Stop> {
    let session = Arc::new(session);
    let keymap = keymap(&session)?;
    let look = look(&session, no_color)?;
    let lost = |error: io::Error| Stop::failed("use the terminal", error, "");
    let interrupts = Interrupts::listen();
    let guard = Guard::take().map_err(lost)?;
    let screen = Terminal::new(CrosstermBackend::new(stdout())).map_err(lost)?;
    let mut desk = Desk::new(session, screen, keymap, look);
    let reason = drive(&mut desk, &guard, interrupts).await;
    let state = desk.finish().await;
    drop(guard);
    let run = last_run(&state);
    if let Some((text, _)) = &run {
        super::output::tell(text);
    }
    Ok(match (reason, run) {
        (ExitReason::Interrupted, _) => ExitCode::Interrupted,
        (ExitReason::Quit, Some((_, false))) => ExitCode::Partly,
        (ExitReason::Quit, _) => ExitCode::Done,
    })
}

/// How the last run ended, in one line, and whether it was a success; `None` if there was none.
fn last_run(state: &State) -> Option<(String, bool)> {
    let run = state.run.as_ref()?;
    let success = run.report.as_ref().is_some_and(|report| report.is_success());
    let text = run.verdict().unwrap_or_else(|| "did not end; its journal says what was done".into());
    Some((format!("run {}: {text}", run.id), success))
}

type Screen = CrosstermBackend<io::Stdout>;

/// The loop. Keys come before jobs, a frame that is due before both.
async fn drive(desk: &mut Desk<Screen>, guard: &Guard, mut interrupts: Interrupts) -> ExitReason {
    let mut input = Some(EventStream::new());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked_to_end = false;
    // A terminal that is gone cannot be drawn on, but a run that goes on is still seen to its end.
    let mut blind = false;
    loop {
        let frame = desk.frame_due().filter(|_| !blind);
        let (is_due, due) = (frame.is_some(), frame.unwrap_or_else(std::time::Instant::now));
        let wants_ticks = desk.state.needs_ticks();
        tokio::select! {
            biased;
            () = sleep_until(due.into()), if is_due => blind |= desk.draw().is_err(),
            () = interrupts.next(), if !asked_to_end => {
                asked_to_end = true;
                desk.take(Event::Terminate);
            }
            event = next_input(&mut input) => match event {
                Some(event) => desk.input(event),
                None => {
                    input = None;
                    desk.take(Event::Terminate);
                }
            },
            Some(event) = desk.next_job() => desk.take_jobs(event),
            _ = ticks.tick(), if wants_ticks => desk.tick(),
        }
        for own in desk.own() {
            let done = match own {
                Own::Quit(reason) => return reason,
                Own::Copy(text) => terminal::copy(&text),
                Own::Redraw => desk.forget_screen(),
                Own::Suspend => guard.suspend().and_then(|()| desk.forget_screen()),
            };
            blind |= done.is_err();
        }
    }
}

/// The next event of the terminal; `None` when it has ended. Once it has, this waits for ever.
async fn next_input(input: &mut Option<EventStream>) -> Option<crossterm::event::Event> {
    match input {
        Some(stream) => stream.next().await.and_then(Result::ok),
        None => pending().await,
    }
}

/// The built-in keys with the user's changes, which lie in `keymap.toml` beside the configuration file.
fn keymap(session: &Session) -> Result<Keymap, Stop> {
    let file = session.settings.config_file.with_file_name("keymap.toml");
    let failed = |why: String| {
        let hint = "write it as [context] action = [\"key\"], or remove the file to have the built-in keys";
        Stop::usage(format!("read the keymap {}", file.display()), why, hint)
    };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let changes: KeymapChanges = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Keymap::with(&changes).map_err(failed)
}

/// How everything looks here: by configuration, `NO_COLOR`, the terminal's background and what the locale can show.
fn look(session: &Session, no_color: bool) -> Result<Look, Stop> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let theme = match no_color || set("NO_COLOR").is_some() {
        true => "mono".to_owned(),
        false => session.settings.theme.value.to_string(),
    };
    let theme = Theme::named(&theme, set("COLORFGBG").as_deref())
        .map_err(|why| Stop::usage("use the theme", why, "`bucketree config show` says where it was set"))?;
    let glyphs = if cfg!(windows) || terminal::shows_unicode(set) { Glyphs::UNICODE } else { Glyphs::ASCII };
    Ok(Look { theme, glyphs })
}

/// What the screen says of the session.
fn facts(session: &Session) -> Facts {
    let settings = &session.settings;
    let identity = session.store.identity();
    let host = identity.endpoint.split_once("://").map_or(identity.endpoint.as_str(), |(_, host)| host);
    Facts {
        profile: settings.profile.as_ref().map_or_else(|| "default".into(), |profile| profile.value.clone()),
        host: host.trim_end_matches('/').to_owned(),
        bucket: identity.bucket.clone(),
        registries: session.registry.iter().map(|registry| registry.name().to_owned()).collect(),
        min_age_seconds: session.policy.min_age_seconds,
        deletes: session.deletes,
        offline: session.kept.is_some(),
        keeps_scans: settings.kept_scans.value > 0,
        via: settings.executor.value,
        prices: settings.prices(),
    }
}
