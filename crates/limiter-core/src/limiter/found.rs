//! A limit that was found in what the provider answered.
//!
//! Its level is the provider's word less what the word may not include. A response tells what remained when its
//! request was counted, some time between the sending and the answer, and not in the order of sending. So all that is
//! in flight and was admitted later, or up to [`REORDERING`] earlier, is taken off: at worst a little is held back
//! twice until the next answer, and never is anything spent that is not there.

use crate::flight::Flight;
use crate::learn::{Depth, FormGuess, Margin, Turns};
use crate::{Amounts, Bucket, Dimension, Limit, Nanos, Reading, Refill, Reservation, Taken};

/// How much later than another a request may be counted that was sent before it: it may have waited for a connection,
/// a lost packet or a busy processor. A second's quota is what this costs at most, once; of a window shorter than ten
/// seconds, a tenth.
const REORDERING: Nanos = Nanos::SECOND;

/// A limit that so many successes in a row leave out, which speak of its dimension, is in force no more.
const PASSED_OVER: u32 = 20;

/// The state of one found limit.
#[derive(Debug)]
pub(super) struct Found {
    bucket: Bucket,
    /// The window the provider stated; `None` where it is inferred.
    stated_window: Option<Nanos>,
    form: FormGuess,
    margin: Margin,
    /// Whether an answer that was no refusal spoke of it, and when any answer did last.
    in_success: bool,
    spoken_at: Nanos,
    /// How many successes in a row spoke of its dimension and not of it.
    passed_over: u32,
    depth: Depth,
    turns: Turns,
    flight: Flight,
    /// Whether the provider said what remains, and when the request was admitted whose answer is its last word.
    has_word: bool,
    word_at: Nanos,
    /// What was admitted from here on and is in flight has been taken off the level.
    uncertain_from: Nanos,
}

impl Found {
    /// A limit that is spoken of for the first time, while `flight` is in flight: admissions up to `number`.
    pub(super) fn new(limit: Limit, stated_window: Option<Nanos>, flight: Flight, number: u64, now: Nanos) -> Self {
        let mut bucket = Bucket::full(limit, now).begun_at(number);
        bucket.lose(flight.since(Nanos::ZERO, limit.dimension()), now);
        Self {
            bucket,
            stated_window,
            form: FormGuess::default(),
            margin: Margin::default(),
            in_success: false,
            spoken_at: now,
            passed_over: 0,
            depth: Depth::new(),
            turns: Turns::default(),
            flight,
            has_word: false,
            word_at: Nanos::ZERO,
            uncertain_from: Nanos::ZERO,
        }
    }

    pub(super) const fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Whether a reading speaks of this limit. One answer may state the window in its body and not in its headers: then
    /// the amount tells.
    pub(super) fn is_meant_by(&self, reading: &Reading) -> bool {
        let limit = self.bucket.limit();
        limit.dimension() == reading.dimension
            && match (self.stated_window, reading.window) {
                (Some(known), Some(stated)) => known == stated,
                (None, None) => true,
                (None, Some(stated)) => limit.window() == stated && reading.limit.is_none_or(|it| it == limit.amount()),
                (Some(_), None) => reading.limit.is_none_or(|it| it == limit.amount()),
            }
    }

    /// Whether the limit is to be heeded at `now`.
    pub(super) fn is_heeded(&self, tells: bool, now: Nanos) -> bool {
        now < self.heeded_until(tells)
    }

    /// A success spoke of this limit's dimension: of this limit, or of others only.
    pub(super) const fn is_mentioned(&mut self, mentioned: bool) {
        self.passed_over = if mentioned { 0 } else { self.passed_over.saturating_add(1) };
    }

