//! Many requests at once, and what became of them.

use std::time::Duration;

use chat_limiter::providers::Usage;
use chat_limiter::{Answer, ChatLimiter, Error, Request};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::Stopwatch;

/// What became of many requests.
#[derive(Debug, Default)]
pub struct Load {
    /// How many were answered.
    pub answered: u64,
    /// Why the others were not.
    pub failures: Vec<Error>,
    /// How often requests were sent.
    pub attempts: u64,
    /// How many attempts were refused for the rate.
    pub rate_limited: u64,
    /// The time from the first request to the last answer.
    pub elapsed: Duration,
    /// What was answered, in the order of the answers.
    pub ends: Vec<End>,
}

/// How a request that was answered ended.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The request's place, from 0.
    pub place: usize,
    /// The time from the start of all requests to its answer.
    pub after: Duration,
    /// The tokens it took, where the answer says so.
    pub usage: Option<Usage>,
    /// How often it failed before, otherwise than by a refusal for the rate.
    pub failed: u32,
}

/// How far the first request is ahead.
const HEAD_START: Duration = Duration::from_millis(1);

impl Load {
    /// Sends all requests at once, in their order, and waits for the last.
    ///
    /// The others follow a millisecond behind the first: until tokens were counted once, counting is done on other
    /// threads, which end in any order. A paused clock waits for them.
    pub async fn run(client: &ChatLimiter, requests: impl IntoIterator<Item = Request>) -> Self {
        let watch = Stopwatch::start();
        let mut load = Self::default();
        let mut running = FuturesUnordered::new();
        let ask = |(place, request)| async move { (place, client.request(request).await) };
        let mut requests = requests.into_iter().enumerate();
        running.extend(requests.next().map(ask));
        if let Ok(Some((place, outcome))) = tokio::time::timeout(HEAD_START, running.next()).await {
            load.count(place, watch.elapsed(), outcome);
        }
        running.extend(requests.map(ask));
        while let Some((place, outcome)) = running.next().await {
            load.count(place, watch.elapsed(), outcome);
        }
        load.elapsed = watch.elapsed();
        load
    }

    fn count(&mut self, place: usize, after: Duration, outcome: Result<Answer, Error>) {
        let (attempts, rate_limited) = match &outcome {
            Ok(answer) => (answer.attempts, answer.rate_limited_attempts),
            Err(error) => (error.attempts(), error.rate_limited_attempts()),
        };
        self.attempts += u64::from(attempts);
        self.rate_limited += u64::from(rate_limited);
        match outcome {
            Ok(answer) => {
                self.answered += 1;
                let failed = attempts.saturating_sub(rate_limited).saturating_sub(1);
                self.ends.push(End { place, after, usage: answer.usage, failed });
            }
            Err(error) => self.failures.push(error),
        }
    }
}

/// Requests that hold capacity.
#[must_use]
pub fn in_flight(client: &ChatLimiter) -> u64 {
    client.limits().iter().map(|scope| scope.state.in_flight).sum()
}

/// Requests in the queues.
#[must_use]
pub fn waiting(client: &ChatLimiter) -> usize {
    client.limits().iter().map(|scope| scope.state.waiting).sum()
}
