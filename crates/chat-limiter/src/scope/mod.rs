//! The async queue in front of one set of limits.
//!
//! [`Scope`] wraps the core's [`Limiter`] in a mutex that is never held across an await. Capacity is assigned to the
//! head of the queue: whoever changes anything (a settled permit, an observation, the timer) admits as many as fit and
//! wakes them after unlocking. There is one timer a scope: only the future at the head sleeps, until the instant that
//! the core named; when the head changes, the new one is woken to set its own. A future that is dropped leaves the
//! queue, or gives back what it was granted and did not take.

mod acquire;
mod long_wait;
mod outcome;
mod permit;
mod tickets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use limiter_core::{
    Admission, Amounts, Cost, Limit, Limiter, Nanos, NeverFits, Observation, Priority, Reservation, State, Ticket,
};

use crate::clock::Clock;
use crate::scopes::told::{self, BufferRatio};
use crate::usage::Books;

use long_wait::LongWait;
use tickets::Tickets;

pub(crate) use acquire::Acquire;
pub(crate) use permit::Permit;

/// How long a scope bears with trouble.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The longest wait for capacity or for the end of a pause.
    pub(crate) wait: Nanos,
    /// How long a provider that has answered before may fail.
    pub(crate) outage: Nanos,
    /// How long a provider that never answered may fail.
    pub(crate) silence: Nanos,
}

/// One set of limits and the requests that share it.
#[derive(Debug)]
pub(crate) struct Scope {
    clock: Clock,
    patience: Patience,
    books: Arc<Books>,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    limiter: Limiter,
    waiters: Tickets<Waiter>,
    /// What those were given who were let through and have not looked yet. Apart from the waiters, which are many where
    /// these are few, and are a tenth as large.
    granted: Tickets<Reservation>,
    /// Why others were refused who have not looked yet.
    refused: Tickets<Denied>,
    /// The head of the queue and the instant for which it was told to set its timer.
    armed: Option<(Ticket, Nanos)>,
    /// Why nobody is let through, once the provider has failed for too long.
    down: Option<Arc<str>>,
    closed: bool,
    /// A wait that nobody is willing to make.
    long_wait: Option<LongWait>,
    /// Where limits leave no room for longer than that: from when on one may ask.
    ask_at: Option<Nanos>,
    latest: Latest,
}

/// What happened last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latest {
    /// When a request was let through.
    pub(crate) admitted_at: Option<Nanos>,
    /// When an answer stated limits.
    pub(crate) limits_at: Option<Nanos>,
    /// How many requests in a row were refused for their rate.
    pub(crate) refused_in_a_row: u32,
}

#[derive(Debug)]
struct Waiter {
    group: Arc<str>,
    waker: Option<Waker>,
}

/// Why a request got no permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It is larger than a limit.
    NeverFits(NeverFits),
    /// It would have to wait for longer than the caller is willing to.
    TooLong { wait: Duration },
    /// The provider does not answer; the text says what happened last.
    Down(Arc<str>),
    /// The client was closed.
    Closed,
    /// Its model was found to have limits of its own: ask again.
    Moved,
}

/// Wakers to call when the lock is released.
type WakeList = Vec<Waker>;

impl Scope {
    pub(crate) fn new(limiter: Limiter, clock: Clock, patience: Patience, books: Arc<Books>) -> Self {
        let (granted, refused) = (Tickets::default(), Tickets::default());
        let shared = Shared {
            limiter,
            waiters: Tickets::default(),
            granted,
            refused,
            armed: None,
            down: None,
            closed: false,
            long_wait: None,
            ask_at: None,
            latest: Latest::default(),
        };
        Self { clock, patience, books, shared: Mutex::new(shared) }
    }

