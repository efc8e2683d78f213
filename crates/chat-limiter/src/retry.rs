//! What is worth trying again, and when.

use std::time::Duration;

use limiter_core::{Backoff, RetryBudget};

use crate::error::Kind;
use crate::exchange::Trace;

/// When a failed request is tried again.
///
/// What cannot succeed (an invalid request, no credit, larger than the limit) never is. A refusal for the rate waits as
/// the provider says, together with everything else that shares the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included.
    pub max_attempts: u32,
    /// How often a request may fail. Refusals for the rate are left out, and failures in an outage while others wait to
    /// ask: they say nothing against the request.
    pub max_failures: u32,
    /// How often a request is sent at most that was not answered in time, or not with what was asked for, or whose answer
    /// broke off. The provider may have done, and charged, the work each time.
    pub max_unanswered: u32,
    /// Delays after a failure that does not say when to come back.
    pub backoff: Backoff,
    /// The longest that a request waits for capacity or because the provider says so; beyond it fails.
    pub longest_wait: Duration,
    /// The longest that a request takes with all its waits and attempts, from when it was made; `None` for as long as the
    /// other numbers allow, which is the default, because a batch may well wait for tomorrow's quota. After it nothing is
    /// sent again, and who waits fails with [`Error::is_timeout`](crate::Error::is_timeout); an attempt that was sent before
    /// has its own time. [`Request::with_deadline`](crate::Request::with_deadline) cuts that off, too.
    pub longest_total: Option<Duration>,
    /// How many retries are made of 1,000 requests before retries slow down to the ceiling of the backoff.
    pub budget_per_thousand: u32,
}

impl Default for RetryPolicy {
    /// A hundred attempts of which ten may fail, two for what was not answered, half a second doubling to a minute, an
    /// hour's wait, no bound on all of it together, one retry for five requests.
    fn default() -> Self {
        Self {
            max_attempts: 100,
            max_failures: 10,
            max_unanswered: 2,
            backoff: Backoff::default(),
            longest_wait: Duration::from_secs(3_600),
            longest_total: None,
            // As Finagle has it (https://finagle.github.io/blog/2016/02/08/retry-budgets). One in ten would run dry where one
            // request in ten fails, because one retry in ten fails, too.
            budget_per_thousand: 200,
        }
    }
}

/// Retries that a client may make at least before it has sent many requests: Finagle's ten a second for ten seconds.
const RESERVE: u32 = 100;

/// A request that was refused for the rate so often is in step with another client. By chance that is rare: where the limits
/// are known one request in a hundred is refused at all.
const IN_STEP: u32 = 8;

impl RetryPolicy {
    /// The budget of a client that has so many requests in flight at most. What is in flight together fails together,
    /// before anything else is sent that would earn retries: the share of that is there from the beginning.
    pub(crate) fn budget(&self, in_flight: usize) -> RetryBudget {
        let share = u64::from(self.budget_per_thousand).saturating_mul(in_flight as u64) / 1_000;
        RetryBudget::new(self.budget_per_thousand, u32::try_from(share).unwrap_or(u32::MAX).max(RESERVE))
    }

    /// How long to wait before the next try; `None` to give up. `random` is 64 bits.
    pub(crate) fn delay(&self, kind: &Kind, trace: &Trace, budget: &mut RetryBudget, random: u64) -> Option<Duration> {
        let failures = trace.attempts.saturating_sub(trace.limited).saturating_sub(trace.excused);
        let is_enough = trace.attempts >= self.max_attempts || failures >= self.max_failures;
        if is_enough || !self.is_worth_it(kind, trace) {
            return None;
        }
        let told = match kind {
            // Its scope waits, and it waits there at the front. Who comes too late again and again is in step with
            // somebody else on the same quota who is always a little faster, and gets out of step.
            Kind::Refused { failure, .. } if failure.kind.is_limit() => {
                return Some(
                    trace
                        .limited
                        .checked_sub(IN_STEP)
                        .map_or(Duration::ZERO, |again| Duration::from(self.backoff.delay(again, random))),
                );
            }
            Kind::Refused { failure, .. } => failure.retry_after.map(Duration::from),
            _ => None,
        };
        if told.is_some_and(|told| told > self.longest_wait) {
            return None;
        }
        if trace.is_excused {
            // Its scope waits, and lets others ask: it keeps its place at the front, and one at a time is no storm.
            return Some(told.unwrap_or(Duration::ZERO));
        }
        let within_budget = budget.try_retry();
        let own = match within_budget {
            true => self.backoff.delay(failures.saturating_sub(1), random),
            false => self.backoff.ceiling,
        };
        let own = Duration::from(own);
        Some(told.map_or(own, |told| if within_budget { told } else { told.max(own) }))
    }

