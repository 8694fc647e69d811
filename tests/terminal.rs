//! The tools that the other terminal tests and the pictures rest on, tried on programs that everybody knows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::keys;
use common::pty::{Pty, Size, command};

const SMALL: Size = Size::new(30, 6);

fn shell(script: &str) -> (tempfile::TempDir, Pty) {
    let home = tempfile::tempdir().unwrap();
    let pty = Pty::start(command(home.path(), "sh", &["-c", script]), SMALL);
    (home, pty)
}

#[test]
fn a_program_is_typed_to_and_its_screen_is_read() {
    let (_home, mut pty) = shell(r#"printf 'name? '; read name; printf 'hello %s\n' "$name"; exit 3"#);
    pty.wait_for("name?");
    pty.type_text("Ada");
    pty.press(&["Enter"]);
    pty.wait_for("hello Ada");
    assert_eq!(pty.wait_exit(), 3);
    assert_eq!(pty.screen_text().trim_end(), "name? Ada\nhello Ada");
    assert_eq!(pty.raw(), b"name? Ada\r\nhello Ada\r\n");
    pty.assert_restored();
}

#[test]
fn nothing_of_the_caller_reaches_the_program_but_the_path() {
    // Whoever runs the tests sets this.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let (_home, mut pty) = shell(r#"echo "[$CARGO_MANIFEST_DIR]"; [ "$HOME" = "$PWD" ] && echo at home"#);
    pty.wait_exit();
    assert_eq!(pty.screen_text().trim_end(), "[]\nat home");
}

#[test]
fn a_resize_reaches_the_program() {
    let (_home, pty) = shell("trap 'stty size; exit' WINCH; echo ready; while :; do read line; done");
    pty.wait_for("ready");
    pty.resize(Size::new(44, 11));
    pty.wait_for("11 44");
}

#[test]
fn the_terminal_says_where_its_cursor_is() {
    let (_home, mut pty) =
        shell("stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -An -c | tr -d ' \\n'; stty sane");
    pty.wait_for("033[1;3R");
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn a_terminal_left_in_disorder_is_noticed() {
    for disorder in [r"printf '\033[?25l'", r"printf '\033[?1049h'", r"printf '\033[?1000h'", "stty -echo"] {
        let (_home, mut pty) = shell(disorder);
        pty.wait_exit();
        let restored = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pty.assert_restored()));
        assert!(restored.is_err(), "{disorder}");
    }
}

#[test]
fn waiting_in_vain_shows_the_screen() {
    let (_home, pty) = shell("echo something else");
    let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pty.wait_for("what never comes")));
    let message = *failure.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("the program has ended") && message.contains("| something else"), "{message}");
}

#[test]
fn keys_are_what_terminals_send() {
    let sent = ["a", "é", "Ctrl-c", "Enter", "Down", "Esc"].map(|name| keys::bytes(name).unwrap());
    assert_eq!(sent, [b"a".to_vec(), "é".as_bytes().to_vec(), vec![3], vec![13], b"\x1b[B".to_vec(), vec![27]]);
    assert_eq!(keys::bytes("Entr"), None);
    assert_eq!(keys::click(0, 9), b"\x1b[<0;1;10M\x1b[<0;1;10m");
    assert_eq!(keys::paste("x"), b"\x1b[200~x\x1b[201~");
}

/// The lines of the picture of what `printed` shows that are about its cells.
fn drawn(printed: &str) -> Vec<String> {
    let mut parser = vt100::Parser::new(2.try_into().unwrap(), 20.try_into().unwrap(), 0);
    parser.process(b"\x1b[?25l");
    parser.process(printed.as_bytes());
    let svg = common::svg::picture(parser.screen(), "a <title>");
    assert!(svg.contains("<title>a &lt;title&gt;</title>"));
    svg.lines().filter(|line| line.starts_with("<rect x") || line.starts_with("<text")).map(str::to_owned).collect()
}

#[test]
fn a_screen_becomes_a_picture() {
    let text = |x: &str, width: &str, attributes: &str, text: &str| {
        let placed = format!(r#"<text x="{x}" y="25.0" textLength="{width}" lengthAdjust="spacingAndGlyphs""#);
        format!("{placed} {attributes}>{text}</text>")
    };
    assert_eq!(drawn(""), [""; 0]);
    assert_eq!(drawn("\x1b[31m&<\x1b[m"), [text("12.0", "16.8", r##"fill="#e06c75""##, "&amp;&lt;")]);
    assert_eq!(
        drawn("\x1b[1;38;5;196m語\x1b[m"),
        [text("12.0", "16.8", r##"fill="#ff0000" font-weight="bold""##, "語")]
    );
    assert_eq!(
        drawn("\x1b[38;2;1;2;3mx\x1b[my"),
        [text("12.0", "8.4", r##"fill="#010203""##, "x"), text("20.4", "8.4", r##"fill="#d4d7dd""##, "y")]
    );
    assert_eq!(
        drawn("\x1b[7mx\x1b[m"),
        [
            r##"<rect x="12.0" y="12.0" width="8.4" height="17" shape-rendering="crispEdges" fill="#d4d7dd"/>"##
                .to_owned(),
            text("12.0", "8.4", r##"fill="#161a20""##, "x"),
        ]
    );
}
