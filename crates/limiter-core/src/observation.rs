//! What one response said about limits.

use crate::{Dimension, Nanos};

/// What one response said about one limit. Everything but the dimension is optional: providers leave parts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is counted.
    pub dimension: Dimension,
    /// The span the limit is stated for, where the response or the provider's documentation tells it. `None` lets the
    /// limiter infer it from `reset`, `limit` and `remaining`.
    pub window: Option<Nanos>,
    /// The amount allowed in one window.
    pub limit: Option<u64>,
    /// What was left when the provider wrote the response.
    pub remaining: Option<u64>,
    /// The span from the response to the moment when the limit is full again (a token bucket) or turns (a fixed
    /// window).
    pub reset: Option<Nanos>,
    /// Whether the provider is known to give everything back at once when the window turns. `false` where that is not
    /// known: the limiter finds out.
    pub fixed_window: bool,
}

impl Reading {
    /// A reading that says nothing yet about `dimension`.
    #[must_use]
    pub const fn of(dimension: Dimension) -> Self {
        Self { dimension, window: None, limit: None, remaining: None, reset: None, fixed_window: false }
    }

    /// Whether it says anything: a limit, what remains, or a reset.
    #[must_use]
    pub const fn says_something(&self) -> bool {
        self.limit.is_some() || self.remaining.is_some() || self.reset.is_some()
    }
}

/// What one response said about limits: up to [`Observation::CAPACITY`] readings, and how long to hold back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    readings: [Reading; Self::CAPACITY],
    len: usize,
    /// Whether it comes from a response that refused the request for its rate: then the request was not counted.
    pub refused: bool,
    /// How long the provider asked callers to hold back. Set it only for a response that refuses (408, 409, 429, 5xx):
    /// on a success it is advice about the window and must be left out.
    pub retry_after: Option<Nanos>,
}

impl Observation {
    /// How many readings one observation holds.
    pub const CAPACITY: usize = 12;

    /// An observation of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { readings: [Reading::of(Dimension::Requests); Self::CAPACITY], len: 0, refused: false, retry_after: None }
    }

    /// Adds a reading. One that says nothing, and any beyond [`Observation::CAPACITY`], is left out.
    pub fn push(&mut self, reading: Reading) {
        if reading.says_something()
            && let Some(slot) = self.readings.get_mut(self.len)
        {
            *slot = reading;
            self.len += 1;
        }
    }

    /// The readings, in the order they were added.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        self.readings.get(..self.len).unwrap_or_default()
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0 && self.retry_after.is_none()
    }
}

impl Default for Observation {
    fn default() -> Self {
        Self::new()
    }
}
