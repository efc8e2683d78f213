//! Taking the provider's word for what remains.

use super::{Limiter, Track};
use crate::learn::FormGuess;
use crate::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, Observation, Reading, Refill, Reservation};

impl Limiter {
    /// Takes in what the answer to `reservation`'s request said at `now`.
    ///
    /// A limit that was not known is added, a known one follows the provider in both directions. The level becomes
    /// what remained when the request reached the provider, less everything admitted after it, plus what has come
    /// back since. Answers that come out of order are used only if none to a later request came before.
    ///
    /// Returns how many more requests the provider has left than were counted here: what it counts of them is never in
    /// doubt, so a large number says that somebody else's requests were counted here.
    pub fn observe(&mut self, reservation: &Reservation, observation: &Observation, now: Nanos) -> i64 {
        let latency = now.saturating_sub(reservation.admitted_at);
        let fastest = self.fastest.map_or(latency, |fastest| fastest.min(latency));
        self.fastest = Some(fastest);
        // The request was counted after it was sent and before the answer came; no later than the fastest answer
        // ever took, because that one had travelled the same way.
        let counted_at = reservation.admitted_at.saturating_add(fastest);
        let mut surplus = 0;
        for reading in observation.readings() {
            let gained = self.take_reading(reservation, reading, counted_at, now);
            if reading.dimension == Dimension::Requests {
                surplus = gained.unwrap_or(0).max(surplus);
            }
        }
        if let Some(span) = observation.retry_after {
            self.pause_until(now.saturating_add(span.min(Limit::MAX_WINDOW)));
        }
        surplus
    }

    /// Takes in what an answer said whose request was admitted by another limiter: everything it says holds at `now`.
    pub fn adopt(&mut self, observation: &Observation, now: Nanos) {
        let cost = Cost::exact(Amounts::ZERO);
        let stand_in = Reservation { number: self.admissions, cost, admitted_at: now, taken: self.taken };
        for reading in observation.readings() {
            self.take_reading(&stand_in, reading, now, now);
        }
    }

    /// Returns by how much the level rose, where it was set and was known before.
    fn take_reading(
        &mut self,
        reservation: &Reservation,
        reading: &Reading,
        counted_at: Nanos,
        now: Nanos,
    ) -> Option<i64> {
        // A limit of zero says that nothing is tracked here, or that waiting never helps: neither is a level.
        if reading.limit == Some(0) {
            return None;
        }
        let known = self.find(reading);
        let index = known.or_else(|| self.found(reading, now))?;
        let taken_since = {
            let dimension = reading.dimension;
            self.taken.of(dimension).saturating_sub(reservation.taken.of(dimension))
        };
        let (Some(bucket), Some(Track::Found { form, observed, stated_window })) =
            (self.quota.buckets_mut().get_mut(index), self.tracks.get_mut(index))
        else {
            return None;
        };
        if reservation.number < *observed {
            return None;
        }
        *observed = reservation.number;
        form.learn(reading, now);
        let limit = limit_of(reading, bucket.limit(), form, *stated_window, now);
        if limit != *bucket.limit() {
            bucket.set_limit(limit, now);
        }
        let before = bucket.level(now);
        bucket.set_level(reading.remaining?, counted_at, taken_since, now);
        known.map(|_| bucket.level(now).saturating_sub(before))
    }

    /// The bucket that a reading speaks of.
    fn find(&self, reading: &Reading) -> Option<usize> {
        self.quota.buckets().iter().zip(&self.tracks).position(|(bucket, track)| {
            matches!(track, Track::Found { stated_window, .. } if *stated_window == reading.window)
                && bucket.limit().dimension() == reading.dimension
        })
    }

    /// Adds the bucket that a reading speaks of for the first time. It needs a limit for that.
    fn found(&mut self, reading: &Reading, now: Nanos) -> Option<usize> {
        let limit = Limit::new(reading.dimension, reading.limit?, reading.window.unwrap_or(Nanos::MINUTE));
        let track = Track::Found { stated_window: reading.window, form: FormGuess::default(), observed: 0 };
        self.add(Bucket::full(limit, now), track);
        Some(self.tracks.len() - 1)
    }
}

/// The limit as it is known with this reading.
fn limit_of(reading: &Reading, known: &Limit, form: &FormGuess, stated: Option<Nanos>, now: Nanos) -> Limit {
    let amount = reading.limit.unwrap_or(known.amount());
    let window = stated.or(form.window()).unwrap_or(known.window());
    let refill = match reading.reset {
        Some(reset) if reading.fixed_window => Refill::AtBoundary { phase: now.saturating_add(reset) },
        _ if reading.fixed_window => known.refill(),
        _ => form.refill().unwrap_or(known.refill()),
    };
    Limit::new(reading.dimension, amount, window).with_refill(refill)
}
