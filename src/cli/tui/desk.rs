//! State, screen and jobs together: what the loop drives, and what a test drives in its place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType};
use tokio::sync::mpsc;

use super::worker::{Own, Worker};
use crate::app::keymap::Keymap;
use crate::app::stroke::Stroke;
use crate::app::{Effect, Event, State, start, update};
use crate::cli::session::Session;
use crate::ui;
use crate::ui::theme::Look;

/// Events of jobs that may wait. A slow screen slows the listing down instead of filling the memory.
const WAITING: usize = 32;

/// Job events are taken in for at most this long before the keys are looked at again.
const BUDGET: Duration = Duration::from_millis(4);

/// At most sixty frames a second.
const FRAME: Duration = Duration::from_micros(16_667);

/// One task owns all of this: there is no lock around the state.
pub struct Desk<B: Backend> {
    /// What is shown.
    pub state: State,
    terminal: Terminal<B>,
    look: Look,
    worker: Worker,
    events: mpsc::Receiver<Event>,
    started: Instant,
    drawn: Option<Instant>,
    dirty: bool,
    own: Vec<Own>,
}

impl<B: Backend> Desk<B> {
    /// A desk whose first requests are already under way.
    pub fn new(session: Arc<Session>, terminal: Terminal<B>, keymap: Keymap, look: Look) -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let worker = Worker::new(Arc::clone(&session), sender);
        let size = terminal.size().map_or((80, 24), |size| (size.width, size.height));
        let mut state = State::new(super::facts(&session), keymap, size);
        state.clock = Some(session.clock.now());
        let effects = start(&mut state);
        let mut desk = Self {
            state,
            terminal,
            look,
            worker,
            events,
            started: Instant::now(),
            drawn: None,
            dirty: true,
            own: Vec::new(),
        };
        desk.perform(effects);
        if !desk.state.session.offline {
            desk.worker.look_for_unfinished();
        }
        desk
    }

    /// Takes one event in.
    pub fn take(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        self.perform(effects);
        self.dirty = true;
        let discarded = self.state.take_discarded();
        if !discarded.is_empty() {
            self.worker.let_go(discarded);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.own.extend(self.worker.perform(effect, &self.state));
        }
    }

    /// What only the owner of the terminal can do, in order.
    pub fn own(&mut self) -> Vec<Own> {
        std::mem::take(&mut self.own)
    }

    /// What came from the terminal.
    pub fn input(&mut self, input: Input) {
        let at = self.started.elapsed();
        self.state.clock = Some(self.worker.clock());
        match input {
            Input::Key(key) => self.take(Event::Key { key, at }),
            Input::Mouse(mouse) => self.take(Event::Mouse { mouse, at }),
            Input::Paste(text) => self.take(Event::Paste(text)),
            Input::Resize(width, height) => {
                self.take(Event::Resize(width, height));
                // Of several sizes in a row only the last is heard of, which may be the one before: what the terminal
                // made of its cells in between is not known.
                self.own.push(Own::Redraw);
            }
            Input::FocusGained | Input::FocusLost => {}
        }
    }

    /// Tells the time.
    pub fn tick(&mut self) {
        self.take(Event::Tick { at: self.started.elapsed(), clock: self.worker.clock() });
    }

    /// Takes in the event of a job and what else is waiting, but not for longer than the keys can wait.
    pub fn take_jobs(&mut self, first: Event) {
        let begun = Instant::now();
        self.take(first);
        while begun.elapsed() < BUDGET
            && let Ok(event) = self.events.try_recv()
        {
            self.take(event);
        }
    }

    /// The next event of a job.
    pub async fn next_job(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// When the next frame is due; `None` if nothing has changed.
    pub fn frame_due(&self) -> Option<Instant> {
        self.dirty.then(|| self.drawn.map_or(self.started, |drawn| drawn + FRAME))
    }

    /// Draws.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self) -> Result<(), B::Error> {
        self.dirty = false;
        self.drawn = Some(Instant::now());
        let (state, look) = (&self.state, &self.look);
        self.terminal.draw(|frame| ui::draw(frame, state, look)).map(|_| ())
    }

    /// Forgets what is on the screen, so that everything is drawn anew.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn forget_screen(&mut self) -> Result<(), B::Error> {
        self.dirty = true;
        // `Terminal::clear` asks the terminal where its cursor is, and fails if that takes it two seconds to say.
        self.terminal.backend_mut().clear_region(ClearType::All)?;
        self.terminal.swap_buffers(); // both are empty then, so that the next frame writes every cell
        Ok(())
    }

    /// The screen as it is drawn now.
    pub fn backend(&self) -> &B {
        self.terminal.backend()
    }

    /// Stops listening to jobs, and waits for a run to have written down its last outcome.
    pub async fn finish(mut self) -> State {
        self.events.close();
        self.worker.finish().await;
        self.state
    }

    /// Presses keys as the keymap spells them, one after the other as a hand would: `jj<space>d`.
    ///
    /// # Errors
    /// If one of them is no key.
    pub fn press(&mut self, keys: &str) -> Result<(), String> {
        for stroke in Stroke::parse_all(keys)? {
            let key: KeyEvent = stroke.event();
            let at = self.state.now + crate::app::confirm::HUMAN_PAUSE;
            self.take(Event::Key { key, at });
        }
        Ok(())
    }
}
