//! The rate of one dimension: how it is kept, tried and corrected.

use super::Pace;
use crate::learn::growth::Growth;
use crate::{Bucket, Dimension, Limit, Nanos, Taken};

/// One dimension.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) bucket: Bucket,
    /// What was measured, in [`Pace::WINDOW`].
    pub(super) measured: u64,
    /// The one before, which was let through until more was tried.
    pub(super) kept: u64,
    /// The rate before it was lowered, as far as that may have been for nothing.
    pub(super) before: u64,
    /// Where the last refusal came, and the highest of those that may have been chance.
    pub(super) refused_at: u64,
    is_tested: bool,
    pub(super) growth: Growth,
    /// How long a rate is kept at most.
    patience: Nanos,
    /// When the rate was taken over from it, and what was taken since.
    pub(super) grown_at: Nanos,
    pub(super) taken: u64,
}

/// How well a first rate is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trust {
    /// It may be a small part of what is allowed.
    Little,
    Some,
    /// The provider said when the next one may come, at either end.
    Much,
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
/// How much slower it goes while it is tested whether that helps: an eighth, more than any share that chance refuses.
const TESTED: u64 = 8;
/// But no slower than a quarter of the rate before it was lowered: at a small part of what is allowed the test would take many
/// minutes, and where less than that is allowed now, it is over after a few refusals.
const TESTED_LEAST: u64 = 4;
/// What goes at once: a second's worth. Shorter is finer than networks keep the order, longer is a burst that a
/// provider with slices of a second refuses.
const BURST: u64 = Pace::WINDOW.get() / Nanos::SECOND.get();
/// How long a rate is kept that was measured: for half of the window that most limits are stated for, and a hundred
/// requests, as each trial costs a refusal or two.
const PLATEAU: Plateau = Plateau { least: Nanos::from_secs(30), requests: 100 };
/// But no longer than the window that most limits are stated for, however few requests that are: one that is too low is lost
/// time. Each trial that is refused not far beyond it says that it is right, and makes that twice as long.
const PATIENCE: Nanos = Nanos::MINUTE;
/// The first one may be much too low, where little could be saved up: it is tried sooner.
const FIRST_PLATEAU: Plateau = Plateau { least: Nanos::from_secs(5), requests: 20 };
/// One that was lowered without measuring is a guess, and kept no longer than this, half of the window that most limits are stated for.
const GUESSED: Nanos = Nanos::from_secs(30);
/// The longest plateau, of a rate that several trials have confirmed.
const LONGEST_PLATEAU: Nanos = Nanos::from_secs(600);
/// What is not far beyond it: half as much again.
const CONFIRMED: u64 = 2;
/// How often the growing rate is taken over, and by how much it rises at most in that time: a tenth, as what is left of
/// it when it is refused then.
const STEP: Nanos = Nanos::SECOND;
const STEPS: u128 = 10;

impl Lane {
    /// The first rate. Nothing is left when it begins.
    pub(super) fn new(dimension: Dimension, rate: u64, size: u64, trust: Trust, now: Nanos) -> Self {
        let mut bucket = Bucket::full(limit_of(dimension, rate), now);
        bucket.set_level(0, now, 0, now);
        let patience = match trust {
            Trust::Little => FIRST_PLATEAU.least,
            Trust::Some => PATIENCE,
            Trust::Much => LONGEST_PLATEAU,
        };
        let growth = Growth::new(now, FIRST_PLATEAU.of(rate, size).min(patience));
        Self {
            bucket,
            measured: rate,
            kept: rate,
            before: rate,
            refused_at: 0,
            is_tested: false,
            growth,
            patience: PATIENCE,
            grown_at: now,
            taken: 0,
        }
    }

    pub(super) const fn dimension(&self) -> Dimension {
        self.bucket.limit().dimension()
    }

    /// Whether it held requests back.
    pub(super) fn is_short(&self, now: Nanos) -> bool {
        self.bucket.level(now).max(0).unsigned_abs() <= self.bucket.limit().burst() / 2
    }