    /// When the limit is forgotten. One that only refusals have stated is, a window after the last of them, where the
    /// provider `tells` its limits otherwise: it would state this one too.
    fn heeded_until(&self, tells: bool) -> Nanos {
        if self.passed_over >= PASSED_OVER {
            return Nanos::ZERO;
        }
        let is_told = !tells || self.in_success;
        if is_told { Nanos::MAX } else { self.spoken_at.saturating_add(self.bucket.limit().window()) }
    }

    /// When `amount` can be taken and what is held back is still left; at most a quarter of the bucket is held back.
    pub(super) fn ready_at(&self, amount: u64, tells: bool, now: Nanos) -> Nanos {
        if amount == 0 {
            return now;
        }
        let full = self.depth.within(self.bucket.limit().burst());
        let held_back = self.margin.units().min(full / 4);
        self.bucket.ready_at(amount.saturating_add(held_back).min(full), now).min(self.heeded_until(tells))
    }

    pub(super) fn take(&mut self, taken: &Taken, amounts: &Amounts) {
        let amount = amounts.of(self.dimension());
        let full = self.depth.within(self.bucket.limit().burst());
        let excess = self.bucket.level(taken.at).saturating_sub_unsigned(full);
        let saves_up = !matches!(self.bucket.limit().refill(), Refill::AtBoundary { .. });
        if excess >= 0 && amount > 0 && saves_up {
            self.bucket.lose(excess.unsigned_abs(), taken.at);
            self.depth.was_full(taken.number, taken.at);
        } else {
            self.depth.followed(amount, taken.at, self.reordering());
        }
        self.bucket.take_as(taken, amount);
        self.flight.add(taken.at, amounts);
    }

    /// A request ended of which the provider did not speak here: `actual` was taken where it was not counted before.
    pub(super) fn end(&mut self, reservation: &Reservation, actual: u64, now: Nanos) {
        let taken = reservation.taken();
        if self.flight.remove(taken.at, reservation.cost.expected()) >= self.uncertain_from {
            self.bucket.settle_as(&taken, self.amount(reservation), actual, now);
        }
    }

    /// The provider speaks of this limit in the answer to a request, which it `refused` or counted. Returns by how many
    /// units the level rose against what was counted here.
    ///
    /// `None` stands for a request of another limiter's that was sent just now.
    pub(super) fn observe(
        &mut self,
        reservation: Option<&Reservation>,
        reading: &Reading,
        refused: bool,
        now: Nanos,
    ) -> i64 {
        let before = self.bucket.level(now);
        let (mut reserved, mut number, mut sent, mut was_uncertain) = (0, 0, now, false);
        if let Some(reservation) = reservation {
            (reserved, number, sent) = (self.amount(reservation), reservation.number, reservation.admitted_at);
            was_uncertain = self.flight.remove(sent, reservation.cost.expected()) >= self.uncertain_from;
        }
        if let (Some(reservation), true) = (reservation, was_uncertain) {
            // As far as it has not come back with time: the word may be too old to be taken.
            self.bucket.settle_as(&reservation.taken(), reserved, 0, now);
        }
        self.learn(reading, refused, sent, now);
        if refused
            && before >= i64::try_from(reserved).unwrap_or(i64::MAX)
            && reading.remaining.is_some_and(|left| left < reserved)
        {
            // It had to fit, if all that is guessed is right.
            self.form.doubt();
        }
        let Some(remaining) = reading.remaining else { return 0 };

        let spoken = self.spoken_level(remaining, sent, now);
        let known = self.bucket.level(now).saturating_add_unsigned(self.in_flight_since(self.uncertain_from));
        // Of two words about the same moment the lower is the later one.
        if self.has_word && sent < self.word_at.saturating_add(self.reordering()) && spoken.level(now) > known {
            return 0;
        }
        if sent.saturating_add(self.reordering()) < self.word_at {
            return 0;
        }
        let is_first = !core::mem::replace(&mut self.has_word, true);
        let thought = before.saturating_add_unsigned(if was_uncertain { reserved } else { 0 });
        let is_alone = self.in_flight_since(self.uncertain_from) == 0;
        let burst = self.bucket.limit().burst();
        let was_full = self.depth.learn(remaining, reserved, number, refused, burst)
            | (is_alone && self.learn_most(remaining, if refused { 0 } else { reserved }, thought, sent, now));
        // Even what the word surely includes is less than was counted: that much more has to be held back.
        let mut at_most = self.bucket;
        at_most.set_level(remaining, sent, self.flight.after(sent, self.dimension()), now);
        let counted_here = before.saturating_add_unsigned(if refused && was_uncertain { reserved } else { 0 });
        if !is_first && !was_full {
            self.margin.learn(counted_here.saturating_sub(at_most.level(now)).max(0).unsigned_abs());
        }

        self.word_at = self.word_at.max(sent);
        self.uncertain_from = self.flight.start(sent.saturating_sub(self.reordering()));
        self.bucket = spoken;
        self.bucket.lose(self.in_flight_since(self.uncertain_from), now);
        if is_first { 0 } else { self.bucket.level(now).saturating_sub(counted_here) }
    }

