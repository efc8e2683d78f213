//! The least time in which a provider can have admitted everything, whoever asks: what a run is compared with.
//!
//! It is a lower bound, the fluid one: an [`Ideal`] client cuts requests as fine as it likes, knows every limit and
//! everything that will happen, and takes what is there at the first moment at which it is there. That requests go whole
//! and in some order, that answers have to tell what nobody knew, is left out, and costs a real client a little. Nothing
//! here comes from the limiter; time goes in steps of a millisecond. Where somebody else lives on the same limits, it is
//! the bound of what that client left: what it took is counted by the simulator, second by second, because it takes only
//! what is there, and so less beside a client that is faster.
//!
//! Some exceptions make it less strict, and a ratio below 1 possible:
//!
//! * Where output is charged only when it has been produced, what is in flight at the last admission has not been charged
//!   yet.
//! * Where quota comes in slices, a request larger than one is let in before the slices that pay for it, which nobody can
//!   do with more than the last.
//! * Where the rule of charging changes, the client knows the rule of the moment and not the next: who knew would save up
//!   what will buy more.
//! * Where what is in flight is not counted yet, everything at once would be let in and owed afterwards: the minimum is
//!   that of a client that keeps the limit all the same.
//!
//! A ratio that is clearly below 1 is therefore no goal that was met: what it was compared with was no bound.
//!
//! One thing makes it stricter than anybody can be: where more is charged at the start than in the end, what is in flight
//! at the last admission is still held in full. With short answers that is next to nothing.

mod ideal;
mod others;
mod supply;

pub(super) use ideal::{Held, Ideal};
pub(super) use supply::{Events, Refill, Span, Supply};

#[cfg(test)]
mod tests;
