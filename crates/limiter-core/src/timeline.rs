//! The caller's clock made to run forward.
//!
//! Callers on several threads may be a little late with their `now`; that changes nothing. A clock may also be plainly
//! wrong for a while. If a jump ahead were simply believed for ever, nothing would refill until the clock got there
//! again. So a clock that goes back by more than [`LATE`] is taken to have been set: time goes on from where it was,
//! at the new reading. And of a jump by months only as much is believed as fills everything up, and none of it from a
//! clock that was set back lately: no wrong clock may use up the time there is.
//!
//! The price: a clock that is set back and forth by more than a minute refills what it runs through a second time. It
//! cannot be told from one that was set right, and instants that were answered have to hold.

use crate::{Limit, Nanos, Refill};

/// Time as the limiter counts it, which never goes backwards.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeline {
    /// The caller's latest reading.
    seen: Nanos,
    /// The limiter's time at that reading.
    present: Nanos,
    /// Until when jumps are not believed.
    distrusted_until: Nanos,
    started: bool,
}

/// No thread is a minute late.
const LATE: Nanos = Nanos::MINUTE;
/// A longer step is a jump.
const LEAP: u64 = 2 * Limit::MAX_WINDOW.get();
/// Half of the time there is.
const LATEST_START: Nanos = Nanos::new(u64::MAX / 2);

impl Timeline {
    pub(crate) const fn new() -> Self {
        Self { seen: Nanos::ZERO, present: Nanos::ZERO, distrusted_until: Nanos::ZERO, started: false }
    }

    /// The limiter's time when the caller's clock reads `now`; `None` where the clock has jumped or is late.
    #[inline]
    pub(crate) fn step(&mut self, now: Nanos) -> Option<Nanos> {
        let step = now.get().wrapping_sub(self.seen.get());
        if step > LEAP || !self.started {
            return None;
        }
        self.seen = now;
        self.present = self.present.saturating_add(Nanos::new(step));
        Some(self.present)
    }

    /// The same where [`step`](Self::step) does not know.
    #[cold]
    pub(crate) fn jump(&mut self, now: Nanos) -> Nanos {
        if !self.started {
            (self.present, self.started) = (now.min(LATEST_START), true);
        } else if now > self.seen {
            if self.present >= self.distrusted_until {
                self.present = self.present.saturating_add(Limit::MAX_WINDOW);
            }
        } else if self.seen.saturating_sub(now) <= LATE {
            return self.present;
        } else {
            self.distrusted_until = self.present.saturating_add(Limit::MAX_WINDOW);
        }
        self.seen = now;
        self.present
    }

    /// The limiter's latest time.
    pub(crate) const fn present(&self) -> Nanos {
        self.present
    }

    /// The same timeline at `now`, for answers that change nothing.
    pub(crate) fn peek(&self, now: Nanos) -> Self {
        let mut copy = *self;
        if copy.step(now).is_none() {
            copy.jump(now);
        }
        copy
    }

    /// What the caller's clock reads at an instant of the limiter's. The end of time is the end of time.
    #[inline]
    pub(crate) const fn out(&self, instant: Nanos) -> Nanos {
        if self.seen.get() == self.present.get() || instant.get() == u64::MAX {
            return instant;
        }
        if instant.get() >= self.present.get() {
            self.seen.saturating_add(instant.saturating_sub(self.present))
        } else {
            self.seen.saturating_sub(self.present.saturating_sub(instant))
        }
    }

    /// A limit whose boundaries are on the caller's clock, on the limiter's.
    pub(crate) fn limit_in(&self, limit: Limit) -> Limit {
        self.shifted(limit, self.seen, self.present)
    }

    /// A limit whose boundaries are on the limiter's clock, on the caller's.
    pub(crate) fn limit_out(&self, limit: Limit) -> Limit {
        self.shifted(limit, self.present, self.seen)
    }

    fn shifted(&self, limit: Limit, from: Nanos, to: Nanos) -> Limit {
        let Refill::AtBoundary { phase } = limit.refill() else { return limit };
        let window = limit.window().get();
        let back = window - from.get() % window;
        let phase = (u128::from(phase.get() % window) + u128::from(back) + u128::from(to.get())) % u128::from(window);
        limit.with_refill(Refill::AtBoundary { phase: Nanos::new(u64::try_from(phase).unwrap_or(0)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dimension;

    impl Timeline {
        fn at(&mut self, now: Nanos) -> Nanos {
            self.step(now).unwrap_or_else(|| self.jump(now))
        }
    }

    fn secs(seconds: u64) -> Nanos {
        Nanos::from_secs(seconds)
    }

    #[test]
    fn a_late_reading_changes_nothing() {
        let mut time = Timeline::new();
        assert_eq!(time.at(secs(100)), secs(100));
        assert_eq!(time.at(secs(99)), secs(100));
        assert_eq!(time.at(secs(101)), secs(101));
    }

    #[test]
    fn a_clock_that_was_set_back_goes_on_from_there() {
        let mut time = Timeline::new();
        time.at(secs(10_000));
        assert_eq!(time.at(secs(5)), secs(10_000));
        assert_eq!(time.at(secs(7)), secs(10_002));
        assert_eq!(time.out(secs(10_012)), secs(17));
        assert_eq!(time.out(secs(10_000)), secs(5));
        assert_eq!(time.out(Nanos::MAX), Nanos::MAX);
    }

    #[test]
    fn a_program_that_sleeps_for_months_finds_everything_full() {
        let mut time = Timeline::new();
        time.at(Nanos::ZERO);
        for day in [100, 200, 300] {
            let before = time.present();
            assert_eq!(time.at(secs(day * 86_400)), before.saturating_add(Limit::MAX_WINDOW));
        }
    }

    #[test]
    fn no_reading_uses_up_the_time_there_is() {
        let mut time = Timeline::new();
        for _ in 0..100_000 {
            time.at(Nanos::MAX);
            time.at(Nanos::ZERO);
        }
        let before = time.at(secs(1));
        assert_eq!(time.at(secs(2)), before.saturating_add(secs(1)));
    }

    #[test]
    fn boundaries_stay_where_the_caller_put_them() {
        let mut time = Timeline::new();
        time.at(secs(10_000));
        time.at(secs(5));
        let phase = |second| Refill::AtBoundary { phase: secs(second) };
        let limit = Limit::per_minute(Dimension::Requests, 1).with_refill(phase(15));
        // 15 on the caller's clock is ten seconds ahead: 10,010, which is 50 s after a multiple of a minute.
        assert_eq!(time.limit_in(limit).refill(), phase(50));
        assert_eq!(time.limit_out(time.limit_in(limit)), limit);
    }
}
