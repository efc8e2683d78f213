//! Who may go: the queue, and whether a cost fits.

use super::Limiter;
use super::found::{Books, Found};
use crate::learn::Spacing;
use crate::queue::Size;
use crate::{Bucket, Cost, Nanos, NeverFits, Priority, Refill, Refusal, Reservation, Taken, Ticket};

/// The answer to "who may go now?".
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each admission")]
pub enum Admission {
    /// This request may go.
    Granted(Ticket, Reservation),
    /// This request can never go: it left the queue.
    Refused(Ticket, NeverFits),
    /// Nobody fits before this instant, unless something changes.
    NotYet(Nanos),
    /// Who is next waits for a request in flight to end: too many are, for a limit on their number,
    /// [as far as it was felt out](Limiter::set_probing), or during an outage.
    Blocked,
    /// Nobody waits.
    Idle,
}

impl Limiter {
    /// Reserves `cost` at once, if nobody waits and it fits now.
    ///
    /// # Errors
    ///
    /// [`Refusal::NeverFits`]; or [`Refusal::NotYet`] with the instant at which it fits, which is [`Nanos::MAX`] where
    /// that depends on requests in flight (their number [grows with the answers](Self::set_probing), and is one during
    /// an outage) or waiting.
    pub fn try_reserve(&mut self, cost: &Cost, now: Nanos) -> Result<Reservation, Refusal> {
        let now = self.advance(now);
        let fits = self.fits(cost, now)?;
        if self.queue.waiting() > 0 || self.flight_is_full(now) {
            return Err(Refusal::NotYet { ready_at: Nanos::MAX });
        }
        if !fits {
            return Err(Refusal::NotYet { ready_at: self.time.out(self.ready_at(cost, now)?) });
        }
        Ok(self.reserve(cost, now))
    }

    /// Who is next in turn, if anybody waits.
    ///
    /// In an [outage](crate#outages) it is who should ask whether it is over.
    #[must_use]
    pub fn head(&self) -> Option<Ticket> {
        self.next().map(|(ticket, _)| ticket)
    }

    #[inline]
    fn next(&self) -> Option<(Ticket, &Cost)> {
        if self.outage.is_on() { self.queue.asker() } else { self.queue.head() }
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
    /// and has to go again. While an outage is on others go first: see [`head`](Self::head).
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
        let Some((ticket, cost)) = self.next() else { return Admission::Idle };
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
        if self.flight_is_full(now) {
            return match self.flight_window.ready_at(self.in_flight).filter(|at| *at > now) {
                Some(trial_at) if ready_at < Nanos::MAX => Admission::NotYet(self.time.out(ready_at.max(trial_at))),
                _ => Admission::Blocked,
            };
        }
        let asks_at = if ready_at > now { self.asks_at(&cost, ready_at, now) } else { Nanos::MAX };
        if ready_at <= now && self.is_held_to_ask(&cost, now) {
            return Admission::Blocked;
        }
        if asks_at <= now || ready_at <= now && self.has_to_ask(&cost, now) {
            return self.grant_to_ask(ticket, &cost, now);
        }
        // Who asks in an outage is chosen already.
        let admission = match self.allowance.filter(|_| !self.outage.is_on()) {
            None if ready_at <= now => self.grant(ticket, &cost, now),
            None => Admission::NotYet(self.time.out(ready_at)),
            Some(allowance) => self.admit_ahead((ticket, cost), ready_at, allowance, now),
        };
        match admission {
            Admission::NotYet(at) if asks_at < Nanos::MAX => Admission::NotYet(at.min(self.time.out(asks_at))),
            // What comes back when a request ends comes at no instant.
            Admission::NotYet(Nanos::MAX) => Admission::Blocked,
            admission => admission,
        }
    }

    /// Admits the next request in the queue although what the answers told leaves no room for it: to ask whether that still
    /// holds. Only the caller's own limits, and the provider's on requests in flight, have to have room now. For waits that
    /// are longer than anybody makes: what is said of hours is not always true.
    pub fn admit_to_ask(&mut self, now: Nanos) -> Option<(Ticket, Reservation)> {
        let now = self.advance(now);
        let (ticket, cost) = self.next().map(|(ticket, cost)| (ticket, *cost))?;
        let has_room = self.told.ready_at(&cost, now).ok()? <= now && self.held.ready_at(&cost, now).ok()? <= now;
        self.check(&cost, now).ok().filter(|()| has_room)?;
        self.queue.remove(ticket);
        Some((ticket, self.reserve(&cost, now)))
    }

    /// Whether `cost` fits now and no pause is on: what [`ready_at`](Self::ready_at) says, for less.
    #[inline]
    pub(super) fn fits(&mut self, cost: &Cost, now: Nanos) -> Result<bool, NeverFits> {
        let mut fits = self.told.has(cost, now)? & self.held.has(cost, now)? && self.held_until() <= now;
        let asks = self.outage.is_on();
        fits = fits && (asks || self.felt_at(cost, now) <= now);
        for found in self.heeded(now) {
            found.check(cost)?;
            fits = fits && (asks || found.ready_at(cost, self.yields.parts(), self.tells, now) <= now);
        }
        Ok(fits)
    }

