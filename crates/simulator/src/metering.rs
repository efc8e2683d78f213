//! One limit, metered exactly.
//!
//! A level is counted in sixty-billionths of a request or token: a limit of N per minute then refills exactly N units
//! a nanosecond, and no refill, however small, is rounded. Nothing here is shared with the limiter that is tested
//! against it.

use std::time::Duration;

use crate::Metering;

/// The units of one request or token: the nanoseconds of a minute.
const UNITS: i128 = 60_000_000_000;

/// One limit and its level. Times are spans since the Unix epoch.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    metering: Metering,
    per_minute: u64,
    /// The nanoseconds of a full bucket's refill, or of a window.
    depth: i128,
    capacity: i128,
    /// Below zero where something was charged afterwards that was not there.
    level: i128,
    at: i128,
}

fn nanoseconds(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}

fn duration(nanoseconds: i128) -> Duration {
    let nanoseconds = u128::try_from(nanoseconds).unwrap_or(0);
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanoseconds % 1_000_000_000).unwrap_or(0))
}

fn units(amount: u64) -> i128 {
    i128::from(amount) * UNITS
}

impl Meter {
    /// A meter for `per_minute`, filled to the share `fill` of what `depth` refills.
    pub(crate) fn new(metering: Metering, per_minute: u64, depth: Duration, fill: f64, now: Duration) -> Self {
        const BILLION: i128 = 1_000_000_000;
        let depth = nanoseconds(depth);
        let capacity = i128::from(per_minute).saturating_mul(depth).max(UNITS);
        let billionths = (fill.clamp(0.0, 1.0) * 1e9).round() as i128;
        let level = capacity / BILLION * billionths + capacity % BILLION * billionths / BILLION;
        Self { metering, per_minute, depth, capacity, level, at: nanoseconds(now) }
    }

    /// What the limit says, per minute.
    pub(crate) const fn per_minute(&self) -> u64 {
        self.per_minute
    }

    /// The most that can ever be taken at once.
    pub(crate) fn capacity(&self) -> u64 {
        whole(self.capacity)
    }

    /// What can be taken now.
    pub(crate) fn remaining(&self) -> u64 {
        whole(self.level)
    }

    /// What a minute's limit lacks now: the limit less what remains. More than the limit where there is debt.
    pub(crate) fn used(&self) -> u64 {
        let used = i128::from(self.per_minute) - self.level.div_euclid(UNITS);
        u64::try_from(used).unwrap_or(0)
    }

    /// Brings the level to `now`. Time that goes backwards is ignored.
    pub(crate) fn advance(&mut self, now: Duration) {
        let now = nanoseconds(now).max(self.at);
        match self.metering {
            Metering::TokenBucket | Metering::SlidingWindow | Metering::Slices => {
                let refill = i128::from(self.per_minute).saturating_mul(now - self.at);
                self.level = self.level.saturating_add(refill).min(self.capacity);
            }
            Metering::FixedWindow => {
                if self.window(now) > self.window(self.at) {
                    self.level = self.capacity;
                }
            }
        }
        self.at = now;
    }

    /// How long from the last [`advance`](Self::advance) until `amount` can be taken: to the nanosecond, one earlier
    /// it cannot. `None` where that never comes.
    pub(crate) fn wait(&self, amount: u64) -> Option<Duration> {
        if units(amount) > self.capacity {
            return None;
        }
        Some(self.until(units(amount)))
    }

    /// How long until nothing is missing: the bucket is full, or the window turns.
    pub(crate) fn until_full(&self) -> Duration {
        self.until(self.capacity)
    }

    fn until(&self, level: i128) -> Duration {
        let missing = u128::try_from(level - self.level).unwrap_or(0);
        match self.metering {
            _ if missing == 0 => Duration::ZERO,
            Metering::TokenBucket | Metering::SlidingWindow | Metering::Slices => {
                duration(i128::try_from(missing.div_ceil(u128::from(self.per_minute))).unwrap_or(i128::MAX))
            }
            Metering::FixedWindow => duration(self.depth - self.at.rem_euclid(self.depth)),
        }
    }

    /// Takes `amount`, whether it is there or not.
    pub(crate) fn take(&mut self, amount: u64) {
        self.level = self.level.saturating_sub(units(amount));
    }

    /// Corrects what was `charged` at `charged_at` to what is `due` now. A window that has turned gives nothing back:
    /// what was charged to it is gone with it.
    pub(crate) fn correct(&mut self, now: Duration, charged_at: Duration, charged: u64, due: u64) {
        self.advance(now);
        let turned =
            self.metering == Metering::FixedWindow && self.window(nanoseconds(charged_at)) < self.window(self.at);
        let back = units(charged) - units(due);
        if back < 0 || !turned {
            self.level = self.level.saturating_add(back).min(self.capacity);
        }
    }

