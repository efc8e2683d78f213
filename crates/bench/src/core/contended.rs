//! The same on two threads that share the limiter.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as GovernorClock, DefaultClock, MonotonicClock};
use limiter_core::{Limiter, Nanos};

use super::limiter::{actual, cost, limiter};
use crate::clock::Clock;
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Advancing, Contended, Operation};
use crate::peers::{GovernorPair, LeakyBucketPair, fake_clock};

const GIVEN: &str = "limiter-core in a std Mutex, time given";
const STD: &str = "limiter-core in a std Mutex, Instant::now twice";
const PARKING_LOT: &str = "limiter-core in a parking_lot Mutex, Instant::now twice";
const FAKE: &str = "governor, FakeRelativeClock";
const DEFAULT: &str = "governor, its default clock";
const MONOTONIC: &str = "governor, MonotonicClock (Instant)";
const FAIR: &str = "leaky-bucket, fair (default)";

pub(super) fn group() -> Group {
    Group {
        key: "contended",
        title: "reserve and settle, requests and tokens, two threads",
        batch: 10_000,
        rounds: 150,
        counts_instructions: false,
        candidates: vec![
            Candidate { name: GIVEN, build: given },
            Candidate { name: STD, build: ours::<Mutex<Limiter>> },
            Candidate { name: PARKING_LOT, build: ours::<parking_lot::Mutex<Limiter>> },
            Candidate { name: FAKE, build: fake },
            Candidate { name: DEFAULT, build: || check(&DefaultClock::default()) },
            Candidate { name: MONOTONIC, build: || check(&MonotonicClock) },
            Candidate { name: FAIR, build: leaky },
        ],
        comparisons: vec![
            Comparison { of: GIVEN, versus: FAKE, at_most: Some(1.0) },
            Comparison { of: STD, versus: DEFAULT, at_most: Some(1.0) },
            Comparison { of: STD, versus: MONOTONIC, at_most: Some(1.0) },
            Comparison { of: PARKING_LOT, versus: MONOTONIC, at_most: None },
            Comparison { of: STD, versus: FAIR, at_most: None },
        ],
    }
}

/// A lock around a limiter.
trait Lock: Sync {
    fn new(limiter: Limiter) -> Self;
    fn with<T>(&self, act: impl FnOnce(&mut Limiter) -> T) -> T;
}

impl Lock for Mutex<Limiter> {
    fn new(limiter: Limiter) -> Self {
        Self::new(limiter)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Limiter) -> T) -> T {
        act(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lock for parking_lot::Mutex<Limiter> {
    fn new(limiter: Limiter) -> Self {
        Self::new(limiter)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Limiter) -> T) -> T {
        act(&mut self.lock())
    }
}

/// Reserves under the lock, and settles when it has been let go.
fn request(lock: &impl Lock, now: impl Fn() -> Nanos) -> bool {
    let (cost, actual) = (cost(), actual());
    // Read before the lock: the other thread may come first with a later time, which the limiter allows for.
    let at = now();
    let Ok(reservation) = lock.with(|limiter| limiter.try_reserve(black_box(&cost), at)) else { return false };
    let at = now();
    lock.with(|limiter| limiter.settle(black_box(reservation), black_box(&actual), at));
    true
}

fn ours<L: Lock + 'static>() -> Box<dyn Operation> {
    let (lock, clock) = (L::new(limiter()), Clock::start());
    Box::new(Contended(move || request(&lock, || clock.now())))
}

fn given() -> Box<dyn Operation> {
    let (lock, now) = (<Mutex<Limiter> as Lock>::new(limiter()), Arc::new(AtomicU64::new(0)));
    let clock = Arc::clone(&now);
    let operation = Contended(move || request(&lock, || Nanos::new(now.load(Ordering::Relaxed))));
    let advance = move |times| {
        clock.fetch_add(10_000 * times, Ordering::Relaxed);
    };
    Box::new(Advancing { operation, advance })
}

fn check<C: GovernorClock + Clone + Sync + 'static>(clock: &C) -> Box<dyn Operation>
where
    GovernorPair<C>: Sync,
{
    let pair = GovernorPair::new(clock);
    Box::new(Contended(move || pair.check()))
}

fn fake() -> Box<dyn Operation> {
    let (clock, advance) = fake_clock();
    let pair = GovernorPair::new(&clock);
    Box::new(Advancing { operation: Contended(move || pair.check()), advance })
}

/// The fair mode only: in the unfair one, two threads sooner or later lose all that is in the bucket, and it refuses
/// everything from then on (version 1.1.2; its tracker has the defect).
fn leaky() -> Box<dyn Operation> {
    let pair = LeakyBucketPair::new(true);
    Box::new(Contended(move || pair.take()))
}
