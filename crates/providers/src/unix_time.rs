//! An instant on the calendar, as a value: providers state some resets as dates.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use limiter_core::Nanos;

/// Nanoseconds since 1970-01-01T00:00:00Z.
///
/// All arithmetic saturates: an instant before 1970 is 1970, one after 2554 is 2554. The crate never reads a clock; the
/// caller passes the instant at which a response arrived.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From nanoseconds since 1970.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From whole milliseconds since 1970, saturating.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From whole seconds since 1970, saturating.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The next midnight UTC.
    pub(crate) const fn next_midnight(self) -> Self {
        const DAY: u64 = 86_400_000_000_000;
        Self((self.0 / DAY).saturating_add(1).saturating_mul(DAY))
    }

    /// The span since `earlier`, zero where `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Nanos {
        Nanos::new(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        let span = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Nanos::from(span).get())
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixTime({}.{:09})", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_no_time_away() {
        assert_eq!(UnixTime::from_secs(5).since(UnixTime::from_secs(9)), Nanos::ZERO);
        assert_eq!(UnixTime::from_secs(9).since(UnixTime::from_millis(5_500)), Nanos::from_millis(3_500));
    }

    #[test]
    fn the_ends_of_time_saturate() {
        assert_eq!(UnixTime::from_secs(u64::MAX).as_nanos(), u64::MAX);
        assert_eq!(UnixTime::from(UNIX_EPOCH - std::time::Duration::from_secs(1)), UnixTime::default());
    }
}
