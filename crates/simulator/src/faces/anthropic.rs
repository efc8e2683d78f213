//! Anthropic: <https://platform.claude.com/docs/en/api/rate-limits>, its errors page, and recorded answers.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Event, Events, Exchange, Reply, output_tokens, put, seconds_up};
use super::{Limited, Problem};
use crate::clock::rfc3339;
use crate::quota::{Dimension, Reading};
use crate::telling::Said;
use crate::text::Answer;
use crate::work::Work;

/// The organization that 429s name.
const ORGANIZATION: &str = "00000000-0000-4000-8000-000000000000";

/// The headers every answer carries.
pub(crate) fn common_headers(exchange: &Exchange) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "request-id", request_id(exchange));
    headers
}

fn request_id(exchange: &Exchange) -> String {
    exchange.id("req_011C", 20)
}

/// The limits. Tokens remain in thousands; `tokens` is input and output together; a reset is when the limit is full,
/// cut to the second.
pub(crate) fn limit_headers(readings: &[Reading], at: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut both = (0_u64, 0_u64, Duration::ZERO);
    for reading in readings {
        let (limit, full) = (reading.limit, at.saturating_add(reading.until_full));
        let (names, remaining) = match reading.dimension {
            Dimension::Requests => (
                [
                    "anthropic-ratelimit-requests-limit",
                    "anthropic-ratelimit-requests-remaining",
                    "anthropic-ratelimit-requests-reset",
                ],
                reading.remaining,
            ),
            Dimension::InputTokens => (
                [
                    "anthropic-ratelimit-input-tokens-limit",
                    "anthropic-ratelimit-input-tokens-remaining",
                    "anthropic-ratelimit-input-tokens-reset",
                ],
                in_thousands(reading),
            ),
            Dimension::OutputTokens => (
                [
                    "anthropic-ratelimit-output-tokens-limit",
                    "anthropic-ratelimit-output-tokens-remaining",
                    "anthropic-ratelimit-output-tokens-reset",
                ],
                in_thousands(reading),
            ),
            Dimension::Tokens | Dimension::DailyRequests => continue,
        };
        if reading.dimension != Dimension::Requests {
            both = (both.0.saturating_add(limit), both.1.saturating_add(remaining), full.max(both.2));
        }
        put_limit(&mut headers, names, limit, remaining, full);
    }
    let names = [
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ];
    put_limit(&mut headers, names, both.0, both.1, both.2);
    headers
}

fn put_limit(headers: &mut HeaderMap, names: [&'static str; 3], limit: u64, remaining: u64, full: Duration) {
    let [limit_name, remaining_name, reset_name] = names;
    put(headers, limit_name, limit);
    put(headers, remaining_name, remaining);
    put(headers, reset_name, rfc3339(full));
}

/// What remains, to the nearest thousand and never more than the limit.
fn in_thousands(reading: &Reading) -> u64 {
    (reading.remaining.saturating_add(500) / 1_000).saturating_mul(1_000).min(reading.limit)
}

fn error(status: StatusCode, kind: &str, message: &str, exchange: &Exchange) -> Reply {
    let error = json!({"type": kind, "message": message});
    let mut reply = Reply::new(status, json!({"type": "error", "error": error, "request_id": request_id(exchange)}));
    put(&mut reply.headers, "x-should-retry", status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error());
    reply
}

/// What Anthropic answers when something is wrong.
pub(crate) fn refuse(problem: &Problem, exchange: &Exchange) -> Reply {
    let invalid = |message: String| error(StatusCode::BAD_REQUEST, "invalid_request_error", &message, exchange);
    match problem {
        Problem::UnknownPath { .. } => error(StatusCode::NOT_FOUND, "not_found_error", "Not Found", exchange),
        Problem::WrongMethod { allowed, .. } => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let mut reply = error(status, "invalid_request_error", "Method Not Allowed", exchange);
            put(&mut reply.headers, "allow", allowed);
            reply
        }
        Problem::NoKey => {
            error(StatusCode::UNAUTHORIZED, "authentication_error", "x-api-key header is required", exchange)
        }
        Problem::WrongKey => error(StatusCode::UNAUTHORIZED, "authentication_error", "invalid x-api-key", exchange),
        Problem::BodyTooLarge => error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "Request exceeds the maximum allowed number of bytes.",
            exchange,
        ),
        Problem::NotJson => invalid(String::from("The request body is not valid JSON.")),
        Problem::Missing(name) => invalid(format!("{name}: Field required")),
        Problem::Empty(name) => invalid(format!("{name}: at least one message is required")),
        Problem::WrongType { parameter, expected, .. } => invalid(format!("{parameter}: Input should be {expected}")),
        Problem::TooSmall { parameter, minimum, .. } => {
            invalid(format!("{parameter}: Input should be greater than or equal to {minimum}"))
        }
        Problem::TooLarge { parameter, maximum, .. } => {
            invalid(format!("{parameter}: Input should be less than or equal to {maximum}"))
        }
        Problem::Limited(limited) => limit_reached(limited, exchange),
        Problem::ServerError => {
            error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "Internal server error", exchange)
        }
        Problem::Overloaded => {
            let status = StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            error(status, "overloaded_error", "Overloaded", exchange)
        }
    }
}

