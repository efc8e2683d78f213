//! What an answer does to a limit: its level, and what is known of it.

use super::log::Said;
use super::returns::Judged;
use super::{Books, Found};
use crate::learn::{Charge, Heard, Margin, Others, Returns, Rule, Word};
use crate::{Bucket, Dimension, Limit, Nanos, Reading, Refill, Reservation};

impl Found {
    /// The provider speaks of this limit in the answer to a request, which it `refused` or counted. Returns by how many
    /// units the level rose against what was counted here.
    ///
    /// `None` stands for a request of another limiter's that was sent just now.
    pub(in crate::limiter) fn observe(
        &mut self,
        reservation: Option<&Reservation>,
        index: usize,
        reading: &Reading,
        refused: bool,
        books: &Books<'_>,
        now: Nanos,
    ) -> i64 {
        self.turn_counter(now);
        let (turned, turn) = (self.bucket.level(now), self.last_turn(now));
        let before = self.surely(turned, now);
        let (mut reserved, mut number, mut sent, mut start, mut was_uncertain) = (0, 0, now, now, false);
        if let Some(reservation) = reservation {
            (reserved, number, sent) = (self.reserved(reservation, index), reservation.number, reservation.admitted_at);
        }
        let was_window = matches!(self.bucket.limit().refill(), Refill::AtBoundary { .. } | Refill::Sliding);
        self.learn(reading, refused, sent, now);
        let mut logged = self.bucket;
        if let Some(reservation) = reservation {
            start = self.flight.remove(sent, reservation.cost.expected());
            was_uncertain = self.is_held(start);
        }
        if let (Some(reservation), true) = (reservation, was_uncertain && (refused || !self.counts)) {
            // As far as it has not come back with time: the word may be too old to be taken.
            self.bucket.settle_as(&reservation.taken(), reserved, 0, now);
        }
        if let Some(reservation) = reservation.filter(|_| refused) {
            self.uncount_own(reservation, reserved, now);
        }
        let had = before.saturating_add_unsigned(if was_uncertain { reserved } else { 0 });
        let was_wrong = refused
            && self.form.is_asked()
            && !self.asked.is_asker(number)
            && had >= i64::try_from(reserved).unwrap_or(i64::MAX)
            && reading.remaining.is_some_and(|left| left < reserved);
        if was_wrong {
            if self.asked.is_new(number, books.admissions) {
                self.form.doubt();
                self.follow_asked(now);
            }
        } else if refused
            && before >= i64::try_from(reserved).unwrap_or(i64::MAX)
            && reading.remaining.is_some_and(|left| left < reserved)
        {
            // It had to fit, if all that is guessed is right.
            self.form.doubt();
        }
        let Some(remaining) = reading.remaining else { return 0 };
        let is_alone = reservation.is_some_and(|reservation| reservation.beside == 1);
        let has_asked = self.form.is_asked() || self.asked.is_asker(number);
        if is_alone && !has_asked && !self.is_sliced && !self.is_weighted() {
            self.came_at_once(remaining, reserved, had, refused, now);
        }
        self.asked.found(number, remaining.saturating_add(if refused { 0 } else { reserved }), remaining);
        self.grain.learn(remaining, self.told);
        let was = (self.is_sliced, self.is_presumed_sliced());
        let account = reservation.and_then(|reservation| reservation.ledger.of(self.dimension()));
        if let Some(reservation) = reservation {
            self.hear_of_second(reservation, remaining, refused);
        }
        self.learn_slices(remaining, account.filter(|_| !refused), refused, sent, now);
        if was != (self.is_sliced, self.is_presumed_sliced()) {
            logged = self.bucket;
            self.owed = None;
        }
        let mut is_less = false;
        let believed = (self.charge.rule(), self.charge.factor());
        if let Some((account, reservation)) = account.zip(reservation) {
            let own = self.parts(reservation.cost.expected());
            let mut counted = *account;
            if refused {
                counted.forget(&own);
            }
            let word = Word {
                at: sent,
                remaining,
                account: counted,
                doubtful: self.doubtful(account, sent, &own, books),
                rounded: self.grain.suspected(),
            };
            self.notice_rise(&word, now);
            self.learn_others(&word, reservation, start, now);
            if refused && remaining < own.whole {
                self.meet_others(own.whole, sent, now);
            } else if !refused {
                self.counted_at = self.counted_at.max(sent);
            }
            let fits = before >= i64::try_from(reserved).unwrap_or(i64::MAX);
            is_less = !self.is_sliced
                && !self.is_weighted()
                && self.learn_returns(&word, reservation, refused, fits, books, now);
            if refused && books.tells {
                // Of what was in flight with it nobody knows yet what was refused, too.
                if self.dimension() != Dimension::Requests && number > self.learns_after && remaining < own.whole {
                    self.charge.doubt();
                }
                self.learns_after = books.admissions;
                self.charge.interrupt();
            } else if number > self.learns_after {
                let is_likely = self.form.has_same_resets();
                if self.dimension() == Dimension::Requests
                    && !self.is_sliced
                    && !self.is_weighted()
                    && !self.returns.is_shallow(self.told)
                    && self.standstill.learn(&word, self.bucket.limit(), is_likely)
                {
                    self.stands_still(now);
                }
                // How much comes back of a sliding window is known less exactly than that nothing does. What requests take is
                // in no doubt.
                if self.dimension() != Dimension::Requests && !self.is_moving(now) && !self.is_sliced {
                    self.learn_charge(word, &own, reservation.beside == 1, books);
                }
            }
        }
        // More was tried than was known to be there: how much less there is says nothing of how well it is counted.
        let was_tried = !books.tells && self.growth.is_beyond(sent);
        if refused && !books.tells {
            self.was_met(believed, sent, now);
        }

        let late = if self.charge.rule() == Rule::Late && was_uncertain {
            reserved.saturating_sub(reservation.map_or(0, |it| self.charge.prompt(&self.parts(it.cost.expected()))))
        } else {
            0
        };
        let counted = before.saturating_add_unsigned(late);
        let remaining = self.refined(remaining, refused, counted, account, sent, books, now);
        let spoken = self.spoken_level(remaining, sent, now);
        let returned = self.returned(now);
        let then = reservation.and_then(|reservation| reservation.returned.get(index));
        let back = then.map_or(0, |then| returned.wrapping_sub(*then));
        let known = self.told_level(books, now);
        // Of two words about the same moment the lower is the later one.
        let is_near = self.has_word && sent < self.word_at.saturating_add(self.reordering());
        let own =
            reservation.filter(|_| was_uncertain).map(|it| (it.taken(), reserved, self.kept(it, refused, reserved)));
        let is_over = self.has_word && self.is_over(sent, now);
        let is_old = is_over || sent.saturating_add(self.reordering()) < self.word_at;
        if is_old || is_near && spoken.level(now) > known {
            self.as_log(logged, own.as_ref(), now);
            self.release_doubles(books, now);
            if books.tells {
                self.keep_to_own(now);
            }
            return 0;
        }
        let is_first = !core::mem::replace(&mut self.has_word, true);
        let thought = before.saturating_add_unsigned(if was_uncertain { reserved } else { 0 });
        let burst = self.bucket.limit().burst();
        // What has come back since it was sent, or turned, was not there when it was counted.
        let had_turned = turn.is_none_or(|turn| sent >= turn);
        let then = if self.slides() { thought.saturating_sub_unsigned(back) } else { thought };
        if was_window && !self.is_sliced && had_turned && then >= i64::try_from(burst - burst / 4).unwrap_or(i64::MAX) {
            let there = remaining.saturating_add(if refused { 0 } else { reserved });
            self.form.was_empty(there < burst / 2);
        }
        // A sliding window is as deep as its amount is large. And where only refusals tell, little is left whenever they do,
        // whatever can be there.
        // What others took says nothing of it either.
        let others_took = books.tells && self.has_others(now);
        let was_full = !self.slides()
            && !self.is_sliced
            && !others_took
            && (self.depth.learn(remaining, reserved, number, refused, burst)
                | (books.tells && self.learn_most(remaining, if refused { 0 } else { reserved }, thought, sent, now)));
        // Even what the word surely includes is less than was counted: that much more has to be held back.
        let later = match self.in_this_slice(now) {
            Some(turn) if turn > sent => self.flight.parts_since(turn, self.dimension()),
            _ => self.flight.parts_after(sent, self.dimension()),
        };
        let later = self.unsaid(&later, account, sent, books);
        let mut most = self.bucket;
        let at_most = if self.slides() {
            i64::try_from(remaining).unwrap_or(i64::MAX).saturating_sub_unsigned(later).saturating_add_unsigned(back)
        } else {
            most.set_level(remaining, sent, later, now);
            most.level(now)
        };
        let counted_here = before.saturating_add_unsigned(if refused && was_uncertain { reserved } else { 0 });
        if is_less {
            // Nothing else explains what was missing.
            self.margin = Margin::default();
        } else if !is_first && !was_full && !was_tried {
            self.margin.learn(counted_here.saturating_sub(at_most).max(0).unsigned_abs());
        }

        (self.said, self.said_at) = ((spoken.level(now), returned), now);
        self.word_at = self.word_at.max(sent);
        self.uncertain_from = self.uncertain_since(sent, now);
        self.note_lately(start, reserved, books);
        self.priced = (self.charge, books.yields, books.admissions);
        self.bucket = spoken;
        let uncertain = self.flight.parts_since(self.uncertain_from, self.dimension());
        let uncertain = self.unsaid(&uncertain, account, sent, books);
        self.bucket.lose(uncertain, now);
        self.counts = reservation.is_some() && !is_first && !was_full && self.trusts_count(refused, books);
        if self.counts {
            self.bucket = Self::within(self.bucket, most, counted_here, now);
        }
        let gained = self.bucket.level(now).saturating_sub(counted_here);
        self.hold_to_own(at_most, sent, is_first, books.tells, now);
        let ended = account.zip(books.ledger.of(self.dimension())).filter(|_| self.charge.rule() == Rule::Corrected);
        let unused = ended.map_or(0, |(then, account)| account.unused_since(then).cast_signed().max(0).unsigned_abs());
        let there = i64::try_from(remaining).unwrap_or(i64::MAX);
        let judged = Judged {
            turn,
            logged: if self.slides() {
                logged.level(now)
            } else {
                self.log.as_deref().map_or(i64::MAX, |log| log.level(now))
            },
            next: reading.reset.map(|reset| now.saturating_add(reset)),
            sent,
            least: there.saturating_sub_unsigned(uncertain),
            // A turn that is told a little later than before is none that came in between.
            most: if self.last_turn(now).is_some() { there.saturating_sub_unsigned(later) } else { at_most },
            counted: turned.saturating_add(counted_here).saturating_sub(before),
            back,
        };
        let back = if was_wrong { 0 } else { back.saturating_add(unused) };
        let said = Said { remaining, later, uncertain, back, is_known: !is_first || self.is_sliced };
        if let Some(log) = self.as_log(logged, own.as_ref(), now) {
            said.correct(log, now);
        }
        if !is_first && !self.is_sliced {
            self.judge_turn(&judged, now);
        }
        self.count_window(now);
        self.was_less(u64::try_from(gained).unwrap_or(0).min(reserved));
        if is_first { 0 } else { gained }
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
    pub(in crate::limiter) fn learn(&mut self, reading: &Reading, refused: bool, sent: Nanos, now: Nanos) {
        if core::mem::replace(&mut self.is_guess, false) {
            self.stated_window = reading.window;
        }
        self.asked.hear(reading, sent);
        self.in_success |= !refused;
        self.spoken_at = self.spoken_at.max(now);
        self.form.learn(reading, self.stated_window, self.own_before, sent, now);
        let known = self.told;
        let is_another = self.follow(reading, sent, now);
        if self.told != known {
            self.is_unheard = self.told < known;
        } else if reading.limit == Some(known) {
            self.is_unheard = false;
        }
        if is_another {
            // What was said of the old limit says nothing of the new one.
            self.has_word = false;
            self.depth.forget();
            self.charge.interrupt();
            self.last_word = None;
            self.others = Others::default();
            self.returns = Returns::default();
            self.form.is_another();
        }
    }

    /// The bucket as the provider says it was when a request sent at `sent` was counted, refilled since.
    fn spoken_level(&self, remaining: u64, sent: Nanos, now: Nanos) -> Bucket {
        let mut bucket = self.bucket;
        bucket.set_level(remaining, sent.saturating_add(self.reordering()).min(now), 0, now);
        bucket
    }

    /// The limit itself, as it is known with this reading. Returns whether it allows another amount than before.
    fn follow(&mut self, reading: &Reading, sent: Nanos, now: Nanos) -> bool {
        if self.is_sliced {
            return self.follow_sliced(reading, sent, now);
        }
        let known = *self.bucket.limit();
        let said = reading.limit.unwrap_or(self.told).clamp(1, Limit::MAX_AMOUNT);
        let told = match self.rivals.hear(self.told, said, sent, self.reordering()) {
            Heard::Followed => said,
            Heard::Late => self.told,
        };
        let is_another = core::mem::replace(&mut self.told, told) != told;
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
        let limit = match self.returns.rate(told).filter(|_| !is_another) {
            // It is as deep as it is told to be, as far as anybody knows, but less comes back.
            Some(rate) => Limit::new(reading.dimension, rate, window).with_burst(told),
            None => Limit::new(reading.dimension, told, window),
        };
        self.change_to(if self.is_weighted() { self.as_weighted(limit) } else { limit.with_refill(refill) }, now);
        is_another
    }

    /// The limit is another one, or known better.
    pub(super) fn change_to(&mut self, limit: Limit, now: Nanos) {
        let known = *self.bucket.limit();
        if limit == known {
            return;
        }
        let is_fixed = |limit: &Limit| matches!(limit.refill(), Refill::AtBoundary { .. });
        if is_fixed(&limit) && !is_fixed(&known) {
            self.fixed_since = now;
        }
        let known_log = self.log.take_if(|_| limit.refill() == Refill::Sliding);
        if let Some(log) = known_log {
            self.bucket = *log;
            if known.refill() == Refill::Continuous {
                // What came back was taken for what was not charged.
                (self.charge, self.last_word) = (Charge::new(), None);
            }
        }
        if limit.refill() != known.refill() {
            // What did not come back was taken for what others took.
            self.others = Others::default();
        }
        self.bucket.set_limit(limit, now);
        self.follow_share(now);
        self.follow_own(now);
        match &mut self.log {
            Some(log) if self.form.refill() != Some(Refill::Continuous) => {
                log.set_limit(limit.with_refill(Refill::Sliding), now);
            }
            _ => self.log = None,
        }
    }
}
