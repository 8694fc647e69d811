//! The help overlay: every binding of the keymap, searchable.

use super::action::Action;
use super::input::Input;
use super::keymap::{Context, Keymap};

/// What is searched for, and how far the list is scrolled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Help {
    /// The text that lines must hold.
    pub search: Input,
    /// First line shown.
    pub scroll: usize,
}

/// A line of the help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelpLine {
    /// A heading.
    Heading(&'static str),
    /// Keys and what they do.
    Keys(String, &'static str),
}

/// The lines that hold the text, contexts that count now first.
pub fn lines(keymap: &Keymap, current: Context, search: &str) -> Vec<HelpLine> {
    let search = search.to_lowercase();
    let mut contexts = vec![current];
    contexts.extend(Context::ALL.into_iter().filter(|context| *context != current));
    let mut lines = Vec::new();
    for context in contexts {
        let mut heading = Some(HelpLine::Heading(context.title()));
        for binding in keymap.bindings().filter(|binding| binding.context == context) {
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            let keys = keys.join(" ");
            if holds(&search, binding.action, &keys) {
                lines.extend(heading.take());
                lines.push(HelpLine::Keys(keys, binding.action.help()));
            }
        }
    }
    lines
}

fn holds(search: &str, action: Action, keys: &str) -> bool {
    action.help().to_lowercase().contains(search) || action.name().contains(search) || keys.to_lowercase() == search
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_begins_with_what_counts_now_and_can_be_searched() {
        let keymap = Keymap::built_in();
        let all = lines(&keymap, Context::Plan, "");
        assert_eq!(all.first(), Some(&HelpLine::Heading("Plan")));
        let found = lines(&keymap, Context::Tree, "glob");
        let keys: Vec<&str> = found
            .iter()
            .filter_map(|line| if let HelpLine::Keys(keys, _) = line { Some(keys.as_str()) } else { None })
            .collect();
        assert_eq!(keys, ["+", "_"]);
    }
}
