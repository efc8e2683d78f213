//! The rate that a provider allows that never says it, measured between its refusals.
//!
//! A request is refused where what it takes is not there. So between two refusals exactly as much was let through as
//! came back in between, less what ran over: that is the rate, in whatever units are counted here, whatever the provider
//! charges and however it meters. Requests then go evenly at that rate, because an even flow is within a token bucket
//! of any depth, within a fixed and within a sliding window alike; what the provider saves up on top is not known.
//!
//! The rate is measured in each dimension, and only those are corrected that held requests back at the time: what was
//! not short is not what was refused for. Where none did, because all had grown beyond what was asked for, each is. From
//! there each grows ([`Growth`]) until the next refusal.

use alloc::vec::Vec;

use crate::learn::growth::Growth;
use crate::learn::ledger::{Account, Parts};
use crate::{Amounts, Bucket, Dimension, Limit, Nanos, Taken};

/// The rates of one set of limits, as far as refusals have shown them.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When nothing was left of each of the [dimensions](Self::DIMENSIONS), and what had been counted then: where counting
    /// begins.
    bases: [Option<Episode>; 2],
    /// Refusals of admissions up to this one are no news.
    refused_up_to: u64,
    /// Whether a request was let through since the last refusal.
    recovered: bool,
    /// When one may go by the provider's own word, whatever was measured.
    hinted_at: Nanos,
    /// Until when nobody goes, if that is so.
    paused_until: Nanos,
    lanes: Vec<Lane>,
}

/// A moment at which nothing was left.
#[derive(Clone, Copy, Debug)]
struct Episode {
    /// The admission that was refused first.
    number: u64,
    at: Nanos,
    /// Whether the provider said when what it takes is there: at this instant, then.
    is_exact: bool,
    /// What had been let through before it, and what it would have taken.
    account: Account,
    amounts: Amounts,
}

/// A refusal that nothing explains but a rate.
pub(crate) struct Refused<'a> {
    /// The admission, and when it went.
    pub(crate) number: u64,
    pub(crate) at: Nanos,
    /// When one may come again, where the provider says it.
    pub(crate) again_at: Option<Nanos>,
    /// What had been admitted before it, and what it takes.
    pub(crate) account: &'a Account,
    pub(crate) amounts: &'a Amounts,
    /// The newest admission.
    pub(crate) latest: u64,
    /// What the provider tells of its rates: of [`Pace::DIMENSIONS`], in [`Pace::WINDOW`].
    pub(crate) told: [Option<u64>; 2],
}

/// One dimension.
#[derive(Debug)]
struct Lane {
    bucket: Bucket,
    /// What was measured, in [`Pace::WINDOW`].
    measured: u64,
    /// The one before, which was let through until more was tried.
    kept: u64,
    growth: Growth,
    /// When the rate was taken over from it, and what was taken since.
    grown_at: Nanos,
    taken: u64,
}

/// How much of a rate is kept at least: a window in which nothing could come back is no rate.
const KEPT: u64 = 4;
/// What is left of a rate that was refused when it was tried: nine tenths. What was saved up has gone into it, and what is
/// less than what comes back would have to be tried again; the next refusal measures it where it is still too much.
const TRIED: (u64, u64) = (9, 10);
/// What is left beyond the rate before that was tried, where the next refusal comes too soon to measure it: a quarter.
const BACK: u64 = 4;
/// What is left of one that was refused so soon after another refusal that there is nothing to measure.
const UNMEASURED: (u64, u64) = (8, 10);
/// What goes at once: a second's worth. Shorter is finer than networks keep the order, longer is a burst that a
/// provider with slices of a second refuses.
const BURST: u64 = Pace::WINDOW.get() / Nanos::SECOND.get();
/// How long a rate is kept that was measured: for half of the window that most limits are stated for, and a hundred
/// requests, as each trial costs a refusal or two.
const PLATEAU: Plateau = Plateau { least: Nanos::from_secs(30), requests: 100 };
/// The first one may be much too low, where little could be saved up: it is tried sooner.
const FIRST_PLATEAU: Plateau = Plateau { least: Nanos::from_secs(5), requests: 20 };
const LONGEST_PLATEAU: Nanos = Nanos::from_secs(600);
/// What was there at either end is anything up to what the refused request takes: what was let through in between has to
/// be so many times as much to tell a rate. For a first one less is better than nothing.
const LEAST: u64 = 8;
const LEAST_FIRST: u64 = 4;
const LEAST_LARGE: u64 = 2;
/// So many times as large as the others on average is much larger.
const LARGE: u64 = 4;
/// A provider that says when to come back says it in whole seconds: a shorter span is none but the least there is.
const TELLING: Nanos = Nanos::from_secs(2);
/// How often the growing rate is taken over, and by how much it rises at most in that time: a tenth, as what is left of
/// it when it is refused then.
const STEP: Nanos = Nanos::SECOND;
const STEPS: u128 = 10;

impl Pace {
    /// What rates are measured in.
    pub(crate) const DIMENSIONS: [Dimension; 2] = [Dimension::Requests, Dimension::Tokens];
    /// Rates are counted in ten minutes, so that a rate of a few requests a minute has digits.
    pub(crate) const WINDOW: Nanos = Nanos::from_secs(600);

