//! Colors and glyphs. Color is never the only signal: every state has a glyph of its own.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::domain::selection::Extent;
use crate::domain::{Flag, Flags, Verdict};

/// The themes that are built in, by name.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("auto", include_str!("../../assets/themes/auto.toml")),
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

macro_rules! roles {
    ($($role:ident)*) => {
        /// The style of each role on the screen.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        #[expect(missing_docs, reason = "a role is its name")]
        pub struct Theme { $(pub $role: Style,)* }

        impl Theme {
            fn from_styles(styles: &BTreeMap<String, Style>) -> Result<Self, String> {
                const NAMES: &[&str] = &[$(stringify!($role),)*];
                if let Some(unknown) = styles.keys().find(|name| !NAMES.contains(&name.as_str())) {
                    return Err(format!("a theme has no role {unknown:?}; there are {}", NAMES.join(", ")));
                }
                Ok(Self { $($role: styles.get(stringify!($role)).copied().unwrap_or_default(),)* })
            }
        }
    };
}

roles! {
    folder object dim title cursor cursor_idle mark orphaned conflict untracked unrecognized undetermined live flag
    info warning error danger key border border_active gauge tab
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleText {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    reversed: bool,
    #[serde(default)]
    underlined: bool,
}

impl StyleText {
    fn style(&self) -> Result<Style, String> {
        let color = |name: &Option<String>| -> Result<Option<Color>, String> {
            name.as_ref().map(|name| name.parse().map_err(|_| format!("{name:?} is not a color"))).transpose()
        };
        let mut style = Style::new();
        style.fg = color(&self.fg)?;
        style.bg = color(&self.bg)?;
        for (wanted, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.reversed, Modifier::REVERSED),
            (self.underlined, Modifier::UNDERLINED),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        Ok(style)
    }
}

impl Theme {
    /// Reads a theme: `role = { fg = "blue", bold = true }`.
    ///
    /// # Errors
    /// An unknown role, color or attribute; each is named.
    pub fn parse(toml: &str) -> Result<Self, String> {
        let texts: BTreeMap<String, StyleText> = toml::from_str(toml).map_err(|error| error.to_string())?;
        let mut styles = BTreeMap::new();
        for (role, text) in texts {
            let style = text.style().map_err(|error| format!("{role}: {error}"))?;
            styles.insert(role, style);
        }
        Self::from_styles(&styles)
    }

    /// The built-in theme of that name; `auto` chooses by what the terminal says of its background (`COLORFGBG`, as
    /// `foreground;background`), and takes colors that can be read on both if it says nothing.
    ///
    /// # Errors
    /// No theme is called so.
    pub fn named(name: &str, colorfgbg: Option<&str>) -> Result<Self, String> {
        let background = colorfgbg.and_then(|text| text.rsplit(';').next()).and_then(|text| text.parse::<u8>().ok());
        let chosen = match (name, background) {
            ("auto", Some(7 | 9..=15)) => "light",
            ("auto", Some(_)) => "dark",
            (name, _) => name,
        };
        match BUILT_IN.iter().find(|(known, _)| *known == chosen) {
            Some((_, toml)) => Self::parse(toml),
            None => {
                Err(format!("no theme is called {name:?}; there are {}", BUILT_IN.map(|(name, _)| name).join(", ")))
            }
        }
    }

    /// The style of a verdict.
    pub fn verdict(&self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Live => self.live,
            Verdict::Untracked => self.untracked,
            Verdict::Orphaned => self.orphaned,
            Verdict::Conflict => self.conflict,
            Verdict::Unrecognized => self.unrecognized,
            Verdict::Undetermined => self.undetermined,
        }
    }
}

