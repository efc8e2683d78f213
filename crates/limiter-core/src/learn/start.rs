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
    /// When the space was halved.
    halved_at: Nanos,
}

/// A free account may have three requests a minute, of which the first refusal tells; most have a few hundred, which
/// this goes at before the first answer.
const FIRST: Nanos = Nanos::from_millis(125);
/// A refusal comes back faster than this, so that what one doubling sends too much is known before the next.
const DOUBLES_IN: Nanos = Nanos::SECOND;

impl Spacing {
    /// So many spaced requests may be in flight before any is answered: those of the first three seconds. Where less is
    /// allowed, a refusal comes before.
    pub(crate) const IN_FLIGHT: u64 = 64;

    pub(crate) const fn new() -> Self {
        Self { space: FIRST, next: Nanos::ZERO, halved_at: Nanos::ZERO }
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
        if now >= self.halved_at.saturating_add(DOUBLES_IN) {
            self.halved_at = now;
            self.space = Nanos::new(self.space.get() / 2);
        }
        self.next = now.saturating_add(self.space);
    }

    /// A request was refused.
    pub(crate) fn refused(&mut self, now: Nanos) {
        self.halved_at = now;
        self.space = Nanos::new(self.space.get().saturating_mul(2)).min(FIRST);
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
        spacing.refused(now);
        spacing.sent(now);
        assert_eq!(spacing.next(), now.saturating_add(Nanos::new(62_500_000)));
        (0..9).for_each(|_| spacing.refused(now));
        spacing.sent(now);
        assert_eq!(spacing.next(), now.saturating_add(FIRST));
    }
}
