//! The scenarios with limiter-core, in a plain loop over time: it needs no runtime.

use std::thread;

use limiter_core::{
    Admission, Amounts, Cost, Dimension, Limit, Limiter, Nanos, Priority, Refusal, Reservation, Ticket,
};

use super::scenario::{Outcome, Scenario};
use crate::clock::Clock;

/// What the callers do where they have to wait. The large request always queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// They queue.
    Queue,
    /// They wait as long as they are told, and ask again.
    TryAgain,
}

/// Where time comes from.
pub(super) trait Time {
    fn now(&self) -> Nanos;
    /// Returns at `at` or a little later.
    fn wait_until(&mut self, at: Nanos);
}

/// The time of this machine.
pub(super) struct RealTime(Clock);

impl RealTime {
    pub(super) fn start() -> Self {
        Self(Clock::start())
    }
}

impl Time for RealTime {
    fn now(&self) -> Nanos {
        self.0.now()
    }

    fn wait_until(&mut self, at: Nanos) {
        loop {
            match at.saturating_sub(self.now()) {
                Nanos::ZERO => return,
                left => thread::park_timeout(left.into()),
            }
        }
    }
}

/// A caller that is told only that others wait asks again after this time.
const AGAIN: Nanos = Nanos::from_millis(1);

/// The dimension does not matter.
const DIMENSION: Dimension = Dimension::Tokens;

/// Runs a scenario on `time`.
pub(super) fn run(scenario: &Scenario, manner: Manner, time: &mut impl Time) -> Outcome {
    let mut run = Run::new(scenario, manner, time.now());
    let comes_at = time.now().saturating_add(scenario.comes_after.into());
    let comes_at_latest = comes_at.saturating_add(scenario.looks_for.into());
    loop {
        let now = time.now();
        let next = run.step(now);
        if now >= comes_at_latest || (now >= comes_at && run.limiter.head().is_none()) {
            break;
        }
        time.wait_until(next.min(if now < comes_at { comes_at } else { comes_at_latest }));
    }
    let came_at = time.now();
    run.large_comes(came_at);
    let before = (run.taken, u32::try_from(run.limiter.state(came_at).waiting).unwrap_or(u32::MAX));
    let gives_up_at = came_at.saturating_add(scenario.longest_wait().into());
    while run.served_at.is_none() && time.now() < gives_up_at {
        let next = run.step(time.now());
        time.wait_until(next.min(gives_up_at));
    }
    Outcome {
        waited: run.served_at.map(|at| at.saturating_sub(came_at).into()),
        before: before.1.saturating_sub(1) * scenario.small,
        taken: run.taken - before.0,
    }
}

fn units(units: u32) -> Cost {
    Cost::exact(Amounts::ZERO.with(DIMENSION, units.into()))
}

/// The state between two steps.
struct Run {
    limiter: Limiter,
    manner: Manner,
    small: Cost,
    large: Cost,
    work: Nanos,
    /// When callers ask who do not queue, one of them each.
    asks_at: Vec<Nanos>,
    /// The large request, while it queues, and when it was served.
    ticket: Option<Ticket>,
    served_at: Option<Nanos>,
    /// Units that the callers took.
    taken: u64,
}

impl Run {
    fn new(scenario: &Scenario, manner: Manner, now: Nanos) -> Self {
        let mut limiter = Limiter::new();
        limiter.set_limit(Limit::new(DIMENSION, scenario.rate.into(), Nanos::SECOND), now);
        Self {
            limiter,
            manner,
            small: units(scenario.small),
            large: units(scenario.large),
            work: scenario.work.into(),
            asks_at: vec![now; scenario.callers as usize],
            ticket: None,
            served_at: None,
            taken: 0,
        }
    }

    fn large_comes(&mut self, now: Nanos) {
        self.ticket = self.limiter.enqueue(&self.large, Priority::NORMAL, now).ok();
    }

