//! A program in a real pseudo terminal: type, wait until the screen shows what it should, read the screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::keys;

/// How long a screen may take to show what a test waits for: a failure's price, never a success's.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two keys of a quick typist.
const HAND: Duration = Duration::from_millis(150);

/// Longer than any pause within a frame, also on a busy machine.
const QUIET: Duration = Duration::from_millis(300);

/// Columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

impl Size {
    pub const fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows }
    }

    fn cells(self) -> (NonZeroU16, NonZeroU16) {
        (NonZeroU16::new(self.rows).expect("rows"), NonZeroU16::new(self.columns).expect("columns"))
    }
}

impl From<Size> for PtySize {
    fn from(size: Size) -> Self {
        Self { rows: size.rows, cols: size.columns, ..Self::default() }
    }
}

/// Our program with `arguments`; nothing of the caller's environment reaches it, and all that it keeps for its user
/// lies under `home`.
pub fn bucketree(home: &Path, arguments: &[&str]) -> CommandBuilder {
    command(home, env!("CARGO_BIN_EXE_bucketree"), arguments)
}

/// Any program, as [`bucketree`].
pub fn command(home: &Path, program: &str, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.env_clear();
    command.env("HOME", home);
    command.env("TMPDIR", home);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    command.env("LANG", "C.UTF-8");
    command.cwd(home);
    command
}

/// A running program and its terminal; dropped, the program is killed.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Writer,
    seen: Arc<Seen>,
    /// Line settings before the program changed them, in words.
    settings: String,
}

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

struct Seen {
    output: Mutex<Output>,
    changed: Condvar,
}

struct Output {
    parser: vt100::Parser<Answers>,
    raw: Vec<u8>,
    ended: bool,
}

/// What a real terminal answers when asked where its cursor is and what it is; programs wait for it.
#[derive(Default)]
struct Answers(Vec<u8>);

impl vt100::Callbacks for Answers {
    fn unhandled_csi(&mut self, screen: &mut vt100::Screen, i1: Option<u8>, _: Option<u8>, params: &[&[u16]], c: char) {
        let (row, column) = screen.cursor_position();
        match (i1, c, params.first().and_then(|first| first.first())) {
            (None, 'n', Some(6)) => self.0.extend(format!("\x1b[{};{}R", row + 1, column + 1).bytes()),
            (None, 'c', _) => self.0.extend(b"\x1b[?62;22c"),
            _ => {}
        }
    }
}

impl Pty {
    /// Starts `command` in a terminal of `size`.
    pub fn start(command: CommandBuilder, size: Size) -> Self {
        let pair = native_pty_system().openpty(size.into()).expect("a pseudo terminal");
        let settings = format!("{:?}", pair.master.get_termios());
        let child = pair.slave.spawn_command(command).expect("the program starts");
        // The output ends when the program, its last holder, ends.
        drop(pair.slave);
        let (rows, columns) = size.cells();
        let parser = vt100::Parser::new_with_callbacks(rows, columns, 0, Answers::default());
        let output = Mutex::new(Output { parser, raw: Vec::new(), ended: false });
        let seen = Arc::new(Seen { output, changed: Condvar::new() });
        let writer: Writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let reader = pair.master.try_clone_reader().expect("a reader");
        std::thread::spawn({
            let (seen, writer) = (Arc::clone(&seen), Arc::clone(&writer));
            move || seen.read_all(reader, &writer)
        });
        Self { child, master: pair.master, writer, seen, settings }
    }

    /// Presses one key after the other, by the names of [`keys::bytes`]. An `Esc` and a key right after it look like
    /// one `Alt` chord to any program: wait for what the `Esc` does first.
    pub fn press(&self, names: &[&str]) {
        for name in names {
            self.send(&keys::bytes(name).unwrap_or_else(|| panic!("no key is named {name:?}")));
        }
    }

    /// Presses a key as a hand does, a while after the key before. What must be sure of a person looks at the clock, so
    /// here time itself is what has to pass; see first that the screen shows what came before.
    pub fn press_by_hand(&self, name: &str) {
        std::thread::sleep(HAND);
        self.press(&[name]);
    }

    /// Types `text` letter by letter.
    pub fn type_text(&self, text: &str) {
        text.chars().for_each(|letter| self.send(letter.to_string().as_bytes()));
    }

