//! How a reservation ends: in exactly one of these.

use super::Limiter;
use super::found::{Ended, Found};
use crate::learn::{Account, Cause, Pace, Parts, Refused, Tested, Verdict};
use crate::{Amounts, Dimension, Limit, Nanos, Reservation};

impl Limiter {
    /// Ends a reservation whose request was answered: what was reserved beyond `actual` comes back, what was used
    /// beyond it is owed. Where the provider has said since what remains, its word stands and nothing is changed. What
    /// `actual` leaves out was not used; but the request itself was made, so [`Dimension::Requests`] may be left out.
    ///
    /// A reservation that this limiter cannot have made ends nothing; one that it might have made, but another limiter
    /// did, is ended as if it were its own: levels stay within their bounds and counts do not go below zero.
    pub fn settle(&mut self, reservation: Reservation, actual: &Amounts, now: Nanos) {
        let now = self.advance(now);
        if reservation.number > self.admissions {
            return;
        }
        self.outage.answered(now);
        self.flight_window.answered(reservation.number, reservation.beside, self.in_flight);
        self.refusals.answered(reservation.number);
        self.guard.answered(reservation.cost.expected(), reservation.admitted_at, now);
        let tested = self.chance.answered(reservation.number, self.is_large(&reservation));
        self.take_in(tested, now);
        let reserved = reservation.cost.expected();
        self.ledger.end(reserved, actual);
        self.yields.learn(reserved.of(Dimension::OutputTokens), actual.of(Dimension::OutputTokens));
        self.found.iter_mut().for_each(|found| found.was_let_through(reservation.number, now));
        let requests = reservation.cost.expected().of(Dimension::Requests);
        if actual.of(Dimension::Requests) == 0 {
            self.end(&reservation, &Ended::Answered(actual.with(Dimension::Requests, requests)), now);
        } else {
            self.end(&reservation, &Ended::Answered(*actual), now);
        }
    }

    /// Ends a reservation whose request was never sent: all of it comes back.
    pub fn release(&mut self, reservation: Reservation, now: Nanos) {
        let now = self.advance(now);
        self.uncount(&reservation);
        self.end(&reservation, &Ended::Counted(Amounts::ZERO), now);
    }

    /// Ends a reservation whose request was refused for its rate. The request itself counts, its tokens do not.
    ///
    /// Nobody is admitted for the span `retry_after`, at most [`Limit::MAX_WINDOW`](crate::Limit::MAX_WINDOW). Where the provider gave none (zero is
    /// none), no pause is on, and no limit it told explains the refusal, the pause is drawn with 64 `random` bits and
    /// doubles, up to the backoff's ceiling, with every flight of requests that is refused.
    pub fn refuse(&mut self, reservation: Reservation, retry_after: Option<Nanos>, now: Nanos, random: u64) {
        let now = self.advance(now);
        if reservation.number > self.admissions {
            return;
        }
        self.outage.answered(now);
        // One that does not say that anything lacks says nothing of what was asked.
        let lacks = reservation.lacks != [false; 2];
        let mut has_asked = false;
        for found in &mut self.found {
            has_asked |= found.was_refused(reservation.number, lacks, now);
        }
        self.uncount(&reservation);
        self.end(&reservation, &Ended::Counted(Amounts::ZERO.with(Dimension::Requests, 1)), now);
        if has_asked && lacks {
            // What was believed is right.
            self.space_out(&reservation, now);
            self.heed(retry_after, now);
            return;
        }
        let is_explained = self.is_explained(&reservation, now);
        let is_unexplained = !is_explained && !lacks;
        let mut is_doubted = false;
        if is_unexplained && self.probes {
            let was_lowered = self.tells && self.pace.is_on()
                || self.pace.is_lowered(now)
                || self.flight_window.keeps(reservation.beside);
            let was_clear = self.chance.is_clear();
            let (verdict, tested) = self.chance.refused(reservation.number, was_lowered, self.is_large(&reservation));
            if was_clear && verdict == Verdict::Chance {
                self.with_refused(&reservation, retry_after, false, now, |pace, refused| {
                    pace.count_from(refused, now);
                });
            }
            self.take_in(tested, now);
            match verdict {
                Verdict::Chance => {
                    self.heed(retry_after, now);
                    return;
                }
                Verdict::Met => {}
                Verdict::Doubted => is_doubted = true,
            }
        }
        self.guard.refused(reservation.number, self.admissions);
        self.space_out(&reservation, now);
        let cause = if is_unexplained {
            let (number, beside) = (reservation.number, reservation.beside);
            Some(self.flight_window.refused(number, beside, self.admissions, self.pace.is_on()))
        } else {
            // What explains one refusal after the other does not.
            let is_judged = self.probes && self.tells && self.guard.is_on();
            (is_judged && !self.guard.is_large(reservation.cost.expected())).then_some(Cause::Rate)
        };
        let is_judged = cause.is_some() && (is_explained || lacks);
        if cause.is_none() && !self.tells {
            self.flight_window.halve(reservation.number, self.admissions);
        }
        self.refusals.refused(reservation.number, self.admissions, cause != Some(Cause::Crowd), now);
        let is_spaced = match cause {
            None if is_explained || self.tells => is_explained,
            // What only refusals tell is not known well: what is let through between them bounds it.
            None => self.probes && self.measure(Cause::Rate, &reservation, retry_after, is_judged, now),
            Some(Cause::Rate) if !self.probes => false,
            Some(cause) => self.measure(cause, &reservation, retry_after, is_judged, now),
        };
        if is_doubted && self.pace.is_on() {
            self.chance.begin(self.admissions);
            self.pace.begin_test(now);
        }
        let pause = match retry_after {
            // A hint of nothing is none.
            Some(span) if span > Nanos::ZERO => {
                self.pace.hint(now.saturating_add(span));
                span
            }
            // What explains one flight of refusals and not the next is no explanation.
            _ if self.paused_until > now || is_spaced && !self.refusals.is_on() => return,
            _ => self.refusals.delay(&self.backoff, random, now),
        };
        self.hold_back(pause, now);
    }

