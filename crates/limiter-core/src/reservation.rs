//! Capacity taken before a request is sent.

use crate::learn::Ledger;
use crate::{Cost, Nanos, Taken};

/// Capacity that one request holds. It ends in exactly one of the limiter's methods that take it by value: `settle`,
/// `release`, `refuse`, `fail` or `forfeit` of [`Limiter`](crate::Limiter). It cannot be copied.
///
/// Whoever drops it without any of them keeps the request counted as in flight for ever: an owner that may be dropped
/// at any moment (an async permit) forfeits it in its own `Drop`.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a reservation is settled or released"]
pub struct Reservation {
    /// Which admission of its limiter this is; later ones have larger numbers.
    pub(crate) number: u64,
    pub(crate) cost: Cost,
    pub(crate) admitted_at: Nanos,
    /// Everything that was admitted up to this one.
    pub(crate) ledger: Ledger,
    /// What was taken of the first found limits.
    pub(crate) charged: [u64; Self::REMEMBERED],
    /// What had come back by then of the first found limits, where what was taken is logged. Wraps.
    pub(crate) returned: [u64; Self::REMEMBERED],
    /// A bit for each found limit of which the provider has spoken in its answer.
    pub(crate) spoken_of: u32,
    /// How many were in flight when it was admitted, with it.
    pub(crate) beside: u64,
    /// Whether the provider refused it and said that less was left than it may take: of requests, and of anything else.
    pub(crate) lacks: [bool; 2],
}

impl Reservation {
    /// How many found limits are told apart.
    pub(crate) const MOST_FOUND: usize = 32;

    /// Of how many found limits is remembered what was taken: requests, tokens, input and output tokens.
    pub(crate) const REMEMBERED: usize = 4;

    pub(crate) const fn is_spoken_of(&self, found: usize) -> bool {
        self.spoken_of & (1 << found) != 0
    }

    pub(crate) const fn speak_of(&mut self, found: usize) {
        self.spoken_of |= 1 << found;
    }

    /// How the buckets know it.
    pub(crate) const fn taken(&self) -> Taken {
        Taken { number: self.number, at: self.admitted_at }
    }

    /// What was reserved.
    #[must_use]
    pub const fn cost(&self) -> &Cost {
        &self.cost
    }
}
