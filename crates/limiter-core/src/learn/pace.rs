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
    /// When the first request went.
    started: Option<Nanos>,
    /// When requests were last refused, and what had been counted then: the newest first.
    episodes: [Option<Episode>; 3],
    /// Refusals of admissions up to this one are no news.
    refused_up_to: u64,
    /// Whether a request was let through since the last refusal.
    recovered: bool,
    /// When one may go by the provider's own word, whatever was measured.
    hinted_at: Nanos,
    lanes: Vec<Lane>,
}

#[derive(Clone, Copy, Debug)]
struct Episode {
    /// The admission that was refused first.
    number: u64,
    at: Nanos,
    /// What had been let through before it.
    account: Account,
}

/// One dimension.
#[derive(Debug)]
struct Lane {
    bucket: Bucket,
    /// What was measured, in a window of [`WINDOW`].
    measured: u64,
    /// The same, as it was measured and not bounded.
    exact: u64,
    growth: Growth,
    grown_at: Nanos,
}

const DIMENSIONS: [Dimension; 2] = [Dimension::Requests, Dimension::Tokens];
/// Rates are counted in ten minutes, so that a rate of a few requests a minute has digits.
const WINDOW: Nanos = Nanos::from_secs(600);
/// A minute is what most limits are stated for. Before the first refusal up to a minute's worth that was saved up was
/// used on top of the rate.
const SAVED_UP: Nanos = Nanos::MINUTE;
/// How much of what was measured before is kept at least: a window in which nothing could come back is no rate.
const KEPT: u64 = 4;
/// After a rate was kept for as long as it is meant to, what came back may have run over, and less was let through than
/// came back: then so much of the rate is kept at which the refusal came, as in CUBIC (RFC 9438, 4.6). If that is too much,
/// the next refusal comes soon, with nothing run over in between.
const SLOWED: (u64, u64) = (7, 10);
/// What may go at once: a second's worth. Shorter is finer than networks keep the order, longer is a burst that a
/// provider with slices of a second refuses.
const BURST: u64 = WINDOW.get() / Nanos::SECOND.get();
/// How long a rate is kept that was measured once; it has to last for a hundred requests, as each refusal is one.
const PLATEAU: Nanos = Nanos::from_secs(30);
const PLATEAU_REQUESTS: u64 = 100;
const LONGEST_PLATEAU: Nanos = Nanos::from_secs(600);
/// The first one is a guess at how much was saved up: it is tried sooner.
const FIRST_PLATEAU: Nanos = Nanos::from_secs(10);
/// Of a shorter span too little was let through to tell a rate: the level at its ends is not quite nothing.
const LEAST_SPAN: Nanos = Nanos::from_secs(5);
/// Fewer requests before the first refusal tell nothing of a rate: it may as well have been for another reason. A free
/// account has three a minute.
const LEAST_FIRST: u64 = 3;
/// How often the growing rate is taken over.
const STEP: Nanos = Nanos::SECOND;

impl Pace {
    pub(crate) const fn new() -> Self {
        Self {
            started: None,
            episodes: [None; 3],
            refused_up_to: 0,
            recovered: false,
            hinted_at: Nanos::MAX,
            lanes: Vec::new(),
        }
    }