/// The signs of the screen, for terminals that can show them and for those that cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "a sign is its name")]
pub struct Glyphs {
    pub marked: &'static str,
    pub partly: &'static str,
    pub failed: &'static str,
    pub double: &'static str,
    pub young: &'static str,
    pub protected: &'static str,
    pub partly_orphaned: &'static str,
    pub open: &'static str,
    pub closed: &'static str,
    pub cut: &'static str,
    pub dot: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
    pub busy: [&'static str; 4],
    verdicts: [&'static str; Verdict::ALL.len()],
    /// Whether boxes may be drawn with lines.
    pub lines: bool,
}

impl Glyphs {
    /// For terminals that show Unicode.
    pub const UNICODE: Glyphs = Glyphs {
        marked: "●",
        partly: "◐",
        failed: "✗",
        double: "⧉",
        young: "◷",
        protected: "⛨",
        partly_orphaned: "△",
        open: "▼ ",
        closed: "▶ ",
        cut: "…",
        dot: "·",
        yes: "✓",
        no: "✗",
        full: "█",
        empty: "░",
        busy: ["◐", "◓", "◑", "◒"],
        verdicts: [" ", "○", "▲", "≠", "?", "…"],
        lines: true,
    };

    /// For all others.
    pub const ASCII: Glyphs = Glyphs {
        marked: "*",
        partly: "+",
        failed: "X",
        double: "D",
        young: "y",
        protected: "P",
        partly_orphaned: "a",
        open: "v ",
        closed: "> ",
        cut: "~",
        dot: "-",
        yes: "+",
        no: "X",
        full: "#",
        empty: ".",
        busy: ["|", "/", "-", "\\"],
        verdicts: [" ", "o", "A", "#", "?", ":"],
        lines: false,
    };

    /// The sign of a verdict.
    pub fn verdict(&self, verdict: Verdict) -> &'static str {
        self.verdicts[verdict as usize]
    }

    /// The sign of the flag that matters most.
    pub fn flags(&self, flags: Flags) -> &'static str {
        match () {
            () if flags.has(Flag::Protected) => self.protected,
            () if flags.has(Flag::DoublePrefixed) => self.double,
            () if flags.has(Flag::Young) => self.young,
            () => " ",
        }
    }

    /// The sign of how much is marked.
    pub fn mark(&self, extent: Extent) -> &'static str {
        match extent {
            Extent::None => " ",
            Extent::Some => self.partly,
            Extent::All => self.marked,
        }
    }
}

/// How everything looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// Styles.
    pub theme: Theme,
    /// Signs.
    pub glyphs: Glyphs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_themes_are_whole_and_none_is_hard_black_or_white() {
        for (name, toml) in BUILT_IN {
            let theme = Theme::parse(toml).expect(name);
            assert_ne!(theme.cursor, Style::default(), "{name}: the cursor must be seen");
            assert!(!toml.contains("\"white\"") && !toml.contains("\"black\""), "{name}");
            let colored = toml.contains("fg =") || toml.contains("bg =");
            assert_eq!(colored, name != "mono", "{name}");
        }
    }

    #[test]
    fn the_theme_follows_the_background() {
        let named = |name: &str, colors| Theme::named(name, colors).expect("a theme");
        assert_eq!(named("auto", Some("0;15")), named("light", None));
        assert_eq!(named("auto", Some("15;0")), named("dark", None));
        assert_ne!(named("auto", None), named("mono", None));
        assert!(Theme::named("neon", None).expect_err("no theme").contains("neon"));
        assert!(Theme::parse("folder = { fg = \"mauvish\" }").expect_err("no color").contains("mauvish"));
        assert!(Theme::parse("folders = {}").expect_err("no role").contains("folders"));
    }

    #[test]
    fn every_sign_takes_one_cell_and_the_plain_ones_are_ascii() {
        use unicode_width::UnicodeWidthStr;
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            let signs = [glyphs.marked, glyphs.partly, glyphs.failed, glyphs.double, glyphs.young, glyphs.protected];
            for sign in signs.into_iter().chain(glyphs.verdicts).chain(glyphs.busy).chain([glyphs.cut, glyphs.full]) {
                assert_eq!(sign.width(), 1, "{sign}");
                assert!(glyphs.lines || sign.is_ascii(), "{sign}");
            }
        }
    }
}
