//! Which key does what, where. Read from `assets/keymap.toml`, changed by the user's configuration; help, footer and
//! manual are made from the result.

use std::collections::BTreeMap;

use super::action::Action;
use super::stroke::Stroke;

/// The table that is built in.
pub const BUILT_IN: &str = include_str!("../../assets/keymap.toml");

/// Where a key is pressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Context {
    /// Everywhere but where text is typed or a menu is open.
    Global,
    /// Folders, Projects and Findings.
    Tree,
    /// The plan.
    Plan,
    /// The log.
    Log,
    /// Past runs.
    Runs,
    /// The registry.
    Registry,
    /// A line of text is typed.
    Prompt,
    /// The text that confirms a plan is typed.
    Confirm,
    /// The help overlay.
    Help,
    /// A menu.
    Menu,
}

impl Context {
    /// Every context, in the order of the help.
    pub const ALL: [Context; 10] = [
        Context::Global,
        Context::Tree,
        Context::Plan,
        Context::Log,
        Context::Runs,
        Context::Registry,
        Context::Prompt,
        Context::Confirm,
        Context::Help,
        Context::Menu,
    ];

    /// Its name in the keymap.
    pub fn name(self) -> &'static str {
        match self {
            Context::Global => "global",
            Context::Tree => "tree",
            Context::Plan => "plan",
            Context::Log => "log",
            Context::Runs => "runs",
            Context::Registry => "registry",
            Context::Prompt => "prompt",
            Context::Confirm => "confirm",
            Context::Help => "help",
            Context::Menu => "menu",
        }
    }

    /// Its heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Context::Global => "Everywhere",
            Context::Tree => "Folders, Projects, Findings",
            Context::Plan => "Plan",
            Context::Log => "Log",
            Context::Runs => "Runs",
            Context::Registry => "Registry",
            Context::Prompt => "Typing a line",
            Context::Confirm => "Confirming a plan",
            Context::Help => "Help",
            Context::Menu => "Menus",
        }
    }

    /// Whether keys of [`Context::Global`] count here too.
    pub fn inherits(self) -> bool {
        matches!(self, Context::Tree | Context::Plan | Context::Log | Context::Runs | Context::Registry)
    }
}

/// One line of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// What.
    pub action: Action,
    /// With which keys; the first one is shown in the footer. Empty if unbound.
    pub keys: Vec<Stroke>,
}

/// The whole table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

/// The user's changes: context name, action name, keys.
pub type KeymapChanges = BTreeMap<String, BTreeMap<String, Vec<String>>>;

impl Keymap {
    /// The built-in table with the user's changes.
    ///
    /// # Errors
    /// An unknown context, action or key, or a key that would do two things in one context; each is named.
    pub fn with(changes: &KeymapChanges) -> Result<Self, String> {
        let mut keymap = Self { bindings: Vec::new() };
        keymap.apply(&toml::from_str(BUILT_IN).map_err(|error| error.to_string())?)?;
        keymap.apply(changes)?;
        keymap.check()?;
        Ok(keymap)
    }

    /// The built-in table.
    pub fn built_in() -> Self {
        // The built-in table is checked by a test; a broken one leaves no key but those of the terminal itself.
        Self::with(&KeymapChanges::new()).unwrap_or(Self { bindings: Vec::new() })
    }

    fn apply(&mut self, changes: &KeymapChanges) -> Result<(), String> {
        for (context_name, table) in changes {
            let context = Context::ALL.into_iter().find(|context| context.name() == context_name).ok_or_else(|| {
                format!(
                    "the keymap has no context {context_name:?}; there are {}",
                    Context::ALL.map(Context::name).join(", ")
                )
            })?;
            for (action_name, keys) in table {
                let action: Action = action_name.parse().map_err(|error| format!("in [{context_name}]: {error}"))?;
                let keys: Vec<Stroke> = keys
                    .iter()
                    .map(|key| Stroke::parse(key))
                    .collect::<Result<_, _>>()
                    .map_err(|error| format!("in [{context_name}] {action_name}: {error}"))?;
                match self.bindings.iter_mut().find(|known| known.context == context && known.action == action) {
                    Some(known) => known.keys = keys,
                    None => self.bindings.push(Binding { context, action, keys }),
                }
            }
        }
        self.bindings.sort_by_key(|binding| (binding.context, binding.action));
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let mut seen: BTreeMap<(Context, String), Action> = BTreeMap::new();
        for binding in &self.bindings {
            for key in &binding.keys {
                if let Some(other) = seen.insert((binding.context, key.to_string()), binding.action) {
                    return Err(format!(
                        "in [{}], {key} is bound to both {other} and {}",
                        binding.context.name(),
                        binding.action
                    ));
                }
            }
        }
        Ok(())
    }

