//! The only place that reads a clock.

use std::time::{Duration, Instant};

use limiter_core::Nanos;

/// A clock with an origin of its own, as a user of limiter-core has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Since the origin. Reads the clock once.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The same for limiter-core.
    pub(crate) fn now(&self) -> Nanos {
        self.elapsed().into()
    }
}
