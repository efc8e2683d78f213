//! A limit that was found in what the provider answered.
//!
//! Its level is the provider's word less what the word may not include. A response tells what remained when its
//! request was counted, some time between the sending and the answer, and not in the order of sending. So all that is
//! in flight and was admitted later, or up to [`REORDERING`] earlier, is taken off: at worst a little is held back
//! twice until the next answer, and never is anything spent that is not there.

mod answer;
mod asked;
mod ceiling;
mod count;
mod counter;
mod log;
mod others;
mod own;
mod ready;
mod returns;
mod second;
mod slices;
mod words;

use alloc::boxed::Box;

use crate::flight::Flight;
use crate::learn::{
    Account, Charge, Constant, Depth, FormGuess, Grain, Growth, Ledger, Margin, Others, Parts, Returns, Rivals, Rule,
    Slices, Standstill, Turns, Word,
};
use crate::share::WHOLE;
use crate::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Reading, Refill, Reservation, Taken};

/// How much later than another a request may be counted that was sent before it: it may have waited for a connection,
/// a lost packet or a busy processor. A second's quota is what this costs at most, once; of a window shorter than ten
/// seconds, a tenth.
const REORDERING: Nanos = Nanos::SECOND;

/// Requests that were sent so close together are often counted in another order.
const JITTER: Nanos = Nanos::from_millis(100);

/// Until it is known how a limit is charged, a full one is let out over this span and not at once: answers show how it
/// is charged only while requests are sent. A minute's is then taken ten times as fast as it comes back, so none is lost.
const RATION: Nanos = Nanos::from_secs(6);

/// How far to go beyond what is known of a limit at most, in 1,024 parts: what is charged may be a sixteenth of what is
/// counted here.
const MOST_GAIN: u64 = 16 * Growth::ONE;

/// The part of the window for which what is a guess is kept before more is tried.
const GUESSED: u64 = 4;

/// A limit that so many successes in a row leave out, which speak of its dimension, is in force no more.
const PASSED_OVER: u32 = 20;

/// What a limiter knows of what it admitted, for a limit that has to tell what of it was charged.
pub(super) struct Books<'a> {
    /// Everything that was admitted up to now.
    pub(super) ledger: &'a Ledger,
    /// How much of what may be produced is, in 1,024 parts.
    pub(super) yields: u64,
    /// The number of the latest admission.
    pub(super) admissions: u64,
    /// Whether successes tell what remains.
    pub(super) tells: bool,
}

/// How a request ended.
pub(super) enum Ended {
    /// It was answered and took this.
    Answered(Amounts),
    /// In another way: so much of what was reserved stays counted.
    Counted(Amounts),
}

impl Ended {
    pub(super) const fn amounts(&self) -> &Amounts {
        let (Self::Answered(amounts) | Self::Counted(amounts)) = self;
        amounts
    }
}

/// The state of one found limit.
#[derive(Debug)]
pub(super) struct Found {
    bucket: Bucket,
    /// The same as a sliding window, of which it matters when what was taken, until it is known to be none.
    log: Option<Box<Bucket>>,
    /// The window the provider stated; `None` where it is inferred.
    stated_window: Option<Nanos>,
    form: FormGuess,
    standstill: Standstill,
    margin: Margin,
    others: Others,
    /// When the last request was sent that was counted, as far as answers tell.
    counted_at: Nanos,
    charge: Charge,
    grain: Grain,
    last_word: Option<Word>,
    /// By what was known of the charge when the last word came, everything up to this admission was taken off again.
    priced: (Charge, u64, u64),
    /// The answers to admissions up to this one tell nothing of how they were charged.
    learns_after: u64,
    /// How far to go beyond what is known, where the provider speaks only when it refuses.
    growth: Growth,
    /// The gain of that when something was taken last.
    gain: u64,
    /// What was taken less than a unit of, in 1,024 parts: a request, which is one, would never be anything otherwise.
    fraction: u64,
    /// Until how a limit is charged is known, when the next may be taken.
    rationed_until: Nanos,
    /// Admissions up to this one were counted before the limit was known, which took so much.
    begun_at: u64,
    own_before: u64,
    /// Whether it is a guess of the caller's, of which no answer has spoken.
    is_guess: bool,
    /// Whether an answer that was no refusal spoke of it, and when any answer did last.
    in_success: bool,
    spoken_at: Nanos,
    /// How many successes in a row spoke of its dimension and not of it.
    passed_over: u32,
    depth: Depth,
    rivals: Rivals,
    turns: Turns,
    returns: Returns,
    /// Whether one that was alone was refused though it had to fit, if what it takes comes back evenly.
    is_late: bool,
    slices: Slices,
    asked: asked::Asked,
    /// Whether it is let out second by second, and what is owed of the seconds to come.
    is_sliced: bool,
    owed: Option<slices::Owed>,
    second: Option<second::Second>,
    /// Since when it is thought to be a fixed window, if it is.
    fixed_since: Nanos,
    /// What is counted in each window, and whether that of the window before counts in part.
    counter: counter::Counter,
    /// What had come back of a sliding window when the last word came. Wraps.
    returned_then: u64,
    /// The limit's amount as it is told, and whether only one answer has told it, which was more before.
    told: u64,
    is_unheard: bool,
    flight: Flight,
    /// How much of it is used, in millionths, and where that is not all, what is left of that.
    share: u32,
    ceiling: Option<Box<Bucket>>,
    /// What is left by our own count.
    own: own::Own,
    constant: Constant,
    /// Whether the provider said what remains, and when the request was admitted whose answer is its last word.
    has_word: bool,
    word_at: Nanos,
    /// The level that it told, and what had come back by then of a sliding window.
    said: (i64, u64),
    said_at: Nanos,
    /// Whether the level is what was counted here, and nothing is held twice.
    counts: bool,
    /// What was admitted from here on and is in flight has been taken off the level.
    uncertain_from: Nanos,
}

