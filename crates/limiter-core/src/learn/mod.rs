//! What is guessed. It stands beside the exact part, never inside it: nothing here changes
//! the level of a limit. Where no limit is told at all, `pace` keeps levels of its own.

mod asks;
mod chance;
mod charge;
mod constant;
mod depth;
mod flat;
mod form;
mod grain;
mod growth;
mod guard;
mod ledger;
mod margin;
mod others;
mod pace;
mod refusals;
mod returns;
mod rivals;
mod slices;
mod standstill;
mod start;
mod turns;
mod window;
mod yields;

pub(crate) use asks::Asks;
pub(crate) use chance::{Chance, Tested, Verdict};
pub(crate) use charge::{Charge, Ends, Rule, Shape, Word};
pub(crate) use constant::Constant;
pub(crate) use depth::Depth;
pub(crate) use form::{FormGuess, latest_turn};
pub(crate) use grain::Grain;
pub(crate) use growth::Growth;
pub(crate) use guard::Guard;
pub(crate) use ledger::{Account, Ledger, Parts};
pub(crate) use margin::Margin;
pub(crate) use others::{Between, Others, Spoken};
pub(crate) use pace::{Pace, Refused};
pub(crate) use refusals::Refusals;
pub(crate) use returns::Returns;
pub(crate) use rivals::{Heard, Rivals};
pub(crate) use slices::Slices;
pub(crate) use standstill::Standstill;
pub(crate) use start::Spacing;
pub(crate) use turns::Turns;
pub(crate) use window::{Cause, FlightWindow};
pub(crate) use yields::Yield;