    /// A request was refused, since the last refusal as much as `measured` was let through. `was_short`: it is what held
    /// requests back.
    pub(super) fn correct(&mut self, measured: Option<u64>, size: u64, was_short: bool, now: Nanos) {
        let rate = self.bucket.limit().amount();
        let share = |(part, whole): (u64, u64)| rate / whole * part + rate % whole * part / whole;
        let was_tried = self.growth.is_beyond(now);
        let is_confirmed = was_tried && rate <= self.measured.saturating_add(self.measured / CONFIRMED);
        let corrected = match measured {
            // What came back may have run over while less was sent.
            Some(measured) if was_tried => measured.max(share(TRIED)),
            // It held nobody back, or a pause did: what was let through is all that was asked for.
            Some(measured) if !was_short => measured.min(rate).max(share(UNMEASURED)),
            Some(measured) => measured.min(rate).max(rate / KEPT),
            None if self.kept < rate => self.kept + (rate - self.kept) / BACK,
            None => share(UNMEASURED),
        };
        self.before = if self.is_lowered() { self.before.max(rate) } else { rate };
        self.refused_at = rate;
        self.kept = if was_tried { self.measured } else { self.kept.min(corrected) };
        self.measured = corrected.max(1);
        self.patience = if is_confirmed {
            Nanos::new(self.patience.get().saturating_mul(2)).min(LONGEST_PLATEAU)
        } else {
            PATIENCE
        };
        let plateau = match measured {
            None if !is_confirmed => GUESSED,
            _ => PLATEAU.of(self.measured, size).min(self.patience),
        };
        self.growth.restart(now, plateau);
        self.set(self.measured, now);
        self.bucket.set_level(0, now, 0, now);
    }

    /// Whether it is lower than where the last refusal came.
    pub(super) const fn is_lowered(&self) -> bool {
        self.bucket.limit().amount() < self.refused_at
    }

    /// Goes slower than a server refuses whose rate was met.
    pub(super) fn begin_test(&mut self, now: Nanos) {
        self.is_tested = true;
        self.measured = self.bucket.limit().amount();
        let slower = (self.measured - self.measured / TESTED).max(self.before / TESTED_LEAST);
        self.set(slower.max(1), now);
    }

    pub(super) fn end_test(&mut self, were_chance: bool, now: Nanos) {
        self.is_tested = false;
        if were_chance {
            (self.measured, self.kept) = (self.before.max(self.measured), self.before.max(self.measured));
        }
        let plateau = if were_chance { FIRST_PLATEAU } else { PLATEAU };
        self.growth.restart(now, plateau.of(self.measured, 1).min(self.patience));
        self.set(self.measured, now);
    }

    pub(super) fn take(&mut self, taken: &Taken, amount: u64) {
        self.taken = self.taken.saturating_add(amount);
        self.bucket.take_as(taken, amount);
    }

    /// How long it is since the growing rate was taken over, where it is time for that.
    pub(super) fn since_step(&self, now: Nanos) -> Nanos {
        let elapsed = now.saturating_sub(self.grown_at);
        if elapsed < STEP { Nanos::ZERO } else { elapsed }
    }

    /// Whether at least half of what it allows was taken lately.
    pub(super) fn is_used(&self, now: Nanos) -> bool {
        let elapsed = now.saturating_sub(self.grown_at).get();
        let allowed = u128::from(self.bucket.limit().amount()) * u128::from(elapsed) / u128::from(Pace::WINDOW.get());
        u128::from(self.taken) * 2 >= allowed
    }

    /// Follows its growth, if it `is_used`.
    pub(super) fn grow(&mut self, is_used: bool, now: Nanos) {
        if self.is_tested || now < self.grown_at.saturating_add(STEP) {
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
    pub(super) fn restart(&mut self, now: Nanos) {
        self.bucket.set_level(1, now, 0, now);
    }

    pub(super) fn set(&mut self, rate: u64, now: Nanos) {
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
        Nanos::new(u64::try_from(span).unwrap_or(u64::MAX)).max(self.least)
    }
}
