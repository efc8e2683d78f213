//! A limiter and what is known of it, side by side: every answer is compared with what it should be.
//!
//! What is known is written down in the plainest way: one [`History`] for each limit, a list of who waits, a list of
//! what is in flight, and a clock that never ends. Nothing is asked of the limiter but what a test then compares, with
//! two exceptions: how long a pause is that was drawn at random, and whether an outage is on.

use std::collections::HashSet;

use limiter_core::{
    Admission, Amounts, Cost, Dimension, Limit, Limiter, Nanos, NeverFits, Priority, Refill, Refusal, Reservation,
    Ticket,
};
use proptest::prelude::*;

use crate::oracle::{Entered, History, Instant, MARKS, instant};

type Checked<T = ()> = Result<T, TestCaseError>;

/// The limiter under test and everything that happened to it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) limiter: Limiter,
    pub(crate) clock: Clock,
    pub(crate) books: Vec<Book>,
    pub(crate) live: Vec<Live>,
    pub(crate) waiting: Vec<Waiter>,
    /// When something fits that was told to wait, on the caller's clock.
    pub(crate) ready: Nanos,
    paused_until: Instant,
    /// When the next one may ask whether an outage is over.
    asks_at: Instant,
    ageing: Nanos,
    tickets: HashSet<Ticket>,
    booked: usize,
}

/// The caller's clock as it should be understood. A little late is as late as the latest, and far back was set back. Of
/// a jump by months as much is believed as fills everything up, and nothing where the clock was set back lately.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What it read at last.
    pub(crate) reading: Nanos,
    /// Which instant that was.
    pub(crate) now: Instant,
    distrusted_until: Instant,
}

/// One limit that the caller set.
#[derive(Debug)]
pub(crate) struct Book {
    /// No two books have the same.
    id: usize,
    /// As it was set first.
    pub(crate) original: Limit,
    history: History,
    /// How much of what should have come back may have been kept, in units.
    kept: i64,
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) reservation: Reservation,
    pub(crate) cost: Cost,
    entered: Vec<(usize, Entered)>,
}

/// A request in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) ticket: Ticket,
    pub(crate) cost: Cost,
    priority: Priority,
    since: Instant,
    /// Whether it was admitted before.
    again: bool,
    /// What overtook it, and what went in its turn while it waited, in the time that comes back in.
    pub(crate) overtaken: u128,
    pub(crate) in_turn: u128,
}

/// How a reservation ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// With so many 64ths of what was reserved.
    Settle(u64, u64),
    Release,
    Refuse(Option<Nanos>, u64),
    Fail(bool, u64),
    Forfeit,
}

impl Clock {
    fn read(&mut self, reading: Nanos) {
        let longest = instant(Limit::MAX_WINDOW);
        let step = instant(reading) - instant(self.reading);
        if (-instant(Nanos::MINUTE)..0).contains(&step) {
            return;
        }
        self.reading = reading;
        if (0..=2 * longest).contains(&step) {
            self.now += step;
        } else if step < 0 {
            self.distrusted_until = self.now + longest;
        } else if self.now >= self.distrusted_until {
            self.now += longest;
        }
    }

    /// The instant at which it will read `reading`, which is not before now.
    pub(crate) fn instant(&self, reading: Nanos) -> Instant {
        self.now + instant(reading) - instant(self.reading)
    }

    /// A limit whose boundaries are on the caller's clock, on this one; or back again, with `back`.
    fn limit(&self, limit: Limit, back: bool) -> Limit {
        let Refill::AtBoundary { phase } = limit.refill() else { return limit };
        let ahead = self.now - instant(self.reading);
        let phase = i128::from(phase.get()) + if back { -ahead } else { ahead };
        let phase = phase.rem_euclid(limit.window().get().into());
        limit.with_refill(Refill::AtBoundary { phase: Nanos::new(phase.try_into().unwrap()) })
    }
}

