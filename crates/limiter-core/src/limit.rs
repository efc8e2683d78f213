//! What a provider allows: a dimension, a window, an amount, and how it comes back.

use crate::{Dimension, Nanos};

/// How a limit's capacity comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refill {
    /// Continuously, at amount per window: a token bucket.
    Continuous,
    /// All of it at once, at `phase` and every window before and after it: a fixed window.
    AtBoundary {
        /// One of the instants at which the window turns, on the caller's clock.
        phase: Nanos,
    },
    /// Each amount one window after it was taken: a sliding window. Exact while up to 32 moments lie in a window;
    /// beyond that neighbours count as one, so an amount may come back a little late (a 64th of a window on average
    /// where the flow is even, nothing where what comes back is taken at once) and never early.
    Sliding,
    /// When the request ends, and never by time: what may be in flight at one moment. The window only tells it from
    /// other limits of the same dimension.
    OnRelease,
}

/// One limit: at most `amount` of `dimension` per `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    dimension: Dimension,
    window: Nanos,
    amount: u64,
    burst: u64,
    refill: Refill,
}

impl Limit {
    /// The longest window: 31 days. A longer one is shortened to it. No bucket without a debt makes anybody wait for
    /// longer: see [`Bucket::ready_at`](crate::Bucket::ready_at).
    pub const MAX_WINDOW: Nanos = Nanos::from_secs(31 * 86_400);
    /// The largest amount and burst: 10^15. A larger one is lowered to it.
    pub const MAX_AMOUNT: u64 = 1_000_000_000_000_000;

    /// `amount` per `window`, refilled continuously, with a bucket one window deep. A limit on
    /// [`Dimension::Concurrent`] comes back [`OnRelease`](Refill::OnRelease).
    ///
    /// An amount or window of zero is raised to one, and both are lowered to [`Limit::MAX_AMOUNT`] and
    /// [`Limit::MAX_WINDOW`], so that every `Limit` that exists can be computed with.
    #[must_use]
    pub fn new(dimension: Dimension, amount: u64, window: Nanos) -> Self {
        let amount = amount.clamp(1, Self::MAX_AMOUNT);
        let window = Nanos::new(window.get().clamp(1, Self::MAX_WINDOW.get()));
        let refill = if dimension == Dimension::Concurrent { Refill::OnRelease } else { Refill::Continuous };
        Self { dimension, window, amount, burst: amount, refill }
    }

    /// `amount` per second.
    #[must_use]
    pub fn per_second(dimension: Dimension, amount: u64) -> Self {
        Self::new(dimension, amount, Nanos::SECOND)
    }

    /// `amount` per hour.
    #[must_use]
    pub fn per_hour(dimension: Dimension, amount: u64) -> Self {
        Self::new(dimension, amount, Nanos::HOUR)
    }

    /// `amount` per day.
    #[must_use]
    pub fn per_day(dimension: Dimension, amount: u64) -> Self {
        Self::new(dimension, amount, Nanos::DAY)
    }

    /// `amount` per minute.
    #[must_use]
    pub fn per_minute(dimension: Dimension, amount: u64) -> Self {
        Self::new(dimension, amount, Nanos::MINUTE)
    }

    /// At most `requests` in flight at one moment.
    #[must_use]
    pub fn concurrent(requests: u64) -> Self {
        Self::new(Dimension::Concurrent, requests, Nanos::SECOND)
    }

    /// The same limit with a bucket that holds `burst`: at least 1, at most what comes back in
    /// [`Limit::MAX_WINDOW`] and [`Limit::MAX_AMOUNT`], to which others are raised or lowered.
    #[must_use]
    pub fn with_burst(mut self, burst: u64) -> Self {
        let fills = u128::from(self.amount) * u128::from(Self::MAX_WINDOW.get()) / u128::from(self.window.get());
        let most = u64::try_from(fills).unwrap_or(u64::MAX).min(Self::MAX_AMOUNT);
        self.burst = burst.clamp(1, most);
        self
    }

    /// The same limit with another refill; one on [`Dimension::Concurrent`] has no other.
    #[must_use]
    pub const fn with_refill(mut self, refill: Refill) -> Self {
        if !matches!(self.dimension, Dimension::Concurrent) {
            self.refill = refill;
        }
        self
    }

    /// What is counted.
    #[must_use]
    pub const fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// The span that the amount is stated for.
    #[must_use]
    pub const fn window(&self) -> Nanos {
        self.window
    }

    /// How much comes back in one window.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// How much the bucket holds when full.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    /// How capacity comes back.
    #[must_use]
    pub const fn refill(&self) -> Refill {
        self.refill
    }
}
