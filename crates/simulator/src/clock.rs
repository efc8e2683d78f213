//! The provider's clock: the only place of the crate that asks what time it is.
//!
//! There is one time axis, the span since the Unix epoch. It starts at a given or the real time and moves with tokio's
//! clock, so in a test with a paused clock limits, `Date` headers and resets all follow virtual time. What the provider
//! shows of it may be off; what it meters by is not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time since the Unix epoch.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    epoch_at_origin: Duration,
    /// By how many seconds the calendar is fast.
    error: i64,
}

impl Clock {
    /// A clock that reads `start` now, or the real time where nothing is given. A time before 1970 is read as 1970.
    /// The calendar that is shown is `error` seconds fast.
    pub(crate) fn new(start: Option<SystemTime>, error: i64) -> Self {
        let start = start.unwrap_or_else(real_time);
        Self { origin: instant_now(), epoch_at_origin: start.duration_since(UNIX_EPOCH).unwrap_or_default(), error }
    }

    /// When the clock started: a span since the Unix epoch.
    pub(crate) const fn started(&self) -> Duration {
        self.epoch_at_origin
    }

    /// The span since the clock started.
    pub(crate) fn elapsed(&self) -> Duration {
        instant_now().saturating_duration_since(self.origin)
    }

    /// The span since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        self.epoch_at_origin.saturating_add(self.elapsed())
    }

    /// What the calendar shows at the time `at`, both as spans since the Unix epoch. Nothing before 1970.
    pub(crate) const fn calendar(&self, at: Duration) -> Duration {
        let error = Duration::from_secs(self.error.unsigned_abs());
        if self.error < 0 { at.saturating_sub(error) } else { at.saturating_add(error) }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock module: tokio's clock is real or paused, as the caller set it"
)]
fn instant_now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock module: the calendar is read once, when the clock starts"
)]
fn real_time() -> SystemTime {
    SystemTime::now()
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    i64::try_from(since_epoch.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `since_epoch` as an HTTP date (RFC 9110, 5.6.7), cut to the second.
pub(crate) fn http_date(since_epoch: Duration) -> String {
    timestamp(since_epoch).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `since_epoch` as RFC 3339 in UTC, cut to the second.
pub(crate) fn rfc3339(since_epoch: Duration) -> String {
    timestamp(since_epoch).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_paused_time_to_the_nanosecond() {
        let clock = Clock::new(Some(UNIX_EPOCH + Duration::from_secs(100)), 0);
        tokio::time::advance(Duration::from_nanos(7)).await;
        assert_eq!(clock.now(), Duration::new(100, 7));
    }

    #[test]
    fn a_calendar_that_is_off_is_off_by_its_error_and_never_before_1970() {
        let calendar = |error| Clock::new(None, error).calendar(Duration::new(10, 5));
        assert_eq!([calendar(0), calendar(7), calendar(-7)].map(|time| time.as_secs()), [10, 17, 3]);
        assert_eq!((calendar(-11), calendar(i64::MIN)), (Duration::ZERO, Duration::ZERO));
        assert!(calendar(i64::MAX) > Duration::from_secs(1 << 62));
    }

    #[test]
    fn dates_are_written_as_the_standards_say() {
        let time = Duration::new(784_111_777, 999);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(rfc3339(time), "1994-11-06T08:49:37Z");
        assert!(rfc3339(Duration::MAX).starts_with("9999-"));
    }
}