impl Found {
    /// A limit that is spoken of for the first time, while `flight` is in flight: admissions up to `number`, which took
    /// `own_before` in all.
    pub(super) fn new(
        limit: Limit,
        stated_window: Option<Nanos>,
        flight: Flight,
        (number, own_before): (u64, u64),
        now: Nanos,
    ) -> Self {
        let mut bucket = Bucket::full(limit, now).begun_at(number);
        let mut log = Bucket::full(limit.with_refill(Refill::Sliding), now).begun_at(number);
        let in_flight = flight.since(Nanos::ZERO, limit.dimension());
        bucket.lose(in_flight, now);
        log.lose(in_flight, now);
        let own = own::Own::new(bucket, now);
        Self {
            bucket,
            log: Some(Box::new(log)),
            stated_window,
            form: FormGuess::default(),
            standstill: Standstill::default(),
            margin: Margin::default(),
            others: Others::default(),
            counted_at: Nanos::ZERO,
            charge: Charge::new(),
            grain: Grain::new(),
            last_word: None,
            priced: (Charge::new(), Growth::ONE, 0),
            learns_after: 0,
            growth: growth(&limit, now),
            gain: Growth::ONE,
            fraction: 0,
            rationed_until: Nanos::ZERO,
            begun_at: number,
            own_before,
            is_guess: false,
            in_success: false,
            spoken_at: now,
            passed_over: 0,
            depth: Depth::new(),
            rivals: Rivals::default(),
            turns: Turns::default(),
            returns: Returns::default(),
            is_late: false,
            slices: Slices::default(),
            asked: asked::Asked::default(),
            is_sliced: false,
            owed: None,
            second: None,
            returned_then: 0,
            fixed_since: Nanos::ZERO,
            counter: counter::Counter::default(),
            told: limit.amount(),
            is_unheard: false,
            flight,
            share: WHOLE,
            ceiling: None,
            own,
            constant: Constant::new(),
            has_word: false,
            word_at: Nanos::ZERO,
            said: (0, 0),
            said_at: now,
            counts: false,
            uncertain_from: Nanos::ZERO,
        }
    }

    /// A limit that the caller guesses.
    pub(super) fn guessed(limit: Limit, flight: Flight, number: u64, now: Nanos) -> Self {
        // Nobody has said it: more is tried as soon as of what is charged in a way that is a guess.
        let growth = Growth::new(now, Nanos::new(limit.window().get() / GUESSED));
        Self { is_guess: true, growth, ..Self::new(limit, None, flight, (number, 0), now) }
    }

    /// Whether it is a guess of the caller's, of which no answer has spoken.
    pub(super) const fn is_guess(&self) -> bool {
        self.is_guess
    }

    pub(super) const fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Whether the certain part of `cost` is within the limit. A guess may be too low, and so may a lower amount that one answer
    /// alone told: what is larger waits for all of it.
    pub(super) fn check(&self, cost: &Cost) -> Result<(), NeverFits> {
        if self.is_guess || self.is_unheard {
            Ok(())
        } else {
            self.check_slice(cost).unwrap_or_else(|| self.check_share(cost))
        }
    }

