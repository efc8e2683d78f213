//! The rate that a provider allows that never says it, measured between its refusals.
//!
//! A request is refused where what it takes is not there. So between two refusals exactly as much was let through as
//! came back in between, less what ran over: that is the rate, in whatever units are counted here, whatever the provider
//! charges and however it meters. Requests then go evenly at that rate, because an even flow is within a token bucket
//! of any depth, within a fixed and within a sliding window alike; what the provider saves up on top is not known.
//!
//! The rate is measured in each dimension, and only those are corrected that held requests back at the time: what was
//! not short is not what was refused for. Where none did, because all had grown beyond what was asked for, each is. From
//! there each grows ([`Growth`](super::Growth)) until the next refusal.

mod episode;
mod lane;

use alloc::vec::Vec;

use crate::learn::ledger::Parts;
use crate::{Amounts, Bucket, Dimension, Nanos, Taken};
use episode::Episode;
use lane::{Lane, Trust};

pub(crate) use episode::Refused;

/// The rates of one set of limits, as far as refusals have shown them.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When nothing was left of each of the [dimensions](Self::DIMENSIONS), and what had been counted then: where counting
    /// begins.
    bases: [Option<Episode>; 2],
    /// Refusals of admissions up to this one are no news.
    refused_up_to: u64,
    /// How many admitted later than these were not counted.
    uncounted: u64,
    /// When one may go by the provider's own word, whatever was measured.
    hinted_at: Nanos,
    /// Until when nobody goes, if that is so.
    paused_until: Nanos,
    lanes: Vec<Lane>,
    /// For how long less than half of what is allowed was asked for, in all.
    idle: Nanos,
    /// When the last one went, and for how long nobody did because of pauses.
    taken_at: Nanos,
    paused: Nanos,
}

/// What was there at either end is anything up to what the refused request takes: what was let through in between has to
/// be so many times as much to tell a rate. For a first one less is better than nothing.
const LEAST: u64 = 8;
const LEAST_FIRST: u64 = 4;
const LEAST_LARGE: u64 = 2;
/// So many times as large as the others on average is much larger.
const LARGE: u64 = 4;

impl Pace {
    /// What rates are measured in.
    pub(crate) const DIMENSIONS: [Dimension; 2] = [Dimension::Requests, Dimension::Tokens];
    /// Rates are counted in ten minutes, so that a rate of a few requests a minute has digits.
    pub(crate) const WINDOW: Nanos = Nanos::from_secs(600);

    pub(crate) const fn new() -> Self {
        Self {
            bases: [None; 2],
            refused_up_to: 0,
            uncounted: 0,
            hinted_at: Nanos::MAX,
            paused_until: Nanos::ZERO,
            lanes: Vec::new(),
            idle: Nanos::ZERO,
            taken_at: Nanos::ZERO,
            paused: Nanos::ZERO,
        }
    }

    /// Whether a rate was measured.
    pub(crate) fn is_on(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Whether one was let through, as far as is known, that went after the last refusal had come and before the admission
    /// `number`, which is refused now. Answers to those that went before that one say nothing: they may come much later.
    pub(crate) const fn has_recovered(&self, number: u64) -> bool {
        number.saturating_sub(self.refused_up_to) > self.uncounted
    }

    /// Whether rates are lower than where the last refusal came.
    pub(crate) fn is_lowered(&self, now: Nanos) -> bool {
        let is_any_short = self.lanes.iter().any(|lane| lane.is_short(now));
        self.lanes.iter().any(|lane| (lane.is_short(now) || !is_any_short) && lane.is_lowered())
    }

    /// Something may have been met from here on: counting begins anew.
    pub(crate) fn count_from(&mut self, refused: &Refused<'_>, now: Nanos) {
        self.bases = [Some(Episode::of(refused, [self.idle, self.paused], now)); 2];
    }

    /// Lowers all rates, and keeps them until the test [ends](Self::end_test).
    pub(crate) fn begin_test(&mut self, now: Nanos) {
        self.lanes.iter_mut().for_each(|lane| lane.begin_test(now));
    }

    /// Goes back to the rates before the test, or to those before the refusals where they `were_chance`.
    pub(crate) fn end_test(&mut self, were_chance: bool, now: Nanos) {
        self.lanes.iter_mut().for_each(|lane| lane.end_test(were_chance, now));
        self.bases = [None; 2];
    }

    /// Forgets all rates: the provider tells its limits.
    pub(crate) fn turn_off(&mut self) {
        self.lanes.clear();
        self.bases = [None; 2];
    }

    /// The provider says in a refusal when to come back, which it knows better than what was measured here: one goes then.
    pub(crate) const fn hint(&mut self, at: Nanos) {
        self.hinted_at = at;
    }

    /// What is left of each rate.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.lanes.iter().map(|lane| &lane.bucket)
    }

    /// When `amounts` are within every rate.
    pub(crate) fn ready_at(&self, amounts: &Amounts, now: Nanos) -> Nanos {
        let ready = |lane: &Lane| lane.bucket.ready_at(amounts.of(lane.dimension()), now);
        self.lanes.iter().map(ready).fold(now, Nanos::max).min(self.hinted_at.max(now))
    }