    /// Sends raw input.
    pub fn send(&self, bytes: &[u8]) {
        let mut writer = self.writer.lock().expect("the writer");
        writer.write_all(bytes).and_then(|()| writer.flush()).expect("the terminal takes input");
    }

    /// Gives the terminal another size, as dragging its corner does.
    pub fn resize(&self, size: Size) {
        let (rows, columns) = size.cells();
        self.output().parser.set_size(rows, columns);
        self.master.resize(size.into()).expect("another size");
    }

    /// Waits until the screen shows `text` within one row, whose end has no spaces.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("shows {text:?}"), |screen| shows(screen, text));
    }

    /// Waits until no row of the screen shows `text`.
    #[track_caller]
    pub fn wait_gone(&self, text: &str) {
        self.wait_until(&format!("shows no {text:?}"), |screen| !shows(screen, text));
    }

    /// Waits until the screen `is` so; fails with the screen if the program ends or nothing comes of it.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut output = self.output();
        while !is(output.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let why = if output.ended { "the program has ended" } else { "time is up" };
            assert!(!output.ended && !left.is_zero(), "no screen that {what}; {why}:\n{}", framed(&output));
            output = self.seen.changed.wait_timeout(output, left).expect("the reader").0;
        }
    }

    /// Waits until the program has ended, and returns its exit code.
    #[track_caller]
    pub fn wait_exit(&mut self) -> u32 {
        let output = self.output();
        let running = |output: &mut Output| !output.ended;
        let (output, timeout) = self.seen.changed.wait_timeout_while(output, PATIENCE, running).expect("the reader");
        assert!(!timeout.timed_out(), "the program still runs:\n{}", framed(&output));
        drop(output);
        self.child.wait().expect("an exit status").exit_code()
    }

    /// Waits until the program has nothing more to say for now: a frame arrives in pieces.
    #[track_caller]
    pub fn wait_quiet(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut output = self.output();
        loop {
            let heard = output.raw.len();
            let nothing_new = |output: &mut Output| output.raw.len() == heard && !output.ended;
            output = self.seen.changed.wait_timeout_while(output, QUIET, nothing_new).expect("the reader").0;
            if output.raw.len() == heard {
                return;
            }
            assert!(Instant::now() < deadline, "never quiet:\n{}", framed(&output));
        }
    }

    /// Sends the program a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().expect("a running program").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success(), "the signal {name} was not sent");
    }

    /// The rows of the screen, without the spaces at their ends.
    pub fn screen_text(&self) -> String {
        rows(self.output().parser.screen()).join("\n")
    }

    /// Everything that the program has written.
    pub fn raw(&self) -> Vec<u8> {
        self.output().raw.clone()
    }

    /// The screen as a picture.
    pub fn svg(&self, title: &str) -> String {
        super::svg::picture(self.output().parser.screen(), title)
    }

    /// Fails if the program left the terminal in another state than it found it.
    #[track_caller]
    pub fn assert_restored(&self) {
        let output = self.output();
        let screen = output.parser.screen();
        assert!(!screen.alternate_screen(), "left in the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "pastes are still bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still captured");
        assert_eq!(format!("{:?}", self.master.get_termios()), self.settings, "the line settings have changed");
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.seen.lock()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seen {
    /// A test that fails while it looks at the screen leaves the screen as it was.
    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_all(&self, mut reader: Box<dyn Read + Send>, writer: &Writer) {
        let mut chunk = [0; 65536];
        loop {
            // On Linux the end of a pseudo terminal is an error.
            let length = reader.read(&mut chunk).unwrap_or(0);
            let mut output = self.lock();
            output.raw.extend(&chunk[..length]);
            output.parser.process(&chunk[..length]);
            output.ended = length == 0;
            let answer = std::mem::take(&mut output.parser.callbacks_mut().0);
            drop(output);
            self.changed.notify_all();
            if length == 0 {
                return;
            }
            if !answer.is_empty() {
                let mut writer = writer.lock().expect("the tests");
                // A program that ends meanwhile does not care.
                let _ = writer.write_all(&answer).and_then(|()| writer.flush());
            }
        }
    }
}

fn shows(screen: &vt100::Screen, text: &str) -> bool {
    rows(screen).iter().any(|row| row.contains(text))
}

fn rows(screen: &vt100::Screen) -> Vec<String> {
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
}

fn framed(output: &Output) -> String {
    rows(output.parser.screen()).iter().map(|row| format!("  | {row}\n")).collect()
}
