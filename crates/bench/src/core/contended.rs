//! The same on two threads that share the limiter.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as GovernorClock, DefaultClock, MonotonicClock};
use limiter_core::{Amounts, Cost, Limiter, Nanos};

use super::limiter::{actual, cost, limiter};
use crate::clock::Clock;
use crate::measure::{Candidate, Comparison, Group};
use crate::operation::{Advancing, Contended, Operation};
use crate::peers::{GovernorPair, LeakyBucketPair, fake_clock};

const GIVEN: &str = "limiter-core in a std Mutex, time given";
const STD: &str = "limiter-core in a std Mutex, Instant::now under each lock";
const BEFORE: &str = "limiter-core in a std Mutex, Instant::now before each lock";
const PARKING_LOT: &str = "limiter-core in a parking_lot Mutex, Instant::now under each lock";
const FAKE: &str = "governor, FakeRelativeClock";
const DEFAULT: &str = "governor, its default clock";
const MONOTONIC: &str = "governor, MonotonicClock (Instant)";
const FAIR: &str = "leaky-bucket, fair (default)";

pub(super) fn group() -> Group {
    Group {
        key: "contended",
        title: "reserve and settle, requests and tokens, two threads",
        batch: 10_000,
        rounds: 160,
        counts_instructions: false,
        candidates: vec![
            Candidate { name: GIVEN, build: given },
            Candidate { name: STD, build: ours::<Mutex<Limiter>> },
            Candidate { name: BEFORE, build: before },
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
            Comparison { of: BEFORE, versus: MONOTONIC, at_most: None },
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

/// A limiter that threads share, and what they ask of it.
struct Shared<L> {
    lock: L,
    cost: Cost,
    actual: Amounts,
}

impl<L: Lock> Shared<L> {
    fn new() -> Self {
        Self { lock: L::new(limiter()), cost: cost(), actual: actual() }
    }

    /// Reserves under the lock, and settles under the lock when it has been let go in between. The clock is read under
    /// the lock, as limiter-core advises.
    fn request(&self, now: impl Fn() -> Nanos) -> bool {
        let reserved = self.lock.with(|limiter| limiter.try_reserve(black_box(&self.cost), now()));
        let Ok(reservation) = reserved else { return false };
        self.lock.with(|limiter| limiter.settle(black_box(reservation), black_box(&self.actual), now()));
        true
    }

    /// The same, with the clock read before: the other thread may come first with a later time.
    fn request_at(&self, now: impl Fn() -> Nanos) -> bool {
        let at = now();
        let reserved = self.lock.with(|limiter| limiter.try_reserve(black_box(&self.cost), at));
        let Ok(reservation) = reserved else { return false };
        let at = now();
        self.lock.with(|limiter| limiter.settle(black_box(reservation), black_box(&self.actual), at));
        true
    }
}

fn ours<L: Lock + 'static>() -> Box<dyn Operation> {
    let clock = Clock::start();
    Contended::new(Shared::<L>::new, move |shared| shared.request(|| clock.now()))
}

fn before() -> Box<dyn Operation> {
    let clock = Clock::start();
    Contended::new(Shared::<Mutex<Limiter>>::new, move |shared| shared.request_at(|| clock.now()))
}

fn given() -> Box<dyn Operation> {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    let request = move |shared: &Shared<_>| shared.request(|| Nanos::new(now.load(Ordering::Relaxed)));
    let operation = Contended::new(Shared::<Mutex<Limiter>>::new, request);
    let advance = move |times| {
        clock.fetch_add(10_000 * times, Ordering::Relaxed);
    };
    Box::new(Advancing { operation, advance })
}

fn check<C: GovernorClock + Clone + Sync + 'static>(clock: &C) -> Box<dyn Operation>
where
    GovernorPair<C>: Sync,
{
    Contended::new(|| GovernorPair::new(clock), GovernorPair::check)
}

fn fake() -> Box<dyn Operation> {
    let (clock, advance) = fake_clock();
    let operation = Contended::new(|| GovernorPair::new(&clock), GovernorPair::check);
    Box::new(Advancing { operation, advance })
}

/// The fair mode only: in the unfair one, two threads sooner or later lose all that is in the bucket, and it refuses
/// everything from then on (version 1.1.2; its tracker has the defect).
fn leaky() -> Box<dyn Operation> {
    Contended::new(|| LeakyBucketPair::new(true), LeakyBucketPair::take)
}
