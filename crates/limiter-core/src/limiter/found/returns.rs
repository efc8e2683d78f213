//! What a limit's words say of how much comes back with time, and whether a told turn is one.

use super::counter::turn_of;
use super::{Books, Found};
use crate::learn::{Parts, Word};
use crate::{Dimension, Nanos, Refill, Reservation};

/// Where what two forms predict differs by less than this part of the limit, a tenth, a word does not tell them apart:
/// requests are counted in another order, and prompts not alike.
const APART: i64 = 10;
/// A log of 32 moments gives back so late: a sixteenth of the window.
const SLACK: u64 = 16;
/// The part of a window after a presumed turn for which nothing has to be let out beyond what would come back of a
/// sliding one: an eighth. Something may be too large for that.
const WAITS: u64 = 8;

/// What a word says of a presumed turn, against what was counted here.
pub(super) struct Judged {
    /// The turn, as it was presumed when the word came, and the next by what the word says.
    pub(super) turn: Option<Nanos>,
    pub(super) next: Option<Nanos>,
    pub(super) sent: Nanos,
    /// What is there at least, and at most, by the word.
    pub(super) least: i64,
    pub(super) most: i64,
    /// What would be there if the window had turned, and if it slid.
    pub(super) counted: i64,
    pub(super) logged: i64,
    /// What of a sliding window has come back since it was sent.
    pub(super) back: u64,
}

impl Found {
    /// The latest turn up to `at` of what is thought to be a fixed window.
    pub(super) fn last_turn(&self, at: Nanos) -> Option<Nanos> {
        let Refill::AtBoundary { phase } = self.bucket.limit().refill() else { return None };
        Some(turn_of(phase, self.bucket.limit().window(), at))
    }

    /// Whether what resets tell as turns may be when the oldest part of a sliding window comes back. Of a window that is
    /// much longer than any reset nothing is known.
    fn is_presumed(&self) -> bool {
        let limit = self.bucket.limit();
        let is_fixed = matches!(limit.refill(), Refill::AtBoundary { .. });
        let is_known = limit.window() <= Nanos::MINUTE || self.form.fills(limit.window());
        is_fixed && !self.is_sliced && !self.constant.is_known() && !self.turns.is_certain() && is_known
    }

    /// When `amount` is there also if what is told as a turn is none: one asks at the turn, and until its word says what came
    /// back, no more goes than comes back of a sliding window, whose reset may be that of its oldest part, or of one in
    /// which the window before counts in part.
    pub(super) fn as_presumed(&self, amount: u64, ready_at: Nanos, now: Nanos) -> Nanos {
        let turn =
            self.last_turn(ready_at).filter(|turn| *turn > self.fixed_since && self.has_word && self.is_presumed());
        let Some((turn, log)) = turn.zip(self.log.as_deref()) else { return ready_at };
        if self.counter.has_none_since(turn) {
            return ready_at;
        }
        let logged = self.as_weighed(amount, turn, log.ready_at(amount, now).max(ready_at), now);
        // Where no word is on its way, the next one asks.
        let window = self.bucket.limit().window();
        let span = if self.flight.is_empty() { Nanos::new(window.get() / WAITS) } else { window };
        // And at the next turn one asks in any case.
        logged.min(turn.saturating_add(span)).max(ready_at)
    }

    /// What had come back of a sliding window since the last time that this was asked, or soon will have, where what is told
    /// as its turns may be when its oldest part comes back.
    pub(super) fn back_by_log(&mut self, now: Nanos) -> u64 {
        let slack = Nanos::new(self.bucket.limit().window().get() / SLACK);
        let returned = self.returned(now.saturating_add(slack));
        let by_now = self.returned(now);
        let since = returned.wrapping_sub(core::mem::replace(&mut self.returned_then, by_now));
        if self.is_presumed() { since } else { 0 }
    }

    /// What is there if a turn may be none, where so much is `thought` to be there.
    pub(super) fn surely(&self, thought: i64, now: Nanos) -> i64 {
        let has_turned = self.last_turn(now).is_some_and(|turn| turn > self.fixed_since);
        self.log
            .as_deref()
            .filter(|_| has_turned && self.is_presumed())
            .map_or(thought, |log| log.level(now).min(thought))
    }

