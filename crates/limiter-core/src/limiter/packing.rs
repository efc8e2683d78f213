//! Who goes next where what is left is lost: within a second of a limit that is let out second by second.
//!
//! Requests go whole, so a part of each second is left over that fits nobody. A bucket keeps it; here it is gone with the
//! second, in which there may be ten requests. So each is chosen by what it leaves of the limit that holds up most of
//! what waits:
//!
//! * Whoever is first goes, unless that leaves something nobody can take any more: less than the smallest who wait take,
//!   or more than what is left of the other limits carries of it, with the mix of all who wait.
//! * Otherwise, or where it does not fit, the oldest goes that leaves nothing so, or the one that leaves least.
//!
//! It looks at the oldest requests of each size, and what overtakes is bounded as ever.

use super::meters::Meter;
use super::{Allowance, Limiter};
use crate::{Amounts, Cost, Dimension, Nanos, Refill, Ticket};

/// Of each size so many are looked at. Sizes of one lane are at most twice one another, so so many are a few hundredths
/// apart.
const OLDEST: usize = 32;

/// What is left of the limit that holds up most of what waits, beside the others.
struct Rest<'a> {
    busiest: Meter<'a>,
    others: alloc::vec::Vec<Meter<'a>>,
    waiting: Amounts,
    /// What the smallest takes that is looked at.
    least: u64,
    now: Nanos,
}

/// Who goes instead of whoever is first.
pub(super) enum Packed {
    /// Whoever is first goes if it fits.
    Nobody,
    /// This one does, whose cost takes so long to come back.
    Other(Ticket, Cost, Nanos),
}

impl Limiter {
    /// Who goes at `now` in place of `head`, where what is left of a second is lost. `None` where nothing is.
    pub(super) fn pack(
        &self,
        (head, cost): (Ticket, &Cost),
        fits: bool,
        allowance: Allowance,
        now: Nanos,
    ) -> Option<Packed> {
        let all = self.queue.amounts();
        let sized = self.meters(now).filter(|meter| meter.limit().dimension() != Dimension::Requests);
        let busiest = sized.max_by_key(|meter| meter.span(all)).filter(Meter::is_lost_at_turn)?;
        let dimension = busiest.limit().dimension();
        let others = self.meters(now).filter(|meter| meter.limit().dimension() != dimension && meter.is_lost_at_turn());
        let candidates = self.queue.firsts(OLDEST);
        let least = candidates.iter().map(|(_, cost)| busiest.takes(cost.expected())).min().unwrap_or(0);
        // What is more than a second takes goes alone.
        let most = |lane: &Amounts| busiest.full().saturating_mul(lane.of(Dimension::Requests).max(1));
        let waiting = self.queue.amounts_where(|lane| busiest.takes(lane) <= most(lane));
        let rest = Rest { others: others.collect(), busiest, waiting, least, now };
        let mut best = fits.then(|| (rest.strands(cost), None));
        for (ticket, cost) in candidates {
            if best.as_ref().is_some_and(|(least, _)| *least == 0) {
                break;
            }
            let strands = rest.strands(&cost);
            if ticket == head || best.as_ref().is_some_and(|(least, _)| *least <= strands) {
                continue;
            }
            let time = self.refill_time(&cost);
            if allowance.allows(time) && self.ready_at(&cost, now).is_ok_and(|ready_at| ready_at <= now) {
                best = Some((strands, Some((ticket, cost, time))));
            }
        }
        Some(match best {
            Some((_, Some((ticket, cost, time)))) => Packed::Other(ticket, cost, time),
            _ => Packed::Nobody,
        })
    }
}

impl Rest<'_> {
    /// What `cost` leaves of a limit.
    fn after(&self, meter: &Meter<'_>, cost: &Cost) -> u64 {
        meter.level(self.now).saturating_sub(meter.takes(cost.expected()))
    }

    /// How much of the busiest limit `cost` leaves that nobody can take in this second.
    fn strands(&self, cost: &Cost) -> u64 {
        let left = self.after(&self.busiest, cost);
        if left < self.least {
            return left;
        }
        let full = self.busiest.full();
        let all = u128::from(self.busiest.takes(&self.waiting));
        let carries = self.others.iter().map(|other| {
            let carried = |amount: u64| {
                let carried = u128::from(amount) * all / u128::from(other.takes(&self.waiting).max(1));
                u64::try_from(carried).unwrap_or(u64::MAX)
            };
            // What a whole second of the other one does not carry is nobody's loss.
            carried(self.after(other, cost)).saturating_add(full.saturating_sub(carried(other.full())))
        });
        left.saturating_sub(carries.min().unwrap_or(u64::MAX))
    }
}

impl Meter<'_> {
    /// Whether what is left of it is lost where a second ends.
    fn is_lost_at_turn(&self) -> bool {
        let limit = self.limit();
        limit.window() <= Nanos::SECOND && matches!(limit.refill(), Refill::AtBoundary { .. })
    }
}
