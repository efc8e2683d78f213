//! What is guessed. It stands beside the exact part, never inside it: nothing here changes a level.

mod form;
mod margin;
mod refusals;
mod window;

pub(crate) use form::{FormGuess, latest_turn};
pub(crate) use margin::Margin;
pub(crate) use refusals::Refusals;
pub(crate) use window::FlightWindow;