    /// Whether a reading speaks of this limit. One answer may state the window in its body and not in its headers: then
    /// the amount tells.
    pub(super) fn is_meant_by(&self, reading: &Reading) -> bool {
        let limit = self.bucket.limit();
        if self.rivals.are_several() && reading.limit.is_some_and(|amount| amount != self.told) {
            return false;
        }
        if self.is_guess {
            // A guess may be wrong in its amount, not in what it is for.
            return limit.dimension() == reading.dimension && reading.window.is_none_or(|it| it == limit.window());
        }
        limit.dimension() == reading.dimension
            && match (self.stated_window, reading.window) {
                (Some(known), Some(stated)) => known == stated,
                (None, None) => true,
                (None, Some(stated)) => self.told_window() == stated && reading.limit.is_none_or(|it| it == self.told),
                (Some(_), None) => reading.limit.is_none_or(|it| it == self.told),
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

    /// How much of it can be there, as far as was ever seen.
    pub(super) fn full(&self) -> u64 {
        self.depth.seen(self.bucket.limit().burst())
    }

    /// What is charged for `amounts`, of one request or of many.
    pub(super) fn charges(&self, amounts: &Amounts, yields: u64) -> u64 {
        let requests = amounts.of(Dimension::Requests).max(1);
        self.charge.amount(&Parts { requests, ..self.parts(amounts) }, yields)
    }

    /// Takes what a request of `amounts` is charged, and returns it.
    pub(super) fn take(&mut self, taken: &Taken, amounts: &Amounts, books: &Books<'_>) -> u64 {
        self.turn_counter(taken.at);
        self.gain = self.gain_at(books.tells, taken.at);
        let amount = self.gained(self.charge.amount(&self.parts(amounts), books.yields));
        let full = self.depth.within(self.bucket.limit().burst());
        let excess = self.bucket.level(taken.at).saturating_sub_unsigned(full);
        let saves_up = !self.is_sliced && !matches!(self.bucket.limit().refill(), Refill::AtBoundary { .. });
        if excess >= 0 && amount > 0 && saves_up {
            self.bucket.lose(excess.unsigned_abs(), taken.at);
            self.depth.was_full(taken.number, taken.at);
        } else {
            self.depth.followed(amount, taken.at, self.reordering());
        }
        if self.is_rationed(amounts, books.tells) {
            let share = u128::from(amount) * u128::from(RATION.get()) / u128::from(full.max(1));
            let span = Nanos::new(u64::try_from(share).unwrap_or(u64::MAX)).min(RATION);
            self.rationed_until = self.rationed_until.max(taken.at).saturating_add(span);
        }
        if amount > 0 {
            self.asked.take(taken.number, taken.at);
        }
        self.count_in_second(amounts, taken.at, books);
        self.owe(amount, taken.at);
        self.pace_slice(amount, taken.at);
        self.others.take(amount);
        self.bucket.take_as(taken, amount);
        if let Some(log) = &mut self.log {
            log.take_as(taken, amount);
        }
        self.take_share(taken, amount);
        self.take_own(taken, amount);
        let before = books.ledger.of(self.dimension()).unwrap_or(&Account::NONE);
        self.flight.add(taken.at, amounts, before);
        self.took(taken.at);
        self.count_window(taken.at);
        amount
    }

    /// Whether what a request may produce is to be let out slowly: how that is charged is not known yet.
    fn is_rationed(&self, amounts: &Amounts, tells: bool) -> bool {
        tells && !self.is_sliced && self.has_word && self.charge.is_unsettled() && self.parts(amounts).output > 0
    }

    /// A request ended, of which this is the limit number `index`.
    pub(super) fn end(&mut self, reservation: &Reservation, index: usize, ended: &Ended, now: Nanos) {
        self.turn_counter(now);
        let (taken, reserved) = (reservation.taken(), self.reserved(reservation, index));
        self.end_share(reservation, reserved, ended, now);
        if !reservation.is_spoken_of(index) || matches!(ended, Ended::Answered(_)) {
            self.end_own(reservation, reserved, ended, now);
        }
        // Whether what it takes is still held for it, and not part of the provider's word.
        let is_held = !reservation.is_spoken_of(index) && {
            let start = self.flight.remove(taken.at, reservation.cost.expected());
            self.is_held(start) || self.charge.rule() == Rule::Late
        };
        let whole = reservation.cost.expected().of(self.dimension());
        if is_held && !matches!(ended, Ended::Counted(amounts) if amounts.of(self.dimension()) < whole) {
            // No word of its own will come of it.
            self.said.0 = self.said.0.saturating_sub_unsigned(reserved);
        }
        match ended {
            Ended::Answered(actual) if self.charge.rule().settles() => {
                let parts = self.parts(reservation.cost.expected());
                let due = self.charge.settled(&parts, &self.parts(actual));
                let is_late = self.charge.rule() == Rule::Late;
                let counted = if is_late && !is_held { self.charge.prompt(&parts) } else { reserved };
                self.settle(&taken, counted, due, now);
            }
            Ended::Answered(_) => {}
            Ended::Counted(amounts) if is_held && amounts.of(self.dimension()) < whole => {
                self.settle(&taken, reserved, amounts.of(self.dimension()).min(reserved), now);
            }
            Ended::Counted(_) => {}
        }
    }

    /// The answer to a request spoke of a rival of this limit, which is number `index`: what was taken of this one was not
    /// counted.
    pub(super) fn was_a_rivals(&mut self, reservation: &Reservation, index: usize, now: Nanos) {
        let start = self.flight.remove(reservation.admitted_at, reservation.cost.expected());
        if self.is_held(start) {
            let reserved = self.reserved(reservation, index);
            self.settle(&reservation.taken(), reserved, 0, now);
        }
        let reserved = self.reserved(reservation, index);
        self.uncount_own(reservation, reserved, now);
    }

    /// One answer spoke of several like it.
    pub(super) const fn has_rivals_told(&mut self) {
        if self.stated_window.is_none() {
            self.rivals.were_told();
        }
    }

    /// Whether there are others like it, and answers speak of the one or the other.
    pub(super) const fn has_rivals(&self) -> bool {
        self.rivals.are_several()
    }

    fn settle(&mut self, taken: &Taken, reserved: u64, actual: u64, now: Nanos) {
        self.bucket.settle_as(taken, reserved, actual, now);
        if let Some(log) = &mut self.log {
            log.settle_as(taken, reserved, actual, now);
        }
    }

    /// What is taken for a reservation: as it was counted when the last word came, or when it was taken, if that was later.
    fn reserved(&self, reservation: &Reservation, index: usize) -> u64 {
        let (charge, yields, up_to) = &self.priced;
        if reservation.number <= *up_to {
            return charge.amount(&self.parts(reservation.cost.expected()), *yields);
        }
        let remembered = reservation.charged.get(index).filter(|_| reservation.number > self.begun_at);
        remembered.copied().unwrap_or_else(|| self.charge.amount(&self.parts(reservation.cost.expected()), Growth::ONE))
    }

    /// How much later than another a request of this limit may be counted.
    fn reordering(&self) -> Nanos {
        REORDERING.min(Nanos::new(self.bucket.limit().window().get() / 10))
    }

    pub(super) fn dimension(&self) -> Dimension {
        self.bucket.limit().dimension()
    }

    fn parts(&self, amounts: &Amounts) -> Parts {
        Parts::of(amounts, self.dimension())
    }

    /// How far to go beyond what is known at `now`.
    fn gain_at(&self, tells: bool, now: Nanos) -> u64 {
        if tells { Growth::ONE } else { self.growth.gain(now).min(MOST_GAIN) }
    }

    /// What is taken for a request that is charged `amount`, where more is tried than is known to be there. What is less
    /// than a unit adds up.
    fn gained(&mut self, amount: u64) -> u64 {
        if self.gain <= Growth::ONE {
            self.fraction = 0;
            return amount;
        }
        let parts = u128::from(amount) * u128::from(Growth::ONE) + u128::from(self.fraction);
        let gain = u128::from(self.gain);
        self.fraction = u64::try_from(parts % gain).unwrap_or(0);
        u64::try_from(parts / gain).unwrap_or(u64::MAX)
    }

    /// What was admitted at `start` or later and is in flight.
    fn in_flight_since(&self, start: Nanos, books: &Books<'_>) -> u64 {
        self.charge.amount(&self.flight.parts_since(start, self.dimension()), books.yields)
    }
}

/// What requests count is certain, what tokens are charged may be a fraction of what is counted.
const fn growth(limit: &Limit, now: Nanos) -> Growth {
    match limit.dimension() {
        Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens => Growth::far(now, plateau(limit)),
        _ => Growth::new(now, plateau(limit)),
    }
}

/// How long to stay with what is known of a limit that only refusals tell of. What requests count is certain, and only
/// changes of the limit would be found; what tokens are charged is a guess. A quarter of the window, 15 s of a minute,
/// because a bucket that fills up for as long has lost nothing.
const fn plateau(limit: &Limit) -> Nanos {
    let window = limit.window().get();
    match limit.dimension() {
        Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens => Nanos::new(window / GUESSED),
        _ => Nanos::new(window.saturating_mul(2)),
    }
}
