//! The state machine of one scope: limits, what is in flight, who waits, and what the provider says.

mod admit;
mod asking;
mod end;
mod found;
mod limits;
mod meters;
mod observe;
mod order;
mod packing;
mod state;

use alloc::vec::Vec;

use crate::flight::Flight;
use crate::learn::{Chance, FlightWindow, Guard, Ledger, Pace, Refusals, Spacing, Yield};
use crate::queue::Queue;
use crate::share::Shares;
use crate::timeline::Timeline;
use crate::{Backoff, Bucket, Limit, Nanos, Outage, Quota};

use found::Found;
use order::Allowance;

pub use admit::Admission;
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
    flight: Flight<Ledger>,
    flight_window: FlightWindow,
    spacing: Spacing,
    ledger: Ledger,
    yields: Yield,
    pace: Pace,
    refusals: Refusals,
    guard: Guard,
    chance: Chance,
    outage: Outage,
    queue: Queue,
    /// What may overtake in the queue, where anything may.
    allowance: Option<Allowance>,
    backoff: Backoff,
    /// How much of the provider's limits to use.
    shares: Shares,
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
            spacing: Spacing::new(),
            ledger: Ledger::new(),
            yields: Yield::new(),
            pace: Pace::new(),
            outage: Outage::new(),
            refusals: Refusals::new(),
            guard: Guard::new(),
            chance: Chance::new(),
            backoff: Backoff { base: Nanos::SECOND, ceiling: Nanos::MINUTE },
            shares: Shares::whole(),
            queue: Queue::new(),
            allowance: None,
            paused_until: Nanos::ZERO,
            asks_at: Nanos::ZERO,
            admissions: 0,
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

    /// Ends the pause that is on, so that somebody can ask whether what the provider said still holds. Limits and an outage
    /// hold back as before.
    pub fn end_pause(&mut self, now: Nanos) {
        let now = self.advance(now);
        self.paused_until = self.paused_until.min(now);
    }

    fn hold_back(&mut self, span: Nanos, now: Nanos) {
        self.paused_until = self.paused_until.max(now.saturating_add(span.min(Limit::MAX_WINDOW)));
        self.pace.pause(self.paused_until);
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
            }
        }
        present
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
mod asking_tests;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod guesses;
#[cfg(test)]
mod met;
#[cfg(test)]
mod models;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod sliced;
#[cfg(test)]
mod tests;