    pub(crate) const fn new() -> Self {
        Self {
            bases: [None; 2],
            refused_up_to: 0,
            recovered: false,
            hinted_at: Nanos::MAX,
            paused_until: Nanos::ZERO,
            lanes: Vec::new(),
        }
    }

    /// Whether a rate was measured.
    pub(crate) fn is_on(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Whether a request was let through since the last refusal.
    pub(crate) const fn has_recovered(&self) -> bool {
        self.recovered
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
        // Nothing is known of rates that are not used, but for those that are more than is asked for.
        let is_used = !was_paused && self.lanes.iter().any(|lane| lane.is_used(taken.at));
        for lane in &mut self.lanes {
            lane.grow(is_used, taken.at);
            if was_paused {
                lane.restart(taken.at);
            }
            lane.take(taken, amounts.of(lane.dimension()));
        }
    }

    /// A request was let through.
    pub(crate) const fn answered(&mut self) {
        self.recovered = true;
    }

    /// The admission `number`, which had taken `amounts`, was not counted after all.
    pub(crate) fn forget(&mut self, number: u64, amounts: &Amounts) {
        let parts = Parts::of(amounts, Dimension::Tokens);
        for base in self.bases.iter_mut().flatten().filter(|base| number < base.number) {
            base.account.forget(&parts);
        }
    }

    /// A request was refused, and nothing but a rate explains it. Whether a rate is known that spaces the next ones.
    pub(crate) fn refused(&mut self, refused: &Refused<'_>, now: Nanos) -> bool {
        if refused.number <= self.refused_up_to {
            return self.is_on();
        }
        self.refused_up_to = refused.latest;
        let episode = Episode::of(refused, now);
        if !self.is_on() && refused.told.iter().any(Option::is_some) {
            self.bases = [Some(episode); 2];
            self.believe(&refused.told, now);
            return true;
        }
        let is_empty = self.bases[0].is_some_and(|base| episode.since(&base, Dimension::Requests) == 0);
        if !core::mem::replace(&mut self.recovered, false) || is_empty {
            // Nothing was let through since the last one, or ever: then this is where counting begins.
            self.begin(&episode);
            return false;
        }
        if self.bases.iter().all(Option::is_none) {
            self.begin(&episode);
            return self.is_on();
        }
        let is_any_short = self.lanes.iter().any(|lane| lane.is_short(now));
        for (dimension, base) in Self::DIMENSIONS.into_iter().zip(&mut self.bases) {
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
            match (lane, measured) {
                // What was not short is not what was refused for.
                (Some(lane), _) if is_any_short && !lane.is_short(now) => *base = Some(episode),
                (Some(lane), _) => lane.correct(measured, size, now),
                (None, Some(rate)) => self.lanes.push(Lane::new(dimension, rate, size, now)),
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

    /// A request was refused, and it may have been for a rate. The first of those that were in flight together counts.
    pub(crate) fn may_be_empty(&mut self, refused: &Refused<'_>, now: Nanos) {
        if refused.number > self.refused_up_to && !self.is_on() {
            self.refused_up_to = refused.latest;
            self.bases = [Some(Episode::of(refused, now)); 2];
        }
    }

    /// Begins with the rates that the provider tells: it enforces them in smaller portions than it tells them in.
    fn believe(&mut self, told: &[Option<u64>; 2], now: Nanos) {
        let rates = Self::DIMENSIONS.into_iter().zip(told);
        let rates = rates.filter_map(|(dimension, rate)| rate.map(|rate| (dimension, rate.max(1))));
        self.lanes.extend(rates.map(|(dimension, rate)| Lane::new(dimension, rate, 1, now)));
    }
}

impl Episode {
    fn of(refused: &Refused<'_>, now: Nanos) -> Self {
        let told_at = refused.again_at.filter(|at| *at >= now.saturating_add(TELLING));
        Self {
            number: refused.number,
            at: told_at.unwrap_or(refused.at),
            is_exact: told_at.is_some(),
            account: *refused.account,
            amounts: *refused.amounts,
        }
    }

    /// What was let through since `earlier`.
    fn since(&self, earlier: &Self, dimension: Dimension) -> u64 {
        let amount = match dimension {
            Dimension::Requests => self.account.requests_since(&earlier.account),
            _ => self.account.admitted_since(&earlier.account).whole,
        };
        // It wrapped below nothing where more was refused than admitted.
        if amount > u64::MAX / 2 { 0 } else { amount }
    }

    /// The mean of what requests took that were let through since `earlier`.
    fn mean_since(&self, earlier: &Self, dimension: Dimension) -> u64 {
        self.since(earlier, dimension) / self.since(earlier, Dimension::Requests).max(1)
    }

    /// The same in [`Pace::WINDOW`], where it is at least so many times as much as was uncertain at either end.
    fn rate_since(&self, earlier: &Self, dimension: Dimension, least: u64) -> Option<u64> {
        let (amount, span) = (self.since(earlier, dimension), self.at.saturating_sub(earlier.at));
        let is_exact = self.is_exact && earlier.is_exact;
        let uncertain = self.amounts.of(dimension).max(earlier.amounts.of(dimension));
        if amount < uncertain.saturating_mul(if is_exact { 1 } else { least }) {
            return None;
        }
        // Anything up to what was refused may have been there at either end.
        let amount = if is_exact { amount } else { amount.saturating_sub(uncertain / 2) };
        let rate = u128::from(amount) * u128::from(Pace::WINDOW.get()) / u128::from(span.get().max(1));
        Some(u64::try_from(rate).unwrap_or(u64::MAX)).filter(|rate| *rate > 0)
    }
}

impl Lane {
    /// The first rate. Nothing is left when it begins.
    fn new(dimension: Dimension, rate: u64, size: u64, now: Nanos) -> Self {
        let mut bucket = Bucket::full(limit_of(dimension, rate), now);
        bucket.set_level(0, now, 0, now);
        let growth = Growth::new(now, FIRST_PLATEAU.of(rate, size));
        Self { bucket, measured: rate, kept: rate, growth, grown_at: now, taken: 0 }
    }

    const fn dimension(&self) -> Dimension {
        self.bucket.limit().dimension()
    }

    /// Whether it held requests back.
    fn is_short(&self, now: Nanos) -> bool {
        self.bucket.level(now).max(0).unsigned_abs() <= self.bucket.limit().burst() / 2
    }

    /// A request was refused, since the last refusal as much as `measured` was let through.
    fn correct(&mut self, measured: Option<u64>, size: u64, now: Nanos) {
        let rate = self.bucket.limit().amount();
        let share = |(part, whole): (u64, u64)| rate / whole * part + rate % whole * part / whole;
        let was_tried = self.growth.is_beyond(now);
        let corrected = match measured {
            // What came back may have run over while less was sent.
            Some(measured) if was_tried => measured.max(share(TRIED)),
            Some(measured) => measured.min(rate).max(rate / KEPT),
            None if self.kept < rate => self.kept + (rate - self.kept) / BACK,
            None => share(UNMEASURED),
        };
        self.kept = if was_tried { self.measured } else { self.kept.min(corrected) };
        self.measured = corrected.max(1);
        self.growth.restart(now, PLATEAU.of(self.measured, size));
        self.set(self.measured, now);
        self.bucket.set_level(0, now, 0, now);
    }

    fn take(&mut self, taken: &Taken, amount: u64) {
        self.taken = self.taken.saturating_add(amount);
        self.bucket.take_as(taken, amount);
    }

    /// Whether at least half of what it allows was taken lately.
    fn is_used(&self, now: Nanos) -> bool {
        let elapsed = now.saturating_sub(self.grown_at).get();
        let allowed = u128::from(self.bucket.limit().amount()) * u128::from(elapsed) / u128::from(Pace::WINDOW.get());
        u128::from(self.taken) * 2 >= allowed
    }

    /// Follows its growth, if it `is_used`.
    fn grow(&mut self, is_used: bool, now: Nanos) {
        if now < self.grown_at.saturating_add(STEP) {
            return;
        }
        let elapsed = now.saturating_sub(self.grown_at);
        if !is_used {
            self.growth.wait(elapsed);
        }
        (self.grown_at, self.taken) = (now, 0);
        let grown = u128::from(self.measured) * u128::from(self.growth.gain(now)) / u128::from(Growth::ONE);
        let rate = self.bucket.limit().amount();
        let rise = u128::from(rate) * u128::from(elapsed.get()) / u128::from(STEP.get()) / STEPS;
        let most = u128::from(rate).saturating_add(rise).saturating_add(1);
        self.set(u64::try_from(grown.min(most)).unwrap_or(u64::MAX), now);
    }

    /// Nobody went for a while, and all should not go at once afterwards.
    fn restart(&mut self, now: Nanos) {
        self.bucket.set_level(1, now, 0, now);
    }

    fn set(&mut self, rate: u64, now: Nanos) {
        let (limit, known) = (limit_of(self.dimension(), rate), *self.bucket.limit());
        if limit != known {
            self.bucket.set_limit(limit, now);
            // What more there can be is not there yet: it would go at once.
            self.bucket.lose(limit.burst().saturating_sub(known.burst()), now);
        }
    }
}

fn limit_of(dimension: Dimension, rate: u64) -> Limit {
    Limit::new(dimension, rate, Pace::WINDOW).with_burst(rate / BURST)
}

/// How long to stay with a rate: so long at least, and for so many requests.
struct Plateau {
    least: Nanos,
    requests: u64,
}

impl Plateau {
    /// Of a rate, and the size of a request.
    fn of(&self, rate: u64, size: u64) -> Nanos {
        let amount = u128::from(self.requests) * u128::from(size.max(1));
        let span = amount * u128::from(Pace::WINDOW.get()) / u128::from(rate.max(1));
        Nanos::new(u64::try_from(span).unwrap_or(u64::MAX)).max(self.least).min(LONGEST_PLATEAU)
    }
}

#[cfg(test)]
mod tests;
