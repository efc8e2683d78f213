//! A limit that is counted in two windows: what was taken since the last turn counts whole, and what was taken in the window
//! before it by as much as is left of the present one. Many gateways and libraries meter like this, because two numbers are
//! all that they keep.
//!
//! Nothing comes back at the turn. Within a window it comes back evenly, a window's worth of what was taken in the one
//! before. So it is a token bucket whose rate is another one from each turn on: what is missing from the limit at the turn,
//! in each window. Whatever somebody else has taken is part of that.

use super::Found;
use crate::{Bucket, Limit, Nanos, Refill};

/// What is known of the turns of such a limit, or of one that may be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    /// Whether it is one.
    is_on: bool,
    /// The latest turn, what is counted since, and what was counted in the window before it.
    turn: Nanos,
    used: u64,
    previous: u64,
    /// Whether a log of what was taken explains the words as well: until when that is left open.
    tried_until: Option<Nanos>,
    /// How much more words said since than was counted.
    risen: i64,
    /// Whether a word from after a turn said more than would be left of one.
    is_excluded: bool,
    /// The latest taking.
    taken_at: Nanos,
    /// How many words no sliding window explains.
    contrary: u32,
}

/// So many words that a log of what was taken does not explain say that it is none: one may be another client's burst.
const CONTRARY: u32 = 2;

/// The part of a window in which it shows whether a log explains the words as well: a quarter, several times as long as most
/// answers take. Before that no more goes than both give back.
const TRIED: u64 = 4;

/// Turns told in whole seconds are off by up to one, and by one more where a request may have been counted so much later
/// than it was sent.
const TURN_ERROR: Nanos = Nanos::from_secs(2);

impl Counter {
    /// The latest turn is `turn`, since which `used` is counted.
    fn count(&mut self, turn: Nanos, used: u64, window: Nanos) {
        let half = Nanos::new(window.get() / 2);
        // A turn that is told a little later is the same one.
        if turn > self.turn.saturating_add(half) {
            let is_next = turn < self.turn.saturating_add(window).saturating_add(half);
            self.previous = if is_next { self.used } else { 0 };
        }
        (self.turn, self.used) = (turn, used);
    }

    /// Whether nothing was taken since `turn`.
    pub(super) fn has_none_since(&self, turn: Nanos) -> bool {
        self.taken_at < turn
    }

