//! A request whose answer says what remains: reserved, observed, settled, on limits that only answers told.

use std::collections::VecDeque;
use std::hint::black_box;

use limiter_core::{Amounts, Cost, Dimension, Limiter, Nanos, Observation, Reading, Reservation};

use super::limiter::{actual, cost};
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Operation, Repeated};

const ALONE: &str = "1 in flight";
const AMONG_MANY: &str = "1,000 in flight";

/// How long a request takes.
const LATENCY: Nanos = Nanos::from_secs(2);

pub(super) fn group() -> Group {
    Group {
        key: "reconcile",
        title: "reserve, observe requests and tokens, settle; the limits were found in answers",
        batch: 5_000,
        rounds: 100,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: ALONE, build: || exchanges(1) },
            Candidate { name: AMONG_MANY, build: || exchanges(1_000) },
        ],
        comparisons: vec![Comparison { of: AMONG_MANY, versus: ALONE, at_most: None }],
    }
}

/// What a provider says that allows 60,000 requests and 60,000,000 tokens a minute and gives them back continuously,
/// where requests come more slowly: everything is there but the request itself.
fn answer() -> Observation {
    let mut observation = Observation::new();
    let whole = Reading { limit: Some(60_000), remaining: Some(59_999), ..Reading::of(Dimension::Requests) };
    observation.push(Reading { reset: Some(Nanos::from_millis(1)), ..whole });
    let whole = Reading { limit: Some(60_000_000), remaining: Some(59_999_950), ..Reading::of(Dimension::Tokens) };
    observation.push(Reading { reset: Some(Nanos::new(50_000)), ..whole });
    observation
}

/// Requests come and answers arrive in turn, so that always `count` are in flight.
struct Exchanges {
    limiter: Limiter,
    cost: Cost,
    actual: Amounts,
    answer: Observation,
    in_flight: VecDeque<Reservation>,
    now: Nanos,
    /// From one request to the next.
    apart: Nanos,
}

fn exchanges(count: u64) -> Box<dyn Operation> {
    let mut exchanges = Exchanges::new(count);
    Box::new(Repeated(move || exchanges.send() && exchanges.receive()))
}

impl Exchanges {
    /// With one less than `count` in flight: the next one that is sent completes them.
    fn new(count: u64) -> Self {
        let mut exchanges = Self {
            limiter: Limiter::new(),
            cost: cost(),
            actual: actual(),
            answer: answer(),
            in_flight: VecDeque::new(),
            now: Nanos::ZERO,
            apart: Nanos::new(LATENCY.get() / count),
        };
        // How many may be in flight is not felt out here: as many are as are asked for.
        exchanges.limiter.set_probing(false);
        if exchanges.send() {
            exchanges.receive();
        }
        for _ in 1..count {
            exchanges.send();
        }
        exchanges
    }

    fn send(&mut self) -> bool {
        self.now = self.now.saturating_add(self.apart);
        let reserved = self.limiter.try_reserve(black_box(&self.cost), self.now);
        reserved.map(|reservation| self.in_flight.push_back(reservation)).is_ok()
    }

    fn receive(&mut self) -> bool {
        let Some(mut reservation) = self.in_flight.pop_front() else { return false };
        let _ = self.limiter.observe(&mut reservation, black_box(&self.answer), self.now);
        self.limiter.settle(reservation, black_box(&self.actual), self.now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limiter_core::{Limit, LimitSource};

    #[test]
    fn both_limits_are_found_with_their_window_and_stay_in_use() {
        let mut exchanges = Exchanges::new(1_000);
        for _ in 0..10_000 {
            assert!(exchanges.send() && exchanges.receive());
        }
        let state = exchanges.limiter.state(exchanges.now);
        let found: Vec<Limit> = state.limits.iter().map(|it| it.limit).collect();
        let expected =
            [Limit::per_minute(Dimension::Requests, 60_000), Limit::per_minute(Dimension::Tokens, 60_000_000)];
        assert_eq!(found, expected);
        assert!(state.limits.iter().all(|it| it.source == LimitSource::Found));
        assert_eq!(state.in_flight, 999);
    }
}