    /// Waits in line for `cost`: at the end, or at the front for a request that has waited before.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        group: &Arc<str>,
        cost: Cost,
        priority: Priority,
        at_front: bool,
    ) -> Acquire {
        Acquire::new(Arc::clone(self), Arc::clone(group), cost, priority, at_front)
    }

    /// Takes in an answer to a request that was sent before its model came here from the scope `other`: the levels begin
    /// as it says, less what is in flight there and may be of the same model.
    pub(crate) fn adopt(&self, observation: &Observation, other: &Self) {
        let in_flight = other.lock().limiter.in_flight_amounts();
        self.change(|shared, now| {
            shared.latest.limits_at = Some(now);
            shared.limiter.adopt(observation, &in_flight, now);
        });
    }

    /// Takes in what the provider said without being sent a request.
    pub(crate) fn hear(&self, limits: &Observation) {
        self.change(|shared, now| {
            shared.latest.limits_at = Some(now);
            shared.limiter.adopt(limits, &Amounts::ZERO, now);
        });
    }

    /// A scope for models that leave this one: what they took of the caller's own limits stays taken.
    pub(crate) fn split(&self) -> Self {
        Self::new(Limiter::with_told_of(&self.lock().limiter), self.clock, self.patience, Arc::clone(&self.books))
    }

    /// Brings it from the caller's limits `before` to those `after`, and uses so much of the provider's. Who fits now goes.
    pub(crate) fn retell(&self, before: &[Limit], after: &[Limit], ratio: BufferRatio) {
        self.change(|shared, now| told::change(&mut shared.limiter, before, after, ratio, now));
    }

    /// Lets nobody through any more; what is in flight goes on.
    pub(crate) fn close(&self) {
        self.change(|shared, _| {
            shared.closed = true;
            shared.deny_all(&Denied::Closed)
        });
    }

    /// The state for display.
    pub(crate) fn state(&self) -> State {
        self.lock().limiter.state(self.clock.now())
    }

    /// Counts refusals in a row from zero again.
    pub(crate) fn reset_refused(&self) {
        self.lock().latest.refused_in_a_row = 0;
    }

    /// What happened last.
    pub(crate) fn latest(&self) -> Latest {
        self.lock().latest
    }

    /// Sends the waiting requests of `group` back to ask for their scope again.
    pub(crate) fn evict(&self, group: &str) {
        self.change(|shared, _| {
            let mut tickets: Vec<_> = shared
                .waiters
                .iter()
                .filter(|(_, waiter)| &*waiter.group == group)
                .map(|(ticket, _)| *ticket)
                .collect();
            // In the order in which they wait.
            tickets.sort_unstable();
            let mut wake = WakeList::new();
            for ticket in tickets {
                // One that was granted already goes with what it has.
                if shared.limiter.cancel(ticket) {
                    wake.extend(shared.decide(ticket, Err(Denied::Moved)));
                }
            }
            wake
        });
    }

    /// Changes something under the lock, lets everybody go who can, and wakes them after unlocking.
    fn change<R: Woken>(&self, change: impl FnOnce(&mut Shared, Nanos) -> R) -> R::Rest {
        let mut shared = self.lock();
        // Read under the lock: the core's time does not go backwards.
        let now = self.clock.now();
        let (mut wake, rest) = change(&mut shared, now).split();
        wake.extend(shared.admit(now, &self.patience));
        drop(shared);
        for waker in wake {
            waker.wake();
        }
        self.books.ring();
        rest
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // No call under this lock panics; if one did, the books are still as good as they were.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Admits from the head as long as it fits.
    fn admit(&mut self, now: Nanos, patience: &Patience) -> WakeList {
        let mut wake = WakeList::new();
        loop {
            match self.limiter.admit(now) {
                Admission::Granted(ticket, reservation) => {
                    self.latest.admitted_at = Some(now);
                    self.ask_at = None;
                    wake.extend(self.decide(ticket, Ok(reservation)));
                }
                Admission::Refused(ticket, never) => wake.extend(self.decide(ticket, Err(Denied::NeverFits(never)))),
                Admission::NotYet(at) => {
                    let Some(head) = self.limiter.head() else { break };
                    let wait = at.saturating_sub(now);
                    if wait > patience.wait {
                        let (ticket, outcome) = self.ask_or_deny(head, wait, patience, now);
                        wake.extend(self.decide(ticket, outcome));
                        continue;
                    }
                    if self.armed != Some((head, at)) {
                        self.armed = Some((head, at));
                        wake.extend(self.waiters.get_mut(&head).and_then(|waiter| waiter.waker.take()));
                    }
                    break;
                }
                Admission::Blocked | Admission::Idle => {
                    self.armed = None;
                    break;
                }
            }
        }
        wake
    }
}

/// What a change under the lock hands out: wakers, and perhaps something for the caller.
trait Woken {
    type Rest;
    fn split(self) -> (WakeList, Self::Rest);
}

impl Woken for () {
    type Rest = ();
    fn split(self) -> (WakeList, ()) {
        (WakeList::new(), ())
    }
}

impl Woken for WakeList {
    type Rest = ();
    fn split(self) -> (WakeList, ()) {
        (self, ())
    }
}

impl<T> Woken for (WakeList, T) {
    type Rest = T;
    fn split(self) -> (WakeList, T) {
        self
    }
}

#[cfg(test)]
mod tests;