    /// Ends a reservation whose request failed for a reason that is not its own: no connection, no answer, a server
    /// error. What may have been counted stays counted where the request may have been `sent`. After five failures
    /// in a row one request at a time goes out, after a delay drawn with 64 `random` bits: see [Outages](crate#outages).
    pub fn fail(&mut self, reservation: Reservation, sent: bool, now: Nanos, random: u64) {
        let now = self.advance(now);
        if reservation.number > self.admissions {
            return;
        }
        let waits = self.outage.failed(reservation.admitted_at, now);
        let counted = if sent { *reservation.cost.expected() } else { Amounts::ZERO };
        if sent {
            self.lose_count(&reservation);
        } else {
            self.uncount(&reservation);
        }
        self.end(&reservation, &Ended::Counted(counted), now);
        if waits {
            self.asks_at = now.saturating_add(self.outage.delay(&self.backoff, now, random));
        }
    }

    /// Ends a reservation whose request was abandoned after it may have been sent: all of it stays taken.
    pub fn forfeit(&mut self, reservation: Reservation, now: Nanos) {
        let now = self.advance(now);
        self.lose_count(&reservation);
        self.end(&reservation, &Ended::Counted(*reservation.cost.expected()), now);
    }

    /// Goes slower where nothing is known: this request was refused.
    fn space_out(&mut self, reservation: &Reservation, now: Nanos) {
        let took = now.saturating_sub(reservation.admitted_at);
        let has_recovered = self.pace.has_recovered(reservation.number);
        self.spacing.refused(reservation.number, self.admissions, has_recovered, took, now);
    }

    /// Pauses for as long as a refusal says. A hint of nothing is none.
    fn heed(&mut self, retry_after: Option<Nanos>, now: Nanos) {
        if let Some(span) = retry_after.filter(|span| *span > Nanos::ZERO) {
            self.hold_back(span, now);
        }
    }

    /// Whether what the provider tells of its limits is why it refused a request.
    fn is_explained(&self, reservation: &Reservation, now: Nanos) -> bool {
        let lacks = |found: &Found| found.ready_at(&reservation.cost, self.yields.parts(), self.tells, now) > now;
        self.speaks_of(reservation) && self.heeded(now).any(lacks)
    }

    /// Whether what is known of the provider's limits is what a refusal is about: where successes tell what remains, one
    /// that does not speaks of something else.
    const fn speaks_of(&self, reservation: &Reservation) -> bool {
        !self.tells || reservation.spoken_of != 0
    }

