//! How much of what a provider allows is used.

#[cfg(feature = "alloc")]
use crate::Dimension;
use crate::Limit;

/// The share of the provider's limits to use, in each dimension, in millionths.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares([u32; Dimension::COUNT]);

/// All of it.
pub(crate) const WHOLE: u32 = 1_000_000;

#[cfg(feature = "alloc")]
impl Shares {
    /// All of everything.
    pub(crate) const fn whole() -> Self {
        Self([WHOLE; Dimension::COUNT])
    }

    pub(crate) fn of(&self, dimension: Dimension) -> u32 {
        self.0.get(dimension.index()).copied().unwrap_or(WHOLE)
    }

    pub(crate) fn set(&mut self, dimension: Dimension, millionths: u32) {
        if let Some(share) = self.0.get_mut(dimension.index()) {
            *share = millionths.clamp(1, WHOLE);
        }
    }
}

/// The share of an amount: rounded down, but never nothing of something.
pub(crate) fn share_of(amount: u64, millionths: u32) -> u64 {
    let share = u128::from(amount) * u128::from(millionths) / u128::from(WHOLE);
    u64::try_from(share).unwrap_or(u64::MAX).max(amount.min(1))
}

impl Limit {
    /// The share of this limit, in millionths: of what comes back in a window and of what it holds, rounded down, but at
    /// least one. More than all of it is all of it.
    ///
    /// ```
    /// use limiter_core::{Dimension, Limit};
    ///
    /// assert_eq!(Limit::per_minute(Dimension::Tokens, 30_000).share(900_000).amount(), 27_000);
    /// assert_eq!(Limit::per_minute(Dimension::Requests, 1).share(500_000).amount(), 1);
    /// ```
    #[must_use]
    pub fn share(self, millionths: u32) -> Self {
        let millionths = millionths.min(WHOLE);
        Self::new(self.dimension(), share_of(self.amount(), millionths), self.window())
            .with_burst(share_of(self.burst(), millionths))
            .with_refill(self.refill())
    }
}
