//! The state machine of one scope: limits, what is in flight, who waits, and what the provider says.

mod found;
mod observe;
mod order;
mod state;

use alloc::vec::Vec;

use crate::flight::Flight;
use crate::learn::{FlightWindow, Refusals};
use crate::queue::{Queue, Size};
use crate::timeline::Timeline;
use crate::{
    Amounts, Backoff, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Outage, Priority, Quota, Refill, Refusal,
    Reservation, Taken, Ticket,
};

use found::Found;
use order::Allowance;

pub use observe::Observed;
pub use order::Order;
pub use state::{LimitSource, LimitState, State};

/// Limits of one scope, the requests in flight, and the queue in front of them.
///
/// The caller passes the time in and keeps it going: after every call that can change what fits (and at the instant
/// that [`Admission::NotYet`] named) it calls [`admit`](Self::admit) until that answers something other than
/// [`Admission::Granted`] or [`Admission::Refused`].
///
/// A `now` that is earlier than the latest one counts as that: callers on several threads may be a little late. One
/// that is more than a minute earlier says that the clock was set, and time goes on from there. No reading of a clock,
/// however wrong, makes anybody wait for longer than [`Limit::MAX_WINDOW`].
// What every decision looks at lies together, in the order written, for the sake of threads that share a limiter.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Limiter {
    time: Timeline,
    /// The number of the latest admission; zero before the first.
    admissions: u64,
    in_flight: u64,
    paused_until: Nanos,
    /// When the next request may ask whether an outage is over.
    asks_at: Nanos,
    /// Whether the provider tells what remains in answers that are not refusals.
    tells: bool,
    probes: bool,
    /// Limits that the caller set: ceilings that no observation lifts.
    told: Quota<Vec<Bucket>>,
    /// Limits that the provider's answers told.
    found: Vec<Found>,
    /// The number of requests in flight that the provider's answers told: what we have in flight is known here.
    held: Quota<Vec<Bucket>>,
    /// What is in flight, for limits that are found later.
    flight: Flight,
    flight_window: FlightWindow,
    refusals: Refusals,
    outage: Outage,
    queue: Queue,
    /// What may overtake in the queue, where anything may.
    allowance: Option<Allowance>,
    backoff: Backoff,
}

/// The answer to "who may go now?".
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// This request may go.
    Granted(Ticket, Reservation),
    /// This request can never go: it left the queue.
    Refused(Ticket, NeverFits),
    /// Nobody fits before this instant, unless something changes.
    NotYet(Nanos),
    /// Who is next waits for a request in flight to end: too many are, for a limit on their number,
    /// [while limits are unknown](Limiter::set_probing), or during an outage.
    Blocked,
    /// Nobody waits.
    Idle,
}

