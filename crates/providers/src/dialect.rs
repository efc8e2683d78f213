//! How one provider speaks: what its headers state, what its errors mean, and what its resets are.

use http::{HeaderMap, StatusCode};
use limiter_core::{Nanos, Observation};

use crate::error_body::ErrorBody;
use crate::headers::{self, Meaning};
use crate::{ErrorKind, UnixTime};

/// How a provider speaks. Every [`Provider`](crate::Provider) names one, and all that is read of its answers follows.
///
/// A provider of one's own has the [common](Self::common) one, unless it overrides what
/// [`Provider`](crate::Provider) reads with it.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// What a header's name means.
    pub(crate) meaning_of: fn(&str) -> Option<Meaning>,
    /// What its headers say beyond single readings: windows that follow from resets, sums that are no limits.
    pub(crate) complete: fn(Observation) -> Observation,
    /// The kind of an error, where the provider's own names or words tell more than those of all.
    pub(crate) kind_of: fn(StatusCode, &ErrorBody) -> Option<ErrorKind>,
    /// How long a refusal asks to wait, in headers that nobody else has.
    pub(crate) wait: fn(&HeaderMap, UnixTime) -> Option<Nanos>,
    /// What a reset means to who waits.
    pub(crate) reset: ResetMeans,
    /// The windows that limits are stated for, where a header's name does not tell.
    pub(crate) windows: &'static [Nanos],
    /// Whether refusals ask for less than it takes: then what the counters say wins where it is longer.
    pub(crate) hint_is_short: bool,
    /// When a day's limit is back, where days end for everybody at once.
    pub(crate) day_ends: Option<fn(UnixTime) -> UnixTime>,
}

/// What a reset means to who waits for capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResetMeans {
    /// Capacity is back at the reset.
    Available,
    /// The bucket is full at the reset: some of it is back earlier, in proportion.
    Full,
    /// A span with a unit, as OpenAI writes it, is until the bucket is full; a date or a bare number is the turn of a
    /// window.
    AsWritten,
}

impl Dialect {
    /// What most providers share, and what is safe to assume of one that is not known.
    pub(crate) const COMMON: Self = Self {
        meaning_of: headers::common,
        complete: headers::without_combined,
        kind_of: |_, _| None,
        wait: |_, _| None,
        reset: ResetMeans::AsWritten,
        windows: &[Nanos::SECOND, Nanos::MINUTE, Nanos::HOUR, Nanos::DAY],
        hint_is_short: false,
        day_ends: None,
    };

    /// What most providers share: the common families of limit headers, names and words of errors.
    #[must_use]
    pub const fn common() -> &'static Self {
        const { &Self::COMMON }
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect").field("reset", &self.reset).finish_non_exhaustive()
    }
}