    /// Compares a word from after a presumed turn with what a fixed and what a sliding window would have left.
    pub(super) fn judge_turn(&mut self, judged: &Judged, now: Nanos) {
        let is_after = judged.turn.is_some_and(|turn| judged.sent >= turn) && self.is_presumed();
        let was_doubted = self.slides() && self.turns.is_doubtful();
        let burst = i64::try_from(self.told).unwrap_or(i64::MAX);
        let apart = burst / APART;
        let is_more = judged.least > judged.logged.saturating_add(apart);
        let is_less = judged.most < judged.logged.saturating_sub_unsigned(judged.back).saturating_sub(apart);
        if is_after {
            let weighed = self.weigh(judged.counted, judged.sent, now);
            let has_turned = judged.turn.is_some_and(|turn| turn > self.fixed_since);
            let is_no_counter = has_turned && judged.least > weighed.most.saturating_add(apart);
            if is_no_counter {
                self.is_no_counter();
            }
            // A sliding window is as deep as its amount is large.
            let is_no_turn = judged.counted > judged.most.saturating_add(apart) && !self.returns.is_shallow(self.told);
            let is_counter = has_turned && !is_no_counter && judged.most >= weighed.least.saturating_sub(apart);
            if is_no_turn && is_counter {
                // Where a log explains it as well, the one that gives back less at once is tried first.
                self.begin_to_weigh(judged.least, now);
                if !is_more && !is_less {
                    self.is_tried();
                }
            } else if is_no_turn {
                self.turns.gave_part();
                self.form.slides();
                self.follow_form(now);
            } else if is_more {
                self.turns.gave_all();
            }
        } else if let (true, true, Some(turn)) = (was_doubted && is_more, judged.least > burst / 2, judged.next) {
            self.turns.gave_all();
            self.form.turns(turn);
            self.follow_form(now);
        } else if was_doubted && (is_more || is_less) && self.is_contrary(judged.next, judged.sent, now) {
            self.begin_to_weigh(judged.least, now);
        } else if self.is_tentative() && (is_more || is_less) {
            self.is_confirmed();
        } else if self.is_tentative() && self.is_given_up(judged.least.saturating_sub(judged.counted), apart, now) {
            self.end_to_weigh();
            self.turns.gave_part();
            self.form.slides();
            self.follow_form(now);
        } else if let (true, Some(turn)) = (self.is_weighted() && judged.least > burst / 2, judged.next)
            && judged.least > judged.counted.saturating_add(apart)
        {
            // What had come back at once at what was told as a turn turned.
            self.turns.gave_all();
            self.form.turns(turn);
            self.end_to_weigh();
            self.follow_form(now);
        }
    }

    /// One that was alone found so much remaining and took `own`, or was `refused`, where `thought` was thought to be there.
    /// Of what comes back evenly nothing is missing first, and all of it there later.
    pub(super) fn came_at_once(&mut self, remaining: u64, own: u64, thought: i64, refused: bool, now: Nanos) {
        let (limit, own_there) = (*self.bucket.limit(), i64::try_from(own).unwrap_or(i64::MAX));
        if limit.refill() != Refill::Continuous || self.dimension() != Dimension::Requests {
            return;
        }
        if refused {
            self.is_late |= remaining < own && thought >= own_there;
            return;
        }
        let (there, burst) = (remaining.saturating_add(own), limit.burst());
        let half = i64::try_from(burst / 2).unwrap_or(i64::MAX);
        if self.is_late && there >= burst && thought <= half {
            self.stands_still(now);
        }
    }

    /// The provider has not counted a request.
    pub(in crate::limiter) fn uncount(&mut self, reservation: &Reservation) {
        let parts = self.parts(reservation.cost.expected());
        self.returns.forget(reservation.number, &parts);
        self.others.forget(reservation.number, &parts);
    }

    /// Nobody knows whether the provider has counted a request.
    pub(in crate::limiter) const fn lose_count(&mut self) {
        self.returns.interrupt();
    }

    /// Learns from a word how much comes back with time. Returns whether it is far less than is told.
    pub(super) fn learn_returns(
        &mut self,
        word: &Word,
        reservation: &Reservation,
        refused: bool,
        fits: bool,
        books: &Books<'_>,
        now: Nanos,
    ) -> bool {
        let (limit, own) = (*self.bucket.limit(), self.parts(reservation.cost.expected()));
        let is_even = limit.refill() == Refill::Continuous;
        self.returns.saw(word.remaining.saturating_add(if refused { 0 } else { own.whole }));
        if refused {
            if is_even && books.tells && word.remaining < own.whole {
                return self.returns.found_nothing(word, reservation.number, own.whole, fits, self.told, &limit);
            }
            return false;
        }
        if self.returns.rate(self.told).is_some() {
            let is_full = word.remaining.saturating_add(own.whole) >= self.depth.within(limit.burst());
            let charge = self.charge;
            let charged = |parts: &Parts| charge.amount(parts, books.yields);
            self.returns.follow(word, reservation.number, own.whole, is_full, &limit, charged);
        } else if self.stated_window.is_none() && self.dimension() == Dimension::Requests {
            // What requests take is certain.
            if let Some((back, span)) = self.returns.came_back(word, reservation.number, &limit, now) {
                self.form.is_shorter(back, span, &limit);
            }
        }
        false
    }
}
