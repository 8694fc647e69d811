//! Keys as they arrive from a terminal.

/// The bytes of a key by its name: `a`, `Enter`, `Esc`, `Space`, `Tab`, `BackTab`, `Backspace`, `Up`, `Down`, `Left`,
/// `Right`, `Home`, `End`, `PageUp`, `PageDown`, `Delete`, `F1`, `Ctrl-c`. `None` if no key has this name.
pub fn bytes(name: &str) -> Option<Vec<u8>> {
    let named = match name {
        "Enter" => "\r",
        "Esc" => "\x1b",
        "Space" => " ",
        "Tab" => "\t",
        "BackTab" => "\x1b[Z",
        "Backspace" => "\x7f",
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "PageUp" => "\x1b[5~",
        "PageDown" => "\x1b[6~",
        "Delete" => "\x1b[3~",
        "F1" => "\x1bOP",
        _ => "",
    };
    if !named.is_empty() {
        return Some(named.as_bytes().to_vec());
    }
    match name.strip_prefix("Ctrl-").map(str::as_bytes) {
        // A terminal sends a control letter as its place in the alphabet.
        Some([letter @ b'a'..=b'z']) => Some(vec![letter - b'a' + 1]),
        None if name.chars().count() == 1 => Some(name.as_bytes().to_vec()),
        _ => None,
    }
}

/// A left click at a cell, counted from 0, as a terminal with SGR mouse reports sends it.
pub fn click(column: u16, row: u16) -> Vec<u8> {
    let (x, y) = (column + 1, row + 1);
    format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m").into_bytes()
}

/// Text that arrives at once from the clipboard, as a terminal in bracketed-paste mode sends it.
pub fn paste(text: &str) -> Vec<u8> {
    format!("\x1b[200~{text}\x1b[201~").into_bytes()
}