    /// Whether less was there than was `thought`, by what remains after `counted` was taken at `sent` or later.
    fn learn_most(&mut self, remaining: u64, counted: u64, thought: i64, sent: Nanos, now: Nanos) -> bool {
        let there = remaining.saturating_add(counted);
        let mut since = self.bucket;
        since.set_level(there, sent, 0, now);
        let by_now = u64::try_from(since.level(now)).unwrap_or(0);
        self.depth.learn_most(there, by_now, thought)
    }

    /// What a reading tells of the limit itself.
    pub(super) fn learn(&mut self, reading: &Reading, refused: bool, sent: Nanos, now: Nanos) {
        self.in_success |= !refused;
        self.spoken_at = self.spoken_at.max(now);
        self.form.learn(reading, self.stated_window, sent, now);
        if self.follow(reading, now) {
            // What was said of the old limit says nothing of the new one.
            self.has_word = false;
            self.depth.forget();
        }
    }

    /// The bucket as the provider says it was when a request sent at `sent` was counted, refilled since.
    fn spoken_level(&self, remaining: u64, sent: Nanos, now: Nanos) -> Bucket {
        let mut bucket = self.bucket;
        bucket.set_level(remaining, sent.saturating_add(self.reordering()).min(now), 0, now);
        bucket
    }

    /// The limit itself, as it is known with this reading. Returns whether it allows another amount than before.
    fn follow(&mut self, reading: &Reading, now: Nanos) -> bool {
        let known = *self.bucket.limit();
        let amount = reading.limit.unwrap_or(known.amount());
        let window = self.stated_window.or(self.form.window()).unwrap_or(known.window());
        let refill = match reading.reset {
            // A reset of nothing is one rounded down: it turns within a second.
            Some(reset) if reading.fixed_window => {
                let reset = if reset == Nanos::ZERO { Nanos::SECOND } else { reset };
                self.turns.learn(now.saturating_add(reset), &known)
            }
            _ if reading.fixed_window => known.refill(),
            _ => self.form.refill().unwrap_or(known.refill()),
        };
        let limit = Limit::new(reading.dimension, amount, window).with_refill(refill);
        if limit != known {
            self.bucket.set_limit(limit, now);
        }
        limit.amount() != known.amount()
    }

    /// How much later than another a request of this limit may be counted.
    fn reordering(&self) -> Nanos {
        REORDERING.min(Nanos::new(self.bucket.limit().window().get() / 10))
    }

    pub(super) fn dimension(&self) -> Dimension {
        self.bucket.limit().dimension()
    }

    fn amount(&self, reservation: &Reservation) -> u64 {
        reservation.cost.expected().of(self.dimension())
    }

    /// What was admitted at `start` or later and is in flight.
    fn in_flight_since(&self, start: Nanos) -> u64 {
        self.flight.since(start, self.dimension())
    }
}
