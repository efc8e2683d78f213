//! How many requests may be in flight while nothing is known about the limits.
//!
//! As TCP does with a network it knows nothing about (RFC 5681): begin with a few, double every round trip while all
//! goes well, halve on a refusal, and grow by one per round trip from there.

/// The largest number of requests in flight while the limits are unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlightWindow {
    allowed: u64,
    /// Below it the window doubles every round trip, above it grows by one.
    threshold: u64,
    answered: u64,
    /// Refusals of requests admitted up to this one belong to the decrease already made.
    decreased_at: u64,
}

/// RFC 6928's ten segments are for hosts that expect them; four requests find out the limits just as well, and a
/// free-tier quota may be three a minute.
const INITIAL: u64 = 4;

impl FlightWindow {
    pub(crate) const fn new() -> Self {
        Self { allowed: INITIAL, threshold: u64::MAX, answered: 0, decreased_at: 0 }
    }

    pub(crate) const fn allowed(&self) -> u64 {
        self.allowed
    }

    /// A request was answered well.
    pub(crate) const fn answered(&mut self) {
        if self.allowed < self.threshold {
            self.allowed = self.allowed.saturating_add(1);
            return;
        }
        self.answered += 1;
        if self.answered >= self.allowed {
            self.answered = 0;
            self.allowed = self.allowed.saturating_add(1);
        }
    }

    /// The admission `number` was refused, when `in_flight` were, for something that nobody had spoken of: begins again with
    /// a few, up to half of what was in flight. `latest` is the newest admission there is.
    pub(crate) fn restart(&mut self, number: u64, latest: u64, in_flight: u64) {
        if number > self.decreased_at {
            *self = Self { allowed: INITIAL, threshold: (in_flight / 2).max(1), answered: 0, decreased_at: latest };
        }
    }

    /// The admission `number` was refused for its rate; `latest` is the newest admission there is.
    pub(crate) fn refused(&mut self, number: u64, latest: u64) {
        if number <= self.decreased_at {
            return;
        }
        self.decreased_at = latest;
        self.answered = 0;
        self.threshold = (self.allowed / 2).max(1);
        self.allowed = self.threshold;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_doubles_every_round_trip_until_the_first_refusal_then_grows_by_one() {
        let mut window = FlightWindow::new();
        for expected in [8, 16, 32] {
            for _ in 0..window.allowed() {
                window.answered();
            }
            assert_eq!(window.allowed(), expected);
        }
        window.refused(1, 60);
        assert_eq!(window.allowed(), 16);
        for _ in 0..16 {
            window.answered();
        }
        assert_eq!(window.allowed(), 17);
    }

    #[test]
    fn refusals_of_one_flight_halve_it_once_and_one_request_is_always_allowed() {
        let mut window = FlightWindow::new();
        window.refused(1, 4);
        window.refused(2, 4);
        window.refused(4, 4);
        assert_eq!(window.allowed(), 2);
        for number in 5..20 {
            window.refused(number, number);
        }
        assert_eq!(window.allowed(), 1);
    }
}
