//! Ours.

use chat_limiter::{ChatLimiter, Cost};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::crowd::{self, Measured};

const MODEL: &str = "gpt-4o-mini";

/// The limits of an answer, which hold nobody up: what is waited for is the one place in flight.
const LIMITS: [(&str, &str); 4] = [
    ("x-ratelimit-limit-requests", "1000000000"),
    ("x-ratelimit-remaining-requests", "999999999"),
    ("x-ratelimit-limit-tokens", "1000000000000"),
    ("x-ratelimit-remaining-tokens", "999999999999"),
];

/// Callers of a client that may have one request in flight.
pub(super) fn measure(callers: usize) -> anyhow::Result<Measured> {
    // It sends nothing.
    let builder = ChatLimiter::builder("openai").base_url("http://127.0.0.1:9").api_key("no-key-needed");
    let limiter = builder.concurrency(1).build()?;
    let headers =
        LIMITS.iter().map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
    let headers: HeaderMap = headers.collect();
    let cost = Cost::of_request(100, 100);
    let hold = || {
        let mut permit = limiter.try_acquire(MODEL, cost)?.ok_or_else(|| anyhow::anyhow!("nothing is free"))?;
        permit.observe(StatusCode::OK, &headers);
        Ok(Ok(permit))
    };
    crowd::measure(
        callers,
        || limiter.acquire(MODEL, cost),
        hold,
        |permit| {
            permit?.settle_as_reserved();
            Ok(())
        },
    )
}
