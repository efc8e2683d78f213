//! A request that does not fit: what a caller pays who asks in vain.

use std::hint::black_box;

use governor::clock::{DefaultClock, FakeRelativeClock};
use limiter_core::{Dimension, Limit, Limiter, Nanos, Refusal};

use super::limiter::{Given, Time, cost};
use crate::clock::Clock;
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Operation, Repeated};
use crate::peers::{GovernorPair, LeakyBucketPair};

const GIVEN: &str = "limiter-core, time given";
const INSTANT: &str = "limiter-core, Instant::now";
const FAKE: &str = "governor, only tokens, FakeRelativeClock";
const DEFAULT: &str = "governor, only tokens, its default clock";
const FAIR: &str = "leaky-bucket, only tokens, fair (default)";

pub(super) fn group() -> Group {
    Group {
        key: "refused",
        title: "refused: reserve for requests and tokens beside one check of tokens, one thread",
        batch: 10_000,
        rounds: 100,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: GIVEN, build: || ours(Given::default()) },
            Candidate { name: INSTANT, build: || ours(Clock::start()) },
            Candidate { name: FAKE, build: || check(GovernorPair::exhausted(&FakeRelativeClock::default())) },
            Candidate { name: DEFAULT, build: || check(GovernorPair::exhausted(&DefaultClock::default())) },
            Candidate { name: FAIR, build: leaky },
        ],
        comparisons: vec![
            Comparison { of: GIVEN, versus: FAKE, at_most: None },
            Comparison { of: INSTANT, versus: DEFAULT, at_most: None },
            Comparison { of: INSTANT, versus: FAIR, at_most: None },
        ],
    }
}

fn ours(mut time: impl Time + 'static) -> Box<dyn Operation> {
    let mut limiter = Limiter::new();
    limiter.set_limit(Limit::per_minute(Dimension::Requests, u32::MAX.into()), Nanos::ZERO);
    limiter.set_limit(Limit::new(Dimension::Tokens, 50, Nanos::DAY), Nanos::ZERO);
    let cost = cost();
    // All there is for today.
    if let Ok(reservation) = limiter.try_reserve(&cost, time.now()) {
        limiter.forfeit(reservation, time.now());
    }
    Box::new(Repeated(move || {
        let refused = limiter.try_reserve(black_box(&cost), time.now());
        matches!(refused, Err(Refusal::NotYet { ready_at }) if ready_at < Nanos::MAX)
    }))
}

fn check<C>(pair: GovernorPair<C>) -> Box<dyn Operation>
where
    C: governor::clock::Clock + Clone + 'static,
{
    Box::new(Repeated(move || pair.is_refused_tokens()))
}

fn leaky() -> Box<dyn Operation> {
    let pair = LeakyBucketPair::exhausted(true);
    Box::new(Repeated(move || !pair.take_tokens()))
}
