//! An observation from a full map of headers.

use std::hint::black_box;

use chat_limiter::providers::{Registry, UnixTime};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::measure::{Candidate, Group};
use crate::operation::{Operation, Repeated};

pub(super) const KEY: &str = "heads";

pub(super) fn group() -> Group {
    Group {
        key: KEY,
        title: "an observation from all headers of an answer",
        batch: 1_000,
        rounds: 100,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: "openai, 26 headers", build: || observe("openai", &[COMMON, OPENAI]) },
            Candidate { name: "anthropic, 28 headers", build: || observe("anthropic", &[COMMON, ANTHROPIC]) },
            Candidate { name: "openai-compatible, 22 headers", build: || observe("openai-compatible", &[COMMON, ANY]) },
            Candidate { name: "IETF's lists, 16 headers", build: || observe("openai-compatible", &[COMMON, LISTS]) },
            Candidate { name: "gemini, no limits, 14 headers", build: || observe("gemini", &[COMMON]) },
        ],
        comparisons: Vec::new(),
    }
}

fn observe(provider: &'static str, parts: &[&[(&'static str, &'static str)]]) -> Box<dyn Operation> {
    let provider = Registry::standard().by_name(provider).ok();
    let mut headers = HeaderMap::new();
    for (name, value) in parts.iter().copied().flatten() {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let states_limits = parts.len() > 1;
    Box::new(Repeated(move || {
        let Some(provider) = &provider else { return false };
        let observation = provider.observe(StatusCode::OK, black_box(&headers), UnixTime::from_secs(1_800_000_000));
        black_box(observation).readings().is_empty() != states_limits
    }))
}

/// What stands around the limits.
const COMMON: &[(&str, &str)] = &[
    ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
    ("content-type", "application/json"),
    ("transfer-encoding", "chunked"),
    ("connection", "keep-alive"),
    ("server", "cloudflare"),
    ("cf-ray", "8fa0b1c2d3e4f567-AMS"),
    ("cf-cache-status", "DYNAMIC"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("access-control-expose-headers", "X-Request-ID"),
    ("alt-svc", "h3=\":443\"; ma=86400"),
    ("set-cookie", "__cf_bm=abcdefghijklmnopqrstuvwxyz; path=/; HttpOnly; Secure"),
    ("x-request-id", "req_0123456789abcdef0123456789abcdef"),
    ("via", "1.1 proxy"),
];

const OPENAI: &[(&str, &str)] = &[
    ("openai-version", "2020-10-01"),
    ("openai-processing-ms", "412"),
    ("x-envoy-upstream-service-time", "430"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-limit-tokens", "30000000"),
    ("x-ratelimit-limit-input-images", "250000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-remaining-tokens", "29999871"),
    ("x-ratelimit-remaining-input-images", "249999"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "1m26.4s"),
    ("x-ratelimit-reset-input-images", "0s"),
];

const ANTHROPIC: &[(&str, &str)] = &[
    ("anthropic-organization-id", "00000000-0000-0000-0000-000000000000"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2027-01-15T08:00:00Z"),
    ("anthropic-ratelimit-input-tokens-limit", "2000000"),
    ("anthropic-ratelimit-input-tokens-remaining", "1999000"),
    ("anthropic-ratelimit-input-tokens-reset", "2027-01-15T08:00:01Z"),
    ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ("anthropic-ratelimit-output-tokens-remaining", "400000"),
    ("anthropic-ratelimit-output-tokens-reset", "2027-01-15T08:00:00Z"),
    ("anthropic-ratelimit-tokens-limit", "2400000"),
    ("anthropic-ratelimit-tokens-remaining", "2399000"),
    ("anthropic-ratelimit-tokens-reset", "2027-01-15T08:00:00Z"),
    ("request-id", "req_0123456789"),
];

const ANY: &[(&str, &str)] = &[
    ("x-ratelimit-limit-requests-day", "1440000"),
    ("x-ratelimit-remaining-requests-day", "1439999"),
    ("x-ratelimit-reset-requests-day", "24482.894107818604"),
    ("x-ratelimit-limit-tokens-minute", "1000000"),
    ("x-ratelimit-remaining-tokens-minute", "999321"),
    ("x-ratelimit-reset-tokens-minute", "2.894107818603516"),
    ("x-ratelimit-over-limit", "no"),
    ("x-inference-provider", "other"),
];

const LISTS: &[(&str, &str)] = &[
    ("ratelimit-policy", "\"burst\";q=100;w=60,\"daily\";q=1000;w=86400"),
    ("ratelimit", "\"burst\";r=50;t=30,\"daily\";r=999;t=4000"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_states_what_it_is_named_for() {
        for candidate in group().candidates {
            assert_eq!((candidate.build)().run(3).succeeded, 3, "{}", candidate.name);
        }
    }
}
