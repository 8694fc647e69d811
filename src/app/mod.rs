//! Pure: what the terminal interface knows ([`state::State`]), what wakes it ([`event::Event`]), what the user may ask of it
//! ([`action::Action`]), what it asks of the world ([`effect::Effect`]), and [`update`], which leads from one to the next.
//! Nothing here waits, draws or touches a file.

pub mod action;
pub mod between;
pub mod confirm;
pub mod effect;
pub mod event;
pub mod expansion;
pub mod filter;
pub mod folders;
pub mod forest;
pub mod gather;
pub mod group_forest;
pub mod groups;
pub mod help;
pub mod input;
pub mod kept;
pub mod keymap;
pub mod layout;
pub mod log;
pub mod marks;
mod model;
pub mod number;
pub mod order;
pub mod registry;
pub mod run;
pub mod runs;
pub mod state;
pub mod stroke;
#[cfg(test)]
pub(crate) mod testing;
mod update;

pub use self::action::Action;
pub use self::effect::{Effect, ExitReason, Ticket};
pub use self::event::Event;
pub use self::state::{Session, State, View};
pub use self::update::{start, update};
