//! How long a step took.

use std::fmt;
use std::time::{Duration, Instant};

/// Measures from its start.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the time shown to a person is the time that passed for them")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Elapsed {
        Elapsed(self.0.elapsed())
    }
}

/// A time for people, to a tenth of a second.
#[derive(Clone, Copy)]
pub(super) struct Elapsed(pub(super) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Through a string, so that a width given by the caller applies to the whole.
        f.pad(&format!("{:.1} s", self.0.as_secs_f64()))
    }
}
