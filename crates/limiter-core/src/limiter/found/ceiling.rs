//! Using a share of a found limit alone.
//!
//! Two things are asked for by that: that no more than the share is taken in any window, and that the rest of what the
//! provider has is left there, whoever else takes of it. The first is a limit of our own, kept beside the found one and
//! counted as that is; the second is held back of the level that the provider tells. What is learned of the found limit
//! is learned as if all of it were used.

use alloc::boxed::Box;

use super::{Ended, Found};
use crate::share::{WHOLE, share_of};
use crate::{Bucket, Limit, Nanos, NeverFits, Reservation, Taken};

impl Found {
    /// Uses so many millionths of the limit, from the admission after `number` on.
    pub(in crate::limiter) fn use_share(&mut self, millionths: u32, number: u64, now: Nanos) {
        self.share = millionths;
        let limit = self.usable();
        match &mut self.ceiling {
            _ if millionths >= WHOLE => self.ceiling = None,
            Some(ceiling) => ceiling.set_limit(limit, now),
            none => {
                let mut ceiling = Bucket::full(limit, now).begun_at(number);
                let in_flight = self.flight.since(Nanos::ZERO, limit.dimension());
                ceiling.lose(in_flight.min(limit.burst()), now);
                *none = Some(Box::new(ceiling));
            }
        }
    }

    /// What of the limit is used.
    pub(super) fn usable(&self) -> Limit {
        if self.share >= WHOLE { *self.bucket.limit() } else { self.bucket.limit().share(self.share) }
    }

    pub(super) fn check_share(&self, certain: &crate::Cost) -> Result<(), NeverFits> {
        NeverFits::check(certain, &self.usable())
    }

    /// How much of a bucket that holds `full` is left for others.
    pub(super) fn left_over(&self, full: u64) -> u64 {
        if self.share >= WHOLE { 0 } else { full.saturating_sub(share_of(full, self.share)) }
    }

    /// When `amount` is within the share.
    pub(super) fn share_ready_at(&self, amount: u64, now: Nanos) -> Nanos {
        self.ceiling.as_ref().map_or(now, |ceiling| ceiling.ready_at(amount, now))
    }

    pub(super) fn take_share(&mut self, taken: &Taken, amount: u64) {
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.take_as(taken, amount);
        }
    }

    /// A request ended for which `reserved` was taken.
    pub(super) fn end_share(&mut self, reservation: &Reservation, reserved: u64, ended: &Ended, now: Nanos) {
        if self.ceiling.is_none() {
            return;
        }
        let parts = self.parts(reservation.cost.expected());
        let due = match ended {
            Ended::Answered(actual) if self.charge.rule().settles() => self.charge.settled(&parts, &self.parts(actual)),
            Ended::Answered(_) => reserved,
            Ended::Counted(amounts) => amounts.of(self.dimension()).min(reserved),
        };
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.settle_as(&reservation.taken(), reserved, due, now);
        }
    }

    /// The limit is another one now.
    pub(super) fn follow_share(&mut self, now: Nanos) {
        let limit = self.usable();
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.set_limit(limit, now);
        }
    }
}
