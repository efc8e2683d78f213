//! Whether it is time to ask if a limit really has to be waited for, and what the answer says of its window.

use super::Found;
use crate::learn::Asks;
use crate::{Cost, Limit, Nanos, Reading, Refill};

/// Where nothing says when a limit is there again, it is asked after this part of the window that is assumed, a sixteenth,
/// and after twice as long each time.
const FIRST: u64 = 16;
/// And after a minute at the latest, which is the window that most limits are stated for.
const LATEST: Nanos = Nanos::MINUTE;
/// Resets are told in whole seconds.
const ROUNDED: Nanos = Nanos::SECOND;
/// All is there where a quarter at most is missing: others may have taken some.
const FULL: u64 = 4;
/// A window that was found by asking is sure when it was right so often in a row. Until then one asks where so many would go at
/// once: of a window that turns, less is seen than it is long.
const SURE: u32 = 2;
const MANY: u64 = 4;
/// What a reset names is sooner than what is believed where two seconds lie between, and an eighth: a turn is told a second
/// too early or too late.
const SOONER: (Nanos, u64) = (Nanos::from_secs(2), 8);
/// What is known of the waits for one limit.
#[derive(Debug, Default)]
pub(super) struct Asked {
    asks: Asks,
    /// When something was taken last, and before that.
    taken_at: Nanos,
    before: Nanos,
    /// When the last reset named is over, and what window it is that of.
    full: Option<(Nanos, Nanos)>,
    trial: Option<Trial>,
    /// What was there for the admission of this number.
    there: Option<(u64, u64)>,
    /// Which one took something last, and what that left, if a word of it says so.
    latest: u64,
    left: u64,
    /// The refusals of admissions up to this one are known to say that the window is longer.
    doubted: u64,
    /// How often in a row the window was as long as was found by asking.
    sure: u32,
}

/// One request that asks.
#[derive(Clone, Copy, Debug)]
struct Trial {
    /// What was thought to be there, and how long the window is if all of it is.
    level: u64,
    window: Option<Nanos>,
    /// The same by the reset that was told.
    told: Option<Nanos>,
    /// Whether it had to find something there, if the window is as was found.
    is_due: bool,
}

impl Asked {
    pub(super) const fn take(&mut self, number: u64, at: Nanos) {
        (self.before, self.taken_at) = (self.taken_at, at);
        (self.latest, self.left) = (number, 0);
    }

    /// Keeps what the answer to a request sent at `sent` says of when all is there again.
    pub(super) fn hear(&mut self, reading: &Reading, sent: Nanos) {
        let told = reading.limit.zip(reading.remaining).zip(reading.reset);
        self.full = told.and_then(|((limit, remaining), reset)| {
            let used = limit.checked_sub(remaining).filter(|used| *used > 0)?;
            let window = u128::from(reset.get()) * u128::from(limit) / u128::from(used);
            let window = u64::try_from(window).map_or(Nanos::MAX, Nanos::new);
            Some((sent.saturating_add(reset), window)).filter(|_| reset > Nanos::ZERO)
        });
    }

    /// Whether the admission `number` asks.
    pub(super) fn is_asker(&self, number: u64) -> bool {
        self.asks.is_asker(number)
    }

    /// Whether the refusal of the admission `number` says something new: those that were in flight together say one thing.
    pub(super) const fn is_new(&mut self, number: u64, latest: u64) -> bool {
        let is_new = number > self.doubted;
        if is_new {
            self.doubted = latest;
        }
        is_new
    }

    /// So much was there for the admission `number`, of which so much was left.
    pub(super) const fn found(&mut self, number: u64, there: u64, left: u64) {
        self.there = Some((number, there));
        if number == self.latest {
            self.left = left;
        }
    }
}

