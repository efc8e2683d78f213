//! When a window turns that is documented to be fixed, and whether it is one.

use super::latest_turn;
use crate::{Limit, Nanos, Refill};

/// The turns that one limit's answers told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    first: Option<Nanos>,
    /// How many were not a whole number of windows after the first one.
    strays: u32,
    /// Whether all of it was there after one.
    gave_all: bool,
    /// Whether all of it was not there after one.
    gave_part: bool,
}

/// Turns told in whole seconds are off by up to one.
const TOLERANCE: Nanos = Nanos::SECOND;
/// Clocks drift apart by up to 100 millionths: one part of ten thousand.
const DRIFT: u64 = 10_000;
/// One stray turn is a clock that was set; a second one says that this is no fixed window.
const STRAYS: u32 = 2;

impl Turns {
    /// The refill of a limit that is said to turn at `phase`. One that turns at other times than its window allows is
    /// no fixed window, whatever is documented.
    pub(crate) fn learn(&mut self, phase: Nanos, known: &Limit) -> Refill {
        self.gave_all = true;
        // Measured against the first one: the next may be a little later each time.
        let first = *self.first.get_or_insert(phase);
        let window = known.window().get();
        let distance = phase.get().abs_diff(first.get());
        let apart = distance % window;
        if apart.min(window - apart) > TOLERANCE.get().saturating_add(distance / DRIFT) {
            self.first = Some(phase);
            self.strays = self.strays.saturating_add(1);
        }
        match known.refill() {
            _ if self.strays >= STRAYS => Refill::Continuous,
            Refill::AtBoundary { phase: earlier } => {
                Refill::AtBoundary { phase: latest_turn(earlier, phase, known.window()) }
            }
            _ => Refill::AtBoundary { phase },
        }
    }

    /// Whether what is told as a turn is known to be one.
    pub(crate) const fn is_certain(&self) -> bool {
        self.gave_all
    }

    /// After a turn more was there than comes back of a sliding window.
    pub(crate) const fn gave_all(&mut self) {
        self.gave_all = true;
    }

    /// After what was told as one no more was there than comes back of a sliding window.
    pub(crate) const fn gave_part(&mut self) {
        self.gave_part = true;
    }

    /// Whether what was told as a turn was taken for none. It may have been told too early.
    pub(crate) const fn is_doubtful(&self) -> bool {
        self.gave_part && !self.gave_all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dimension;

    #[test]
    fn turns_a_window_apart_are_a_fixed_window_and_two_strays_are_not() {
        let mut limit = Limit::per_minute(Dimension::Requests, 10);
        let mut turns = Turns::default();
        let said = [
            (60, Some(60)),
            (120, Some(120)),
            (181, Some(181)),
            (200, Some(200)),
            (260, Some(260)),
            (300, None),
            (360, None),
        ];
        for (second, expected) in said {
            let refill = turns.learn(Nanos::from_secs(second), &limit);
            let phase = match refill {
                Refill::AtBoundary { phase } => Some(phase.get() / Nanos::SECOND.get()),
                _ => None,
            };
            assert_eq!(phase, expected, "at {second}");
            limit = limit.with_refill(refill);
        }
    }

    #[test]
    fn a_clock_that_drifts_does_not_unlearn_a_fixed_window() {
        let mut limit = Limit::per_minute(Dimension::Requests, 10);
        let mut turns = Turns::default();
        for minute in 1..10_000_u64 {
            // 20 millionths too fast.
            let turn = Nanos::new(minute * (Nanos::MINUTE.get() + 1_200_000));
            limit = limit.with_refill(turns.learn(turn, &limit));
        }
        assert!(matches!(limit.refill(), Refill::AtBoundary { .. }));
    }

    #[test]
    fn a_turn_is_certain_once_it_gave_all_back_or_is_documented() {
        let mut turns = Turns::default();
        turns.gave_part();
        assert!(turns.is_doubtful() && !turns.is_certain());
        // It had been told too early.
        turns.gave_all();
        assert!(!turns.is_doubtful() && turns.is_certain());
        let mut documented = Turns::default();
        documented.learn(Nanos::MINUTE, &Limit::per_minute(Dimension::Requests, 10));
        assert!(documented.is_certain());
    }
}
