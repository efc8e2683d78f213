//! The client without a server: permits, limits that change, the end. On a paused clock.

mod acquire;
mod change;
mod live;
mod shutdown;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use limiter_core::Cost;
use tokio::time::Instant;

use crate::{Builder, ChatLimiter, Permit};

/// A client of a server that is never spoken to.
fn builder() -> Builder {
    ChatLimiter::builder("openai-compatible").base_url("http://127.0.0.1:9")
}

fn tokens(input: u64) -> Cost {
    Cost::of_request(input, 0)
}

/// Takes a permit and ends it as answered, with what was reserved.
async fn answered(limiter: &ChatLimiter, model: &str, cost: Cost) {
    limiter.acquire(model, cost).await.unwrap().settle_as_reserved();
}

/// The time that something takes, to the second.
async fn seconds<T>(future: impl Future<Output = T>) -> (u64, T) {
    let start = now();
    let output = future.await;
    (start.elapsed().as_secs(), output)
}

#[expect(clippy::disallowed_methods, reason = "the test's own clock, which is paused")]
fn now() -> Instant {
    Instant::now()
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
}

/// The answer to a request states these limits on requests.
fn state_requests(permit: &mut Permit, limit: &'static str, remaining: &'static str) {
    let headers = headers(&[("x-ratelimit-limit-requests", limit), ("x-ratelimit-remaining-requests", remaining)]);
    permit.observe(StatusCode::OK, &headers);
}

const SECOND: Duration = Duration::from_secs(1);
