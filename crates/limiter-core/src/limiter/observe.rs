//! Taking the provider's word for what remains.

use super::Limiter;
use super::found::{Books, Found};
use crate::learn::Account;
use crate::{Amounts, Dimension, Limit, Nanos, Observation, Reading, Reservation};

/// How an answer compared with what was counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observed {
    /// How many more requests the provider has left than were counted here. What it counts of requests is never in
    /// doubt, so a large number says that somebody else's were counted here.
    pub surplus_requests: u64,
}

impl Limiter {
    /// Takes in what the answer to `reservation`'s request said at `now`.
    ///
    /// A limit that was not known is added, a known one follows the provider in both directions. The level becomes
    /// what remained when the request was counted, plus what has come back since, less what is in flight and may not
    /// have been counted yet. What the same answer says of a limit a second time is left aside.
    pub fn observe(&mut self, reservation: &mut Reservation, observation: &Observation, now: Nanos) -> Observed {
        let now = self.advance(now);
        let mut surplus = 0;
        for reading in observation.readings() {
            self.tell_apart(reading, observation.readings());
            let gained = self.take_reading(Some(reservation), reading, observation.refused, now);
            if reading.dimension == Dimension::Requests {
                surplus = gained.unwrap_or(0).max(surplus);
            }
        }
        self.pass_on(reservation, observation.readings(), now);
        if observation.refused {
            // Whatever is believed of the charge.
            let whole = |dimension| reservation.cost.expected().of(dimension);
            let is_less = |reading: &Reading| reading.remaining.is_some_and(|left| left < whole(reading.dimension));
            for reading in observation.readings().iter().filter(|reading| is_less(reading)) {
                let [requests, others] = &mut reservation.lacks;
                *(if reading.dimension == Dimension::Requests { requests } else { others }) = true;
            }
            if reservation.lacks == [false; 2] && self.tells {
                let spoken = self.found.iter_mut().enumerate().filter(|(index, _)| reservation.is_spoken_of(*index));
                spoken.for_each(|(_, found)| found.is_contradicted());
            }
            if let Some(span) = observation.retry_after.filter(|_| self.tells) {
                let (cost, yields) = (reservation.cost, self.yields.parts());
                let lacking =
                    |found: &&mut Found| observation.readings().iter().any(|it| is_less(it) && found.is_meant_by(it));
                let lacking = self.found.iter_mut().filter(lacking);
                let sent = reservation.admitted_at;
                for found in lacking {
                    found.hear_wait(&cost, yields, now.saturating_add(span), now);
                    found.hear_turn(span, sent, now);
                }
            }
        } else {
            self.pass_over(observation.readings());
        }
        if let Some(span) = observation.retry_after {
            self.hold_back(span, now);
        }
        Observed { surplus_requests: u64::try_from(surplus).unwrap_or(0) }
    }

    /// Takes in what an answer said whose request was admitted by another limiter, where `in_flight` is still in flight
    /// and may not have been counted.
    pub fn adopt(&mut self, observation: &Observation, in_flight: &Amounts, now: Nanos) {
        let now = self.advance(now);
        for reading in observation.readings() {
            let remaining = reading.remaining.map(|left| left.saturating_sub(in_flight.of(reading.dimension)));
            self.take_reading(None, &Reading { remaining, ..*reading }, observation.refused, now);
        }
        if let Some(span) = observation.retry_after {
            self.hold_back(span, now);
        }
    }

    /// What was admitted and has not ended.
    #[must_use]
    pub fn in_flight_amounts(&self) -> Amounts {
        let dimensions = Dimension::ALL.into_iter();
        dimensions.fold(Amounts::ZERO, |sum, dimension| sum.with(dimension, self.flight.since(Nanos::ZERO, dimension)))
    }

    /// What an answer says of one of several limits of which each answer speaks of one, its request has not taken of the
    /// others.
    fn pass_on(&mut self, reservation: &mut Reservation, readings: &[Reading], now: Nanos) {
        let spoken = readings.iter().filter(|reading| reading.limit.is_some() && reading.remaining.is_some());
        for dimension in spoken.map(|reading| reading.dimension) {
            for (index, found) in self.found.iter_mut().enumerate() {
                if found.dimension() == dimension && found.has_rivals() && !reservation.is_spoken_of(index) {
                    found.was_a_rivals(reservation, index, now);
                    reservation.speak_of(index);
                }
            }
        }
    }

    /// Where one answer tells several amounts of a dimension, and the window of none, they are several limits.
    fn tell_apart(&mut self, reading: &Reading, readings: &[Reading]) {
        let is_like = |other: &Reading| {
            other.dimension == reading.dimension
                && other.window.is_none()
                && other.limit.is_some_and(|amount| amount > 0 && Some(amount) != reading.limit)
        };
        if reading.window.is_none() && reading.limit.is_some_and(|amount| amount > 0) && readings.iter().any(is_like) {
            let like = self.found.iter_mut().filter(|found| found.dimension() == reading.dimension);
            like.for_each(Found::has_rivals_told);
        }
    }

