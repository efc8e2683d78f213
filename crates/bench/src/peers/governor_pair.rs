//! governor: a limiter for each dimension, because one of its limiters knows one.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// One limiter over any clock.
type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The cost in tokens of one request.
const TOKENS: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// Requests and tokens. A request is two checks.
pub(crate) struct GovernorPair<C: Clock> {
    requests: Direct<C>,
    tokens: Direct<C>,
}

impl<C: Clock + Clone> GovernorPair<C> {
    /// With the highest limits there are, so that every check passes.
    pub(crate) fn new(clock: &C) -> Self {
        Self::with_quota(Quota::per_minute(NonZeroU32::MAX), clock)
    }

    /// Whose tokens are used up, and come back in a day.
    pub(crate) fn exhausted(clock: &C) -> Self {
        let day = Quota::with_period(Duration::from_secs(86_400)).unwrap_or(Quota::per_hour(NonZeroU32::MIN));
        let pair = Self::with_quota(day.allow_burst(TOKENS), clock);
        pair.check();
        pair
    }

    fn with_quota(quota: Quota, clock: &C) -> Self {
        let limiter = || Direct::direct_with_clock(quota, clock.clone());
        Self { requests: limiter(), tokens: limiter() }
    }

    /// Takes a request and its tokens. Whether both passed.
    pub(crate) fn check(&self) -> bool {
        matches!(self.requests.check_n(NonZeroU32::MIN), Ok(Ok(()))) && self.check_tokens()
    }

    fn check_tokens(&self) -> bool {
        matches!(self.tokens.check_n(black_box(TOKENS)), Ok(Ok(())))
    }

    /// Asks for the tokens where they are not there, and when they will be. Whether they were not.
    pub(crate) fn is_refused_tokens(&self) -> bool {
        match self.tokens.check_n(black_box(TOKENS)) {
            Ok(Err(not_until)) => {
                black_box(not_until.earliest_possible());
                true
            }
            _ => false,
        }
    }
}

/// A clock that stands still, and what moves it on by the time that so many requests may take.
pub(crate) fn fake_clock() -> (FakeRelativeClock, impl FnMut(u64)) {
    let clock = FakeRelativeClock::default();
    let advanced = clock.clone();
    // The limit of a minute gives back 715 tokens in this time: more than a request takes.
    (clock, move |times| advanced.advance(Duration::from_nanos(times.saturating_mul(10_000))))
}