impl World {
    /// A limiter with these limits, set when the clock reads `start`. It does not feel its way: these are all there are.
    pub(crate) fn new(limits: &[Limit], ageing: Nanos, start: Nanos) -> Self {
        let mut limiter = Limiter::new();
        limiter.set_ageing(ageing);
        limiter.set_probing(false);
        let mut world = Self {
            limiter,
            clock: Clock { reading: start, now: instant(start), distrusted_until: 0 },
            books: Vec::new(),
            live: Vec::new(),
            waiting: Vec::new(),
            ready: start,
            paused_until: 0,
            asks_at: 0,
            ageing,
            tickets: HashSet::new(),
            booked: 0,
        };
        for limit in limits {
            world.set_limit(*limit, start);
        }
        world
    }

    /// The caller's clock is read.
    fn read(&mut self, reading: Nanos) {
        let before = self.clock;
        self.clock.read(reading);
        let passed = self.clock.now - before.now;
        if passed == instant(self.clock.reading) - instant(before.reading) {
            return;
        }
        for book in &mut self.books {
            let limit = self.clock.limit(before.limit(*book.history.limit(), true), false);
            if let Refill::AtBoundary { phase } = limit.refill() {
                book.history.turn_at(phase, self.clock.now);
                // Across a clock that was set nothing comes back.
                book.kept = i64::MAX / 2;
            }
        }
    }

    /// Sets a limit that was not set before, or sets one to another amount.
    pub(crate) fn set_limit(&mut self, limit: Limit, reading: Nanos) {
        self.read(reading);
        self.limiter.set_limit(limit, reading);
        let concurrent = limit.dimension() == Dimension::Concurrent;
        let same = |book: &&mut Book| {
            book.original.dimension() == limit.dimension() && (concurrent || book.original.window() == limit.window())
        };
        if let Some(book) = self.books.iter_mut().find(same) {
            book.history.change(self.clock.limit(limit, false), self.clock.now);
            return;
        }
        let id = self.booked;
        self.booked += 1;
        let mut history = History::new(self.clock.limit(limit, false));
        if concurrent {
            // What is in flight is in flight.
            for live in &mut self.live {
                let entered = history.take(live.cost.expected().of(Dimension::Concurrent), self.clock.now);
                live.entered.push((id, entered));
            }
        }
        self.books.push(Book { id, original: limit, history, kept: 0 });
    }

    /// Sets a limit to `quarters` of its first amount and burst.
    pub(crate) fn scale_limit(&mut self, which: usize, quarters: u64, reading: Nanos) {
        if which >= self.books.len() {
            return;
        }
        self.read(reading);
        let book = &self.books[which];
        let known = book.original;
        let scaled = |units: u64| (u128::from(units) * u128::from(quarters) / 4).try_into().unwrap_or(u64::MAX);
        let phase = self.clock.limit(*book.history.limit(), true).refill();
        let limit = Limit::new(known.dimension(), scaled(known.amount()), known.window());
        self.set_limit(limit.with_burst(scaled(known.burst())).with_refill(phase), reading);
    }

    pub(crate) fn remove_limit(&mut self, which: usize) -> Checked {
        if which >= self.books.len() {
            return Ok(());
        }
        let book = self.books.remove(which);
        let (dimension, window) = (book.original.dimension(), book.original.window());
        prop_assert!(self.limiter.remove_limit(dimension, window));
        prop_assert!(!self.limiter.remove_limit(dimension, window));
        Ok(())
    }