    /// Nobody goes until then.
    pub(crate) fn pause(&mut self, until: Nanos) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Takes `amounts`, as the taking that the caller counts.
    pub(crate) fn take(&mut self, taken: &Taken, amounts: &Amounts) {
        self.hinted_at = Nanos::MAX;
        let was_paused = core::mem::replace(&mut self.paused_until, Nanos::ZERO) > Nanos::ZERO;
        if was_paused {
            self.paused = self.paused.saturating_add(taken.at.saturating_sub(self.taken_at));
        }
        self.taken_at = taken.at;
        // Nothing is known of rates that are not used, but for those that are more than is asked for.
        let is_used = !was_paused && self.lanes.iter().any(|lane| lane.is_used(taken.at));
        if !is_used
            && !was_paused
            && let Some(lane) = self.lanes.first()
        {
            self.idle = self.idle.saturating_add(lane.since_step(taken.at));
        }
        for lane in &mut self.lanes {
            lane.grow(is_used, taken.at);
            if was_paused {
                lane.restart(taken.at);
            }
            lane.take(taken, amounts.of(lane.dimension()));
        }
    }

    /// The admission `number`, which had taken `amounts`, was not counted after all.
    pub(crate) fn forget(&mut self, number: u64, amounts: &Amounts) {
        let parts = Parts::of(amounts, Dimension::Tokens);
        self.uncounted = self.uncounted.saturating_add(u64::from(number > self.refused_up_to));
        for base in self.bases.iter_mut().flatten().filter(|base| number < base.number) {
            base.account.forget(&parts);
        }
    }

    /// A request was refused, and nothing but a rate explains it. Whether a rate is known that spaces the next ones.
    pub(crate) fn refused(&mut self, refused: &Refused<'_>, now: Nanos) -> bool {
        if refused.number <= self.refused_up_to {
            return self.is_on();
        }
        let has_recovered = self.has_recovered(refused.number);
        self.judged_up_to(refused.latest);
        let episode = Episode::of(refused, [self.idle, self.paused], now);
        if !self.is_on() && refused.told.iter().any(Option::is_some) {
            self.bases = [Some(episode); 2];
            self.believe(&refused.told, now);
            return true;
        }
        let is_empty = self.bases[0].is_some_and(|base| episode.since(&base, Dimension::Requests) == 0);
        if !has_recovered || is_empty {
            // Nothing was let through since the last one, or ever: then this is where counting begins.
            self.begin(&episode);
            return false;
        }
        if self.bases.iter().all(Option::is_none) {
            self.begin(&episode);
            return self.is_on();
        }
        let is_any_short = self.lanes.iter().any(|lane| lane.is_short(now));
        let lacking = Self::DIMENSIONS.into_iter().zip(&mut self.bases).zip(refused.lacks).filter(|(_, lacks)| *lacks);
        for ((dimension, base), _) in lacking {
            let lane = self.lanes.iter_mut().find(|lane| lane.dimension() == dimension);
            let size = base.map_or(1, |base| episode.mean_since(&base, dimension));
            let tokens = base.map_or(u64::MAX, |base| episode.mean_since(&base, Dimension::Tokens));
            // One that is much larger than the others is refused for its size.
            let is_large = episode.amounts.of(Dimension::Tokens) > tokens.saturating_mul(LARGE);
            if is_large && dimension == Dimension::Requests && lane.is_none() {
                continue;
            }
            let least = match lane {
                Some(_) => LEAST,
                None if is_large => LEAST_LARGE,
                None => LEAST_FIRST,
            };
            let measured = base.and_then(|base| episode.rate_since(&base, dimension, least));
            let is_doubtful = base.is_some_and(|base| episode.is_doubtful(&base));
            let trust = match base {
                _ if is_doubtful => Trust::Little,
                Some(base) if base.is_exact && episode.is_exact => Trust::Much,
                _ => Trust::Some,
            };
            match (lane, measured) {
                // What was not short is not what was refused for.
                (Some(lane), _) if is_any_short && !lane.is_short(now) => *base = Some(episode),
                (Some(lane), _) => lane.correct(measured, size, is_any_short && !is_doubtful, now),
                (None, Some(rate)) => self.lanes.push(Lane::new(dimension, rate, size, trust, now)),
                (None, None) => {}
            }
            if measured.is_some() {
                *base = Some(episode);
            }
        }
        self.is_on()
    }

    /// Where counting begins, if it has not begun.
    fn begin(&mut self, episode: &Episode) {
        for base in &mut self.bases {
            base.get_or_insert(*episode);
        }
    }

    /// Refusals of admissions up to this one are no news from now on.
    const fn judged_up_to(&mut self, latest: u64) {
        (self.refused_up_to, self.uncounted) = (latest, 0);
    }

    /// A request was refused, and it may have been for a rate. The first of those that were in flight together counts.
    pub(crate) fn may_be_empty(&mut self, refused: &Refused<'_>, now: Nanos) {
        if refused.number > self.refused_up_to && !self.is_on() {
            self.judged_up_to(refused.latest);
            self.bases = [Some(Episode::of(refused, [self.idle, self.paused], now)); 2];
        }
    }

    /// Begins with the rates that the provider tells: it enforces them in smaller portions than it tells them in.
    fn believe(&mut self, told: &[Option<u64>; 2], now: Nanos) {
        let rates = Self::DIMENSIONS.into_iter().zip(told);
        let rates = rates.filter_map(|(dimension, rate)| rate.map(|rate| (dimension, rate.max(1))));
        self.lanes.extend(rates.map(|(dimension, rate)| Lane::new(dimension, rate, 1, Trust::Some, now)));
    }
}

#[cfg(test)]
mod tests;