    /// What of the window before counts at `at`.
    fn weighted(&self, at: Nanos, window: Nanos) -> u64 {
        let left = self.turn.saturating_add(window).saturating_sub(at).get().min(window.get());
        let part = u128::from(self.previous) * u128::from(left) / u128::from(window.get().max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

/// What a counter in two windows would have left, where so much is `counted` since the turn.
pub(super) struct Weighed {
    pub(super) least: i64,
    pub(super) most: i64,
}

impl Found {
    /// Whether what was taken in the window before counts by what is left of this one.
    pub(super) const fn is_weighted(&self) -> bool {
        self.counter.is_on
    }

    /// Follows what is counted in each window, while it may be a fixed one.
    pub(super) fn count_window(&mut self, now: Nanos) {
        let limit = *self.bucket.limit();
        if let Some(turn) = self.last_turn(now) {
            let used = i128::from(limit.burst()) - i128::from(self.bucket.level(now));
            self.counter.count(turn, u64::try_from(used).unwrap_or(0), limit.window());
        }
    }

    /// Something was taken at `at`.
    pub(super) const fn took(&mut self, at: Nanos) {
        self.counter.taken_at = at;
    }

    /// When `amount` may go if what is told as `turn` gives nothing back at once, where it is there at `ready_at` otherwise.
    pub(super) fn as_weighed(&self, amount: u64, turn: Nanos, ready_at: Nanos, now: Nanos) -> Nanos {
        let limit = self.bucket.limit();
        let mut counter = self.counter;
        counter.count(turn, if self.counter.turn < turn { 0 } else { self.counter.used }, limit.window());
        if self.counter.is_excluded {
            return ready_at;
        }
        // As much has to have come back of what was taken before.
        let most = limit.burst().saturating_sub(counter.used).saturating_sub(amount);
        let (window, previous) = (u128::from(limit.window().get()), u128::from(counter.previous.max(1)));
        let span = u128::from(counter.previous.saturating_sub(most)) * window / previous;
        let span = u64::try_from(span).unwrap_or(u64::MAX);
        ready_at.max(turn.saturating_add(Nanos::new(span))).max(now)
    }

    /// What would be left of it at `sent`, and by `now`, where `counted` would be left of a fixed window.
    pub(super) fn weigh(&mut self, counted: i64, sent: Nanos, now: Nanos) -> Weighed {
        let window = self.bucket.limit().window();
        let left = |at| counted.saturating_sub_unsigned(self.counter.weighted(at, window));
        Weighed { least: left(sent), most: left(now) }
    }

    /// More was there than would be left of one.
    pub(super) const fn is_no_counter(&mut self) {
        self.counter.is_excluded = true;
    }

    /// No log of what was taken explains a word, which says that it turns at `next`. Whether it is no log but this, because
    /// that is where it turned before.
    pub(super) fn is_contrary(&mut self, next: Option<Nanos>, sent: Nanos, now: Nanos) -> bool {
        let window = self.bucket.limit().window().get().max(1);
        let error = TURN_ERROR.saturating_add(now.saturating_sub(sent)).get();
        let is_turn = |next: Nanos| {
            let apart = next.get().abs_diff(self.counter.turn.get()) % window;
            apart.min(window - apart) <= error && error < window / 4
        };
        if self.counter.is_excluded || !next.is_some_and(is_turn) {
            return false;
        }
        self.counter.contrary = self.counter.contrary.saturating_add(1);
        self.counter.contrary >= CONTRARY
    }

    /// It is one, of which so much is left.
    pub(super) fn begin_to_weigh(&mut self, left: i64, now: Nanos) {
        let window = self.bucket.limit().window();
        let turn = turn_of(self.counter.turn, window, now);
        if turn > self.counter.turn {
            // What was taken before the latest turn was not counted.
            (self.counter.turn, self.counter.previous) = (turn, self.told);
        }
        self.counter.is_on = true;
        self.form.turns(self.counter.turn);
        let limit = Limit::new(self.dimension(), self.told, window);
        self.change_to(self.as_weighted(limit), now);
        self.bucket.set_level(left.max(0).unsigned_abs(), now, left.min(0).unsigned_abs(), now);
    }

    /// A log of what was taken explains the words so far as well: no more goes than both allow, for a quarter of the window.
    pub(super) fn is_tried(&mut self) {
        let turn = self.counter.turn;
        self.counter.risen = 0;
        self.counter.tried_until = Some(turn.saturating_add(Nanos::new(self.bucket.limit().window().get() / TRIED)));
    }

    /// Whether a log would explain it as well.
    pub(super) const fn is_tentative(&self) -> bool {
        self.counter.is_on && self.counter.tried_until.is_some()
    }

    /// Whether words say more than would be left of it, by so much more than was counted, or it has had its time.
    pub(super) fn is_given_up(&mut self, more: i64, apart: i64, now: Nanos) -> bool {
        self.counter.risen = self.counter.risen.saturating_add(more.max(0));
        self.counter.risen > apart || self.counter.tried_until.is_some_and(|until| now >= until)
    }

    /// No log explains it.
    pub(super) const fn is_confirmed(&mut self) {
        self.counter.tried_until = None;
    }

    /// Another limit of the same provider is one.
    pub(in crate::limiter) fn is_weighted_as(&mut self, turn: Nanos, window: Nanos, now: Nanos) {
        let limit = *self.bucket.limit();
        if self.counter.is_on || self.is_sliced || self.counter.is_excluded || limit.window() != window {
            return;
        }
        let level = self.bucket.level(now);
        let left = match limit.refill() {
            Refill::AtBoundary { .. } => level.saturating_sub_unsigned(self.counter.weighted(now, window)),
            _ => level,
        };
        if self.last_turn(now).is_none() {
            self.counter.count(turn, 0, window);
            self.counter.previous = self.told;
        }
        self.begin_to_weigh(left, now);
    }

    /// The latest turn and the window, where it is one.
    pub(in crate::limiter) fn weighs(&self) -> Option<(Nanos, Nanos)> {
        let is_known = self.counter.is_on && self.counter.tried_until.is_none();
        is_known.then(|| (self.counter.turn, self.bucket.limit().window()))
    }

    /// It is a fixed window after all, or another limit.
    pub(super) const fn end_to_weigh(&mut self) {
        (self.counter.is_on, self.counter.contrary, self.counter.tried_until) = (false, 0, None);
    }

    /// The same limit with what comes back until the next turn, where it is one.
    pub(super) fn as_weighted(&self, limit: Limit) -> Limit {
        if self.counter.is_on { weighted(&limit, self.counter.previous) } else { limit }
    }

    /// Goes on with the rate of the present window.
    pub(super) fn turn_counter(&mut self, now: Nanos) {
        if !self.counter.is_on {
            return;
        }
        if let Some(Refill::AtBoundary { phase }) = self.form.refill() {
            let turn = turn_of(phase, self.bucket.limit().window(), now);
            if turn.get().abs_diff(self.counter.turn.get()) < self.bucket.limit().window().get() / 2 {
                self.counter.turn = turn;
            }
        }
        // After two windows in which nothing is taken all of it is there, however many follow.
        for _ in 0..3 {
            match turned(&self.bucket, &mut self.counter, self.told, now) {
                Some(bucket) => self.bucket = bucket,
                None => return,
            }
        }
        self.counter.turn = turn_of(self.counter.turn, self.bucket.limit().window(), now);
    }

    /// When `amount` is there, where the rate is another one from the next turn on.
    pub(super) fn weighted_ready_at(&self, amount: u64, now: Nanos) -> Nanos {
        let ready_at = self.bucket.ready_at(amount, now);
        if !self.counter.is_on {
            return ready_at;
        }
        let (mut bucket, mut counter) = (self.bucket, self.counter);
        let mut ready_at = ready_at;
        // Two windows in which nothing is taken give back all of it.
        for _ in 0..3 {
            match turned(&bucket, &mut counter, self.told, ready_at) {
                Some(next) => bucket = next,
                None => break,
            }
            ready_at = bucket.ready_at(amount, counter.turn.max(now));
        }
        match (&self.log, self.counter.tried_until) {
            // One asks by the log, so that a word tells them apart.
            (Some(log), Some(until)) if self.flight.is_empty() => log.ready_at(amount, now).min(until),
            (Some(log), Some(until)) => ready_at.max(log.ready_at(amount, now).min(until)),
            _ => ready_at,
        }
    }
}

/// The same bucket from its next turn on, where that is not later than `now`.
fn turned(bucket: &Bucket, counter: &mut Counter, told: u64, now: Nanos) -> Option<Bucket> {
    let limit = *bucket.limit();
    let turn = counter.turn.saturating_add(limit.window());
    if now < turn {
        return None;
    }
    counter.previous = u64::try_from(i128::from(told) - i128::from(bucket.level(turn))).unwrap_or(0);
    counter.turn = turn;
    let mut turned = *bucket;
    turned.set_limit(weighted(&Limit::new(limit.dimension(), told, limit.window()), counter.previous), turn);
    Some(turned)
}

/// `limit`, where `previous` was taken in the window before.
fn weighted(limit: &Limit, previous: u64) -> Limit {
    let (amount, window) = (limit.amount(), limit.window());
    // All that is told has to be able to come back within the longest window.
    let least = amount / (Limit::MAX_WINDOW.get() / window.get().max(1)).max(1) + 1;
    Limit::new(limit.dimension(), previous.max(least).min(amount), window).with_burst(amount)
}

/// The latest turn up to `at` of a window that turns at `phase`.
pub(super) fn turn_of(phase: Nanos, window: Nanos, at: Nanos) -> Nanos {
    let since = (i128::from(at.get()) - i128::from(phase.get())).rem_euclid(i128::from(window.get().max(1)));
    at.saturating_sub(Nanos::new(u64::try_from(since).unwrap_or(0)))
}
