//! Requests and tokens in fixed intervals.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use limiter_core::{Amounts, Bucket, Cost, Dimension, Limit, Nanos, NeverFits, Quota, Refill, Refusal, Taken};
use tokio::sync::Notify;

use super::rate_limiter::{required_tokens, too_large};
use super::{RateLimitError, RateLimiter};
use crate::clock::Clock;
use crate::{Answer, ChatLimiter, Error, Request};

/// So many requests and tokens in each interval; all of it comes back at once when the interval is over.
///
/// What is taken is taken from both or from neither, nothing is ever owed, and a request that is larger than the limit is
/// an error. Those who wait in [`call_api`](RateLimiter::call_api) go in the order in which they came, and
/// [`request_permission`](RateLimiter::request_permission) gets past none of them.
///
/// ```
/// use std::time::Duration;
/// use chat_limiter::service::{RateLimiter, SimpleRateLimiter};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let limiter = SimpleRateLimiter::create(100, 1_000, Duration::from_secs(60));
/// assert_eq!(limiter.request_permission(900), Ok(true));
/// assert_eq!(limiter.request_permission(200), Ok(false));
/// assert!(limiter.request_permission(1_001).is_err());
/// tokio::time::sleep(Duration::from_secs(60)).await;
/// assert_eq!(limiter.request_permission(200), Ok(true));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SimpleRateLimiter {
    interval: Duration,
    max_requests: Option<u64>,
    max_tokens: Option<u64>,
    clock: Clock,
    state: Mutex<State>,
    /// Held by whoever is first in line; tokio's lock is fair.
    turn: tokio::sync::Mutex<()>,
    /// Told when replenishing starts or stops.
    switched: Notify,
}

#[derive(Debug)]
struct State {
    quota: Quota<Vec<Bucket>>,
    /// For how long capacity has come back, up to the latest start.
    replenished: Nanos,
    /// When it was started, unless it stands.
    started: Option<Nanos>,
    /// How many are in line.
    waiting: usize,
}

/// A place in line.
struct Place<'a>(&'a SimpleRateLimiter);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// What a request has taken.
struct Held {
    cost: Cost,
    taken: Taken,
}

impl SimpleRateLimiter {
    /// A limiter that is full. Nothing comes back until [`start_replenishing`](RateLimiter::start_replenishing). A limit of
    /// zero is taken for one, an interval for 31 days at most.
    #[must_use]
    pub fn new(max_requests: u64, max_tokens: u64, interval: Duration) -> Self {
        Self::of(Some(max_requests), Some(max_tokens), interval)
    }

    /// A limiter that is full and whose capacity comes back after each interval from now on.
    #[must_use]
    pub fn create(max_requests: u64, max_tokens: u64, interval: Duration) -> Self {
        let limiter = Self::new(max_requests, max_tokens, interval);
        limiter.start_replenishing();
        limiter
    }

    /// The same with limits per minute, either of which may be missing.
    #[must_use]
    pub fn per_minute(limit_tokens: Option<u64>, limit_requests: Option<u64>) -> Self {
        let limiter = Self::of(limit_requests, limit_tokens, Duration::from_secs(60));
        limiter.start_replenishing();
        limiter
    }

