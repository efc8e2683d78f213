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
    /// How many are in flight that went since the last of these.
    asking: u64,
}

/// What most limits are stated for. Within it, it is asked again every so often at least, a sixth of it: one that has come
/// back is not used for half of that on average.
const WINDOW: Nanos = Nanos::MINUTE;
const ASKS: Nanos = Nanos::from_secs(10);

impl Refusals {
    pub(crate) const fn new() -> Self {
        Self { in_a_row: 0, counted: 0, since: None, asking: 0 }
    }

    /// The admission `number` was let through. One that went before the last refusal came says nothing: its answer may be
    /// much later.
    pub(crate) const fn answered(&mut self, number: u64) {
        if number > self.counted {
            self.in_a_row = 0;
            self.since = None;
        }
    }

    /// How long nothing but refusals has been seen.
    pub(crate) fn lasting(&self, now: Nanos) -> Nanos {
        self.since.map_or(Nanos::ZERO, |since| now.saturating_sub(since))
    }

    /// The admission `number` was refused at `now`; `latest` is the newest admission there is. `counts`: for a rate that
    /// nothing tells.
    pub(crate) fn refused(&mut self, number: u64, latest: u64, counts: bool, now: Nanos) {
        self.since = self.since.or(Some(now));
        if counts && number > self.counted {
            (self.counted, self.asking) = (latest, 0);
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
    }

    /// Whether one flight after the other was refused: then one at a time asks.
    pub(crate) const fn is_on(&self) -> bool {
        self.in_a_row > 1
    }

    /// Whether one asks already. Those that went before the last refusal may take much longer, and tell nothing.
    pub(crate) const fn is_asking(&self) -> bool {
        self.is_on() && self.asking > 0
    }

    /// A request goes.
    pub(crate) const fn admitted(&mut self) {
        self.asking = self.asking.saturating_add(1);
    }

    /// The admission `number` has ended.
    pub(crate) const fn ended(&mut self, number: u64) {
        if number > self.counted {
            self.asking = self.asking.saturating_sub(1);
        }
    }

    /// How long to hold back now.
    pub(crate) fn delay(&self, backoff: &Backoff, random: u64, now: Nanos) -> Nanos {
        let most = if self.lasting(now) < WINDOW { ASKS } else { Nanos::MAX };
        backoff.half_jittered(self.in_a_row.saturating_sub(1), random).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_after_two_flights_though_some_from_before_are_not_answered() {
        let mut refusals = Refusals::new();
        (0..5).for_each(|_| refusals.admitted());
        refusals.refused(1, 4, true, Nanos::ZERO);
        refusals.ended(1);
        refusals.refused(5, 5, true, Nanos::SECOND);
        refusals.ended(5);
        // The others are in flight for long.
        assert!(refusals.is_on() && !refusals.is_asking());
        refusals.answered(2);
        refusals.ended(2);
        assert!(refusals.is_on(), "it went before");
        refusals.admitted();
        assert!(refusals.is_asking());
        refusals.answered(6);
        assert!(!refusals.is_on());
    }
}
