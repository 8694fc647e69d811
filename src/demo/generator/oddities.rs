//! Keys that no layout reads: what else lies in a bucket, and every key that ever broke a tool.

use super::Maker;
use crate::domain::Verdict;

/// Keys that S3 allows and tools lose.
pub(super) fn nasty_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "/lead",
        " leading space.txt",
        "trailing space.txt ",
        "nasty/\u{1b}[31mred.txt",
        "nasty/\u{1b}]0;title\u{7}.txt",
        "nasty/\u{202e}gpj.exe.txt",
        "nasty/line\nbreak.txt",
        "nasty/carriage\rreturn.txt",
        "nasty/tab\tstop.txt",
        "nasty/50%.txt",
        "nasty/a%2Fb.txt",
        "nasty/a+b.txt",
        "nasty/a b.txt",
        "nasty/<&\"'>.txt",
        "nasty/back\\slash.txt",
        "nasty/caf\u{e9}.txt",
        "nasty/cafe\u{301}!.txt",
        "nasty/zero\u{200b}width.txt",
        "nasty/?query=1#fragment.txt",
        "nasty/../climb.txt",
        "nasty/./here.txt",
        "nasty/\u{1f3ac}.txt",
        "nasty//double//slash/",
    ]
    .map(str::to_owned)
    .into();
    let mut longest = "nasty/longest/".to_owned();
    while longest.len() < 1024 {
        longest.push(if longest.len().is_multiple_of(64) { '/' } else { 'x' });
    }
    keys.push(longest);
    keys
}

/// Ordinary keys that belong to no project. `audio/music/...` looks like the audio of a project named `music`, and is not.
const COMMON: [&str; 14] = [
    "README.txt",
    "audio/music/rain.mp3",
    "audio/music/lofi/evening.mp3",
    "audio/music/lofi/morning.mp3",
    "audio/effects/door/creak.mp3",
    "backups/projects-2025-01.json",
    "backups/projects-2025-02.json",
    "exports/usage.json",
    "fonts/LICENSE.txt",
    "logs/upload-errors.log",
    "media/stock/city/night.jpg",
    "projects/index.json",
    "users/user123/avatar.png",
    "video/templates/countdown.mp4",
];

pub(super) fn add(maker: &mut Maker) {
    for key in COMMON {
        let days = maker.random.below(700) as i64;
        maker.add(key.to_owned(), days, Verdict::Unrecognized);
    }
    for month in 1..=12 {
        maker.add(format!("logs/2025/{month:02}/upload.log"), 700 - 30 * month, Verdict::Unrecognized);
    }
    for key in nasty_keys() {
        let days = maker.random.below(700) as i64;
        let is_folder = key.ends_with('/');
        let object = maker.add(key, days, Verdict::Unrecognized);
        if is_folder {
            object.size = 0;
        }
    }
}
