//! Who is held back by found limits alone, which nothing has confirmed, asks whether they hold.

use super::{Admission, Limiter};
use crate::{Cost, Nanos, Ticket};

impl Limiter {
    /// When who waits may ask whether `cost` really does not fit before `ready_at`. Only what the provider's answers told
    /// may be doubted.
    pub(super) fn asks_at(&self, cost: &Cost, ready_at: Nanos, now: Nanos) -> Nanos {
        if self.outage.is_on() || !self.probes {
            return Nanos::MAX;
        }
        let is_alone = self.in_flight == 0;
        let mut at = self.held_until().max(self.felt_at(cost, now)).max(now);
        for quota in [self.told.ready_at(cost, now), self.held.ready_at(cost, now)] {
            at = at.max(quota.unwrap_or(Nanos::MAX));
        }
        for found in self.heeded(now) {
            let ready_at = found.ready_at(cost, self.yields.parts(), self.tells, now);
            if ready_at > now {
                // By then it fits into this one.
                at = at.max(found.asks_at(ready_at, is_alone, self.tells).min(ready_at));
                at = at.max(found.is_within_share_at(cost, self.yields.parts(), now));
            }
        }
        if at < ready_at { at } else { Nanos::MAX }
    }

    /// Whether `cost`, which fits, has to wait for an answer: somebody asks, or has to, whether what was found by asking holds.
    pub(super) fn is_held_to_ask(&self, cost: &Cost, now: Nanos) -> bool {
        let (yields, is_alone) = (self.yields.parts(), self.in_flight == 0);
        let is_open = self.probes && !self.outage.is_on();
        is_open && self.heeded(now).any(|found| found.is_held_to_ask(cost, yields, is_alone, now))
    }

    /// Whether `cost`, which fits, goes first to ask.
    pub(super) fn has_to_ask(&self, cost: &Cost, now: Nanos) -> bool {
        let is_open = self.probes && !self.outage.is_on();
        is_open && self.heeded(now).any(|found| found.has_to_ask(cost, self.yields.parts(), now))
    }

    /// Admits `cost` before it fits, to ask whether it does.
    pub(super) fn grant_to_ask(&mut self, ticket: Ticket, cost: &Cost, now: Nanos) -> Admission {
        let (yields, tells, number) = (self.yields.parts(), self.tells, self.admissions + 1);
        for found in &mut self.found {
            let ready_at = found.ready_at(cost, yields, tells, now);
            let asks = ready_at > now || found.has_to_ask(cost, yields, now);
            if found.is_heeded(tells, now) && asks {
                found.ask(number, ready_at, tells, now);
            }
        }
        self.grant(ticket, cost, now)
    }
}