    fn is_worth_it(&self, kind: &Kind, trace: &Trace) -> bool {
        match kind {
            Kind::Refused { failure, .. } => failure.is_retryable(),
            Kind::Transport(error) if error.is_connect() => true,
            Kind::Transport(error) if error.is_request() || error.is_body_too_large() => false,
            // What breaks off behind the head of a failure is not counted, so that it is tried as often as any failure.
            Kind::Transport(error) if error.is_timeout() || error.is_protocol() || error.is_body() => {
                trace.unanswered < self.max_unanswered
            }
            Kind::Transport(_) => true,
            Kind::Answer { .. } => trace.unanswered < self.max_unanswered,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use limiter_core::Nanos;
    use providers::{ErrorKind, Failure};

    use super::*;
    use crate::error::Response;

    fn refused(kind: ErrorKind, status: u16, retry_after: Option<u64>) -> Kind {
        let mut failure = Failure::new(kind);
        failure.retry_after = retry_after.map(Nanos::from_millis);
        let response = Response {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        Kind::Refused { failure: Box::new(failure), response: Box::new(response) }
    }
    #[test]
    fn no_capacity_with_status_429_backs_off_and_ends() {
        let policy = RetryPolicy::default();
        let kind = refused(ErrorKind::Overloaded, 429, None);
        // As `exchange` counts: every 429 is `rate_limited`.
        let trace = Trace { attempts: 12, rate_limited: 12, ..Trace::default() };
        let delay = policy.delay(&kind, &trace, &mut policy.budget(1), u64::MAX);
        assert!(delay.is_none_or(|delay| delay > Duration::from_secs(30)), "attempt 13 after {delay:?}");
    }
    #[test]
    fn a_request_that_is_refused_again_and_again_gets_out_of_step() {
        let policy = RetryPolicy::default();
        let kind = refused(ErrorKind::RateLimited, 429, Some(18));
        let delay = |limited, random| {
            let trace = Trace { attempts: limited, rate_limited: limited, limited, ..Trace::default() };
            policy.delay(&kind, &trace, &mut policy.budget(1), random)
        };
        for limited in 1..8 {
            assert_eq!(delay(limited, u64::MAX), Some(Duration::ZERO));
        }
        assert_eq!(delay(8, u64::MAX), Some(Duration::from_millis(500)));
        assert_eq!(delay(99, u64::MAX), Some(Duration::from_secs(60)));
        assert_eq!(delay(99, 0), Some(Duration::ZERO));
        assert_eq!(delay(100, u64::MAX), None);
    }
    #[test]
    fn a_request_that_failed_in_an_outage_keeps_its_place_and_costs_nothing_of_the_budget() {
        let policy = RetryPolicy::default();
        let mut budget = policy.budget(1);
        let trace = Trace { attempts: 40, excused: 39, is_excused: true, ..Trace::default() };
        for _ in 0..1_000 {
            let delay = policy.delay(&refused(ErrorKind::Transient, 503, None), &trace, &mut budget, u64::MAX);
            assert_eq!(delay, Some(Duration::ZERO));
        }
        let trace = Trace { attempts: 1, ..Trace::default() };
        let delay = policy.delay(&refused(ErrorKind::Transient, 503, None), &trace, &mut budget, u64::MAX);
        assert_eq!(delay, Some(Duration::from_millis(500)));
    }
    #[test]
    fn retries_stay_in_the_budget_where_the_provider_says_at_once() {
        let policy = RetryPolicy::default();
        let mut budget = policy.budget(1);
        while budget.try_retry() {}
        let trace = Trace { attempts: 1, ..Trace::default() };
        let delay = policy.delay(&refused(ErrorKind::Overloaded, 503, Some(0)), &trace, &mut budget, 0);
        assert!(delay.is_none_or(|delay| delay >= Duration::from_secs(1)), "{delay:?}");
    }
}
