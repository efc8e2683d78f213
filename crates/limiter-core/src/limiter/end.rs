//! How a reservation ends: in exactly one of these.

use super::Limiter;
use super::found::{Ended, Found};
use crate::learn::Parts;
use crate::{Amounts, Dimension, Nanos, Reservation};

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
        self.flight_window.answered();
        self.refusals.answered();
        self.pace.answered();
        let reserved = reservation.cost.expected();
        self.ledger.end(reserved, actual);
        self.yields.learn(reserved.of(Dimension::OutputTokens), actual.of(Dimension::OutputTokens));
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
        self.flight_window.refused(reservation.number, self.admissions);
        self.refusals.refused(reservation.number, self.admissions, now);
        self.spacing.refused(now);
        self.uncount(&reservation);
        self.end(&reservation, &Ended::Counted(Amounts::ZERO.with(Dimension::Requests, 1)), now);
        let lacks = |found: &Found| found.ready_at(&reservation.cost, self.yields.parts(), self.tells, now) > now;
        // Where successes tell what remains, a refusal that does not speaks of something else.
        let is_told = !self.tells || reservation.spoken_of != 0;
        let is_explained = is_told && self.heeded(now).any(lacks);
        if self.tells && !is_told {
            self.unexplained = self.unexplained.saturating_add(1);
            self.flight_window.restart(reservation.number, self.admissions, self.in_flight);
        }
        // One may be a mishap of a provider that says so much.
        let is_news = !self.tells || self.unexplained > 1;
        let is_measured = self.probes && is_news && !is_explained && self.measure(&reservation, now);
        let pause = match retry_after {
            // A hint of nothing is none.
            Some(span) if span > Nanos::ZERO => {
                self.pace.hint(now.saturating_add(span));
                span
            }
            _ if self.paused_until > now || is_explained || is_measured => return,
            _ => self.refusals.delay(&self.backoff, random),
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
            self.ledger.lose(reservation.cost.expected());
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
        self.ledger.lose(reservation.cost.expected());
        self.end(&reservation, &Ended::Counted(*reservation.cost.expected()), now);
    }

    /// The provider has not counted the request.
    fn uncount(&mut self, reservation: &Reservation) {
        let expected = reservation.cost.expected();
        self.ledger.forget(expected);
        self.pace.forget(reservation.number, expected);
    }

    /// Takes a refusal that no limit explains for a rate that was met. Whether it taught anything.
    fn measure(&mut self, reservation: &Reservation, now: Nanos) -> bool {
        let Some(account) = reservation.ledger.of(Dimension::Tokens) else { return false };
        let mut before = *account;
        before.forget(&Parts::of(reservation.cost.expected(), Dimension::Tokens));
        self.pace.refused(reservation.number, reservation.admitted_at, &before, self.admissions, now)
    }

    fn end(&mut self, reservation: &Reservation, ended: &Ended, now: Nanos) {
        if reservation.number > self.admissions {
            return;
        }
        let reserved = reservation.cost.expected();
        self.in_flight = self.in_flight.saturating_sub(1);
        self.flight.remove(reservation.admitted_at, reserved);
        for quota in [&mut self.told, &mut self.held] {
            quota.settle_as(&reservation.taken(), &reservation.cost, ended.amounts(), now);
        }
        for (index, found) in self.found.iter_mut().enumerate() {
            found.end(reservation, index, ended, now);
        }
    }
}
