//! Who goes next, where that need not be whoever came first.
//!
//! A file of requests may be answered in any order, and its own order can waste quota in two ways. Where only small
//! requests are let through, the limit on requests is used up and tokens run over; where a large one waits for a full
//! bucket, everybody waits with it. So the limiter may look ahead, at the oldest request of each size:
//!
//! * The dimension in which most work waits, measured in time, must lose nothing. Where more of it is left than
//!   [is needed beside](Meter::much_beside) what the oldest request mostly takes, and all who wait will take more than
//!   is there, the oldest one that mostly takes of this goes first. Of all who wait such a share of each dimension is
//!   taken as there is, and none is used up while another is left: with the mix of what waits kept, no dimension
//!   ends later than the one for which most waits. It is measured by what is charged, as far as that is known.
//! * Where the oldest request does not fit yet, the oldest one that does fit may go; but nobody overtakes one that waits
//!   for what comes back when a request ends.
//!
//! What overtakes is bounded by an allowance, counted in the time its cost takes to refill. It begins with a bound of
//! the caller's, every overtaking takes from it, and every request that goes in its turn adds its own time to it, up to
//! the bound. When it is used up nobody overtakes any more. So whoever waits, waits at most for those who came before,
//! once more as long for those who came later, and the bound.

use super::meters::Meter;
use super::packing::Packed;
use super::{Admission, Limiter};
use crate::{Cost, Nanos, Ticket};

/// In what order a limiter admits the requests that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// First come, first served inside a priority, older before higher in time. Nobody overtakes.
    #[default]
    Turn,
    /// The oldest request of any size may go first where that keeps every dimension busy or fills a gap: see the
    /// [crate's documentation](crate#order).
    LookAhead {
        /// How much may be let past those who wait, in the time that it takes to refill.
        bound: Nanos,
    },
}

/// What may still overtake, and how much may at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: Nanos,
    bound: Nanos,
}

impl Allowance {
    pub(super) const fn new(bound: Nanos) -> Self {
        Self { left: bound, bound }
    }

    /// The same with nothing spent.
    pub(super) const fn renewed(self) -> Self {
        Self::new(self.bound)
    }

    /// The same with another bound.
    pub(super) fn within(self, bound: Nanos) -> Self {
        Self { left: self.left.min(bound), bound }
    }

    fn earn(&mut self, span: Nanos) {
        self.left = self.left.saturating_add(span).min(self.bound);
    }

    fn spend(&mut self, span: Nanos) {
        self.left = self.left.saturating_sub(span);
    }

    /// Whether what comes back in `span` may still overtake.
    pub(super) fn allows(&self, span: Nanos) -> bool {
        span <= self.left
    }
}

impl Limiter {
    /// Admits whoever is due first or may overtake it. `head_ready_at` is when the one due first fits.
    pub(super) fn admit_ahead(
        &mut self,
        head: (Ticket, Cost),
        head_ready_at: Nanos,
        allowance: Allowance,
        now: Nanos,
    ) -> Admission {
        let fits = head_ready_at <= now;
        let packed = if head_ready_at < Nanos::MAX { self.pack((head.0, &head.1), fits, allowance, now) } else { None };
        if let Some(Packed::Other(ticket, cost, time)) = packed {
            self.change_allowance(|allowance| allowance.spend(time));
            return self.grant(ticket, &cost, now);
        }
        let busiest = if fits && packed.is_none() { self.neglected(&head.1, now) } else { None };
        let mut wake = head_ready_at;
        // Who waits for a request in flight to end would wait for those that overtake it too.
        let may_overtake = if fits { busiest.is_some() } else { head_ready_at < Nanos::MAX };
        if may_overtake {
            for (ticket, cost) in self.queue.firsts(1) {
                let time = self.refill_time(&cost);
                let helps = busiest.is_none_or(|meter| meter.span(cost.expected()) == time);
                // One that never fits hears of it when its turn comes.
                let Ok(ready_at) = self.ready_at(&cost, now) else { continue };
                if ticket == head.0 || !allowance.allows(time) || !helps {
                    continue;
                }
                if ready_at <= now {
                    self.change_allowance(|allowance| allowance.spend(time));
                    return self.grant(ticket, &cost, now);
                }
                wake = wake.min(ready_at);
            }
        }
        if !fits {
            return Admission::NotYet(self.time.out(wake));
        }
        let time = self.refill_time(&head.1);
        self.change_allowance(|allowance| allowance.earn(time));
        self.grant(head.0, &head.1, now)
    }

    fn change_allowance(&mut self, change: impl FnOnce(&mut Allowance)) {
        if let Some(allowance) = &mut self.allowance {
            change(allowance);
        }
    }

    /// The limit that holds up most of what waits, if it is running over and `cost` mostly takes of another.
    fn neglected(&self, cost: &Cost, now: Nanos) -> Option<Meter<'_>> {
        let waiting = self.queue.amounts();
        let busiest = self.meters(now).max_by_key(|meter| meter.span(waiting))?;
        let taken = self.meters(now).max_by_key(|meter| meter.span(cost.expected()))?;
        if busiest.span(cost.expected()) == taken.span(cost.expected()) {
            return None;
        }
        let level = busiest.level(now);
        // What is there for all who wait need not be hurried.
        (level > busiest.much_beside(&taken, now) && busiest.takes(waiting) > level).then_some(busiest)
    }

    /// The time in which what `cost` takes comes back: that of the limit for which it takes longest, and never nothing.
    pub(super) fn refill_time(&self, cost: &Cost) -> Nanos {
        let spans = self.meters(self.time.present()).map(|meter| meter.span(cost.expected()));
        spans.fold(Nanos::new(1), Nanos::max)
    }
}