    const fn window(&self, at: i128) -> i128 {
        at.div_euclid(self.depth)
    }
}

fn whole(level: i128) -> u64 {
    u64::try_from(level.max(0) / UNITS).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const NANOSECOND: Duration = Duration::from_nanos(1);

    fn bucket(per_minute: u64) -> Meter {
        Meter::new(Metering::TokenBucket, per_minute, MINUTE, 1.0, Duration::ZERO)
    }

    #[test]
    fn a_bucket_refills_to_the_nanosecond_it_says() {
        #[track_caller]
        fn check(per_minute: u64, taken: u64, amount: u64, expected: Duration) {
            let mut meter = bucket(per_minute);
            meter.take(taken);
            assert_eq!(meter.wait(amount), Some(expected));
            if !expected.is_zero() {
                meter.advance(expected - NANOSECOND);
                assert_eq!(meter.wait(amount), Some(NANOSECOND));
                meter.advance(expected);
                assert_eq!(meter.wait(amount), Some(Duration::ZERO));
            }
        }
        check(60, 60, 1, Duration::from_secs(1));
        check(60, 59, 1, Duration::ZERO);
        check(30_000, 14_567, 24_754, Duration::from_millis(18_642));
        check(7, 7, 1, Duration::from_nanos(8_571_428_572));
        check(1_000_000, 1_000_000, 1, Duration::from_micros(60));
        check(u64::MAX, u64::MAX, 1, NANOSECOND);
    }

    #[test]
    fn a_hundred_thousand_small_refills_lose_nothing() {
        let mut meter = bucket(7);
        meter.take(7);
        for step in 1..=100_000_u64 {
            meter.advance(Duration::from_nanos(step * 85_714));
        }
        assert_eq!(meter.wait(1), Some(Duration::from_nanos(28_572)));
    }

    #[test]
    fn a_shallow_bucket_holds_what_its_depth_refills_and_at_least_one() {
        let depth = Duration::from_secs(6);
        let meter = |per_minute| Meter::new(Metering::TokenBucket, per_minute, depth, 1.0, Duration::ZERO);
        assert_eq!((meter(60_000).remaining(), meter(60_000).wait(6_001)), (6_000, None));
        assert_eq!((meter(5).remaining(), meter(5).wait(1)), (1, Some(Duration::ZERO)));
    }

    #[test]
    fn a_bucket_starts_as_full_as_asked() {
        let remaining = |fill| Meter::new(Metering::TokenBucket, 3_000, MINUTE, fill, Duration::ZERO).remaining();
        assert_eq!([remaining(0.0), remaining(0.5), remaining(1.0)], [0, 1_500, 3_000]);
    }

    #[test]
    fn a_fixed_window_gives_all_back_at_the_full_minute() {
        let start = Duration::from_secs(1_000_000_019);
        let mut meter = Meter::new(Metering::FixedWindow, 10, MINUTE, 1.0, start);
        meter.take(10);
        let turn = Duration::from_secs(1_000_000_020);
        assert_eq!(meter.wait(1), Some(turn - start));
        meter.advance(turn - NANOSECOND);
        assert_eq!((meter.remaining(), meter.wait(10)), (0, Some(NANOSECOND)));
        meter.advance(turn);
        assert_eq!((meter.remaining(), meter.until_full()), (10, Duration::ZERO));
    }

    #[test]
    fn a_correction_gives_back_and_takes_more() {
        let mut meter = bucket(60);
        meter.take(50);
        meter.correct(Duration::ZERO, Duration::ZERO, 50, 20);
        assert_eq!(meter.remaining(), 40);
        meter.correct(Duration::ZERO, Duration::ZERO, 0, 50);
        assert_eq!((meter.remaining(), meter.used()), (0, 70));
        assert_eq!(meter.wait(0), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_turned_window_gives_nothing_back_but_takes_what_is_due() {
        let mut meter = Meter::new(Metering::FixedWindow, 10, MINUTE, 1.0, Duration::ZERO);
        meter.take(10);
        meter.correct(MINUTE, Duration::ZERO, 10, 2);
        assert_eq!(meter.remaining(), 10);
        meter.correct(MINUTE, Duration::ZERO, 2, 5);
        assert_eq!(meter.remaining(), 7);
    }

    #[test]
    fn time_that_goes_backwards_changes_nothing() {
        let mut meter = bucket(60);
        meter.take(60);
        meter.advance(MINUTE / 2);
        meter.advance(Duration::ZERO);
        assert_eq!(meter.remaining(), 30);
    }
}