    pub(crate) fn try_reserve(&mut self, cost: &Cost, reading: Nanos) -> Checked<bool> {
        self.read(reading);
        match self.limiter.try_reserve(cost, reading) {
            Ok(reservation) => {
                prop_assert_eq!(self.never(cost), None);
                prop_assert!(self.waiting.is_empty() && !self.is_probing());
                self.admitted(reservation, cost)?;
                return Ok(true);
            }
            Err(Refusal::NeverFits(never)) => prop_assert_eq!(Some(never), self.never(cost)),
            Err(Refusal::NotYet { ready_at }) => {
                prop_assert_eq!(self.never(cost), None);
                if self.waiting.is_empty() && !self.is_probing() {
                    self.must_wait(cost, ready_at)?;
                } else {
                    prop_assert_eq!(ready_at, Nanos::MAX);
                }
            }
        }
        Ok(false)
    }

    pub(crate) fn enqueue(&mut self, cost: &Cost, priority: Priority, front: bool, reading: Nanos) -> Checked {
        self.read(reading);
        let answer = if front {
            self.limiter.enqueue_front(cost, priority, reading)
        } else {
            self.limiter.enqueue(cost, priority, reading)
        };
        prop_assert_eq!(answer.err(), self.never(cost));
        if let Ok(ticket) = answer {
            prop_assert!(self.tickets.insert(ticket), "{ticket:?} was given out before");
            let since = self.clock.now;
            self.waiting.push(Waiter { ticket, cost: *cost, priority, since, again: front, overtaken: 0, in_turn: 0 });
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, which: usize) -> Checked {
        if which < self.waiting.len() {
            let waiter = self.waiting.remove(which);
            prop_assert!(self.limiter.cancel(waiter.ticket));
        }
        // A ticket that no longer waits does nothing, ever.
        let waits: HashSet<Ticket> = self.waiting.iter().map(|waiter| waiter.ticket).collect();
        for ticket in self.tickets.difference(&waits) {
            prop_assert!(!self.limiter.cancel(*ticket));
        }
        Ok(())
    }

    /// When somebody is due; of two at once the one of the higher priority, and then the older one. Those who were
    /// admitted before are due before all others, in an outage after all others.
    fn due(&self, waiter: &Waiter) -> (Instant, i128, Ticket) {
        if waiter.again {
            return (if self.limiter.outage().is_on() { i128::MAX } else { i128::MIN }, 0, waiter.ticket);
        }
        let below = i128::from(Priority::HIGHEST.level() - waiter.priority.level());
        (waiter.since + below * instant(self.ageing), below, waiter.ticket)
    }

    /// Who is due first.
    pub(crate) fn head(&self) -> Option<usize> {
        let waiting = self.waiting.iter().enumerate();
        waiting.min_by_key(|(_, waiter)| self.due(waiter)).map(|(index, _)| index)
    }

    /// Lets the next one go, in turn or, where others may overtake by as much as `bound`, one of them. Whether anybody
    /// went or was refused.
    pub(crate) fn admit(&mut self, bound: Option<Nanos>, reading: Nanos) -> Checked<bool> {
        self.read(reading);
        let head = self.head().map(|index| (index, self.waiting[index].clone()));
        let answer = self.limiter.admit(reading);
        let Some((index, head)) = head else {
            prop_assert_eq!(answer, Admission::Idle);
            return Ok(false);
        };
        if let Some(never) = self.never(&head.cost) {
            prop_assert_eq!(answer, Admission::Refused(head.ticket, never));
            self.waiting.remove(index);
            return Ok(true);
        }
        if self.is_probing() {
            prop_assert_eq!(answer, Admission::Blocked);
            return Ok(false);
        }
        match answer {
            Admission::Granted(ticket, reservation) => {
                let index = self.waiting.iter().position(|waiter| waiter.ticket == ticket);
                prop_assert!(index.is_some(), "{ticket:?} does not wait");
                let waiter = self.waiting.remove(index.unwrap_or(0));
                self.admitted(reservation, &waiter.cost)?;
                self.count_overtaking(&waiter, ticket == head.ticket, bound)?;
                return Ok(true);
            }
            Admission::NotYet(ready_at) => {
                prop_assert!(ready_at < Nanos::MAX);
                if bound.is_none() || !self.may_overtake_at(ready_at) {
                    self.must_wait(&head.cost, ready_at)?;
                }
                self.ready = ready_at;
            }
            Admission::Blocked => self.must_wait(&head.cost, Nanos::MAX)?,
            answer => prop_assert!(false, "{:?}", answer),
        }
        Ok(false)
    }

    /// Somebody went, `in_turn` or before others. Where nobody may, nobody did; otherwise those who did stay within the
    /// bound and what went in turn meanwhile, as everybody sees it whom they overtook.
    fn count_overtaking(&mut self, went: &Waiter, in_turn: bool, bound: Option<Nanos>) -> Checked {
        let time = self.refill_time(&went.cost);
        if in_turn {
            self.waiting.iter_mut().for_each(|waiter| waiter.in_turn += time);
            return Ok(());
        }
        let Some(bound) = bound else { return Err(TestCaseError::fail("somebody overtook where nobody may")) };
        let due = self.due(went);
        let before: Vec<usize> =
            (0..self.waiting.len()).filter(|index| self.due(&self.waiting[*index]) < due).collect();
        for index in before {
            let waiter = &mut self.waiting[index];
            waiter.overtaken += time;
            prop_assert!(waiter.overtaken <= u128::from(bound.get()) + waiter.in_turn, "{waiter:?} was overtaken");
            let kind = |waiter: &Waiter| (waiter.again, waiter.priority, waiter.cost);
            prop_assert!(kind(waiter) != kind(went), "{waiter:?} was overtaken by {went:?}");
        }
        Ok(())
    }

    /// The time in which what `cost` takes comes back, in nanoseconds.
    fn refill_time(&self, cost: &Cost) -> u128 {
        let limits = self.books.iter().map(|book| book.history.limit());
        let spans = limits.filter(|limit| limit.refill() != Refill::OnRelease).map(|limit| {
            let amount = u128::from(cost.expected().of(limit.dimension()));
            amount * u128::from(limit.window().get()) / u128::from(limit.amount())
        });
        spans.fold(1, u128::max)
    }

    /// Whether anybody fits at `ready_at` who is not due first, and nobody one nanosecond earlier.
    fn may_overtake_at(&self, ready_at: Nanos) -> bool {
        let before = ready_at.saturating_sub(Nanos::new(1));
        let head = self.head();
        let others = self.waiting.iter().enumerate().filter(|(index, _)| Some(*index) != head);
        others.into_iter().any(|(_, waiter)| {
            self.all_fit(&waiter.cost, self.clock.instant(ready_at))
                && self.shown_to_fit(&waiter.cost, ready_at)
                && !self.shown_to_fit(&waiter.cost, before)
        })
    }

    pub(crate) fn end(&mut self, which: usize, end: End, reading: Nanos) -> Checked {
        if which >= self.live.len() {
            return Ok(());
        }
        self.read(reading);
        let Live { reservation, cost, entered } = self.live.swap_remove(which);
        let now = self.clock.now;
        let actual = match end {
            End::Settle(input, output) => {
                let part = |dimension, part: u64| {
                    let reserved = cost.expected().of(dimension);
                    (u128::from(reserved) * u128::from(part) / 64).try_into().unwrap_or(u64::MAX)
                };
                let (input, output) = (part(Dimension::InputTokens, input), part(Dimension::OutputTokens, output));
                let actual = *Cost::of_request(input, output).expected();
                self.limiter.settle(reservation, &actual, reading);
                actual
            }
            End::Release => {
                self.limiter.release(reservation, reading);
                Amounts::ZERO
            }
            End::Refuse(retry_after, random) => {
                self.limiter.refuse(reservation, retry_after, reading, random);
                Amounts::ZERO.with(Dimension::Requests, 1)
            }
            End::Fail(sent, random) => {
                self.limiter.fail(reservation, sent, reading, random);
                if sent { *cost.expected() } else { Amounts::ZERO }
            }
            End::Forfeit => {
                self.limiter.forfeit(reservation, reading);
                *cost.expected()
            }
        };
        for (id, entered) in entered {
            let Some(book) = self.books.iter_mut().find(|book| book.id == id) else { continue };
            let dimension = book.original.dimension();
            book.history.settle(entered, actual.of(dimension), now);
            let comes_back = actual.of(dimension) < cost.expected().of(dimension);
            if comes_back && book.original.refill() == Refill::Continuous && book.history.entries() > MARKS {
                let most = book.original.burst().max(book.history.limit().burst());
                book.kept += (most / 8).cast_signed() + 1;
            }
        }
        // A pause is as long as it was asked for, and never shortened; one that is drawn is a minute at most.
        let shown = self.limiter.state(reading).paused_until.map_or(now, |until| self.clock.instant(until));
        let drawn = now + instant(Nanos::MINUTE);
        match end {
            End::Refuse(Some(span), _) if span > Nanos::ZERO => self.pause_for(span),
            End::Refuse(..) => {
                prop_assert!((self.paused_until.max(now)..=self.paused_until.max(drawn)).contains(&shown));
                self.paused_until = shown;
            }
            End::Fail(..) if self.limiter.outage().is_on() => {
                let known = self.paused_until.max(now);
                prop_assert!((known..=known.max(self.asks_at).max(drawn)).contains(&shown));
                self.asks_at = shown;
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn pause(&mut self, span: Nanos, reading: Nanos) {
        self.read(reading);
        self.limiter.pause(span, reading);
        self.pause_for(span);
    }

    fn pause_for(&mut self, span: Nanos) {
        self.paused_until = self.paused_until.max(self.clock.now + instant(span.min(Limit::MAX_WINDOW)));
    }

    /// When nothing holds everybody back any more.
    fn held_until(&self) -> Instant {
        if self.limiter.outage().is_on() { self.paused_until.max(self.asks_at) } else { self.paused_until }
    }

    /// Compares everything that can be seen.
    pub(crate) fn check(&self) -> Checked {
        let reading = self.clock.reading;
        let state = self.limiter.state(reading);
        prop_assert_eq!(state.in_flight, self.live.len() as u64);
        prop_assert_eq!(state.waiting, self.waiting.len());
        prop_assert_eq!(self.limiter.waiters().count(), self.waiting.len());
        let sum = |mut sum: Amounts, cost: &Cost| {
            sum.add(cost.expected());
            sum
        };
        let in_flight = self.live.iter().map(|live| &live.cost).fold(Amounts::ZERO, sum);
        prop_assert_eq!(self.limiter.in_flight_amounts(), in_flight);
        let waiting = self.waiting.iter().map(|waiter| &waiter.cost).fold(Amounts::ZERO, sum);
        prop_assert_eq!(state.waiting_amounts, waiting);
        prop_assert_eq!(self.limiter.head(), self.head().map(|index| self.waiting[index].ticket));
        let held_until = Some(self.held_until()).filter(|until| *until > self.clock.now);
        prop_assert_eq!(state.paused_until.map(|until| self.clock.instant(until)), held_until);

        prop_assert_eq!(state.limits.len(), self.books.len());
        for (shown, book) in state.limits.iter().zip(&self.books) {
            let limit = book.history.limit();
            prop_assert_eq!(shown.limit.dimension(), limit.dimension());
            prop_assert_eq!((shown.limit.amount(), shown.limit.burst()), (limit.amount(), limit.burst()));
            prop_assert_eq!(shown.in_flight, in_flight.of(limit.dimension()));
            let expected = book.history.level(self.clock.now);
            prop_assert!(
                shown.level <= expected || book.kept > i64::MAX / 4,
                "{} of {expected} in {limit:?}",
                shown.level
            );
            prop_assert!(
                shown.level >= expected.saturating_sub(book.kept),
                "{} of {expected} in {limit:?}",
                shown.level
            );
            prop_assert!(shown.full_at == Nanos::MAX || shown.full_at.saturating_sub(reading) <= Limit::MAX_WINDOW);
        }
        Ok(())
    }

    fn never(&self, cost: &Cost) -> Option<NeverFits> {
        let limits = || self.books.iter().map(|book| book.history.limit());
        let too_small = limits().find(|limit| cost.certain().of(limit.dimension()) > limit.burst())?;
        let dimension = too_small.dimension();
        Some(NeverFits { dimension, needed: cost.certain().of(dimension), capacity: too_small.burst() })
    }

    /// In an outage one request at a time asks.
    fn is_probing(&self) -> bool {
        self.limiter.outage().is_on() && !self.live.is_empty()
    }

    fn all_fit(&self, cost: &Cost, at: Instant) -> bool {
        let fits = |book: &Book| {
            let amount = cost.expected().of(book.original.dimension());
            amount == 0 || book.history.fits(amount, at)
        };
        at >= self.held_until() && self.books.iter().all(fits)
    }

    /// Whether the levels that the limiter shows for `reading` allow for `cost`.
    fn shown_to_fit(&self, cost: &Cost, reading: Nanos) -> bool {
        let state = self.limiter.state(reading);
        let fits = |limit: &Limit, level: i64| {
            let amount = cost.expected().of(limit.dimension());
            amount == 0 || level >= amount.min(limit.burst()).cast_signed()
        };
        state.paused_until.is_none() && state.limits.iter().all(|shown| fits(&shown.limit, shown.level))
    }

    /// `cost` was not admitted, and fits at `ready_at`: never too early, and not a nanosecond too late.
    fn must_wait(&mut self, cost: &Cost, ready_at: Nanos) -> Checked {
        let exact = self.books.iter().all(|book| book.kept == 0);
        prop_assert!(!exact || !self.all_fit(cost, self.clock.now), "it fits now");
        if ready_at == Nanos::MAX {
            let held = |book: &Book| {
                let amount = cost.expected().of(book.original.dimension());
                book.original.refill() == Refill::OnRelease && amount > 0 && !book.history.fits(amount, self.clock.now)
            };
            prop_assert!(self.books.iter().any(held), "nothing in flight is waited for");
            self.ready = self.clock.reading;
            return Ok(());
        }
        let at = self.clock.instant(ready_at);
        prop_assert!(at > self.clock.now && at - self.clock.now <= i128::from(Limit::MAX_WINDOW.get()));
        prop_assert!(self.all_fit(cost, at), "it does not fit at {ready_at:?}");
        prop_assert!(!exact || !self.all_fit(cost, at - 1), "it fits before {ready_at:?}");
        prop_assert!(self.shown_to_fit(cost, ready_at), "it is not shown to fit at {ready_at:?}");
        let before = ready_at.saturating_sub(Nanos::new(1));
        prop_assert!(!self.shown_to_fit(cost, before), "it is shown to fit before {ready_at:?}");
        self.ready = ready_at;
        Ok(())
    }

    fn admitted(&mut self, reservation: Reservation, cost: &Cost) -> Checked {
        prop_assert!(self.all_fit(cost, self.clock.now), "it does not fit now");
        prop_assert_eq!(reservation.cost(), cost);
        let now = self.clock.now;
        let entered = self
            .books
            .iter_mut()
            .map(|book| (book.id, book.history.take(cost.expected().of(book.original.dimension()), now)));
        let entered = entered.collect();
        for book in &mut self.books {
            // So many moments a sliding window remembers; with more of them something comes back late.
            if book.original.refill() == Refill::Sliding && book.history.entries() > 32 {
                book.kept = i64::MAX / 2;
            }
        }
        self.live.push(Live { reservation, cost: *cost, entered });
        Ok(())
    }
}