    /// Whether a request takes more than the others did on average, by more than half: when a rate was met, there may not be
    /// enough for it long afterwards.
    fn is_large(&self, reservation: &Reservation) -> bool {
        let mean = self.ledger.of(Dimension::Tokens).map_or(0, Account::mean);
        reservation.cost.expected().of(Dimension::Tokens) > mean.saturating_add(mean / 2)
    }

    /// Takes in how a test ended whether going slower helps, and begins the next one when it is time.
    fn take_in(&mut self, tested: Option<Tested>, now: Nanos) {
        if let Some(tested) = tested {
            let were_chance = tested == Tested::Chance;
            self.pace.end_test(were_chance, now);
            if were_chance {
                self.flight_window.clear();
            }
            if tested != Tested::Met && self.tells {
                // What it tells holds.
                self.pace.turn_off();
            }
        }
        if self.chance.is_due() && self.pace.is_on() {
            self.chance.begin(self.admissions);
            self.pace.begin_test(now);
        }
    }

    /// The provider has not counted the request.
    fn uncount(&mut self, reservation: &Reservation) {
        let expected = reservation.cost.expected();
        self.ledger.forget(expected);
        self.pace.forget(reservation.number, expected);
        self.found.iter_mut().for_each(|found| found.uncount(reservation));
    }

    /// Nobody knows whether the provider has counted the request.
    fn lose_count(&mut self, reservation: &Reservation) {
        self.ledger.lose(reservation.cost.expected());
        self.found.iter_mut().for_each(Found::lose_count);
    }

    /// Takes a refusal that no limit explains for a rate that was met. Whether something is known that holds the next ones
    /// back.
    fn measure(
        &mut self,
        cause: Cause,
        reservation: &Reservation,
        retry_after: Option<Nanos>,
        is_judged: bool,
        now: Nanos,
    ) -> bool {
        // Others may go when one of those in flight has ended.
        let mut is_spaced = cause == Cause::Crowd;
        self.with_refused(reservation, retry_after, is_judged, now, |pace, refused| match cause {
            Cause::Crowd => pace.may_be_empty(refused, now),
            Cause::Rate => is_spaced = pace.refused(refused, now),
        });
        is_spaced
    }

    /// Tells the measured rates of a refusal.
    fn with_refused(
        &mut self,
        reservation: &Reservation,
        retry_after: Option<Nanos>,
        is_judged: bool,
        now: Nanos,
        tell: impl FnOnce(&mut Pace, &Refused<'_>),
    ) {
        let Some(account) = reservation.ledger.of(Dimension::Tokens) else { return };
        let mut before = *account;
        before.forget(&Parts::of(reservation.cost.expected(), Dimension::Tokens));
        let told = Pace::DIMENSIONS.map(|dimension| {
            let limits = self.heeded(now).map(|found| found.bucket().limit());
            let rate = |limit: &Limit| {
                let rate = u128::from(limit.amount()) * u128::from(Pace::WINDOW.get());
                u64::try_from(rate / u128::from(limit.window().get())).unwrap_or(u64::MAX)
            };
            limits.filter(|limit| limit.dimension() == dimension).map(rate).min()
        });
        // Words that are judged may be wrong of the window as well.
        let rates = self.guard.rates(now).filter(|_| is_judged);
        let told = rates.map_or(told, |rates| rates.map(Some));
        let refused = Refused {
            number: reservation.number,
            at: reservation.admitted_at,
            again_at: retry_after.map(|span| now.saturating_add(span)),
            account: &before,
            amounts: reservation.cost.expected(),
            latest: self.admissions,
            told,
            lacks: if is_judged && reservation.lacks != [false; 2] { reservation.lacks } else { [true; 2] },
        };
        tell(&mut self.pace, &refused);
    }

    fn end(&mut self, reservation: &Reservation, ended: &Ended, now: Nanos) {
        if reservation.number > self.admissions {
            return;
        }
        let reserved = reservation.cost.expected();
        self.found.iter_mut().for_each(|found| found.asked_nothing(reservation.number));
        self.in_flight = self.in_flight.saturating_sub(1);
        self.refusals.ended(reservation.number);
        self.flight.remove(reservation.admitted_at, reserved);
        for quota in [&mut self.told, &mut self.held] {
            quota.settle_as(&reservation.taken(), &reservation.cost, ended.amounts(), now);
        }
        for (index, found) in self.found.iter_mut().enumerate() {
            found.end(reservation, index, ended, now);
        }
    }
}