    /// What a key does in a context.
    pub fn action(&self, context: Context, stroke: Stroke) -> Option<Action> {
        let within = |wanted: Context| {
            self.bindings
                .iter()
                .find(|binding| binding.context == wanted && binding.keys.contains(&stroke))
                .map(|binding| binding.action)
        };
        within(context).or_else(|| if context.inherits() { within(Context::Global) } else { None })
    }

    /// The key to show for an action in a context.
    pub fn key(&self, context: Context, action: Action) -> Option<Stroke> {
        let within = |wanted: Context| {
            self.bindings
                .iter()
                .find(|binding| binding.context == wanted && binding.action == action)
                .and_then(|binding| binding.keys.first().copied())
        };
        within(context).or_else(|| if context.inherits() { within(Context::Global) } else { None })
    }

    /// Every line that has a key, by context and in the order of the actions.
    pub fn bindings(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|binding| !binding.keys.is_empty())
    }

    /// The table as Markdown, for the documentation.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for context in Context::ALL {
            text.push_str(&format!("\n### {}\n\n| keys | action | does |\n|---|---|---|\n", context.title()));
            for binding in self.bindings().filter(|binding| binding.context == context) {
                let keys: Vec<String> = binding.keys.iter().map(|key| format!("`` {key} ``")).collect();
                text.push_str(&format!("| {} | `{}` | {} |\n", keys.join(" "), binding.action, binding.action.help()));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(toml: &str) -> Result<Keymap, String> {
        Keymap::with(&toml::from_str(toml).expect("toml"))
    }

    fn check(context: Context, key: &str, action: Option<Action>) {
        let stroke = Stroke::parse(key).expect("a key");
        assert_eq!(Keymap::built_in().action(context, stroke), action, "{context:?} {key}");
    }

    #[test]
    fn keys_do_what_the_table_says() {
        assert!(changed("").is_ok());
        check(Context::Tree, "j", Some(Action::Down));
        check(Context::Tree, "d", Some(Action::Plan));
        check(Context::Plan, "d", None);
        check(Context::Plan, "D", Some(Action::Confirm));
        check(Context::Tree, "<c-d>", Some(Action::HalfDown));
        check(Context::Prompt, "q", None);
        check(Context::Confirm, "D", None);
        check(Context::Tree, "z", Some(Action::Restore));
        check(Context::Runs, "z", Some(Action::Restore));
        check(Context::Confirm, "z", None);
    }

    #[test]
    fn no_key_of_the_tree_deletes_and_the_opening_key_does_not_confirm() {
        let keymap = Keymap::built_in();
        for key in ["<del>", "<bs>", "<c-d>", "d", "D", "<enter>"] {
            let action = keymap.action(Context::Tree, Stroke::parse(key).expect("a key"));
            assert!(!matches!(action, Some(Action::Confirm | Action::Submit)), "{key}");
        }
        assert_ne!(keymap.key(Context::Plan, Action::Confirm), keymap.key(Context::Confirm, Action::Submit));
    }

    #[test]
    fn users_rebind_and_unbind() {
        let keymap = changed("[tree]\nplan = [\"P\"]\nmark = []").expect("a keymap");
        assert_eq!(keymap.action(Context::Tree, Stroke::parse("P").expect("a key")), Some(Action::Plan));
        assert_eq!(keymap.action(Context::Tree, Stroke::parse("d").expect("a key")), None);
        assert_eq!(keymap.action(Context::Tree, Stroke::parse("<space>").expect("a key")), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (toml, word) in [
            ("[tree]\nexplode = [\"p\"]", "explode"),
            ("[forest]\nplan = [\"p\"]", "forest"),
            ("[tree]\nplan = [\"<nope>\"]", "nope"),
            ("[tree]\nplan = [\"j\"]\ndown = [\"j\"]", "bound to both"),
        ] {
            assert!(changed(toml).expect_err("a mistake").contains(word), "{toml}");
        }
    }

    #[test]
    fn every_action_can_be_reached_and_every_binding_is_in_the_documentation() {
        let keymap = Keymap::built_in();
        for action in Action::ALL {
            assert!(keymap.bindings().any(|binding| binding.action == *action), "{action} has no key");
        }
        let text = keymap.markdown();
        assert!(keymap.bindings().all(|binding| text.contains(binding.action.help())));
    }
}
