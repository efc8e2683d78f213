//! What is guessed. It stands beside the exact part, never inside it: nothing here changes a level.

mod form;
mod window;

pub(crate) use form::FormGuess;
pub(crate) use window::FlightWindow;
