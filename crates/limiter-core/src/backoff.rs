//! How long to wait before trying again, and how often that is worth it. Randomness is an argument.

use crate::Nanos;

/// Exponential backoff with full jitter: a random span between zero and `base * 2^attempt`, at most `ceiling`.
///
/// Full jitter spreads callers that failed together over the whole span, so they do not come back together (Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The span that the first delay is taken from.
    pub base: Nanos,
    /// The longest delay.
    pub ceiling: Nanos,
}

impl Default for Backoff {
    /// Half a second, doubling up to a minute: what the official OpenAI and Anthropic clients begin with, and the
    /// window that providers state limits for.
    fn default() -> Self {
        Self { base: Nanos::from_millis(500), ceiling: Nanos::MINUTE }
    }
}

impl Backoff {
    /// The largest delay before try number `attempt` + 1 (0: before the first retry).
    #[must_use]
    pub fn bound(&self, attempt: u32) -> Nanos {
        let factor = 1_u64.checked_shl(attempt).unwrap_or(u64::MAX);
        let doubled = self.base.get().saturating_mul(factor);
        Nanos::new(doubled).min(self.ceiling)
    }

    /// A delay from the upper half of the span, drawn with 64 `random` bits: for asking whether something is over, where
    /// a delay of nearly nothing would ask in vain.
    #[must_use]
    pub fn half_jittered(&self, attempt: u32, random: u64) -> Nanos {
        upper_half(self.bound(attempt), random)
    }

    /// The delay before try number `attempt` + 1, drawn with 64 `random` bits.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: u64) -> Nanos {
        share(self.bound(attempt), random)
    }
}

/// A span from the upper half of `most`.
pub(crate) fn upper_half(most: Nanos, random: u64) -> Nanos {
    let half = Nanos::new(most.get() / 2);
    half.saturating_add(Nanos::new(share(most, random).get() / 2))
}

/// A span from zero to `most`.
fn share(most: Nanos, random: u64) -> Nanos {
    let spans = u128::from(most.get()) + 1;
    // The high half of the product is uniform over 0..spans without a division.
    Nanos::new(u64::try_from((spans * u128::from(random)) >> 64).unwrap_or(u64::MAX))
}

/// Bounds retries to a share of the requests, so that an outage does not become a storm.
///
/// Every first try deposits a share of a retry, every retry withdraws a whole one, and a small reserve lets a quiet
/// client retry at all.
#[derive(Clone, Copy, Debug)]
pub struct RetryBudget {
    /// Balance in thousandths of a retry.
    balance: u64,
    ceiling: u64,
    deposit: u64,
}

/// Thousandths in one retry.
const RETRY: u64 = 1_000;

impl RetryBudget {
    /// Retries up to `per_thousand` of 1,000 first tries, with `reserve` retries to begin with; as many, and at least
    /// one, can be saved up.
    #[must_use]
    pub const fn new(per_thousand: u32, reserve: u32) -> Self {
        let balance = (reserve as u64).saturating_mul(RETRY);
        // Whatever the reserve, a whole retry can be saved up.
        let ceiling = if balance < RETRY { RETRY } else { balance };
        Self { balance, ceiling, deposit: per_thousand as u64 }
    }

    /// A first try was made.
    pub fn first_try(&mut self) {
        self.balance = self.balance.saturating_add(self.deposit).min(self.ceiling);
    }

    /// Whether one more retry is within the budget; if so it is withdrawn.
    pub const fn try_retry(&mut self) -> bool {
        match self.balance.checked_sub(RETRY) {
            Some(rest) => {
                self.balance = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_ceiling_and_cover_the_whole_span() {
        let backoff = Backoff { base: Nanos::from_secs(1), ceiling: Nanos::from_secs(10) };
        for (attempt, seconds) in [(0, 1), (1, 2), (3, 8), (4, 10), (63, 10), (64, 10), (u32::MAX, 10)] {
            assert_eq!(backoff.bound(attempt), Nanos::from_secs(seconds), "attempt {attempt}");
            assert_eq!(backoff.delay(attempt, 0), Nanos::ZERO);
            assert_eq!(backoff.delay(attempt, u64::MAX), Nanos::from_secs(seconds));
        }
        assert_eq!(Backoff { base: Nanos::MAX, ceiling: Nanos::MAX }.delay(9, u64::MAX), Nanos::MAX);
    }

    #[test]
    fn without_a_reserve_retries_are_earned() {
        let mut budget = RetryBudget::new(100, 0);
        assert!(!budget.try_retry());
        (0..1_000).for_each(|_| budget.first_try());
        assert!(budget.try_retry() && !budget.try_retry());
    }

    #[test]
    fn retries_stay_within_their_share_of_the_requests() {
        let mut budget = RetryBudget::new(100, 2);
        assert!(budget.try_retry() && budget.try_retry() && !budget.try_retry());
        for _ in 0..10 {
            assert!(!budget.try_retry());
            budget.first_try();
        }
        assert!(budget.try_retry() && !budget.try_retry());
    }
}
