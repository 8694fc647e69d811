//! The loop of the console: one task owns the state and the terminal. Input comes first, jobs next and for a few
//! milliseconds at a time, then a frame is drawn if anything changed, at most sixty times a second.

mod signals;
mod terminal;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, EventStream};
use futures::StreamExt;
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc;

use crate::app::keymap::Keymap;
use crate::app::{Effect, Event, ExitReason, State, start, update};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::session::Session;
use crate::ui::draw;
use crate::ui::theme::{Glyphs, Look, Theme};
use signals::Signals;
use terminal::Screen;
use worker::{Own, Worker};

/// Events of jobs that may wait; a busy screen slows the jobs down instead of filling the memory.
const EVENTS: usize = 32;
/// How long events of jobs are applied before input is looked at again.
const TURN: Duration = Duration::from_millis(4);
/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// The time between two ticks, while something on the screen depends on time.
const TICK: Duration = Duration::from_millis(100);

/// Opens the console on a bucket; returns when the user leaves.
///
/// # Errors
/// [`Stop`] if the terminal cannot be used.
pub async fn run(session: Session, no_color: bool) -> Result<ExitCode, Stop> {
    let look = look(&session, no_color)?;
    let failed = |error: std::io::Error| Stop::failed("use the terminal", error, "");
    let mut screen = Screen::take().map_err(failed)?;
    let size = screen.terminal.size().map_err(failed)?;
    let state = State::new(described(&session), Keymap::built_in(), (size.width, size.height));
    let (events, jobs) = mpsc::channel(EVENTS);
    let worker = Worker::new(Arc::new(session), events);
    let mut console = Console { state, worker, look, started: Instant::now(), dirty: true };
    let reason = console.run(&mut screen, jobs).await.map_err(failed)?;
    drop(screen);
    Ok(match reason {
        ExitReason::Quit => ExitCode::Done,
        ExitReason::Interrupted => ExitCode::Interrupted,
    })
}

/// How everything looks here: by configuration, `NO_COLOR`, the terminal's background and what the locale can show.
fn look(session: &Session, no_color: bool) -> Result<Look, Stop> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let theme = match no_color || set("NO_COLOR").is_some() {
        true => String::from("mono"),
        false => session.settings.theme.value.to_string(),
    };
    let theme = Theme::named(&theme, set("COLORFGBG").as_deref())
        .map_err(|why| Stop::usage("use the theme", why, "`bucketree config show` says where it was set"))?;
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name)).unwrap_or_default().to_lowercase();
    let is_unicode = locale.contains("utf-8") || locale.contains("utf8") || cfg!(windows);
    Ok(Look { theme, glyphs: if is_unicode { Glyphs::UNICODE } else { Glyphs::ASCII } })
}

fn described(session: &Session) -> crate::app::Session {
    let identity = session.store.identity();
    crate::app::Session {
        profile: session.settings.profile.as_ref().map(|profile| profile.value.clone()).unwrap_or_default(),
        host: identity.endpoint.split("://").last().unwrap_or_default().trim_end_matches('/').into(),
        bucket: identity.bucket.clone(),
        registries: session.registry.iter().map(|registry| registry.name().to_owned()).collect(),
        min_age_seconds: session.policy.min_age_seconds,
    }
}

/// The one owner of the state.
struct Console {
    state: State,
    worker: Worker,
    look: Look,
    started: Instant,
    dirty: bool,
}

impl Console {
    async fn run(&mut self, screen: &mut Screen, mut jobs: mpsc::Receiver<Event>) -> std::io::Result<ExitReason> {
        let mut input = EventStream::new();
        let mut signals = Signals::listen()?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut drawn = Instant::now();
        let first = start(&mut self.state);
        self.frame(&mut screen.terminal)?;
        let mut left = self.perform(first, screen)?;
        while left.is_none() {
            let frame_due = tokio::time::sleep_until((drawn + FRAME).into());
            let event = tokio::select! {
                biased;
                key = input.next() => match key {
                    Some(key) => self.input(key?),
                    // The terminal is gone; a run ends after the batches in flight.
                    None => Some(Event::Terminate),
                },
                () = signals.terminate() => Some(Event::Terminate),
                () = frame_due, if self.dirty => {
                    self.frame(&mut screen.terminal)?;
                    drawn = Instant::now();
                    None
                }
                Some(event) = jobs.recv() => Some(event),
                _ = tick.tick(), if self.state.needs_ticks() => Some(self.tick()),
            };
            let Some(event) = event else { continue };
            left = self.take(event, screen)?;
            let turn = Instant::now();
            while left.is_none() && turn.elapsed() < TURN {
                let Ok(event) = jobs.try_recv() else { break };
                left = self.take(event, screen)?;
            }
        }
        // Jobs that still have something to say must not wait for a reader.
        jobs.close();
        let told = tokio::spawn(async move { while jobs.recv().await.is_some() {} });
        self.worker.finish().await;
        told.abort();
        Ok(left.unwrap_or(ExitReason::Quit))
    }

    fn input(&self, input: Input) -> Option<Event> {
        let at = self.started.elapsed();
        match input {
            Input::Key(key) => Some(Event::Key { key, at }),
            Input::Mouse(mouse) => Some(Event::Mouse { mouse, at }),
            Input::Paste(text) => Some(Event::Paste(text)),
            Input::Resize(width, height) => Some(Event::Resize(width, height)),
            Input::FocusGained | Input::FocusLost => None,
        }
    }

    fn tick(&self) -> Event {
        Event::Tick { at: self.started.elapsed(), clock: self.worker.clock() }
    }

    fn frame<B: Backend>(&mut self, terminal: &mut Terminal<B>) -> Result<(), B::Error> {
        self.dirty = false;
        terminal.draw(|frame| draw(frame, &self.state, &self.look)).map(|_| ())
    }

    /// Takes one event in; a reason to leave, if that came of it.
    fn take(&mut self, event: Event, screen: &mut Screen) -> std::io::Result<Option<ExitReason>> {
        self.dirty = true;
        let effects = update(&mut self.state, event);
        self.perform(effects, screen)
    }

    fn perform(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> std::io::Result<Option<ExitReason>> {
        let mut left = None;
        for effect in effects {
            match self.worker.perform(effect, &self.state) {
                None => {}
                Some(Own::Copy(text)) => screen.copy(&text)?,
                Some(Own::Suspend) => {
                    screen.suspend()?;
                    self.dirty = true;
                }
                Some(Own::Redraw) => screen.terminal.clear()?,
                Some(Own::Quit(reason)) => left = Some(reason),
            }
        }
        Ok(left)
    }
}