    /// When `cost` fits and no pause is on.
    pub(super) fn ready_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        Ok(self.capacity_at(cost, now)?.max(self.held_until()))
    }

    /// When `cost` fits.
    ///
    /// Whoever asks whether an outage is over need not fit into limits that were found or felt out. What is left of them
    /// is not known: who can say what was counted of the requests that failed? The answer says it, and where it is a
    /// refusal, it was one.
    pub(super) fn capacity_at(&self, cost: &Cost, now: Nanos) -> Result<Nanos, NeverFits> {
        let asks = self.outage.is_on();
        let mut ready_at = self.told.ready_at(cost, now)?.max(self.held.ready_at(cost, now)?);
        if !asks {
            ready_at = ready_at.max(self.felt_at(cost, now));
        }
        for found in self.heeded(now) {
            found.check(cost)?;
            if !asks {
                ready_at = ready_at.max(found.ready_at(cost, self.yields.parts(), self.tells, now));
            }
        }
        Ok(ready_at)
    }

    /// When `cost` may go by what was felt out, where nothing is told.
    pub(super) fn felt_at(&self, cost: &Cost, now: Nanos) -> Nanos {
        if !self.probes {
            return now;
        }
        let spaced = self.is_searching(now) || self.flight_window.is_tried();
        let spaced = if spaced { self.spacing.next() } else { now };
        self.pace.ready_at(cost.expected(), now).max(spaced)
    }

    /// Whether nothing is known of the provider's limits, and nothing was told that may be near them.
    fn is_searching(&self, now: Nanos) -> bool {
        let is_told = || self.told.buckets().iter().any(|bucket| bucket.limit().refill() != Refill::OnRelease);
        self.probes && !self.tells && !self.pace.is_on() && self.heeded(now).next().is_none() && !is_told()
    }

    /// Whether the certain part of `cost` is within every limit.
    pub(super) fn check(&self, cost: &Cost, now: Nanos) -> Result<(), NeverFits> {
        let mut limits = self.told.buckets().iter().chain(self.held.buckets()).map(Bucket::limit);
        limits.try_for_each(|limit| NeverFits::check(cost, limit))?;
        self.heeded(now).try_for_each(|found| found.check(cost))
    }

    /// The found limits that count at `now`.
    pub(super) fn heeded(&self, now: Nanos) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |found| found.is_heeded(self.tells, now))
    }

    pub(super) fn grant(&mut self, ticket: Ticket, cost: &Cost, now: Nanos) -> Admission {
        self.queue.remove(ticket);
        Admission::Granted(ticket, self.reserve(cost, now))
    }

    pub(super) fn reserve(&mut self, cost: &Cost, now: Nanos) -> Reservation {
        self.admissions += 1;
        let taken = Taken { number: self.admissions, at: now };
        self.told.take_as(&taken, cost);
        self.held.take_as(&taken, cost);
        let (mut charged, mut returned) = ([0; Reservation::REMEMBERED], [0; Reservation::REMEMBERED]);
        let yields = self.yields.parts();
        for (index, found) in self.found.iter_mut().enumerate() {
            let books = Books { ledger: &self.ledger, yields, admissions: self.admissions, tells: self.tells };
            let amount = found.take(&taken, cost.expected(), &books);
            if let (Some(charged), Some(returned)) = (charged.get_mut(index), returned.get_mut(index)) {
                (*charged, *returned) = (amount, found.returned(now));
            }
        }
        self.flight.add(now, cost.expected(), &self.ledger);
        self.ledger.admit(cost.expected());
        self.pace.take(&taken, cost.expected());
        self.spacing.sent(now);
        self.refusals.admitted();
        self.in_flight += 1;
        self.flight_window.admitted(self.in_flight, now);
        let (ledger, beside) = (self.ledger, self.in_flight);
        Reservation {
            number: self.admissions,
            cost: *cost,
            admitted_at: now,
            ledger,
            charged,
            returned,
            spoken_of: 0,
            beside,
            lacks: [false; 2],
        }
    }

    /// The lane of the queue for `cost`: requests of one size only have to be told apart where some may overtake.
    pub(super) fn size(&self, cost: &Cost) -> Size {
        if self.allowance.is_some() { Size::of(cost) } else { Size::ANY }
    }

    pub(super) fn flight_is_full(&self, now: Nanos) -> bool {
        if self.probes && self.refusals.is_asking() {
            return true;
        }
        let limit = if self.outage.is_on() {
            1
        } else if self.probes {
            self.flight_window.allowed(self.is_searching(now).then_some(Spacing::IN_FLIGHT), now)
        } else {
            u64::MAX
        };
        self.in_flight >= limit
    }
}
