//! How fast requests go out before anything is known.
//!
//! The number in flight alone does not bound a burst: where answers take milliseconds, doubling it every round trip is
//! thousands of requests in the first second, and where a limit is met, all that were sent in that moment are refused.
//! So they are spaced, too: eight a second at first, twice as many each second while none is refused. A refusal comes at
//! once, so a second without one says as much as an answer, which may take a minute. A full bucket is lost by nobody who
//! goes at more than its rate; there is no hurry to empty it.

use crate::Nanos;

/// The space between two requests while nothing is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spacing {
    space: Nanos,
    next: Nanos,
    /// When the space was halved, and how many went since.
    halved_at: Nanos,
    sent: u64,
    /// Refusals of admissions up to this one are counted.
    doubled_up_to: u64,
}

/// A free account may have three requests a minute, of which the first refusal tells; most have a few hundred, which
/// this goes at before the first answer.
const FIRST: Nanos = Nanos::from_millis(125);
/// A refusal comes back faster than this, so that what one doubling sends too much is known before the next.
const DOUBLES_IN: Nanos = Nanos::SECOND;
/// And so many went, as in the first second: where less than one a second is let through, a second says nothing.
const DOUBLES_AFTER: u64 = 8;
/// The slowest: one a minute.
const SLOWEST: Nanos = Nanos::MINUTE;

impl Spacing {
    /// So many spaced requests may be in flight before any is answered: those of the first three seconds. Where less is
    /// allowed, a refusal comes before.
    pub(crate) const IN_FLIGHT: u64 = 64;

    pub(crate) const fn new() -> Self {
        Self { space: FIRST, next: Nanos::ZERO, halved_at: Nanos::ZERO, sent: 0, doubled_up_to: 0 }
    }

    /// When the next request may go.
    pub(crate) const fn next(&self) -> Nanos {
        self.next
    }

    /// A request goes at `now`.
    pub(crate) fn sent(&mut self, now: Nanos) {
        if self.next == Nanos::ZERO {
            self.halved_at = now;
        }
        if now >= self.halved_at.saturating_add(DOUBLES_IN) && self.sent >= DOUBLES_AFTER {
            (self.halved_at, self.sent) = (now, 0);
            self.space = Nanos::new(self.space.get() / 2);
        }
        self.sent += 1;
        self.next = now.saturating_add(self.space);
    }

    /// The admission `number` was refused; `latest` is the newest one, and `recovered` whether one was let through since
    /// the last time: a server that lets nothing through is not too slow for this, but has nothing left for a while. The
    /// refusal `took` so long to come, and twice that is how far apart the next ones are at least, so that it is known what
    /// came of one before the next one goes.
    pub(crate) fn refused(&mut self, number: u64, latest: u64, recovered: bool, took: Nanos, now: Nanos) {
        if number <= self.doubled_up_to {
            return;
        }
        (self.doubled_up_to, self.halved_at, self.sent) = (latest, now, 0);
        let doubled = Nanos::new(self.space.get().saturating_mul(2));
        let known = Nanos::new(took.get().saturating_mul(2)).min(FIRST);
        let most = if recovered { SLOWEST } else { FIRST.max(self.space) };
        self.space = doubled.min(most).max(known);
        self.next = self.next.max(now.saturating_add(self.space));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_halves_once_a_second_and_doubles_when_one_is_refused() {
        let mut spacing = Spacing::new();
        let mut now = Nanos::ZERO;
        let mut sent = 0;
        while now < Nanos::from_secs(3) {
            spacing.sent(now);
            (now, sent) = (spacing.next(), sent + 1);
        }
        assert_eq!(sent, 8 + 16 + 32);
        let mut refused = |number, latest, recovered, took| {
            spacing.refused(number, latest, recovered, Nanos::from_millis(took), now);
            assert_eq!(spacing.next(), spacing.next().max(now.saturating_add(spacing.space)));
            spacing.space.get() / 1_000
        };
        // Those of one flight count once, and nothing was let through.
        assert_eq!([50, 51, 59].map(|number| refused(number, 60, false, 0)), [62_500; 3]);
        assert_eq!([61, 62, 63, 64].map(|number| refused(number, number, false, 0)), [125_000; 4]);
        // A slow server lets one through now and then.
        assert_eq!([65, 66, 67].map(|number| refused(number, number, true, 0)), [250_000, 500_000, 1_000_000]);
        assert_eq!((68..90).map(|number| refused(number, number, true, 0)).last(), Some(60_000_000));
    }

    #[test]
    fn what_came_of_one_is_known_before_the_next_one_goes_after_a_refusal() {
        let space_after = |took| {
            let mut spacing = Spacing::new();
            let mut now = Nanos::ZERO;
            while now < Nanos::from_secs(6) {
                spacing.sent(now);
                now = spacing.next();
            }
            spacing.refused(1, 1, false, Nanos::from_millis(took), now);
            spacing.space.get() / 1_000
        };
        // Twice the 4 ms that it was, twice the time that the refusal took, and no more than at first.
        assert_eq!([0, 1, 20, 60, 5_000].map(space_after), [7_812, 7_812, 40_000, 120_000, 125_000]);
    }
}