    /// Does all that can be done at `now`. Answers when to go on.
    fn step(&mut self, now: Nanos) -> Nanos {
        loop {
            let next = self.admit(now);
            let may_ask = |at: &Nanos| *at <= now;
            if !self.asks_at.iter().any(may_ask) || self.served_at.is_some() {
                return self.asks_at.iter().copied().fold(next, Nanos::min);
            }
            for _ in self.asks_at.extract_if(.., |at| *at <= now).collect::<Vec<_>>() {
                self.ask(now);
            }
        }
    }

    /// Admits all who fit. Answers when the next one does.
    fn admit(&mut self, now: Nanos) -> Nanos {
        loop {
            match self.limiter.admit(now) {
                Admission::Granted(ticket, reservation) if Some(ticket) == self.ticket => {
                    self.limiter.settle(reservation, self.large.expected(), now);
                    (self.ticket, self.served_at) = (None, Some(now));
                }
                Admission::Granted(_, reservation) => self.serve(reservation, now),
                Admission::NotYet(at) => return at,
                // Nobody is larger than the limit, and nobody is in flight between two steps.
                Admission::Refused(..) | Admission::Blocked | Admission::Idle => return Nanos::MAX,
            }
        }
    }

    /// A caller asks.
    fn ask(&mut self, now: Nanos) {
        if self.manner == Manner::Queue {
            let _ = self.limiter.enqueue(&self.small, Priority::NORMAL, now);
            return;
        }
        match self.limiter.try_reserve(&self.small, now) {
            Ok(reservation) => self.serve(reservation, now),
            Err(Refusal::NotYet { ready_at }) => self.asks_at.push(ready_at.min(now.saturating_add(AGAIN))),
            Err(Refusal::NeverFits(_)) => {}
        }
    }

    /// A caller takes what it asked for, works, and asks again.
    fn serve(&mut self, reservation: Reservation, now: Nanos) {
        self.limiter.settle(reservation, self.small.expected(), now);
        self.taken += self.small.expected().of(DIMENSION);
        self.asks_at.push(now.saturating_add(self.work));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::starvation::scenario::{AT_ONCE, WITH_WORK};

    /// Time that jumps to whatever is waited for.
    struct VirtualTime(Nanos);

    impl Time for VirtualTime {
        fn now(&self) -> Nanos {
            self.0
        }

        fn wait_until(&mut self, at: Nanos) {
            assert!(at >= self.0, "waits at {:?} for {at:?}", self.0);
            self.0 = at;
        }
    }

    fn check(scenario: &Scenario, manner: Manner, expected: &Outcome) {
        // The origin of a caller's clock is its own affair.
        for start in [Nanos::ZERO, Nanos::new(123_456_789)] {
            assert_eq!(run(scenario, manner, &mut VirtualTime(start)), *expected, "{manner:?}, {scenario:?}");
        }
    }

    fn served(millis: u64, before: u32, taken: u64) -> Outcome {
        Outcome { waited: Some(Duration::from_millis(millis)), before, taken }
    }

    #[test]
    fn a_large_request_is_served_when_its_cost_has_come_back_and_nobody_is_served_before() {
        // 900 units at one in a millisecond, from an empty bucket.
        check(&AT_ONCE, Manner::TryAgain, &served(900, 0, 0));
        check(&WITH_WORK, Manner::TryAgain, &served(900, 0, 0));
    }

    #[test]
    fn a_large_request_that_queues_behind_others_waits_for_their_cost_and_its_own_and_no_more() {
        // All 20 callers wait, with 5 units each.
        check(&AT_ONCE, Manner::Queue, &served(1_000, 100, 100));
        // One caller is served in 5 ms and works for 20, so four work and 16 wait.
        check(&WITH_WORK, Manner::Queue, &served(980, 80, 80));
    }

    #[test]
    fn a_large_request_waits_the_longer_the_larger_it_is_and_not_the_longer_the_more_callers_there_are() {
        check(&Scenario { large: 1_000, ..AT_ONCE }, Manner::TryAgain, &served(1_000, 0, 0));
        check(&Scenario { callers: 500, ..AT_ONCE }, Manner::TryAgain, &served(900, 0, 0));
        check(&Scenario { large: 1_000, ..AT_ONCE }, Manner::Queue, &served(1_100, 100, 100));
    }
}