impl Found {
    /// When somebody may ask whether a request fits that does not before `ready_at` by what is known; `is_alone`: nothing is
    /// in flight.
    pub(in crate::limiter) fn asks_at(&self, ready_at: Nanos, is_alone: bool, tells: bool) -> Nanos {
        if self.constant.is_known() {
            // The answer would not say.
            return Nanos::MAX;
        }
        let Asked { asks, taken_at, .. } = &self.asked;
        let is_open = self.stated_window.is_none() && !self.is_sliced && !self.is_guess && !asks.is_asking();
        // What is counted here, and not by words, holds nothing twice that is in flight.
        let is_counted = !tells || self.slides();
        if !is_open || !is_alone && !is_counted && !asks.has_gained() {
            return Nanos::MAX;
        }
        let window = self.bucket.limit().window();
        let turns = matches!(self.bucket.limit().refill(), Refill::AtBoundary { .. });
        let is_longer = self.form.is_told_longer();
        // What was told before the latest was taken says nothing of when that is there, nor does what was too short before.
        let is_about = |at: Nanos| at > *taken_at && asks.may_be_enough(at.saturating_sub(*taken_at));
        let full = self.asked.full.filter(|(at, _)| is_longer && *at > *taken_at || is_about(*at));
        let is_told = full.is_some() && window <= LATEST && (is_longer || !asks.has_gained());
        if is_told && turns {
            // It is when all is there again that is believed.
            return Nanos::MAX;
        }
        let first = if full.is_some() { LATEST } else { LATEST.min(Nanos::new(window.get() / FIRST)) };
        // No window is shorter than the longest wait for its end, but one whole second may be any part of it.
        let told = Some(self.form.longest_reset()).filter(|reset| *reset > ROUNDED).unwrap_or(Nanos::ZERO);
        let first = first.max(told).min(LATEST);
        let after = if is_told {
            Nanos::MAX
        } else {
            taken_at.saturating_add(asks.after(first, ready_at.saturating_sub(*taken_at)))
        };
        // What a reset names is there by then, if nothing else was taken.
        let full_at = full.map(|(at, _)| at).filter(|at| {
            let span = at.saturating_sub(*taken_at);
            ready_at.saturating_sub(*at) >= SOONER.0.max(Nanos::new(span.get() / SOONER.1))
        });
        let at = after.min(full_at.unwrap_or(Nanos::MAX));
        let at = if is_alone { at } else { at.max(taken_at.saturating_add(self.reordering())) };
        let sooner = if asks.has_gained() { 0 } else { ready_at.saturating_sub(*taken_at).get() / SOONER.1 };
        if at < ready_at && ready_at.saturating_sub(at).get() >= sooner { at } else { Nanos::MAX }
    }

    /// When `cost` is within the caller's own share, which nobody asks about.
    pub(in crate::limiter) fn is_within_share_at(&self, cost: &Cost, yields: u64, now: Nanos) -> Nanos {
        self.share_ready_at(self.charge.needed(&self.parts(cost.expected()), yields), now)
    }

    /// Whether one has to ask before many go at once for which `amount` each is there, by a window that is not sure: the last
    /// word said that nothing was.
    fn is_unsure(&self, amount: u64, now: Nanos) -> bool {
        let many = i64::try_from(amount.saturating_mul(MANY)).unwrap_or(i64::MAX);
        self.form.is_found()
            && self.stated_window.is_none()
            && !self.constant.is_known()
            && self.asked.sure < SURE
            && self.said.0 < i64::try_from(amount).unwrap_or(i64::MAX)
            && self.bucket.level(now) >= many
    }

    /// Whether nobody may go because somebody asks, or has to, and others are in flight.
    pub(in crate::limiter) fn is_held_to_ask(&self, cost: &Cost, yields: u64, is_alone: bool, now: Nanos) -> bool {
        let amount = self.charge.needed(&self.parts(cost.expected()), yields);
        amount > 0 && !is_alone && self.is_unsure(amount, now)
    }

    /// Whether `cost`, which fits, asks.
    pub(in crate::limiter) fn has_to_ask(&self, cost: &Cost, yields: u64, now: Nanos) -> bool {
        let amount = self.charge.needed(&self.parts(cost.expected()), yields);
        amount > 0 && self.is_unsure(amount, now) && !self.asked.asks.is_asking()
    }