impl Limiter {
    /// A limiter that knows no limit yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            time: Timeline::new(),
            told: Quota::new(Vec::new()),
            found: Vec::new(),
            held: Quota::new(Vec::new()),
            flight: Flight::new(),
            tells: false,
            probes: true,
            in_flight: 0,
            flight_window: FlightWindow::new(),
            outage: Outage::new(),
            refusals: Refusals::new(),
            backoff: Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE },
            queue: Queue::new(),
            allowance: None,
            paused_until: Nanos::ZERO,
            asks_at: Nanos::ZERO,
            admissions: 0,
        }
    }

    /// A limiter that knows no limit but the caller's own ones of `other`, of which as much is taken as there.
    #[must_use]
    pub fn with_told_of(other: &Self) -> Self {
        let mut told = other.told.clone();
        for bucket in told.buckets_mut() {
            // What is in flight there ends there.
            if bucket.limit().refill() == Refill::OnRelease {
                *bucket = Bucket::full(*bucket.limit(), other.time.present());
            }
            *bucket = bucket.after(other.admissions);
        }
        Self {
            time: other.time,
            told,
            admissions: other.admissions,
            probes: other.probes,
            backoff: other.backoff,
            ..Self::new()
        }
    }

    /// Sets a limit of the caller's own: a ceiling, whatever the provider allows. It replaces the caller's limit for
    /// the same dimension and window, keeping what was taken; a new one begins full, but for what is in flight where
    /// it comes back [`OnRelease`](crate::Refill::OnRelease).
    pub fn set_limit(&mut self, limit: Limit, now: Nanos) {
        let now = self.advance(now);
        let limit = self.time.limit_in(limit);
        let same = |bucket: &&mut Bucket| is_same(bucket.limit(), &limit);
        let begun = self.begin(limit, now);
        match self.told.buckets_mut().iter_mut().find(same) {
            Some(bucket) if limit.refill() == Refill::OnRelease && bucket.limit().refill() != Refill::OnRelease => {
                *bucket = begun;
            }
            Some(bucket) => bucket.set_limit(limit, now),
            None => self.told.buckets_mut().push(begun),
        }
    }

    /// A bucket for a limit that was not there until now: full, but for what is in flight where that comes back.
    fn begin(&self, limit: Limit, now: Nanos) -> Bucket {
        let mut bucket = Bucket::full(limit, now);
        if limit.refill() != Refill::OnRelease {
            return bucket.after(self.admissions);
        }
        bucket.lose(self.flight.since(Nanos::ZERO, limit.dimension()), now);
        bucket.begun_at(self.admissions)
    }

    /// Removes the caller's limit for this dimension and window (whatever window where that means nothing). Whether there
    /// was one.
    pub fn remove_limit(&mut self, dimension: Dimension, window: Nanos) -> bool {
        let limit = Limit::new(dimension, 1, window);
        let before = self.told.buckets().len();
        self.told.buckets_mut().retain(|bucket| !is_same(bucket.limit(), &limit));
        self.told.buckets().len() < before
    }

    /// In what order requests are admitted that come from now on. Those who wait already are looked at as if they were
    /// all of one size.
    pub fn set_order(&mut self, order: Order) {
        self.allowance = match order {
            Order::Turn => None,
            Order::LookAhead { bound } => Some(self.allowance.unwrap_or(Allowance::new(bound)).within(bound)),
        };
    }

    /// How long a request has to wait for as much as one level of [`Priority`]; ten seconds unless set. With zero,
    /// priorities only decide between requests that came at the same instant.
    pub const fn set_ageing(&mut self, span: Nanos) {
        self.queue.set_ageing(span);
    }

    /// Whether the number of requests in flight is kept small while the provider has told no limits: a few at first,
    /// twice as many each time they were answered well, half as many when one was refused. It is, unless set: turn it
    /// off where the caller's own limits are all there are.
    pub const fn set_probing(&mut self, probes: bool) {
        self.probes = probes;
    }

    /// How long to hold back after failures and refusals that do not say it; a second, doubling up to a minute, unless
    /// set.
    pub const fn set_backoff(&mut self, backoff: Backoff) {
        self.backoff = backoff;
    }

    /// Reserves `cost` at once, if nobody waits and it fits now.
    ///
    /// # Errors
    ///
    /// [`Refusal::NeverFits`]; or [`Refusal::NotYet`] with the instant at which it fits, which is [`Nanos::MAX`] where
    /// that depends on requests in flight (their number is kept small [while limits are unknown](Self::set_probing) and
    /// during an outage) or waiting.
    pub fn try_reserve(&mut self, cost: &Cost, now: Nanos) -> Result<Reservation, Refusal> {
        let now = self.advance(now);
        let fits = self.fits(cost, now)?;
        if self.queue.waiting() > 0 || self.flight_is_full() {
            return Err(Refusal::NotYet { ready_at: Nanos::MAX });
        }
        if !fits {
            return Err(Refusal::NotYet { ready_at: self.time.out(self.ready_at(cost, now)?) });
        }
        Ok(self.reserve(cost, now))
    }

    /// Who is next in turn, if anybody waits.
    #[must_use]
    pub fn head(&self) -> Option<Ticket> {
        self.queue.head().map(|(ticket, _)| ticket)
    }

    /// Joins the queue behind everybody of the same priority.
    ///
    /// # Errors
    ///
    /// [`NeverFits`] when the certain part of the cost is larger than a limit known now.
    pub fn enqueue(&mut self, cost: &Cost, priority: Priority, now: Nanos) -> Result<Ticket, NeverFits> {
        let now = self.advance(now);
        self.check(cost, now)?;
        Ok(self.queue.push(cost, priority, self.size(cost), now))
    }

    /// Joins the queue before everybody but those who came to the front earlier: for a request that was admitted before
    /// and has to go again.
    ///
    /// # Errors
    ///
    /// [`NeverFits`] when the certain part of the cost is larger than a limit known now.
    pub fn enqueue_front(&mut self, cost: &Cost, priority: Priority, now: Nanos) -> Result<Ticket, NeverFits> {
        let now = self.advance(now);
        self.check(cost, now)?;
        Ok(self.queue.push_again(cost, priority, self.size(cost), now))
    }

    /// Leaves the queue. Whether the ticket still waited.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        self.queue.remove(ticket).is_some()
    }

    /// Admits the next request in the queue if it fits at `now`.
    pub fn admit(&mut self, now: Nanos) -> Admission {
        let now = self.advance(now);
        let Some((ticket, cost)) = self.queue.head() else { return Admission::Idle };
        let cost = *cost;
        let ready_at = match self.fits(&cost, now) {
            Ok(true) => Ok(now),
            Ok(false) => self.ready_at(&cost, now),
            Err(never) => Err(never),
        };
        let ready_at = match ready_at {
            Ok(ready_at) => ready_at,
            Err(never) => {
                self.queue.remove(ticket);
                return Admission::Refused(ticket, never);
            }
        };
        if self.flight_is_full() {
            return Admission::Blocked;
        }
        let admission = match self.allowance {
            None if ready_at <= now => self.grant(ticket, &cost, now),
            None => Admission::NotYet(self.time.out(ready_at)),
            Some(allowance) => self.admit_ahead((ticket, cost), ready_at, allowance, now),
        };
        // What comes back when a request ends comes at no instant.
        if admission == Admission::NotYet(Nanos::MAX) { Admission::Blocked } else { admission }
    }

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
        let requests = reservation.cost.expected().of(Dimension::Requests);
        if actual.of(Dimension::Requests) == 0 {
            self.end(&reservation, &actual.with(Dimension::Requests, requests), now);
        } else {
            self.end(&reservation, actual, now);
        }
    }

    /// Ends a reservation whose request was never sent: all of it comes back.
    pub fn release(&mut self, reservation: Reservation, now: Nanos) {
        let now = self.advance(now);
        self.end(&reservation, &Amounts::ZERO, now);
    }

    /// Ends a reservation whose request was refused for its rate. The request itself counts, its tokens do not.
    ///
    /// Nobody is admitted for the span `retry_after`, at most [`Limit::MAX_WINDOW`]. Where the provider gave none and
    /// the levels known here do not explain the refusal either, the pause is drawn with 64 `random` bits and doubles
    /// with every flight of requests that is refused.
    pub fn refuse(&mut self, reservation: Reservation, retry_after: Option<Nanos>, now: Nanos, random: u64) {
        let now = self.advance(now);
        if reservation.number > self.admissions {
            return;
        }
        self.outage.answered(now);
        self.flight_window.refused(reservation.number, self.admissions);
        self.refusals.refused(reservation.number, self.admissions, now);
        self.end(&reservation, &Amounts::ZERO.with(Dimension::Requests, 1), now);
        let expected = reservation.cost.expected();
        let lacks = |found: &Found| found.ready_at(expected.of(found.dimension()), self.tells, now) > now;
        let pause = match retry_after {
            // A hint of nothing is none.
            Some(span) if span > Nanos::ZERO => span,
            _ if self.paused_until > now || self.heeded(now).any(lacks) => return,
            _ => self.refusals.delay(&self.backoff, random),
        };
        self.hold_back(pause, now);
    }

    /// Ends a reservation whose request failed for a reason that is not its own: no connection, no answer, a server
    /// error. What may have been counted stays counted where the request may have been `sent`. After several failures
    /// in a row one request at a time goes out, after a delay drawn with 64 `random` bits.
    pub fn fail(&mut self, reservation: Reservation, sent: bool, now: Nanos, random: u64) {
        let now = self.advance(now);
        if reservation.number > self.admissions {
            return;
        }
        let waits = self.outage.failed(reservation.admitted_at, now);
        let counted = if sent { *reservation.cost.expected() } else { Amounts::ZERO };
        self.end(&reservation, &counted, now);
        if waits {
            self.asks_at = now.saturating_add(self.outage.delay(&self.backoff, random));
        }
    }

    /// Ends a reservation whose request was abandoned after it may have been sent: all of it stays taken.
    pub fn forfeit(&mut self, reservation: Reservation, now: Nanos) {
        let now = self.advance(now);
        self.end(&reservation, reservation.cost.expected(), now);
    }

    fn end(&mut self, reservation: &Reservation, actual: &Amounts, now: Nanos) {
        if reservation.number > self.admissions {
            return;
        }
        let reserved = reservation.cost.expected();
        self.in_flight = self.in_flight.saturating_sub(1);
        self.flight.remove(reservation.admitted_at, reserved);
        for quota in [&mut self.told, &mut self.held] {
            quota.settle_as(&reservation.taken(), &reservation.cost, actual, now);
        }
        for (index, found) in self.found.iter_mut().enumerate() {
            if !reservation.is_spoken_of(index) {
                found.end(reservation, actual.of(found.dimension()), now);
            }
        }
    }

    /// How long the provider has done nothing but refuse requests for their rate.
    #[must_use]
    pub fn refused_for(&self, now: Nanos) -> Nanos {
        self.refusals.lasting(self.time.peek(now).present())
    }

    /// What is known of the provider's failing.
    #[must_use]
    pub fn outage(&self) -> Outage {
        self.outage.on_clock(|instant| self.time.out(instant))
    }

    /// Admits nobody for `span` from `now`, at most for [`Limit::MAX_WINDOW`]. A pause is never shortened.
    pub fn pause(&mut self, span: Nanos, now: Nanos) {
        let now = self.advance(now);
        self.hold_back(span, now);
    }

    fn hold_back(&mut self, span: Nanos, now: Nanos) {
        self.paused_until = self.paused_until.max(now.saturating_add(span.min(Limit::MAX_WINDOW)));
    }

    /// When nothing holds everybody back any more.
    #[inline]
    fn held_until(&self) -> Nanos {
        if self.outage.is_on() { self.paused_until.max(self.asks_at) } else { self.paused_until }
    }

    #[inline]
    fn advance(&mut self, now: Nanos) -> Nanos {
        match self.time.step(now) {
            Some(present) => present,
            None => self.jump(now),
        }
    }

    /// The caller's clock was set, or is late. The boundaries that the caller gave stay where they are on its clock.
    #[cold]
    fn jump(&mut self, now: Nanos) -> Nanos {
        let before = self.time;
        let present = self.time.jump(now);
        for bucket in self.told.buckets_mut() {
            let limit = self.time.limit_in(before.limit_out(*bucket.limit()));
            if limit != *bucket.limit() {
                bucket.set_limit(limit, present);
                // Which of them were taken in the window that it is now cannot be told.
                bucket.spend_takings();
            }
        }
        present
    }

    /// Whether `cost` fits now and no pause is on: what [`ready_at`](Self::ready_at) says, for less.
    #[inline]
    fn fits(&mut self, cost: &Cost, now: Nanos) -> Result<bool, NeverFits> {
        let mut fits = self.told.has(cost, now)? & self.held.has(cost, now)? && self.held_until() <= now;
        for found in self.heeded(now) {
            let limit = found.bucket().limit();
            NeverFits::check(cost, limit)?;
            fits = fits && found.ready_at(cost.expected().of(limit.dimension()), self.tells, now) <= now;
        }
        Ok(fits)
    }

    /// When `cost` fits and no pause is on.
    fn ready_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        Ok(self.capacity_at(cost, now)?.max(self.held_until()))
    }

    /// When `cost` fits.
    fn capacity_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        let mut ready_at = self.told.ready_at(cost, now)?.max(self.held.ready_at(cost, now)?);
        for found in self.heeded(now) {
            let limit = found.bucket().limit();
            NeverFits::check(cost, limit)?;
            ready_at = ready_at.max(found.ready_at(cost.expected().of(limit.dimension()), self.tells, now));
        }
        Ok(ready_at)
    }

    /// Whether the certain part of `cost` is within every limit.
    fn check(&self, cost: &Cost, now: Nanos) -> Result<(), NeverFits> {
        let found = self.heeded(now).map(|found| found.bucket().limit());
        let buckets = self.told.buckets().iter().chain(self.held.buckets());
        let mut limits = buckets.map(Bucket::limit).chain(found);
        limits.try_for_each(|limit| NeverFits::check(cost, limit))
    }

    /// The found limits that count at `now`.
    fn heeded(&self, now: Nanos) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |found| found.is_heeded(self.tells, now))
    }

    fn grant(&mut self, ticket: Ticket, cost: &Cost, now: Nanos) -> Admission {
        self.queue.remove(ticket);
        Admission::Granted(ticket, self.reserve(cost, now))
    }

    fn reserve(&mut self, cost: &Cost, now: Nanos) -> Reservation {
        self.admissions += 1;
        let taken = Taken { number: self.admissions, at: now };
        self.told.take_as(&taken, cost);
        self.held.take_as(&taken, cost);
        for found in &mut self.found {
            found.take(&taken, cost.expected());
        }
        self.flight.add(now, cost.expected());
        self.in_flight += 1;
        Reservation { number: self.admissions, cost: *cost, admitted_at: now, spoken_of: 0 }
    }

    /// The lane of the queue for `cost`: requests of one size only have to be told apart where some may overtake.
    fn size(&self, cost: &Cost) -> Size {
        if self.allowance.is_some() { Size::of(cost) } else { Size::ANY }
    }

    fn flight_is_full(&self) -> bool {
        let limit = if self.outage.is_on() {
            1
        } else if self.tells || !self.probes {
            // What the provider or the caller says need not be probed.
            u64::MAX
        } else {
            self.flight_window.allowed()
        };
        self.in_flight >= limit
    }
}

/// Whether two limits are for the same thing. How many are in flight has no window.
fn is_same(one: &Limit, other: &Limit) -> bool {
    one.dimension() == other.dimension() && (one.window() == other.window() || one.dimension() == Dimension::Concurrent)
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod adversity;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;