    /// Whether a rate was measured.
    pub(crate) fn is_on(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Forgets all rates: the provider tells its limits.
    pub(crate) fn turn_off(&mut self) {
        self.lanes.clear();
        self.episodes = [None; 3];
    }

    /// The provider says in a refusal when to come back, which it knows better than what was measured here: one goes then.
    pub(crate) const fn hint(&mut self, at: Nanos) {
        self.hinted_at = at;
    }

    /// When `amounts` are within every rate.
    pub(crate) fn ready_at(&self, amounts: &Amounts, now: Nanos) -> Nanos {
        let ready = |lane: &Lane| lane.bucket.ready_at(amounts.of(lane.dimension()), now);
        self.lanes.iter().map(ready).fold(now, Nanos::max).min(self.hinted_at.max(now))
    }

    /// Takes `amounts`, as the taking that the caller counts.
    pub(crate) fn take(&mut self, taken: &Taken, amounts: &Amounts) {
        self.started.get_or_insert(taken.at);
        self.hinted_at = Nanos::MAX;
        for lane in &mut self.lanes {
            lane.grow(taken.at);
            lane.bucket.take_as(taken, amounts.of(lane.dimension()));
        }
    }

    /// A request was let through.
    pub(crate) const fn answered(&mut self) {
        self.recovered = true;
    }

    /// The admission `number`, which had taken `amounts`, was not counted after all.
    pub(crate) fn forget(&mut self, number: u64, amounts: &Amounts) {
        let parts = Parts::of(amounts, Dimension::Tokens);
        for episode in self.episodes.iter_mut().flatten().filter(|episode| number < episode.number) {
            episode.account.forget(&parts);
        }
    }

    /// The admission `number`, of the instant `at`, was refused, and nothing else explains it; `account` was admitted up
    /// to then, and `latest` is the newest admission. Whether a rate is known that spaces the next ones.
    pub(crate) fn refused(&mut self, number: u64, at: Nanos, account: &Account, latest: u64, now: Nanos) -> bool {
        if number <= self.refused_up_to {
            return self.is_on();
        }
        self.refused_up_to = latest;
        let episode = Episode { number, at, account: *account };
        if !core::mem::replace(&mut self.recovered, false) {
            // Nothing was let through since the last one, or ever: then this is where counting begins.
            if self.episodes[0].is_none() {
                self.episodes[0] = Some(episode);
            }
            return false;
        }
        let is_first = self.lanes.is_empty();
        let requests = self.measure(&episode, Dimension::Requests);
        if requests.is_none() && self.episodes[0].is_some() {
            // Too soon after the last one to tell: it is measured from there the next time. What is known is not enough.
            return false;
        }
        let plateau = requests.filter(|_| !is_first).map_or(FIRST_PLATEAU, plateau_of);
        let is_any_short = self.lanes.iter().any(|lane| lane.is_short(now));
        for dimension in DIMENSIONS {
            // What was not short is not what was refused for.
            if is_any_short && !self.is_short(dimension, now) {
                continue;
            }
            if let Some(measured) = self.measure(&episode, dimension) {
                self.correct(dimension, measured, plateau, is_first, now);
            }
        }
        self.episodes = [Some(episode), self.episodes[0], self.episodes[1]];
        self.is_on()
    }

    /// What was let through in [`WINDOW`] before `episode`; `None` where too little was to tell.
    fn measure(&self, episode: &Episode, dimension: Dimension) -> Option<u64> {
        let Some(last) = &self.episodes[0] else {
            let first = Account::default();
            if amount_of(&episode.account, &first, Dimension::Requests) < LEAST_FIRST {
                return None;
            }
            let span = episode.at.saturating_sub(self.started?).saturating_add(SAVED_UP);
            return Some(rate(amount_of(&episode.account, &first, dimension), span));
        };
        let since = |earlier: &Episode| {
            (amount_of(&episode.account, &earlier.account, dimension), episode.at.saturating_sub(earlier.at))
        };
        let (amount, span) = since(last);
        if amount == 0 || span < LEAST_SPAN {
            return None;
        }
        let newest = rate(amount, span);
        // A longer span is measured better, as long as it says the same.
        let older = self.episodes.iter().flatten().skip(1).map(since).map(|(amount, span)| rate(amount, span));
        let alike = older.filter(|rate| rate.abs_diff(newest) <= newest / 8);
        Some(alike.last().unwrap_or(newest))
    }

    fn is_short(&self, dimension: Dimension, now: Nanos) -> bool {
        self.lanes.iter().any(|lane| lane.dimension() == dimension && lane.is_short(now))
    }

    fn correct(&mut self, dimension: Dimension, measured: u64, plateau: Nanos, is_first: bool, now: Nanos) {
        let found = self.lanes.iter_mut().find(|lane| lane.dimension() == dimension);
        match found {
            Some(lane) => {
                let slowed = lane.bucket.limit().amount() / SLOWED.1 * SLOWED.0;
                let least = if lane.growth.is_beyond(now) { slowed } else { lane.exact / KEPT };
                (lane.measured, lane.exact) = (measured.max(least).max(1), measured);
                lane.growth.restart(now, plateau);
                lane.set(lane.measured, now);
                lane.bucket.set_level(0, now, 0, now);
            }
            None if measured > 0 && is_first => {
                let limit = limit_of(dimension, measured);
                let mut bucket = Bucket::full(limit, now);
                bucket.set_level(0, now, 0, now);
                self.lanes.push(Lane {
                    bucket,
                    measured,
                    exact: measured,
                    growth: Growth::new(now, plateau),
                    grown_at: now,
                });
            }
            None => {}
        }
    }
}

impl Lane {
    const fn dimension(&self) -> Dimension {
        self.bucket.limit().dimension()
    }

    /// Whether it held requests back.
    fn is_short(&self, now: Nanos) -> bool {
        self.bucket.level(now).max(0).unsigned_abs() <= self.bucket.limit().burst() / 2
    }

    fn grow(&mut self, now: Nanos) {
        if now < self.grown_at.saturating_add(STEP) {
            return;
        }
        self.grown_at = now;
        let rate = u128::from(self.measured) * u128::from(self.growth.gain(now)) / u128::from(Growth::ONE);
        self.set(u64::try_from(rate).unwrap_or(u64::MAX), now);
    }

    fn set(&mut self, rate: u64, now: Nanos) {
        let limit = limit_of(self.dimension(), rate);
        if limit != *self.bucket.limit() {
            self.bucket.set_limit(limit, now);
        }
    }
}

fn limit_of(dimension: Dimension, rate: u64) -> Limit {
    Limit::new(dimension, rate, WINDOW).with_burst(rate / BURST)
}

/// How long to stay with a rate of so many requests.
fn plateau_of(requests: u64) -> Nanos {
    let spread = WINDOW.get().saturating_mul(PLATEAU_REQUESTS) / requests.max(1);
    Nanos::new(spread).max(PLATEAU).min(LONGEST_PLATEAU)
}

/// What was let through between two accounts, of one dimension.
fn amount_of(account: &Account, earlier: &Account, dimension: Dimension) -> u64 {
    let amount = match dimension {
        Dimension::Requests => account.requests_since(earlier),
        _ => account.admitted_since(earlier).whole,
    };
    // It wrapped below nothing where more was refused than admitted.
    if amount > u64::MAX / 2 { 0 } else { amount }
}

/// `amount` in `span`, as so much in [`WINDOW`].
fn rate(amount: u64, span: Nanos) -> u64 {
    let rate = u128::from(amount) * u128::from(WINDOW.get()) / u128::from(span.get().max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
