//! Many requests at once, and what became of them.

use std::time::Duration;

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
        let mut requests = requests.into_iter();
        running.extend(requests.next().map(|request| client.request(request)));
        if let Ok(Some(outcome)) = tokio::time::timeout(HEAD_START, running.next()).await {
            load.count(outcome);
        }
        running.extend(requests.map(|request| client.request(request)));
        while let Some(outcome) = running.next().await {
            load.count(outcome);
        }
        load.elapsed = watch.elapsed();
        load
    }

    fn count(&mut self, outcome: Result<Answer, Error>) {
        let (attempts, rate_limited) = match &outcome {
            Ok(answer) => (answer.attempts, answer.rate_limited_attempts),
            Err(error) => (error.attempts(), error.rate_limited_attempts()),
        };
        self.attempts += u64::from(attempts);
        self.rate_limited += u64::from(rate_limited);
        match outcome {
            Ok(_) => self.answered += 1,
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
