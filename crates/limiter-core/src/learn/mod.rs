//! What is guessed. It stands beside the exact part, never inside it: nothing here changes a level.

mod depth;
mod form;
mod margin;
mod refusals;
mod turns;
mod window;

pub(crate) use depth::Depth;
pub(crate) use form::{FormGuess, latest_turn};
pub(crate) use margin::Margin;
pub(crate) use refusals::Refusals;
pub(crate) use turns::Turns;
pub(crate) use window::FlightWindow;