    /// The admission `number` goes at `now`, before `ready_at`, to ask.
    pub(in crate::limiter) fn ask(&mut self, number: u64, ready_at: Nanos, tells: bool, now: Nanos) {
        let limit = *self.bucket.limit();
        let (window, waited) = (limit.window(), now.saturating_sub(self.asked.taken_at));
        let of_window = match limit.refill() {
            // Where answers tell what remains, a turn that was told wrongly is no shorter window.
            Refill::AtBoundary { .. } if tells => None,
            Refill::Sliding | Refill::AtBoundary { .. } => {
                let taken_at = ready_at.get().checked_sub(window.get());
                taken_at.map(|taken_at| Nanos::new(now.get().saturating_sub(taken_at)))
            }
            Refill::Continuous => {
                let whole = ready_at.saturating_sub(self.asked.taken_at).get().max(1);
                let part = u128::from(window.get()) * u128::from(waited.get()) / u128::from(whole);
                u64::try_from(part).ok().map(Nanos::new)
            }
            _ => None,
        };
        // What is left until a turn is no window.
        let turns = matches!(limit.refill(), Refill::AtBoundary { .. });
        let told = self.asked.full.filter(|(at, _)| *at <= now && !turns).map(|(_, window)| window);
        // What the last word left may be more than is believed.
        let level = u64::try_from(self.bucket.level(now)).unwrap_or(0).max(self.asked.left);
        let of_window = of_window.map(|window| window.max(waited));
        let is_due = ready_at <= now;
        self.asked.trial = Some(Trial { level, window: of_window, told, is_due });
        self.asked.asks.ask(number, waited);
    }

    /// The admission `number` was let through.
    pub(in crate::limiter) fn was_let_through(&mut self, number: u64, now: Nanos) {
        if self.asked.asks.passed(number).is_none() {
            return;
        }
        let Some(trial) = self.asked.trial.take() else { return };
        if trial.is_due {
            self.asked.sure = self.asked.sure.saturating_add(1);
            return;
        }
        self.asked.sure = 0;
        let amount = self.told.max(1);
        let there = self.asked.there.filter(|(of, _)| *of == number);
        // As much as came back of it within what would be the window if all had.
        let back = there.map_or(amount, |(_, there)| there.saturating_sub(trial.level).clamp(1, amount));
        let seen = trial.window.map_or(Nanos::MAX, |window| {
            let whole = u128::from(window.get()) * u128::from(amount) / u128::from(back);
            u64::try_from(whole).map_or(Nanos::MAX, Nanos::new)
        });
        // What resets say of a bucket that is not as deep as its limit is large is not how long a window is.
        let is_full = there.is_none_or(|(_, there)| there >= amount - amount / FULL);
        let told = trial.told.filter(|told| is_full && *told <= seen);
        if let Some(told) = told {
            self.asked.asks.is_short(told.saturating_sub(ROUNDED));
        }
        let window = told.unwrap_or(seen).max(Nanos::from_millis(1));
        if window < self.bucket.limit().window() && self.returns.rate(self.told).is_none() {
            self.form.is_at_most(window);
            self.follow_asked(now);
        }
    }

    /// The window is as long as was found by asking.
    pub(super) fn follow_asked(&mut self, now: Nanos) {
        if let Some(window) = self.form.window().filter(|_| self.form.is_asked() && self.stated_window.is_none()) {
            let refill = self.form.refill().unwrap_or(self.bucket.limit().refill());
            self.change_to(Limit::new(self.dimension(), self.told, window).with_refill(refill), now);
        }
    }

    /// The admission `number` was refused; `lacks`: because something lacks. Returns whether it was one that asked.
    pub(in crate::limiter) fn was_refused(&mut self, number: u64, lacks: bool, now: Nanos) -> bool {
        let has_asked = self.asked.asks.refused(number);
        if has_asked {
            self.asked.taken_at = self.asked.before;
            if self.bucket.limit().refill() != Refill::Continuous
                && let Some((at, _)) = self.asked.full
            {
                self.asked.asks.is_named(at.saturating_sub(self.asked.taken_at));
            }
            if self.asked.trial.take().is_some_and(|trial| trial.is_due) && lacks {
                self.asked.sure = 0;
                self.form.doubt();
                self.follow_asked(now);
            }
        }
        has_asked
    }

    /// The admission `number` ended in another way.
    pub(in crate::limiter) fn asked_nothing(&mut self, number: u64) {
        self.asked.asks.ended(number);
    }
}
