//! When a window turns that is documented to be fixed, and whether it is one.

use super::latest_turn;
use crate::{Limit, Nanos, Refill};

/// The turns that one limit's answers told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    first: Option<Nanos>,
    /// Whether they are not a window apart.
    at_will: bool,
}

/// Turns told in whole seconds are off by up to one.
const TOLERANCE: Nanos = Nanos::SECOND;

impl Turns {
    /// The refill of a limit that is said to turn at `phase`. One that turns at other times than its window allows is
    /// no fixed window, whatever is documented.
    pub(crate) fn learn(&mut self, phase: Nanos, known: &Limit) -> Refill {
        // Measured against the first one: the next may be a little later each time.
        let first = *self.first.get_or_insert(phase);
        let window = known.window().get();
        let apart = phase.get().abs_diff(first.get()) % window;
        self.at_will |= apart.min(window - apart) > TOLERANCE.get();
        match known.refill() {
            _ if self.at_will => Refill::Continuous,
            Refill::AtBoundary { phase: earlier } => {
                Refill::AtBoundary { phase: latest_turn(earlier, phase, known.window()) }
            }
            _ => Refill::AtBoundary { phase },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dimension;

    #[test]
    fn turns_a_window_apart_are_a_fixed_window_and_others_are_not() {
        let mut limit = Limit::per_minute(Dimension::Requests, 10);
        let mut turns = Turns::default();
        for (second, expected) in [(60, Some(60)), (120, Some(120)), (181, Some(181)), (200, None), (240, None)] {
            let refill = turns.learn(Nanos::from_secs(second), &limit);
            let phase = match refill {
                Refill::AtBoundary { phase } => Some(phase.get() / Nanos::SECOND.get()),
                _ => None,
            };
            assert_eq!(phase, expected, "at {second}");
            limit = limit.with_refill(refill);
        }
    }
}
