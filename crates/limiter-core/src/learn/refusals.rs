//! How long to hold back after a refusal that does not say.

use crate::{Backoff, Nanos};

/// Flights of requests refused in a row. The requests that were in flight together are refused together: they count
/// once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusals {
    in_a_row: u32,
    /// Refusals of admissions up to this one are counted.
    counted: u64,
    since: Option<Nanos>,
}

impl Refusals {
    pub(crate) const fn new() -> Self {
        Self { in_a_row: 0, counted: 0, since: None }
    }

    pub(crate) const fn answered(&mut self) {
        self.in_a_row = 0;
        self.since = None;
    }

    /// How long nothing but refusals has been seen.
    pub(crate) fn lasting(&self, now: Nanos) -> Nanos {
        self.since.map_or(Nanos::ZERO, |since| now.saturating_sub(since))
    }

    /// The admission `number` was refused at `now`; `latest` is the newest admission there is.
    pub(crate) fn refused(&mut self, number: u64, latest: u64, now: Nanos) {
        self.since = self.since.or(Some(now));
        if number > self.counted {
            self.counted = latest;
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
    }

    /// How long to hold back now.
    pub(crate) fn delay(&self, backoff: &Backoff, random: u64) -> Nanos {
        backoff.half_jittered(self.in_a_row.saturating_sub(1), random)
    }
}
