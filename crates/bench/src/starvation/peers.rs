//! The scenarios with limiters that are waited for: each caller is a task.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::task::JoinSet;

use super::scenario::{Outcome, Scenario};
use crate::clock::Clock;

/// A limiter that is waited for.
pub(super) trait Peer: Send + Sync + 'static {
    /// Waits until `units` may be taken, and takes them.
    fn acquire(&self, units: u32) -> impl Future<Output = ()> + Send;
}

/// What the callers share.
struct Shared<P> {
    peer: P,
    /// How many callers wait.
    waiting: AtomicU32,
    /// Units that the callers took.
    taken: AtomicU64,
}

/// Runs a scenario with `peer`, in real time.
pub(super) async fn run(scenario: &Scenario, peer: impl Peer) -> Outcome {
    let shared = Arc::new(Shared { peer, waiting: AtomicU32::new(0), taken: AtomicU64::new(0) });
    // Dropped at the end, which ends them.
    let mut callers = JoinSet::new();
    for _ in 0..scenario.callers {
        callers.spawn(call(Arc::clone(&shared), scenario.small, scenario.work));
    }
    tokio::time::sleep(scenario.comes_after).await;
    let looks = Clock::start();
    while looks.elapsed() < scenario.looks_for && shared.waiting.load(Ordering::Relaxed) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (clock, before) = (Clock::start(), shared.taken.load(Ordering::Relaxed));
    let served = tokio::time::timeout(scenario.longest_wait(), shared.peer.acquire(scenario.large)).await;
    let waited = served.is_ok().then(|| clock.elapsed());
    Outcome { waited, before: 0, taken: shared.taken.load(Ordering::Relaxed) - before }
}

/// A caller: asks, works, and asks again.
async fn call<P: Peer>(shared: Arc<Shared<P>>, small: u32, work: Duration) {
    loop {
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        shared.peer.acquire(small).await;
        shared.waiting.fetch_sub(1, Ordering::Relaxed);
        shared.taken.fetch_add(small.into(), Ordering::Relaxed);
        if work > Duration::ZERO {
            tokio::time::sleep(work).await;
        }
    }
}

/// governor, waited for with `until_n_ready`.
pub(super) struct Governor(DefaultDirectRateLimiter);

impl Governor {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self(RateLimiter::direct(Quota::per_second(at_least_one(scenario.rate))))
    }
}

impl Peer for Governor {
    async fn acquire(&self, units: u32) {
        // An error would be more units than can be saved up, which nobody asks for.
        let _ = self.0.until_n_ready(at_least_one(units)).await;
    }
}

fn at_least_one(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN)
}

/// leaky-bucket, waited for with `acquire`.
pub(super) struct LeakyBucket(leaky_bucket::RateLimiter);

impl LeakyBucket {
    /// Which refills a part of the rate at each `interval`.
    pub(super) fn new(scenario: &Scenario, fair: bool, interval: Duration) -> Self {
        let rate = scenario.rate as usize;
        let refill = (f64::from(scenario.rate) * interval.as_secs_f64()).round() as usize;
        let mut builder = leaky_bucket::RateLimiter::builder();
        Self(builder.initial(rate).max(rate).refill(refill).interval(interval).fair(fair).build())
    }

    /// Units that come back at each interval.
    pub(super) fn refill(&self) -> usize {
        self.0.refill()
    }
}

impl Peer for LeakyBucket {
    async fn acquire(&self, units: u32) {
        self.0.acquire(units as usize).await;
    }
}