    fn of(max_requests: Option<u64>, max_tokens: Option<u64>, interval: Duration) -> Self {
        let bucket = |dimension, amount: Option<u64>| {
            let limit = Limit::new(dimension, amount?, interval.into());
            Some(Bucket::full(limit.with_refill(Refill::AtBoundary { phase: Nanos::ZERO }), Nanos::ZERO))
        };
        let requests = bucket(Dimension::Requests, max_requests);
        let tokens = bucket(Dimension::Tokens, max_tokens);
        let amount = |bucket: &Option<Bucket>| bucket.as_ref().map(|bucket| bucket.limit().amount());
        let window = requests.as_ref().or(tokens.as_ref()).map(|bucket| bucket.limit().window());
        Self {
            interval: window.map_or(interval, Duration::from),
            max_requests: amount(&requests),
            max_tokens: amount(&tokens),
            clock: Clock::start(),
            state: Mutex::new(State {
                quota: Quota::new(requests.into_iter().chain(tokens).collect()),
                replenished: Nanos::ZERO,
                started: None,
                waiting: 0,
            }),
            turn: tokio::sync::Mutex::new(()),
            switched: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn available(&self, dimension: Dimension) -> Option<u64> {
        let (state, now) = (self.lock(), self.clock.now());
        let bucket = state.quota.buckets().iter().find(|bucket| bucket.limit().dimension() == dimension)?;
        Some(u64::try_from(bucket.level(state.time(now))).unwrap_or(0))
    }

    fn try_take(&self, cost: &Cost) -> Result<Taken, Refusal> {
        let (mut state, now) = (self.lock(), self.clock.now());
        let at = state.time(now);
        state.quota.try_take(cost, at)
    }

    /// Waits in line until `tokens` are there, and takes them.
    async fn take(&self, tokens: u64) -> Result<Held, NeverFits> {
        let cost = cost(tokens);
        self.lock().waiting += 1;
        let _place = Place(self);
        let _turn = self.turn.lock().await;
        loop {
            let switched = self.switched.notified();
            match self.try_take(&cost) {
                Ok(taken) => return Ok(Held { cost, taken }),
                Err(Refusal::NeverFits(never)) => return Err(never),
                Err(Refusal::NotYet { ready_at }) => {
                    let at = self.lock().instant(ready_at);
                    match at {
                        Some(at) => tokio::select! {
                            () = tokio::time::sleep_until(self.clock.instant(at)) => {}
                            () = switched => {}
                        },
                        None => switched.await,
                    }
                }
            }
        }
    }

    /// Puts what was really taken in the place of what was held.
    fn settle(&self, held: Held, requests: u32, tokens: Option<u64>) {
        let tokens = tokens.unwrap_or_else(|| held.cost.expected().of(Dimension::Tokens));
        let actual = Amounts::ZERO.with(Dimension::Requests, requests.into()).with(Dimension::Tokens, tokens);
        let (mut state, now) = (self.lock(), self.clock.now());
        let at = state.time(now);
        state.quota.settle(held.taken, &held.cost, &actual, at);
    }
}

impl State {
    /// The limiter's own time: it stands while nothing is replenished.
    fn time(&self, now: Nanos) -> Nanos {
        let running = self.started.map_or(Nanos::ZERO, |started| now.saturating_sub(started));
        self.replenished.saturating_add(running)
    }

    /// When its own time will be `at`; never while it stands.
    fn instant(&self, at: Nanos) -> Option<Nanos> {
        Some(self.started?.saturating_add(at.saturating_sub(self.replenished)))
    }
}

/// All of it is certain: what is larger than the limit is never let through.
fn cost(tokens: u64) -> Cost {
    Cost::exact(Amounts::ZERO.with(Dimension::Requests, 1).with(Dimension::Tokens, tokens))
}

impl RateLimiter for SimpleRateLimiter {
    fn interval(&self) -> Duration {
        self.interval
    }

    fn max_requests(&self) -> Option<u64> {
        self.max_requests
    }

    fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    fn available_request_capacity(&self) -> Option<u64> {
        self.available(Dimension::Requests)
    }

    fn available_token_capacity(&self) -> Option<u64> {
        self.available(Dimension::Tokens)
    }

    fn start_replenishing(&self) {
        let (mut state, now) = (self.lock(), self.clock.now());
        state.started.get_or_insert(now);
        drop(state);
        self.switched.notify_waiters();
    }

    fn stop_replenishing(&self) {
        let (mut state, now) = (self.lock(), self.clock.now());
        state.replenished = state.time(now);
        state.started = None;
        drop(state);
        self.switched.notify_waiters();
    }

    fn check_availability(&self, request_token_len: u64, estimated_output_len: u64) -> bool {
        let cost = cost(request_token_len.saturating_add(estimated_output_len));
        let (state, now) = (self.lock(), self.clock.now());
        let at = state.time(now);
        state.waiting == 0 && state.quota.ready_at(&cost, at) == Ok(at)
    }

    fn request_permission(&self, required_tokens: u64) -> Result<bool, RateLimitError> {
        let cost = cost(required_tokens);
        let (mut state, now) = (self.lock(), self.clock.now());
        let at = state.time(now);
        let fits = match state.waiting {
            0 => state.quota.try_take(&cost, at).map(|_| true),
            _ => state.quota.ready_at(&cost, at).map(|_| false).map_err(Refusal::from),
        };
        match fits {
            Err(Refusal::NeverFits(never)) => Err(RateLimitError::too_large(&never, required_tokens)),
            fits => Ok(fits.unwrap_or(false)),
        }
    }

    /// Waits in line. When the answer is there, what it really took counts, and each time it was sent.
    fn call_api<'a>(&'a self, limiter: &'a ChatLimiter, request: Request) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let tokens = required_tokens(limiter, &request).await?;
            let held = self.take(tokens).await.map_err(too_large)?;
            // Dropped from here on, it stays counted until the interval is over: it may have been sent.
            let result = limiter.request(request).await;
            match &result {
                Ok(answer) => self.settle(held, answer.attempts, answer.usage.map(|usage| usage.total)),
                Err(error) if error.attempts() == 0 => self.settle(held, 0, Some(0)),
                Err(error) => {
                    let is_refusal = error.status().is_some_and(|status| status.is_client_error());
                    self.settle(held, error.attempts(), is_refusal.then_some(0));
                }
            }
            result
        })
    }
}

#[cfg(test)]
mod tests;
