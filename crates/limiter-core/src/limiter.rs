//! The state machine of one scope: limits, what is in flight, who waits, and what the provider says.

mod found;
mod observe;
mod state;

use alloc::vec::Vec;

use crate::flight::Flight;
use crate::learn::{FlightWindow, Refusals};
use crate::queue::Queue;
use crate::{
    Amounts, Backoff, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Outage, Quota, Refusal, Reservation, Ticket,
};

use found::Found;

pub use state::{LimitSource, LimitState, State};

/// Limits of one scope, the requests in flight, and the queue in front of them.
///
/// The caller passes the time in and keeps it going: after every call that can change what fits (and at the instant
/// that [`Admission::NotYet`] named) it calls [`admit`](Self::admit) until that answers something other than
/// [`Admission::Granted`] or [`Admission::Refused`].
#[derive(Debug)]
pub struct Limiter {
    /// Limits that the caller set: ceilings that no observation lifts.
    told: Quota<Vec<Bucket>>,
    /// Limits that the provider's answers told.
    found: Vec<Found>,
    /// What is in flight in each dimension, for limits that are found later.
    flights: [Flight; Dimension::COUNT],
    /// Whether the provider tells what remains in answers that are not refusals.
    tells: bool,
    max_in_flight: Option<u64>,
    in_flight: u64,
    flight_window: FlightWindow,
    outage: Outage,
    refusals: Refusals,
    backoff: Backoff,
    queue: Queue,
    paused_until: Nanos,
    /// The number of the latest admission; zero before the first.
    admissions: u64,
    /// When it was: a caller on several threads may be a little late with its `now`.
    latest: Nanos,
}

/// The answer to "who may go now?".
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// This request may go.
    Granted(Ticket, Reservation),
    /// This request can never go: it left the queue.
    Refused(Ticket, NeverFits),
    /// The request at the head fits at this instant, unless something changes before.
    NotYet(Nanos),
    /// The request at the head waits for one in flight to end.
    Blocked,
    /// Nobody waits.
    Idle,
}

