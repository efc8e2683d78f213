//! One request through two dimensions, on one thread: reserved and settled, beside two checks.

use governor::clock::{Clock as GovernorClock, DefaultClock, MonotonicClock};

use super::limiter::{Counter, Given, Time, actual, cost, limiter, quota, reserve_and_settle, take_and_settle};
use crate::clock::Clock;
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Advancing, Operation, Repeated};
use crate::peers::{GovernorPair, LeakyBucketPair, fake_clock};

const QUOTA: &str = "limiter-core's Quota alone, time given";
const GIVEN: &str = "limiter-core, time given";
const INSTANT: &str = "limiter-core, Instant::now twice";
const COUNTER: &str = "limiter-core, governor's clock twice";
const FAKE: &str = "governor, FakeRelativeClock";
const DEFAULT: &str = "governor, its default clock";
const MONOTONIC: &str = "governor, MonotonicClock (Instant)";
const FAIR: &str = "leaky-bucket, fair (default)";
const UNFAIR: &str = "leaky-bucket, unfair";

pub(super) fn group() -> Group {
    Group {
        key: "reserve",
        title: "reserve and settle, requests and tokens, one thread",
        batch: 10_000,
        rounds: 200,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: GIVEN, build: || ours(Given::default()) },
            Candidate { name: INSTANT, build: || ours(Clock::start()) },
            Candidate { name: COUNTER, build: || ours(Counter::start()) },
            Candidate { name: QUOTA, build: buckets },
            Candidate { name: FAKE, build: fake },
            Candidate { name: DEFAULT, build: || check(&DefaultClock::default()) },
            Candidate { name: MONOTONIC, build: || check(&MonotonicClock) },
            Candidate { name: FAIR, build: || leaky(true) },
            Candidate { name: UNFAIR, build: || leaky(false) },
        ],
        comparisons: vec![
            Comparison { of: GIVEN, versus: FAKE, at_most: Some(1.0) },
            Comparison { of: INSTANT, versus: DEFAULT, at_most: Some(1.0) },
            Comparison { of: INSTANT, versus: MONOTONIC, at_most: Some(1.0) },
            Comparison { of: COUNTER, versus: DEFAULT, at_most: Some(1.0) },
            Comparison { of: QUOTA, versus: FAKE, at_most: None },
            Comparison { of: INSTANT, versus: FAIR, at_most: None },
            Comparison { of: GIVEN, versus: UNFAIR, at_most: None },
        ],
    }
}

fn ours(mut time: impl Time + 'static) -> Box<dyn Operation> {
    let (mut limiter, cost, actual) = (limiter(), cost(), actual());
    Box::new(Repeated(move || reserve_and_settle(&mut limiter, &cost, &actual, &mut time)))
}

fn buckets() -> Box<dyn Operation> {
    let (mut quota, cost, actual, mut time) = (quota(), cost(), actual(), Given::default());
    Box::new(Repeated(move || take_and_settle(&mut quota, &cost, &actual, &mut time)))
}

fn check<C: GovernorClock + Clone + 'static>(clock: &C) -> Box<dyn Operation> {
    let pair = GovernorPair::new(clock);
    Box::new(Repeated(move || pair.check()))
}

fn fake() -> Box<dyn Operation> {
    let (clock, advance) = fake_clock();
    let pair = GovernorPair::new(&clock);
    Box::new(Advancing { operation: Box::new(Repeated(move || pair.check())), advance })
}

fn leaky(fair: bool) -> Box<dyn Operation> {
    let pair = LeakyBucketPair::new(fair);
    Box::new(Repeated(move || pair.take()))
}