    /// Notes which found limits a success left out, of the dimensions that it spoke of.
    fn pass_over(&mut self, readings: &[Reading]) {
        for found in &mut self.found {
            // A guess is one at what the provider tells, whatever dimension that is in.
            let is_passed = |reading: &Reading| reading.dimension == found.dimension() || found.is_guess();
            if readings.iter().any(is_passed) {
                let mentioned = readings.iter().any(|reading| found.is_meant_by(reading));
                found.is_mentioned(mentioned);
            }
        }
    }

    /// Returns by how much the level of a known limit rose.
    fn take_reading(
        &mut self,
        reservation: Option<&mut Reservation>,
        reading: &Reading,
        refused: bool,
        now: Nanos,
    ) -> Option<i64> {
        // A limit of zero says that nothing is tracked here, or that waiting never helps: neither is a level.
        if reading.limit == Some(0) {
            return None;
        }
        if reading.dimension == Dimension::Concurrent {
            self.take_concurrency(reading.limit?, now);
            return None;
        }
        let index = match self.found.iter().position(|found| found.is_meant_by(reading)) {
            Some(index) => index,
            None => self.find(reading, now)?,
        };
        if reservation.as_ref().is_some_and(|reservation| reservation.is_spoken_of(index)) {
            return None;
        }
        let books = Books {
            ledger: &self.ledger,
            yields: self.yields.parts(),
            admissions: self.admissions,
            tells: self.tells || !refused,
        };
        let found = self.found.get_mut(index)?;
        let is_alone = reservation.as_ref().is_none_or(|it| it.beside == 1);
        let is_silent = reading.remaining.is_none_or(|remaining| found.says_nothing(remaining, is_alone, refused));
        if is_silent {
            // It says what the limit is and not what is left: the request stays counted as it was.
            let sent = reservation.as_ref().map_or(now, |reservation| reservation.admitted_at);
            found.learn(reading, refused, sent, now);
            if let Some(reservation) = reservation.filter(|_| reading.remaining.is_some()) {
                found.took_nothing(reservation, index, now);
            }
            return None;
        }
        // What the provider says of the levels without being asked too much need not be probed.
        if !refused && !core::mem::replace(&mut self.tells, true) {
            self.pace.turn_off();
            self.flight_window.is_told();
        }
        let Some(reservation) = reservation else {
            return Some(found.observe(None, index, reading, refused, &books, now));
        };
        let gained = found.observe(Some(reservation), index, reading, refused, &books, now);
        reservation.speak_of(index);
        // One provider meters all dimensions in one way, and what requests count is certain.
        let (slides, seems_to) = (found.slides_in_full(), found.seems_to_slide());
        let counts_requests = self.found.iter().any(|other| other.dimension() == Dimension::Requests);
        if let Some(slices) = self.found.get(index).and_then(Found::slices) {
            self.found.iter_mut().for_each(|other| other.is_sliced_as(&slices, now));
        } else if self.found.get(index).is_some_and(Found::refutes_slices) {
            self.found.iter_mut().for_each(|other| other.is_not_sliced(now));
        }
        if let Some(grain) = self.found.get(index).and_then(Found::grain_of_tokens) {
            self.found.iter_mut().for_each(|other| other.is_rounded_as(&grain));
        }
        if let Some((turn, window)) = self.found.get(index).and_then(Found::weighs) {
            self.found.iter_mut().for_each(|other| other.is_weighted_as(turn, window, now));
        }
        if let Some(others) = self.found.get(index).and_then(|found| found.others_of_requests(now)) {
            self.found.iter_mut().for_each(|found| found.has_others_as(&others, now));
        }
        let is_seen =
            if counts_requests { slides && reading.dimension == Dimension::Requests } else { slides || seems_to };
        if is_seen {
            self.found.iter_mut().for_each(|other| other.stands_still(now));
        }
        Some(gained)
    }

    /// How many requests may be in flight. What remains of it says nothing new: ours are counted here, and others come
    /// and go.
    fn take_concurrency(&mut self, requests: u64, now: Nanos) {
        let limit = Limit::concurrent(requests);
        match self.held.buckets_mut().first_mut() {
            Some(bucket) if *bucket.limit() == limit => {}
            Some(bucket) => bucket.set_limit(limit, now),
            None => {
                let bucket = self.begin(limit, now);
                self.held.buckets_mut().push(bucket);
            }
        }
    }

    /// Adds the limit that a reading speaks of for the first time. It takes an amount to be a limit.
    fn find(&mut self, reading: &Reading, now: Nanos) -> Option<usize> {
        if self.found.len() >= Reservation::MOST_FOUND {
            return None;
        }
        let limit = Limit::new(reading.dimension, reading.limit?, reading.window.unwrap_or(Nanos::MINUTE));
        let own = self.ledger.of(reading.dimension).map_or(0, |account| account.admitted_since(&Account::NONE).whole);
        let flight = self.flight.in_dimension(reading.dimension);
        let mut found = Found::new(limit, reading.window, flight, (self.admissions, own), now);
        found.use_share(self.shares.of(reading.dimension), self.admissions, now);
        self.found.push(found);
        Some(self.found.len() - 1)
    }
}