impl Limiter {
    /// A limiter that knows no limit yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            told: Quota::new(Vec::new()),
            found: Vec::new(),
            flights: [const { Flight::new() }; Dimension::COUNT],
            tells: false,
            max_in_flight: None,
            in_flight: 0,
            flight_window: FlightWindow::new(),
            outage: Outage::new(),
            refusals: Refusals::new(),
            backoff: Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE },
            queue: Queue::new(),
            paused_until: Nanos::ZERO,
            admissions: 0,
            latest: Nanos::ZERO,
        }
    }

    /// A limiter that knows no limit but the caller's own ones of `other`, of which as much is taken as there.
    #[must_use]
    pub fn with_told_of(other: &Self) -> Self {
        Self { told: other.told.clone(), max_in_flight: other.max_in_flight, ..Self::new() }
    }

    /// Sets a limit of the caller's own: a ceiling, whatever the provider allows. It replaces the caller's limit for
    /// the same dimension and window, keeping what was taken. A limit on [`Dimension::Concurrent`] bounds the
    /// requests in flight; its window means nothing.
    pub fn set_limit(&mut self, limit: Limit, now: Nanos) {
        if limit.dimension() == Dimension::Concurrent {
            self.max_in_flight = Some(limit.amount());
            return;
        }
        let is_same = |bucket: &&mut Bucket| {
            bucket.limit().dimension() == limit.dimension() && bucket.limit().window() == limit.window()
        };
        match self.told.buckets_mut().iter_mut().find(is_same) {
            Some(bucket) => bucket.set_limit(limit, now),
            None => self.told.buckets_mut().push(Bucket::full(limit, now)),
        }
    }

    /// Reserves `cost` at once, if nobody waits and it fits now.
    ///
    /// # Errors
    ///
    /// [`Refusal::NeverFits`]; or [`Refusal::NotYet`] with the instant at which it fits, which is [`Nanos::MAX`] where
    /// that depends on requests in flight or waiting.
    pub fn try_reserve(&mut self, cost: &Cost, now: Nanos) -> Result<Reservation, Refusal> {
        let ready_at = self.ready_at(cost, now)?;
        if self.queue.waiting() > 0 || self.flight_is_full() {
            return Err(Refusal::NotYet { ready_at: Nanos::MAX });
        }
        if ready_at > now { Err(Refusal::NotYet { ready_at }) } else { Ok(self.reserve(*cost, now)) }
    }

    /// Who is next, if anybody waits.
    #[must_use]
    pub fn head(&self) -> Option<Ticket> {
        self.queue.head().map(|(ticket, _)| ticket)
    }

    /// Joins the queue at its end.
    ///
    /// # Errors
    ///
    /// [`NeverFits`] when the certain part of the cost is larger than a limit known now.
    pub fn enqueue(&mut self, cost: &Cost) -> Result<Ticket, NeverFits> {
        self.capacity_at(cost, self.latest)?;
        Ok(self.queue.push_back(*cost))
    }

    /// Joins the queue at its front: for a request that was admitted before and has to go again.
    ///
    /// # Errors
    ///
    /// [`NeverFits`] when the certain part of the cost is larger than a limit known now.
    pub fn enqueue_front(&mut self, cost: &Cost) -> Result<Ticket, NeverFits> {
        self.capacity_at(cost, self.latest)?;
        Ok(self.queue.push_front(*cost))
    }

    /// Leaves the queue. Whether the ticket still waited.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        self.queue.remove(ticket).is_some()
    }

    /// Admits the request at the head of the queue if it fits at `now`.
    pub fn admit(&mut self, now: Nanos) -> Admission {
        let Some((ticket, cost)) = self.queue.head() else { return Admission::Idle };
        let cost = *cost;
        match self.ready_at(&cost, now) {
            Err(never) => {
                self.queue.remove(ticket);
                Admission::Refused(ticket, never)
            }
            Ok(_) if self.flight_is_full() => Admission::Blocked,
            Ok(ready_at) if ready_at > now => Admission::NotYet(ready_at),
            Ok(_) => {
                self.queue.remove(ticket);
                Admission::Granted(ticket, self.reserve(cost, now))
            }
        }
    }

    /// Ends a reservation whose request was answered: what was reserved beyond `actual` comes back, what was used
    /// beyond it is owed. Where the provider has said since what remains, its word stands and nothing is changed.
    pub fn settle(&mut self, reservation: Reservation, actual: &Amounts, now: Nanos) {
        self.outage.answered(now);
        self.flight_window.answered();
        self.refusals.answered();
        self.end(&reservation, actual, now);
    }

    /// Ends a reservation whose request was never sent: all of it comes back.
    pub fn release(&mut self, reservation: Reservation, now: Nanos) {
        self.end(&reservation, &Amounts::ZERO, now);
    }

    /// Ends a reservation whose request was refused for its rate. The request itself counts, its tokens do not.
    ///
    /// Nobody is admitted for the span `retry_after`. Where the provider gave none and the levels known here do not
    /// explain the refusal either, the pause is drawn with 64 `random` bits and doubles with every flight of requests
    /// that is refused.
    pub fn refuse(&mut self, reservation: Reservation, retry_after: Option<Nanos>, now: Nanos, random: u64) {
        self.outage.answered(now);
        self.flight_window.refused(reservation.number, self.admissions);
        self.refusals.refused(reservation.number, self.admissions, now);
        self.end(&reservation, &Amounts::ZERO.with(Dimension::Requests, 1), now);
        let explained = || self.capacity_at(&reservation.cost, now).is_ok_and(|ready| ready > now);
        let pause = match retry_after {
            Some(span) => span.min(Limit::MAX_WINDOW),
            None if self.paused_until > now || explained() => return,
            None => self.refusals.delay(&self.backoff, random),
        };
        self.pause_until(now.saturating_add(pause));
    }

    /// Ends a reservation whose request failed for a reason that is not its own: no connection, no answer, a server
    /// error. What may have been counted stays counted where the request may have been `sent`. After several failures
    /// in a row one request at a time goes out, after a delay drawn with 64 `random` bits.
    pub fn fail(&mut self, reservation: Reservation, sent: bool, now: Nanos, random: u64) {
        let waits = self.outage.failed(reservation.admitted_at, now);
        let counted = if sent { *reservation.cost.expected() } else { Amounts::ZERO };
        self.end(&reservation, &counted, now);
        if waits {
            self.pause_until(now.saturating_add(self.outage.delay(&self.backoff, random)));
        }
    }

    /// Ends a reservation whose request was abandoned after it may have been sent: all of it stays taken.
    pub fn forfeit(&mut self, reservation: Reservation, now: Nanos) {
        let counted = *reservation.cost.expected();
        self.end(&reservation, &counted, now);
    }

    fn end(&mut self, reservation: &Reservation, actual: &Amounts, now: Nanos) {
        self.in_flight = self.in_flight.saturating_sub(1);
        for (dimension, flight) in Dimension::ALL.into_iter().zip(&mut self.flights) {
            flight.remove(reservation.admitted_at, reservation.cost.expected().of(dimension));
        }
        for bucket in self.told.buckets_mut() {
            let dimension = bucket.limit().dimension();
            bucket.give(reservation.cost.expected().of(dimension), now);
            bucket.take(actual.of(dimension), now);
        }
        for (index, found) in self.found.iter_mut().enumerate() {
            if !reservation.is_spoken_of(index) {
                found.end(reservation, actual.of(found.bucket().limit().dimension()), now);
            }
        }
    }

    /// How long the provider has done nothing but refuse requests for their rate.
    #[must_use]
    pub fn refused_for(&self, now: Nanos) -> Nanos {
        self.refusals.lasting(now)
    }

    /// What is known of the provider's failing.
    #[must_use]
    pub const fn outage(&self) -> &Outage {
        &self.outage
    }

    /// Admits nobody before `until`. A pause is never shortened, and this one is not bounded: what a provider asks for
    /// in an answer is, to [`Limit::MAX_WINDOW`].
    pub fn pause_until(&mut self, until: Nanos) {
        self.paused_until = self.paused_until.max(until);
    }

    /// When `cost` fits and no pause is on.
    fn ready_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        Ok(self.capacity_at(cost, now)?.max(self.paused_until))
    }

    /// When `cost` fits.
    fn capacity_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        let mut ready_at = self.told.ready_at(cost, now)?;
        for found in self.found.iter().filter(|found| found.is_heeded(self.tells, now)) {
            let limit = found.bucket().limit();
            NeverFits::check(cost, limit)?;
            ready_at = ready_at.max(found.ready_at(cost.expected().of(limit.dimension()), now));
        }
        Ok(ready_at)
    }

    fn reserve(&mut self, cost: Cost, now: Nanos) -> Reservation {
        let now = now.max(self.latest);
        self.latest = now;
        self.admissions += 1;
        self.told.take(&cost, now);
        for found in &mut self.found {
            found.take(cost.expected().of(found.bucket().limit().dimension()), self.admissions, now);
        }
        for (dimension, flight) in Dimension::ALL.into_iter().zip(&mut self.flights) {
            flight.add(now, cost.expected().of(dimension));
        }
        self.in_flight += 1;
        Reservation { number: self.admissions, cost, admitted_at: now, spoken_of: 0 }
    }

    fn flight_is_full(&self) -> bool {
        let limit = if self.outage.is_on() {
            1
        } else if self.tells {
            // What the provider says need not be probed.
            u64::MAX
        } else {
            self.flight_window.allowed()
        };
        self.in_flight >= limit.min(self.max_in_flight.unwrap_or(u64::MAX))
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod adversity;
#[cfg(test)]
mod tests;