/// The 429. The texts do not tell a request that never fits from one that fits later; `x-should-retry` does.
fn limit_reached(limited: &Limited, exchange: &Exchange) -> Reply {
    let refusal = &limited.refusal;
    let (unit, counted) = match refusal.dimension {
        Dimension::Requests | Dimension::DailyRequests => ("requests", "requests"),
        Dimension::InputTokens => ("input tokens", "request tokens"),
        Dimension::OutputTokens => ("output tokens", "output tokens"),
        Dimension::Tokens => ("tokens", "request tokens"),
    };
    let message = if limited.said == Said::All {
        format!(
            "This request would exceed the rate limit for your organization ({ORGANIZATION}) of {} {unit} per minute. \
             For details, refer to: https://docs.anthropic.com/en/api/rate-limits. You can see the response headers \
             for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later. \
             You may also contact sales at https://www.anthropic.com/contact-sales to discuss your options for a rate \
             limit increase.",
            with_commas(refusal.limit)
        )
    } else {
        format!("Number of {counted} has exceeded your per-minute rate limit")
    };
    let mut reply = error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", &message, exchange);
    if limited.said == Said::All {
        reply.headers.extend(limit_headers(&limited.readings, limited.at));
    }
    if let Some(wait) = refusal.wait.filter(|_| limited.said != Said::Nothing) {
        put(&mut reply.headers, "retry-after", seconds_up(wait));
    }
    if refusal.wait.is_none() {
        put(&mut reply.headers, "x-should-retry", false);
    }
    reply
}

fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Input does not include what was read from a cache.
fn usage(work: &Work, output: u64) -> Value {
    json!({
        "input_tokens": work.uncached_tokens(),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": work.cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "not_available",
    })
}

fn stop_reason(answers: &[Answer]) -> &'static str {
    if answers.iter().any(|answer| answer.cut) { "max_tokens" } else { "end_turn" }
}

/// The answer to a count of tokens.
pub(crate) fn count(work: &Work) -> Value {
    json!({"input_tokens": work.input_tokens})
}

/// A message, whole.
pub(crate) fn message(work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    let text = answers.first().map(Answer::text).unwrap_or_default();
    json!({
        "model": work.model,
        "id": exchange.id("msg_01", 22),
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason(answers),
        "stop_sequence": null,
        "usage": usage(work, output_tokens(answers)),
    })
}

/// The events of a message. The input is told at the start, the output at the end; there is no `[DONE]`.
pub(crate) fn events(work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
    let start = json!({
        "model": work.model,
        "id": exchange.id("msg_01", 22),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": usage(work, 1),
    });
    let opening = [
        json!({"type": "message_start", "message": start}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
    ];
    let closing = [
        json!({"type": "content_block_stop", "index": 0}),
        json!({
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(answers), "stop_sequence": null},
            "usage": {
                "input_tokens": work.uncached_tokens(),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": work.cached_tokens,
                "output_tokens": output_tokens(answers),
            },
        }),
        json!({"type": "message_stop"}),
    ];
    let delta = |piece: String| {
        let delta = json!({"type": "text_delta", "text": piece});
        Event::named(&json!({"type": "content_block_delta", "index": 0, "delta": delta})).token()
    };
    let deltas = answers.first().map(Answer::pieces).into_iter().flatten().map(delta);
    let named = |event: Value| Event::named(&event);
    Box::new(opening.into_iter().map(named).chain(deltas).chain(closing.into_iter().map(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        let texts = [1, 999, 1_000, 40_000, 1_234_567].map(with_commas);
        assert_eq!(texts, ["1", "999", "1,000", "40,000", "1,234,567"]);
    }

    #[test]
    fn what_remains_is_told_in_thousands_within_the_limit() {
        #[track_caller]
        fn check(limit: u64, remaining: u64, expected: u64) {
            let reading = Reading {
                dimension: Dimension::InputTokens,
                limit,
                remaining,
                until_full: Duration::ZERO,
                until_more: Duration::ZERO,
            };
            assert_eq!(in_thousands(&reading), expected);
        }
        check(80_000, 78_976, 79_000);
        check(80_000, 78_499, 78_000);
        check(1_500, 1_500, 1_500);
        check(80_000, 0, 0);
    }
}
