//! The least time in which a provider can have admitted everything, whoever asks: what a run is compared with.
//!
//! It is a lower bound, the fluid one: an [`Ideal`] client cuts requests as fine as it likes, knows every limit and
//! everything that will happen, and takes what is there at the first moment at which it is there. That requests go whole
//! and in some order, that answers have to tell what nobody knew, is left out, and costs a real client a little. Nothing
//! here comes from the limiter or the simulator; time goes in steps of a millisecond.
//!
//! Some exceptions make it less strict, and a ratio below 1 possible. Where somebody else lives on the same limits, that
//! client is counted as served in full, though a faster one may be ahead of it. Where output is charged only when it has
//! been produced, what is in flight at the last admission has not been charged yet. And where quota comes in slices, a
//! request larger than one is let in before the slices that pay for it, which nobody can do with more than the last.
//!
//! Where the rule of charging changes, the client knows the rule of the moment and not the next: who knew would save up
//! what will buy more. And where what is in flight is not counted yet, everything at once would be let in and owed
//! afterwards: the minimum is that of a client that keeps the limit all the same.
//!
//! One thing makes it stricter than anybody can be: where more is charged at the start than in the end, what is in flight
//! at the last admission is still held in full. With short answers that is next to nothing.

mod ideal;
mod supply;

pub(super) use ideal::{Held, Ideal};
pub(super) use supply::{Events, Span, Supply};

#[cfg(test)]
mod tests;
