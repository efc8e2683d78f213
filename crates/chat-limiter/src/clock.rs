//! The only place that reads a clock.
//!
//! The limiter's time is the runtime's: under a paused runtime it stands still, so a test drives it exactly.

use std::time::{Duration, SystemTime};

use limiter_core::Nanos;
use providers::UnixTime;
use tokio::time::Instant;

/// One origin for all the limiter's times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Wall-clock time at the origin, since 1970.
    wall: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { origin: Instant::now(), wall }
    }

    /// Nanoseconds since the origin.
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    pub(crate) fn now(&self) -> Nanos {
        Instant::now().saturating_duration_since(self.origin).into()
    }

    /// The runtime's instant for `at`; one a century ahead where that cannot be represented.
    pub(crate) fn instant(&self, at: Nanos) -> Instant {
        let century = Duration::from_secs(100 * 365 * 86_400);
        self.origin + Duration::from(at).min(century)
    }

    /// The wall-clock time of an instant.
    pub(crate) fn system_time(&self, at: Nanos) -> SystemTime {
        let span = self.wall.saturating_add(at.into());
        SystemTime::UNIX_EPOCH.checked_add(span).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Wall-clock time, for responses that have no `Date` of their own.
    pub(crate) fn wall(&self) -> UnixTime {
        UnixTime::from_nanos(u64::try_from((self.wall + Duration::from(self.now())).as_nanos()).unwrap_or(u64::MAX))
    }
}
