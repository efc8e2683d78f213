//! When something fits into a limit: by its level, and by all that is held back of it.

use super::Found;
use crate::learn::Growth;
use crate::{Cost, Nanos, Refill};

/// How much of a limit is held back at most of which only refusals tell, a fortieth: words are too rare to forget what was
/// a surprise, and what is held is not used until it has come back.
const SELDOM: u64 = 40;

impl Found {
    /// When `cost` can be taken and what is held back is still left; at most a quarter of the bucket is held back.
    pub(in crate::limiter) fn ready_at(&self, cost: &Cost, yields: u64, tells: bool, now: Nanos) -> Nanos {
        let full = self.depth.within(self.bucket.limit().burst());
        let parts = self.parts(cost.expected());
        // What has to be there is held once, however much of it is taken: what is charged on average may be too little for
        // one, and where only refusals tell, that is a refusal.
        let mut amount = self.charge.needed(&parts, yields);
        if !tells {
            // As far as was gone when something was taken last, so that it comes at the instant that is answered.
            let parts = u128::from(amount) * u128::from(Growth::ONE);
            amount = u64::try_from(parts.div_ceil(u128::from(self.gain.max(Growth::ONE)))).unwrap_or(u64::MAX);
        }
        if amount == 0 {
            return now;
        }
        let share = self.returns.at_most(full, self.told) / if tells { 4 } else { SELDOM };
        // Once everything is answered, what the last word says is there. What comes back evenly is not lost by waiting for it.
        let is_certain = self.flight.is_empty() && self.bucket.limit().refill() != Refill::Continuous;
        let is_kept_apart = tells && self.has_others(now);
        let held_back = if self.is_sliced || is_certain || is_kept_apart { 0 } else { self.margin.units().min(share) };
        let left_over = self.left_over(full);
        let (lately, later) = if tells { self.beside(full, yields, now) } else { (0, 0) };
        let needed =
            |beside: u64| amount.saturating_add(held_back).saturating_add(beside).min(full - left_over) + left_over;
        let mut ready_at = self.weighted_ready_at(needed(lately), now);
        if later < lately {
            let over = self.word_at.saturating_add(self.reordering());
            ready_at = ready_at.min(self.weighted_ready_at(needed(later), now).max(over));
        }
        if is_kept_apart {
            // From then on nobody else is thought to be there.
            let alone = amount.saturating_add(self.margin.units().min(share)).min(full - left_over) + left_over;
            ready_at = ready_at.min(self.weighted_ready_at(alone, now).max(self.others.until()));
        }
        let needed = needed(later);
        let ready_at = self.as_presumed(needed, ready_at, now);
        let ready_at = self.unowed_at(needed, ready_at).max(self.share_ready_at(amount, now));
        let rationed = if self.is_presumed_sliced() {
            self.paced_at(amount)
        } else if self.is_rationed(cost.expected(), tells) {
            self.rationed_until
        } else {
            now
        };
        ready_at.max(rationed).min(self.heeded_until(tells))
    }
}
